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
is our choice; the paper does not say. An epoch is better if its validation loss is lower by more
than 1e-6, as in the release; the paper has no rule.
Deviations from the release: no padding is read. Each clip ends at its own last frame, and means
run over its own length; the release pads to fixed lengths and reads the padding like frames, which
full masks reproduce. The labels at the two extremes have a fallback where no clip has them, and
coincident features cannot divide by zero. The validation loss is the mean over all clips. The
release takes the mean over batches of shuffled clips, so a small last batch, of other clips in
every epoch, weighs as much as a full one. Readers refuse features that are NaN or infinite, or set
them to zero on request and count them; the release sets minus infinity in sound to zero and reads
NaN. A loss that is not finite ends our training. The layers of a frozen text encoder come from a
store of half precision (float16); the release fine-tunes its encoder, in float32. Parity:
`python -m tests.parity sugrm` (and mrm, ulgm_sugrm).

Notation: B clips of up to T frames, S frames of all of them laid end to end, D input features,
d width, N training clips, e epoch from 1. Features that are compared across modalities (F*) are
keyed by modality, the fused one by "multimodal".
"""

from collections.abc import Mapping
from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict, PositiveInt
from torch import Tensor, nn

from msalib.data.corpus import Examples, pad
from msalib.models import multitask
from msalib.models.mult import MulT
from msalib.models.multitask import FUSED, Output, Recurrent, Training, extras, read
from msalib.models.spt import SPT, Shift, modalities
from msalib.models.ulgm import SelfMMULGM, SugrmULGM
from msalib.training.regime import Stream

__all__ = ["SUGRM", "Config", "Training", "build", "extras", "groups", "objective"]

SQUEEZED = ("acoustic", "visual", "linguistic")
"""Order of the modalities in the bottleneck of the recalibration, papers/sugrm.md (c)."""


class Config(BaseModel):
    """The ``model`` group of the recipe, each value with its source there."""

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
        """Return gates m -> (B, D); ``x[m]`` (B, T, D) is zero beyond ``length[m]`` (B,) frames."""
        means = [x[m].sum(1) / length[m][:, None] for m in self.excite]
        z = self.squeeze(torch.cat(means, -1)).relu()
        return {m: 2 * excite(z).sigmoid() for m, excite in self.excite.items()}


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


def build(
    config: Config, *, sizes: Mapping[str, int], layers: Mapping[str, int], outputs: int
) -> SUGRM:
    """Return the model of a configuration; it reads one layer and predicts one number."""
    multitask.require_one_output(outputs)
    input_sizes = {m: sizes[m] for m in modalities(sizes)}
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


def groups(model: SUGRM) -> dict[str, list]:
    """Return named parameters by learning rate and weight decay, papers/sugrm.md (e)."""
    named = list(model.named_parameters())
    return {
        "sequence": [(n, p) for n, p in named if n.startswith("sequence.")],
        "other": [(n, p) for n, p in named if not n.startswith("sequence.")],
    }


def objective(training: Training, model: SUGRM, train: Examples, stream: Stream):
    """Return the loss of all tasks, with SUGRM's label generator or, for Table 4, Self-MM's."""
    rule = {"own_ulgm": SugrmULGM, "other_ulgm": SelfMMULGM}[training.generator]
    return multitask.objective(training, rule, model.heads, train, stream)
