"""Answer how a page runs in a process of its own, and what it leaves: its copy and its trace.

    python -m msalib.book.page <job, as JSON>
    python -m msalib.book.page --serve <number of a socket>

A server has loaded the libraries before, and forks a child for each job that comes through its
socket with a pipe (``warm``).
"""

import atexit
import gc
import json
import os
import socket
import sys
import traceback
import warnings
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from msalib.book.traces import Trace

SAID = ".said.txt"
"""Ending of the file beside a working copy with what the process said outside of its cells."""

DONE, FAILED = b"done\n", b"failed\n"

LARGEST = 2**20
"""Bytes of a message to a server at most."""


def run(job: dict, trace: Trace) -> None:
    """Execute a notebook in this process, and write what it was made of.

    ``job`` names the page, its source, working copy and trace (paths), and has its parameters.
    Raises what papermill raises.
    """
    trace.begin_page()
    from msalib.book import kernel

    kernel.run(Path(job["source"]), Path(job["working"]), job["parameters"])
    Path(job["trace"]).write_text(json.dumps(trace.summary()))


def serve(number: int, trace: Trace) -> None:
    """Load what the first message names, then fork a child for each further one, up to the end."""
    with socket.socket(fileno=number) as messages:
        _load(json.loads(messages.recv(LARGEST)))
        gc.collect()
        gc.freeze()  # libraries collect garbage, and would look at all of this each time
        while True:
            message, pipes, *_ = socket.recv_fds(messages, LARGEST, 1)
            if not message:
                break
            if os.fork() == 0:
                try:
                    _child(json.loads(message), pipes[0], trace)
                finally:
                    os._exit(1)
            os.close(pipes[0])
            _await(os.WNOHANG)
    _await(0)


def _await(how: int) -> None:
    """Ask children that have ended for their status, and with it for their time; 0: all of them."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, how)[0]:
            pass


def _load(statements: list[str]) -> None:
    """Run import statements of pages; one that fails does so again on its page, and says why."""
    for statement in statements:
        with suppress(Exception), warnings.catch_warnings(action="ignore"):
            exec(statement, {"__name__": ""})


def _child(job: dict, pipe: int, trace: Trace) -> None:
    """Run a page and end this process."""
    from msalib.base import children

    os.set_inheritable(pipe, False)
    os.write(pipe, b"%d\n" % os.getpid())
    os.environ[children.FAMILY] += f"/{os.getpid()}"  # of what the page starts
    said = os.open(f"{job['working']}{SAID}", os.O_WRONLY | os.O_CREAT)
    os.dup2(said, 1)
    os.dup2(said, 2)
    word = DONE
    try:
        run(job, trace)
    except BaseException:
        traceback.print_exc()
        word = FAILED
    with suppress(Exception):
        atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os.write(pipe, word)
    os._exit(0)


if __name__ == "__main__":
    import_module("msalib.book.kernel")  # before: no page is made of Jupyter's own files
    beginning = Trace()
    beginning.begin()
    if sys.argv[1] == "--serve":
        serve(int(sys.argv[2]), beginning)
    else:
        run(json.loads(sys.argv[1]), beginning)
