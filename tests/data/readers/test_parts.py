"""A source that lacks a part, or has a part without clips: added, listed, audited, not trained."""

import numpy as np
import pandas as pd
import pytest

from msalib.base.errors import UserError
from msalib.data import datasets as readers
from msalib.data import folds
from msalib.data.corpus import PARTS
from msalib.data.readers import store
from msalib.runs.inputs import BASELINES, Inputs
from tests import fixtures, fixtures_more
from tests.data.readers.toolbox import message


def pickled(content, folder, parts, empty):
    """A pickle with clips of these parts alone; the others have none, or are not there."""
    key = {"train": "train", "valid": "valid" if "valid" in content else "dev", "test": "test"}
    for part in set(PARTS) - set(parts):
        own = content.pop(key[part])
        if empty:
            shorter = {name: values[:0] for name, values in own.items()} if own else own
            content[key[part]] = shorter
    return fixtures.write_pickle(folder / "file.pkl", content)


def mag(folder, parts, empty):
    content = fixtures.mag_content()
    for part in set(PARTS) - set(parts):
        content[{"valid": "dev"}.get(part, part)] = []
    return fixtures.write_pickle(folder / "file.pkl", content)


def csd(folder, parts, empty):
    folder = fixtures_more.csd(folder)
    lines = [f"vid{v:02d},{parts[v % len(parts)]}" for v in range(12)]
    (folder / "splits.csv").write_text("\n".join(["video,part", *lines]) + "\n")
    return folder


def media(folder, parts, empty):
    folder = fixtures_more.media(folder)
    table = pd.read_csv(folder / "label.csv", dtype=str)
    table["mode"] = [parts[i % len(parts)] for i in range(len(table))]
    table.to_csv(folder / "label.csv", index=False)
    return folder


def meld(folder, parts, empty):
    folder = fixtures_more.meld(folder)
    for part in set(PARTS) - set(parts):
        file = folder / f"{'dev' if part == 'valid' else part}_sent_emo.csv"
        if empty:
            file.write_text(file.read_text(encoding="utf-8").splitlines()[0], encoding="utf-8")
        else:
            file.unlink()
    return folder


def iemocap(folder, parts, empty):
    folder = fixtures_more.iemocap(folder)
    table = pd.read_csv(folder / "utterances.csv", dtype=str)
    kept = {"train": "234", "valid": "1", "test": "5"}
    table = table[table["session"].isin([s for part in parts for s in kept[part]])]
    table.to_csv(folder / "utterances.csv", index=False)
    return folder


def frames(folder, parts, empty):
    folder = fixtures_more.mmmo(folder)
    with np.load(folder / "features.npz") as stored:
        arrays = dict(stored)
    for name in list(arrays):
        if name.rpartition("_")[2] not in parts:
            if empty:
                arrays[name] = arrays[name][:0]
            else:
                del arrays[name]
    np.savez(folder / "features.npz", **arrays)
    return folder


WRITERS = {
    "mmsa": lambda *given: pickled(fixtures.mmsa_content(), *given),
    "multibench": lambda *given: pickled(fixtures.multibench_content(), *given),
    "mag": mag,
    "csd": csd,
    "media": media,
    "meld": meld,
    "iemocap": iemocap,
    "frames": frames,
}


@pytest.mark.parametrize("empty", [False, True], ids=["missing", "empty"])
@pytest.mark.parametrize("lacking", PARTS)
@pytest.mark.parametrize("name", WRITERS)
def test_a_part_may_be_missing(msalib, refused, monkeypatch, tmp_path, name, lacking, empty):
    monkeypatch.setattr(readers, "DATASETS", {})
    parts = [part for part in PARTS if part != lacking]
    source = tmp_path / "source"
    source.mkdir()
    status, out, error = msalib("data", "add", WRITERS[name](source, parts, empty), "--name", "few")
    assert (status, error) == (0, "")
    assert f"  {lacking}: 0 clips in 0 videos\n" in out and f"\n  no {lacking} clips (" in out
    assert "no model can be trained; encode and audit work. " in out
    corpus = store.read("few")
    assert set(corpus.splits["standard"]) == set(parts)
    status, out, error = msalib("data")
    assert (status, error) == (0, "") and f"no {lacking} clips (" in out
    status, out, error = msalib("data", "audit", "few")
    assert (status, error) == (0, "")
    assert f"error | integrity | parts | standard | No clip is in the {lacking} part" in out
    told = f"split standard of few: found no {lacking} clips ("
    assert told in refused("run", "uegd/table3", "-p", "dataset", "few")
    if name not in ("meld", "iemocap"):  # classes have no prediction intervals
        assert told in refused("train", "few", "--out", tmp_path / "model")
        assert not (tmp_path / "model").exists()


