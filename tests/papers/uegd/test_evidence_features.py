"""Tests of claims that compare features: planted effects are detected, and absent ones are not."""

import numpy as np
import pytest

from msalib.data.corpus import MODALITIES
from msalib.papers.uegd import layers
from msalib.papers.uegd.evidence_features import better_than, gain_grows, gain_largest
from msalib.papers.uegd.layers import SHARES
from msalib.runs.query import Runs
from msalib.runs.spec import system
from tests.factory import layer_records, predictions
from tests.papers.uegd.planted import extended, linguistic, replaced, runs, together

pytestmark = pytest.mark.usefixtures("few_resamples")


MID_BEST = {"features": ["mid_best"], "other": "output", "groups": ["alone"]}
SUM = {**MID_BEST, "other": "weighted"}
ALL = {"features": ["output", "mid_best", "weighted"], "other": "input"}

# --- one feature against another ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("noise", "block", "verdict"),
    [
        ((2.0, 0.7, 2.0), 2, "supported"),
        ((2.0, 2.0, 0.7), 3, "inconclusive"),  # the best block is the last
    ],
)
def test_a_better_block_is_found_and_no_other(noise, block, verdict):
    evidence = better_than(linguistic(*noise), **MID_BEST)
    assert evidence.verdict == verdict
    assert evidence.note.startswith(
        f"mid-best minus output; linguistic mid-best is block {block}; resamples of validation "
        f"choose block {block} in 100%; choosing decides: the choice is repeated in every resample"
    )
    assert "; covers linguistic (3 blocks): 5 seeds, 160 test clips of 20 videos; " in evidence.note
    mae, corr = (evidence.effects[f"linguistic {m}, as chosen"] for m in ("MAE", "Corr"))
    assert len(mae.seeds) == len(corr.seeds) == 5
    if verdict == "supported":
        assert mae.high < 0 < corr.low
        assert max(mae.seeds) < 0 < min(corr.seeds)
    else:
        assert "linguistic: the block as chosen is the last one" in evidence.note
        assert mae.effect == corr.effect == 0


def test_a_weighted_sum_that_is_worse_or_better_than_any_block_is_told():
    worse, better = linguistic(1.0, 0.9, weighted=3.0), linguistic(2.5, 2.0, weighted=0.5)
    assert better_than(worse, **SUM).verdict == "supported"
    assert better_than(better, **SUM).verdict == "contradicted"


def off_in_order(record):
    """Predictions that are far off, but in perfect order."""
    return {
        part: predictions(c.label, 10 + 5 * np.array(c.label), c.video)
        for part, c in record.predictions.items()
    }


def test_one_metric_for_and_one_against_contradicts():
    """Block 1 has the better order and by far the larger errors."""
    records = layer_records({"linguistic": {1: 0.7, 2: 1.0}})
    mixed = replaced(records, system({"linguistic": 1}), predictions=off_in_order)
    judged = better_than(Runs(mixed), **MID_BEST)
    assert judged.effects["linguistic Corr, choosing"].low > 0
    assert judged.effects["linguistic MAE, choosing"].low > 0
    assert judged.verdict == "contradicted"


def test_validation_chooses_and_test_judges():
    """Block 1 is best on validation, block 2 on test: the test part does not choose."""
    records = layer_records({"linguistic": {1: 0.5, 2: 2.0, 3: 1.0}})
    other = layer_records({"linguistic": {1: 2.0, 2: 0.5, 3: 1.0}})
    mixed = [
        r.model_copy(update={"predictions": {**r.predictions, "test": o.predictions["test"]}})
        for r, o in zip(records, other, strict=True)
    ]
    assert layers.best_block(Runs(mixed), "linguistic") == 1
    assert better_than(Runs(mixed), **MID_BEST).verdict == "contradicted"


ALONE = {"acoustic": {1: 1.0}, "linguistic": {0: 2.0, 1: 1.5, 2: 0.8, 3: 1.5}}


@pytest.mark.parametrize(
    ("noise", "verdict"),
    [
        ({"output": 0.8, "mid_best": 0.6, "weighted": 0.7}, "supported"),
        ({"output": 0.8, "mid_best": 0.6, "weighted": 3.0}, "contradicted"),
        ({"output": 1.5, "mid_best": 1.5, "weighted": 1.5}, "inconclusive"),
        ({"output": 0.8, "mid_best": 0.6, "weighted": 1.5}, "inconclusive"),
    ],
)
def test_features_of_the_joint_model_are_held_against_its_input(noise, verdict):
    records = together(layer_records(ALONE), input=1.5, **noise)
    judged = better_than(Runs(records), **ALL, groups=["together"])
    assert judged.verdict == verdict
    assert list(judged.effects) == [
        f"acoustic+linguistic {feature} {metric}{', as chosen' * (feature == 'mid-best')}"
        for feature in ("output", "mid-best", "weighted")
        for metric in ("MAE", "Corr")
    ]
    assert (
        "acoustic+linguistic: as chosen decides, as models of other blocks were not trained"
    ) in judged.note
    assert "covers acoustic vectors, linguistic (3 blocks): 5 seeds" in judged.note


