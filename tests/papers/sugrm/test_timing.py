"""The record of times: its shape, what is shown of it, and errors; never how fast anything is."""

import json

import pytest
from typer.testing import CliRunner

from msalib.base.errors import UserError
from msalib.pages.tables import Note
from msalib.papers.sugrm import figures_geometry as figures
from msalib.papers.sugrm import timing
from tests.html import read

RECORD = {
    "parameters": {"spt": 100, "dense": 1000, "lstm": 50},
    "model_parameters": {"sugrm": 300, "self_mm": 200},
    "seconds": {name: [0.5, 0.6, 0.7] for name in timing.ENCODERS},
    "seconds_median": {"spt": 0.6, "dense": 6.0, "lstm": 0.1},
    "peak_bytes": {"spt": 2_000_000, "dense": 9_000_000, "lstm": 1_000_000},
    "inference": {"sugrm": [2.0, 2.1, 2.2], "self_mm": [1.0, 1.0, 1.1]},
    "inference_on": "a test part of 80 clips",
    "inference_unaligned": {"sugrm": [4.0, 4.0, 4.0], "self_mm": [1.0, 1.0, 1.0]},
    "inference_with_bert": {},
    "provenance": {
        "commit": "abc",
        "device": "a machine",
        "threads": 1,
        "versions": {},
        "started": "2026-01-02T03:04:05+00:00",
    },
}


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    monkeypatch.setenv("MSALIB_RECORDS", str(tmp_path))
    monkeypatch.delenv("MSALIB_DATA", raising=False)
    return tmp_path


def test_parameters_are_those_of_the_specification():
    found = timing.parameters()
    assert found["spt"] == 161_074  # papers/sugrm.md (b), C24
    assert found["lstm"] < found["spt"] < found["dense"]


def test_a_record_is_written_and_read_again(monkeypatch):
    monkeypatch.setattr(timing, "SIZES", {"visual": 4, "acoustic": 3, "linguistic": 8})
    monkeypatch.setattr(timing, "LENGTHS", {"visual": 20, "acoustic": 15, "linguistic": 5})
    monkeypatch.setattr(timing, "CLIPS", 2)
    import typer

    app = typer.Typer()
    app.command()(timing.main)
    done = CliRunner().invoke(app, ["--device", "cpu", "--passes", "3", "--no-bert"])
    assert done.exit_code == 0, done.output
    found = timing.read()
    assert set(RECORD) == set(found)
    for name in timing.ENCODERS:
        assert len(found["seconds"][name]) == 3
        assert found["seconds_median"][name] == sorted(found["seconds"][name])[1]
        assert found["peak_bytes"][name] > 0
    for key in ("inference", "inference_unaligned"):
        assert set(found[key]) == {"sugrm", "self_mm"}
        assert all(len(own) == 3 and min(own) > 0 for own in found[key].values())
    assert found["inference_with_bert"] == {}
    assert "Simulated" in found["inference_on"]
    assert found["provenance"]["threads"] == 1
    assert "SUGRM over Self-MM" in done.output


def test_no_record_is_a_sentence():
    assert timing.read() is None
    for shown in (timing.inference(None), timing.cost(None)):
        assert (
            isinstance(shown, Note) and "python -m msalib.papers.sugrm.timing" in read(shown).text
        )


@pytest.mark.parametrize("text", ["{", json.dumps({"parameters": {}})])
def test_a_damaged_record_is_refused(text):
    timing.RECORD.path.parent.mkdir(parents=True)
    timing.RECORD.path.write_text(text)
    with pytest.raises(UserError, match="expected the record of times"):
        timing.read()


def test_the_ratio_is_of_medians():
    found = timing.ratio(RECORD["inference"])
    assert found.value == pytest.approx(2.1)
    assert found.low <= found.value <= found.high
    assert str(timing.ratio(RECORD["inference_unaligned"])) == "4.00 [4.00,\u00a04.00]"


def test_tables_show_what_was_printed_and_measured():
    table = timing.inference(RECORD)
    assert table.frame["whose"].tolist() == ["printed", "ours", "ours"]  # nothing with BERT
    assert table.frame["ratio"][0] == f"{0.775 / 0.378:.2f}"
    assert table.frame["SUGRM (s)"].tolist() == ["0.775", "2.1", "4"]
    assert "a test part of 80 clips" in table.caption and "a machine, 1 thread" in table.caption
    rows = timing.cost(RECORD).frame.set_index("sequence encoder")
    row = rows.loc[timing.ENCODERS["spt"]]
    assert row["of the full transformer's"] == "10.0%" and row["greatest memory (MB)"] == "2"
    assert "10%" in timing.cost(RECORD).caption


def test_the_figure_is_told_in_words():
    picture = figures.passes(timing.named(RECORD), where=timing.where(RECORD))
    assert "SUGRM: median 2.1 s" in picture.alt and "commit abc" in read(picture).text
