"""Summaries of data: counts by hand, and which one is shown."""

import numpy as np
import pytest

from msalib.base import paths
from msalib.base.errors import UserError
from msalib.data import datasets as readers
from msalib.data import describe
from msalib.runs import records
from tests.factory import write_pack
from tests.fixtures import FIXTURES


@pytest.fixture(autouse=True)
def no_data(monkeypatch):
    monkeypatch.delenv("MSALIB_DATA", raising=False)


@pytest.fixture
def mosi(tmp_path, monkeypatch):
    monkeypatch.setenv("MSALIB_DATA", str(tmp_path / "data"))
    return write_pack(tmp_path / "data" / "mosi")


def test_counts_and_variances_are_those_of_the_table(tiny):
    summary = describe.summarise(tiny, "tiny")
    assert summary.clips == {"train": 20, "valid": 10, "test": 10}
    assert summary.videos == {"train": 5, "valid": 3, "test": 3}
    label = tiny.utterances["label"].to_numpy()[30:]
    video = tiny.utterances["video"].to_numpy()[30:]
    within = np.concatenate([label[video == v] - label[video == v].mean() for v in set(video)])
    assert summary.label_variance["test"] == pytest.approx(label.var())
    assert summary.intra_video_variance["test"] == pytest.approx(within.var())
    assert sum(summary.label_counts["test"]) == 10
    assert summary.fingerprint == tiny.fingerprint()
    assert summary.unlabelled == {"train": 0, "valid": 0, "test": 0}


@pytest.mark.parametrize("name", ["meld", "iemocap", "mustard"])
def test_classes_are_counted_and_scored_by_their_own_measures(name, tmp_path, monkeypatch):
    monkeypatch.setenv("MSALIB_DATA", str(tmp_path / "data"))
    FIXTURES[name](tmp_path / "data" / name)
    corpus, task = readers.load(name), readers.dataset(name).task
    summary = describe.summary(name)
    labels = task.labels(corpus.utterances.iloc[corpus.rows("test", "standard")])
    assert summary.label_counts["test"] == np.bincount(labels, minlength=task.outputs).tolist()
    assert summary.chance["wa"] == max(summary.label_counts["test"]) / len(labels)


def test_dropped_clips_are_counted_in_their_part(mosi):
    summary = describe.summary("mosi")
    assert summary.dropped == {"v9_3": "no label"}
    assert summary.unlabelled == {"train": 0, "valid": 0, "test": 1}
    assert summary.clips["test"] == 11


def test_a_summary_is_recorded_and_read_without_the_data(mosi, monkeypatch):
    made = describe.summary("mosi")
    monkeypatch.delenv("MSALIB_DATA")
    assert describe.summary("mosi") == made


def test_the_summary_of_other_data_is_refused_until_recorded_again(mosi):
    before = describe.summary("mosi")
    write_pack(mosi, table={"text": ["other"] * 40})
    with pytest.raises(UserError, match="found the summary of other data"):
        describe.summary("mosi")
    assert describe.summary("mosi", refresh=True).fingerprint != before.fingerprint
    describe.summary("mosi")


def test_a_shipped_summary_of_other_data_gives_way_to_one_of_yours(mosi):
    before = describe.summary("mosi")
    shipped = paths.SHIPPED / "data" / "mosi.json"
    shipped.parent.mkdir(parents=True)
    own = records.records_folder() / "data" / "mosi.json"
    own.rename(shipped)
    assert describe.summary("mosi") == before and not own.exists()
    write_pack(mosi, table={"text": ["other"] * 40})
    other = describe.summary("mosi")
    assert other.fingerprint != before.fingerprint
    assert own.is_file() and describe.summary("mosi") == other


def test_a_damaged_summary_is_told(mosi):
    describe.summary("mosi")
    path = records.records_folder() / "data" / "mosi.json"
    path.write_text(path.read_text()[:50])
    with pytest.raises(UserError, match=r"mosi\.json: found no readable summary .* --record"):
        describe.summary("mosi")


def test_the_control_is_summarised_on_the_spot():
    summary = describe.summary("control")
    assert summary.title == readers.dataset("control").title
    assert not records.records_folder().exists()


def test_data_sets_of_one_folder_have_a_summary_each(mosi):
    plain, leaky = describe.summary("mosi"), describe.summary("mosi-leaky")
    assert set(plain.features) == {"acoustic"} and len(leaky.features) == 3
    assert plain.clips == leaky.clips and leaky.dataset == "mosi"  # whose counts are printed
    assert describe.summary("mosi-leaky") == leaky
    names = {path.name for path in (records.records_folder() / "data").glob("mosi*.json")}
    assert {"mosi.json", "mosi-leaky.json"} <= names


def test_a_dropped_clip_of_an_endless_name_takes_one_line():
    line = describe._reasons({"v" * 10_000: "no label"})
    assert line == f"{'v' * 100}... (no label)"
