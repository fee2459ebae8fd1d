"""The figure beside a table of gains: one arm over another, with intervals."""

from msalib.data.metrics import METRICS
from msalib.pages.contrasts import HEADLINE, Effects, gain_head, gain_text
from msalib.pages.figure import INK, PAPER, Picture, axes_of, interval, style
from msalib.pages.tables import Note


@style
def gain_figure(effects: Effects, *, setting: str) -> Picture | Note:
    """Show gains of one arm over another with intervals, a panel for each of two metrics."""
    if not effects:
        return Note(f"No two arms to compare yet. Setting: {setting}.")
    metrics = list(next(iter(effects.values())))[:HEADLINE]
    figure, panels = axes_of(1.6 + 0.65 * len(effects), ncols=len(metrics), sharey=True)
    sentences = []
    for panel, metric in zip(panels, metrics, strict=True):
        for y, ((one, other), gains) in enumerate(effects.items()):
            label = f"{one} over {other}, {METRICS[metric].label}"
            sentences.append(f"{label}: {gain_text(metric, gains[metric])}")
            interval(panel, y, gains[metric], sentences[-1])
        panel.axvline(0, color=INK, linewidth=1)
        panel.margins(x=0.08)
        panel.xaxis.get_major_locator().set_params(nbins=4)
        panel.set_xlabel(gain_head(metric), fontsize=9)
        panel.tick_params(labelsize=9)
        panel.grid(axis="y", visible=False)
    for y, (one, other) in enumerate(effects):  # above its row, across all panels
        place = panels[0].get_yaxis_transform()
        name = panels[0].text(0.01, y - 0.4, f"{one} over {other}", transform=place, fontsize=9)
        name.set_bbox({"facecolor": PAPER, "edgecolor": "none", "pad": 1})
        name.set_in_layout(False)
    panels[0].set_zorder(2)
    panels[0].patch.set_alpha(0)
    panels[0].set_yticks([])
    panels[0].set_ylim(len(effects) - 0.6, -0.8)
    return Picture(
        figure,
        alt=f"Gains of one arm over another. {'; '.join(sentences)}.",
        caption="Gains of one arm over another; right of zero, the first is better. Circle: mean "
        "over seeds; line: 95% interval over other videos and other trainings; dots: single seeds. "
        f"Test set. Setting: {setting}.",
    )
