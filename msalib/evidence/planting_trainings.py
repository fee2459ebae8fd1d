"""Record how often tests err that read one number of each training, and no prediction.

They are tests over trainings, whose errors do not depend on what a unit is. So numbers are drawn
normally distributed with standard deviation 1, and an effect is planted in these: none where a
claim is at its border, and several standard deviations where it is true. ``planting`` does the same
for tests that read predictions. Notation: S trainings.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from msalib.base.files import Recorded
from msalib.evidence import planting, registry
from msalib.evidence.arms import SEEDS
from msalib.evidence.common import Word
from msalib.evidence.error_rates import Cell, Measured, Power
from msalib.evidence.planting import Plan

STUDIES = {"border": 1000, "true": 200}
"""Studies per planted effect: many, for a t-test takes no time."""

EFFECTS = (1.0, 2.0, 4.0)
"""Planted effects of a true claim, in standard deviations over trainings."""

NOTHING_PRINTED = "nothing is printed; standard deviations over trainings"


@dataclass(frozen=True)
class TrainingCase:
    """What is drawn for a test on trainings: arms, measures, and arms' true means.

    ``judge`` takes values (measures, arms, S). ``true``: mean of each arm where the claim holds by
    one standard deviation; ``borders``: words and the measures in which nothing differs.
    """

    measures: int
    true: Sequence[float]
    judge: Callable[[np.ndarray], Word]
    borders: Mapping[str, Sequence[int]]


def record(plan: Plan, cases: Mapping[str, TrainingCase], into: Recorded[Power]) -> None:
    """Simulate all tests of a paper, those of predictions and those of trainings; record both."""
    simulated, on_trainings = planting.measure(plan), measure(plan.paper, cases)
    into.write(simulated.model_copy(update={"tests": [*simulated.tests, *on_trainings]}))


def measure(paper: str, cases: Mapping[str, TrainingCase]) -> list[Measured]:
    """Simulate the tests of some claims of a paper, with as many trainings as a test asks for."""
    return [_measured(paper, claim, case) for claim, case in cases.items()]


def _measured(paper: str, claim: str, case: TrainingCase) -> Measured:
    (entry,) = registry.claims(paper, [claim])
    largest = EFFECTS[-1]
    planted = [("border", words, largest, zero) for words, zero in case.borders.items()]
    planted += [("true", f"{size:g} SD", size, ()) for size in EFFECTS]
    cells = []
    for role, words, size, zero in planted:
        mean = np.tile(np.array(case.true)[:, None] * size, (case.measures, 1, 1))
        mean[list(zero)] = 0
        counts: Counter[str] = Counter()
        for number in range(STUDIES[role]):
            noise = np.random.default_rng([1, number]).normal(size=(*mean.shape[:2], SEEDS))
            counts[case.judge(mean + noise)] += 1
        gain = 0.0 if len(zero) == case.measures else size
        cells.append(Cell(role=role, words=words, metric="SD", gain=gain, verdicts=dict(counts)))
    return Measured(
        claim=claim,
        test=entry.rerun.test,
        size=f"{SEEDS} trainings",
        arms=len(case.true),
        quality=None,
        printed=None,
        printed_in=NOTHING_PRINTED,
        cells=cells,
    )
