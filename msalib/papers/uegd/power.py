"""How often do the tests of claims err? Predictions with known truth, judged by the tests.

A test is worth as much as its error rates: how often it says "supported" where nothing is to be
found, and how large an effect must be before it is found. Trainings would take years for that, so
predictions are drawn instead, at the sizes of CMU-MOSI and CMU-MOSEI, and made to err as trained
models do (``synthetic``). The tests are those of the registry, on records as runs leave them.

    python -m msalib.papers.uegd.power      # a quarter of an hour; goes on where it was stopped
"""

import math
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from msalib.base import files, stats
from msalib.base.errors import UserError
from msalib.base.files import Recorded
from msalib.base.paths import records_folder
from msalib.base.progress import bar
from msalib.base.provenance import commit, device_name, versions
from msalib.data.corpus import MODALITIES
from msalib.evidence import registry, verdicts
from msalib.evidence.printed import table as printed
from msalib.pages.tables import Table
from msalib.papers.uegd import layers
from msalib.papers.uegd.layers import SHARES
from msalib.papers.uegd.synthetic import (
    BLOCKS,
    SEEDS,
    Noise,
    Planted,
    Population,
    calibrate,
    draw,
    errors,
    expected_mae,
    population,
    rounded,
)
from msalib.runs import records
from msalib.runs.query import Runs
from msalib.runs.records import Setting

RESAMPLES = 1000
"""Of the videos, inside a simulation: fewer than a single verdict takes, for time."""

SIMULATIONS = {"mosi": (400, 80), "mosei": (200, 50)}
"""Where there is nothing to find, and at each effect."""

SIZES = {"mosi": {"valid": 10, "test": 31}, "mosei": {"valid": 298, "test": 675}}
"""Videos of the parts of the standard splits."""

GAINS = 1000
"""Draws of the gain by chance, which need no resamples and so are cheap."""

SITTING = 10.0
"""Seconds after which what is finished is written."""

NOISE_NAMES = {
    "run_share": "share of the error variance that a single run has for itself",
    "video_share": "share of the rest that clips of a video have in common",
    "kept": "correlation of errors that would be left at any distance of layers",
    "reach": "depth (1: the whole encoder) over which the other part falls to 1/e",
    "run_reach": "the same for what runs of one seed share",
    "quality_sd": "standard deviation of a model's correlation over seeds",
    "offset_sd": "standard deviation of a model's mean prediction over seeds",
    "train_sd": "standard deviation of the training MAE of a sum of the blocks over seeds",
    "gate_sd": "standard deviation of a model's mean gate weight over seeds",
    "gate_clip_sd": "standard deviation of gate weights over clips",
}


# --- what is planted, claim by claim ------------------------------------------------------------

LINGUISTIC, ACOUSTIC, VISUAL = ("linguistic",), ("acoustic",), ("visual",)
VIDEOS_ONLY = ("UEGD-C10", "UEGD-C11", "UEGD-C12", "UEGD-C13")
"""Claims on places and ranges of blocks, whose intervals cover no other training."""

GAIN = 0.05
"""Correlation that encoders are ahead of their inputs by, where the claim is not about that."""


class Case(NamedTuple):
    """A claim's test on simulated studies.

    ``effects`` are true sizes of what the claim is about, in ``unit``. At ``false_at`` the claim is
    false, though barely: there "supported" is an error. Most claims grow truer with the effect;
    claims of equality are truest at 0.
    """

    claim: str
    unit: str
    effects: tuple[float, ...]
    planted: Callable[[float, Noise, Population], list[Planted]]
    false_at: float = 0.0


def _level(modality: str) -> float:
    """Correlation of a good block: the printed mid-best of Table 3 on CMU-MOSEI."""
    variant = f"{modality}_enc_mid_best"
    return float(printed.cell("uegd", "table3", "mosei", "UEGD", variant, "corr")["value"])


