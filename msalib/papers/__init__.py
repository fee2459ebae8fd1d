"""Answer what one paper asks: a folder per paper with its plan of runs, the tests of its claims,
its tables and its figures.

General code finds a paper's part by name, here and nowhere else.
"""

from importlib import import_module
from pathlib import Path
from types import ModuleType

_FOLDER = Path(__file__).parent


def names() -> list[str]:
    """Return the papers that have a folder, in alphabetical order."""
    return sorted(path.parent.name for path in _FOLDER.glob("*/__init__.py"))


def part(paper: str, name: str) -> ModuleType | None:
    """Import a module of a paper by its name, such as ``evidence``; None where it has none."""
    if paper not in names() or not (_FOLDER / paper / f"{name}.py").is_file():
        return None
    return import_module(f"{__name__}.{paper}.{name}")
