"""Runs: which system is meant, which seeds count, and what a half-finished sweep lacks."""

import numpy as np
import pytest

from msalib.base.errors import UserError
from msalib.data.corpus import MODALITIES
from msalib.runs.records import system
from msalib.runs.runs import FEATURES, Runs
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


# --- seeds --------------------------------------------------------------------------------------


def test_systems_are_compared_on_the_seeds_that_all_have():
    one, two = system({"linguistic": 1}), system({"linguistic": 2})
    runs = Runs(
        [record({"linguistic": 1}, s) for s in (2, 0, 1)]
        + [record({"linguistic": 2}, s) for s in (1, 2, 4)]
    )
    assert runs.systems == [one, two]
    assert runs.seeds(one) == [0, 1, 2]
    assert runs.seeds(one, two) == [1, 2]
    assert [[r.spec.seed for r in own] for own in runs.records(one, two)] == [[1, 2], [1, 2]]
    assert [x.shape for x in runs.predictions("test", one, two)] == [(2, 12)] * 2
    assert runs.has(one, two) and not runs.has(one, system({"linguistic": 3}))


def test_systems_without_a_common_seed_are_not_there_together():
    runs = Runs([record({"linguistic": 1}, 0), record({"linguistic": 2}, 1)])
    pair = system({"linguistic": 1}), system({"linguistic": 2})
    assert runs.has(pair[0]) and not runs.has(*pair)
    assert runs.records(*pair) == [[], []]


def test_two_recipes_of_one_system_are_refused():
    other = record({"linguistic": 1})
    train = {**other.spec.train, "epochs": 9}
    changed = other.model_copy(update={"spec": other.spec.model_copy(update={"train": train})})
    with pytest.raises(UserError) as error:
        Runs([other, changed])
    assert "which differ in recipe only; expected one record per system and seed" in str(
        error.value
    )
    assert Runs([other, other]).records(other.spec.system) == [[other]]  # the same one twice


# --- which system -------------------------------------------------------------------------------


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
    assert runs.blocks("linguistic") == [2]  # of all clips, alone
    assert runs.modalities == ["linguistic"]


def test_every_feature_of_several_modalities():
    runs = Runs([*sweep("linguistic", TEXT), *sweep("acoustic", AUDIO), record({"visual": 1})])
    assert runs.modalities == list(MODALITIES)
    assert runs.layered == ["acoustic", "linguistic"]  # one layer is none to choose from
    expected = {
        "input": {"visual": 1, "acoustic": 0, "linguistic": 0},
        "output": {"visual": 1, "acoustic": 3, "linguistic": 3},
        "mid_best": {"visual": 1, "acoustic": 3, "linguistic": 2},  # layer 0 is no block
        "weighted": {"visual": 1, "acoustic": "weighted", "linguistic": "weighted"},
        "uniform": {"visual": 1, "acoustic": "uniform", "linguistic": "uniform"},
    }
    assert set(FEATURES) < set(expected)
    for feature, inputs in expected.items():
        assert runs.feature(MODALITIES, feature) == system(inputs)
    assert runs.feature(["linguistic"], "mid_best") == system({"linguistic": 2})
    share = runs.feature(["linguistic"], "output", fusion="concat", train_share=0.25)
    assert share == system({"linguistic": 3}, fusion="concat", train_share=0.25)


def test_the_output_is_the_last_block_whether_or_not_it_was_trained():
    unfinished = {k: TEXT[k] for k in (0, 1, 2)}
    runs = Runs(sweep("linguistic", unfinished))
    assert runs.feature(["linguistic"], "output") == system({"linguistic": 3})
    assert not runs.has(runs.feature(["linguistic"], "output"))


