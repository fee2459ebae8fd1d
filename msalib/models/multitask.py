"""Multimodal and unimodal tasks at once: what SUGRM and Self-MM have in common.

A model has one multimodal head and one per modality. A unimodal label is generated in training
(ULGM, msalib/models/ulgm.py) and counts by how far it lies from the annotated one. Specification:
papers/sugrm.md (c), (d), (e).

Notation: B clips of up to T frames, N training clips, d width, e epoch from 1. Features that are
compared across modalities (F*) are keyed by modality, the fused one by "multimodal".

Longer: than a model file should be; it holds the objective of two models and what their records
add.
"""

from collections.abc import Mapping
from copy import deepcopy
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from msalib.base.errors import UserError
from msalib.base.stats import varies
from msalib.data.corpus import Batch, Examples
from msalib.models.extras import GeneratedLabels, Geometry, MultitaskExtras, rounded
from msalib.models.ulgm import Labels, SelfMMULGM, SugrmULGM
from msalib.models.unimodal_tasks import tasks
from msalib.training.loop import Fit, predict
from msalib.training.objective import Objective, Outputs
from msalib.training.regime import Part, Regime, Stream
from msalib.training.streams import Sequential

FUSED = ("linguistic", "acoustic", "visual")
"""Order of the modalities before the multimodal head, papers/sugrm.md (c)."""

IMPROVEMENT = 1e-6
"""By which a validation loss must fall to count (papers/sugrm.md (e))."""


