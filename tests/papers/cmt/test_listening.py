"""Pretrainings on a page of CMT, and negative controls: which there are, and what is missing."""

import pytest

from msalib.base import stats
from msalib.papers.cmt import controls, evidence_controls, listening, scope
from msalib.papers.cmt.plan import PT
from msalib.runs.query import Runs
from msalib.runs.study import Study
from tests.papers.cmt.planted import NAMED, planted
from tests.papers.cmt.test_evidence_trainings import LEARNED, NOTHING, pretrained
from tests.papers.planted_systems import USUAL

STUDY = Study("cmt", dataset="raw-spoken", encoder="spoken", profile="full", seeds=5)
SETTING = "raw-spoken: a <small> corpus"


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    monkeypatch.setattr(stats, "RESAMPLES", 200)


def test_pretrainings_are_those_that_differ():
    first, *others = listening.ARMS
    assert list(listening.arms(STUDY)) == [first, listening.OF_TWO, *others]
    assert list(listening.arms(Study("cmt", dataset="raw-spoken"))) == list(listening.QUICK)
    for dataset in ("iemocap", "meld-dev", "nemo"):
        assert listening.arms(Study("cmt", dataset=dataset)) == {}


def test_without_records_the_command_is_named():
    found = listening.gather(STUDY, listening.arms(STUDY))
    assert found.keys() == {listening.OF_TWO, *listening.ARMS} and not any(found.values())
    note = listening.missing(STUDY, found).text
    assert "PT (5 of 5)" in note and "-p dataset raw-spoken -p encoder spoken" in note
    assert "Nothing can be pretrained" in listening.missing(STUDY, {}).text
    assert controls.of_listening(found).verdict == "not run"


def test_recorded_pretrainings_are_read_by_seed(monkeypatch):
    made = list(pretrained(PT, LEARNED))[::-1]
    monkeypatch.setattr(evidence_controls, "of_run", lambda spec: made[1:])
    found = listening.gather(STUDY, {PT: NAMED[PT]})
    assert [record.seed for record in found[PT]] == [0, 1, 2, 3]
    assert "PT (1 of 5)" in listening.missing(STUDY, found).text


def test_listening_is_judged_and_shown():
    found = {PT: list(pretrained(PT, LEARNED)),
             scope.SHUFFLED: list(pretrained(scope.SHUFFLED, NOTHING))}  # fmt: skip
    judged = controls.of_listening(found)
    table = controls.table(evidence_controls.heard, judged, setting=SETTING)
    (row,) = table.frame.to_dict("records")
    assert "supported" in row["control"] and row["effect and 95% interval"].count("[") == 6
    assert "no claim" in table.caption and SETTING in table.caption


def test_words_are_a_control_only_where_they_say_nothing():
    nemo = Study("cmt", dataset="nemo", encoder="spoken", profile="full")
    assert "nemo" in controls.of_words(STUDY, Runs([])).note
    assert controls.of_words(nemo, Runs([])).verdict == "not run"
    assert controls.of_weights(Runs([])).verdict == "not run"
    alone = {NAMED[name]: USUAL for name in (scope.SOUND, scope.TEXT)}
    assert "runs of" in controls.of_words(nemo, Runs(planted(alone, dataset="nemo"))).note
    assert "runs of" in controls.of_weights(Runs(planted({NAMED[PT]: USUAL}))).note
    assert set(controls.TITLES) == {
        evidence_controls.words_cannot_help,
        evidence_controls.shuffled_weights_gain_nothing,
        evidence_controls.heard,
    }
