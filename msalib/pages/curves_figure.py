"""Draw scores along a choice, such as a window or a weight, on validation and on test."""

from collections.abc import Hashable, Mapping, Sequence

import numpy as np

from msalib.data.metrics import METRICS
from msalib.pages.figure import Picture, axes_of, style
from msalib.pages.tables import Note
from msalib.runs.query import Runs
from msalib.runs.spec import System

PARTS = {"valid": "validation", "test": "test"}
"""Parts of the data that are drawn, and their names."""

STYLES = (
    {"color": "#D55E00", "marker": "s", "linestyle": "--"},
    {"color": "#0072B2", "marker": "o", "linestyle": "-"},
)
"""Looks of two lines; a single one has the last."""

Lines = Mapping[str, Mapping[Hashable, System]]
"""Name of a line -> choice -> system."""


@style
def score_curves(
    runs: Runs, lines: Lines, metrics: Sequence[str], *, what: str, about: str, setting: str
) -> Picture | Note:
    """Show scores of systems by a choice, a line per kind of system, a panel per metric and part.

    ``what`` names the choice, whose values are evenly spaced; ``about`` begins the caption.
    """
    present = {
        name: {choice: s for choice, s in systems.items() if runs.has(s)}
        for name, systems in lines.items()
    }
    choices = list(dict.fromkeys(choice for systems in lines.values() for choice in systems))
    if not any(present.values()):
        return Note(f"Nothing was run yet, by {what}. Setting: {setting}.")
    figure, panels = axes_of(
        0.8 + 2.2 * len(metrics), nrows=len(metrics), ncols=len(PARTS), sharex=True, sharey="row"
    )
    panels, sentences = np.atleast_2d(panels), []
    shifts = np.linspace(-0.06, 0.06, len(lines)) if len(lines) > 1 else [0.0]
    looks = STYLES[-len(lines) :]
    for row, metric in zip(panels, metrics, strict=True):
        for axes, part in zip(row, PARTS, strict=True):
            for (name, systems), shift, look in zip(present.items(), shifts, looks, strict=True):
                scores = {
                    c: [r.metrics[part][metric] for r in runs.records(s)[0]]
                    for c, s in systems.items()
                }
                places = np.array([choices.index(c) for c in systems]) + shift
                means = _curve(axes, places, scores, metric, {"label": name, **look})
                numbers = ", ".join(f"at {c} {text}" for c, text in means.items())
                sentences.append(f"{METRICS[metric].label} on {PARTS[part]}, {name}: {numbers}")
            axes.margins(x=0.1, y=0.15)
        row[0].set_ylabel(METRICS[metric].label)
    for axes, part in zip(panels[0], PARTS.values(), strict=True):
        axes.set_title(part, fontsize=11)
    panels[0, 0].set_xticks(range(len(choices)), [str(c) for c in choices])
    figure.supxlabel(what, fontsize=11)
    if len(lines) > 1:
        handles, labels = panels[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=len(lines))
    return Picture(
        figure,
        alt=f"Scores by {what}. {'; '.join(sentences)}.",
        caption=f"{about} Markers: mean over seeds; bars: standard deviation. Setting: {setting}.",
    )


def _curve(axes, places: np.ndarray, scores: Mapping, metric: str, look: Mapping) -> dict:
    """Draw the scores of one line, choice -> one per seed; return their means as text."""
    factor = 100 if METRICS[metric].unit == "%" else 1
    values = {c: np.array([np.nan if v is None else v for v in s]) for c, s in scores.items()}
    means = {c: float(v.mean()) for c, v in values.items()}
    axes.errorbar(
        places,
        [factor * mean for mean in means.values()],
        yerr=[factor * v.std(ddof=1) if len(v) > 1 else 0 for v in values.values()],
        capsize=3,
        markersize=6,
        **look,
    )
    return {c: "undefined" if np.isnan(m) else METRICS[metric].show(m) for c, m in means.items()}
