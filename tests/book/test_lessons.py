"""Exercise notebooks: solutions run, and what students get has every task and no solution."""

import ast
import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from msalib.base import paths
from msalib.book import lessons, notebooks

SOURCES = lessons.sources()


@pytest.fixture(params=SOURCES)
def source(request):
    return nbformat.read(notebooks.source_path(request.param), as_version=4)


def solutions(notebook):
    return [c for c in notebook.cells if lessons.SOLUTION in c.metadata.get("tags", [])]


def run(notebook, **parameters) -> dict:
    """Run the code of a notebook from top to bottom in one namespace, as a kernel does."""
    names = {}
    for cell in (c for c in notebook.cells if c.cell_type == "code"):
        exec(compile(cell.source, cell.id, "exec"), names)
        if "parameters" in cell.metadata.get("tags", []):
            names |= {name: value for name, value in parameters.items() if name in names}
    return names


@pytest.fixture
def committed(monkeypatch, tmp_path):
    """Records of the repository to read; those of profile quick go elsewhere."""
    monkeypatch.delenv("MSALIB_RECORDS")
    monkeypatch.delenv("MSALIB_DATA", raising=False)
    monkeypatch.setenv(paths.QUICK_RECORDS, str(tmp_path / "quick"))


def test_every_paper_has_exercises_and_a_plan_of_the_lesson():
    papers = {path.parent.name for path in paths.BOOK.glob("*/index.md")} - {lessons.FOLDER}
    assert {name.removeprefix("lessons/") for name in SOURCES} == papers
    assert all((paths.BOOK / lessons.FOLDER / f"{paper}.md").is_file() for paper in papers)


@pytest.mark.parametrize("name", SOURCES)
def test_the_minutes_of_a_plan_add_up(name):
    plan = (paths.BOOK / f"{name}.md").read_text()
    title, *_ = re.findall(r"^## The (\d+) minutes$", plan, re.MULTILINE)
    minutes = re.findall(r"^\| (\d+) \|", plan, re.MULTILINE)
    assert len(minutes) >= 5
    assert sum(map(int, minutes)) == int(title)


@pytest.mark.parametrize("name", SOURCES)
def test_the_committed_version_for_students_is_that_of_the_source(name):
    assert lessons.student_path(name).read_text() == lessons.student_text(name), "run make lessons"


def test_solutions_and_what_students_get_run_from_top_to_bottom(source, committed, capsys):
    """A solution checks its own numbers; no task needs the solution of another."""
    assert run(source, seeds=1)
    assert capsys.readouterr().out
    assert run(lessons.without_solutions(source), seeds=1)


def test_every_task_has_work_for_students_and_an_answer(source):
    cells = source.cells
    tasks = [i for i, cell in enumerate(cells) if re.match(r"## \d", cell.source)]
    assert 3 <= len(tasks) <= 6
    for begin, end in zip(tasks, [*tasks[1:], len(cells)], strict=True):
        assert solutions(nbformat.from_dict({"cells": cells[begin:end]})), cells[begin].source


def test_solutions_check_their_numbers(source):
    code = "\n".join(c.source for c in solutions(source) if c.cell_type == "code")
    assert any(isinstance(node, ast.Assert) for node in ast.walk(ast.parse(code)))


def test_students_get_a_hint_in_the_place_of_a_solution(source):
    student = lessons.without_solutions(source)
    for cell, empty in zip(source.cells, student.cells, strict=True):
        if cell in solutions(source):
            assert len(empty.source.split("\n")) <= 3
            assert empty.source.split("\n")[0] in {cell.source.split("\n")[0], lessons.ANSWER}
        elif cell is not source.cells[0]:
            assert empty == cell
    assert not solutions(student)
    nbformat.validate(student)


def test_an_emptied_cell_keeps_the_hint_alone():
    solution = {"tags": [lessons.SOLUTION]}
    made = new_notebook(
        cells=[
            new_markdown_cell("# Sums, with solutions\n\nTwo tasks."),
            new_code_cell("a = 1"),
            new_code_cell("# Hint: add.\n# Then print.\nprint(a + a)", metadata=solution),
            new_code_cell("print(a)", metadata=solution),
            new_markdown_cell("Two.", metadata=solution),
        ]
    )
    title, given, with_hint, without, answer = lessons.without_solutions(made).cells
    assert title.source == "# Sums\n\nTwo tasks."
    assert given == made.cells[1]
    assert with_hint.source.startswith("# Hint: add.\n")
    assert "print" not in with_hint.source + without.source
    assert with_hint.cell_type == without.cell_type == "code"
    assert answer.cell_type == "markdown" and "Two" not in answer.source
    assert made.cells[0].source.startswith("# Sums, with solutions")  # the source stays
