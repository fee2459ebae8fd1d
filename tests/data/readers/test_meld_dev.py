"""MELD's dev part with vectors: what is read, in which order, and what is refused."""

import hashlib

import numpy as np
import pytest

from msalib.data import datasets, folds
from msalib.data.corpus import PARTS
from msalib.data.readers import meld, meld_dev
from tests import fixtures_more
from tests.data.readers.toolbox import DATA, check, message, needs, replace


@pytest.fixture
def folder(tmp_path):
    return fixtures_more.meld_dev(tmp_path / "meld_dev")


def stored(folder) -> dict[str, np.ndarray]:
    with np.load(folder / meld_dev.ARRAYS) as archive:
        return dict(archive)


def test_utterances_are_read_in_the_order_of_their_dialogues(folder):
    corpus = meld_dev.read(folder)
    table = corpus.utterances
    assert (len(corpus), table["video"].nunique()) == (48, 12)
    assert list(table.index[:5]) == [*(f"dia0_utt{k}" for k in (0, 1, 2, 4)), "dia1_utt0"]
    first = table.iloc[0]
    assert (first["label"], first["sentiment"], first["emotion"]) == (-1, "negative", "sadness")
    assert (first["speaker"], first["segment"], first["dialogue"]) == ("Phoebe", 0, 0)
    assert first["video"] == "dia0"


def test_vectors_are_one_frame_a_clip_as_stored(folder):
    corpus, arrays = meld_dev.read(folder), stored(folder)
    assert set(corpus.features) == {"acoustic", "linguistic"}
    for modality, name in (("linguistic", meld_dev.TEXT), ("acoustic", meld_dev.SPEECH)):
        features = corpus.features[modality]
        assert features.source == name and list(features.layers) == [1]
        assert features.layers[1].dtype == np.float16
        np.testing.assert_array_equal(features.layers[1], arrays[name])
        assert set(features.lengths()) == {1}
        digest = hashlib.sha256(arrays[name].tobytes()).hexdigest()
        assert features.provenance["values"] == digest
        assert "fine-tuned on MELD" in features.provenance["note"]
    assert any("fine-tuned on MELD" in note for note in corpus.notes)


def test_mel_vectors_are_standardised_over_all_clips(folder):
    corpus = meld_dev.read(folder, meld_dev.MEL)
    features, values = corpus.features["acoustic"], stored(folder)[meld_dev.MEL].astype(float)
    expected = (values - values.mean(0)) / values.std(0)
    np.testing.assert_allclose(features.layers[1], expected, rtol=1e-5, atol=1e-6)
    assert features.provenance["standardised"] == "all clips"
    assert any("standardised over all clips, without labels" in note for note in corpus.notes)
    assert corpus.features["linguistic"].layers[1].dtype == np.float16
    assert corpus.fingerprint() == meld_dev.read(folder).fingerprint()


def test_the_usual_split_is_the_first_fold_by_dialogue(folder):
    corpus = meld_dev.read(folder)
    assert list(corpus.splits) == [meld_dev.SPLIT]
    names = folds.folds(corpus, "video")
    assert names[0] == meld_dev.SPLIT == datasets.dataset("meld-dev").split
    tested = np.concatenate([corpus.rows("test", name) for name in names])
    assert sorted(tested) == list(range(len(corpus)))


def test_its_folder_is_not_that_of_meld(tmp_path, monkeypatch):
    monkeypatch.setenv("MSALIB_DATA", str(tmp_path))
    for name in ("meld-dev", "meld-dev-mel"):
        assert datasets.folder(name) == "meld_dev"
    assert datasets.folder("meld") == "meld" and datasets.folder("mosi-leaky-unseen") == "mosi"
    fixtures_more.meld(tmp_path / "meld")
    assert not datasets.is_available("meld-dev")
    fixtures_more.meld_dev(tmp_path / "meld_dev")
    assert datasets.is_available("meld-dev") and datasets.is_available("meld-dev-mel")
    assert datasets.load("meld-dev-mel").features["acoustic"].source == meld_dev.MEL


# --- refusals -----------------------------------------------------------------------------------


def put(**changes):
    """Exchange arrays by what a function makes of them; None takes one away."""

    def damage(folder):
        arrays = stored(folder)
        for name, change in changes.items():
            value = arrays.pop(name)
            if change is not None:
                arrays[name] = change(value)
        np.savez(folder / meld_dev.ARRAYS, **arrays)

    return damage


def put_value(value):
    def change(array):
        array[3, 2] = value
        return array

    return change


def line(old, new):
    return lambda folder: replace(folder / meld_dev.TABLE, old, new)


def cut(folder):
    path = folder / meld_dev.ARRAYS
    path.write_bytes(path.read_bytes()[:500])


