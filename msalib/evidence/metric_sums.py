"""Compute metrics from sums over clips, so that resampling videos costs one product.

``data.metrics`` defines the metrics and their conventions. Here each is written as a few numbers
per clip, its *terms*, and a value of their sums. A resample adds up the sums of the videos that it
drew, so 10,000 resamples are one matrix product and no loop. Notation: K arms, S seeds, N clips, R
resamples, T terms.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from msalib.base import stats
from msalib.data.tasks import Classes, Sims, Task


class MetricSums(NamedTuple):
    """A metric as a function of sums over clips.

    ``terms`` maps labels and predictions that broadcast with each other to numbers per clip
    (T, ..., N); ``value`` maps the number of clips and the sums (T, ...) to the metric (...).
    """

    terms: Callable[[np.ndarray, np.ndarray], np.ndarray]
    value: Callable[[np.ndarray, np.ndarray], np.ndarray]


def metric_sums(task: Task, metric: str) -> MetricSums:
    """Return a metric of a task; raises ``KeyError`` for one that the task does not have."""
    if isinstance(task, Classes):
        return _of_classes(task, metric)
    if isinstance(task, Sims):  # is a Regression, too
        clipped, codes = _clipped, _SIMS
    else:
        clipped, codes = _as_it_is, _REGRESSION
    if metric in ("mae", "corr"):
        terms, value = _ERRORS[metric]
        return MetricSums(lambda y, x: terms(clipped(y), clipped(x)), value)
    kind, code, classes = codes[metric]
    return _of_codes(kind, lambda y, x: code(clipped(y), clipped(x)), classes)


def point_and_resamples(
    task: Task, metric: str, label: np.ndarray, predictions: np.ndarray, videos: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return a metric of predictions (K, S, N): on all clips (K, S), and by resample (R, K, S).

    ``label`` is (N,), or (K, N) where arms are scored on labels of their own. Undefined values are
    nan. Raises ``UserError`` for fewer than two ``videos``.
    """
    counts, number = stats.video_resamples(videos)
    terms, value = metric_sums(task, metric)
    sums = stats.sums_by_video(terms(_by_arm(label), predictions).astype(float), number)
    clips = np.bincount(number)

    def score(draws: np.ndarray) -> np.ndarray:
        drawn = stats.drawn_sums(draws, sums)  # (R, T, K, S)
        with np.errstate(invalid="ignore", divide="ignore"):
            return value((draws @ clips)[:, None, None], np.moveaxis(drawn, 1, 0))

    return score(np.ones((1, len(clips))))[0], score(counts)


def point(task: Task, metric: str, label: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """Return a metric of predictions (K, S, N) on all clips (K, S); ``label`` as above."""
    terms, value = metric_sums(task, metric)
    clips = np.full((1, 1), predictions.shape[-1])
    with np.errstate(invalid="ignore", divide="ignore"):
        return value(clips, terms(_by_arm(label), predictions).astype(float).sum(-1))


def _by_arm(label: np.ndarray) -> np.ndarray:
    """Return labels (N,) or (K, N) so that they broadcast with predictions (K, S, N)."""
    return label[..., None, :]


# --- errors and correlation ---------------------------------------------------------------------


def _as_it_is(values: np.ndarray) -> np.ndarray:
    return values


def _clipped(values: np.ndarray) -> np.ndarray:
    return values.clip(-1, 1)


def _error_terms(label: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    return np.abs(prediction - label)[None]


def _mean(clips: np.ndarray, sums: np.ndarray) -> np.ndarray:
    return sums[0] / clips


def _products(label: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    x = prediction - prediction.mean(-1, keepdims=True)  # for precision
    y = np.broadcast_to(label - label.mean(-1, keepdims=True), x.shape)
    return np.stack([x, y, x * x, y * y, x * y])


def _pearson(clips: np.ndarray, sums: np.ndarray) -> np.ndarray:
    return stats.correlation_of_sums(clips, *sums)


_ERRORS = {"mae": (_error_terms, _mean), "corr": (_products, _pearson)}

# --- shares: from codes of truth and prediction -------------------------------------------------


class _Coded(NamedTuple):
    """Numbers of classes by clip, and which clips count."""

    truth: np.ndarray
    prediction: np.ndarray
    keep: np.ndarray


def _of_codes(kind: str, code: Callable, classes: tuple) -> MetricSums:
    """Return one of the kinds of ``_VALUES`` for codes that are among ``classes``."""

    def terms(label: np.ndarray, prediction: np.ndarray) -> np.ndarray:
        coded = _Coded(*np.broadcast_arrays(*code(label, prediction)))
        if kind == "accuracy":
            return np.stack([coded.keep & (coded.truth == coded.prediction), coded.keep])
        true = np.stack([coded.keep & (coded.truth == c) for c in classes])
        predicted = np.stack([coded.keep & (coded.prediction == c) for c in classes])
        return np.concatenate([true & predicted, true, predicted])

    return MetricSums(terms, _VALUES[kind])


def _accuracy(clips: np.ndarray, sums: np.ndarray) -> np.ndarray:
    right, kept = sums
    return np.where(kept > 0, right / kept, np.nan)


def _by_class(sums: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Split sums into those of each class (C, ...): right, true and predicted."""
    return tuple(np.split(sums, 3))


def _weighted_f1(clips: np.ndarray, sums: np.ndarray) -> np.ndarray:
    right, true, predicted = _by_class(sums)
    f1 = np.where(true > 0, 2 * right / (true + predicted), 0)
    kept = true.sum(0)
    return np.where(kept > 0, (f1 * true).sum(0) / kept, np.nan)


def _macro_f1(clips: np.ndarray, sums: np.ndarray) -> np.ndarray:
    right, true, predicted = _by_class(sums)
    return _mean_where(true + predicted > 0, 2 * right / (true + predicted))


def _mean_recall(clips: np.ndarray, sums: np.ndarray) -> np.ndarray:
    right, true, _ = _by_class(sums)
    return _mean_where(true > 0, right / true)


def _mean_where(occurs: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the mean over the classes that occur, axis 0."""
    return np.where(occurs, values, 0).sum(0) / occurs.sum(0)


def _f1_of_last(clips: np.ndarray, sums: np.ndarray) -> np.ndarray:
    """Return the F1 of the last class, nan where it is neither true nor predicted."""
    right, true, predicted = (part[-1] for part in _by_class(sums))
    return 2 * right / (true + predicted)


_VALUES = {
    "accuracy": _accuracy,
    "weighted_f1": _weighted_f1,
    "macro_f1": _macro_f1,
    "mean_recall": _mean_recall,
    "f1_of_last": _f1_of_last,
}


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


def _of_classes(task: Classes, metric: str) -> MetricSums:
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
