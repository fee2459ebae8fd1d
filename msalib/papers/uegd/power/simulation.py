"""Simulate studies with known truth and have the tests of claims judge them.

What is finished is recorded every few seconds, so that a run that was killed goes on.
"""

import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from msalib.base import files, stats
from msalib.base.errors import UserError
from msalib.base.progress import bar
from msalib.base.provenance import commit, device_name, versions
from msalib.data.corpus import MODALITIES
from msalib.evidence import registry
from msalib.papers.uegd import layers
from msalib.papers.uegd.power import cases as planting
from msalib.papers.uegd.power.cases import CASES, LINGUISTIC, Case, each_block, printed_level
from msalib.papers.uegd.power.record import Cell, Plan, Power, read
from msalib.papers.uegd.power.synthetic import BLOCKS, SEEDS, Noise, Population, draw

RESAMPLES = 1000
"""Of the videos, inside a simulation: fewer than a single verdict takes, for time."""

SIMULATIONS = {"mosi": (200, 50), "mosei": (100, 30)}
"""Data set -> studies where the claim is false, and at each other effect."""

SIZES = {"mosi": {"valid": 10, "test": 31}, "mosei": {"valid": 298, "test": 675}}
"""Videos of the parts of the standard splits."""

DATASETS = {"mosi": "mosi-standardised", "mosei": "mosei"}
"""Size -> the data set of that size whose records are read, and simulated."""

GAINS = 1000
"""Draws of the gain by chance, which need no resamples and so are cheap."""

SITTING = 10.0
"""Seconds after which what is finished is written."""


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

    ``simulations``: data set -> studies where the claim is false, and at each other effect. A study
    depends on nothing but its number, so a run that was killed goes on and ends with the same
    numbers. A record of other settings or code at ``path`` is begun anew. Raises ``UserError``
    while another process simulates.
    """
    claims = {claim.id: claim for claim in registry.claims("uegd")}
    plans = {
        case.claim: Plan(unit=case.unit, effects=case.effects, false_at=case.false_at)
        for case in cases
    }
    tests = {case.claim: claims[case.claim].rerun for case in cases}
    settings = _settings(noise, populations, simulations, resamples) | {
        "tests": {claim: {"name": t.test, **t.arguments} for claim, t in tests.items()}
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
            count = simulations[name][effect != case.false_at]
            planted = case.planted(effect, noise[name], populations[name])
            about = noise[name], populations[name], SIZES[name]
            study = partial(draw, planted, *about, dataset=DATASETS[name])
            judge = planting.judge_of(claims[case.claim])
            key = _Key(case.claim, name, effect, barely=effect == case.false_at)
            state = _fill(path, state, key, count, study, judge, resamples)
    return state


def _settings(noise, populations, simulations, resamples) -> dict[str, object]:
    """Return all that decides the numbers but the tests."""
    return {
        "blocks": BLOCKS,
        "seeds": SEEDS,
        "resamples": resamples,
        "videos": {name: SIZES[name] for name in populations},
        "clips": {name: len(p.labels) for name, p in populations.items()},
        "centres": {name: round(p.centre, 4) for name, p in populations.items()},
        "within": {name: round(p.within, 4) for name, p in populations.items()},
        "simulations": {name: list(counts) for name, counts in simulations.items()},
        "levels": {m: printed_level(m) for m in MODALITIES},
        "noise": {name: of.model_dump() for name, of in noise.items()},
    }


class _Key(NamedTuple):
    """The place of a cell; ``barely``: the effect at which the claim is false, though barely."""

    claim: str
    dataset: str
    effect: float
    barely: bool


def _fill(path, state, key, count, study, judge, resamples) -> Power:
    """Add studies to a cell, finished in part or not at all, until it has ``count``."""
    cells = {(c.claim, c.dataset, c.effect): c for c in state.cells}
    empty = {"verdicts": {}, "found": {}, "videos_only": {}}
    of = {"claim": key.claim, "dataset": key.dataset, "effect": key.effect}
    cell = cells.get(tuple(of.values())) or Cell(**of, **empty)
    stream = zlib.crc32(f"{key.claim} {key.dataset}".encode())
    clock = time.perf_counter()
    for number in range(cell.simulations, count):
        runs = study(rng=np.random.default_rng([stream, number]))
        with _resampled(resamples):
            verdict, effects, note = judge(runs)
            videos_only = None
            if key.barely:
                with _these_trainings():
                    videos_only = judge(runs).verdict
        if verdict == "not run":
            raise ValueError(f"{key.claim} on simulated records: {note}")
        cell = cells[tuple(of.values())] = cell.with_study(verdict, effects, videos_only)
        if number + 1 == count or time.perf_counter() - clock > SITTING:
            state = _write(path, state, clock, cells=list(cells.values()))
            clock = time.perf_counter()
    return state


def _gains_by_chance(noise, people, name, count) -> dict[str, list[float]]:
    """Return mid-best minus last block where all are equal, in seed-mean correlation, by part."""
    planted = each_block(LINGUISTIC)
    gains = {"valid": [], "test": []}
    for i in range(count):
        rng = np.random.default_rng([zlib.crc32(f"gains {name}".encode()), i])
        runs = draw(planted, noise, people, SIZES[name], rng, DATASETS[name])
        pair = [layers.system_of(runs, LINGUISTIC, feature) for feature in ("mid_best", "output")]
        for part, differences in gains.items():
            best, last = (
                np.mean([record.metrics[part]["corr"] for record in records])
                for records in runs.records(*pair)
            )
            differences.append(round(float(best - last), 5))
    return gains


@contextmanager
def _resampled(resamples: int) -> Iterator[None]:
    """Take fewer bootstrap resamples than a single verdict takes."""
    before, stats.RESAMPLES = stats.RESAMPLES, resamples
    try:
        yield
    finally:
        stats.RESAMPLES = before


@contextmanager
def _these_trainings() -> Iterator[None]:
    """Let intervals cover other videos only, as if training again gave the same models."""
    before = stats._students_t, stats._multivariate_t
    stats._students_t = lambda _, count: np.zeros(count)
    stats._multivariate_t = lambda seeds, count: (np.zeros((count, seeds)), np.ones(count))
    try:
        yield
    finally:
        stats._students_t, stats._multivariate_t = before


def _begin(path: Path, settings: dict, plans: dict[str, Plan]) -> Power:
    """Return the record at ``path`` if it has these settings and this code, else an empty one."""
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
