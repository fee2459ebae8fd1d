"""Statistics of predictions. Videos are resampled, for clips of one video are not independent.

Notation: S seeds, N clips, V videos, K systems (layers, say), R resamples. The test templates are
T-MAE and T-CORR of papers/uegd.md (b), with one amendment: where seeds give an effect each, the
interval covers another training, too, not just other videos (``estimate``). With many test videos
the luck of training is the larger part, and tests that ignore it find effects that are not there
(``power``).
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np

from msalib.base.errors import UserError

RESAMPLES = 10_000
LEVEL = 0.05

Metric = Literal["mae", "corr"]


class Estimate(NamedTuple):
    """An effect with its 95% percentile interval and two-sided bootstrap p-value against zero.

    ``seeds`` has the effect of each seed, paired where it compares; empty where that means nothing.
    ``kind`` says how it reads: a difference has a sign, a level has none, a block is a number of
    a layer.
    """

    effect: float
    low: float
    high: float
    p: float
    seeds: tuple[float, ...] = ()
    kind: Literal["difference", "level", "block"] = "difference"


def video_resamples(videos: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how often each video is drawn, (R, V), and the video number of each clip (N,).

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
    """Estimate the mean absolute error of ``a`` minus that of ``b``, both (S, N): T-MAE."""
    return estimate(*contrast("mae", label, [a, b], [1, -1], videos))


def corr_difference(
    label: np.ndarray, a: np.ndarray, b: np.ndarray, videos: np.ndarray
) -> Estimate:
    """Estimate Pearson's r of ``a`` minus that of ``b``, each the mean over its seeds: T-CORR."""
    return estimate(*contrast("corr", label, [a, b], [1, -1], videos))


