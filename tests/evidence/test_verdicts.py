"""The registry, and verdicts on the records of every setting."""

import numpy as np
import pytest

from msalib.base import stats
from msalib.base.errors import UserError
from msalib.data.corpus import MODALITIES
from msalib.evidence import registry, settings
from msalib.evidence.common import Word
from msalib.evidence.printed import table as printed_table
from msalib.evidence.printed.cells import Cells
from msalib.evidence.verdicts import (
    ClaimEvidence,
    Outcome,
    judge,
    judge_own_runs,
    judge_printed,
    judge_study,
    made_by_paper,
    printed_effects,
)
from msalib.runs import records
from msalib.runs.spec import system
from tests.factory import layer_records, system_records


@pytest.fixture(scope="module")
def uegd():
    """Claims with a test on records: all but a proof and one of ours."""
    return [claim for claim in registry.claims("uegd") if claim.rerun.test is not None]


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    monkeypatch.setattr(stats, "RESAMPLES", 200)


def by_id(verdicts):
    return {v.claim.id: v for v in verdicts}


# --- registry -----------------------------------------------------------------------------------


def test_every_claim_of_the_paper_is_there(uegd):
    claims = [claim.id for claim in registry.claims("uegd")]
    assert claims == [*(f"UEGD-C{k}" for k in range(1, 18)), "UEGD-X1", "UEGD-X2"]
    assert set(claims) - {claim.id for claim in uegd} == {"UEGD-C14", "UEGD-X1"}


def test_a_proof_is_no_run_and_says_why():
    (claim,) = registry.claims("uegd", ["UEGD-C14"])
    evidence = ClaimEvidence("uegd", claim, Outcome("not run", ""), Outcome("not run", ""), [], [])
    verdict, note = evidence.not_run("re-run")
    assert verdict == "not run" and note.startswith("needs no run, because it is a proof")
    assert evidence.not_run("control").note.startswith("there can be none, because it is a proof")
    assert claim.rerun.rule.startswith("A proof")


def test_every_verdict_has_its_sentence(uegd):
    """Of its own: a reader who sees the sentence can tell the verdict."""
    for claim in uegd:
        assert set(claim.rerun.reading) == set(Word.__args__)
        assert len(set(claim.rerun.reading.values())) == len(claim.rerun.reading)


def test_every_claim_is_judged_shown_and_read_by_its_verdict(uegd):
    layers = {0: 1.0, 1: 1.0, 2: 1.0, "weighted": 1.0}
    found = layer_records(dict.fromkeys(MODALITIES, layers))
    verdicts = judge(uegd, found)
    assert [v.claim for v in verdicts] == uegd
    for v in verdicts:
        assert v.setting == ("control", "planted", "release", "quick")
        assert v.reading == v.claim.rerun.reading[v.evidence.verdict]


def effects(claim, about=None) -> list[str]:
    """What UEGD prints of a claim."""
    cells = Cells(printed_table.load_all())
    return printed_effects(cells, judge_printed(cells, "uegd", claim), about)


def test_printed_effects_are_those_of_the_paper(uegd):
    """papers/uegd.md (b), in numbers."""
    printed = {claim.id: effects(claim) for claim in uegd}
    of = {claim: "; ".join(phrases) for claim, phrases in printed.items()}
    for difference in (
        "MOSI, UEGD enc output minus UEGD conv bert: MAE -0.036, Corr +0.024",
        "MOSI, UEGD enc mid best minus UEGD conv bert: MAE -0.058, Corr +0.057",
        "MOSEI, UEGD enc weighted minus UEGD conv bert: MAE -0.033, Corr +0.037",
    ):
        assert difference in printed["UEGD-C1"]
    assert "MOSEI, UEGD enc output minus Self-MM conv bert: MAE -0.011" in of["UEGD-C2"]
    assert "MOSI, MISA conv bert minus UEGD enc weighted: MAE -0.014" in of["UEGD-C3"]
    assert "MOSEI Corr: UEGD acoustic enc mid best gains +0.518" in of["UEGD-C5"]
    assert printed["UEGD-C6"][0].startswith(
        "MOSI, UEGD enc mid best minus UEGD enc output: MAE -0.022, Corr +0.033"
    )
    assert "MOSI, UEGD enc mid best minus UEGD enc weighted: MAE +0.010" in of["UEGD-C7"]
    assert "UEGD enc visual 0.016 / 0.230 = 0.07" in of["UEGD-C9"]
    assert "MOSEI layer: UEGD enc mid best visual 19" in of["UEGD-C13"]
    without = {claim for claim, phrases in printed.items() if not phrases}
    assert without == {*(f"UEGD-C{k}" for k in (8, 10, 12, 15, 17)), "UEGD-X2"}


