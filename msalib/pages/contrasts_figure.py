"""The figure beside a table of gains: one arm over another, with intervals."""

import numpy as np

from msalib.base.stats import Estimate
from msalib.data.metrics import METRICS
from msalib.pages.contrasts import HEADLINE, Effects, gain_head, gain_text
from msalib.pages.figure import Picture, axes_of, style
from msalib.pages.tables import Note


@style
def gain_figure(effects: Effects, *, setting: str) -> Picture | Note:
    """Show gains of one arm over another with intervals, a panel for each of two metrics."""
    if not effects:
        return Note(f"No two arms to compare yet. Setting: {setting}.")
    metrics = list(next(iter(effects.values())))[:HEADLINE]
    figure, panels = axes_of(1.6 + 0.6 * len(effects), ncols=len(metrics), sharey=True)
    sentences = []
    for panel, metric in zip(panels, metrics, strict=True):
        for y, ((one, other), gains) in enumerate(effects.items()):
            _interval(panel, y, gains[metric])
            text = gain_text(metric, gains[metric])
            sentences.append(f"{one} over {other}, {METRICS[metric].label}: {text}")
        panel.axvline(0, color="black", linewidth=1)
        panel.margins(x=0.08)
        panel.xaxis.get_major_locator().set_params(nbins=4)
        panel.set_xlabel(gain_head(metric), fontsize=9)
        panel.tick_params(labelsize=9)
        panel.grid(axis="y", visible=False)
    for y, (one, other) in enumerate(effects):  # above its row, across all panels
        place = panels[0].get_yaxis_transform()
        name = panels[0].text(0.01, y - 0.42, f"{one} over {other}", transform=place, fontsize=7.5)
        name.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 1})
        name.set_in_layout(False)
    panels[0].set_zorder(2)
    panels[0].patch.set_alpha(0)
    panels[0].set_yticks([])
    panels[0].set_ylim(len(effects) - 0.6, -0.8)
    return Picture(
        figure,
        alt=f"Gains of one arm over another. {'; '.join(sentences)}.",
        caption="Right of zero: the first is better. Circle: mean over seeds; line: interval of "
        "95% over other videos and other trainings; dots: single seeds. Test set. "
        f"Setting: {setting}.",
    )


def _interval(panel, y: int, gain: Estimate) -> None:
    """Draw a gain with its interval and its seeds in a row of a panel."""
    if np.isnan(gain.low):
        panel.text(0, y, "undefined", ha="center", va="center", fontsize=9)
        return
    panel.plot([gain.low, gain.high], [y, y], color="#0072B2", linewidth=2.2)
    panel.plot(gain.effect, y, "o", color="#0072B2", markersize=7)
    panel.plot(gain.seeds, [y + 0.2] * len(gain.seeds), ".", color="black", markersize=4)
