"""MELD: three tables of utterances, in the order of their dialogues; transcripts alone.

train_sent_emo.csv, dev_sent_emo.csv and test_sent_emo.csv as declare-lab/MELD has them. Dialogues
are numbered from 0 in each file, so a dialogue's name has its part before it.
"""

import re
from pathlib import Path

import pandas as pd

from msalib.data.corpus import PARTS, Corpus
from msalib.data.readers import build, csvs
from msalib.data.readers.formats import Options
from msalib.data.tasks import Classes

NAME = "meld"
TITLE = "MELD transcripts: train, dev and test_sent_emo.csv"

FILES = dict(
    zip(PARTS, ("train_sent_emo.csv", "dev_sent_emo.csv", "test_sent_emo.csv"), strict=True)
)

SENTIMENT = {"negative": -1, "neutral": 0, "positive": 1}
EMOTIONS = ("neutral", "joy", "surprise", "anger", "sadness", "disgust", "fear")
TASKS = (Classes(tuple(SENTIMENT), values=tuple(SENTIMENT.values())), Classes(EMOTIONS, "emotion"))

NEEDED = ("Utterance", "Speaker", "Emotion", "Sentiment", "Dialogue_ID", "Utterance_ID")

_CONTROL = re.compile("[\x80-\x9f]")
_TWICE = re.compile("[\u00c2\u00c3\u00e2][\u0080-\u00bf\u0152-\u2122]+")


def detects(path: Path) -> bool:
    """Check whether a path is a folder with one of the three files."""
    return path.is_dir() and any((path / file).is_file() for file in FILES.values())


def read(path: Path, name: str, options: Options) -> Corpus:
    """Read the files of a folder as a ``Corpus``, a part each; a dialogue is a video.

    A file may be missing, and with it its part.
    Columns: emotion, speaker, dialogue (its number in its file), season and episode where they are
    there; segment is the number of the utterance in its dialogue, which has gaps in the source.
    Quotes that were saved in another encoding are restored (``decode``). Raises ``UserError`` for
    a file that lacks or is no table, and for a sentiment, an emotion or a number that is none.
    """
    tables, repaired = [], 0
    for part, file in FILES.items():
        if (path / file).is_file():
            table, count = _read(path / file, part)
            tables.append(table)
            repaired += count
    table = pd.concat(tables, ignore_index=True)
    if not len(table):
        raise build.bad(path, "no utterances", "a line per utterance")
    notes = [
        "label is the class of sentiment: negative -1, neutral 0, positive 1; it has no degrees",
        "a dialogue counts as a video; the main speakers are the same in all parts",
    ]
    if repaired:
        notes.append(f"{repaired} characters saved in another encoding (cp1252) were restored")
    parts = table.pop("part")
    clips = build.Clips(
        path,
        table,
        splits={"standard": list(parts)},
        tasks=TASKS,
        notes=notes,
    )
    return build.corpus(name, clips, clean=options.clean)


def decode(content: bytes) -> tuple[str, int]:
    """Return the text of a file, and how many characters of it were restored.

    Copies of MELD differ in the encoding of quotes and dashes: UTF-8; cp1252; UTF-8 of the control
    characters that cp1252's quotes become when they are taken for Latin-1; and UTF-8 that was
    taken for cp1252 and saved again. Raises ``UnicodeDecodeError`` for what is none of these, a
    damaged UTF-8 file among them: one that holds both encodings.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if csvs.is_gbk(content):
            raise
        try:
            text = content.decode("cp1252")
        except UnicodeDecodeError:
            raise error from None
        if any(_restored(match[0]) for match in _TWICE.finditer(text)):
            raise
        return text, sum(character > "\x7f" for character in text)
    count = 0

    def again(match):
        nonlocal count
        restored = _restored(match[0])
        count += len(restored)
        return restored or match[0]

    def quote(match):
        nonlocal count
        count += 1
        return match[0].encode("latin-1").decode("cp1252")

    return _CONTROL.sub(quote, _TWICE.sub(again, text)), count


def _restored(text: str) -> str:
    """Return text that was UTF-8, read as cp1252, as it was; empty if it was not."""
    try:
        return text.encode("cp1252").decode()
    except UnicodeError:
        return ""


def _read(path: Path, part: str) -> tuple[pd.DataFrame, int]:
    counted = []

    def text_of(content: bytes) -> str:
        text, count = decode(content)
        counted.append(count)
        return text

    stored = csvs.table(path, NEEDED, text_of)
    for column, known in (("Sentiment", SENTIMENT), ("Emotion", EMOTIONS)):
        stored[column] = stored[column].str.strip().str.lower()
        csvs.check(path, stored, column, stored[column].isin(list(known)), " | ".join(known))
    for column in ("Dialogue_ID", "Utterance_ID"):
        csvs.check(path, stored, column, stored[column].str.fullmatch(r"[0-9]{1,9}"), "a number")
    dialogue, turn = stored["Dialogue_ID"].astype(int), stored["Utterance_ID"].astype(int)
    video = f"{part}_dia" + dialogue.astype(str)
    table = pd.DataFrame(
        {
            "id": video + "_utt" + turn.astype(str),
            "video": video,
            "segment": turn,
            "text": stored["Utterance"],
            "label": stored["Sentiment"].map(SENTIMENT),
            "emotion": stored["Emotion"],
            "speaker": stored["Speaker"].str.strip(),
            "dialogue": dialogue,
            "part": part,
        }
    )
    for column in ("Season", "Episode"):
        if column in stored:
            table[column.lower()] = stored[column]
    return table, sum(counted)
