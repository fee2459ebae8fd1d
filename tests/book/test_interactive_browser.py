"""Sorting and filtering in a headless Chromium, on a page of its own that is opened as a file."""

import pandas as pd
import pytest
from markupsafe import Markup

from msalib.base import paths
from msalib.pages.sortable import Sortable
from tests.book import test_browser

browser = test_browser.browser
STATIC = paths.BOOK / "_static"
PAPERS = ["UEGD", "SUGRM", "CMT"]
SEVERITIES = ["impossible", "unlikely", "notable"]  # in an order that is not the alphabet's
GAINS = ["9.5 ± 0.1", "\u22122.0", "1,200", "10", "", ".5"]
TWO_SETS = Markup('<span class="value">MOSI</span> <span class="value">MOSEI</span>')
SETS = [TWO_SETS, "MOSI", "CH-SIMS"]
SEVERITY = Markup('<b data-order="{}">{}</b>')
VERDICT = Markup('<span class="verdict">{}</span>')
ROWS = 60
FILTERS = ["severity", "paper", "data sets", "verdict"]


def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": f"{PAPERS[i % 3]}-C{i}",
            "claim": f"C{i}",
            "paper": PAPERS[i % 3],
            "gain": GAINS[i % 6],
            "severity": SEVERITY.format(i // 3 % 3, SEVERITIES[i // 3 % 3]),
            "data sets": SETS[i // 9 % 3],
            "verdict": VERDICT.format("✓ supported" if i % 2 else "○ not run"),
        }
        for i in range(ROWS)
    )


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Address of a page with one table, opened without a server."""
    table = Sortable(frame(), caption="Made up.", filters=FILTERS)._repr_html_()
    path = tmp_path_factory.mktemp("page") / "page.html"
    path.write_text(
        '<!doctype html><html lang="en" data-theme="light"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>Made up</title>'
        f'<link rel="stylesheet" href="{(STATIC / "custom.css").as_uri()}">'
        f'<script src="{(STATIC / "tables.js").as_uri()}"></script></head>'
        f'<body class="bd-content"><a href="#CMT-C59">last</a>{table}</body></html>'
    )
    return path.as_uri()


@pytest.fixture
def show(browser, page):
    """A function that opens the page with what follows its address."""

    def show(rest: str = ""):
        browser.get("about:blank")  # a new fragment alone would not load the page again
        browser.get(page + rest)
        from selenium.webdriver.support.ui import WebDriverWait

        # The browser may answer before it has left the blank page, or laid out the new one.
        ready = (
            "return document.readyState === 'complete' && "
            "document.querySelector('table')?.checkVisibility()"
        )
        WebDriverWait(browser, 20).until(lambda b: b.execute_script(ready))
        return browser

    return show


def shown(browser, column: int = 0) -> list[str]:
    """Texts of the cells of one column in the rows that are visible."""
    return browser.execute_script(
        "return [...document.querySelectorAll('tbody tr')].filter(r => r.checkVisibility())"
        ".map(r => r.cells[arguments[0]].textContent)",
        column,
    )


def count(browser) -> str:
    return browser.execute_script("return document.querySelector('.msa-count').textContent")


def choose(browser, label: str, value: str) -> None:
    """Choose an option or type words, as a reader does."""
    (field,) = [
        field
        for field in browser.find_elements("css selector", ".msa-controls :is(select, input)")
        if name(browser, field) == label
    ]
    if field.tag_name == "input":
        field.send_keys(value)
    else:
        (option,) = [o for o in field.find_elements("tag name", "option") if o.text == value]
        option.click()


def name(browser, field) -> str:
    return browser.execute_script("return arguments[0].labels[0].firstChild.textContent", field)


def options(browser) -> dict[str, list[str]]:
    selects = browser.find_elements("css selector", ".msa-controls select")
    return {
        name(browser, s): [o.text for o in s.find_elements("tag name", "option")] for s in selects
    }


def press(browser, label: str) -> None:
    (button,) = [b for b in browser.find_elements("tag name", "button") if b.text == label]
    button.click()


def sort(browser, column: int):
    (head,) = browser.find_elements("css selector", f"thead th:nth-child({column + 1})")
    head.find_element("tag name", "button").click()
    return head


def query(browser) -> str:
    return browser.execute_script("return location.search")


def test_all_rows_are_shown_at_first_and_nothing_fails(show):
    b = show()
    assert len(shown(b)) == ROWS and count(b) == f"{ROWS} of {ROWS} rows"
    assert not [entry for entry in b.get_log("browser") if entry["level"] == "SEVERE"]
    role = b.execute_script("return document.querySelector('.msa-count').role")
    assert role == "status"  # which is announced


def test_filters_offer_distinct_texts_in_their_order(show):
    found = options(show())
    assert list(found) == FILTERS
    assert found["severity"] == ["All", *SEVERITIES]
    assert found["paper"] == ["All", *sorted(PAPERS)]
    assert found["data sets"] == ["All", "CH-SIMS", "MOSEI", "MOSI"]


def test_filters_and_search_hold_together_and_reset_lifts_them(show):
    b = show()
    choose(b, "data sets", "MOSEI")
    assert len(shown(b)) == sum("MOSEI" in cell for cell in frame()["data sets"])
    choose(b, "paper", "CMT")
    assert set(shown(b, 1)) == {"CMT"} and set(shown(b, 4)) == {"MOSI MOSEI"}
    choose(b, "Search", "cmt NOTABLE")
    expected = frame().query("paper == 'CMT'")
    expected = expected[expected["data sets"].str.contains("MOSEI")]
    expected = expected[expected["severity"].str.contains("notable")]
    assert shown(b) == expected["claim"].tolist() != []
    assert count(b) == f"{len(expected)} of {ROWS} rows"
    assert query(b) == "?paper=cmt&data-sets=mosei&search=cmt+NOTABLE"
    press(b, "Reset")
    assert shown(b) == frame()["claim"].tolist()
    assert count(b) == f"{ROWS} of {ROWS} rows" and query(b) == ""


@pytest.mark.parametrize(
    ("rest", "column", "texts"),
    [
        ("?paper=SUGRM", 1, {"SUGRM"}),
        ("?verdict=not-run&paper=cmt", 5, {"○ not run"}),
        ("?search=c59", 0, {"C59"}),
        ("?paper=nobody", 1, set(PAPERS)),
        ("?search=no%20such%20words", 1, set()),
    ],
)
def test_the_address_can_ask_for_rows(show, rest, column, texts):
    b = show(rest)
    assert set(shown(b, column)) == texts
    assert count(b) == f"{len(shown(b))} of {ROWS} rows"


def test_headers_sort_numbers_as_numbers_and_leave_what_is_empty_last(show):
    b = show()
    head = sort(b, 2)
    assert head.get_attribute("aria-sort") == "ascending"
    up = ["\u22122.0", ".5", "9.5 ± 0.1", "10", "1,200"]
    assert list(dict.fromkeys(shown(b, 2))) == [*up, ""]
    sort(b, 2)
    assert head.get_attribute("aria-sort") == "descending"
    assert list(dict.fromkeys(shown(b, 2))) == [*up[::-1], ""]
    said = [n.text or n.get_attribute("textContent") for n in b.find_elements("css selector", "p")]
    assert "Sorted by gain, descending" in said
    other = sort(b, 3)
    assert head.get_attribute("aria-sort") is None
    assert other.get_attribute("aria-sort") == "ascending"
    assert list(dict.fromkeys(shown(b, 3))) == SEVERITIES
    assert shown(b, 2)[0] == "1,200"  # rows that are alike keep the order that they had
    press(b, "Reset")
    assert other.get_attribute("aria-sort") is None
    assert shown(b) == frame()["claim"].tolist()


def test_names_are_sorted_as_a_person_counts(show):
    b = show("?paper=UEGD")
    sort(b, 0)
    assert shown(b) == [f"C{i}" for i in range(0, ROWS, 3)]


def test_everything_can_be_done_by_keyboard(show):
    from selenium.webdriver.common.keys import Keys

    b = show()
    reached = []
    for _ in range(16):
        b.switch_to.active_element.send_keys(Keys.TAB)
        reached.append(b.switch_to.active_element)
    tags = [element.tag_name for element in reached]
    tools = ["button", "button", "button", "a"]  # reset, CSV, LaTeX, a link to the table
    assert tags == ["a", *["select"] * 4, "input", *tools, "div", *["button"] * 5]
    reached[-3].send_keys(Keys.ENTER)  # the header of gains
    assert shown(b, 2)[0] == "\u22122.0"
    assert b.switch_to.active_element == reached[-3]
    reached[2].send_keys("C")  # the select box of papers
    assert set(shown(b, 1)) == {"CMT"}


@pytest.mark.parametrize("hash", ["#SUGRM-C58", "#SUGRM%2DC58"])
def test_a_link_to_a_row_leads_to_it_whatever_the_filters_are(show, hash):
    b = show(f"?paper=CMT{hash}")
    assert in_view(b, "SUGRM-C58") and count(b) == f"{ROWS} of {ROWS} rows"
    assert query(b) == ""


def test_a_link_to_a_row_that_is_shown_keeps_the_filters(show):
    b = show("?paper=SUGRM#SUGRM-C58")
    assert in_view(b, "SUGRM-C58") and set(shown(b, 1)) == {"SUGRM"}


def test_a_link_on_the_page_works_each_time(show):
    b = show()
    for _ in range(2):
        choose(b, "paper", "UEGD")
        assert set(shown(b, 1)) == {"UEGD"}  # so that the row is hidden, not only far below
        link = b.find_element("link text", "last")
        link.click()
        assert in_view(b, "CMT-C59")


def in_view(browser, row: str) -> bool:
    return browser.execute_script(
        "const box = document.getElementById(arguments[0]).getBoundingClientRect();"
        "return box.height > 0 && box.top >= 0 && box.bottom <= innerHeight",
        row,
    )


def test_without_a_script_the_table_is_whole(show):
    from selenium.webdriver.common.by import By

    b = show()
    b.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        show("?paper=CMT")
        assert not b.find_elements(By.CSS_SELECTOR, ".msa-controls, button")
        rows = b.find_elements(By.CSS_SELECTOR, "tbody tr")
        assert len(rows) == ROWS and all(row.rect["height"] > 0 for row in rows)
    finally:
        b.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_a_phone_scrolls_the_table_but_not_the_page(show):
    b = show()
    b.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", test_browser.PHONE)
    try:
        show()
        width = b.execute_script("return document.documentElement.scrollWidth")
        assert width <= test_browser.PHONE["width"]
        heights = b.execute_script(
            "return [...document.querySelectorAll('select, input, button')]"
            ".map(field => field.getBoundingClientRect().height)"
        )
        assert min(heights) >= 24  # WCAG 2.2, target size
    finally:
        b.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
