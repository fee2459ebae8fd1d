"""The record of the simulations: verdicts by claim, size of data and true effect."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict

from msalib.base import stats
from msalib.base.errors import UserError
from msalib.base.files import Recorded
from msalib.evidence.simulation import exceeds

FALSE_OUTRIGHT = ("UEGD-C11", "UEGD-C13")
"""Claims on where the best block is, which equal blocks make plainly false."""


class Rate(NamedTuple):
    """A share of simulations and its Monte Carlo interval."""

    share: float
    low: float
    high: float


class Plan(BaseModel):
    """What is varied for a claim, see ``Case``, and the test that judged it.

    Cells are of the test of today only where its plan is the same.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    unit: str
    effects: tuple[float, ...]
    false_at: float
    test: dict[str, object] = {}  # its name and its arguments
    since: str = ""  # day of the test's last change; records had none until 2026-11-30

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
    videos_only: dict[str, int]  # the first ones if other trainings are left out; at false_at

    @property
    def simulations(self) -> int:
        return sum(self.verdicts.values())

    def with_study(
        self, verdict: str, effects: Mapping[str, stats.Estimate], videos_only: str | None
    ) -> "Cell":
        """Return this cell with one more study."""
        done, means = self.simulations, {}
        for name, e in effects.items():
            mean = self.found.get(name, 0.0)
            means[name] = mean + (float(np.nan_to_num(e.effect)) - mean) / (done + 1)
        update = {"verdicts": _counted(self.verdicts, verdict), "found": means}
        if videos_only:
            update["videos_only"] = _counted(self.videos_only, videos_only)
        return self.model_copy(update=update)

    def rate(self, verdict: str, *, videos_only: bool = False) -> Rate:
        """Return how often the test said so, with the 95% Wilson interval over simulations."""
        counts = self.videos_only if videos_only else self.verdicts
        count, trials = counts.get(verdict, 0), sum(counts.values())
        low, high = stats.wilson(count, trials)
        share = count / trials
        return Rate(share, float(min(low, share)), float(max(high, share)))  # but for rounding


def _counted(verdicts: dict[str, int], verdict: str) -> dict[str, int]:
    return verdicts | {verdict: verdicts.get(verdict, 0) + 1}


class Power(BaseModel):
    """The error rates of all tests: settings, cells and the gain by chance."""

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
        """The setting in words, as captions name it."""
        return (
            f"control: predictions simulated at the sizes of {', '.join(self.datasets)}; "
            f"{self.settings['seeds']} seeds, {self.settings['blocks']} blocks, "
            f"{self.settings['resamples']} resamples of the videos"
        )

    def cell(self, claim: str, dataset: str, effect: float) -> Cell:
        """Return a cell; raises ``UserError`` for one that is missing."""
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
        """Return the cell in which the claim is false, though barely."""
        return self.cell(claim, dataset, self.plans[claim].false_at)

    def too_high(self) -> list[str]:
        """Name wrong verdicts that are more frequent than 5% beyond the simulation's error.

        Where a claim is barely false, "supported" is wrong, and "contradicted" as well unless it is
        plainly false there (``FALSE_OUTRIGHT``); where it is true, "contradicted" is.
        """
        errors = []
        for claim, plan in self.plans.items():
            barely = ("supported",) if claim in FALSE_OUTRIGHT else ("supported", "contradicted")
            wrong = {plan.false_at: barely} | dict.fromkeys(plan.truer, ("contradicted",))
            for dataset, (effect, words) in product(self.datasets, wrong.items()):
                cell = self.cell(claim, dataset, effect)
                errors += [
                    f"{claim} at {dataset}'s size: {word} in {cell.rate(word).share:.1%} of "
                    f"{cell.simulations} studies with an effect of {effect:g}"
                    for word in words
                    if exceeds(cell.rate(word).share, cell.simulations)
                ]
        return errors

    def detected_from(self, claim: str, dataset: str, power: float = 0.8) -> float | None:
        """Return the effect from which so many studies are "supported", interpolated.

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


RECORD = Recorded(
    Power,
    "power/uegd.json",
    "record of simulations",
    "run python -m msalib.papers.uegd.power",
)


def read(path: Path) -> Power:
    """Read the record at ``path``; raises ``UserError`` for a missing or a damaged one."""
    return replace(RECORD, file=path).read()
