"""What a training minimises: a loss, with whatever moves beside it, and the score that selects.

``Objective`` is the default: the error of the prediction. A model's file brings a subclass where
its paper has more (several losses, generated labels, load balance, penalties).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from msalib.data.corpus import Batch, Examples

ERRORS: dict[str, Callable[..., Tensor]] = {
    "l1": functional.l1_loss,
    "l2": functional.mse_loss,
    "huber": functional.huber_loss,  # delta 1
    "cross_entropy": lambda scores, label, **how: functional.cross_entropy(
        scores, label.long(), **how
    ),
}
"""Errors by the name that recipes use: (scores, label, reduction="mean") to a loss."""


@dataclass(frozen=True)
class Outputs:
    """A model's outputs on N clips: batches, and the numbers of the clips in each."""

    rows: list[Tensor]
    batches: list[NamedTuple]

    def column(self, read: Callable[[NamedTuple], Tensor]) -> Tensor:
        """Return what ``read`` takes of each output, (N, ...) in table order, float on the CPU."""
        values = torch.cat([read(output).float().cpu() for output in self.batches])
        return values[torch.cat(self.rows).argsort()]

    @property
    def scores(self) -> Tensor:
        """Predictions of all clips in table order, (N,) or (N, classes)."""
        return self.column(lambda output: output.prediction)


class Objective:
    """The error of the prediction, as a mean over the clips of a batch.

    ``error`` names one of ``ERRORS``. ``validation``: the score is the mean over the clips, or the
    unweighted mean over the batches.
    """

    def __init__(
        self, error: str, validation: Literal["clip_mean", "batch_mean"] = "clip_mean"
    ) -> None:
        self.error, self.validation = ERRORS[error], validation

    def loss(self, output: NamedTuple, batch: Batch, rows: Tensor | None = None) -> Tensor:
        """Return the loss of a batch; ``rows`` (B,) are the numbers of its clips."""
        return self.error(output.prediction, batch.label)

    def after_batch(self, epoch: int, rows: Tensor, output: NamedTuple) -> None:
        """Move what moves after the backward pass of a batch."""

    def end_epoch(self, epoch: int, model: nn.Module) -> None:
        """Take note of an epoch that ends."""

    def score(self, outputs: Outputs, examples: Examples) -> float:
        """Return the score of the validation set ``examples``, which selection minimises."""
        label = examples.label
        losses = torch.stack(
            [
                self.error(output.prediction, label[rows.to(label.device)])
                for rows, output in zip(outputs.rows, outputs.batches, strict=True)
            ]
        )
        if self.validation == "batch_mean":
            return float(losses.mean())
        sizes = torch.tensor([len(rows) for rows in outputs.rows], device=losses.device)
        return float((losses * sizes).sum() / sizes.sum())
