"""Pairs of the LJ Speech data set: clips.csv and a file of sound per line.

clips.csv has id, seconds and text; one person reads English books aloud. A file is named by its
id, ``<book>-<number>``. Nothing is labelled.
"""

import re
from pathlib import Path

import numpy as np

from msalib.data.corpus import Corpus
from msalib.data.readers import csvs, speech
from msalib.data.readers.build import bad

NAME = "lj_pairs"

TABLE = "clips.csv"
NEEDED = ("id", "text")

_PATTERN = re.compile(r"(LJ[0-9]{3})-([0-9]{4})")


def read(path: Path, name: str) -> Corpus:
    """Read the table of a folder as a ``Corpus`` whose clips name their files of sound.

    A book is a video; ``label`` is NaN, and there are no splits. Raises ``UserError`` for a table
    that is missing, is none, has no lines or lacks a column; for an id of another form or twice,
    for a clip without a file, a file without a line and an empty file.
    """
    file = path / TABLE
    table = csvs.table(file, NEEDED)
    if not len(table):
        raise bad(file, "no clips", "a line per clip")
    names = table["id"].str.extract(f"^(?:{_PATTERN.pattern})$")
    csvs.check(file, table, "id", names[0].notna(), "<book>-<number>, as in LJ001-0001")
    if len(twice := table["id"][table["id"].duplicated()]):
        raise bad(file, f"id {twice.iloc[0]} twice", "every clip once")
    files = speech.of_table(path, table["id"].tolist(), TABLE)
    columns = {"video": names[0], "segment": names[1], "text": table["text"], "label": np.nan}
    return Corpus(
        name=name,
        utterances=table[["id"]].assign(speaker="LJ", **columns).set_index("id"),
        features={},
        splits={},
        media={"acoustic": files},
        notes=(
            "one voice, English books read aloud",
            "source: LJ Speech; terms: public domain",
        ),
    )
