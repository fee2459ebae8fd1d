"""The table of results in the README: verdicts with what they cover, or what they lack."""

from dataclasses import replace

import pytest

from msalib.evidence.common import Evidence
from msalib.evidence.verdicts import Coverage
from msalib.pages import readme
from msalib.pages.markdown import plain
from tests.small import SILENT, evidences

COVERED = Coverage(5, 685, 31, {"linguistic": 6})


@pytest.mark.parametrize(
    ("word", "note", "cell"),
    [
        (
            "supported",
            "needs no 3 seeds more",
            "✓ supported<br>5 seeds, 685 test clips of 31 videos; linguistic (6 blocks)",
        ),
        ("not run", "needs 5 seeds of a, b (2 so far)", "○ not run (needs 5 seeds)"),
        (
            "not run",
            "needs 10 test videos (this setting has 4)",
            "○ not run (needs 10 test videos)",
        ),
        ("not run", "needs layers of an encoder", "○ not run"),
        (
            "not run",
            "needs a fine-tuned text encoder; 5 seeds, 685 test clips of 31 videos",
            "○ not run",
        ),
    ],
)
def test_a_cell_has_its_coverage_or_the_minimum_that_is_missing(word, note, cell):
    (verdict,) = evidences(SILENT, word).rerun
    verdict = verdict.__class__(
        verdict.claim, verdict.kind, verdict.setting, Evidence(word, {}, note), [], COVERED
    )
    assert readme._cell(verdict) == cell


def test_a_measurement_covers_nothing():
    (verdict,) = evidences(SILENT, "supported").rerun
    assert readme._cell(replace(verdict, coverage=None)) == "✓ supported"


@pytest.mark.parametrize(
    "text",
    [
        "video$_$clip",
        "a|b\n| --- |",
        "<script>alert(1)</script>",
        "[x](javascript:alert(1)) ![y](z)",
        "*a* _b_ __c__ `d` ~e~ \\f &lt;",
        "snake_case stays",
    ],
)
def test_text_stays_text_in_markdown(text):
    """Read again by a parser of tables, formulas and HTML."""
    from markdown_it import MarkdownIt
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    written = readme._table(["claim"], [[plain(text)]])
    tokens = MarkdownIt("gfm-like", {"linkify": False}).use(dollarmath_plugin).parse(written)
    cells = [token for token in tokens if token.type == "inline"]
    assert len(cells) == 2
    assert {child.type for child in cells[1].children} <= {"text"}
    assert cells[1].children[0].content == " ".join(text.splitlines())
