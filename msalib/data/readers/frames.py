"""The frames format: features.npz with arrays <name>_<part> (N, T, D) and labels y_<part>.

ICT-MMMO, YouTube and POM circulate so: word-aligned frames, one opinion video per row, no ids and
no transcripts. The shape of the labels tells them apart: (N,) or (N, 1) from 1 to 5 is ICT-MMMO,
(N, 3) one-hot YouTube, (N, 17) from 1 to 7 POM.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from msalib.base.errors import UserError
from msalib.data.corpus import PARTS, Corpus
from msalib.data.readers import build, npz
from msalib.data.readers.formats import Options
from msalib.data.tasks import Classes, Regression

NAME = "frames"
TITLE = "ICT-MMMO, YouTube or POM frames: features.npz"

ARRAYS = {
    "visual": ("video", "FACET: facial expressions and head pose"),
    "acoustic": ("audio", "COVAREP: pitch, voice quality, spectrum"),
}
"""Modality -> array, and what its frames are. The transcripts' vectors lack a training part."""

MIDDLE = 3
"""Labels of ICT-MMMO run from 1 to 5; less this, they are sentiment around 0."""

OPINION = 2.0
"""Their distance from the middle, at most."""

UNNAMED = "the source does not name the extractor"
"""For POM, whose frames have other widths than those of the other two."""

CLASSES = 3
YOUTUBE = Classes(("first", "second", "third"), values=(-1, 0, 1))
"""The names of its classes are unverified."""

TRAITS = 17
TRAIT_MIDDLE = 4
"""POM's traits run from 1 to 7."""

NO_TEXT = "no transcripts; vectors of texts, where the file has some, lack the training part"


def detects(path: Path) -> bool:
    """Check whether a path is such a file or its folder, and no pack with a table of its own."""
    if path.is_dir():
        return (path / "features.npz").is_file() and not any(path.glob("utterances.csv*"))
    return path.is_file() and path.name == "features.npz"


def read(
    folder: Path, name: str, options: Options | None = None, *, stretch: float = 1.0
) -> Corpus:
    """Read the frames of a folder as a ``Corpus``; labels around 0 are times ``stretch``.

    A row is a video of its own, named by part and number. A row that is all zero in a modality is
    kept, as in the source; a modality may be missing. Of POM's traits ``options.target``, 0 to 16,
    is the label; clips that have it below 1 are dropped. Raises ``UserError`` for a file that is
    missing, damaged or misshapen, and for values that are not finite, unless ``options.clean``.
    """
    options = options or Options()
    path = folder / "features.npz" if folder.is_dir() or folder.suffix != ".npz" else folder
    stored = _stored(path)
    counts = _counts(path, {part: stored[f"y_{part}"] for part in PARTS if f"y_{part}" in stored})
    labels = [stored[f"y_{part}"] for part in counts]
    ids = [f"{part}_{i:03d}" for part in counts for i in range(counts[part])]
    width = labels[0].shape[1] if labels[0].ndim == 2 else 1
    dropped, task = {}, Regression(OPINION * stretch)
    if width == CLASSES:
        label, notes = _polarity(path, np.concatenate(labels))
        task = YOUTUBE
    elif width == TRAITS:
        label, dropped, notes = _trait(path, np.concatenate(labels), ids, options.target)
        task = Regression()
    else:
        label, notes = _opinion(path, np.concatenate([y.ravel() for y in labels]))
    label = label.astype(float) * stretch
    clips = build.Clips(
        path,
        pd.DataFrame({"id": ids, "video": ids, "segment": 1, "label": label}),
        splits={"standard": np.repeat(list(counts), list(counts.values())).tolist()},
        tasks=(task,),
        frames={
            modality: build.Frames(
                array,
                "word",
                list(_frames(path, stored, array, counts, options)),
                UNNAMED if width == TRAITS else note,
            )
            for modality, (array, note) in ARRAYS.items()
            if any(f"{array}_{part}" in stored for part in PARTS)
        },
        notes=[*notes, NO_TEXT],
        dropped=dropped,
    )
    return build.corpus(name, clips, clean=options.clean)


