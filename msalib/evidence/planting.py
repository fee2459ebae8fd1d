"""Plant effects in simulated studies, and record how a paper's tests judge them.

Predictions with known truth are drawn at the sizes of real settings, with the scatter of real
records (``scatter``), and judged by the tests of the registry (``simulation``). All metrics of an
arm follow one planted quality, and heads are scored on the clips' labels. A claim of a gain is at
its border where nothing differs, and true where the first arms gain what the paper prints, or a
multiple of it. ``error_rates`` reads what is measured here.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Literal, NamedTuple

import numpy as np

from msalib.base.errors import UserError
from msalib.base.progress import bar
from msalib.base.provenance import commit, device_name, versions
from msalib.data.metrics import METRICS
from msalib.evidence import comparisons, registry
from msalib.evidence.arms import Arm
from msalib.evidence.common import Evidence
from msalib.evidence.error_rates import NONE_PRINTED, Cell, Measured, Power, SizeOf
from msalib.evidence.printed import table as printed
from msalib.evidence.scatter import Design, design, quality_with_gain
from msalib.evidence.seeds import Margins, margin
from msalib.evidence.simulation import RESAMPLES, simulate
from msalib.evidence.verdicts import bound_test
from msalib.runs import folds, records
from msalib.runs.query import Runs
from msalib.runs.records import Setting
from msalib.runs.spec import System

STUDIES = {"border": 200, "true": 100}
"""Studies per planted effect: where any verdict is an error, and where the claim is true."""

TIMES = (0.5, 1.0, 2.0, 4.0)
"""Planted gains of a true claim, as multiples of the printed one."""


# --- what a paper plants ------------------------------------------------------------------------


class Printed(NamedTuple):
    """A printed gain: that of one row over the best of others, in a metric.

    Rows are ``exhibit/system/variant``. ``stands_in``: nothing is printed on the claim itself.
    """

    metric: str
    dataset: str
    row: str
    others: tuple[str, ...]
    stands_in: bool = False

    def gain(self, paper: str) -> float:
        """Return the gain in a paper's tables: positive is better, shares in points."""
        sign = 1 if METRICS[self.metric].higher_is_better else -1
        of, *others = (sign * self._value(paper, row) for row in (self.row, *self.others))
        return round(of - max(others), 6)

    def _value(self, paper: str, row: str) -> float:
        exhibit, name, variant = row.split("/")
        return printed.cell(paper, exhibit, self.dataset, name, variant, self.metric).value

    def words(self) -> str:
        """Say where it is printed."""
        where = f"{self.row.partition('/')[0]}, {self.dataset}"
        return f"{NONE_PRINTED}, that of {where}" if self.stands_in else where


@dataclass(frozen=True)
class Case:
    """What is planted for the test of a claim.

    ``arms`` of the simulated studies, those first that gain where the claim is true: ``gaining`` of
    them by the ``printed`` gain, or the first by as many times that gain as ``gaining`` lists.
    ``tied`` arms gain where it is at its border although something differs: a rival gains as well,
    or one of two pairs alone. A claim without ``printed`` says that nothing differs beyond
    ``margins`` in ``metrics``, or that a gain is within ``limits``. ``times`` are multiples of the
    printed gain for which the claim is true. ``borders`` are further ones: words, metric and gain
    of the first arm, which is negative where it loses. ``least``: a claim of a gain is at its
    border where the first arms gain so much, by default nothing; with ``metrics``, in the one of
    these that gains least, so that no gain is below it.
    ``across``: arms read different inputs, so their errors are less alike. ``alone``: the usual arm
    is only as good as systems that read this modality alone. The planted gain is in
    ``planted_in``, if not in the printed metric.
    """

    arms: Sequence[Arm | System]
    printed: Printed | None = None
    gaining: int | Sequence[float] = 1
    tied: int = 0
    times: Sequence[float] = TIMES
    borders: Sequence[tuple[str, str, float]] = ()
    least: float = 0.0
    metrics: Sequence[str] = ()
    margins: Margins = field(default_factory=lambda: comparisons.MARGINS)
    limits: tuple[float, float] | None = None
    across: bool = False
    alone: str = ""
    planted_in: str = ""

    @property
    def metric(self) -> str:
        """The metric of planted gains, but for margins."""
        default = self.printed.metric if self.printed else "acc2_has0"
        return self.planted_in or default


