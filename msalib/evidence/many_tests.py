"""How many false verdicts are to be expected among all those of a version?

Tests are corrected within a claim (Holm), not across claims and settings. So some verdicts are
wrong by chance. Their number is at most the sum of the error rates of the tests behind them, where
simulations measured these (``error_rates``), else of the nominal level.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from msalib.base.stats import LEVEL
from msalib.evidence.changes import IN_PRINT, Judged
from msalib.evidence.common import Word
from msalib.evidence.error_rates import Measured

Rates = Mapping[str, Sequence[Measured]]
"""What is measured of the test of each claim, by size of the data."""


class Expected(NamedTuple):
    """The verdicts of tests on runs, and how many of them chance alone makes at most.

    ``measured`` of the ``verdicts`` rest on tests whose errors are measured. ``false_support`` and
    ``false_contradiction`` are expected numbers if no claim were true, or none false.
    """

    claims: int
    verdicts: int
    measured: int
    supported: int
    contradicted: int
    false_support: float
    false_contradiction: float

    def __add__(self, other: "Expected") -> "Expected":
        return Expected(*(mine + yours for mine, yours in zip(self, other, strict=True)))


def expected(judged: Mapping[str, Judged], rates: Rates) -> Expected:
    """Return the expected numbers over the claims of a paper, a verdict for each setting."""
    total = Expected(*[0] * len(Expected._fields))
    for name, claim in judged.items():
        words = [word for setting, word in claim.verdicts.items() if setting != IN_PRINT]
        if words:
            total += _of_claim(words, rates.get(name, ()))
    return total


def _of_claim(words: Sequence[Word], measured: Sequence[Measured]) -> Expected:
    return Expected(
        1,
        len(words),
        len(words) if measured else 0,
        words.count("supported"),
        words.count("contradicted"),
        len(words) * error_rate(measured, "supported"),
        len(words) * error_rate(measured, "contradicted"),
    )


def error_rate(measured: Sequence[Measured], word: Word) -> float:
    """Return how often a test says so wrongly, at the worst size; its level if not measured."""
    return max((one.worst(word).share for one in measured), default=LEVEL / 2)
