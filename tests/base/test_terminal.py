"""What commands print: nothing for a terminal to obey, and characters that it lacks."""

import ast
import io
import subprocess
import sys
import warnings

import pytest

from msalib.base import terminal
from msalib.base.paths import ROOT
from msalib.base.terminal import say
from msalib.base.terminal import terminal as shown


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("\x9b31m", r"\x9b31m"),  # the same in one character of eight bits
        ("over\rwritten\x08\x7f", r"over\rwritten\x08\x7f"),
        ("a\nmsalib: all is well", r"a\nmsalib: all is well"),
        ("a\u2028b\u2029c\x85d", r"a\u2028b\u2029c\x85d"),
        ("exe\u202efdp.txt\u2066\u200f", r"exe\u202efdp.txt\u2066\u200f"),
        ("\udcff", r"\udcff"),  # of a file name that is not UTF-8
        ("\U000e0041\ufeff\u00ad", r"\U000e0041\ufeff\xad"),
    ],
)
def test_what_a_terminal_would_obey_becomes_an_escape(text, line):
    assert shown(text) == line


@pytest.mark.parametrize(
    "text",
    [
        "video$_$clip",
        "0.70\u00a0±\u00a00.01 → ✓",
        "很好\u3000电影",
        "\u0645\u06cc\u200c\u062e\u0648",
        "👩\u200d🎓 e\u0301",
        r"C:\data\x1b",
    ],
)
def test_text_stays_as_it_is(text):
    assert shown(text) == text


def test_every_control_character_is_escaped():
    every = [chr(c) for c in (*range(32), *range(127, 160), *range(0x202A, 0x202F))]
    assert all(shown(c).isascii() and shown(c).isprintable() for c in every)


def test_lines_are_printed_one_by_one(capsys):
    say("a", 1, "b\nc")
    say("wrong", file=sys.stderr)
    assert capsys.readouterr() == ("a\n1\nb\\nc\n", "wrong\n")


def test_nothing_else_prints():
    """A print to a file would pass ruff's T20."""
    printing = {"print", "typer.echo", "typer.secho", "click.echo", "sys.stdout.write"}
    printing |= {"sys.stderr.write", "sys.stderr.writelines", "sys.stdout.writelines"}
    found = {
        path.name
        for path in (ROOT / "msalib").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in printing
    }
    assert found == {"terminal.py"}


def test_characters_that_the_output_lacks_are_escaped(monkeypatch):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="ascii"))
    terminal.accept_all_characters()
    say("0.7 ± 0.1 ✓")
    assert written.getvalue().decode("ascii").rstrip() == r"0.7 \xb1 0.1 \u2713"


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "gbk"])
@pytest.mark.parametrize(
    ("arguments", "status"), [(["claims", "sugrm"], 0), (["run", "sugrm/tablé→"], 2)]
)
def test_a_command_ends_as_it_should_whatever_the_encoding(
    monkeypatch, encoding, arguments, status
):
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    done = subprocess.run([sys.executable, "-m", "msalib", *arguments], capture_output=True)
    assert done.returncode == status
    assert (done.stdout + done.stderr).decode(encoding)
    assert b"Traceback" not in done.stderr


def test_a_warning_is_one_line_without_code(capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        terminal.tell_warnings()
        warnings.warn("clip \x1b[31mred is cut short", stacklevel=1)
    assert capsys.readouterr().err == "msalib: warning: clip \\x1b[31mred is cut short\n"
