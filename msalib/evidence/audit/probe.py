"""How well do features tell labels of other videos? A linear probe.

A ridge regression on pooled features, fitted on other videos, predicts the label of each clip.
"""

import numpy as np

from msalib.base import stats
from msalib.base.stats import Estimate
from msalib.data.corpus import Features
from msalib.evidence.audit.integrity import BLOCK, last

PENALTIES = np.logspace(-1, 4, 11)
"""Of the ridge probe on standardised features; the best on all parts together is taken."""

FOLDS = 10


WIDEST = 512
"""Features beyond this many are replaced by that many principal components."""


def pooled(features: Features) -> np.ndarray:
    """Return the mean over the frames of each clip, last layer: (N, D).

    Values that are not finite count as zero.
    """
    values, offsets = last(features), features.offsets
    sums = np.empty((len(offsets) - 1, values.shape[1]))
    # Some clips at a time: a layer may be a memory map of many gigabytes.
    step = max(1, int(BLOCK / (values.shape[1] * max(1.0, features.lengths().mean()))))
    for first in range(0, len(sums), step):
        bounds = offsets[first : first + step + 1]
        frames = np.asarray(values[bounds[0] : bounds[-1]], np.float64)
        frames = np.nan_to_num(frames, nan=0, posinf=0, neginf=0)
        sums[first : first + step] = np.add.reduceat(frames, bounds[:-1] - bounds[0])
    return sums / features.lengths()[:, None]


def predictions(x: np.ndarray, label: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Predict each clip by a probe that was fitted on other units: (N, D), (N,) to (N,).

    Without the mean label of those units: it is low where the clip's own unit is high, so it would
    make features that know nothing look as if they knew the opposite.
    """
    x, fold = _standard(x), _folds(unit)
    centred = label - label.mean()
    guess = np.empty((len(PENALTIES), len(label)))
    sums = [_sums(x[fold == k], centred[fold == k]) for k in range(fold.max() + 1)]
    total = [sum(parts) for parts in zip(*sums, strict=True)]
    for k, left_out in enumerate(sums):
        weight, _ = _ridge(*(t - s for t, s in zip(total, left_out, strict=True)))
        guess[:, fold == k] = (x[fold == k] @ weight).T
    return guess[((guess - centred) ** 2).mean(1).argmin()]


def _standard(x: np.ndarray) -> np.ndarray:
    deviation = x.std(0)
    x = (x - x.mean(0)) / np.where(deviation > 1e-12, deviation, 1)
    if x.shape[1] <= WIDEST or len(x) <= WIDEST:
        return x
    from sklearn.decomposition import PCA

    return PCA(WIDEST, svd_solver="randomized", random_state=0).fit_transform(x)


def _folds(unit: np.ndarray) -> np.ndarray:
    """Draw the fold of each clip, (N,), by unit; always alike for the same number of units."""
    count = unit.max() + 1
    return (np.random.default_rng(0).permutation(count) % min(FOLDS, count))[unit]


def _sums(x, y):
    """Return all that a ridge regression needs to know of clips: sums that can be subtracted."""
    return len(y), x.sum(0), y.sum(), x.T @ x, x.T @ y


def _ridge(n, x, y, xx, xy) -> tuple[np.ndarray, np.ndarray]:
    """Return weights (D, P) and intercepts (P,) for each penalty."""
    values, vectors = np.linalg.eigh(xx - np.outer(x, x) / n)
    along = vectors.T @ (xy - x * y / n)
    weight = vectors @ (along[:, None] / (np.maximum(values, 0)[:, None] + PENALTIES))
    return weight, y / n - x / n @ weight


def gain_by_shared_videos(
    x: np.ndarray, label: np.ndarray, video: np.ndarray, train: np.ndarray, test: np.ndarray
) -> Estimate | None:
    """Return what the correlation on test gains from videos that are in training, too.

    ``x`` (N, D) are pooled features, ``train`` and ``test`` rows. Clips of test are predicted by
    the probe of all of training and by that of its other videos. None where there are too few.
    """
    fold = _folds(video)
    kept = [train[fold[train] != k] for k in range(fold.max() + 1)]
    if len(np.unique(video[test])) < 2 or any(len(rows) < 2 for rows in kept):
        return None
    x = _standard(x)
    fitted = [_ridge(*_sums(x[rows], label[rows])) for rows in (train, *kept)]
    guesses = np.stack([x[test] @ weight + shift for weight, shift in fitted])  # (1 + K, N, P)
    others = guesses[1 + fold[test], np.arange(len(test))]
    best = ((others - label[test, None]) ** 2).mean(0).argmin()
    gain = stats.corr_difference(
        label[test], guesses[None, 0, :, best], others[None, :, best], video[test]
    )
    return None if np.isnan(gain.low) else gain
