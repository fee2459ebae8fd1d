"""Replicas: each is what ``loop.fit`` makes of it alone, whatever its company.

Tolerance: the same numbers are drawn, the same operations done; only the order of additions in a
matrix product differs, which moves float32 results by parts in 10^7. After the epochs here
predictions (of size 1) differ by less than 1e-5; CLOSE leaves room for other processors.

Over thousands of steps such a difference can grow, as one between two processors does: a unit that
is just above zero on one side is just below on the other, and from there the runs part. So long
trainings are compared in double precision, where nothing is ever that close.
"""

from dataclasses import replace
from functools import partial

import pytest
import torch

from msalib.base import noise
from msalib.base.errors import UserError
from msalib.training import loop, replicas
from msalib.training.objective import Objective
from msalib.training.regime import Part, constant
from msalib.training.streams import Sequential
from tests.factory import MODEL, SIZES
from tests.training import common
from tests.training.common import MASKED, TEXT, corpus, examples, small_uegd

CLOSE = 1e-4


def recipe(**changes):
    return common.recipe(**{**MASKED, "epochs": 4, **changes})


def goal(how):
    return Objective("l1", how.validation)


def build(inputs, **model):
    return small_uegd(inputs, **model)


def together(group, how, **model):
    """Fits of a group of (inputs, seed) as replicas; equal inputs share their examples."""
    parts = {
        (name, str(inputs)): examples(name, inputs)
        for inputs, _ in group
        for name in ("train", "valid")
    }
    return replicas.fit(
        [partial(build, inputs, **model) for inputs, _ in group],
        list(parts["train", str(group[0][0])].inputs),
        goal(how),
        [parts["train", str(inputs)] for inputs, _ in group],
        [parts["valid", str(inputs)] for inputs, _ in group],
        how,
        [seed for _, seed in group],
    )


def alone(group, how, **model):
    """The same one by one."""
    return [
        common.fit(
            partial(build, inputs, **model),
            how,
            seed,
            parts=(examples("train", inputs), examples("valid", inputs)),
        )
        for inputs, seed in group
    ]


def predictions(fit, inputs):
    return loop.predict(fit.model, examples("test", inputs), 64).scores


def assert_same(group, fits, expected, close=CLOSE):
    for (inputs, _), one, other in zip(group, fits, expected, strict=True):
        assert one.selected_epoch == other.selected_epoch
        assert len(one.history) == len(other.history)
        for mine, theirs in zip(one.history, other.history, strict=True):
            assert mine == pytest.approx(theirs, abs=CLOSE)  # losses are added up in float32
        torch.testing.assert_close(
            predictions(one, inputs), predictions(other, inputs), atol=close, rtol=0
        )
        for (name, mine), (same_name, theirs) in zip(
            one.model.named_parameters(), other.model.named_parameters(), strict=True
        ):
            assert name == same_name and mine.shape == theirs.shape
            torch.testing.assert_close(mine, theirs, atol=close, rtol=0)
        assert not one.model.training


SINGLES = [({m: k}, seed) for seed in (0, 3) for m in SIZES for k in (0, 2)]
MIXED = [({"linguistic": 1}, 0), ({"visual": 2}, 0), ({"acoustic": 0}, 1), ({"linguistic": 1}, 2)]
GROUPS = {
    "seeds": [({"linguistic": 1}, seed) for seed in range(3)],
    "layers, seeds and modalities": SINGLES,
    "weighted": [({"linguistic": "weighted"}, 0), ({"visual": "weighted"}, 5)],
    "uniform": [({"linguistic": "uniform"}, 0), ({"acoustic": "uniform"}, 1)],
    "joint": [
        ({"visual": 1, "linguistic": 2}, 0),
        ({"acoustic": 3, "linguistic": 0}, 1),
        ({"visual": 2, "acoustic": 1}, 0),
    ],
    "weighted and not": [
        ({"visual": "weighted", "linguistic": 2}, 0),
        ({"acoustic": "weighted", "linguistic": 1}, 1),
    ],
    "three modalities": [(dict.fromkeys(SIZES, k), seed) for k in (1, 3) for seed in (0, 1)],
}


@pytest.mark.parametrize("fusion", ["gate", "concat"])
@pytest.mark.parametrize("group", GROUPS.values(), ids=GROUPS)
def test_replicas_are_what_each_is_alone(group, fusion):
    how = recipe()
    assert_same(group, together(group, how, fusion=fusion), alone(group, how, fusion=fusion))