TEXT = meld_dev.TEXT
DAMAGED_ARRAYS = [
    (lambda f: (f / meld_dev.ARRAYS).unlink(), "no such file ... arrays ids, text_roberta_base"),
    (cut, "not a readable feature file ... a complete .npz"),
    (put(**{TEXT: None}), "text_roberta_base ... with ids, text_roberta_base, audio_wav"),
    (put(ids=None), "ids ... a complete .npz"),
    (put(ids=lambda a: a[::-1]), "id dia11_utt4 in row 1 ... dia0_utt0, as in meld_dev.csv"),
    (put(ids=lambda a: a[1:]), "47 ids ... 48, as"),
    (put(ids=lambda a: np.array([*a[:-1], a[0]])), "id dia0_utt0 in row 48 ... dia11_utt4"),
    (put(**{TEXT: lambda a: a[1:]}), "text_roberta_base of shape (47, 6) ... each of 48 ids"),
    (put(**{TEXT: lambda a: a[:, 0]}), "text_roberta_base of shape (48,) ... one vector"),
    (put(**{TEXT: lambda a: a.astype(str)}), "text_roberta_base of type <U ... numbers"),
    (
        put(**{TEXT: put_value(np.nan)}),
        "1 values of text_roberta_base that are NaN ... dia0_utt4, feature 2 ... finite",
    ),
    (put(**{TEXT: put_value(np.inf)}), "1 values of text_roberta_base that ... finite numbers"),
]
DAMAGED_TABLES = [
    (lambda f: (f / meld_dev.TABLE).unlink(), "No such file or directory ... id, dialogue"),
    (line(",sentiment", ",mood"), "no column sentiment ... the columns id"),
    (line("dia0_utt1,", "dia0_utt0,"), "id dia0_utt0 twice ... once"),
    (line("dia0_utt1,", ","), "id '' in row 2 ... an id"),
    (line(",negative", ",mixed"), "sentiment 'mixed' in row 1 ... negative | neutral"),
    (line(",sadness", ",bliss"), "emotion 'bliss' in row 1 ... neutral | joy"),
    (line("dia0_utt1,0,1", "dia0_utt1,zero,1"), "dialogue 'zero' in row 2 ... a number"),
    (line("dia0_utt1,0,1", "dia0_utt1,0,-1"), "turn '-1' in row 2 ... a number"),
]


@pytest.mark.parametrize(
    ("file", "damage", "parts"),
    [(meld_dev.ARRAYS, *row) for row in DAMAGED_ARRAYS]
    + [(meld_dev.TABLE, *row) for row in DAMAGED_TABLES],
)
def test_a_damaged_file_is_told(folder, file, damage, parts):
    damage(folder)
    check(message(meld_dev.read, folder), folder / file, parts)


def test_a_table_without_utterances_is_told(folder):
    path = folder / meld_dev.TABLE
    path.write_text(path.read_text().splitlines()[0] + "\n")
    check(message(meld_dev.read, folder), path, "no utterances ... a line")


def test_only_arrays_that_are_asked_for_are_checked(folder):
    put(audio_mel=put_value(np.nan))(folder)
    meld_dev.read(folder)
    assert "values of audio_mel that are NaN" in message(meld_dev.read, folder, meld_dev.MEL)


# --- the data -----------------------------------------------------------------------------------


@needs("meld_dev")
def test_meld_dev_is_the_dev_part_of_meld_but_one():
    corpus = meld_dev.read(DATA / "meld_dev")
    table = corpus.utterances
    assert (len(table), table["video"].nunique()) == (1108, 114)
    assert table["label"].value_counts().to_dict() == {0.0: 469, -1.0: 406, 1.0: 233}
    assert table["emotion"].value_counts().to_dict() == {
        **{"neutral": 469, "joy": 163, "anger": 153, "surprise": 150},
        **{"sadness": 111, "fear": 40, "disgust": 22},
    }
    assert [len(corpus.rows(part, meld_dev.SPLIT)) for part in PARTS] == [780, 110, 218]
    assert {m: f.layers[1].shape[1] for m, f in corpus.features.items()} == {
        "acoustic": 768,
        "linguistic": 768,
    }
    mel = meld_dev.read(DATA / "meld_dev", meld_dev.MEL).features["acoustic"]
    assert mel.layers[1].shape == (1108, 300)
    assert mel.provenance["values"].startswith("cd75190e1d34")  # the same on every machine


@needs("meld_dev")
@needs("meld")
def test_meld_dev_agrees_with_meld():
    ours = meld_dev.read(DATA / "meld_dev").utterances
    theirs = meld.read(DATA / "meld", "meld", datasets.Options()).utterances
    theirs = theirs[theirs.index.str.startswith("valid_")]
    theirs.index = theirs.index.str.removeprefix("valid_")
    assert set(theirs.index) - set(ours.index) == {"dia110_utt7"}
    columns = ["text", "label", "emotion", "speaker", "segment"]
    assert theirs.loc[ours.index, columns].equals(ours[columns])
