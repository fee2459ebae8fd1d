"""The built book: complete, whole, and without a byte from elsewhere."""

import json
import re
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from bs4 import BeautifulSoup

from msalib.base import paths
from msalib.book import build as book
from msalib.book import notebooks

# What a browser loads of itself, by element and attribute.
ASSETS = [
    *(("script", "src"), ("img", "src"), ("iframe", "src"), ("source", "src")),
    *(("video", "src"), ("audio", "src"), ("embed", "src"), ("object", "data"), ("link", "href")),
]
ELSEWHERE = re.compile(r"^(https?:)?//")


@cache
def read(page: Path) -> BeautifulSoup:
    return BeautifulSoup(page.read_text(), "html.parser")


@pytest.fixture(scope="session")
def pages(site):
    """Every page, not the fragments that the theme keeps under _static."""
    return [p for p in sorted(site.rglob("*.html")) if "_static" not in p.parts]


@pytest.fixture(scope="session")
def planned(site):
    """(notebook, parameters, executed notebook, its page) of every planned notebook."""
    found = []
    for notebook, parameters in book.plan():
        resolved = notebooks.resolve_parameters(notebook, parameters)
        executed = notebooks.executed_path(notebook, resolved)
        page = site / executed.relative_to(paths.ROOT).with_suffix(".html")
        found.append((notebook, parameters, executed, page))
    return found


def test_no_page_loads_anything_from_elsewhere(pages):
    loaded = [
        f"{page.name}: {element[attribute]}"
        for page in pages
        for tag, attribute in ASSETS
        for element in read(page).find_all(tag, attrs={attribute: ELSEWHERE})
    ]
    assert not loaded


def test_no_style_loads_anything_from_elsewhere(site, pages):
    sheets = {p: p.read_text() for p in site.rglob("*.css")}
    sheets |= {p: "".join(s.get_text() for s in read(p).find_all("style")) for p in pages}
    loads = re.compile(r"""(?:url\(|@import)\s*["']?(?:https?:)?//[^"')\s]*""")
    assert not [f"{p.name}: {found}" for p, text in sheets.items() for found in loads.findall(text)]


def test_every_image_has_an_alternative_text(pages):
    bare = [
        f"{page.name}: {str(image)[:80]}"
        for page in pages
        for image in read(page).find_all("img")
        if not image.get("alt", "").strip()
    ]
    assert not bare


def test_links_and_anchors_lead_somewhere(pages):
    broken = [
        f"{page.name}: {link['href']}"
        for page in pages
        for link in read(page).find_all("a", href=True)
        if not leads_somewhere(page, link["href"])
    ]
    assert not broken


def leads_somewhere(page: Path, href: str) -> bool:
    parts = urlsplit(href)
    if parts.scheme in ("http", "https", "mailto"):
        return True
    target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if not target.is_file():
        return False
    if not parts.fragment or target.suffix != ".html":
        return True
    anchor = unquote(parts.fragment)
    return bool(read(target).find(id=anchor) or read(target).find("a", attrs={"name": anchor}))


def test_first_page_is_reached_from_the_root(site):
    refresh = read(site / "index.html").find("meta", attrs={"http-equiv": "Refresh"})
    assert (site / refresh["content"].split("url=")[1]).is_file()


def test_executed_notebooks_pass_the_gate(planned):
    problems = {
        str(executed.name): book.gate(executed, notebook, parameters)
        for notebook, parameters, executed, _ in planned
    }
    assert not {name: found for name, found in problems.items() if found}


def test_no_page_shows_a_traceback_or_a_path_of_this_machine(pages):
    for page in pages:
        text = page.read_text()
        assert "Traceback (most recent call last)" not in text, page
        assert f"{paths.ROOT}/" not in text, page


def test_each_page_offers_its_executed_notebook(site, planned):
    for _, _, executed, page in planned:
        hrefs = [a["href"] for a in read(page).find_all("a", href=True)]
        (offered,) = {h for h in hrefs if h.endswith(f"_sources/book/{within_book(executed)}")}
        file = (page.parent / offered).resolve()
        nbformat.validate(json.loads(file.read_text()))
        assert file.read_bytes() == executed.read_bytes()


def within_book(executed: Path) -> str:
    return executed.relative_to(paths.BOOK).as_posix()


def test_each_exhibit_offers_its_clean_source(pages):
    offered = {
        (page.parent / unquote(link["href"])).resolve()
        for page in pages
        for link in read(page).find_all("a", class_="download", href=True)
    }
    contents = {file.read_bytes() for file in offered if file.suffix == ".ipynb"}
    exhibits = [name for name in notebooks.available() if "/" in name]
    assert exhibits
    missing = [n for n in exhibits if notebooks.source_path(n).read_bytes() not in contents]
    assert not missing, "link them with {download} from their chapter"
