"""Answer how often the tests of MMML's claims err, and which printed effects they can find.

Predictions with known truth are drawn at the sizes of real settings (``evidence.scatter``), with
the scatter of real records, and judged by the tests of the registry (``evidence.simulation``). All
metrics of an arm follow one planted quality, and heads are scored on the clips' labels.

    python -m msalib.papers.mmml.power      # a few minutes on one core
"""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict

from msalib.base.errors import UserError
from msalib.base.files import Recorded
from msalib.base.progress import bar
from msalib.base.provenance import commit, device_name, versions
from msalib.evidence.arms import Arm
from msalib.evidence.scatter import Design, design
from msalib.evidence.simulation import RESAMPLES, ErrorRates, Rate, Verdicts, simulate
from msalib.papers.mmml.plan import PAPER, SOUND, TEXT, system
from msalib.papers.mmml.power_cases import (
    NONE_PRINTED,
    WHOLE,
    Case,
    cases,
    claim_of,
    judge_of,
    planted,
)
from msalib.runs import folds, records
from msalib.runs.query import Runs
from msalib.runs.records import Setting
from msalib.runs.spec import System

STUDIES = {"border": 200, "true": 100}
"""Studies per planted effect: where any verdict is an error, and where the claim is true."""

ENOUGH = 0.8
"""Power from which an effect counts as one that a test can find."""


# --- real settings ------------------------------------------------------------------------------


class Size(NamedTuple):
    """A setting to simulate: seeds, and records to read its scatter from, the first that suffice.

    Records are named by paper, data set, encoder and preset, all of the full recipe.
    """

    seeds: int
    sources: tuple[tuple[str, str, str, str], ...]


SIZES = {
    "mosi": Size(
        5,
        # Not MMML's own: its predictions from standardised sound vary so much that no better ones
        # could gain what the paper prints.
        (("uegd", "mosi", "minilm", "release"),),
    ),
    "raw": Size(
        3,
        (
            ("mmml", "raw", "small-tuned", "release"),
            ("uegd", "raw", "small", "release"),
        ),
    ),
}


class Source(NamedTuple):
    """Records that scatter as simulated ones shall, and what they are."""

    runs: Runs
    words: str


def source(size: Size) -> Source:
    """Return the first records of a size whose scatter can be estimated.

    They need two systems of text and sound with two shared seeds. Raises ``UserError`` without.
    """
    for paper, dataset, encoder, preset in size.sources:
        runs = Runs(folds.pool(records.find(paper, Setting(dataset, encoder, preset, "paper"))))
        if sum(len(runs.seeds(s)) > 1 for s in _of_both(runs)) > 1:
            count = sum(len(runs.seeds(s)) for s in runs.systems)
            return Source(runs, f"{count} runs of {paper} on {dataset} with {encoder}")
    raise UserError(
        "scatter of trained models",
        found="no records of text and sound together",
        expected="two systems of both with two seeds",
        remedy="Restore the records, or make them again (make records).",
    )


def _of_both(runs: Runs) -> list[System]:
    return [s for s in runs.systems if {TEXT, SOUND} <= dict(s.inputs).keys()]


def study_of(case: Case, size: Size, runs: Runs) -> Design:
    """Return the simulated study of a case: as alike as systems of both modalities, or as all."""
    arms = [arm if isinstance(arm, Arm) else Arm(arm) for arm in case.arms]
    alike = () if case.across else _of_both(runs)
    study = design(runs, arms, seeds=size.seeds, paper=PAPER, scatter_of=alike)
    if case.sound:
        quality = max(0.02, _quality_of_sound(runs))
        study = replace(study, scatter=study.scatter._replace(quality=quality))
    return study


def _quality_of_sound(runs: Runs) -> float:
    """Return the mean correlation of systems that read sound alone; 0 for constant predictions."""
    alone = [s for s in runs.systems if {m for m, _ in s.inputs} == {SOUND}]
    found = [r.metrics["test"]["corr"] or 0.0 for s in alone for r in runs.records(s)[0]]
    return float(np.mean(found)) if found else 0.0


# --- the record ---------------------------------------------------------------------------------


class Cell(BaseModel):
    """Verdicts on studies with one planted effect; ``words`` says which."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: Literal["border", "true"]
    words: str
    metric: str
    gain: float
    verdicts: dict[str, int]

    def rate(self, word: str) -> Rate:
        """Return how often the test said so, with Wilson's 95% interval."""
        return self.judged().rate(word)

    def judged(self) -> Verdicts:
        """Return the verdicts as ``simulation`` has them."""
        return Verdicts(self.metric, self.gain, Counter(self.verdicts))


