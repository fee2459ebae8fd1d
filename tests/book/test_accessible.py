"""Every kind of page by the rules of axe-core: at a desk and on a phone, in light and in dark."""

import importlib.util
from pathlib import Path

import pytest

from tests.book import test_browser

browser, address = test_browser.browser, test_browser.address
DESK = {"width": 1400, "height": 1000, "deviceScaleFactor": 1, "mobile": False}
KINDS = [
    *("book/intro", "book/uegd/index", "book/glossary", "book/bibliography", "search"),
    *(
        "book/executed/uegd/table2-mosi*",
        "book/executed/uegd/fig6-*",
        "book/executed/glomo/table4*",
    ),
    *("book/executed/ledger", "book/executed/paper-uegd", "book/executed/printed"),
    *("book/executed/data", "book/executed/audit-mosi", "book/executed/raw-raw"),
    *("book/executed/status", "book/lessons/uegd"),
]
"""A page of each kind."""

FOUND = """
const [mode, done] = arguments;
document.documentElement.dataset.theme = mode;
axe.run(document, { resultTypes: ["violations"] })
  .then(({ violations }) => done(violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`))))
  .catch((error) => done([String(error)]));
"""


@pytest.fixture(scope="module")
def axe():
    """The script of axe-core, from a wheel that holds little else."""
    package = importlib.util.find_spec("axe_core_python")
    if package is None:
        pytest.skip("no axe-core here: pip install axe-core-python==0.1.0")
    return Path(package.origin).with_name("axe.min.js").read_text()


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_breaks_no_rule(browser, address, site, axe, kind):
    page = min(site.glob(f"{kind}.html"))
    found = {}
    for name, screen in (("desk", DESK), ("phone", test_browser.PHONE)):
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        try:
            test_browser.open_page(browser, address, page.relative_to(site).as_posix())
            browser.set_script_timeout(240)  # tables are long
            browser.execute_script(axe)
            for mode in ("light", "dark"):
                found[name, mode] = browser.execute_async_script(FOUND, mode)
        finally:
            browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert not {where: problems for where, problems in found.items() if problems}
