"""Figures of MMML's tables: gains with intervals, and scores by window of context."""

from collections.abc import Mapping

import numpy as np

from msalib.base.stats import Estimate
from msalib.data.metrics import METRICS
from msalib.pages.figure import Picture, axes_of, style
from msalib.pages.tables import Note
from msalib.papers.mmml.gains import HEADLINE, Effects, gain_head, gain_text, tested_metrics
from msalib.papers.mmml.windows import PARTS, Window
from msalib.runs.query import Runs
from msalib.runs.spec import System

KIND_STYLE = {
    "joined": {"color": "#D55E00", "marker": "s", "linestyle": "--"},
    "separate": {"color": "#0072B2", "marker": "o", "linestyle": "-"},
}


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


@style
def window_curves(runs: Runs, windows: Mapping[Window, System], *, setting: str) -> Picture | Note:
    """Show scores of text alone by window, a line per kind of context: validation and test."""
    present = {w: runs.records(s)[0] for w, s in windows.items() if runs.has(s)}
    if not present:
        return Note(f"No window was run yet. Setting: {setting}.")
    metrics = tested_metrics(next(iter(present.values()))[0])[:HEADLINE]
    figure, panels = axes_of(5.2, nrows=len(metrics), ncols=len(PARTS), sharex=True, sharey="row")
    sentences = []
    for row, metric in zip(panels, metrics, strict=True):
        for axes, part in zip(row, PARTS, strict=True):
            for shift, kind in zip((-0.06, 0.06), KIND_STYLE, strict=True):
                scores = {
                    w.clips: [r.metrics[part][metric] for r in seeds]
                    for w, seeds in present.items()
                    if w.kind == kind
                }
                means = _curve(axes, scores, metric, shift, kind)
                numbers = ", ".join(f"{k} before {text}" for k, text in means.items())
                sentences.append(f"{METRICS[metric].label} on {PARTS[part]}, {kind}: {numbers}")
            axes.margins(x=0.1, y=0.15)
        row[0].set_ylabel(METRICS[metric].label)
    for axes, part in zip(panels[0], PARTS.values(), strict=True):
        axes.set_title(part, fontsize=11)
    panels[0, 0].set_xticks(sorted({w.clips for w in present}))
    figure.supxlabel("clips before", fontsize=11)
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(KIND_STYLE))
    return Picture(
        figure,
        alt=f"Scores by window of context. {'; '.join(sentences)}.",
        caption="Words alone, by the number of preceding clips. Markers: mean over seeds; bars: "
        f"standard deviation. Window 0 is one model for both kinds. Setting: {setting}.",
    )


def _curve(axes, scores, metric: str, shift: float, kind: str) -> dict[int, str]:
    """Draw one kind's scores, window -> one per seed; return their means as text."""
    factor = 100 if METRICS[metric].unit == "%" else 1
    values = {k: np.array([np.nan if v is None else v for v in s]) for k, s in scores.items()}
    means = {k: float(v.mean()) for k, v in values.items()}
    axes.errorbar(
        np.array(list(means)) + shift,
        [factor * mean for mean in means.values()],
        yerr=[factor * v.std(ddof=1) if len(v) > 1 else 0 for v in values.values()],
        capsize=3,
        markersize=6,
        label=kind,
        **KIND_STYLE[kind],
    )
    return {k: "undefined" if np.isnan(m) else METRICS[metric].show(m) for k, m in means.items()}
