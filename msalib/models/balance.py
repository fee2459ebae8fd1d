"""The objective of a model with mixtures of experts, and what its records say of the experts.

Its output has ``prediction``, ``gates`` (modality -> ``moe.Gates``), ``whole`` and ``pieces``
(modality -> (B, d)) and ``fused`` (B, D): GLoMo, papers/glomo.md (c), "Losses".
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from msalib.base import spaces
from msalib.data.corpus import Batch, Examples
from msalib.models.extras import ExpertExtras, ExpertUse
from msalib.training.objective import Objective, Outputs

if TYPE_CHECKING:
    from msalib.training.loop import Fit

SHOWN = 300
"""Test clips whose vectors are measured, at most: the first ones."""


class Balanced(Objective):
    """The error of the prediction plus omega times the penalty of each mixture.

    ``busy``: by epoch, modality -> importance and load (2, s) summed over its batches. Validation
    scores the error alone.
    """

    def __init__(self, error: str, omega: float):
        super().__init__(error)
        self.omega = omega
        self.busy: list[dict[str, Tensor]] = []
        self._epoch: dict[str, Tensor] = {}

    def loss(self, output: NamedTuple, batch: Batch, rows: Tensor | None = None) -> Tensor:
        """Return the loss of a batch."""
        penalty = sum((gates.penalty for gates in output.gates.values()), torch.zeros(()))
        return super().loss(output, batch, rows) + self.omega * penalty

    def after_batch(self, epoch: int, rows: Tensor, output: NamedTuple) -> None:
        """Add up how busy the experts are."""
        for m, gates in output.gates.items():
            busy = torch.stack([gates.importance, gates.load]).detach().float().cpu()
            self._epoch[m] = self._epoch.get(m, 0) + busy

    def end_epoch(self, epoch: int, model: nn.Module) -> None:
        """Keep the sums of an epoch."""
        self.busy.append(self._epoch)
        self._epoch = {}


def extras(
    training: NamedTuple,
    fitted: "Fit",
    examples: Mapping[str, Examples],
    outputs: Mapping[str, Outputs],
) -> ExpertExtras:
    """Return what a record says of the experts, and of the vectors of its test clips."""
    first = outputs["test"].batches[0]
    experts, use = {}, {}
    for m in first.gates:
        gates = {part: _gates(outputs[part], m) for part in ("valid", "test")}
        experts[m] = gates["test"].argmax(1).tolist()
        epochs = [shares(epoch[m]) for epoch in fitted.objective.busy]
        valid = shares(torch.stack([gates["valid"].sum(0), (gates["valid"] > 0).float().sum(0)]))
        use[m] = ExpertUse(
            importance=[row for row, _ in epochs],
            load=[row for _, row in epochs],
            valid_importance=valid[0],
            valid_load=valid[1],
        )
    return ExpertExtras(experts=experts, use=use, spaces=_spaces(examples, outputs, experts))


def shares(busy: Tensor) -> list[list[float]]:
    """Return importance and load (2, s) as shares of their sums, to four decimals."""
    total = busy.sum(1, keepdim=True).clamp(min=1e-12)
    return [[round(value, 4) for value in row] for row in (busy / total).tolist()]


def _gates(outputs: Outputs, modality: str) -> Tensor:
    return outputs.column(lambda output: output.gates[modality].gates)


def _spaces(
    examples: Mapping[str, Examples], outputs: Mapping[str, Outputs], experts: Mapping[str, list]
) -> dict[str, dict[str, float]]:
    """Return numbers on the model's vectors: of each modality's two kinds, and of the fused one."""
    first, found = outputs["test"].batches[0], {}
    for m in first.whole:
        if m in first.pieces and m in experts:
            whole = outputs["test"].column(lambda output, m=m: output.whole[m])[:SHOWN].numpy()
            pieces = outputs["test"].column(lambda output, m=m: output.pieces[m])[:SHOWN].numpy()
            found[m] = spaces.two_kinds(whole, pieces, np.array(experts[m][:SHOWN]))
    groups = {part: _groups(examples[part]) for part in ("train", "test")}
    fused = {part: outputs[part].column(lambda output: output.fused).numpy() for part in groups}
    found["fused"] = spaces.grouped(fused["test"], groups["test"], fused["train"], groups["train"])
    return found


def _groups(examples: Examples) -> np.ndarray:
    """Return the class of each clip (N,); of a score its sign, -1 where it is zero."""
    label = examples.label.cpu().numpy()
    if examples.task.outputs > 1:
        return label
    return np.where(label == 0, -1, label > 0)
