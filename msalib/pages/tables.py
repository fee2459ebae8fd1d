"""What pages show: tables, notes, settings, and where records come from."""

from collections import Counter
from collections.abc import Iterable

import numpy as np
import pandas as pd
from markupsafe import Markup, escape

from msalib.pages import frames
from msalib.pages.markup import Shown
from msalib.runs.records import Record, undefined_for


class Table(Shown):
    """A data frame as an HTML table with a caption; text is escaped unless it is ``Markup``."""

    def __init__(self, frame: pd.DataFrame, *, caption: str):
        self.frame, self.caption = frame, caption

    def html(self) -> Markup:
        """Return the table in a region that is reached by keyboard."""
        return frames.html(self.frame, self.caption)


class Block(Shown):
    """Prepared markup."""

    def __init__(self, content: Markup):
        self.content = content

    def html(self) -> Markup:
        """Return it; text that is no markup is escaped."""
        return escape(self.content)


class Note(Shown):
    """A sentence in the place of a table or figure that this setting cannot have."""

    def __init__(self, text: str):
        self.text = text

    def html(self) -> Markup:
        """Return a paragraph."""
        return Markup('<p class="msa-note">{}</p>').format(self.text)


class Folded(Shown):
    """Something that opens on a click."""

    def __init__(self, summary: str, content: Shown):
        self.summary, self.content = summary, content

    def html(self) -> Markup:
        """Return the content, hidden below its summary."""
        content = self.content.html()
        return Markup("<details><summary>{}</summary>{}</details>").format(self.summary, content)


class Setting(Shown):
    """The setting of a page, shown before any number of it."""

    def __init__(self, setting: str):
        self.setting = setting

    def html(self) -> Markup:
        """Return a paragraph."""
        return Markup('<p><span class="setting">Setting: {}</span></p>').format(self.setting)


def constants(records: Iterable[Record], part: str = "test") -> str:
    """Count in sentences the runs without a correlation on ``part``; empty if all have one."""
    records = list(records)
    reasons = Counter(undefined_for(records, part))
    return "".join(
        f"{count} of {len(records)} runs {_CONSTANT[why]}, so that their correlation is undefined. "
        for why, count in reasons.items()
    )


_CONSTANT = {
    "constant predictions": "predict the same for every clip",
    "constant labels": "are scored on clips that all have the same label",
    "constant labels and predictions": "predict the same for every clip, and all clips have the "
    "same label",
}


def environment(records: list[Record]) -> Table:
    """Show where records come from: one row per device and set of versions, with its commits.

    A record that was asked for twice counts once.
    """
    rows = {}
    for record in {record.spec.path(): record for record in records}.values():
        p = record.provenance
        key = (p.device, ", ".join(f"{k} {v}" for k, v in p.versions.items()))
        rows.setdefault(key, []).append(p)
    frame = pd.DataFrame(
        {
            "commits": ", ".join(dict.fromkeys(p.commit for p in group)),
            "device": device,
            "versions": versions,
            "runs": len(group),
            "first (UTC)": min(p.started for p in group)[:16].replace("T", " "),
            "seconds per run": f"{np.median([p.seconds for p in group]):.1f}",
        }
        for (device, versions), group in rows.items()
    )
    return Table(frame, caption="Where these records come from.")
