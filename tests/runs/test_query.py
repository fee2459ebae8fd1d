"""Runs: which seeds count, and whose predictions are compared with which labels."""

import numpy as np
import pytest

from msalib.base.errors import UserError
from msalib.models import recipes
from msalib.runs.query import Runs
from msalib.runs.spec import system
from tests.factory import make_record, predictions

RNG = np.random.default_rng(0)
LABEL = RNG.normal(size=12)
VIDEOS = [f"v{i // 3}" for i in range(12)]


def record(inputs, seed=0, noise=1.0):
    clips = predictions(LABEL, LABEL + noise * RNG.normal(size=12), VIDEOS)
    return make_record(inputs, seed, parts={"valid": clips, "test": clips})


def test_systems_are_compared_on_the_seeds_that_all_have():
    one, two = system({"linguistic": 1}), system({"linguistic": 2})
    runs = Runs(
        [record({"linguistic": 1}, s) for s in (2, 0, 1)]
        + [record({"linguistic": 2}, s) for s in (1, 2, 4)]
    )
    assert runs.systems == [one, two]
    assert runs.seeds(one) == [0, 1, 2]
    assert runs.seeds(one, two) == [1, 2]
    assert [[r.spec.seed for r in seeds] for seeds in runs.records(one, two)] == [[1, 2], [1, 2]]
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


def test_truth_and_predictions_share_an_order():
    made = record({"linguistic": 1}, noise=0.0)
    label, videos = Runs([made]).truth("test")
    assert label.tolist() == made.predictions["test"].label.tolist()
    assert videos.tolist() == VIDEOS
    (values,) = Runs([made]).predictions("test", made.spec.system)
    np.testing.assert_allclose(values[0], label)


def test_records_of_other_clips_are_not_compared():
    made, other = record({"linguistic": 1}), record({"linguistic": 2})
    clips = other.predictions["test"]
    moved = clips.model_copy(update={"id": clips.id[::-1]})
    other = other.model_copy(update={"predictions": {**other.predictions, "test": moved}})
    with pytest.raises(ValueError, match="judges other clips than its neighbours"):
        Runs([made, other]).predictions("test", made.spec.system, other.spec.system)


def test_records_that_were_read_are_listed_once():
    runs = Runs(
        [record({m: k}, s) for m in ("acoustic", "linguistic") for k in (1, 2) for s in (0, 1)]
    )
    assert runs.example(system({"acoustic": 1})).spec.inputs == {"acoustic": 1}
    assert runs.used == []
    runs.records(system({"linguistic": 1}))
    runs.predictions("test", system({"linguistic": 1}), system({"linguistic": 2}))
    assert (
        sorted(r.spec.system.name() for r in runs.used)
        == ["linguistic-1"] * 2 + ["linguistic-2"] * 2
    )


def test_what_is_read_of_others_beside_counts_as_read():
    runs = Runs([record({"linguistic": 1}, seed) for seed in (0, 1)])
    both = runs.beside([record({"acoustic": 1}, 0)])
    assert both.systems == [system({"linguistic": 1}), system({"acoustic": 1})]
    assert runs.systems == [system({"linguistic": 1})]
    both.records(system({"linguistic": 1}), system({"acoustic": 1}))
    assert [r.spec.system.name() for r in runs.used] == ["linguistic-1", "acoustic-1"]


def test_a_system_is_found_whatever_other_kind_of_record_comes_first():
    """The recipe that tells which choices are usual is that of a record of its own kind."""
    clips = predictions(LABEL, LABEL, VIDEOS)
    parts = {"valid": clips, "test": clips}
    about = {"parts": parts, "preset": "article", "train": {}}
    theirs = make_record({"linguistic": 1}, paper="baselines", model={"family": "tfn"}, **about)
    usual = recipes.usual("glomo", "article", "quick", "control")["combination"]
    ours = make_record({"linguistic": 1}, paper="glomo", model={"combination": usual}, **about)
    assert usual != recipes.choices("glomo")["combination"]
    wanted = system({"linguistic": 1}, paper="glomo", combination=usual)
    for order in ([ours, theirs], [theirs, ours]):
        assert Runs(order).has(wanted)
