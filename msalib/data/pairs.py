"""Pairs of sound and text by name: clips to pretrain on, without labels and without splits.

    raw-spoken-unlabelled    simulated people say what a grammar wrote (``simulate.spoken``)
    lj-pairs                 one person reads English books aloud (``readers.lj``)
    spoken-<data set>        real transcripts, said by a synthesiser
    <data set>               one that has sound and transcripts

Of data sets, only what they train on is here: clips to validate and to test on stay unheard.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

import numpy as np

from msalib.base import paths
from msalib.base.errors import UserError, unknown
from msalib.data import datasets
from msalib.data.corpus import Corpus
from msalib.data.readers import lj


def _unlabelled() -> Corpus:
    from msalib.data.simulate import render, spoken

    return render.on_demand(spoken.unlabelled())


def _transcripts(dataset: str) -> Corpus:
    """Return the training transcripts of a data set, spoken."""
    from msalib.data.simulate import render, spoken

    corpus = datasets.load(dataset)
    rows, split = _training(corpus, dataset)
    said = spoken.transcripts(corpus, rows, f"spoken-{dataset}")
    return render.on_demand(replace(said, notes=(_note(corpus, rows, split), *said.notes)))


PAIRS: MappingProxyType[str, Callable[[], Corpus]] = MappingProxyType(
    {
        "raw-spoken-unlabelled": _unlabelled,
        "lj-pairs": lambda: lj.read(paths.data_folder() / lj.NAME, "lj-pairs"),
        "spoken-mosei": lambda: _transcripts("mosei"),
        "spoken-meld": lambda: _transcripts("meld"),
        "spoken-iemocap": lambda: _transcripts("iemocap"),
    }
)
"""Name -> what reads pairs that are no data set."""


def names() -> list[str]:
    """Return the names of all pairs: those without labels, then data sets with sound and text."""
    return [*PAIRS, *(name for name in datasets.names() if _has_both(name))]


def load(name: str, clips: int | None = None) -> Corpus:
    """Return pairs by name: texts in ``utterances``, a file of sound per clip in ``media``.

    ``label`` is NaN and there are no splits. Of a data set only the clips are taken that its usual
    split trains on; they have its name with ``-pairs`` after it. Raises ``UserError`` for an
    unknown name, for data that are not here, for clips without words, and for less than two clips.
    """
    if name not in names():
        found = "no such pairs of sound and text"
        raise unknown("pairs", name, names(), found=found, remedy="Name one of these.")
    try:
        corpus = PAIRS[name]() if name in PAIRS else _of_dataset(name)
    except UserError as error:
        if error.where != "MSALIB_DATA":
            raise
        raise UserError(
            f"pairs {name!r}: MSALIB_DATA",
            found=error.found,
            expected=error.expected,
            remedy="Set MSALIB_DATA to your data, or leave out what reads these pairs; "
            "raw-spoken-unlabelled needs none.",
        ) from None
    return checked(corpus if clips is None else first(corpus, clips))


def first(corpus: Corpus, clips: int) -> Corpus:
    """Return the first clips of a corpus; a part of it has a name of its own."""
    if clips >= len(corpus):
        return corpus
    media = {m: _First(paths, clips) for m, paths in corpus.media.items()}
    table = corpus.utterances.iloc[:clips]
    return replace(corpus, name=f"{corpus.name}-{clips}", utterances=table, media=media, truth=None)


def checked(corpus: Corpus) -> Corpus:
    """Return pairs whose every clip has words; others, and less than two, are a ``UserError``."""
    wordless = corpus.utterances.index[corpus.utterances["text"].str.strip() == ""]
    if len(wordless):
        shown = ", ".join(map(str, wordless[:5])) + (", ..." if len(wordless) > 5 else "")
        raise UserError(
            f"pairs {corpus.name}",
            found=f"{len(wordless)} of {len(corpus)} clips with an empty transcript: {shown}",
            expected="words for every clip",
            remedy="Add the missing transcripts to the data, or leave those clips out of them.",
        )
    if len(corpus) < 2:
        raise UserError(
            f"pairs {corpus.name}",
            found=f"{len(corpus)} pair{'s' * (len(corpus) != 1)} of sound and text",
            expected="two or more: a pair is told from others",
            remedy="Add clips to the data, or name other pairs.",
        )
    return corpus


def _has_both(name: str) -> bool:
    with suppress(UserError):  # an added one that is damaged is no matter of the others
        return {"acoustic", "linguistic"} <= set(datasets.dataset(name).raw)
    return False


def _of_dataset(name: str) -> Corpus:
    """Return the training clips of a data set, under a name of their own."""
    corpus = datasets.load(name)
    rows, split = _training(corpus, name)
    return Corpus(
        name=f"{name}-pairs",
        utterances=corpus.utterances.iloc[rows].assign(label=np.nan),
        features={},
        splits={},
        media={"acoustic": _Chosen(corpus.media["acoustic"], rows)},
        notes=(_note(corpus, rows, split), *corpus.notes),
    )


def _training(corpus: Corpus, dataset: str) -> tuple[np.ndarray, str]:
    """Return the rows of a data set that its usual split trains on, and the name of the split."""
    split = datasets.dataset(dataset).split
    return corpus.rows("train", split), split


def _note(corpus: Corpus, rows: np.ndarray, split: str) -> str:
    return f"{len(rows)} of {len(corpus)} clips: those that the split {split} trains on"


class _First(Sequence):
    """The first paths of a corpus's clips; they are asked for, and so rendered, on their use."""

    def __init__(self, paths: Sequence[Path], clips: int):
        self._all, self._clips = paths, clips

    def __len__(self) -> int:
        return self._clips

    def __getitem__(self, index: int) -> Path:
        return self._paths[index]

    @cached_property
    def _paths(self) -> Sequence[Path]:
        return self._all[: self._clips]


class _Chosen(Sequence):
    """Some of the paths of a corpus's clips; none is asked for, and so rendered, before its use."""

    def __init__(self, paths: Sequence[Path], rows: np.ndarray):
        self._paths, self._rows = paths, rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return [self._paths[row] for row in self._rows[index]]
        return self._paths[self._rows[index]]
