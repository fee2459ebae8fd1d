"""A folder of CMU SDK computational sequences (.csd): one HDF5 file per kind of feature.

Each holds frames and their intervals in seconds per video; the file of labels says where clips
begin and end. So clips are cut here, by one rule: **a frame belongs to a clip if their intervals
overlap**, by more than the 0.00001 s that the SDK takes for equal; a frame that two clips share
belongs to both. ``align`` says what happens to the frames of a clip:

- ``labels``: they are kept as they are, each modality at its own rate.
- ``words``: they are averaged over each word of the clip, a frame counting for every word that it
  overlaps, as the SDK's alignment to words does; a word without a frame is a row of zeros, as the
  SDK imputes. All modalities have the same number of frames then.

Transcripts come from the sequence of words, without ``sp``, the mark of silence.
"""

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from msalib.base.errors import UserError
from msalib.data.corpus import MODALITIES, Corpus
from msalib.data.readers import build, csvs, hdf5
from msalib.data.readers.formats import Options

NAME = "csd"
TITLE = "CMU SDK sequences: a folder of .csd files"

ROLES = {
    "labels": ("label",),
    "phones": ("phone", "phoneme"),
    "linguistic": ("glove", "wordvector", "wordembedding"),
    "words": ("words",),
    "acoustic": ("covarep", "opensmile"),
    "visual": ("facet", "openface"),
}
"""Role -> what the name of a root or of a file holds, letters and digits only; first match counts.

Phones are known and not read.
"""

MISSPELT = {"coavarep": "covarep"}
"""In the SDK's own list of CMU-MOSEI, by which ``deploy`` names files and roots."""

EMOTIONS = ("happy", "sad", "anger", "surprise", "disgust", "fear")
"""Columns 1 to 6 of CMU-MOSEI's labels, 0 to 3; column 0 is sentiment."""

EPSILON = 1e-5
"""Seconds by which intervals must overlap (the SDK's tolerance)."""

SILENT = ("sp", "")

SHARES = {"train": 52, "valid": 10, "test": 31}
"""Videos of the standard parts of CMU-MOSI, for data that come without parts."""

_KEPT = {"version": "computational sequence version", "creator": "creator"}
"""What of the metadata goes with the features."""

_PART = {"train": "train", "valid": "valid", "val": "valid", "dev": "valid", "test": "test"}
_ALIGNED = re.compile(r"(.+)\[\d+\]")


@dataclass
class _Clip:
    """One interval of the labels: ``start`` and ``end`` in seconds."""

    id: str
    key: str  # of its entries, which is its video's name, unless files are aligned already
    video: str
    segment: int
    label: float | None
    start: float
    end: float
    extras: dict
    words: np.ndarray  # (W, 2) intervals of its words
    text: str = ""
    frames: dict[str, np.ndarray] = field(default_factory=dict)


def detects(path: Path) -> bool:
    """Check whether a path is a folder with .csd files, or one such file."""
    return bool(_files(path)) if path.is_dir() else path.suffix == ".csd"


def read(path: Path, name: str, options: Options) -> Corpus:
    """Read a folder of .csd files as a ``Corpus``; ids are ``video[k]``, interval k of the labels.

    Which modality a file is, its root's or its own name tells (``ROLES``). Parts come from
    ``splits.csv`` (video, part) where the folder has it, else from a hash of the videos' names. A
    clip that a file has no entry or no frame for is dropped and counted. Raises ``UserError`` for
    a file that is damaged, unknown or misshapen, for two files of one modality, for no labels, and
    for values that are not finite, unless ``options.clean``.
    """
    if not path.is_dir():
        raise build.bad(
            path,
            "one file",
            "the folder of all .csd files of a data set, labels among them",
            "Give the folder that contains it.",
        )
    dropped: dict[str, str] = {}
    clips, files, described = _cut(path, options.align, dropped)
    notes = [f"frames aligned to {options.align}: {_ALIGN[options.align]}"]
    if "phones" in files:
        notes.append(f"{files['phones'].name} is not read: phones are no modality here")
    kept = [c for c in clips if c.id not in dropped]
    if not kept:
        found = f"no clip that all files have ({_count(dropped)})"
        raise build.bad(path, found, "entries of the same videos in every file")
    part, how = _parts(path, sorted({c.video for c in kept}))
    notes.append(how)
    if dropped:
        notes.append(f"dropped {len(dropped)} of {len(clips)} clips: {_count(dropped)}")
    unit = "word" if options.align == "words" else "frame"
    table = _table(kept)
    read_clips = build.Clips(
        path,
        table if "words" in files else table.drop(columns="text"),
        splits={"standard": [part[c.video] for c in kept]},
        frames={
            m: build.Frames(root, unit, [c.frames[m] for c in kept], note)
            for m, (root, note) in described.items()
        },
        notes=notes,
        dropped=dropped,
        dropped_part={c.id: part[c.video] for c in clips if c.id in dropped and c.video in part},
    )
    return build.corpus(name, read_clips, clean=options.clean)


