"""Temporary things: where do they lie, and how does one see whose process is gone?

A process has one folder of its own, all in one root (``paths.temporary_folder``):

    4711-9f3a01c2/         what it unpacks and copies, and temporary files of its children
        beside             what it has in other folders for a moment: a path (JSON) a line
    4711-9f3a01c2.lock     held as long as the process lives, whatever ends it

What takes the place of a file or folder when it is whole must lie on the same disk until then, so
it lies beside that, and ``beside`` tells of it. When the process is gone, ``leftovers`` removes
both.
"""

import atexit
import json
import os
import re
import secrets
import shutil
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from msalib.base import paths, refusals
from msalib.base.errors import UserError

if TYPE_CHECKING:
    from filelock import FileLock

BESIDE = "beside"
_NAME = re.compile(r"\d+-[0-9a-f]{8}")


class _Own(NamedTuple):
    folder: Path
    lock: "FileLock"


_names: dict[int, str] = {}  # number of a process -> its name; a forked one has another
_own: dict[Path, _Own] = {}
_beginning = threading.RLock()


def name() -> str:
    """Return the name of this process: its number, and what no other with that number had."""
    return _names.setdefault(os.getpid(), f"{os.getpid()}-{secrets.token_hex(4)}")


def own() -> Path:
    """Return the folder of this process, which goes when the process ends.

    Raises ``UserError`` where the disk refuses, and for a root of another user.
    """
    folder = paths.temporary_folder() / name()
    with _beginning:
        if folder not in _own:
            try:
                _own[folder] = _begin(folder)
            except OSError as error:
                said = error.strerror or str(error)
                raise refusals.told(error.errno, folder.parent, said) from error
    return folder


def begun() -> bool:
    """Check whether this process has a folder."""
    return paths.temporary_folder() / name() in _own


def _begin(folder: Path) -> _Own:
    from filelock import FileLock

    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not os.environ.get("MSALIB_TEMPORARY") and not _is_mine(folder.parent):
        raise UserError(
            folder.parent,
            found="what another user made",
            expected="a folder of your own for temporary files",
            remedy="Set MSALIB_TEMPORARY to one.",
        )
    lock = FileLock(_lock_of(folder), thread_local=False)
    lock.acquire()  # before there is a folder, so that no folder is ever without its holder
    folder.mkdir(mode=0o700)
    atexit.register(_end, folder, os.getpid())
    return _Own(folder, lock)


def _lock_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")


def _is_mine(path: Path) -> bool:
    """Check that no other user made a file or folder, and that it is no link to one."""
    about = path.lstat()
    return not stat.S_ISLNK(about.st_mode) and about.st_uid == getattr(os, "getuid", lambda: 0)()


def _end(folder: Path, process: int) -> None:
    """Remove the folder at the end of its process; what is still beside others is left to a next
    command."""
    if process != os.getpid():  # a forked one
        return
    lock = _own.pop(folder).lock
    if not any(map(os.path.lexists, _noted(folder))):
        _remove(folder)
    lock.release()


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    with suppress(OSError):
        _lock_of(folder).unlink()


@contextmanager
def folder() -> Iterator[Path]:
    """Yield an empty folder of this process; it is removed behind the block."""
    new = own() / secrets.token_hex(4)
    new.mkdir()
    try:
        yield new
    finally:
        shutil.rmtree(new, ignore_errors=True)


def note(path: Path) -> None:
    """Note that this process is about to make ``path``, hidden, for a moment.

    Where there is no room for notes nothing is noted: what a process is to write may have room.
    """
    with suppress(OSError, UserError), (own() / BESIDE).open("a") as file:
        file.write(f"{json.dumps(str(path.absolute()))}\n")


def _noted(folder: Path) -> Iterator[Path]:
    """Yield what a process noted; a kill may have torn the last line."""
    with suppress(OSError):
        for line in (folder / BESIDE).read_text().splitlines():
            with suppress(ValueError):
                yield Path(json.loads(line))


def abandoned() -> Iterator[tuple[str, list[Path]]]:
    """Yield the name of every process that is gone, and what it has noted; then remove its folder.

    Other processes that do the same meanwhile leave it out.
    """
    root = paths.temporary_folder()
    entries = (
        [entry.name.removesuffix(".lock") for entry in root.iterdir()] if root.is_dir() else []
    )
    for entry in sorted(filter(_NAME.fullmatch, set(entries) - {name()})):
        folder = root / entry
        with _taken(folder) as free:
            if free:
                yield entry, list(_noted(folder))
                _remove(folder)


@contextmanager
def _taken(folder: Path) -> Iterator[bool]:
    """Hold the lock of a process's folder; yield False where the process lives, or is another's."""
    from filelock import FileLock, Timeout

    lock, free = FileLock(_lock_of(folder)), False
    with suppress(OSError, Timeout):
        if all(_is_mine(path) for path in (folder, _lock_of(folder)) if os.path.lexists(path)):
            lock.acquire(timeout=0)
            free = True
    try:
        yield free
    finally:
        lock.release()
