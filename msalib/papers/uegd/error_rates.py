"""Answer how often UEGD's tests err, in the form that the ledger of all papers reads."""

from collections.abc import Iterator, Sequence

import numpy as np

from msalib.evidence import registry
from msalib.evidence.error_rates import Cell, Measured
from msalib.evidence.printed import table as printed
from msalib.evidence.printed.cells import parse
from msalib.evidence.registry import Claim
from msalib.evidence.simulation import Rate
from msalib.papers.uegd.power.cases import CASES, plan_of
from msalib.papers.uegd.power.record import FALSE_OUTRIGHT, RECORD, Power

PLANTED = ("table2/UEGD/", "table3/UEGD/linguistic", "table3/UEGD/acoustic")
"""Beginnings of the printed rows of what is simulated with layers: all together, words, speech."""

SPEECH_HAS_LAYERS = ("UEGD-C5",)
"""Claims for which the simulated speech has layers; for the others it is vectors."""


class Interpolated(Measured):
    """One test at one size, whose planted effects are round numbers and not what is printed."""

    def at_printed(self) -> tuple[Rate | None, str]:
        """Return the power at the printed effect, between those of its planted neighbours.

        Where none is printed that could be planted, it is the power at the smallest true effect
        beside that at the largest, and for a claim of equality that where systems are equal.
        """
        true, (false, *_) = self.of("true"), [c for c in self.cells if c.role != "true"]
        if true[-1].gain < false.gain:
            return self.truest(), f"where it is true ({true[-1].words})"
        if self.printed is None:
            least, most = true[0], true[-1]
            return least.rate("supported"), (
                f"at {least.words} and {self.truest().share:.0%} at {most.words} "
                "(no effect is printed)"
            )
        if self.printed <= false.gain:
            return None, ""
        if self.printed > true[-1].gain:
            return self.truest(), f"at {true[-1].words} (printed: {self.printed:.2g})"
        return _between([false, *true], self.printed), (
            f"at the smallest printed effect ({self.printed:.2g} {true[0].metric})"
        )


def measured() -> list[Measured]:
    """Return the recorded rates of those tests that are still the ones of the registry.

    Those of a test, or of planted effects, that have changed since are left out (``Plan``).
    """
    if not RECORD.exists:
        return []
    simulated = RECORD.read()
    claims = {claim.id: claim for claim in registry.claims("uegd")}
    today = {c.claim: plan_of(c, claims[c.claim]) for c in CASES if c.claim in claims}
    found = []
    for claim, plan in simulated.plans.items():
        if plan != today.get(claim):
            continue
        for dataset in simulated.datasets:
            cells = list(_cells(simulated, claim, dataset))
            if len({cell.role for cell in cells}) == 2:  # both were simulated
                about = {"claim": claim, "test": plan.test["name"], "size": dataset}
                # Arms and their quality differ by claim.
                about |= {"arms": 0, "quality": None}
                effect = printed_effect(claims[claim], dataset) if plan.unit == "Corr" else None
                where = "" if effect is None else f"{claims[claim].exhibit}, {dataset}"
                found.append(Interpolated(**about, printed=effect, printed_in=where, cells=cells))
    return found


def printed_effect(claim: Claim, dataset: str) -> float | None:
    """Return the smallest effect in correlation that is printed for a claim, of what is simulated.

    Each comparison of the claim on the paper's own tables has one: the lead over the best rival, or
    the gain beyond the largest other gain. None where there is no such comparison.
    """
    effects = []
    for test in claim.printed.tests:
        if dataset not in test["datasets"] or "corr" not in test["metrics"]:
            continue
        if test["test"] == "better" and _is_planted(claim, test["of"]):
            rivals = [_printed(row, dataset) for row in test["than"]]
            effects.append(_printed(test["of"], dataset) - max(rivals))
        elif test["test"] == "gain_larger" and _is_planted(claim, test["of"][0]):
            gains = [_printed(a, dataset) - _printed(b, dataset) for a, b in test["than"]]
            ours, base = (_printed(row, dataset) for row in test["of"])
            effects.append(ours - base - max(gains))
    return round(float(min(effects)), 4) if effects else None


def _is_planted(claim: Claim, row: str) -> bool:
    speech = PLANTED[-1]
    return row.startswith(PLANTED) and (claim.id in SPEECH_HAS_LAYERS or speech not in row)


def _printed(row: str, dataset: str) -> float:
    parts = parse(row)
    place = parts["exhibit"], parts["dataset"] or dataset, parts["system"], parts["variant"]
    return printed.cell("uegd", *place, "corr")["value"]


def _between(cells: Sequence[Cell], gain: float) -> Rate:
    """Return the rate of "supported" at a gain, interpolated between those of ascending cells."""
    rates = [cell.rate("supported") for cell in cells]
    gains = [cell.gain for cell in cells]
    share, low, high = (
        float(np.interp(gain, gains, [getattr(rate, part) for rate in rates]))
        for part in ("share", "low", "high")
    )
    return Rate(share, low, high, min(rate.trials for rate in rates[1:]))


def _cells(simulated: Power, claim: str, dataset: str) -> Iterator[Cell]:
    """Yield the verdicts where a claim is false, and at each effect where it is true."""
    plan = simulated.plans[claim]
    known = {(c.claim, c.dataset, c.effect): c.verdicts for c in simulated.cells}
    false = "false" if claim in FALSE_OUTRIGHT else "border"
    for role, effects in ((false, [plan.false_at]), ("true", plan.truer)):
        for effect in effects:
            if verdicts := known.get((claim, dataset, effect)):
                words = f"{effect:g} {plan.unit}"
                yield Cell(role=role, words=words, metric=plan.unit, gain=effect, verdicts=verdicts)
