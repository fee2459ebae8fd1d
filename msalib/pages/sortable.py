"""Tables that a reader sorts and filters in the browser, without a server.

Python writes the whole table; ``book/_static/tables.js`` adds the controls. Where no script runs,
the table is shown whole.
"""

from collections.abc import Sequence

import pandas as pd
from markupsafe import Markup

from msalib.pages import frames
from msalib.pages.tables import Table


class Sortable(Table):
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
        super().__init__(frame.drop(columns="id", errors="ignore"), caption=caption)
        self.filters, self.search = list(filters), search
        self.ids = frame["id"].tolist() if "id" in frame else [""] * len(frame)
        if unknown := [name for name in self.filters if name not in self.frame]:
            raise ValueError(f"filters {unknown} are no shown columns of {list(self.frame)}")
        named = [name for name in self.ids if name]
        unfit = [name for name in named if named.count(name) > 1 or name != "".join(name.split())]
        if unfit:
            raise ValueError(f"ids must be unique and without white space: {sorted(set(unfit))}")

    def html(self) -> Markup:
        """Return the whole table, with what the script needs to know."""
        return Markup('<div class="msa-sortable" data-search="{}">{}</div>').format(
            str(self.search).lower(), frames.html(self.frame, self.caption, self.ids, self.filters)
        )
