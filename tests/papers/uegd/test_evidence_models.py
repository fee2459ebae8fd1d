"""Tests of claims on whole models: held against print, by fusion, by learned layer weights."""

import numpy as np
import pytest

from msalib.base import stats
from msalib.data.corpus import MODALITIES
from msalib.papers.uegd import layers
from msalib.papers.uegd.evidence_models import (
    beyond_literature,
    fusions_equal,
    learned_weights_overfit,
)
from msalib.runs.query import Runs
from msalib.runs.spec import system
from tests.factory import layer_records, system_records, truth_of
from tests.papers.uegd.planted import arguments, extended, replaced, together

pytestmark = pytest.mark.usefixtures("few_resamples")

# --- printed literature -------------------------------------------------------------------------


def published(dataset, sd, setting="as-published"):
    single = {system({m: k}): 1.0 for m in MODALITIES for k in (1, 2)}
    spec = {"setting": setting, "dataset": dataset}
    blocks = dict.fromkeys(MODALITIES, 2)
    records = system_records(single, blocks, **spec)
    known = Runs(records)
    joint = {layers.system_of(known, MODALITIES, f): sd for f in ("output", "mid_best", "weighted")}
    # mid-best may be the output: one system
    return records + system_records(joint, blocks, truth=truth_of(records[0]), **spec)


@pytest.mark.parametrize(
    ("claim", "dataset", "sd", "verdict"),
    [
        ("UEGD-C2", "mosei", 0.4, "supported"),
        ("UEGD-C2", "mosei", 1.5, "contradicted"),
        ("UEGD-C3", "mosi", 1.5, "supported"),
        ("UEGD-C3", "mosi", 0.4, "contradicted"),
        ("UEGD-C3", "mosi", 1.01, "inconclusive"),  # MAE 0.80 in the long run
    ],
)
def test_ours_is_held_against_the_printed_values_of_others(claim, dataset, sd, verdict):
    judged = beyond_literature(Runs(published(dataset, sd)), **arguments(claim))
    assert judged.verdict == verdict
    names = list(judged.effects)
    if claim == "UEGD-C2":  # the best of the others: Self-MM
        assert names[:2] == ["output MAE minus printed 0.53", "output Corr minus printed 0.765"]
    else:  # the worst of those that the paper ranks above it: MISA
        assert names[0] == "output MAE minus printed 0.804" and len(names) == 3


def test_printed_values_of_other_features_are_no_yardstick():
    need = "needs mosei as published: the printed values are of those features"
    for other in (published("mosei", 0.4, "substitute"), published("mosi", 0.4)):
        records = Runs(other)
        assert beyond_literature(records, **arguments("UEGD-C2")) == ("not run", {}, need)
    text = [r for r in published("mosei", 0.4) if list(r.spec.inputs) == ["linguistic"]]
    judged = beyond_literature(Runs(text), **arguments("UEGD-C2"))
    assert (
        judged.note == "needs visual layers of the same clips and acoustic layers of the same clips"
    )


# --- fusion and layer weights -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gate", "concat", "verdict"),
    [
        (0.01, 0.011, "supported"),
        (0.3, 1.0, "contradicted"),
        (1.0, 0.3, "contradicted"),
        (1.0, 1.0, "inconclusive"),
    ],
)
def test_fusions_are_equal_within_a_margin(gate, concat, verdict):
    records = layer_records({"visual": {1: 1.0}, "acoustic": {1: 1.0}})
    records = together(records, mid_best=gate)
    records = together(records, np.random.default_rng(2), fusion="concat", mid_best=concat)
    judged = fusions_equal(Runs(records), margin=0.01)
    assert judged.verdict == verdict
    assert judged.note == (
        "visual+acoustic: gate minus concatenation, margin ±0.01 points; covers visual vectors, "
        "acoustic vectors: 5 seeds, 160 test clips of 20 videos"
    )
    (name,) = judged.effects
    assert name == "MAE (90% interval)"
    wide = stats.mae_difference(*_pair(records), videos=Runs(records).truth("test")[1])
    if verdict == "inconclusive":
        assert wide.low < judged.effects[name].low and judged.effects[name].high < wide.high


def _pair(records):
    known = Runs(records)
    pair = [layers.system_of(known, ["visual", "acoustic"], "output", fusion=f) for f in FUSIONS]
    return known.truth("test")[0], *known.predictions("test", *pair)


FUSIONS = ("gate", "concat")


def test_a_fusion_that_was_not_run_is_named():
    records = layer_records({"visual": {1: 1.0}, "acoustic": {1: 1.0}})
    assert "together and each alone" in fusions_equal(Runs(records), margin=0.01).note
    judged = fusions_equal(Runs(together(records, mid_best=1.0)), margin=0.01)
    assert judged == ("not run", {}, "needs runs of visual-1+acoustic-1-concat")


def overfit(learned, equal, gap):
    """Noise of learned and equal weights on test; how much closer the learned fit training."""
    records = layer_records({"linguistic": {1: 1.0, 2: 1.0, "weighted": learned, "uniform": equal}})

    def fitted(record):
        mae = 0.5 - gap * (record.spec.inputs["linguistic"] == "weighted")
        return {**record.metrics, "train": {**record.metrics["train"], "mae": mae}}

    for feature in ("weighted", "uniform"):
        records = replaced(records, system({"linguistic": feature}), metrics=fitted)
    return records


@pytest.mark.parametrize(
    ("noise", "gap", "verdict"),
    [
        ((1.5, 0.7), 0.2, "supported"),
        ((1.5, 0.7), -3.0, "contradicted"),  # worse on test, but no closer fit
        ((0.7, 1.5), 0.2, "contradicted"),
        ((1.0, 1.0), 0.0, "inconclusive"),
    ],
)
def test_learned_weights_that_overfit_are_found(noise, gap, verdict):
    judged = learned_weights_overfit(Runs(overfit(*noise, gap)))
    assert judged.verdict == verdict
    test, whole = (judged.effects[f"linguistic {name}"] for name in ("test MAE", "gap"))
    assert whole.effect == pytest.approx(test.effect + gap)
    assert whole.high - whole.low == pytest.approx(test.high - test.low)


def test_the_entropy_of_learned_weights_is_told_by_share():
    records = overfit(1.0, 1.0, 0.0)
    some = system({"linguistic": "weighted"}, train_share=0.25)
    records = replaced(
        extended(records, {some: 1.0}),
        some,
        layer_weights=lambda record: {"linguistic": [1.0, 0.0]},
    )
    judged = learned_weights_overfit(Runs(records))
    assert "linguistic entropy of the weights, of its maximum: 0.000 at 0.25, 1.000 at 1" in (
        judged.note
    )
    without = Runs([r for r in records if r.spec.inputs != {"linguistic": "uniform"}])
    assert learned_weights_overfit(without).note == "needs runs of linguistic-uniform"
