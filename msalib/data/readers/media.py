"""A folder of clips with label.csv, as MMSA and SIMS have it: sound, pictures and transcripts.

label.csv (meta.csv in CH-SIMS v2) has video_id, clip_id, label and mode (train, valid, test), text
where there are transcripts, and SIMS's label_T, label_A, label_V beside. Files are found by these
ids at any depth below the folder (``LAYOUTS``, ``clip_files.assign``); those below wav/ come first,
then those below Raw/.

A video is picture and sound, unless there is a sound file too; a folder of pictures is picture
where there is no video. Nothing is copied and nothing decoded here: files are named in
``Corpus.media`` for the encoders. The file label.csv itself, given instead of the folder, is read
as transcripts alone.
"""

from collections import Counter
from pathlib import Path

import pandas as pd

from msalib.base.errors import UserError
from msalib.data.corpus import Corpus
from msalib.data.readers import build, clip_files, csvs
from msalib.data.readers.clip_files import CALLED, FOLDER, KINDS, ClipFile, ClipName
from msalib.data.readers.formats import Options
from msalib.data.tasks import LIMIT

NAME = "media"
TITLE = "clips of sound, pictures and text: a folder with label.csv"

TABLE = "label.csv"
TABLES = (TABLE, "labels.csv", "meta.csv")
"""Names of the table, in any capitals; CH-SIMS v2 has the last. The first that is there counts."""

NEEDED = ("video_id", "clip_id", "label", "mode")
TEXTS = ("text", "texts", "transcript", "transcripts", "raw_text", "sentence", "utterance")
"""Columns that may be meant where text is missing, in any capitals."""

UNIMODAL_LABELS = ("label_T", "label_A", "label_V")
"""SIMS: sentiment of the text, the voice and the face alone."""

LAYOUTS = (
    "<video_id>/<clip_id>.mp4, <video_id>_<clip_id>.mp4 or <video_id>$_$<clip_id>.mp4, "
    "alone or below wav/, Raw/ and other folders, and <video_id>/<clip_id>/ of pictures"
)
"""Where the files of clips are."""

_PART = {"train": "train", "valid": "valid", "val": "valid", "dev": "valid", "test": "test"}
_NO_LABEL = ("", "nan", "NaN", "NA")


def detects(path: Path) -> bool:
    """Check whether a path is a folder with label.csv, or that file."""
    return _table_file(path) is not None


def _table_file(path: Path) -> Path | None:
    """Return the first of ``TABLES`` in a folder, or a file that is one of them."""
    files = [path] if path.is_file() else sorted(path.iterdir()) if path.is_dir() else []
    named = {f.name.casefold(): f for f in files if f.name.casefold() in TABLES and f.is_file()}
    return next((named[t] for t in TABLES if t in named and _is_own(named[t])), None)


def _is_own(file: Path) -> bool:
    """Check whether a table is of this format; meta.csv may be anything."""
    if file.name.casefold() == TABLE:
        return True
    with file.open("rb") as opened:
        return NEEDED[0].encode() in opened.read(4096)


