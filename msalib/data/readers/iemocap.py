"""IEMOCAP transcripts: utterances.csv with dialogue, session, turn, speaker, text, emotion6.

Six emotions become the four of the usual protocol: happy takes excited in, frustrated is left out.
Each of the five sessions has two speakers of its own, so leaving one session out for testing tests
on new speakers.
"""

import re
from pathlib import Path

import pandas as pd

from msalib.data.corpus import Corpus
from msalib.data.readers import build, csvs
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
    """Check whether a path is such a table, or a folder that has it."""
    file = _file(path)
    if not file.is_file():
        return False
    with file.open("rb") as content:
        # Of a table that a spreadsheet has saved in its own way, ``csvs`` says how to save it.
        header = content.read(2000).replace(b"\0", b"")
    return {b"dialogue", b"emotion6"} <= set(re.findall(rb"\w+", header.partition(b"\n")[0]))


def read(path: Path, name: str, options: Options) -> Corpus:
    """Read the table as a ``Corpus``; a dialogue is a video, a turn a segment.

    Columns: emotion (of four), speaker (session and sex), session. Splits ``session1`` to
    ``session5`` test on that session, validate on the next and train on the other three;
    ``standard`` is ``session5``. Frustrated turns are dropped and counted. Raises ``UserError``
    for a file that lacks or is no such table, and for a session, turn or emotion that is none.
    """
    file = _file(path)
    stored = csvs.table(file, NEEDED)
    _check(file, stored)
    emotion = stored["emotion6"].map(lambda number: EMOTIONS[int(number)])
    turn = stored["turn"].astype(int)
    table = pd.DataFrame(
        {
            "id": stored["dialogue"] + "_" + turn.map("{:03d}".format),
            "video": stored["dialogue"],
            "segment": turn,
            "text": stored["text"],
            "emotion": emotion.replace(MERGED),
            "speaker": "Ses0" + stored["session"] + stored["speaker"],
            "session": stored["session"].astype(int),
        }
    )
    table["label"] = table["emotion"].map(POLARITY)
    twice = table["id"][table["id"].duplicated()]
    if len(twice):  # also where one of them is frustrated
        found = f"two turns with the id {twice.iloc[0]}"
        raise build.bad(file, found, "every turn of a dialogue once")
    kept, left_out = table[emotion != LEFT_OUT], table[emotion == LEFT_OUT]
    sessions = {f"session{k}": _parts(kept["session"], k) for k in SESSIONS}
    clips = build.Clips(
        file,
        kept,
        splits={"standard": sessions[f"session{STANDARD}"], **sessions},
        tasks=TASKS,
        notes=_notes(len(table), len(left_out)),
        dropped=dict.fromkeys(left_out["id"], LEFT_OUT),
        dropped_part=dict(zip(left_out["id"], _parts(left_out["session"], STANDARD), strict=True)),
    )
    return build.corpus(name, clips, clean=options.clean)


def _check(file: Path, stored: pd.DataFrame) -> None:
    for column, pattern, expected in (
        ("session", "[1-5]", "1 to 5"),
        ("turn", "[0-9]{1,6}", "a number"),
        ("emotion6", "[0-5]", ", ".join(f"{i} {e}" for i, e in enumerate(EMOTIONS))),
    ):
        csvs.check(file, stored, column, stored[column].str.fullmatch(pattern), expected)
    for dialogue, session in zip(stored["dialogue"], stored["session"], strict=True):
        named = re.match(r"Ses0([1-5])[FM]_", dialogue)
        if named and named[1] != session:
            found = f"dialogue {dialogue} in session {session}"
            raise build.bad(file, found, f"session {named[1]}")
        if not dialogue:
            expected = "the name of the dialogue in every line"
            raise build.bad(file, "a turn of no dialogue", expected)


def _notes(turns: int, left_out: int) -> list[str]:
    return [
        "label is the polarity of the emotion, not its class: happy 1, neutral 0, sad and "
        "angry -1; the four classes are in the column emotion",
        f"four emotions: happy and excited merged, {left_out} frustrated turns of {turns} "
        f"dropped; {turns - left_out} are left, where the literature counts {PUBLISHED}",
        "session<k> tests on session k and validates on the next one, the first after the "
        "fifth; the literature leaves the validation part open (session=<k>+video trains on the "
        "other four sessions, but for one dialogue in eight, which validates)",
    ]


def _file(path: Path) -> Path:
    return path / "utterances.csv" if path.is_dir() else path


def _parts(session: pd.Series, test: int) -> list[str]:
    """Return the part of every turn where one session is for testing."""
    valid = test % len(SESSIONS) + 1
    return ["test" if s == test else "valid" if s == valid else "train" for s in session]
