"""Findings in printed numbers, and what the checks can find.

Pages of notebooks lie in one folder (book/executed), so that they link each other by file name; a
row of a list is found by its name, ``paper-sugrm.html#SUGRM-C1``.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from os.path import relpath

import numpy as np
import pandas as pd
from markupsafe import Markup

from msalib.evidence.printed import names
from msalib.evidence.printed.cells import parse
from msalib.evidence.printed.checks import granularity
from msalib.evidence.printed.checks.finding import SEVERITIES, Finding
from msalib.evidence.printed.planted import DetectionRates
from msalib.evidence.registry import Paper
from msalib.pages.markup import details, lines, link
from msalib.pages.sortable import Sortable
from msalib.pages.tables import Table

Entries = Mapping[str, Paper]

LONG = 240
"""Letters of a finding that are shown at once, about; the rest opens on a click."""


# --- findings -----------------------------------------------------------------------------------


def identify(every: Iterable[Finding]) -> dict[Finding, str]:
    """Return the name of each finding: paper (without white space), check, number among these.

    Numbers follow the order of ``checks.run``, so only names from all findings of the project can
    be linked.
    """
    counts, names = Counter(), {}
    for finding in dict.fromkeys(every):
        kind = f"{'-'.join(finding.paper.split())}-{finding.check}"
        counts[kind] += 1
        names[finding] = f"{kind}-{counts[kind]}"
    return names


def match_noted(
    paper: str, entry: Paper, every: Iterable[Finding], table: pd.DataFrame
) -> dict[str, list[Finding]]:
    """Return the findings that answer to each noted item of a paper, by the item's id.

    They come from the item's check and read one of its cells. Items beyond print have none.
    """
    matched = {}
    for item in entry.noted:
        cells = set().union(*(_named(table, paper, name) for name in item.cells))
        matched[item.id] = [
            f for f in every if f.check == item.check and not cells.isdisjoint(f.cells)
        ]
    return matched


def _named(table: pd.DataFrame, paper: str, name: str) -> set[int]:
    """Return cells by the name of their row, as in ``statements``."""
    parts = parse(name)
    parts["paper"] = parts["paper"] or paper
    parts["variant"] = parts["variant"] or ("*" if parts["system"] == "*" else "")
    chosen = pd.Series(True, index=table.index)
    for column, value in parts.items():
        if value not in (None, "*"):
            chosen &= table[column] == value
    return set(table.index[chosen])


def findings(
    every: Sequence[Finding], table: pd.DataFrame, entries: Entries, paper: str | None = None
) -> Sortable:
    """List the findings of all papers or of one; ``every`` has all in any case."""
    known: dict[Finding, list[Markup]] = {}
    for name, entry in entries.items():
        for item, matched in match_noted(name, entry, every, table).items():
            for finding in matched:
                known.setdefault(finding, []).append(_row_link(name, item))
    claimed = {claim.id: name for name, entry in entries.items() for claim in entry.claims}
    rows = table.to_dict("index")
    listed = [
        {
            "id": name,
            "severity": _severity(finding.severity),
            "what was found": _message(finding, rows, claimed),
            "paper": _papers(finding, rows, entries),
            "kind": finding.check,
            "known": _known(known.get(finding, [])),
        }
        for finding, name in identify(every).items()
        if paper in (None, finding.paper)
    ]
    columns = ["id", "severity", "what was found", "paper", "kind", "known"]
    frame = pd.DataFrame(listed, columns=columns)
    if paper is None:
        caption, filters = (
            "Findings in the printed numbers.",
            ["paper", "kind", "severity", "known"],
        )
    else:
        frame, filters = frame.drop(columns="paper"), ["kind", "severity", "known"]
        caption = f"{paper_name(paper, entries)}: findings in its printed numbers."
    return Sortable(frame, caption=caption, filters=filters)


def _severity(word: str) -> Markup:
    cell = Markup('<span class="severity severity-{word}" data-order="{place}">{word}</span>')
    return cell.format(word=word, place=SEVERITIES.index(word))


VALUE = Markup('<span class="value">{}</span>')
"""What counts by itself where a column is filtered."""


def _papers(finding: Finding, rows: Mapping[int, Mapping], entries: Entries) -> Markup:
    """Name the paper that a finding is about, then those that it is compared with."""
    papers = dict.fromkeys([finding.paper, *(rows[i]["paper"] for i in finding.cells)])
    first, *others = (VALUE.format(paper_name(paper, entries)) for paper in papers)
    if not others:
        return first
    compared = Markup(", ").join(others)
    return Markup("{}<br><small>beside {}</small>").format(first, compared)


def _message(finding: Finding, rows: Mapping[int, Mapping], claimed: Mapping[str, str]) -> Markup:
    """Return the sentence, its claim as a link; the end of a long one and the cells are folded."""
    text, rest = _split(finding.message)
    start = re.match(r"[\w-]+(?=,| \(ours\))", text)
    if start and start[0] in claimed:
        text = _row_link(claimed[start[0]], start[0]) + text.removeprefix(start[0])
    cells = []
    for index in finding.cells:
        cell = rows[index]
        other = f"{cell['paper']}: " if cell["paper"] != finding.paper else ""
        cells.append(f"{other}{names.place(cell)}: {cell['printed']}")
    head = names.plural(len(cells), "number")
    folded = details(f"the rest, and {head}" if rest else head, cells, rest)
    return Markup('<div class="claim">{}</div>{}').format(text, folded)


def _split(message: str) -> tuple[str, str]:
    """Split a long message where a part of it ends; the second half is empty for a short one."""
    cut = max(message.rfind(end, 0, LONG) for end in (". ", "; ")) + 1
    if len(message) <= LONG + 100 or not cut:
        return message, ""
    return f"{message[:cut]} …", message[cut:].strip()


def _known(links: Sequence[Markup]) -> Markup:
    if not links:
        return VALUE.format("ours")
    listed = Markup(", ").join(links)
    return Markup("{}<br><small>{}</small>").format(VALUE.format("specification"), listed)


def noted(paper: str, entry: Paper, every: Sequence[Finding], table: pd.DataFrame) -> Table:
    """Show what a paper's specification notes: the findings that show it, or why none can."""
    names = identify(every)
    matched = match_noted(paper, entry, every, table)
    frame = pd.DataFrame(
        {
            "noted": Markup('<div class="claim" id="{id}"><b>{id}</b> {text}</div>').format(
                id=item.id, text=item.text
            ),
            "found by": _finders(matched[item.id], names)
            if item.check
            else f"beyond print: {item.beyond}",
            "source": item.source,
        }
        for item in entry.noted
    )
    return Table(frame, caption=f"{entry.name}: what its specification notes.")


