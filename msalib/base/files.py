"""Files that are there whole or not at all, and locks between processes."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from msalib.base.errors import UserError


def write_json(path: Path, content: dict) -> None:
    """Write one top-level key per line, so that a file can be read and compared by people."""
    lines = (
        f"{json.dumps(key)}: {json.dumps(value, allow_nan=False)}" for key, value in content.items()
    )
    write_bytes(path, ("{\n" + ",\n".join(lines) + "\n}\n").encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file under a temporary name and rename it once its bytes are on the disk.

    Its folder is made where it is missing. Raises ``UserError`` where the disk refuses; the file
    is then as it was before.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with disk_errors(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn what a disk refuses into a ``UserError`` about ``path``."""
    try:
        yield
    except OSError as error:
        raise UserError(
            path,
            found=f"it cannot be written ({error.strerror or error})",
            expected="a writable folder with free space",
            remedy="Free space, or set MSALIB_RECORDS (for features MSALIB_FEATURES, for added "
            "data MSALIB_CORPORA) to another folder; what is finished is kept.",
        ) from error


@contextmanager
def reserved(path: Path, *, wait: bool) -> Iterator[bool]:
    """Hold the lock on ``path`` against other processes; yield False where another one has it.

    With ``wait``, wait for it instead. A process that dies lets go of what it held. The lock is
    the file ``.<stem>.lock`` beside ``path``, which is removed in the end.
    """
    lock = FileLock(path.with_name(f".{path.stem}.lock"))
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=-1 if wait else 0)
        except Timeout:
            yield False
            return
    try:
        yield True
    finally:
        # While it is held: who gets hold of a removed file sees that it has no name, and tries
        # again. Windows removes no open file.
        with suppress(OSError):
            Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()
