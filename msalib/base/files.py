"""Files and folders that are there whole or not at all, locks, and measurements kept as JSON.

A file or folder is written beside its place under a hidden name and renamed when its bytes are on
the disk. Temporary names begin with a dot, so that no search for records or data finds them.
"""

import hashlib
import json
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Generic, TypeVar

import yaml
from filelock import FileLock, Timeout
from pydantic import TypeAdapter, ValidationError

from msalib.base import paths, refusals, temporary
from msalib.base.errors import UserError

# --- files --------------------------------------------------------------------------------------


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Yield a new file, which then takes the name ``path``; its folder is made where missing.

    Raises ``UserError`` where the disk refuses; what had the name is then as it was before.
    """
    hidden = path.with_name(f".{path.name}.{os.getpid()}")
    with disk_errors(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.note(hidden)
            with hidden.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            hidden.replace(path)
        except BaseException:
            with suppress(OSError):
                hidden.unlink()
            raise


def write_bytes(path: Path, content: bytes) -> None:
    """Write a whole file: see ``whole_file``."""
    with whole_file(path) as file:
        file.write(content)


def write_text(path: Path, text: str) -> None:
    """Write a whole file in UTF-8, line ends as they are: see ``whole_file``."""
    write_bytes(path, text.encode())


def write_json(path: Path, content: dict) -> None:
    """Write one top-level key per line, so that people can read and compare the file."""
    lines = (
        f"{json.dumps(key)}: {json.dumps(value, allow_nan=False)}" for key, value in content.items()
    )
    write_text(path, "{\n" + ",\n".join(lines) + "\n}\n")


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn what a disk refuses while ``path`` is written, by any library, into a ``UserError``."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        if message := refusals.refused(error, path):
            raise message from error
        if isinstance(error, OSError):
            raise refusals.told(error.errno, path, error.strerror or str(error)) from error
        raise


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's content, 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# --- folders ------------------------------------------------------------------------------------

_PARTIAL, _OLD, _LOCK = ".partial", ".old", ".lock"


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty folder, which then takes the place of ``folder``; of two writers one waits.

    If the body raises, ``folder`` is left as it was. Raises ``UserError`` where the disk refuses.
    """
    partial = folder.with_name(f".{folder.name}{_PARTIAL}")
    with disk_errors(folder), reserved(folder, wait=True):
        settle(folder)
        shutil.rmtree(partial, ignore_errors=True)
        temporary.note(partial)
        partial.mkdir()
        try:
            yield partial
            replace_folder(folder, partial)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def replace_folder(folder: Path, new: Path) -> None:
    """Give ``new`` the name of ``folder``, which was settled; what had it goes at the end."""
    if folder.exists():
        temporary.note(_aside(folder))
        folder.rename(_aside(folder))
    new.rename(folder)
    with suppress(PermissionError):  # Windows opens no folder
        descriptor = os.open(folder.parent, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
    settle(folder)


def settle(folder: Path) -> None:
    """Finish what a kill left of a replacement: one folder of that name, and none put aside.

    A folder that was put aside comes back where its successor had not yet got the name.
    """
    with suppress(OSError):  # a disk that only reads has nothing to settle
        if not folder.exists() and _aside(folder).is_dir():
            _aside(folder).rename(folder)
        elif _aside(folder).is_dir():
            shutil.rmtree(_aside(folder))


def settle_all(parent: Path) -> None:
    """Settle the folders in ``parent`` that no other process is replacing at the moment."""
    for ending in (_OLD, _PARTIAL, _LOCK):
        for hidden in parent.glob(f".*{ending}"):
            clear(hidden)


def clear(hidden: Path) -> None:
    """Remove what a process that is gone left under a hidden name, or finish what it began there.

    What another process has now, under the same name, is left to it.
    """
    if not (os.path.lexists(hidden) and hidden.name.startswith(".")):
        return
    name = hidden.with_name(hidden.stem[1:])
    with suppress(OSError, UserError):
        if hidden.suffix == _LOCK:
            with reserved(name.with_name(f"{name.name}.any"), wait=False):
                return  # who had it lets go of it, and with that it is removed
        if hidden.suffix not in (_OLD, _PARTIAL):
            shutil.rmtree(hidden) if hidden.is_dir() else hidden.unlink()
            return
        with reserved(name, wait=False) as free:
            if free:
                settle(name)
                shutil.rmtree(hidden, ignore_errors=True)


@contextmanager
def folder_in(folder: Path) -> Iterator[Path]:
    """Yield an empty hidden folder in ``folder``, whose contents can be moved there at once.

    It is removed behind the block.
    """
    hidden = folder / f".{temporary.name()}-{threading.get_native_id()}"
    temporary.note(hidden)
    hidden.mkdir()
    try:
        yield hidden
    finally:
        shutil.rmtree(hidden, ignore_errors=True)


def _aside(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}{_OLD}")


# --- locks --------------------------------------------------------------------------------------


@contextmanager
def reserved(path: Path, *, wait: bool) -> Iterator[bool]:
    """Hold the lock on ``path`` against other processes; yield False where another one has it.

    With ``wait``, wait for it instead. A process that dies lets go of what it held. The lock is
    the file ``.<stem>.lock`` beside ``path``, which is removed in the end.
    """
    lock = FileLock(path.with_name(f".{path.stem}{_LOCK}"))
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.note(Path(lock.lock_file))
        try:
            lock.acquire(timeout=-1 if wait else 0)
            free = True
        except Timeout:
            free = False
    try:
        yield free
    finally:
        if free:
            # Removed while it is held: who gets hold of a removed file sees that it has no name,
            # and tries again. Windows removes no open file.
            with suppress(OSError):
                Path(lock.lock_file).unlink()
            lock.release()


# --- reading ------------------------------------------------------------------------------------

T = TypeVar("T")


def read_yaml(path: Path, kind: type[T], *, expected: str) -> T:
    """Read a YAML file as a value of a type; raise ``UserError`` where it does not fit.

    ``kind`` is anything that pydantic validates; ``expected`` says what the file should hold.
    """
    try:
        return TypeAdapter(kind).validate_python(_load_yaml(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError) as error:
        raise UserError(
            path, found=complaint(error), expected=expected, remedy="Correct the file."
        ) from None


def _load_yaml(text: str):
    """Load with the parser in C, six times as fast; without it or on errors, with the other."""
    with suppress(AttributeError, yaml.YAMLError):
        return yaml.load(text, yaml.CSafeLoader)
    return yaml.safe_load(text)  # its errors name the right line, and in words that help


def complaint(error: Exception) -> str:
    """Return what is wrong with a file in one sentence; of fields three at the most."""
    if isinstance(error, ValidationError):
        complaints = []
        for one in error.errors()[:3]:
            place = ".".join(map(str, one["loc"]))
            message = one["msg"].removeprefix("Value error, ")
            complaints.append(f"{place}: {message}" if place else message)
        return "; ".join(complaints)
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"line {error.problem_mark.line + 1}: {error.problem}"
    if isinstance(error, UnicodeDecodeError):
        return "characters that are not UTF-8"
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return " ".join(str(error).split())


# --- measurements -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Recorded(Generic[T]):
    """A measurement that is made once and kept as a JSON file.

    ``kind`` is its type, a pydantic model or anything that pydantic validates. ``file`` lies in
    the folder of records, unless it is absolute; where none is there, the one that ships is read.
    ``what`` names it in messages, without an article. ``remedy`` says how to make it again, as in
    "Restore the file, or ...".
    """

    kind: type[T]
    file: Path | str
    what: str
    remedy: str

    @property
    def path(self) -> Path:
        """Return where the file is written."""
        return paths.records_folder() / self.file

    @property
    def place(self) -> Path:
        """Return where the file is read: among your records first, then among those that ship."""
        shipped = paths.SHIPPED / self.file
        return shipped if shipped.is_file() and not self.path.is_file() else self.path

    @property
    def exists(self) -> bool:
        """Check whether there is a file to read."""
        return self.place.is_file()

    @property
    def elsewhere(self) -> bool:
        """Check whether what is read is shipped, and a new one would be written elsewhere."""
        return self.place != self.path

    def read(self) -> T:
        """Read the measurement; raise ``UserError`` where it is missing or damaged."""
        try:
            return TypeAdapter(self.kind).validate_json(self.place.read_bytes())
        except (OSError, ValidationError) as error:
            found = f"no readable {self.what} ({complaint(error)})"
            if isinstance(error, FileNotFoundError):
                found = "no such file"
            raise UserError(
                self.place,
                found=found,
                expected=f"the {self.what}",
                remedy=f"Restore the file, or {self.remedy}.",
            ) from error

    def write(self, measurement: T) -> None:
        """Write the measurement, one top-level key a line."""
        write_json(self.path, TypeAdapter(self.kind).dump_python(measurement))
