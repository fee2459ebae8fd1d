"""The training loop: rates, seeds, selection, and what it refuses."""

from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import nn

from msalib.base import noise
from msalib.base.errors import UserError
from msalib.models import recipes, uegd
from msalib.training import loop as train
from msalib.training.loop import Config, draws, fit, learning_rate, predict, train_epoch, validate
from tests.factory import MODEL, SIZES, TRAIN, tiny_corpus

INPUTS = {"linguistic": 1}


def config(**changes):
    return Config(**{**TRAIN, **changes})


def examples(part, labels=None, inputs=INPUTS):
    """One part of the tiny corpus; ``labels`` replaces its labels."""
    corpus = tiny_corpus()
    chosen = corpus.examples(corpus.rows(part, "standard"), inputs=inputs)
    if labels is not None:
        chosen.label = torch.as_tensor(labels, dtype=torch.float32).expand(len(chosen)).clone()
    return chosen


def small_uegd(inputs=INPUTS, **changes):
    weighted = {m: 3 for m, layer in inputs.items() if layer == "weighted"}
    return uegd.build(
        uegd.Config(**{**MODEL, **changes}),
        input_sizes={m: SIZES[m] for m in inputs},
        weighted_layers=weighted,
    )


class Guess(NamedTuple):
    prediction: torch.Tensor


class Constant(nn.Module):
    """One number for every clip; ``rate`` zero makes it one that nothing can train."""

    def __init__(self, start=0.0, rate=1.0):
        super().__init__()
        self.guess = nn.Parameter(torch.tensor(start))
        self.rate = rate

    def forward(self, features, mask):
        clips = len(mask["linguistic"])
        value = self.guess * self.rate + self.guess.detach() * (1 - self.rate)
        return Guess(value.expand(clips))


# --- the rate -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("epoch", "rate"),
    [
        (1, 1.0e-5),
        (2, 1.9e-5),
        (10, 9.1e-5),
        (11, 1.0e-4),
        (30, 7.16e-5),
        (40, 4.38e-5),
        (50, 2.03e-5),
    ],
)
def test_the_rates_of_the_release(epoch, rate):
    """The values of papers/uegd.md (d), which rounds them to three digits."""
    release = Config(**recipes.load("uegd", "release", "paper", "mosi")["train"])
    assert learning_rate(release, epoch) == pytest.approx(rate, abs=0.51e-7)


