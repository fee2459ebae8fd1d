"""Where things lie: in the repository, or where the user says."""

import os
import re
from pathlib import Path

from msalib.base.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"
BOOK = ROOT / "book"
EXECUTED = BOOK / "executed"
PRINTED = BOOK / "printed"
CLAIMS = BOOK / "claims"


def records_folder() -> Path:
    """Records of runs on built-in data: ``MSALIB_RECORDS``, by default ``book/records``."""
    return Path(os.environ.get("MSALIB_RECORDS") or BOOK / "records")


def your_records_folder() -> Path:
    """Records of runs on data sets that a user added: ``MSALIB_RECORDS``, by default ``records``.

    They are no part of the book and never committed.
    """
    return Path(os.environ.get("MSALIB_RECORDS") or ROOT / "records")


def features_folder() -> Path:
    """Feature stores, large and never committed: ``MSALIB_FEATURES``, by default ``features``."""
    return Path(os.environ.get("MSALIB_FEATURES") or ROOT / "features")


def corpora_folder() -> Path:
    """Where data sets that were added lie: ``MSALIB_CORPORA``, by default ``corpora``."""
    return Path(os.environ.get("MSALIB_CORPORA") or ROOT / "corpora")


def variable(path: Path) -> str | None:
    """Return the environment variable that moves the folder in which ``path`` lies, if any does."""
    folders = (
        ("MSALIB_FEATURES", features_folder()),
        ("MSALIB_CORPORA", corpora_folder()),
        ("MSALIB_RECORDS", records_folder()),
        ("MSALIB_RECORDS", your_records_folder()),
    )
    return next((name for name, folder in folders if path.is_relative_to(folder)), None)


def folder_name(name: str) -> str:
    """An encoder's name as one plain folder: a hub id has a slash."""
    return re.sub(r"[^\w.-]+", "--", name)


def data_folder() -> Path:
    """The user's own copy of the real data: ``MSALIB_DATA``.

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
