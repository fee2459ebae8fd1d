"""MUStARD: five folds, a validation part by rule, and what is refused."""

import json
import pickle

import numpy as np
import pytest

from msalib.data.corpus import PARTS
from msalib.data.readers import mustard
from msalib.data.readers.formats import Options
from tests import fixtures_more
from tests.data.readers.toolbox import DATA, message, needs


def read(folder):
    return mustard.read(folder, "toy", Options())


@pytest.fixture
def folder(tmp_path):
    return fixtures_more.mustard(tmp_path / "toy")


def test_sarcasm_is_the_label_and_is_said(folder):
    assert mustard.detects(folder) and not mustard.detects(folder.parent)
    corpus = read(folder)
    table = corpus.utterances
    assert len(corpus) == 40 and sorted(set(table["label"])) == [-1.0, 1.0]
    assert table.loc["2_70", "label"] == 1 and table.loc["1_60", "label"] == -1
    assert table.loc["2_70", "context"].count("\n") == 1
    assert table.loc["2_70", "context_speakers"] == "PENNY\nROSS"
    assert (table.loc["2_70", "speaker"], table.loc["2_70", "show"]) == ("CHANDLER", "FRIENDS")
    assert corpus.notes[0] == "label is sarcasm (1) or none (-1), not sentiment"


def test_folds_test_every_clip_once_and_validate_by_id(folder):
    corpus = read(folder)
    assert list(corpus.splits) == ["standard", *(f"fold{k}" for k in range(1, 6))]
    assert corpus.splits["standard"].equals(corpus.splits["fold1"])
    tested = [i for k in range(1, 6) for i in corpus.rows("test", f"fold{k}")]
    assert sorted(tested) == list(range(40))
    stored = json.loads((folder / mustard.FOLDS).read_text())
    for k, (_, test) in enumerate(stored, 1):
        assert corpus.rows("test", f"fold{k}").tolist() == test
        assert [len(corpus.rows(p, f"fold{k}")) for p in PARTS] == [28, 4, 8]
    # a clip validates whenever it is not tested and few have a smaller hash: no chance, no order
    again = read(folder)
    assert all(again.splits[s].equals(corpus.splits[s]) for s in corpus.splits)


def test_the_authors_pickle_of_folds_is_read_too(folder):
    folds = [
        tuple(map(np.array, fold)) for fold in json.loads((folder / mustard.FOLDS).read_text())
    ]
    one = read(folder).fingerprint()
    (folder / mustard.FOLDS).unlink()
    (folder / mustard.PICKLED).write_bytes(pickle.dumps(folds, protocol=2))
    assert read(folder).fingerprint() == one


def test_folds_are_needed(folder):
    (folder / mustard.FOLDS).unlink()
    text = message(read, folder)
    assert text.startswith(f"{folder / mustard.FOLDS}: found no such file; expected sarcasm_data")


@pytest.mark.parametrize("file", [mustard.DATA, mustard.FOLDS])
@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000])
def test_damaged_json_is_told(folder, file, content):
    (folder / file).write_bytes(content)
    assert message(read, folder).startswith(f"{folder / file}: found no JSON (")


@needs("mustard")
def test_mustard_is_what_its_source_counts():
    corpus = read(DATA / "mustard")
    assert len(corpus) == 690 and corpus.utterances["label"].sum() == 0
    for k in range(1, 6):
        assert [len(corpus.rows(p, f"fold{k}")) for p in PARTS] == [483, 69, 138]
    shows = corpus.utterances["show"].value_counts().to_dict()
    assert shows == {"FRIENDS": 356, "BBT": 280, "GOLDENGIRLS": 40, "SARCASMOHOLICS": 14}