def contrast(
    metric: Metric,
    label: np.ndarray,
    systems: Sequence[np.ndarray],
    weights: Sequence[float],
    videos: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return a weighted sum of a metric over systems (S, N): by seed (S,), mean by resample (R,).

    Weights 1 and -1 make a difference, (x - mean x) / sum of squares the slope over x.
    """
    point, resampled = _SCORES[metric](label, np.stack(systems), videos)
    # Sums in another order differ in the last digits, which must not tell equal systems apart.
    return np.round(weights @ point, 12), np.round(resampled.mean(2) @ weights, 12)


def correlations(
    label: np.ndarray, systems: Sequence[np.ndarray], videos: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return seed-mean Pearson's r of each system (S, N): on all clips (K,), by resample (R, K).

    A constant prediction has no correlation: nan.
    """
    point, resampled = _pearson(label, np.stack(systems), videos)
    return point.mean(1), resampled.mean(2)


def means(values: np.ndarray, videos: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean of values (..., N): over all clips (...) and per resample (R, ...)."""
    counts, number = video_resamples(videos)
    clips = counts @ np.bincount(number)
    return values.mean(-1), (drawn_sums(counts, sums_by_video(values, number)).T / clips).T


def _absolute_error(label, systems, videos):
    return means(np.abs(systems - label), videos)


def _pearson(label, systems, videos):
    """Return Pearson's r of predictions (K, S, N): on all clips (K, S), by resample (R, K, S).

    Computed from sums per video, so a resample costs one product.
    """
    counts, number = video_resamples(videos)
    x, y = systems - systems.mean(-1, keepdims=True), label - label.mean()  # for precision
    ours = [sums_by_video(values, number) for values in (x, x * x, x * y)]
    clips = np.bincount(number)
    theirs = [sums_by_video(values, number) for values in (y, y * y)]

    def pearson(draws):
        n, sy, syy = ((draws @ sums)[:, None, None] for sums in (clips, *theirs))
        sx, sxx, sxy = (drawn_sums(draws, sums) for sums in ours)
        return correlation_of_sums(n, sx, sy, sxx, syy, sxy)

    return pearson(np.ones((1, len(clips))))[0], pearson(counts)


_SCORES = {"mae": _absolute_error, "corr": _pearson}


def sums_by_video(values: np.ndarray, number: np.ndarray) -> np.ndarray:
    """Sum over the clips of each video: (..., N) to (..., V)."""
    order = np.argsort(number, kind="stable")
    starts = np.searchsorted(number[order], np.arange(number.max() + 1))
    return np.add.reduceat(values[..., order], starts, axis=-1)


def drawn_sums(draws: np.ndarray, sums: np.ndarray) -> np.ndarray:
    """Sum over each resample: (R, V) and (..., V) to (R, ...)."""
    flat = sums.reshape(-1, sums.shape[-1])
    return (draws @ flat.T).reshape(len(draws), *sums.shape[:-1])


def correlation_of_sums(n, x, y, xx, yy, xy):
    """Compute Pearson's r from sums; nan where a variance is zero up to rounding."""
    var_x, var_y = xx / n - (x / n) ** 2, yy / n - (y / n) ** 2
    product = np.where((var_x > 1e-12) & (var_y > 1e-12), var_x * var_y, np.nan)
    return (xy / n - x * y / n**2) / np.sqrt(product)


def variances(values: np.ndarray, videos: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the population variance of values (..., N), in all and about the mean of their video.

    The two columns of UEGD's Table 4 (papers/uegd.md (f)); clips of all videos are pooled.
    """
    _, number = np.unique(videos, return_inverse=True)
    member = number == np.arange(number.max() + 1)[:, None]  # (V, N)
    means = values @ member.T / member.sum(1)
    return values.var(-1), ((values - means[..., number]) ** 2).mean(-1)


class Variance(NamedTuple):
    """Of each seed (S,) and per resample of the videos (R, S)."""

    seeds: np.ndarray
    resampled: np.ndarray


def within_videos(predictions: np.ndarray, videos: np.ndarray) -> tuple[Variance, Variance]:
    """Estimate the variance of predictions (S, N) about their video's mean, and its share of all.

    As ``variances``, with resamples; the share is nan for constant predictions.
    """
    counts, number = video_resamples(videos)
    clips = np.bincount(number)
    x = predictions - predictions.mean(-1, keepdims=True)  # for precision
    sums, squares = sums_by_video(x, number), sums_by_video(x * x, number)
    around = squares - sums**2 / clips

    def shares(draws):
        n = (draws @ clips)[:, None]
        intra = draws @ around.T / n
        total = draws @ squares.T / n - (draws @ sums.T / n) ** 2
        return intra, intra / np.where(total > 1e-12, total, np.nan)

    point, resampled = shares(np.ones((1, len(clips)))), shares(counts)
    return tuple(Variance(p[0], r) for p, r in zip(point, resampled, strict=True))


def cliffs_delta(a: np.ndarray, b: np.ndarray) -> float:
    """Return Cliff's delta: P(a > b) minus P(a < b), from -1 to 1."""
    from scipy.stats import mannwhitneyu

    return float(2 * mannwhitneyu(a, b).statistic / (len(a) * len(b)) - 1)


def estimate(
    point: float | np.ndarray,
    resampled: np.ndarray,
    *,
    kind: Literal["difference", "level", "block"] = "difference",
    level: float = LEVEL,
) -> Estimate:
    """Estimate an effect, or its mean over seeds (S,): interval and p-value from resamples (R,).

    Several seeds add their own uncertainty to every resample (``with_trainings``).
    """
    resampled = with_trainings(point, resampled)
    low, high = np.quantile(resampled, [level / 2, 1 - level / 2])
    below, above = np.sum(resampled <= 0), np.sum(resampled >= 0)
    p = min(1.0, 2 * (1 + min(below, above)) / (1 + len(resampled)))
    seeds = tuple(float(s) for s in point) if np.ndim(point) else ()
    if np.isnan(low):
        p = np.nan
    return Estimate(float(np.mean(point)), float(low), float(high), float(p), seeds, kind)


def with_trainings(point: float | np.ndarray, resampled: np.ndarray) -> np.ndarray:
    """Return resamples (R,) of an effect, widened by what other trainings would change.

    Several seeds (S,) add a draw of Student's t with S - 1 degrees of freedom, times the standard
    error of the seeds' mean. A single number adds nothing.
    """
    if np.size(point) < 2:
        return resampled
    error = np.std(point, ddof=1) / np.sqrt(len(point))
    return resampled + error * _students_t(len(point) - 1, len(resampled))


def other_trainings(points: np.ndarray, count: int) -> np.ndarray:
    """Draw what other trainings add to the seed means of several scores (..., S): (count, ...).

    As ``with_trainings`` does for one effect, but together: a multivariate t with the covariance of
    the seeds, so that any contrast of the scores spreads as its own seeds do. Fewer than two seeds
    say nothing: zeros.
    """
    seeds = points.shape[-1]
    if seeds < 2:
        return np.zeros((count, *points.shape[:-1]))
    normal, scale = _multivariate_t(seeds, count)
    centred = (points - points.mean(-1, keepdims=True)).reshape(-1, seeds)
    drawn = normal @ centred.T / np.sqrt(seeds * (seeds - 1))
    return (drawn * scale[:, None]).reshape(count, *points.shape[:-1])


@lru_cache(maxsize=8)
def _multivariate_t(seeds: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return normal draws (count, S) and the factor (count,) that makes them a t."""
    rng = np.random.default_rng(2)
    normal = rng.normal(size=(count, seeds))
    return normal, np.sqrt((seeds - 1) / rng.chisquare(seeds - 1, size=count))


@lru_cache(maxsize=8)
def _students_t(freedom: int, count: int) -> np.ndarray:
    """Return draws in random order, the same for all effects."""
    return np.random.default_rng(1).standard_t(freedom, size=count)


def holm(p_values: Iterable[float], level: float = LEVEL) -> list[bool]:
    """Return which hypotheses of a family are rejected by Holm's step-down procedure (1979).

    The smallest p-value is compared with level / m, the next with level / (m - 1), and so on; the
    first that is larger ends it. An undefined p-value belongs to the family and is not rejected.
    """
    p = np.nan_to_num(np.array(list(p_values), float), nan=1.0)
    order = p.argsort()
    rejected = np.empty(len(p), bool)
    rejected[order] = np.logical_and.accumulate(p[order] <= level / np.arange(len(p), 0, -1))
    return rejected.tolist()


def partial_conjunction(p_values: Iterable[float], least: int) -> float:
    """Return p of the hypothesis that fewer than ``least`` of several effects exist.

    A small p says that at least ``least`` of the n effects exist, however they depend on each
    other. It is the ``least``-th smallest p-value times n - least + 1 (Benjamini and Heller 2008,
    with Bonferroni's combination). Undefined p-values count as 1. Raises ``ValueError`` unless
    1 <= least <= n.
    """
    p = np.sort(np.nan_to_num(np.array(list(p_values), float), nan=1.0))
    if not 1 <= least <= len(p):
        raise ValueError(f"least must be from 1 to {len(p)}, got {least}")
    return float(min(1.0, (len(p) - least + 1) * p[least - 1]))


def p_above(resampled: np.ndarray, than: float = 0.0) -> float:
    """Return one-sided p of an effect above a value, from resamples (R,); nan where one is."""
    if np.isnan(resampled).any():
        return float("nan")
    return float((1 + np.sum(resampled <= than)) / (1 + len(resampled)))


def p_below(resampled: np.ndarray, than: float = 0.0) -> float:
    """Return one-sided p of an effect below a value, from resamples (R,); nan where one is."""
    return p_above(-resampled, -than)


def differ_from_zero(estimates: Sequence[Estimate]) -> list[bool]:
    """Return which of a family of estimates differ from zero at 5% after Holm's correction.

    Where one of them is undefined, none does.
    """
    if any(np.isnan(e.low) for e in estimates):
        return [False] * len(estimates)
    return holm([e.p for e in estimates])


def wilson(count: int, trials: int) -> tuple[float, float]:
    """Return Wilson's 95% interval of a proportion, ``count`` of ``trials``."""
    from scipy.stats import binomtest

    interval = binomtest(count, trials).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)
