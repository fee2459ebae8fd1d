"""Answer how the pages of a build run: in children of one process that has loaded the libraries.

Where a process with these libraries must not be forked, each page has a process that loads them.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from msalib.base import children
from msalib.book.page import DONE, FAILED, SAID

CAN_FORK = sys.platform == "linux"
"""On macOS a library may abort a process that was forked after it was loaded; Windows has none."""

COMMAND = sys.executable, "-m", "msalib.book.page"


class Alone:
    """Run each page in a new process."""

    def __init__(self, imports: Iterable[str], **how):
        self.how = how

    def __enter__(self) -> "Alone":
        return self

    def __exit__(self, *_) -> None:
        pass

    def run(self, job: Mapping, timeout_s: float) -> None:
        """Run one page, to its end; see ``Warm.run``."""
        command = [*COMMAND, json.dumps(job)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        children.run(command, timeout_s=timeout_s, check=True, **pipes, **self.how)


class Warm:
    """Run each page in a child of a process that has run these import statements.

    The process ends with the ``with`` block, and what is left of its children with it.
    """

    def __init__(self, imports: Iterable[str], **how):
        self.imports, self.how = list(imports), how

    def __enter__(self) -> "Warm":
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            numbers = [theirs.fileno()]
            command = [*COMMAND, "--serve", str(theirs.fileno())]
            self.child = children.Child(command, pass_fds=numbers, **self.how)
        self.socket.send(json.dumps(self.imports).encode())
        return self

    def __exit__(self, kind, *_) -> None:
        self.socket.close()
        with suppress(subprocess.TimeoutExpired):
            self.child.wait(0 if kind else children.SECONDS)  # it ends where no page runs
        children.end(self.child.family)
        self.child.wait()

    def run(self, job: Mapping, timeout_s: float) -> None:
        """Run one page, to its end; several threads may do so at a time.

        Raises ``subprocess.CalledProcessError`` with the last words of the page's process, and
        ``subprocess.TimeoutExpired``, when nothing of it is left.
        """
        reading, writing = os.pipe()
        with os.fdopen(reading, "rb", buffering=0) as pipe:
            with suppress(OSError):  # the process is gone, and with it the other end of the pipe
                socket.send_fds(self.socket, [json.dumps(job).encode()], [writing])
            os.close(writing)
            number, word = _lines(pipe, time.monotonic() + timeout_s)
        if word != DONE and number:
            with suppress(ProcessLookupError):
                os.kill(int(number), signal.SIGKILL)
            children.end(f"{self.child.family}/{int(number)}")
        if word is None:
            raise subprocess.TimeoutExpired(COMMAND, timeout_s)
        if word != DONE:
            said = Path(f"{job['working']}{SAID}")
            words = said.read_text(errors="replace") if word == FAILED else "Kernel died"
            raise subprocess.CalledProcessError(1, COMMAND, stderr=words)


def _lines(pipe, latest: float) -> tuple[bytes, bytes | None]:
    """Return the two lines of a pipe; empty where it ends before, the second None where late."""
    lines = []
    while len(lines) < 2:
        ready, _, _ = select.select([pipe], [], [], max(0.0, latest - time.monotonic()))
        lines.append(pipe.readline() if ready else None)
    number, word = lines
    return number or b"", word
