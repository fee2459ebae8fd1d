"""A mistake of our own is told in one line, and its traceback is kept for a report."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from msalib.base import faults
from msalib.evidence import registry


@pytest.fixture(autouse=True)
def own_place(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.delenv("MSALIB_TRACEBACK", raising=False)


@pytest.fixture
def mistaken(monkeypatch):
    """A command that raises something; a function sets what."""

    def put(error):
        def claims(*_):
            raise error

        monkeypatch.setattr(registry, "known", claims)

    return put


def test_a_mistake_is_one_line_and_a_file_for_the_report(msalib, mistaken, tmp_path):
    mistaken(KeyError("a\x1b[31m\nb"))
    status, out, error = msalib("claims")
    assert (status, out) == (1, "")
    assert error.startswith("msalib: a mistake in msalib itself, and none in what you gave: KeyErr")
    assert error.count("\n") == 1 and "\x1b" not in error and "Traceback" not in error
    assert "test_faults.py, line " in error
    (kept,) = tmp_path.glob("msalib-mistake-*.txt")
    assert str(kept) in error
    text = kept.read_text()
    assert "command: ['msalib', 'claims']" in text and "torch" in text
    assert "Traceback (most recent call last)" in text and "in claims" in text


def test_a_developer_sees_the_traceback_of_whatever_it_is(msalib, mistaken, monkeypatch):
    monkeypatch.setenv("MSALIB_TRACEBACK", "1")
    mistaken(KeyError("a"))
    assert "Traceback" in msalib("claims")[2]
    status, _, error = msalib("claims", "nonsense")
    assert status == 2 and "Traceback" in error and "paper 'nonsense'" in error


def test_what_the_machine_refuses_is_no_mistake(msalib, mistaken, tmp_path):
    mistaken(MemoryError("Unable to allocate 8 TiB"))
    status, _, error = msalib("claims")
    assert status == 2
    assert error.startswith("msalib: the command claims: found too little memory (Unable to alloc")
    assert list(tmp_path.iterdir()) == []


def test_a_mistake_is_told_where_no_file_can_be_kept(msalib, mistaken, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", "/dev/null")
    mistaken(KeyError("a"))
    status, _, error = msalib("claims")
    assert status == 1
    assert "Traceback" in error and "Please report it with this traceback." in error


def test_what_is_kept_of_a_mistake_has_an_end(tmp_path):
    line = faults.report(ValueError("x" * 10_000_000))
    assert len(line) < 1_000
    (kept,) = tmp_path.glob("msalib-mistake-*.txt")
    assert kept.stat().st_size < 2 * faults.ROOM


def test_standard_output_on_a_full_disk_is_told():
    if not Path("/dev/full").exists():
        pytest.skip("needs the always full disk /dev/full")
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "msalib", "printed", "check", "--json"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("msalib: the command printed: found it cannot be written")
    assert done.stderr.count("\n") == 1
