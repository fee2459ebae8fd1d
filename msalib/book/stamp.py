"""What an executed notebook was made of, kept beside it: a page made of the same need not run.

A page is made of its parameters, the files and folders that its process looked at (its source, the
records and data that it read or missed, the modules that it imported: ``traces``), the versions of
all libraries, and the settings of this machine. Records of profile ``quick`` are made while the
book is built and follow from the code that trains, so a page that read some is made of all of that.
"""

import hashlib
import json
import os
import platform
from collections.abc import Mapping
from functools import cached_property
from importlib import metadata
from pathlib import Path

from msalib.base import files, paths
from msalib.book import notebooks, traces

ENGINE = (
    *("book/finish.py", "book/kernel.py", "book/notebooks.py", "book/page.py", "book/traces.py"),
    "pages/markdown.py",
)
"""What of the package runs a page and makes its copy, whatever the page imports."""

TRAINING = "base", "data", "encoders", "training", "models", "runs"
"""Folders of the package that decide the numbers of a run."""

VARIABLES = "MSALIB_", "HF_", "CUDA_"
"""How variables begin that say where data and models are, and what may run."""

INTERNAL = {f"MSALIB_{name}" for name in ("FAMILY", "TEMPORARY", "TERMINAL", "TRACEBACK")}
INTERNAL.add(paths.QUICK_RECORDS)
"""Variables that only say how a command goes about its work."""


def place(executed: Path) -> Path:
    """Return the file that says what an executed notebook was made of."""
    return paths.EXECUTED / ".stamps" / executed.relative_to(paths.EXECUTED).with_suffix(".json")


class Stamps:
    """What pages are made of at one moment; files that many pages read are read once."""

    def __init__(self):
        self._settings = _settings()
        self._states: dict[str, str] = {}
        self._names: dict[str, str] = {}

    def fresh(self, notebook: str, resolved: Mapping) -> bool:
        """Check whether an executed notebook is made of what there is now."""
        executed = notebooks.executed_path(notebook, resolved)
        stamp = _read(place(executed))
        return bool(
            stamp
            and stamp["parameters"] == dict(resolved)
            and stamp["executed"] == traces.state(str(executed))
            and stamp.get("training") in ("", self.training)
            and self._same(stamp)
        )

    @cached_property
    def training(self) -> str:
        """The digest of what runs of profile quick are made of, whatever page asks for them."""
        code = sorted(p for floor in TRAINING for p in (traces.PACKAGE / floor).rglob("*.*"))
        states = [
            [path.relative_to(traces.PACKAGE).as_posix(), traces.state(str(path))]
            for path in code
            if "__pycache__" not in path.parts
        ]
        return hashlib.sha256(json.dumps([self._settings, states]).encode()).hexdigest()

    def _same(self, stamp: Mapping) -> bool:
        """Check that files, folders and settings are as they were for a page."""
        return bool(
            stamp["settings"] == self._settings
            and all(self._state(name) == was for name, was in stamp["files"].items())
            and all(self._listing(name) == was for name, was in stamp["folders"].items())
        )

    def _state(self, name: str) -> str:
        if name not in self._states:
            self._states[name] = traces.state(str(paths.ROOT / name))
        return self._states[name]

    def _listing(self, name: str) -> str:
        if name not in self._names:
            self._names[name] = traces.names(str(paths.ROOT / name))
        return self._names[name]

    def keep(self, executed: Path, resolved: Mapping, trace: Mapping) -> None:
        """Write what a page was made of, as its process told (``Trace.summary``)."""
        stamp = {
            "parameters": dict(resolved),
            "executed": traces.state(str(executed)),
            "settings": self._settings,
            "training": self.training if trace["quick"] else "",
            "files": {_inside(name): was for name, was in trace["files"].items()},
            "folders": {_inside(name): was for name, was in trace["folders"].items()},
        }
        files.write_json(place(executed), stamp)


def _inside(name: str | Path) -> str:
    """Return a path from the repository on, so that a copy of it asks for its own files."""
    path = Path(name)
    return str(path.relative_to(paths.ROOT) if path.is_relative_to(paths.ROOT) else path)


def _settings() -> str:
    """Return the digest of what every page is made of."""
    variables = {
        name: _inside(value)
        for name, value in os.environ.items()
        if name.startswith(VARIABLES) and name not in INTERNAL
    }
    engine = [traces.state(str(traces.PACKAGE / name)) for name in ENGINE]
    devices = sorted(str(path) for path in Path("/dev").glob("nvidia[0-9]*"))
    content = [sorted(variables.items()), _libraries(), platform.machine(), devices, engine]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _read(stamp: Path) -> dict | None:
    """Return what a page was made of, None where that is not known."""
    try:
        return json.loads(stamp.read_bytes())
    except (OSError, ValueError):
        return None


def _libraries() -> list[str]:
    """Return names and versions of Python and of all installed libraries."""
    installed = {f"{one.name} {one.version}" for one in metadata.distributions()}
    return [platform.python_version(), *sorted(installed)]
