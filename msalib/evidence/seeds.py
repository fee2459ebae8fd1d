"""Judge gains of one system over another seed by seed: t-tests, families, margins, counts.

A *gain* is how much better one system is than another, by metric and shared seed; accuracies and F1
are in points of a hundred. Intervals are Student's over the seeds. p-values are those of one-sided
t-tests over them, which for differences is the paired test, and a family is corrected by Holm's
method. Where a metric is undefined in a seed there is no p-value, nor where all seeds agree to the
last digit; an effect without a p-value is not significant. Notation: S seeds.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from scipy.special import stdtr, stdtrit  # scipy.stats takes a second and a half to import

from msalib.base.stats import LEVEL, Estimate, holm
from msalib.data.metrics import METRICS
from msalib.evidence.common import Word
from msalib.runs.query import Runs
from msalib.runs.spec import System

Gains = dict[str, np.ndarray]
"""Metric -> gains of each seed (S,)."""

Margins = Mapping[str, float]
"""Unit of the metric, "%" or "" -> margin; the other units have that of ""."""

Side = Literal["greater", "less"]


class Judgement(NamedTuple):
    """A verdict, with phrases on what it rests on."""

    verdict: Word
    phrases: list[str]


# --- from records to effects --------------------------------------------------------------------


def as_numbers(values: Sequence[float | None]) -> np.ndarray:
    """Return values as an array in which nan stands for None."""
    return np.array([np.nan if v is None else v for v in values])


def scores(runs: Runs, systems: Sequence[System], metric: str) -> list[np.ndarray]:
    """Return a test metric of each system by shared seed (S,), nan where it is undefined."""
    scale = 100 if METRICS[metric].unit == "%" else 1
    return [
        scale * as_numbers([record.metrics["test"][metric] for record in seeds])
        for seeds in runs.records(*systems)
    ]


def gains(runs: Runs, system: System, other: System, metrics: Iterable[str]) -> Gains:
    """Return the gains of a system over another, by metric."""
    result = {}
    for metric in metrics:
        ours, theirs = scores(runs, [system, other], metric)
        sign = 1 if METRICS[metric].higher_is_better else -1
        result[metric] = np.round(sign * (ours - theirs), 12)
    return result


def over_seeds(values: np.ndarray, kind: str = "difference") -> Estimate:
    """Return the mean of values (S,) with Student's 95% interval and its two-sided p-value."""
    mean, half = values.mean(), stdtrit(len(values) - 1, 1 - LEVEL / 2) * _standard_error(values)
    p = 2 * np.fmin(p_value(values), p_value(values, 0, "less"))
    seeds = tuple(float(v) for v in values)
    return Estimate(float(mean), float(mean - half), float(mean + half), float(p), seeds, kind)


def level_over_seeds(values: np.ndarray, lowest: float, highest: float) -> Estimate:
    """Return the mean of a bounded quantity (S,); its interval ends at the bounds."""
    level = over_seeds(values, "level")
    return level._replace(low=max(level.low, lowest), high=min(level.high, highest))


def differences(gains: Gains, prefix: str = "") -> dict[str, Estimate]:
    """Return differences as tables show them, where a gain in an error such as MAE is negative."""
    return {
        f"{prefix}{label(m)}": over_seeds(values if METRICS[m].higher_is_better else -values)
        for m, values in gains.items()
    }


def p_value(values: np.ndarray, than: float = 0.0, side: Side = "greater") -> float:
    """Return p of a one-sided t-test of the mean of values (S,); nan where there can be none."""
    if np.isnan(values).any() or np.ptp(values) < 1e-9:
        return np.nan
    t = (values.mean() - than) / _standard_error(values)
    return float(stdtr(len(values) - 1, -t if side == "greater" else t))


def _standard_error(values: np.ndarray) -> float:
    return values.std(ddof=1) / np.sqrt(len(values))


def p_values(gains: Gains, than: Mapping[str, float] | None = None) -> dict[str, float]:
    """Return p of each metric for a gain above zero, or above the value of ``than``."""
    return {m: p_value(values, (than or {}).get(m, 0.0)) for m, values in gains.items()}


