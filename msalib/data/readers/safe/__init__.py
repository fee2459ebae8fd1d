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

from msalib.base.errors import UserError
from msalib.data.readers.safe import limits, machine
from msalib.data.readers.safe.limits import Damaged, Refused


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
            with warnings.catch_warnings():  # of strange escapes in strings of Python 2
                warnings.simplefilter("ignore", DeprecationWarning)
                content = machine.run(file)
        limits.measure(content, size)
        return content
    except Refused as refusal:
        raise UserError(
            path,
            found=refusal.found,
            expected=refusal.expected,
            remedy="Do not open it with other programs: pickles can run code. Ask its publisher "
            "for arrays alone.",
        ) from refusal
    except OSError as error:
        found, expected = error.strerror or str(error), "a pickle that can be read"
        raise UserError(path, found=found, expected=expected, remedy=remedy) from error
    except MemoryError as error:
        remedy = "Read it on a machine with more memory, or close other programs."
        raise UserError(
            path, found="more than the memory holds", expected="data that fit in it", remedy=remedy
        ) from error
    # What follows is the machine met by bytes that are no pickle.
    except (ValueError, TypeError, LookupError, OverflowError, struct.error) as error:
        detail = f" ({error})" if isinstance(error, Damaged) else ""
        raise UserError(
            path,
            found=f"a damaged or truncated pickle{detail}",
            expected="a whole one",
            remedy=remedy,
        ) from error
