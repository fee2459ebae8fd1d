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
from msalib.pages.contrasts import Effects, tested_metrics
from msalib.pages.figure import MODALITY_STYLE, Picture, axes_of, style
from msalib.pages.tables import Note, Table, spread
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


@style
def locals_figure(runs: Runs, by_number: Mapping[int, System], *, setting: str) -> Picture | Note:
    """Show Fig. 3a: the score by the number of local vectors of a modality."""
    metric = _metric(runs, list(by_number.values()))
    if metric is None:
        return Note(f"No number of local vectors was run yet. Setting: {setting}.")
    figure, axes = axes_of()
    scores = {n: _scores(runs, s, metric) for n, s in by_number.items() if runs.has(s)}
    axes.plot(list(scores), [v.mean() for v in scores.values()], "o-", color="#0072B2")
    for n, values in scores.items():
        axes.plot([n] * len(values), values, ".", color="black", markersize=4)
    axes.set_xlabel("local vectors of a modality (n)")
    axes.set_ylabel(f"{METRICS[metric].label} (test)")
    axes.set_xticks(list(scores))
    text = {n: METRICS[metric].show(np.mean(_raw(v, metric))) for n, v in scores.items()}
    return Picture(
        figure,
        alt=f"{METRICS[metric].label} by number of local vectors: "
        f"{', '.join(f'{n}: {t}' for n, t in text.items())}.",
        caption=f"{METRICS[metric].label} on test by number of local vectors; line: mean over "
        f"seeds, dots: single seeds. Setting: {setting}.",
    )


def _raw(values: np.ndarray, metric: str) -> np.ndarray:
    return values / (100 if METRICS[metric].unit == "%" else 1)


@style
def experts_figure(
    runs: Runs, cells: Mapping[tuple[int, ...], System], modalities: Sequence[str], *, setting: str
) -> Picture | Note:
    """Show Fig. 3b: the mean score over all cells with so many experts of a modality."""
    metric = _metric(runs, list(cells.values()))
    if metric is None:
        return Note(f"No number of experts was run yet. Setting: {setting}.")
    scores = {c: _scores(runs, s, metric).mean() for c, s in cells.items() if runs.has(s)}
    figure, axes = axes_of()
    sentences = []
    for i, m in enumerate(modalities):
        counts = sorted({cell[i] for cell in scores})
        means = [np.mean([v for cell, v in scores.items() if cell[i] == n]) for n in counts]
        axes.plot(counts, means, label=m, **MODALITY_STYLE[m])
        shown = (METRICS[metric].show(_raw(np.array(v), metric)) for v in means)
        listed = ", ".join(f"{n}: {v}" for n, v in zip(counts, shown, strict=True))
        sentences.append(f"{m}, {listed}")
    axes.set_xticks(list(plan.EXPERTS))
    axes.set_xlabel("experts of the modality")
    axes.set_ylabel(f"{METRICS[metric].label} (test)")
    axes.legend(fontsize=9)
    return Picture(
        figure,
        alt=f"{METRICS[metric].label} by experts of a modality. {'; '.join(sentences)}.",
        caption=f"Mean {METRICS[metric].label} over the {len(scores)} cells that were run, by the "
        f"number of experts of each modality. Setting: {setting}.",
    )


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
            colour = "white" if value < (low + high) / 2 else "black"
            axes.text(x + 1, y + 1, f"{value:.{digits}f}", ha="center", va="center",
                      fontsize=8, color=colour)  # fmt: skip
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
        | {m: f"{s:+.3f} ± {e:.3f}" for m, (s, e) in found.items()}
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
                row[METRICS[m].label] = spread([r.metrics["test"][m] for r in seeds], m)
            rows.append(row)
    if not rows:
        return Note(f"No number of local vectors was run yet. Setting: {setting}.")
    return Table(pd.DataFrame(rows), caption=f"Test set, mean ± standard deviation. {setting}.")
