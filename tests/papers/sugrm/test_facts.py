"""Clips and settings of SUGRM, ours beside printed."""

import pytest

from msalib.data import describe
from msalib.data.simulate.features import control
from msalib.models import recipes
from msalib.pages.tables import Note
from msalib.papers.sugrm import facts
from msalib.runs.study import Study
from tests.html import read


def test_clips_stand_beside_table_6():
    summary = describe.summarise(control(videos=12, frames=(4, 6)), "simulated")
    ours = facts.counts(summary)
    assert set(ours.frame["clips (Table 6)"]) == {"-"} and "no counts" in ours.caption
    mosi = facts.counts(summary.model_copy(update={"dataset": "mosi"}))
    assert mosi.frame["clips (Table 6)"].tolist() == ["1284", "229", "686", "2199"]
    assert "2,199 clips, 93 videos, 89 speakers" in mosi.caption
    assert "nan" not in read(mosi).text.lower()


def test_without_data_and_without_a_summary_there_is_a_sentence(monkeypatch):
    monkeypatch.delenv("MSALIB_DATA", raising=False)
    assert isinstance(facts.clips("mmmo-stretched"), Note)


@pytest.mark.parametrize("preset", ["release", "article"])
def test_the_recipe_is_shown_whole_with_its_sources(preset):
    own = Study("sugrm", preset=preset, profile="full", dataset="mosi")
    table = facts.recipe(own).content
    entries = recipes.table("sugrm", preset, "full", "mosi")
    assert len(table.frame) == sum(map(len, entries.values())) + 1
    frame = table.frame.set_index("entry")
    assert frame.loc["learning rate sequence", "release"] == "0.0005"
    assert frame.loc["heads", "Table 7, MOSEI"] == "4"
    assert frame.loc["attention dropout", "Table 7, MOSI"] == "0.3"
    assert (frame["source"].iloc[:-1] != "-").all()
    assert "nan" not in read(table).text.lower()


def test_differences_of_the_presets_and_three_rates():
    own = Study("sugrm", profile="full", dataset="mosi")
    entries = facts.recipe_differences(own).frame["entry"].tolist()
    assert {"shift", "learning rate sequence", "accumulation"} <= set(entries)
    rates = facts.rates(own).frame.set_index("part")["SUGRM, release"]
    assert len({v for v in rates if v != "-"}) == 3
    texts = facts.texts(own)
    assert texts["entries_differ"] == str(len(entries))
    assert texts["release_learning_rate_sequence"] == "0.0005"