class Size(NamedTuple):
    """A setting to simulate: seeds, and records to read its scatter from, the first that suffice.

    Records are named by paper, data set, encoder and preset, all of the full recipe.
    """

    seeds: int
    sources: tuple[tuple[str, str, str, str], ...]


@dataclass(frozen=True)
class Plan:
    """What is simulated for a paper: sizes by name, and cases by the id of their claim.

    Systems that read all modalities of ``together`` are as alike as the arms of most comparisons.
    ``judges`` has tests, by claim, that stand for those of the registry where these ask for more
    than a simulated setting has.
    """

    paper: str
    sizes: Mapping[str, Size]
    cases: Mapping[str, Case]
    together: frozenset[str]
    judges: Mapping[str, Callable[[Runs], Evidence]] = field(default_factory=dict)

    def claim(self, name: str) -> registry.Claim:
        """Return a claim of the paper by its id."""
        (claim,) = registry.claims(self.paper, [name])
        return claim

    def judge(self, name: str) -> Callable[[Runs], Evidence]:
        """Return the test that judges the simulated studies of a claim."""
        return self.judges.get(name) or bound_test(self.claim(name))


# --- from real records to simulated studies -----------------------------------------------------


class Source(NamedTuple):
    """Records that scatter as simulated ones shall, and what they are."""

    runs: Runs
    words: str


def source(plan: Plan, size: Size) -> Source:
    """Return the first records of a size whose scatter can be estimated.

    They need two systems of ``plan.together`` with two shared seeds. Raises ``UserError`` without.
    """
    for paper, dataset, encoder, preset in size.sources:
        runs = Runs(folds.pool(records.find(paper, Setting(dataset, encoder, preset, "full"))))
        if sum(len(runs.seeds(s)) > 1 for s in _together(plan, runs)) > 1:
            count = sum(len(runs.seeds(s)) for s in runs.systems)
            return Source(runs, f"{count} runs of {paper} on {dataset} with {encoder}")
    raise UserError(
        f"scatter of trained models for {plan.paper}",
        found=f"no records of {' and '.join(sorted(plan.together))} together",
        expected="two systems of all these with two seeds",
        remedy="Restore the records, or make them again (make records).",
    )


def _together(plan: Plan, runs: Runs) -> list[System]:
    return [s for s in runs.systems if plan.together <= dict(s.inputs).keys()]


def study_of(plan: Plan, case: Case, size: Size, runs: Runs) -> Design:
    """Return the simulated study of a case: as alike as systems of ``plan.together``, or as all."""
    arms = [arm if isinstance(arm, Arm) else Arm(arm) for arm in case.arms]
    alike = () if case.across else _together(plan, runs)
    study = design(runs, arms, seeds=size.seeds, paper=plan.paper, scatter_of=alike)
    if case.alone:
        quality = max(0.02, _quality_of(case.alone, runs))
        study = replace(study, scatter=study.scatter._replace(quality=quality))
    return study


def _quality_of(modality: str, runs: Runs) -> float:
    """Return the mean correlation of systems that read it alone; 0 for constant predictions."""
    alone = [s for s in runs.systems if {m for m, _ in s.inputs} == {modality}]
    found = [r.metrics["test"]["corr"] or 0.0 for s in alone for r in runs.records(s)[0]]
    return float(np.mean(found)) if found else 0.0


class Planted(NamedTuple):
    """One effect to simulate: at the border of the claim, or where it is true."""

    role: Literal["border", "true"]
    words: str
    metric: str
    gain: float
    gaining: int | Sequence[float]


