"""Numbers behind the texts of the book's tables: what exports write is what pages show."""

import re
from collections.abc import Iterator

import pytest

from msalib.base import paths
from msalib.book import export
from msalib.pages import reading
from msalib.pages.reading import Grid

SHOWN = re.compile(r"[+-]?\d[\d,]*(?:\.(\d+))?")
"""The number at the beginning of a text, and its decimals."""


def disagreements(grid: Grid) -> Iterator[str]:
    """Yield texts that do not begin with the number behind them, rounded."""
    for row in grid.rows:
        for head, cell in zip(grid.heads, row.cells, strict=False):
            if number := cell.numbers.get(""):
                shown = SHOWN.match(cell.text.replace("\N{MINUS SIGN}", "-"))
                step = 10.0 ** -len(shown[1] or "") if shown else 0.0
                value = float(shown[0].replace(",", "")) if shown else float("nan")
                if not abs(value - float(number)) <= 0.51 * step + 1e-5 * abs(value):
                    yield f"{head.text}: {cell.text} of {number}"


def test_numbers_are_those_that_the_texts_show(site):
    pages = sorted(paths.EXECUTED.rglob("*.ipynb"))
    if not pages:
        pytest.skip("no executed notebooks: run make book first")
    wrong, numbers = [], 0
    for page in pages:
        for grid in reading.grids("\n".join(export.outputs(page))):
            wrong += [f"{page.name}: {text}" for text in disagreements(grid)]
            numbers += sum(bool(cell.numbers) for row in grid.rows for cell in row.cells)
    assert wrong == [] and numbers
