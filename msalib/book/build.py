"""Build the book: run the notebooks that are out of date, check what came out, render the pages.

jupyter-book accepts a notebook that failed or never ran, so the gate stands before it.
"""

import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path

from msalib.base import paths, temporary
from msalib.base.errors import UserError
from msalib.base.terminal import say
from msalib.book import notebooks, render
from msalib.book.stamp import Stamps
from msalib.evidence.settings import plan

TIMEOUT_S = 20 * 60

TOGETHER = 2
"""Notebooks that run at a time. Each has a process and a kernel of its own; those that train the
same runs share them (``Study``)."""

LAST = "status"
"""The page that lists all others, so it runs whenever another has run."""


def gate(executed: Path, notebook: str, parameters: Mapping) -> list[str]:
    """Return why an executed notebook must not be published; empty where it may.

    It must come from today's source with these parameters, every cell run, none with an error,
    and must not show a path of this machine.
    """
    import nbformat

    if not executed.exists():
        return ["not executed"]
    content = nbformat.read(executed, as_version=4)
    about, run = (content.metadata.get(name, {}) for name in ("msalib", "papermill"))
    problems = []
    if about.get("source_sha256") != notebooks.source_hash(notebook):
        problems.append("the source notebook has changed since")
    if about.get("parameters") != notebooks.resolve_parameters(notebook, parameters):
        problems.append(f"run with other parameters: {about.get('parameters')}")
    if run.get("exception") is not None or run.get("end_time") is None:
        problems.append("papermill did not finish")
    for number, cell in enumerate(content.cells, start=1):
        problems += [f"cell {number} {problem}" for problem in _cell_problems(cell)]
    return problems


def _cell_problems(cell) -> list[str]:
    problems = []
    if "papermill-error-cell-tag" in cell.metadata.get("tags", []):
        problems.append("is papermill's mark of a failure")
    if cell.cell_type != "code":
        return problems
    if cell.source.strip() and cell.execution_count is None:
        problems.append("was not executed")
    for output in cell.outputs:
        if output.output_type == "error":
            problems.append(f"raised {output.ename}: {output.evalue}")
        elif any(str(path) in _text(output) for path in (paths.ROOT, sys.prefix)):
            problems.append("shows a path of this machine")
    return problems


def _text(output) -> str:
    """Return what a reader can read of an output: all but images."""
    data = output.get("data", {})
    texts = [str(value) for mime, value in data.items() if not mime.startswith("image/")]
    return re.sub(r"base64,[\w+/=]+", "", " ".join([output.get("text", ""), *texts]))


def build() -> Path:
    """Run the notebooks of the plan that are not up to date, check them, render the book.

    A page stays where nothing has changed that it is made of (``stamp``). The others run in the
    order of the plan, ``TOGETHER`` at a time. Trainings of profile ``quick`` are shared between the
    pages of one build, but not with an earlier one, whose code may have been another, nor with
    other commands, which may be reading theirs. Returns the first page of the book. Raises
    ``UserError`` where a notebook fails, does not pass the gate, or a page gives a warning.
    """
    stamps = Stamps()
    pages = plan()
    stale = [page for page in pages if not _fresh(stamps, *page)]
    if stale:
        with _quick_records():
            _run_all([page for page in stale if page[0] != LAST], stamps)
            _run_all([page for page in pages if page[0] == LAST], stamps)
    say(f"{len(pages) - len(stale)} of {len(pages)} pages were up to date; rendering")
    index = render.render()
    say(f"The book is ready: open {index}")
    return index


def _fresh(stamps: Stamps, notebook: str, parameters: Mapping) -> bool:
    """Check whether the executed notebook may stay: fit to publish and made of the same things."""
    import nbformat

    resolved = notebooks.resolve_parameters(notebook, parameters)
    executed = notebooks.executed_path(notebook, resolved)
    try:
        if gate(executed, notebook, parameters):
            return False
    except ValueError:  # a file that is no notebook
        return False
    about = nbformat.read(executed, as_version=4).metadata.msalib
    return about.get("stamp") == stamps.of(notebook, resolved)


@contextmanager
def _quick_records() -> Iterator[None]:
    """Give the runs of profile quick, inside the block, a folder that goes with this build."""
    with temporary.folder() as folder:
        os.environ[paths.QUICK_RECORDS] = str(folder.absolute())
        try:
            yield
        finally:
            del os.environ[paths.QUICK_RECORDS]


def _run_all(pages: Sequence[tuple[str, dict]], stamps: Stamps) -> None:
    """Run notebooks, each in a process of its own; the first that fails stops the others."""
    with ThreadPoolExecutor(TOGETHER) as pool:
        runs = [pool.submit(_run, *page, stamps) for page in pages]
        try:
            for run in as_completed(runs):
                run.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _run(notebook: str, parameters: Mapping, stamps: Stamps) -> None:
    say(f"running {notebook} {parameters or ''}".rstrip())
    resolved = notebooks.resolve_parameters(notebook, parameters)
    stamp = stamps.of(notebook, resolved)
    executed = notebooks.run_notebook(notebook, parameters, timeout_s=TIMEOUT_S, stamp=stamp)
    if problems := gate(executed, notebook, parameters):
        raise UserError(
            f"executed notebook {executed.name}",
            found="; ".join(problems),
            expected="one fit to publish",
            remedy=f"Correct notebooks/{notebook}.ipynb.",
        )
