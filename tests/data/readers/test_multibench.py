"""MultiBench and MulT pickles: padding in front, texts of zeros, and each fault with a message."""

import numpy as np
import pytest

from msalib.data.readers import multibench
from msalib.data.tasks import Classes
from tests.data.readers.toolbox import message, read_pickle
from tests.fixtures import multibench_content


def test_padding_in_front_is_cut_where_the_text_begins(path):
    content = multibench_content()
    corpus = read_pickle(path, content)
    text = content["valid"]["text"]
    counts = [int(row.any(axis=1).sum()) for row in text]
    rows = corpus.rows("valid", "standard")
    for modality, key in multibench.ARRAYS.items():
        features = corpus.features[modality]
        assert features.lengths()[rows].tolist() == counts
        clip = features.layers[1][features.offsets[rows[2]] : features.offsets[rows[2] + 1]]
        np.testing.assert_array_equal(clip, content["valid"][key][2, -counts[2] :])
    assert (
        "all arrays have the same number of rows: aligned to words, cut as the text" in corpus.notes
    )
    assert "audio: clips with rows of zeros in front, removed: 41" in corpus.notes
    assert "the file has no transcripts" in corpus.notes
    assert set(corpus.utterances["text"]) == {""}


def test_a_row_of_zeros_within_words_stays(path):
    """A word that GloVe does not know, a face that was not found."""
    content = multibench_content()
    plain = read_pickle(path, content).features["visual"].lengths()
    content["train"]["vision"][0, -1] = 0
    content["train"]["text"][0, -1] = 0
    content["train"]["vision"][2, -plain[1] :] = 0
    features = read_pickle(path, content).features["visual"]
    assert features.lengths().tolist() == plain.tolist()


def test_arrays_that_are_not_aligned_are_cut_each_by_its_own_rows(path):
    content = multibench_content(aligned=False)
    corpus = read_pickle(path, content)
    for modality, key in multibench.ARRAYS.items():
        own = [int(row.any(axis=1).sum()) for row in content["test"][key]]
        assert corpus.features[modality].lengths()[-9:].tolist() == own
    assert not any("aligned" in note for note in corpus.notes)


def test_the_side_of_padding_is_asked(path):
    content = multibench_content()
    for part in content.values():
        for key in multibench.ARRAYS.values():
            part[key] = part[key][:, ::-1]
    corpus = read_pickle(path, content)
    assert "audio: clips with rows of zeros at the end, removed: 41" in corpus.notes
    counts = [int(row.any(axis=1).sum()) for row in content["test"]["text"]]
    assert corpus.features["acoustic"].lengths()[-9:].tolist() == counts


@pytest.mark.parametrize("aligned", [True, False])
def test_the_side_is_asked_of_each_part(path, aligned):
    plain = read_pickle(path, multibench_content(aligned))
    content = multibench_content(aligned)
    for key in multibench.ARRAYS.values():
        content["test"][key] = content["test"][key][:, ::-1]
    corpus = read_pickle(path, content)
    for modality, features in corpus.features.items():
        before = plain.features[modality].lengths()
        np.testing.assert_array_equal(features.lengths(), before)
    assert "text: clips with rows of zeros in front, removed: 32" in corpus.notes
    assert "text: clips with rows of zeros at the end, removed: 9" in corpus.notes


def test_clips_whose_text_is_zero_are_dropped_and_counted(path):
    content = multibench_content()
    content["test"]["text"][0] = 0
    corpus = read_pickle(path, content)
    reason = "text is zero throughout"
    assert corpus.dropped == {"vid00[1]": reason, "vid11[0]": reason}
    assert corpus.dropped_part == {"vid00[1]": "train", "vid11[0]": "test"}
    assert len(corpus) == 40
    assert "clips dropped, as their text is zero throughout: 2" in corpus.notes


def test_a_modality_of_zeros_is_one_frame(path):
    content = multibench_content(aligned=False)
    content["test"]["audio"][0] = 0
    corpus = read_pickle(path, content)
    assert corpus.features["acoustic"].lengths()[-9] == 1
    assert "audio: clips with none other, given one of zeros: 1" in corpus.notes


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (lambda v, k: f"{v}[{k}]", ("vid11[0]", "vid11", "0")),
        (lambda v, k: f"{v}[{k}]".encode(), ("vid11[0]", "vid11", "0")),
        (lambda v, k: np.array([f"{v}[{k}]"], dtype=object), ("vid11[0]", "vid11", "0")),
        (lambda v, k: [v.encode(), k, k + 0.5], ("vid11[0,0.5]", "vid11", "0-0.5")),
        (lambda v, k: f"{v}$_${k}", ("vid11$_$0", "vid11", "0")),
        (lambda v, k: f"{v}_{k}", ("vid11_0", "vid11", "0")),
        (lambda v, k: f"{v}{k}", ("vid110", "vid110", "1")),
        (lambda v, k: int(v[3:]) % 3 * 10 + k, ("test_20", "test_20", "1")),
    ],
)
def test_every_way_of_writing_ids(path, ids, expected):
    content = multibench_content()
    for part, values in content.items():
        first = {"train": 0, "valid": 8, "test": 11}[part]
        count = len(values["labels"])
        if part == "train":  # so that numbers are not twice in one part
            values.update({key: value[:9] for key, value in values.items()})
            count = 9
        values["id"] = [ids(f"vid{first + i // 3:02d}", i % 3) for i in range(count)]
    table = read_pickle(path, content).utterances
    assert (table.index[-9], table["video"].iloc[-9], table["segment"].iloc[-9]) == expected