def test_folds_of_too_few_clips_have_none_to_validate(msalib, monkeypatch, tmp_path):
    """MUStARD's folds have a test part each; one training clip in eight validates."""
    monkeypatch.setattr(readers, "DATASETS", {})
    path = fixtures_more.mustard(tmp_path / "source", clips=5)
    status, out, error = msalib("data", "add", path, "--name", "few")
    assert (status, error) == (0, "") and "no valid clips (train 4, valid 0, test 1)" in out


@pytest.mark.parametrize("name", ["ravdess", "nemo"])
def test_speech_of_one_actor_is_refused_before_anything_is_written(refused, tmp_path, name):
    """Their only split is a fold by actor."""
    path = fixtures.FIXTURES[name](tmp_path / "source")
    for file in path.glob("*.wav"):
        if not ("-01.wav" in file.name or file.name.startswith("EB0")):
            file.unlink()
    if name == "nemo":
        lines = (path / "clips.tsv").read_text(encoding="utf-8").splitlines()
        kept = [line for line in lines if line.startswith(("file_id", "EB0"))]
        (path / "clips.tsv").write_text("\n".join(kept) + "\n", encoding="utf-8")
    text = refused("data", "add", path, "--name", "few")
    assert "folds of few: found 1 " in text and "or more data" in text
    assert store.names() == []


def test_one_clip_is_a_data_set(msalib, monkeypatch, tmp_path):
    monkeypatch.setattr(readers, "DATASETS", {})
    (tmp_path / "label.csv").write_text("video_id,clip_id,text,label,mode\nv,1,well,0.5,train\n")
    status, out, error = msalib("data", "add", tmp_path / "label.csv", "--name", "one")
    assert (status, error) == (0, "") and "no valid and no test clips (train 1, " in out
    assert msalib("data")[0] == msalib("data", "audit", "one")[0] == 0
    Inputs(BASELINES, dataset="one").check()  # encoding needs no parts


def test_the_remedies_work(msalib, refused, monkeypatch, tmp_path):
    """Folds by video where there are videos enough, else parts for some clips."""
    monkeypatch.setattr(readers, "DATASETS", {})
    path = csd(tmp_path / "source", ["train", "valid"], False)
    assert msalib("data", "add", path, "--name", "few")[0] == 0
    told = refused("run", "uegd/table3", "-p", "dataset", "few")
    assert "Choose folds by video, -p split video1of5, or give some clips that part" in told
    folds.check_whole(store.read("few"), "video1of5")
    csd(tmp_path / "again", list(PARTS), False)
    (path / "splits.csv").write_text((tmp_path / "again/splits.csv").read_text())
    assert msalib("data", "add", path, "--name", "few", "--refresh")[0] == 0
    folds.check_whole(store.read("few"), "standard")


def test_a_set_that_ends_in_any_error_is_a_line(msalib, monkeypatch, tmp_path):
    monkeypatch.setattr(readers, "DATASETS", {})
    path = fixtures.mag(tmp_path)
    for name in ("first", "middle", "last"):
        assert msalib("data", "add", path, "--name", name)[0] == 0
    load = readers.load

    def fail(name):
        return load(name) if name != "middle" else 1 / 0

    monkeypatch.setattr(readers, "load", fail)
    status, out, _ = msalib("data")
    assert status == 0 and "\nmiddle: MAG" not in out
    assert "first: MAG" in out and "\nlast: MAG" not in out.split("first: MAG")[0]
    assert "middle: a mistake in msalib itself, and none in what you gave: ZeroDivisionError" in out


def test_whole_splits_are_no_fault(tiny):
    folds.check_whole(tiny, "standard")
    with pytest.raises(UserError, match="no such split"):
        folds.check_whole(tiny, "none")
    assert message(folds.check_whole, tiny, "none")