def _finders(matched: Sequence[Finding], names: Mapping[Finding, str]) -> str:
    """Return links to findings, with how severe they are."""
    if not matched:
        return "no finding"
    found = ((_row_link(f.paper, names[f]), f.severity) for f in matched)
    return lines(Markup("{} {}").format(*finder) for finder in found)


ANSWERED = ["paper", "noted", "found by a check", "beyond print", "findings", "of them ours"]


def answered(every: Sequence[Finding], table: pd.DataFrame, entries: Entries) -> Table:
    """Show by paper what was noted before, what checks find of it, and what only they found."""
    rows, known = [], set()
    for paper, entry in entries.items():
        matched = match_noted(paper, entry, every, table)
        known.update(finding for theirs in matched.values() for finding in theirs)
        rows.append(
            {
                "paper": paper_link(paper, entries),
                "noted": len(entry.noted),
                "found by a check": sum(map(bool, matched.values())),
                "beyond print": sum(item.check is None for item in entry.noted),
            }
        )
    for row, paper in zip(rows, entries, strict=True):
        theirs = {finding for finding in every if finding.paper == paper}
        row |= {"findings": len(theirs), "of them ours": len(theirs - known)}
    frame = _with_total(pd.DataFrame(rows, columns=ANSWERED))
    return Table(frame, caption="What specifications note, and what checks find.")


def counted(every: Iterable[Finding], entries: Entries) -> Table:
    """Count the findings of each paper, by severity."""
    counts = Counter((finding.paper, finding.severity) for finding in every)
    rows = [
        {"paper": paper_link(paper, entries)} | {word: counts[paper, word] for word in SEVERITIES}
        for paper in entries
    ]
    frame = _with_total(pd.DataFrame(rows, columns=["paper", *SEVERITIES]))
    frame["all"] = frame[list(SEVERITIES)].sum(axis=1)
    return Table(frame, caption="Findings by paper and severity.")


def _with_total(frame: pd.DataFrame) -> pd.DataFrame:
    total = frame.drop(columns="paper").sum()
    return pd.concat([frame, pd.DataFrame([{"paper": Markup("<b>all</b>")} | dict(total)])])


# --- what print can tell ------------------------------------------------------------------------


