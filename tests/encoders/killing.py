"""Functions that are killed just before any of their operations on files, in a forked process."""

import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

OPERATIONS = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir")
"""Events of Python's audit hooks that count."""


def operations(function: Callable, under: Path) -> int:
    """Run ``function`` in a process of its own; return its operations on files in ``under``."""
    receiving, sending = os.pipe()
    process = _forked(function, under, lambda count: os.write(sending, str(count).encode()))
    os.close(sending)
    with os.fdopen(receiving) as pipe:
        count = int(pipe.read())
    _end_of(process)
    return count


def killed(function: Callable, under: Path, at: int) -> bool:
    """Run ``function`` and kill it before its ``at``-th operation (from 1); False if it had fewer.

    A kill is SIGKILL: no handler of the process runs, and no file is closed.
    """
    return _end_of(_forked(function, under, at=at)) == -signal.SIGKILL


def _forked(function: Callable, under: Path, done: Callable | None = None, at: int = 0) -> int:
    process = os.fork()
    if process:
        return process
    try:
        count, folder = 0, str(under)

        def hook(event: str, args: tuple) -> None:
            nonlocal count
            if event in OPERATIONS and str(args[0]).startswith(folder):
                count += 1
                if count == at:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        function()
        if done:
            done(count)
        os._exit(0)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)


def _end_of(process: int) -> int:
    status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    assert status in (0, -signal.SIGKILL)
    return status