def _alone(
    group: tuple[str],
    below: Sequence[float] = (0.0,) * BLOCKS,
    level: float | None = None,
    **differently,
) -> list[Planted]:
    """Every block of a modality, each so much below a level, the modality's if none is given."""
    level = _level(group[0]) if level is None else level
    return [Planted(group, k, level - b, **differently) for k, b in enumerate(below, start=1)]


def _peak(height: float, at: int) -> list[float]:
    """Below the peak at one block: straight to ``height`` over a third of the encoder."""
    return [height * min(1.0, abs(k - at) * 3 / BLOCKS) for k in range(1, BLOCKS + 1)]


def _features(group: tuple[str, ...], below: Mapping[str, float], **differently) -> list[Planted]:
    level = _level(group[-1])
    return [Planted(group, feature, level - b, **differently) for feature, b in below.items()]


def _encoder_better_together(effect, noise, population):
    group = ACOUSTIC + LINGUISTIC
    below = {"input": effect, "output": 0.0, "mid_best": 0.0, "weighted": 0.0}
    return _alone(LINGUISTIC) + _alone(ACOUSTIC, [0.0]) + _features(group, below)


def _encoder_better_alone(effect, noise, population):
    level = _level("linguistic")
    others = (Planted(LINGUISTIC, 0, level - effect), Planted(LINGUISTIC, "weighted", level))
    return [*_alone(LINGUISTIC), *others]


def _audio_gains_most(effect, noise, population):
    # At one level in all, for equal gains in Corr at different ones are not equal in MAE.
    level = _level("acoustic")
    gain = {"visual": GAIN, "acoustic": GAIN + effect, "linguistic": GAIN}
    blocks = [p for m in MODALITIES for p in _alone((m,), level=level)]
    return blocks + [Planted((m,), 0, level - gain[m]) for m in MODALITIES]


def _last_block_worse(effect, noise, population):
    falls = [effect * max(0.0, (k - 20) / (BLOCKS - 20)) for k in range(1, BLOCKS + 1)]
    return _alone(LINGUISTIC, falls)


def _sum_worse(effect, noise, population):
    return _alone(LINGUISTIC) + _features(LINGUISTIC, {"weighted": effect})


def _gate_higher(effect, noise, population):
    group = ACOUSTIC + LINGUISTIC
    level = _level("linguistic")
    return [
        *_alone(ACOUSTIC),
        *_alone(LINGUISTIC, [0.0]),
        Planted(group, "mid_best", level, gate=0.5 + effect),
        Planted(group, "input", level - GAIN),
    ]


def _faces_constant(effect, noise, population):
    # Errors that lie between videos as much as labels do leave the ratio the same at every level.
    between = 1 - population.within
    shares = {"visual": between + effect, "acoustic": between, "linguistic": between}
    return [p for m, share in shares.items() for p in _alone((m,), video_share=share)]


def _text_flatter(effect, noise, population):
    steep = _peak(effect, at=20)
    return _alone(LINGUISTIC) + _alone(ACOUSTIC, steep) + _alone(VISUAL, steep)


def _audio_peak(effect, noise, population):
    return _alone(ACOUSTIC, _peak(effect, at=20))


def _vision_flat(effect, noise, population):
    rises = [effect * min(1.0, (BLOCKS - k) / (BLOCKS - 9)) for k in range(1, BLOCKS + 1)]
    return _alone(VISUAL, rises)


def _best_late(effect, noise, population):
    return _alone(LINGUISTIC, _peak(effect, at=18))


def _fusions_differ(effect, noise, population):
    level, group = _level("linguistic"), ACOUSTIC + LINGUISTIC
    step = 0.01
    slope = expected_mae(level - step, noise, population) - expected_mae(level, noise, population)
    return [
        *_alone(LINGUISTIC),
        *_alone(ACOUSTIC, [0.0]),
        Planted(group, "mid_best", level),
        Planted(group, "mid_best", level - effect * step / slope, fusion="concat"),
    ]


