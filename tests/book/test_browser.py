"""The built book in a headless Chromium: every page, its console, search, phone width."""

import functools
import http.server
import shutil
import threading

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
    """Addresses of every page, below the root."""
    found = [p.relative_to(site).as_posix() for p in sorted(site.rglob("*.html"))]
    return [page for page in found if not page.startswith("_static/")]


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


def test_pages_open_without_an_error(browser, address, pages):
    errors = {}
    for page in ["", *pages]:
        open_page(browser, address, page)
        entries = [e["message"] for e in browser.get_log("browser") if e["level"] == "SEVERE"]
        if entries:
            errors[page] = entries
    assert not errors


def test_pages_load_nothing_from_elsewhere(browser, address, pages):
    for page in pages:
        open_page(browser, address, page)
        loaded = browser.execute_script(
            "return performance.getEntriesByType('resource').map(entry => entry.name)"
        )
        assert loaded
        assert not [url for url in loaded if not url.startswith((address, "data:"))], page


def test_mathematics_is_set(browser, address, pages):
    formulas = 0
    for page in pages:
        open_page(browser, address, page)
        states = browser.execute_script(
            "return [...document.querySelectorAll('.math')].map(formula =>"
            "  Boolean(formula.querySelector('mjx-container:not(:has(mjx-merror))')))"
        )
        assert all(states), page
        formulas += len(states)
    assert formulas


def test_search_finds_a_word(browser, address):
    browser.get(f"{address}search.html?q=sentiment")
    hits = wait(browser, "[...document.querySelectorAll('#search-results li a')].map(a => a.href)")
    assert any(hit.startswith(address) for hit in hits)
    browser.get(f"{address}search.html?q=qwxzyv")
    wait(browser, "document.querySelector('#search-results').textContent.includes('did not match')")


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_pages_fit_a_phone(browser, address, pages, mode):
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
    try:
        for page in pages:
            open_page(browser, address, page)
            browser.execute_script("document.documentElement.dataset.theme = arguments[0]", mode)
            width = browser.execute_script("return document.documentElement.scrollWidth")
            assert width <= PHONE["width"], page
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_figures_stay_on_light_paper_in_dark_mode(browser, address, pages):
    figures = 0
    for page in pages:
        open_page(browser, address, page)
        browser.execute_script("document.documentElement.dataset.theme = 'dark'")
        papers = browser.execute_script(
            "return [...document.querySelectorAll('figure.msa img')]"
            ".map(i => [getComputedStyle(i).backgroundColor, getComputedStyle(i).filter])"
        )
        assert all(paper == ["rgb(255, 255, 255)", "none"] for paper in papers), page
        figures += len(papers)
    assert figures
