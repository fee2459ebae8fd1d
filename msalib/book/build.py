"""Build the book: run the notebooks that are out of date, then render the pages."""

from collections.abc import Sequence
from pathlib import Path

from msalib.base.terminal import say
from msalib.book import notebooks, render
from msalib.book.runner import Page, runner
from msalib.book.stamp import Stamps
from msalib.evidence.settings import plan

LAST = "status"
"""The page that lists all others, so it runs when they have run."""


def build() -> Path:
    """Run the notebooks of the plan that are not up to date, check them, render the book.

    A page stays where nothing has changed that it is made of (``stamp``). Trainings of profile
    ``quick`` are shared between the pages of builds as long as the code that trains is the same,
    but not with other commands, which may be reading theirs. Returns the first page of the book.
    Raises ``UserError`` where a notebook fails, does not pass the gate, or a page gives a warning.
    """
    pages = [(name, notebooks.resolve_parameters(name, given)) for name, given in plan()]
    last = [page for page in pages if page[0] == LAST]
    stale = [page for page in _stale(pages) if page not in last]
    if stale or _stale(last):
        with runner([*stale, *last]) as started:
            started.run(stale)
            started.run(last)
        stale += last
    say(f"{len(pages) - len(stale)} of {len(pages)} pages were up to date; rendering")
    return rendered()


def rendered() -> Path:
    """Render the pages from the executed notebooks, and tell where the book is."""
    index = render.render()
    say(f"The book is ready: open {index}")
    return index


def _stale(pages: Sequence[Page]) -> list[Page]:
    """Return the pages whose executed notebooks are not made of what there is now."""
    stamps = Stamps()
    return [page for page in pages if not stamps.fresh(*page)]
