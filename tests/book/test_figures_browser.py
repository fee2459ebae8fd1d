"""Values of points in a headless Chromium: pointer, finger, keys; on a page opened as a file."""

import pytest

from msalib.base import paths
from msalib.pages.figure import Picture, axes_of, mark, style
from tests.book import test_browser

browser = test_browser.browser
STATIC = paths.BOOK / "_static"
VALUES = {1: "one: 0.10 [0.05, 0.15]", 2: "two: 0.50 [0.30, 0.70] <b>", 3: "three: 0.90"}


@style
def picture(name: str) -> Picture:
    figure, axes = axes_of()
    axes.plot(list(VALUES), [0.1, 0.5, 0.9], "o")
    for x, y in zip(VALUES, (0.1, 0.5, 0.9), strict=True):
        mark(axes, x, y, VALUES[x])
    return Picture(figure, alt=f"Three points of {name}.", caption=f"Points of {name}.")


@pytest.fixture
def page(browser, tmp_path):
    """The browser on a page with two figures, as wide as a phone."""
    figures = "".join(picture(name)._repr_html_() for name in ("one figure", "another"))
    path = tmp_path / "page.html"
    path.write_text(
        '<!doctype html><html lang="en" data-theme="dark"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>Made up</title>'
        f'<link rel="stylesheet" href="{(STATIC / "figures.css").as_uri()}">'
        f'<script src="{(STATIC / "figures.js").as_uri()}" defer></script></head>'
        f'<body style="--pst-color-background: rgb(1, 2, 3); color: rgb(4, 5, 6)">{figures}</body>'
    )
    browser.get("about:blank")
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", test_browser.PHONE)
    browser.get(path.as_uri())
    test_browser.wait(browser, "document.querySelectorAll('.msa-value').length === 2")
    yield browser
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def value(browser, figure: int = 0) -> str:
    return browser.execute_script(
        "return document.querySelectorAll('.msa-value')[arguments[0]].textContent", figure
    )


def point(browser, x: float, y: float, kind: str = "mousePressed") -> None:
    """Move a pointer, or put a finger, at an offset from the second mark of the first figure."""
    box = browser.execute_script(
        "const box = document.querySelectorAll('.msa-marks circle')[1].getBoundingClientRect();"
        "return [box.left + box.width / 2, box.top + box.height / 2]"
    )
    at = {"x": box[0] + x, "y": box[1] + y}
    if kind == "touch":
        for event, points in (("touchStart", [at]), ("touchEnd", [])):
            command = {"type": event, "touchPoints": points}
            browser.execute_cdp_cmd("Input.dispatchTouchEvent", command)
    else:
        browser.execute_cdp_cmd("Input.dispatchMouseEvent", {"type": "mouseMoved", **at})


def test_a_pointer_near_a_point_shows_its_value_and_away_from_it_none(page):
    point(page, 5, -8)
    assert value(page) == VALUES[2] and value(page, 1) == ""
    point(page, 0, 45)
    assert value(page) == ""


def test_a_finger_shows_a_value_that_stays(page):
    point(page, -6, 4, "touch")
    assert value(page) == VALUES[2]


def test_keys_go_from_point_to_point_and_escape_hides(page):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    page.execute_script("document.querySelector('.msa-plot').focus()")
    keys = [Keys.HOME, Keys.ARROW_RIGHT, Keys.END, Keys.ARROW_RIGHT, Keys.ARROW_LEFT, Keys.ESCAPE]
    told = []
    for key in keys:
        ActionChains(page).send_keys(key).perform()
        told.append(value(page))
    one, two, three = VALUES.values()
    assert told == [one, two, three, one, three, ""]


def test_values_fit_the_page_and_are_told_to_those_who_do_not_see_it(page):
    point(page, 0, 0)
    box, width, role = page.execute_script(
        "const value = document.querySelector('.msa-value');"
        "const box = value.getBoundingClientRect();"
        "return [[box.left, box.right], innerWidth, value.getAttribute('role')]"
    )
    assert 0 <= box[0] < box[1] <= width and role == "status"
    assert not page.execute_script("return document.querySelectorAll('.msa-marks title').length")


def test_figures_are_numbered_and_have_the_colours_of_the_page(page):
    numbers, colour, width = page.execute_script(
        "const links = [...document.querySelectorAll('.msa-number')];"
        "const drawing = document.querySelector('.msa-plot svg');"
        "return [links.map((link) => getComputedStyle(link, '::after').content),"
        " getComputedStyle(drawing.querySelector('text')).fill,"
        " drawing.getBoundingClientRect().width / innerWidth]"
    )
    assert all("counter(msa-figure)" in number for number in numbers) and len(numbers) == 2
    assert colour == "rgb(4, 5, 6)" and 0.9 < width <= 1
