"""ULGM: unimodal label generation, by the rule of SUGRM and by that of Self-MM.

Both start every unimodal label at the annotated one, compute a target per clip and modality in
each batch, clamp it to the range of the labels, and move the label towards it by a momentum that
slackens with the epoch. They differ in the target: SUGRM shifts the annotated label by a share of
the scale that grows with the distance between features; Self-MM by a ratio of distances.
Specification: papers/sugrm.md (d); written from it, without the authors' code.

Deviations from the releases: the labels at the two extremes have a fallback where no clip has
them, coincident features cannot divide by zero, and a class of generated labels that has lost its
last clip keeps its last centre. Parity: `python -m tests.parity ulgm_sugrm` and `ulgm_selfmm`.

Notation: N clips, B clips of a batch, e epoch from 1, F* the feature before a head's output, keyed
by modality, the fused one by "multimodal".

Longer: than a model file should be, because the two rules are easier to compare side by side.
"""

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.linalg import vector_norm

from msalib.base.errors import UserError
from msalib.data.tasks import LIMIT

EXTREME_SHARE = 0.005
"""Share of the clips that stand for an extreme which no clip is labelled with, (d)."""

EPSILON = 1e-8
"""Added to every divisor of Self-MM's generator, papers/sugrm.md (d)."""

MIDWAY_SHARE = 0.1
"""Share of the clips that count as midway between the centres, SUGRM-C19; ours."""

Zero = Literal["positive", "neither"]
"""Where clips labelled 0 belong: to the positive clips (both releases), or to no class."""


class Summary(NamedTuple):
    """Generated labels at the end of one epoch, each by modality, on the CPU."""

    labels: dict[str, Tensor]  # (N,) at the end of the epoch
    targets: dict[str, Tensor]  # (N,) last target of each clip, clamped where labels are
    at_limit: dict[str, float]  # share of targets at or beyond the limit
    magnitude: dict[str, float]  # 99th percentile of |target| before the clamp
    largest_midway: dict[str, float]  # |target| before the clamp, of the clips nearest midway
    largest_elsewhere: dict[str, float]  # the same of all other clips


class Labels:
    """Labels of N clips: ``annotated`` (N,), ``generated[m]`` (N,), equal to it through epoch 1.

    ``raw[m]`` (N,) holds the last target of each clip before the clamp, ``off_middle`` (N,) how far
    its fused feature then was from midway between the centres (``off_middle``), ``history`` a
    summary of every epoch that has ended. The scale runs from ``-limit`` to ``limit``.
    """

    def __init__(
        self, annotated: Tensor, modalities: Sequence[str], *, clamp: bool, limit: float = LIMIT
    ):
        self.annotated = annotated
        self.generated = {m: annotated.clone() for m in modalities}
        self.raw = {m: annotated.clone() for m in modalities}
        self.off_middle = torch.ones_like(annotated)
        self.clamp, self.limit = clamp, limit
        self.history: list[Summary] = []

    def at(self, rows: Tensor) -> dict[str, Tensor]:
        """Return the generated labels of these clips, m -> (B,)."""
        return {m: labels[rows] for m, labels in self.generated.items()}

    def move(self, epoch: int, rows: Tensor, targets: Mapping[str, Tensor]) -> None:
        """Move the labels of the clips ``rows`` (B,), from epoch 2 on.

        Y <- (e-1)/(e+1) Y + 2/(e+1) target.

        The clamp is on the target, before the momentum. Closed form after epoch e:
        2/(e (e+1)) (y_m + sum of k times the target of epoch k, k = 2..e).
        """
        if epoch == 1:
            return
        for m, target in targets.items():
            self.raw[m][rows] = target
            old = self.generated[m][rows]
            self.generated[m][rows] = ((epoch - 1) * old + 2 * self._limited(target)) / (epoch + 1)

    def _limited(self, target: Tensor) -> Tensor:
        return target.clamp(-self.limit, self.limit) if self.clamp else target

    def end_epoch(self) -> None:
        """Append the summary of the epoch that ends."""
        magnitude = {m: raw.abs() for m, raw in self.raw.items()}
        nearest = self.off_middle.argsort(stable=True)
        midway, elsewhere = nearest.tensor_split([math.ceil(MIDWAY_SHARE * len(nearest))])
        self.history.append(
            Summary(
                labels={m: labels.to("cpu", copy=True) for m, labels in self.generated.items()},
                targets={m: self._limited(r).to("cpu", copy=True) for m, r in self.raw.items()},
                at_limit={m: float((a >= self.limit).float().mean()) for m, a in magnitude.items()},
                magnitude={m: float(a.quantile(0.99)) for m, a in magnitude.items()},
                largest_midway={m: float(a[midway].max()) for m, a in magnitude.items()},
                largest_elsewhere={m: float(a[elsewhere].max()) for m, a in magnitude.items()},
            )
        )


