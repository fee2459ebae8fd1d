"""What GLoMo's tests share: arms by the names of its tables, metrics of a task, what data lack.

Where a claim names a data set, whatever a setting has stands in its place.
"""

from collections.abc import Sequence

import numpy as np

from msalib.evidence.arms import Arm
from msalib.evidence.common import Evidence, not_run
from msalib.evidence.comparisons import MARGINS
from msalib.evidence.seeds import Margins
from msalib.papers.glomo import plan
from msalib.runs.query import Runs

TABLE4 = ("acc2_has0", "acc2_non0", "f1_has0", "f1_non0", "acc2", "f1")
"""Metrics of Table 4: accuracy of two classes and F1, with zeros and without; of classes F1."""

TABLE1 = (*TABLE4, "wa", "acc7")
"""Metrics of classification in Tables 1 to 3."""


def scores(runs: Runs) -> list[str]:
    """Return those of Table 4's metrics that this task has."""
    return [m for m in TABLE4 if m in runs.task.shown]


def classification(runs: Runs) -> list[str]:
    """Return those metrics of classification that this task has."""
    return [m for m in TABLE1 if m in runs.task.shown]


def accuracy(runs: Runs) -> str:
    """Return the metric of "beats": accuracy without zeros; of classes F1, as on CHERMA."""
    return _first(runs, "acc2_non0", "acc2", "f1")


def f1(runs: Runs) -> str:
    """Return the metric of Fig. 3: F1, of a score that of its two classes without zeros."""
    return _first(runs, "f1_non0", "f1")


def _first(runs: Runs, *metrics: str) -> str:
    return next(m for m in metrics if m in runs.task.shown)


def margins(runs: Runs) -> Margins:
    """Return what counts as no difference: 1 point, on CMU-MOSEI and CHERMA half a point."""
    return {**MARGINS, "%": 0.5 if runs.dataset.startswith(("mosei", "cherma")) else 1.0}


def variation(shares: Sequence[float]) -> float:
    """Return the coefficient of variation of experts' shares (s,), 0 for a single expert.

    The standard deviation is over s - 1, as in the penalties (``moe.squared_variation``).
    """
    return float(np.std(shares, ddof=1) / np.mean(shares)) if len(shares) > 1 else 0.0


# --- arms ---------------------------------------------------------------------------------------


def named(runs: Runs) -> dict[str, Arm]:
    """Return the variants of Table 4 and ours, by name, as these records read their data."""
    whole = plan.recorded_whole(runs)
    every = {**plan.variants(whole), **plan.ours(whole)}
    return {name: Arm(system, name=name) for name, system in every.items()}


def without(runs: Runs) -> dict[str, Arm]:
    """Return by modality the model without it; none where there is one modality."""
    whole = plan.recorded_whole(runs)
    if len(whole) < 2:
        return {}
    return {
        left_out: Arm(
            plan.system({m: layer for m, layer in whole.items() if m != left_out}),
            name=f"GLoMo without {WORDS[left_out]}",
        )
        for left_out in whole
    }


WORDS = {plan.TEXT: "words", plan.SOUND: "voice", plan.FACE: "face"}
"""Modality -> its word in sentences."""


def unlike(runs: Runs, *modalities: str) -> Evidence | None:
    """Return "not run" where the data lack one of these modalities, else None."""
    there = plan.recorded_whole(runs)
    lacking = [WORDS[m] for m in modalities if m not in there]
    return not_run([f"clips with {' and '.join(lacking)}"]) if lacking else None
