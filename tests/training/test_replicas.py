"""Replicas: each is what ``train.fit`` makes of it alone, whatever its company.

Tolerance: the same numbers are drawn, the same operations done; only the order of additions in a
matrix product differs, which moves float32 results by parts in 10^7. After the epochs here
predictions (of size 1) differ by less than 1e-5; CLOSE leaves room for other processors.

Over thousands of steps such a difference can grow, as one between two processors does: a unit that
is just above zero on one side is just below on the other, and from there the runs part. So long
trainings are compared in double precision, where nothing is ever that close.
"""

from functools import partial

import pytest
import torch

from msalib.base import noise
from msalib.base.errors import UserError
from msalib.models import uegd
from msalib.training import loop as train
from msalib.training import replicas
from msalib.training.loop import Config
from tests.factory import MODEL, SIZES, TRAIN, tiny_corpus

CLOSE = 1e-4
MASKED = {"time_masks": 2, "feature_masks": 2, "feature_mask_share": 0.5, "epochs": 6}
CORPUS = tiny_corpus()


def config(**changes):
    return Config(**{**TRAIN, **MASKED, **changes})


def build(inputs, **model):
    return uegd.build(
        uegd.Config(**{**MODEL, **model}),
        input_sizes={m: SIZES[m] for m in inputs},
        weighted_layers={m: 3 for m, layer in inputs.items() if layer == "weighted"},
    )


def part(name, inputs):
    return CORPUS.examples(CORPUS.rows(name, "standard"), inputs=inputs)


def together(group, c, **model):
    """Fits of a group of (inputs, seed) as replicas; equal inputs share their examples."""
    parts = {
        (name, str(inputs)): part(name, inputs)
        for inputs, _ in group
        for name in ("train", "valid")
    }
    return replicas.fit(
        [partial(build, inputs, **model) for inputs, _ in group],
        uegd.loss,
        [parts["train", str(inputs)] for inputs, _ in group],
        [parts["valid", str(inputs)] for inputs, _ in group],
        c,
        [seed for _, seed in group],
    )


def alone(group, c, **model):
    """The same one by one."""
    return [
        train.fit(
            partial(build, inputs, **model),
            uegd.loss,
            part("train", inputs),
            part("valid", inputs),
            c,
            seed,
        )
        for inputs, seed in group
    ]


def predictions(fit, inputs):
    return torch.cat([o.prediction for o in train.predict(fit.model, part("test", inputs))])


def assert_same(group, found, expected, close=CLOSE):
    for (inputs, _), one, other in zip(group, found, expected, strict=True):
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
    "seeds": [({"linguistic": 1}, seed) for seed in range(4)],
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
    c = config()
    assert_same(group, together(group, c, fusion=fusion), alone(group, c, fusion=fusion))


@pytest.mark.parametrize(
    "changes",
    [
        {"validation_loss": "clip_mean"},
        {"validation_loss": "clip_mean", "patience": 2, "epochs": 20},
        {"batch_size": 6},  # incomplete batches: of 20 training and 10 validation clips
        {"batch_size": 20},
        {"feature_masks": 0, "time_masks": 0},
    ],
    ids=str,
)
def test_replicas_follow_every_recipe(changes):
    c = config(**changes)
    assert_same(MIXED, together(MIXED, c), alone(MIXED, c))


def test_each_replica_stops_when_its_own_patience_ends():
    """Later replicas go on; a stopped one keeps the weights it had been selected with."""
    c = config(patience=2, epochs=25, learning_rate=0.03)
    found = together(SINGLES, c)
    lengths = [len(fit.history) for fit in found]
    assert len(set(lengths)) > 2  # or this shows nothing
    for fit, length in zip(found, lengths, strict=True):
        assert length == min(fit.selected_epoch + 2, 25)
        best = min(h["valid_loss"] for h in fit.history)
        assert fit.history[fit.selected_epoch - 1]["valid_loss"] == best
    assert_same(SINGLES, found, alone(SINGLES, c))


def test_without_dropout_and_masks_only_the_order_is_drawn():
    c = config(feature_masks=0, time_masks=0)
    group = GROUPS["seeds"]
    found = together(group, c, dropout=0.0)
    assert_same(group, found, alone(group, c, dropout=0.0))
    starts = {fit.history[0]["train_loss"] for fit in found}
    assert len(starts) == len(group)


def test_long_trainings_agree_in_double_precision(monkeypatch):
    """40 epochs, 200 steps: what is left of differences is rounding, and that stays small."""
    uniform = noise.uniform
    monkeypatch.setattr(noise, "uniform", lambda *a: uniform(*a).double())  # of the masks
    monkeypatch.setattr(torch.Tensor, "float", torch.Tensor.double)  # of frames
    single = build
    monkeypatch.setitem(globals(), "build", lambda *a, **k: single(*a, **k).double())
    c = config(epochs=40)
    found = together(MIXED, c)
    assert_same(MIXED, found, alone(MIXED, c), close=1e-9)
    assert found[0].history[-1]["train_loss"] < found[0].history[0]["train_loss"]


