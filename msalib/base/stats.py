"""Statistics of predictions. Videos are resampled, for clips of one video are not independent.

Notation: S seeds, N clips, V videos, K systems (layers, say), R resamples. The test templates are
T-MAE and T-CORR of papers/uegd.md (b), with one amendment: where seeds give an effect each, the
interval covers another training, too, not just other videos (``estimate``). With many test videos
the luck of training is the larger part, and tests that ignore it find effects that are not there
(``power``).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np

from msalib.base.errors import UserError

RESAMPLES = 10_000
LEVEL = 0.05

PRECISION = 1e-5
"""Share of their size below which the spread of values is rounding: records keep six digits."""

TOGETHER, BLOCK = 2**18, 2**16
"""Predictions that are added up at once, and numbers of resamples that fit into a cache."""

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
    point, resampled = by_resample(SUMS[metric], label, systems, videos)
    # Sums in another order differ in the last digits, which must not tell equal systems apart.
    return np.round(weights @ point, 12), np.round(resampled @ weights, 12)


def correlations(
    label: np.ndarray, systems: Sequence[np.ndarray], videos: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return seed-mean Pearson's r of each system (S, N): on all clips (K,), by resample (R, K).

    A constant prediction has no correlation: nan.
    """
    point, resampled = by_resample(SUMS["corr"], label, systems, videos)
    return point.mean(1), resampled


