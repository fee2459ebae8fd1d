"""Self-MM: self-supervised multi-task learning of multimodal and unimodal representations.

Yu et al., "Learning modality-specific representations with self-supervised multi-task learning
for multimodal sentiment analysis", AAAI 2021. Authors' code: https://github.com/thuiar/Self-MM
(1786283). Specification: papers/sugrm.md (c), Self-MM, and (d); written from it, without the
authors' code. It is the baseline of SUGRM, and shares its output and loss.

Idea: the first text position and the last LSTM state of the other modalities are fused by
concatenation; unimodal heads learn labels that a generator (ULGM) derives from how far each
feature lies from the centres of positive and negative clips.

Deviations from the paper and the release: one to three modalities; a class of generated labels
that has lost its last clip keeps its last centre. Validation, the improvement that counts, values
that are not finite and stored layers are as in msalib/models/sugrm.py, whose header says how that
differs from the releases. Parity: `python -m tests.parity ulgm_selfmm`.

Notation as in msalib/models/sugrm.py; F* has an own width per modality.
"""

from collections.abc import Mapping
from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict, PositiveInt
from torch import Tensor, nn

from msalib.data.corpus import Examples, pad
from msalib.models import multitask
from msalib.models.multitask import FUSED, Output, Recurrent, Training, extras, read
from msalib.models.spt import modalities
from msalib.models.ulgm import SelfMMULGM, SugrmULGM
from msalib.training.regime import Stream

__all__ = ["Config", "SelfMM", "Training", "build", "extras", "groups", "objective"]


class Config(BaseModel):
    """The ``model`` group of the recipe, each value with its source there."""

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
        """Return the fields ``<prefix>_<key>`` as key -> value."""
        return {
            name.removeprefix(f"{prefix}_"): value
            for name, value in self
            if name.startswith(f"{prefix}_")
        }


class Head(nn.Module):
    """Head: state (B, D) to prediction (B,) and F* (B, width), papers/sugrm.md (c), Self-MM.

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


def build(
    config: Config, *, sizes: Mapping[str, int], layers: Mapping[str, int], outputs: int
) -> SelfMM:
    """Return the model of a configuration; it reads one layer and predicts one number."""
    multitask.require_one_output(outputs)
    widths = {prefix: config.by_key(prefix) for prefix in ("lstm", "out", "feature", "dropout")}
    return SelfMM(input_sizes=sizes, **widths)


def groups(model: SelfMM) -> dict[str, list]:
    """Return named parameters by rate and weight decay, papers/sugrm.md (c), table of Self-MM."""
    encoders = {m: list(encoder.named_parameters()) for m, encoder in model.encoders.items()}
    return {**encoders, "other": list(model.heads.named_parameters())}


def objective(training: Training, model: SelfMM, train: Examples, stream: Stream):
    """Return the loss of all tasks, with Self-MM's label generator or, for tables, SUGRM's."""
    rule = {"own_ulgm": SelfMMULGM, "other_ulgm": SugrmULGM}[training.generator]
    return multitask.objective(training, rule, model.heads, train, stream)
