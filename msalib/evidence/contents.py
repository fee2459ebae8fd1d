"""What the book holds: its notebooks with their parameters, and the settings that it counts.

``book/notebooks.yaml`` is the one place that says so. Records of any other setting lie where they
like and change nothing in the book.
"""

from pydantic import BaseModel, ConfigDict

from msalib.base import paths
from msalib.base.files import read_yaml
from msalib.runs.records import Setting


class Page(BaseModel):
    """One entry of ``book/notebooks.yaml``."""

    model_config = ConfigDict(extra="forbid")

    notebook: str
    parameters: dict[str, bool | int | float | str] = {}


def plan() -> list[tuple[str, dict]]:
    """Return the notebooks of the book with their parameters, in the order in which they run."""
    pages = read_yaml(
        paths.BOOK / "notebooks.yaml",
        list[Page],
        expected="a list of {notebook: <name>, parameters: {<name>: <value>}}",
    )
    return [(page.notebook, page.parameters) for page in pages]


def settings(paper: str) -> list[Setting]:
    """Return the settings that pages of a paper show with the full recipe, each once.

    The profile ``quick`` is for lessons: a page may show it, and no verdict of the study rests on
    it.
    """
    shown = [p for name, p in plan() if name.startswith(f"{paper}/") and "encoder" in p]
    return list(
        dict.fromkeys(
            Setting(p["dataset"], p["encoder"], p.get("preset", "release"), p["profile"])
            for p in shown
            if p["profile"] == "paper"
        )
    )
