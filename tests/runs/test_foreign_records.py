"""Records that come, go or are written otherwise while they are read: one message, or no matter."""

import json

import pytest

from msalib.base.errors import UserError
from msalib.runs import records, study
from msalib.runs.records import Setting
from msalib.runs.spec import system
from tests.factory import make_record, predictions

CLIPS = predictions([1.0, -2.0, 0.5], [0.5, -1.0, 0.25], ["a", "a", "b"])
SETTING = Setting("control", "planted", "release", "quick")


@pytest.fixture
def record():
    return make_record({"linguistic": 3}, 1, parts={"valid": CLIPS, "test": CLIPS})


def read_all(path) -> str:
    """Return the one message of every way to read the record."""
    messages = set()
    for look in (
        lambda: records.read(path),
        lambda: [(r.predictions, r.metrics) for r in records.find("uegd", SETTING)],
    ):
        with pytest.raises(UserError) as error:
            look()
        messages.add(str(error.value))
    (message,) = messages
    return message


def without(*keys):
    def change(content):
        for key in keys[:-1]:
            content = content[key]
        del content[keys[-1]]

    return change


def with_value(value, *keys):
    def change(content):
        for key in keys[:-1]:
            content = content[key]
        content[keys[-1]] = value

    return change


@pytest.mark.parametrize("compact", [False, True], ids=["by line", "in one line"])
@pytest.mark.parametrize(
    ("change", "found"),
    [
        (without("predictions", "test"), "no part test at predictions"),
        (without("metrics", "test"), "no part test at metrics"),
        (without("metrics"), "Field required at metrics"),
        (with_value([0.1], "predictions", "test", "prediction"), "'prediction': 1} clips"),
        (with_value(["a"], "predictions", "test", "id"), "{'id': 1, "),
    ],
)
def test_a_record_of_another_kind_is_told_with_its_file(record, change, found, compact):
    path = records.write(record)
    content = json.loads(path.read_bytes())
    change(content)
    lines = (f"{json.dumps(k)}: {json.dumps(v)}" for k, v in content.items())
    path.write_text(json.dumps(content) if compact else "{\n" + ",\n".join(lines) + "\n}\n")
    message = read_all(path)
    assert message.startswith(f"{path}: found ") and found in message


@pytest.mark.parametrize("inputs", [{}, {"smell": 3}])
def test_a_record_of_an_unknown_stream_is_told_with_its_file(record, inputs):
    path = records.write(record)
    content = json.loads(path.read_bytes())
    content["spec"]["inputs"] = inputs
    path.write_text(json.dumps(content))
    assert "at spec.inputs" in read_all(path)


def test_keys_of_another_version_beside_those_of_a_record_are_kept(record):
    path = records.write(record)
    content = json.loads(path.read_bytes()) | {"mood": [1, 2]}
    path.write_text(json.dumps(content))
    assert records.read(path).model_extra["mood"] == [1, 2]


def test_a_record_that_vanishes_between_training_and_reading_is_told(monkeypatch, small_data):
    """As a second process, or a synchronised folder, may do to it."""
    train = study.Study._train

    def train_and_lose(self, specs):
        train(self, specs)
        self.spec(systems[0], 0).path().unlink()

    systems = [system({"acoustic": 1})]
    chosen = study.Study("uegd", dataset="control", seeds=1)
    monkeypatch.setattr(study.Study, "_train", train_and_lose)
    with pytest.raises(UserError, match=r"it cannot be read \(No such file.*same command again"):
        chosen.run(systems)
    monkeypatch.setattr(study.Study, "_train", train)
    assert len(chosen.run(systems)) == 1  # the same again


def test_records_that_vanish_while_they_are_listed_are_told(record, monkeypatch):
    path = records.write(record)
    listed = records.files("uegd", SETTING)
    path.unlink()
    monkeypatch.setattr(records, "files", lambda *_: listed)
    with pytest.raises(UserError, match="run the same command again"):
        records.find("uegd", SETTING)
    assert records.settings("uegd") == []


def test_a_file_that_may_not_be_read_is_told(record):
    path = records.write(record)
    path.unlink()
    path.mkdir()
    with pytest.raises(UserError, match=r"it cannot be read .* or move it away"):
        records.read(path)
    path.rename(path.with_suffix(".moved"))  # the remedy
    assert records.find("uegd", SETTING) == []