@pytest.mark.parametrize(
    "changes",
    [
        {"validation_loss": "clip_mean"},
        {"validation_loss": "clip_mean", "patience": 2, "epochs": 9},
        {"batch_size": 6},  # incomplete batches: of 20 training and 10 validation clips
        {"batch_size": 20},
        {"feature_masks": 0, "time_masks": 0},
    ],
    ids=str,
)
def test_replicas_follow_every_recipe(changes):
    how = recipe(**changes)
    assert_same(MIXED, together(MIXED, how), alone(MIXED, how))


def test_each_replica_stops_when_its_own_patience_ends():
    """Later replicas go on; a stopped one keeps the weights it had been selected with."""
    how = recipe(patience=2, epochs=25, learning_rate=0.03)
    fits = together(SINGLES, how)
    lengths = [len(fit.history) for fit in fits]
    assert len(set(lengths)) > 2  # or this shows nothing
    for fit, length in zip(fits, lengths, strict=True):
        assert length == min(fit.selected_epoch + 2, 25)
        best = min(h["valid_loss"] for h in fit.history)
        assert fit.history[fit.selected_epoch - 1]["valid_loss"] == best
    chosen = [lengths.index(min(lengths)), lengths.index(max(lengths)), 0]
    group = [SINGLES[i] for i in chosen]
    assert_same(group, [fits[i] for i in chosen], alone(group, how))


def test_without_dropout_and_masks_only_the_order_is_drawn():
    how = recipe(feature_masks=0, time_masks=0)
    group = GROUPS["seeds"]
    fits = together(group, how, dropout=0.0)
    assert_same(group, fits, alone(group, how, dropout=0.0))
    starts = {fit.history[0]["train_loss"] for fit in fits}
    assert len(starts) == len(group)


def test_long_trainings_agree_in_double_precision(monkeypatch):
    """40 epochs, 200 steps: what is left of differences is rounding, and that stays small."""
    uniform = noise.uniform
    monkeypatch.setattr(noise, "uniform", lambda *a: uniform(*a).double())  # of the masks
    monkeypatch.setattr(torch.Tensor, "float", torch.Tensor.double)  # of frames
    single = build
    monkeypatch.setitem(globals(), "build", lambda *a, **k: single(*a, **k).double())
    how = recipe(epochs=40)
    group = MIXED[1:3]
    fits = together(group, how)
    assert_same(group, fits, alone(group, how), close=1e-9)
    assert fits[0].history[-1]["train_loss"] < fits[0].history[0]["train_loss"]


def test_company_and_place_do_not_matter():
    how = recipe(epochs=2)
    fits = together(MIXED, how)
    assert_same(MIXED[::-1], together(MIXED[::-1], how), fits[::-1])
    for one, fit in zip(MIXED, fits, strict=True):
        assert_same([one], together([one], how), [fit])


def test_weights_for_columns_that_a_narrow_input_lacks_stay_zero(monkeypatch):
    stacks = []
    stack = replicas.Stack

    def note(*arguments):
        stacks.append(stack(*arguments))
        return stacks[-1]

    monkeypatch.setattr(replicas, "Stack", note)
    group = [({"acoustic": 1}, 0), ({"linguistic": 1}, 1), ({"visual": 1}, 2)]  # 4, 6, 5 features
    before = [build(inputs).encoders for inputs, _ in group]
    together(group, recipe())
    (weights,) = stacks
    (name,) = [name for name in weights.weights if name.endswith("project.weight")]
    assert weights.weights[name].shape == (3, MODEL["hidden_size"], 6)
    for (inputs, _), weight, encoders in zip(group, weights.weights[name], before, strict=True):
        size = next(iter(encoders.values())).project.in_features
        assert (weight[:, size:] == 0).all(), inputs
        assert (weight[:, :size] != 0).all()


def test_a_slot_may_hold_replicas_with_fewer_frames():
    """The narrowest and shortest: one frame per clip beside up to twelve."""
    offsets = torch.arange(41).numpy()
    visual = corpus().features["visual"]
    layers = {1: visual.layers[1][visual.offsets[:-1]]}
    shorter = corpus().with_features("visual", type(visual)("dice", "clip", layers, offsets))
    group = [({"visual": 1}, 0), ({"linguistic": 1}, 1)]
    rows = [shorter.rows(name, "standard") for name in ("train", "valid")]
    parts = [[shorter.examples(r, inputs=inputs) for inputs, _ in group] for r in rows]
    builds = [partial(build, inputs) for inputs, _ in group]
    how = recipe()
    fits = replicas.fit(builds, ["visual"], goal(how), *parts, how, [0, 1])
    for i, (_, seed) in enumerate(group):
        one = common.fit(builds[i], how, seed, parts=(parts[0][i], parts[1][i]))
        for mine, theirs in zip(fits[i].history, one.history, strict=True):
            assert mine == pytest.approx(theirs, abs=CLOSE)


