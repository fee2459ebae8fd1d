"""Progress bars: in a terminal, also for a notebook that was started from one; else quiet."""

import os
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from tqdm import tqdm

from msalib.base.terminal import terminal

TERMINAL = "MSALIB_TERMINAL"
"""The variable with which ``msalib run`` names its terminal to the notebook's process."""


def bar(items: Iterable, description: str, unit: str) -> tqdm:
    """Return ``items`` with a bar that vanishes when they are done."""
    file = sys.stderr if sys.stderr.isatty() else _terminal()
    named = terminal(description)
    return tqdm(items, desc=named, unit=unit, file=file, disable=file is None, leave=False)


def environment() -> dict[str, str]:
    """Return the variables that let a child process show its bars in this process's terminal."""
    return {TERMINAL: os.ttyname(sys.stderr.fileno())} if sys.stderr.isatty() else {}


@cache
def _terminal():
    path = os.environ.get(TERMINAL)
    return Path(path).open("w") if path else None