def _gain_by_size(effect, noise, population):
    level = _level("linguistic")
    found = [*_alone(LINGUISTIC), Planted(LINGUISTIC, 0, level - GAIN)]
    for share in SHARES[:-1]:
        halvings = -math.log2(share)
        reached = level - 0.01 * halvings  # fewer clips, worse models
        found += [
            Planted(LINGUISTIC, "mid_best", reached, train_share=share),
            Planted(LINGUISTIC, "input", reached - GAIN + effect * halvings, train_share=share),
        ]
    return found


def _learned_worse(effect, noise, population):
    return _alone(LINGUISTIC) + _features(LINGUISTIC, {"weighted": effect, "uniform": 0.0})


CASES = (
    Case("UEGD-C1", "Corr", (0, 0.01, 0.02, 0.05, 0.1), _encoder_better_together),
    Case("UEGD-C4", "Corr", (0, 0.01, 0.02, 0.05, 0.1), _encoder_better_alone),
    Case("UEGD-C5", "Corr", (0, 0.05, 0.1, 0.2, 0.3), _audio_gains_most),
    Case("UEGD-C6", "Corr", (0, 0.01, 0.02, 0.05, 0.1), _last_block_worse),
    Case("UEGD-C7", "Corr", (0, 0.01, 0.02, 0.05, 0.1), _sum_worse),
    Case("UEGD-C8", "gate weight", (0, 0.02, 0.05, 0.1, 0.2), _gate_higher),
    Case("UEGD-C9", "share of errors", (0, 0.05, 0.1, 0.2, 0.4), _faces_constant),
    Case("UEGD-C10", "Corr", (0, 0.05, 0.1, 0.2, 0.3), _text_flatter),
    Case("UEGD-C11", "Corr", (0, 0.05, 0.1, 0.2, 0.4), _audio_peak),
    Case("UEGD-C12", "Corr", (0, 0.01, 0.02, 0.05, 0.1), _vision_flat, false_at=0.02),
    Case("UEGD-C13", "Corr", (0, 0.02, 0.05, 0.1, 0.2), _best_late),
    Case("UEGD-C15", "MAE", (0, 0.0025, 0.005, 0.01, 0.02), _fusions_differ, false_at=0.01),
    Case("UEGD-C16", "Corr per doubling", (0, 0.005, 0.01, 0.02, 0.04), _gain_by_size),
    Case("UEGD-C17", "Corr", (0, 0.01, 0.02, 0.03, 0.05), _learned_worse),
)
"""Not here: C2 and C3, which hold against printed numbers, and C14, which is exact."""


# --- the simulation -----------------------------------------------------------------------------


class Rate(NamedTuple):
    """A share of simulations and its Monte Carlo interval."""

    share: float
    low: float
    high: float


class Plan(BaseModel):
    """What is varied for a claim; see ``Case``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    unit: str
    effects: tuple[float, ...]
    false_at: float

    @property
    def truer(self) -> list[float]:
        """Effects at which the claim is true, from the barely to the clearly true."""
        side = [e for e in self.effects if (e < self.false_at) == (self.false_at > 0)]
        return sorted((e for e in side if e != self.false_at), reverse=self.false_at > 0)


class Cell(BaseModel):
    """Verdicts on simulated studies of one size with one true effect."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    claim: str
    dataset: str
    effect: float
    verdicts: dict[str, int]
    found: dict[str, float]  # effect of the test -> its mean over the studies
    videos_only: dict[str, int]  # verdicts if other trainings were left out; only at false_at

    @property
    def simulations(self) -> int:
        return sum(self.verdicts.values())

    def with_study(
        self, verdict: str, effects: Mapping[str, stats.Estimate], videos_only: str | None
    ) -> "Cell":
        """This and one more study."""
        done, found = self.simulations, {}
        for name, e in effects.items():
            mean = self.found.get(name, 0.0)
            found[name] = mean + (float(np.nan_to_num(e.effect)) - mean) / (done + 1)
        update = {"verdicts": _counted(self.verdicts, verdict), "found": found}
        if videos_only:
            update["videos_only"] = _counted(self.videos_only, videos_only)
        return self.model_copy(update=update)

    def rate(self, verdict: str, *, videos_only: bool = False) -> Rate:
        """How often the test said so, with the 95% Wilson interval of so many simulations."""
        count = (self.videos_only if videos_only else self.verdicts).get(verdict, 0)
        low, high = stats.wilson(count, self.simulations)
        share = count / self.simulations
        return Rate(share, float(min(low, share)), float(max(high, share)))  # but for rounding


