"""Folders: in the repository, or where the user says."""

import hashlib
import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path

from msalib.base.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"
BOOK = ROOT / "book"
EXECUTED = BOOK / "executed"
PRINTED = BOOK / "printed"
CLAIMS = BOOK / "claims"

SHIPPED = BOOK / "records"
"""Records and measurements that come with the package, wherever those of a user are."""

LONGEST_NAME = 130
"""Bytes of a name that is a part of a file's name, beside that of a data set, seed and ending."""

QUICK_RECORDS = "MSALIB_QUICK_RECORDS"
"""The variable with which a build of the book names a folder of its own to its notebooks."""


def records_folder() -> Path:
    """Return the records of runs on built-in data: ``MSALIB_RECORDS`` or ``book/records``."""
    return Path(os.environ.get("MSALIB_RECORDS") or BOOK / "records")


def your_records_folder() -> Path:
    """Return the records of runs on added data sets: ``MSALIB_RECORDS`` or ``records``.

    They are no part of the book and never committed.
    """
    return Path(os.environ.get("MSALIB_RECORDS") or ROOT / "records")


def features_folder() -> Path:
    """Return the feature stores, never committed: ``MSALIB_FEATURES`` or ``features``."""
    return Path(os.environ.get("MSALIB_FEATURES") or ROOT / "features")


def corpora_folder() -> Path:
    """Return the folder of added data sets: ``MSALIB_CORPORA`` or ``corpora``."""
    return Path(os.environ.get("MSALIB_CORPORA") or ROOT / "corpora")


def quick_records_folder() -> Path | None:
    """Return where records of profile ``quick`` go instead, as a build of the book says."""
    folder = os.environ.get(QUICK_RECORDS)
    return Path(folder) if folder else None


def temporary_folder() -> Path:
    """Return the root of temporary things: ``MSALIB_TEMPORARY``, or yours in the system's."""
    if folder := os.environ.get("MSALIB_TEMPORARY"):
        return Path(folder)
    try:
        system = tempfile.gettempdir()
    except FileNotFoundError:  # none has room; who writes to this one is told so
        system = "/tmp"
    return Path(system, f"msalib-{os.getuid()}" if hasattr(os, "getuid") else "msalib")


def variable(path: Path) -> str | None:
    """Return the environment variable that moves the folder in which ``path`` lies, if any does."""
    folders = (
        ("MSALIB_FEATURES", features_folder()),
        ("MSALIB_CORPORA", corpora_folder()),
        ("MSALIB_RECORDS", records_folder()),
        ("MSALIB_RECORDS", your_records_folder()),
        ("MSALIB_TEMPORARY", temporary_folder()),
    )
    return next((name for name, folder in folders if path.is_relative_to(folder)), None)


def folder_name(name: str) -> str:
    """Return an encoder's name as one plain folder: a hub id has a slash."""
    return bounded(re.sub(r"[^\w.-]+", "--", name))


def bounded(name: str) -> str:
    """Return a name that fits beside others in one of a file's: as it is, or its head and a digest.

    A disk takes names of 255 bytes, of which a letter may take four.
    """
    content = name.encode()
    if len(content) <= LONGEST_NAME:
        return name
    digest = hashlib.sha256(content).hexdigest()[:12]
    head = content[: LONGEST_NAME - len(digest) - 1].decode(errors="ignore")
    return f"{head}-{digest}"


def is_folder(name: str) -> bool:
    """Check whether a name is that of a folder; one that no disk takes is none."""
    with suppress(OSError, ValueError):
        return Path(name).is_dir()
    return False


def data_folder() -> Path:
    """Return the user's own copy of the real data: ``MSALIB_DATA``.

    Raises ``UserError`` where it is not set or not a folder.
    """
    value = os.environ.get("MSALIB_DATA")
    expected = "the folder that holds one folder per data set (mosi/, ...)"
    remedy = (
        "Set MSALIB_DATA to your data, or use the embedded control: -p dataset control "
        "(README, 'Bring your own data')."
    )
    if not value:
        raise UserError("MSALIB_DATA", found="not set", expected=expected, remedy=remedy)
    folder = Path(value)
    if not folder.is_dir():
        raise UserError(
            "MSALIB_DATA", found=f"{value}, not a folder", expected=expected, remedy=remedy
        )
    return folder
