"""Children: whatever ends a process, nothing that it started goes on."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from msalib.base import children, temporary
from tests.processes import alive, wait_for

IN_A_SESSION = """
import os, signal, sys, time
os.setsid()
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
    signal.signal(number, signal.SIG_IGN)
open(sys.argv[1] + f"/{os.getpid()}", "w").close()
time.sleep(600)
"""

BUSY = """
import os, re, subprocess, sys
open(sys.argv[1] + f"/{os.getpid()}", "w").close()
subprocess.Popen([sys.executable, "-c", sys.argv[2], sys.argv[1]])
re.match("(a+)+$", "a" * 60 + "b")  # for ever, and no other thread gets to run
"""

PARENT = """
import signal, sys, threading
from msalib.base import children
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
    signal.signal(number, signal.SIG_DFL)  # tests in the background inherit ignored ones
busy, session, folder = sys.argv[1:]
run = lambda: children.run([sys.executable, "-c", busy, folder, session])
threading.Thread(target=run, daemon=True).start()
run()
"""


def left(folder: Path) -> list[int]:
    """Return those of the processes that have left their numbers in a folder that still run."""
    return alive(path.name for path in folder.iterdir())


@pytest.fixture
def numbers(tmp_path, monkeypatch):
    """A folder in which processes leave their numbers."""
    monkeypatch.setenv("MSALIB_TEMPORARY", str(tmp_path / "temporary"))
    (tmp_path / "numbers").mkdir()
    return tmp_path / "numbers"


@pytest.mark.skipif(not hasattr(os, "setsid"), reason="needs sessions")
@pytest.mark.parametrize("name", ["KILL", "TERM", "INT", "HUP"])
def test_grandchildren_end_with_a_process_that_a_signal_ends(numbers, name):
    """Also those in sessions of their own, that ignore signals, or that are busy in C."""
    command = [sys.executable, "-c", PARENT, BUSY, IN_A_SESSION, str(numbers)]
    parent = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: len(list(numbers.iterdir())) == 4)
        assert len(left(numbers)) == 4
        parent.send_signal(getattr(signal, f"SIG{name}"))
        assert parent.wait(60) != 0
    finally:
        parent.kill()
    wait_for(lambda: not left(numbers))
    wait_for(lambda: not list((numbers.parent / "temporary").iterdir()))


@pytest.mark.skipif(not hasattr(os, "setsid"), reason="needs sessions")
@pytest.mark.parametrize("program", ["time.sleep(600)", "sys.exit(3)"])
def test_nothing_is_left_of_a_command_that_fails_or_takes_too_long(numbers, program):
    starts = (
        "import subprocess, sys, time, pathlib\n"
        "subprocess.Popen([sys.executable, '-c', *sys.argv[1:]])\n"
        "while not list(pathlib.Path(sys.argv[2]).iterdir()): time.sleep(0.01)\n"
    )
    command = [sys.executable, "-c", starts + program, IN_A_SESSION, str(numbers)]
    expected = subprocess.TimeoutExpired if "sleep" in program else subprocess.CalledProcessError
    with pytest.raises(expected):
        children.run(command, timeout_s=5 if "sleep" in program else 60, check=True)
    assert len(list(numbers.iterdir())) == 1 and left(numbers) == []


def test_a_command_returns_what_it_printed_and_its_temporary_files_lie_in_our_folder(numbers):
    code = "import os, tempfile; print(tempfile.gettempdir(), os.environ['MSALIB_FAMILY'])"
    done = children.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    place, family = done.stdout.split()
    assert (done.returncode, place) == (0, str(temporary.own()))
    assert family.startswith(f"{temporary.name()}/")


def test_one_child_does_not_end_with_another(numbers):
    wait = [sys.executable, "-c", "input()"]
    one, other = (children.Child(wait, stdin=subprocess.PIPE) for _ in range(2))
    assert one.family != other.family
    children.end(one.family)
    assert one.wait(60) == -signal.SIGKILL and other.poll() is None
    other.communicate(b"\n")
    assert other.returncode == 0


def test_children_that_start_at_once_have_one_guard(numbers):
    code = (
        "import subprocess, sys, threading; from msalib.base import children\n"
        "begin = threading.Barrier(8)\n"
        "def start():\n"
        "    begin.wait()\n"
        "    children.run([sys.executable, '-c', 'import time; time.sleep(0.5)'], check=True)\n"
        "guards, Popen = [], subprocess.Popen\n"
        "def noted(command, *a, **how):\n"
        "    guards.extend(c for c in command if 'guard' in c)\n"
        "    return Popen(command, *a, **how)\n"
        "subprocess.Popen = noted\n"
        "threads = [threading.Thread(target=start) for _ in range(8)]\n"
        "[t.start() for t in threads], [t.join() for t in threads]\n"
        "print(len(guards))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("1\n", "")


def test_a_process_that_ends_by_itself_leaves_no_guard(numbers):
    code = (
        "import sys; from msalib.base import children\n"
        "children.run([sys.executable, '-c', ''])\n"
        "print(*(guard.pid for guard in children._guards.values()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    (guard,) = done.stdout.split()
    (numbers / guard).touch()
    assert left(numbers) == []
    assert list((numbers.parent / "temporary").iterdir()) == []
