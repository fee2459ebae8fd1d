"""MMSA pickles: what each key becomes, padding that is cut off, and each fault with one message."""

import numpy as np
import pytest

from msalib.data.tasks import Regression, Sims
from tests.data.readers.toolbox import message, read_pickle
from tests.fixtures import mmsa_content


def test_what_is_read(path):
    content = mmsa_content()
    corpus = read_pickle(path, content)
    assert len(corpus) == 42
    assert [len(corpus.rows(p, "standard")) for p in ("train", "valid", "test")] == [24, 9, 9]
    first = corpus.utterances.iloc[1]
    assert corpus.utterances.index[1] == "vid00$_$1"
    assert (first["video"], first["segment"]) == ("vid00", "1")
    assert first["text"] == content["train"]["raw_text"][1]
    assert first["annotation"] == content["train"]["annotations"][1]
    assert first["label"] == content["train"]["regression_labels"][1]
    sources = {m: (f.source, f.unit) for m, f in corpus.features.items()}
    assert sources == {
        "visual": ("vision", "frame"),
        "acoustic": ("audio", "frame"),
        "linguistic": ("text", "word piece"),
    }


@pytest.mark.parametrize(
    ("modality", "key"), [("visual", "vision"), ("acoustic", "audio"), ("linguistic", "text")]
)
def test_frames_are_cut_to_their_lengths(path, modality, key):
    content = mmsa_content()
    features = read_pickle(path, content).features[modality]
    train = content["train"]
    mask = train["text_bert"][:, 1].sum(1)
    lengths = mask if key == "text" else np.array(train[f"{key}_lengths"])
    assert features.lengths()[:24].tolist() == lengths.astype(int).tolist()
    clip = features.layers[1][features.offsets[5] : features.offsets[6]]
    np.testing.assert_array_equal(clip, train[key][5, : int(lengths[5])])


def test_frames_of_aligned_files_are_cut_by_the_mask_of_the_text(path):
    content = mmsa_content(aligned=True)
    corpus = read_pickle(path, content)
    lengths = content["train"]["text_bert"][:, 1].sum(1)
    for features in corpus.features.values():
        assert features.lengths()[:24].tolist() == lengths.tolist()
    rule = "audio: cut by the mask of text_bert, as the file has no audio_lengths: 42 clips"
    assert rule in corpus.notes


def test_a_mask_may_begin_with_zeros(path):
    content = mmsa_content(aligned=True)
    for part in content.values():
        for key in ("audio", "vision", "text"):
            part[key] = part[key][:, ::-1]
        part["text_bert"] = part["text_bert"][:, :, ::-1]
    plain = read_pickle(path, mmsa_content(aligned=True)).features["acoustic"]
    turned = read_pickle(path, content).features["acoustic"]
    np.testing.assert_array_equal(
        turned.layers[1][: plain.offsets[1]], plain.layers[1][: plain.offsets[1]][::-1]
    )


def many(content):
    """The clips of a training part five times, so that one of them is a rare exception."""
    part = content["train"]
    copies = np.tile(np.arange(len(part["id"])), 5)
    for key, value in part.items():
        part[key] = [value[i] for i in copies] if isinstance(value, list) else value[copies]
    part["id"] = [f"{name}{i // 24}" for i, name in enumerate(part["id"])]
    return content


def test_a_row_beyond_a_length_is_counted(path):
    content = many(mmsa_content())
    content["train"]["audio_lengths"][3] = 1
    content["train"]["vision"][3] = 0
    content["train"]["vision_lengths"][3] = 0
    notes = read_pickle(path, content).notes
    assert "audio: clips with rows beyond that which are not zero, left out: 1" in notes
    assert "vision: clips without frames, given one of zeros: 1" in notes


def test_without_any_lengths_the_last_row_that_is_not_zero_ends_a_clip(path):
    content = mmsa_content()
    lengths = content["train"]["audio_lengths"]
    for part in content.values():
        for key in ("text_bert", "audio_lengths", "vision_lengths"):
            del part[key]
    corpus = read_pickle(path, content)
    assert corpus.features["acoustic"].lengths()[:24].tolist() == lengths
    assert any(n.startswith("audio: cut after the last row that is not zero") for n in corpus.notes)


def test_labels_of_sims_for_each_modality(path):
    content = mmsa_content(sims=True)
    corpus = read_pickle(path, content)
    assert {"label_T", "label_A", "label_V"} <= set(corpus.utterances)
    expected = content["test"]["regression_labels_A"].tolist()
    assert corpus.utterances["label_A"].iloc[-9:].tolist() == expected
    assert "labels run from -1 to 1 and are scored as those of CH-SIMS" in corpus.notes
    assert corpus.tasks == (Sims(), *(Sims(column=f"label_{m}") for m in "TAV"))


def test_labels_of_a_narrow_scale_without_unimodal_ones_are_not_those_of_sims(path):
    content = mmsa_content()
    for part in content.values():
        part["regression_labels"] = part["regression_labels"] / 3
    corpus = read_pickle(path, content)
    assert "labels run from -1 to 1 and are kept so, on a scale from -3 to 3" in corpus.notes
    assert corpus.tasks == (Regression(),)


def test_the_order_of_clips_does_not_matter(path):
    content = mmsa_content()
    plain = read_pickle(path, content)
    for part in content.values():
        order = np.random.default_rng(0).permutation(len(part["id"]))
        for key, value in part.items():
            part[key] = [value[i] for i in order] if isinstance(value, list) else value[order]
    turned = read_pickle(path, content)
    for clip in plain.utterances.index:
        i, j = plain.utterances.index.get_loc(clip), turned.utterances.index.get_loc(clip)
        assert plain.utterances.loc[clip].equals(turned.utterances.loc[clip])
        for m, a in plain.features.items():
            b = turned.features[m]
            np.testing.assert_array_equal(
                a.layers[1][a.offsets[i] : a.offsets[i + 1]],
                b.layers[1][b.offsets[j] : b.offsets[j + 1]],
            )


