"""What processes that were killed left behind: who ends and removes it?

Every command begins with ``remove``, and a command with children has a guard that does the same as
soon as the command is gone.
"""

import signal
import sys

from msalib.base import children, temporary


def remove() -> None:
    """End the children of processes that are gone, and remove what these had for a moment.

    What belongs to a living process stays.
    """
    for name, beside in temporary.abandoned():
        children.end(name)
        if beside:
            from msalib.base.files import clear

            for path in dict.fromkeys(beside):
                clear(path)


def guard(name: str) -> None:
    """Wait for the end of the process ``name``, at whose pipe this one reads."""
    for number in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, number):
            signal.signal(getattr(signal, number), signal.SIG_IGN)
    if not sys.stdin.buffer.read():  # else it ended by itself, and has said so
        children.end(name)
        remove()
