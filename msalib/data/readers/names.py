"""Names of added data sets: which there are, which one is free, and one for a path."""

import os
import re
import unicodedata
from pathlib import Path

from msalib.base import files
from msalib.base.errors import UserError
from msalib.base.paths import corpora_folder
from msalib.data.readers import formats

SUFFIXES = (*formats.ARCHIVES, *formats.PICKLES, ".csd", ".npz", ".csv")
"""Endings of files that are no part of a name."""

LONGEST = 80
"""Characters of a name: beside those of encoder and run it must fit into a file's name."""


def names() -> list[str]:
    """Return the names of added data sets, in alphabetical order."""
    folder = corpora_folder()
    if not folder.is_dir():
        return []
    files.settle_all(folder)
    return sorted(p.name for p in folder.iterdir() if _is_plain(p.name) and p.is_dir())


def name_of(path: Path) -> str:
    """Return a name for the data set at a path: that of the file or folder, made plain."""
    name = Path(path).resolve().name
    end = next((s for s in SUFFIXES if name.lower().endswith(s) and len(name) > len(s)), "")
    name = unicodedata.normalize("NFKD", name[: len(name) - len(end)])
    name = "".join(c for c in name if not unicodedata.combining(c))
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-_").lower()[:LONGEST] or "data"


def check_free(name: str, refresh: bool) -> None:
    """Raise ``UserError`` for a name that is none, or is taken; ``refresh`` replaces its owner.

    A name in other capitals is taken, since some systems have one folder for both. A link is never
    replaced: what it points to is the data set, and lies where others may know it.
    """
    if not _is_plain(name):
        raise UserError(
            f"name {name!r}",
            found="characters that a name cannot have",
            expected="letters, digits, - and _, a letter or digit first",
            remedy="Choose a name: --name NAME",
        )
    if len(name) > LONGEST:
        raise UserError(
            f"name {name[:LONGEST]!r}...",
            found=f"{len(name)} characters",
            expected=f"{LONGEST} at most, since files of records and features have that name, too",
            remedy="Choose a shorter name: --name NAME",
        )
    folder = corpora_folder() / name
    if folder.is_symlink():
        target = Path(os.path.realpath(folder))  # resolve() ends in an error in a circle of links
        raise UserError(
            folder,
            found=f"a link to {target}",
            expected="the data set itself, which alone can be replaced",
            remedy=f"Set MSALIB_CORPORA to {target.parent}, or remove the link and add it here.",
        )
    other = next((n for n in names() if n.casefold() == name.casefold() and n != name), None)
    if other:
        raise UserError(
            f"data set {name!r}",
            found=f"one named {other!r}, which is the same name on some systems",
            expected="a name that differs in more than capitals",
            remedy=f"Choose another with --name NAME, or replace it: --name {other} --refresh.",
        )
    if name in names() and not refresh:
        raise UserError(
            f"data set {name!r}",
            found="one of that name",
            expected="a name that is not taken",
            remedy="Choose another with --name NAME, or replace it with --refresh.",
        )


def _is_plain(name: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name) is not None
