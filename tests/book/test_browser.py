"""The built book in a headless Chromium: every page, its console, search, phone width."""

import functools
import http.server
import json
import shutil
import threading
from typing import NamedTuple

import numpy as np
import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
CHROMEDRIVER = shutil.which("chromedriver")
FLAGS = [
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
WAIT_S = 20


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A file server that does not log."""

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def address(site):
    handler = functools.partial(Quiet, directory=site)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def pages(site):
    """Addresses of every page, below the root; those that lead on are none."""
    found = [p for p in sorted(site.rglob("*.html")) if 'http-equiv="refresh"' not in p.read_text()]
    return [page.relative_to(site).as_posix() for page in found]


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    if not (CHROMIUM and CHROMEDRIVER):
        pytest.skip("no chromium with chromedriver here: apt-get install chromium-driver")
    selenium = pytest.importorskip("selenium.webdriver")
    options = selenium.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in [*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = selenium.ChromeService(executable_path=CHROMEDRIVER)
    driver = selenium.Chrome(options=options, service=service)
    yield driver
    driver.quit()


def wait(browser, script: str):
    """The first true value of a JavaScript expression."""
    from selenium.webdriver.support.ui import WebDriverWait

    return WebDriverWait(browser, WAIT_S).until(lambda b: b.execute_script(f"return {script}"))


def open_page(browser, address: str, page: str) -> None:
    """Open a page and wait until it is loaded and its mathematics is set."""
    browser.get(address + page)
    wait(browser, "document.readyState === 'complete'")
    wait(browser, "!document.querySelector('.math') || Boolean(window.MathJax?.startup?.promise)")
    browser.execute_async_script(
        "Promise.resolve(window.MathJax?.startup?.promise).then(() => arguments[0]())"
    )


class Visit(NamedTuple):
    """What one page showed when it was opened, then narrowed to a phone."""

    page: str
    errors: list[str]
    loaded: list[str]  # addresses
    formulas: list[bool]  # whether each is set
    figures: list[bool]  # whether each is drawn in the colour of letters in dark mode
    widths: dict[str, int]  # mode -> pixels on a phone


SHOWN = """
const root = document.documentElement;
const loaded = performance.getEntriesByType("resource").map((entry) => entry.name);
const formulas = [...document.querySelectorAll(".math")].map((formula) =>
  Boolean(formula.querySelector("mjx-container:not(:has(mjx-merror))")));
root.dataset.theme = "dark";
const figures = [...document.querySelectorAll("figure.msa svg")].map((drawing) =>
  getComputedStyle(drawing).color === getComputedStyle(document.body).color);
return [loaded, formulas, figures];
"""


@pytest.fixture(scope="module")
def visits(browser, address, pages):
    """Every page, opened once."""
    return [visit(browser, address, page) for page in ["", *pages]]


def visit(browser, address, page) -> Visit:
    open_page(browser, address, page)
    errors = [e["message"] for e in browser.get_log("browser") if e["level"] == "SEVERE"]
    shown = browser.execute_script(SHOWN)
    widths = {}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
    try:
        for mode in ("light", "dark"):
            browser.execute_script("document.documentElement.dataset.theme = arguments[0]", mode)
            widths[mode] = browser.execute_script("return document.documentElement.scrollWidth")
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    return Visit(page, errors, *shown, widths)


def test_pages_open_without_an_error(visits):
    assert not {visit.page: visit.errors for visit in visits if visit.errors}


def test_pages_load_nothing_from_elsewhere(visits, address):
    for visit in visits:
        assert visit.loaded or not visit.page  # the root only leads on
        elsewhere = [url for url in visit.loaded if not url.startswith((address, "data:"))]
        assert not elsewhere, visit.page


def test_mathematics_is_set(visits):
    assert all(all(visit.formulas) for visit in visits)
    assert any(visit.formulas for visit in visits)
    for visit in visits:  # what sets them is loaded there alone
        assert bool(visit.formulas) == any("mathjax" in url for url in visit.loaded), visit.page


def test_pages_fit_a_phone(visits):
    wide = [visit.page for visit in visits if max(visit.widths.values()) > PHONE["width"]]
    assert not wide


def test_an_old_address_leads_on_with_what_follows_it(browser, address):
    browser.get(f"{address}book/executed/uegd/fig6-mosi_standardised-minilm-paper.html?search=a#b")
    new = f"{address}book/executed/uegd/fig6-mosi_standardised-minilm.html?search=a#b"
    wait(browser, "document.querySelector('main article') !== null")
    assert browser.current_url == new


def test_figures_follow_the_dark_mode(visits):
    figures = [figure for visit in visits for figure in visit.figures]
    assert figures and all(figures)


@pytest.mark.parametrize(
    ("query", "page"),
    [
        ("which layer", "book/uegd/index"),
        ("which layer should a small model read", "book/uegd/index"),
        ("is one summary of a clip enough", "book/glomo/index"),
        ("ledger", "book/executed/ledger"),
        ("glossary", "book/glossary"),
    ],
)
def test_search_shows_first_the_page_of_that_name(browser, address, query, page):
    browser.get(f"{address}search.html?q={query.replace(' ', '+')}")
    assert wait(browser, "document.querySelector('#search-results li a')?.href").startswith(
        f"{address}{page}.html"
    )


def test_search_finds_no_code_and_no_labels_of_buttons(site):
    index = (site / "searchindex.js").read_text()
    terms = json.loads(index.removeprefix("Search.setIndex(").removesuffix(")"))["terms"]
    pages = len(list(site.rglob("*.html")))
    for word in ("csv", "latex", "studi", "import"):  # buttons of tables, code of every page
        assert len(np.atleast_1d(terms.get(word, []))) < pages / 2, word


def test_search_finds_a_word(browser, address):
    browser.get(f"{address}search.html?q=sentiment")
    hits = wait(browser, "[...document.querySelectorAll('#search-results li a')].map(a => a.href)")
    assert any(hit.startswith(address) for hit in hits)
    browser.get(f"{address}search.html?q=qwxzyv")
    wait(browser, "document.querySelector('#search-results').textContent.includes('did not match')")
