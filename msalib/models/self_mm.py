"""Self-MM: self-supervised multi-task learning of multimodal and unimodal representations.

Yu et al., "Learning modality-specific representations with self-supervised multi-task learning
for multimodal sentiment analysis", AAAI 2021. Authors' code: https://github.com/thuiar/Self-MM
(1786283). Specification: papers/sugrm.md (c), Self-MM, and (d); written from it, without the
authors' code. It is the baseline of SUGRM, and shares its output and loss.

Idea: the first text position and the last LSTM state of the other modalities are fused by
concatenation; unimodal heads learn labels that a generator (ULGM) derives from how far each
feature lies from the centres of positive and negative clips.

Deviations from the paper and the release: one to three modalities; a class of generated labels
that has lost its last clip keeps its last centre. Parity: `python -m tests.parity ulgm_selfmm`.

Notation as in msalib/models/sugrm.py; F* has an own width per modality.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict, PositiveInt
from torch import Tensor, nn
from torch.linalg import vector_norm

from msalib.data.corpus import pad
from msalib.models.labels import Labels, Zero, classes, require_classes
from msalib.models.spt import modalities
from msalib.models.sugrm import FUSED, Output, Recurrent, read

EPSILON = 1e-8
"""Added to every divisor of the generator, papers/sugrm.md (d)."""


class Config(BaseModel):
    """What a recipe says of the model, each value with its source there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    family: Literal["self_mm"]
    lstm_acoustic: PositiveInt
    lstm_visual: PositiveInt
    out_acoustic: PositiveInt
    out_visual: PositiveInt
    feature_multimodal: PositiveInt
    feature_linguistic: PositiveInt
    feature_acoustic: PositiveInt
    feature_visual: PositiveInt
    dropout_multimodal: float
    dropout_linguistic: float
    dropout_acoustic: float
    dropout_visual: float

    def by_key(self, prefix: str) -> dict:
        """The fields ``<prefix>_<key>`` as key -> value."""
        return {
            name.removeprefix(f"{prefix}_"): value
            for name, value in self
            if name.startswith(f"{prefix}_")
        }


class Head(nn.Module):
    """State (B, D) to prediction (B,) and F* (B, width), papers/sugrm.md (c), Self-MM.

    F* = ReLU(W1 Drop(x) + b1), the prediction w3 ReLU(W2 F* + b2) + b3.
    """

    def __init__(self, *, input_size: int, width: int, dropout: float):
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.feature = nn.Linear(input_size, width)  # W1, b1
        self.hidden = nn.Linear(width, width)  # W2, b2
        self.output = nn.Linear(width, 1)  # w3, b3

    def forward(self, state: Tensor) -> tuple[Tensor, Tensor]:
        shared = self.feature(self.dropout(state)).relu()
        return self.output(self.hidden(shared).relu()).squeeze(-1), shared


class SelfMM(nn.Module):
    """One to three modalities; ``input_sizes`` maps each in use to D.

    ``lstm`` and ``out`` map the acoustic and the visual modality to the widths of their LSTM and
    its output, ``feature`` and ``dropout`` every head to the width of F* and its dropout.
    """

    def __init__(
        self,
        *,
        input_sizes: Mapping[str, int],
        lstm: Mapping[str, int],
        out: Mapping[str, int],
        feature: Mapping[str, int],
        dropout: Mapping[str, float],
    ):
        super().__init__()
        used = [m for m in FUSED if m in modalities(input_sizes)]
        self.encoders = nn.ModuleDict(
            {
                m: Recurrent(input_size=input_sizes[m], hidden_size=lstm[m], output_size=out[m])
                for m in used
                if m != "linguistic"
            }
        )
        sizes = {m: input_sizes[m] if m == "linguistic" else out[m] for m in used}
        sizes = {"multimodal": sum(sizes.values()), **sizes}
        self.heads = nn.ModuleDict(
            {
                task: Head(input_size=size, width=feature[task], dropout=dropout[task])
                for task, size in sizes.items()
            }
        )

    def forward(self, features: Mapping[str, Tensor], mask: Mapping[str, Tensor]) -> Output:
        """Predict from ``features[m]`` (S, D) and ``mask[m]`` (B, T), as in Batch."""
        states = {}
        for m in self.heads:
            if m == "multimodal":
                continue
            x = pad(features[m], mask[m])
            encode = m in self.encoders
            states[m] = self.encoders[m](x, mask[m].sum(1)) if encode else x[:, 0]
        states["multimodal"] = torch.cat(list(states.values()), -1)
        return read(self.heads, states, {})


def build(config: Config, *, input_sizes: Mapping[str, int]) -> SelfMM:
    """The model of a configuration: the one place where the two meet."""
    sizes = {prefix: config.by_key(prefix) for prefix in ("lstm", "out", "feature", "dropout")}
    return SelfMM(input_sizes=input_sizes, **sizes)


def groups(model: SelfMM) -> dict[str, list[nn.Parameter]]:
    """Parameters by learning rate and weight decay, papers/sugrm.md (c), table of Self-MM."""
    own = {m: list(encoder.parameters()) for m, encoder in model.encoders.items()}
    return {**own, "other": list(model.heads.parameters())}


class ULGM:
    """Self-MM's label generator, papers/sugrm.md (d), with all of its state in the open.

    ``labels``: the labels of all N clips. ``features[x]`` (N, width) of "multimodal" and every
    task: the last F* of each clip, zero where none was seen yet. ``positive[x]`` and
    ``negative[x]`` (width,): their means over the clips whose label of x is so, the given label
    for "multimodal" and the generated one for a modality.
    """

    def __init__(
        self, label: Tensor, tasks: Sequence[str], *, widths: Mapping[str, int], zero: Zero
    ):
        require_classes(label, zero)
        self.labels = Labels(label, tasks, clamp=True)
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
        given = self.labels.given[rows]
        lean = {x: self._lean(x, feature) for x, feature in shared.items()}
        fused = lean.pop("multimodal")
        targets = {
            m: (own / (fused + EPSILON) * given + given + own - fused) / 2
            for m, own in lean.items()
        }
        self.labels.move(epoch, rows, targets)
        for x, features in self.features.items():
            features[rows] = shared[x]
            self._centre(x)

    def _lean(self, x: str, feature: Tensor) -> Tensor:
        """alpha, (B,): how much nearer the positive centre is, in units of its distance."""
        up = vector_norm(feature - self.positive[x], dim=-1)
        down = vector_norm(feature - self.negative[x], dim=-1)
        return (down - up) / (up + EPSILON)

    def _centre(self, x: str) -> None:
        label = self.labels.made.get(x, self.labels.given)
        members = classes(label, self.zero).to(label)  # (2, N)
        count = members.sum(1, keepdim=True)
        old = torch.stack([self.positive[x], self.negative[x]])
        mean = members @ self.features[x] / count.clamp(min=1)
        self.positive[x], self.negative[x] = torch.where(count > 0, mean, old)
