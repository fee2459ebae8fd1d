"""The record of costs: its shape, what is shown of it, errors; never how fast anything is."""

import json
from types import SimpleNamespace
from typing import ClassVar

import pytest
import torch
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
    passes={
        "padded": {"sugrm": [2.0, 2.1, 2.2], "self_mm": [1.0, 1.0, 1.1]},
        "no_text_encoder": {"sugrm": [4.0, 4.0, 4.0], "self_mm": [1.0, 1.0, 1.0]},
    },
    clips=80,
    text_of="the first 80 test clips of a data set",
    provenance={
        "commit": "abc",
        "device": "a machine",
        "threads": 1,
        "versions": {},
        "started": "2026-01-02T03:04:05+00:00",
        "load": [2.25, 1.5],
    },
)


def test_parameters_are_those_of_the_specification():
    parameters = timing.parameters()
    assert parameters["spt"] == 161_074  # papers/sugrm.md (b), C24
    assert parameters["lstm"] < parameters["spt"] < parameters["dense"]


class Text(torch.nn.Module):
    """A text encoder that notes what it was asked: states of token ids (B, T) and their mask."""

    asked: ClassVar = []

    def forward(self, input_ids, attention_mask):
        self.asked.append((tuple(input_ids.shape), int(attention_mask.sum())))
        states = torch.zeros(*input_ids.shape, SIZES["linguistic"])
        return SimpleNamespace(last_hidden_state=states)


SIZES = {"visual": 4, "acoustic": 3, "linguistic": 8}
LENGTHS = {"visual": 20, "acoustic": 15, "linguistic": 5}


@pytest.fixture
def small(monkeypatch):
    """Measure tiny models on the simulated data set, with a stand-in for BERT."""
    monkeypatch.delenv("MSALIB_DATA", raising=False)
    for module in (timing, costs):
        monkeypatch.setattr(module, "SIZES", SIZES)
        monkeypatch.setattr(module, "LENGTHS", LENGTHS)
        monkeypatch.setattr(module, "CLIPS", 2)
    monkeypatch.setattr(costs, "BATCHES", 2)
    monkeypatch.setattr(timing, "_bert", lambda device: Text())
    monkeypatch.setattr(Text, "asked", [])
    monkeypatch.setattr(features, "story", lambda name: features.control(videos=12, frames=(2, 4)))


def test_a_record_is_written_and_read_again(small):
    app = typer.Typer()
    app.command()(timing.main)
    done = CliRunner().invoke(app, ["--device", "cpu", "--passes", "4"])
    assert done.exit_code == 0, done.output
    times = costs.read()
    for name in costs.ENCODERS:
        assert len(times.seconds[name]) == costs.ENCODER_PASSES
        assert times.seconds_median[name] == sorted(times.seconds[name])[1]
        assert times.peak_bytes[name] > 0
    assert set(times.passes) == set(costs.READINGS)
    for seconds in times.passes.values():
        assert set(seconds) == set(costs.FAMILIES)
        assert all(len(each) == 4 and min(each) > 0 for each in seconds.values())
    assert times.count == 4 and times.clips == 4
    assert "Simulated" in times.text_of
    assert times.provenance["threads"] == 1 and len(times.provenance["load"]) == 2
    assert done.output.count("SUGRM over Self-MM") == len(costs.READINGS)


def test_both_models_read_the_text_encoder_alike(small):
    _, tokens = timing._text_lengths()
    pairs = tokens.tolist()[:2], tokens.tolist()[2:]
    timing._inference(1, "cpu")
    padded = [((2, 5), 10)] * 2
    trimmed = [((2, max(pair)), sum(pair)) for pair in pairs]
    # Both models in turn, in both readings with an encoder; a first round warms up.
    assert Text.asked == 2 * (2 * padded + 2 * trimmed)


def test_random_clips_have_the_lengths_of_the_paper():
    (batch,) = timing._random_clips(torch.tensor([50, 3]), "cpu")
    assert {m: tuple(mask.shape) for m, mask in batch.mask.items()} == {
        "visual": (2, 500), "acoustic": (2, 375), "linguistic": (2, 50)
    }  # fmt: skip
    assert batch.features["linguistic"].shape == (53, 768)
    assert batch.features["visual"].shape == (1000, 20)


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
    ratio = costs.ratio(TIMES.passes["padded"])
    assert ratio.value == pytest.approx(2.1)
    assert ratio.low <= ratio.value <= ratio.high
    assert str(costs.ratios(TIMES)["no_text_encoder"]) == "4.00 [4.00,\u00a04.00]"
    assert TIMES.count == 0  # a reading is missing


def test_tables_show_what_was_printed_and_measured():
    table = costs.inference(TIMES)
    assert table.frame["whose"].tolist() == ["printed", "ours", "ours"]
    assert table.frame["ratio"][0] == f"{0.775 / 0.378:.2f}"
    assert table.frame["SUGRM (s)"].tolist() == ["0.775", "2.1", "4"]
    assert "from 2.10 to 4.00 over the readings" in table.caption
    for part in ("80 clips", "500 frames of visual", "a machine, 1 thread", "1.5 to 2.2"):
        assert part in table.caption
    encoders = costs.encoders(TIMES)
    row = encoders.frame.set_index("sequence encoder").loc[costs.ENCODERS["spt"]]
    assert row["of the full transformer's"] == "10.0%" and row["greatest memory (MB)"] == "2"
    assert "10%" in encoders.caption


def test_a_record_without_passes_shows_its_encoders_alone():
    times = TIMES.model_copy(update={"passes": {}})
    assert isinstance(costs.inference(times), Note)
    assert len(costs.encoders(times).frame) == 3


def test_the_figure_is_described_in_words():
    picture = figures.passes(costs.named(TIMES), where=costs.where(TIMES))
    assert "SUGRM: median 2.1 s" in picture.alt and "commit abc" in read(picture).text
    image(picture)
