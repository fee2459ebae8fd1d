"""A folder of clips with label.csv, as MMSA and SIMS have it: sound, pictures and transcripts.

label.csv has video_id, clip_id, text, label and mode (train, valid, test), and SIMS's label_T,
label_A, label_V beside. Files are found by these ids, below the folder, in this order:

    wav/<video_id>/<clip_id>.wav      Raw/<video_id>/<clip_id>.mp4      <video_id>/<clip_id>.*

A video is picture and sound, unless a sound file lies in one of these places too; a folder
``<video_id>/<clip_id>/`` of .png or .jpg frames is picture where there is no video. Numbers that
lost or gained leading zeros (1 for 0001) are found as well. Nothing is copied and nothing decoded
here: files are named in ``Corpus.media`` for the encoders.
"""

import os
from collections import Counter
from pathlib import Path

import pandas as pd

from msalib.base.errors import UserError
from msalib.data.corpus import Corpus
from msalib.data.readers import build, csvs
from msalib.data.readers.formats import Options
from msalib.data.tasks import LIMIT

NAME = "media"
TITLE = "clips of sound, pictures and text: a folder with label.csv"

TABLE = "label.csv"
NEEDED = ("video_id", "clip_id", "text", "label", "mode")
UNIMODAL_LABELS = ("label_T", "label_A", "label_V")
"""SIMS: sentiment of the text, the voice and the face alone."""

PLACES = ("wav", "Raw", "")
SOUNDS = (".wav", ".flac", ".ogg", ".mp3", ".m4a")
VIDEOS = (".mp4", ".mkv", ".avi", ".mov", ".webm", ".flv")
PICTURES = (".png", ".jpg", ".jpeg")
FOLDER = "/"  # suffix of a folder of frames

KINDS = {"visual": (*VIDEOS, FOLDER), "acoustic": (*SOUNDS, *VIDEOS)}
"""Modality -> what serves it, the best first."""

CALLED = {"visual": "pictures", "acoustic": "sound"}

WIDTHS = range(2, 7)
"""Digits to which a clip's number may be padded."""

_PART = {"train": "train", "valid": "valid", "val": "valid", "dev": "valid", "test": "test"}
_NO_LABEL = ("", "nan", "NaN", "NA")


def detects(path: Path) -> bool:
    """Check whether a path is a folder with label.csv."""
    return path.is_dir() and (path / TABLE).is_file()


def read(path: Path, name: str, options: Options) -> Corpus:
    """Read a folder as a ``Corpus`` whose clips name their files; ids are <video_id>_<clip_id>.

    All further columns are kept. A modality is there if one clip or more has a file of it; clips
    that lack theirs, or have an empty one, are dropped, by name and with the reason. Raises
    ``UserError`` for a label.csv that lacks or is not as described, for a clip twice, for two
    clips with one file, and if no clip is left.
    """
    file = path / TABLE
    stored, ids = _stored(file)
    files, dropped, notes = _find(path.resolve(), stored, ids)
    keep = [i for i, clip in enumerate(ids) if clip not in dropped]
    if not keep:
        raise UserError(
            path,
            found=f"files for none of {len(ids)} clips ({_count(dropped)})",
            expected="files of each kind for a clip: wav/<video_id>/<clip_id>.wav, "
            "Raw/<video_id>/<clip_id>.mp4, <video_id>/<clip_id>.*",
            remedy="Give the folder that has label.csv and the clips in these places.",
        )
    table = _table(file, stored, ids)
    part = stored["mode"].map(_PART).tolist()
    label = pd.to_numeric(table["label"], errors="coerce")
    clips = build.Clips(
        file,
        table.iloc[keep],
        splits={"standard": [part[i] for i in keep]},
        media={modality: [paths[i] for i in keep] for modality, paths in files.items()},
        faces=options.faces,
        notes=[*notes, f"labels are taken as they are: {label.min():g} to {label.max():g}"],
        dropped=dropped,
        dropped_part={clip: p for clip, p in zip(ids, part, strict=True) if clip in dropped},
    )
    return build.corpus(name, clips, clean=options.clean)


_REMEDY = "Correct label.csv, or restore it from its source."


def _stored(file: Path) -> tuple[pd.DataFrame, list[str]]:
    """Return label.csv and the ids of its clips, checked."""
    stored = csvs.table(file, NEEDED)
    if not len(stored):
        raise build.bad(file, "no clips", "a line per clip", _REMEDY)
    for column in ("video_id", "clip_id"):
        stored[column] = stored[column].str.strip()
        strange = [i for i, value in enumerate(stored[column]) if not _plain(value)]
        if strange:
            found = f"{column} {stored[column][strange[0]]!a} in row {strange[0] + 1}"
            raise build.bad(file, found, "the name of a file or folder, without a path", _REMEDY)
    stored["mode"] = stored["mode"].str.strip().str.lower()
    strange = ~stored["mode"].isin(list(_PART))
    if strange.any():
        first = int(strange.to_numpy().argmax())
        found = f"mode {stored['mode'][first]!r} in row {first + 1}"
        raise build.bad(file, found, " | ".join(_PART), _REMEDY)
    ids = (stored["video_id"] + "_" + stored["clip_id"]).tolist()
    twice = next((clip for clip, count in Counter(ids).items() if count > 1), None)
    if twice is not None:  # before clips are dropped
        raise build.bad(file, f"two clips with the id {twice}", "every clip once", _REMEDY)
    return stored, ids


