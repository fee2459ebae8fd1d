"""Readers: one file per source format, each giving a ``Corpus``; and the data sets by name."""

import os
from collections.abc import Callable
from dataclasses import dataclass

from msalib.corpus import Corpus
from msalib.errors import UserError
from msalib.paths import data_folder


@dataclass(frozen=True)
class Dataset:
    """A data set that can be named: ``title`` for readers, ``real`` unless it is simulated.

    ``as_published`` names the text encoders with which the papers used it.
    """

    title: str
    real: bool
    read: Callable[[], Corpus]
    as_published: tuple[str, ...] = ()

    def setting(self, encoder: str, profile: str) -> str:
        """The kind of setting that an encoder and a profile make of it."""
        if not self.real:
            return "control"
        published = encoder in self.as_published and profile == "paper"
        return "as-published" if published else "substitute"


def _control() -> Corpus:
    from msalib.simulate import control

    return control()


def _mosi() -> Corpus:
    from msalib.readers import pack

    return pack.read(data_folder() / "mosi", "mosi", clean=os.environ.get("MSALIB_CLEAN") == "1")


DATASETS = {
    "control": Dataset("Simulated features", False, _control),
    "mosi": Dataset("CMU-MOSI", True, _mosi, as_published=("bert-large",)),
}


def dataset(name: str) -> Dataset:
    """The data set of that name; an unknown one is a ``UserError``."""
    if name not in DATASETS:
        raise UserError(
            f"data set {name!r}",
            found="no such data set",
            expected=f"one of {', '.join(DATASETS)}",
            remedy="See which are there: msalib data.",
        )
    return DATASETS[name]


def at_hand(name: str) -> bool:
    """Whether a data set is here; a ``MSALIB_DATA`` that is no folder is a ``UserError``."""
    if not dataset(name).real:
        return True
    return bool(os.environ.get("MSALIB_DATA")) and (data_folder() / name).is_dir()


def load(name: str) -> Corpus:
    """Read a data set by name; real ones come from ``MSALIB_DATA``."""
    return dataset(name).read()
