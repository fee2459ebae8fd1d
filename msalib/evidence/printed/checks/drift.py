"""The same baseline, or the same fact on a data set, in two papers.

Papers copy baseline rows from each other, or run them again. Which of the two, they often do not
say; that numbers differ is no error in itself, but a comparison is worth no more than its baseline.
"""

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import NamedTuple

import pandas as pd

from msalib.evidence.printed.checks.finding import Finding, agree, places
from msalib.evidence.printed.names import dataset, metric
from msalib.evidence.printed.table import PROSE
from msalib.evidence.printed.units import RESULTS

SETUPS = ("", "conv", "conv_bert")
"""Variants that are the same system on other features, not another system."""

PAIRED = {"acc2_has0": "acc2_non0", "f1_has0": "f1_non0"}
"""Metrics that differ only in what is done with clips labelled 0."""

SAME_FACT = {"dataset": "clips"}
"""Names that papers give to one count."""

Cell = dict


class Shared(NamedTuple):
    """One number of a baseline that several papers print.

    ``kind``: agree (all numbers are one), setting (each pair of papers agrees in some setting of
    alignment or features) or drift. ``cells`` by paper.
    """

    corpus: str
    system: str
    metric: str
    cells: dict[str, list[Cell]]
    kind: str

    @property
    def distance(self) -> float:
        """Return how far apart two papers are at most; of their settings, the two closest count."""
        return max(
            min(abs(a["value"] - b["value"]) for a in self.cells[one] for b in self.cells[other])
            for one, other in combinations(self.cells, 2)
        )

    def apart(self) -> list[tuple[str, str]]:
        """Return pairs of papers without a number in common."""
        return [pair for pair in combinations(self.cells, 2) if not _match(self.cells, *pair)]

    def outliers(self) -> list[str]:
        """Return papers that agree with the fewest others, where not all agree."""
        if self.kind != "drift":
            return []
        others = {
            p: sum(_match(self.cells, p, q) for q in self.cells if q != p) for p in self.cells
        }
        return [paper for paper, n in others.items() if n == min(others.values())]


def shared(table: pd.DataFrame) -> list[Shared]:
    """Return every number of a baseline that two papers or more print, by data set and metric."""
    rows = table[
        table["unit"].isin(RESULTS) & table["variant"].isin(SETUPS) & ~table["exhibit"].isin(PROSE)
    ]
    shared_numbers = []
    grouped: dict[tuple, dict[str, list[Cell]]] = {}
    for index, cell in rows.to_dict("index").items():
        key = (cell["corpus"], cell["canonical"], cell["metric"])
        grouped.setdefault(key, {}).setdefault(cell["paper"], []).append(cell | {"index": index})
    for (corpus, system, name), cells in grouped.items():
        if len(cells) < 2:
            continue
        every = [c for printed in cells.values() for c in printed]
        if all(agree(a, b) for a, b in combinations(every, 2)):
            kind = "agree"
        elif all(_match(cells, *pair) for pair in combinations(cells, 2)):
            kind = "setting"
        else:
            kind = "drift"
        shared_numbers.append(Shared(corpus, system, name, cells, kind))
    return shared_numbers


def check(table: pd.DataFrame, entries: Mapping) -> list[Finding]:
    """Compare baselines, facts on data sets, numbers under other names or another convention."""
    numbers = shared(table)
    names = {paper: entry.name for paper, entry in entries.items()}
    return [
        *_baselines(numbers, names),
        *_facts(table, names),
        *_permuted(numbers, names),
        *_conventions(numbers),
    ]


def _match(cells: Mapping[str, list[Cell]], one: str, other: str) -> bool:
    """Check whether two papers have a number in common, in whatever setting."""
    return any(agree(a, b) for a in cells[one] for b in cells[other])


def _shown(cells: list[Cell]) -> str:
    """Write the numbers of a paper with their settings: 0.901 (conv bert)."""
    parts = []
    for c in cells:
        setting = ", ".join(filter(None, [c["variant"].replace("_", " "), c["alignment"]]))
        text = f"{c['value']:g}" + (f" ({setting})" if setting else "")
        if text not in parts:
            parts.append(text)
    return " or ".join(parts)


def _baselines(shared_numbers: list[Shared], names: Mapping[str, str]) -> list[Finding]:
    """Find a paper's numbers of a baseline that agree with the fewest other papers, by system."""
    rows: dict[tuple[str, str, str], list[Shared]] = {}
    for number in shared_numbers:
        for paper in number.outliers():
            rows.setdefault((paper, number.corpus, number.system), []).append(number)
    findings = []
    for (paper, corpus, system), numbers in rows.items():
        listing = []
        for n in numbers:
            others = ", ".join(
                f"{names.get(p, p)} {_shown(c)}" for p, c in n.cells.items() if p != paper
            )
            listing.append(f"{metric(n.metric)} {_shown(n.cells[paper])} (elsewhere: {others})")
        message = f"{dataset(corpus)}, {system}: {'; '.join(listing)}."
        own = [c for n in numbers for c in n.cells[paper]]
        every = [c for n in numbers for cells in n.cells.values() for c in cells]
        findings.append(Finding("drift", "notable", paper, message, places([*own, *every])))
    return findings