@pytest.mark.parametrize("shape", [(-1,), (-1, 1), (-1, 1, 1)])
def test_labels_of_any_shape(path, shape):
    content = multibench_content()
    plain = read_pickle(path, content).utterances["label"].tolist()
    for part in content.values():
        part["labels"] = part["labels"].reshape(shape)
    assert read_pickle(path, content).utterances["label"].tolist() == plain


def test_labels_of_two_values_are_told(path):
    content = multibench_content()
    for part in content.values():
        part["labels"] = (part["labels"] > 0).astype(int)
    corpus = read_pickle(path, content)
    assert "labels have two values: a class, no intensity" in corpus.notes
    assert corpus.tasks == (Classes(("0", "1"), values=(0, 1)),)


def test_files_without_ids_are_numbered(path):
    content = multibench_content()
    plain = read_pickle(path, multibench_content())
    for part in content.values():
        del part["id"]
    corpus = read_pickle(path, content)
    assert corpus.utterances.index[-1] == "test_8" and corpus.dropped == {
        "train_1": "text is zero throughout"
    }
    assert corpus.utterances["video"].tolist() == corpus.utterances.index.tolist()
    note = "the file has no ids: clips are numbered, and each counts as its own video"
    assert corpus.notes.count(note) == 1
    for modality, features in plain.features.items():
        np.testing.assert_array_equal(features.layers[1], corpus.features[modality].layers[1])


def test_labels_of_four_emotions_are_told_with_a_remedy(path):
    """MulT's files of IEMOCAP."""
    content = multibench_content()
    rng = np.random.default_rng(0)
    for part in content.values():
        del part["id"]
        part["labels"] = np.eye(2)[rng.integers(0, 2, (len(part["labels"]), 4))]
    text = message(read_pickle, path, content)
    assert "train/labels of shape (24, 4, 2): four emotions, no or yes for each" in text
    assert "IEMOCAP is read from its turns" in text and "labels[:, 0, 1]" in text
    for part in content.values():
        part["labels"] = part["labels"][:, 0, 1]
    assert read_pickle(path, content).tasks == (Classes(("0", "1"), values=(0, 1)),)


def test_several_labels_are_told_with_a_remedy(path):
    content = multibench_content()
    for part in content.values():
        part["labels"] = np.eye(4)[np.arange(len(part["labels"])) % 4]
    text = message(read_pickle, path, content)
    assert "found train/labels of shape (24, 4): several for every clip" in text
    assert "keep it alone, such as labels[:, 1], in every part" in text
    for part in content.values():
        part["labels"] = part["labels"][:, 1]
    assert len(read_pickle(path, content)) == 41


@pytest.mark.parametrize("shape", [(-1, 7), (-1, 1, 7)])
def test_of_seven_labels_the_first_is_sentiment(path, shape):
    content = multibench_content()
    for part in content.values():
        part["labels"] = np.pad(part["labels"][:, 0], ((0, 0), (0, 6))).reshape(shape)
    corpus = read_pickle(path, content)
    assert corpus.fingerprint() == read_pickle(path, multibench_content()).fingerprint()


@pytest.mark.parametrize("there", ["audio", "vision", "text", "audio vision", "text audio"])
def test_arrays_may_be_missing(path, there):
    content = multibench_content()
    for part in content.values():
        for key in set(multibench.ARRAYS.values()) - set(there.split()):
            del part[key]
    corpus = read_pickle(path, content)
    assert len(corpus.features) == len(there.split())
    assert len(corpus) == (42 if "text" in there else 43) - 1


@pytest.mark.parametrize("blank", ["", "  ", float("nan"), None])
def test_a_row_of_three_names_its_video(path, blank):
    content = multibench_content(aligned=False)
    ids = content["test"]["id"].astype(object)
    ids[1, 0] = blank
    content["test"]["id"] = ids
    assert "test/id with " in message(read_pickle, path, content)
