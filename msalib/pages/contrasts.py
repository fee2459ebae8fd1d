"""How much better one arm is than another: contrasts, sentences and tables of them.

An *arm* is a system, or one head of it with the labels it is scored on (``evidence.arms``). A gain
is positive where the first arm is better, also in MAE; shares are in points of a hundred.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from msalib.base import stats
from msalib.base.stats import Estimate
from msalib.data.metrics import METRICS
from msalib.evidence import arms
from msalib.evidence.arms import Arm, Contrast
from msalib.evidence.printed.names import plural
from msalib.pages.cells import interval, interval_text, number
from msalib.pages.compare import PrintedRow
from msalib.pages.tables import Note, Table
from msalib.runs.query import Runs
from msalib.runs.records import Record
from msalib.runs.spec import System

TESTED = (("mae", "corr", "acc2_non0"), ("mae", "corr", "acc2"), ("f1", "ua"))
"""Metrics whose gains get an interval: of CMU-MOSI, CH-SIMS and classes."""

HEADLINE = 2
"""Metrics that short answers and figures show; tables show all."""


# --- sides of a comparison ----------------------------------------------------------------------


class Side(NamedTuple):
    """One side of a comparison: an arm, in the records of its setting."""

    runs: Runs
    arm: Arm

    @property
    def seeds(self) -> list[int]:
        return self.runs.seeds(self.arm.system)


def sides(runs: Runs, named: Mapping[str, System]) -> dict[str, Side]:
    """Return the systems that have records, by name."""
    return {n: Side(runs, Arm(s, name=n)) for n, s in named.items() if runs.has(s)}


def tested_metrics(record: Record) -> tuple[str, ...]:
    """Return the metrics of a record whose gains are tested."""
    recorded = record.metrics["test"].keys()
    return next(names for names in TESTED if recorded >= set(names))


def tested(side: Side) -> tuple[str, ...]:
    """Return the metrics of a side's records whose gains are tested."""
    return tested_metrics(side.runs.example(side.arm.system))


def gains(one: Side, other: Side) -> dict[str, Contrast]:
    """Return the gains of one side over another on the same clips, by metric; positive is better.

    Raises ``ValueError`` for records of other clips.
    """
    metrics = tested(one)
    if one.runs is other.runs:
        return arms.gains(one.runs, one.arm, other.arm, metrics)
    shared = sorted(set(one.seeds) & set(other.seeds))
    drawn = [arms.sample(side.runs, [side.arm]) for side in (one, other)]
    clips = [side.runs.example(side.arm.system).predictions["test"].id for side in (one, other)]
    if clips[0] != clips[1]:
        raise ValueError(f"{one.arm} and {other.arm} judge different clips")
    chosen = [
        sample.predictions[:, [side.seeds.index(seed) for seed in shared]]
        for sample, side in zip(drawn, (one, other), strict=True)
    ]
    both = arms.Sample(
        np.concatenate([s.label for s in drawn]), np.concatenate(chosen), drawn[0].videos
    )
    task, result = arms.task_of(one.runs, one.arm.system), {}
    for metric in metrics:
        point, resampled = arms.scores(task, metric, both)
        result[metric] = Contrast(point[0] - point[1], resampled[:, 0] - resampled[:, 1])
    return result


Effects = dict[tuple[str, str], dict[str, Estimate]]
"""Names of two sides -> gain of the first over the second, by metric."""


def effects(sides: Mapping[str, Side], pairs: Iterable[tuple[str, str]]) -> Effects:
    """Return the gains of the first of each pair over the second, where both have records."""
    found = {}
    for one, other in pairs:
        if {one, other} <= sides.keys() and set(sides[one].seeds) & set(sides[other].seeds):
            contrasts = gains(sides[one], sides[other])
            found[one, other] = {m: c.estimate() for m, c in contrasts.items()}
    return found


def over(names: Iterable[str], base: str) -> list[tuple[str, str]]:
    """Return pairs of each name, but the base, with the base."""
    return [(name, base) for name in names if name != base]


# --- what pages show ----------------------------------------------------------------------------


def gain_text(metric: str, estimate: Estimate) -> str:
    """Return a gain with its interval; shares are in points of a hundred."""
    if METRICS[metric].unit != "%" or np.isnan(estimate.low):
        return interval_text(estimate)
    return interval(estimate, "+.1f")


def word(estimate: Estimate) -> str:
    """Say whether an interval leaves a gain, a loss, or cannot tell."""
    if len(estimate.seeds) < 2 or np.isnan(estimate.low):
        return "undecided"
    return "better" if estimate.low > 0 else "worse" if estimate.high < 0 else "undecided"


def answer(effects: Effects, *, setting: str) -> Note:
    """Answer by the first comparison that the records allow, for a page without a verdict."""
    if not effects:
        return Note(f"Not run: this setting ({setting}) has no records of two arms to compare.")
    (one, other), by_metric = next(iter(effects.items()))
    shown = list(by_metric.items())[:HEADLINE]
    words = (f"{word(e)} in {METRICS[m].label} ({gain_text(m, e)})" for m, e in shown)
    seeds = plural(max(len(e.seeds) for _, e in shown), "seed")
    gains = f"{one[:1].upper()}{one[1:]} over {other} ({setting}; {seeds}): {', '.join(words)}."
    if any(len(e.seeds) < 2 for _, e in shown):
        return Note(f"{gains} One seed decides nothing, because another training might reverse it.")
    return Note(gains)


def gain_table(
    effects: Effects, printed: Mapping[str, PrintedRow] | None = None, *, setting: str
) -> Table | Note:
    """Show gains with intervals, beside the printed gains where the paper prints both rows."""
    if not effects:
        return Note(f"No two arms to compare yet. Setting: {setting}.")
    rows = []
    for (one, other), by_metric in effects.items():
        row = {"better by": f"{one} over {other}"}
        row |= {gain_head(m): gain_text(m, e) for m, e in by_metric.items()}
        for m in by_metric:
            values = [(printed or {})[n].value.get(m) for n in (one, other) if n in (printed or {})]
            if len(values) == 2 and None not in values:
                row[f"{METRICS[m].label}, printed"] = _printed_gain(m, *values)
        rows.append(row)
    return Table(
        pd.DataFrame(rows).fillna("-"),
        caption="Test set, paired by seed. Above zero: the first is better, also in MAE. Intervals "
        f"of 95% cover other videos and other trainings. {_after_holm(effects)}Setting: {setting}.",
    )


def gain_head(metric: str) -> str:
    """Return a metric's name with the unit of its gains."""
    unit = {"%": "points of 100"}.get(METRICS[metric].unit, METRICS[metric].unit)
    return METRICS[metric].label + (f" ({unit})" if unit else "")


def _printed_gain(metric: str, one: float, other: float) -> str:
    gain = np.sign(arms.signed(metric)) * (one - other)
    return number(f"{gain:+.2f}" if METRICS[metric].unit == "%" else f"{gain:+.4f}", gain)


def _after_holm(effects: Effects) -> str:
    """Count the gains of each metric that differ from zero after Holm's correction."""
    several = [e for e in effects.values() if all(len(x.seeds) > 1 for x in e.values())]
    if not several:
        return "One seed each: no gain counts, because another training might reverse it. "
    counts = {m: sum(stats.differ_from_zero([e[m] for e in several])) for m in several[0]}
    listed = ", ".join(f"{n} of {len(several)} in {METRICS[m].label}" for m, n in counts.items())
    return f"Different from zero after Holm's correction: {listed}. "
