"""Notebooks of exhibits, run cell by cell in this process."""

import ast

import nbformat

from msalib.base import paths


def page(paper: str, name: str, **parameters) -> dict:
    """Run the cells of a notebook with these parameters and return its variables.

    Every cell but the parameters and those that a page hides must show something.
    """
    source = nbformat.read(paths.NOTEBOOKS / paper / f"{name}.ipynb", as_version=4)
    known: dict = {}
    for cell in source.cells:
        if cell.cell_type == "code":
            shown = _run(cell.source, known)
            tags = cell.metadata.get("tags", [])
            if "parameters" in tags:
                known |= parameters
            elif "remove-cell" not in tags:
                assert shown is not None and shown._repr_html_()
    return known


def _run(code: str, known: dict):
    """Run a cell and return what it shows, as a notebook does."""
    *first, last = ast.parse(code).body
    exec(compile(ast.Module(first, []), "cell", "exec"), known)
    if not isinstance(last, ast.Expr):
        exec(compile(ast.Module([last], []), "cell", "exec"), known)
        return None
    return eval(compile(ast.Expression(last.value), "cell", "eval"), known)
