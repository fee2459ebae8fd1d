"""A mistake of our own: the user gets one line on it, and its traceback is kept for a report."""

import os
import sys
import tempfile
import traceback
from pathlib import Path

from msalib.base.provenance import commit, versions
from msalib.base.terminal import say

LONGEST = 300
"""Characters of an exception's own words in the line."""

ROOM = 1_000_000
"""Characters of a traceback that are kept, the last ones."""


def report(error: BaseException) -> str:
    """Keep the traceback of a mistake in a temporary file; return the line that tells of it.

    Where no file can be written, the traceback goes to standard error.
    """
    words = " ".join(traceback.format_exception_only(error)[-1].split())[:LONGEST]
    last = traceback.extract_tb(error.__traceback__)[-1:]
    place = "".join(f" ({Path(frame.filename).name}, line {frame.lineno})" for frame in last)
    kept = _kept(error)
    return (
        f"a mistake in msalib itself, and none in what you gave: {words}{place}. What was finished "
        "before is kept. Please report it with "
        + (f"{kept}, which holds the command and the traceback." if kept else "this traceback.")
    )


def _kept(error: BaseException) -> str | None:
    lines = traceback.format_exception(error)
    about = {"command": sys.argv, "commit": commit(), "versions": versions()}
    try:
        number, path = tempfile.mkstemp(prefix="msalib-mistake-", suffix=".txt")
        with os.fdopen(number, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.writelines(f"{name}: {value}\n" for name, value in about.items())
            file.write("".join(lines)[-ROOM:])
    except OSError:
        say(*"".join(lines).splitlines(), file=sys.stderr)
        return None
    return path
