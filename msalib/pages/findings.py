"""What readers see of printed numbers: findings, drift, what the checks can find.

Pages of notebooks lie in one folder (book/executed), so that they link each other by file name; a
row of a list is found by its name, ``paper-sugrm.html#SUGRM-C1``.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from os.path import relpath

import numpy as np
import pandas as pd

from msalib.evidence.printed import names
from msalib.evidence.printed.cells import parse
from msalib.evidence.printed.checks import granularity
from msalib.evidence.printed.checks.drift import shared
from msalib.evidence.printed.checks.finding import SEVERITIES, Finding
from msalib.evidence.printed.planted import DetectionRates
from msalib.evidence.printed.units import METRIC_UNITS
from msalib.evidence.registry import Paper
from msalib.pages.sortable import Sortable
from msalib.pages.tables import Table

Entries = Mapping[str, Paper]

LONG = 240
"""Letters of a finding that are shown at once, about; the rest opens on a click."""


# --- findings -----------------------------------------------------------------------------------


def identify(found: Iterable[Finding]) -> dict[Finding, str]:
    """The name of each finding: paper, check, number among these.

    Numbers follow the order of ``checks.run``, so only names from all findings of the project can
    be linked.
    """
    counts, names = Counter(), {}
    for finding in dict.fromkeys(found):
        counts[finding.paper, finding.check] += 1
        names[finding] = f"{finding.paper}-{finding.check}-{counts[finding.paper, finding.check]}"
    return names


def match_noted(
    paper: str, entry: Paper, found: Iterable[Finding], table: pd.DataFrame
) -> dict[str, list[Finding]]:
    """The findings that answer to each noted item of a paper, by the item's id.

    They come from the item's check and read one of its cells. Items beyond print have none.
    """
    matched = {}
    for item in entry.noted:
        cells = set().union(*(_named(table, paper, name) for name in item.cells))
        matched[item.id] = [
            f for f in found if f.check == item.check and not cells.isdisjoint(f.cells)
        ]
    return matched


def _named(table: pd.DataFrame, paper: str, name: str) -> set[int]:
    """Cells by the name of their row, as in ``statements``; what is not named is not asked."""
    parts = parse(name)
    parts["paper"] = parts["paper"] or paper
    parts["variant"] = parts["variant"] or ("*" if parts["system"] == "*" else "")
    wanted = pd.Series(True, index=table.index)
    for column, value in parts.items():
        if value not in (None, "*"):
            wanted &= table[column] == value
    return set(table.index[wanted])


def findings(
    found: Sequence[Finding], table: pd.DataFrame, entries: Entries, paper: str | None = None
) -> Sortable:
    """The list of findings, of all papers or of one; ``found`` has all in any case."""
    known: dict[Finding, list[str]] = {}
    for name, entry in entries.items():
        for item, matched in match_noted(name, entry, found, table).items():
            for finding in matched:
                known.setdefault(finding, []).append(
                    f'<a href="paper-{name}.html#{item}">{item}</a>'
                )
    claimed = {claim.id: name for name, entry in entries.items() for claim in entry.claims}
    rows = table.to_dict("index")
    shown = [
        {
            "id": name,
            "severity": _severity(finding.severity),
            "what was found": _message(finding, rows, claimed),
            "paper": _papers(finding, rows, entries),
            "kind": finding.check,
            "known": _known(known.get(finding, [])),
        }
        for finding, name in identify(found).items()
        if paper in (None, finding.paper)
    ]
    columns = ["id", "severity", "what was found", "paper", "kind", "known"]
    frame = pd.DataFrame(shown, columns=columns)
    if paper is None:
        caption, filters = (
            "Findings in the printed numbers.",
            ["paper", "kind", "severity", "known"],
        )
    else:
        frame, filters = frame.drop(columns="paper"), ["kind", "severity", "known"]
        caption = f"{paper_name(paper, entries)}: findings in its printed numbers."
    return Sortable(frame, caption=caption, filters=filters)


def _severity(word: str) -> str:
    place = SEVERITIES.index(word)
    return f'<span class="severity severity-{word}" data-order="{place}">{word}</span>'


def _papers(finding: Finding, rows: Mapping[int, Mapping], entries: Entries) -> str:
    """The paper that a finding is about, then those that it is compared with."""
    first, *others = dict.fromkeys([finding.paper, *(rows[i]["paper"] for i in finding.cells)])
    value = '<span class="value">{}</span>'
    text = value.format(escape(paper_name(first, entries)))
    if others:
        shown = ", ".join(value.format(escape(paper_name(other, entries))) for other in others)
        text += f"<br><small>beside {shown}</small>"
    return text


def _message(finding: Finding, rows: Mapping[int, Mapping], claimed: Mapping[str, str]) -> str:
    """The sentence, a claim's id in it as a link; folded, the end of a long one and the cells."""
    first, rest = _split(finding.message)
    text = escape(first)
    start = re.match(r"[\w-]+(?=,| \(ours\))", text)
    if start and start[0] in claimed:
        link = f'<a href="paper-{claimed[start[0]]}.html#{start[0]}">{start[0]}</a>'
        text = link + text.removeprefix(start[0])
    cells = []
    for index in finding.cells:
        cell = rows[index]
        other = f"{cell['paper']}: " if cell["paper"] != finding.paper else ""
        cells.append(f"{other}{names.place(cell)}: {cell['printed']}")
    head = names.plural(len(cells), "number")
    folded = details(f"the rest, and {head}" if rest else head, cells, rest)
    return f'<div class="claim">{text}</div>{folded}'


