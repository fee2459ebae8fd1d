"""Signals: a command ends at once, in one line that says what is kept."""

import os
import signal
import subprocess
import sys

import pytest

from msalib import __main__ as cli
from msalib import stopping
from msalib.commands.data import data_app
from tests.processes import wait_for

COMMAND = """
import signal, sys
from msalib.base import files, temporary
from msalib.stopping import stop_at_signals
signal.signal(signal.SIGINT, signal.default_int_handler)  # tests in the background ignore it
stop_at_signals(sys.argv[2:])
with files.whole_folder(files.Path(sys.argv[1]) / "data"), temporary.folder():
    print("ready", flush=True)
    # A long step of a library: the main thread does not come back to Python.
    import ctypes
    while True:  # a signal wakes it
        ctypes.CDLL(None).sleep(600)
"""


def started(tmp_path, *words, **how) -> subprocess.Popen:
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, str(tmp_path / "work"), *words],
        stdout=subprocess.PIPE,
        text=True,
        **{"stderr": subprocess.PIPE, **how},
    )
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("MSALIB_TEMPORARY", str(tmp_path / "temporary"))


@pytest.mark.parametrize(
    ("number", "status", "named", "words"),
    [
        (signal.SIGINT, 130, "Ctrl-C", ("data", "add", "clips.zip")),
        (signal.SIGTERM, 143, "SIGTERM", ("encode", "--refresh", "mosi")),
        (signal.SIGINT, 130, "Ctrl-C", ("claims",)),
    ],
)
def test_a_signal_ends_a_command_that_a_library_keeps_busy(tmp_path, number, status, named, words):
    process = started(tmp_path, *words)
    process.send_signal(number)
    errors = process.communicate(timeout=60)[1]
    kept = stopping.KEPT.get(" ".join(words[:2]), stopping.KEPT.get(words[0], stopping.NOTHING))
    assert process.returncode == status
    assert errors == f"msalib: stopped by {named}. {kept}\n"
    # What was unfinished goes, without another command.
    wait_for(lambda: not [*tmp_path.rglob(".*"), *(tmp_path / "temporary").iterdir()])


def test_a_signal_ends_a_command_whose_errors_nobody_reads(tmp_path):
    """As a pager that waits for a key."""
    reading, writing = os.pipe()
    with os.fdopen(reading), os.fdopen(writing, "wb", buffering=0) as errors:
        os.set_blocking(writing, False)
        while errors.write(bytes(4096)):
            pass
        os.set_blocking(writing, True)
        process = started(tmp_path, "claims", stderr=errors)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 143


def test_what_is_ignored_stays_ignored(tmp_path):
    """As nohup asks for."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        process = started(tmp_path, "records", "uegd")
    finally:
        signal.signal(signal.SIGHUP, before)
    process.send_signal(signal.SIGHUP)
    with pytest.raises(subprocess.TimeoutExpired):
        process.communicate(timeout=0.5)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 143


def test_every_command_that_is_named_is_there():
    names = {c.name or c.callback.__name__ for c in cli.app.registered_commands}
    names |= {f"data {c.name or c.callback.__name__}" for c in data_app.registered_commands}
    assert set(stopping.KEPT) <= names
