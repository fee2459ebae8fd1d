"""Draw scores along a choice, such as a window or a weight, on validation and on test."""

from collections.abc import Hashable, Mapping, Sequence

import numpy as np

from msalib.data.metrics import METRICS
from msalib.pages.cells import spread
from msalib.pages.figure import BLUE, INK, Picture, axes_of, mark, style
from msalib.pages.tables import Note
from msalib.runs.query import Runs
from msalib.runs.spec import System

PARTS = {"valid": "validation", "test": "test"}
"""Parts of the data that are drawn, and their names."""

STYLES = (
    {"color": "#D55E00", "marker": "s", "linestyle": "--"},
    {"color": BLUE, "marker": "o", "linestyle": "-"},
)
"""Looks of two lines; a single one has the last."""

OWN_SCALE = "What the paper prints is of its own data and has a scale of its own. "

RING = {"marker": "o", "markersize": 13, "fillstyle": "none", "color": INK}
"""Look of what validation chooses."""

Lines = Mapping[str, Mapping[Hashable, System]]
"""Name of a line -> choice -> system."""

Printed = Mapping[str, Mapping[Hashable, Mapping[str, float]]]
"""Name of a line -> choice -> metric -> value as printed, a share as a part of 1."""


@style
def score_curves(
    runs: Runs,
    lines: Lines,
    metrics: Sequence[str],
    *,
    what: str,
    about: str,
    setting: str,
    printed: Printed | None = None,
) -> Picture | Note:
    """Show scores of systems by a choice, a line per kind of system, a panel per metric and part.

    ``what`` names the choice, whose values are evenly spaced; ``about`` begins the caption. What
    the paper prints has panels of its own with axes of their own, since its level is another.
    """
    present = {
        name: {choice: s for choice, s in systems.items() if runs.has(s)}
        for name, systems in lines.items()
    }
    choices = list(dict.fromkeys(choice for systems in lines.values() for choice in systems))
    if not any(present.values()):
        return Note(f"Nothing was run yet, by {what}. Setting: {setting}.")
    columns = [*PARTS.values(), *(["printed"] if printed else [])]
    figure, panels = axes_of(
        0.8 + 2.2 * len(metrics), nrows=len(metrics), ncols=len(columns), sharex=True
    )
    panels, sentences = np.atleast_2d(panels), []
    shifts = np.linspace(-0.06, 0.06, len(lines)) if len(lines) > 1 else [0.0]
    looks = [
        {"label": name, **look} for name, look in zip(lines, STYLES[-len(lines) :], strict=True)
    ]
    for row, metric in zip(panels, metrics, strict=True):
        row[1].sharey(row[0])
        for shift, look in zip(shifts, looks, strict=True):
            places = {c: choices.index(c) + shift for c in choices}
            name = look["label"]
            sentences += _measured(row, runs, present[name], places, metric, look, what)
            if printed:
                values = {c: cell[metric] for c, cell in printed[name].items() if metric in cell}
                sentences += _as_printed(row[-1], values, places, metric, look, what)
        row[0].set_ylabel(METRICS[metric].label)
    _labelled(figure, panels, columns, choices, what)
    return Picture(
        figure,
        alt=f"Scores by {what}. {'; '.join(sentences)}.",
        caption=f"{about} Markers: mean over seeds; bars: standard deviation. "
        f"{_rings(runs, present)}{OWN_SCALE * bool(printed)}Setting: {setting}.",
    )


def _labelled(figure, panels, columns: Sequence[str], choices: Sequence, what: str) -> None:
    """Name columns, places and lines."""
    for axes, name in zip(panels[0], columns, strict=True):
        axes.set_title(name, fontsize=11)
    for axes in panels.flat:
        axes.margins(x=0.1, y=0.15)
    for axes in panels[:, 1]:
        axes.tick_params(labelleft=False)
    panels[0, 0].set_xticks(range(len(choices)), [str(c) for c in choices])
    figure.supxlabel(what, fontsize=11)
    handles, labels = panels[0, 0].get_legend_handles_labels()
    if len(labels) > 1:
        figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))


def _measured(
    row, runs: Runs, systems: Mapping, places: Mapping, metric: str, look: Mapping, what: str
) -> list[str]:
    """Draw the scores of one line on each part; return them in words."""
    sentences, name, label = [], look["label"], METRICS[metric].label
    chosen = _chosen(runs, list(systems.values()))
    for axes, (part, part_name) in zip(row, PARTS.items(), strict=False):
        scores = {
            c: [r.metrics[part][metric] for r in runs.records(s)[0]] for c, s in systems.items()
        }
        means = _curve(axes, scores, places, metric, look)
        for choice, mean in means.items():
            text = f"{name}, {what} {choice}, {part_name}: {spread(scores[choice], metric)}"
            if systems[choice] == chosen:
                axes.plot(places[choice], mean, **RING)
                text += ", chosen by validation"
            mark(axes, places[choice], mean, text)
        sentences.append(f"{label} on {part_name}, {name}: {_listed(means, metric)}")
    return sentences


def _chosen(runs: Runs, systems: Sequence[System]) -> System | None:
    """Return what validation chooses; of one system, or of shares of the data, it chooses none."""
    if len(systems) < 2 or not runs.has(*systems) or len({s.train_share for s in systems}) > 1:
        return None
    return runs.best(systems)


def _rings(runs: Runs, lines: Lines) -> str:
    """Say what rings mean, if there are any."""
    if not any(_chosen(runs, list(systems.values())) for systems in lines.values()):
        return ""
    return f"Rings: what validation chooses, by {METRICS[runs.task.selects].label}. "


def _curve(axes, scores: Mapping, places: Mapping, metric: str, look: Mapping) -> dict:
    """Draw scores, choice -> one per seed; return their means in the unit of the axis."""
    values = {c: np.array([np.nan if v is None else v for v in s]) for c, s in scores.items()}
    means = {c: _factor(metric) * float(v.mean()) for c, v in values.items()}
    axes.errorbar(
        [places[c] for c in means],
        list(means.values()),
        yerr=[_factor(metric) * v.std(ddof=1) if len(v) > 1 else 0 for v in values.values()],
        capsize=3,
        markersize=6,
        **look,
    )
    return means


def _as_printed(
    axes, values: Mapping, places: Mapping, metric: str, look: Mapping, what: str
) -> list[str]:
    """Draw what a paper prints, choice -> value; return it in words."""
    means = {choice: _factor(metric) * value for choice, value in values.items()}
    look = look | {"fillstyle": "none", "markersize": 6}
    axes.plot([places[c] for c in means], list(means.values()), **look)
    for choice, value in values.items():
        text = f"{look['label']}, {what} {choice}, printed: {METRICS[metric].show(value)}"
        mark(axes, places[choice], means[choice], text)
    return [f"{METRICS[metric].label} as printed, {look['label']}: {_listed(means, metric)}"]


def _factor(metric: str) -> int:
    return 100 if METRICS[metric].unit == "%" else 1


def _listed(means: Mapping, metric: str) -> str:
    """Return means in the unit of the axis as text."""
    decimals = METRICS[metric].decimals
    shown = {c: "undefined" if np.isnan(m) else f"{m:.{decimals}f}" for c, m in means.items()}
    return ", ".join(f"at {choice} {text}" for choice, text in shown.items())
