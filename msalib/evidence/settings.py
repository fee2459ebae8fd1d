"""Which settings count: those that pages of the book show with the full recipe, and as published.

``book/notebooks.yaml`` is the one place that lists the pages. Records of any other setting are a
user's own runs: they change no verdict, total or poster of the study.
"""

from pydantic import BaseModel, ConfigDict

from msalib import papers
from msalib.base import paths
from msalib.base.files import read_yaml
from msalib.data import datasets
from msalib.runs import records
from msalib.runs.records import Setting

KINDS = ("as-published", "substitute", "control")
"""Kinds of settings that verdicts are about, in the order of the ledger. Leaky ones are none."""


class Page(BaseModel):
    """One entry of ``book/notebooks.yaml``."""

    model_config = ConfigDict(extra="forbid")

    notebook: str
    parameters: dict[str, bool | int | float | str] = {}
    trains: bool = False


def plan() -> list[tuple[str, dict]]:
    """Return the notebooks of the book with their parameters, in the order in which they run."""
    return [(page.notebook, page.parameters) for page in _pages()]


def training() -> set[str]:
    """Return the notebooks that train models which no record can hold; profile quick always does.

    A build begins with them.
    """
    return {page.notebook for page in _pages() if page.trains}


def _pages() -> list[Page]:
    return read_yaml(
        paths.BOOK / "notebooks.yaml",
        list[Page],
        expected="a list of {notebook: <name>, parameters: {<name>: <value>}, trains: <bool>}",
    )


def on_pages(paper: str) -> list[Setting]:
    """Return the settings that pages of a paper show with the full recipe, each once.

    The profile ``quick`` is for lessons: a page may show it, and no verdict of the study rests on
    it.
    """
    pages = [p for name, p in plan() if name.startswith(f"{paper}/") and "encoder" in p]
    return list(
        dict.fromkeys(
            Setting(p["dataset"], p["encoder"], p.get("preset", "release"), p["profile"])
            for p in pages
            if p["profile"] == "full"
        )
    )


def as_published(paper: str) -> list[Setting]:
    """Return the settings of the paper itself; where they have no records, the ledger says so."""
    pairs = papers.fact(paper, "AS_PUBLISHED", ())
    return [Setting(dataset, encoder, "release", "full") for dataset, encoder in pairs]


def study(paper: str) -> list[Setting]:
    """Return the settings that verdicts rest on: those of the book's pages, and as published."""
    return list(dict.fromkeys([*on_pages(paper), *as_published(paper)]))


def beside(paper: str) -> list[Setting]:
    """Return settings whose records stand beside others in a comparison; none is judged itself."""
    pairs = papers.fact(paper, "BESIDE", {}).values()
    return [Setting(dataset, encoder, "release", "full") for dataset, encoder in pairs]


def counted(paper: str) -> list[Setting]:
    """Return the settings of the study that have records, ordered by the folders of these."""
    files = {setting: records.files(paper, setting) for setting in study(paper)}
    return sorted((s for s in files if files[s]), key=lambda s: files[s][0].parent)


def kind(paper: str, setting: Setting) -> str:
    """Return as-published, substitute, control or leaky."""
    published = papers.published(paper, setting.dataset, setting.encoder, setting.profile)
    return datasets.dataset(setting.dataset).setting(published)
