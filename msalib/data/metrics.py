"""Metrics exactly as the papers compute them: arrays in, a dictionary out, nothing rounded.

The name of a metric carries its convention. ``has0`` keeps clips labelled 0 and counts them as
positive; ``non0`` leaves them out. Definitions: papers/uegd.md (f), papers/mmml.md (f).
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Metric:
    """How a metric is shown. With the unit "%" the value itself is a share from 0 to 1."""

    label: str
    unit: str
    higher_is_better: bool
    decimals: int  # as the papers print it

    def show(self, value: float) -> str:
        """The number as the papers print it: a share in percent, the rest as it is."""
        return f"{100 * value if self.unit == '%' else value:.{self.decimals}f}"


METRICS = {
    "mae": Metric("MAE", "points", False, 3),
    "corr": Metric("Corr", "", True, 3),
    "acc2_has0": Metric("Acc-2 (has 0)", "%", True, 1),
    "acc2_non0": Metric("Acc-2 (non 0)", "%", True, 1),
    "f1_has0": Metric("F1 (has 0)", "%", True, 1),
    "f1_non0": Metric("F1 (non 0)", "%", True, 1),
    "acc2": Metric("Acc-2", "%", True, 1),  # CH-SIMS
    "f1": Metric("F1", "%", True, 1),  # CH-SIMS
    "acc3": Metric("Acc-3", "%", True, 1),
    "acc5": Metric("Acc-5", "%", True, 1),
    "acc7": Metric("Acc-7", "%", True, 1),
}


def _floating(values) -> np.ndarray:
    """As an array in its own precision; whole numbers become floats."""
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
    """Pearson correlation; nan where one side is constant, for which it is not defined."""
    if np.ptp(truth) == 0 or np.ptp(prediction) == 0:
        return float("nan")
    return float(np.corrcoef(truth, prediction)[0, 1])


def _accuracy(truth, prediction) -> float:
    return float((truth == prediction).mean()) if len(truth) else float("nan")


def _f1(truth, prediction) -> float:
    """F1 of each class, weighted by its true count."""
    from sklearn.metrics import f1_score

    return float(f1_score(truth, prediction, average="weighted")) if len(truth) else float("nan")


def _rounded(values, limit) -> np.ndarray:
    """Nearest whole number within +-limit; halves go to the even neighbour, as in numpy."""
    return np.round(np.clip(values, -limit, limit))


def regression(truth, prediction) -> dict[str, float]:
    """All metrics of MOSI and MOSEI for labels and predictions (N,), papers/uegd.md (f).

    Shares are from 0 to 1. ``corr`` is nan if either side is constant; the ``non0`` metrics are
    nan if every label is 0. Raises ``ValueError`` for unequal shapes and values that are not
    finite.
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
    """Number of the interval, each open on the left and closed on the right."""
    # In the precision of the values: the float32 next to 0.1 belongs to the bin that ends at 0.1.
    return np.searchsorted(np.asarray(cuts, values.dtype), values, side="left")


def sims(truth, prediction) -> dict[str, float]:
    """All metrics of CH-SIMS for labels and predictions (N,), papers/mmml.md (f).

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


def chance(train_labels, test_labels) -> dict[str, float]:
    """Metrics of predictors that look at no clip, with the keys of ``regression``.

    MAE is that of the median of the training labels. Each accuracy and F1 is that of the majority
    class *of the test labels*, as in the reference values of papers/uegd.md (b); on MOSI the
    majority of the training labels is the other class. ``corr`` is nan: a constant has none.
    """
    test_labels = np.asarray(test_labels)
    # Every class of every metric is what some whole number from -3 to 3 predicts.
    constants = [
        regression(test_labels, np.full(test_labels.shape, float(value))) for value in range(-3, 4)
    ]
    best = {name: max(scores[name] for scores in constants) for name in constants[0]}
    median = np.full(test_labels.shape, np.median(train_labels))
    return {**best, "mae": _mae(test_labels, median), "corr": float("nan")}