def _counted(verdicts: dict[str, int], verdict: str) -> dict[str, int]:
    return verdicts | {verdict: verdicts.get(verdict, 0) + 1}


class Power(BaseModel):
    """What ``measure`` writes: settings, cells and the gain by chance."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    settings: dict[str, object]  # all that decides the numbers
    commit: str
    device: str
    versions: dict[str, str]
    started: str  # UTC
    seconds: float  # of computing, over all sittings
    plans: dict[str, Plan]  # claim ->
    gains: dict[str, dict[str, list[float]]]  # data set -> part -> mid-best minus last block, Corr
    cells: list[Cell]

    @property
    def datasets(self) -> list[str]:
        return list(self.settings["videos"])

    @property
    def setting(self) -> str:
        """In words, as captions name it."""
        return (
            f"control: predictions simulated at the sizes of {', '.join(self.datasets)}; "
            f"{self.settings['seeds']} seeds, {self.settings['blocks']} blocks, "
            f"{self.settings['resamples']} resamples of the videos"
        )

    def cell(self, claim: str, dataset: str, effect: float) -> Cell:
        """That cell; one that is missing is a ``UserError``."""
        for cell in self.cells:
            if (cell.claim, cell.dataset, cell.effect) == (claim, dataset, effect):
                return cell
        raise UserError(
            f"simulations of {claim}",
            found=f"none at {dataset}'s size with effect {effect:g}",
            expected="a finished simulation",
            remedy="Run python -m msalib.papers.uegd.power; it goes on where it was stopped.",
        )

    def false(self, claim: str, dataset: str) -> Cell:
        """Where the claim is false, though barely."""
        return self.cell(claim, dataset, self.plans[claim].false_at)

    def found_from(self, claim: str, dataset: str, power: float = 0.8) -> float | None:
        """The effect from which so many studies are "supported", between the simulated ones.

        None where no effect reached that.
        """
        plan = self.plans[claim]
        effects = [plan.false_at, *plan.truer]
        rates = [self.cell(claim, dataset, e).rate("supported").share for e in effects]
        above = [i for i, rate in enumerate(rates) if rate >= power and i]
        if not above:
            return None
        i = above[0]
        if rates[i - 1] >= power:
            return effects[i]
        return float(np.interp(power, rates[i - 1 : i + 1], effects[i - 1 : i + 1]))


def measure(
    noise: Mapping[str, Noise],
    populations: Mapping[str, Population],
    path: Path,
    *,
    cases: Sequence[Case] = CASES,
    simulations: Mapping[str, tuple[int, int]] = SIMULATIONS,
    gains: int = GAINS,
    resamples: int = RESAMPLES,
) -> Power:
    """Simulate every case at every size and effect, or what is missing of it at ``path``.

    ``simulations``: data set -> studies where the claim is false, and at each other effect. What is
    finished is written every few seconds, and a study depends on nothing but its number, so a run
    that was killed goes on and ends with the same numbers. What lies at ``path`` from other
    settings or code is begun anew.
    """
    claims = {claim.id: claim for claim in registry.claims("uegd")}
    plans = {
        case.claim: Plan(unit=case.unit, effects=case.effects, false_at=case.false_at)
        for case in cases
    }
    settings = {
        "blocks": BLOCKS,
        "seeds": SEEDS,
        "resamples": resamples,
        "videos": {name: SIZES[name] for name in populations},
        "clips": {name: len(p.labels) for name, p in populations.items()},
        "centres": {name: round(p.centre, 4) for name, p in populations.items()},
        "within": {name: round(p.within, 4) for name, p in populations.items()},
        "simulations": {name: list(counts) for name, counts in simulations.items()},
        "levels": {m: _level(m) for m in MODALITIES},
        "noise": {name: of.model_dump() for name, of in noise.items()},
        "tests": {
            case.claim: {
                "name": claims[case.claim].rerun.test,
                **claims[case.claim].rerun.arguments,
            }
            for case in cases
        },
    }
    with files.reserved(path, wait=False) as free:
        if not free:
            raise UserError(
                path,
                found="another process at work on it",
                expected="one simulation at a time",
                remedy="Wait for the other, or stop it; what it finished is kept.",
            )
        state = _begin(path, settings, plans)
        for name, people in populations.items():
            if len(state.gains.get(name, {}).get("test", ())) < gains:
                clock = time.perf_counter()
                drawn = _gains_by_chance(noise[name], people, name, gains)
                state = _write(path, state, clock, gains={**state.gains, name: drawn})
        steps = [(case, name, e) for case in cases for name in populations for e in case.effects]
        for case, name, effect in bar(steps, "simulating", "effect"):
            wanted = simulations[name][effect != case.false_at]
            claim = claims[case.claim]
            judge = verdicts.test_of(claim)
            study = partial(
                draw,
                case.planted(effect, noise[name], populations[name]),
                noise[name],
                populations[name],
                SIZES[name],
                dataset=name,
            )
            cell = Cell(
                claim=claim.id, dataset=name, effect=effect, verdicts={}, found={}, videos_only={}
            )
            barely = effect == case.false_at
            state = _fill(path, state, cell, wanted, study, judge, resamples, barely)
    return state


def _fill(path, state, cell, wanted, study, judge, resamples, barely) -> Power:
    """Add studies to a cell, or to what there is of it, until it has as many as wanted."""
    known = {(c.claim, c.dataset, c.effect): c for c in state.cells}
    key = (cell.claim, cell.dataset, cell.effect)
    cell = known.get(key, cell)
    stream = zlib.crc32(f"{cell.claim} {cell.dataset}".encode())
    clock = time.perf_counter()
    for number in range(cell.simulations, wanted):
        runs = study(rng=np.random.default_rng([stream, number]))
        with _resampled(resamples):
            verdict, effects, note = judge(runs)
            if barely:
                with _these_trainings():
                    videos_only = judge(runs).verdict
        if verdict == "not run":
            raise ValueError(f"{cell.claim} on simulated records: {note}")
        cell = known[key] = cell.with_study(verdict, effects, videos_only if barely else None)
        if number + 1 == wanted or time.perf_counter() - clock > SITTING:
            state = _write(path, state, clock, cells=list(known.values()))
            clock = time.perf_counter()
    return state


def _gains_by_chance(noise, people, name, count) -> dict[str, list[float]]:
    """Mid-best minus last block where all blocks are equal, seed-mean Corr, by part."""
    planted = _alone(LINGUISTIC)
    found = {"valid": [], "test": []}
    for i in range(count):
        rng = np.random.default_rng([zlib.crc32(f"gains {name}".encode()), i])
        runs = draw(planted, noise, people, SIZES[name], rng, name)
        pair = [layers.system_of(runs, LINGUISTIC, feature) for feature in ("mid_best", "output")]
        for part, differences in found.items():
            best, last = (
                np.mean([record.metrics[part]["corr"] for record in own])
                for own in runs.records(*pair)
            )
            differences.append(round(float(best - last), 5))
    return found


@contextmanager
def _resampled(resamples: int) -> Iterator[None]:
    """Fewer bootstrap resamples than a single verdict takes."""
    before, stats.RESAMPLES = stats.RESAMPLES, resamples
    try:
        yield
    finally:
        stats.RESAMPLES = before


@contextmanager
def _these_trainings() -> Iterator[None]:
    """Intervals that cover other videos only, as if training once more gave the same models."""
    before, stats._students_t = stats._students_t, lambda _, count: np.zeros(count)
    try:
        yield
    finally:
        stats._students_t = before


def _begin(path: Path, settings: dict, plans: dict[str, Plan]) -> Power:
    """What is at ``path`` if it has these settings and this code, else an empty start."""
    now = Power(
        settings=settings,
        commit=commit(),
        device=device_name("cpu"),
        versions=versions(),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=0.0,
        plans=plans,
        gains={},
        cells=[],
    )
    if not path.is_file():
        return now
    before = read(path)
    same = ("settings", "plans", "commit")
    return before if all(getattr(before, n) == getattr(now, n) for n in same) else now


def _write(path: Path, state: Power, clock: float, **changes) -> Power:
    seconds = round(state.seconds + time.perf_counter() - clock, 1)
    state = state.model_copy(update={"seconds": seconds, **changes})
    files.write_json(path, state.model_dump())
    return state


def record_path() -> Path:
    """Where the simulation of UEGD's tests is recorded."""
    return records_folder() / "power" / "uegd.json"


