"""Parity with the authors' released code: same weights, same inputs, same outputs.

A fixture (.npz) holds weights ``w.<name>``, inputs ``in_*``, ``len_*`` and outputs ``out_*``. One
module here per kind compares ours with it: ``errors(fixture)`` returns the largest absolute error
of each output, ``TOLERANCE`` says what is allowed. A file without one of the outputs that its kind
has is refused, as one with unknown outputs is. Kind and fixture have the name of the module,
unless its ``FILES`` maps other kinds to their fixtures. Run one with
`python -m tests.parity KIND FILE`.
"""

import hashlib
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache, cached_property, wraps
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numpy as np

from msalib.base.errors import UserError


class Kind(NamedTuple):
    """The module that compares a kind, and its fixtures by name without .npz."""

    module: ModuleType
    files: tuple[str, ...]


@cache
def kinds() -> dict[str, Kind]:
    """Return every kind by name: the modules here that have ``errors``."""
    by_name = {}
    for path in sorted(Path(__file__).parent.glob("[!_]*.py")):
        module = import_module(f"{__name__}.{path.stem}")
        if hasattr(module, "errors"):
            files = getattr(module, "FILES", {path.stem: (path.stem,)})
            by_name |= {kind: Kind(module, names) for kind, names in files.items()}
    return by_name


class Fixture(dict):
    """The arrays of a file by name; an array that is asked for and missing is the file's fault."""

    def __init__(self, path: Path, arrays, kind: str = ""):
        super().__init__(arrays)
        self.path, self.kind = path, kind

    def __missing__(self, name: str):
        raise self.error(f"no array {name!r}", "every array that this kind needs")

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all arrays but the outputs."""
        hashed = hashlib.sha256()
        for name, array in sorted(self.items()):
            if not name.startswith("out"):
                hashed.update(f"{name} {array.dtype} {array.shape}".encode() + array.tobytes())
        return hashed.hexdigest()

    def require(self, outputs: Iterable[str]) -> None:
        """Refuse a file without one of the outputs that its kind has."""
        outputs = sorted(outputs)
        if missing := [name for name in outputs if name not in self]:
            raise UserError(
                self.path,
                found=f"no {', '.join(missing)}",
                expected=f"every output of kind {self.kind}: {', '.join(outputs)}",
                remedy="Restore the file, or make it again with all outputs.",
            )

    def error(self, found: str, expected: str) -> UserError:
        return UserError(
            self.path,
            found=found,
            expected=expected,
            remedy="Check the file, and that its kind is the one asked for.",
        )

    def starting_with(self, *prefixes: str) -> list[str]:
        return [name for name in self if name.startswith(prefixes)]


def read(path: Path, kind: str = "") -> Fixture:
    """Load a fixture; raises ``UserError`` if it is missing, damaged or not plain numbers."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return Fixture(path, {name: arrays[name] for name in arrays.files}, kind)
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile, zlib.error):
        raise UserError(
            path,
            found="a damaged file or another format" if path.is_file() else "no such file",
            expected="an .npz file of numeric arrays",
            remedy="Give the path of a parity fixture.",
        ) from None


def max_abs_error(fixture: Fixture, name: str, ours) -> float:
    """Return the largest absolute difference from one array of the file; nan equals nan."""
    theirs, ours = np.asarray(fixture[name], float), np.asarray(ours, float)
    if theirs.shape != ours.shape:
        raise fixture.error(f"{name} of shape {theirs.shape}", f"shape {ours.shape}")
    return float(np.where(np.isnan(theirs) & np.isnan(ours), 0, np.abs(ours - theirs)).max())


def compared(
    fixture: Fixture, ours: Mapping[str, object], optional: Collection[str] = ()
) -> dict[str, float]:
    """Return the error of each output of a file; one that lacks any but ``optional`` is refused."""
    fixture.require({name for name in ours if name not in optional})
    if unknown := sorted(set(fixture.starting_with("out")) - {*ours, *optional}):
        raise fixture.error(f"outputs {', '.join(unknown)}", f"some of {', '.join(ours)}")
    return {n: max_abs_error(fixture, n, value) for n, value in ours.items() if n in fixture}


def gradient_error(fixture: Fixture, name: str, gradient) -> float:
    """Return the error of a gradient, as a tenth of its share of the largest entry.

    Gradients may differ by 1e-4 of their largest entry, outputs by 1e-5; so one tolerance does for
    both. None stands for no gradient at all.
    """
    largest = float(np.abs(fixture[name]).max()) or 1.0
    ours = np.zeros(fixture[name].shape) if gradient is None else gradient
    return max_abs_error(fixture, name, ours) / largest / 10


def once(compute: Callable) -> Callable:
    """Remember what ``compute(fixture, ...)`` returns for the same weights and inputs."""
    known = {}

    @wraps(compute)
    def remembered(fixture: Fixture, *choice):
        key = (fixture.digest, *choice)
        if key not in known:
            known[key] = compute(fixture, *choice)
        return known[key]

    return remembered


def best(fixture: Fixture, candidates: Mapping[object, Mapping[str, object]]) -> tuple:
    """Return the choice with the least error, and its error of each output.

    ``candidates``: choice -> name of an output -> ours.
    """
    errors = {choice: compared(fixture, ours) for choice, ours in candidates.items()}
    choice = min(errors, key=lambda choice: np.nan_to_num(worst(errors[choice]), nan=np.inf))
    return choice, errors[choice]


def worst(errors: Mapping[str, float]) -> float:
    """Return the largest error; nan if any is nan, which is outside of every tolerance."""
    return float(np.max(list(errors.values())))


def compare(kind: str, path: Path) -> tuple[dict[str, float], float]:
    """Return the errors per output of a file, and the tolerance of its kind."""
    if kind not in kinds():
        raise UserError(
            "KIND",
            found=repr(kind),
            expected=f"one of {', '.join(kinds())}",
            remedy="Choose a kind that is implemented.",
        )
    module, fixture = kinds()[kind].module, read(path, kind)
    try:
        return module.errors(fixture), module.TOLERANCE
    except MISFIT as misfit:
        what = (str(misfit).splitlines() or [type(misfit).__name__])[0][:80]
        raise fixture.error(
            f"arrays that do not fit each other ({what})", f"the sizes of kind {kind}"
        ) from misfit


MISFIT = (RuntimeError, ValueError, TypeError, IndexError, ZeroDivisionError, AssertionError)
"""What arrays of wrong shapes or values raise, deep inside."""
