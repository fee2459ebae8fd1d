"""Layers of UEGD: which system a feature is, and what a half-finished sweep lacks."""

import numpy as np
import pytest

from msalib.data.corpus import MODALITIES
from msalib.papers.uegd import layers
from msalib.papers.uegd.layers import FEATURES
from msalib.runs.query import Runs
from msalib.runs.spec import system
from tests.factory import make_record, predictions

RNG = np.random.default_rng(0)
LABEL = RNG.normal(size=12)
VIDEOS = [f"v{i // 3}" for i in range(12)]
BLOCKS = {"visual": 1, "acoustic": 3, "linguistic": 3}


def record(inputs, seed=0, *, corr=0.5, noise=1.0, **changes):
    """A record whose validation correlation is as given, None for undefined."""
    fusion = changes.pop("fusion", "gate")
    clips = predictions(LABEL, LABEL + noise * RNG.normal(size=12), VIDEOS)
    made = make_record(
        inputs,
        seed,
        parts={"valid": clips, "test": clips},
        blocks={m: BLOCKS[m] for m in inputs},
        **changes,
    )
    model = {**made.spec.model, "fusion": fusion}
    metrics = {**made.metrics, "valid": {**made.metrics["valid"], "corr": corr}}
    spec = made.spec.model_copy(update={"model": model})
    return made.model_copy(update={"spec": spec, "metrics": metrics})


def sweep(modality, corr, seeds=(0, 1)):
    """All layers of a modality alone; ``corr`` by layer."""
    return [record({modality: k}, s, corr=c) for k, c in corr.items() for s in seeds]


TEXT = {0: 0.9, 1: 0.4, 2: 0.6, 3: 0.5}
AUDIO = {0: 0.1, 1: 0.2, 2: 0.1, 3: 0.3}


def test_fusion_and_share_make_other_systems():
    joint = {"acoustic": 1, "linguistic": 2}
    runs = Runs(
        [
            record(joint),
            record(joint, fusion="concat"),
            record({"linguistic": 2}, train_share=0.5),
            record({"linguistic": 2}),
        ]
    )
    assert len(runs.systems) == 4
    assert layers.blocks(runs, "linguistic") == [2]  # of all clips, alone
    assert runs.modalities == ["linguistic"]


def test_every_feature_of_several_modalities():
    runs = Runs([*sweep("linguistic", TEXT), *sweep("acoustic", AUDIO), record({"visual": 1})])
    assert runs.modalities == list(MODALITIES)
    assert layers.layered(runs) == ["acoustic", "linguistic"]  # one layer is none to choose from
    expected = {
        "input": {"visual": 1, "acoustic": 0, "linguistic": 0},
        "output": {"visual": 1, "acoustic": 3, "linguistic": 3},
        "mid_best": {"visual": 1, "acoustic": 3, "linguistic": 2},  # layer 0 is no block
        "weighted": {"visual": 1, "acoustic": "weighted", "linguistic": "weighted"},
        "uniform": {"visual": 1, "acoustic": "uniform", "linguistic": "uniform"},
    }
    assert set(FEATURES) < set(expected)
    for feature, inputs in expected.items():
        assert layers.system_of(runs, MODALITIES, feature) == system(inputs)
    assert layers.system_of(runs, ["linguistic"], "mid_best") == system({"linguistic": 2})
    share = layers.system_of(runs, ["linguistic"], "output", fusion="concat", train_share=0.25)
    assert share == system({"linguistic": 3}, 0.25, paper="uegd", fusion="concat")


def test_the_output_is_the_last_block_whether_or_not_it_was_trained():
    unfinished = {k: TEXT[k] for k in (0, 1, 2)}
    runs = Runs(sweep("linguistic", unfinished))
    assert layers.system_of(runs, ["linguistic"], "output") == system({"linguistic": 3})
    assert not runs.has(layers.system_of(runs, ["linguistic"], "output"))


def test_the_best_block_is_that_of_the_mean_over_seeds_on_validation():
    runs = Runs(
        [
            record({"linguistic": 1}, 0, corr=0.9),
            record({"linguistic": 1}, 1, corr=0.1),
            record({"linguistic": 2}, 0, corr=0.6),
            record({"linguistic": 2}, 1, corr=0.6),
        ]
    )
    assert layers.best_block(runs, "linguistic") == 2


def test_a_block_with_an_undefined_correlation_is_not_the_best():
    """A run that predicts a constant has none: it counts as worse than any number."""
    runs = Runs(
        [
            record({"linguistic": 1}, 0, corr=0.9),
            record({"linguistic": 1}, 1, corr=None),
            record({"linguistic": 2}, 0, corr=-0.3),
            record({"linguistic": 2}, 1, corr=-0.2),
        ]
    )
    assert layers.best_block(runs, "linguistic") == 2
    undefined = Runs([record({"linguistic": k}, corr=None) for k in (1, 2)])
    assert layers.best_block(undefined, "linguistic") == 1


@pytest.mark.parametrize(
    ("records", "missing"),
    [
        (sweep("linguistic", TEXT), "5 seeds of every linguistic block (2 so far)"),
        (sweep("linguistic", TEXT, range(5)), "10 test videos (this setting has 4)"),
        (sweep("acoustic", AUDIO), "linguistic layers of the same clips"),
        ([record({"linguistic": 0})], "linguistic layers of the same clips"),
        ([record({"linguistic": k}) for k in (0, 1, 3)], "linguistic block 2 of 3"),
        ([record({"linguistic": 2})], "linguistic blocks 1, 3 of 3"),
        (
            [record({"linguistic": k}, seed=k) for k in (1, 2, 3)],
            "5 seeds of every linguistic block (no seed is in all so far)",
        ),
        (
            [record({"linguistic": k}, train_share=0.5) for k in (1, 2, 3)],
            "linguistic layers of the same clips",
        ),
    ],
)
def test_what_a_comparison_of_blocks_lacks(records, missing):
    assert layers.missing_blocks(Runs(records), "linguistic") == missing


def test_one_block_is_nothing_to_compare():
    runs = Runs([record({"visual": 1})])
    assert layers.missing_blocks(runs, "visual") == "two or more visual blocks"
    assert layers.layered(runs) == []


def test_gates_are_by_modality_and_seed():
    joint = {"acoustic": 1, "linguistic": 2}
    made = []
    for seed, alpha in ((0, 0.2), (1, 0.8)):
        gates = {m: [alpha + i / 10] * 12 for i, m in enumerate(MODALITIES)}
        made.append(record(joint, seed).model_copy(update={"gates": gates}))
    (alpha,) = layers.gates(Runs(made), system(joint))
    assert list(alpha) == list(MODALITIES)
    assert alpha["linguistic"].shape == (2, 12)
    assert alpha["visual"][:, 0].tolist() == [0.2, 0.8]
    assert alpha["linguistic"][0, 0] == pytest.approx(0.4)


def test_correlations_are_those_of_the_seeds_in_the_mean():
    runs = Runs(sweep("linguistic", TEXT))
    blocks, mean, resampled = layers.correlations(runs, "linguistic", "test")
    assert blocks == [1, 2, 3]
    assert resampled.shape[1] == 3
    for block, correlation in zip(blocks, mean, strict=True):
        (seeds,) = runs.predictions("test", system({"linguistic": block}))
        expected = np.mean([np.corrcoef(seed, LABEL)[0, 1] for seed in seeds])
        assert correlation == pytest.approx(expected)
