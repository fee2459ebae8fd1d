"""Which printed numbers does a name mean? Cells of the table by where they stand.

Rows are named ``exhibit/system/variant``, the variant left out where it is empty; ``@dataset`` and
``#metric`` behind it name another data set or metric than that of the comparison, ``paper:`` before
it another paper. ``*`` stands for every other system or variant of that exhibit.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product

import pandas as pd

Cell = Mapping
"""A row of the table by column, with its place as ``index``."""

_ROW = re.compile(
    r"(?:(?P<paper>\w+):)?(?P<exhibit>[^/@#]+)/(?P<system>[^/@#]*)"
    r"(?:/(?P<variant>[^@#]*))?(?:@(?P<dataset>\w*))?(?:#(?P<metric>\w+))?"
)


def parse(row: str) -> dict[str, str | None]:
    """Return the parts of a row's name; a name of another form is a ``ValueError``."""
    match = _ROW.fullmatch(row)
    if match is None:
        raise ValueError(f"row {row!r}: expected exhibit/system/variant")
    return match.groupdict()


def row_name(cell: Cell) -> str:
    """Return the name of a cell's row, with its paper."""
    return f"{cell['paper']}:{cell['exhibit']}/{cell['system']}/{cell['variant']}"


def row_names(value) -> Iterator[str]:
    """Yield the names of rows among the arguments of a test, however deep."""
    if isinstance(value, str):
        if _ROW.fullmatch(value):
            yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from row_names(key)
            yield from row_names(inner)
    elif isinstance(value, Sequence):
        for inner in value:
            yield from row_names(inner)


def indices(cells: Sequence[Cell]) -> tuple[int, ...]:
    """Return the places of cells in the table, each once."""
    return tuple(dict.fromkeys(cell["index"] for cell in cells))


class Cells:
    """The table of printed numbers, with its cells by where they stand; made once, asked often."""

    def __init__(self, table: pd.DataFrame):
        self.table = table
        self._at: dict[tuple, list[Cell]] = {}
        for index, cell in table.to_dict("index").items():
            place = (cell["paper"], cell["exhibit"], cell["dataset"], cell["metric"])
            self._at.setdefault(place, []).append(cell | {"index": index})

    @classmethod
    def of(cls, table: "Table") -> "Cells":
        """Return the cells of a table, or these cells as they are."""
        return table if isinstance(table, cls) else cls(table)

    def every(self) -> Iterator[Cell]:
        """Yield all cells."""
        return (cell for column in self._at.values() for cell in column)

    def at(self, paper: str, exhibit: str, dataset: str, metric: str) -> list[Cell]:
        """Return the cells of one column."""
        return self._at.get((paper, exhibit, dataset, metric), [])

    def matching(self, paper: str, row: str, dataset: str, metric: str) -> list[Cell]:
        """Return the cells of a row, which may name several by ``*``."""
        parts = parse(row)
        system, variant = parts["system"], parts["variant"]
        every = variant == "*" or (system == "*" and variant is None)
        column = self.at(
            parts["paper"] or paper,
            parts["exhibit"],
            dataset if parts["dataset"] is None else parts["dataset"],
            parts["metric"] or metric,
        )
        return [
            cell
            for cell in column
            if system in ("*", cell["system"]) and (every or cell["variant"] == (variant or ""))
        ]

    def first(self, paper: str, row: str, dataset: str, metric: str) -> Cell | None:
        """Return the first cell of a row, None where it is not printed."""
        return next(iter(self.matching(paper, row, dataset, metric)), None)

    def pairs(
        self,
        paper: str,
        of: str,
        than: Sequence[str],
        datasets: Sequence[str],
        metrics: Sequence[str],
    ) -> Iterator[tuple[Cell, Cell]]:
        """Yield the cell of ``of`` with that of every other row, where both are printed."""
        for place in product(datasets, metrics):
            first = self.first(paper, of, *place)
            for row in than if first is not None else ():
                for second in self.matching(paper, row, *place):
                    if second["index"] != first["index"]:
                        yield first, second


Table = pd.DataFrame | Cells
