"""Make every run that the pages of a paper read: ``msalib records uegd``.

A paper's plan (``papers/<paper>/plan.py``) says what that is:

    PLAN   data set, with encoder and preset where they are not the usual ones -> steps in order;
           a step takes a ``Study`` and returns its records
    LAST   optional: modules of the paper that measure something when all records are made

Runs that have a record are read, so a campaign that was stopped goes on where it was; two at once
share the work (``study``). The notebooks then only read. ``python -m msalib.papers.campaign PAPER``
runs what comes last.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from msalib import papers
from msalib.base import children
from msalib.base.errors import UserError, unknown
from msalib.base.paths import data_folder
from msalib.data import datasets as readers
from msalib.data import describe
from msalib.runs.inputs import TUNED_ENDING
from msalib.runs.parameters import validated
from msalib.runs.records import Record
from msalib.runs.study import Study

Plan = Mapping[str, tuple[Callable[[Study], list[Record]], ...]]


class Made(NamedTuple):
    """The records of one setting: the setting in words, and how many records it has."""

    setting: str
    records: int


def plan(paper: str) -> Plan:
    """Return what is planned for a paper; a paper without a plan raises ``UserError``."""
    if module := papers.part(paper, "plan"):
        return module.PLAN
    planned = [name for name in papers.names() if papers.part(name, "plan")]
    found, remedy = "no planned runs of it", "Name a paper that has runs."
    raise unknown("paper", paper, planned, found=found, remedy=remedy)


def make(paper: str, **parameters) -> Iterator[Made]:
    """Make what is missing, data set by data set; ``parameters`` are those of a notebook.

    The defaults are the full recipe, five seeds and every real data set that is available.
    Features are encoded where they are not yet, and the summaries of the data that pages show are
    recorded. Raises ``UserError`` where no data are available, and for what a study refuses.
    """
    steps = plan(paper)
    parameters = {"profile": "full", "seeds": 5, **parameters}
    validated(parameters)
    for key in _chosen(paper, steps, parameters):
        name, *others = key.split()
        usual = dict(zip(("encoder", "preset"), others, strict=False))
        study = Study(paper, **usual | parameters | {"dataset": name})
        names = {record.name() for step in steps[key] for record in step(study)}
        if study.dataset.real and not study.dataset.leaky:
            describe.summary(name)
        yield Made(study.setting, len(names))


def _chosen(paper: str, steps: Plan, parameters: Mapping) -> list[str]:
    """Return the keys of a plan that are asked for, or all whose data are available."""
    dataset = parameters.get("dataset")
    if dataset is not None:
        readers.dataset(dataset)  # refuses an unknown one
    keys = [key for key in steps if _fits(key, parameters)]
    named = [key for key in keys if key.split()[1:2] == [parameters.get("encoder")]]
    keys = named or keys
    if dataset is not None:
        if keys:
            return keys
        known = dict.fromkeys(key.split()[0] for key in steps)
        found, remedy = f"no runs of {paper} planned for it", "Name one of these, or leave it out."
        raise unknown("data set", dataset, known, found=found, remedy=remedy)
    real = [key for key in keys if readers.dataset(key.split()[0]).real]
    available = [key for key in real if readers.is_available(key.split()[0])]
    if not available:
        names = dict.fromkeys(readers.folder(key.split()[0]) for key in real)
        raise UserError(
            data_folder(),
            found="none of the data sets",
            expected=f"a folder for one of {', '.join(names)}",
            remedy="Set MSALIB_DATA to your data, or name one: -p dataset control.",
        )
    return available


def _fits(key: str, parameters: Mapping) -> bool:
    """Check whether a key has the given data set and kind of encoder, as far as they are given."""
    name, *encoder = key.split()
    tuned = bool(encoder) and encoder[0].endswith(TUNED_ENDING)
    given = parameters.get("encoder")
    return parameters.get("dataset", name) == name and (
        given is None or given.endswith(TUNED_ENDING) == tuned
    )


def measure(paper: str) -> None:
    """Run the modules that a plan names in ``LAST``, each in a process of its own."""
    for name in getattr(papers.part(paper, "plan"), "LAST", ()):
        children.run([sys.executable, "-m", f"msalib.papers.{paper}.{name}"], check=True)


if __name__ == "__main__":
    measure(sys.argv[1])
