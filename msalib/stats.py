"""Statistics of predictions. Videos are resampled, for clips of one video are not independent.

Notation: S seeds, N clips, V videos, K systems (layers, say), R resamples. The test templates are
T-MAE and T-CORR of papers/uegd.md (b): the models are taken as trained, the test videos as drawn.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from statsmodels.stats.multitest import multipletests

from msalib.errors import UserError

RESAMPLES = 10_000
LEVEL = 0.05


class Estimate(NamedTuple):
    """An effect with its 95% percentile interval and two-sided bootstrap p-value."""

    effect: float
    low: float
    high: float
    p: float


def video_resamples(videos: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How often each video is drawn: counts (R, V), and the video number of each clip (N,).

    Always the same draws for the same videos, so that differences are paired.
    """
    names, number = np.unique(videos, return_inverse=True)
    if len(names) < 2:
        raise UserError(
            "bootstrap over videos",
            found=f"{len(names)} video" + ("s" if len(names) != 1 else ""),
            expected="at least two videos in the test part",
            remedy="Use a split with more test videos.",
        )
    return _draws(len(names), RESAMPLES), number


@lru_cache(maxsize=8)
def _draws(videos: int, resamples: int) -> np.ndarray:
    shares = np.full(videos, 1 / videos)
    return np.random.default_rng(0).multinomial(videos, shares, size=resamples).astype(float)


def mae_difference(label: np.ndarray, a: np.ndarray, b: np.ndarray, videos: np.ndarray) -> Estimate:
    """T-MAE: mean absolute error of ``a`` minus that of ``b``; labels (N,), predictions (S, N)."""
    difference = (np.abs(a - label) - np.abs(b - label)).mean(0)  # (N,)
    counts, number = video_resamples(videos)
    total = np.bincount(number, difference)
    clips = np.bincount(number)
    return estimate(difference.mean(), (counts @ total) / (counts @ clips))


def corr_difference(
    label: np.ndarray, a: np.ndarray, b: np.ndarray, videos: np.ndarray
) -> Estimate:
    """T-CORR: Pearson correlation of ``a`` minus that of ``b``, each the mean over its seeds."""
    point, resampled = correlations(label, [a, b], videos)
    return estimate(point[0] - point[1], resampled[:, 0] - resampled[:, 1])


def correlations(
    label: np.ndarray, systems: list[np.ndarray], videos: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Seed-mean correlation of each system (S, N): on all clips (K,) and per resample (R, K).

    Computed from sums per video, so a resample costs one product. A constant prediction has no
    correlation: nan.
    """
    counts, number = video_resamples(videos)
    clips = np.bincount(number)
    everything = np.ones((1, len(clips)))
    point, resampled = [], []
    for predictions in systems:
        per_seed = []
        for x in predictions:
            sums = np.stack(
                [
                    np.bincount(number, w)
                    for w in (np.ones_like(x), x, label, x * x, label * label, x * label)
                ]
            )  # (6, V)
            draws = np.vstack([everything, counts])
            per_seed.append(_correlation(*(draws @ sums.T).T))
        mean = np.mean(per_seed, 0)  # (1 + R,)
        point.append(mean[0])
        resampled.append(mean[1:])
    return np.array(point), np.stack(resampled, 1)


def _correlation(n, x, y, xx, yy, xy):
    """Pearson's r from sums; nan where a variance is zero up to rounding."""
    var_x, var_y = xx / n - (x / n) ** 2, yy / n - (y / n) ** 2
    product = np.where((var_x > 1e-12) & (var_y > 1e-12), var_x * var_y, np.nan)
    return (xy / n - x * y / n**2) / np.sqrt(product)


def estimate(effect: float, resampled: np.ndarray) -> Estimate:
    """Interval and p-value of an effect from its resamples (R,)."""
    low, high = np.quantile(resampled, [LEVEL / 2, 1 - LEVEL / 2])
    below, above = np.sum(resampled <= 0), np.sum(resampled >= 0)
    p = min(1.0, 2 * (1 + min(below, above)) / (1 + len(resampled)))
    return Estimate(float(effect), float(low), float(high), float(p))


def holm(estimates: list[Estimate]) -> list[bool]:
    """Which of a family of estimates differ from zero at 5% after Holm's correction."""
    if any(np.isnan(e.low) for e in estimates):
        return [False] * len(estimates)
    return [bool(r) for r in multipletests([e.p for e in estimates], LEVEL, "holm")[0]]
