"""The built book: complete, whole, and without a byte from elsewhere."""

import json
import re
import zipfile
from collections import Counter
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup

from msalib.base import paths
from msalib.book import notebooks
from msalib.book.gate import gate
from msalib.evidence.settings import plan

# What a browser loads of itself, by element and attribute.
ASSETS = [
    *(("script", "src"), ("img", "src"), ("iframe", "src"), ("source", "src")),
    *(("video", "src"), ("audio", "src"), ("embed", "src"), ("object", "data"), ("link", "href")),
]
ELSEWHERE = re.compile(r"^(https?:)?//")


LARGEST_PAGE = 600_000
LARGEST_SITE = 25_000_000
"""Bytes."""


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
    for notebook, parameters in plan():
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
        for image in read(page).select("img:not(.book-home img)")  # it stands beside its name
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
    refresh = read(site / "index.html").find("meta", attrs={"http-equiv": "refresh"})
    assert (site / refresh["content"].split("url=")[1]).is_file()


def test_every_address_of_the_book_before_leads_to_a_page(site):
    """Those of commit 39f1268; a page that leads on is no page."""
    moved = yaml.safe_load((paths.BOOK / "redirects.yaml").read_text())
    before = Path(__file__).with_name("old_addresses.txt").read_text().split()
    for address in before:
        page = read(site / f"{address}.html")
        refresh = page.find("meta", attrs={"http-equiv": "refresh"})
        assert bool(refresh) == (address in moved or address == "index"), address
        if refresh:
            target = site / address / ".." / refresh["content"].split("url=")[1]
            assert not read(target.resolve()).find("meta", attrs={"http-equiv": "refresh"})


def test_no_two_pages_share_a_title(pages):
    titles = {page: read(page).title.get_text() for page in content(pages)}
    shared = [title for title, count in Counter(titles.values()).items() if count > 1]
    assert not {page.name: title for page, title in titles.items() if title in shared}


def test_tabs_and_links_around_a_page_show_its_own_name(pages):
    names = {page: name(read(page).h1) for page in content(pages)}
    for page in content(pages):
        soup = read(page)
        assert name(soup.title) in (names[page], f"{names[page]} | MSA re-run"), page
        for link in soup.select(".book-next a"):
            target = (page.parent / unquote(link["href"])).resolve()
            assert name(link) == names[target], page


def name(element) -> str:
    """What an element says, without the link to a heading and the word over a link."""
    texts = [t for t in element.find_all(string=True) if t.parent.name != "small"]
    return " ".join("".join(t for t in texts if not t.find_parent(class_="headerlink")).split())


def content(pages) -> list[Path]:
    return [page for page in pages if not read(page).find("meta", attrs={"http-equiv": "refresh"})]


def test_pages_and_site_are_light(site, pages):
    sizes = {page.name: page.stat().st_size for page in pages}
    assert not {name: size for name, size in sizes.items() if size > LARGEST_PAGE}
    files = [path.stat().st_size for path in site.rglob("*") if path.is_file()]
    assert sum(files) < LARGEST_SITE


def test_no_file_is_there_that_no_page_asks_for(site, pages):
    """Scripts, styles and pictures; MathJax asks for its fonts by itself."""
    sheets = "".join(path.read_text() for path in site.rglob("*.css"))
    asked = sheets + "".join(page.read_text() for page in pages)
    files = [path for path in (site / "_static").rglob("*") if path.is_file()]
    idle = [path.name for path in files if path.name not in asked and path.suffix != ".woff"]
    assert not idle


def test_executed_notebooks_pass_the_gate(planned):
    problems = {
        str(executed.name): gate(executed, notebook, parameters)
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
        (offered,) = {link["href"] for link in read(page).select("a.book-button[download]")}
        with zipfile.ZipFile(page.parent / offered) as archive:
            assert archive.namelist() == [executed.name]
            content = archive.read(executed.name)
        nbformat.validate(json.loads(content))
        assert content == executed.read_bytes()


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
