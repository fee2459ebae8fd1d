"""Figures of SUGRM's tables: sets of tasks, modules."""

from collections.abc import Mapping, Sequence

import numpy as np

from msalib.data.metrics import METRICS
from msalib.pages.compare_figure import SCORE_NAMES
from msalib.pages.figure import Picture, axes_of, style
from msalib.pages.tables import Note

GENERATOR_STYLE = {
    "own_ulgm": {"color": "#0072B2", "marker": "o", "linestyle": "-"},
    "other_ulgm": {"color": "#D55E00", "marker": "s", "linestyle": "--"},
}
GENERATOR_NAMES = {"own_ulgm": "SUGRM's label generator", "other_ulgm": "Self-MM's"}


@style
def scores_by_tasks(found: Mapping[str, Sequence], *, setting: str) -> Picture | Note:
    """MAE and F1 by the number of unimodal tasks, one dot per set of them.

    ``found``: "ours" and perhaps "printed" -> dots, as ``variants.by_tasks`` has them.
    """
    if not found:
        return Note(f"No set of tasks was run yet. Setting: {setting}.")
    metrics = ("mae", "f1_non0")
    figure, panels = axes_of(5.2, nrows=2, ncols=len(found), sharex=True, squeeze=False)
    sentences = []
    for column, (whose, dots) in enumerate(found.items()):
        for axes, metric in zip(panels[:, column], metrics, strict=True):
            factor = 1 if metric == "mae" else 100
            means = [factor * np.mean(dot.scores[metric]) for dot in dots]
            for dot, mean in zip(dots, means, strict=True):
                alike = [other.letters for other in dots if other.tasks == dot.tasks]
                shift = 0.22 * (alike.index(dot.letters) - (len(alike) - 1) / 2)
                spread = factor * np.std(dot.scores[metric], ddof=1) if _several(dot, metric) else 0
                axes.errorbar(
                    dot.tasks + shift,
                    mean,
                    yerr=spread or None,
                    color="#0072B2",
                    marker="o" if whose == "ours" else "D",
                    markersize=6,
                    fillstyle="full" if whose == "ours" else "none",
                    capsize=2,
                )
                axes.annotate(
                    dot.letters or "none",
                    (dot.tasks + shift, mean),
                    xytext=(4, 4),
                    textcoords="offset points",
                    fontsize=9,
                )
                sentences.append(
                    f"{whose}, {dot.letters or 'none'}: {METRICS[metric].label} "
                    + METRICS[metric].show(mean / factor)
                )
            numbers = sorted({dot.tasks for dot in dots})
            average = [
                np.mean([m for dot, m in zip(dots, means, strict=True) if dot.tasks == n])
                for n in numbers
            ]
            axes.plot(numbers, average, color="#999999", linestyle="--", linewidth=1, zorder=1)
            axes.margins(x=0.15, y=0.15)
        panels[0, column].set_title(whose, fontsize=11)
    panels[0, 0].set_xticks(sorted({dot.tasks for dots in found.values() for dot in dots}))
    for axes, metric in zip(panels[:, 0], metrics, strict=True):
        axes.set_ylabel(SCORE_NAMES[metric])
    figure.supxlabel("number of unimodal tasks", fontsize=11)
    return Picture(
        figure,
        alt="Scores by the number of unimodal tasks. " + "; ".join(sentences) + ".",
        caption="Letters: unimodal tasks beside the multimodal one (t linguistic, a acoustic, v "
        "visual). Bars: standard deviation over seeds, which print does not give. "
        f"Dashed: mean of the sets with as many tasks. Test part. Setting: {setting}.",
    )


def _several(dot, metric: str) -> bool:
    return len(dot.scores[metric]) > 1


@style
def module_lines(
    found: Mapping[tuple[str, ...], Mapping[str, Sequence[float]]],
    words: Mapping[str, str],
    *,
    setting: str,
) -> Picture | Note:
    """Interaction plot of SUGRM's modules: MAE and Corr by sequence encoder.

    ``found``: (recalibration, sequence, generator) -> metric -> a value per seed; ``words`` names
    modules. A panel per recalibration, a line per generator.
    """
    if not found:
        return Note(f"No corner of the grid was run yet. Setting: {setting}.")
    columns = list(dict.fromkeys(corner[0] for corner in found))
    places = list(dict.fromkeys(corner[1] for corner in found))
    lines = [g for g in GENERATOR_STYLE if any(corner[2] == g for corner in found)]
    figure, panels = axes_of(
        5.4, nrows=2, ncols=len(columns), sharex=True, sharey="row", squeeze=False
    )
    sentences = []
    for column, recalibration in enumerate(columns):
        for row, metric in enumerate(("mae", "corr")):
            axes = panels[row, column]
            for i, generator in enumerate(lines):
                corners = [(recalibration, place, generator) for place in places]
                own = [found[c][metric] if c in found else [np.nan] for c in corners]
                mean = [np.mean(values) for values in own]
                spread = [np.std(v, ddof=1) if len(v) > 1 else 0 for v in own]
                axes.errorbar(
                    np.arange(len(places)) + 0.12 * (i - (len(lines) - 1) / 2),
                    mean,
                    yerr=spread,
                    capsize=3,
                    markersize=6,
                    label=GENERATOR_NAMES[generator],
                    **GENERATOR_STYLE[generator],
                )
                sentences += [
                    f"{', '.join(words[part] for part in corner)}: {METRICS[metric].label} "
                    + ("undefined" if np.isnan(m) else METRICS[metric].show(m))
                    for corner, m in zip(corners, mean, strict=True)
                    if corner in found
                ]
            axes.set_xticks(range(len(places)), [words[p].split()[0] for p in places])
            axes.margins(x=0.12)
        panels[0, column].set_title(words[recalibration], fontsize=11)
    panels[0, 0].set_ylabel(SCORE_NAMES["mae"])
    panels[1, 0].set_ylabel(SCORE_NAMES["corr"])
    figure.legend(
        *panels[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=len(lines)
    )
    return Picture(
        figure,
        alt="Lines by sequence encoder, with and without MRM. " + "; ".join(sentences) + ".",
        caption="Test part. Markers: mean over seeds; bars: standard deviation. Where lines run "
        "side by side, the generator does the same whatever the encoder; where they cross or part, "
        f"the two interact. Setting: {setting}.",
    )
