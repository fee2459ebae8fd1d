"""Claims of SUGRM: the data they are judged on, missing runs, no effects at all, the registry."""

from scipy.stats import binom

from msalib.evidence import registry
from msalib.evidence.verdicts import judge
from msalib.papers.sugrm import scope
from msalib.papers.sugrm.evidence import TESTS
from msalib.runs.spec import system
from tests.papers.sugrm.planted import (
    WHOLE,
    claims,
    constant,
    judged,
    lacks,
    named,
    seeds_of,
    setting,
)

SYSTEMS = ("C1", "C2", "C3b", "C5", "C9", "C10", "C11", "C12", "C13", "C14", "C15", "C16", "C17")
PAIRS = (*SYSTEMS, "C6", "C7", "C8", "C22", "C25", "X1")
"""Claims that compare systems on predictions of test clips; C3a has no data."""


def test_a_claim_that_names_a_corpus_is_judged_on_what_stands_for_it():
    on = {
        dataset: {claim: judged(claim, records) for claim in ("C3a", *PAIRS)}
        for dataset in WHOLE
        for records in [setting(dataset)]
    }
    for claim in ("C2", "C5", "C6", "C7", "C10", "C11", "C12", "X1"):
        assert lacks(on["mmmo-stretched"][claim], "unaligned CMU-MOSI")
        for dataset in ("mosi", "mosi-standardised", "control", "control-opposite"):
            assert on[dataset][claim].verdict != "not run"
        for dataset in ("mosi", "mosi-standardised"):
            assert "speech is one vector per clip" in on[dataset][claim].note
            assert "missing: visual" in on[dataset][claim].note
        assert "missing: " not in on["control"][claim].note
    for claim in ("C3b", "C8", "C13"):
        for dataset in ("mosi", "mosi-standardised"):
            assert lacks(on[dataset][claim], "unaligned CMU-MOSEI")
        assert on["control"][claim].verdict != "not run"
    assert all(lacks(evidence["C3a"], " aligned CMU-MOSEI") for evidence in on.values())
    for dataset in ("mosi", "mosi-standardised", "control"):
        assert lacks(on[dataset]["C1"], " aligned CMU-MOSI")
    assert "ICT-MMMO, aligned to words, replaces CMU-MOSI" in on["mmmo-stretched"]["C1"].note
    for claim in ("C9", "C14", "C15", "C16", "C17", "C22", "C25"):
        assert all(on[dataset][claim].verdict != "not run" for dataset in WHOLE)


def test_where_all_systems_are_the_same_nothing_but_equality_is_found():
    """C15 lacks a record of costs here, and C11 is half a claim: both stay open."""
    records = setting(shared=1)
    found = {claim: judged(claim, records).verdict for claim in PAIRS if claim != "C1"}
    assert found.pop("C3b") == "supported"
    assert set(found.values()) == {"inconclusive"}, found


def test_where_all_systems_are_equally_good_nothing_is_found_beyond_chance():
    draws, words = 3, []
    for seed in range(draws):
        records = setting(seed=seed, shared=0.5)
        words += [judged(claim, records).verdict for claim in PAIRS if claim != "C1"]
    assert len(words) == draws * (len(PAIRS) - 1)
    assert "supported" not in words and "not run" not in words
    assert words.count("contradicted") <= binom.ppf(0.999, len(words), 0.05)


def test_what_was_not_trained_is_named():
    found = setting("mosi", only=["SUGRM"])
    for claim in claims():
        assert lacks(judged(claim, found)), claim
    assert lacks(judged("C2", found), "runs of Self-MM")
    assert lacks(judged("C5", found), "runs of the multimodal task alone")
    assert lacks(judged("X1", found), "runs of no recalibration + LSTM + SUGRM's labels")
    text = seeds_of({system({"linguistic": 6}, paper="sugrm"): 0.0}, "mosei")
    assert lacks(judged("C3b", text), "several modalities")


def test_no_claim_is_decided_by_two_seeds():
    for dataset in ("mosi-standardised", "control", "mmmo-stretched"):
        found = setting(dataset, seeds=2)
        assert all(judged(claim, found).verdict == "not run" for claim in claims())


def test_a_task_with_other_metrics_is_not_judged():
    records = [
        r.model_copy(update={"metrics": {"test": {"mae": 0.4, "acc2": 0.7, "corr": 0.5}}})
        for r in setting()
    ]
    for claim in ("C2", "C8", "C9", "C25", "X1"):
        assert "scored as those of CMU-MOSI" in judged(claim, records).note, claim


def test_undefined_metrics_decide_nothing_and_are_told():
    names = list(named(WHOLE["control"]))
    found = setting(change=dict.fromkeys(names, constant))
    for claim in PAIRS[1:]:
        evidence = judged(claim, found)
        assert evidence.verdict == "inconclusive" and "nan" not in evidence.note, claim
        reads_corr = claim not in ("C6", "C7", "X1")
        assert ("Corr undefined" in evidence.note) == reads_corr, claim


# --- the registry -------------------------------------------------------------------------------


def test_every_test_is_one_of_a_claim():
    assert {c.rerun.test for c in claims().values()} == {test.__name__ for test in TESTS}
    left_out = {c.id for c in registry.claims("sugrm") if c.rerun.test is None}
    assert left_out == {"SUGRM-C4", "SUGRM-X2"}


def test_every_claim_names_data_that_there_are_and_reads_each_verdict_differently():
    """Its systems are looked up above, where all claims are judged."""
    for claim in claims().values():
        assert claim.rerun.arguments.get("data") in {None, *scope.DATA}, claim.id
        if claim.rerun.test != "share_of_parameters":  # is shown and not judged
            assert len(set(claim.rerun.reading.values())) == 4, claim.id


def test_verdicts_cite_only_records_that_were_read():
    found = setting("mosi", only=["SUGRM", "Self-MM", "tasks_none"])
    (verdict,) = judge([claims()["C2"]], found)
    assert len(verdict.records) == 10
    (none,) = judge([claims()["C1"]], found)
    assert none.records == []
