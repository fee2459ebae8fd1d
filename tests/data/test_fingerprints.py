"""Fingerprints cover what was read; those of committed records stay as they are."""

import json
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from msalib.base import paths
from msalib.data import datasets as readers
from msalib.data.readers import digests, formats, store
from tests import fixtures, fixtures_more
from tests.fixtures import mag_content, mmsa_content, write_pickle

ALIKE = [
    {"raw", "raw-spoken"},
    {"mosi", "mosi-standardised", "mosi-leaky", "mosi-leaky-unseen"},
    {"meld-dev", "meld-dev-mel"},
]
"""Built-in data with the same clips and records from before there were digests: these are told
apart by the features in their records."""


def added(path, name):
    readers.add(path, name, formats.Options())
    return store.read(name)


def test_built_in_data_with_other_features_have_other_fingerprints():
    known = {
        name: readers.load(name).fingerprint()
        for name in readers.DATASETS
        if readers.is_available(name)
    }
    assert {"raw", "raw-noise", "raw-speaker", "raw-sarcasm"} <= set(known)
    for one, other in combinations(known, 2):
        together = any({one, other} <= alike for alike in ALIKE)
        assert (known[one] == known[other]) == together, (one, other)


def test_every_committed_record_has_the_fingerprint_of_its_data():
    recorded = {}
    for path in (paths.BOOK / "records").rglob("*-seed*.json"):
        record = json.loads(path.read_text(encoding="utf-8"))
        if "spec" in record:
            recorded.setdefault(record["spec"]["dataset"], set()).add(record["provenance"]["data"])
    assert {"raw", "raw-spoken", "control"} <= set(recorded)
    for name, fingerprints in recorded.items():
        if readers.is_available(name):
            assert fingerprints == {readers.load(name).fingerprint()}


def test_media_and_their_content_count(tmp_path):
    folder = fixtures_more.media(tmp_path / "toy")
    whole, texts = added(folder, "whole"), added(folder / "label.csv", "texts")
    sound = next(folder.rglob("*.wav"))
    content = sound.read_bytes()
    sound.write_bytes(content[:-2] + b"xy")
    other = added(folder, "other")
    sound.write_bytes(content)
    for picture in folder.rglob("*.png"):
        picture.unlink()
    heard = added(folder, "heard")
    assert len({corpus.fingerprint() for corpus in (whole, texts, other, heard)}) == 4
    assert set(whole.digests) == {"visual files", "acoustic files"}
    assert whole.digests["visual files"] == other.digests["visual files"]
    assert heard.digests["acoustic files"] == whole.digests["acoustic files"]


def test_where_media_are_does_not_count(tmp_path):
    folder = fixtures_more.media(tmp_path / "toy")
    one = added(folder, "one")
    folder.rename(tmp_path / "moved")
    assert added(tmp_path / "moved", "other").fingerprint() == one.fingerprint()


def test_features_and_where_clips_begin_count(tmp_path):
    content = mmsa_content()
    one = added(write_pickle(tmp_path / "a.pkl", content), "one")
    again = added(write_pickle(tmp_path / "a.pkl", content), "again")
    content["test"]["vision"] = content["test"]["vision"] * np.float32(2)
    scaled = added(write_pickle(tmp_path / "b.pkl", content), "scaled")
    assert one.fingerprint() == again.fingerprint() != scaled.fingerprint()
    values = one.features["visual"]
    shorter = values.offsets.copy()
    shorter[1] -= 1
    cut = one.with_features("visual", replace(values, offsets=shorter))
    assert digests.of(cut)["visual features"] != one.digests["visual features"]


@pytest.mark.parametrize("name", ["iemocap", "meld"])
def test_labels_in_further_columns_count(tmp_path, name):
    """Two emotions of one polarity are one label and two classes."""
    folder = fixtures.FIXTURES[name](tmp_path / "toy")
    one = added(folder, "one")
    if name == "iemocap":
        file, old, new = folder / "utterances.csv", ".,3", ".,1"  # angry, sad
    else:
        file, old, new = folder / "train_sent_emo.csv", "anger", "disgust"
    file.write_text(file.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    other = added(folder, "other")
    assert one.utterances["label"].equals(other.utterances["label"])
    assert one.fingerprint() != other.fingerprint()


def test_a_store_that_is_older_keeps_its_fingerprint(tmp_path):
    corpus = added(write_pickle(tmp_path / "a.pkl", mag_content()), "old")
    file = paths.corpora_folder() / "old" / "about.json"
    about = json.loads(file.read_text())
    del about["digests"]
    about["fingerprint"] = replace(corpus, digests={}).fingerprint()
    file.write_text(json.dumps(about))
    assert store.read("old").fingerprint() == about["fingerprint"] != corpus.fingerprint()
