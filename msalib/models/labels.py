"""Generated unimodal labels: what the generators of SUGRM and of Self-MM have in common.

Both start every unimodal label at the multimodal one, compute a target per clip and modality in
each batch, clamp it to the range of the labels, and move the label towards it by a momentum that
slackens with the epoch. They differ in the target (msalib/models/sugrm.py, self_mm.py).
Specification: papers/sugrm.md (d). Notation: N clips, B clips of a batch, e epoch from 1.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from msalib.base.errors import UserError

LIMIT = 3.0
"""Sentiment runs from -LIMIT to LIMIT."""

Zero = Literal["positive", "neither"]
"""Where clips labelled 0 belong: to the positive clips (both releases), or to no class."""


class Summary(NamedTuple):
    """One epoch of generated labels, each by modality, on the CPU."""

    labels: dict[str, Tensor]  # (N,) at the end of the epoch
    targets: dict[str, Tensor]  # (N,) last target of each clip, clamped where labels are
    at_limit: dict[str, float]  # share of targets at or beyond the limit
    magnitude: dict[str, float]  # 99th percentile of |target| before the clamp


class Labels:
    """Labels of N clips: ``given`` (N,), and ``made[m]`` (N,), equal to it through epoch 1.

    ``raw[m]`` (N,) holds the last target of each clip before the clamp, ``history`` a summary of
    every epoch that has ended.
    """

    def __init__(self, given: Tensor, modalities: Sequence[str], *, clamp: bool):
        self.given = given
        self.made = {m: given.clone() for m in modalities}
        self.raw = {m: given.clone() for m in modalities}
        self.clamp = clamp
        self.history: list[Summary] = []

    def at(self, rows: Tensor) -> dict[str, Tensor]:
        """Generated labels of these clips, m -> (B,)."""
        return {m: made[rows] for m, made in self.made.items()}

    def move(self, epoch: int, rows: Tensor, targets: Mapping[str, Tensor]) -> None:
        """Y <- (e-1)/(e+1) Y + 2/(e+1) target for the clips ``rows`` (B,); not in epoch 1.

        The clamp is on the target, before the momentum. Closed form after epoch e:
        2/(e (e+1)) (y_m + sum of k times the target of epoch k, k = 2..e).
        """
        if epoch == 1:
            return
        for m, target in targets.items():
            self.raw[m][rows] = target
            old = self.made[m][rows]
            self.made[m][rows] = ((epoch - 1) * old + 2 * self._limited(target)) / (epoch + 1)

    def _limited(self, target: Tensor) -> Tensor:
        return target.clamp(-LIMIT, LIMIT) if self.clamp else target

    def end_epoch(self) -> None:
        """Append the summary of the epoch that ends."""
        magnitude = {m: raw.abs() for m, raw in self.raw.items()}
        self.history.append(
            Summary(
                labels={m: made.to("cpu", copy=True) for m, made in self.made.items()},
                targets={m: self._limited(r).to("cpu", copy=True) for m, r in self.raw.items()},
                at_limit={m: float((a >= LIMIT).float().mean()) for m, a in magnitude.items()},
                magnitude={m: float(a.quantile(0.99)) for m, a in magnitude.items()},
            )
        )


def classes(label: Tensor, zero: Zero) -> Tensor:
    """Who is positive and who negative, (2, N) bool, of labels (N,)."""
    return torch.stack([label >= 0 if zero == "positive" else label > 0, label < 0])


def require_classes(label: Tensor, zero: Zero) -> None:
    """Refuse labels of which one class has no clip: its centre would be a mean over nothing."""
    if not classes(label, zero).any(1).all():
        found = f"{len(label)} clips"
        if len(label):
            found += f" labelled from {float(label.min()):g} to {float(label.max()):g}"
        raise UserError(
            "generated unimodal labels",
            found=found,
            expected="clips on both sides of 0",
            remedy="Train on more clips, or without unimodal tasks.",
        )
