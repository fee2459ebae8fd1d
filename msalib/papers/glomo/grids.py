"""Fig. 3 of GLoMo: scores by numbers of local vectors and of experts, in the metric of C13 and C15.

A *grid* is a mapping from cells to scores. A cell has the number of experts of each modality that
the clips have, in the order of ``ORDER``.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from msalib.data.metrics import METRICS
from msalib.evidence import arms
from msalib.evidence.arms import Arm
from msalib.evidence.printed import table as printed_table
from msalib.pages.cells import Value, scores
from msalib.pages.contrasts import Effects, tested_metrics
from msalib.pages.curves_figure import score_curves
from msalib.pages.figure import DARK, LIGHT, MODALITY_STYLE, Picture, axes_of, mark, style
from msalib.pages.tables import Note, Table
from msalib.papers.glomo import plan, scope
from msalib.runs.query import Runs
from msalib.runs.spec import System

Grid = Mapping[tuple[int, ...], float]

ORDER = (plan.TEXT, plan.SOUND, plan.FACE)
"""Modalities in the order of the printed cells."""

CALLED = {plan.TEXT: "words", plan.SOUND: "sound", plan.FACE: "pictures"}
"""Modality -> its word in figures."""


def _metric(runs: Runs, systems: Sequence[System]) -> str | None:
    """Return the metric of the claims; None where none of these systems was run."""
    return scope.f1(runs) if any(runs.has(s) for s in systems) else None


def _scores(runs: Runs, system: System, metric: str) -> np.ndarray:
    factor = 100 if METRICS[metric].unit == "%" else 1
    return factor * np.array([r.metrics["test"][metric] for r in runs.records(system)[0]], float)


def locals_figure(runs: Runs, by_number: Mapping[int, System], *, setting: str) -> Picture | Note:
    """Show Fig. 3a: the score by the number of local vectors of a modality."""
    metric = _metric(runs, list(by_number.values()))
    if metric is None:
        return Note(f"No number of local vectors was run yet. Setting: {setting}.")
    return score_curves(
        runs,
        {"GLoMo": by_number},
        [metric],
        what="local vectors of a modality (n)",
        about=f"{METRICS[metric].label} by number of local vectors. The paper draws its curve "
        "without numbers.",
        setting=setting,
    )


@style
def experts_figure(
    runs: Runs, cells: Mapping[tuple[int, ...], System], modalities: Sequence[str], *, setting: str
) -> Picture | Note:
    """Show Fig. 3b: the mean score over all cells with so many experts, ours beside the printed.

    Each panel has a scale of its own, since the paper's data set is another.
    """
    metric = _metric(runs, list(cells.values()))
    if metric is None:
        return Note(f"No number of experts was run yet. Setting: {setting}.")
    scores = {c: _scores(runs, s, metric).mean() for c, s in cells.items() if runs.has(s)}
    figure, (left, right) = axes_of(ncols=2)
    label = METRICS[metric].label
    sentences = _by_experts(left, scores, modalities, "ours")
    sentences += _by_experts(right, printed_grid(), ORDER, "printed")
    left.set(title="ours", ylabel=f"{label} (test)")
    right.set_title("printed, CHERMA")
    figure.supxlabel("experts of the modality", fontsize=11)
    handles, labels = right.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))
    return Picture(
        figure,
        alt=f"{label} by experts of a modality. {'; '.join(sentences)}.",
        caption=f"Mean {label} over the {len(scores)} cells that were run, by the "
        "number of experts of each modality; beside it the mean of the printed cells, F1 on "
        f"CHERMA. Setting: {setting}.",
    )


def _by_experts(axes, scores: Grid, modalities: Sequence[str], whose: str) -> list[str]:
    """Draw means of cells, in percent, by the experts of each modality; return them in words."""
    sentences = []
    for i, m in enumerate(modalities):
        by_count = {n: [v for c, v in scores.items() if c[i] == n] for n in plan.EXPERTS}
        means = {n: np.mean(values) for n, values in by_count.items() if values}
        axes.plot(list(means), list(means.values()), label=m, **MODALITY_STYLE[m])
        for n, mean in means.items():
            single = f"single cells {min(by_count[n]):.2f} to {max(by_count[n]):.2f}"
            mark(axes, n, mean, f"{whose}, {m}, experts {n}: {mean:.2f}, {single}")
        listed = ", ".join(f"{n}: {mean:.2f}" for n, mean in means.items())
        sentences.append(f"{whose}, {m}, {listed}")
    axes.set_xticks(list(plan.EXPERTS))
    return sentences


def printed_grid() -> dict[tuple[int, int, int], float]:
    """Return the 64 printed cells, by experts of words, sound and pictures."""
    table = printed_table.load(plan.PAPER)
    table = table[table["exhibit"].str.startswith("appendix_fig1")]
    return {
        tuple(int(part[1:]) for part in variant.split("_")): value
        for variant, value in zip(table["variant"], table["value"], strict=True)
    }


def ordered(modalities: Sequence[str]) -> list[str]:
    """Return modalities in the order of a grid's cells."""
    return [m for m in ORDER if m in modalities]


