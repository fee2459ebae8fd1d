"""Do the printed numbers fit together? Small pure functions over the table of ``printed``.

A check takes the table and the entries of the papers in it (``papers``), and returns findings. A
finding says what numbers say, with the arithmetic, and never why: a misprint, a slip in copying and
another protocol look alike. How severe it is:

- impossible: no data and no model could give these numbers,
- inconsistent: two printed numbers, or a number and a sentence, contradict each other,
- unlikely: possible, but rare by the stated protocol or far from what all other rows show,
- notable: nothing wrong, but a reader should know.
"""

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple, get_args

import pandas as pd

Severity = Literal["impossible", "inconsistent", "unlikely", "notable"]
SEVERITIES = get_args(Severity)

CELL = ("exhibit", "dataset", "system", "variant", "metric", "printed")


class Finding(NamedTuple):
    """What a check found: which cells (rows of the table), in which paper, and the arithmetic."""

    check: str
    severity: Severity
    paper: str
    message: str
    cells: tuple[int, ...]

    def as_json(self, table: pd.DataFrame) -> dict:
        """With its cells spelt out; a cell of another paper says so."""
        cells = [
            {name: row[name] for name in CELL} | {"paper": row["paper"]}
            for row in (table.loc[index] for index in self.cells)
        ]
        return {
            "check": self.check,
            "severity": self.severity,
            "paper": self.paper,
            "message": self.message,
            "cells": cells,
        }


def run(table: pd.DataFrame, entries: Mapping | None = None) -> list[Finding]:
    """All checks, the most severe findings first; within a severity by paper and place.

    ``entries`` are those of ``papers.load`` by name, by default all that the project has for
    papers in the table. A paper without an entry is checked as far as its numbers go.
    """
    from msalib.evidence import registry as papers
    from msalib.evidence.printed.checks import (
        bounds,
        chance,
        direction,
        drift,
        granularity,
        identities,
        repetition,
        transcription,
    )

    if entries is None:
        present = set(table["paper"])
        entries = {name: papers.load(name) for name in papers.known() if name in present}
    modules = (
        transcription,
        granularity,
        bounds,
        identities,
        repetition,
        drift,
        chance,
        direction,
    )
    found = [finding for module in modules for finding in module.check(table, entries)]
    return sorted(found, key=lambda f: (SEVERITIES.index(f.severity), f.paper, min(f.cells)))


Cell = Mapping
"""A row of the table: a series, or a dictionary with its place as ``index``."""


def listed(table: pd.DataFrame) -> list[dict]:
    """The rows of a table as dictionaries, each with its place as ``index``."""
    return [cell | {"index": index} for index, cell in table.to_dict("index").items()]


def places(rows: Iterable[Cell]) -> tuple[int, ...]:
    """The places of rows in the table, each once."""
    found = (row["index"] if isinstance(row, dict) else row.name for row in rows)
    return tuple(dict.fromkeys(int(place) for place in found))


def agree(a: Cell, b: Cell) -> bool:
    """Whether two printed numbers can be one, at the coarser precision."""
    return abs(a["value"] - b["value"]) <= max(a["half"], b["half"]) + 1e-9
