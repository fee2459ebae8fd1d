"""What lies in a file's place where a download or a clone went wrong: a pointer or a page.

A clone without Git LFS has a text of three lines in place of every large file; a site that asks for
a login, or is asked for too much, sends a page. To restore such a file from its source by the same
way gives the same again, so each is told with the way that does not.
"""

import os
import re
from pathlib import Path

from msalib.base.errors import UserError

HEAD = 1024
"""Bytes of a file that are looked at."""

_LFS = re.compile(rb"version https://(git-lfs|hawser)\.github\.com/spec/")
_ANNEX = re.compile(rb"\S*/annex/objects/\S+\s*$")
_PAGE = re.compile(rb"(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<(!doctype\s+html|html|head|body|script)\b")
_ANSWER = re.compile(
    rb"(<\?xml[^>]*>\s*)?<error>"  # of stores of files
    rb'|\{\s*"(message|error|errors|detail)"\s*:'
    rb"|(\d{3}:? *)?(not found|forbidden|access denied|unauthorized)\b"
)
_TITLE = re.compile(r"<title[^>]*>([^<]*)", re.IGNORECASE)

AGAIN = "then run the same command again."


def refusal(path: Path) -> UserError | None:
    """Return the error of a file that stands in for another; None for any other file or folder."""
    path = Path(path)
    if not path.exists():
        return _annexed(path) if _ANNEX.match(_target(path)) else None
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
    except OSError:
        return None  # who reads it will say so
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if _LFS.match(text):
        return _pointer(path, text)
    if _ANNEX.match(text):
        return _annexed(path)
    if _PAGE.match(text):
        return _page(path, head.decode(errors="replace"))
    if _ANSWER.match(text) and path.stat().st_size <= HEAD:
        remedy = "Check its address in a browser, with a login where it asks for one, download it"
        return _error(path, "a server's answer that it did not send the file", f"{remedy}, {AGAIN}")
    return None


def _target(path: Path) -> bytes:
    """Return what a symbolic link points to, empty for other paths."""
    return os.fsencode(path.readlink()) if path.is_symlink() else b""


def _pointer(path: Path, text: bytes) -> UserError:
    size = re.search(rb"\nsize (\d{1,18})\s", text + b"\n")
    of = f" to {int(size[1])} bytes" if size else ""
    remedy = "Run git lfs pull in the clone, or download the file itself from the repository's page"
    return _error(path, f"a pointer of Git LFS{of}, not the file", f"{remedy}, {AGAIN}")


def _annexed(path: Path) -> UserError:
    remedy = f"Run git annex get '{path.name}' in its folder, {AGAIN}"
    return _error(path, "a pointer of git-annex, not the file", remedy)


def _page(path: Path, text: str) -> UserError:
    title = " ".join((match[1] if (match := _TITLE.search(text)) else "").split())[:80]
    title = "".join(c for c in title if c.isprintable())
    found = f"a web page ({title}), not the file" if title else "a web page, not the file"
    remedy = "Open its address in a browser, confirm what the page asks, save the file itself"
    return _error(path, found, f"{remedy}, {AGAIN}")


def _error(path: Path, found: str, remedy: str) -> UserError:
    return UserError(path, found=found, expected="the data themselves", remedy=remedy)
