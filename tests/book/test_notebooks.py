"""The source notebooks: clean, thin, and each page of the book planned."""

import ast

import nbformat
import pytest
import yaml

from msalib.base import paths
from msalib.book import notebooks
from msalib.evidence.settings import plan

LONGEST_CELL = 15
"""Lines of a code cell at most, without imports."""


@pytest.fixture(params=notebooks.available())
def source(request):
    content = nbformat.read(notebooks.source_path(request.param), as_version=4)
    nbformat.validate(content)
    return content


def code_cells(source):
    return [cell for cell in source.cells if cell.cell_type == "code"]


def test_one_cell_of_parameters_holds_plain_values(source):
    (cell,) = [c for c in source.cells if "parameters" in c.metadata.get("tags", [])]
    for statement in ast.parse(cell.source).body:
        assert isinstance(statement, ast.Assign)
        assert isinstance(ast.literal_eval(statement.value), bool | int | float | str)


def test_committed_without_outputs(source):
    for cell in code_cells(source):
        assert not cell.outputs
        assert cell.execution_count is None


def test_no_definitions(source):
    definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    for cell in code_cells(source):
        assert not [n for n in ast.walk(ast.parse(cell.source)) if isinstance(n, definitions)]


def test_cells_are_short(source):
    for cell in code_cells(source):
        statements = ast.parse(cell.source).body
        code = [s for s in statements if not isinstance(s, ast.Import | ast.ImportFrom)]
        assert sum(s.end_lineno - s.lineno + 1 for s in code) <= LONGEST_CELL


def test_language_is_named(source):
    # Without it Sphinx finds no lexer and the strict build fails.
    assert source.metadata.language_info.name == "python"


def test_opens_with_a_title(source):
    assert source.cells[0].cell_type == "markdown"
    assert source.cells[0].source.startswith("# ")


def test_parameters_and_folded_imports_follow_the_title(source):
    _, parameters, imports, *_ = source.cells
    assert "parameters" in parameters.metadata.tags
    assert {"hide-input", "remove-cell"} & set(imports.metadata.tags)


def toc_files(entry):
    if "file" in entry:
        yield entry["file"]
    for child in [*entry.get("parts", []), *entry.get("chapters", []), *entry.get("sections", [])]:
        yield from toc_files(child)


def test_contents_list_exactly_the_planned_notebooks():
    toc = yaml.safe_load((paths.BOOK / "_toc.yml").read_text())
    pages = {p for p in toc_files(toc) if p.startswith("book/executed/")}
    planned = [
        notebooks.executed_path(notebook, notebooks.resolve_parameters(notebook, parameters))
        for notebook, parameters in plan()
    ]
    assert pages == {p.relative_to(paths.ROOT).with_suffix("").as_posix() for p in planned}
    assert len(pages) == len(planned)


def test_status_is_run_last():
    assert plan()[-1] == ("status", {})


def test_every_notebook_is_in_the_book():
    assert {notebook for notebook, _ in plan()} == set(notebooks.available())
