"""Answer what a page is made of: which files, folders and modules did its process use?

Python tells of each file that it opens and each folder that it lists (``sys.addaudithook``), but
neither of a question whether a file is there nor of the import of a module that is loaded already;
so ``os.stat`` and imports are wrapped. What is there counts as it was at the first look. A library
in C may open a file unseen, but no file that nobody had asked for before.

Installed libraries are no part of a trace: their versions stand for them (``stamp``).
"""

import builtins
import hashlib
import importlib
import os
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from pathlib import Path

from msalib.base import paths

PACKAGE = Path(__file__).resolve().parents[1]

FOLDER, MISSING, OTHER = "folder", "missing", "neither file nor folder"
"""What is at a path that is no file; a file is told by the SHA-256 of its content."""


EVENTS = "open", "os.listdir", "os.scandir", "os.rename", "os.mkdir"

WRITING = os.O_WRONLY | os.O_RDWR

UNNAMED = getattr(os, "O_DIRECTORY", 0)
"""A file without a name is written in a folder that is opened: locks do, to try a disk."""

IMPORTLIB = "<frozen importlib._bootstrap_external>", "<frozen importlib._bootstrap>"
"""Where Python reads modules, which are noted as such."""


class Trace:
    """Collect what this process uses, from ``begin`` on to its end.

    A process that it forks goes on with a trace of its own, which has what the first one has.
    """

    def __init__(self):
        self.found: dict[str, str] = {}
        self.listed: dict[str, str] = {}
        self._made: set[str] = set()
        self._quick = False
        self._imports: dict[str, set[str]] = defaultdict(set)
        self._before: dict[str, set[str]] = {}
        self._code = {str(path): state(str(path)) for path in PACKAGE.rglob("*.py")}
        temporary = str(paths.temporary_folder().absolute())
        self._elsewhere = sys.prefix, sys.base_prefix, temporary, "/proc", "/sys", "/dev"
        self._study = [os.path.abspath(folder) for folder in _study() if folder]  # noqa: PTH100
        self._own = threading.local()

    def begin(self) -> None:
        """Begin to collect; modules of the package that are loaded already were used by no one."""
        sys.addaudithook(self._heard)
        os.stat, os.lstat = map(self._looking, (os.stat, os.lstat))
        builtins.__import__ = self._importing(builtins.__import__)
        importlib.import_module = self._importing_by_name(importlib.import_module)

    def begin_page(self) -> None:
        """Begin to collect what one page uses; files that modules read when loaded stay noted."""
        self._before, self._imports = self._imports, defaultdict(set)

    def summary(self) -> dict:
        """Return what was used: files and folders, modules among them, each with its digest.

        ``quick``: whether it looked for records of profile quick, which the build keeps.
        """
        modules = {name for names in self._imports.values() for name in names}
        files = (getattr(sys.modules[name], "__file__", None) for name in self._loaded(modules))
        code = {name: self._code.get(name, state(name)) for name in filter(None, files)}
        kept = {name: state(name) for name in self._made if self._keeps(name)}
        return {
            "files": dict(sorted((kept | self.found | code).items())),
            "folders": dict(sorted(self.listed.items())),
            "quick": self._quick,
        }

    def _keeps(self, name: str) -> bool:
        """Check for what this page made and the next build finds, such as records of runs."""
        passing = _derived(name) or _within(name, os.environ.get(paths.QUICK_RECORDS))
        return not passing and Path(name).is_file() and _innermost(name, self._study) > 0

    def _loaded(self, roots: Iterable[str]) -> set[str]:
        """Return the loaded modules of the package that are used where these are imported."""
        names, left = set(), list(roots)
        while left:
            name = left.pop()
            if name not in names and name in sys.modules:
                names.add(name)
                left += [name.rpartition(".")[0], *self._before.get(name, ())]
        return names

    # --- files ----------------------------------------------------------------------------------

    def _heard(self, event: str, arguments: tuple) -> None:
        if event not in EVENTS or sys._getframe(1).f_code.co_filename in IMPORTLIB:
            return
        if event == "open":
            path, _, flags = arguments
            (self._make if flags & WRITING and not flags & UNNAMED else self._look)(path)
        elif event in ("os.listdir", "os.scandir"):
            self._list(arguments[0])
        elif event == "os.rename":
            self._make(arguments[1])
        elif event == "os.mkdir" and not self._undisturbed(os.path.lexists, arguments[0]):
            self._make(arguments[0])

    def _looking(self, stat: Callable) -> Callable:
        @wraps(stat)
        def look(path, *arguments, **options):
            self._look(path)
            return stat(path, *arguments, **options)

        return look

    def _look(self, path: object) -> None:
        name = self._asked(path)
        if name and name not in self.found:
            what = self._undisturbed(state, name)
            if what != MISSING or not _derived(name):
                self.found[name] = what

    def _list(self, folder: object) -> None:
        name = self._asked(folder)
        if name and name not in self.listed and not _derived(name):
            self.listed[name] = self._undisturbed(names, name)

    def _asked(self, path: object) -> str:
        """Return a path that is read, empty where this process or a page of the build made it."""
        name = self._counted(path)
        if _within(name, os.environ.get(paths.QUICK_RECORDS)):
            self._quick = True
            return ""
        made = name in self._made or any(_within(name, folder) for folder in self._made)
        return "" if made else name

    def _make(self, path: object) -> None:
        """Note a path that this process writes: what it reads there later is its own."""
        if name := self._counted(path):
            self._made.add(name)
            if self.found.get(name) == MISSING:
                del self.found[name]
            self._quick |= _within(name, os.environ.get(paths.QUICK_RECORDS))

    def _counted(self, path: object) -> str:
        """Return a path in full, empty where it is no part of what a page is made of."""
        if getattr(self._own, "looks", False) or not isinstance(path, str | bytes | os.PathLike):
            return ""
        name = os.path.abspath(os.fsdecode(path) or ".")  # noqa: PTH100 - looks at nothing
        return "" if self._left_out(name) else name

    def _left_out(self, name: str) -> bool:
        if _hidden(name.rpartition(os.sep)[2]):
            return True
        return _innermost(name, self._elsewhere) > _innermost(name, self._study)

    def _undisturbed(self, look: Callable[[str], str], name: str) -> str:
        """Return what is at a path; the look itself is not noted."""
        self._own.looks = True
        try:
            return look(name)
        finally:
            self._own.looks = False

    # --- modules --------------------------------------------------------------------------------

    def _importing(self, import_: Callable) -> Callable:
        @wraps(import_)
        def note(name, globals=None, locals=None, fromlist=(), level=0):
            if name.startswith(PACKAGE.name):
                names = [name, *(f"{name}.{inside}" for inside in fromlist or ())]
                self._imports[(globals or {}).get("__name__", "")].update(names)
            return import_(name, globals, locals, fromlist, level)

        return note

    def _importing_by_name(self, import_module: Callable) -> Callable:
        @wraps(import_module)
        def note(name, package=None):
            if name.startswith(PACKAGE.name):
                self._imports[sys._getframe(1).f_globals.get("__name__", "")].add(name)
            return import_module(name, package)

        return note