def planted(case: Case, study: Design) -> Iterator[Planted]:
    """Yield what is planted for a case, without multiples of a gain that no quality has."""
    for words, metric, gain in case.borders:
        yield Planted("border", words, metric, gain, 1)
    if case.limits:
        for gain in case.limits:
            yield Planted("border", f"{gain:g} points", case.metric, gain, 1)
        middle = sum(case.limits) / 2
        yield Planted("true", f"{middle:g} points", case.metric, middle, 1)
    elif case.printed is None:
        gains = {m: margin(case.margins, m) for m in case.metrics}
        gains = {m: gain for m, gain in gains.items() if _reachable(study, m, gain)}
        first = min(gains, key=lambda m: quality_with_gain(study, m, gains[m]))
        yield Planted("border", "the margin", first, gains[first], 1)
        yield Planted("true", "nothing differs", first, 0.0, 1)
    else:
        gain = case.printed.gain(study.paper)
        words = f"a gain of {case.least:g}" if case.least else "nothing differs"
        gaining = case.gaining if case.least else 1
        metric = case.metric
        if case.least and case.metrics:
            reached = [m for m in case.metrics if _reachable(study, m, case.least)]
            metric = max(reached, key=lambda m: quality_with_gain(study, m, case.least))
        yield Planted("border", words, metric, case.least, gaining)
        if case.tied:
            yield Planted("border", "a gain, but not the claimed one", case.metric, gain, case.tied)
        for times in case.times:
            if times <= 1 or _reachable(study, case.metric, times * gain):
                yield Planted("true", f"{times:g}", case.metric, times * gain, case.gaining)


def _reachable(study: Design, metric: str, gain: float) -> bool:
    try:
        quality_with_gain(study, metric, gain)
    except UserError:
        return False
    return True


# --- the record ---------------------------------------------------------------------------------


def measure(plan: Plan, scale: float = 1.0) -> Power:
    """Simulate every case of a paper at every size; ``scale`` multiplies the number of studies.

    Raises ``UserError`` where a size has no records to read its scatter from.
    """
    clock, started = time.perf_counter(), datetime.now(UTC).isoformat(timespec="seconds")
    sources = {name: source(plan, size) for name, size in plan.sizes.items()}
    steps = [(claim, size) for size in plan.sizes for claim in plan.cases]
    measured = [
        _measured(plan, claim, size, sources[size].runs, scale)
        for claim, size in bar(steps, "simulating", "test")
    ]
    return Power(
        commit=commit(),
        device=device_name("cpu"),
        versions=versions(),
        started=started,
        seconds=round(time.perf_counter() - clock, 1),
        resamples=RESAMPLES,
        sizes={name: _size_of(plan, size, sources[name]) for name, size in plan.sizes.items()},
        tests=measured,
    )


def _measured(plan: Plan, claim: str, size: str, runs: Runs, scale: float) -> Measured:
    case, judge, cells = plan.cases[claim], plan.judge(claim), []
    study = study_of(plan, case, plan.sizes[size], runs)
    for one in planted(case, study):
        count = max(1, round(scale * STUDIES[one.role]))
        about = {"metric": one.metric, "gain": one.gain, "gaining": one.gaining}
        found = simulate(judge, study, **about, replications=count)
        counts = {word: int(k) for word, k in found.counts.items()}
        cells.append(
            Cell(role=one.role, words=one.words, metric=one.metric, gain=one.gain, verdicts=counts)
        )
    return Measured(
        claim=claim,
        test=plan.claim(claim).rerun.test,
        size=size,
        arms=len(study.arms),
        quality=round(study.scatter.quality, 4),
        printed=case.printed.gain(plan.paper) if case.printed else None,
        printed_in=case.printed.words() if case.printed else "",
        cells=cells,
    )


def _size_of(plan: Plan, size: Size, origin: Source) -> SizeOf:
    """Describe a size; its scatter is that of systems of ``plan.together``."""
    usual = Case([_together(plan, origin.runs)[0]])
    study = study_of(plan, usual, size, origin.runs)
    clips = np.mean([len(labels) for labels in study.population.videos]) * study.videos["test"]
    return SizeOf(
        seeds=size.seeds,
        videos=dict(study.videos),
        clips=round(clips),
        records=origin.words,
        scatter={name: round(v, 4) for name, v in study.scatter._asdict().items()},
    )
