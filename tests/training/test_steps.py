"""Steps of the training loop, worked out by hand, and the hooks of an objective in them."""

from functools import partial

import pytest
import torch
from torch import nn

from msalib.training import loop
from msalib.training.objective import Objective
from msalib.training.regime import Part, adam, warmup_linear
from msalib.training.streams import Keyed, Sequential
from tests.training.common import (
    Constant,
    Guess,
    examples,
    fit,
    regime,
    sgd,
)

# --- steps, worked out by hand ------------------------------------------------------------------


def twos():
    """Every label is 2: the gradient of the squared error of a guess g is 2 (g - 2)."""
    return examples("train", label=2.0), examples("valid", label=2.0)


def guess(how, start=0.0) -> float:
    """Where a guess is after training."""
    result = fit(lambda: Constant(start), how, parts=twos(), goal=Objective("l2"))
    return float(result.model.guess.detach())


@pytest.mark.parametrize("stream", [Keyed, Sequential])
def test_so_many_batches_make_a_step(stream):
    """Five batches, two to a step: the gradients add up, and the fifth changes no weight."""
    how = regime(stream=stream, accumulation=2)
    assert guess(how) == pytest.approx(0.1 * 8 + 0.1 * 2 * 2 * (2 - 0.8))
    two = regime(stream=stream, accumulation=2, epochs=2)
    assert guess(two) == pytest.approx(2 * (1 - 0.6**4))  # a step keeps 0.6 of the distance to 2


def test_a_step_per_batch():
    assert guess(regime()) == pytest.approx(2 * (1 - 0.8**5))


def test_a_step_that_the_last_incomplete_batch_fills():
    """Batches of six, six, six and two clips: gradients of means, whatever the sizes."""
    assert guess(regime(stream=Sequential, batch_size=6, accumulation=4)) == pytest.approx(1.6)


def test_the_gradient_is_clipped_once_per_step_and_only_from_above():
    how = regime(accumulation=5, clip_norm=1.0)
    assert guess(how) == pytest.approx(0.1)  # the sum of five gradients of -4 becomes -1
    assert guess(regime(accumulation=5, clip_norm=100.0)) == pytest.approx(2.0)


class Two(nn.Module):
    """The sum of two numbers."""

    def __init__(self):
        super().__init__()
        self.slow, self.fast = (nn.Parameter(torch.tensor(0.0)) for _ in range(2))

    def forward(self, features, mask):
        return Guess((self.slow + self.fast).expand(len(mask["linguistic"])))


def parts_of(model):
    return {"slow": [("slow", model.slow)], "fast": [("fast", model.fast)]}


def test_the_norm_is_that_of_all_parts_and_each_moves_at_its_rate():
    how = regime(
        parts={"slow": Part(0.01), "fast": Part(0.1)}, batch_size=20, accumulation=1, clip_norm=1.0
    )
    model = fit(Two, how, parts=twos(), goal=Objective("l2"), groups=parts_of).model
    # Both gradients are -4; together their norm is 4 sqrt 2, so each becomes -1 / sqrt 2.
    assert float(model.slow.detach()) == pytest.approx(0.01 / 2**0.5)
    assert float(model.fast.detach()) == pytest.approx(0.1 / 2**0.5)


def noted_rates(how) -> tuple[list[tuple[float, ...]], loop.Fit]:
    """The rates of the two parts at every step."""
    rates = []

    def noting(groups):
        optimizer = sgd(groups)
        optimizer.register_step_pre_hook(
            lambda optimizer, *_: rates.append(tuple(g["lr"] for g in optimizer.param_groups))
        )
        return optimizer

    how = regime(**{"optimizer": noting, **how})
    return rates, fit(Two, how, groups=parts_of)


def test_a_schedule_by_step_is_followed_step_by_step_in_every_part():
    schedule = partial(warmup_linear, warmup=0.5)
    how = {"parts": {"slow": Part(1.0), "fast": Part(8.0)}, "schedule": schedule}
    rates, result = noted_rates({**how, "epochs": 2, "accumulation": 2})
    assert rates == [(0, 0), (0.5, 4), (1, 8), (0.5, 4)]  # four steps in all
    assert [epoch["learning_rate"] for epoch in result.history] == [0.5, 0.5]