def test_a_width_tells_what_is_known_of_an_extractor(path):
    content = mmsa_content()
    for part in content.values():
        part["vision"] = np.tile(part["vision"], (1, 1, 10))[:, :, :35]
    features = read_pickle(path, content).features
    assert "estimates of emotions" in features["visual"].provenance["note"]
    assert "a selection from COVAREP" in features["acoustic"].provenance["note"]
    assert "width 12, of an unknown extractor" in features["linguistic"].provenance["note"]


def test_a_clip_without_a_label_is_dropped(path):
    content = mmsa_content()
    content["valid"]["regression_labels"][0] = np.nan
    corpus = read_pickle(path, content)
    assert corpus.dropped == {"vid08$_$0": "no label"}
    assert corpus.dropped_part == {"vid08$_$0": "valid"}
    assert corpus.features["visual"].lengths().shape == (41,)


def test_an_id_that_names_no_video_is_told(path):
    content = mmsa_content()
    content["train"]["id"][0] = "alone"
    corpus = read_pickle(path, content)
    assert corpus.utterances.loc["alone", "video"] == "alone"
    assert "ids that name no video, so that the clip counts as its own: 1" in corpus.notes


def test_a_transcript_of_2000_words(path):
    content = mmsa_content()
    text = " ".join(["word"] * 2000)
    content["test"]["raw_text"] = [text, *content["test"]["raw_text"].tolist()[1:]]
    corpus = read_pickle(path, content)
    assert corpus.utterances["text"].iloc[33] == text


@pytest.mark.parametrize("modality", ["audio", "vision", "text"])
def test_a_modality_may_be_missing(path, modality):
    content = mmsa_content()
    for part in content.values():
        del part[modality]
    assert modality not in {f.source for f in read_pickle(path, content).features.values()}


def test_infinity_in_covarep_is_an_error_or_cleaned(path):
    content = mmsa_content()
    content["train"]["audio"][0, 0, 1] = -np.inf
    content["test"]["audio"][0, 0, 1] = np.nan
    text = message(read_pickle, path, content)
    assert "found 2 acoustic values that are NaN or infinite, the first for clip vid00$_$0" in text
    assert "pass --clean to replace them by zero" in text
    features = read_pickle(path, content, clean=True).features["acoustic"]
    assert features.layers[1][0, 1] == 0
    assert features.provenance["note"].endswith("2 non-finite values replaced by zero")


def test_values_in_the_padding_do_not_count(path):
    content = mmsa_content()
    content["train"]["audio"][0, -1, 1] = -np.inf
    content["train"]["audio"][1, content["train"]["audio_lengths"][1] :] = np.nan
    assert np.isfinite(read_pickle(path, content).features["acoustic"].layers[1]).all()


def test_an_unimodal_label_off_the_scale_is_told(path):
    content = mmsa_content(sims=True)
    content["test"]["regression_labels_V"][2] = -4
    assert "found regression_labels_V -4 for clip vid11$_$2 in test" in message(
        read_pickle, path, content
    )


@pytest.mark.parametrize(
    ("annotations", "expected"),
    [
        (lambda n: np.full(n, np.nan), ["", "", ""]),
        (lambda n: np.array(["Positive", np.nan, None] * n, dtype=object), ["Positive", "", ""]),
        (lambda n: ["", np.float32("nan"), "Negative"] * n, ["", "", "Negative"]),
        (lambda n: np.array([1.0, np.nan, -0.5] * n), ["1", "", "-0.5"]),
        (lambda n: [[np.nan], ["Neutral"], [2]] * n, ["", "Neutral", "2"]),
    ],
)
def test_a_blank_annotation_is_an_empty_text(path, annotations, expected):
    content = mmsa_content()
    for part in content.values():
        part["annotations"] = annotations(len(part["id"]))[: len(part["id"])]
    corpus = read_pickle(path, content)
    assert corpus.fingerprint() == read_pickle(path, mmsa_content()).fingerprint()
    assert corpus.utterances["annotation"].tolist() == expected * 14


def test_a_blank_transcript_is_an_empty_text(path):
    content = mmsa_content()
    content["test"]["raw_text"] = [np.nan, None, *content["test"]["raw_text"][2:]]
    corpus = read_pickle(path, content)
    assert corpus.utterances["text"].iloc[-9:-7].tolist() == ["", ""]
    assert corpus.utterances["text"].iloc[-7] == content["test"]["raw_text"][2]


@pytest.mark.parametrize("blank", [None, np.nan, "", " "])
def test_a_blank_label_is_none(path, blank):
    content = mmsa_content()
    labels = content["test"]["regression_labels"].tolist()
    content["test"]["regression_labels"] = [blank, *labels[1:]]
    corpus = read_pickle(path, content)
    assert list(corpus.dropped.values()) == ["no label"]


@pytest.mark.parametrize("blank", ["", " "])
def test_a_blank_id_is_refused(path, blank):
    content = mmsa_content()
    content["train"]["id"] = [blank, *content["train"]["id"][1:]]
    assert "found no id for clip number 1" in message(read_pickle, path, content)


def test_labels_of_a_single_value_are_no_classes(path):
    content = mmsa_content()
    for part in content.values():
        part["regression_labels"] = np.full(len(part["id"]), 2.0)
    assert not any("two values" in note for note in read_pickle(path, content).notes)
