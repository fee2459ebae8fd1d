"""Tables that a reader sorts and filters in the browser, without a server.

Python writes the whole table; ``book/_static/tables.js`` adds the controls. Where no script runs,
the table is shown whole.
"""

from collections.abc import Sequence
from html import escape

import pandas as pd


class Sortable:
    """A data frame as an HTML table with sortable columns, filters and a search field.

    Cells are shown as they are, so they must be HTML that is safe to show; the caption, column
    names and ids are escaped. Missing values are shown as empty cells.

    - A column is sorted by the number or text of its cells, or by the ``data-order`` attribute of
      an element in them: ``<span data-order="2">high</span>``. Empty cells come last.
    - Each column in ``filters`` gets a select box of its distinct texts, in sorting order. Where a
      cell holds elements of class ``value``, each of them counts by itself.
    - A column named ``id`` is not shown: it names the rows, so that ``page.html#name`` leads to
      one, whatever the filters are.
    - ``page.html?paper=sugrm&search=words`` opens the page filtered: column names and values in
      lower case, whatever is no letter or digit written as ``-``.

    Raises ``ValueError`` for a filter that is no shown column and for ids that cannot be linked.
    """

    def __init__(
        self,
        frame: pd.DataFrame,
        *,
        caption: str,
        filters: Sequence[str] = (),
        search: bool = True,
    ):
        self.caption, self.filters, self.search = caption, list(filters), search
        self.ids = frame["id"].tolist() if "id" in frame else [""] * len(frame)
        self.frame = frame.drop(columns="id", errors="ignore")
        if unknown := [name for name in self.filters if name not in self.frame]:
            raise ValueError(f"filters {unknown} are no shown columns of {list(self.frame)}")
        named = [name for name in self.ids if name]
        unfit = [name for name in named if named.count(name) > 1 or name != "".join(name.split())]
        if unfit:
            raise ValueError(f"ids must be unique and without white space: {sorted(set(unfit))}")

    def _repr_html_(self) -> str:
        heads = "".join(self._head(name) for name in self.frame)
        rows = "".join(
            f"<tr{_attribute('id', name)}>{''.join(map(_cell, cells))}</tr>\n"
            for name, cells in zip(self.ids, self.frame.itertuples(index=False), strict=True)
        )
        caption = escape(self.caption)
        return (
            f'<div class="msa-sortable" data-search="{str(self.search).lower()}">'
            f'<p class="msa-caption">{caption}</p>'
            f'<div class="msa-table" tabindex="0" role="region" aria-label="{caption}">'
            f'<table class="dataframe msa"><thead><tr>{heads}</tr></thead>\n'
            f"<tbody>\n{rows}</tbody></table></div></div>"
        )

    def _head(self, name: str) -> str:
        place = str(self.filters.index(name) + 1) if name in self.filters else ""
        return f'<th scope="col"{_attribute("data-filter", place)}>{escape(str(name))}</th>'


def _attribute(name: str, value: str) -> str:
    return f' {name}="{escape(value)}"' if value else ""


def _cell(value: object) -> str:
    return f"<td>{'' if pd.isna(value) else value}</td>"
