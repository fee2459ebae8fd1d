"""Parity with the authors' released code: same weights, same inputs, same outputs.

A fixture (.npz) holds weights ``w.<name>``, inputs ``in_*``, ``len_*`` and outputs ``out_*``. One
module per kind compares ours with it: ``errors(fixture)`` returns the largest absolute error of
each output, ``TOLERANCE`` says what is allowed. Run one with `python -m tests.parity KIND FILE`.
"""

import zipfile
import zlib
from importlib import import_module
from pathlib import Path

import numpy as np

from msalib.base.errors import UserError

KINDS = {"metrics": "metrics", "uegd": "uegd", "uegd_weighted": "uegd", "spt": "spt"}
KINDS |= {kind: kind for kind in ("mrm", "sugrm", "ulgm_sugrm", "ulgm_selfmm")}
"""Kind -> the module here that compares it."""


class Fixture(dict):
    """The arrays of a file by name; an array that is asked for and missing is the file's fault."""

    def __init__(self, path: Path, arrays):
        super().__init__(arrays)
        self.path = path

    def __missing__(self, name: str):
        raise self.error(f"no array {name!r}", "every array that this kind needs")

    def error(self, found: str, expected: str) -> UserError:
        return UserError(
            self.path,
            found=found,
            expected=expected,
            remedy="Check the file, and that its kind is the one asked for.",
        )

    def starting_with(self, *prefixes: str) -> list[str]:
        return [name for name in self if name.startswith(prefixes)]


def read(path: Path) -> Fixture:
    """Load a fixture; raises ``UserError`` if it is missing, damaged or not plain numbers."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return Fixture(path, {name: arrays[name] for name in arrays.files})
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile, zlib.error):
        raise UserError(
            path,
            found="a damaged file or another format" if path.is_file() else "no such file",
            expected="an .npz file of numeric arrays",
            remedy="Give the path of a parity fixture.",
        ) from None


def max_abs_error(fixture: Fixture, name: str, ours) -> float:
    """Largest absolute difference from one array of the file; nan equals nan."""
    theirs, ours = np.asarray(fixture[name], float), np.asarray(ours, float)
    if theirs.shape != ours.shape:
        raise fixture.error(f"{name} of shape {theirs.shape}", f"shape {ours.shape}")
    return float(np.where(np.isnan(theirs) & np.isnan(ours), 0, np.abs(ours - theirs)).max())


def compare(kind: str, path: Path) -> tuple[dict[str, float], float]:
    """Errors per output of a file, and the tolerance of its kind."""
    if kind not in KINDS:
        raise UserError(
            "KIND",
            found=repr(kind),
            expected=f"one of {', '.join(KINDS)}",
            remedy="Choose a kind that is implemented.",
        )
    module = import_module(f"{__name__}.{KINDS[kind]}")
    return module.errors(read(path)), module.TOLERANCE
