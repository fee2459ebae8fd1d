"""Measure how often a test of a claim errs: on simulated studies with a known effect.

A test is worth as much as its error rates: how often it says "supported" of something false,
"contradicted" of something true, and how often it finds the printed effect. Studies are drawn by
``scatter``, at real sizes and with the covariance of real records, and the test itself judges them.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from msalib.base import stats
from msalib.evidence.common import Evidence, Word
from msalib.evidence.scatter import Design, draw, quality_with_gain
from msalib.runs.query import Runs

REPLICATIONS = 400
RESAMPLES = 1000
"""Of the videos, inside a simulation: a single verdict takes ten times as many.

p-values are then multiples of 1/1001, below the levels that tests compare them with, but for
families of forty and more comparisons, which can then not contradict. The error of a quantile at
2.5% is a fifth of its distance to that at 5%.
"""


class Rate(NamedTuple):
    """A share of simulated studies with Wilson's 95% interval."""

    share: float
    low: float
    high: float
    trials: int


class Verdicts(NamedTuple):
    """Verdicts on studies with one true effect: the gain of the first arms, in ``metric``."""

    metric: str
    gain: float
    counts: Counter

    def rate(self, word: Word) -> Rate:
        """Return how often the test said so."""
        trials = self.counts.total()
        low, high = stats.wilson(self.counts[word], trials)
        share = self.counts[word] / trials
        return Rate(share, min(low, share), max(high, share), trials)  # but for rounding


class ErrorRates(NamedTuple):
    """How often a test errs, and how often it finds an effect, by planted gain.

    At ``border`` a claim is as near to true as to false, and any verdict but inconclusive is an
    error. At ``false`` ones "supported" is, at ``true`` ones "contradicted".
    """

    border: Verdicts
    false: tuple[Verdicts, ...]
    true: tuple[Verdicts, ...]

    def false_support(self) -> dict[float, Rate]:
        """Return gain -> how often the claim is supported where it is false, or barely so."""
        return {v.gain: v.rate("supported") for v in (self.border, *self.false)}

    def false_contradiction(self) -> dict[float, Rate]:
        """Return gain -> how often the claim is contradicted where it is true, or barely so."""
        return {v.gain: v.rate("contradicted") for v in (self.border, *self.true)}

    def power(self) -> dict[float, Rate]:
        """Return gain -> how often the claim is supported where it is true."""
        return {v.gain: v.rate("supported") for v in self.true}

    def too_high(self, level: float = stats.LEVEL) -> list[str]:
        """Name the errors that are more frequent than ``level`` beyond the simulation's error."""
        errors = {"supported": self.false_support(), "contradicted": self.false_contradiction()}
        return [
            f"{word} in {rate.share:.1%} of {rate.trials} studies with a gain of {gain:g}"
            for word, rates in errors.items()
            for gain, rate in rates.items()
            if exceeds(rate.share, rate.trials, level)
        ]


def exceeds(rate: float, trials: int, level: float = stats.LEVEL) -> bool:
    """Check whether a rate is above a level by more than the simulation's error (Wilson, 95%)."""
    low, _ = stats.wilson(round(rate * trials), trials)
    return low > level


def error_rates(
    test: Callable[[Runs], Evidence],
    design: Design,
    *,
    metric: str,
    border: float = 0.0,
    false: Sequence[float] = (),
    true: Sequence[float] = (),
    gaining: int = 1,
    replications: int = REPLICATIONS,
    resamples: int = RESAMPLES,
) -> ErrorRates:
    """Measure the error rates of a test on studies in which the first arms gain over the others.

    ``border``, ``false`` and ``true`` are gains in ``metric``, as it is printed (shares in points).
    For a claim of a gain these are zero, its opposite, and the printed one; for a claim of
    equivalence the margin, what is beyond, and zero. ``gaining`` is how many arms gain.
    """

    def verdicts(gain: float) -> Verdicts:
        return simulate(
            test,
            design,
            metric=metric,
            gain=gain,
            gaining=gaining,
            replications=replications,
            resamples=resamples,
        )

    return ErrorRates(verdicts(border), tuple(map(verdicts, false)), tuple(map(verdicts, true)))


def simulate(
    test: Callable[[Runs], Evidence],
    design: Design,
    *,
    metric: str,
    gain: float,
    gaining: int | Sequence[float] = 1,
    replications: int = REPLICATIONS,
    resamples: int = RESAMPLES,
) -> Verdicts:
    """Count the verdicts of a test on simulated studies; the first arms gain over the others.

    ``gaining``: how many gain, or by how many times ``gain`` each of the first does. Studies are
    always the same. Raises ``ValueError`` where the test does not run on them.
    """
    qualities = [design.scatter.quality] * len(design.arms)
    if gain:
        times = [1.0] * gaining if isinstance(gaining, int) else gaining
        qualities[: len(times)] = [quality_with_gain(design, metric, t * gain) for t in times]
    counts: Counter[Word] = Counter()
    with fewer_resamples(resamples):
        for number in range(replications):
            judged = test(draw(design, qualities, np.random.default_rng([0, number])))
            if judged.verdict == "not run":
                raise ValueError(f"the test does not run on simulated records: {judged.note}")
            counts[judged.verdict] += 1
    return Verdicts(metric, gain, counts)


@contextmanager
def fewer_resamples(count: int) -> Iterator[None]:
    """Take fewer bootstrap resamples than a single verdict takes, for time."""
    before, stats.RESAMPLES = stats.RESAMPLES, count
    try:
        yield
    finally:
        stats.RESAMPLES = before
