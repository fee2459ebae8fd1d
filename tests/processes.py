"""Processes of tests: which still run, and waiting for what they do."""

import subprocess
import time
from collections.abc import Callable, Iterable


def wait_for(condition: Callable) -> None:
    """Wait until a condition holds, for a minute at most."""
    latest = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < latest
        time.sleep(0.02)


def alive(numbers: Iterable[str]) -> list[int]:
    """Return those processes that still run; one that no one has asked for its status does not."""
    command = ["ps", "-o", "pid=,stat=", "-p", ",".join(numbers) or "0"]
    lines = subprocess.run(command, capture_output=True, text=True).stdout.splitlines()
    return [int(line.split()[0]) for line in lines if "Z" not in line]
