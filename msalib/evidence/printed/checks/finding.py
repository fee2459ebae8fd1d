"""What a check reports: a finding, how severe it is, and the cells that it is about."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple, get_args

import pandas as pd

Severity = Literal["impossible", "inconsistent", "unlikely", "notable"]
SEVERITIES = get_args(Severity)

CELL = ("exhibit", "dataset", "system", "variant", "metric", "printed", "paper", "file", "line")
"""What names a cell: its place in the paper, and its file with the number of the line."""

NAMED = 4
"""Lines of a file that a finding names; beyond, it counts."""


class Finding(NamedTuple):
    """What a check found: which cells (rows of the table), in which paper, and the arithmetic."""

    check: str
    severity: Severity
    paper: str
    message: str
    cells: tuple[int, ...]

    def as_json(self, table: pd.DataFrame) -> dict:
        """Return the finding with its cells spelt out; a cell of another paper says so."""
        cells = [dict(zip(CELL, row, strict=True)) for row in self._rows(table, CELL)]
        return {
            "check": self.check,
            "severity": self.severity,
            "paper": self.paper,
            "message": self.message,
            "cells": cells,
        }

    def as_line(self, table: pd.DataFrame) -> str:
        """Return the finding in one line, with the lines of the files that it is about."""
        fields = self.severity, self.paper, self.check, self.message, self.lines(table)
        return " | ".join(fields)

    def lines(self, table: pd.DataFrame) -> str:
        """Name the files of the cells with the numbers of their lines: ash.csv lines 2, 5."""
        by_file: dict[str, list[int]] = {}
        for file, line in self._rows(table, ("file", "line")):
            by_file.setdefault(file, []).append(line)
        named = []
        for file, lines in by_file.items():
            more = f" and {len(lines) - NAMED} more" if len(lines) > NAMED else ""
            listed = ", ".join(map(str, lines[:NAMED])) + more
            named.append(f"{file} line{'s' * (len(lines) > 1)} {listed}")
        return "; ".join(named)

    def _rows(self, table: pd.DataFrame, columns: Sequence[str]) -> list[list]:
        return table.loc[list(self.cells), list(columns)].astype(object).values.tolist()


Cell = Mapping
"""A row of the table: a series, or a dictionary with its place as ``index``."""


def listed(table: pd.DataFrame) -> list[dict]:
    """Return the rows of a table as dictionaries, each with its place as ``index``."""
    return [cell | {"index": index} for index, cell in table.to_dict("index").items()]


def grouped(table: pd.DataFrame, columns: Sequence[str]) -> dict[tuple, list[dict]]:
    """Return the rows of a table, as ``listed``, by their values in some columns."""
    groups: dict[tuple, list[dict]] = {}
    for cell in listed(table):
        groups.setdefault(tuple(cell[column] for column in columns), []).append(cell)
    return groups


def places(rows: Iterable[Cell]) -> tuple[int, ...]:
    """Return the places of rows in the table, each once."""
    indices = (row["index"] if isinstance(row, dict) else row.name for row in rows)
    return tuple(dict.fromkeys(int(place) for place in indices))


def agree(a: Cell, b: Cell) -> bool:
    """Check whether two printed numbers can be one, at the coarser precision."""
    return abs(a["value"] - b["value"]) <= max(a["half"], b["half"]) + 1e-9