class Training(BaseModel):
    """The ``train`` group of a recipe; each value has its source in models/<family>.yaml.

    A learning rate or weight decay is None where the model has no such part.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    epochs: PositiveInt
    stop: Literal["early", "all_epochs"]
    epochs_without_stop: PositiveInt
    patience: PositiveInt
    batch_size: PositiveInt
    accumulation: PositiveInt
    precision: Literal["float32", "bfloat16"]
    learning_rate_text: PositiveFloat
    learning_rate_sequence: PositiveFloat | None
    learning_rate_acoustic: PositiveFloat | None
    learning_rate_visual: PositiveFloat | None
    learning_rate_other: PositiveFloat
    weight_decay_text: NonNegativeFloat
    weight_decay_sequence: NonNegativeFloat | None
    weight_decay_acoustic: NonNegativeFloat | None
    weight_decay_visual: NonNegativeFloat | None
    weight_decay_other: NonNegativeFloat
    loss: Literal["l1", "l2", "huber"]
    tasks: str
    generator: Literal["own_ulgm", "other_ulgm"]
    extremes: Literal["repeated", "unique"]
    zero: Literal["positive", "neither"]
    targets: Literal["clamped", "free"]

    def regime(self) -> Regime:
        """Return the regime of this recipe, papers/sugrm.md (e).

        ``precision`` is that of a fine-tuned text encoder alone.
        """
        early = self.stop == "early"
        return Regime(
            epochs=self.epochs if early else self.epochs_without_stop,
            batch_size=self.batch_size,
            parts=self._parts(),
            stream=Sequential,
            accumulation=self.accumulation,
            patience=self.patience if early else None,
            improvement=IMPROVEMENT,
        )

    def _parts(self) -> dict[str, Part]:
        settings = self.model_dump()
        return {
            name: Part(
                settings[f"learning_rate_{name}"],
                settings[f"weight_decay_{name}"],
                spared=name == "text",
            )
            for name in ("text", "sequence", "acoustic", "visual", "other")
            if settings[f"learning_rate_{name}"] is not None
        }


class Output(NamedTuple):
    """What a model returns; every exhibit and loss reads from here.

    ``gates`` is empty without recalibration.
    """

    prediction: Tensor  # (B,)
    unimodal: dict[str, Tensor]  # m -> (B,)
    shared: dict[str, Tensor]  # "multimodal" and m -> (B, d), F*
    gates: dict[str, Tensor]  # m -> (B, D), from 0 to 2


class Recurrent(nn.Module):
    """Self-MM's sub-network: a one-layer LSTM, its state after a clip's own last frame, a map."""

    def __init__(self, *, input_size: int, hidden_size: int, output_size: int):
        super().__init__()
        self.lstm = nn.LSTM(input_size, hidden_size, batch_first=True)
        self.output = nn.Linear(hidden_size, output_size)

    def forward(self, x: Tensor, length: Tensor) -> Tensor:
        """Encode (B, T, D) with lengths (B,) to (B, output_size)."""
        packed = pack_padded_sequence(x, length.cpu(), batch_first=True, enforce_sorted=False)
        _, (last, _) = self.lstm(packed)
        return self.output(last[0])


def read(heads: nn.ModuleDict, states: Mapping[str, Tensor], gates: Mapping[str, Tensor]) -> Output:
    """Apply every head to its state (B, D)."""
    results = {task: head(states[task]) for task, head in heads.items()}
    prediction = {task: prediction for task, (prediction, _) in results.items()}
    shared = {task: feature for task, (_, feature) in results.items()}
    return Output(prediction.pop("multimodal"), prediction, shared, dict(gates))


class Multitask(Objective):
    """Error of the prediction and of each unimodal task, papers/sugrm.md (e), with its ULGM.

    ``generator`` is None where no unimodal task is trained; ``first`` are the model's weights after
    epoch 1, for the geometry.
    """

    def __init__(self, error: str, generator: SugrmULGM | SelfMMULGM | None):
        super().__init__(error)
        self.generator, self.first = generator, None

    def loss(self, output: Output, batch: Batch, rows: Tensor) -> Tensor:
        """Return the loss of a batch.

        A generated label counts by tanh of its distance from the annotated one, so a task without
        labels of its own costs nothing.
        """
        total = self.error(output.prediction, batch.label)
        if self.generator is None:
            return total
        for m, generated in self.generator.labels.at(rows.to(batch.label.device)).items():
            weight = (generated - batch.label).abs().tanh()
            error = self.error(output.unimodal[m], generated, reduction="none")
            total = total + (weight * error).mean()
        return total

    def after_batch(self, epoch: int, rows: Tensor, output: Output) -> None:
        if self.generator is not None:
            shared = {x: feature.detach() for x, feature in output.shared.items()}
            self.generator.update(epoch, rows.to(output.prediction.device), shared)

    def end_epoch(self, epoch: int, model: nn.Module) -> None:
        if self.generator is not None:
            self.generator.labels.end_epoch()
        if epoch == 1:
            self.first = deepcopy(model.state_dict())

    def score(self, outputs: Outputs, examples: Examples) -> float:
        """Return the error over all clips of the validation set (release: a mean of batches)."""
        return float(self.error(outputs.scores, examples.label.cpu()))


def require_one_output(outputs: int) -> None:
    """Refuse classes: generated labels shift a number along a scale."""
    if outputs != 1:
        raise UserError(
            "generated unimodal labels",
            found=f"a data set with {outputs} classes",
            expected="labels that are numbers on one scale",
            remedy="Choose a data set with sentiment scores, or another model.",
        )


def objective(
    training: Training, rule: type, heads: nn.ModuleDict, train: Examples, stream: Stream
) -> Multitask:
    """Return the objective of a run; ``rule`` is the class of its label generator.

    SUGRM's rule needs the batch of each clip in a pass before training, papers/sugrm.md (g) 4.
    """
    chosen = tasks(training.tasks, list(train.inputs))
    if not chosen:
        return Multitask(training.loss, None)
    batch_of = torch.empty(len(train), dtype=torch.long)
    batch_of[stream.permutation(len(train))] = torch.arange(len(train)) // training.batch_size
    widths = {task: head.output.in_features for task, head in heads.items()}
    limit = train.task.limit
    if rule is SelfMMULGM:
        generator = SelfMMULGM(train.label, chosen, widths=widths, zero=training.zero, limit=limit)
        return Multitask(training.loss, generator)
    if len(set(widths.values())) > 1:
        raise ValueError("SUGRM's generator needs features F* of equal width")
    generator = SugrmULGM(
        train.label,
        chosen,
        width=widths["multimodal"],
        extremes=training.extremes,
        zero=training.zero,
        clamp=training.targets == "clamped",
        batch_of=batch_of.to(train.device),
        limit=limit,
    )
    return Multitask(training.loss, generator)


def extras(
    training: Training,
    fitted: Fit,
    examples: Mapping[str, Examples],
    outputs: Mapping[str, Outputs],
) -> MultitaskExtras:
    """Return what a record says beside the prediction: unimodal ones, labels, geometry."""
    chosen = tasks(training.tasks, list(examples["train"].inputs))
    return MultitaskExtras(
        unimodal={
            m: rounded(outputs["test"].column(lambda output, m=m: output.unimodal[m]).numpy())
            for m in chosen
        },
        labels=_generated_labels(training, fitted.objective, examples["train"]),
        geometry=_geometry(fitted, outputs["test"], examples["test"]),
    )


def _generated_labels(
    training: Training, objective: Multitask, train: Examples
) -> GeneratedLabels | None:
    if objective.generator is None:
        return None
    labels = objective.generator.labels
    keep = training.stop == "all_epochs"
    return GeneratedLabels(
        id=list(train.ids),
        video=list(train.videos),
        given=rounded(labels.annotated.cpu().numpy()),
        note=objective.generator.note,
        **_by_epoch(labels),
        made={m: _trajectory(labels, m) for m in labels.generated} if keep else {},
    )


def _by_epoch(labels: Labels) -> dict[str, dict[str, list[float | None]]]:
    """Return the fields of ``GeneratedLabels`` that are numbers per epoch."""
    past = labels.history
    names = "movement", "drift", "clamped", "percentile", "largest_midway", "largest_elsewhere"
    fields = {name: {} for name in names}
    for m in labels.generated:
        later = past[1:]  # epoch 1 has no target
        fields["movement"][m] = [None, *_changes([epoch.labels[m] for epoch in past])]
        drift = [None, None, *_changes([epoch.targets[m] for epoch in later])]
        fields["drift"][m] = drift[: len(past)]
        fields["clamped"][m] = [None, *rounded([epoch.at_limit[m] for epoch in later])]
        fields["percentile"][m] = [None, *rounded([epoch.magnitude[m] for epoch in later])]
        for name in names[-2:]:
            fields[name][m] = [None, *rounded([getattr(epoch, name)[m] for epoch in later])]
    return fields


def _changes(states: list[Tensor]) -> list[float]:
    """Return the mean absolute change from each state (N,) to the next."""
    return rounded([float((b - a).abs().mean()) for a, b in pairwise(states)])


def _trajectory(labels: Labels, modality: str) -> list[list[float]]:
    """Return labels of all epochs, (epochs, N), in hundredths, so that records stay small."""
    generated = np.stack([epoch.labels[modality].numpy() for epoch in labels.history])
    return [[float(f"{value:.2f}") for value in epoch] for epoch in generated]


def spearman(features: np.ndarray, label: np.ndarray) -> float | None:
    """Return Spearman's rho between distances of features (N, d) and of labels (N,).

    Over all pairs of clips; None where either distances are all the same (papers/sugrm.md (b),
    C20).
    """
    from scipy.spatial.distance import pdist
    from scipy.stats import spearmanr

    apart, unlike = pdist(features), pdist(label[:, None])
    if not (varies(apart) and varies(unlike)):
        return None
    return float(f"{spearmanr(apart, unlike).statistic:.6g}")


def _geometry(fitted: Fit, selected: Outputs, test: Examples) -> Geometry:
    """Return the geometry of the test set with the selected weights and those after epoch 1."""
    label, model = test.label.cpu().numpy(), fitted.model
    weights = {name: values.clone() for name, values in model.state_dict().items()}
    model.load_state_dict(fitted.objective.first)
    first = predict(model, test, len(selected.rows[0]))
    model.load_state_dict(weights)
    rho = [
        spearman(outputs.column(lambda output: output.shared["multimodal"]).numpy(), label)
        for outputs in (first, selected)
    ]
    return Geometry(first=rho[0], selected=rho[1])
