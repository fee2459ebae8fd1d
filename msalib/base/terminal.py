"""What commands print: text from outside is shown to a reader, and never obeyed by a terminal."""

import io
import sys
import unicodedata
import warnings
from typing import TextIO

UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Categories of characters that command a terminal, turn the direction of a line or are no text."""

JOINERS = "\u200c\u200d"
"""Of this kind, but Persian words and many emoji are written with them."""


def terminal(text: object) -> str:
    r"""Return text as one line in which a terminal finds nothing to obey.

    Control characters, line breaks, marks that turn the direction of writing and halves of
    characters become escapes, such as ``\x1b``, ``\n`` and ``\u202e``.
    """
    return "".join(c if _is_seen(c) else c.encode("unicode_escape").decode() for c in str(text))


def _is_seen(character: str) -> bool:
    return character in JOINERS or unicodedata.category(character) not in UNSEEN


def say(*lines: object, file: TextIO | None = None) -> None:
    """Print lines as ``terminal`` shows them, to standard output if no ``file`` is given."""
    for line in lines:
        print(terminal(line), file=file, flush=True)


def accept_all_characters() -> None:
    """Make standard output and errors escape the characters that their encoding lacks."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a program that calls us may have its own
            stream.reconfigure(errors="backslashreplace")


def tell_warnings() -> None:
    """Make each warning one line of standard error, without the line of code that gave it."""
    warnings.showwarning = _tell


def _tell(message, category, filename, lineno, file=None, line=None) -> None:
    say(f"msalib: warning: {message}", file=file or sys.stderr)
