"""The terms in which every recipe is translated for the training loop.

A model's file turns the ``train`` group of its recipe, whatever the keys are called, into a
``Regime``; the loop reads nothing else.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from msalib.base.errors import UserError
from msalib.data.corpus import Batch, Examples


class Stream(Protocol):
    """The random numbers of one training."""

    def permutation(self, count: int) -> Tensor:
        """Return the numbers below ``count`` in random order, (count,), on the CPU."""

    def count(self, clips: int, regime: "Regime") -> int:
        """Return the number of batches in an epoch."""

    def batches(
        self, epoch: int, train: Examples, model: nn.Module, regime: "Regime"
    ) -> Iterator[tuple[Tensor, Batch]]:
        """Yield the batches of an epoch (from 1) with the numbers of their clips, (B,)."""


def adam(groups: list[dict]) -> torch.optim.Optimizer:
    """Return Adam over groups of parameters."""
    return torch.optim.Adam(groups, fused=True)


def adamw(groups: list[dict]) -> torch.optim.Optimizer:
    """Return AdamW, whose weight decay is apart from the gradient, over groups of parameters."""
    return torch.optim.AdamW(groups, fused=True)


class Moment(NamedTuple):
    """The progress of a training before an optimiser step."""

    epoch: int  # from 1
    step: int  # optimiser steps taken so far
    steps: int  # optimiser steps of the whole training


Schedule = Callable[[float, Moment], float]
"""The learning rate at a moment, from the base rate of a part of the model."""


def constant(rate: float, moment: Moment) -> float:
    """Return the base rate."""
    return rate


def warmup_linear(rate: float, moment: Moment, *, warmup: float) -> float:
    """Return a rate that rises from 0 over a share of all steps, then falls to 0, step by step."""
    rising = warmup * moment.steps
    if moment.step < rising:
        return rate * moment.step / rising
    return rate * (moment.steps - moment.step) / max(1.0, moment.steps - rising)


class Part(NamedTuple):
    """Settings of one part of the model.

    ``spared`` parameters, biases and the weights of LayerNorms, have no weight decay.
    """

    learning_rate: float
    weight_decay: float = 0.0
    spared: bool = False


@dataclass(frozen=True)
class Regime:
    """How a model is trained.

    ``parts``: name of a part, as the model's ``groups`` has it, to its settings; a model without
    ``groups`` is one part, "model", and fine-tuned encoders are "text" and "speech".
    ``accumulation`` batches make a step; ``clip_norm`` limits the gradient's norm before it.
    ``rebuild_optimizer``: a new optimiser, without memory, at the start of each epoch.
    ``precision`` is that of autocast. ``mean_loss``: the training loss in the history is a mean
    over batches or over clips; ``validation``: the same of the default objective's score.

    The epoch with the lowest validation score counts; a score is lower by more than
    ``improvement``, or, with ``ties`` "later", as low. ``patience`` epochs without one end the
    training. ``validation_batch`` and ``judged_batch`` clips are evaluated at a time.
    """

    epochs: int
    batch_size: int
    parts: Mapping[str, Part]
    stream: Callable[[int, torch.device | str], Stream]
    optimizer: Callable[[list[dict]], torch.optim.Optimizer] = adam
    schedule: Schedule = constant
    accumulation: int = 1
    clip_norm: float | None = None
    rebuild_optimizer: bool = False
    precision: Literal["float32", "bfloat16"] = "float32"
    mean_loss: Literal["batch_mean", "clip_mean"] = "clip_mean"
    validation: Literal["batch_mean", "clip_mean"] = "clip_mean"
    patience: int | None = None
    improvement: float = 0.0
    ties: Literal["later", "earlier"] = "earlier"
    validation_batch: int = 128
    judged_batch: int = 128

    def rates(self, moment: Moment) -> dict[str, float]:
        """Return the learning rate of every part."""
        return {
            name: self.schedule(part.learning_rate, moment) for name, part in self.parts.items()
        }

    def make_optimizer(self, groups: Mapping[str, Iterable[tuple[str, nn.Parameter]]]):
        """Return an optimiser over named parameters by part; each of its groups knows its part.

        Raises ``UserError`` for a part without a learning rate, such as a fine-tuned encoder that
        the recipe does not know.
        """
        if unknown := [name for name in groups if name not in self.parts]:
            raise UserError(
                f"learning rate of {' and '.join(unknown)}",
                found="none in the recipe of this model",
                expected=f"rates for {', '.join(self.parts)}",
                remedy="Leave -tuned out, or fine-tune an encoder that the recipe has a rate for.",
            )
        made = []
        for name, parameters in groups.items():
            part, decayed, spared = self.parts[name], [], []
            for parameter_name, parameter in parameters:
                exempt = part.spared and without_decay(parameter_name)
                (spared if exempt else decayed).append(parameter)
            for tensors, decay in ((decayed, part.weight_decay), (spared, 0.0)):
                if tensors:
                    settings = {"lr": part.learning_rate, "weight_decay": decay, "part": name}
                    made.append({"params": tensors, **settings})
        return self.optimizer(made)


def without_decay(name: str) -> bool:
    """Check whether a parameter is a bias or the weight of a LayerNorm, by its name."""
    return name.endswith("bias") or "LayerNorm" in name or "layer_norm" in name


class Selection:
    """The choice of the epoch that counts, by validation score."""

    def __init__(self, regime: Regime):
        self.regime, self.best, self.epoch, self.done = regime, math.inf, 0, False

    def judge(self, epoch: int, score: float) -> bool:
        """Return whether this epoch is the best so far; ``done`` says when to stop."""
        bound = self.best - self.regime.improvement
        if score < bound or (score == bound and self.regime.ties == "later"):
            self.best, self.epoch = score, epoch
            return True
        patience = self.regime.patience
        self.done = patience is not None and epoch - self.epoch >= patience
        return False