def test_what_the_joint_model_lacks_is_named_and_the_rest_shown():
    records = layer_records(ALONE)
    judged = better_than(Runs(records), **ALL, groups=["together"])
    assert judged == (
        "not run",
        {},
        "needs several modalities of the same clips, together and each alone",
    )
    some = together(records, input=1.5, output=0.5)
    judged = better_than(Runs(some), **ALL, groups=["together"])
    assert judged.verdict == "not run"
    assert judged.note == (
        "needs runs of acoustic-1+linguistic-2 and runs of acoustic-1+linguistic-weighted"
    )
    names = [f"acoustic+linguistic output {metric}" for metric in ("MAE", "Corr")]
    assert list(judged.effects) == names


def test_alone_and_together_are_one_family_and_what_is_not_here_is_named():
    records = together(layer_records(ALONE), mid_best=0.5, output=1.5)
    judged = better_than(Runs(records), **{**MID_BEST, "groups": ["alone", "together"]})
    assert judged.verdict == "supported"
    assert list(judged.effects) == [
        "linguistic MAE, choosing",
        "linguistic MAE, as chosen",
        "linguistic Corr, choosing",
        "linguistic Corr, as chosen",
        "acoustic+linguistic MAE, as chosen",
        "acoustic+linguistic Corr, as chosen",
    ]
    assert "; missing: visual and acoustic layers of the same clips" in judged.note
    worse = together(layer_records(ALONE), mid_best=2.5, output=1.5)
    judged = better_than(Runs(worse), **{**MID_BEST, "groups": ["alone", "together"]})
    assert judged.verdict == "contradicted"


def test_with_every_block_together_the_choice_is_repeated_there_as_well():
    records = together(layer_records(ALONE), mid_best=0.5, output=1.5)
    records = extended(records, {system({"acoustic": 1, "linguistic": 1}): 1.5})
    judged = better_than(Runs(records), **{**MID_BEST, "groups": ["together"]})
    assert judged.verdict == "supported" and "not trained" not in judged.note
    choosing, made = (
        judged.effects[f"acoustic+linguistic MAE, {how}"] for how in ("choosing", "as chosen")
    )
    assert choosing.effect == pytest.approx(made.effect, abs=0.05)  # validation is sure here
    assert not choosing.seeds and len(made.seeds) == 5


def test_an_unsure_choice_of_a_block_decides_nothing_though_the_one_chosen_is_better():
    """Validation cannot tell blocks 2 and 3 apart; on test block 2 is far better than the last."""
    records = layer_records({"linguistic": {1: 2.0, 2: 1.0, 3: 1.01}}, videos=20)
    better = layer_records({"linguistic": {1: 2.0, 2: 0.3, 3: 1.01}}, videos=20)
    mixed = [
        r.model_copy(update={"predictions": {**r.predictions, "test": o.predictions["test"]}})
        for r, o in zip(records, better, strict=True)
    ]
    assert layers.best_block(Runs(mixed), "linguistic") == 2
    judged = better_than(Runs(mixed), **MID_BEST)
    assert judged.verdict == "inconclusive"
    assert judged.effects["linguistic MAE, as chosen"].high < 0
    assert judged.effects["linguistic MAE, choosing"].high == 0  # the last block is chosen, too
    assert "resamples of validation choose block" in judged.note


def test_a_modality_whose_sweep_was_cut_off_is_named_and_the_others_judged():
    steep = {1: 2.0, 2: 0.5, 3: 2.0, 4: 2.0}
    records = layer_records({"visual": steep, "linguistic": steep})
    done = [r for r in records if r.spec.inputs != {"visual": 4}]
    judged = better_than(Runs(done), **MID_BEST)
    assert judged.verdict == "supported"
    assert {name.split()[0] for name in judged.effects} == {"linguistic"}
    assert "missing: acoustic layers of the same clips, visual block 4 of 4" in judged.note


GAINS = {
    "visual": {0: 1.5, 1: 1.4, 2: 1.4},
    "acoustic": {0: 3.0, 1: 0.5, 2: 1.5},
    "linguistic": {0: 1.5, 1: 1.4, 2: 1.4},
}