def off_middle(up: Tensor, down: Tensor) -> Tensor:
    """Return how far features are from midway, (B,): 0 midway, 1 on a centre.

    ``up`` and ``down`` (B,) are their distances from the positive and the negative centre.
    """
    return (down - up).abs() / (down + up).clamp(min=EPSILON)


def classes(label: Tensor, zero: Zero) -> Tensor:
    """Return which clips are positive and which negative, (2, N) bool, from labels (N,)."""
    return torch.stack([label >= 0 if zero == "positive" else label > 0, label < 0])


def require_classes(label: Tensor, zero: Zero) -> None:
    """Refuse labels of which one class has no clip: its centre would be a mean over nothing."""
    if not classes(label, zero).any(1).all():
        clips = f"{len(label)} clips"
        if len(label):
            clips += f" labelled from {float(label.min()):g} to {float(label.max()):g}"
        raise UserError(
            "generated unimodal labels",
            found=clips,
            expected="clips on both sides of 0",
            remedy="Train on more clips, or without unimodal tasks.",
        )


class SugrmULGM:
    """SUGRM's label generator, papers/sugrm.md (d), with all of its state in the open.

    ``labels``: the labels of all N clips. ``features`` (N, d): the last fused feature F* of each,
    zero where none was seen yet. ``positive`` and ``negative`` (d,): their means over the clips
    labelled so. ``max_distance``: between the means of the clips at the ends of the scale, the
    extremes: 3 and -3, or plus and minus ``limit``.

    ``extremes``: "unique" means over each clip once (paper); "repeated" weighs a clip that was in
    batch b of the K of the pass before training by K - b, b = 0..K-1 (``batch_of`` (N,) holds b):
    the release appends its lists anew after each batch. ``note`` says it where no clip is labelled
    with an extreme, and the largest or smallest labels stand in for it.
    """

    def __init__(
        self,
        label: Tensor,
        tasks: Sequence[str],
        *,
        width: int,
        extremes: Literal["repeated", "unique"],
        zero: Zero,
        clamp: bool,
        batch_of: Tensor | None = None,
        limit: float = LIMIT,
    ):
        require_classes(label, zero)
        self.labels = Labels(label, tasks, clamp=clamp, limit=limit)
        self.features = label.new_zeros(len(label), width)
        self.note: str | None = None
        weight = torch.ones_like(label)
        if extremes == "repeated":
            if batch_of is None:
                raise ValueError("repeated extremes need batch_of, the batch of each clip")
            weight = (batch_of.max() + 1 - batch_of).to(label)
        extreme = torch.stack([self._extreme(1), self._extreme(-1)])
        members = torch.cat([classes(label, zero).to(label), weight * extreme])  # (4, N)
        self._mean = members / members.sum(1, keepdim=True)
        self._centre()

    def _extreme(self, sign: int) -> Tensor:
        """Return which clips stand for one end of the scale, (N,) bool."""
        label, limit = sign * self.labels.annotated, self.labels.limit
        extreme = label == limit
        if not extreme.any():
            k = max(1, math.ceil(EXTREME_SHARE * len(label)))
            extreme[label.argsort(descending=True, stable=True)[:k]] = True
            note = f"no clip is labelled {sign * limit:g}: the {k} next to it stand in"
            self.note = note if self.note is None else f"{self.note}; {note}"
            warnings.warn(note, stacklevel=3)
        return extreme

    def _centre(self) -> None:
        self.positive, self.negative, largest, smallest = self._mean @ self.features
        self.max_distance = vector_norm(largest - smallest)

    @torch.no_grad()
    def update(self, epoch: int, rows: Tensor, shared: Mapping[str, Tensor]) -> None:
        """After the backward pass of a batch: move the labels of its clips, then the centres.

        ``rows`` (B,) are clip numbers, ``shared`` the features F* (B, d) of the batch. Targets
        come from the centres as the previous batch left them; epoch 1 moves no label.
        """
        fused = shared["multimodal"].to(self.features)
        annotated = self.labels.annotated[rows]
        fused_up, fused_down = self._distances(fused)
        targets = {}
        for m in self.labels.generated:
            feature = shared[m].to(self.features)
            up, down = self._distances(feature)
            apart = vector_norm(fused - feature, dim=-1)
            # Coincident extremes measure nothing: no step, the target is y_m.
            reach = torch.minimum(apart, self.max_distance) / self.max_distance
            reach = torch.where(self.max_distance > 0, reach, 0)
            # up/down against fused_up/fused_down, as products: a feature on a centre is no ratio.
            direction = (fused_up * down - up * fused_down).sign()
            targets[m] = annotated + direction * 2 * self.labels.limit * reach
        self.labels.move(epoch, rows, targets)
        self.labels.off_middle[rows] = off_middle(fused_up, fused_down)
        self.features[rows] = fused
        self._centre()

    def _distances(self, feature: Tensor) -> tuple[Tensor, Tensor]:
        """From the positive and from the negative centre, (B,) each."""
        return (
            vector_norm(feature - self.positive, dim=-1),
            vector_norm(feature - self.negative, dim=-1),
        )


