"""Tables that are sorted and filtered: what Python writes, before any script runs."""

import numpy as np
import pandas as pd
import pytest
from markupsafe import Markup

from msalib.pages.sortable import Sortable
from tests.html import read

FRAME = pd.DataFrame(
    {
        "id": ["A-C1", "B-C1"],
        "paper": ["A", "B"],
        "verdict": [Markup('<span class="value">supported</span>'), "not <run>"],
        "gain": [0.5, np.nan],
    }
)


def heads(shown: Sortable) -> dict[str, str | None]:
    """Place of each column's filter, by column."""
    found = [head for head in read(shown).attributes("th") if head["scope"] == "col"]
    return dict(zip(shown.frame, [head.get("data-filter") for head in found], strict=True))


def test_the_whole_table_is_there_without_a_script():
    page = read(Sortable(FRAME, caption="All claims."))
    assert len(page.attributes("tr")) == 3
    assert len(page.attributes("td")) == 4
    assert [head["scope"] for head in page.attributes("th")] == [*["col"] * 3, "row", "row"]
    assert "All claims." in page.text
    assert not [tag for tag, found in page.found if "hidden" in found or tag == "script"]


def test_the_region_can_be_reached_by_keyboard_and_has_a_name():
    page = read(Sortable(FRAME, caption="a & b"))
    (region,) = [a for a in page.attributes("div") if a.get("role") == "region"]
    assert (region["tabindex"], region["aria-label"]) == ("0", "a & b")


def test_ids_name_rows_and_are_not_shown():
    page = read(Sortable(FRAME, caption="c"))
    assert [row.get("id") for row in page.attributes("tr")] == [None, "A-C1", "B-C1"]
    assert "A-C1" not in page.text


def test_rows_need_no_ids():
    page = read(Sortable(FRAME.drop(columns="id"), caption="c"))
    assert not any("id" in row for row in page.attributes("tr"))


def test_filters_keep_the_order_in_which_they_are_named():
    shown = Sortable(FRAME, caption="c", filters=["verdict", "paper"])
    assert heads(shown) == {"paper": "2", "verdict": "1", "gain": None}
    assert not any(heads(Sortable(FRAME, caption="c")).values())


@pytest.mark.parametrize("search", [True, False])
def test_the_search_field_can_be_left_out(search):
    page = read(Sortable(FRAME, caption="c", search=search))
    (box,) = [a for a in page.attributes("div") if a["class"] == "msa-sortable"]
    assert box["data-search"] == str(search).lower()


def test_prepared_cells_are_markup_others_are_text_and_missing_ones_are_empty():
    html = Sortable(FRAME, caption="c")._repr_html_()
    assert '<td><span class="value">supported</span></td>' in html
    assert "<td>not &lt;run&gt;</td>" in html
    assert html.count("<td></td>") == 1


def test_no_text_becomes_markup():
    frame = pd.DataFrame({"id": ['"><script>'], "<script>": ["<script>"]})
    page = read(Sortable(frame, caption='"><script>', filters=["<script>"]))
    assert not page.attributes("script")
    assert page.attributes("tr")[1]["id"] == '"><script>'


@pytest.mark.parametrize("name", ["venue", "id"])
def test_a_filter_must_be_a_shown_column(name):
    with pytest.raises(ValueError, match=name):
        Sortable(FRAME, caption="c", filters=[name])


@pytest.mark.parametrize("ids", [["C1", "C1"], ["C 1", "C2"]])
def test_ids_that_no_link_can_reach_are_refused(ids):
    with pytest.raises(ValueError, match="ids must be unique"):
        Sortable(FRAME.assign(id=ids), caption="c")


def test_the_frame_is_left_as_it_was():
    before = FRAME.copy()
    read(Sortable(FRAME, caption="c", filters=["paper"]))
    pd.testing.assert_frame_equal(FRAME, before)
