"""The tables of a page as files: CSV, LaTeX and JSON, and as lines of a terminal.

A page of the book that is up to date is read; another one is run first.
"""

import json
from ast import literal_eval
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from textwrap import wrap

import nbformat

from msalib.base import files, paths
from msalib.base.errors import UserError
from msalib.book import finish, notebooks
from msalib.book.stamp import Stamps
from msalib.evidence import registry
from msalib.pages import checks, console, exports, reading
from msalib.pages.reading import Grid
from msalib.pages.verdict_table import verdict_table

KINDS = {"csv": "csv", "latex": "tex", "json": "json"}
"""What tables are written as -> the ending of its files."""

CLAIMS = "claims"
"""The name that stands for the verdicts of all papers."""

RUNS = paths.ROOT / "runs"
"""Where pages go that are no page of the book."""


def export(name: str, parameters: Mapping, kinds: Sequence[str], folder: Path) -> list[Path]:
    """Write the tables of a page, or the verdicts of a paper or of all, and return the files.

    ``name`` is a notebook, such as ``uegd/table2``, a paper, or ``claims``. Tables have the names
    that the buttons of the page give them: ``table2-mosi-minilm-table-1.csv``. One JSON file holds
    all. Raises ``UserError`` for an unknown name or a page without a table.
    """
    if name in (CLAIMS, *registry.known()):
        _refuse(name, parameters)
        papers = registry.known() if name == CLAIMS else [name]
        page = name if name == CLAIMS else f"{name}-{CLAIMS}"
        html = [str(verdict_table(papers).html())]
    else:
        executed = _executed(name, notebooks.resolve_parameters(name, parameters))
        page, html = _place(executed), list(outputs(executed))
    grids = reading.grids("\n".join(html))
    if not grids:
        raise UserError(
            f"page {page}",
            found="no table",
            expected="one or more",
            remedy="Name another page: msalib run --list.",
        )
    return [path for kind in kinds for path in _write(grids, kind, folder / page)]


def _refuse(name: str, parameters: Mapping) -> None:
    """Raise ``UserError`` where verdicts are asked for with parameters."""
    if parameters:
        raise UserError(
            f"export {name}",
            found=f"parameters {', '.join(parameters)}",
            expected="none: the verdicts of all settings are written",
            remedy="Leave them out.",
        )


def _executed(notebook: str, resolved: Mapping) -> Path:
    """Return the page of the book where it is up to date, else a new run."""
    if Stamps().fresh(notebook, resolved):
        return notebooks.executed_path(notebook, resolved)
    checks.check(notebook, resolved)
    return notebooks.run_notebook(notebook, resolved, folder=RUNS)


def _place(executed: Path) -> str:
    root = paths.EXECUTED if executed.is_relative_to(paths.EXECUTED) else RUNS
    return executed.relative_to(root).with_suffix("").as_posix()


def _write(grids: Sequence[Grid], kind: str, place: Path) -> Iterator[Path]:
    """Write tables, and yield their files; ``place`` is what their names begin with."""
    if kind == "json":
        tables = [{"name": _name(n)} | exports.to_json(grid) for n, grid in enumerate(grids, 1)]
        yield _written(place.with_name(f"{place.name}.json"), json.dumps(tables, indent=1) + "\n")
        return
    for number, grid in enumerate(grids, start=1):
        name = f"{place.name}-{_name(number)}"
        text = exports.to_csv(grid) if kind == "csv" else exports.to_latex(grid, name)
        yield _written(place.with_name(f"{name}.{KINDS[kind]}"), text)


def _name(number: int) -> str:
    return f"table-{number}"


def _written(path: Path, text: str) -> Path:
    files.write_text(path, text)
    return path


def outputs(executed: Path) -> Iterator[str]:
    """Yield the HTML of each output that an executed notebook shows, in its order."""
    for cell in json.loads(executed.read_bytes())["cells"]:
        for output in cell.get("outputs", []):
            yield "".join(output.get("data", {}).get("text/html", []))


def lines(executed: Path, width: int) -> Iterator[str]:
    """Yield what a page shows for a terminal; what is folded stays so.

    Its short answer is last, where a terminal stands when all is printed.
    """
    for html in outputs(executed):
        shown = reading.tree(console.shortened(html))
        for folded in shown.all("details"):
            folded.children = [part for part in folded.all("summary")][:1]
        if text := "\n".join(console.lines(shown, width)).strip("\n"):
            yield from ["", *text.split("\n")]
    if said := _answer(executed):
        yield from ["", *wrap(f"Short answer. {said}", width)]


def _answer(executed: Path) -> str:
    """Return the short answer that a page glues, empty where it glues none."""
    text = finish.glued(nbformat.read(executed, as_version=4)).get("answer")
    return literal_eval(text) if text else ""
