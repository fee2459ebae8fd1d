"""Claims of SUGRM: the data they are judged on, missing runs, undefined metrics, the registry."""

import numpy as np

from msalib.evidence import registry
from msalib.evidence.verdicts import judge
from msalib.papers.sugrm import scope
from msalib.papers.sugrm.evidence import TESTS
from msalib.papers.sugrm.plan import compared
from msalib.runs.spec import system
from tests.papers.sugrm.planted import (
    MOSI,
    WHOLE,
    changed,
    claims,
    judged,
    lacks,
    seeds_of,
    setting,
)


def test_a_claim_that_names_a_corpus_is_judged_on_what_stands_for_it():
    on = {
        dataset: {claim: judged(claim, records) for claim in claims()}
        for dataset in WHOLE
        for records in [setting(dataset, seeds=2)]
    }
    for claim in ("C2", "C5", "C6", "C7", "C10", "C11", "C12", "X1"):
        assert lacks(on["mmmo-stretched"][claim], "unaligned CMU-MOSI")
        for dataset in ("mosi", "control", "control-opposite"):
            assert on[dataset][claim].verdict != "not run"
        assert "speech is one vector per clip" in on["mosi"][claim].note
        assert "missing: visual" in on["mosi"][claim].note
        assert "missing: " not in on["control"][claim].note
    for claim in ("C3b", "C8", "C13"):
        assert lacks(on["mosi"][claim], "unaligned CMU-MOSEI")
        assert on["control"][claim].verdict != "not run"
    assert all(lacks(evidence["C3a"], " aligned CMU-MOSEI") for evidence in on.values())
    assert all(lacks(on[dataset]["C1"], " aligned CMU-MOSI") for dataset in ("mosi", "control"))
    assert "ICT-MMMO, aligned to words, replaces CMU-MOSI" in on["mmmo-stretched"]["C1"].note
    for claim in ("C9", "C14", "C15", "C16", "C17", "C22", "C25"):
        assert all(on[dataset][claim].verdict != "not run" for dataset in WHOLE)
    for claim in ("C23", "C24"):
        assert lacks(on["control"][claim], "CMU-MOSI", "simulated")


BY_SIGN = {"C6", "C7", "C13"}
"""Claims whose rule is satisfied by signs of means, which luck gives now and then."""


def test_where_all_systems_are_alike_nothing_but_equality_is_found():
    counts = {"supported": 0, "contradicted": 0, "inconclusive": 0}
    for seed in range(10):
        found = setting("control", seed=seed)
        for claim in set(claims()) - BY_SIGN - {"C3b", "C15"}:
            evidence = judged(claim, found)
            if evidence.verdict != "not run":
                counts[evidence.verdict] += 1
    assert sum(counts.values()) == 130
    assert counts["supported"] == 0 and counts["contradicted"] <= 0.1 * 130


def test_what_was_not_trained_is_named():
    found = setting("mosi", only=["SUGRM"])
    for claim in claims():
        assert lacks(judged(claim, found)), claim
    assert lacks(judged("C2", found), "runs of acoustic-1+linguistic-tuned-self_mm")
    once = setting("mosi", only=["SUGRM", "Self-MM"], seeds=1)
    assert lacks(judged("C2", once), "second seed")
    text = seeds_of({system({"linguistic": 6}, paper="sugrm"): 0.0}, "mosei")
    assert lacks(judged("C3b", text), "several modalities")


def test_a_task_with_other_metrics_is_not_judged():
    records = [
        r.model_copy(update={"metrics": {"test": {"mae": 0.4, "acc2": 0.7, "corr": 0.5}}})
        for r in setting()
    ]
    for claim in ("C2", "C8", "C9", "C25", "X1"):
        assert "scored as those of CMU-MOSI" in judged(claim, records).note, claim


def test_undefined_metrics_decide_nothing_and_are_told():
    found = setting("mosi", better={"SUGRM": 1.0})
    own = compared(MOSI)["SUGRM"]

    def constant(r):
        return {"metrics": {**r.metrics, "test": {**r.metrics["test"], "corr": None}}}

    for claim, evidence in ((c, judged(c, changed(found, own, constant))) for c in claims()):
        assert "nan" not in evidence.note, claim
        if claim in ("C2", "C9", "C14", "C16", "C17", "C22"):
            assert evidence.verdict == "inconclusive", claim
            assert "Corr undefined (constant predictions) for 5 of 5 seeds" in evidence.note
            assert any(np.isnan(e.effect) for e in evidence.effects.values())


# --- the registry -------------------------------------------------------------------------------


def test_every_test_is_one_of_a_claim():
    assert {c.rerun.test for c in claims().values()} == {test.__name__ for test in TESTS}
    left_out = {c.id for c in registry.claims("sugrm") if c.rerun.test is None}
    assert left_out == {"SUGRM-C4", "SUGRM-X2"}


def test_every_claim_names_data_that_there_are_and_reads_each_verdict_differently():
    """Its systems are looked up above, where all claims are judged."""
    for claim in claims().values():
        assert claim.rerun.arguments.get("data") in {None, *scope.DATA}, claim.id
        assert len(set(claim.rerun.reading.values())) == 4, claim.id


def test_verdicts_cite_only_records_that_were_read():
    found = setting("mosi", only=["SUGRM", "Self-MM", "tasks_none"])
    (verdict,) = judge([claims()["C2"]], found)
    assert len(verdict.records) == 10
    (none,) = judge([claims()["C1"]], found)
    assert none.records == []