def test_the_cosine_begins_after_the_warm_up_and_never_reaches_its_minimum():
    c = config(epochs=10, warmup_epochs=4, learning_rate=1.0, warmup_learning_rate=0.2)
    rates = [learning_rate(c, epoch) for epoch in range(1, 11)]
    assert rates[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert all(np.diff(rates[4:]) < 0)
    assert rates[-1] > 0.3
    assert learning_rate(config(warmup_epochs=0), 1) == pytest.approx(TRAIN["learning_rate"])


def test_every_epoch_is_trained_at_its_rate(monkeypatch):
    rates = []

    def note(model, loss, data, c, optimizer, key, epoch):
        result = train_epoch(model, loss, data, c, optimizer, key, epoch)
        rates.append(optimizer.param_groups[0]["lr"])
        return result

    monkeypatch.setattr(train, "train_epoch", note)
    c = config(epochs=5, warmup_epochs=2)
    result = fit(Constant, uegd.loss, examples("train"), examples("valid"), c, seed=0)
    expected = [learning_rate(c, epoch) for epoch in range(1, 6)]
    assert rates == expected == [h["learning_rate"] for h in result.history]


# --- seeds --------------------------------------------------------------------------------------


def run(seed, inputs=INPUTS, **changes):
    masks = {"time_masks": 2, "feature_masks": 2, "feature_mask_share": 0.5}
    return fit(
        lambda: small_uegd(inputs),
        uegd.loss,
        examples("train", inputs=inputs),
        examples("valid", inputs=inputs),
        config(**{**masks, **changes}),
        seed,
    )


def equal(one, two):
    weights = zip(one.model.state_dict().values(), two.model.state_dict().values(), strict=True)
    return one.history == two.history and all(torch.equal(a, b) for a, b in weights)


@pytest.mark.parametrize("inputs", [INPUTS, {"visual": 0, "linguistic": "weighted"}])
def test_a_seed_gives_the_same_numbers_bit_for_bit(inputs):
    one = run(3, inputs)
    torch.rand(5)  # what happened before does not matter
    np.random.rand(5)
    assert equal(one, run(3, inputs))
    assert not equal(one, run(4, inputs))


def test_a_seed_decides_the_weights_at_the_start():
    starts = []

    def build():
        model = small_uegd()
        starts.append([p.detach().clone() for p in model.parameters()])
        return model

    for seed in (0, 0, 1):
        fit(build, uegd.loss, examples("train"), examples("valid"), config(epochs=1), seed)
    assert all(torch.equal(a, b) for a, b in zip(starts[0], starts[1], strict=True))
    assert not torch.equal(starts[0][0], starts[2][0])


@pytest.mark.parametrize(
    "changes",
    [
        {},  # order
        {"batch_size": 20, "feature_masks": 2, "feature_mask_share": 0.5},  # masks: one batch
        {"batch_size": 20, "dropout": 0.5},  # dropout: one batch
    ],
)
def test_a_seed_also_decides_order_masks_and_dropout(changes):
    """The weights are held fixed, and only one of the three is at work."""
    dropout = {"dropout": 0.0, **changes}.pop("dropout")
    changes = {k: v for k, v in changes.items() if k != "dropout"}
    torch.manual_seed(0)
    weights = small_uegd(dropout=dropout).state_dict()

    def fixed():
        model = small_uegd(dropout=dropout)
        model.load_state_dict(weights)
        return model

    data = examples("train"), examples("valid")
    one, again, other = (fit(fixed, uegd.loss, *data, config(**changes), s) for s in (0, 0, 1))
    assert equal(one, again)
    assert one.history[0]["train_loss"] != pytest.approx(other.history[0]["train_loss"], rel=1e-5)


def test_every_epoch_and_step_draws_anew():
    key = noise.key(2)
    one, two = (draws(key, epoch, clips=20, steps=5, dropouts=3) for epoch in (1, 2))
    assert sorted(one.order.tolist()) == sorted(two.order.tolist()) == list(range(20))
    assert not torch.equal(one.order, two.order)
    keys = torch.cat([x.reshape(-1, 2) for d in (one, two) for x in (d.steps, d.dropout)])
    assert len({tuple(k) for k in keys.tolist()}) == 2 * (5 + 5 * 3)


def test_draws_of_several_runs_are_those_of_each():
    keys = torch.stack([noise.key(seed) for seed in (3, 1)])
    several = draws(keys, 4, clips=11, steps=2, dropouts=3)
    for r, key in enumerate(keys):
        alone = draws(key, 4, clips=11, steps=2, dropouts=3)
        assert all(torch.equal(a[r], b) for a, b in zip(several, alone, strict=True))


def test_how_many_batches_are_made_ahead_changes_nothing(monkeypatch):
    ahead = run(3)
    monkeypatch.setattr(train, "AHEAD", 1)
    single = run(3)
    for one, two in zip(ahead.history, single.history, strict=True):
        assert one == pytest.approx(two, rel=1e-5)  # a sum of frames runs over other lengths


def test_every_step_has_other_dropout(monkeypatch):
    seen = []
    set_keys = noise.set_keys

    def note(model, keys):
        seen.extend(map(tuple, keys.tolist()))
        set_keys(model, keys)

    monkeypatch.setattr(noise, "set_keys", note)
    run(0, epochs=2)
    assert len(seen) == len(set(seen)) == 2 * 5 * 2  # epochs, steps, dropouts of one modality


def test_training_learns():
    result = run(0, epochs=15, time_masks=0, feature_masks=0)
    losses = [h["train_loss"] for h in result.history]
    assert losses[-1] < 0.6 * losses[0]


# --- epochs -------------------------------------------------------------------------------------


class Watched(Constant):
    """A constant that notes the labels it is shown while training, batch by batch."""

    def __init__(self):
        super().__init__()
        self.batches = []

    def forward(self, features, mask):
        if self.training:
            self.batches.append(len(mask["linguistic"]))
        return super().forward(features, mask)


@pytest.mark.parametrize(
    ("size", "batches"), [(6, [6] * 3), (20, [20]), (4, [4] * 5), (1, [1] * 20), (13, [13])]
)
def test_the_last_incomplete_batch_is_dropped(size, batches):
    seen = []

    def loss(output, batch):
        if output.prediction.requires_grad:
            seen.append(batch.label)
        return uegd.loss(output, batch)

    data = examples("train"), examples("valid")
    c = config(epochs=2, batch_size=size)
    result = fit(Watched, loss, *data, c, seed=0)
    assert result.model.batches == 2 * batches  # also where AHEAD cuts an epoch in two
    epochs = torch.stack(seen).view(2, -1)
    labels = data[0].label.tolist()
    for epoch in epochs:  # every clip at most once
        for value in set(labels):
            assert epoch.tolist().count(pytest.approx(value)) <= labels.count(value)
    assert not torch.equal(*epochs) or len(labels) == 1  # shuffled anew


def test_losses_of_training_are_means_over_its_batches():
    data = examples("train", 2.0), examples("valid", 1.0)
    result = fit(lambda: Constant(0.5, rate=0.0), uegd.loss, *data, config(epochs=1), seed=0)
    assert result.history[0]["train_loss"] == pytest.approx(1.5)
    assert result.history[0]["valid_loss"] == pytest.approx(0.5)


@pytest.mark.parametrize(("rule", "expected"), [("batch_mean", (2 + 1) / 2), ("clip_mean", 1.8)])
def test_the_two_validation_losses(rule, expected):
    """Ten clips in batches of eight and two: unweighted mean of batches, or mean of clips."""
    labels = [2.0] * 8 + [1.0] * 2
    c = config(validation_loss=rule, batch_size=8)
    assert validate(Constant(), uegd.loss, examples("valid", labels), c) == pytest.approx(expected)


# --- selection ----------------------------------------------------------------------------------


def test_the_epoch_with_the_lowest_validation_loss_is_selected(monkeypatch):
    """The guess climbs to 2; validation wants 0.4, and any test part of label 2 the last epoch."""
    reached = []

    def note(model, *arguments):
        reached.append(float(model.guess.detach()))
        return validate(model, *arguments)

    monkeypatch.setattr(train, "validate", note)
    c = config(epochs=20, learning_rate=0.02, warmup_epochs=0, min_learning_rate=0.02)
    data = examples("train", 2.0), examples("valid", 0.4)
    result = fit(Constant, uegd.loss, *data, c, seed=0)
    losses = [h["valid_loss"] for h in result.history]
    assert len(losses) == 20  # all epochs are run
    assert result.selected_epoch == 1 + int(np.argmin(losses))
    assert 1 < result.selected_epoch < 10
    assert reached[-1] > 1  # training went on, away from what was selected
    assert result.model.guess.item() == reached[result.selected_epoch - 1]
    assert not result.model.training


def test_ties_take_the_later_epoch():
    data = examples("train"), examples("valid")
    result = fit(lambda: Constant(rate=0.0), uegd.loss, *data, config(epochs=4), seed=0)
    assert len({h["valid_loss"] for h in result.history}) == 1
    assert result.selected_epoch == 4


def test_patience_stops_after_so_many_epochs_without_a_lower_loss():
    data = examples("train", 2.0), examples("valid", 0.4)
    steady = {"epochs": 20, "learning_rate": 0.02, "warmup_epochs": 0, "min_learning_rate": 0.02}
    endless = fit(Constant, uegd.loss, *data, config(**steady), seed=0)
    patient = fit(Constant, uegd.loss, *data, config(**steady, patience=3), seed=0)
    assert patient.selected_epoch == endless.selected_epoch
    assert len(patient.history) == patient.selected_epoch + 3
    assert patient.history == endless.history[: len(patient.history)]
    assert patient.model.guess.item() == endless.model.guess.item()


def test_predictions_come_in_the_order_of_the_table_and_without_dropout():
    model, test = small_uegd(), examples("test")
    whole = torch.cat([o.prediction for o in predict(model, test)])
    pieces = torch.cat([o.prediction for o in predict(model.train(), test, batch_size=3)])
    torch.testing.assert_close(whole, pieces)
    single = model(*((b := test.batch(torch.tensor([4]))).features, b.mask)).prediction
    torch.testing.assert_close(single, whole[[4]])
    assert not whole.requires_grad


# --- refusals -----------------------------------------------------------------------------------


def test_fewer_clips_than_a_batch_are_refused():
    with pytest.raises(UserError, match="found 20 clips; expected at least one batch of 21"):
        fit(Constant, uegd.loss, examples("train"), examples("valid"), config(batch_size=21), 0)


def test_no_clip_to_validate_on_is_refused():
    nothing = tiny_corpus().examples(np.arange(0), inputs=INPUTS)
    with pytest.raises(UserError, match="validation part: found no clip"):
        fit(Constant, uegd.loss, examples("train"), nothing, config(), 0)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_is_refused_with_epoch_and_seed(value):
    data = examples("train"), examples("valid", value)
    with pytest.raises(UserError, match=r"epoch 1, seed 7: .* validation loss (nan|inf);"):
        fit(Constant, uegd.loss, *data, config(), 7)


def test_masks_are_for_training_only(monkeypatch):
    seen = []

    def note(x, mask, draw, **_):
        seen.append(len(mask))
        return x

    monkeypatch.setattr(train, "mask_features", note)
    fit(Constant, uegd.loss, examples("train"), examples("valid"), config(epochs=2), 0)
    assert sum(seen) == 2 * 20  # the training clips, once per epoch
