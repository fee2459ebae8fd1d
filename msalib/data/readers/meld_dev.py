"""MELD's dev part with vectors of words and voice: meld_dev.csv and meld_dev.npz.

The table has a row per utterance. The arrays of the second file, ``ids`` among them, have a row
per utterance in the order of the table. The transcripts alone, of all parts, are in ``meld``.
"""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from msalib.data import folds
from msalib.data.corpus import Corpus, Features
from msalib.data.readers import build, csvs, npz
from msalib.data.readers.meld import EMOTIONS, SENTIMENT
from msalib.data.readers.standardise import standardised
from msalib.data.tasks import Classes, Regression

NAME = "meld-dev"
TABLE, ARRAYS = "meld_dev.csv", "meld_dev.npz"
NEEDED = ("id", "dialogue", "turn", "speaker", "text", "emotion", "sentiment")

TASKS = (
    Regression(limit=1),
    Classes(tuple(SENTIMENT), "sentiment"),
    Classes(EMOTIONS, "emotion"),
)

SPLIT = "video1of5"
"""The split of runs that ask for none: the first of the five folds by dialogue."""

_SEEN = (
    "fine-tuned on MELD's training part for seven emotions, its checkpoint picked on these clips"
)

TEXT, SPEECH, MEL = "text_roberta_base", "audio_wav2vec2_base", "audio_mel"
VECTORS = {
    TEXT: ("linguistic", f"RoBERTa-base, {_SEEN}"),
    SPEECH: ("acoustic", f"wav2vec 2.0 base, {_SEEN}"),
    MEL: ("acoustic", "made from the mel spectrum; the source does not say how"),
}
"""Array -> modality, and what it has seen."""

NOTES = (
    "label is the sentiment: negative -1, neutral 0, positive 1; it has no degrees",
    "there is no standard split: a cross-validation takes the five folds by dialogue "
    "(video1of5 to video5of5), a run without a split the first of them",
    "a dialogue counts as a video; the main speakers are the same in all folds",
    "the makers of the vectors left dia110_utt7 of MELD's dev part out",
)

_OPTIMISTIC = (
    "fine-tuned on MELD's training part for the seven emotions, with a checkpoint picked on these "
    "clips: levels are optimistic, and a comparison is fair only as far as both arms share that"
)
SEEN = {
    SPEECH: f"the encoders of words and voice were {_OPTIMISTIC}",
    MEL: f"the encoder of words was {_OPTIMISTIC}; the source does not say how the mel vectors "
    "were made; they are standardised over all clips, without labels",
}
"""What the vectors of words and of this array have seen."""


def read(folder: Path, speech: str = SPEECH) -> Corpus:
    """Read the utterances of a folder with their text vector and one of ``SPEECH`` and ``MEL``.

    Vectors are one frame per clip and keep their stored precision, except ``MEL``, which is
    standardised over all clips. Columns beside the usual: sentiment, emotion, speaker, dialogue.
    The corpus has one name whatever it reads of the voice, so that its transcripts are encoded
    once. Raises ``UserError`` for a file that is missing or damaged, for one that lacks a column
    or an array, for arrays of other clips or in another order, for an id that is empty or twice,
    a sentiment, an emotion or a number that is none, and for values that are not finite.
    """
    table = _table(folder / TABLE)
    arrays = _arrays(folder / ARRAYS, table.index, [TEXT, speech])
    features = {VECTORS[name][0]: _one_frame_each(name, arrays[name]) for name in (speech, TEXT)}
    if speech == MEL:
        # A mel value varies by about 0.02 between clips, a twentieth of the largest mean and an
        # eighth of what a value of the speech encoder varies by: as stored, a network at the
        # usual learning rate would lose by the scale and not by the content. All clips give the
        # scale, because a corpus has one set of features for all folds. No label is read.
        every = np.arange(len(table))
        features["acoustic"] = standardised(features["acoustic"], every, "all clips")
    corpus = Corpus(NAME, table, features, splits={}, tasks=TASKS, notes=(*NOTES, SEEN[speech]))
    return replace(corpus, splits={SPLIT: folds.parts(corpus, SPLIT)})


def _table(path: Path) -> pd.DataFrame:
    stored = csvs.table(path, NEEDED)
    if not len(stored):
        raise build.bad(path, "no utterances", "a line per utterance")
    for column, known in (("sentiment", SENTIMENT), ("emotion", EMOTIONS)):
        stored[column] = stored[column].str.strip().str.lower()
        csvs.check(path, stored, column, stored[column].isin(list(known)), " | ".join(known))
    for column in ("dialogue", "turn"):
        csvs.check(path, stored, column, stored[column].str.fullmatch(r"[0-9]{1,9}"), "a number")
    csvs.check(path, stored, "id", stored["id"] != "", "an id for every utterance")
    twice = stored["id"][stored["id"].duplicated()]
    if len(twice):
        raise build.bad(path, f"id {twice.iloc[0]} twice", "every id once")
    table = pd.DataFrame(
        {
            "id": stored["id"],
            "video": "dia" + stored["dialogue"].astype(int).astype(str),
            "segment": stored["turn"].astype(int),
            "text": stored["text"],
            "label": stored["sentiment"].map(SENTIMENT).astype(float),
            "sentiment": stored["sentiment"],
            "emotion": stored["emotion"],
            "speaker": stored["speaker"].str.strip(),
            "dialogue": stored["dialogue"].astype(int),
        }
    )
    build.check_transcripts(path, table["text"])
    return table.set_index("id")


def _arrays(path: Path, ids: pd.Index, names: list[str]) -> dict[str, np.ndarray]:
    """Return the named arrays (N, D), checked against the ids of the table."""
    arrays = npz.read(path, ["ids", *names])
    stored = [str(clip) for clip in np.ravel(arrays.pop("ids"))]
    if len(stored) != len(ids):
        raise npz.bad(path, f"{len(stored)} ids", f"{len(ids)}, as {TABLE} has")
    for place, (clip, expected) in enumerate(zip(stored, ids, strict=True)):
        if clip != expected:
            found = f"id {clip} in row {place + 1}"
            raise npz.bad(path, found, f"{expected}, as in {TABLE}: the same clips in one order")
    npz.check_numbers(path, arrays)
    for name, values in arrays.items():
        if values.ndim != 2 or len(values) != len(ids) or not values.shape[1]:
            found = f"{name} of shape {values.shape}"
            raise npz.bad(path, found, f"one vector for each of {len(ids)} ids")
        if broken := int((~np.isfinite(values)).sum()):
            row, column = map(int, np.argwhere(~np.isfinite(values))[0])
            found = f"{broken} values of {name} that are NaN or infinite, the first for clip "
            raise npz.bad(path, f"{found}{ids[row]}, feature {column}", "finite numbers")
        if not values.any():
            raise build.nothing(path, VECTORS[name][0], name, len(ids))
    return arrays


def _one_frame_each(name: str, values: np.ndarray) -> Features:
    digest = hashlib.sha256(values.tobytes()).hexdigest()
    return Features(
        source=name,
        unit="clip",
        layers={1: values},
        offsets=np.arange(len(values) + 1),
        provenance={"source": name, "note": VECTORS[name][1], "values": digest},
    )
