"""Downloads of tables in a headless Chromium: what a button gives is what exports write."""

import pandas as pd
import pytest
from markupsafe import Markup

from msalib.base import paths
from msalib.pages import exports, reading, sheet
from msalib.pages.cells import mean_sd, number
from msalib.pages.sheet import Sheet
from msalib.pages.sortable import Sortable
from msalib.pages.tables import Folded, Table
from tests.book import test_browser

browser = test_browser.browser
SCRIPT = paths.BOOK / "_static" / "tables.js"
LETTERS = "".join(exports.LATEX) + "éß日"
MARKED = Markup(
    '<span class="verdict">✓ supported</span><br>a <small>b.</small><details><summary>c</summary>'
    '<ul><li>d &amp; e:</li><li>f</li></ul></details><span aria-hidden="true">▲</span>'
    '<span class="visually-hidden">more</span><abbr title="t" aria-label="not run">○</abbr>'
    '<img alt="a picture" src="data:,">'
)
SAVED = """
window.saved = [];
URL.createObjectURL = (blob) => { saved.push(blob); return "#"; };
HTMLAnchorElement.prototype.click = function () { saved.push(this.download); };
"""


def shown() -> list:
    """A table of each kind; the letters are all that LaTeX spells."""
    frame = pd.DataFrame(
        {
            "id": ["A", "B"],
            LETTERS: [LETTERS, 'line "one", two'],
            "MAE ↓ (points)": [mean_sd({0: 0.81, 1: None, 2: 0.79}, "{:.3f}".format), "no record"],
            "marked": [MARKED, "-"],
            "n": [1200, -3],
            "low": [number("\u22120.5", -0.5), "-"],
            "words": ["a sentence of a claim " * 5, None],
        }
    )
    groups = {"": [sheet.row("a", [sheet.cell("1"), sheet.cell(sheet.mark("✓", "yes"))])]}
    groups["second & last"] = [sheet.row("b", [Markup('<td colspan="2">all</td>')])]
    content = sheet.table("t", "A sheet.", ["name", "x", "y"], groups)
    return [
        Table(frame, caption=f"All: {LETTERS}."),
        Sortable(frame, caption="To sort.", filters=["n"]),
        Folded("More", Table(frame, caption="")),
        Sheet([content], caption="Below."),
    ]


@pytest.fixture(scope="module")
def page(browser, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "made-up.html"
    tables = "\n".join(one._repr_html_() for one in shown())
    path.write_text(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Made up</title>'
        f'<script src="{SCRIPT.as_uri()}"></script></head><body>{tables}</body></html>'
    )
    browser.get(path.as_uri())
    browser.execute_script(SAVED)
    return browser


def press(page, word: str) -> list[tuple[str, str]]:
    """Press all buttons of a name; return names and contents of what is saved."""
    page.execute_script("saved.length = 0")
    page.execute_script(
        "for (const b of document.querySelectorAll('button'))"
        " if (b.textContent === arguments[0]) b.dispatchEvent(new Event('click'))",
        word,
    )
    saved = page.execute_async_script(
        "Promise.all(saved.map((one) => one.text?.() ?? one)).then(arguments[0])"
    )
    return list(zip(saved[1::2], saved[::2], strict=True))


def test_csv_is_what_exports_write(page):
    grids = reading.grids("".join(one.html() for one in shown()))
    expected = [(f"made-up-table-{n}.csv", exports.to_csv(g)) for n, g in enumerate(grids, 1)]
    assert len(expected) == 4
    assert press(page, "CSV") == expected


def test_latex_is_what_exports_write(page):
    grids = reading.grids("".join(one.html() for one in shown()))
    names = [f"made-up-table-{n}" for n in range(1, 5)]
    expected = [(f"{n}.tex", exports.to_latex(g, n)) for n, g in zip(names, grids, strict=True)]
    assert press(page, "LaTeX") == expected


def test_hidden_rows_are_not_saved(page):
    filter_rows = "const s = document.querySelector('select'); s.value = arguments[0];"
    filter_rows += "s.dispatchEvent(new Event('change'))"
    page.execute_script(filter_rows, "1200")
    try:
        contents = dict(press(page, "CSV"))
        assert [text.count("\n") for text in contents.values()] == [3, 2, 3, 3]
    finally:
        page.execute_script(filter_rows, "")


def test_buttons_say_which_table_they_are_of_and_links_lead_to_it(page):
    labels = page.execute_script(
        "return [...document.querySelectorAll('button')].filter(b => /^(CSV|LaTeX)$/"
        ".test(b.textContent)).map(b => b.getAttribute('aria-label'))"
    )
    assert len(labels) == 8 and "CSV of the table: To sort." in labels
    ids = page.execute_script("return [...document.querySelectorAll('.msa-table')].map(b => b.id)")
    assert ids == [f"table-{n}" for n in range(1, 5)]
    links = page.execute_script(
        "return [...document.querySelectorAll('a')].map(a => a.getAttribute('href'))"
    )
    assert links == [f"#{name}" for name in ids]
