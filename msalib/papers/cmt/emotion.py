"""Table 1 of CMT: classes of emotion, each against the rest, and what they imply for WA.

A model that chooses one class per clip and is wrong is wrong in two of the yes-or-no questions, so
sum_c (1 - acc_c) = 2 (1 - WA) holds exactly (papers/cmt.md (f)).
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from msalib.data.metrics import METRICS
from msalib.pages import contrasts, recorded
from msalib.pages.cells import scores, spread
from msalib.pages.compare import PrintedRow
from msalib.pages.contrasts import Effects
from msalib.pages.tables import Note, Table
from msalib.papers.cmt import scope
from msalib.papers.cmt.tables import FOLDS, study_of
from msalib.runs.query import Runs
from msalib.runs.spec import System
from msalib.runs.study import Study

ONE = "acc2_"
"""What the metric of one class against the rest begins with."""


# --- the answer ---------------------------------------------------------------------------------


def answer(
    runs: Runs,
    named: Mapping[str, System],
    effects: Effects,
    printed: Mapping[str, PrintedRow],
    *,
    setting: str,
) -> Note:
    """Say how well each arm does beside a constant and the printed row, and what joining gains."""
    clauses = [
        _level(runs, name, system, printed.get(name))
        for name, system in named.items()
        if runs.has(system)
    ]
    if not clauses:
        return Note(f"No run of this page is recorded in this setting ({setting}).")
    levels = "; ".join(clauses)
    levels = f"{levels[:1].upper()}{levels[1:]}"
    if not effects:
        return Note(f"{levels} ({setting}).")
    return Note(f"{levels}. {contrasts.answer(effects, setting=setting).text}")


def _level(runs: Runs, name: str, system: System, printed: PrintedRow | None) -> str:
    (seeds,) = runs.records(system)
    metrics, chance = scope.metrics(runs, scope.EMOTION), seeds[0].chance
    beside = {"a constant": " and ".join(METRICS[m].show(chance[m]) for m in metrics)}
    if printed is not None and set(metrics) <= printed.value.keys():
        beside["printed"] = " and ".join(f"{printed.value[m]:.1f}" for m in metrics)
    reached = " and ".join(f"{METRICS[m].label} {scores(seeds, m)}" for m in metrics)
    return f"{name} reaches {reached} ({', '.join(f'{k}: {v}' for k, v in beside.items())})"


# --- the identity -------------------------------------------------------------------------------


def identity(scores: Mapping[str, float], classes: Iterable[str]) -> tuple[float, float]:
    """Return the errors of all classes together, and WA as it follows; shares from 0 to 1."""
    errors = sum(1 - scores[f"{ONE}{name}"] for name in classes)
    return errors, 1 - errors / 2


def identity_table(
    runs: Runs,
    named: Mapping[str, System],
    printed: Mapping[str, PrintedRow],
    classes: Sequence[str],
    *,
    setting: str,
) -> Table | Note:
    """Show the errors of all classes together beside twice those of WA, ours and printed."""
    rows = []
    for name, system in named.items() if classes else ():
        if runs.has(system):
            scores = [r.metrics["test"] for r in runs.records(system)[0]]
            mean = {m: float(np.mean([s[m] for s in scores])) for m in _needed(classes)}
            rows.append(_identity_row(name, "ours", mean, classes))
    for name, row in printed.items():
        if theirs := [m.removeprefix(ONE) for m in row.value if m.startswith(ONE)]:
            shares = {m: value / 100 for m, value in row.value.items()}
            rows.append(_identity_row(name, "printed", shares, theirs))
    if not rows:
        return Note(f"No run of classes is recorded yet. Setting: {setting}.")
    worst = max((row["gap"] for row in rows if row["whose"] == "ours"), default=0.0)
    for row in rows:
        row["gap"] = "-" if np.isnan(row["gap"]) else f"{row['gap']:.2f}"
    return Table(
        pd.DataFrame(rows).rename(columns={"gap": "WA implied minus WA"}),
        caption="Points of a hundred. Errors: sum over classes of 100 minus the accuracy of that "
        "class against the rest. One choice per clip makes them twice the errors of WA, so they "
        f"imply WA; ours agree to {worst:.2f}. Printed ones are rounded to a tenth of a point, "
        f"which moves the implied WA by up to {_rounding(4):.2f}. Setting: {setting}.",
    )


def _needed(classes: Iterable[str]) -> list[str]:
    return ["wa", *(f"{ONE}{name}" for name in classes)]


def _rounding(classes: int) -> float:
    """Return by how much rounding of the printed shares to a tenth of a point can move WA."""
    return classes * 0.05 / 2 + 0.05


def _identity_row(
    name: str, whose: str, scores: Mapping[str, float], classes: Sequence[str]
) -> dict:
    errors, implied = identity(scores, classes)
    wa = scores.get("wa")
    return {
        "row": name,
        "whose": whose,
        "errors of all classes": f"{100 * errors:.1f}",
        "twice the errors of WA": "-" if wa is None else f"{200 * (1 - wa):.1f}",
        "WA implied": f"{100 * implied:.2f}",
        "WA": "-" if wa is None else f"{100 * wa:.1f}",
        "gap": np.nan if wa is None else abs(100 * (implied - wa)),
    }


# --- folds --------------------------------------------------------------------------------------


def folds_table(
    study: Study, runs: Runs, named: Mapping[str, System], *, setting: str
) -> Table | Note:
    """Show WA and UA of all folds together beside the mean of folds; the paper says not which."""
    rows, metrics = [], ("wa", "ua")
    for name, system in named.items() if study.task.classes else ():
        one = study_of(study, system)
        parts = recorded.parts(one, FOLDS.get(study.parameters.dataset, ""))
        by_fold = [part.recorded([system]) for part in parts]
        if len(by_fold) < 2 or not runs.has(system) or len({len(f) for f in by_fold}) > 1:
            continue
        pooled = runs.records(system)[0]
        row = {"row": name, "folds": len(by_fold)}
        for m in metrics:
            means = {
                same[0].spec.seed: float(np.mean([r.metrics["test"][m] for r in same]))
                for same in zip(*by_fold, strict=True)
            }
            label = METRICS[m].label
            row[f"{label}, all clips"] = scores(pooled, m)
            row[f"{label}, mean of folds"] = spread(means, m)
        rows.append(row)
    if not rows:
        return Note("This page has no folds of classes to pool.")
    return Table(
        pd.DataFrame(rows),
        caption="Test set, mean ± standard deviation over seeds. The paper does not say which of "
        f"the two it prints. Setting: {setting}.",
    )
