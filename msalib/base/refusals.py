"""What a machine refuses (disk, memory, files, names), whichever library says it, as one message.

Libraries tell a full disk in ways of their own: an ``OSError`` with a number, a number in a text
(safetensors, HDF5), or the system's words alone. Here each becomes the number again, and the number
a sentence with a remedy. What a damaged file holds is no matter of this module: its reader knows
what it looked for.
"""

import errno
import os
import re
from pathlib import Path
from typing import NamedTuple

from msalib.base import paths
from msalib.base.errors import UserError

MEMORY = ("out of memory", "not enough memory", "can't allocate memory", "unable to allocate")
"""Words, in lower case, by which torch, numpy and others tell that memory is short."""

NUMBERED = re.compile(r"\[Errno (\d+)\]|os error (\d+)|errno ?= ?(\d+)")
"""A number of the system in an error's text: Python's, Rust's and HDF5's."""


class Refusal(NamedTuple):
    """What is told of one number: found, expected, remedy; {said} is the system's own word."""

    found: str
    expected: str
    remedy: str


_UNREADABLE = Refusal(
    "it cannot be read ({said})",
    "a file on a disk that works",
    "Check the disk and its connection, then run the same command again: what is finished is kept.",
)
_MANY_FILES = Refusal(
    "more open files than the system allows ({said})",
    "a higher limit",
    "Raise it (ulimit -n 4096), then run the same command again: what is finished is kept.",
)
_MEMORY = Refusal(
    "too little memory ({said})",
    "memory for these data at once",
    "Close other programs, or ask for less (fewer seeds; of a GPU's memory: the device cpu), then "
    "run the same command again: what is finished is kept.",
)
_DISK = Refusal(
    "it cannot be written ({said})",
    "a writable folder with free space",
    "Make room, or {elsewhere}, then run the same command again: what is finished is kept.",
)
_ACCESS = Refusal(
    "it cannot be read or written ({said})",
    "a file or folder that you may read and write",
    "Change its permissions, or {elsewhere}, then run the same command again.",
)
_NAME = Refusal(
    "a name that the disk does not take ({said})",
    "names of 255 bytes at most, of which a letter may take four",
    "Choose a shorter name, or {elsewhere}.",
)
_PLACE = Refusal(
    "it cannot be written ({said})",
    "a folder, or a place for one",
    "Correct the path, or {elsewhere}.",
)
REFUSALS = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), _DISK),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), _ACCESS),
    **dict.fromkeys((errno.EMFILE, errno.ENFILE), _MANY_FILES),
    **dict.fromkeys((errno.EIO, errno.ESTALE, errno.ENOTCONN, errno.ETIMEDOUT), _UNREADABLE),
    errno.ENAMETOOLONG: _NAME,
    errno.ENOMEM: _MEMORY,
}
"""Number of the system -> what is told of it."""


def refused(error: BaseException, where: Path | str) -> UserError | None:
    """Return the message for what the machine refused; None where it refused nothing.

    ``where`` is what was being written, read or done; a file that the error names elsewhere is
    named instead. A message of ours is returned as it is.
    """
    if isinstance(error, UserError):
        return error
    number = number_of(error)
    if number not in REFUSALS:
        return None
    return told(number, _place(error, where), _said(error, number))


def told(number: int | None, where: Path | str, said: str) -> UserError:
    """Return the message for a number of the system; any other is said of the place."""
    refusal = REFUSALS.get(number, _PLACE)
    where = _lasting(where) if isinstance(where, Path) else where
    variable = paths.variable(Path(where))
    elsewhere = f"set {variable} to another folder" if variable else "choose another folder"
    return UserError(
        where,
        found=refusal.found.format(said=said),
        expected=refusal.expected,
        remedy=refusal.remedy.format(elsewhere=elsewhere),
    )


def _lasting(path: Path) -> Path:
    """Return the folder that is being written, for a file in it under its first name."""
    for place in (path, *path.parents):
        if place.name.startswith(".") and place.suffix == ".partial":
            return place.with_name(place.stem[1:])
    return path


def number_of(error: BaseException) -> int | None:
    """Return the system's number of an error, or of what caused it; None where there is none."""
    while error is not None and (number := _own_number(error)) is None:
        error = error.__cause__
    return None if error is None else number


def _own_number(error: BaseException) -> int | None:
    number = getattr(error, "errno", None)  # PyAV's errors have one and are no OSError
    if isinstance(number, int) and number > 0:
        return number
    text = str(error)
    if match := NUMBERED.search(text):
        return int(next(filter(None, match.groups())))
    if isinstance(error, MemoryError) or any(word in text.lower() for word in MEMORY):
        return errno.ENOMEM
    return next((n for n in REFUSALS if os.strerror(n) in text), None)


def _said(error: BaseException, number: int) -> str:
    """Return the words of the error if it has any of its own, in one line; else the system's."""
    text = getattr(error, "strerror", None) or ""
    if number == errno.ENOMEM:
        text = next(iter(str(error).strip().splitlines()), "")[:200]
    return text or os.strerror(number)


def _place(error: BaseException, where: Path | str) -> Path | str:
    """Return the file that an error names, unless it is a temporary one beside ``where``."""
    name = getattr(error, "filename", None)
    if not isinstance(name, str | os.PathLike):
        return where
    if isinstance(where, Path) and Path(name).absolute().is_relative_to(where.absolute().parent):
        return where
    return Path(name)
