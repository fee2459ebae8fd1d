"""What a pickle holds -> parts, texts, numbers and frames that can be relied on.

``safe.load`` says that a pickle is data; whether a key is there, holds text and has an entry for
each clip is asked here, with one wording for all layouts.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from msalib.data.corpus import PARTS
from msalib.data.readers import build
from msalib.data.readers.build import bad
from msalib.data.tasks import Classes, Regression, Sims, Task

UNIMODAL = ("label_T", "label_A", "label_V")
"""Columns of the labels that CH-SIMS has for text, audio and vision alone."""

EMOTIONS = 6
"""Columns after sentiment in the labels of CMU-MOSEI."""

_NAMES = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("valid", "val", "dev", "validation"), "valid"),
    **dict.fromkeys(("test", "testing"), "test"),
}


def part_of(name) -> str | None:
    """Return the part that files call by a name, None for any other name."""
    return _NAMES.get(name.strip().lower()) if isinstance(name, str) else None


def parts(
    path: Path, content: dict, kind: type | tuple[type, ...], is_part: Callable[[object], bool]
) -> dict:
    """Return part -> what ``content`` holds for it, a ``kind`` that is not empty.

    A part may be missing. Raises ``UserError`` where all are, for two names of one part, and for
    what ``is_part`` takes for a part and has no name of one.
    """
    held = {}
    for key, value in content.items():
        part = part_of(key)
        if part is None:
            if is_part(value):
                raise bad(path, f"a part {str(key)[:40]!r}", "train, valid (or dev) and test")
        elif not isinstance(value, kind):
            raise bad(path, f"{key[:40]} of type {type(value).__name__}", "the clips of a part")
        elif part in held:
            raise bad(path, f"two parts for {part}, one of them {key[:40]!r}", "every part once")
        elif len(value):
            held[part] = value
    if not held:
        raise bad(path, f"no part ({_there(content, 8)})", "train, valid (or dev) and test")
    return {part: held[part] for part in PARTS if part in held}


def _there(content: dict, most: int) -> str:
    keys = ", ".join(str(key)[:40] for key in list(content)[:most])
    return f"there are: {keys}" if keys else "there are none"


def entry(path: Path, part: str, held: dict, key: str):
    """Return what one part holds under a key that must be there."""
    if key not in held:
        raise bad(path, f"no {key} in {part} ({_there(held, 20)})", f"{key} for every clip")
    return held[key]


def items(path: Path, where: str, value, count: int | None = None) -> list:
    """Return an array or list as a list along its first axis, of ``count`` items if given."""
    if not isinstance(value, np.ndarray | list | tuple) or np.ndim(_any(value)) == 0:
        raise bad(path, f"{where} of type {type(value).__name__}", "an array or a list")
    if count is not None and len(value) != count:
        raise bad(path, f"{where} of {len(value)} entries", f"{count}, one for every id")
    return value.tolist() if isinstance(value, np.ndarray) else list(value)


def texts(path: Path, where: str, value, count: int | None = None) -> list[str]:
    """Return entries that are text, or bytes that are; lists of a single text count as it."""
    return [text(path, where, item) for item in items(path, where, value, count)]


def texts_or_blanks(path: Path, where: str, value, count: int) -> list[str]:
    """Return entries that are text; one left blank (None or NaN) is empty, a number its digits."""
    entries = map(_single, items(path, where, value, count))
    return [_digits(x) if _is_real(x) else text(path, where, x) for x in entries]


def _is_real(value) -> bool:
    return value is None or isinstance(value, float | np.floating)


def _digits(value: float | None) -> str:
    return "" if value is None or value != value else f"{value:g}"


def text(path: Path, where: str, value) -> str:
    """Return one text; whole numbers are taken as text too, for ids that are numbers."""
    value = _single(value)
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value.decode("latin-1")
    if isinstance(value, str):
        if not build.is_text(value):
            raise bad(path, f"{where} with characters that are none", "text in Unicode")
        return str(value)
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        return str(int(value))
    raise bad(path, f"{where} with an entry of type {type(value).__name__}", "text for every clip")


def _single(value):
    """Return what a list or array of one thing has, anything else as it is."""
    while isinstance(value, list | tuple | np.ndarray) and np.size(_any(value)) == 1:
        value = value[0] if np.ndim(_any(value)) else value.item()
    return value


def numbers(path: Path, where: str, value, count: int) -> np.ndarray:
    """Return entries that are numbers, (count,) float64; what is blank becomes nan."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        if value.size != count or value.shape[:1] != (count,):
            raise bad(path, f"{where} of shape {value.shape}", f"{count} numbers, one for every id")
        return value.reshape(-1).astype(np.float64)
    return np.array([number(path, where, item) for item in items(path, where, value, count)])


