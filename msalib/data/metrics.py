"""Compute metrics exactly as the papers do: arrays in, a dictionary out, nothing rounded.

The name of a metric carries its convention. ``has0`` keeps clips labelled 0 and counts them as
positive; ``non0`` leaves them out. Definitions: papers/uegd.md (f), papers/mmml.md (f),
papers/cmt.md (f). Which of them score a data set is said by its task (``data.tasks``).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from msalib.base.stats import varies


@dataclass(frozen=True)
class Metric:
    """Name, unit and direction of a metric. A value in "%" is a share from 0 to 1."""

    label: str
    unit: str
    higher_is_better: bool
    decimals: int  # as the papers print it

    def show(self, value: float) -> str:
        """Format the number as the papers print it: a share in percent, the rest as it is."""
        return f"{100 * value if self.unit == '%' else value:.{self.decimals}f}"


class _Metrics(dict):
    """Metrics by name, and those of single classes: ``acc2_<class>`` and ``f1_<class>``."""

    def __missing__(self, name: str) -> Metric:
        prefix, _, class_name = name.partition("_")
        if prefix not in ("acc2", "f1") or not class_name:
            raise KeyError(name)
        return Metric(f"{self[prefix].label} ({class_name})", "%", True, 1)


METRICS = _Metrics(
    mae=Metric("MAE", "points", False, 3),
    corr=Metric("Corr", "", True, 3),
    acc2_has0=Metric("Acc-2 (has 0)", "%", True, 1),
    acc2_non0=Metric("Acc-2 (non 0)", "%", True, 1),
    f1_has0=Metric("F1 (has 0)", "%", True, 1),
    f1_non0=Metric("F1 (non 0)", "%", True, 1),
    acc2=Metric("Acc-2", "%", True, 1),  # CH-SIMS
    f1=Metric("F1", "%", True, 1),  # CH-SIMS and classes: weighted by true counts
    acc3=Metric("Acc-3", "%", True, 1),
    acc5=Metric("Acc-5", "%", True, 1),
    acc7=Metric("Acc-7", "%", True, 1),
    wa=Metric("WA", "%", True, 1),
    ua=Metric("UA", "%", True, 1),
    f1_macro=Metric("F1 (macro)", "%", True, 1),
)
"""Name of a metric -> how it is shown; a name of a single class is known as well."""


def _floating(values) -> np.ndarray:
    """Return an array in its own precision; whole numbers become floats."""
    values = np.asarray(values)
    return values if np.issubdtype(values.dtype, np.floating) else values.astype(float)


def _paired(truth, prediction) -> tuple[np.ndarray, np.ndarray]:
    truth, prediction = _floating(truth), _floating(prediction)
    if truth.ndim != 1 or truth.shape != prediction.shape or not len(truth):
        raise ValueError(
            "truth and prediction must be (N,) with the same N > 0, "
            f"got {truth.shape} and {prediction.shape}"
        )
    for name, values in (("truth", truth), ("prediction", prediction)):
        if bad := np.count_nonzero(~np.isfinite(values)):
            raise ValueError(f"{name} has {bad} values that are not finite")
    return truth, prediction


def _mae(truth, prediction) -> float:
    return float(np.abs(truth.astype(float) - prediction.astype(float)).mean())


def _corr(truth, prediction) -> float:
    """Return Pearson's correlation; nan where one side is constant but for rounding."""
    if not (varies(truth) and varies(prediction)):
        return float("nan")
    return float(np.corrcoef(truth, prediction)[0, 1])


def _accuracy(truth, prediction) -> float:
    return float((truth == prediction).mean()) if len(truth) else float("nan")


def _f1(truth, prediction) -> float:
    """Return the mean F1 of the classes, weighted by their true counts; nan for no clip.

    It is ``f1_score(average="weighted")`` of scikit-learn to the last digit, which spends several
    times as long on checks of what it is given.
    """
    if not len(truth):
        return float("nan")
    classes = np.union1d(truth, prediction)[:, None]
    true, predicted = truth == classes, prediction == classes
    f1 = 2 * (true & predicted).sum(1) / (true.sum(1) + predicted.sum(1))
    return float(np.average(f1, weights=true.sum(1)))


def _rounded(values, limit) -> np.ndarray:
    """Round to whole numbers within +-limit; halves go to the even neighbour, as in numpy."""
    return np.round(np.clip(values, -limit, limit))


