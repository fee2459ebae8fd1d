"""Child processes: how do they end with the process that started them, whatever ends that?

A kill runs no handler, and a grandchild may have a session of its own (Jupyter's kernel has). So
all that comes of one command is named by a variable of the environment, which is inherited, and a
guard waits at a pipe: where the command is gone, the guard ends every process of that name and
removes what they left. It needs no thread or handler in a child, which a busy library may hold up,
and the same calls do on Linux, macOS and Windows.
"""

import atexit
import itertools
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from msalib.base import temporary
from msalib.base.errors import UserError

FAMILY = "MSALIB_FAMILY"
"""The variable; "4711-9f3a01c2/1/2" is the second child of the first child of a command."""

SECONDS = 5.0
"""After which a process that does not end is left: the system itself holds it."""

_numbers = itertools.count(1)
_guards: dict[int, subprocess.Popen] = {}  # number of a process -> its guard
_one_by_one = threading.Lock()


class Child(subprocess.Popen):
    """A process that ends with this one, and with it all that it starts; else a ``Popen``."""

    def __init__(self, command: Sequence, env: Mapping[str, str] | None = None, **how):
        self.family = f"{_family()}/{next(_numbers)}"
        environment = {**(os.environ if env is None else env), **_places(), FAMILY: self.family}
        watch()
        # In a session of its own, so that Ctrl-C in a terminal comes to this process alone.
        super().__init__(command, env=environment, start_new_session=True, **how)


def run(
    command: Sequence, *, timeout_s: float | None = None, check: bool = False, **how
) -> subprocess.CompletedProcess:
    """Run a command like ``subprocess.run``; if it fails or takes too long, nothing of it is left.

    Raises ``subprocess.TimeoutExpired``, and with ``check`` ``subprocess.CalledProcessError``.
    """
    with Child(command, **how) as child:
        try:
            output, errors = child.communicate(timeout=timeout_s)
        finally:
            if child.returncode != 0:
                end(child.family)
    done = subprocess.CompletedProcess(child.args, child.returncode, output, errors)
    if check:
        done.check_returncode()
    return done


def end(family: str) -> None:
    """End every process of a family, but for this one."""
    import psutil

    latest = time.monotonic() + SECONDS
    while (members := _members(family)) and time.monotonic() < latest:
        for process in members:
            with suppress(psutil.Error, OSError):
                process.kill()
        time.sleep(0.01)  # not awaited: whoever started a process asks for its status


def watch() -> None:
    """Start the guard of this process, unless it has one or belongs to a command that has."""
    with _one_by_one:  # a guard more would be let go of, and take that for the end
        if FAMILY in os.environ or os.getpid() in _guards:
            return
        program = f"from msalib.base.leftovers import guard; guard({_family()!r})"
        _guards[os.getpid()] = subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            start_new_session=True,
        )
        atexit.register(_dismiss, os.getpid())


def _family() -> str:
    return os.environ.get(FAMILY) or temporary.name()


def _places() -> dict[str, str]:
    """Return the variables that put temporary files of a child into the folder of this process."""
    with suppress(OSError, UserError):
        own = temporary.own()
        names = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(own))
        return {**names, "MSALIB_TEMPORARY": str(own.parent.absolute())}
    return {}


def _members(family: str) -> list:
    """Return the living processes of a family, without this one."""
    import psutil

    members = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):  # one that has ended, or is another user's
            name = process.environ().get(FAMILY, "")
            if f"{name}/".startswith(f"{family}/") and process.pid != os.getpid():
                members.append(process)
    return members


def _dismiss(process: int) -> None:
    """Tell the guard, at the end of this process, that nothing is left."""
    if process != os.getpid():  # a forked one
        return
    end(_family())
    guard = _guards.pop(process)
    with suppress(OSError, subprocess.TimeoutExpired):
        guard.communicate(b".", timeout=1)