def read(path: Path) -> Power:
    """The simulation at ``path``; one that is missing or damaged is a ``UserError``."""
    return Recorded(
        Power, path, "record of simulations", "run python -m msalib.papers.uegd.power"
    ).read()


# --- for the page -------------------------------------------------------------------------------


def rates(found: Power) -> Table:
    """Verdicts of each test where the claim is false, and the effect that it finds."""
    rows = []
    for claim, plan in found.plans.items():
        for dataset in found.datasets:
            cell = found.false(claim, dataset)
            enough = found.found_from(claim, dataset)
            best = found.cell(claim, dataset, plan.truer[-1]).rate("supported")
            rows.append(
                {
                    "claim": claim,
                    "size of": dataset.upper(),
                    "false at": f"{plan.false_at:g} {plan.unit}",
                    "supported": _percent(cell.rate("supported")),
                    "contradicted": _percent(cell.rate("contradicted")),
                    "inconclusive": _percent(cell.rate("inconclusive")),
                    "80% power at": f"never: {best.share:.0%} at {plan.truer[-1]:g}"
                    if enough is None
                    else f"{enough:.2g} {plan.unit}",
                }
            )
    return Table(
        pd.DataFrame(rows),
        caption="Verdicts where the claim is false, though barely, in % of simulated studies with "
        f"95% Monte Carlo intervals; and the true effect that is found in 80%. "
        f"Setting: {found.setting}.",
    )