def _cut(path: Path, align: str, dropped: dict[str, str]):
    """Return clips with texts and frames, role -> file, modality -> root and note."""
    with hdf5.Sequences() as sequences:
        files, heads = _roles(path, sequences)
        if align == "words" and "words" not in files:
            raise UserError(
                path,
                found="no file of words",
                expected="a file of words, to align frames to",
                remedy="Add it, or align to labels: --align labels.",
            )
        clips = _clips(files["labels"], sequences)
        dropped |= {c.id: "no length" for c in clips if c.end - c.start < EPSILON}
        _words(clips, files.get("words"), sequences, dropped)
        return clips, files, _modalities(clips, files, heads, sequences, align, dropped)


def _modalities(clips, files, heads, sequences, align, dropped) -> dict[str, tuple[str, str]]:
    """Give clips their frames; return modality -> root and what is known of the features."""
    described = {}
    for modality in [m for m in MODALITIES if m in files]:
        head = heads[modality]
        note = "; ".join(f"{key} {value}" for key, value in head.items())
        empty = _frames(clips, modality, files[modality], sequences, align, dropped)
        if align == "words":
            note += f"; {empty} words without a frame are zero"
        described[modality] = (head["root"], note)
    return described


def _table(clips: list[_Clip]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"id": c.id, "video": c.video, "segment": c.segment, "text": c.text, "label": c.label}
            | {"start": c.start, "end": c.end}
            | c.extras
            for c in clips
        ]
    )


_ALIGN = {
    "labels": "all that overlap a label's interval, raw",
    "words": "the mean of all that overlap a word's interval",
}


def _files(path: Path) -> list[Path]:
    return sorted(p for p in path.iterdir() if p.suffix == ".csd" and not p.name.startswith("."))


def _count(dropped: dict[str, str]) -> str:
    return ", ".join(f"{n} {why}" for why, n in pd.Series(dropped).value_counts().items())


def _roles(path: Path, sequences: hdf5.Sequences) -> tuple[dict[str, Path], dict[str, dict]]:
    """Return role -> file, and role -> what of its metadata goes with results."""
    files: dict[str, Path] = {}
    heads: dict[str, dict] = {}
    if not _files(path):
        raise build.bad(path, "no .csd file", "files of labels, words and features")
    for file in _files(path):
        root, metadata = sequences.head(file)
        role = _role(root) or _role(file.stem)
        if role is None:
            known = ", ".join(name for names in ROLES.values() for name in names)
            raise UserError(
                file,
                found=f"a sequence named {root!r}",
                expected=f"a name, of the root or the file, with one of: {known}",
                remedy="Rename the file to say what it holds, or take it out of the folder.",
            )
        if role in files:
            raise UserError(
                file,
                found=f"a second file of {role}, beside {files[role].name}",
                expected="one file each",
                remedy="Leave in the folder the one that is to be used.",
            )
        files[role] = file
        heads[role] = {"root": root} | {
            key: " ".join(str(metadata[field]).split())
            for key, field in _KEPT.items()
            if field in metadata
        }
    if "labels" not in files:
        raise UserError(
            path,
            found="no file of labels",
            expected="one whose root or name says 'label': it cuts the videos into clips",
            remedy="Add the labels' .csd file to the folder.",
        )
    return files, heads


def _role(name: str) -> str | None:
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    for wrong, right in MISSPELT.items():
        plain = plain.replace(wrong, right)
    return next((role for role, names in ROLES.items() if any(n in plain for n in names)), None)


def _clips(file: Path, sequences: hdf5.Sequences) -> list[_Clip]:
    clips = []
    for key, values, times in sequences.entries(file):
        if values.dtype.kind != "f" or values.shape[1] not in (1, 1 + len(EMOTIONS)):
            raise build.bad(
                file,
                f"labels of shape {values.shape} and type {values.dtype} for {key}",
                f"1 column, sentiment, or {1 + len(EMOTIONS)}: sentiment, {', '.join(EMOTIONS)}",
            )
        _check(file, key, times)
        aligned = _ALIGNED.fullmatch(key)
        video = aligned[1] if aligned else key
        for k, (row, (start, end)) in enumerate(zip(values, times, strict=True)):
            single = aligned and len(values) == 1
            clips.append(
                _Clip(
                    id=key if single else f"{key}[{k}]",
                    key=key,
                    video=video,
                    segment=int(key[len(video) + 1 : -1]) if single else k,
                    label=None if np.isnan(row[0]) else round(float(row[0]), 6),
                    start=float(start),
                    end=float(end),
                    extras=dict(zip(EMOTIONS, map(float, row[1:]), strict=False)),
                    words=np.zeros((0, 2)),
                )
            )
    if not clips:
        raise build.bad(file, "no label", "labels of one video or more")
    return clips


def _check(file: Path, key: str, times: np.ndarray) -> None:
    if not np.isfinite(times).all():
        raise build.bad(file, f"an interval of {key} that is no number", "start and end in seconds")
    if (backward := times[:, 1] < times[:, 0]).any():
        start, end = times[int(backward.argmax())]
        found = f"an interval of {key} that begins at {start:g} s and ends at {end:g} s"
        raise build.bad(file, found, "a start before the end")


