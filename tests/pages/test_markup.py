"""Markup: what is put into it is escaped, and formulas are marked as text."""

import pandas as pd
import pytest
from markupsafe import Markup

from msalib.pages import reading
from msalib.pages.markup import Shown, details, lines, link
from msalib.pages.tables import Block, Table
from tests.html import read


def test_what_is_put_into_markup_is_escaped():
    assert link('x" onclick="y', "<b>") == '<a href="x&#34; onclick=&#34;y">&lt;b&gt;</a>'
    assert lines(["<b>", Markup("<i>c</i>")]) == "&lt;b&gt;<br><i>c</i>"
    folded = details("<h>", ["<l>"], first="<f>")
    assert not {"<h>", "<l>", "<f>"} & set(folded.split("<")) and "&lt;l&gt;" in folded
    assert read(Block(folded)).text == "<h><f><l>"


@pytest.mark.parametrize("text", ["video$_$clip", r"\(x\)", r"\begin{x}"])
def test_formulas_are_marked_as_text(text):
    page = read(Block(text))
    assert page.found == [("div", {"class": "tex2jax_ignore mathjax_ignore"})]
    assert page.text == text


def test_other_pages_stay_as_they_are():
    assert Block("a & b")._repr_html_() == "a &amp; b"
    assert type(Block("a & b")._repr_html_()) is str


def test_something_to_show_says_its_html():
    with pytest.raises(NotImplementedError):
        Shown()._repr_html_()


def test_frames_keep_prepared_cells():
    """As pandas would keep text with pyarrow, too: see ``markup``."""
    rows = [{"a": link("b", "c"), "n": 1}, {"a": "<i>", "n": 2.5}, {"a": None, "n": 3}]
    frame = pd.concat([pd.DataFrame(rows).fillna("-"), pd.DataFrame([{"a": link("d", "e")}])])
    assert frame["a"].dtype.storage == "python"
    html = Table(frame, caption="c")._repr_html_()
    assert html.count("<a href=") == 2 and "&lt;i&gt;" in html


def test_numbers_are_those_of_pandas():
    frame = pd.DataFrame({"whole": [1, 2], "part": [0.5, 1 / 3], "more": [1e-7, 0.25]})
    (grid,) = reading.grids(Table(frame, caption="c").html())
    printed = [line.split() for line in frame.to_string(index=False, header=False).split("\n")]
    assert [[cell.text for cell in row.cells] for row in grid.rows] == printed