def test_a_schedule_by_epoch_is_followed_epoch_by_epoch():
    how = {"parts": {"slow": Part(1.0), "fast": Part(8.0)}, "epochs": 2}
    rates, result = noted_rates(how | {"schedule": lambda rate, moment: rate / moment.epoch})
    assert rates == [(1, 8)] * 5 + [(0.5, 4)] * 5
    assert [epoch["learning_rate"] for epoch in result.history] == [1, 0.5]


def test_a_constant_rate_is_not_in_the_history():
    _, result = noted_rates({"parts": {"slow": Part(1.0), "fast": Part(8.0)}})
    assert set(result.history[0]) == {"train_loss", "valid_loss"}


def test_a_new_optimiser_forgets_the_moments():
    """Adam's first step is the rate, whatever the gradient; its second is not."""
    how = {"optimizer": adam, "batch_size": 20, "epochs": 2}
    assert guess(regime(0.5, **how, rebuild_optimizer=True)) == pytest.approx(1.0, abs=1e-6)
    # Gradients -4 and -3: moments (0.9 * 0.1 * 4 + 0.1 * 3) / 0.19 and 0.024984 / 0.001999.
    second = 0.5 * (0.66 / 0.19) / (0.024984 / 0.001999) ** 0.5
    assert guess(regime(0.5, **how)) == pytest.approx(0.5 + second, abs=1e-6)


def test_adam_is_that_of_the_documentation():
    optimizer = adam([{"params": [nn.Parameter(torch.zeros(1))], "lr": 0.1}])
    defaults = optimizer.defaults
    assert (defaults["betas"], defaults["eps"]) == ((0.9, 0.999), 1e-8)


# --- hooks --------------------------------------------------------------------------------------


class Watching(Objective):
    """The absolute error, with a diary."""

    def __init__(self, model):
        super().__init__("l1")
        self.model, self.diary = model, []

    def loss(self, output, batch, rows=None):
        self.diary.append(("loss", tuple(rows.tolist())))
        self.output, self.before = output, float(self.model.guess.detach())
        return super().loss(output, batch)

    def after_batch(self, epoch, rows, output):
        self.diary.append(("after_batch", epoch, tuple(rows.tolist())))
        assert output is self.output
        assert self.model.guess.grad is not None  # after the backward pass,
        assert float(self.model.guess.detach()) == self.before  # and before the step

    def end_epoch(self, epoch, model):
        assert model is self.model
        self.diary.append(("end_epoch", epoch))

    def score(self, outputs, examples):
        self.diary.append(("score", len(outputs.scores), len(examples)))
        return super().score(outputs, examples)


def test_an_objective_is_asked_in_order():
    made = []

    def make(model, train, stream):
        made.append((len(train), stream.permutation(3).tolist()))
        return Watching(model)

    how = regime(epochs=2, batch_size=10, stream=Sequential)
    result = loop.fit(Constant, make, examples("train"), examples("valid"), how, 0)
    diary = result.objective.diary
    assert [note[0] for note in diary] == [
        *(["loss", "after_batch"] * 2 + ["end_epoch", "score"]) * 2
    ]
    assert [note[1] for note in diary if note[0] in ("after_batch", "end_epoch")] == [
        *([1] * 3 + [2] * 3)
    ]
    assert {note[1:] for note in diary if note[0] == "score"} == {(10, 10)}
    for loss, after in zip(diary[0::6] + diary[2::6], diary[1::6] + diary[3::6], strict=True):
        assert loss[1] == after[2]
    # The objective draws before the first order does.
    generator = torch.Generator().manual_seed(0)
    assert made == [(20, torch.randperm(3, generator=generator).tolist())]
    assert diary[0][1] == tuple(torch.randperm(20, generator=generator)[:10].tolist())
