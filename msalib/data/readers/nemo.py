"""nEMO, acted speech in Polish: clips.tsv and a file of sound per line.

clips.tsv has file_id, emotion, raw_text, normalized_text, speaker_id, gender and age, separated by
tabs. A file is named ``<speaker>_<emotion>_<sentence>``. The actors read the same sentences in
every emotion.
"""

import re
from pathlib import Path

import pandas as pd

from msalib.data.corpus import Corpus
from msalib.data.readers import build, csvs, speech
from msalib.data.readers.formats import Options
from msalib.data.tasks import Classes

NAME = "nemo"
TITLE = "nEMO, speech: clips.tsv with file_id, emotion, speaker_id, and the sound files"

TABLE = "clips.tsv"
NEEDED = ("file_id", "emotion", "normalized_text", "speaker_id", "gender", "age")

POLARITY = {
    **{"neutral": 0, "anger": -1, "fear": -1},
    **{"happiness": 1, "sadness": -1, "surprised": 0},
}
EMOTIONS = tuple(POLARITY)
SPEAKERS = ("EB0", "IC0", "KD0", "KS0", "MK0", "MP0", "SM0", "TP0", "WR0")
SENTENCES = 90

TASKS = (Classes(EMOTIONS, "emotion"),)

SPLIT = f"speaker={SPEAKERS[0]}"
"""The split of runs that ask for none: the first of the nine folds by actor.

Folds by video need ten of them.
"""

PUBLISHED = 4481
"""Clips of the whole corpus."""

_PATTERN = re.compile(r"([A-Z]{2}[0-9])_([a-z]+)_([1-9][0-9]?)")


def detects(path: Path) -> bool:
    """Check whether a path is a folder with clips.tsv."""
    return path.is_dir() and (path / TABLE).is_file()


def read(path: Path, name: str, options: Options) -> Corpus:
    """Read the table of a folder as a ``Corpus`` whose clips name their files of sound.

    An actor is a video and a speaker. The text is the normalised one. Further columns: emotion,
    sentence (its number), gender and age. The split is the first of the folds by actor. Raises
    ``UserError`` for a table that is missing, is none or lacks a column; for a name of another
    form, an actor, an emotion or a sentence that the corpus does not have, a line that says
    otherwise than its name, an id twice; for a clip without a file, a file without a line and an
    empty file; and for fewer than three actors.
    """
    table = _table(path / TABLE)
    return speech.corpus(
        name,
        path,
        table,
        speech.of_table(path, table["id"].tolist(), TABLE),
        task=TASKS[0],
        split=SPLIT,
        notes=_notes(table),
    )


def _table(file: Path) -> pd.DataFrame:
    stored = csvs.table(file, NEEDED, separator="\t")
    if not len(stored):
        raise build.bad(file, "no clips", "a line per clip")
    stored = stored.apply(lambda column: column.str.strip())  # speakers have blanks before them
    ids = stored["file_id"].map(lambda name: Path(name).stem)
    names = ids.str.extract(f"^(?:{_PATTERN.pattern})$")
    form = "<speaker>_<emotion>_<sentence>, and an ending"
    csvs.check(file, stored, "file_id", names[0].notna(), form)
    sentence = names[2].astype(int)
    for column, known in (("speaker_id", SPEAKERS), ("emotion", EMOTIONS)):
        csvs.check(file, stored, column, stored[column].isin(known), " | ".join(known))
    said = (names[0] == stored["speaker_id"]) & (names[1] == stored["emotion"])
    csvs.check(file, stored, "file_id", said, "the speaker and the emotion of the line")
    csvs.check(file, stored, "file_id", sentence <= SENTENCES, f"a sentence from 1 to {SENTENCES}")
    csvs.check(file, stored, "age", stored["age"].str.fullmatch("[0-9]{1,3}"), "a number of years")
    if len(twice := ids[ids.duplicated()]):
        raise build.bad(file, f"file_id {twice.iloc[0]} twice", "every clip once")
    return pd.DataFrame(
        {
            "id": ids,
            "video": stored["speaker_id"],
            "segment": names[1] + "_" + names[2],
            "text": stored["normalized_text"],
            "label": stored["emotion"].map(POLARITY),
            "emotion": stored["emotion"],
            "speaker": stored["speaker_id"],
            "sentence": sentence,
            "gender": stored["gender"],
            "age": stored["age"].astype(int),
        }
    )


def _notes(table: pd.DataFrame) -> list[str]:
    actors, sentences = table["speaker"].nunique(), table["sentence"].nunique()
    cells = actors * len(EMOTIONS) * sentences
    return [
        f"{len(table)} of {PUBLISHED} published clips: {sentences} of {SENTENCES} sentences, "
        f"{actors} of {len(SPEAKERS)} actors",
        f"actors read the same sentences in every emotion ({len(table)} of {cells} combinations "
        "are there): words say nothing of the emotion",
        f"there is no standard split: a cross-validation takes the folds by actor, speaker="
        f"{SPEAKERS[0]} to speaker={SPEAKERS[-1]}, a run without a split the first of them",
        f"an actor counts as a video; with {actors}, there are no five folds by video",
        speech.polarity(POLARITY),
        "language: Polish",
        "source: amu-cai/nEMO; " + speech.TERMS,
    ]