def test_company_and_place_do_not_matter():
    c = config()
    found = together(MIXED, c)
    assert_same(MIXED[::-1], together(MIXED[::-1], c), found[::-1])
    for one, fit in zip(MIXED, found, strict=True):
        assert_same([one], together([one], c), [fit])


def test_weights_for_columns_that_a_narrow_input_lacks_stay_zero(monkeypatch):
    stacks = []
    stack = replicas.Stack

    def note(*arguments):
        stacks.append(stack(*arguments))
        return stacks[-1]

    monkeypatch.setattr(replicas, "Stack", note)
    group = [({"acoustic": 1}, 0), ({"linguistic": 1}, 1), ({"visual": 1}, 2)]  # 4, 6, 5 features
    before = [build(inputs).encoders for inputs, _ in group]
    together(group, config())
    (weights,) = stacks
    (name,) = [name for name in weights.weights if name.endswith("project.weight")]
    assert weights.weights[name].shape == (3, MODEL["hidden_size"], 6)
    for (inputs, _), own, encoders in zip(group, weights.weights[name], before, strict=True):
        size = next(iter(encoders.values())).project.in_features
        assert (own[:, size:] == 0).all(), inputs
        assert (own[:, :size] != 0).all()


def test_a_slot_may_hold_replicas_with_fewer_frames():
    """The narrowest and shortest: one frame per clip beside up to twelve."""
    offsets = torch.arange(41).numpy()
    visual = CORPUS.features["visual"]
    layers = {1: visual.layers[1][visual.offsets[:-1]]}
    short = type(visual)("dice", "clip", layers, offsets)
    corpus = CORPUS.with_features("visual", short)
    group = [({"visual": 1}, 0), ({"linguistic": 1}, 1)]
    rows = [corpus.rows(name, "standard") for name in ("train", "valid")]
    parts = [[corpus.examples(r, inputs=inputs) for inputs, _ in group] for r in rows]
    builds = [partial(build, inputs) for inputs, _ in group]
    found = replicas.fit(builds, uegd.loss, *parts, config(), [0, 1])
    for i, (_, seed) in enumerate(group):
        one = train.fit(builds[i], uegd.loss, parts[0][i], parts[1][i], config(), seed)
        for mine, theirs in zip(found[i].history, one.history, strict=True):
            assert mine == pytest.approx(theirs, abs=CLOSE)


# --- refusals -----------------------------------------------------------------------------------


def test_parts_of_different_sizes_are_refused():
    inputs = {"linguistic": 1}
    rows = CORPUS.rows("train", "standard")
    trains = [CORPUS.examples(r, inputs=inputs) for r in (rows, rows[:16])]
    valid = part("valid", inputs)
    builds = [partial(build, inputs)] * 2
    with pytest.raises(ValueError, match="parts of the same size"):
        replicas.fit(builds, uegd.loss, trains, [valid] * 2, config(), [0, 1])
    with pytest.raises(ValueError, match="parts of the same size"):
        replicas.fit(builds, uegd.loss, [valid] * 2, trains, config(), [0, 1])


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
    group = [({"linguistic": 1}, {}), (inputs, model)]
    with pytest.raises(ValueError, match="replicas need the same structure"):
        replicas.fit(
            [partial(build, i, **m) for i, m in group],
            uegd.loss,
            [part("train", i) for i, _ in group],
            [part("valid", i) for i, _ in group],
            config(),
            [0, 1],
        )


def test_too_few_clips_are_refused_as_for_one():
    with pytest.raises(UserError, match="found 20 clips; expected at least one batch of 21"):
        together(MIXED, config(batch_size=21))


def test_a_loss_that_is_not_finite_names_the_seed():
    """And the others would have trained on: nothing of one replica reaches another."""
    inputs = {"linguistic": 1}
    good, bad = part("train", inputs), part("train", inputs)
    bad.label = torch.full_like(bad.label, float("inf"))
    valid, builds = part("valid", inputs), [partial(build, inputs)] * 2
    with pytest.raises(UserError, match=r"epoch 1, seed 8: found training loss inf"):
        replicas.fit(builds, uegd.loss, [good, bad], [valid] * 2, config(), [7, 8])
    stack = replicas.Stack([b() for b in builds], uegd.loss)
    batches = replicas._gather(stack.slots, [good, bad], torch.arange(8).expand(2, 1, 8))
    losses = stack.losses(batches[0])
    losses.sum().backward()
    for name, weight in stack.weights.items():
        assert weight.grad[0].isfinite().all(), name


def test_as_many_seeds_as_models_are_needed():
    inputs = {"linguistic": 1}
    with pytest.raises(ValueError, match="shorter"):
        replicas.fit(
            [partial(build, inputs)] * 2,
            uegd.loss,
            [part("train", inputs)] * 2,
            [part("valid", inputs)] * 2,
            config(),
            [0],
        )
