"""What pages show in a console: aligned, within its width, and no tag."""

import pandas as pd
import pytest
from markupsafe import Markup

from msalib.pages import console, sheet
from msalib.pages.sheet import Sheet
from msalib.pages.tables import Block, Folded, Note, Setting, Table

LONG = "A sentence about a claim that is longer than a column. " * 3


def table(rows: int = 2, columns: int = 2) -> Table:
    names = [f"column {k}" for k in range(columns)]
    frame = pd.DataFrame(
        {"claim": [LONG] * rows} | {n: ["0.500\u00a0±\u00a00.1"] * rows for n in names}
    )
    return Table(frame, caption="Setting: a & b.")


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("columns", [1, 12])
def test_no_line_is_wider_than_the_console(width, columns):
    lines = table(columns=columns).plain(width).splitlines()
    assert max(map(len, lines)) <= width
    assert sum(line.count("±") for line in lines) == 2 * columns
    assert sum(line.startswith("claim") for line in lines) >= 1


def test_columns_are_aligned_below_their_heads():
    frame = pd.DataFrame({"name": ["a", "longer"], "n": [1, 1000]})
    assert Table(frame, caption="c").plain(80).splitlines() == [
        *("c", ""),
        *("name       n", "------  ----", "a          1", "longer  1000"),
    ]


def test_a_column_of_nothing_has_a_width():
    html = Markup(
        "<table><thead><tr><th></th><th>n</th></tr></thead>"
        "<tbody><tr><td><span></span></td><td>2</td></tr></tbody></table>"
    )
    assert Block(html).plain(80).split() == ["n", "-", "-", "2"]


def test_long_tables_say_how_much_is_left_out():
    shown = table(rows=console.ROWS + 3).plain(200)
    assert shown.endswith("... and 3 more rows") and shown.count("±") == 2 * console.ROWS


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (Note("a <b> & c"), "a <b> & c"),
        (Setting("raw"), "Setting: raw"),
        (Folded("More", Note("inside")), "[More]\ninside"),
        (Block(Markup("<p>one</p><ul><li>two</li></ul>")), "one\n\n- two"),
        (Block(Markup('<img alt="A curve." src="data:,">')), "A curve."),
        (Block(Markup('<svg role="img" aria-label="A dot."><text>x</text></svg>')), "A dot."),
    ],
)
def test_everything_that_is_shown_has_a_text(shown, text):
    assert repr(shown) == text


def test_what_is_folded_in_a_cell_stays_so():
    cell = Markup("<details><summary>3 settings</summary><ul><li>one</li></ul></details>")
    assert "one" not in repr(Table(pd.DataFrame({"a": ["x"], "b": [cell]}), caption="c"))


def test_a_sheet_shows_marks_and_headings_of_groups():
    content = sheet.table("t", "c", ["name", "x"], {"group": [sheet.row("a", [sheet.cell("1")])]})
    lines = repr(Sheet([content], caption="Below.")).splitlines()
    assert lines == ["c", "", "name  x", "----  -", "group:", "a     1", "", "Below."]


def test_a_notebook_has_the_same_width_everywhere(monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    assert console.width() == console.WIDTH