def test_printed_effects_are_those_of_the_data_set_where_it_has_any():
    c2, c6 = registry.claims("uegd", ["UEGD-C2", "UEGD-C6"])
    assert all(phrase.startswith("MOSI") for phrase in effects(c6, "mosi"))
    assert len(effects(c6, "mosi")) == 4
    assert len(effects(c6, "mmmo")) == 8
    assert all(phrase.startswith("MOSEI") for phrase in effects(c2, "mosi"))


def test_claims_are_chosen_by_id():
    assert [c.id for c in registry.claims("uegd", ["UEGD-C13", "UEGD-C6"])] == [
        "UEGD-C6",
        "UEGD-C13",
    ]


def test_a_paper_without_claims_is_refused_with_those_that_have():
    for ask in (registry.claims, judge_study):
        with pytest.raises(UserError, match=r"paper 'nonsense': found no claims of it; .* uegd"):
            ask("nonsense")


@pytest.mark.parametrize(
    ("control", "note"),
    [
        ("None, for it is a rank.", "there can be none, for it is a rank."),
        ("There can be none: it is a rank.", "there can be none: it is a rank."),
        (
            "Plant cues, or none.",
            "needs our model, trained on simulated data. Plan of these: Plant cues, or none.",
        ),
    ],
)
def test_what_a_control_needs_or_why_there_is_none(control, note, uegd):
    claim = uegd[0].model_copy(update={"control": control})
    silent = Outcome("not run", "")
    evidences = ClaimEvidence("uegd", claim, silent, silent, [], [])
    assert evidences.not_run("control") == ("not run", note)


def test_claims_of_ours_are_told_from_those_of_the_papers():
    for paper in registry.known():
        weighed = [ClaimEvidence(paper, c, None, None, [], []) for c in registry.claims(paper)]
        own = [e.claim.id for e in made_by_paper(weighed)]
        assert own == [e.claim.id for e in weighed if "-X" not in e.claim.id]


# --- verdicts -----------------------------------------------------------------------------------


def test_a_verdict_counts_the_records_that_its_test_read(uegd):
    layers = {0: 2.0, 1: 2.0, 2: 0.5, "weighted": 1.0, "uniform": 1.0}
    found = layer_records({"linguistic": layers, "acoustic": {1: 1.0}})
    verdicts = by_id(judge(uegd, found))
    count = {c: len(v.records) for c, v in verdicts.items()}
    assert count["UEGD-C6"] == 10  # blocks 1 and 2, five seeds
    assert count["UEGD-C7"] == 15
    assert count["UEGD-C4"] == 0  # no conventional features of these data
    assert count["UEGD-X2"] == 20
    assert count["UEGD-C17"] == 10  # no block is chosen
    assert count["UEGD-C10"] == 10  # not run, but its own spread is shown
    assert count["UEGD-C2"] == 0
    for v in verdicts.values():
        assert (v.evidence.verdict == "not run") or v.records
        assert len({r.name() for r in v.records}) == len(v.records)


def test_two_recipes_in_one_setting_are_refused(uegd):
    one = layer_records({"linguistic": {1: 1.0}}, seeds=1)
    other = one[0].model_copy(
        update={"spec": one[0].spec.model_copy(update={"train": {"epochs": 1}})}
    )
    with pytest.raises(UserError, match="differ in recipe only"):
        judge(uegd, [*one, other])


def test_a_single_test_video_gives_no_verdict(uegd):
    layers = {1: 1.0, 2: 0.5}
    found = layer_records({"linguistic": layers}, videos=2)
    one = [
        r.model_copy(
            update={
                "predictions": {
                    part: clips.model_copy(update={"video": ["only"] * len(clips.video)})
                    for part, clips in r.predictions.items()
                }
            }
        )
        for r in found
    ]
    verdicts = by_id(judge(uegd, one))
    assert {v.evidence.verdict for v in verdicts.values()} == {"not run"}
    assert "needs 10 test videos (this setting has 1)" in verdicts["UEGD-C6"].evidence.note


def written(dataset, encoder, setting, profile="full"):
    noise = {system({"linguistic": k}): sd for k, sd in ((1, 2.0), (2, 0.5), (3, 2.0))}
    spec = {"dataset": dataset, "encoder": encoder, "setting": setting, "profile": profile}
    for record in system_records(noise, {"linguistic": 3}, **spec):
        records.write(record)