def means(values: np.ndarray, videos: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean of values (..., N): over all clips (...) and per resample (R, ...)."""
    counts, number = video_resamples(videos)
    clips = counts @ np.bincount(number)
    return values.mean(-1), (drawn_sums(counts, sums_by_video(values, number)).T / clips).T


class Sums(NamedTuple):
    """A metric as a function of sums over clips.

    ``terms`` maps labels (1 or K, 1, N) and predictions (K, S, N) to arrays (..., N) that broadcast
    with them, ``value`` the number of clips and the sums of these (...) to the metric (..., K, S).
    A ``linear`` one has the value of mean sums for its mean over seeds.
    """

    terms: Callable[[np.ndarray, np.ndarray], Sequence[np.ndarray]]
    value: Callable[..., np.ndarray]
    linear: bool


def by_resample(
    metric: Sums, label: np.ndarray, systems: Sequence[np.ndarray], videos: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return a metric of predictions (S, N): on all clips (K, S), mean of seeds by resample (R, K).

    ``label`` is (N,), or (K, N) where systems have labels of their own. Undefined values are nan.
    A resample adds up the sums of the videos that it drew, so all of them are a matrix product.
    """
    counts, number = video_resamples(videos)
    count = max(1, TOGETHER // systems[0].size)
    points, means = [], []
    for begin in range(0, len(systems), count):
        some = np.stack(systems[begin : begin + count])
        own = label[None] if label.ndim == 1 else label[begin : begin + count]
        terms = metric.terms(own[:, None], some)
        sums = [sums_by_video(term.astype(float), number) for term in terms]
        with np.errstate(invalid="ignore", divide="ignore"):
            points.append(metric.value(len(number), *(values.sum(-1) for values in sums)))
            means.append(_seed_means(metric, counts, np.bincount(number), sums))
    return np.concatenate(points), np.concatenate(means, axis=1)


def _seed_means(metric: Sums, counts: np.ndarray, clips: np.ndarray, sums: list) -> np.ndarray:
    """Return the metric by resample, mean over seeds (R, K), in blocks that a cache holds."""
    if metric.linear:
        sums = [values.mean(-2, keepdims=True) for values in sums]
    shape = np.broadcast_shapes(*(values.shape[:-1] for values in sums))
    rows = max(1, BLOCK // int(np.prod(shape)))
    means = np.empty((len(counts), shape[-2]))
    for begin in range(0, len(counts), rows):
        draws = counts[begin : begin + rows]
        sizes = (draws @ clips)[:, None, None]
        drawn = (drawn_sums(draws, values) for values in sums)
        means[begin : begin + rows] = metric.value(sizes, *drawn).mean(-1)
    return means


def _errors(label, prediction):
    return [np.abs(prediction - label)]


def mean_of(clips, sums):
    """Return a mean from the number of clips and the sum over them."""
    return sums / clips


def _products(label, prediction):
    x, y = _in_units(prediction), _in_units(label)
    return x, y, x * x, y * y, x * y


def _in_units(values: np.ndarray) -> np.ndarray:
    """Return values (..., N) about their mean in units of their size; zeros if they do not vary.

    A unit is a power of two, so that no digit changes.
    """
    about_mean = values - values.mean(-1, keepdims=True)  # for precision
    _, power = np.frexp(np.abs(values).max(-1, keepdims=True))
    return np.where(varies(values)[..., None], np.ldexp(about_mean, -power), 0.0)


def varies(values: np.ndarray) -> np.ndarray:
    """Check whether values (..., N) differ by more than rounding (``PRECISION``)."""
    values = np.asarray(values, float)
    return values.std(-1) > PRECISION * np.abs(values).max(-1)


def _pearson(n, x, y, xx, yy, xy):
    """Compute Pearson's r from sums in units of size; nan where a variance is zero by rounding."""
    of_x, of_y = n * xx - x * x, n * yy - y * y  # variances times n * n
    least = (PRECISION * n) ** 2
    r = (n * xy - x * y) / np.sqrt(of_x * of_y)
    return np.where((of_x > least) & (of_y > least), r, np.nan)


SUMS = {"mae": Sums(_errors, mean_of, True), "corr": Sums(_products, _pearson, False)}
"""Mean absolute error and Pearson's r."""


def sums_by_video(values: np.ndarray, number: np.ndarray) -> np.ndarray:
    """Sum over the clips of each video: (..., N) to (..., V)."""
    order = np.argsort(number, kind="stable")
    starts = np.searchsorted(number[order], np.arange(number.max() + 1))
    return np.add.reduceat(values[..., order], starts, axis=-1)


def drawn_sums(draws: np.ndarray, sums: np.ndarray) -> np.ndarray:
    """Sum over each resample: (R, V) and (..., V) to (R, ...)."""
    flat = sums.reshape(-1, sums.shape[-1])
    return (draws @ flat.T).reshape(len(draws), *sums.shape[:-1])


def variances(values: np.ndarray, videos: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the population variance of values (..., N), in all and about the mean of their video.

    The two columns of UEGD's Table 4 (papers/uegd.md (f)); clips of all videos are pooled.
    """
    _, number = np.unique(videos, return_inverse=True)
    member = number == np.arange(number.max() + 1)[:, None]  # (V, N)
    means = values @ member.T / member.sum(1)
    return values.var(-1), ((values - means[..., number]) ** 2).mean(-1)


class Variance(NamedTuple):
    """Of each seed (S,) and, mean over seeds, by resample of the videos (R,)."""

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
    least = (PRECISION * np.abs(predictions).max(-1)) ** 2
    around = squares - sums**2 / clips

    def shares(draws):
        n = (draws @ clips)[:, None]
        intra = draws @ around.T / n
        total = draws @ squares.T / n - (draws @ sums.T / n) ** 2
        return intra, intra / np.where(total > least, total, np.nan)

    rows = max(1, BLOCK // len(x))
    blocks = (shares(counts[begin : begin + rows]) for begin in range(0, len(counts), rows))
    means = ([values.mean(1) for values in block] for block in blocks)
    point, resampled = (
        shares(np.ones((1, len(clips)))),
        map(np.concatenate, zip(*means, strict=True)),
    )
    return tuple(Variance(p[0], r) for p, r in zip(point, resampled, strict=True))


def cliffs_delta(a: np.ndarray, b: np.ndarray) -> float:
    """Return Cliff's delta: P(a > b) minus P(a < b), from -1 to 1."""
    below, upto = (np.searchsorted(np.sort(b), a, side).sum() for side in ("left", "right"))
    return float((below + upto) / (len(a) * len(b)) - 1)


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
    centred = (points - points.mean(-1, keepdims=True)).reshape(-1, seeds)
    few = seeds * count <= 8 * TOGETHER
    blocks = _few_blocks(seeds, count) if few else _multivariate_t(seeds, count)
    *drawn, scale = (block @ centred.T if block.ndim > 1 else block for block in blocks)
    drawn = np.concatenate(drawn) / np.sqrt(seeds * (seeds - 1))
    return (drawn * scale[:, None]).reshape(count, *points.shape[:-1])


@lru_cache(maxsize=1)
def _few_blocks(seeds: int, count: int) -> list[np.ndarray]:
    return list(_multivariate_t(seeds, count))


def _multivariate_t(seeds: int, count: int) -> Iterator[np.ndarray]:
    """Yield blocks of normal draws (rows, S), then the factor (count,) that makes them a t."""
    rng, rows = np.random.default_rng(2), max(1, TOGETHER // seeds)
    for begin in range(0, count, rows):
        yield rng.normal(size=(min(rows, count - begin), seeds))
    yield np.sqrt((seeds - 1) / rng.chisquare(seeds - 1, size=count))


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


@lru_cache(maxsize=1024)
def wilson(count: int, trials: int) -> tuple[float, float]:
    """Return Wilson's 95% interval of a proportion, ``count`` of ``trials``."""
    from scipy.special import ndtri  # scipy.stats has it, and takes as long as all other imports

    z, share = float(ndtri(1 - LEVEL / 2)), count / trials
    centre, scale = share + z * z / (2 * trials), 1 + z * z / trials
    half = z * float(np.sqrt(share * (1 - share) / trials + (z / (2 * trials)) ** 2))
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)