def _split(message: str) -> tuple[str, str]:
    """A message, and the end of one that is long, cut where a part of it ends."""
    cut = max(message.rfind(end, 0, LONG) for end in (". ", "; ")) + 1
    if len(message) <= LONG + 100 or not cut:
        return message, ""
    return f"{message[:cut]} …", message[cut:].strip()


def _known(ids: Sequence[str]) -> str:
    if not ids:
        return '<span class="value">ours</span>'
    return f'<span class="value">specification</span><br><small>{", ".join(ids)}</small>'


def noted(paper: str, entry: Paper, found: Sequence[Finding], table: pd.DataFrame) -> Table:
    """What the specification of a paper notes: the findings that show it, or why none can."""
    names = identify(found)
    matched = match_noted(paper, entry, found, table)
    frame = pd.DataFrame(
        {
            "noted": f'<div class="claim" id="{escape(item.id)}"><b>{escape(item.id)}</b> '
            f"{escape(item.text)}</div>",
            "found by": _finders(matched[item.id], names)
            if item.check
            else f"beyond print: {escape(item.beyond)}",
            "source": escape(item.source),
        }
        for item in entry.noted
    )
    return Table(frame, caption=f"{entry.name}: what its specification notes.")


def _finders(matched: Sequence[Finding], names: Mapping[Finding, str]) -> str:
    """Links to findings, with how severe they are."""
    if not matched:
        return "no finding"
    return "<br>".join(
        f'<a href="paper-{f.paper}.html#{names[f]}">{names[f]}</a> {f.severity}' for f in matched
    )


def answered(found: Sequence[Finding], table: pd.DataFrame, entries: Entries) -> Table:
    """By paper: what was noted before, what checks find of it, and what only they found."""
    rows, known = [], set()
    for paper, entry in entries.items():
        matched = match_noted(paper, entry, found, table)
        known.update(finding for own in matched.values() for finding in own)
        rows.append(
            {
                "paper": paper_link(paper, entries),
                "noted": len(entry.noted),
                "found by a check": sum(map(bool, matched.values())),
                "beyond print": sum(item.check is None for item in entry.noted),
            }
        )
    for row, paper in zip(rows, entries, strict=True):
        own = {finding for finding in found if finding.paper == paper}
        row |= {"findings": len(own), "of them ours": len(own - known)}
    frame = _with_total(pd.DataFrame(rows))
    return Table(frame, caption="What specifications note, and what checks find.")


def counted(found: Iterable[Finding], entries: Entries) -> Table:
    """How many findings each paper has, by severity."""
    counts = Counter((finding.paper, finding.severity) for finding in found)
    rows = [
        {"paper": paper_link(paper, entries)} | {word: counts[paper, word] for word in SEVERITIES}
        for paper in entries
    ]
    frame = _with_total(pd.DataFrame(rows))
    frame["all"] = frame[list(SEVERITIES)].sum(axis=1)
    return Table(frame, caption="Findings by paper and severity.")


def _with_total(frame: pd.DataFrame) -> pd.DataFrame:
    total = frame.drop(columns="paper").sum()
    return pd.concat([frame, pd.DataFrame([{"paper": "<b>all</b>"} | dict(total)])])


# --- between papers -----------------------------------------------------------------------------


def drift(table: pd.DataFrame, entries: Entries) -> Sortable:
    """Every number of a baseline that two papers or more print, side by side."""
    papers = [paper for paper in entries if paper in set(table["paper"])]
    rows = []
    for number in sorted(shared(table), key=lambda n: (n.corpus, n.system)):
        row = {
            "id": re.sub(r"\W+", "-", f"drift-{number.corpus}-{number.system}-{number.metric}"),
            "data set": names.dataset(number.corpus),
            "system": escape(number.system),
            "metric": names.metric(number.metric),
        }
        outliers = number.outliers()
        for paper in papers:
            text = _values(number.cells.get(paper, []))
            if text and paper in outliers:
                text = f"<b>{text}</b>"
            row[paper_name(paper, entries)] = text
        rows.append(row | {"distance": f"{number.distance:.4g}", "kind": number.kind})
    return Sortable(
        pd.DataFrame(rows),
        caption="Numbers of baselines that several papers print, shares in percent. Bold: agrees "
        "with the fewest other papers. Kind: agree; setting, where every two papers agree in some "
        "setting of alignment or features; drift, where two papers have no number in common.",
        filters=["data set", "system", "metric", "kind"],
    )


