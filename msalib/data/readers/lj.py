"""Pairs of the LJ Speech data set: clips.csv and a file of sound per line.

clips.csv has id, seconds and text; one person reads English books aloud. A file is named by its
id, ``<book>-<number>``. Nothing is labelled. Copies circulate in which the sound of many clips ends
long before its text: what would be too fast to be read aloud is left out.
"""

import re
from pathlib import Path

import numpy as np
import pandas as pd

from msalib.data.corpus import Corpus
from msalib.data.readers import csvs, speech
from msalib.data.readers.build import bad

NAME = "lj_pairs"

TABLE = "clips.csv"
NEEDED = ("id", "seconds", "text")

FASTEST = 20
"""Characters a second; the reader says 14 to 15 and seldom more than 18."""

_PATTERN = re.compile(r"(LJ[0-9]{3})-([0-9]{4})")


def read(path: Path, name: str) -> Corpus:
    """Read the table of a folder as a ``Corpus`` whose clips name their files of sound.

    A book is a video; ``label`` is NaN, and there are no splits. Clips with more text than
    ``FASTEST`` allows are dropped. Raises ``UserError`` for a table that is missing, is none, has
    no lines or lacks a column; for an id of another form or twice, seconds that are none, a clip
    without a file, a file without a line and an empty file.
    """
    file = path / TABLE
    table = csvs.table(file, NEEDED)
    if not len(table):
        raise bad(file, "no clips", "a line per clip")
    names = table["id"].str.extract(f"^(?:{_PATTERN.pattern})$")
    csvs.check(file, table, "id", names[0].notna(), "<book>-<number>, as in LJ001-0001")
    if len(twice := table["id"][table["id"].duplicated()]):
        raise bad(file, f"id {twice.iloc[0]} twice", "every clip once")
    seconds = pd.to_numeric(table["seconds"], errors="coerce")
    csvs.check(file, table, "seconds", seconds > 0, "a number of seconds")
    files = speech.of_table(path, table["id"].tolist(), TABLE)
    whole = table["text"].str.len() <= FASTEST * seconds
    columns = {"video": names[0], "segment": names[1], "text": table["text"], "label": np.nan}
    return Corpus(
        name=name,
        utterances=table[["id"]].assign(speaker="LJ", **columns)[whole].set_index("id"),
        features={},
        splits={},
        dropped=dict.fromkeys(table["id"][~whole], "sound that ends before its text"),
        media={"acoustic": [files[i] for i in np.flatnonzero(whole)]},
        notes=(
            "one voice, English books read aloud",
            f"{(~whole).sum()} of {len(table)} clips are left out: their sound has more than "
            f"{FASTEST} characters of text a second, so part of the text is not said",
            "source: LJ Speech; terms: public domain",
        ),
    )
