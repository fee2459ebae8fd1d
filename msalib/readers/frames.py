"""The frames format: features.npz with arrays <name>_<part> (N, T, D) and labels y_<part> (N,).

ICT-MMMO circulates so: word-aligned frames, one opinion video per row, no ids and no transcripts.
"""

import hashlib
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pandas as pd

from msalib.corpus import PARTS, Corpus, Features
from msalib.errors import UserError

ARRAYS = {
    "visual": ("video", "FACET: facial expressions and head pose"),
    "acoustic": ("audio", "COVAREP: pitch, voice quality, spectrum"),
}
"""Modality -> array, and what its frames are. The transcripts' vectors lack a training part."""

MIDDLE = 3
"""Labels of the source run from 1 to 5; less this, they are sentiment around 0."""


def read(folder: Path, name: str, *, stretch: float = 1.0) -> Corpus:
    """Read the frames of a folder as a ``Corpus``; labels, from -2 to 2, are times ``stretch``.

    A row is a video of its own, named by part and number. A row that is all zero in a modality is
    kept, as in the source. Raises ``UserError`` for a file that is missing, damaged or misshapen.
    """
    path = folder / "features.npz"
    wanted = [f"{array}_{part}" for array, _ in ARRAYS.values() for part in PARTS]
    stored = _read(path, wanted + [f"y_{part}" for part in PARTS])
    counts = {part: stored[f"y_{part}"].size for part in PARTS}
    if not all(counts.values()):
        raise _bad(path, f"labels of {counts} rows", "rows in every part")
    ids = [f"{part}_{i:03d}" for part in PARTS for i in range(counts[part])]
    label = np.concatenate([stored[f"y_{part}"].ravel() for part in PARTS])
    label = label - np.float32(MIDDLE)  # also of unsigned integers
    if not np.isfinite(label).all() or np.abs(label).max() > 2:
        raise _bad(path, "labels that are no numbers from 1 to 5", "one label per row, 1 to 5")
    features = {}
    for modality, (array, note) in ARRAYS.items():
        parts = [stored[f"{array}_{part}"] for part in PARTS]
        rows = [len(x) if x.ndim == 3 else 0 for x in parts]
        like = {x.shape[1:] for x in parts}
        if rows != list(counts.values()) or len(like) > 1 or not parts[0].size:
            shapes = {part: x.shape for part, x in zip(PARTS, parts, strict=True)}
            expected = "(rows, frames, features) per part, a row per label"
            raise _bad(path, f"{array} of shapes {shapes}", expected)
        frames = np.concatenate(parts).astype(np.float32)
        if bad := np.count_nonzero(~np.isfinite(frames)):
            raise _bad(path, f"{bad} values of {array} that are NaN or infinite", "finite numbers")
        steps, size = frames.shape[1:]
        values = frames.reshape(-1, size)
        features[modality] = Features(
            source=array,
            unit="word",
            layers={1: values},
            offsets=np.arange(len(ids) + 1) * steps,
            provenance={
                "source": array,
                "note": note,
                "values": hashlib.sha256(values.tobytes()).hexdigest(),
            },
        )
    table = pd.DataFrame(
        {"video": ids, "segment": 1, "text": "", "label": label.astype(float) * stretch},
        index=pd.Index(ids, name="id"),
    )
    part = pd.Series(np.repeat(PARTS, list(counts.values())), index=table.index)
    return Corpus(name=name, utterances=table, features=features, splits={"standard": part})


def _read(path: Path, names: list[str]) -> dict[str, np.ndarray]:
    if not path.is_file():
        raise _bad(path, "no such file", "arrays " + ", ".join(names))
    try:
        with np.lib.npyio.NpzFile(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in names}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        found = f"not a readable feature file ({' '.join(str(error).split())})"
        raise _bad(path, found, "a complete .npz with " + ", ".join(names)) from error
    for name, array in arrays.items():
        if array.dtype.kind not in "fiu":
            raise _bad(path, f"{name} of type {array.dtype}", "numbers")
    return arrays


def _bad(path: Path, found: str, expected: str) -> UserError:
    remedy = "Check MSALIB_DATA, or restore the file from its source."
    return UserError(path, found=found, expected=expected, remedy=remedy)
