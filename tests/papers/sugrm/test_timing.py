"""The record of costs: its shape, what is shown of it, errors; never how fast anything is."""

import json

import pytest
import typer
from typer.testing import CliRunner

from msalib.base.errors import UserError
from msalib.data.simulate import features
from msalib.pages.tables import Note
from msalib.papers.sugrm import costs, timing
from msalib.papers.sugrm import figures_geometry as figures
from tests.html import image, read

TIMES = costs.Times(
    parameters={"spt": 100, "dense": 1000, "lstm": 50},
    model_parameters={"sugrm": 300, "self_mm": 200},
    seconds={name: [0.5, 0.6, 0.7] for name in costs.ENCODERS},
    seconds_median={"spt": 0.6, "dense": 6.0, "lstm": 0.1},
    peak_bytes={"spt": 2_000_000, "dense": 9_000_000, "lstm": 1_000_000},
    inference={"sugrm": [2.0, 2.1, 2.2], "self_mm": [1.0, 1.0, 1.1]},
    inference_on="a test set of 80 clips",
    inference_unaligned={"sugrm": [4.0, 4.0, 4.0], "self_mm": [1.0, 1.0, 1.0]},
    inference_with_bert={},
    provenance={
        "commit": "abc",
        "device": "a machine",
        "threads": 1,
        "versions": {},
        "started": "2026-01-02T03:04:05+00:00",
    },
)


def test_parameters_are_those_of_the_specification():
    parameters = timing.parameters()
    assert parameters["spt"] == 161_074  # papers/sugrm.md (b), C24
    assert parameters["lstm"] < parameters["spt"] < parameters["dense"]


def test_a_record_is_written_and_read_again(monkeypatch):
    monkeypatch.delenv("MSALIB_DATA", raising=False)
    monkeypatch.setattr(timing, "SIZES", {"visual": 4, "acoustic": 3, "linguistic": 8})
    monkeypatch.setattr(timing, "LENGTHS", {"visual": 20, "acoustic": 15, "linguistic": 5})
    monkeypatch.setattr(timing, "CLIPS", 2)
    monkeypatch.setattr(features, "story", lambda name: features.control(videos=12, frames=(4, 6)))
    app = typer.Typer()
    app.command()(timing.main)
    done = CliRunner().invoke(app, ["--device", "cpu", "--passes", "3", "--no-bert"])
    assert done.exit_code == 0, done.output
    times = costs.read()
    for name in costs.ENCODERS:
        assert len(times.seconds[name]) == 3
        assert times.seconds_median[name] == sorted(times.seconds[name])[1]
        assert times.peak_bytes[name] > 0
    assert set(times.passes) == {"inference", "inference_unaligned"}
    for seconds in times.passes.values():
        assert set(seconds) == {"sugrm", "self_mm"}
        assert all(len(each) == 3 and min(each) > 0 for each in seconds.values())
    assert "Simulated" in times.inference_on
    assert times.provenance["threads"] == 1
    assert "SUGRM over Self-MM" in done.output


def test_no_record_is_a_sentence():
    assert costs.read() is None
    for note in (costs.inference(None), costs.encoders(None)):
        assert isinstance(note, Note) and "python -m msalib.papers.sugrm.timing" in note.text


@pytest.mark.parametrize("text", ["{", json.dumps({"parameters": {}})])
def test_a_damaged_record_is_refused(text):
    costs.RECORD.path.parent.mkdir(parents=True)
    costs.RECORD.path.write_text(text)
    with pytest.raises(UserError, match="record of times") as error:
        costs.read()
    assert "msalib.papers.sugrm.timing" in error.value.remedy


def test_the_ratio_is_of_medians():
    ratio = costs.ratio(TIMES.inference)
    assert ratio.value == pytest.approx(2.1)
    assert ratio.low <= ratio.value <= ratio.high
    assert str(costs.ratio(TIMES.inference_unaligned)) == "4.00 [4.00,\u00a04.00]"


def test_tables_show_what_was_printed_and_measured():
    table = costs.inference(TIMES)
    assert table.frame["whose"].tolist() == ["printed", "ours", "ours"]  # nothing with BERT
    assert table.frame["ratio"][0] == f"{0.775 / 0.378:.2f}"
    assert table.frame["SUGRM (s)"].tolist() == ["0.775", "2.1", "4"]
    assert "a test set of 80 clips" in table.caption and "a machine, 1 thread" in table.caption
    encoders = costs.encoders(TIMES)
    row = encoders.frame.set_index("sequence encoder").loc[costs.ENCODERS["spt"]]
    assert row["of the full transformer's"] == "10.0%" and row["greatest memory (MB)"] == "2"
    assert "10%" in encoders.caption


def test_the_figure_is_described_in_words():
    picture = figures.passes(costs.named(TIMES), where=costs.where(TIMES))
    assert "SUGRM: median 2.1 s" in picture.alt and "commit abc" in read(picture).text
    image(picture)
