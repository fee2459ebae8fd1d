"""MAG pickles: a row for each word, and each fault with one message."""

import numpy as np
import pytest

from msalib.base.errors import UserError
from msalib.data.readers import formats, mag
from tests.fixtures import mag_content, mmsa_content, write_pickle


@pytest.fixture
def path(tmp_path):
    return tmp_path / "file.pkl"


def read(path, content, **options):
    write_pickle(path, content)
    corpus, format = formats.convert(path, "toy", formats.Options(**options))
    assert format == "mag"
    return corpus


def test_what_is_read(path):
    content = mag_content()
    corpus = read(path, content)
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
    assert len(read(path, content).rows("valid", "standard")) == 9


@pytest.mark.parametrize("label", [1.5, np.float32(1.5), [1.5], np.array(1.5), np.array([[1.5]])])
def test_labels_of_any_shape(path, label):
    content = mag_content()
    content["train"][0] = (*content["train"][0][:1], label, *content["train"][0][2:])
    assert read(path, content).utterances["label"].iloc[0] == 1.5


def test_clips_without_words_are_dropped_and_counted(path):
    content = mag_content()
    content["test"][0] = (([], np.zeros((0, 4)), np.zeros((0, 5))), 1.0, "vid11[0]")
    corpus = read(path, content)
    assert corpus.dropped == {"vid11[0]": "no words"}
    assert corpus.dropped_part == {"vid11[0]": "test"}
    assert "clips dropped, as they have no words: 1" in corpus.notes


def clip(words=("a",), visual=None, acoustic=None, label=0, segment="s"):
    """A clip of one word, with whatever is given in place of what it should have."""
    visual = np.zeros((1, 4)) if visual is None else visual
    acoustic = np.zeros((1, 5)) if acoustic is None else acoustic
    return ((words if isinstance(words, str) else list(words), visual, acoustic), label, segment)


@pytest.mark.parametrize(
    ("clip", "found", "expected"),
    [
        ("x", "clip 4 of test of another shape", "((words, visual, acoustic), label, segment)"),
        (((1, 2), 3, "a"), "clip 4 of test of another shape", "((words,"),
        (clip(visual=np.zeros((2, 4))), "visual of clip 4 of test of shape (2, 4)", "1 rows"),
        (clip(acoustic=np.zeros(5)), "acoustic of clip 4 of test of shape (5,)", "1 rows"),
        (clip(acoustic=[[1]]), "acoustic of clip 4 of test of type list", "1 rows"),
        (clip(visual=np.zeros((1, 3))), "visual features of shape (1, 3) for clip s", "each of 4"),
        (clip(words="a"), "the words of clip 4 of test of type str", "a list"),
        (clip(words=[1.5]), "the words of clip 4 of test with an entry of type float", "text"),
        (clip(label="b"), "the label of clip 4 of test with the entry 'b'", "a number"),
        (clip(label=5), "label 5.0 for clip s", "from -3 to 3"),
        (clip(segment=1.5), "the segment of clip 4 of test with an entry of type", "text"),
        (clip(segment="vid00[0]"), "two clips with the id vid00[0] (in train and test)", "once"),
        (clip(visual=np.full((1, 4), np.nan)), "4 visual values that are NaN", "finite"),
    ],
)
def test_a_bad_clip_is_told(path, clip, found, expected):
    content = mag_content()
    content["test"][3] = clip
    with pytest.raises(UserError) as error:
        read(path, content)
    text = str(error.value)
    assert text.startswith(f"{path}: found {found}"), text
    assert expected in text.split("; expected ")[1], text


def test_an_empty_part_is_told(path):
    content = mag_content()
    content["test"] = []
    with pytest.raises(UserError, match="found no part test"):
        read(path, content)


def test_what_fits():
    assert mag.fits(mag_content())
    for other in (None, [], {}, {"train": []}, mmsa_content(), {"train": [1]}, {"train": [(1, 2)]}):
        assert not mag.fits(other)
