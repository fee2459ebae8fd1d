"""The figure beside a comparison table: one system minus each of several others."""

from collections.abc import Mapping

import numpy as np

from msalib.base.stats import Estimate
from msalib.data.metrics import METRICS
from msalib.pages.cells import interval_text
from msalib.pages.figure import INK, Picture, axes_of, interval, style
from msalib.pages.tables import Note

SCORE_NAMES = {
    "mae": "MAE (points)",
    "corr": "Corr (Pearson's r)",
    "f1_non0": "F1, non 0 (%)",
}


@style
def minus_others(
    effects: Mapping[str, Mapping[str, Estimate]], base: str, *, setting: str
) -> Picture | Note:
    """Show one system minus each of several others, in MAE and in Corr, with intervals.

    ``effects``: other system -> metric -> difference (``compare.differences``).
    """
    if not effects:
        return Note(f"No two systems to compare yet. Setting: {setting}.")
    names = list(effects)
    figure, panels = axes_of(1.6 + 0.42 * len(names), ncols=2, sharey=True)
    sentences = []
    for panel, metric in zip(panels, ("mae", "corr"), strict=True):
        for y, name in enumerate(names):
            effect, label = effects[name][metric], METRICS[metric].label
            interval(panel, y, effect, f"{base} minus {name}, {label}: {interval_text(effect)}")
            if np.isnan(effect.low):
                sentences.append(f"{name}, {metric}: undefined")
                continue
            sentences.append(
                f"{name}, {label}: {effect.effect:+.3f}, from {effect.low:+.3f} to "
                f"{effect.high:+.3f}"
            )
        panel.axvline(0, color=INK, linewidth=1)
        panel.margins(x=0.08)
        panel.xaxis.get_major_locator().set_params(nbins=4)
        better = "right" if METRICS[metric].higher_is_better else "left"
        panel.set_xlabel(f"{SCORE_NAMES[metric].partition(' (')[0]} ({better}: {base} better)")
        panel.xaxis.label.set_fontsize(9)
        panel.grid(axis="y", visible=False)
    panels[0].set_yticks(range(len(names)), names)
    panels[0].set_ylim(len(names) - 0.5, -0.6)
    return Picture(
        figure,
        alt=f"Differences, {base} minus each other system. " + "; ".join(sentences) + ".",
        caption=f"{base} minus each other system on the test set, MAE in points. Circle: mean "
        "over seeds; line: 95% interval over other videos and trainings; dots: single seeds. "
        f"Setting: {setting}.",
    )
