"""The first page of the built book: the answer, three ways in, a short answer for each paper."""

import re

import pytest
from bs4 import BeautifulSoup

from msalib.base import paths

WAYS = ("executed/ledger.html", "lessons/index.html", "run.html")


@pytest.fixture
def front(site):
    page = BeautifulSoup((site / "book" / "intro.html").read_text(), "html.parser")
    return page.find("article") or page


def words(text: str) -> str:
    """Letters and digits alone, so that typography and Markdown do not matter."""
    return " ".join(re.findall(r"[\w.]+", text))


def test_three_ways_in_come_before_everything_else(front):
    links = [link["href"] for link in front.find_all("a", href=True)]
    first = [links.index(way) for way in WAYS]
    assert first == sorted(first)
    chapter = links.index("uegd/index.html")
    assert max(first) < chapter


def test_the_short_answers_of_the_readme_are_those_of_the_page(front):
    readme = (paths.ROOT / "README.md").read_text()
    part = readme.split("<!-- answers:")[1].split("<!-- /answers -->")[0]
    whole = re.search(r"^Of .*", part, re.MULTILINE).group()
    answers = [line.rpartition("** ")[2] for line in part.splitlines() if line.startswith("- **")]
    assert len(answers) == 5
    shown = words(front.get_text(" "))
    for text in (whole, *answers):
        assert words(text) in shown, text


def test_the_poster_is_shown_once(front):
    assert len(front.find_all(class_="msa-poster")) == 1
