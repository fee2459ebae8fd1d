"""Judge numbers of which every seed gives one: Student's intervals and t-tests, margins, words.

Intervals and p-values cover other trainings and nothing else: these clips only. Where a number is
undefined in a seed there is no p-value, nor where all seeds agree to the last digit; an effect
without a p-value is not significant. Notation: S seeds.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from scipy.special import stdtr, stdtrit  # scipy.stats takes a second and a half to import

from msalib.base.stats import LEVEL, Estimate
from msalib.data.metrics import METRICS
from msalib.evidence.common import Word

Margins = Mapping[str, float]
"""Unit of the metric, "%" or "" -> margin; the other units have that of ""."""

Side = Literal["greater", "less"]

# --- from numbers to effects ---------------------------------------------------------------------


def as_numbers(values: Sequence[float | None]) -> np.ndarray:
    """Return values as an array in which nan stands for None."""
    return np.array([np.nan if v is None else v for v in values])


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


def p_value(values: np.ndarray, than: float = 0.0, side: Side = "greater") -> float:
    """Return p of a one-sided t-test of the mean of values (S,); nan where there can be none."""
    if np.isnan(values).any() or np.ptp(values) < 1e-9:
        return np.nan
    t = (values.mean() - than) / _standard_error(values)
    return float(stdtr(len(values) - 1, -t if side == "greater" else t))


def _standard_error(values: np.ndarray) -> float:
    return values.std(ddof=1) / np.sqrt(len(values))


# --- from effects to a verdict ------------------------------------------------------------------


def verdict(*, supported: bool, contradicted: bool) -> Word:
    """Return the verdict of two conditions; where both hold, the claim is contradicted."""
    return "contradicted" if contradicted else "supported" if supported else "inconclusive"


def margin(margins: Margins, metric: str) -> float:
    """Return the margin of a metric."""
    return margins["%" if METRICS[metric].unit == "%" else ""]


# --- words --------------------------------------------------------------------------------------


def label(metric: str) -> str:
    """Return the name of a metric, with its unit where scores are multiplied by a hundred."""
    return METRICS[metric].label + (", points" if METRICS[metric].unit == "%" else "")


def listed(values: Mapping[str, float]) -> str:
    """Return p-values by name as text."""
    return ", ".join(f"{name} {p_text(p)}" for name, p in values.items())


def p_text(p: float) -> str:
    """Return a p-value as text: "none" where there is none."""
    if np.isnan(p):
        return "none"
    return f"{p:.3f}" if p >= 0.0005 else "below 0.001"