@pytest.mark.parametrize(
    "changes",
    [
        {"schedule": constant},  # no rate in the history
        {"schedule": lambda rate, moment: rate * (1 - moment.step / moment.steps)},
        {"parts": {"model": Part(0.01, 0.1)}},
        {"parts": {"model": Part(0.01, 0.1, spared=True)}},
        {"optimizer": common.sgd},
    ],
    ids=["constant rate", "rate by step", "decay", "spared", "optimiser"],
)
def test_replicas_follow_every_regime_of_plain_steps(changes):
    how = replace(recipe(), **changes)
    assert_same(MIXED, together(MIXED, how), alone(MIXED, how))


# --- refusals -----------------------------------------------------------------------------------


def fit_two(builds=None, slots=("linguistic",), trains=None, valids=None, how=None, seeds=(0, 1)):
    """Two replicas, as far as they are not given."""
    how = how or recipe()
    return replicas.fit(
        builds or [partial(build, TEXT)] * 2,
        slots,
        goal(how),
        trains or [examples("train")] * 2,
        valids or [examples("valid")] * 2,
        how,
        seeds,
    )


def test_parts_of_different_sizes_are_refused():
    rows = corpus().rows("train", "standard")
    unequal = [corpus().examples(r, inputs=TEXT) for r in (rows, rows[:16])]
    with pytest.raises(ValueError, match="parts of the same size"):
        fit_two(trains=unequal)
    with pytest.raises(ValueError, match="parts of the same size"):
        fit_two(valids=unequal)


@pytest.mark.parametrize(
    "changes",
    [
        {"stream": Sequential},
        {"accumulation": 2},
        {"clip_norm": 1.0},
        {"rebuild_optimizer": True},
        {"precision": "bfloat16"},
    ],
    ids=str,
)
def test_a_regime_of_other_steps_is_refused(changes):
    with pytest.raises(ValueError, match="replicas need a keyed stream, and plain steps"):
        fit_two(how=replace(recipe(), **changes))


@pytest.mark.parametrize(
    ("inputs", "model"),
    [
        ({"linguistic": 1}, {"hidden_size": 6}),
        ({"linguistic": 1}, {"embedding_size": 6}),
        ({"linguistic": 1}, {"attention_heads": 3}),
        ({"linguistic": 1}, {"fusion": "concat"}),
        ({"linguistic": "weighted"}, {}),
        ({"visual": 1, "linguistic": 1}, {}),
    ],
    ids=str,
)
def test_models_of_another_structure_are_refused(inputs, model):
    """Zeros may only fill up what a matrix reads: a longer LayerNorm would count them in."""
    with pytest.raises(ValueError, match="replicas need the same structure"):
        fit_two(
            [partial(build, TEXT), partial(build, inputs, **model)],
            trains=[examples("train"), examples("train", inputs)],
            valids=[examples("valid"), examples("valid", inputs)],
        )


def test_too_few_clips_are_refused_as_for_one():
    with pytest.raises(UserError, match="found 20 clips; expected at least one batch of 21"):
        together(MIXED, recipe(batch_size=21))


def test_a_loss_that_is_not_finite_names_the_seed():
    """And the others would have trained on: nothing of one replica reaches another."""
    good, bad = examples("train"), examples("train", label=float("inf"))
    with pytest.raises(UserError, match=r"epoch 1, seed 8: found training loss inf"):
        fit_two(trains=[good, bad], seeds=(7, 8))
    stack = replicas.Stack([build(TEXT), build(TEXT)], ["linguistic"], Objective("l1"))
    (batch,) = replicas._gather(stack.slots, [good, bad], torch.arange(8).expand(2, 1, 8))
    losses = stack.losses(batch)
    losses.sum().backward()
    for name, weight in stack.weights.items():
        assert weight.grad[0].isfinite().all(), name


def test_as_many_seeds_as_models_are_needed():
    with pytest.raises(ValueError, match="shorter"):
        fit_two(seeds=(0,))
