"""Caches: have libraries a place to write what they write as soon as they are imported?

numba, behind librosa, keeps compiled functions beside their source or below the home, and cannot be
imported where neither can be written; matplotlib keeps a list of fonts, and complains; pooch, also
behind librosa, asks for a home. Where an environment only reads, or has no home, they get a folder
in the root of temporary things, which is kept: compiling takes many seconds. Jupyter's folders are
those of a run (``book.notebooks``). Models of the hub are no temporary things, so that a refusal
names the variable for them (``HF_HOME``).
"""

import os
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from msalib.base.errors import UserError

FOLDER = "libraries"
"""In the root of temporary things."""


def lend() -> None:
    """Set the variables of libraries whose usual folders cannot be written, unless they are set.

    Where no temporary folder can be made either, they stay as they are: the import says so.
    """
    lacking = [name for name, places in _usual().items() if not _has_place(name, places)]
    if lacking:
        from msalib.base import temporary

        with suppress(UserError):
            folder = temporary.own().parent / FOLDER  # in a root that no other user has made
            if not _home().is_absolute():  # then models would be lost with this folder
                os.environ.setdefault("HF_HOME", "~/.cache/huggingface")
            for name in lacking:
                os.environ[name] = str(folder / name.lower())


def _home() -> Path:
    """Return the home, or ~ for a user without one."""
    return Path(os.path.expanduser("~"))  # noqa: PTH111 - pathlib's raises there


def _usual() -> dict[str, tuple[tuple[Path, ...], ...]]:
    """Return variable -> groups of folders; it is enough if all of one group can be written."""
    if sys.platform == "darwin":
        cache, fonts = _home() / "Library" / "Caches", (_home() / ".matplotlib",)
    else:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or _home() / ".cache")
        config = Path(os.environ.get("XDG_CONFIG_HOME") or _home() / ".config")
        fonts = config / "matplotlib", cache / "matplotlib"
    librosa = find_spec("librosa")
    beside = [(Path(librosa.origin).parent,)] if librosa else []
    usual = {"NUMBA_CACHE_DIR": (*beside, (cache,)), "MPLCONFIGDIR": (fonts,)}
    return usual if cache.is_absolute() else usual | {"XDG_CACHE_HOME": ()}


def _has_place(variable: str, groups: tuple[tuple[Path, ...], ...]) -> bool:
    if os.environ.get(variable):
        return True
    return any(all(map(_writable, folders)) for folders in groups)


def _writable(folder: Path) -> bool:
    """Check whether a folder can be written, or made where it is missing."""
    if not folder.is_absolute():  # ~, for a user without a home
        return False
    # os.path.exists, since another user's home may not even be looked into.
    there = next(p for p in (folder, *folder.parents) if os.path.exists(p))  # noqa: PTH110
    return os.access(there, os.W_OK | os.X_OK)