def _values(cells: Sequence[Mapping]) -> str:
    """Numbers of a paper, each with its settings in small letters."""
    by_value: dict[str, list[str]] = {}
    for cell in cells:
        setting = " ".join(filter(None, [cell["variant"].replace("_", " "), cell["alignment"]]))
        by_value.setdefault(f"{cell['value']:g}", []).append(setting)
    parts = []
    for value, settings in by_value.items():
        setting = ", ".join(dict.fromkeys(filter(None, settings)))
        parts.append(value + (f" <small>{escape(setting)}</small>" if setting else ""))
    return "<br>".join(parts)


def drifted(table: pd.DataFrame) -> dict[str, str]:
    """Drift in numbers for prose, by the name under which they are glued.

    ``shared``, ``shared_agree``, ``shared_setting``, ``shared_drift``; ``drift_median`` and
    ``drift_largest``, distances in percentage points of the shares that drift, and
    ``drift_widest``, which number has the largest.
    """
    both = shared(table)
    kinds = Counter(number.kind for number in both)
    texts = {"shared": str(len(both))}
    texts |= {f"shared_{word}": str(kinds[word]) for word in ("agree", "setting", "drift")}
    percent = METRIC_UNITS["acc7"]
    apart = [n for n in both if n.kind == "drift" and METRIC_UNITS[n.metric] == percent]
    if apart:
        widest = max(apart, key=lambda number: number.distance)
        name = f"{names.metric(widest.metric)} of {widest.system} on {names.dataset(widest.corpus)}"
        distances = [number.distance for number in apart]
        texts["drift_median"] = f"{np.median(distances):.1f}"
        texts |= {"drift_largest": f"{max(distances):.1f}", "drift_widest": name}
    return texts


# --- what print can tell ------------------------------------------------------------------------


def protocol(table: pd.DataFrame, entries: Entries) -> Table:
    """By paper: runs behind a mean, digits in print, and what granularity can find at all."""
    sizes = granularity.accuracies(table)
    rows = []
    for paper, entry in entries.items():
        own = table[(table["paper"] == paper) & (table["exhibit"] != "text")]
        cells = sizes[sizes["cell"].isin(own.index)]
        row = {
            "paper": paper_link(paper, entries),
            "runs behind a mean": "not stated" if entry.runs is None else str(entry.runs),
            "decimals, percent": _decimals(own[own["unit"] == "%"]),
            "decimals, MAE and Corr": _decimals(own[own["metric"].isin(["mae", "corr"])]),
        }
        of_own = cells[table.loc[cells["cell"], "system"].isin(entry.own).to_numpy()]
        row["accuracies that could fail"] = _share(_refutable(table, cells, granularity.RUNS))
        stated = entry.runs is not None
        row["own ones that could fail by the stated runs"] = (
            _share(_refutable(table, of_own, (entry.runs,))) if stated else "no runs stated"
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
    """For each accuracy, whether some value near it would fail."""
    return [_pass_rate(table.loc[i], own["clips"], runs) < 1 for i, own in sizes.groupby("cell")]


def _pass_rate(cell: Mapping, clips: Iterable[int], runs: Iterable[int]) -> float:
    """The share of values near a printed one that fit some number of clips and runs."""
    value, half = float(cell["value"]), float(cell["half"])
    options = [(n, r) for n in set(clips) for r in runs]
    around = granularity.near(value, half)
    return float(np.mean([any(granularity.fits(v, half, *o) for o in options) for v in around]))


def _share(judged: Sequence[bool]) -> str:
    return f"{sum(judged)} of {len(judged)}" if judged else "none printed"


def _decimals(cells: pd.DataFrame) -> str:
    """How many decimals numbers have in their unit, the most frequent first."""
    halves = cells.loc[cells["half"] > 0, "half"]
    counts = (-np.log10(2 * halves)).round().astype(int).clip(lower=0).value_counts()
    if counts.empty:
        return "none printed"
    return ", ".join(f"{decimals} ({n})" for decimals, n in counts.items())


def detection(measured: DetectionRates) -> Table:
    """Planted errors by kind: how many in which tables, and the share that the checks detect."""
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
    """Granularity step by step: can a printed accuracy be a mean of runs over so many clips?"""
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
    """A printed number in words: 83.86 (GLoMo, Table 2, ...)."""
    return f"{cell['printed']} ({paper_name(cell['paper'], entries)}, {names.place(cell)})"


# --- words --------------------------------------------------------------------------------------


def paper_name(paper: str, entries: Entries) -> str:
    return entries[paper].name if paper in entries else paper


def paper_link(paper: str, entries: Entries) -> str:
    return f'<a href="paper-{paper}.html">{escape(paper_name(paper, entries))}</a>'


def page_link(page: str) -> str:
    """A page of the book as seen from those of notebooks."""
    return relpath(f"{page}.html", "executed")


def details(head: str, lines: Sequence[str], first: str = "") -> str:
    """Lines of text that open on a click, after a sentence."""
    listed = "".join(f"<li>{escape(line)}</li>" for line in lines)
    sentence = f"<p>{escape(first)}</p>" if first else ""
    return f"<details><summary>{head}</summary>{sentence}<ul>{listed}</ul></details>"
