"""Names that no disk takes are refused in one message, and before any work; others fit."""

import pytest

from msalib.base import paths
from msalib.base.paths import bounded, folder_name
from msalib.book import notebooks
from msalib.data.readers import names
from msalib.runs.inputs import Inputs
from msalib.runs.records import Setting
from msalib.runs.records import files as files_of
from tests.fixtures import FIXTURES

LONG, UMLAUTS = "x" * 300, "ä" * 130  # 130 letters are 260 bytes
NO_NAME = "a name that the disk does not take"


@pytest.mark.parametrize("name", [LONG, UMLAUTS], ids=["letters", "bytes"])
@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("claims {}", "found no claims of it; expected one of cmt"),
        ("records {}", "found no planned runs"),
        ("encode {}", "found no such data set"),
        ("encode mosi {}", "found no such name and no such folder"),
        ("encode mosi {}-tuned", "found no such name and no such folder"),
        ("run {}", "found no such notebook"),
        ("run uegd/fig6 -p {} 3", "found no such parameter"),
        ("run uegd/fig6 -p dataset {}", "found no such data set"),
        ("run uegd/fig6 -p dataset mosi -p encoder {}", "found no such name and no such folder"),
        ("run uegd/fig6 -p preset {}", "found no such preset"),
        ("train control --out {}", NO_NAME),
        ("train control --out {}/model", NO_NAME),
        ("train {} --out model", "found no such data set"),
        ("data add {}", NO_NAME),
        ("data audit {}", "found no such data set"),
        ("data audit mosi --encoder {}", "found no such name and no such folder"),
        ("predict {}", NO_NAME),
        ("printed check --dir {}", NO_NAME),
    ],
)
def test_a_name_that_is_too_long_is_refused(msalib, monkeypatch, tmp_path, command, message, name):
    monkeypatch.chdir(tmp_path)
    status, out, error = msalib(*command.format(name).split())
    assert (status, out) == (2, "")
    assert message in error and error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_place_for_a_model_leaves_room_for_what_is_put_beside(msalib, monkeypatch, tmp_path):
    """Else hours of training end in the refusal of a temporary name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("msalib.runs.save._fit", lambda *_: pytest.fail("it was trained"))
    status, _, error = msalib("train", "control", "--out", "x" * 250, "-p", "seeds", "1")
    assert status == 2 and NO_NAME in error


def test_a_data_set_leaves_room_for_names_of_its_records(msalib, tmp_path):
    source = FIXTURES["mmsa"](tmp_path)
    status, _, error = msalib("data", "add", source, "--name", "x" * 81)
    assert status == 2
    assert "found 81 characters; expected 80 at most" in error
    assert not paths.corpora_folder().exists()
    assert msalib("data", "add", source, "--name", "x" * 80)[0] == 0
    assert names.name_of(tmp_path / ("y" * 200)) == "y" * 80


def test_names_of_encoders_fit_into_that_of_a_file_and_stay_apart(tmp_path):
    assert folder_name("bert-base+wavlm-large") == "bert-base--wavlm-large"
    assert bounded("x" * 130) == "x" * 130
    long = [folder_name(letter * 300 + end) for letter in "xä日" for end in "ab"]
    assert len(set(long)) == 6
    assert all(len(name.encode()) <= paths.LONGEST_NAME for name in long)
    assert files_of("uegd", Setting("mosi", "日" * 300, "release", "full")) == []


def test_an_executed_notebook_has_a_name_that_fits():
    resolved = {"dataset": "x" * 80, "encoder": "ä" * 600, "profile": "quick"}
    path = notebooks.executed_path("uegd/fig6", resolved)
    assert path.name.startswith("fig6-xxx") and len(path.name.encode()) < 200


def test_a_folder_with_a_long_name_is_an_encoder_like_any_other(tmp_path, monkeypatch):
    from tests.encoders.tiny import save_bert

    monkeypatch.chdir(tmp_path)
    one, other = (str(save_bert(tmp_path / (letter * 240))) for letter in "ab")
    for model in (one, other):
        assert Inputs("uegd", dataset="mosi", encoder=model).encoders["linguistic"].model == model
