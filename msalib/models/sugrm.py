"""SUGRM: Self-supervised Unimodal label Generation with Recalibrated Modality representations.

Hwang and Kim, "Self-supervised unimodal label generation strategy using recalibrated modality
representations for multimodal sentiment analysis". Authors' code:
https://github.com/skystarhyw/SUGRM (04e6ebc).
Specification: papers/sugrm.md (c), (d), (e); written without the authors' code.

Idea: gates computed from a summary of all modalities weigh the features of each (MRM); a sparse
transformer (SPT, msalib/models/spt.py) encodes the gated sequences; one multimodal and up to three
unimodal heads predict sentiment. A unimodal label starts at the multimodal one and is pushed as far
away as the features of the two lie apart, up or down by which of them is the more positive (ULGM).

Deviations from the paper: with ``head="paper"``, where dropout sits (between feature and output)
is our choice; the paper does not say.
Deviations from the release: no padding is read. Each clip ends at its own last frame, and means
run over its own length; the release pads to fixed lengths and reads the padding like frames, which
full masks reproduce. The labels at the two extremes have a fallback where no clip has them, and
coincident features cannot divide by zero. Parity: `python -m tests.parity sugrm` (and mrm,
ulgm_sugrm).

Notation: B clips of up to T frames, S frames of all of them laid end to end, D input features,
d width, N training clips, e epoch from 1. Features that are compared across modalities (F*) are
keyed by modality, the fused one by "multimodal".
"""

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import torch
from pydantic import BaseModel, ConfigDict, PositiveInt
from torch import Tensor, nn
from torch.linalg import vector_norm
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence

from msalib.data.corpus import pad
from msalib.models.labels import LIMIT, Labels, Zero, classes, require_classes
from msalib.models.mult import MulT
from msalib.models.spt import SPT, Shift, modalities

SQUEEZED = ("acoustic", "visual", "linguistic")
"""Order of the modalities in the bottleneck of the recalibration, papers/sugrm.md (c)."""

FUSED = ("linguistic", "acoustic", "visual")
"""Order of the modalities before the multimodal head, papers/sugrm.md (c)."""

EXTREME_SHARE = 0.005
"""Share of the clips that stand for an extreme which no clip is labelled with, (d)."""


class Config(BaseModel):
    """What models/sugrm.yaml says of the model, each value with its source there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    family: Literal["sugrm"]
    width: PositiveInt  # d
    heads: PositiveInt
    layers: PositiveInt
    bottleneck_ratio: PositiveInt
    embed_dropout: float
    residual_dropout: float
    relu_dropout: float
    head_dropout: float
    shift: Shift  # of the input attention; read with "spt" only
    head: Literal["release", "paper"]
    recalibration: Literal["mrm", "no_mrm"]
    sequence: Literal["spt", "lstm", "dense"]


class Output(NamedTuple):
    """What the model returns; every exhibit and loss reads from here.

    ``gates`` is empty without recalibration.
    """

    prediction: Tensor  # (B,)
    unimodal: dict[str, Tensor]  # m -> (B,)
    shared: dict[str, Tensor]  # "multimodal" and m -> (B, d), F*
    gates: dict[str, Tensor]  # m -> (B, D), from 0 to 2


class Recalibration(nn.Module):
    """MRM, papers/sugrm.md (c): a gate per clip and feature from the means of all modalities."""

    def __init__(self, *, input_sizes: Mapping[str, int], ratio: int):
        super().__init__()
        total = sum(input_sizes.values())
        bottleneck = total // ratio
        self.squeeze = nn.Linear(total, bottleneck)  # W_z, b_z
        self.excite = nn.ModuleDict(
            {m: nn.Linear(bottleneck, input_sizes[m]) for m in SQUEEZED if m in input_sizes}
        )  # W_s, b_s

    def forward(self, x: Mapping[str, Tensor], length: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Gates m -> (B, D) of ``x[m]`` (B, T, D), zero beyond the ``length[m]`` (B,) frames."""
        means = [x[m].sum(1) / length[m][:, None] for m in self.excite]
        z = self.squeeze(torch.cat(means, -1)).relu()
        return {m: 2 * excite(z).sigmoid() for m, excite in self.excite.items()}


