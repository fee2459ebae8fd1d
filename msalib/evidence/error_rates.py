"""Read how often the tests of a paper's claims err, and which printed effects they can find.

``book/records/power/<paper>.json`` holds the verdicts of each test on simulated studies with a
known effect. ``evidence.planting`` makes such a record, and a paper says what is simulated.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from msalib import papers
from msalib.base.files import Recorded
from msalib.base.stats import LEVEL

if TYPE_CHECKING:
    from msalib.evidence.simulation import Rate, Verdicts

NONE_PRINTED = "none is printed"
"""How it is said that a planted gain is that of another claim."""

ENOUGH = 0.8
"""Power from which an effect counts as one that a test can find."""


class Cell(BaseModel):
    """Verdicts on studies with one planted effect; ``words`` says which.

    Where a claim is at its border any verdict but inconclusive is wrong, where it is false outright
    "supported" is, and where it is true "contradicted".
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: Literal["border", "false", "true"]
    words: str
    metric: str
    gain: float
    verdicts: dict[str, int]

    def rate(self, word: str) -> Rate:
        """Return how often the test said so, with Wilson's 95% interval."""
        return self.judged().rate(word)

    def judged(self) -> Verdicts:
        """Return the verdicts as ``simulation`` has them."""
        from msalib.evidence.simulation import Verdicts  # loads scipy

        return Verdicts(self.metric, self.gain, Counter(self.verdicts))


class Measured(BaseModel):
    """One test at one size: what was planted, and the verdicts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    claim: str
    test: str
    size: str
    arms: int
    quality: float | None  # correlation of the usual arm; None where no prediction is drawn
    printed: float | None  # gain, in the metric of the cells
    printed_in: str
    cells: list[Cell]

    @property
    def is_printed(self) -> bool:
        """Check whether the paper prints a gain for the claim itself."""
        return self.printed is not None and not self.printed_in.startswith(NONE_PRINTED)

    def of(self, role: str) -> list[Cell]:
        """Return the cells of a role."""
        return [cell for cell in self.cells if cell.role == role]

    def worst(self, word: str) -> Rate:
        """Return the highest rate of "supported", or of "contradicted", where that is wrong."""
        return max((cell.rate(word) for cell in self._wrong(word)), key=lambda rate: rate.share)

    def _wrong(self, word: str) -> list[Cell]:
        right = "true" if word == "supported" else "false"
        return [cell for cell in self.cells if cell.role != right]

    def power(self, words: str) -> Rate | None:
        """Return how often the test finds a true effect; None where it was not planted."""
        found = [cell.rate("supported") for cell in self.of("true") if cell.words == words]
        return found[0] if found else None

    def truest(self) -> Rate:
        """Return how often the test supports the truest claim that was planted."""
        return self.of("true")[-1].rate("supported")

    def at_printed(self) -> tuple[Rate | None, str]:
        """Return the power that matters, None where nothing true was planted, and of which effect.

        It is that at the printed gain; without one, that where the claim is truest.
        """
        if not self.of("true"):
            return None, ""
        found, truest = self.power("1"), self.of("true")[-1].words
        if self.printed is None:
            return self.truest(), f"where it is true ({truest})"
        if found is None:
            return self.truest(), f"at {truest} times the printed gain"
        if not self.is_printed:
            return found, "at a gain that is printed for another claim"
        return found, "at the printed gain"

    def level(self, word: str) -> float:
        """Return how often a verdict may be wrong: 2.5%, as two make the 5% of a 95% interval.

        To support that nothing differs, or a difference within limits, takes a 90% interval: 5%.
        """
        within = self.printed is None and not self.printed_in
        return LEVEL if within and word == "supported" else LEVEL / 2

    def too_high(self) -> list[str]:
        """Name wrong verdicts that are more frequent than allowed beyond the simulation's error."""
        from msalib.evidence.simulation import exceeds  # loads scipy

        found = []
        for word in ("supported", "contradicted"):
            for cell in self._wrong(word):
                rate = cell.rate(word)
                if exceeds(rate.share, rate.trials, self.level(word)):
                    found.append(
                        f"{word} in {rate.share:.1%} of {rate.trials} studies with a gain of "
                        f"{cell.gain:g}, level {self.level(word):.1%}"
                    )
        return list(dict.fromkeys(found))

    def found_from(self) -> float | None:
        """Return the multiple of the printed gain that is found in ``ENOUGH`` of the studies.

        Between planted ones it is interpolated; None where none is found so often.
        """
        shares = [0.0, *(cell.rate("supported").share for cell in self.of("true"))]
        times = [0.0, *(float(cell.words) for cell in self.of("true"))]
        above = [i for i, share in enumerate(shares) if share >= ENOUGH]
        if not above:
            return None
        i = above[0]
        return float(np.interp(ENOUGH, shares[i - 1 : i + 1], times[i - 1 : i + 1]))


class SizeOf(BaseModel):
    """What was drawn at a size: seeds, videos, clips, and where the scatter is from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seeds: int
    videos: dict[str, int]
    clips: int  # of the test part, on average
    records: str
    scatter: dict[str, float]


class Power(BaseModel):
    """Error rates of all tests of a paper, and all that decides them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    commit: str
    device: str
    versions: dict[str, str]
    started: str  # UTC
    seconds: float
    resamples: int
    sizes: dict[str, SizeOf]
    tests: list[Measured]

    @property
    def setting(self) -> str:
        """The setting in words, as captions name it."""
        sizes = (
            f"{name} ({of.clips} test clips, {of.videos['test']} videos, {of.seeds} seeds)"
            for name, of in self.sizes.items()
        )
        return f"control: simulated predictions at the sizes of {' and '.join(sizes)}"


def record(paper: str) -> Recorded[Power]:
    """Return the record of a paper's error rates, to read or to write."""
    remedy = f"run python -m msalib.papers.{paper}.power"
    return Recorded(Power, f"power/{paper}.json", "record of simulations", remedy)


def by_claim(paper: str) -> dict[str, list[Measured]]:
    """Return what is measured of the test of each claim, by size; nothing where it never was.

    It is read from the paper's record. A paper whose record has another form says what is measured
    in a module ``error_rates`` of its own (``measured()``).
    """
    rates: dict[str, list[Measured]] = {}
    for one in _measured(paper):
        rates.setdefault(one.claim, []).append(one)
    return rates


def _measured(paper: str) -> list[Measured]:
    if own := papers.part(paper, "error_rates"):
        return own.measured()
    kept = record(paper)
    return kept.read().tests if kept.exists else []