@style
def grid_figure(
    cells: Grid, title: str, *, modalities: Sequence[str] = ORDER, digits: int = 2
) -> Picture | Note:
    """Show scores by experts as maps: one of two modalities, of three one per number for words.

    ``modalities`` name the numbers of a cell. Of one modality there is no map.
    """
    names = ordered(modalities)
    if not cells:
        return Note(f"{title}: no cell was run yet.")
    if len(names) < 2:
        return Note(f"{title}: one modality has no map; the line above shows all its cells.")
    *outer, across, up = names
    panels_of = plan.EXPERTS if outer else (None,)
    rows = -(-len(panels_of) // 2)
    figure, panels = axes_of(
        1.6 + 1.8 * rows, nrows=rows, ncols=min(2, len(panels_of)), sharex=True, sharey=True,
        squeeze=False,
    )  # fmt: skip
    low, high = min(cells.values()), max(cells.values())
    for fixed, axes in zip(panels_of, panels.flat, strict=True):
        shown = {c[-2:]: v for c, v in cells.items() if fixed is None or c[0] == fixed}
        _map(axes, shown, low, high, digits)
        if fixed is not None:
            axes.set_title(f"{CALLED[outer[0]]}: {fixed}", fontsize=10)
    figure.supxlabel(f"experts of {CALLED[across]}", fontsize=10)
    figure.supylabel(f"experts of {CALLED[up]}", fontsize=10)
    best = max(cells, key=cells.__getitem__)
    at = ", ".join(f"{n} of {CALLED[m]}" for n, m in zip(best, names, strict=True))
    deviation = np.std(list(cells.values()), ddof=1) if len(cells) > 1 else 0
    about = (
        f"{len(cells)} cells from {low:.{digits}f} to {high:.{digits}f}, mean "
        f"{np.mean(list(cells.values())):.{digits}f}, standard deviation {deviation:.{digits}f}; "
        f"the largest with experts: {at}"
    )
    return Picture(figure, alt=f"{title}. {about}.", caption=f"{title}. {about}.")


def _map(axes, cells: Mapping[tuple[int, int], float], low: float, high: float, digits: int):
    """Draw the scores of two modalities, (across, up) -> score, on ``axes``."""
    grid = np.full((len(plan.EXPERTS),) * 2, np.nan)
    for (across, up), value in cells.items():
        grid[up - 1, across - 1] = value
    edges = np.arange(len(plan.EXPERTS) + 1) + 0.5
    axes.pcolormesh(edges, edges, grid, cmap="cividis", vmin=low, vmax=max(high, low + 1e-9))
    for (y, x), value in np.ndenumerate(grid):
        if not np.isnan(value):
            colour = LIGHT if value < (low + high) / 2 else DARK
            axes.text(x + 1, y + 1, f"{value:.{digits}f}", ha="center", va="center",
                      fontsize=9, color=colour)  # fmt: skip
    axes.set(xticks=plan.EXPERTS, yticks=plan.EXPERTS)
    axes.grid(visible=False)


def run_grid(
    runs: Runs, cells: Mapping[tuple[int, ...], System], modalities: Sequence[str]
) -> tuple[dict[tuple[int, ...], float], str]:
    """Return the grid of mean scores of the cells that were run, and the metric's name.

    ``cells`` have numbers of experts in the order of ``modalities``. Empty where none was run.
    """
    metric = _metric(runs, list(cells.values()))
    if metric is None:
        return {}, ""
    order = [list(modalities).index(m) for m in ordered(modalities)]
    return {
        tuple(cell[i] for i in order): float(_scores(runs, s, metric).mean())
        for cell, s in cells.items()
        if runs.has(s)
    }, METRICS[metric].label


def slopes(cells: Grid, modalities: Sequence[str] = ORDER) -> dict[str, tuple[float, float]]:
    """Return the slope per expert of each modality and its standard error, by least squares.

    Empty where the cells do not determine them.
    """
    if not cells:
        return {}
    x = np.array([[1, *cell] for cell in cells], float)
    y = np.array(list(cells.values()))
    if len(y) <= x.shape[1] or np.linalg.matrix_rank(x) < x.shape[1]:
        return {}
    fitted, *_ = np.linalg.lstsq(x, y, rcond=None)
    variance = ((y - x @ fitted) ** 2).sum() / (len(y) - x.shape[1])
    errors = np.sqrt(variance * np.diag(np.linalg.inv(x.T @ x)))
    return {m: (fitted[i], errors[i]) for i, m in enumerate(ordered(modalities), 1)}


def slope_table(grids: Mapping[str, tuple[Grid, Sequence[str]]]) -> Table | Note:
    """Show slopes per expert of several grids, each with its modalities: printed and ours."""
    rows = [
        {"cells": f"{name} ({len(cells)})"}
        | {
            m: Value(f"{s:+.3f} ± {e:.3f}", {"": s, "standard error": e})
            for m, (s, e) in found.items()
        }
        for name, (cells, modalities) in grids.items()
        if (found := slopes(cells, modalities))
    ]
    if not rows:
        return Note("Too few cells for slopes.")
    caption = "Slope of the score per expert, with its standard error over cells (least squares)."
    return Table(pd.DataFrame(rows).fillna("-"), caption=caption)


def _shown(runs: Runs, systems: Sequence[System]) -> list[str]:
    """Return the metric of the claims and those whose gains are tested elsewhere, once each."""
    first = next(s for s in systems if runs.has(s))
    return list(dict.fromkeys((scope.f1(runs), *tested_metrics(runs.example(first)))))


def gains(runs: Runs, by_number: Mapping[int, System], base: int = 3) -> Effects:
    """Return the gain of each number of local vectors over ``base``, the metric of claims first."""
    seeds = {n: set(runs.seeds(s)) for n, s in by_number.items() if runs.has(s)}
    named = {n: Arm(by_number[n], name=f"n = {n}") for n in seeds}
    found = {}
    for n, arm in named.items():
        if n != base and seeds[n] & seeds.get(base, set()):
            shown = _shown(runs, [arm.system])
            contrasts = arms.gains(runs, arm, named[base], shown)
            found[arm.name, named[base].name] = {m: c.estimate() for m, c in contrasts.items()}
    return found


def locals_table(runs: Runs, by_number: Mapping[int, System], *, setting: str) -> Table | Note:
    """Show the scores by number of local vectors."""
    rows = []
    for n, system in by_number.items():
        if runs.has(system):
            (seeds,) = runs.records(system)
            row = {"n": n, "seeds": len(seeds)}
            for m in _shown(runs, [system]):
                row[METRICS[m].label] = scores(seeds, m)
            rows.append(row)
    if not rows:
        return Note(f"No number of local vectors was run yet. Setting: {setting}.")
    return Table(pd.DataFrame(rows), caption=f"Test set, mean ± standard deviation. {setting}.")
