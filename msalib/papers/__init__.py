"""Answer what one paper asks: a folder per paper with its plan of runs, the tests of its claims,
its tables and its figures.

General code finds a paper's part by name, here and nowhere else.
"""

from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TypeVar

T = TypeVar("T")

_FOLDER = Path(__file__).parent


def names() -> list[str]:
    """Return the papers that have a folder, in alphabetical order."""
    return sorted(path.parent.name for path in _FOLDER.glob("*/__init__.py"))


def part(paper: str, name: str) -> ModuleType | None:
    """Import a module of a paper by its name, such as ``evidence``; None where it has none."""
    if paper not in names() or not (_FOLDER / paper / f"{name}.py").is_file():
        return None
    return import_module(f"{__name__}.{paper}.{name}")


def fact(paper: str, name: str, default: T) -> T:
    """Return what a paper's ``__init__`` has under a name, or the default where it has nothing."""
    if paper not in names():
        return default
    return getattr(import_module(f"{__name__}.{paper}"), name, default)


def published(paper: str, dataset: str, encoder: str, profile: str) -> bool:
    """Check whether a paper used this encoder on this data set, with its recipe in full."""
    return profile == "full" and (dataset, encoder) in fact(paper, "AS_PUBLISHED", ())
