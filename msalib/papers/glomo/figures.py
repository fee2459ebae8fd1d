"""Figures of GLoMo: vectors in the plane, numbers of pieces and experts, how busy experts are."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from msalib.data.metrics import METRICS
from msalib.evidence.printed import table as printed_table
from msalib.pages.contrasts import tested_metrics
from msalib.pages.figure import MODALITY_STYLE, Picture, axes_of, style
from msalib.pages.tables import Note, Table, spread
from msalib.papers.glomo import looks, plan
from msalib.papers.glomo.contents import bounds
from msalib.papers.glomo.vectors import Vectors, placed
from msalib.runs.query import Runs
from msalib.runs.spec import System

MARKERS, COLOURS = "o^sDv", ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9")
"""Looks of experts, and of classes."""

NO_VECTORS = (
    "No picture here: a recorded run is trained again for it, which needs record and data, and "
    "too much time where a large encoder is fine-tuned."
)

# --- vectors ------------------------------------------------------------------------------------


@style
def spaces_figure(vectors: Vectors | None, *, setting: str) -> Picture | Note:
    """Show Fig. 2: global and local vectors of each modality, placed by t-SNE."""
    if vectors is None:
        return Note(NO_VECTORS)
    shown = [m for m in vectors.whole if m in vectors.pieces]
    if not shown:
        return Note(f"This model has no two kinds of vectors. Setting: {setting}.")
    figure, panels = axes_of(1.0 + 2.7 * len(shown), nrows=len(shown), squeeze=False)
    sentences = []
    for axes, m in zip(panels[:, 0], shown, strict=True):
        whole, pieces = vectors.whole[m], vectors.pieces[m]
        plane = placed(np.concatenate([whole, pieces]))
        axes.plot(*plane[: len(whole)].T, "+", color="black", markersize=6, label="global")
        expert = vectors.expert.get(m, np.zeros(len(pieces), int))
        for k in sorted(set(expert)):
            points = plane[len(whole) :][expert == k]
            axes.plot(
                *points.T, MARKERS[k % 5], color=COLOURS[k % 5], markersize=4,
                label=f"local, expert {k + 1}",
            )  # fmt: skip
            sentences.append(f"{m}, expert {k + 1}: {len(points)} clips")
        axes.set_title(m, fontsize=11)
        axes.set(xticks=[], yticks=[])
        axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    return Picture(
        figure,
        alt=f"Global and local vectors of test clips placed in the plane. {'; '.join(sentences)}.",
        caption=f"Vectors of {len(vectors.label)} test clips, placed by t-SNE. Local vectors are "
        "those behind the mixture, marked by the expert with the largest gate. "
        f"{vectors.trained_again()}Setting: {setting}.",
    )


@style
def fused_figure(by_name: Mapping[str, Vectors], *, setting: str) -> Picture | Note:
    """Show Fig. 4: the fused vectors of several variants by class, placed by t-SNE."""
    if not by_name:
        return Note(NO_VECTORS)
    rows = -(-len(by_name) // 2)
    figure, panels = axes_of(0.8 + 2.2 * rows, nrows=rows, ncols=2, squeeze=False)
    sentences = []
    for axes, (name, vectors) in zip(panels.flat, by_name.items(), strict=False):
        group = groups(vectors.label)
        plane = placed(vectors.fused[group != ""])
        for k, kind in enumerate(sorted(set(group) - {""})):
            points = plane[group[group != ""] == kind]
            axes.plot(*points.T, MARKERS[k % 5], color=COLOURS[k % 5], markersize=4, label=kind)
        axes.set_title(name, fontsize=11)
        axes.set(xticks=[], yticks=[])
        sentences.append(f"{name}: {(group != '').sum()} clips")
    for axes in panels.flat[len(by_name) :]:
        axes.axis("off")
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=9)
    again = next(iter(by_name.values())).trained_again()
    return Picture(
        figure,
        alt=f"Fused vectors of test clips placed in the plane. {'; '.join(sentences)}.",
        caption="What the head reads, placed by t-SNE; clips labelled zero are left out. t-SNE may "
        f"show groups that are not there: the table has the numbers. {again}Setting: {setting}.",
    )


def groups(label: np.ndarray) -> np.ndarray:
    """Return the group of each clip (N,): its class, or the sign of its score; "" for zero."""
    if np.issubdtype(label.dtype, np.integer):
        return np.array([f"class {k}" for k in label])
    return np.select([label < 0, label > 0], ["negative", "positive"], "")


# --- Fig. 3 -------------------------------------------------------------------------------------


def _metric(runs: Runs, systems: Sequence[System]) -> str | None:
    present = [s for s in systems if runs.has(s)]
    return tested_metrics(runs.example(present[0]))[0] if present else None


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
    axes.plot(list(scores), [v.mean() for v in scores.values()], "o-", color=COLOURS[0])
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


@style
def grid_figure(
    cells: Mapping[tuple[int, int, int], float], title: str, *, digits: int = 2
) -> Picture | Note:
    """Show scores by experts, (words, sound, pictures) -> score: a map per number for words."""
    if not cells:
        return Note(f"{title}: no cell was run yet.")
    figure, panels = axes_of(5.2, nrows=2, ncols=2, sharex=True, sharey=True)
    low, high = min(cells.values()), max(cells.values())
    for text, axes in zip(plan.EXPERTS, panels.flat, strict=True):
        grid = np.full((4, 4), np.nan)
        for (t, a, v), value in cells.items():
            if t == text:
                grid[v - 1, a - 1] = value
        edges = np.arange(5) + 0.5
        axes.pcolormesh(edges, edges, grid, cmap="cividis", vmin=low, vmax=max(high, low + 1e-9))
        for (y, x), value in np.ndenumerate(grid):
            if not np.isnan(value):
                colour = "white" if value < (low + high) / 2 else "black"
                axes.text(x + 1, y + 1, f"{value:.{digits}f}", ha="center", va="center",
                          fontsize=8, color=colour)  # fmt: skip
        axes.set(xticks=range(1, 5), yticks=range(1, 5))
        axes.set_title(f"words: {text}", fontsize=10)
        axes.grid(visible=False)
    figure.supxlabel("experts of sound", fontsize=10)
    figure.supylabel("experts of pictures", fontsize=10)
    best = max(cells, key=cells.__getitem__)
    about = (
        f"{len(cells)} cells from {low:.{digits}f} to {high:.{digits}f}, mean "
        f"{np.mean(list(cells.values())):.{digits}f}, standard deviation "
        f"{np.std(list(cells.values()), ddof=1) if len(cells) > 1 else 0:.{digits}f}; the largest "
        f"at {best[0]} experts of words, {best[1]} of sound, {best[2]} of pictures"
    )
    return Picture(figure, alt=f"{title}. {about}.", caption=f"{title}. {about}.")


def run_grid(
    runs: Runs, cells: Mapping[tuple[int, ...], System], modalities: Sequence[str]
) -> tuple[dict[tuple[int, int, int], float], str]:
    """Return the mean scores of the cells that were run, as ``printed_grid``, and their metric.

    Without words or another modality there is no such grid: it is empty.
    """
    metric = _metric(runs, list(cells.values()))
    if metric is None or len(modalities) < 3:
        return {}, ""
    order = [list(modalities).index(m) for m in (plan.TEXT, plan.SOUND, plan.FACE)]
    return {
        tuple(cell[i] for i in order): float(_scores(runs, s, metric).mean())
        for cell, s in cells.items()
        if runs.has(s)
    }, METRICS[metric].label


def slopes(cells: Mapping[tuple[int, ...], float]) -> dict[str, tuple[float, float]]:
    """Return the slope per expert of each modality and its standard error, by least squares."""
    if not cells:
        return {}
    x = np.array([[1, *cell] for cell in cells], float)
    y = np.array(list(cells.values()))
    if len(y) <= x.shape[1] or np.linalg.matrix_rank(x) < x.shape[1]:
        return {}
    fitted, *_ = np.linalg.lstsq(x, y, rcond=None)
    variance = ((y - x @ fitted) ** 2).sum() / (len(y) - x.shape[1])
    errors = np.sqrt(variance * np.diag(np.linalg.inv(x.T @ x)))
    names = (plan.TEXT, plan.SOUND, plan.FACE)
    return {m: (fitted[i], errors[i]) for i, m in enumerate(names, 1)}


def slope_table(grids: Mapping[str, Mapping[tuple[int, ...], float]]) -> Table | Note:
    """Show slopes per expert of several grids: printed and ours."""
    rows = [
        {"cells": f"{name} ({len(cells)})"}
        | {m: f"{s:+.3f} ± {e:.3f}" for m, (s, e) in found.items()}
        for name, cells in grids.items()
        if (found := slopes(cells))
    ]
    if not rows:
        return Note("Too few cells for slopes.")
    caption = "Slope of the score per expert, with its standard error over cells (least squares)."
    return Table(pd.DataFrame(rows), caption=caption)


# --- experts and pieces -------------------------------------------------------------------------


@style
def load_figure(runs: Runs, named: Mapping[str, System], *, setting: str) -> Picture | Note:
    """Show the load of each expert by epoch, of the first seed, with and without the losses."""
    shown = {n: seeds[0] for n, s in named.items() if (seeds := looks.used(runs, s))}
    if not shown:
        return Note(f"No record here holds how busy experts are. Setting: {setting}.")
    modalities = list(next(iter(shown.values())))
    figure, panels = axes_of(
        0.8 + 1.9 * len(modalities), nrows=len(modalities), ncols=len(shown), sharey=True,
        squeeze=False,
    )  # fmt: skip
    sentences = []
    for column, (name, use) in zip(panels.T, shown.items(), strict=True):
        for axes, m in zip(column, modalities, strict=True):
            load = np.array(use[m].load)
            for k, values in enumerate(load.T):
                axes.plot(range(1, len(load) + 1), values, color=COLOURS[k % 5],
                          marker=MARKERS[k % 5], markersize=4)  # fmt: skip
            axes.axhline(1 / load.shape[1], color="black", linewidth=0.8, linestyle=":")
            axes.set_ylim(0, 1)
            last = ", ".join(f"{v:.0%}" for v in load[-1])
            sentences.append(f"{name}, {m}: last epoch {last}")
        column[0].set_title(name, fontsize=10)
        column[-1].set_xlabel("epoch")
    for axes, m in zip(panels[:, 0], modalities, strict=True):
        axes.set_ylabel(f"{m}\nshare of load", fontsize=9)
    return Picture(
        figure,
        alt=f"Load of experts by epoch. {'; '.join(sentences)}.",
        caption="Share of the load of each expert in training, a line per expert; dotted: equal "
        f"shares. First recorded seed. Setting: {setting}.",
    )


@style
def bins_figure(length: int, places: int, count: int) -> Picture:
    """Show the places of a typical clip, and the stretches over them, for a sequence and text."""
    figure, panels = axes_of(2.9, nrows=2)
    sentences = []
    for axes, layers in zip(panels, (1, 2), strict=True):
        total = layers * places
        filled = np.arange(total) % places < length
        axes.bar(range(total), 1, width=0.9, align="edge",
                 color=np.where(filled, COLOURS[0], "#DDDDDD"))  # fmt: skip
        for i, (start, end) in enumerate(bounds(total, count)):
            axes.plot([start + 0.4, end - 0.4], [1.25 + 0.12 * (i % 2)] * 2, color="black")
            held = int(filled[start:end].sum())
            axes.text((start + end) / 2, 1.45, f"{held} of {end - start}", ha="center", fontsize=9)
            sentences.append(f"{layers} layer: stretch {i + 1} holds {held} of {end - start}")
        axes.set(ylim=(0, 1.75), xlim=(0, total), yticks=[])
        axes.grid(visible=False)
        axes.set_title("text, two layers" if layers == 2 else "sound or pictures", fontsize=10)
    panels[1].set_xlabel("place")
    return Picture(
        figure,
        alt=f"Places of a clip of {length} frames. {'; '.join(sentences)}.",
        caption=f"A clip of {length} frames in {places} places: blue, the clip; grey, padding; "
        "lines: the stretches of which maxima are taken, with the frames that each holds.",
    )


@style
def lengths_figure(lengths: Mapping[str, np.ndarray], places: int) -> Picture | Note:
    """Show the distribution of lengths by unit, and the places of a clip."""
    if not lengths:
        return Note("No lengths of clips are here.")
    figure, axes = axes_of()
    for k, (unit, values) in enumerate(lengths.items()):
        axes.hist(values, bins=range(0, places + 5, 2), histtype="step", linewidth=2,
                  color=COLOURS[k], linestyle=("-", "--")[k % 2], label=unit)  # fmt: skip
    for _, end in bounds(places, 3):
        axes.axvline(end, color="black", linewidth=0.8, linestyle=":")
    axes.set_xlabel("length of a clip")
    axes.set_ylabel("clips")
    axes.legend(fontsize=9)
    about = "; ".join(
        f"{unit}: median {np.median(v):.0f}, {(v <= places / 3).mean():.0%} within the first "
        f"stretch, {(v > places).mean():.1%} longer than {places}"
        for unit, v in lengths.items()
    )
    return Picture(
        figure,
        alt=f"Distribution of lengths. {about}.",
        caption=f"Lengths of clips; dotted: ends of three stretches of {places} places. {about}.",
    )


@style
def above_figure(gates: Sequence[float], apart: np.ndarray, above: np.ndarray) -> Picture:
    """Show how far log-sum-exp is above the weighted sum, by gate and spread of two outputs."""
    figure, axes = axes_of()
    for k, (gate, values) in enumerate(zip(gates, above, strict=True)):
        axes.plot(apart, values, color=COLOURS[k % 5], linestyle=("-", "--", "-.", ":")[k % 4],
                  label=f"gate {gate:g}")  # fmt: skip
    axes.set_xlabel("difference between the outputs of two experts")
    axes.set_ylabel("log-sum-exp minus weighted sum")
    axes.legend(fontsize=9)
    ends = ", ".join(f"gate {g:g}: {v[-1]:.2f}" for g, v in zip(gates, above, strict=True))
    return Picture(
        figure,
        alt=f"Difference between both ways to combine experts. At {apart[-1]:g}: {ends}.",
        caption="Two experts, outputs a and 0, gates g and 1 - g. The difference is never below "
        f"zero (Jensen) and zero only where the outputs agree. At {apart[-1]:g}: {ends}.",
    )


def locals_table(runs: Runs, by_number: Mapping[int, System], *, setting: str) -> Table | Note:
    """Show the scores by number of local vectors."""
    rows = []
    for n, system in by_number.items():
        if runs.has(system):
            (seeds,) = runs.records(system)
            row = {"n": n, "seeds": len(seeds)}
            for m in tested_metrics(seeds[0]):
                row[METRICS[m].label] = spread([r.metrics["test"][m] for r in seeds], m)
            rows.append(row)
    if not rows:
        return Note(f"No number of local vectors was run yet. Setting: {setting}.")
    return Table(pd.DataFrame(rows), caption=f"Test set, mean ± standard deviation. {setting}.")