class SelfMMULGM:
    """Self-MM's label generator, papers/sugrm.md (d), with all of its state in the open.

    ``labels``: the labels of all N clips. ``features[x]`` (N, width) of "multimodal" and every
    task: the last F* of each clip, zero where none was seen yet. ``positive[x]`` and
    ``negative[x]`` (width,): their means over the clips whose label of x is so, the annotated label
    for "multimodal" and the generated one for a modality.
    """

    def __init__(
        self,
        label: Tensor,
        tasks: Sequence[str],
        *,
        widths: Mapping[str, int],
        zero: Zero,
        limit: float = LIMIT,
    ):
        require_classes(label, zero)
        self.labels = Labels(label, tasks, clamp=True, limit=limit)
        self.note: str | None = None  # as in SUGRM's generator; nothing stands in here
        self.zero: Zero = zero
        keys = ("multimodal", *tasks)
        self.features = {x: label.new_zeros(len(label), widths[x]) for x in keys}
        self.positive = {x: label.new_zeros(widths[x]) for x in keys}
        self.negative = {x: label.new_zeros(widths[x]) for x in keys}

    @torch.no_grad()
    def update(self, epoch: int, rows: Tensor, shared: Mapping[str, Tensor]) -> None:
        """After the backward pass of a batch: move the labels of its clips, then the centres.

        ``rows`` (B,) are clip numbers, ``shared[x]`` the features F* (B, width) of the batch.
        Targets come from the centres as the previous batch left them; epoch 1 moves no label.
        """
        shared = {x: shared[x].to(features) for x, features in self.features.items()}
        annotated = self.labels.annotated[rows]
        distances = {x: self._distances(x, feature) for x, feature in shared.items()}
        # alpha: how much nearer the positive centre is, in units of its distance
        lean = {x: (down - up) / (up + EPSILON) for x, (up, down) in distances.items()}
        fused = lean.pop("multimodal")
        targets = {
            m: (alpha / (fused + EPSILON) * annotated + annotated + alpha - fused) / 2
            for m, alpha in lean.items()
        }
        self.labels.move(epoch, rows, targets)
        self.labels.off_middle[rows] = off_middle(*distances["multimodal"])
        for x, features in self.features.items():
            features[rows] = shared[x]
            self._centre(x)

    def _distances(self, x: str, feature: Tensor) -> tuple[Tensor, Tensor]:
        """From the positive and from the negative centre of x, (B,) each."""
        return (
            vector_norm(feature - self.positive[x], dim=-1),
            vector_norm(feature - self.negative[x], dim=-1),
        )

    def _centre(self, x: str) -> None:
        label = self.labels.generated.get(x, self.labels.annotated)
        members = classes(label, self.zero).to(label)  # (2, N)
        count = members.sum(1, keepdim=True)
        old = torch.stack([self.positive[x], self.negative[x]])
        mean = members @ self.features[x] / count.clamp(min=1)
        self.positive[x], self.negative[x] = torch.where(count > 0, mean, old)
