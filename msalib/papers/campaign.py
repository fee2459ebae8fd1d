"""Every run that the exhibits of a paper read, made in one go: ``msalib records uegd``.

Runs that have a record are read, so a campaign that was stopped goes on where it was; two at once
share the work (``study``). The notebooks then only read.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from msalib.base.errors import UserError
from msalib.base.paths import data_folder
from msalib.data import datasets as readers
from msalib.data import describe
from msalib.data.corpus import SUMS
from msalib.papers.sugrm import plan
from msalib.papers.uegd import layers, leaky, sizes
from msalib.papers.uegd.layers import FEATURES
from msalib.runs.records import Record
from msalib.runs.study import TUNED_ENDING, Study


def _sums(study: Study) -> list[Record]:
    """Each modality with layers alone, with sums of all blocks."""
    return [r for m in study.dataset.layered for r in layers.together(study, [m], SUMS)]


def _joint(study: Study) -> list[Record]:
    """All modalities, with each feature."""
    return layers.together(study, study.dataset.modalities, [*FEATURES, "uniform"])


def _concatenated(study: Study) -> list[Record]:
    """All modalities, with the other fusion (footnote 1)."""
    return layers.together(study, study.dataset.modalities, ["mid_best"], fusion="concat")


EVERYTHING = (layers.singles, _sums, _joint, _concatenated, sizes.train)


PLANS: Mapping[str, Mapping[str, tuple[Callable[[Study], list[Record]], ...]]] = {
    "uegd": {
        "control": EVERYTHING,
        "control-opposite": EVERYTHING,
        "raw": (layers.singles, _sums, _joint),
        "mosi": EVERYTHING,
        "mmmo": (layers.singles, _joint, _concatenated),
        "mosi-leaky": (layers.singles, _joint),
        "mosi-leaky-unseen": (layers.singles, _joint),
        "mosei": (layers.singles, _sums),  # last: it has twelve times as many clips as MOSI
    },
    "sugrm": plan.PLAN,
}
"""Paper -> data set, with encoder and preset where they are not the usual ones -> what its exhibits
need, in the order in which it is made."""


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
        readers.dataset(parameters["dataset"])  # refuses an unknown one
    chosen = [key for key in plan if _meant(key, parameters)]
    if "dataset" not in parameters:
        real = [key for key in chosen if readers.dataset(key.split()[0]).real]
        chosen = [key for key in real if readers.at_hand(key.split()[0])]
        if not chosen:
            named = dict.fromkeys(key.split()[0].split("-")[0] for key in real)
            raise UserError(
                data_folder(),
                found="none of the data sets",
                expected=f"a folder for one of {', '.join(named)}",
                remedy="Set MSALIB_DATA to your data, or name one: -p dataset control.",
            )
    if not chosen:
        raise UserError(
            f"data set {parameters['dataset']!r}",
            found=f"no runs of {paper} planned for it",
            expected=f"one of {', '.join(dict.fromkeys(key.split()[0] for key in plan))}",
            remedy="Name one of these, or leave it out.",
        )
    for key in chosen:
        name, *others = key.split()
        usual = dict(zip(("encoder", "preset"), others, strict=False))
        study = Study(paper, **usual | parameters | {"dataset": name})
        found = {record.name() for step in plan[key] for record in step(study)}
        if study.dataset.leaky:
            leaky.audit(name)
        elif study.dataset.real:
            describe.summary(name)
        yield Made(study.setting, len(found))


def _meant(key: str, parameters: Mapping) -> bool:
    """Whether a plan is of the data set and the kind of encoder that were given, if they were."""
    name, *encoder = key.split()
    tuned = bool(encoder) and encoder[0].endswith(TUNED_ENDING)
    given = parameters.get("encoder")
    return parameters.get("dataset", name) == name and (
        given is None or given.endswith(TUNED_ENDING) == tuned
    )