def read(path: Path, name: str, options: Options) -> Corpus:
    """Read a folder as a ``Corpus`` whose clips name their files; ids are <video_id>_<clip_id>.

    All further columns are kept. A modality is there if one clip or more has a file of it; clips
    that lack theirs, or have one that is empty, are dropped, by name and with the reason. Raises
    ``UserError`` for a label.csv that lacks or is not as described, for a clip twice, for files
    that are none of any clip where no clip has others that serve the modality, if no clip is left,
    and like ``clip_files.assign``.
    """
    file = path if path.is_file() else _table_file(path) or path / TABLE
    stored, ids = _stored(file)
    files, dropped, notes = {}, {}, ["label.csv alone: no sound and no pictures are looked for"]
    if path.is_dir():
        files, dropped, notes = _find(path.resolve(), stored, ids)
    keep = [i for i, clip in enumerate(ids) if clip not in dropped]
    if not keep:
        found = f"files for none of {len(ids)} clips ({_count(dropped)})"
        raise _lacking(path, found, len(ids))
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
    other = next((c for c in stored if c.casefold() in TEXTS), None)
    if "text" not in stored and other:
        raise build.bad(
            file, f"no column text beside {other!r}", "transcripts in text", "Rename it."
        )
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
    comma = stored["label"].str.fullmatch(r"\s*-?\d+,\d+\s*")
    csvs.check(file, stored, "label", ~comma, "a point in numbers, as in 0.8")
    table = pd.DataFrame(
        {
            "id": ids,
            "video": stored["video_id"],
            "segment": stored["clip_id"],
            **({"text": stored["text"]} if "text" in stored else {}),
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
    named = zip(stored["video_id"], stored["clip_id"], stored["mode"].map(_PART), strict=True)
    found = clip_files.assign(folder, [ClipName(*clip) for clip in named])
    present: dict[str, list[Path | None]] = {}
    dropped: dict[str, str] = {}
    notes = []
    for modality, suffixes in KINDS.items():
        chosen = [next((own[s] for s in suffixes if s in own), None) for own in found.files]
        if not any(chosen):
            notes.append(_without(folder, modality, ids, found.others))
            continue
        present[modality] = [file and file.path for file in chosen]
        for clip, file in zip(ids, chosen, strict=True):
            if file and file.fault:
                dropped.setdefault(clip, f"{file.path.relative_to(folder)} {file.fault}")
    faulty = list(dropped)
    for modality, paths in present.items():
        lacking = [clip for clip, file in zip(ids, paths, strict=True) if file is None]
        dropped |= {clip: f"no {CALLED[modality]}" for clip in lacking if clip not in dropped}
        if lacking:
            notes.append(
                f"no {CALLED[modality]} for {len(lacking)} of {len(ids)} clips, which are dropped: "
                f"{_some(lacking)}"
            )
    if not present:
        raise _lacking(folder, "no file of sound or pictures", len(ids))
    if faulty:
        first = dropped[faulty[0]]
        notes.append(f"{len(faulty)} clips dropped whose files hold nothing, the first: {first}")
    if found.respelt:
        first = ids[found.respelt[0]]
        notes.append(
            f"{len(found.respelt)} clips found under names that label.csv spells otherwise "
            f"(leading zeros, capitals, numbers), the first {first}"
        )
    if found.others:
        names = [str(file.path.relative_to(folder)) for file in found.others]
        notes.append(f"{len(names)} files that are of no clip in label.csv: {_some(names)}")
    return present, dropped, sorted(notes)


def _without(folder: Path, modality: str, ids: list[str], others: list[ClipFile]) -> str:
    """Return the note that no clip has a file of a modality.

    Raises ``UserError`` where files that are of no clip would serve it. Pictures that do not move
    count where there are as many folders of them as half the clips: others are logos and plots.
    """
    serving = [file for file in others if file.serves(modality)]
    moving = [file for file in serving if file.suffix != FOLDER]
    if moving or 2 * len(serving) >= len(ids):
        names = [str(file.path.relative_to(folder)) for file in moving or serving]
        found = f"{CALLED[modality]} of none of the clips in {len(names)} files ({_some(names)})"
        raise _lacking(folder, found, len(ids))
    return f"no {CALLED[modality]} for any clip"


def _lacking(folder: Path, found: str, clips: int) -> UserError:
    endings = ", ".join((*clip_files.SOUNDS, *clip_files.VIDEOS, *clip_files.PICTURES))
    return UserError(
        folder,
        found=found,
        expected=f"a file for each of {clips} clips: {LAYOUTS} (endings, in any case: {endings})",
        remedy="Name files so and give the folder that has label.csv and them; take files of no "
        "clip out of it. To have transcripts alone, give the file label.csv instead of the folder.",
    )


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
