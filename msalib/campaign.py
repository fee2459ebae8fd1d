"""Every run that the exhibits of a paper read, made in one go: ``msalib records uegd``.

Runs that have a record are read, so a campaign that was stopped goes on where it was; two at once
share the work (``study``). The notebooks then only read.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from msalib import audit, describe, readers, sizes
from msalib.corpus import SUMS
from msalib.errors import UserError
from msalib.paths import data_folder
from msalib.records import Record
from msalib.runs import FEATURES
from msalib.study import Study


def _sums(study: Study) -> list[Record]:
    """Each modality with layers alone, with sums of all blocks."""
    return [r for m in study.dataset.layered for r in study.given([m], SUMS)]


def _joint(study: Study) -> list[Record]:
    """All modalities, with each feature."""
    return study.given(study.dataset.modalities, [*FEATURES, "uniform"])


def _concatenated(study: Study) -> list[Record]:
    """All modalities, with the other fusion (footnote 1)."""
    return study.given(study.dataset.modalities, ["mid_best"], fusion="concat")


EVERYTHING = (Study.singles, _sums, _joint, _concatenated, sizes.train)

PLANS: Mapping[str, Mapping[str, tuple[Callable[[Study], list[Record]], ...]]] = {
    "uegd": {
        "control": EVERYTHING,
        "control-opposite": EVERYTHING,
        "mosi": EVERYTHING,
        "mmmo": (Study.singles, _joint, _concatenated),
        "mosi-leaky": (Study.singles, _joint),
        "mosi-leaky-unseen": (Study.singles, _joint),
        "mosei": (Study.singles, _sums),  # last: it has twelve times as many clips as MOSI
    }
}
"""Paper -> data set -> what its exhibits need, in the order in which it is made."""


class Made(NamedTuple):
    """What there is of one data set."""

    setting: str  # in words
    records: int


def make(paper: str, **parameters) -> Iterator[Made]:
    """Make what is missing, data set by data set; ``parameters`` are those of a notebook.

    By default the full recipe with five seeds, and every real data set that is at hand: features
    are encoded where they are not yet, and what pages say of the data themselves is recorded,
    too. Raises ``UserError`` where no data are at hand, and for what a study refuses.
    """
    if paper not in PLANS:
        raise UserError(
            f"paper {paper!r}",
            found="no runs are planned for it",
            expected=f"one of {', '.join(PLANS)}",
            remedy="Name a paper whose exhibits are here.",
        )
    plan = PLANS[paper]
    parameters = {"profile": "paper", "seeds": 5, **parameters}
    if "dataset" in parameters:
        chosen = [parameters.pop("dataset")]
    else:
        folder = data_folder()
        chosen = [n for n in plan if readers.dataset(n).real and readers.at_hand(n)]
        if not chosen:
            raise UserError(
                folder,
                found="none of the data sets",
                expected="a folder for one of mosi, mmmo, mosei",
                remedy="Set MSALIB_DATA to your data, or name one: -p dataset control.",
            )
    for name in chosen:
        study = Study(paper, dataset=name, **parameters)
        found = {record.name() for step in plan[name] for record in step(study)}
        if study.dataset.leaky:
            audit.audit(name)
        elif study.dataset.real:
            describe.summary(name)
        yield Made(study.setting, len(found))
