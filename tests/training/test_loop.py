"""The training loop: seeds, epochs, selection, and what it refuses."""

from functools import partial

import numpy as np
import pytest
import torch

from msalib.base import noise
from msalib.base.errors import UserError
from msalib.training import loop, streams
from msalib.training.objective import Objective
from msalib.training.regime import Part, adam
from msalib.training.streams import Sequential
from tests.factory import tiny_corpus
from tests.training.common import (
    KEYED,
    MASKED,
    TEXT,
    Constant,
    examples,
    fit,
    recipe,
    regime,
    small_uegd,
)

# --- seeds --------------------------------------------------------------------------------------


def run(seed, inputs=TEXT, **changes):
    how = recipe(**{**MASKED, **changes})
    parts = examples("train", inputs), examples("valid", inputs)
    return fit(lambda: small_uegd(inputs), how, seed, parts=parts)


def equal(one, two):
    weights = zip(one.model.state_dict().values(), two.model.state_dict().values(), strict=True)
    return one.history == two.history and all(torch.equal(a, b) for a, b in weights)


@pytest.mark.parametrize("inputs", [TEXT, {"visual": 0, "linguistic": "weighted"}])
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
        fit(build, recipe(epochs=1), seed)
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

    one, again, other = (fit(fixed, recipe(**changes), seed) for seed in (0, 0, 1))
    assert equal(one, again)
    assert one.history[0]["train_loss"] != pytest.approx(other.history[0]["train_loss"], rel=1e-5)


def test_how_many_batches_are_made_ahead_changes_nothing(monkeypatch):
    ahead = run(3)
    monkeypatch.setattr(streams, "AHEAD", 1)
    single = run(3)
    for one, two in zip(ahead.history, single.history, strict=True):
        assert one == pytest.approx(two, rel=1e-5)  # a sum of frames runs over other lengths


def test_every_step_has_other_dropout(monkeypatch):
    keys_seen = []
    set_keys = noise.set_keys

    def note(model, keys):
        keys_seen.extend(map(tuple, keys.tolist()))
        set_keys(model, keys)

    monkeypatch.setattr(noise, "set_keys", note)
    run(0, epochs=2)
    # epochs, steps, dropouts of one modality
    assert len(keys_seen) == len(set(keys_seen)) == 2 * 5 * 2


def test_training_learns():
    result = run(0, epochs=15, time_masks=0, feature_masks=0)
    losses = [h["train_loss"] for h in result.history]
    assert losses[-1] < 0.6 * losses[0]


def test_half_precision_changes_the_numbers_and_trains():
    how = {"epochs": 15, "optimizer": adam, "parts": {"model": Part(0.01)}, "stream": KEYED}
    exact, half = (fit(small_uegd, regime(**how, precision=p)) for p in ("float32", "bfloat16"))
    losses = [[h["train_loss"] for h in result.history] for result in (exact, half)]
    assert losses[0] != losses[1]
    assert losses[1][0] == pytest.approx(losses[0][0], rel=0.02)
    assert losses[1][-1] < 0.7 * losses[1][0]
    assert {p.dtype for p in half.model.parameters()} == {torch.float32}


@pytest.mark.parametrize("error", ["l1", "l2", "huber"])
def test_every_error_can_be_trained_in_half_precision(error):
    how = regime(optimizer=adam, precision="bfloat16")
    result = fit(small_uegd, how, goal=Objective(error))
    assert np.isfinite(result.history[0]["train_loss"])


# --- epochs -------------------------------------------------------------------------------------


class Watched(Constant):
    """A constant that notes the sizes of its batches in training."""

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
def test_a_model_reads_the_batches_of_its_stream(size, batches):
    """Also where AHEAD cuts an epoch in two."""
    assert fit(Watched, recipe(epochs=2, batch_size=size)).model.batches == 2 * batches


def test_losses_of_training_are_means_over_its_batches():
    parts = examples("train", label=2.0), examples("valid", label=1.0)
    result = fit(lambda: Constant(0.5, rate=0.0), recipe(epochs=1), parts=parts)
    assert result.history[0]["train_loss"] == pytest.approx(1.5)
    assert result.history[0]["valid_loss"] == pytest.approx(0.5)


@pytest.mark.parametrize(("mean", "loss"), [("batch_mean", 1.5), ("clip_mean", 1.2)])
def test_the_two_training_losses(mean, loss):
    """Sixteen clips and four, losses 1 and 2: by hand, since an order mixes its labels."""
    how = regime(mean_loss=mean)
    losses = [(torch.tensor(1.0), 16), (torch.tensor(2.0), 4)]
    assert loop.mean_loss(losses, how) == pytest.approx(loss)


def test_the_validation_set_is_read_in_batches_of_the_regime():
    """Ten clips in batches of eight and two."""
    parts = examples("train"), examples("valid", label=[2.0] * 8 + [1.0] * 2)
    for rule, score in (("batch_mean", 1.5), ("clip_mean", 1.8)):
        how = regime(validation=rule, validation_batch=8)
        still = partial(Constant, rate=0.0)
        assert fit(still, how, parts=parts).history[0]["valid_loss"] == pytest.approx(score)