def amended(found: Power) -> Table:
    """Wrong verdicts of intervals that cover other videos only, beside those that tests use."""
    rows = []
    for claim in found.plans:
        if claim in VIDEOS_ONLY:
            continue
        for dataset in found.datasets:
            cell = found.false(claim, dataset)
            row = {"claim": claim, "size of": dataset.upper()}
            for verdict in ("supported", "contradicted"):
                row[f"{verdict}, videos only"] = _percent(cell.rate(verdict, videos_only=True))
                row[f"{verdict}, videos and trainings"] = _percent(cell.rate(verdict))
            rows.append(row)
    return Table(
        pd.DataFrame(rows),
        caption="Verdicts where the claim is false, though barely, in % of simulated studies with "
        "95% Monte Carlo intervals: if intervals covered other videos only, and as they are, for "
        f"other videos and other trainings. Setting: {found.setting}.",
    )


def chances(found: Power) -> Table:
    """The gain by chance in numbers: mid-best minus last block where all blocks are equal."""
    rows = []
    for dataset, parts in found.gains.items():
        for part, gains in parts.items():
            low, middle, high = np.quantile(gains, [0.05, 0.5, 0.95])
            rows.append(
                {
                    "size of": dataset.upper(),
                    "read on": {"valid": "validation", "test": "test"}[part],
                    "mean": f"{np.mean(gains):+.4f}",
                    "median": f"{middle:+.4f}",
                    "5% to 95%": f"{low:+.4f} to {high:+.4f}",
                    "above zero": f"{np.mean(np.array(gains) > 0):.0%}",
                }
            )
    return Table(
        pd.DataFrame(rows),
        caption="Correlation of the block that validation chooses minus that of the last block, "
        f"where all {found.settings['blocks']} blocks are equal. Setting: {found.setting}.",
    )


