"""Files of named numpy arrays (``.npz``), read without ever running what a pickle holds."""

import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from msalib.base.errors import UserError
from msalib.data.readers import build

REMEDY = "Check MSALIB_DATA, or restore the file from its source."


def read(path: Path, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Return the arrays with these names.

    Raises ``UserError`` for a file that is missing or damaged, and for one that lacks an array.
    """
    if not path.is_file():
        raise bad(path, "no such file", "arrays " + ", ".join(names))
    try:
        # Not np.load, which takes a file that is no .npz for a pickle and says so.
        with np.lib.npyio.NpzFile(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in names}
    except (
        *(OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error),
        *(NotImplementedError, RuntimeError, MemoryError, SyntaxError, OverflowError),
    ) as error:
        found = f"not a readable feature file ({' '.join(str(error).split()):.200})"
        raise bad(path, found, "a complete .npz with " + ", ".join(names)) from error


def names(path: Path) -> set[str]:
    """Return the names of all arrays; none of a file that is missing or damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {name.removesuffix(".npy") for name in archive.namelist()}
    except (OSError, zipfile.BadZipFile):
        return set()


def check_numbers(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Raise ``UserError`` for the first array that does not hold numbers."""
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu":
            kind = getattr(array, "dtype", "none known")
            raise bad(path, f"{name} of type {kind}", "numbers")


def bad(path: Path, found: str, expected: str) -> UserError:
    """Return the error of a file whose arrays are not what its layout says."""
    return build.bad(path, found, expected, REMEDY)
