"""What models of sound alone share: one stream, standardised frames, the squared error, AdamW.

Source: papers/mmml.md (c), audio baselines of Table 2, and (d).

Deviations from the release: its statistics of the training set are not public. Ours are computed
before a training starts, from every frame of the training clips, and are buffers of the model. For
classes the error is the cross entropy. The optimiser is kept: (d) says that the scripts for text
and sound rebuild it at every epoch, and says nothing of the script for sound alone.

Notation: B clips of up to T frames, S frames of all of them laid end to end, D features, K outputs.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from msalib.base.errors import UserError
from msalib.data.corpus import Examples, pad
from msalib.training.objective import Objective
from msalib.training.regime import Regime, Stream, adamw
from msalib.training.standard import Standard
from msalib.training.streams import Sequential

SOUND = "acoustic"


class Training(Standard):
    """The ``train`` group of a recipe; AdamW has PyTorch's betas, 0.9 and 0.999."""

    error: Literal["l1", "l2"]  # of a score; classes have the cross entropy

    def regime(self) -> Regime:
        """Return the regime of this recipe: a constant rate, no clipping, every clip in a batch."""
        return replace(super().regime(), stream=Sequential, optimizer=adamw)


class Output(NamedTuple):
    """What such a model returns."""

    prediction: Tensor  # (B,), or (B, K)


class Scale(nn.Module):
    """Standardise frames (S, D) by means and deviations of the training set.

    ``size`` is D for a pair of numbers per feature, or 1 for one pair. Until ``learn`` is called
    frames stay as they are.
    """

    def __init__(self, size: int):
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("deviation", torch.ones(size))

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.mean) / self.deviation

    def learn(self, train: Examples) -> None:
        """Take means and deviations from every frame of the training clips."""
        count, total, squares = 0, 0.0, 0.0
        for batch in train.batches(128):
            values = batch.features[SOUND].double().reshape(-1, len(self.mean))
            count += len(values)
            total = total + values.sum(0)
            squares = squares + values.square().sum(0)
        mean = total / count
        deviation = (squares / count - mean.square()).clamp(min=0).sqrt()
        # A feature that never changes would divide by the rounding error of its own size.
        deviation[deviation <= 1e-6 * mean.abs()] = 1
        self.mean.copy_(mean)
        self.deviation.copy_(deviation)


def objective(training: Training, model: nn.Module, train: Examples, stream: Stream) -> Objective:
    """Return the objective of a run, and let ``model.scale`` learn from the training set.

    Raises ``UserError`` for an encoder that is fine-tuned and for sums of layers.
    """
    if isinstance(layer := train.inputs[SOUND], str):
        raise UserError(
            f"input {layer!r} of this model",
            found="an encoder that is fine-tuned, or a sum of layers",
            expected="one layer of frames, such as those of log-mel or opensmile-frames",
            remedy="Name one layer, or choose another model.",
        )
    model.scale.learn(train)
    return Objective(training.error if train.task.outputs == 1 else train.task.error)


def width_of(sizes: Mapping[str, int]) -> int:
    """Return D of the acoustic stream, or raise ``UserError`` where it is not the only one."""
    if set(sizes) != {SOUND}:
        raise UserError(
            "inputs of a model of sound alone",
            found=" and ".join(sorted(sizes)) or "no stream",
            expected=SOUND,
            remedy=f"Give it the {SOUND} stream and no other, or choose another model.",
        )
    return sizes[SOUND]


def first_frames(x: Tensor, mask: Tensor, *, frames: int, every: int = 1) -> tuple[Tensor, Tensor]:
    """Put frames 1, 1 + every, ... of each clip in their places: (B, T', D) and its mask (B, T').

    ``x`` (S, D) and ``mask`` (B, T) are those of a ``Batch``. At most ``frames`` are taken, so
    what is beyond is never read.
    """
    taken = torch.zeros_like(mask)
    taken[:, : frames * every : every] = True
    kept = mask[:, : frames * every : every]
    return pad(x[taken[mask]], kept), kept


def scores(values: Tensor) -> Output:
    """Return the output of scores (B, K); one score per clip loses its axis."""
    return Output(values.squeeze(1) if values.shape[1] == 1 else values)
