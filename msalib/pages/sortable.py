"""Tables that a reader sorts and filters in the browser, without a server.

Python writes the whole table; ``book/_static/tables.js`` adds the controls. Where no script runs,
the table is shown whole.
"""

from collections.abc import Sequence

import pandas as pd
from markupsafe import Markup

from msalib.pages.markup import Shown


class Sortable(Shown):
    """A data frame as an HTML table with sortable columns, filters and a search field.

    Text is escaped unless it is ``Markup``. Missing values are shown as empty cells.

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

    def html(self) -> Markup:
        """Return the whole table, with what the script needs to know."""
        rows = (
            Markup("<tr{}>{}</tr>\n").format(_attribute("id", name), _cells(cells))
            for name, cells in zip(self.ids, self.frame.itertuples(index=False), strict=True)
        )
        return Markup(
            '<div class="msa-sortable" data-search="{search}">'
            '<p class="msa-caption">{caption}</p>'
            '<div class="msa-table" tabindex="0" role="region" aria-label="{caption}">'
            '<table class="dataframe msa"><thead><tr>{heads}</tr></thead>\n'
            "<tbody>\n{rows}</tbody></table></div></div>"
        ).format(
            search=str(self.search).lower(),
            caption=self.caption,
            heads=Markup("").join(map(self._head, self.frame)),
            rows=Markup("").join(rows),
        )

    def _head(self, name: str) -> Markup:
        place = str(self.filters.index(name) + 1) if name in self.filters else ""
        return Markup('<th scope="col"{}>{}</th>').format(_attribute("data-filter", place), name)


def _attribute(name: str, value: str) -> Markup:
    return Markup(' {}="{}"').format(name, value) if value else Markup("")


def _cells(row: Sequence) -> Markup:
    cells = ("" if pd.isna(value) else value for value in row)
    return Markup("").join(Markup("<td>{}</td>").format(value) for value in cells)
