"""The same number in two places of one paper.

Two rows are taken for one run where a paper prints them under one name in two exhibits, or where
most of their numbers agree; then all must. Numbers are compared at the coarser precision of the
two: 84.9 and 84.90 agree.
"""

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import NamedTuple

import pandas as pd

from msalib.evidence.printed.checks.finding import Finding, agree
from msalib.evidence.printed.names import dataset, exhibit, metric, system
from msalib.evidence.printed.table import RELEASE
from msalib.evidence.printed.units import MEASURED

SHARED = 3
"""Numbers that two rows must share, at least, to be recognised by their numbers."""

MOST = 0.6
"""Share of these that must agree."""

HEADLINE = ("", "full")
"""Variants that name the whole model."""


class Row(NamedTuple):
    """A printed row: where it stands, and its cells by metric."""

    exhibit: str
    name: tuple[str, str]  # system, variant
    cells: dict[str, dict]

    def __str__(self) -> str:
        return system(next(iter(self.cells.values())))


def check(table: pd.DataFrame, entries: Mapping) -> list[Finding]:
    """Compare rows of one paper and data set, two by two."""
    measured = table[table["exhibit"].ne("text") & table["unit"].isin(MEASURED)]
    findings = []
    for (paper, corpus), group in measured.groupby(["paper", "dataset"], sort=False):
        rows: dict[tuple, Row] = {}
        for index, cell in group.to_dict("index").items():
            variant = "" if cell["variant"] in HEADLINE else cell["variant"]
            key = (cell["exhibit"], cell["system"], variant)
            row = rows.setdefault(key, Row(key[0], key[1:], {}))
            row.cells[cell["metric"]] = cell | {"index": index}
        listed = list(rows.values())
        in_paper = [row for row in listed if row.exhibit not in RELEASE]
        released = [row for row in listed if row.exhibit in RELEASE]
        findings += [
            Finding("repetition", severity, paper, f"{dataset(corpus)}: {message}", cells)
            for severity, message, cells in (
                *_repeated(in_paper),
                *_twins(in_paper),
                *_renamed(in_paper),
                *_repeated([row for row in released if not _crossed(row, released)]),
                *_released(in_paper, released),
                *_exchanged(listed),
            )
        ]
    return findings


Told = tuple[str, str, tuple[int, ...]]  # severity, message, cells


def _repeated(rows: list[Row]) -> Iterator[Told]:
    """Find rows of two exhibits that are one run, and differ somewhere."""
    for one, other in combinations(rows, 2):
        if one.exhibit == other.exhibit:
            continue
        shared, equal = _compared(one, other)
        differ = [m for m in shared if m not in equal]
        alike = len(shared) >= SHARED and len(equal) >= MOST * len(shared)
        if not differ or not (one.name == other.name or alike):
            continue
        listing = "; ".join(
            f"{metric(m)} {one.cells[m]['printed']} and {other.cells[m]['printed']}" for m in differ
        )
        names = str(one) if str(one) == str(other) else f"{one} and {other}"
        message = (
            f"{names}: {exhibit(one.exhibit)} and {exhibit(other.exhibit)} print {listing}; "
            f"{len(equal)} of {len(shared)} numbers of these rows agree."
        )
        yield "inconsistent", message, _indices(differ, one, other)


def _twins(rows: list[Row]) -> Iterator[Told]:
    """Find two variants in one exhibit with the same numbers in every column."""
    for one, other in combinations(rows, 2):
        shared, equal = _compared(one, other)
        if one.exhibit == other.exhibit and len(shared) >= SHARED and equal == shared:
            message = (
                f"{exhibit(one.exhibit)}: {one} and {other} have the same numbers in all "
                f"{len(shared)} columns."
            )
            yield "notable", message, _indices(shared, one, other)


