"""What a reader has found -> ``Corpus``: the checks that every format needs, with one wording.

A reader knows its layout; whether ids are unique, labels lie on the scale and values are finite is
asked here, so that the same fault gets the same message whatever file it came from.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from msalib.base import standins
from msalib.base.errors import UserError
from msalib.data.corpus import PARTS, Corpus, Features
from msalib.data.tasks import LIMIT, Regression, Task


@dataclass(frozen=True)
class Frames:
    """One modality as a file holds it: ``clips[i]`` (T_i, D) of clip i, and what a frame is.

    ``clips`` is emptied while its frames are copied, so that memory is free for the next.
    """

    source: str
    unit: str
    clips: list[np.ndarray]
    note: str = ""


@dataclass(frozen=True)
class Clips:
    """What a reader has found at ``path``.

    ``table`` has the columns id, video, segment and label, text where there are transcripts, and
    any others; ``splits`` give a part per row. ``dropped`` names clips that are not kept, id ->
    reason. It may name clips that the reader left out of the table, with the parts of the standard
    split that they were in as ``dropped_part``.
    """

    path: Path
    table: pd.DataFrame
    splits: Mapping[str, Sequence[str]]
    tasks: tuple[Task, ...] = (Regression(),)
    frames: Mapping[str, Frames] = field(default_factory=dict)
    media: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    faces: str = "opencv"
    notes: Sequence[str] = ()
    dropped: Mapping[str, str] = field(default_factory=dict)
    dropped_part: Mapping[str, str] = field(default_factory=dict)


def corpus(name: str, clips: Clips, *, clean: bool = False) -> Corpus:
    """Build a ``Corpus`` named ``name``; clips without a label are dropped and counted.

    ``clean`` replaces values that are not finite by zero and says how many. Raises ``UserError``
    for an id that is empty or twice, text that is no Unicode, a label off the scale, a part that
    is none, a clip without frames, frames of unequal width and values that are not finite; for a
    file of sound or pictures that is no such file; and where no clip is left, or of a modality
    nothing: no frame that is not zero, no transcript that is not empty.
    """
    table = _checked_texts(clips)
    _check_ids(clips, table["id"])
    label = _checked_labels(clips, table)
    _check_parts(clips, table["id"])
    without = dict.fromkeys(table["id"][label.isna()], "no label") | dict(clips.dropped)
    keep = ~table["id"].isin(list(without)).to_numpy()
    _check_left(clips, table[keep], without)
    for files in clips.media.values():
        _check_media(files)
    kept, ids = np.flatnonzero(keep), table["id"].to_numpy()
    first = next(iter(clips.splits.values()))
    features = _all_features(clips, ids, kept, clean)
    return Corpus(
        name=name,
        utterances=table.assign(label=label)[keep].set_index("id"),
        features=features,
        splits={n: pd.Series(list(p), index=table["id"])[keep] for n, p in clips.splits.items()},
        tasks=clips.tasks,
        dropped=without,
        dropped_part={ids[i]: first[i] for i in np.flatnonzero(~keep)} | dict(clips.dropped_part),
        media={m: [Path(files[i]) for i in kept] for m, files in clips.media.items()},
        faces=clips.faces,
        notes=(
            *clips.notes,
            *_lost_parts(features, table["text"][keep], np.array(list(first))[keep]),
        ),
    )


RESTORE = "Restore the file from its source."
"""The remedy for a file that is not as its source has it."""


def bad(path: Path, found: str, expected: str, remedy: str = RESTORE) -> UserError:
    """Return the error of a file whose content is not what its layout says.

    One that stands in for the file (a pointer, a page) is told as what it is.
    """
    return standins.refusal(path) or UserError(path, found=found, expected=expected, remedy=remedy)


# --- checks -------------------------------------------------------------------------------------


def _checked_texts(clips: Clips) -> pd.DataFrame:
    """Return the table with every column but labels and numbers as text."""
    table = clips.table.reset_index(drop=True)
    if not len(table):
        raise bad(clips.path, "no clips", "one clip or more")
    if "text" not in table:
        table.insert(1, "text", "")
    for column in ["id", "text", *(c for c in table if c not in ("id", "text", "label"))]:
        if column not in ("id", "text") and table[column].dtype.kind in "biuf":
            continue
        values = ["" if v is None or v is pd.NA or v != v else str(v) for v in table[column]]
        strange = next((i for i, value in enumerate(values) if not is_text(value)), None)
        if strange is not None:
            found = f"characters that are none in the {column} of clip {strange + 1}"
            raise bad(clips.path, found, "Unicode")
        table[column] = values
    return table


def _check_ids(clips: Clips, ids: pd.Series) -> None:
    if (blank := ids.str.strip() == "").any():
        found = f"no id for clip number {int(blank.argmax()) + 1}"
        raise bad(clips.path, found, "an id each")
    if ids.duplicated().any():
        twice = ids[ids.duplicated()].iloc[0]
        first = next(iter(clips.splits.values()))
        parts = [str(first[i]) for i in np.flatnonzero(ids == twice)]
        found = f"two clips with the id {twice} (in {' and '.join(parts[:2])})"
        raise bad(clips.path, found, "every id once")


def _checked_labels(clips: Clips, table: pd.DataFrame) -> pd.Series:
    """Return the labels as numbers, nan where there is none."""
    label = pd.to_numeric(table["label"], errors="coerce").astype(float)
    wrong = (label.isna() & table["label"].notna()) | (label.abs() > LIMIT)
    if wrong.any():
        first = int(wrong.to_numpy().argmax())
        raise bad(
            clips.path,
            f"label {table['label'].iloc[first]} for clip {table['id'].iloc[first]}",
            f"a number from {-LIMIT:g} to {LIMIT:g}, or nothing",
            "Correct the label; scales of other data sets are known to their own readers.",
        )
    return label


def _check_parts(clips: Clips, ids: pd.Series) -> None:
    for split, parts in clips.splits.items():
        strange = next((i for i, part in enumerate(parts) if part not in PARTS), None)
        if strange is not None:
            found = f"{split} part {parts[strange]!r} for clip {ids.iloc[strange]}"
            raise bad(clips.path, found, " | ".join(PARTS))


def _check_left(clips: Clips, table: pd.DataFrame, without: Mapping[str, str]) -> None:
    """Check that some clips are left, and transcripts of them where the source has any."""
    if not len(table):
        reasons = Counter(without.values()).most_common(3)
        why = ", ".join(f"{reason}: {count}" for reason, count in reasons)
        raise bad(clips.path, f"no clip that can be kept ({why})", "labelled clips")
    if "text" in clips.table:
        check_transcripts(clips.path, table["text"])
    elif not clips.frames and not clips.media:
        raise bad(clips.path, "clips without text, sound or pictures", "one of them or more")


def check_transcripts(path: Path, texts: pd.Series) -> None:
    """Raise ``UserError`` where every transcript of a source is empty."""
    if not texts.str.strip().any():
        raise bad(
            path,
            f"an empty transcript for every one of {len(texts)} clips",
            "what is said in them",
            "Restore the transcripts from their source. Where there are none, leave out the key or "
            "column that would hold them: the clips are then added without.",
        )


def _check_media(files: Sequence[Path]) -> None:
    """Raise ``UserError`` for the first file, or first of a folder, that stands in for another."""
    for path in files:
        first = min(Path(path).iterdir(), default=path) if Path(path).is_dir() else path
        if error := standins.refusal(first):
            raise error


# --- features -----------------------------------------------------------------------------------


def _all_features(clips: Clips, ids, kept, clean: bool) -> dict[str, Features]:
    # The smallest first: while the largest is there twice, the others are there once.
    size = {m: sum(np.asarray(c).nbytes for c in f.clips) for m, f in clips.frames.items()}
    made = {
        m: _features(clips.path, ids, kept, m, clips.frames[m], clean)
        for m in sorted(size, key=size.get)
    }
    return {m: made[m] for m in clips.frames}


def _features(path: Path, ids, kept, modality: str, frames: Frames, clean: bool) -> Features:
    arrays = [np.asarray(frames.clips[i]) for i in kept]
    frames.clips.clear()
    ids = ids[kept]
    width = _checked_width(path, ids, modality, arrays)
    offsets = np.concatenate([[0], np.cumsum([len(a) for a in arrays])])
    values = np.empty((int(offsets[-1]), width), np.float32)
    broken, some, first = 0, False, ""
    for i, start in enumerate(offsets[:-1]):
        block = values[start : offsets[i + 1]]
        with np.errstate(over="ignore", invalid="ignore"):  # what does not fit is infinite
            block[:] = arrays[i]
        arrays[i] = None  # the last clip of an array gives its memory back
        wrong = ~np.isfinite(block)
        if wrong.any():
            first = first or f"clip {ids[i]}, feature {int(np.argwhere(wrong)[0, 1])}"
            broken += int(wrong.sum())
            block[wrong] = 0
        some = some or bool(block.any())
    note = frames.note
    if broken:
        if not clean:
            raise bad(
                path,
                f"{broken} {modality} values that are NaN or infinite, the first for {first}",
                "finite numbers",
                "Restore the file, or pass --clean to replace them by zero.",
            )
        note += f"{'; ' if note else ''}{broken} non-finite values replaced by zero"
    if not some:
        raise nothing(path, modality, frames.source, len(ids))
    return Features(
        source=frames.source,
        unit=frames.unit,
        layers={1: values},
        offsets=offsets,
        provenance={
            "source": frames.source,
            "note": note,
            "values": hashlib.sha256(values.reshape(-1)).hexdigest(),
        },
    )


def _lost_parts(features: Mapping[str, Features], texts: pd.Series, parts: np.ndarray) -> list[str]:
    """Return a note for each modality of which there is nothing in one of the parts (N,)."""
    blank = (texts.str.strip() == "").to_numpy()
    lost = [p for p in PARTS if (parts == p).any() and not blank.all() and blank[parts == p].all()]
    notes = [f"empty transcripts in all {(parts == part).sum()} clips of {part}" for part in lost]
    for one in features.values():
        pairs = list(zip(one.offsets, one.offsets[1:], strict=False))
        for part in PARTS:
            rows = np.flatnonzero(parts == part)
            if len(rows) and not any(one.layers[1][slice(*pairs[i])].any() for i in rows):
                notes.append(f"{one.source}: zero throughout in all {len(rows)} clips of {part}")
    return notes


def nothing(path: Path, modality: str, source: str, clips: int) -> UserError:
    """Return the error of a modality that is zero throughout, in every clip."""
    return bad(
        path,
        f"{modality} features ({source}) that are zero throughout, in all of {clips} clips",
        "frames that are not zero",
        f"Extract them again, or take {source} out of what you add: the clips are then added "
        "without.",
    )


def _checked_width(path: Path, ids, modality: str, arrays: Sequence[np.ndarray]) -> int:
    """Return the width D that the frames (T_i, D) of all clips have."""
    width = arrays[0].shape[-1] if arrays[0].ndim == 2 else None
    for clip, array in zip(ids, arrays, strict=True):
        if array.dtype.kind not in "biuf":
            found = f"{modality} features of type {array.dtype} for clip {clip}"
            raise bad(path, found, "numbers")
        if array.ndim != 2 or not len(array) or not width or array.shape[1] != width:
            found = f"{modality} features of shape {array.shape} for clip {clip}"
            raise bad(path, found, f"one frame or more, each of {width or 'some'} numbers")
    return width


# --- ids and text -------------------------------------------------------------------------------


def clip_of(name: str) -> tuple[str, str] | None:
    """Return the video and segment that a clip's id names, None where it names none.

    MMSA writes ``video$_$clip``, the CMU SDK ``video[clip]``, papers' own files ``video_clip``.
    """
    for pattern in (r"(.+)\$_\$(.+)", r"(.+)\[(\d+)\]", r"(.+)_(\d+)"):
        if match := re.fullmatch(pattern, name, re.DOTALL):
            return match[1], match[2]
    return None


def is_text(value: str) -> bool:
    """Check whether a text is Unicode that files can hold: no half of a character, no NUL."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in value
