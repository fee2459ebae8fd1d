"""MUStARD: five folds, a validation part by rule, and what is refused."""

import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from msalib.base.errors import UserError
from msalib.data.corpus import PARTS
from msalib.data.readers import mustard
from msalib.data.readers.formats import Options
from tests import fixtures_more

MUSTARD = Path(os.environ.get("MSALIB_DATA") or "not set") / "mustard"
needs_mustard = pytest.mark.skipif(not MUSTARD.is_dir(), reason="no mustard in MSALIB_DATA")


@pytest.fixture
def folder(tmp_path):
    return fixtures_more.mustard(tmp_path / "toy")


def message(folder):
    with pytest.raises(UserError) as error:
        mustard.read(folder, "toy", Options())
    text = str(error.value)
    assert "\n" not in text and "; expected " in text
    return text


def change(folder, edit, file=mustard.DATA):
    path = folder / file
    content = json.loads(path.read_text())
    edited = edit(content)  # in place, or what is to stand instead
    path.write_text(json.dumps(edited if isinstance(edited, list | dict) else content))
    return path


def test_sarcasm_is_the_label_and_is_said(folder):
    assert mustard.detects(folder) and not mustard.detects(folder.parent)
    corpus = mustard.read(folder, "toy", Options())
    table = corpus.utterances
    assert len(corpus) == 40 and sorted(set(table["label"])) == [-1.0, 1.0]
    assert table.loc["2_70", "label"] == 1 and table.loc["1_60", "label"] == -1
    assert table.loc["2_70", "context"].count("\n") == 1
    assert table.loc["2_70", "context_speakers"] == "PENNY\nROSS"
    assert (table.loc["2_70", "speaker"], table.loc["2_70", "show"]) == ("CHANDLER", "FRIENDS")
    assert corpus.notes[0] == "label is sarcasm (1) or none (-1), not sentiment"


def test_folds_test_every_clip_once_and_validate_by_id(folder):
    corpus = mustard.read(folder, "toy", Options())
    assert list(corpus.splits) == ["standard", *(f"fold{k}" for k in range(1, 6))]
    assert corpus.splits["standard"].equals(corpus.splits["fold1"])
    tested = [i for k in range(1, 6) for i in corpus.rows("test", f"fold{k}")]
    assert sorted(tested) == list(range(40))
    stored = json.loads((folder / mustard.FOLDS).read_text())
    for k, (_, test) in enumerate(stored, 1):
        assert corpus.rows("test", f"fold{k}").tolist() == test
        assert [len(corpus.rows(p, f"fold{k}")) for p in PARTS] == [28, 4, 8]
    # a clip validates whenever it is not tested and few have a smaller hash: no chance, no order
    again = mustard.read(folder, "toy", Options())
    assert all(again.splits[s].equals(corpus.splits[s]) for s in corpus.splits)


def test_the_authors_pickle_of_folds_is_read_too(folder):
    folds = [
        tuple(map(np.array, fold)) for fold in json.loads((folder / mustard.FOLDS).read_text())
    ]
    one = mustard.read(folder, "toy", Options()).fingerprint()
    (folder / mustard.FOLDS).unlink()
    (folder / mustard.PICKLED).write_bytes(pickle.dumps(folds, protocol=2))
    assert mustard.read(folder, "toy", Options()).fingerprint() == one


def test_folds_are_needed(folder):
    (folder / mustard.FOLDS).unlink()
    text = message(folder)
    assert text.startswith(f"{folder / mustard.FOLDS}: found no such file; expected sarcasm_data")


def set_field(field, value):
    return lambda clips: clips["2_70"].update({field: value})


@pytest.mark.parametrize(
    ("edit", "found"),
    [
        (lambda clips: [], "no clips by id; expected per id utterance, speaker, context"),
        (lambda clips: {"a": 3}, "int for clip 'a'; expected"),
        (set_field("utterance", 3), "utterance of clip '2_70' is 3; expected"),
        (set_field("speaker", None), "speaker of clip '2_70' is None; expected"),
        (set_field("context", "x"), "context of clip '2_70' is 'x'; expected"),
        (set_field("context", [1]), "context of clip '2_70' has what is no text; expected"),
        (set_field("sarcasm", 1), "sarcasm of clip '2_70' is 1; expected"),
        (set_field("sarcasm", "yes"), "sarcasm of clip '2_70' is 'yes'; expected"),
        (set_field("show", 3), "show of clip '2_70' is 3; expected"),
        (set_field("context", ["x"]), "1 lines of context and 2 speakers of them for clip '2_70'"),
        (set_field("utterance", "\ud800"), "no JSON ('utf-8' codec can't encode"),
    ],
)
def test_bad_clips_are_told(folder, edit, found):
    path = change(folder, edit)
    assert message(folder).startswith(f"{path}: found {found}")


def test_an_id_twice_is_told(folder):
    path = folder / mustard.DATA
    path.write_text(path.read_text().replace('"2_70"', '"1_60"'))
    assert message(folder).startswith(f"{path}: found two entries named '1_60'; expected every")


@pytest.mark.parametrize(
    ("edit", "found"),
    [
        (lambda folds: folds[:4], "no list of five folds; expected five folds"),
        (lambda folds: {"a": 1}, "no list of five folds"),
        (lambda folds: [3, *folds[1:]], "fold 1 that is no pair"),
        (lambda folds: folds[1][0].append("x"), "fold 2 with what is no list of places"),
        (lambda folds: folds[1][0].append(True), "fold 2 with what is no list of places"),
        (lambda folds: folds[2][1].pop(), "fold 3 of 32 training and 7 test clips; expected every"),
        (lambda folds: folds[2][1].append(40), "fold 3 of 32 training and 9 test clips"),
        (lambda folds: folds[4][0].append(folds[4][1][0]), "fold 5 of 33 training and 8 test"),
    ],
)
def test_bad_folds_are_told(folder, edit, found):
    path = change(folder, edit, mustard.FOLDS)
    assert message(folder).startswith(f"{path}: found {found}")


@pytest.mark.parametrize("file", [mustard.DATA, mustard.FOLDS])
@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000])
def test_damaged_json_is_told(folder, file, content):
    (folder / file).write_bytes(content)
    assert message(folder).startswith(f"{folder / file}: found no JSON (")


@needs_mustard
def test_mustard_is_what_its_source_counts():
    corpus = mustard.read(MUSTARD, "mustard", Options())
    assert len(corpus) == 690 and corpus.utterances["label"].sum() == 0
    for k in range(1, 6):
        assert [len(corpus.rows(p, f"fold{k}")) for p in PARTS] == [483, 69, 138]
    shows = corpus.utterances["show"].value_counts().to_dict()
    assert shows == {"FRIENDS": 356, "BBT": 280, "GOLDENGIRLS": 40, "SARCASMOHOLICS": 14}
