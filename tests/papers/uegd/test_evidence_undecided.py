"""What no test can decide: undefined scores, missing runs, seeds and clips that differ."""

import numpy as np
import pytest

from msalib.data.corpus import MODALITIES
from msalib.papers.uegd import evidence as uegd
from msalib.papers.uegd import layers
from msalib.papers.uegd.evidence_blocks import best_in_second_half
from msalib.papers.uegd.evidence_features import better_than
from msalib.runs.query import Runs
from msalib.runs.spec import system
from tests.factory import layer_records, predictions
from tests.papers.uegd.planted import (
    CONSTANT,
    claims_with_tests,
    every_claim,
    linguistic,
    replaced,
    together,
)

pytestmark = pytest.mark.usefixtures("few_resamples")

MID_BEST = {"features": ["mid_best"], "other": "output", "groups": ["alone"]}

# --- what cannot be told ------------------------------------------------------------------------


def test_constant_predictions_are_undefined_counted_and_decide_nothing():
    """Every input of every modality predicts one number."""
    features = ("input", "output", "weighted", "uniform")
    noise = dict.fromkeys([0, 1, 2, 3, "weighted", "uniform"], CONSTANT)
    records = together(
        layer_records(dict.fromkeys(MODALITIES, noise)), **dict.fromkeys(features, CONSTANT)
    )
    records = together(records, mid_best=CONSTANT)
    judged = every_claim(records)
    for claim in ("C5", "C6", "C7", "C9", "C10", "C13", "X2"):
        evidence = judged[f"UEGD-{claim}"]
        assert evidence.verdict == "inconclusive", claim
        assert "Corr undefined" in evidence.note and "constant predictions" in evidence.note, claim
    partly = every_claim([r for r in records if "visual" not in r.spec.inputs])
    assert partly["UEGD-C10"].verdict == partly["UEGD-C5"].verdict == "not run"
    for claim, evidence in [*judged.items(), *partly.items()]:
        assert "nan" not in evidence.note
        if any(np.isnan(e.low) for e in evidence.effects.values()):
            assert "undefined" in evidence.note, claim
    assert judged["UEGD-C17"].verdict == "inconclusive"  # of errors, which are defined


def test_undefined_seeds_are_counted():
    records = layer_records({"linguistic": {1: 2.0, 2: 0.5, 3: 2.0}}, seeds=5)
    constant = layer_records({"linguistic": {1: 2.0, 2: 0.5, 3: CONSTANT}}, seeds=5)
    mixed = [
        c if r.spec.inputs == {"linguistic": 3} and r.spec.seed in (1, 4) else r
        for r, c in zip(records, constant, strict=True)
    ]
    judged = better_than(Runs(mixed), **MID_BEST)
    assert judged.verdict == "inconclusive"
    assert "; Corr undefined (constant predictions) for 2 of 5 seeds of linguistic-3" in judged.note
    assert np.isnan(judged.effects["linguistic Corr, choosing"].effect)
    assert judged.effects["linguistic MAE, choosing"].high < 0
    assert best_in_second_half(Runs(mixed)).verdict == "supported"  # by the others


def test_predictions_that_are_constant_in_some_resamples_only_are_told():
    """All but one video get one number: without that video nothing varies."""

    def nearly(record):
        parts = {}
        for part, clips in record.predictions.items():
            one = np.array(clips.video) == clips.video[0]
            guess = np.where(one, np.arange(len(one)), 0.25)
            parts[part] = predictions(clips.label, guess, clips.video)
        return parts

    records = layer_records({"linguistic": {1: 2.0, 2: 0.5, 3: 2.0}})
    records = replaced(records, system({"linguistic": 3}), predictions=nearly)
    judged = better_than(Runs(records), **MID_BEST)
    assert judged.verdict == "inconclusive"
    assert "no interval of " in judged.note
    assert judged.note.endswith("linguistic Corr, as chosen: undefined in some resamples")


def test_one_constant_block_is_never_the_best():
    records = linguistic(CONSTANT, 2.0, 0.5, CONSTANT)
    assert layers.best_block(records, "linguistic") == 3
    judged = best_in_second_half(records)
    assert judged.verdict == "supported"
    assert "on valid (constant predictions) for 5 of 5 seeds of linguistic-1; 5 of 5 s" in (
        judged.note
    )


def test_many_undefined_blocks_are_counted_not_listed():
    evidence = best_in_second_half(linguistic(*[CONSTANT] * 5, 0.5))
    assert "for seeds of 5 of 6 inputs" in evidence.note
    none = best_in_second_half(linguistic(CONSTANT, CONSTANT))
    assert (none.verdict, none.effects) == ("inconclusive", {})
    assert none.note.startswith("linguistic: no block has a correlation in every resample")