class Recurrent(nn.Module):
    """Self-MM's sub-network: a one-layer LSTM, its state after a clip's own last frame, a map."""

    def __init__(self, *, input_size: int, hidden_size: int, output_size: int):
        super().__init__()
        self.lstm = nn.LSTM(input_size, hidden_size, batch_first=True)
        self.output = nn.Linear(hidden_size, output_size)

    def forward(self, x: Tensor, length: Tensor) -> Tensor:
        """(B, T, D) and (B,) to (B, output_size)."""
        packed = pack_padded_sequence(x, length.cpu(), batch_first=True, enforce_sorted=False)
        _, (last, _) = self.lstm(packed)
        return self.output(last[0])


class RecurrentEncoders(nn.Module):
    """SUGRM with LSTMs for the SPT, Table 4; the wiring is inferred, papers/sugrm.md (h).

    Acoustic and visual sequences through LSTMs as wide as their output; of the text its first
    position, mapped to the same width.
    """

    def __init__(self, *, input_sizes: Mapping[str, int], width: int):
        super().__init__()
        self.text = None
        if "linguistic" in input_sizes:
            self.text = nn.Linear(input_sizes["linguistic"], width)
        self.recurrent = nn.ModuleDict(
            {
                m: Recurrent(input_size=size, hidden_size=width, output_size=width)
                for m, size in input_sizes.items()
                if m != "linguistic"
            }
        )

    def forward(self, x: Mapping[str, Tensor], length: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """``x[m]`` (B, T, D) and ``length[m]`` (B,) to m -> (B, width)."""
        states = {m: encoder(x[m], length[m]) for m, encoder in self.recurrent.items()}
        if self.text is not None:
            states["linguistic"] = self.text(x["linguistic"][:, 0])
        return states


class Head(nn.Module):
    """Papers/sugrm.md (c), Heads, and (g) 3: state (B, D) to prediction (B,) and F* (B, d).

    Release: F* = W2 Drop(ReLU(W1 F + b1)) + b2. Paper: F* = ReLU(W1 F + b1).
    """

    def __init__(
        self, *, input_size: int, width: int, dropout: float, kind: Literal["release", "paper"]
    ):
        super().__init__()
        self.hidden = nn.Linear(input_size, width)  # W1, b1
        self.dropout = nn.Dropout(dropout)
        self.feature = nn.Linear(width, width) if kind == "release" else None  # W2, b2
        self.output = nn.Linear(width, 1)  # w3, b3

    def forward(self, state: Tensor) -> tuple[Tensor, Tensor]:
        hidden = self.hidden(state).relu()
        if self.feature is None:
            return self.output(self.dropout(hidden)).squeeze(-1), hidden
        shared = self.feature(self.dropout(hidden))
        return self.output(shared).squeeze(-1), shared


class SUGRM(nn.Module):
    """One to three modalities; ``input_sizes`` maps each in use to D.

    ``sequence`` encodes every modality, (B, T, D), to its last state (B, d).
    """

    def __init__(
        self,
        *,
        input_sizes: Mapping[str, int],
        sequence: nn.Module,
        width: int,
        bottleneck_ratio: int,
        head_dropout: float,
        head: Literal["release", "paper"],
        recalibration: Literal["mrm", "no_mrm"],
    ):
        super().__init__()
        self.recalibration = None
        if recalibration == "mrm":
            self.recalibration = Recalibration(input_sizes=input_sizes, ratio=bottleneck_ratio)
        self.sequence = sequence
        used = [m for m in FUSED if m in input_sizes]
        self.heads = nn.ModuleDict(
            {
                task: Head(
                    input_size=len(used) * width if task == "multimodal" else width,
                    width=width,
                    dropout=head_dropout,
                    kind=head,
                )
                for task in ("multimodal", *used)
            }
        )

    def forward(self, features: Mapping[str, Tensor], mask: Mapping[str, Tensor]) -> Output:
        """Predict from ``features[m]`` (S, D) and ``mask[m]`` (B, T), as in Batch."""
        used = [m for m in self.heads if m != "multimodal"]
        x = {m: pad(features[m], mask[m]) for m in used}
        length = {m: mask[m].sum(1) for m in used}
        gates = self.recalibration(x, length) if self.recalibration is not None else {}
        x |= {m: gate[:, None] * x[m] for m, gate in gates.items()}
        states = self.sequence(x, length)
        states["multimodal"] = torch.cat([states[m] for m in used], -1)
        return read(self.heads, states, gates)


def read(heads: nn.ModuleDict, states: Mapping[str, Tensor], gates: Mapping[str, Tensor]) -> Output:
    """Every head on its state (B, D)."""
    found = {task: head(states[task]) for task, head in heads.items()}
    prediction = {task: prediction for task, (prediction, _) in found.items()}
    shared = {task: feature for task, (_, feature) in found.items()}
    return Output(prediction.pop("multimodal"), prediction, shared, dict(gates))


def build(config: Config, *, input_sizes: Mapping[str, int]) -> SUGRM:
    """The model of a configuration: the one place where the two meet."""
    input_sizes = {m: input_sizes[m] for m in modalities(input_sizes)}
    transformer = config.model_dump(
        include={"width", "heads", "layers", "embed_dropout", "residual_dropout", "relu_dropout"}
    )
    match config.sequence:
        case "spt":
            sequence = SPT(input_sizes=input_sizes, shift=config.shift, **transformer)
        case "dense":
            sequence = MulT(input_sizes=input_sizes, **transformer)
        case "lstm":
            sequence = RecurrentEncoders(input_sizes=input_sizes, width=config.width)
    return SUGRM(
        input_sizes=input_sizes,
        sequence=sequence,
        **config.model_dump(
            include={"width", "bottleneck_ratio", "head_dropout", "head", "recalibration"}
        ),
    )


def groups(model: SUGRM) -> dict[str, list[nn.Parameter]]:
    """Parameters by learning rate and weight decay, papers/sugrm.md (e)."""
    sequence = list(model.sequence.parameters())
    known = {id(p) for p in sequence}
    return {
        "sequence": sequence,
        "other": [p for p in model.parameters() if id(p) not in known],
    }


ERRORS = {
    "l1": functional.l1_loss,
    "l2": functional.mse_loss,
    "huber": functional.huber_loss,  # delta 1
}


def loss(
    output: Output,
    given: Tensor,
    made: Mapping[str, Tensor],
    tasks: Sequence[str],
    kind: Literal["l1", "l2", "huber"],
) -> Tensor:
    """Papers/sugrm.md (e): error of the prediction, and of each unimodal one in ``tasks``.

    ``given`` (B,) and ``made[m]`` (B,) are labels. A generated label counts by tanh of its
    distance from the given one, so that tasks without labels of their own cost nothing.
    """
    error = ERRORS[kind]
    total = error(output.prediction, given)
    for m in tasks:
        weight = (made[m] - given).abs().tanh()
        total = total + (weight * error(output.unimodal[m], made[m], reduction="none")).mean()
    return total


class ULGM:
    """SUGRM's label generator, papers/sugrm.md (d), with all of its state in the open.

    ``labels``: the labels of all N clips. ``features`` (N, d): the last fused feature F* of each,
    zero where none was seen yet. ``positive`` and ``negative`` (d,): their means over the clips
    labelled so. ``max_distance``: between the means of the clips labelled 3 and -3, the extremes.

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
    ):
        require_classes(label, zero)
        self.labels = Labels(label, tasks, clamp=clamp)
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
        """Which clips stand for the label 3 or -3, (N,) bool."""
        label = sign * self.labels.given
        found = label == LIMIT
        if not found.any():
            k = max(1, math.ceil(EXTREME_SHARE * len(label)))
            found[label.argsort(descending=True, stable=True)[:k]] = True
            note = f"no clip is labelled {sign * LIMIT:g}: the {k} next to it stand in"
            self.note = note if self.note is None else f"{self.note}; {note}"
            warnings.warn(note, stacklevel=3)
        return found

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
        given = self.labels.given[rows]
        fused_up, fused_down = self._distances(fused)
        targets = {}
        for m in self.labels.made:
            own = shared[m].to(self.features)
            up, down = self._distances(own)
            apart = vector_norm(fused - own, dim=-1)
            # Coincident extremes measure nothing: no step, the target is y_m.
            reach = torch.minimum(apart, self.max_distance) / self.max_distance
            reach = torch.where(self.max_distance > 0, reach, 0)
            # up/down against fused_up/fused_down, as products: a feature on a centre is no ratio.
            direction = (fused_up * down - up * fused_down).sign()
            targets[m] = given + direction * 2 * LIMIT * reach
        self.labels.move(epoch, rows, targets)
        self.features[rows] = fused
        self._centre()

    def _distances(self, feature: Tensor) -> tuple[Tensor, Tensor]:
        """From the positive and from the negative centre, (B,) each."""
        return (
            vector_norm(feature - self.positive, dim=-1),
            vector_norm(feature - self.negative, dim=-1),
        )
