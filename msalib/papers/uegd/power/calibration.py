"""How predictions of trained models scatter, read from the records of one setting, by moments."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np

from msalib.base.errors import UserError
from msalib.evidence import arms
from msalib.papers.uegd import layers
from msalib.papers.uegd.power.synthetic import Noise, Population, closeness
from msalib.runs.query import Runs
from msalib.runs.spec import System


def population(runs: Runs) -> Population:
    """Return the validation and test videos of a setting, as one population."""
    (first, *_) = runs.systems
    label, video, predictions = _pooled(runs, [first])
    slope = _slope(predictions, label)
    centre = (predictions.mean(-1) - slope * label.mean()) / (1 - slope)
    return Population([label[video == v] for v in np.unique(video)], float(centre.mean()))


def errors(runs: Runs, modality: str) -> dict[str, float]:
    """Return what the blocks and seeds of one setting say about ``Noise``, by moments.

    Errors are what is left of predictions after regression on the labels, in standard deviations;
    validation and test clips are pooled. Raises ``UserError`` unless every block of ``modality``
    has the seeds that tests ask for.
    """
    blocks = layers.block_systems(runs, modality) if modality in runs.modalities else []
    if not blocks or layers.missing_blocks(runs, modality):
        raise _unfinished(f"{arms.SEEDS} seeds of every {modality} block")
    label, video, predictions = _pooled(runs, blocks)
    error = _standard_errors(predictions, label)
    other = ~np.eye(error.shape[1], dtype=bool)  # pairs of two seeds
    flat = error.reshape(-1, len(label))
    clips = (flat @ flat.T / len(label)).reshape(*2 * error.shape[:2]).transpose(0, 2, 1, 3)
    lags = np.arange(len(blocks))
    lag = np.abs(np.subtract.outer(lags, lags))
    between = np.array([clips[lag == d][:, other].mean() for d in lags])
    single = np.array([clips[lag == d][:, ~other].mean() for d in lags]) - between
    run_share = 1 - between[0]
    depth = lags / len(blocks)
    reach, kept = _fit(closeness, depth, between / between[0], [0.5, 0.5])
    (run_reach,) = _fit(partial(closeness, kept=0.0), depth, single / single[0], [0.1])
    correlation = np.array([[np.corrcoef(p, label)[0, 1] for p in seeds] for seeds in predictions])
    # Seeds differ by their errors, too: that part of the variance of r is not quality.
    by_errors = (1 - correlation.mean() ** 2) ** 2 * run_share / len(label)
    quality = max(0.0, correlation.var(1, ddof=1).mean() - by_errors)
    return {
        "run_share": run_share,
        "video_share": _same_video(error, video)[other].mean() / between[0],
        "kept": kept,
        "reach": reach,
        "run_reach": run_reach,
        "quality_sd": math.sqrt(quality),
        "offset_sd": math.sqrt((predictions - label).mean(-1).var(1, ddof=1).mean()),
        "spread": (predictions.std(-1) / label.std() / correlation).mean(),
    }


def differences(
    runs: Runs, modality: str, together: Sequence[str], share: float, reach: float, kept: float
) -> dict[str, float]:
    """Return the rest of ``Noise``: how other models differ from blocks, and how gates scatter.

    Raises ``UserError`` unless there are, beside what ``errors`` needs, both sums of the blocks of
    ``modality``, its best block trained on ``share`` of the clips, and with that block models of
    ``together`` with both fusions.
    """
    blocks = layers.block_systems(runs, modality)
    best = partial(layers.system_of, runs, feature="mid_best")
    gate, concat = best(together), best(together, fusion="concat")
    weighted, uniform = (layers.system_of(runs, [modality], f) for f in ("weighted", "uniform"))
    fewer = best([modality], train_share=share)
    if missing := [s.name() for s in (gate, concat, weighted, uniform, fewer) if not runs.has(s)]:
        raise _unfinished(", ".join(missing))

    def distance(*pair: System) -> float:
        """Return the distance at which blocks err as differently as these two."""
        label, _, predictions = _pooled(runs, pair)
        a, b = _standard_errors(predictions, label)
        other = ~np.eye(len(a), dtype=bool)
        close = 2 * (a @ b.T)[other].sum() / ((a @ a.T) + (b @ b.T))[other].sum()
        return abs(reach * math.log(np.clip((close - kept) / (1 - kept), 0.01, 1)))

    (joint,) = runs.records(gate)
    gates = np.array([[r.extras.gates[m] for m in together] for r in joint])  # (S, M, N)
    fitted = np.array(
        [[r.metrics["train"]["mae"] for r in seeds] for seeds in runs.records(weighted, uniform)]
    )
    return {
        "sum_away": distance(weighted, blocks[(len(blocks) - 1) // 2]),
        "halving_away": distance(fewer, best([modality])) / -math.log2(share),
        "concat_away": distance(concat, gate),
        "train_sd": math.sqrt((fitted[0] - fitted[1]).var(ddof=1) / 2),
        "gate_sd": math.sqrt(gates.mean(-1).var(0, ddof=1).mean()),
        "gate_clip_sd": gates.std(-1).mean(),
    }


def calibrate(runs: Runs, modality: str, together: Sequence[str], share: float) -> Noise:
    """Return the noise of one setting; raises ``UserError`` where runs are missing."""
    moments = errors(runs, modality)
    moments |= differences(runs, modality, together, share, moments["reach"], moments["kept"])
    return Noise(**rounded(moments))


def rounded(moments: Mapping[str, float]) -> dict[str, float]:
    """Round to three digits: more would not be known."""
    return {name: float(f"{value:.3g}") for name, value in moments.items()}


def _unfinished(missing: str) -> UserError:
    return UserError(
        "calibration of simulated predictions",
        found=f"no records of {missing}",
        expected="the blocks alone, their sums, a share of the clips, and both fusions",
        remedy="Finish the runs of the setting first (make records-uegd).",
    )


def _pooled(runs: Runs, systems: Sequence[System]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return labels (N,), videos (N,), predictions (K, S, N) of validation and test together."""
    parts = ("valid", "test")
    label, video = map(np.concatenate, zip(*map(runs.truth, parts), strict=True))
    return label, video, np.concatenate([runs.predictions(p, *systems) for p in parts], axis=-1)


def _slope(predictions: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Return the slope of the regression of predictions (..., N) on labels, (...)."""
    return predictions @ (label - label.mean()) / len(label) / label.var()


def _standard_errors(predictions: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Return what labels leave of predictions (..., N), in standard deviations."""
    left = predictions - _slope(predictions, label)[..., None] * label
    left = left - left.mean(-1, keepdims=True)
    return left / left.std(-1, keepdims=True)


def _same_video(error: np.ndarray, video: np.ndarray) -> np.ndarray:
    """Return the mean product of errors (K, S, N) of two clips of one video, (S, S)."""
    _, number, size = np.unique(video, return_inverse=True, return_counts=True)
    sums = np.stack([[np.bincount(number, e) for e in seeds] for seeds in error])  # (K, S, V)
    every = np.einsum("ksv,ktv->st", sums, sums) - np.einsum("ksn,ktn->st", error, error)
    return every / len(error) / (size * (size - 1)).sum()


def _fit(curve: Callable, x: np.ndarray, y: np.ndarray, start: list[float]) -> np.ndarray:
    from scipy.optimize import curve_fit

    upper = [5.0, 0.99][: len(start)]
    return curve_fit(curve, x, y, p0=start, bounds=([0.01, 0.0][: len(start)], upper))[0]
