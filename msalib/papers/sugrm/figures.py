"""Figures of SUGRM's tables: differences, sets of tasks, modules."""

from collections.abc import Mapping, Sequence

import numpy as np

from msalib.base import stats
from msalib.data.metrics import METRICS
from msalib.pages.figure import Picture, axes_of, style
from msalib.pages.tables import Note

GENERATOR_STYLE = {
    "own_ulgm": {"color": "#0072B2", "marker": "o", "linestyle": "-"},
    "other_ulgm": {"color": "#D55E00", "marker": "s", "linestyle": "--"},
}
GENERATOR_NAMES = {"own_ulgm": "SUGRM's label generator", "other_ulgm": "Self-MM's"}
SCORE_NAMES = {
    "mae": "MAE (points)",
    "corr": "Corr (Pearson's r)",
    "f1_non0": "F1, non 0 (%)",
}


@style
def minus_others(
    found: Mapping[str, Mapping[str, stats.Estimate]], base: str, *, setting: str
) -> Picture | Note:
    """One system minus each of several others, in MAE and in Corr, with intervals.

    ``found``: other system -> metric -> difference, as ``variants.differences`` has it.
    """
    if not found:
        return Note(f"No two systems to compare yet. Setting: {setting}.")
    names = list(found)
    figure, panels = axes_of(1.6 + 0.42 * len(names), ncols=2, sharey=True)
    sentences = []
    for panel, metric in zip(panels, ("mae", "corr"), strict=True):
        for y, name in enumerate(names):
            effect = found[name][metric]
            if np.isnan(effect.low):
                panel.text(0, y, "undefined", ha="center", va="center")
                sentences.append(f"{name}, {metric}: undefined")
                continue
            panel.plot([effect.low, effect.high], [y, y], color="#0072B2", linewidth=2.2)
            panel.plot(effect.effect, y, "o", color="#0072B2", markersize=7)
            dots = [y - 0.27] * len(effect.seeds)
            panel.plot(effect.seeds, dots, ".", color="black", markersize=4)
            sentences.append(
                f"{name}, {METRICS[metric].label}: {effect.effect:+.3f}, from {effect.low:+.3f} "
                f"to {effect.high:+.3f}"
            )
        panel.axvline(0, color="black", linewidth=1)
        panel.margins(x=0.08)
        panel.xaxis.get_major_locator().set_params(nbins=4)
        better = "right" if METRICS[metric].higher_is_better else "left"
        panel.set_xlabel(f"{SCORE_NAMES[metric].partition(' (')[0]} ({better}: {base} better)")
        panel.xaxis.label.set_fontsize(9)
        panel.grid(axis="y", visible=False)
    panels[0].set_yticks(range(len(names)), names)
    panels[0].set_ylim(len(names) - 0.4, -0.6)
    return Picture(
        figure,
        alt=f"Differences, {base} minus each other system. " + "; ".join(sentences) + ".",
        caption=f"{base} minus each other system on the test part, MAE in points. Circle: mean "
        "over seeds; line: 95% interval over other videos and trainings; dots: single seeds. "
        f"Setting: {setting}.",
    )


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