def protocol(table: pd.DataFrame, entries: Entries) -> Table:
    """Show by paper the runs behind a mean, printed digits, and what granularity can find."""
    sizes = granularity.accuracies(table)
    rows = []
    for paper, entry in entries.items():
        numbers = table[(table["paper"] == paper) & (table["exhibit"] != "text")]
        cells = sizes[sizes["cell"].isin(numbers.index)]
        row = {
            "paper": paper_link(paper, entries),
            "runs behind a mean": "not stated" if entry.runs is None else str(entry.runs),
            "decimals, percent": _decimals(numbers[numbers["unit"] == "%"]),
            "decimals, MAE and Corr": _decimals(numbers[numbers["metric"].isin(["mae", "corr"])]),
        }
        own_systems = cells[table.loc[cells["cell"], "system"].isin(entry.own).to_numpy()]
        row["accuracies that could fail"] = _share(_refutable(table, cells, granularity.RUNS))
        stated = entry.runs is not None
        row["own ones that could fail by the stated runs"] = (
            _share(_refutable(table, own_systems, (entry.runs,))) if stated else "no runs stated"
        )
        rows.append(row)
    return Table(
        pd.DataFrame(rows),
        caption="How many decimals papers print (in brackets in how many numbers), and how many of "
        "their accuracies over a known number of clips could fail the granularity check: some "
        "value near the printed one, as precise, is no mean of "
        f"{names.either(granularity.RUNS)} runs.",
    )


def _refutable(table: pd.DataFrame, sizes: pd.DataFrame, runs: Sequence[int]) -> list[bool]:
    """Check for each accuracy whether some value near it would fail."""
    return [
        _pass_rate(table.loc[i], parts["clips"], runs) < 1 for i, parts in sizes.groupby("cell")
    ]


def _pass_rate(cell: Mapping, clips: Iterable[int], runs: Iterable[int]) -> float:
    """Return the share of values near a printed one that fit some number of clips and runs."""
    value, half = float(cell["value"]), float(cell["half"])
    options = [(n, r) for n in set(clips) for r in runs]
    around = granularity.near(value, half)
    return float(np.mean([any(granularity.fits(v, half, *o) for o in options) for v in around]))


def _share(judged: Sequence[bool]) -> str:
    return f"{sum(judged)} of {len(judged)}" if judged else "none printed"


def _decimals(cells: pd.DataFrame) -> str:
    """Count the decimals of numbers in their unit, the most frequent first."""
    halves = cells.loc[cells["half"] > 0, "half"]
    counts = (-np.log10(2 * halves)).round().astype(int).clip(lower=0).value_counts()
    if counts.empty:
        return "none printed"
    return ", ".join(f"{decimals} ({n})" for decimals, n in counts.items())


def detection(measured: DetectionRates) -> Table:
    """Show planted errors by kind: how many in which tables, and the share that checks detect."""
    rows = []
    for error in next(iter(measured.planted.values())):
        row = {"planted error": error}
        for tables, planted in measured.planted.items():
            detected, severe = (
                shares[tables][error] for shares in (measured.detected, measured.severe)
            )
            row[f"in {tables}"] = str(planted[error])
            row[f"detected in {tables}"] = f"{detected:.0%}"
            row[f"above notable in {tables}"] = f"{severe:.0%}"
        rows.append(row)
    caption = "Errors planted, and the share that gives a new finding, or one above notable."
    return Table(pd.DataFrame(rows), caption=caption)


def possible(cell: Mapping, clips: int) -> Table:
    """Show step by step whether a printed accuracy can be a mean of runs over so many clips."""
    value, half = float(cell["value"]), float(cell["half"])
    rows = []
    for runs in granularity.RUNS:
        right = round(value * runs * clips / 100)
        nearest = 100 * right / (runs * clips)
        reach = half + (granularity.PER_RUN if runs > 1 else 0.0)
        rows.append(
            {
                "runs": runs,
                "nearest share": f"{right} / {runs * clips} = {nearest:.3f}%",
                "off by": f"{abs(nearest - value):.3f}",
                "rounding explains": f"{reach:.3f}",
                "possible": "yes" if granularity.fits(value, half, clips, runs) else "no",
                "a random value would pass": names.chance(
                    granularity.power(value, half, clips, runs)
                ),
            }
        )
    caption = f"{names.place(cell)}: is {cell['printed']} a share of {clips} clips?"
    return Table(pd.DataFrame(rows), caption=caption)


def named(cell: Mapping, entries: Entries) -> str:
    """Return a printed number in words: 83.86 (GLoMo, Table 2, ...)."""
    return f"{cell['printed']} ({paper_name(cell['paper'], entries)}, {names.place(cell)})"


# --- words --------------------------------------------------------------------------------------


def paper_name(paper: str, entries: Entries) -> str:
    return entries[paper].name if paper in entries else paper


def paper_link(paper: str, entries: Entries) -> Markup:
    return link(f"paper-{paper}.html", paper_name(paper, entries))


def _row_link(paper: str, name: str) -> Markup:
    """Return a link to the row of a list on the page of a paper."""
    return link(f"paper-{paper}.html#{name}", name)


def page_link(page: str) -> str:
    """Return the address of a page of the book as seen from those of notebooks."""
    return relpath(f"{page}.html", "executed")
