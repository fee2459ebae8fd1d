"""MultiBench and MulT pickles: padding in front, texts of zeros, and each fault with a message."""

import numpy as np
import pytest

from msalib.base.errors import UserError
from msalib.data.readers import formats, multibench
from msalib.data.tasks import Classes
from tests.fixtures import mmsa_content, multibench_content, write_pickle


@pytest.fixture
def path(tmp_path):
    return tmp_path / "file.pkl"


def read(path, content, **options):
    write_pickle(path, content)
    corpus, format = formats.convert(path, "toy", formats.Options(**options))
    assert format == "multibench"
    return corpus


def message(path, content) -> str:
    with pytest.raises(UserError) as error:
        read(path, content)
    assert str(error.value).startswith(f"{path}: found ") and "\n" not in str(error.value)
    return str(error.value)


def test_padding_in_front_is_cut_where_the_text_begins(path):
    content = multibench_content()
    corpus = read(path, content)
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
    plain = read(path, content).features["visual"].lengths()
    content["train"]["vision"][0, -1] = 0
    content["train"]["text"][0, -1] = 0
    content["train"]["vision"][2, -plain[1] :] = 0
    features = read(path, content).features["visual"]
    assert features.lengths().tolist() == plain.tolist()


def test_arrays_that_are_not_aligned_are_cut_each_by_its_own_rows(path):
    content = multibench_content(aligned=False)
    corpus = read(path, content)
    for modality, key in multibench.ARRAYS.items():
        own = [int(row.any(axis=1).sum()) for row in content["test"][key]]
        assert corpus.features[modality].lengths()[-9:].tolist() == own
    assert not any("aligned" in note for note in corpus.notes)


def test_the_side_of_padding_is_asked(path):
    content = multibench_content()
    for part in content.values():
        for key in multibench.ARRAYS.values():
            part[key] = part[key][:, ::-1]
    corpus = read(path, content)
    assert "audio: clips with rows of zeros at the end, removed: 41" in corpus.notes
    counts = [int(row.any(axis=1).sum()) for row in content["test"]["text"]]
    assert corpus.features["acoustic"].lengths()[-9:].tolist() == counts


def test_clips_whose_text_is_zero_are_dropped_and_counted(path):
    content = multibench_content()
    content["test"]["text"][0] = 0
    corpus = read(path, content)
    reason = "text is zero throughout"
    assert corpus.dropped == {"vid00[1]": reason, "vid11[0]": reason}
    assert corpus.dropped_part == {"vid00[1]": "train", "vid11[0]": "test"}
    assert len(corpus) == 40
    assert "clips dropped, as their text is zero throughout: 2" in corpus.notes


def test_a_modality_of_zeros_is_one_frame(path):
    content = multibench_content(aligned=False)
    content["test"]["audio"][0] = 0
    corpus = read(path, content)
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
    table = read(path, content).utterances
    assert (table.index[-9], table["video"].iloc[-9], table["segment"].iloc[-9]) == expected


@pytest.mark.parametrize("shape", [(-1,), (-1, 1), (-1, 1, 1)])
def test_labels_of_any_shape(path, shape):
    content = multibench_content()
    plain = read(path, content).utterances["label"].tolist()
    for part in content.values():
        part["labels"] = part["labels"].reshape(shape)
    assert read(path, content).utterances["label"].tolist() == plain


def test_labels_of_two_values_are_told(path):
    content = multibench_content()
    for part in content.values():
        part["labels"] = (part["labels"] > 0).astype(int)
    corpus = read(path, content)
    assert "labels have two values: a class, no intensity" in corpus.notes
    assert corpus.tasks == (Classes(("0", "1"), values=(0, 1)),)


@pytest.mark.parametrize(
    ("changed", "found", "expected"),
    [
        (lambda c: c.pop("test"), "no part test (there are: train, valid)", "train, valid"),
        (lambda c: c["test"].pop("text"), "no text in test", "text for every clip"),
        (lambda c: c["test"].update(labels=np.zeros(3)), "test/labels of shape (3,)", "9 numbers"),
        (lambda c: c["test"].update(labels=c["test"]["labels"] + 9), "label ", "from -3 to 3"),
        (
            lambda c: c["test"].update(labels=["x"] * 9),
            "test/labels with the entry 'x'",
            "a number",
        ),
        (lambda c: c["test"].update(labels=[[1, 2]] * 9), "with the entry list", "a number for"),
        (lambda c: c["test"].update(text=np.zeros((9, 16))), "test/text of shape (9, 16)", "(9, f"),
        (
            lambda c: c["test"].update(audio=np.zeros((9, 2, 5))),
            "test/audio of shape (9, 2, 5)",
            "(clips, 16, 5)",
        ),
        (lambda c: c["test"].update(id=["a"] * 9), "two clips with the id a (in test and", "once"),
        (lambda c: c["test"].update(id=[None] * 9), "test/id with an entry of type None", "text"),
        (lambda c: c["test"].update(id=3), "test/id of type int", "an array or a list"),
        (lambda c: c["test"].update(id=np.array("a")), "test/id of type ndarray", "an array or"),
        (lambda c: c["test"].update(id=[]), "no clips in test", "clips in every part"),
    ],
)
def test_a_bad_file_is_told(path, changed, found, expected):
    content = multibench_content()
    changed(content)
    text = message(path, content)
    assert found in text.split("; expected ")[0], text
    assert expected in text.split("; expected ")[1], text


def test_what_fits():
    assert multibench.fits(multibench_content())
    for other in (None, [], {}, {"train": {}}, mmsa_content(), {"train": [1]}):
        assert not multibench.fits(other)
