"""What a reader has found -> ``Corpus``: the checks that every format needs, with one wording.

A reader knows its layout; whether ids are unique, labels lie on the scale and values are finite is
asked here, so that the same fault gets the same message whatever file it came from.
"""

import codecs
import csv
import hashlib
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from msalib.base.errors import UserError
from msalib.data.corpus import PARTS, Corpus, Features
from msalib.data.tasks import LIMIT, Regression, Task

SCALE = LIMIT
"""Labels lie from minus this to this."""


@dataclass(frozen=True)
class Found:
    """One modality as a file holds it: ``frames[i]`` (T_i, D) of clip i, and what a frame is."""

    source: str
    unit: str
    frames: Sequence[np.ndarray]
    note: str = ""


def corpus(
    path: Path,
    name: str,
    table: pd.DataFrame,
    *,
    splits: Mapping[str, Sequence[str]],
    tasks: tuple[Task, ...] = (Regression(),),
    found: Mapping[str, Found] | None = None,
    media: Mapping[str, Sequence[Path]] | None = None,
    faces: str = "opencv",
    notes: Sequence[str] = (),
    dropped: Mapping[str, str] | None = None,
    dropped_part: Mapping[str, str] | None = None,
    clean: bool = False,
) -> Corpus:
    """A ``Corpus`` named ``name`` of the clips in ``table``, read from ``path``.

    ``table`` has the columns id, video, segment, text and label, and any others; ``splits`` give a
    part per row. Clips without a label are dropped and counted, and so are those that ``dropped``
    names, id -> reason; it may name others that the reader left out of the table, with the parts
    of the standard split that they were in as ``dropped_part``. ``clean`` replaces values that are
    not finite by zero and says how many. Raises ``UserError`` for an id that is empty or twice,
    text that is no Unicode, a label off the scale, a part that is none, a clip without frames,
    frames of unequal width and values that are not finite.
    """

    def bad(what, expected, remedy="Restore the file from its source."):
        return UserError(path, found=what, expected=expected, remedy=remedy)

    if not len(table):
        raise bad("no clips", "one clip or more")
    table = table.reset_index(drop=True)
    for column in ["id", "text", *(c for c in table if c not in ("id", "text", "label"))]:
        if column not in ("id", "text") and table[column].dtype.kind in "biuf":
            continue
        values = ["" if v is None or v is pd.NA or v != v else str(v) for v in table[column]]
        strange = next((i for i, value in enumerate(values) if not is_text(value)), None)
        if strange is not None:
            raise bad(f"characters that are none in the {column} of clip {strange + 1}", "Unicode")
        table[column] = values
    if (table["id"] == "").any():
        raise bad(f"no id for clip number {int((table['id'] == '').argmax()) + 1}", "an id each")
    if table["id"].duplicated().any():
        twice = table["id"][table["id"].duplicated()].iloc[0]
        first = next(iter(splits.values()))
        parts = [str(first[i]) for i in np.flatnonzero(table["id"] == twice)]
        raise bad(f"two clips with the id {twice} (in {' and '.join(parts[:2])})", "every id once")
    label = pd.to_numeric(table["label"], errors="coerce").astype(float)
    wrong = (label.isna() & table["label"].notna()) | (label.abs() > SCALE)
    if wrong.any():
        first = int(wrong.to_numpy().argmax())
        raise bad(
            f"label {table['label'].iloc[first]} for clip {table['id'].iloc[first]}",
            f"a number from {-SCALE:g} to {SCALE:g}, or nothing",
            "Correct the label; scales of other data sets are known to their own readers.",
        )
    for split, parts in splits.items():
        strange = next((i for i, part in enumerate(parts) if part not in PARTS), None)
        if strange is not None:
            raise bad(
                f"{split} part {parts[strange]!r} for clip {table['id'].iloc[strange]}",
                " | ".join(PARTS),
            )
    without = dict.fromkeys(table["id"][label.isna()], "no label") | dict(dropped or {})
    keep = ~table["id"].isin(list(without)).to_numpy()
    if not keep.any():
        raise bad("no clip with a label that can be kept", "labelled clips")
    kept = np.flatnonzero(keep)
    features = {
        m: _features(path, table["id"].to_numpy(), kept, m, f, clean)
        for m, f in (found or {}).items()
    }
    utterances = table.assign(label=label)[keep].set_index("id")
    named = {n: pd.Series(list(p), index=table["id"])[keep] for n, p in splits.items()}
    first = next(iter(splits.values()))
    return Corpus(
        name=name,
        utterances=utterances,
        features=features,
        splits=named,
        tasks=tasks,
        dropped=without,
        dropped_part={table["id"].iloc[i]: first[i] for i in np.flatnonzero(~keep)}
        | dict(dropped_part or {}),
        media={m: [Path(files[i]) for i in kept] for m, files in (media or {}).items()},
        faces=faces,
        notes=tuple(notes),
    )


