"""How a verdict is cited: version and day of the record, an address that the book can resolve."""

import re

import pytest

from msalib.evidence.changes import Snapshot
from msalib.pages import cite
from msalib.pages.cite import Author, Study
from tests.html import read
from tests.small import ENTRIES

AT = Snapshot(version="1.2.3", commit="0123456789ab", date="2026-11-30", claims={})
CLAIM = (
    ENTRIES["one"]
    .claims[0]
    .model_copy(update={"paper": "one", "id": "ONE-C1", "statement": "Gains of 5 % & more."})
)
STUDY = Study(title="A study", authors=[Author(name="A"), Author(name="B")], version="1.2.3")


@pytest.fixture(params=["", "https://example.org/book", "https://example.org/book/"])
def base(request, monkeypatch):
    monkeypatch.setattr(cite, "study", lambda: STUDY.model_copy(update={"url": request.param}))
    return f"{request.param.rstrip('/')}/" if request.param else ""


def test_a_sentence_says_who_what_version_day_and_address(base):
    text = cite.text(CLAIM, AT)
    assert text.startswith("A and B. ONE-C1: Gains of 5 % & more. In: A study, version 1.2.3, 2026")
    assert text.endswith(f" {base}executed/paper-one.html#ONE-C1")


def test_bibtex_is_an_entry_that_latex_can_set(base):
    entry = cite.bibtex(CLAIM, AT)
    fields = dict(re.findall(r"^  (\w+) = \{(.*)\},$", entry, re.M))
    assert entry.startswith("@misc{msa-rerun-ONE-C1,") and entry.endswith("\n}")
    assert fields["title"] == r"ONE-C1: Gains of 5 \% \& more."
    assert fields["author"] == "{A and B}" and fields["year"] == "2026"
    assert "0123456789ab" in fields["note"] and fields["url"].startswith(base)


def test_each_claim_opens_under_its_name():
    page = read(cite.claims([CLAIM], AT))
    (opened,) = page.attributes("details")
    assert opened["id"] == "cite-ONE-C1" and "@misc" in page.text


def test_the_study_has_a_title_authors_and_a_version():
    found = cite.study()
    assert found.title and found.by and found.version
