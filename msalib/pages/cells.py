"""Which numbers stand behind the text of a cell, so that exports write numbers.

A ``Value`` is the text that pages and prose show. It keeps its numbers by field: ``""`` is the
number itself (a mean, an effect, a printed number), ``sd``, ``low``, ``high`` and ``seed 0`` tell
more of it. Numbers have the unit that the text shows: a share is in percent.
"""

from collections.abc import Callable, Iterable, Mapping

import numpy as np
import pandas as pd

from msalib.base.stats import Estimate
from msalib.data.metrics import METRICS
from msalib.runs.records import Record

Seeds = Mapping[int, float | None]
"""A value of each seed; None where it is undefined."""


class Value(str):
    """A text with the numbers that it shows, by field."""

    numbers: Mapping[str, float]

    def __new__(cls, text: str, numbers: Mapping[str, float] | None = None):
        value = super().__new__(cls, text)
        value.numbers = dict(numbers or {})
        return value


def number(text: str, value: float | None) -> Value:
    """Return a number as it is shown, such as one that a paper prints or a rounded one."""
    return Value(text, {} if value is None or np.isnan(value) else {"": float(value)})


def printed_numbers(cells: pd.DataFrame) -> dict[str, Value]:
    """Return the numbers of a table of printed ones as they are printed, by metric."""
    return dict(zip(cells["metric"], map(number, cells["printed"], cells["value"]), strict=True))


def score(value: float | None, metric: str) -> Value:
    """Return a single value of a metric, as the papers print it; a dash where it is undefined."""
    shown = METRICS[metric]
    if value is None:
        return Value("-")
    return number(shown.show(value), value * (100 if shown.unit == "%" else 1))


def by_seed(records: Iterable[Record], measure: Callable[[Record], float | None]) -> Seeds:
    """Return what ``measure`` makes of each record, by its seed."""
    return {record.spec.seed: measure(record) for record in records}


def scores(records: Iterable[Record], metric: str, part: str = "test") -> Value:
    """Return mean and standard deviation of a metric over the seeds of a system."""
    return spread(by_seed(records, lambda record: record.metrics[part][metric]), metric)


def spread(values: Iterable[float | None] | Seeds, metric: str) -> Value:
    """Return mean and standard deviation over seeds (n - 1), as the papers print the metric."""
    shown = METRICS[metric]
    return mean_sd(values, shown.show, scale=100 if shown.unit == "%" else 1)


def mean_sd(
    values: Iterable[float | None] | Seeds, show: Callable[[float], str], scale: float = 1
) -> Value:
    """Return mean and standard deviation (n - 1) of defined values, and how many are undefined.

    Values that come by seed are kept, each under its seed. ``scale``: the unit that ``show`` writes
    over the unit of the values.
    """
    seeds = values if isinstance(values, Mapping) else {}
    values = list(seeds.values() if seeds else values)
    defined = np.array([v for v in values if v is not None], float)
    if not len(defined):
        return Value("undefined")
    text, numbers = show(defined.mean()), {"": scale * defined.mean()}
    if len(defined) > 1:
        deviation = defined.std(ddof=1)
        text += f"\u00a0±\u00a0{show(deviation).removeprefix('+')}"
        numbers["sd"] = scale * deviation
    if len(defined) < len(values):
        text += f" ({len(values) - len(defined)} undefined)"
    each = {f"seed {seed}": scale * v for seed, v in seeds.items() if v is not None}
    return Value(text, numbers | each)


def shortest(number: float) -> str:
    """Return a number with six significant digits; a whole number with all of its own."""
    return str(int(number)) if number == int(number) and abs(number) < 1e15 else f"{number:.6g}"


# --- effects ------------------------------------------------------------------------------------

FORMS = {"difference": "+.3f", "level": ".3f", "block": ".0f"}


def interval_text(e: Estimate) -> Value:
    """Return the number of an effect with its interval; its seeds are numbered from 1."""
    if np.isnan(e.low):
        return Value("undefined")
    form = FORMS[e.kind]
    if e.kind == "level" and 0 < abs(e.high) < 0.001:
        form = ".1g"  # three decimals would show nothing but zeros
    return interval(e, form)


def interval(e: Estimate, form: str) -> Value:
    """Return an effect with its interval in the given form of numbers."""
    shown = bounds(e.effect, e.low, e.high, form)
    seeds = {f"seed no. {k}": v for k, v in enumerate(e.seeds, start=1)}
    return Value(shown, shown.numbers | seeds)


def bounds(value: float, low: float, high: float, form: str) -> Value:
    """Return a number between the bounds of an interval, all in the given form."""
    text = f"{value:{form}} [{low:{form}},\u00a0{high:{form}}]"
    return Value(text, {"": float(value), "low": float(low), "high": float(high)})