def numbers(found: Power) -> dict[str, str]:
    """Texts for prose, by name: ``C6_mosi_supported``, ``gain_mosi_valid`` and the like.

    ``C6_mosi_power`` is the effect found in 80%, ``C6_mosi_truest`` how often the truest one is.
    """
    texts = {}
    for claim in found.plans:
        for dataset in found.datasets:
            prefix = f"{claim.rpartition('-')[2]}_{dataset}"
            for verdict in ("supported", "contradicted"):
                share = found.false(claim, dataset).rate(verdict).share
                texts[f"{prefix}_{verdict}"] = f"{share:.1%}"
                share = found.false(claim, dataset).rate(verdict, videos_only=True).share
                texts[f"{prefix}_{verdict}_videos_only"] = f"{share:.1%}"
            enough = found.found_from(claim, dataset)
            texts[f"{prefix}_power"] = "none of these" if enough is None else f"{enough:.2g}"
            truest = found.plans[claim].truer[-1]
            share = found.cell(claim, dataset, truest).rate("supported").share
            texts[f"{prefix}_truest"] = f"{share:.0%}"
    for dataset, parts in found.gains.items():
        for part, gains in parts.items():
            texts[f"gain_{dataset}_{part}"] = f"{np.mean(gains):+.3f}"
            texts[f"gain_{dataset}_{part}_high"] = f"{np.quantile(gains, 0.95):+.3f}"
    return texts | {"simulated_resamples": f"{found.settings['resamples']}"}


def provenance(found: Power) -> Table:
    """Where the simulation comes from."""
    row = {
        "commit": found.commit,
        "device": found.device,
        "versions": ", ".join(f"{k} {v}" for k, v in found.versions.items()),
        "simulated studies": f"{sum(cell.simulations for cell in found.cells)}",
        "begun (UTC)": found.started[:16].replace("T", " "),
        "minutes": f"{found.seconds / 60:.0f}",
    }
    return Table(pd.DataFrame([row]), caption="Where these numbers come from.")


def scatter(found: Power) -> Table:
    """How the simulated models scatter, as calibrated on real runs."""
    of = found.settings["noise"]
    rows = [
        {"": what} | {f"size of {name.upper()}": f"{of[name][field]:.3g}" for name in of}
        for field, what in NOISE_NAMES.items()
    ]
    return Table(
        pd.DataFrame(rows),
        caption="Scatter of the simulated predictions. Calibrated on real runs: transcripts with "
        "MiniLM layers, release recipe, validation and test clips. Equal columns: the runs of the "
        "one stand for both.",
    )


def _percent(rate: Rate) -> str:
    return f"{100 * rate.share:.1f} [{100 * rate.low:.1f}, {100 * rate.high:.1f}]"


def main() -> None:
    """Calibrate on the records of CMU-MOSI, then simulate at the sizes of both data sets."""
    found = {
        name: Runs(records.find("uegd", Setting(name, "minilm", "release", "paper")))
        for name in SIZES
    }
    for name, runs in found.items():
        if not runs.systems:
            raise UserError(
                f"records of {name}",
                found="none",
                expected="those of the transcripts with MiniLM, for labels and errors",
                remedy="Restore them, or make them again: make records-uegd.",
            )
    noise = {"mosi": calibrate(found["mosi"], "linguistic", ACOUSTIC + LINGUISTIC, 0.5)}
    try:
        own = rounded(errors(found["mosei"], "linguistic"))
    except UserError:  # its runs take long; without them it scatters like the other
        own = {}
    noise["mosei"] = noise["mosi"].model_copy(update=own)
    measure(noise, {name: population(runs) for name, runs in found.items()}, record_path())


if __name__ == "__main__":
    main()