@pytest.mark.parametrize(
    ("swap", "verdict"), [("acoustic", "supported"), ("visual", "contradicted")]
)
def test_the_largest_gain_is_found(swap, verdict):
    gains = {**GAINS, "acoustic": GAINS[swap], swap: GAINS["acoustic"]}
    judged = gain_largest(runs(**gains), modality="acoustic", others=["visual", "linguistic"])
    assert judged.verdict == verdict
    others = ("visual", "linguistic")
    assert list(judged.effects)[:8] == [
        f"gain minus {o} {m}, {how}"
        for o in others
        for m in ("MAE", "Corr")
        for how in ("choosing", "as chosen")
    ]
    gain, other = (
        judged.effects[f"{m} gain MAE, as chosen"].effect for m in ("acoustic", "visual")
    )
    minus = judged.effects["gain minus visual MAE, as chosen"].effect
    assert minus == pytest.approx(gain - other)
    assert (gain > other) == (verdict == "supported")


def test_equal_gains_are_not_told_apart_and_those_at_hand_are_shown():
    equal = {m: {0: 2.0, 1: 1.0, 2: 1.0} for m in MODALITIES}
    others = {"modality": "acoustic", "others": ["visual", "linguistic"]}
    assert gain_largest(runs(**equal), **others).verdict == "inconclusive"
    judged = gain_largest(runs(acoustic={1: 1.0}, linguistic={0: 2.0, 1: 1.0, 2: 1.0}), **others)
    assert judged.verdict == "not run"
    assert (
        judged.note == "needs acoustic layers of the same clips and visual layers of the same clips"
    )
    assert list(judged.effects) == [
        f"linguistic gain {m}, {how}" for m in ("MAE", "Corr") for how in ("choosing", "as chosen")
    ]


# --- the size of training -----------------------------------------------------------------------


def by_share(mid_best, feature="input", other=2.0):
    """Block 2 is best; noise of it and of another feature at each share of the training clips."""
    records = layer_records({"linguistic": {1: 2.0, 2: mid_best[-1], 3: 2.0, 0: other}})
    systems = {}
    for share, sd in zip(SHARES[:-1], mid_best, strict=False):
        systems[system({"linguistic": 2}, train_share=share)] = sd
        systems[system({"linguistic": 0}, train_share=share)] = other
    return extended(records, systems)


@pytest.mark.parametrize(
    ("noise", "verdict"),
    [
        ((2.0, 1.5, 1.0, 0.5), "supported"),
        ((0.2, 0.6, 1.0, 1.4), "contradicted"),
        ((1.0, 1.0, 1.0, 1.0), "inconclusive"),
    ],
)
def test_a_gain_that_grows_with_the_training_part_is_found(noise, verdict):
    judged = gain_grows(Runs(by_share(noise)))
    assert judged.verdict == verdict
    assert list(judged.effects) == [
        f"linguistic gain per doubling {m}, as chosen" for m in ("MAE", "Corr")
    ]
    assert "shares 0.125, 0.25, 0.5, 1 of the training clips" in judged.note
    assert "missing: visual and acoustic layers of the same clips" in judged.note


def test_with_every_block_at_every_share_the_choice_is_repeated():
    records = by_share((2.0, 1.5, 1.0, 0.5))
    others = {system({"linguistic": k}, train_share=s): 2.5 for k in (1, 3) for s in SHARES[:-1]}
    judged = gain_grows(Runs(extended(records, others)))
    assert judged.verdict == "supported"
    assert list(judged.effects) == [
        f"linguistic gain per doubling {m}, {how}"
        for m in ("MAE", "Corr")
        for how in ("choosing", "as chosen")
    ]


def test_the_slope_is_that_of_a_line():
    """Noise of so many points more per halving: a slope known but for chance."""
    records = by_share((0.8, 0.6, 0.4, 0.2))

    def mae(layer):
        systems = [system({"linguistic": layer}, train_share=share) for share in SHARES]
        scores = Runs(records).records(*systems)
        return np.array([[r.metrics["test"]["mae"] for r in seeds] for seeds in scores]).mean(1)

    slope = np.polyfit([-3, -2, -1, 0], mae(0) - mae(2), 1)[0]
    judged = gain_grows(Runs(records))
    found = judged.effects["linguistic gain per doubling MAE, as chosen"].effect
    assert found == pytest.approx(slope)


def test_a_share_that_was_not_run_is_named():
    records = [r for r in by_share((1.0, 1.0, 1.0, 1.0)) if r.spec.train_share != 0.25]
    judged = gain_grows(Runs(records))
    assert judged == (
        "not run",
        {},
        "needs runs of linguistic-2-share0.25, linguistic-0-share0.25",
    )
