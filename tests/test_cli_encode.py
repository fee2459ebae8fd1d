"""What the commands say of transcripts and what ``encode`` does with them agree."""

import re
from dataclasses import replace

import pytest

from msalib.data import datasets
from tests.encoders.tiny import save_bert
from tests.fixtures import FIXTURES


@pytest.fixture
def usual_encoder(monkeypatch, tmp_path):
    """A tiny one that added data sets have as their usual encoder."""
    model = str(save_bert(tmp_path / "bert"))
    added = datasets._added
    monkeypatch.setattr(datasets, "_added", lambda name: replace(added(name), encoder=model))
    return model


@pytest.mark.filterwarnings("ignore:bert does not know all of the texts")
@pytest.mark.parametrize("layout", ["mmsa", "meld"])
def test_transcripts_that_are_announced_are_encoded(msalib, usual_encoder, tmp_path, layout):
    """Also where the data come with features of words: then the usual encoder reads the words."""
    status, out, _ = msalib("data", "add", FIXTURES[layout](tmp_path), "--name", "mine")
    assert status == 0
    announced = int(re.search(r"linguistic: (\d+) transcripts", out)[1])
    status, out, error = msalib("encode", "mine", "--device", "cpu")
    assert (status, error) == (0, "")
    assert f"linguistic features of {announced} clips: " in out
    assert out.splitlines()[-1].startswith("linguistic features of")  # nothing is left to encode


def test_transcripts_beside_features_of_words_are_no_work_to_do(msalib, tmp_path):
    """They once were "to encode", and the encoder then said that there were none."""
    _, out, _ = msalib("data", "add", FIXTURES["mmsa"](tmp_path), "--name", "mine")
    assert "to encode" not in out
    assert re.search(r"transcripts, read in place of these by: msalib encode mine ENCODER", out)
    _, out, _ = msalib("data", "add", FIXTURES["meld"](tmp_path), "--name", "other")
    assert "transcripts to encode" in out


def test_an_unknown_device_or_preset_is_refused_before_data_are_read(msalib, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr(datasets, "load", lambda name: pytest.fail("data were read"))
    for option, value in (("--device", "cuda"), ("--device", "gpu"), ("--preset", "ours")):
        status, _, error = msalib("encode", "raw", option, value)
        assert status == 2 and value in error
