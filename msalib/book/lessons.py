"""Answer what students get of an exercise notebook: its tasks, without the solutions.

A source ``notebooks/lessons/<paper>.ipynb`` has both, and is a page of the book. In the student's
version a cell tagged ``solution`` is an empty one. That version is committed, so that a class can
work without building the book: ``make lessons`` writes it, and a test compares it with its source.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from msalib.base import files, paths
from msalib.book import notebooks

if TYPE_CHECKING:
    from nbformat import NotebookNode

FOLDER = "lessons"

SOLUTION = "solution"
"""Tag of a cell that students do not get."""

TITLE_ENDING = ", with solutions"
"""End of a source's title, which the student's version drops."""

CODE = "# Your code"
ANSWER = "*Your answer:*"


def sources() -> list[str]:
    """Return the names of the exercise notebooks, such as ``lessons/uegd``."""
    return [name for name in notebooks.available() if name.startswith(f"{FOLDER}/")]


def student_path(notebook: str) -> Path:
    """Return the place of the student's version: ``book/lessons/exercises/uegd.ipynb``."""
    return paths.BOOK / FOLDER / "exercises" / f"{notebook.removeprefix(f'{FOLDER}/')}.ipynb"


def student_text(notebook: str) -> str:
    """Return the student's version of a source as the text of its file."""
    import nbformat

    source = nbformat.read(notebooks.source_path(notebook), as_version=4)
    return nbformat.writes(without_solutions(source)) + "\n"


def without_solutions(source: "NotebookNode") -> "NotebookNode":
    """Return a copy of an exercise notebook whose solutions are empty cells."""
    student = source.copy()
    student.cells = [_emptied(cell) if _is_solution(cell) else cell for cell in source.cells]
    title, *rest = student.cells[0].source.split("\n")
    first = student.cells[0].copy()
    first.source = "\n".join([title.removesuffix(TITLE_ENDING), *rest])
    student.cells[0] = first
    return student


def _is_solution(cell: "NotebookNode") -> bool:
    return SOLUTION in cell.metadata.get("tags", [])


def _emptied(cell: "NotebookNode") -> "NotebookNode":
    """Return a cell for the student's own work; of a solution it keeps the hint.

    The hint is the comment with which the code of a solution begins.
    """
    from nbformat.v4 import new_code_cell, new_markdown_cell

    if cell.cell_type != "code":
        return new_markdown_cell(ANSWER, id=cell.id)
    first, *_ = cell.source.split("\n")
    hint = [first] if first.startswith("#") else []
    return new_code_cell("\n".join([*hint, CODE, ""]), id=cell.id)


if __name__ == "__main__":
    for source in sources():
        files.write_text(student_path(source), student_text(source))
