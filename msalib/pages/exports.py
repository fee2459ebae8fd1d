"""A table of a page as CSV, LaTeX and JSON.

CSV and JSON hold numbers: a column of ``0.802 ± 0.028`` becomes ``MAE``, ``MAE sd`` and a column
for each seed; what stands in the place of a number, such as "no record", goes to ``MAE note``.
LaTeX shows the texts of the page in a table of booktabs. The buttons of pages write the same
(book/_static/tables.js).
"""

# ruff: noqa: RUF001 (characters that look like others are what LaTeX spells)

import csv
import re
from collections.abc import Iterator
from io import StringIO
from typing import NamedTuple

from msalib.pages.reading import Cell, Grid, Row

NOTHING = {"", "-", "–", "—"}
"""Texts of cells that are empty."""

NUMBER = re.compile(r"[+-]?\d+(\.\d+)?(e[+-]?\d+)?", re.IGNORECASE)


# --- numbers ------------------------------------------------------------------------------------


class Column(NamedTuple):
    """A column of an export: its name, whether it holds numbers, and its text in each row."""

    name: str
    numeric: bool
    texts: list[str]


def flat(grid: Grid) -> list[Column]:
    """Return the columns of a table, with one for each number that its cells hold."""
    columns = [column for at in range(len(grid.heads)) for column in _columns(grid, at)]
    if any(row.group for row in grid.rows):
        columns.insert(0, Column("group", False, [row.group for row in grid.rows]))
    return columns


def _columns(grid: Grid, at: int) -> list[Column]:
    """Return what a column of the page becomes."""
    head, cells = grid.heads[at], [cell_at(row, at) for row in grid.rows]
    name = " ".join(re.sub("[↑↓]", " ", head.text).split())  # an arrow says what is better
    if not head.fields:
        number = head.kind == "number"
        return [Column(name, number, [_plain(cell.text, number) for cell in cells])]
    columns = [
        Column(f"{name} {field}".strip(), True, [cell.numbers.get(field, "") for cell in cells])
        for field in head.fields
    ]
    notes = ["" if cell.numbers else _plain(cell.text) for cell in cells]
    return [*columns, *([Column(f"{name} note", False, notes)] if any(notes) else [])]


def cell_at(row: Row, at: int) -> Cell:
    """Return a cell of a row; an empty one where the row is shorter than the table."""
    return row.cells[at] if at < len(row.cells) else Cell("", [], {})


def _plain(text: str, number: bool = False) -> str:
    """Return a text, empty for a dash; a number has a hyphen as its sign."""
    return "" if text in NOTHING else text.replace("\N{MINUS SIGN}", "-") if number else text


def to_csv(grid: Grid) -> str:
    """Return a table as CSV."""
    columns, text = flat(grid), StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([column.name for column in columns])
    writer.writerows(zip(*(column.texts for column in columns), strict=True))
    return text.getvalue()


def to_json(grid: Grid) -> dict:
    """Return a table as caption, columns and rows; null stands for what is empty."""
    columns = flat(grid)
    values = [[_typed(text, column.numeric) for text in column.texts] for column in columns]
    rows = [list(row) for row in zip(*values, strict=True)]
    return {
        "caption": grid.caption,
        "columns": [column.name for column in columns],
        "rows": rows,
    }


def _typed(text: str, numeric: bool) -> str | float | None:
    if not text or not numeric or not NUMBER.fullmatch(text):
        return text or None
    return int(text) if text.lstrip("+-").isdecimal() else float(text)


# --- LaTeX --------------------------------------------------------------------------------------

LATEX = {c: rf"\{c}" for c in "&%$#_{}"}
LATEX |= {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
LATEX |= {"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", "[": "{[}", '"': "''"}
LATEX |= {"\u00a0": "~", "…": r"\ldots{}", "–": "--", "—": "---", "“": "``", "”": "''"}
MATHEMATICS = r"""
± \pm   − -   × \times   ≈ \approx   ≤ \leq   ≥ \geq   ≠ \neq   ∞ \infty   ∈ \in   · \cdot
↑ \uparrow   ↓ \downarrow   → \rightarrow   ½ \frac{1}{2}   ² ^2   ³ ^3   ∅ \emptyset
α \alpha   β \beta   λ \lambda   μ \mu   ρ \rho   σ \sigma   τ \tau   Δ \Delta
✓ \surd   ✗ \times   ○ \circ   ● \bullet   ▲ \triangle   ▼ \nabla
"""
COMMANDS = dict(zip(MATHEMATICS.split()[::2], MATHEMATICS.split()[1::2], strict=True))
LATEX |= {character: f"${command}$" for character, command in COMMANDS.items()}
"""What LaTeX writes for a character; letters with accents are left as they are."""

LONG = 24
"""Letters from which on a column of texts breaks its lines."""

BROKEN = 0.6
"""Share of a line that such columns have together; two or fewer have half of it each."""


def escaped(text: str) -> str:
    """Return text for LaTeX."""
    return "".join(LATEX.get(character, character) for character in text)


def to_latex(grid: Grid, label: str) -> str:
    """Return a table as a float with caption and label; it needs the package booktabs."""
    broken = [_is_long(grid, at) for at in range(len(grid.heads))]
    wide = rf"p{{{BROKEN / max(sum(broken), 2):.2f}\linewidth}}"
    kinds = zip(broken, grid.heads, strict=True)
    shape = "".join(wide if long else "r" if head.kind == "number" else "l" for long, head in kinds)
    return "\n".join(
        [
            r"% Needs \usepackage{booktabs}.",
            r"\begin{table}",
            rf"  \caption{{{escaped(grid.caption)}}}",
            rf"  \label{{tab:{label}}}",
            rf"  \begin{{tabular}}{{{shape}}}",
            r"    \toprule",
            _line([head.text for head in grid.heads]),
            r"    \midrule",
            *_body(grid),
            r"    \bottomrule",
            r"  \end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def _is_long(grid: Grid, at: int) -> bool:
    """Say whether a column holds texts that no line of a page has room for."""
    longest = max((len(cell_at(row, at).text) for row in grid.rows), default=0)
    return grid.heads[at].kind != "number" and longest >= LONG


def _body(grid: Grid) -> Iterator[str]:
    group = ""
    for row in grid.rows:
        if row.group != group:
            group = row.group
            span = rf"    \multicolumn{{{len(grid.heads)}}}{{l}}{{{escaped(group)}}} \\"
            yield span
        yield _line([cell_at(row, at).text for at in range(len(grid.heads))])


def _line(texts: list[str]) -> str:
    return rf"    {' & '.join(map(escaped, texts))} \\"
