"""Fixtures: a tree of its own for the runner, and the built site."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from msalib.base import paths

PARAMETERS = 'dataset = "control"\nseeds = 2\nrate = 0.5\nrefresh = False'
REFUSE = (
    "from msalib.base.errors import UserError\n"
    'if dataset == "bad":\n'
    '    raise UserError("data set", found="bad", expected="control", remedy="Choose it.")'
)
BREAK = 'if dataset == "odd":\n    1 / 0'
SHOW = "dataset, seeds, rate, refresh"


@pytest.fixture(scope="session")
def site():
    """The folder of the built book."""
    folder = paths.ROOT / "_build" / "html"
    if not (folder / "index.html").exists():
        pytest.skip("no built book: run make book first")
    return folder


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """An empty repository for notebooks; kernels in it find this msalib."""
    monkeypatch.setenv("PYTHONPATH", str(paths.ROOT))
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    monkeypatch.setattr(paths, "NOTEBOOKS", tmp_path / "notebooks")
    monkeypatch.setattr(paths, "BOOK", tmp_path / "book")
    monkeypatch.setattr(paths, "EXECUTED", tmp_path / "book" / "executed")
    return tmp_path


@pytest.fixture
def write_notebook(tree):
    """A function that writes a source notebook: its parameters cell, then its other cells."""
    return written


def written(name: str, parameters: str, *sources: str):
    """Write a source notebook: its parameters cell, then its other cells; return its path."""
    first = new_code_cell(parameters, metadata={"tags": ["parameters"]})
    notebook = new_notebook(
        cells=[first, *(new_code_cell(source) for source in sources)],
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
            "language_info": {"name": "python"},
        },
    )
    path = paths.NOTEBOOKS / f"{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path


@pytest.fixture
def curve(write_notebook):
    """A notebook that shows its parameters, refuses a data set and breaks on another."""
    write_notebook("paper/curve", PARAMETERS, REFUSE, BREAK, SHOW)
    return "paper/curve"
