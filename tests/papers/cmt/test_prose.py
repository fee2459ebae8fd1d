"""Texts of the chapter: every control has a reading, and shares name what was seen."""

from typing import get_args

import pytest

from msalib.evidence.common import Evidence, Word
from msalib.papers.cmt import evidence_controls, prose, scope
from msalib.papers.cmt.plan import PT
from tests.papers.cmt.test_evidence_trainings import LEARNED, NOTHING, heard, pretrained


@pytest.mark.parametrize("test", prose.READINGS, ids=lambda test: test.__name__)
def test_every_verdict_of_a_control_has_a_reading(test):
    words = set(get_args(Word)) - {"not run"}
    assert set(prose.READINGS[test]) == words
    for word in words:
        texts = prose.control(test, Evidence(word, {}, "a note"))
        assert texts[test.__name__] == word
        assert texts[f"{test.__name__}_reading"].endswith(".")


def test_a_control_without_a_verdict_says_what_it_needs():
    texts = prose.control(evidence_controls.heard, heard(LEARNED, NOTHING[:4]))
    assert texts["heard"] == "not run" and texts["heard_reading"].startswith("needs 5 pretrainings")
    assert texts["heard_effects"] == "none"


def test_effects_of_a_control_are_shown_with_their_intervals():
    texts = prose.control(evidence_controls.heard, heard(LEARNED, NOTHING))
    assert texts["heard"] == "supported"
    assert "true pairs: masked tokens" in texts["heard_effects"]
    assert texts["heard_effects"].count("[") == 6


def test_shares_are_those_of_the_records():
    by_arm = {PT: list(pretrained(PT, (10.0, 12.0)))}
    texts = prose.shares(by_arm)
    assert len(texts) == 12
    assert texts["true_tokens_given"] == "51.0\u00a0±\u00a01.4%"
    assert texts["true_tokens_silenced"] == "40.0\u00a0±\u00a00.0%"
    assert texts["shuffled_tokens_given"] == "not run"
    assert prose.shares({scope.SHUFFLED: []})["shuffled_frames_given"] == "not run"


def test_the_answer_of_a_control_has_its_verdict_its_meaning_and_one_effect():
    judged = heard(LEARNED, NOTHING)
    text = prose.answer(evidence_controls.heard, judged, setting="here")
    assert text.startswith("Yes (here). After true pairs") and text.count("[") == 1
    few = prose.answer(evidence_controls.heard, heard(LEARNED, NOTHING[:4]), setting="here")
    assert few.startswith("Not run (here). Needs ") and "[" not in few
