"""The doctor says what is here and what is wrong, and refuses nothing."""

import re
from dataclasses import replace

import pytest

from msalib.base import paths
from msalib.data import datasets
from msalib.evidence import registry
from msalib.pages import doctor


@pytest.fixture(autouse=True)
def few(small_data, monkeypatch, tmp_path):
    """Real data that are missing, and one control."""
    some = {n: d for n, d in datasets.DATASETS.items() if d.real or n == "control"}
    monkeypatch.setattr(datasets, "DATASETS", some)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def test_every_folder_that_is_asked_for_is_one_that_a_reader_opens():
    """Several names share a folder: there is no mmmo-stretched/."""
    asked = dict(re.findall(r"  (\S+): missing; .* that holds (\S+)/", "\n".join(doctor.report())))
    assert asked == {n: datasets.folder(n) for n, d in datasets.DATASETS.items() if d.real}
    assert asked["mmmo-stretched"] == "mmmo" and asked["mosi-leaky-unseen"] == "mosi"


def test_the_remedy_for_a_missing_folder_works(monkeypatch, tmp_path):
    (tmp_path / "data" / "mosi").mkdir(parents=True)
    monkeypatch.setenv("MSALIB_DATA", str(tmp_path / "data"))
    lines = list(doctor.report())
    assert not any("mosi-leaky: missing" in line for line in lines)
    assert any(line.startswith("  mosei: missing") for line in lines)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (KeyError("label"), "  control: a mistake in msalib itself"),
        (MemoryError(), "  control: control: found too little memory"),
    ],
)
def test_a_set_that_cannot_be_read_is_a_line_and_the_others_follow(monkeypatch, error, told):
    def read():
        raise error

    damaged = replace(datasets.DATASETS["control"], read=read)
    monkeypatch.setattr(datasets, "DATASETS", {"control": damaged})
    lines = list(doctor.report())
    assert any(line.startswith(told) for line in lines)
    assert {"encoders", "records"} <= set(lines)


def test_records_that_are_none_are_a_line(monkeypatch):
    monkeypatch.setattr(registry, "known", lambda: ["uegd", "sugrm"])
    damaged = paths.records_folder() / "uegd" / "mosi-minilm" / "release" / "paper" / "a.json"
    damaged.parent.mkdir(parents=True)
    damaged.write_text("{}")
    lines = list(doctor.report())
    (line,) = [line for line in lines if line.startswith("  uegd: ")]
    assert str(damaged) in line and "expected a record of one run" in line
