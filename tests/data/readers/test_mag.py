"""MAG pickles: a row for each word, and each fault with one message."""

import numpy as np
import pytest

from tests.data.readers.toolbox import message, read_pickle
from tests.fixtures import mag_content


def test_what_is_read(path):
    content = mag_content()
    corpus = read_pickle(path, content)
    assert [len(corpus.rows(p, "standard")) for p in ("train", "valid", "test")] == [24, 9, 9]
    (words, visual, acoustic), label, segment = content["dev"][1]
    table = corpus.utterances
    assert table.index[25] == segment == "vid08[1]"
    assert (table["video"].iloc[25], table["segment"].iloc[25]) == ("vid08", "1")
    assert table["text"].iloc[25] == " ".join(words)
    assert table["label"].iloc[25] == label.item()
    for modality, rows in (("visual", visual), ("acoustic", acoustic)):
        features = corpus.features[modality]
        assert features.unit == "word"
        clip = features.layers[1][features.offsets[25] : features.offsets[26]]
        np.testing.assert_array_equal(clip, rows.astype(np.float32))
    assert "a frame per word; a model that cuts words into pieces repeats it" in corpus.notes


@pytest.mark.parametrize("name", ["dev", "valid", "val"])
def test_the_middle_part_has_several_names(path, name):
    content = mag_content()
    content[name] = content.pop("dev")
    assert len(read_pickle(path, content).rows("valid", "standard")) == 9


@pytest.mark.parametrize("label", [1.5, np.float32(1.5), [1.5], np.array(1.5), np.array([[1.5]])])
def test_labels_of_any_shape(path, label):
    content = mag_content()
    content["train"][0] = (*content["train"][0][:1], label, *content["train"][0][2:])
    assert read_pickle(path, content).utterances["label"].iloc[0] == 1.5


def test_clips_without_words_are_dropped_and_counted(path):
    content = mag_content()
    content["test"][0] = (([], np.zeros((0, 4)), np.zeros((0, 5))), 1.0, "vid11[0]")
    corpus = read_pickle(path, content)
    assert corpus.dropped == {"vid11[0]": "no words"}
    assert corpus.dropped_part == {"vid11[0]": "test"}
    assert "clips dropped, as they have no words: 1" in corpus.notes


def numbered(content):
    """Clips as MISA and MMIM keep them: numbers of a vocabulary, and the words behind them."""
    return {
        part: [
            ((np.arange(len(words)), visual, acoustic, list(words)), label, segment)
            for (words, visual, acoustic), label, segment in clips
        ]
        for part, clips in content.items()
    }


def test_words_may_follow_numbers_of_a_vocabulary(path):
    plain = read_pickle(path, mag_content())
    corpus = read_pickle(path, numbered(mag_content()))
    assert corpus.fingerprint() == plain.fingerprint()
    content = numbered(mag_content())
    content["test"][3][0][3].append("more")
    text = message(read_pickle, path, content)
    assert "found the words of clip 4 of test of " in text and "one for every id" in text


def test_numbers_alone_are_no_transcript(path):
    content = {
        part: [(inner[:3], label, segment) for inner, label, segment in clips]
        for part, clips in numbered(mag_content()).items()
    }
    corpus = read_pickle(path, content)
    assert set(corpus.utterances["text"]) == {""}
    assert "words are numbers of a vocabulary that the file does not hold" in corpus.notes
    assert list(corpus.features) == ["visual", "acoustic"]


def test_of_seven_labels_the_first_is_sentiment(path):
    content = mag_content()
    for clips in content.values():
        for i, (inner, label, segment) in enumerate(clips):
            clips[i] = inner, np.hstack([label, np.ones((1, 6), np.float32)]), segment
    corpus = read_pickle(path, content)
    assert corpus.fingerprint() == read_pickle(path, mag_content()).fingerprint()
    assert "label is the first of seven: sentiment, before six emotions" in corpus.notes


def test_a_modality_may_be_none_in_all_clips(path):
    content = mag_content()
    for clips in content.values():
        for i, ((words, visual, _), label, segment) in enumerate(clips):
            clips[i] = (words, visual, None), label, segment
    assert list(read_pickle(path, content).features) == ["visual"]
    content["test"][1] = (["a"], np.ones((1, 4)), np.ones((1, 5))), 1.0, "vid99[1]"
    assert "found no acoustic of clip 1, though of others" in message(read_pickle, path, content)
