"""Units: which cluster is each frame of speech in? They are what masked frames are guessed by.

Clusters (k-means) of a layer's frames are fitted once, on one corpus, and kept; the frames of other
corpora are numbered by the same centres.
"""

import hashlib
from pathlib import Path

import numpy as np

from msalib.base import files
from msalib.data.corpus import Features

SAMPLE = 100_000
"""Frames at most that the clusters are fitted on."""

CHUNK = 50_000
"""Frames that are read at a time, each time from a new map: what was read of a map is memory until
the map is let go."""


def centres(features: Features, layer: int, count: int, rows: np.ndarray, folder: Path):
    """Return the centres (C, D) of the clusters of a layer's frames, fitted unless kept.

    They are kept in ``folder`` under a name that says what they depend on: the encoder with its
    revision, what it read, the layer, their number, and the clips ``rows`` (N,) whose frames they
    are fitted on. C is ``count``, or the number of frames where there are fewer.
    """
    from sklearn.cluster import MiniBatchKMeans
    from threadpoolctl import threadpool_limits

    features_of = [features.provenance[name] for name in ("encoder", "revision", "fingerprint")]
    about = f"{features_of} {layer} {count} {rows.tolist()}"
    path = folder / f"centres-{hashlib.sha256(about.encode()).hexdigest()[:12]}.npy"
    if not path.is_file():
        frames = _sample(features, layer, rows)
        with threadpool_limits(1):  # else sums depend on the cores
            fitted = MiniBatchKMeans(
                min(count, len(frames)), random_state=0, n_init=3, batch_size=4096
            ).fit(frames)
        with files.whole_file(path) as file:
            np.save(file, fitted.cluster_centers_.astype(np.float32), allow_pickle=False)
    return np.load(path, allow_pickle=False)


def numbered(features: Features, layer: int, centres: np.ndarray) -> np.ndarray:
    """Return the number (S,) int16 of the nearest centre (C, D) of every frame of a layer."""
    numbers, half = [], (centres**2).sum(1) / 2
    for start in range(0, features.offsets[-1], CHUNK):
        frames = np.asarray(features.layers[layer][start : start + CHUNK], np.float32)
        numbers.append((half - frames @ centres.T).argmin(1).astype(np.int16))
    return np.concatenate(numbers)


def _sample(features: Features, layer: int, rows: np.ndarray) -> np.ndarray:
    """Return frames of these clips, evenly spaced, (at most ``SAMPLE``, D) float32."""
    spans = zip(features.offsets[rows], features.offsets[rows + 1], strict=True)
    places = np.concatenate([np.arange(start, end) for start, end in spans])
    step, parts = -(-len(places) // SAMPLE), -(-len(places) // CHUNK)
    read = (features.layers[layer][part] for part in np.array_split(places[::step], parts))
    return np.concatenate([frames.astype(np.float32) for frames in read])