def _renamed(rows: list[Row]) -> Iterator[Told]:
    """Find one row under different names: equal in all numbers that they share, three at least."""
    groups: list[list[Row]] = []
    for row in rows:
        for group in groups:
            shared, equal = _compared(group[0], row)
            if len(shared) >= SHARED and shared == equal:
                group.append(row)
                break
        else:
            groups.append([row])
    for group in groups:
        if len({row.name for row in group}) > 1 and len({row.exhibit for row in group}) > 1:
            places = "; ".join(f"{row} in {exhibit(row.exhibit)}" for row in group)
            shared = set.intersection(*(set(row.cells) for row in group))
            message = f"the same numbers have several names: {places}."
            yield "notable", message, _indices(sorted(shared), *group)


def _released(rows: list[Row], released: list[Row]) -> Iterator[Told]:
    """Compare numbers of the released code with those of the paper, exhibit by exhibit."""
    pairs: dict[tuple[str, str], list[tuple[Row, Row]]] = {}
    for one in rows:
        for other in released:
            if one.name == other.name:
                pairs.setdefault((one.exhibit, other.exhibit), []).append((one, other))
    for (first, second), both in pairs.items():
        cells = [
            (one.cells[m], other.cells[m])
            for one, other in both
            for m in one.cells
            if m in other.cells
        ]
        differ = [(a, b) for a, b in cells if not agree(a, b)]
        if differ:
            listing = ", ".join(
                f"{system(a)} {metric(a['metric'])} {a['printed']} and {b['printed']}"
                for a, b in differ
            )
            message = (
                f"{exhibit(first)} of the paper and {exhibit(second)} of its release differ in "
                f"{len(differ)} of {len(cells)} numbers: {listing}. They may come from "
                "other runs."
            )
            indices = tuple(c["index"] for pair in differ for c in pair)
            yield "notable", message, indices


def _exchanged(rows: list[Row]) -> Iterator[Told]:
    """Find two rows that another exhibit has with their names exchanged.

    In one exhibit A and B have the numbers x and y, in the other y and x; two numbers at least.
    """
    by_place: dict[str, dict[tuple, Row]] = {}
    for row in rows:
        if len(row.cells) > 1:
            by_place.setdefault(row.exhibit, {})[row.name] = row
    for first, second in combinations(by_place, 2):
        rows_here, rows_there = by_place[first], by_place[second]
        for a, b in combinations([name for name in rows_here if name in rows_there], 2):
            crossed = _same(rows_here[a], rows_there[b]) and _same(rows_here[b], rows_there[a])
            if crossed and not (
                _same(rows_here[a], rows_there[a]) or _same(rows_here[b], rows_there[b])
            ):
                listing = ", ".join(
                    f"{metric(m)} {c['printed']} and {rows_there[b].cells[m]['printed']}"
                    for m, c in rows_here[a].cells.items()
                    if m in rows_there[b].cells
                )
                message = (
                    f"{rows_here[a]} in {exhibit(first)} has the numbers of {rows_here[b]} in "
                    f"{exhibit(second)}, and the other way round ({listing})."
                )
                every = [rows_here[a], rows_here[b], rows_there[a], rows_there[b]]
                cells = tuple(c["index"] for row in every for c in row.cells.values())
                yield "inconsistent", message, cells


def _crossed(row: Row, rows: list[Row]) -> bool:
    """Check whether another exhibit has this row's numbers under another name."""
    return any(
        row.exhibit != other.exhibit and row.name != other.name and _same(row, other)
        for other in rows
    )


def _compared(one: Row, other: Row) -> tuple[list[str], list[str]]:
    """Return metrics that two rows share, and those in which they agree."""
    shared = [m for m in one.cells if m in other.cells]
    return shared, [m for m in shared if agree(one.cells[m], other.cells[m])]


def _same(one: Row, other: Row) -> bool:
    shared, equal = _compared(one, other)
    return len(shared) > 1 and shared == equal


def _indices(metrics: list[str], *rows: Row) -> tuple[int, ...]:
    return tuple(row.cells[m]["index"] for m in metrics for row in rows)
