"""Conventional features of words: a lexicon's scores, and TF-IDF that sees training clips alone."""

import numpy as np
import pandas as pd
import pytest

from msalib import encoders
from msalib.base.errors import UserError
from msalib.data.corpus import Corpus
from msalib.encoders import ENCODERS, weights
from msalib.encoders.extraction import extract, read
from msalib.encoders.words import tfidf
from msalib.runs.study import Study
from tests.encoders.tiny import texts

LEXICON, TFIDF = ENCODERS["lexicon"], ENCODERS["tfidf"]

# --- the lexicon --------------------------------------------------------------------------------


def scores(text):
    """Columns by name: a list with a number for each word."""
    pytest.importorskip("vaderSentiment", reason="the lexicon needs the extra lexicon")
    from msalib.encoders.words import lexicon

    frames = lexicon.scores(text)
    assert frames.dtype == np.float32 and frames.shape[1] == len(lexicon.FIELDS) == LEXICON.width
    return dict(zip(lexicon.FIELDS, frames.T.round(4).tolist(), strict=True))


def test_words_have_their_rating_and_others_none():
    found = scores("a good, BAD film")
    assert found["known"] == [0, 1, 1, 0]
    assert found["score"] == pytest.approx([0, 1.9, -2.5, 0], abs=1e-4)
    assert found["negated"] == found["boosted"] == [0, 0, 0, 0]
    assert scores("a good film")["score in context"] == pytest.approx([0, 1.9, 0], abs=1e-4)


@pytest.mark.parametrize("negation", ["not", "didnt", "never", "isn't"])
def test_a_negation_turns_the_score_of_the_next_three_words(negation):
    found = scores(f"{negation} good x y good")
    assert found["negated"] == [0, 1, 1, 1, 0]
    plain, turned = scores("good")["score in context"][0], found["score in context"][1]
    assert turned == pytest.approx(-0.74 * plain, abs=1e-3)
    assert found["score in context"][4] == pytest.approx(plain)
    assert found["score"] == pytest.approx([found["score"][0], plain, 0, 0, plain])


def test_words_before_boost_and_dampen():
    more, less = scores("very good"), scores("slightly good")
    assert more["boosted"][1] == pytest.approx(0.293) == -less["boosted"][1]
    plain = scores("good")["score in context"][0]
    assert less["score in context"][1] < plain < more["score in context"][1]
    assert more["score in context"][0] == 0  # it has no sentiment of its own


@pytest.mark.parametrize("text", ["", "   "])
def test_a_clip_without_words_has_one_empty_frame(text):
    assert list(scores(text).values()) == [[0.0]] * LEXICON.width


def test_a_store_of_scores(tmp_path):
    pytest.importorskip("vaderSentiment", reason="the lexicon needs the extra lexicon")
    data = texts(["a good film", "", "not bad"])
    features = read(data, LEXICON, extract(data, LEXICON, tmp_path / "store"))
    assert features.lengths().tolist() == [3, 1, 2] and features.unit == "word"
    assert features.blocks == (1,) and features.layers[1].dtype == np.float32
    assert features.layers[1][:, 0] == pytest.approx([0, 1.9, 0, 0, 0, -2.5])
    assert features.provenance["revision"].startswith("vaderSentiment ")
    assert "negated" in features.provenance["features"]
    with pytest.raises(UserError, match="features of other clips"):
        read(texts(["a good film", "x", "not bad"]), LEXICON, tmp_path / "store")


def test_a_missing_lexicon_is_refused(tmp_path, monkeypatch):
    def missing(package):
        raise weights.metadata.PackageNotFoundError(package)

    monkeypatch.setattr(weights.metadata, "version", missing)
    with pytest.raises(UserError, match=r"no package vaderSentiment.* -e \"\.\[lexicon\]\""):
        extract(texts(["good"]), LEXICON, tmp_path / "store")


# --- TF-IDF -------------------------------------------------------------------------------------


