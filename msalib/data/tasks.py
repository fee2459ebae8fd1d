"""Tasks: what is predicted for a clip, and which metrics score it. A task belongs to a data set.

A task reads its labels from a column of the utterance table. A model gives ``outputs`` scores per
clip: one number for regression, one logit per class for classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from msalib.base.errors import UserError, unknown
from msalib.data import metrics

LIMIT = 3.0
"""Labels of sentiment lie within plus or minus this; no data set has a wider scale."""


@dataclass(frozen=True)
class Regression:
    """One number per clip from ``-limit`` to ``limit``, scored as MOSI and MOSEI are.

    ``column`` of the utterance table holds the labels.
    """

    limit: float = LIMIT
    column: str = "label"
    kind: Literal["regression"] = "regression"

    outputs: ClassVar[int] = 1
    error: ClassVar[str] = "l1"
    classes: ClassVar[tuple[str, ...]] = ()
    selects: ClassVar[str] = "corr"
    """Metric that chooses among systems on the validation set; higher is better."""
    shown: ClassVar[tuple[str, ...]] = (
        *("mae", "corr", "acc2_has0", "acc2_non0", "f1_has0", "f1_non0", "acc5", "acc7"),
    )
    edges: ClassVar[tuple[float, ...]] = tuple(map(float, np.linspace(-LIMIT, LIMIT, 25)))
    """Edges of bins in histograms of labels, the same for all scales so that they compare."""

    def labels(self, table: pd.DataFrame) -> np.ndarray:
        """Return the labels (N,) float64 of the clips of an utterance table."""
        return table[self.column].to_numpy(float)

    def prediction(self, scores: np.ndarray) -> np.ndarray:
        """Return the predicted values (N,): the scores (N,) themselves."""
        return np.asarray(scores)

    def metrics(self, label, scores) -> dict[str, float]:
        """Return the metrics of scores (N,) for labels (N,); undefined ones are nan."""
        return metrics.regression(label, scores)

    def chance(self, train_labels, test_labels) -> dict[str, float]:
        """Return the metrics of constant predictors on the test labels (``metrics.chance``)."""
        return metrics.chance(train_labels, test_labels)


@dataclass(frozen=True)
class Sims(Regression):
    """One number per clip from -1 to 1, scored as CH-SIMS is: its own cut points, zero negative."""

    limit: float = 1.0
    kind: Literal["sims"] = "sims"

    shown: ClassVar[tuple[str, ...]] = ("mae", "corr", "acc2", "f1", "acc3", "acc5")
    edges: ClassVar[tuple[float, ...]] = tuple(round(e / 10, 1) for e in range(-11, 12, 2))

    def metrics(self, label, scores) -> dict[str, float]:
        """Return the metrics of scores (N,) for labels (N,); undefined ones are nan."""
        return metrics.sims(label, scores)

    def chance(self, train_labels, test_labels) -> dict[str, float]:
        """Return the metrics of constant predictors on the test labels (``metrics.chance``)."""
        return metrics.chance(train_labels, test_labels, metrics.sims, metrics.SIMS)


@dataclass(frozen=True)
class Classes:
    """One of K classes per clip, numbered from 0 in the order of ``classes``.

    ``column`` of the utterance table holds, for each class, its entry of ``values``, or its name
    where no values are given.
    """

    classes: tuple[str, ...]
    column: str = "label"
    values: tuple[float, ...] = ()
    kind: Literal["classes"] = "classes"

    error: ClassVar[str] = "cross_entropy"
    selects: ClassVar[str] = "f1"

    def __post_init__(self):
        if len(set(self.classes)) != len(self.classes) or len(self.classes) < 2:
            raise ValueError(f"a task needs two or more classes, each once, got {self.classes}")
        if self.values and len(set(self.values)) != len(self.classes):
            raise ValueError(f"{len(self.classes)} classes need a value each, got {self.values}")

    @property
    def outputs(self) -> int:
        """K, scores per clip."""
        return len(self.classes)

    @property
    def shown(self) -> tuple[str, ...]:
        """Columns of tables: all clips, then each class against the rest."""
        return ("wa", "ua", "f1", "f1_macro", *(f"f1_{name}" for name in self.classes))

    @property
    def edges(self) -> tuple[float, ...]:
        """Edges of bins in histograms of labels: a bin per class."""
        return tuple(k - 0.5 for k in range(self.outputs + 1))

    def labels(self, table: pd.DataFrame) -> np.ndarray:
        """Return the class numbers (N,) int64 of the clips of an utterance table.

        Raises ``UserError`` for a value that is none of the classes.
        """
        numbers = {value: k for k, value in enumerate(self.values or self.classes)}
        labels = table[self.column].map(numbers)
        if labels.isna().any():
            clip = labels.index[labels.isna().to_numpy().argmax()]
            raise UserError(
                f"{self.column} of clip {clip}",
                found=repr(table[self.column][clip]),
                expected=f"one of {', '.join(map(str, numbers))}",
                remedy="Correct the label, or leave the clip out.",
            )
        return labels.to_numpy(np.int64)

    def prediction(self, scores: np.ndarray) -> np.ndarray:
        """Return the numbers (N,) of the classes with the highest of the scores (N, K)."""
        return np.asarray(scores).argmax(1)

    def metrics(self, label, scores) -> dict[str, float]:
        """Return the metrics of scores (N, K) for class numbers (N,); undefined ones are nan."""
        return self._score(label, self.prediction(scores))

    def chance(self, train_labels, test_labels) -> dict[str, float]:
        """Return the best metrics that always predicting one class reaches on the test labels."""
        return metrics.chance(train_labels, test_labels, self._score, range(self.outputs))

    def _score(self, label, prediction) -> dict[str, float]:
        return metrics.classification(label, prediction, self.classes)


Task = Annotated[Regression | Sims | Classes, Field(discriminator="kind")]
"""Any task; pydantic reads it from JSON by its ``kind``."""


def choose(tasks: Sequence[Task], column: str | None, where: str) -> Task:
    """Return the task of a data set ``where`` that predicts a column; by default the usual task.

    Raises ``UserError`` for a column that no task predicts.
    """
    if column is None:
        return tasks[0]
    if column not in (columns := [task.column for task in tasks]):
        remedy = "Name one of these targets, or none for the usual one."
        raise unknown("target", column, columns, of=where, remedy=remedy)
    return tasks[columns.index(column)]