def regression(truth, prediction) -> dict[str, float]:
    """Return all metrics of MOSI and MOSEI for labels and predictions (N,), papers/uegd.md (f).

    Shares are from 0 to 1. ``corr`` is nan if either side is constant but for rounding; the
    ``non0`` metrics are nan if every label is 0. Raises ``ValueError`` for unequal shapes and
    values that are not finite.
    """
    truth, prediction = _paired(truth, prediction)
    keep = truth != 0
    has0 = truth >= 0, prediction >= 0
    non0 = truth[keep] > 0, prediction[keep] > 0
    return {
        "mae": _mae(truth, prediction),
        "corr": _corr(truth, prediction),
        "acc2_has0": _accuracy(*has0),
        "acc2_non0": _accuracy(*non0),
        "f1_has0": _f1(*has0),
        "f1_non0": _f1(*non0),
        "acc3": _accuracy(_rounded(truth, 1), _rounded(prediction, 1)),
        "acc5": _accuracy(_rounded(truth, 2), _rounded(prediction, 2)),
        "acc7": _accuracy(_rounded(truth, 3), _rounded(prediction, 3)),
    }


def _binned(values, cuts) -> np.ndarray:
    """Return the number of the interval, each open on the left and closed on the right."""
    # In the precision of the values: the float32 next to 0.1 belongs to the bin that ends at 0.1.
    return np.searchsorted(np.asarray(cuts, values.dtype), values, side="left")


def sims(truth, prediction) -> dict[str, float]:
    """Return all metrics of CH-SIMS for labels and predictions (N,), papers/mmml.md (f).

    Both are clipped to [-1, 1] first, also for MAE and Corr; a zero counts as negative. Undefined
    values and errors as in ``regression``.
    """
    truth, prediction = (values.clip(-1, 1) for values in _paired(truth, prediction))
    two, three, five = (0.0,), (-0.1, 0.1), (-0.7, -0.1, 0.1, 0.7)
    return {
        "mae": _mae(truth, prediction),
        "corr": _corr(truth, prediction),
        "acc2": _accuracy(_binned(truth, two), _binned(prediction, two)),
        "f1": _f1(_binned(truth, two), _binned(prediction, two)),
        "acc3": _accuracy(_binned(truth, three), _binned(prediction, three)),
        "acc5": _accuracy(_binned(truth, five), _binned(prediction, five)),
    }


def classification(truth, prediction, names: Sequence[str]) -> dict[str, float]:
    """Return all metrics of numbers of classes (N,), from 0 to ``len(names) - 1``.

    ``wa`` is the weighted accuracy: the share of clips that are right, each class weighted by its
    true count. ``ua`` is the unweighted accuracy: the mean recall of the classes that occur.
    ``f1`` is weighted by true counts, ``f1_macro`` is the plain mean over the classes that occur
    in either array. ``acc2_<class>`` and ``f1_<class>`` tell one class from all others
    (papers/cmt.md (f)). A class in neither array has no F1 (nan). Raises ``ValueError`` for
    unequal shapes and numbers of no class.
    """
    truth, prediction = _paired(truth, prediction)
    size = len(names)
    for name, values in (("truth", truth), ("prediction", prediction)):
        if not np.isin(values, np.arange(size)).all():
            raise ValueError(f"{name} must have numbers of classes from 0 to {size - 1}")
    pair = size * truth.astype(int) + prediction.astype(int)
    table = np.bincount(pair, minlength=size**2).reshape(size, size)  # true class, predicted class
    right, true, predicted = table.diagonal(), table.sum(1), table.sum(0)
    wrong = true + predicted - 2 * right  # per class: missed, or taken for it
    with np.errstate(invalid="ignore"):
        recall, f1 = right / true, 2 * right / (true + predicted)
    scores = {
        "wa": right.sum() / len(truth),
        "ua": np.nanmean(recall),
        "f1": np.nansum(f1 * true) / len(truth),
        "f1_macro": np.nanmean(f1),
    }
    scores |= {f"acc2_{name}": 1 - n / len(truth) for name, n in zip(names, wrong, strict=True)}
    scores |= {f"f1_{name}": value for name, value in zip(names, f1, strict=True)}
    return {name: float(value) for name, value in scores.items()}


WHOLE = tuple(map(float, range(-3, 4)))
"""Predictions of which every class of ``regression`` has one."""

SIMS = (-1.0, -0.4, 0.0, 0.4, 1.0)
"""Predictions of which every interval of ``sims`` has one."""


def chance(
    train_labels,
    test_labels,
    score: Callable = regression,
    constants: Iterable[float] = WHOLE,
) -> dict[str, float]:
    """Return metrics of predictors that look at no clip, with the keys of ``score``.

    MAE is that of the median of the training labels. Every other metric is the best that one of
    the ``constants`` reaches *on the test labels*: accuracy is that of their majority class, as in
    the reference values of papers/uegd.md (b). On MOSI the majority of the training labels is the
    other class. ``corr`` is nan: a constant has none.
    """
    test_labels = np.asarray(test_labels)
    trials = [score(test_labels, np.full(test_labels.shape, value)) for value in constants]
    best = {name: float(np.fmax.reduce([t[name] for t in trials])) for name in trials[0]}
    if "mae" in best:
        median = np.full(test_labels.shape, np.median(train_labels))
        best["mae"] = score(test_labels, median)["mae"]
    return best
