"""The figure beside a table of gains: one arm over another, with intervals."""

from msalib.data.metrics import METRICS
from msalib.pages.contrasts import HEADLINE, Effects, gain_head, gain_text
from msalib.pages.figure import INK, Picture, axes_of, interval, name_rows, style
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
    name_rows(panels[0], [f"{one} over {other}" for one, other in effects])
    return Picture(
        figure,
        alt=f"Gains of one arm over another. {'; '.join(sentences)}.",
        caption="Gains of one arm over another; right of zero, the first is better. Circle: mean "
        "over seeds; line: 95% interval over other videos and other trainings; dots: single seeds. "
        f"Test set. Setting: {setting}.",
    )