def _overlap(times: np.ndarray, start: float, end: float) -> np.ndarray:
    """Return which intervals (T, 2) share over ``EPSILON`` with this one, or are a moment in it."""
    share = np.minimum(times[:, 1], end) - np.maximum(times[:, 0], start) > EPSILON
    moment = times[:, 1] - times[:, 0] <= EPSILON
    return share | (moment & (times[:, 0] >= start) & (times[:, 0] < end))


def _by_key(clips: list[_Clip], dropped: dict[str, str]) -> dict[str, list[_Clip]]:
    grouped: dict[str, list[_Clip]] = {}
    for clip in clips:
        if clip.id not in dropped:
            grouped.setdefault(clip.key, []).append(clip)
    return grouped


def _in_time(file: Path, key: str, values: np.ndarray, times: np.ndarray):
    _check(file, key, times)
    order = np.argsort(times[:, 0], kind="stable")
    return values[order], times[order]


def _words(clips, file: Path | None, sequences: hdf5.Sequences, dropped: dict[str, str]) -> None:
    """Give clips their texts, and the intervals of their words."""
    if file is None:
        return
    waiting = _by_key(clips, dropped)
    for key, values, times in sequences.entries(file):
        if values.dtype.kind != "U":
            raise build.bad(file, f"{values.dtype} for {key}", "a word each")
        if key not in waiting:
            continue
        values, times = _in_time(file, key, values, times)
        spoken = np.array([w.strip().lower() not in SILENT for w in values[:, 0]], dtype=bool)
        for clip in waiting.pop(key):
            inside = spoken & _overlap(times, clip.start, clip.end)
            clip.text = " ".join(w.strip() for w in values[inside, 0])
            clip.words = times[inside]
            if not inside.any():
                dropped[clip.id] = "no words in its interval"
    for clip in (c for left in waiting.values() for c in left):
        dropped[clip.id] = f"no entry of its video in {file.name}"


def _frames(
    clips, modality: str, file: Path, sequences: hdf5.Sequences, align: str, dropped: dict
) -> int:
    """Give clips their frames of a modality; return how many words have none."""
    waiting = _by_key(clips, dropped)
    empty = 0
    for key, values, times in sequences.entries(file):
        if values.dtype.kind != "f":
            raise build.bad(file, f"text for {key}", "numbers")
        if key not in waiting:
            continue
        values, times = _in_time(file, key, values, times)
        for clip in waiting.pop(key):
            overlapping = _overlap(times, clip.start, clip.end)
            if not overlapping.any():
                dropped[clip.id] = f"no {modality} frame in its interval"
            elif align == "labels":
                clip.frames[modality] = values[overlapping]
            else:
                rows = np.zeros((len(clip.words), values.shape[1]), np.float32)
                inside, moments = values[overlapping], times[overlapping]
                for row, (start, end) in zip(rows, clip.words, strict=True):
                    heard = _overlap(moments, start, end)
                    if heard.any():
                        with np.errstate(invalid="ignore", over="ignore"):  # told by ``build``
                            row[:] = inside[heard].mean(0)
                    else:
                        empty += 1
                clip.frames[modality] = rows
    for clip in (c for left in waiting.values() for c in left):
        dropped[clip.id] = f"no entry of its video in {file.name}"
    return empty


def _parts(path: Path, videos: list[str]) -> tuple[dict[str, str], str]:
    """Return video -> part, and a note that says where the parts come from.

    Three videos or more have a part each, whatever the shares.
    """
    file = path / "splits.csv"
    if not file.is_file():
        ranked = sorted(videos, key=lambda video: hashlib.sha256(video.encode()).hexdigest())
        total = sum(SHARES.values())
        first = max(1, min(round(len(ranked) * SHARES["train"] / total), len(ranked) - 2))
        second = first + max(1, round(len(ranked) * SHARES["valid"] / total))
        parts = {
            video: "train" if i < first else "valid" if i < second else "test"
            for i, video in enumerate(ranked)
        }
        shares = "/".join(map(str, SHARES.values()))
        return parts, (
            f"no splits.csv: videos parted {shares} by a hash of their names; "
            "these are not the standard folds"
        )
    table = csvs.table(file, ("video", "part"))
    parts = {}
    for video, part in zip(table["video"], table["part"], strict=True):
        if part.lower() not in _PART:
            raise build.bad(file, f"part {part!r} for {video}", " | ".join(_PART))
        if parts.setdefault(video, _PART[part.lower()]) != _PART[part.lower()]:
            raise build.bad(file, f"two parts for video {video}", "every video in one part")
    lacking = [video for video in videos if video not in parts]
    if lacking:
        found = f"no part for {len(lacking)} videos, the first {lacking[0]}"
        raise build.bad(file, found, "a line for every video that has clips")
    return parts, f"parts of videos come from {file.name}"
