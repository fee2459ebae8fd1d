"""Compute metrics from sums over clips, so that resampling videos costs a few products.

``data.metrics`` defines the metrics and their conventions. Here each is written as a few numbers
per clip, its *terms*, and a value of their sums (``stats.Sums``). Notation: K arms, S seeds, N
clips, R resamples, C classes.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from msalib.base import stats
from msalib.base.stats import Sums
from msalib.data.tasks import Classes, Sims, Task


def metric_sums(task: Task, metric: str) -> Sums:
    """Return a metric of a task; raises ``KeyError`` for one that the task does not have."""
    if isinstance(task, Classes):
        return _of_classes(task, metric)
    if isinstance(task, Sims):  # is a Regression, too
        clipped, codes = _clipped, _SIMS
    else:
        clipped, codes = _as_it_is, _REGRESSION
    if metric in ("mae", "corr"):
        plain = stats.SUMS[metric]
        return plain._replace(terms=lambda y, x: plain.terms(clipped(y), clipped(x)))
    kind, code, classes = codes[metric]
    return _of_codes(kind, lambda y, x: code(clipped(y), clipped(x)), classes)


def point_and_resamples(
    task: Task, metric: str, label: np.ndarray, predictions: np.ndarray, videos: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return a metric of predictions (K, S, N): on all clips (K, S), mean of seeds by resample.

    The latter is (R, K). ``label`` is (N,), or (K, N) where arms are scored on labels of their own.
    Undefined values are nan. Raises ``UserError`` for fewer than two ``videos``.
    """
    return stats.by_resample(metric_sums(task, metric), label, predictions, videos)


def point(task: Task, metric: str, label: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """Return a metric of predictions (K, S, N) on all clips (K, S); ``label`` as above."""
    terms, value, _ = metric_sums(task, metric)
    sums = (
        term.astype(float).sum(-1) for term in terms(np.atleast_2d(label)[:, None], predictions)
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        return value(predictions.shape[-1], *sums)


def _as_it_is(values: np.ndarray) -> np.ndarray:
    return values


def _clipped(values: np.ndarray) -> np.ndarray:
    return values.clip(-1, 1)


# --- shares: from codes of truth and prediction -------------------------------------------------


class _Coded(NamedTuple):
    """Numbers of classes by clip, and which clips count."""

    truth: np.ndarray
    prediction: np.ndarray
    keep: np.ndarray


def _of_codes(kind: str, code: Callable, classes: tuple) -> Sums:
    """Return one of the kinds of ``_VALUES`` for codes that are among ``classes``."""

    def terms(label: np.ndarray, prediction: np.ndarray) -> tuple[np.ndarray, ...]:
        coded = _Coded(*code(label, prediction))
        if kind == "accuracy":
            kept = np.broadcast_to(coded.keep, label.shape)
            return kept & (coded.truth == coded.prediction), kept
        true = np.stack([coded.keep & (coded.truth == c) for c in classes])
        predicted = np.stack([coded.keep & (coded.prediction == c) for c in classes])
        return true & predicted, true, predicted

    return Sums(terms, _VALUES[kind], kind in _LINEAR)


def _accuracy(clips, right: np.ndarray, kept: np.ndarray) -> np.ndarray:
    return np.where(kept > 0, right / kept, np.nan)


# Sums by class, (..., C, K, S): of clips that are right, of the class, and said to be of the class.


def _weighted_f1(clips, right: np.ndarray, true: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    f1 = np.where(true > 0, 2 * right / (true + predicted), 0)
    kept = true.sum(-3)
    return np.where(kept > 0, (f1 * true).sum(-3) / kept, np.nan)


def _macro_f1(clips, right: np.ndarray, true: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    return _mean_where(true + predicted > 0, 2 * right / (true + predicted))


def _mean_recall(clips, right: np.ndarray, true: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    return _mean_where(true > 0, right / true)


def _mean_where(occurs: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the mean over the classes that occur."""
    return np.where(occurs, values, 0).sum(-3) / occurs.sum(-3)


def _f1_of_last(clips, right: np.ndarray, true: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Return the F1 of the last class, nan where it is neither true nor predicted."""
    last = np.index_exp[..., -1, :, :]
    return 2 * right[last] / (true[last] + predicted[last])


_VALUES = {
    "accuracy": _accuracy,
    "weighted_f1": _weighted_f1,
    "macro_f1": _macro_f1,
    "mean_recall": _mean_recall,
    "f1_of_last": _f1_of_last,
}

_LINEAR = ("accuracy", "mean_recall")
"""Kinds that divide by sums of labels only."""


def _has0(label: np.ndarray, prediction: np.ndarray) -> tuple:
    return label >= 0, prediction >= 0, np.True_


def _non0(label: np.ndarray, prediction: np.ndarray) -> tuple:
    return label > 0, prediction > 0, label != 0


def _rounded(limit: int, label: np.ndarray, prediction: np.ndarray) -> tuple:
    return *(np.round(np.clip(v, -limit, limit)) for v in (label, prediction)), np.True_


def _binned(cuts: tuple[float, ...], label: np.ndarray, prediction: np.ndarray) -> tuple:
    return *(np.searchsorted(cuts, v, side="left") for v in (label, prediction)), np.True_


_TWO = (False, True)

_REGRESSION = {
    "acc2_has0": ("accuracy", _has0, _TWO),
    "acc2_non0": ("accuracy", _non0, _TWO),
    "f1_has0": ("weighted_f1", _has0, _TWO),
    "f1_non0": ("weighted_f1", _non0, _TWO),
    **{f"acc{2 * k + 1}": ("accuracy", partial(_rounded, k), ()) for k in (1, 2, 3)},
}

_SIMS = {
    "acc2": ("accuracy", partial(_binned, (0.0,)), ()),
    "f1": ("weighted_f1", partial(_binned, (0.0,)), (0, 1)),
    "acc3": ("accuracy", partial(_binned, (-0.1, 0.1)), ()),
    "acc5": ("accuracy", partial(_binned, (-0.7, -0.1, 0.1, 0.7)), ()),
}


def _of_classes(task: Classes, metric: str) -> Sums:
    numbers = tuple(range(task.outputs))
    kinds = {"wa": "accuracy", "ua": "mean_recall", "f1": "weighted_f1", "f1_macro": "macro_f1"}
    if metric in kinds:
        return _of_codes(kinds[metric], _every_class, numbers)
    prefix, _, name = metric.partition("_")
    kind = {"acc2": "accuracy", "f1": "f1_of_last"}[prefix]
    return _of_codes(kind, partial(_one_class, task.classes.index(name)), _TWO)


def _every_class(label: np.ndarray, prediction: np.ndarray) -> tuple:
    return label, prediction, np.True_


def _one_class(number: int, label: np.ndarray, prediction: np.ndarray) -> tuple:
    return label == number, prediction == number, np.True_


def metrics_of(task: Task) -> tuple[str, ...]:
    """Return the names of all metrics of a task, in the order of ``Task.metrics``."""
    if isinstance(task, Classes):
        single = (f"{prefix}_{name}" for prefix in ("acc2", "f1") for name in task.classes)
        return "wa", "ua", "f1", "f1_macro", *single
    codes = _SIMS if isinstance(task, Sims) else _REGRESSION
    return tuple(dict.fromkeys(["mae", "corr", *codes]))