def _stored(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays of the parts of which the file has any; if it has none, that is told."""
    names = npz.names(path)
    arrays = [array for array, _ in ARRAYS.values()]
    arrays = [a for a in arrays if any(f"{a}_{part}" in names for part in PARTS)] or arrays
    arrays.append("y")
    parts = [part for part in PARTS if {f"{array}_{part}" for array in arrays} & names] or PARTS
    stored = npz.read(path, [f"{array}_{part}" for array in arrays for part in parts])
    npz.check_numbers(path, stored)
    return stored


def _counts(path: Path, labels: dict[str, np.ndarray]) -> dict[str, int]:
    """Return how many clips each part has labels of."""
    first = next(iter(labels.values()))
    width = first.shape[1] if first.ndim == 2 else 1
    several = width in (CLASSES, TRAITS)
    if several and any(y.ndim != 2 or y.shape[1] != width for y in labels.values()):
        shapes = {part: y.shape for part, y in labels.items()}
        raise npz.bad(path, f"labels of shapes {shapes}", "the same labels in every part")
    counts = {part: len(y) if several else y.size for part, y in labels.items()}
    if not any(counts.values()):
        raise npz.bad(path, f"labels of {counts} rows", "rows in one part or more")
    return counts


def _opinion(path: Path, labels: np.ndarray) -> tuple[np.ndarray, list[str]]:
    label = labels - np.float32(MIDDLE)  # also of unsigned integers
    if not np.isfinite(label).all() or np.abs(label).max() > OPINION:
        raise npz.bad(path, "labels that are no numbers from 1 to 5", "one label per row, 1 to 5")
    return label, [f"label is the source's, 1 to 5, less {MIDDLE}"]


def _polarity(path: Path, labels: np.ndarray) -> tuple[np.ndarray, list[str]]:
    hot = (labels == 1).sum(1) == 1
    if not (hot & ((labels == 0).sum(1) == CLASSES - 1)).all():
        raise npz.bad(path, "labels that are not one-hot", f"one of {CLASSES} classes per row")
    return labels.argmax(1) - 1, [
        "label is the class: first -1, second 0, third 1; that these are negative, neutral and "
        "positive, in this order, is unverified"
    ]


def _trait(
    path: Path, labels: np.ndarray, ids: Sequence[str], target: int
) -> tuple[np.ndarray, dict[str, str], list[str]]:
    if not 0 <= target < TRAITS:
        raise UserError(
            f"target {target}",
            found="no such trait",
            expected=f"a number from 0 to {TRAITS - 1}",
            remedy="Choose one of them: --target 0.",
        )
    value = labels[:, target].astype(float)
    if not ((value >= 0) & (value <= 7)).all():
        raise npz.bad(path, f"trait {target} off its scale", "numbers from 1 to 7")
    # Means of three raters from 1 to 7; one that did not rate counts 0, which can fall below.
    dropped = {
        clip: f"trait {target} is {v:.3g}, below its scale"
        for clip, v in zip(ids, value, strict=True)
        if v < 1
    }
    notes = [
        f"label is trait {target} of {TRAITS}, 1 to 7, less {TRAIT_MIDDLE}; the file does not name "
        "the traits"
    ]
    if dropped:
        notes.append(f"{len(dropped)} clips dropped whose trait is below 1")
    return value.clip(1) - TRAIT_MIDDLE, dropped, notes


def _frames(path: Path, stored: dict, array: str, counts: dict, options: Options) -> np.ndarray:
    """Return the frames (N, T, D) of all parts."""
    parts = [stored[f"{array}_{part}"] for part in counts]
    rows = [len(x) if x.ndim == 3 else 0 for x in parts]
    like = {x.shape[1:] for x in parts}
    if rows != list(counts.values()) or len(like) > 1 or not any(x.size for x in parts):
        shapes = {part: x.shape for part, x in zip(counts, parts, strict=True)}
        expected = "(rows, frames, features) per part, a row per label"
        raise npz.bad(path, f"{array} of shapes {shapes}", expected)
    with np.errstate(over="ignore"):  # what float32 cannot hold is infinite, and told so
        frames = np.concatenate(parts).astype(np.float32)
    bad = np.count_nonzero(~np.isfinite(frames))
    if bad and not options.clean:
        raise npz.bad(path, f"{bad} values of {array} that are NaN or infinite", "finite numbers")
    return frames