def test_claims_without_their_runs_are_not_run_and_say_what_they_need():
    vectors = every_claim(layer_records({"acoustic": {1: 1.0}}))
    assert {e.verdict for e in vectors.values()} == {"not run"}
    assert all(e.note.startswith("needs ") for e in vectors.values())
    only = every_claim(layer_records({"linguistic": {1: 1.0, 2: 1.0}}))
    assert only["UEGD-C7"] == ("not run", {}, "needs runs of linguistic-weighted")
    assert only["UEGD-C10"].verdict == "not run"
    assert only["UEGD-C6"].verdict != "not run"


def test_a_sweep_that_was_cut_off_gives_no_verdict():
    """Blocks come one after the other: the last one that has runs is not the last block."""
    noise = {0: 2.0, 1: 2.0, 2: 0.5, 3: 0.4, 4: 2.0, "weighted": 1.0}
    records = layer_records({"linguistic": noise})
    done = [r for r in records if r.spec.inputs["linguistic"] in (0, 1, 2, 3)]
    for claim, judged in every_claim(done).items():
        assert judged.verdict == "not run", claim
        if claim in ("UEGD-C6", "UEGD-C7", "UEGD-C10", "UEGD-C13", "UEGD-X2"):
            assert "needs linguistic block 4 of 4" in judged.note, claim


def test_inputs_are_compared_on_the_seeds_that_all_have():
    records = layer_records({"linguistic": {1: 2.0, 2: 0.5, 3: 2.0}}, seeds=6)
    some = [r for r in records if r.spec.inputs != {"linguistic": 3} or r.spec.seed != 1]
    judged = better_than(Runs(some), **MID_BEST)
    assert len(judged.effects["linguistic MAE, as chosen"].seeds) == 5


@pytest.mark.parametrize(("seeds", "need"), [(4, "4 so far"), (1, "1 so far")])
def test_below_five_seeds_there_is_no_verdict(seeds, need):
    noise = {0: 2.0, 1: 2.0, 2: 0.5, 3: 1.0, "weighted": 1.0, "uniform": 1.0}
    records = together(
        layer_records(dict.fromkeys(MODALITIES, noise), seeds=seeds),
        **dict.fromkeys(("input", "output", "mid_best", "weighted", "uniform"), 1.0),
    )
    for claim, judged in every_claim(records).items():
        assert judged.verdict == "not run", claim
    judged = every_claim(records)
    for claim in ("UEGD-C6", "UEGD-C7", "UEGD-C10", "UEGD-C13", "UEGD-X2"):
        assert f"5 seeds of every linguistic block ({need})" in judged[claim].note
    assert f"needs 5 seeds of what is compared ({need})" in judged["UEGD-C17"].note


@pytest.mark.parametrize(
    ("videos", "need"),
    [(8, "10 test videos (this setting has 8)"), (9, "10 test videos (this setting has 9)")],
)
def test_few_videos_give_no_verdict(videos, need):
    records = layer_records({"linguistic": {1: 2.0, 2: 0.5, 3: 1.0}}, videos=videos)
    assert need in every_claim(records)["UEGD-C6"].note


def test_modalities_without_a_common_seed_are_not_compared():
    records = layer_records({m: {0: 2.0, 1: 1.0, 2: 1.0} for m in MODALITIES}, seeds=10)
    apart = [r for r in records if (r.spec.seed < 5) == ("visual" in r.spec.inputs)]
    judged = every_claim(apart)
    for claim in ("UEGD-C5", "UEGD-C9"):
        assert judged[claim].verdict == "not run"
        assert judged[claim].note == (
            "needs 5 seeds of what is compared (no seed is in all so far)"
        )
    some = [r for r in records if r.spec.seed < 5 or "visual" not in r.spec.inputs]
    judged = every_claim(some)
    for claim in ("UEGD-C5", "UEGD-C9"):
        assert judged[claim].verdict != "not run"


def test_records_of_other_clips_are_not_mixed():
    records = layer_records({"linguistic": {1: 1.0, 2: 1.0}})
    records += layer_records({"linguistic": {3: 1.0}}, clips=3)
    with pytest.raises(ValueError, match="judges other clips than its neighbours"):
        every_claim(records)


def test_every_test_is_one_of_a_claim():
    assert {claim.rerun.test for claim in claims_with_tests()} == {
        test.__name__ for test in uegd.TESTS
    }
