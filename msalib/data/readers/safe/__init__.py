"""Pickles of strangers: data come through, code cannot run.

A pickle is a program. This one machine runs the part of its language that makes data (numbers,
text, lists, dictionaries, numpy arrays) and knows no way to call anything else; the first name
that it does not know ends it, by that name. What is made is counted on the way, so that a small
file cannot fill the memory either: the standard library's unpickler believes the sizes it is told.

``machine`` runs the instructions, ``calls`` has the names that may be called, ``limits`` the
counting.
"""

import os
import struct
import warnings
from pathlib import Path
from typing import BinaryIO

from msalib.base.errors import UserError
from msalib.data.readers.build import bad
from msalib.data.readers.safe import limits, machine
from msalib.data.readers.safe.limits import Damaged, Refused

_DAMAGE = (ValueError, TypeError, LookupError, OverflowError, RecursionError, struct.error)
"""What the machine meets in bytes that are no pickle."""

_UNPACK = "Unpack it, and add what it holds."
PACKED = {
    b"PK\3\4": (
        "a ZIP archive under the name of a pickle",
        "Name it .zip and add that; if torch.save wrote it, keep numpy arrays with pickle instead.",
    ),
    b"\x80\x02\x8a\nl\xfc\x9cF": (  # the number with which it begins
        "a file as torch.save wrote it before 2020",
        "If it is your own, keep x.numpy() of every tensor, with pickle.",
    ),
    b"\x1f\x8b": ("a file packed by gzip", _UNPACK),
    b"BZh": ("a file packed by bzip2", _UNPACK),
    b"\xfd7zXZ": ("a file packed by xz", _UNPACK),
    b"\x89HDF": ("an HDF5 file", "Add it under the ending of its format, such as .csd."),
}
"""First bytes of other files under the name of a pickle -> what they are, and a remedy."""

OBJECTS = {
    "torch": "If it is your own, keep x.numpy() of every tensor (MMSA-FET: return_type='np').",
    "pandas": "If it is your own, keep x.tolist() of every column.",
}
"""Library whose objects people keep in pickles of data -> the remedy."""


def load(path: Path):
    """Read the pickle at ``path``: builtin scalars and containers and numpy arrays.

    Takes every protocol, arrays of numpy 1 and 2, and Python 2 (whose byte strings become text:
    UTF-8, or else Latin-1). Raises ``UserError`` for anything that is not data, by name; for a file
    that is cut short or damaged; and beyond ``MAX_BYTES``, ``MAX_OBJECTS`` and ``MAX_DEPTH``.
    """
    path = Path(path)
    remedy = "Restore the file from its source."
    try:
        if not path.is_file():
            raise FileNotFoundError(None, "no such file")
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > limits.MAX_BYTES:
                raise Refused(
                    f"{size / 2**30:.0f} GiB", f"{limits.MAX_BYTES / 2**30:.0f} GiB at most"
                )
            _check_packed(path, file)
            with warnings.catch_warnings():  # of strange escapes in strings of Python 2
                warnings.simplefilter("ignore", DeprecationWarning)
                content = machine.run(file)
        limits.measure(content, size)
        return content
    except Refused as refusal:
        named = (text for library, text in OBJECTS.items() if f" uses {library}." in refusal.found)
        remedy = next(named, "Ask its publisher for arrays alone.")
        warning = "Do not open it with other programs: pickles can run code."
        raise bad(path, refusal.found, refusal.expected, f"{warning} {remedy}") from refusal
    except OSError as error:
        found, expected = error.strerror or str(error), "a pickle that can be read"
        raise UserError(path, found=found, expected=expected, remedy=remedy) from error
    except MemoryError as error:
        remedy = "Read it on a machine with more memory, or close other programs."
        raise UserError(
            path, found="more than the memory holds", expected="data that fit in it", remedy=remedy
        ) from error
    except _DAMAGE as error:
        detail = f" ({error})" if isinstance(error, Damaged) else ""
        raise bad(path, f"a damaged or truncated pickle{detail}", "a whole one", remedy) from error


def _check_packed(path: Path, file: BinaryIO) -> None:
    """Raise ``UserError`` for a file of another kind under the name of a pickle."""
    head = file.read(8)
    file.seek(0)
    for start, (found, remedy) in PACKED.items():
        if head.startswith(start):
            raise bad(path, found, "a pickle", remedy)
