"""What readers see of changes of verdicts, version by version."""

from collections import Counter
from collections.abc import Mapping, Sequence

import pandas as pd
from markupsafe import Markup

from msalib.evidence.changes import IN_PRINT, Change, Snapshot
from msalib.evidence.printed.names import plural
from msalib.evidence.registry import Paper
from msalib.pages.findings import paper_link
from msalib.pages.ledger import badge
from msalib.pages.markup import link
from msalib.pages.sortable import Sortable
from msalib.pages.tables import Note, Table
from msalib.runs import names
from msalib.runs.records import Setting

Changes = Sequence[tuple[Snapshot, Sequence[Change]]]
"""Versions with their changes, the newest first."""


def verdicts(every: Changes, entries: Mapping[str, Paper]) -> Sortable | Note:
    """List the verdicts that changed where both versions have one."""
    rows = [
        {
            "claim": _claim(change),
            "before": badge(change.before),
            "after": badge(change.after),
            "setting": setting_text(change.setting),
            "version": version_text(later),
            "paper": paper_link(change.paper, entries),
        }
        for later, changes in every
        for change in changes
        if change.kind == "changed"
    ]
    if not rows:
        return Note("No verdict has changed.")
    caption = "Verdicts that changed from one version to the next."
    return Sortable(pd.DataFrame(rows), caption=caption, filters=["paper", "version"])


def claims(every: Changes) -> Table | Note:
    """List the claims that were added, withdrawn or put in other words."""
    rows = [
        {
            "claim": _claim(change),
            "change": change.kind,
            "before": change.before,
            "after": change.after,
            "version": version_text(later),
        }
        for later, changes in every
        for change in changes
        if not change.setting
    ]
    if not rows:
        return Note("No claim has changed.")
    return Table(pd.DataFrame(rows), caption="Claims that are new, gone or reworded.")


def settings(every: Changes, entries: Mapping[str, Paper]) -> Table | Note:
    """Count the verdicts that came or went with a setting, by version and setting."""
    counts: dict[tuple[str, str, str], Counter] = {}
    for later, changes in every:
        for c in changes:
            if c.setting and c.kind != "changed":
                at = (version_text(later), c.paper, c.setting)
                counts.setdefault(at, Counter())[c.kind] += 1
    rows = [
        {
            "setting": setting_text(setting),
            "paper": paper_link(paper, entries),
            "verdicts added": count["new"],
            "verdicts withdrawn": count["gone"],
            "version": version,
        }
        for (version, paper, setting), count in counts.items()
    ]
    if not rows:
        return Note("No setting has come or gone.")
    return Table(pd.DataFrame(rows), caption="Verdicts that came or went with a setting.")


def totals(every: Changes) -> dict[str, str]:
    """Return texts for prose on the newest version: ``version``, ``date``, ``commit``, ``answer``.

    The answer says how many verdicts and claims changed since the version before.
    """
    later, changes = every[0]
    kinds = Counter((change.kind, bool(change.setting)) for change in changes)
    answer = (
        f"In version {version_text(later)} {plural(kinds['changed', True], 'verdict')} changed, "
        f"{kinds['new', True]} came with further settings or claims, and {kinds['gone', True]} "
        f"were withdrawn; {plural(kinds['new', False], 'claim')} came and "
        f"{kinds['reworded', False]} got other words."
    )
    about = {"version": later.version, "date": str(later.date), "commit": later.commit}
    return about | {"answer": answer}


def setting_text(name: str) -> str:
    """Return the name of a setting for readers."""
    return "in print" if name == IN_PRINT else names.full(Setting(*name.split("/")))


def version_text(of: Snapshot) -> str:
    """Return a version with its day."""
    return of.version if of.version == str(of.date) else f"{of.version} ({of.date})"


def _claim(change: Change) -> Markup:
    return Markup("<b>{}</b>").format(
        link(f"paper-{change.paper}.html#{change.claim}", change.claim)
    )
