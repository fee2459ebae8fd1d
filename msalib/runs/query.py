"""The records of one setting, queried by system and seed: predictions, labels, seeds."""

from collections.abc import Iterable, Sequence

import numpy as np

from msalib.base.errors import UserError
from msalib.base.lately import Lately
from msalib.data import datasets
from msalib.data.corpus import MODALITIES
from msalib.data.tasks import Regression, Task
from msalib.runs.columns import Predictions
from msalib.runs.records import Record
from msalib.runs.spec import System, without_usual

COMPUTED = 16 * 2**20
"""Bytes of what comparisons keep."""


class Runs:
    """Records of one setting by system and seed.

    In a sweep that is not finished some systems have fewer seeds. Comparisons of several systems
    use the seeds that all of them have. ``computed`` keeps what comparisons computed lately, for
    the next ones.
    """

    def __init__(self, records: Iterable[Record]):
        self._runs: dict[System, dict[int, Record]] = {}
        self._used: dict[int, Record] = {}
        self.computed = Lately(COMPUTED)
        for record in records:
            spec = record.spec
            seeds = self._runs.setdefault(spec.system, {})
            known = seeds.get(spec.seed)
            if known is not None and known.spec != spec:
                raise UserError(
                    spec.path().parent,
                    found=f"{record.name()} beside {known.name()}, which differ in recipe only",
                    expected="one record per system and seed",
                    remedy="Delete the one that does not belong to today's recipe.",
                )
            seeds[spec.seed] = record

    def unread(self) -> "Runs":
        """Return the same records, none of which is ``used`` yet."""
        other = Runs([])
        other._runs, other.computed = self._runs, self.computed
        return other

    def beside(self, records: Iterable[Record]) -> "Runs":
        """Return these records and others of the same clips, such as baselines.

        What is read of the result counts as ``used`` here, too.
        """
        own = (record for seeds in self._runs.values() for record in seeds.values())
        both = Runs([*own, *records])
        both._used = self._used
        return both

    @property
    def systems(self) -> list[System]:
        return list(self._runs)

    @property
    def dataset(self) -> str:
        """The data set of all records."""
        return self._first().spec.dataset

    @property
    def task(self) -> Task:
        """The usual task of the data set, or regression where added data were removed since."""
        try:
            return datasets.dataset(self.dataset).task
        except UserError:
            if "corr" in self._first().metrics["valid"]:
                return Regression()
            raise

    @property
    def modalities(self) -> list[str]:
        """Modalities of which a model was trained that reads nothing else."""
        alone = {s.inputs[0][0] for s in self._runs if len(s.inputs) == 1}
        return [m for m in MODALITIES if m in alone]

    def example(self, system: System) -> Record:
        """Return one record of a system, to read what all of them share; it is not ``used``."""
        return next(iter(self._runs[self._recorded(system)].values()))

    def has(self, *systems: System) -> bool:
        """Check whether all systems were trained with at least one common seed."""
        return bool(self.seeds(*systems))

    def seeds(self, *systems: System) -> list[int]:
        """Return the seeds that all systems have, ascending."""
        named = [self._recorded(s) for s in systems]
        return sorted(set.intersection(*(set(self._runs.get(s, ())) for s in named)))

    def _recorded(self, system: System) -> System:
        """Return a system as records name it: what their preset chooses anyway is no choice."""
        if not self._runs or not system.choices:
            return system
        # Records of ``baselines`` name a family. Beside a paper's own they have another recipe.
        named = "family" in dict(system.choices)
        alike = (s for s in self._runs if ("family" in dict(s.choices)) == named)
        like = next(alike, next(iter(self._runs)))
        spec = next(iter(self._runs[like].values())).spec
        family = dict(system.choices).get("family", spec.paper)
        about = family, spec.preset, spec.profile, spec.dataset
        return system._replace(choices=without_usual(system.choices, *about))

    def records(self, *systems: System) -> list[list[Record]]:
        """Return the records of each system, in the order of their common seeds."""
        seeds = self.seeds(*systems)
        named = [self._recorded(s) for s in systems]
        by_system = [[self._runs[s][seed] for seed in seeds] for s in named]
        self._used |= {id(record): record for records in by_system for record in records}
        return by_system

    @property
    def used(self) -> list[Record]:
        """The records that were read so far, each once."""
        return list(self._used.values())

    def best(self, systems: Sequence[System]) -> System:
        """Return the system with the highest seed-mean validation score that its task selects by.

        For regression that is the correlation. A system with a seed that predicts a constant,
        which has no correlation, comes last.
        """
        by_system = self.records(*systems)
        score = self.task.selects
        scores = [[record.metrics["valid"][score] for record in records] for records in by_system]
        means = [-1.0 if None in seeds else np.mean(seeds) for seeds in scores]
        return systems[int(np.argmax(means))]

    def predictions(self, part: str, *systems: System) -> list[np.ndarray]:
        """Return the predictions (S, N) of each system, in the clip order of ``truth``.

        Raises ``ValueError`` for a record of other clips.
        """
        ids = self._clips(part).id
        stacked = []
        for records in self.records(*systems):
            for record in records:
                if record.predictions[part].id != ids:
                    raise ValueError(f"{record.name()} judges other clips than its neighbours")
            stacked.append(np.array([record.predictions[part].prediction for record in records]))
        return stacked

    def truth(self, part: str) -> tuple[np.ndarray, np.ndarray]:
        """Return the annotated labels (N,) and the videos (N,) of a part's clips."""
        clips = self._clips(part)
        return np.array(clips.label), np.array(clips.video)

    def _clips(self, part: str) -> Predictions:
        return self._first().predictions[part]

    def _first(self) -> Record:
        return self.example(next(iter(self._runs)))
