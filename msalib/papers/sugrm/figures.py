"""Figures of SUGRM's tables: sets of tasks, modules."""

from collections.abc import Mapping, Sequence

import numpy as np

from msalib.data.metrics import METRICS
from msalib.pages.cells import spread
from msalib.pages.compare_figure import SCORE_NAMES
from msalib.pages.figure import BLUE, Picture, axes_of, mark, style
from msalib.pages.tables import Note
from msalib.papers.sugrm.tables import Corner, TaskScores

GENERATOR_STYLE = {
    "own_ulgm": {"color": BLUE, "marker": "o", "linestyle": "-"},
    "other_ulgm": {"color": "#D55E00", "marker": "s", "linestyle": "--"},
}
GENERATOR_NAMES = {"own_ulgm": "SUGRM's label generator", "other_ulgm": "Self-MM's"}


@style
def scores_by_tasks(scores: Mapping[str, Sequence[TaskScores]], *, setting: str) -> Picture | Note:
    """Show MAE and F1 by the number of unimodal tasks, one dot per set (``tables.by_tasks``)."""
    if not scores:
        return Note(f"No set of tasks has been run yet. Setting: {setting}.")
    metrics = ("mae", "f1_non0")
    figure, panels = axes_of(5.2, nrows=2, ncols=len(scores), sharex=True, squeeze=False)
    sentences = []
    for column, (whose, dots) in enumerate(scores.items()):
        for axes, metric in zip(panels[:, column], metrics, strict=True):
            means = _dots(axes, dots, metric, filled=whose == "ours")
            sentences += [
                f"{whose}, {dot.letters or 'none'}: {METRICS[metric].label} "
                + METRICS[metric].show(mean)
                for dot, mean in zip(dots, means, strict=True)
            ]
        panels[0, column].set_title(whose, fontsize=11)
    panels[0, 0].set_xticks(sorted({dot.tasks for dots in scores.values() for dot in dots}))
    for axes, metric in zip(panels[:, 0], metrics, strict=True):
        axes.set_ylabel(SCORE_NAMES[metric])
    figure.supxlabel("number of unimodal tasks", fontsize=11)
    return Picture(
        figure,
        alt="Scores by the number of unimodal tasks. " + "; ".join(sentences) + ".",
        caption="Scores by the number of unimodal tasks. Letters: the tasks besides the "
        "multimodal one (t linguistic, a acoustic, v visual). Bars: standard deviation over "
        "seeds, which the paper does not print. Dashed: mean of the sets with as many tasks. Test "
        f"set. Setting: {setting}.",
    )


def _dots(axes, dots: Sequence[TaskScores], metric: str, *, filled: bool) -> list[float]:
    """Draw one metric of every set of tasks; return the means over seeds."""
    factor = 1 if metric == "mae" else 100
    means = [float(np.mean(dot.scores[metric])) for dot in dots]
    for dot, mean in zip(dots, means, strict=True):
        beside = [other.letters for other in dots if other.tasks == dot.tasks]
        x = dot.tasks + 0.22 * (beside.index(dot.letters) - (len(beside) - 1) / 2)
        values = dot.scores[metric]
        axes.errorbar(
            x,
            factor * mean,
            yerr=factor * np.std(values, ddof=1) if len(values) > 1 else None,
            color=BLUE,
            marker="o" if filled else "D",
            markersize=6,
            fillstyle="full" if filled else "none",
            capsize=2,
        )
        text = {"xytext": (4, 4), "textcoords": "offset points", "fontsize": 9}
        axes.annotate(dot.letters or "none", (x, factor * mean), **text)
        mark(axes, x, factor * mean, f"{dot.letters or 'none'}: {spread(values, metric)}")
    numbers = sorted({dot.tasks for dot in dots})
    by_number = [[m for dot, m in zip(dots, means, strict=True) if dot.tasks == n] for n in numbers]
    average = [factor * np.mean(alike) for alike in by_number]
    axes.plot(numbers, average, color="#999999", linestyle="--", linewidth=1, zorder=1)
    axes.margins(x=0.15, y=0.15)
    return means


@style
def module_lines(
    levels: Mapping[Corner, Mapping[str, Sequence[float]]],
    words: Mapping[str, str],
    *,
    setting: str,
) -> Picture | Note:
    """Show the interaction of SUGRM's modules: MAE and Corr by sequence encoder.

    ``levels``: (recalibration, sequence, generator) -> metric -> a value per seed; ``words`` names
    modules. A panel per recalibration, a line per generator.
    """
    if not levels:
        return Note(f"No corner of the grid has been run yet. Setting: {setting}.")
    columns, encoders = (list(dict.fromkeys(corner[k] for corner in levels)) for k in (0, 1))
    lines = [g for g in GENERATOR_STYLE if any(corner[2] == g for corner in levels)]
    figure, panels = axes_of(
        5.4, nrows=2, ncols=len(columns), sharex=True, sharey="row", squeeze=False
    )
    sentences = []
    for column, recalibration in enumerate(columns):
        for axes, metric in zip(panels[:, column], ("mae", "corr"), strict=True):
            for i, generator in enumerate(lines):
                corners = [(recalibration, encoder, generator) for encoder in encoders]
                shift = 0.12 * (i - (len(lines) - 1) / 2)
                means = _line(axes, levels, corners, metric, shift)
                for k, (corner, mean) in enumerate(zip(corners, means, strict=True)):
                    if corner not in levels:
                        continue
                    parts = ", ".join(words[part] for part in corner)
                    mark(
                        axes, k + shift, mean, f"{parts}: {spread(levels[corner][metric], metric)}"
                    )
                    shown = "undefined" if np.isnan(mean) else METRICS[metric].show(mean)
                    sentences.append(f"{parts}: {METRICS[metric].label} {shown}")
            axes.set_xticks(range(len(encoders)), [words[e].split()[0] for e in encoders])
            axes.margins(x=0.12)
        panels[0, column].set_title(words[recalibration], fontsize=11)
    panels[0, 0].set_ylabel(SCORE_NAMES["mae"])
    panels[1, 0].set_ylabel(SCORE_NAMES["corr"])
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(lines))
    return Picture(
        figure,
        alt="Lines by sequence encoder, with and without MRM. " + "; ".join(sentences) + ".",
        caption="MAE and Corr by sequence encoder, with and without MRM. Test set. Markers: mean "
        "over seeds; bars: standard deviation. Where lines run side by side, the generator does "
        "the same whatever the encoder; where they cross or part, the two interact. "
        f"Setting: {setting}.",
    )


def _line(
    axes, levels: Mapping[Corner, Mapping], corners: Sequence[Corner], metric: str, shift: float
) -> list[float]:
    """Draw one generator's corners; return their means over seeds, nan where none was run."""
    by_corner = [levels[c][metric] if c in levels else [np.nan] for c in corners]
    means = [float(np.mean(values)) for values in by_corner]
    axes.errorbar(
        np.arange(len(corners)) + shift,
        means,
        yerr=[np.std(values, ddof=1) if len(values) > 1 else 0 for values in by_corner],
        capsize=3,
        markersize=6,
        label=GENERATOR_NAMES[corners[0][2]],
        **GENERATOR_STYLE[corners[0][2]],
    )
    return means