def test_the_best_block_is_that_of_the_mean_over_seeds_on_validation():
    runs = Runs(
        [
            record({"linguistic": 1}, 0, corr=0.9),
            record({"linguistic": 1}, 1, corr=0.1),
            record({"linguistic": 2}, 0, corr=0.6),
            record({"linguistic": 2}, 1, corr=0.6),
        ]
    )
    assert runs.mid_best("linguistic") == 2


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
    assert runs.mid_best("linguistic") == 2
    assert Runs([record({"linguistic": k}, corr=None) for k in (1, 2)]).mid_best("linguistic") == 1


# --- what is missing ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "lacks"),
    [
        (sweep("linguistic", TEXT), None),
        (sweep("acoustic", AUDIO), "linguistic layers of the same clips"),
        ([record({"linguistic": 0})], "linguistic layers of the same clips"),
        ([record({"linguistic": k}) for k in (0, 1, 3)], "linguistic block 2 of 3"),
        ([record({"linguistic": 2})], "linguistic blocks 1, 3 of 3"),
        ([record({"linguistic": k}, seed=k) for k in (1, 2, 3)], "a second linguistic seed"),
        (
            [record({"linguistic": k}, train_share=0.5) for k in (1, 2, 3)],
            "linguistic layers of the same clips",
        ),
    ],
)
def test_what_a_comparison_of_blocks_lacks(found, lacks):
    assert Runs(found).lacks("linguistic") == lacks


def test_one_block_is_nothing_to_compare():
    assert Runs([record({"visual": 1})]).lacks("visual") == "two or more visual blocks"
    assert Runs([record({"visual": 1})]).layered == []


# --- what was found -----------------------------------------------------------------------------


def test_gates_are_by_modality_and_seed():
    joint = {"acoustic": 1, "linguistic": 2}
    made = []
    for seed, alpha in ((0, 0.2), (1, 0.8)):
        gates = {m: [alpha + i / 10] * 12 for i, m in enumerate(MODALITIES)}
        made.append(record(joint, seed).model_copy(update={"gates": gates}))
    (found,) = Runs(made).gates(system(joint))
    assert list(found) == list(MODALITIES)
    assert found["linguistic"].shape == (2, 12)
    assert found["visual"][:, 0].tolist() == [0.2, 0.8]
    assert found["linguistic"][0, 0] == pytest.approx(0.4)


def test_truth_and_predictions_share_an_order():
    made = record({"linguistic": 1}, noise=0.0)
    label, videos = Runs([made]).truth("test")
    assert label.tolist() == made.predictions["test"].label
    assert videos.tolist() == VIDEOS
    (found,) = Runs([made]).predictions("test", made.spec.system)
    np.testing.assert_allclose(found[0], label)


def test_records_of_other_clips_are_not_compared():
    made, other = record({"linguistic": 1}), record({"linguistic": 2})
    clips = other.predictions["test"]
    moved = clips.model_copy(update={"id": clips.id[::-1]})
    other = other.model_copy(update={"predictions": {**other.predictions, "test": moved}})
    with pytest.raises(ValueError, match="judges other clips than its neighbours"):
        Runs([made, other]).predictions("test", made.spec.system, other.spec.system)


def test_what_was_read_is_told_once():
    runs = Runs([*sweep("linguistic", TEXT), *sweep("acoustic", AUDIO)])
    assert runs.used == []
    runs.records(system({"linguistic": 1}))
    runs.predictions("test", system({"linguistic": 1}), system({"linguistic": 2}))
    assert (
        sorted(r.spec.system.name() for r in runs.used)
        == ["linguistic-1"] * 2 + ["linguistic-2"] * 2
    )


def test_correlations_are_those_of_the_seeds_in_the_mean():
    runs = Runs(sweep("linguistic", TEXT))
    blocks, mean, resampled = runs.correlations("linguistic", "test")
    assert blocks == [1, 2, 3]
    assert resampled.shape[1] == 3
    for block, found in zip(blocks, mean, strict=True):
        (own,) = runs.predictions("test", system({"linguistic": block}))
        expected = np.mean([np.corrcoef(seed, LABEL)[0, 1] for seed in own])
        assert found == pytest.approx(expected)
