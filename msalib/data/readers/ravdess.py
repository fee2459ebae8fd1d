"""RAVDESS, the speech without pictures: files whose names say everything.

A name is seven numbers of two digits, ``03-01-EE-II-SS-RR-AA``: sound alone, speech, emotion,
intensity, sentence, repetition, actor. Files lie in one folder or, as published, in ``Actor_01`` to
``Actor_24``.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from msalib.data.corpus import Corpus
from msalib.data.readers import build, clip_files, speech
from msalib.data.readers.formats import Options
from msalib.data.tasks import Classes

NAME = "ravdess"
TITLE = "RAVDESS speech: sound files named 03-01-EE-II-SS-RR-AA"

POLARITY = {
    **{"neutral": 0, "calm": 0, "happy": 1, "sad": -1},
    **{"angry": -1, "fearful": -1, "disgust": -1, "surprised": 0},
}
EMOTIONS = tuple(POLARITY)
"""In the order of their codes, from 01 on."""

INTENSITIES = ("normal", "strong")
SENTENCES = ("Kids are talking by the door.", "Dogs are sitting by the door.")
REPETITIONS, ACTORS = 2, 24
WITHOUT_STRONG = "neutral"

TASKS = (Classes(EMOTIONS, "emotion"),)

SPLIT = "video1of5"
"""The split of runs that ask for none: the first of the five folds by actor."""

PUBLISHED = 1440
"""Clips of speech without pictures: 60 of each actor."""

_PATTERN = re.compile(r"[0-9]{2}(?:-[0-9]{2}){6}")
_CODES = {
    "modality": ("03",),
    "channel": ("01",),
    "emotion": tuple(f"{k:02d}" for k in range(1, len(EMOTIONS) + 1)),
    "intensity": tuple(f"{k:02d}" for k in range(1, len(INTENSITIES) + 1)),
    "sentence": tuple(f"{k:02d}" for k in range(1, len(SENTENCES) + 1)),
    "repetition": tuple(f"{k:02d}" for k in range(1, REPETITIONS + 1)),
    "actor": tuple(f"{k:02d}" for k in range(1, ACTORS + 1)),
}
"""Number of a name -> the codes that it may have; only sound (03) and speech (01) are read."""


def detects(path: Path) -> bool:
    """Check whether a path is a folder with a file of sound that is named so."""
    return path.is_dir() and any(
        _PATTERN.fullmatch(file.stem) and file.suffix.lower() in clip_files.SOUNDS
        for folder in _folders(path)
        for file in folder.iterdir()
    )


def read(path: Path, name: str, options: Options) -> Corpus:
    """Read the names of a folder's files as a ``Corpus`` whose clips name these files.

    An actor is a video and a speaker. Further columns: emotion, intensity, sentence, repetition
    and gender. The split is the first of the five folds by actor. Raises ``UserError`` for a folder
    without sound, a name of another form, a code that the form does not have, an empty file, two
    files with one name, and fewer than ten actors.
    """
    files = speech.sounds(_folders(path))
    if not files:
        expected = "files of sound named 03-01-EE-II-SS-RR-AA, such as 03-01-05-02-01-01-12.wav"
        raise build.bad(path, "no files of sound", expected, "Give the folder that has them.")
    table = pd.DataFrame([_row(files[clip], clip) for clip in files])
    return speech.corpus(
        name,
        path,
        table,
        list(files.values()),
        task=TASKS[0],
        split=SPLIT,
        notes=_notes(table),
    )


def _folders(path: Path) -> list[Path]:
    """Return the folder and those of its actors."""
    if not path.is_dir():
        return []
    return [path, *sorted(p for p in path.glob("Actor_*") if p.is_dir())]


def _row(file: Path, clip: str) -> Mapping[str, str | int]:
    """Return the row of the table that a name says."""
    remedy = "Correct the name, or remove the file."
    if not _PATTERN.fullmatch(clip):
        expected = "a name of seven numbers, 03-01-EE-II-SS-RR-AA"
        raise build.bad(file, f"a file named {clip!r}", expected, remedy)
    codes = dict(zip(_CODES, clip.split("-"), strict=True))
    for part, code in codes.items():
        if code not in _CODES[part]:
            first, *_, last = 2 * _CODES[part]
            expected = first if first == last else f"{first} to {last}"
            raise build.bad(file, f"{part} {code}", expected, remedy)
    emotion = EMOTIONS[int(codes["emotion"]) - 1]
    intensity = INTENSITIES[int(codes["intensity"]) - 1]
    if (emotion, intensity) == (WITHOUT_STRONG, INTENSITIES[1]):
        expected = f"{WITHOUT_STRONG} of {INTENSITIES[0]} intensity, the only one it has"
        raise build.bad(file, f"{WITHOUT_STRONG} of {intensity} intensity", expected, remedy)
    actor = f"actor{codes['actor']}"
    return {
        "id": clip,
        "video": actor,
        "segment": clip[6:-3],
        "text": SENTENCES[int(codes["sentence"]) - 1],
        "label": POLARITY[emotion],
        "emotion": emotion,
        "speaker": actor,
        "intensity": intensity,
        "sentence": int(codes["sentence"]),
        "repetition": int(codes["repetition"]),
        "gender": "male" if int(codes["actor"]) % 2 else "female",
    }


def _notes(table: pd.DataFrame) -> list[str]:
    return [
        f"{len(table)} of {PUBLISHED} published clips, of {table['speaker'].nunique()} of {ACTORS} "
        f"actors; every actor is to have {PUBLISHED // ACTORS}",
        f"{len(SENTENCES)} sentences for all clips: words say nothing of the emotion",
        "there is no standard split: a cross-validation takes the five folds by actor "
        "(video1of5 to video5of5), a run without a split the first of them",
        "an actor counts as a video",
        speech.polarity(POLARITY),
        "source: Livingstone and Russo 2018, doi 10.1371/journal.pone.0196391; " + speech.TERMS,
    ]