def table(
    path: Path, needed: Sequence[str], decode: Callable[[bytes], str] | None = None
) -> pd.DataFrame:
    """A comma-separated file as it is: every value text, empty where nothing stands.

    ``decode`` turns bytes into text, by default as UTF-8 with or without a mark of byte order.
    Raises ``UserError`` for a file that is missing or not such text, for a quote that does not
    end, a line with more or fewer values than the header, a column twice, or ``needed`` ones that
    lack. Python's own reader, because it is strict and counts lines.
    """

    def bad(
        found,
        expected="comma-separated UTF-8 text, a header and a line per clip",
        remedy="Restore the file from its source.",
    ):
        return UserError(path, found=found, expected=expected, remedy=remedy)

    try:
        content = path.read_bytes()
    except OSError as error:
        raise bad(error.strerror or "no readable file", ", ".join(needed)) from error
    as_saved = "Save it as CSV UTF-8, comma-separated."  # what spreadsheets call it
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise bad("UTF-16 text, as spreadsheets save 'Unicode text'", remedy=as_saved)
    try:
        text = decode(content) if decode else content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise bad(f"bytes that are no {error.encoding} text, at byte {error.start}") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows, lines = [], []
    try:
        header = [column.strip() for column in next(reader, [])]
        for row in reader:
            if row:  # not an empty line
                rows.append(row)
                lines.append(reader.line_num)
    except csv.Error as error:
        raise bad(f"line {reader.line_num}: {error}") from error
    missing = [column for column in needed if column not in header]
    if missing and len(header) == 1 and (mark := next((m for m in ";\t" if m in header[0]), "")):
        name = {";": "semicolons", "\t": "tabs"}[mark]
        raise bad(f"columns that are separated by {name}", remedy=as_saved)
    if missing:
        raise bad(f"no column {', '.join(missing)}", "the columns " + ", ".join(needed))
    twice = next((column for i, column in enumerate(header) if column in header[:i]), None)
    if twice is not None:
        raise bad(f"two columns named {twice!r}", "every column once")
    for line, row in zip(lines, rows, strict=True):
        if len(row) != len(header):
            raise bad(f"{len(row)} values in line {line}", f"{len(header)}, as in the header")
    return pd.DataFrame(rows, columns=header, dtype=str)


def clip_of(name: str) -> tuple[str, str] | None:
    """Video and segment that a clip's id names, None where it names none.

    MMSA writes ``video$_$clip``, the CMU SDK ``video[clip]``, papers' own files ``video_clip``.
    """
    for pattern in (r"(.+)\$_\$(.+)", r"(.+)\[(\d+)\]", r"(.+)_(\d+)"):
        if match := re.fullmatch(pattern, name, re.DOTALL):
            return match[1], match[2]
    return None


def is_text(value: str) -> bool:
    """Whether a text is Unicode that files can hold: no half of a character, no NUL."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in value


def _features(path: Path, ids, kept, modality: str, found: Found, clean: bool) -> Features:
    frames = [np.asarray(found.frames[i]) for i in kept]
    width = frames[0].shape[-1] if frames[0].ndim == 2 else None
    for i, array in zip(kept, frames, strict=True):
        if array.dtype.kind not in "biuf":
            raise UserError(
                path,
                found=f"{modality} features of type {array.dtype} for clip {ids[i]}",
                expected="numbers",
                remedy="Restore the file from its source.",
            )
        if array.ndim != 2 or not len(array) or not width or array.shape[1] != width:
            raise UserError(
                path,
                found=f"{modality} features of shape {array.shape} for clip {ids[i]}",
                expected=f"one frame or more, each of {width or 'some'} numbers",
                remedy="Restore the file from its source.",
            )
    offsets = np.concatenate([[0], np.cumsum([len(a) for a in frames])])
    values = np.empty((int(offsets[-1]), width), np.float32)
    with np.errstate(over="ignore", invalid="ignore"):  # what does not fit is infinite: see below
        for start, array in zip(offsets, frames, strict=False):
            values[start : start + len(array)] = array
    note = found.note
    broken = ~np.isfinite(values)
    if broken.any():
        row, column = map(int, np.argwhere(broken)[0])
        clip = ids[kept[int(np.searchsorted(offsets, row, side="right")) - 1]]
        if not clean:
            raise UserError(
                path,
                found=f"{int(broken.sum())} {modality} values that are NaN or infinite, the first "
                f"for clip {clip}, feature {column}",
                expected="finite numbers",
                remedy="Restore the file, or pass --clean to replace them by zero.",
            )
        values[broken] = 0
        note += f"{'; ' if note else ''}{int(broken.sum())} non-finite values replaced by zero"
    return Features(
        source=found.source,
        unit=found.unit,
        layers={1: values},
        offsets=offsets,
        provenance={
            "source": found.source,
            "note": note,
            "values": hashlib.sha256(values.tobytes()).hexdigest(),
        },
    )