# --- from effects to a verdict ------------------------------------------------------------------


def verdict(*, supported: bool, contradicted: bool) -> Word:
    """Return the verdict of two conditions; where both hold, the claim is contradicted."""
    return "contradicted" if contradicted else "supported" if supported else "inconclusive"


def margin(margins: Margins, metric: str) -> float:
    """Return the margin of a metric."""
    return margins["%" if METRICS[metric].unit == "%" else ""]


def p_of_losses(gains: Gains, margins: Margins) -> dict[str, float]:
    """Return p of each metric for a loss that is larger than its margin."""
    return {m: p_value(values, -margin(margins, m), "less") for m, values in gains.items()}


def means_within(gains: Gains, margins: Margins) -> bool:
    """Check whether no mean gain is larger than its margin."""
    return all(values.mean() <= margin(margins, m) for m, values in gains.items())


def better_in_all(comparisons: Sequence[Gains], *, least: int, also: Iterable[float] = ()) -> Word:
    """Judge whether a system is better than each other: all means, ``least`` metrics with p.

    One metric that is worse contradicts, after Holm over all comparisons and the p of ``also``.
    """
    worse = [p_value(v, 0, "less") for gains in comparisons for v in gains.values()]
    better = all(v.mean() > 0 for gains in comparisons for v in gains.values())
    clear = all(count_significant(gains) >= least for gains in comparisons)
    return verdict(supported=better and clear, contradicted=any(holm([*worse, *also])))


def no_worse(gains: Gains, margins: Margins) -> Judgement:
    """Judge whether no metric loses more than its margin, by a test for each.

    A loss that is larger than its margin after Holm contradicts.
    """
    within = p_values(gains, {m: -margin(margins, m) for m in gains})
    return Judgement(
        verdict(
            supported=all(p < LEVEL for p in within.values()),
            contradicted=any(holm(p_of_losses(gains, margins).values())),
        ),
        [f"p that a loss is within {_in_words(margins)}: {listed(within)}"],
    )


def mostly_better(gains: Gains, margins: Margins, *, least: int) -> Judgement:
    """Judge whether ``least`` metrics gain with p, and no mean loss is larger than its margin.

    A loss that is larger than its margin after Holm contradicts.
    """
    beyond = p_of_losses(gains, margins)
    losses = {m: -values for m, values in gains.items()}
    return Judgement(
        verdict(
            supported=count_significant(gains) >= least and means_within(losses, margins),
            contradicted=any(holm(beyond.values())),
        ),
        [tally(gains), f"p that the other gains more than {_in_words(margins)}: {listed(beyond)}"],
    )


def count_significant(gains: Gains) -> int:
    """Return the number of metrics that gain with p below 5%, uncorrected."""
    return sum(p < LEVEL for p in p_values(gains).values())


# --- words --------------------------------------------------------------------------------------


def label(metric: str) -> str:
    """Return the name of a metric, with its unit where scores are multiplied by a hundred."""
    return METRICS[metric].label + (", points" if METRICS[metric].unit == "%" else "")


def tally(gains: Gains) -> str:
    """Return in how many metrics a system is better, and in how many with p."""
    better = sum(values.mean() > 0 for values in gains.values())
    clear = count_significant(gains)
    p = listed(p_values(gains))
    return f"better in {better} of {len(gains)}, with p below 0.05 in {clear} (p: {p})"


def listed(values: Mapping[str, float]) -> str:
    """Return p-values by metric, or by another name, as text."""
    return ", ".join(
        f"{METRICS[name].label if name in METRICS else name} {p_text(p)}"
        for name, p in values.items()
    )


def p_text(p: float) -> str:
    """Return a p-value as text: "none" where there is none."""
    if np.isnan(p):
        return "none"
    return f"{p:.3f}" if p >= 0.0005 else "below 0.001"


def _in_words(margins: Margins) -> str:
    return f"{margins['%']:g} points or {margins['']:.3f}"