def written(seed=0, clips=400, test="", split="standard"):
    """Clips of invented words, the last 100 of them for test; ``test`` is added to these."""
    rng = np.random.default_rng(seed)
    words = np.array([f"w{n}" for n in range(150)])
    lines = [" ".join(rng.choice(words, size=8)) for _ in range(clips)]
    lines[-100:] = [f"{line} {test}".strip() for line in lines[-100:]]
    ids = pd.Index([f"clip_{n}" for n in range(clips)], name="id")
    table = pd.DataFrame({"video": "v", "segment": range(clips), "text": lines}, index=ids)
    part = ["train"] * (clips - 150) + ["valid"] * 50 + ["test"] * 100
    return Corpus("toy", table.assign(label=0.0), {}, {split: pd.Series(part, index=ids)})


def test_test_clips_choose_no_term_and_move_no_vector(tmp_path):
    plain, other = written(), written(test="never heard never heard")
    first, second = (
        read(data, TFIDF, extract(data, TFIDF, tmp_path / str(n))).layers[1]
        for n, data in enumerate((plain, other))
    )
    np.testing.assert_array_equal(first[:300], second[:300])
    np.testing.assert_array_equal(first, second)  # words that training lacks say nothing


def test_vectors_are_standardised_over_training_clips_and_drawn_with_one_seed(tmp_path):
    data = written()
    features = read(data, TFIDF, extract(data, TFIDF, tmp_path / "store"))
    values = features.layers[1]
    assert values.shape == (400, TFIDF.width) == (400, tfidf.SIZE)
    assert values[:250].mean(0) == pytest.approx(0, abs=1e-5)
    assert values[:250].std(0) == pytest.approx(1, abs=1e-5)
    again = read(data, TFIDF, extract(data, TFIDF, tmp_path / "again"))
    np.testing.assert_array_equal(values, again.layers[1])
    assert (features.lengths() == 1).all() and features.unit == "clip"
    assert features.provenance["fitted on"] == "the training part of the standard split"
    assert features.provenance["revision"].startswith("scikit-learn ")


def test_like_texts_have_like_vectors():
    rng = np.random.default_rng(0)
    topics = [[f"{topic}{n}" for n in range(120)] for topic in "ab"]
    lines = [" ".join(rng.choice(topics[n % 2], 12)) for n in range(400)]
    found = tfidf.vectors(lines, np.arange(300), "toy")[300:]
    first = found[:, 0]  # the topic
    assert np.sign(first[::2]).std() == np.sign(first[1::2]).std() == 0
    assert np.sign(first[0]) != np.sign(first[1])


def test_another_split_of_the_same_clips_is_another_store(tmp_path):
    data = written()
    extract(data, TFIDF, tmp_path / "store")
    moved = data.splits["standard"].copy()
    moved.iloc[0], moved.iloc[-1] = "test", "train"
    other = Corpus("toy", data.utterances, {}, {"standard": moved})
    with pytest.raises(UserError, match="features of other clips"):
        read(other, TFIDF, tmp_path / "store")


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (written(split="own"), "found splits own; expected the standard split"),
        (texts(["a good film"] * 9), "found 9 training clips with 3 words and pairs of words"),
        (texts(["one", "two"]), "found 2 training clips with 0 words"),
    ],
)
def test_what_cannot_be_fitted_is_refused(tmp_path, data, found):
    with pytest.raises(UserError, match=found):
        extract(data, TFIDF, tmp_path / "store")
    assert not (tmp_path / "store").exists()


def test_fitted_features_are_refused_for_another_split():
    assert TFIDF.fitted and not LEXICON.fitted
    with pytest.raises(UserError, match=r"split video-1: found tfidf, fitted on the training part"):
        Study("uegd", dataset="mosi-standardised", encoder="tfidf", split="video-1")
    Study("uegd", dataset="mosi-standardised", encoder="lexicon", split="video-1")


def test_a_study_reads_them_as_vectors():
    study = Study("uegd", dataset="mosi-standardised", encoder="lexicon")
    assert study.dataset.layered == () and study.blocks("linguistic") == 1
    assert study.dataset.vectors == ("acoustic", "linguistic")
    assert encoders.store_folder("toy", LEXICON).name == "lexicon"
