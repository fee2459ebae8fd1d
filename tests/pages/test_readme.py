"""The table of results in the README: verdicts with what they cover, or what they lack."""

from dataclasses import replace

import pytest

from msalib.evidence.common import Evidence
from msalib.evidence.verdicts import Coverage
from msalib.pages import readme
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
