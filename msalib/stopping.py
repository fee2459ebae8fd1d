"""Ctrl-C and other signals that stop a command: one line says what is kept and how to go on.

Whatever is written gets its name when it is whole, and a guard or the next command removes what
has none yet (``leftovers``). So a command that is stopped need not tidy up: it ends at once, with
the status that shells give to the signal (130 for Ctrl-C), and no library can hold it up.
"""

import os
import signal
import threading
from collections.abc import Sequence
from contextlib import suppress

from msalib.base import children, temporary

SIGNALS = tuple(getattr(signal, n) for n in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, n))

RUNS = "Finished runs are recorded; the same command reads them and makes the others."
KEPT = {
    "encode": "What was encoded is kept; the same command goes on from there.",
    "run": RUNS,
    "records": RUNS,
    "pretrain": "Finished stages and the last checkpoint are kept; the same command goes on there.",
    "train": "A model is saved only when all its seeds are trained; run the same command again.",
    "data add": "A data set is added whole or not at all; run the same command again.",
    "book": "Finished pages are kept; the same command makes the others.",
}
"""Command -> what is kept of it, and how to go on; any other has nothing to lose."""

PATIENCE_S = 1.0
"""For a reader of the line, such as a pager, that has stopped reading."""

NOTHING = "There was nothing to keep; run the same command again."


def stop_at_signals(arguments: Sequence[str]) -> None:
    """Let signals end this process, whose command has these arguments; ignored ones stay ignored.

    To be called once, in the main thread.
    """
    # A handler waits until the main thread is back in Python; a thread that reads this pipe need
    # not wait for a long step of a library.
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    for number in SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, lambda *_: None)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    threading.Thread(target=_wait, args=(reading, _kept(arguments)), daemon=True).start()


def _kept(arguments: Sequence[str]) -> str:
    words = [word for word in arguments if not word.startswith("-")]
    return KEPT.get(" ".join(words[:2])) or KEPT.get(" ".join(words[:1]), NOTHING)


def _wait(pipe: int, kept: str) -> None:
    with os.fdopen(pipe, "rb", buffering=0) as signals:
        while byte := signals.read(1):
            if byte[0] in SIGNALS:
                _stop(signal.Signals(byte[0]), kept)


def _stop(number: signal.Signals, kept: str) -> None:
    by = "Ctrl-C" if number == signal.SIGINT else number.name
    line = f"msalib: stopped by {by}. {kept}\n"
    telling = threading.Thread(target=_tell, args=(line,), daemon=True)
    telling.start()
    telling.join(PATIENCE_S)
    with suppress(OSError):
        if temporary.begun():
            children.watch()
    os._exit(128 + number)


def _tell(line: str) -> None:
    with suppress(OSError):  # whoever read it may be gone
        os.write(2, (("\r\x1b[K" if os.isatty(2) else "") + line).encode())  # over a progress bar
