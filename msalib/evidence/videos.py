"""Judge effects on one set of test videos: contrasts of systems, families, ranges, choices.

Uncertainty is that of other videos, with that of another training added where seeds give an effect
each (``stats.estimate``). Notation: S seeds, K systems, R resamples of the videos.
"""

from collections.abc import Sequence

import numpy as np

from msalib.base import stats
from msalib.base.stats import Estimate
from msalib.evidence.common import Word
from msalib.runs.query import Runs
from msalib.runs.spec import System

SIGNS: dict[stats.Metric, int] = {"mae": -1, "corr": 1}
"""Sign of a difference that is an improvement."""


def contrast(
    runs: Runs, metric: stats.Metric, systems: Sequence[System], weights: Sequence[float]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the weighted sum of a score over systems on test: by seed (S,), by resample (R,)."""
    label, videos = runs.truth("test")
    return stats.contrast(metric, label, runs.predictions("test", *systems), weights, videos)


def contrasts(
    runs: Runs, systems: Sequence[System], weights: Sequence[float]
) -> dict[stats.Metric, Estimate]:
    """Return the weighted sums over systems of MAE and of correlation on the test set."""
    return {m: stats.estimate(*contrast(runs, m, systems, weights)) for m in SIGNS}


def differences(runs: Runs, a: System, b: System) -> dict[stats.Metric, Estimate]:
    """Return each score of ``a`` minus that of ``b``."""
    return contrasts(runs, [a, b], [1, -1])


def gains(
    runs: Runs, systems: Sequence[System], weights: Sequence[float]
) -> dict[stats.Metric, Estimate]:
    """Return the weighted sum of each score over systems, signed so that a gain is positive."""
    weights = np.asarray(weights)
    return {
        metric: stats.estimate(*contrast(runs, metric, systems, sign * weights))
        for metric, sign in SIGNS.items()
    }


def minus_printed(runs: Runs, metric: stats.Metric, system: System, value: float) -> Estimate:
    """Return a score minus a printed value, which is taken as exact (one-sample bootstrap)."""
    seeds, resampled = contrast(runs, metric, [system], [1])
    return stats.estimate(seeds - value, resampled - value)


# --- from effects to a verdict ------------------------------------------------------------------


def all_of(effects: dict[str, Estimate], signs: dict[str, int]) -> Word:
    """Judge whether all effects that are named in ``signs`` have these signs.

    Supported if all differ from zero (Holm) and have their sign; one that differs with the wrong
    sign contradicts.
    """
    family = [effects[name] for name in signs]
    differs = stats.differ_from_zero(family)
    claimed = [np.sign(e.effect) == sign for e, sign in zip(family, signs.values(), strict=True)]
    if any(d and not c for d, c in zip(differs, claimed, strict=True)):
        return "contradicted"
    return "supported" if all(differs) and differs else "inconclusive"


def all_positive(effects: dict[str, Estimate]) -> Word:
    """Judge whether all effects are positive, as ``all_of``."""
    return all_of(effects, dict.fromkeys(effects, 1))


def all_negative(effects: dict[str, Estimate]) -> Word:
    """Judge whether all effects are negative, as ``all_of``."""
    return all_of(effects, dict.fromkeys(effects, -1))


def within(estimate: Estimate, low: float, high: float) -> Word:
    """Judge whether an interval lies within limits; wholly outside contradicts."""
    if low < estimate.low and estimate.high < high:
        return "supported"
    return "contradicted" if estimate.low > high or estimate.high < low else "inconclusive"


# --- several systems: their range, and the best of them -----------------------------------------


def corrected_range(point: np.ndarray, resampled: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the range of scores (K,) and its resamples (R,), less what sampling alone would show.

    Equal systems have a range too, and the larger the weaker they are, because weak correlations
    vary more. It is estimated from the resamples (R, K), moved to equal means. The resampled
    ranges, which have that part twice, are moved to the corrected estimate.
    """
    by_chance = np.ptp(resampled - point, axis=1).mean()
    corrected = np.ptp(point) - by_chance
    ranges = np.ptp(resampled, axis=1)
    return corrected, ranges - ranges.mean() + corrected


def range_of(point: np.ndarray, resampled: np.ndarray) -> Estimate:
    """Return the range of scores (K,) with bounds that tests at 5% leave possible.

    The upper bound is the largest difference of two systems that two one-sided tests leave possible
    (every pair must pass, which needs no correction). The lower bound is that of
    ``corrected_range``.
    """
    i, j = np.triu_indices(len(point), 1)
    low, high = np.quantile(resampled[:, i] - resampled[:, j], [stats.LEVEL, 1 - stats.LEVEL], 0)
    largest = float(np.maximum(high, -low).max())
    _, corrected = corrected_range(point, resampled)
    smallest = float(np.maximum(0, np.quantile(corrected, stats.LEVEL)))
    return Estimate(float(np.ptp(point)), smallest, largest, np.nan, kind="level")


def best_of(scores: np.ndarray) -> np.ndarray:
    """Return the place of the best of scores (..., K); undefined ones come last."""
    return np.nan_to_num(scores, nan=-np.inf).argmax(-1)