def test_every_setting_with_records_is_judged_and_the_published_ones_are_never_missing(uegd):
    written("raw", "small", "control")
    written("mosi-standardised", "minilm", "substitute")
    verdicts = judge_study("uegd")
    settings = list(dict.fromkeys(v.setting for v in verdicts))
    assert settings == [
        ("mosi", "bert-large", "release", "full"),
        ("mosei", "bert-large", "release", "full"),
        ("mosi-standardised", "minilm", "release", "full"),
        ("raw", "small", "release", "full"),
    ]
    assert len(verdicts) == len(settings) * len(uegd)
    published = [v for v in verdicts if v.setting.encoder == "bert-large"]
    assert {v.evidence.verdict for v in published} == {"not run"}
    assert all(f"bert-large layers of {v.setting.dataset}" in v.evidence.note for v in published)


def test_a_setting_as_published_that_has_records_is_judged(uegd):
    written("mosi", "bert-large", "as-published")
    verdicts = [v for v in judge_study("uegd") if v.setting.dataset == "mosi"]
    assert len(verdicts) == len(uegd)
    assert by_id(verdicts)["UEGD-C6"].evidence.verdict == "supported"


def test_leaky_features_are_no_evidence():
    written("mosi-leaky", "leaking", "leaky")
    written("mosi-leaky-unseen", "leaking", "leaky")
    assert {v.setting.encoder for v in judge_study("uegd")} == {"bert-large"}


def test_runs_on_classes_are_not_judged_by_tests_of_a_scale(uegd):
    records = layer_records({"linguistic": {1: 1.5, 2: 1.0}}, dataset="meld")
    classes = [r.model_copy(update={"metrics": {"test": {"wa": 0.5, "f1": 0.5}}}) for r in records]
    for verdict in judge(uegd, classes):
        assert verdict.evidence.verdict == "not run"
        assert "scored as those of CMU-MOSI" in verdict.evidence.note


def test_a_data_set_with_a_hyphen_keeps_its_name():
    written("control-opposite", "planted", "control", "quick")
    assert {v.setting.dataset for v in judge_own_runs("uegd")} == {"control-opposite"}


@pytest.mark.parametrize(
    ("dataset", "encoder", "setting", "profile"),
    [
        ("control", "planted", "control", "quick"),  # a page shows it, and no total counts it
        ("mosi-standardised", "minilm", "substitute", "quick"),
        ("mosi", "some-bert", "substitute", "full"),
        ("mine", "csv", "substitute", "quick"),
        ("mine", "csv", "substitute", "full"),
    ],
)
def test_runs_of_other_settings_stand_apart_and_change_no_count(
    dataset, encoder, setting, profile, uegd
):
    written("mosi-standardised", "minilm", "substitute")
    before = [repr(v) for v in judge_study("uegd")]
    assert judge_own_runs("uegd") == []
    written(dataset, encoder, setting, profile)
    assert [repr(v) for v in judge_study("uegd")] == before
    yours = judge_own_runs("uegd")
    assert [v.claim for v in yours] == uegd
    assert {v.setting for v in yours} == {(dataset, encoder, "release", profile)}
    assert by_id(yours)["UEGD-C6"].evidence.verdict == "supported"


def test_the_study_is_what_pages_show_with_the_full_recipe():
    for paper in ("uegd", "sugrm"):
        study = settings.study(paper)
        assert len(study) == len(set(study)) > 3
        assert {s.profile for s in study} == {"full"}
    frozen = ("mosi-standardised", "minilm", "release", "full")
    assert frozen in settings.study("sugrm")


def test_a_paper_that_no_page_shows_has_no_setting_of_the_study(monkeypatch):
    shown = [("one/table1", {"dataset": "raw", "encoder": "small", "profile": "full"})]
    monkeypatch.setattr(settings, "plan", lambda: shown)
    assert settings.study("one") == [("raw", "small", "release", "full")]
    assert settings.study("two") == []


def test_verdicts_are_the_same_however_often_they_are_computed(uegd):
    found = layer_records({"linguistic": {1: 1.5, 2: 1.0, 3: 1.5}})
    first, again = (judge(uegd, found) for _ in range(2))
    for a, b in zip(first, again, strict=True):
        assert repr(a.evidence) == repr(b.evidence)
        assert np.all([x.name() == y.name() for x, y in zip(a.records, b.records, strict=True)])