# --- what is at a path --------------------------------------------------------------------------


def state(name: str) -> str:
    """Return what is at a path: the SHA-256 of a file, else what it is."""
    try:
        with Path(name).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except IsADirectoryError:
        return FOLDER
    except (FileNotFoundError, NotADirectoryError):
        return MISSING
    except OSError:
        return OTHER


def names(folder: str) -> str:
    """Return the digest of the names in a folder, without hidden ones."""
    try:
        shown = sorted(path.name for path in Path(folder).iterdir() if not _hidden(path.name))
    except OSError:
        return MISSING
    return hashlib.sha256("\n".join(shown).encode(errors="surrogateescape")).hexdigest()


def _hidden(name: str) -> bool:
    """Check for temporary names, locks, and what Python keeps of modules."""
    return name.startswith(".") or name == "__pycache__"


def _within(name: str, folder: object) -> bool:
    return bool(folder) and (name == folder or name.startswith(f"{folder}{os.sep}"))


def _innermost(name: str, folders: Iterable[str]) -> int:
    """Return how long the path of the innermost of these folders is that has a name in it."""
    return max((len(folder) for folder in folders if _within(name, folder)), default=0)


def _study() -> Iterator[str | os.PathLike | None]:
    """Yield the folders of the study, which count wherever they are, such as in ``/dev/shm``."""
    yield from (PACKAGE, paths.ROOT, paths.records_folder(), paths.your_records_folder())
    yield from (paths.corpora_folder(), paths.features_folder(), paths.quick_records_folder())
    yield os.environ.get("MSALIB_DATA")


def _derived(name: str) -> bool:
    """Check for stores of features: they follow from data and encoders, which are noted."""
    return _within(name, str(paths.features_folder().absolute()))
