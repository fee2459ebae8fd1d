"""What pages show: tables, notes, settings, and where records come from."""

from collections.abc import Callable, Iterable
from html import escape

import numpy as np
import pandas as pd

from msalib.data.metrics import METRICS
from msalib.runs.records import Record


class Table:
    """A data frame as an HTML table with a caption; cells are shown as they are."""

    def __init__(self, frame: pd.DataFrame, *, caption: str):
        self.frame, self.caption = frame, caption

    def _repr_html_(self) -> str:
        html = self.frame.to_html(index=False, escape=False, border=0, classes="msa")
        return (
            '<div class="msa-table" tabindex="0" role="region" '
            f'aria-label="{escape(self.caption)}"><p class="msa-caption">{escape(self.caption)}</p>'
            f"{html}</div>"
        )


class Block:
    """HTML that is shown as it is."""

    def __init__(self, html: str):
        self.html = html

    def _repr_html_(self) -> str:
        return self.html


class Note:
    """A sentence in the place of a table or figure that this setting cannot have."""

    def __init__(self, text: str):
        self.text = text

    def _repr_html_(self) -> str:
        return f'<p class="msa-note">{escape(self.text)}</p>'


class Folded:
    """Something that opens on a click."""

    def __init__(self, summary: str, content: Table):
        self.summary, self.content = summary, content

    def _repr_html_(self) -> str:
        return (
            f"<details><summary>{escape(self.summary)}</summary>"
            f"{self.content._repr_html_()}</details>"
        )


class Setting:
    """The setting of a page, shown before any number of it."""

    def __init__(self, setting: str):
        self.setting = setting

    def _repr_html_(self) -> str:
        return f'<p><span class="setting">Setting: {escape(self.setting)}</span></p>'


def spread(values: Iterable[float | None], metric: str) -> str:
    """Return mean and standard deviation over seeds (n - 1), as the papers print the metric."""
    return mean_sd(values, METRICS[metric].show)


def mean_sd(values: Iterable[float | None], show: Callable[[float], str]) -> str:
    """Return mean and standard deviation (n - 1) of defined values, and how many are undefined."""
    values = list(values)
    defined = np.array([v for v in values if v is not None], float)
    if not len(defined):
        return "undefined"
    text = show(defined.mean())
    if len(defined) > 1:
        text += f"\u00a0±\u00a0{show(defined.std(ddof=1))}"
    if len(defined) < len(values):
        text += f" ({len(values) - len(defined)} undefined)"
    return text


def constants(records: Iterable[Record], part: str = "test") -> str:
    """Count in a sentence the runs without a correlation on ``part``; empty if all have one."""
    undefined = [r.metrics[part].get("corr", 0.0) is None for r in records]
    if not any(undefined):
        return ""
    return (
        f"{sum(undefined)} of {len(undefined)} runs predict the same for every clip, so that their "
        "correlation is undefined. "
    )


def environment(records: list[Record]) -> Table:
    """Show where records come from: one row per commit, device and set of versions.

    A record that was asked for twice counts once.
    """
    rows = {}
    for record in {record.spec.path(): record for record in records}.values():
        p = record.provenance
        key = (p.commit, p.device, ", ".join(f"{k} {v}" for k, v in p.versions.items()))
        rows.setdefault(key, []).append(p)
    frame = pd.DataFrame(
        {
            "commit": commit,
            "device": device,
            "versions": versions,
            "runs": len(group),
            "first (UTC)": min(p.started for p in group)[:16].replace("T", " "),
            "seconds per run": f"{np.median([p.seconds for p in group]):.1f}",
        }
        for (commit, device, versions), group in rows.items()
    )
    return Table(frame, caption="Where these records come from.")
