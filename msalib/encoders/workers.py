"""Worker processes: where can code that may crash or hang do no harm?

Libraries that decode damaged files can end a process by a signal or never return. A worker is a
fresh interpreter that reads tasks from its standard input and answers on its standard output, so
that nothing is forked after torch has started its threads and a script needs no main guard.
"""

import os
import pickle
import signal
import sys
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from queue import SimpleQueue
from subprocess import DEVNULL, PIPE
from typing import Any

from msalib.base.children import Child
from msalib.base.errors import UserError

SECONDS = 600
"""Time that one task may take: minutes of video with a slow detector of faces."""

PIXELS = 10**8
"""Of a picture at most; a damaged one may claim any number."""

FEWEST = 8
"""Tasks that are worth a process."""

MOST = 32
"""Processes at most."""


def number(tasks: int) -> int:
    """Return the number of workers for so many tasks: none for a few, else all cores but one."""
    if tasks < FEWEST:
        return 0
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(MOST, cores - 1))


def run(
    function: Callable, tasks: Iterable[tuple[Any, ...]], workers: int, ahead: int = 0
) -> Iterator[Any]:
    """Yield ``function(*task)`` for every task, in order; a ``UserError`` is yielded, not raised.

    The first member of a task is the file it is about. At most ``ahead`` results, or two per
    worker, are ready before they are asked for, so that memory does not grow with the number of
    tasks. With no workers all is done here. A worker that dies, or takes longer than ``SECONDS``,
    gives a ``UserError`` that names the file; the next task gets a new one.
    """
    if not workers:
        yield from (_here(function, task) for task in tasks)
        return
    processes = [_Process() for _ in range(workers)]
    idle: SimpleQueue[_Process] = SimpleQueue()
    for process in processes:
        idle.put(process)

    def work(task):
        process = idle.get()
        try:
            return process.ask(function, task)
        finally:
            idle.put(process)

    waiting = deque()
    try:
        with ThreadPoolExecutor(workers) as threads:
            try:
                for task in tasks:
                    waiting.append(threads.submit(work, task))
                    if len(waiting) >= max(ahead, 2 * workers):
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()
                for process in processes:
                    process.kill()  # a thread that waits for its answer is told so
    finally:
        for process in processes:
            process.end()


def _here(function: Callable, task: tuple) -> Any:
    try:
        return function(*task)
    except UserError as error:
        return error


class _Process:
    """One interpreter, started when it is first asked; used by one thread at a time."""

    def __init__(self):
        self._process = None

    def ask(self, function: Callable, task: tuple) -> Any:
        if self._process is None:
            self._process = _start()
        try:
            pickle.dump((SECONDS, function, task), self._process.stdin)
            self._process.stdin.flush()
            kind, answer = pickle.load(self._process.stdout)
        except (EOFError, OSError, pickle.UnpicklingError):
            return self._dead(task[0])
        if kind == "failure":
            raise RuntimeError(f"a worker failed on {task[0]}:\n{answer}")
        return UserError(answer.pop("where"), **answer) if kind == "refusal" else answer

    def _dead(self, file) -> UserError:
        status = self.end()
        if hasattr(signal, "SIGALRM") and status == -signal.SIGALRM:
            fate = f"no end of decoding it within {SECONDS} seconds"
        else:
            fate = f"a file on which decoding ends the process (status {status})"
        return UserError(
            file,
            found=fate,
            expected="sound or pictures that can be decoded",
            remedy="Repair the file (ffmpeg -i old new writes it anew), or leave the clip out.",
        )

    def kill(self) -> None:
        if (process := self._process) is not None:
            process.kill()

    def end(self) -> int | None:
        """Close the pipes and wait: a worker ends with its input. Its exit status."""
        process, self._process = self._process, None
        if process is None:
            return None
        with suppress(OSError):  # what it could not be sent any more
            process.stdin.close()
        process.stdout.close()
        return process.wait()


def _start() -> Child:
    return Child(
        [sys.executable, "-c", "from msalib.encoders.workers import serve; serve()"],
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,  # decoders print what they think of a file
        env=os.environ
        | {
            "PYTHONPATH": os.pathsep.join(sys.path),
            "OMP_NUM_THREADS": "1",
            "OPENCV_IO_MAX_IMAGE_PIXELS": str(PIXELS),
        },
    )


def serve() -> None:
    """Answer tasks until the input ends: what a worker does.

    A task that takes too long ends the process, also inside a library, by the signal's default.
    """
    source, target = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what a library prints is no answer
    while True:
        try:
            seconds, function, task = pickle.load(source)
        except EOFError:
            return
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            answer = "value", function(*task)
        except UserError as error:
            parts = {n: getattr(error, n) for n in ("where", "found", "expected", "remedy")}
            answer = "refusal", parts
        except Exception:
            answer = "failure", traceback.format_exc()
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)
        pickle.dump(answer, target, protocol=pickle.HIGHEST_PROTOCOL)
        target.flush()