def _facts(table: pd.DataFrame, names: Mapping[str, str]) -> list[Finding]:
    """Find counts of a data set (clips, videos, sizes of parts) that differ between papers."""
    rows = table[table["corpus"].ne("") & table["metric"].isin(["count", "clips", "videos"])]
    facts: dict[tuple[str, str], dict[str, list[Cell]]] = {}
    for index, cell in rows.to_dict("index").items():
        name = cell["variant"] if cell["metric"] == "count" else cell["metric"]
        key = (cell["corpus"], SAME_FACT.get(name, name))
        facts.setdefault(key, {}).setdefault(cell["paper"], []).append(cell | {"index": index})
    findings = []
    for (corpus, name), cells in facts.items():
        if len(cells) < 2:
            continue
        number = Shared(corpus, name, "count", cells, "drift")
        if not number.apart():
            continue
        for paper in number.outliers():
            others = ", ".join(
                f"{names.get(p, p)} {_count(c)}" for p, c in cells.items() if p != paper
            )
            message = f"{dataset(corpus)}, {name}: {_count(cells[paper])} (elsewhere: {others})."
            order = [paper, *(p for p in cells if p != paper)]
            listed = tuple(c["index"] for p in order for c in cells[p])
            findings.append(Finding("drift", "notable", paper, message, listed))
    return findings


def _count(cells: list[Cell]) -> str:
    return " or ".join(dict.fromkeys(f"{c['value']:,.0f}" for c in cells))


def _permuted(shared_numbers: list[Shared], names: Mapping[str, str]) -> Iterator[Finding]:
    """Find numbers that other papers print under another system's name.

    In a column (one metric) or a row (one system) of a paper, a number is crossed where no other
    paper prints it for that system, but some other paper prints it for another system in the same
    column. One crossed number may be luck; of a column or a row with two or more, and more than in
    the papers that it is compared with, the names or the numbers have been exchanged somewhere.
    """
    columns: dict[tuple[str, str], list[Shared]] = {}
    for number in shared_numbers:
        columns.setdefault((number.corpus, number.metric), []).append(number)
    crossed: dict[tuple[str, str, str], list[tuple[Cell, Cell]]] = {}
    rows: dict[tuple[str, str, str, str], list[tuple[Cell, Cell]]] = {}
    for (corpus, name), numbers in columns.items():
        for number in numbers:
            for paper in number.cells:
                if any(_match(number.cells, paper, p) for p in number.cells if p != paper):
                    continue
                pair = _elsewhere(number, paper, numbers)
                if pair is not None:
                    crossed.setdefault((paper, corpus, name), []).append(pair)
                    key = (paper, corpus, number.system, pair[1]["canonical"])
                    rows.setdefault(key, []).append(pair)
    for (paper, corpus, name), pairs in crossed.items():
        rivals = {theirs["paper"] for _, theirs in pairs}
        most = max(len(crossed.get((rival, corpus, name), [])) for rival in rivals)
        if len(pairs) > 1 and len(pairs) > most:
            listing = "; ".join(
                f"{ours['system']} {ours['printed']} (in "
                f"{names.get(theirs['paper'], theirs['paper'])} that is {theirs['system']})"
                for ours, theirs in pairs
            )
            message = (
                f"{dataset(corpus)}, {metric(name)}: {len(pairs)} numbers of this column have "
                f"another name in other papers: {listing}."
            )
            yield Finding("drift", "inconsistent", paper, message, _cells(pairs))
    for (paper, corpus, system, other), pairs in rows.items():
        if len(pairs) > 1:
            listing = ", ".join(f"{metric(o['metric'])} {o['printed']}" for o, _ in pairs)
            message = (
                f"{dataset(corpus)}: the row {system} has numbers that other papers print for "
                f"{other} ({listing})."
            )
            yield Finding("drift", "inconsistent", paper, message, _cells(pairs))


def _elsewhere(number: Shared, paper: str, column: list[Shared]) -> tuple[Cell, Cell] | None:
    """Return a number of a paper, with the cell of another paper and system that has it."""
    for ours in number.cells[paper]:
        for other in column:
            if other.system == number.system or paper not in other.cells:
                continue
            for rival, cells in other.cells.items():
                for theirs in cells:
                    if rival != paper and agree(ours, theirs):
                        return ours, theirs
    return None


def _cells(pairs: list[tuple[Cell, Cell]]) -> tuple[int, ...]:
    ours, theirs = zip(*pairs, strict=True)
    return places([*ours, *theirs])


def _conventions(shared_numbers: list[Shared]) -> Iterator[Finding]:
    """Find a number with zeros that looks like the number without them.

    Where a paper prints one convention only, and its number lies outside what other papers print
    for that convention and nearer to what they print for the other.
    """
    numbers = {(n.corpus, n.system, n.metric): n for n in shared_numbers}
    for (corpus, system, name), number in numbers.items():
        other = numbers.get((corpus, system, PAIRED.get(name, "")))
        if other is None:
            continue
        for paper, cells in number.cells.items():
            if paper in other.cells:
                continue
            with_zeros = [c["value"] for p, own in number.cells.items() if p != paper for c in own]
            without = [c["value"] for own in other.cells.values() for c in own]
            for cell in cells:
                value = cell["value"]
                nearer = min(abs(value - v) for v in without)
                nearest = min(abs(value - v) for v in with_zeros)
                if min(with_zeros) <= value <= max(with_zeros) or nearer >= nearest:
                    continue
                message = (
                    f"{dataset(corpus)}, {cell['system']}: {metric(name)} {cell['printed']}; other "
                    f"papers print {min(with_zeros):g} to {max(with_zeros):g} here and "
                    f"{min(without):g} to {max(without):g} without zeros, which is nearer."
                )
                rest = [c for n in (number, other) for own in n.cells.values() for c in own]
                yield Finding("drift", "notable", paper, message, places([cell, *rest]))
