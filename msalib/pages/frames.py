"""A data frame as an HTML table: heads of rows and columns, and the numbers behind its texts.

The head of a column says by its class whether it holds numbers or sentences, so that the style can
give sentences room. Numbers that a text does not hold in full stand in ``data-values`` of its cell,
by the fields in ``data-fields`` of the head; ``pages.reading`` and the script of pages export them.
"""

import re
from collections.abc import Iterable, Sequence
from numbers import Integral, Real

import numpy as np
import pandas as pd
from markupsafe import Markup, escape

from msalib.pages.cells import Value, shortest
from msalib.pages.exports import NOTHING, NUMBER
from msalib.pages.reading import SEPARATOR

SENTENCE = 80
"""Letters of a line in a cell from which on its column holds sentences."""

TAG = re.compile(r"<[^>]+>")
FOLDED = re.compile(r"</summary>.*?</details>", re.DOTALL)
LINES = re.compile(r"<(?:br|/div|/li|/p|/small|/summary)>")
"""Tags, what is folded and the ends of lines in a cell."""

NAMING = 3
"""Columns among which one may name the rows."""

LABEL = 100
"""Letters of the name of a table's region, which screen readers say."""


def html(
    frame: pd.DataFrame, caption: str, ids: Sequence[str] = (), filters: Sequence[str] = ()
) -> Markup:
    """Return the table in a region that is reached by keyboard.

    Columns that are empty throughout are left out, which the caption tells. ``ids`` name the rows;
    the heads of ``filters`` say which filter of the page is theirs.
    """
    columns = [(str(name), _values(frame.iloc[:, at])) for at, name in enumerate(frame)]
    naming = _naming([values for _, values in columns])
    empty = [
        name
        for at, (name, values) in enumerate(columns)
        if at != naming and values and not any(map(_says, values))
    ]
    shown = [column for column in columns if column[0] not in empty]
    cells = (_cells(values, naming=name == columns[naming][0]) for name, values in shown)
    names = ids or [""] * len(frame)
    return Markup(
        '<div class="msa-table" tabindex="0" role="region" aria-label="{label}">'
        '<table class="dataframe msa"><caption><div class="msa-caption">{caption}</div></caption>'
        "<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}</tbody></table></div>"
    ).format(
        label=label(caption),
        caption=" ".join(filter(None, [caption, _left_out(empty)])),
        heads=Markup("").join(_head(name, values, filters) for name, values in shown),
        rows=Markup("").join(
            Markup("<tr{}>{}</tr>\n").format(attribute("id", name), Markup("").join(row))
            for name, row in zip(names, zip(*cells, strict=True), strict=True)
        ),
    )


def label(caption: str) -> str:
    """Return the first sentence of a caption, cut where it is long."""
    first = re.split(r"(?<=[.!?])\s", caption, maxsplit=1)[0]
    return first if len(first) <= LABEL else first[: LABEL - 1].rsplit(" ", 1)[0] + "…"


def attribute(name: str, value: str) -> Markup:
    """Return an attribute of an element; nothing where it has no value."""
    return Markup(' {}="{}"').format(name, value) if value else Markup("")


def _left_out(empty: Sequence[str]) -> str:
    columns = "column" if len(empty) == 1 else "columns"
    return f"Left out, because no row has an entry: {columns} {', '.join(empty)}." if empty else ""


# --- columns ------------------------------------------------------------------------------------


def _values(column: pd.Series) -> list[str]:
    """Return the cells of a column as text, ``Markup`` or ``Value``; missing ones are empty."""
    texts = [""] * len(column)
    if column.dtype.kind in "iuf" and len(column):  # decimals of a column are aligned by pandas
        texts = column.to_string(index=False, header=False).split("\n")
    values = [_value(cell, text.strip()) for cell, text in zip(column, texts, strict=True)]
    if any(isinstance(value, Value) and value.numbers for value in values):
        values = [_number(value) for value in values]
    return values


def _value(cell: object, text: str) -> str:
    if cell is None or (pd.api.types.is_scalar(cell) and pd.isna(cell)):
        return ""
    if isinstance(cell, str) or not isinstance(cell, Real) or isinstance(cell, bool | np.bool_):
        return cell if isinstance(cell, str) else str(cell)
    if isinstance(cell, Integral):
        return Value(str(cell), {"": cell})
    return Value(text or f"{cell:g}", {"": float(cell)})


def _number(value: str) -> str:
    """Return a text that is a number, such as a printed one, with this number."""
    text = value.replace("\N{MINUS SIGN}", "-")
    known = isinstance(value, Value | Markup) or not NUMBER.fullmatch(text)
    return value if known else Value(value, {"": float(text)})


def _says(value: str) -> bool:
    return value.strip() not in NOTHING


def _fields(values: Iterable[str]) -> list[str]:
    """Return the fields of the numbers of a column; none where the texts are the numbers."""
    kept = [value for value in values if isinstance(value, Value) and value.numbers]
    fields = dict.fromkeys(field for value in kept for field in value.numbers)
    return [] if list(fields) == [""] and all(map(_is_exact, kept)) else list(fields)


def _is_exact(value: Value) -> bool:
    exact = NUMBER.fullmatch(value) and float(value) == float(shortest(value.numbers[""]))
    return bool(exact)


def _numbers(value: Value, fields: Sequence[str]) -> str:
    numbers = (shortest(value.numbers[f]) if f in value.numbers else "" for f in fields)
    return SEPARATOR.join(numbers).rstrip(SEPARATOR)


def _kind(values: Sequence[str]) -> str:
    """Return what a column holds: ``number``, ``sentence`` or anything else."""
    said = [value for value in values if _says(value)]
    if max(map(_length, said), default=0) > SENTENCE:
        return "sentence"
    return "number" if any(isinstance(v, Value) and v.numbers for v in said) else ""


def _length(value: str) -> int:
    """Return the letters of a cell's longest line, without what is folded."""
    if not isinstance(value, Markup):
        return len(value)
    return max(len(TAG.sub("", line)) for line in LINES.split(FOLDED.sub("", value)))


def _head(name: str, values: Sequence[str], filters: Sequence[str]) -> Markup:
    place = str(filters.index(name) + 1) if name in filters else ""
    fields = _fields(values)
    attributes = {"class": _kind(values), "data-filter": place}
    more = Markup("").join(attribute(*item) for item in attributes.items())
    if fields:
        more += Markup(' data-fields="{}"').format(SEPARATOR.join(fields))
    return Markup('<th scope="col"{}>{}</th>').format(more, name)


def _naming(columns: Sequence[Sequence[str]]) -> int:
    """Return which column names the rows: the first of texts that differ, else the first."""
    for at, values in enumerate(columns[:NAMING]):
        texts = at == 0 or not any(isinstance(value, Value) for value in values)
        if texts and all(map(_says, values)) and len(set(values)) == len(values):
            return at
    return 0


def _cells(values: Sequence[str], *, naming: bool) -> Iterable[Markup]:
    """Yield the cells of a column; those of the column that names the rows are their heads."""
    fields = _fields(values)
    for value in values:
        numbers = _numbers(value, fields) if fields and isinstance(value, Value) else ""
        more = attribute("data-values", numbers)
        if naming and value.strip():
            yield Markup('<th scope="row"{}>{}</th>').format(more, escape(value))
        else:
            yield Markup("<td{}>{}</td>").format(more, escape(value))