def _table(file: Path, stored: pd.DataFrame, ids: list[str]) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "id": ids,
            "video": stored["video_id"],
            "segment": stored["clip_id"],
            "text": stored["text"],
            "label": [None if y.strip() in _NO_LABEL else y for y in stored["label"]],
        }
    )
    for column in stored.columns.difference([*NEEDED, *table], sort=False):
        numeric = column in UNIMODAL_LABELS
        table[column] = _numbers(file, stored, column, ids) if numeric else stored[column]
    return table


def _plain(name: str) -> bool:
    return (
        bool(name)
        and name.isprintable()
        and name not in (".", "..")
        and not set(name) & {"/", "\\"}
    )


def _numbers(file: Path, stored: pd.DataFrame, column: str, ids: list[str]) -> pd.Series:
    text = stored[column].str.strip()
    values = pd.to_numeric(text, errors="coerce").astype(float)
    wrong = (values.isna() & ~text.isin(_NO_LABEL)) | (values.abs() > LIMIT)
    if wrong.any():
        first = int(wrong.to_numpy().argmax())
        expected = f"a number from {-LIMIT:g} to {LIMIT:g}, or nothing"
        found = f"{column} {text[first]} for clip {ids[first]}"
        raise build.bad(file, found, expected, _REMEDY)
    return values


def _count(dropped: dict[str, str]) -> str:
    return ", ".join(f"{count} {why}" for why, count in Counter(dropped.values()).most_common())


def _find(
    folder: Path, stored: pd.DataFrame, ids: list[str]
) -> tuple[dict[str, list[Path | None]], dict[str, str], list[str]]:
    """Return modality -> file per clip; id -> why a clip is dropped; notes."""
    files: dict[str, list[Path | None]] = {modality: [] for modality in KINDS}
    empty: dict[str, str] = {}
    renumbered = []
    listings: dict[Path, Listing] = {}
    for clip, video, number in zip(ids, stored["video_id"], stored["clip_id"], strict=True):
        entries, name = _entries(folder, video, number, listings)
        if name != number:
            renumbered.append(clip)
        for modality, suffixes in KINDS.items():
            file, full = next((entries[s] for s in suffixes if s in entries), (None, True))
            files[modality].append(file)
            if not full:
                empty.setdefault(clip, f"{file.relative_to(folder)} is empty")
    notes = []
    present = {m: paths for m, paths in files.items() if any(paths)}
    dropped = dict(empty)
    for modality, paths in present.items():
        _check_unshared(ids, paths)
        lacking = [clip for clip, file in zip(ids, paths, strict=True) if file is None]
        for clip in lacking:
            dropped.setdefault(clip, f"no {CALLED[modality]}")
        if lacking:
            more = ", ..." if len(lacking) > 3 else ""
            notes.append(
                f"no {CALLED[modality]} for {len(lacking)} of {len(ids)} clips, which are dropped: "
                f"{', '.join(lacking[:3])}{more}"
            )
    if empty:
        notes.append(f"{len(empty)} clips dropped whose files are empty: {', '.join(empty)}")
    if renumbered:
        notes.append(
            f"{len(renumbered)} clips found under a number with other leading zeros than in "
            f"label.csv, the first {renumbered[0]}"
        )
    notes += [
        f"no {CALLED[modality]} for any clip" for modality in KINDS if modality not in present
    ]
    return present, dropped, sorted(notes)


def _entries(
    folder: Path, video: str, number: str, listings: dict[Path, "Listing"]
) -> tuple[dict[str, tuple[Path, bool]], str]:
    """Return suffix -> file of a clip, and whether it is full; and another number it lies under."""
    entries: dict[str, tuple[Path, bool]] = {}
    other = number
    for place in PLACES:
        where = folder / place / video
        if where not in listings:
            listings[where] = _listing(where)
        name = next((n for n in _numbered(number) if n in listings[where]), None)
        if name is not None:
            other = name if other == number else other
            for suffix, entry in listings[where][name].items():
                entries.setdefault(suffix, entry)
    return entries, other


def _check_unshared(ids: list[str], paths: list[Path | None]) -> None:
    users = Counter(file for file in paths if file)
    shared = next((file for file, count in users.items() if count > 1), None)
    if shared is not None:
        clips = [clip for clip, file in zip(ids, paths, strict=True) if file == shared]
        raise UserError(
            shared,
            found=f"one file for the clips {' and '.join(clips[:2])}",
            expected="a file of its own for every clip",
            remedy="Give clips in label.csv the numbers that their files have.",
        )


def _numbered(clip: str) -> list[str]:
    """Return the names under which a clip may lie, its own first."""
    if not (clip.isascii() and clip.isdigit()):
        return [clip]
    bare = clip.lstrip("0") or "0"
    return list(dict.fromkeys([clip, bare, *(bare.zfill(width) for width in WIDTHS)]))


Listing = dict[str, dict[str, tuple[Path, bool]]]


def _listing(folder: Path) -> Listing:
    """Return stem -> suffix -> path of what lies in a folder, and whether it is not empty."""
    listing: Listing = {}
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return {}
    for entry in entries:
        path = folder / entry.name
        if entry.is_dir():
            pictures = [
                p
                for p in path.iterdir()
                if p.suffix.lower() in PICTURES and not p.name.startswith(".")
            ]
            if pictures:
                full = all(p.stat().st_size > 0 for p in pictures)
                listing.setdefault(entry.name, {})[FOLDER] = (path, full)
        elif path.suffix.lower() in (*SOUNDS, *VIDEOS) and entry.is_file():
            full = entry.stat().st_size > 0
            listing.setdefault(path.stem, {}).setdefault(path.suffix.lower(), (path, full))
    return listing
