"""Features with every column at mean 0 and standard deviation 1 over some of the clips."""

import hashlib
import math
from dataclasses import replace

import numpy as np

from msalib.data.corpus import Features


def standardised(features: Features, rows: np.ndarray, over: str) -> Features:
    """Return features with mean 0 and variance 1 by column over the frames of the clips ``rows``.

    All clips are moved by the mean and divided by the standard deviation of these clips; a column
    that is constant in them becomes zero in all. No label is read. ``over`` says in words which
    clips these are. Values are float32, and the provenance names the change.
    """
    chosen = np.zeros(len(features.offsets) - 1, bool)
    chosen[rows] = True
    frames = np.repeat(chosen, np.diff(features.offsets))
    layers = {number: _standardised(values, frames) for number, values in features.layers.items()}
    digest = hashlib.sha256(b"".join(values.tobytes() for values in layers.values()))
    note = f"standardised by column over {over}, constant columns at zero"
    before = features.provenance.get("note", "")
    provenance = {
        **features.provenance,
        "note": f"{before}; {note}" if before else note,
        "standardised": over,
        "values": digest.hexdigest(),
    }
    return replace(features, layers=layers, provenance=provenance)


def moments(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean and the population standard deviation of each column of (S, D), (D,) each.

    Sums are exact: records are compared by the digest of the features they read, and numpy's sums
    depend on the machine in their last digits.
    """
    columns = np.asarray(values, float).T
    mean = np.array([math.fsum(column) / len(column) for column in columns])
    spread = [math.fsum((c - m) ** 2) for c, m in zip(columns, mean, strict=True)]
    constant = np.ptp(columns, axis=1) == 0
    return mean, np.where(constant, 0, np.sqrt(np.array(spread) / columns.shape[1]))


def _standardised(values: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """Standardise (S, D) by the moments of the chosen ``frames`` (S,)."""
    mean, spread = moments(values[frames])
    moved = np.asarray(values, float) - mean
    return np.where(spread > 0, moved / np.where(spread > 0, spread, 1), 0).astype(np.float32)
