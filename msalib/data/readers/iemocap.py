"""IEMOCAP transcripts: utterances.csv with dialogue, session, turn, speaker, text, emotion6.

Six emotions become the four of the usual protocol: happy takes excited in, frustrated is left out.
Each of the five sessions has two speakers of its own, so leaving one session out for testing tests
on new speakers.
"""

import csv
import re
from pathlib import Path

import pandas as pd

from msalib.base.errors import UserError
from msalib.data.corpus import Corpus
from msalib.data.readers import build
from msalib.data.readers.formats import Options
from msalib.data.tasks import Classes

NAME = "iemocap"
TITLE = "IEMOCAP transcripts: utterances.csv with dialogue, session, turn, emotion6"

EMOTIONS = ("happy", "sad", "neutral", "angry", "excited", "frustrated")
"""By their number in the file."""

MERGED = {"excited": "happy"}
LEFT_OUT = "frustrated"
POLARITY = {"happy": 1, "neutral": 0, "sad": -1, "angry": -1}
TASKS = (
    Classes(tuple(POLARITY), "emotion"),
    Classes(("negative", "neutral", "positive"), values=(-1, 0, 1)),
)
"""The four emotions; and their polarity, which is the column ``label``."""

SESSIONS = (1, 2, 3, 4, 5)
STANDARD = 5
"""The session that the split ``standard`` tests on."""

NEEDED = ("dialogue", "session", "turn", "speaker", "text", "emotion6")
PUBLISHED = 5531
"""Utterances of the four emotions that the literature counts."""


def detects(path: Path) -> bool:
    """Whether a path is such a table, or a folder that has it."""
    file = _file(path)
    if not file.is_file():
        return False
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            header = next(csv.reader([lines.readline(1000)]), [])
    except (OSError, UnicodeDecodeError, csv.Error):
        return False
    return {"dialogue", "emotion6"} <= set(header)


def read(path: Path, name: str, options: Options) -> Corpus:
    """Read the table as a ``Corpus``; a dialogue is a video, a turn a segment.

    Columns: emotion (of four), speaker (session and sex), session. Splits ``session1`` to
    ``session5`` test on that session, validate on the next and train on the other three;
    ``standard`` is ``session5``. Frustrated turns are dropped and counted. Raises ``UserError``
    for a file that lacks or is no such table, and for a session, turn or emotion that is none.
    """
    file = _file(path)

    def bad(found, expected):
        remedy = "Restore the file from its source."
        return UserError(file, found=found, expected=expected, remedy=remedy)

    stored = build.table(file, NEEDED)
    for column, pattern, expected in (
        ("session", "[1-5]", "1 to 5"),
        ("turn", "[0-9]{1,6}", "a number"),
        ("emotion6", "[0-5]", ", ".join(f"{i} {e}" for i, e in enumerate(EMOTIONS))),
    ):
        strange = ~stored[column].str.fullmatch(pattern)
        if strange.any():
            first = int(strange.to_numpy().argmax())
            raise bad(f"{column} {stored[column][first]!r} in row {first + 1}", expected)
    for dialogue, session in zip(stored["dialogue"], stored["session"], strict=True):
        told = re.match(r"Ses0([1-5])[FM]_", dialogue)
        if told and told[1] != session:
            raise bad(f"dialogue {dialogue} in session {session}", f"session {told[1]}")
        if not dialogue:
            raise bad("a turn of no dialogue", "the name of the dialogue in every line")
    emotion = stored["emotion6"].map(lambda number: EMOTIONS[int(number)])
    session = stored["session"].astype(int)
    turn = stored["turn"].astype(int)
    table = pd.DataFrame(
        {
            "id": stored["dialogue"] + "_" + turn.map("{:03d}".format),
            "video": stored["dialogue"],
            "segment": turn,
            "text": stored["text"],
            "emotion": emotion.replace(MERGED),
            "speaker": "Ses0" + stored["session"] + stored["speaker"],
            "session": session,
        }
    )
    table["label"] = table["emotion"].map(POLARITY)
    twice = table["id"][table["id"].duplicated()]
    if len(twice):  # also where one of them is frustrated
        raise bad(f"two turns with the id {twice.iloc[0]}", "every turn of a dialogue once")
    keep = emotion != LEFT_OUT
    kept = table[keep].reset_index(drop=True)
    standard = _parts(session, STANDARD)
    return build.corpus(
        file,
        name,
        kept,
        splits={
            "standard": [part for part, here in zip(standard, keep, strict=True) if here],
            **{f"session{k}": _parts(kept["session"], k) for k in SESSIONS},
        },
        tasks=TASKS,
        notes=[
            "label is the polarity of the emotion, not its class: happy 1, neutral 0, sad and "
            "angry -1; the four classes are in the column emotion",
            f"four emotions: happy and excited merged, {int((~keep).sum())} frustrated turns of "
            f"{len(table)} dropped; {len(kept)} are left, where the literature counts {PUBLISHED}",
            "session<k> tests on session k and validates on the next one, the first after the "
            "fifth; the literature leaves the validation part open",
        ],
        dropped=dict.fromkeys(table["id"][~keep], LEFT_OUT),
        dropped_part={
            clip: part
            for clip, part, here in zip(table["id"], standard, keep, strict=True)
            if not here
        },
        clean=options.clean,
    )


def _file(path: Path) -> Path:
    return path / "utterances.csv" if path.is_dir() else path


def _parts(session: pd.Series, test: int) -> list[str]:
    """Part of every turn where one session is for testing."""
    valid = test % len(SESSIONS) + 1
    return ["test" if s == test else "valid" if s == valid else "train" for s in session]