def test_masks_are_for_training_only(monkeypatch):
    clips = []

    def note(x, mask, draw, **_):
        clips.append(len(mask))
        return x

    monkeypatch.setattr(streams, "mask_features", note)
    fit(how=recipe(epochs=2))
    assert sum(clips) == 2 * 20  # the training clips, once per epoch


# --- selection ----------------------------------------------------------------------------------

STEADY = {"epochs": 20, "learning_rate": 0.02, "warmup_epochs": 0, "min_learning_rate": 0.02}


def climbing():
    """The guess climbs to 2; validation asks for 0.4, and a test set of label 2 for the last."""
    return examples("train", label=2.0), examples("valid", label=0.4)


def test_the_epoch_with_the_lowest_validation_loss_is_selected(monkeypatch):
    reached, validate = [], loop.validate

    def note(model, *arguments):
        reached.append(float(model.guess.detach()))
        return validate(model, *arguments)

    monkeypatch.setattr(loop, "validate", note)
    result = fit(how=recipe(**STEADY), parts=climbing())
    losses = [h["valid_loss"] for h in result.history]
    assert len(losses) == 20  # all epochs are run
    assert result.selected_epoch == 1 + int(np.argmin(losses))
    assert 1 < result.selected_epoch < 10
    assert reached[-1] > 1  # training went on, away from what was selected
    assert result.model.guess.item() == reached[result.selected_epoch - 1]
    assert not result.model.training


@pytest.mark.parametrize(("ties", "epoch"), [("later", 4), ("earlier", 1)])
def test_which_of_equal_epochs_is_selected(ties, epoch):
    result = fit(partial(Constant, rate=0.0), regime(epochs=4, ties=ties))
    assert len({h["valid_loss"] for h in result.history}) == 1
    assert result.selected_epoch == epoch


def test_patience_stops_after_so_many_epochs_without_a_lower_loss():
    endless = fit(how=recipe(**STEADY), parts=climbing())
    patient = fit(how=recipe(**STEADY, patience=3), parts=climbing())
    assert patient.selected_epoch == endless.selected_epoch
    assert len(patient.history) == patient.selected_epoch + 3
    assert patient.history == endless.history[: len(patient.history)]
    assert patient.model.guess.item() == endless.model.guess.item()


def test_a_loss_must_fall_by_the_improvement_to_count():
    """Gradient descent on the absolute error: 0.05 an epoch towards 0.4, whence it climbs away."""
    how = {"epochs": 9, "batch_size": 20, "patience": 2, "stream": Sequential}
    free = fit(how=regime(0.05, **how), parts=climbing())
    assert (free.selected_epoch, len(free.history)) == (8, 9)
    bound = fit(how=regime(0.05, **how, improvement=0.06), parts=climbing())
    assert (bound.selected_epoch, len(bound.history)) == (7, 9)  # every second epoch counts
    stopped = fit(how=regime(0.05, **how, improvement=0.2), parts=climbing())
    assert (stopped.selected_epoch, len(stopped.history)) == (1, 3)


def test_predictions_come_in_the_order_of_the_table_and_without_dropout():
    model, test = small_uegd(), examples("test")
    whole = loop.predict(model, test, 64).scores
    pieces = loop.predict(model.train(), test, 3)
    torch.testing.assert_close(whole, pieces.scores)
    assert [len(rows) for rows in pieces.rows] == [3, 3, 3, 1]
    single = model(*((b := test.batch(torch.tensor([4]))).features, b.mask)).prediction
    torch.testing.assert_close(single, whole[[4]])
    assert not whole.requires_grad


# --- refusals -----------------------------------------------------------------------------------


def nothing():
    return tiny_corpus().examples(np.arange(0), inputs=TEXT)


@pytest.mark.parametrize(
    ("how", "parts", "message"),
    [
        (
            {"batch_size": 21},
            {},
            "found 20 clips; expected at least one batch of 21",
        ),
        (
            {"batch_size": 4, "accumulation": 6, "stream": Sequential},
            {},
            "training part: found 20 clips, fewer than 6 batches; expected a step, which sums 6",
        ),
        ({"batch_size": 6, "accumulation": 4}, {}, "found 20 clips, fewer than 4 batches"),
        ({}, {"valid": nothing}, "validation part: found no clip"),
    ],
    ids=["batch", "step", "step without the incomplete batch", "validation"],
)
def test_parts_that_are_too_small_are_refused(how, parts, message):
    valid = parts["valid"]() if parts else examples("valid")
    with pytest.raises(UserError) as error:
        fit(how=regime(**how), parts=(examples("train"), valid))
    assert message in str(error.value)
    assert ". Use a" in str(error.value)  # a remedy


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_is_refused_with_epoch_and_seed(value):
    parts = examples("train"), examples("valid", label=value)
    with pytest.raises(UserError, match=r"epoch 1, seed 7: .* validation loss (nan|inf);"):
        fit(seed=7, parts=parts)
