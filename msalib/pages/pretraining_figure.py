"""Figures of what pretraining learned: learning curves, and what the other stream is worth."""

import numpy as np

from msalib.evidence.seeds import over_seeds
from msalib.pages.figure import (
    BLUE,
    INK,
    Picture,
    axes_of,
    evenly,
    interval,
    mark,
    name_rows,
    style,
)
from msalib.pages.pretraining import STREAMS, ByArm, heard, heard_text, telling
from msalib.pages.tables import Note

STYLES = (
    {"color": BLUE, "linestyle": "-"},
    {"color": "#D55E00", "linestyle": "--"},
    {"color": "#009E73", "linestyle": "-."},
    {"color": "#CC79A7", "linestyle": ":"},
    {"color": "#56B4E9", "linestyle": "-"},
    {"color": INK, "linestyle": "--"},
)
"""Looks of pretrainings, in order."""


@style
def learning_curves(by_arm: ByArm, *, setting: str) -> Picture | Note:
    """Show the share of masked tokens and frames that is predicted correctly, by update."""
    present = {name: records for name, records in by_arm.items() if records}
    if not present:
        return Note(f"No pretraining of this page is recorded yet. Setting: {setting}.")
    figure, panels = axes_of(5.2, nrows=len(STREAMS), sharex=True)
    sentences = []
    for axes, (share, words) in zip(panels, STREAMS.items(), strict=True):
        for (name, records), look in zip(present.items(), _looks(len(present)), strict=True):
            curves = 100 * np.array([record.curve[share] for record in records])
            update = records[0].curve["update"]
            axes.plot(update, curves.mean(0), label=name, **look)
            axes.fill_between(update, curves.min(0), curves.max(0), color=look["color"], alpha=0.2)
            for at in evenly(len(update)):
                low, high = curves[:, at].min(), curves[:, at].max()
                said = f"{name}, {words}, update {update[at]}: {curves[:, at].mean():.1f}%"
                mark(axes, update[at], curves[:, at].mean(), f"{said}, {low:.1f} to {high:.1f}%")
            first, last = curves.mean(0)[[0, -1]]
            sentences.append(f"{name}, {words}: from {first:.1f}% to {last:.1f}%")
        axes.set_ylabel(f"{words} (%)")
    panels[-1].set_xlabel("update")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=2, fontsize=9)
    return Picture(
        figure,
        alt=f"Correct predictions by update. {'; '.join(sentences)}.",
        caption="Share of masked tokens and frames that is predicted correctly on training clips, "
        "by update of the last stage. Line: mean over seeds; band: from the lowest to the highest. "
        f"Setting: {setting}.",
    )


def _looks(count: int) -> list[dict]:
    return [STYLES[k % len(STYLES)] for k in range(count)]


@style
def heard_figure(by_arm: ByArm, *, setting: str) -> Picture | Note:
    """Show by seed how many points the clip's own other stream is worth, a panel per stream."""
    present, left_out = telling(by_arm)
    if not present:
        what = left_out or "No pretraining of this page is recorded yet. "
        return Note(f"{what}Setting: {setting}.")
    figure, panels = axes_of(1.4 + 0.65 * len(present), ncols=len(STREAMS), sharey=True)
    sentences = []
    for axes, (share, words) in zip(panels, STREAMS.items(), strict=True):
        for y, (name, records) in enumerate(present.items()):
            values = heard(records, share)
            sentences.append(f"{name}, {words}: {heard_text(values)}")
            if len(values) > 1:
                interval(axes, y, over_seeds(values), sentences[-1])
            else:
                axes.plot(values, [y], "o", color=BLUE, markersize=7)
                mark(axes, values[0], y, sentences[-1])
        axes.axvline(0, color=INK, linewidth=1)
        axes.set_xlabel(f"{words}\n(points)", fontsize=9)
        axes.margins(x=0.12)
        axes.grid(axis="y", visible=False)
    name_rows(panels[0], list(present))
    return Picture(
        figure,
        alt=f"What the other stream is worth. {'; '.join(sentences)}.",
        caption="Correct predictions with the clip's own other stream, minus those with another "
        "clip's, on held-out clips. Circle: mean over seeds; line: 95% interval over trainings; "
        f"dots: single seeds. {left_out}Setting: {setting}.",
    )
