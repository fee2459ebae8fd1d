"""The figure of MMML's Table 7: scores by window of context."""

from collections.abc import Mapping

import numpy as np

from msalib.data.metrics import METRICS
from msalib.pages.contrasts import HEADLINE, tested_metrics
from msalib.pages.figure import Picture, axes_of, style
from msalib.pages.tables import Note
from msalib.papers.mmml.windows import PARTS, Window
from msalib.runs.query import Runs
from msalib.runs.spec import System

KIND_STYLE = {
    "joined": {"color": "#D55E00", "marker": "s", "linestyle": "--"},
    "separate": {"color": "#0072B2", "marker": "o", "linestyle": "-"},
}


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
