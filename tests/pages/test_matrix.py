"""Claims by settings: real data first, nothing that is empty throughout, every mark a word."""

import pytest
from bs4 import BeautifulSoup

from msalib.evidence.common import Evidence
from msalib.evidence.verdicts import Verdict
from msalib.pages.matrix import matrix
from msalib.pages.reading import grids
from msalib.runs.records import Setting
from tests.html import read
from tests.small import ENTRIES

CLAIM = ENTRIES["one"].claims[0].model_copy(update={"paper": "uegd"})
PLANTED = Setting("control", "planted", "release", "full")
RAW = Setting("raw", "small", "release", "full")
MOSI = Setting("mosi-standardised", "minilm", "release", "full")
TUNED = Setting("mosi-standardised", "minilm-tuned", "release", "full")
MOSEI = Setting("mosei", "minilm", "release", "full")


def verdict(setting: Setting, word: str, number: int = 1) -> Verdict:
    claim = CLAIM.model_copy(update={"id": f"C{number}", "statement": f"Claim {number}."})
    return Verdict(claim, "substitute", setting, Evidence(word, {}, ""), [])


@pytest.fixture
def shown():
    made = [
        verdict(PLANTED, "supported"),
        verdict(PLANTED, "not run", 2),
        verdict(RAW, "inconclusive"),
        verdict(MOSEI, "not run"),
        verdict(MOSI, "contradicted"),
        verdict(MOSI, "not run", 2),
    ]
    return matrix(made, caption="ONE: claims by settings.")


def test_real_data_come_first_then_clips_then_features(shown):
    (grid,) = grids(shown.html())
    heads = [head.text for head in grid.heads]
    assert heads[0] == "claim"
    assert [head.split(";")[0] for head in heads[1:]] == ["CMU-MOSI", "raw control", "control"]
    assert "real data" in heads[1] and "simulated" in heads[3]


def test_what_was_run_nowhere_has_no_column_and_is_named(shown):
    (grid,) = grids(shown.html())
    assert not any("MOSEI" in head.text for head in grid.heads)
    assert "No claim has been run in 1 further setting: CMU-MOSEI" in shown.caption
    assert "✓ supported" in shown.caption


def test_a_claim_stands_above_its_marks(shown):
    (grid,) = grids(shown.html())
    first, second = grid.rows
    assert first.group.startswith("C1 Claim 1.") and second.group.startswith("C2 Claim 2.")
    marks = [cell.text for cell in first.cells]
    assert marks == ["C1", "contradicted", "inconclusive", "supported"]
    assert [cell.text for cell in second.cells][1:] == ["not run", "", "not run"]
    heads = BeautifulSoup(shown.html(), "html.parser").find_all("th")
    assert {head["scope"] for head in heads} == {"col", "row", "rowgroup"}
    assert read(shown).attributes("a")[0]["href"] == "#C1"


def test_settings_with_one_short_name_have_their_full_one():
    shown = matrix([verdict(MOSI, "supported"), verdict(TUNED, "supported")], caption="ONE.")
    (grid,) = grids(shown.html())
    assert "MiniLM" in grid.heads[1].text and "fine-tuned MiniLM" in grid.heads[2].text
