"""Simulate studies with known truth and have the tests of claims judge them.

What is finished is recorded every few seconds, so that a run that was killed goes on.
"""

import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
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
from msalib.runs.query import Runs

RESAMPLES = 1000
"""Of the videos, inside a simulation: fewer than a single verdict takes, for time."""

SIMULATIONS = {"mosi": (200, 50), "mosei": (100, 30)}
"""Data set -> studies where the claim is false, and at each other effect."""

SIZES = {"mosi": {"valid": 10, "test": 31}, "mosei": {"valid": 298, "test": 675}}
"""Videos of the parts of the standard splits."""

DATASETS = {"mosi": "mosi-standardised", "mosei": "mosei"}
"""Size -> the data set of that size whose records are read, and simulated."""

VIDEOS_ONLY = 50
"""Studies that are judged again by intervals over other videos only, where a claim is false."""

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
    numbers. What a record at ``path`` has of the same plans and settings is kept; other cells are
    begun anew. Raises ``UserError`` while another process simulates.
    """
    claims = {claim.id: claim for claim in registry.claims("uegd")}
    plans = {case.claim: planting.plan_of(case, claims[case.claim]) for case in cases}
    settings = _settings(noise, populations, simulations, resamples)
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
        steps = [(alike, name) for name in populations for alike in _alike(cases)]
        steps = [(alike, name, e) for alike, name in steps for e in alike[0].effects]
        for alike, name, effect in bar(steps, "simulating", "effect"):
            barely = effect == alike[0].false_at
            planted = alike[0].planted(effect, noise[name], populations[name])
            about = noise[name], populations[name], SIZES[name]
            draws = _Draws(
                partial(draw, planted, *about, dataset=DATASETS[name]),
                f"{alike[0].claim} {name}",
                simulations[name][not barely],
                VIDEOS_ONLY if barely else 0,
            )
            judges = {(c.claim, name, effect): planting.judge_of(claims[c.claim]) for c in alike}
            state = _fill(path, state, draws, judges, resamples)
    return state


def _alike(cases: Sequence[Case]) -> list[list[Case]]:
    """Return cases in groups for which the same studies are drawn."""
    groups: dict[tuple, list[Case]] = {}
    for case in cases:
        groups.setdefault((case.planted, case.effects, case.false_at), []).append(case)
    return list(groups.values())


_BY_DATASET = ("videos", "clips", "centres", "within", "simulations", "noise")
"""Settings that each data set has its own of."""


def _settings(noise, populations, simulations, resamples) -> dict[str, object]:
    """Return all that decides the numbers but the plans."""
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


class _Draws(NamedTuple):
    """Studies of one size with one true effect; the first are also judged over videos only."""

    study: Callable[..., Runs]
    stream: str
    count: int
    videos_only: int


def _fill(path, state, draws: _Draws, judges: Mapping[tuple, Callable], resamples: int) -> Power:
    """Add studies to cells, finished in part or not at all, until each has enough.

    ``judges``: claim, data set and effect -> the test.
    """
    cells = {(c.claim, c.dataset, c.effect): c for c in state.cells}
    for claim, dataset, effect in judges.keys() - cells.keys():
        empty = Cell(
            claim=claim, dataset=dataset, effect=effect, verdicts={}, found={}, videos_only={}
        )
        cells[claim, dataset, effect] = empty
    stream, clock = zlib.crc32(draws.stream.encode()), time.perf_counter()
    for number in range(min(cells[key].simulations for key in judges), draws.count):
        runs = draws.study(rng=np.random.default_rng([stream, number]))
        for key, judge in judges.items():
            if cells[key].simulations == number:
                again = number < draws.videos_only
                with _resampled(resamples):
                    cells[key] = _with_study(cells[key], runs, judge, again)
        if number + 1 == draws.count or time.perf_counter() - clock > SITTING:
            state = _write(path, state, clock, cells=list(cells.values()))
            clock = time.perf_counter()
    return state


def _with_study(cell: Cell, runs: Runs, judge: Callable, again: bool) -> Cell:
    """Return a cell with one more study, judged again over videos only if asked for."""
    verdict, effects, note = judge(runs)
    if verdict == "not run":
        raise ValueError(f"{cell.claim} on simulated records: {note}")
    videos_only = None
    if again:
        with _these_trainings():
            videos_only = judge(runs).verdict
    return cell.with_study(verdict, effects, videos_only)


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
    before = stats._students_t, stats.other_trainings
    stats._students_t = lambda _, count: np.zeros(count)
    stats.other_trainings = lambda points, count: np.zeros((count, *points.shape[:-1]))
    try:
        yield
    finally:
        stats._students_t, stats.other_trainings = before


def _begin(path: Path, settings: dict, plans: dict[str, Plan]) -> Power:
    """Return a record to go on with: what the one at ``path`` has of these plans and settings."""
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
    same = [n for n in settings["videos"] if _of(before.settings, n) == _of(settings, n)]
    gains = {name: drawn for name, drawn in before.gains.items() if name in same}
    kept = [
        cell
        for cell in before.cells
        if cell.dataset in same and before.plans[cell.claim] == plans.get(cell.claim)
    ]
    if not kept:
        return now.model_copy(update={"gains": gains})
    begun = {"started": before.started, "seconds": before.seconds, "commit": before.commit}
    return now.model_copy(update={"gains": gains, "cells": kept, **begun})


def _of(settings: Mapping[str, object], dataset: str) -> dict[str, object]:
    """Return the settings that decide the numbers of a data set."""
    return {
        name: value.get(dataset) if name in _BY_DATASET else value
        for name, value in settings.items()
    }


def _write(path: Path, state: Power, clock: float, **changes) -> Power:
    seconds = round(state.seconds + time.perf_counter() - clock, 1)
    state = state.model_copy(update={"seconds": seconds, **changes})
    files.write_json(path, state.model_dump())
    return state
