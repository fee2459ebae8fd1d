"""The layout of the package: which folder may import which, and how long a file may be."""

import ast
import subprocess
from collections.abc import Iterable, Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from msalib.base.paths import ROOT


def tracked() -> list[Path]:
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


# --- imports ------------------------------------------------------------------------------------

ROOMS = "base", "data", "encoders training", "models", "runs", "evidence", "pages", "papers", "book"
ROOMS += ("commands",)
FLOORS = {room: floor for floor, rooms in enumerate(ROOMS) for room in rooms.split()}


def modules() -> dict[str, Path]:
    """Map ``data.corpus`` to its file; a package is named as its folder."""
    paths = (path.relative_to(ROOT / "msalib") for path in (ROOT / "msalib").glob("*/**/*.py"))
    return {".".join(p.with_suffix("").parts).removesuffix(".__init__"): p for p in paths}


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def imports() -> dict[str, set[str]]:
    """Map every module to those of the package that it imports when it runs, anywhere in it."""
    known = modules()
    return {module: imported(ROOT / "msalib" / path, known) for module, path in known.items()}


def imported(path: Path, known: Iterable[str]) -> set[str]:
    names = set()
    for top in parsed(path).body:
        if isinstance(top, ast.If) and "TYPE_CHECKING" in ast.dump(top.test):
            continue
        for node in ast.walk(top):
            if isinstance(node, ast.ImportFrom):
                of = node.module.removeprefix("msalib.")
                inside = {f"{of}.{alias.name}" for alias in node.names}
                if of == "msalib":
                    inside = {alias.name for alias in node.names}
                names |= inside if inside <= set(known) else {of, *inside}
            elif isinstance(node, ast.Import):
                names |= {alias.name.removeprefix("msalib.") for alias in node.names}
    return names & set(known)


def may_import(module: str, other: str) -> bool:
    """Check the rule: a folder imports from folders before it, and papers not from each other."""
    (room, *rest), (other_room, *other_rest) = module.split("."), other.split(".")
    if room == other_room == "papers":
        return len(other_rest) < 2 or rest[0] == other_rest[0]
    return room == other_room or FLOORS[other_room] < FLOORS[room] or other == "papers"


def test_a_folder_imports_from_folders_before_it_and_never_after():
    """Upwards there is one way: ``papers.part``, by name."""
    upward = {
        (module, other)
        for module, others in imports().items()
        for other in others
        if not may_import(module, other)
    }
    assert upward == set()


def test_no_modules_import_each_other_in_a_circle():
    graph = {m: others for m, others in imports().items() if m != "papers"}  # the way upwards
    list(TopologicalSorter(graph).static_order())  # a CycleError names the circle


# --- sizes --------------------------------------------------------------------------------------


LONG = {
    "msalib/data/simulate/features.py::control",
    "msalib/data/simulate/raw.py::raw",
}
"""Files and functions that are too long still. They may only become fewer."""


def sizes() -> Iterator[tuple[str, int, int]]:
    """Yield files of code and tests, and functions of the package: name, lines, how many may be.

    A file whose header has a line "Longer: <reason>" may be longer, and so may its functions.
    """
    for path in (p for p in tracked() if p.suffix == ".py"):
        name, tree = str(path.relative_to(ROOT)), parsed(path)
        if "Longer: " in (ast.get_docstring(tree) or ""):
            continue
        yield name, path.read_text().count("\n"), 250 if name.startswith("msalib/models/") else 400
        for node in ast.walk(tree) if name.startswith("msalib") else ():
            if isinstance(node, ast.FunctionDef):
                yield f"{name}::{node.name}", node.end_lineno - node.lineno + 1, 50


def test_no_file_and_no_function_is_too_long():
    assert {name for name, lines, most in sizes() if lines > most} <= LONG


# --- docstrings ---------------------------------------------------------------------------------


NOUNS = {"The", "A", "An", "Of", "What", "Whether", "How", "As", "Where", "All", "Every", "Each"}
NOUNS |= {"One", "Two", "If", "When", "Some", "No", "It"}
"""Words that begin a sentence without a verb in front, which ruff's D401 lets pass."""


def test_docstrings_of_public_functions_begin_with_a_verb():
    files = set()
    for path in (ROOT / "msalib").rglob("*.py"):
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                first, *_ = (ast.get_docstring(node) or "Nothing").split()
                if first in NOUNS and "property" not in ast.dump(node):
                    files.add(str(path.relative_to(ROOT)))
    assert files == set()