class Measured(BaseModel):
    """One test at one size: what was planted, and the verdicts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    claim: str
    test: str
    size: str
    arms: int
    quality: float  # correlation of the usual arm
    printed: float | None  # gain, in the metric of the cells
    printed_in: str
    cells: list[Cell]

    @property
    def is_printed(self) -> bool:
        """Check whether the paper prints a gain for the claim itself."""
        return self.printed is not None and not self.printed_in.startswith(NONE_PRINTED)

    def of(self, role: str) -> list[Cell]:
        """Return the cells of a role."""
        return [cell for cell in self.cells if cell.role == role]

    def worst(self, word: str) -> Rate:
        """Return the highest rate of a wrong verdict: at the border, or "contradicted" of truth."""
        cells = self.cells if word == "contradicted" else self.of("border")
        return max((cell.rate(word) for cell in cells), key=lambda rate: rate.share)

    def power(self, words: str) -> Rate | None:
        """Return how often the test finds a true effect; None where it was not planted."""
        found = [cell.rate("supported") for cell in self.of("true") if cell.words == words]
        return found[0] if found else None

    def too_high(self) -> list[str]:
        """Name errors above 5% beyond the simulation's error, as ``ErrorRates.too_high``."""
        true = tuple(cell.judged() for cell in self.of("true"))
        every = (ErrorRates(cell.judged(), (), true).too_high() for cell in self.of("border"))
        return list(dict.fromkeys(phrase for phrases in every for phrase in phrases))

    def found_from(self) -> float | None:
        """Return the multiple of the printed gain that is found in ``ENOUGH`` of the studies.

        Between planted ones it is interpolated; None where none is found so often.
        """
        shares = [0.0, *(cell.rate("supported").share for cell in self.of("true"))]
        times = [0.0, *(float(cell.words) for cell in self.of("true"))]
        above = [i for i, share in enumerate(shares) if share >= ENOUGH]
        if not above:
            return None
        i = above[0]
        return float(np.interp(ENOUGH, shares[i - 1 : i + 1], times[i - 1 : i + 1]))


class SizeOf(BaseModel):
    """What was drawn at a size: seeds, videos, clips, and where the scatter is from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seeds: int
    videos: dict[str, int]
    clips: int  # of the test part, on average
    records: str
    scatter: dict[str, float]


class Power(BaseModel):
    """Error rates of all tests, and all that decides them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    commit: str
    device: str
    versions: dict[str, str]
    started: str  # UTC
    seconds: float
    resamples: int
    sizes: dict[str, SizeOf]
    tests: list[Measured]

    @property
    def setting(self) -> str:
        """The setting in words, as captions name it."""
        sizes = (
            f"{name} ({of.clips} test clips, {of.videos['test']} videos, {of.seeds} seeds)"
            for name, of in self.sizes.items()
        )
        return f"control: simulated predictions at the sizes of {' and '.join(sizes)}"


RECORD = Recorded(
    Power, "power/mmml.json", "record of simulations", "run python -m msalib.papers.mmml.power"
)


def measure(
    sizes: dict[str, Size] | None = None, tests: Sequence[str] = (), scale: float = 1.0
) -> Power:
    """Simulate all tests, or some, at all sizes; ``scale`` multiplies the number of studies."""
    clock, started = time.perf_counter(), datetime.now(UTC).isoformat(timespec="seconds")
    sources = {name: (size, source(size)) for name, size in (sizes or SIZES).items()}
    planned = {name: case for name, case in cases().items() if not tests or name in tests}
    steps = [(name, case, size) for size in sources for name, case in planned.items()]
    measured = [
        _measured(name, case, size, *sources[size], scale)
        for name, case, size in bar(steps, "simulating", "test")
    ]
    return Power(
        commit=commit(),
        device=device_name("cpu"),
        versions=versions(),
        started=started,
        seconds=round(time.perf_counter() - clock, 1),
        resamples=RESAMPLES,
        sizes={name: _size_of(*of) for name, of in sources.items()},
        tests=measured,
    )


def _measured(
    name: str, case: Case, size_name: str, size: Size, origin: Source, scale: float
) -> Measured:
    study, judge, cells = study_of(case, size, origin.runs), judge_of(name), []
    for one in planted(case, study):
        count = max(1, round(scale * STUDIES[one.role]))
        about = {"metric": one.metric, "gain": one.gain, "gaining": one.gaining}
        found = simulate(judge, study, **about, replications=count)
        counts = {word: int(k) for word, k in found.counts.items()}
        cells.append(
            Cell(role=one.role, words=one.words, metric=one.metric, gain=one.gain, verdicts=counts)
        )
    return Measured(
        claim=claim_of(name).id,
        test=name,
        size=size_name,
        arms=len(study.arms),
        quality=round(study.scatter.quality, 4),
        printed=case.printed.gain() if case.printed else None,
        printed_in=case.printed.words() if case.printed else "",
        cells=cells,
    )


def _size_of(size: Size, origin: Source) -> SizeOf:
    study = study_of(Case([system(WHOLE)]), size, origin.runs)
    clips = np.mean([len(labels) for labels in study.population.videos]) * study.videos["test"]
    return SizeOf(
        seeds=size.seeds,
        videos=dict(study.videos),
        clips=round(clips),
        records=origin.words,
        scatter={name: round(v, 4) for name, v in study.scatter._asdict().items()},
    )


if __name__ == "__main__":
    RECORD.write(measure())