def number(path: Path, where: str, value) -> float:
    """Return one number; a list of a single one counts as it, and nothing or a blank is nan."""
    value = _single(value)
    if value is None or (isinstance(value, str | bytes) and not value.strip()):
        return float("nan")
    if isinstance(value, int | float | np.number):
        return float(value)
    what = repr(value[:40]) if isinstance(value, str | bytes) else type(value).__name__
    raise bad(path, f"{where} with the entry {what}", "a number for every clip")


def frames(path: Path, where: str, value, count: int) -> np.ndarray:
    """Return the frames of every clip with their padding, (count, T, D)."""
    numeric = isinstance(value, np.ndarray) and value.dtype.kind in "biuf"
    if not numeric or value.ndim != 3 or len(value) != count or 0 in value.shape:
        what = f"shape {value.shape}" if numeric else f"type {type(value).__name__}"
        raise bad(path, f"{where} of {what}", f"numbers of shape ({count}, frames, features)")
    return value


def sentiment(labels) -> tuple[object, list[str]]:
    """Return the sentiment of labels that six emotions follow, (..., 7), and a note; others as is.

    CMU-MOSEI has such labels; those who train on its pickles take the first.
    """
    several = isinstance(labels, np.ndarray) and labels.ndim > 1
    if not several or labels.shape[-1] != 1 + EMOTIONS:
        return labels, []
    return labels[..., 0], ["label is the first of seven: sentiment, before six emotions"]


def check_same(path: Path, before: Iterable[str], found: Iterable[str], names: Mapping) -> None:
    """Raise ``UserError`` where two parts have other modalities; ``names`` are those of arrays."""
    if several := [names[modality] for modality in sorted({*before} ^ {*found})]:
        what = f"{', '.join(several)} not in all parts"
        raise bad(path, what, "the same arrays in every part")


def joined(path: Path, tables: Sequence[pd.DataFrame]) -> tuple[pd.DataFrame, list[str]]:
    """Return the clips of all parts in one table, video and segment by their ids, and notes.

    A column that one part lacks is empty there. Raises ``UserError`` where no part has a clip.
    """
    if not tables:
        raise bad(path, "no clips in any part", "one clip or more")
    table = pd.concat(tables, ignore_index=True)
    notes = []
    if "video" not in table:
        table["video"], table["segment"], notes = ids_to_clips(table["id"].tolist())
    if "text" not in table:
        notes.append("the file has no transcripts")
    return table, notes


def ids_to_clips(ids: Sequence[str]) -> tuple[list[str], list[str], list[str]]:
    """Return the video and segment of every id, and a note if some ids name none."""
    named = [build.clip_of(name) for name in ids]
    without = sum(clip is None for clip in named)
    notes = (
        [f"ids that name no video, so that the clip counts as its own: {without}"]
        if without
        else []
    )
    videos = [clip[0] if clip else name for clip, name in zip(named, ids, strict=True)]
    return videos, [clip[1] if clip else "1" for clip in named], notes


def counted(notes: Iterable[str]) -> list[str]:
    """Return each note once, with the number of its clips in place of ``{}``."""
    return [note.format(count) for note, count in Counter(notes).items()]


def tasks(table: pd.DataFrame) -> tuple[Task, ...]:
    """Return the tasks of clips from a pickle: classes if the labels have two values.

    CH-SIMS alone has unimodal labels. Its labels lie within -1 and 1 and have cut points of their
    own.
    """
    labels = table["label"].to_numpy(float)
    known = np.unique(labels[np.isfinite(labels)])
    if set(UNIMODAL) <= set(table) and len(known) and np.abs(known).max() <= 1:
        return (Sims(), *(Sims(column=column) for column in UNIMODAL))
    if len(known) == 2:
        return (Classes(tuple(f"{value:g}" for value in known), values=tuple(known.tolist())),)
    return (Regression(),)


def scale_note(table: pd.DataFrame) -> list[str]:
    """Return a note where the labels of clips do not use the scale from -3 to 3."""
    labels = table["label"].to_numpy(float)
    known = labels[np.isfinite(labels)]
    if len(set(known.tolist())) == 2:
        return ["labels have two values: a class, no intensity"]
    if isinstance(tasks(table)[0], Sims):
        return ["labels run from -1 to 1 and are scored as those of CH-SIMS"]
    if len(known) and np.abs(known).max() <= 1:
        return ["labels run from -1 to 1 and are kept so, on a scale from -3 to 3"]
    return []


def _any(value):
    """Return an array as it is, and for a list an array of its length."""
    return value if isinstance(value, np.ndarray) else np.empty(len(value), np.int8)
