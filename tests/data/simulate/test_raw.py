import numpy as np
import pytest
from sklearn.linear_model import Ridge

from msalib.data.corpus import MODALITIES, PARTS
from msalib.data.simulate import faces, grammar, raw, render
from tests.data.simulate.test_drawn_faces import curvature
from tests.data.simulate.test_synthetic_speech import loudness, pitch

pytest.importorskip("cv2")
soundfile = pytest.importorskip("soundfile")


@pytest.fixture(scope="module")
def corpora():
    return {story: raw.raw(story) for story in raw.STORIES}


@pytest.fixture(scope="module")
def plain(corpora):
    return corpora["raw"]


@pytest.fixture(scope="module")
def smiles(corpora):
    """Bend of the mouth in the first picture of each clip, by story."""

    def bend(corpus, row):
        rng = np.random.default_rng(int(corpus.truth["face"]["seed"].iloc[row]))
        return curvature(faces.film(*render.person(corpus, row), 1, rng)[0])

    return {
        s: np.array([bend(corpora[s], i) for i in range(len(corpora[s]))])
        for s in ("raw", "raw-noise")
    }


@pytest.fixture(scope="module")
def voices(plain):
    """Pitch (log2) and loudness (dB) as measured from every sixth wave."""
    rows = np.arange(0, len(plain), 6)
    waves = [render.sound(plain, int(row)).astype(float) for row in rows]
    return rows, waves, np.array([(np.log2(np.median(pitch(w))), loudness(w)) for w in waves])


def corr(a, b):
    return float(np.corrcoef(a, b)[0, 1])


# --- what is drawn ------------------------------------------------------------------------------


def test_the_seed_decides_everything(plain):
    again, other = raw.raw(), raw.raw(seed=1)
    assert again.utterances.equals(plain.utterances)
    assert again.fingerprint() == plain.fingerprint() != other.fingerprint()
    for table in ("voice", "face"):
        assert again.truth[table].equals(plain.truth[table])
        assert not other.truth[table].equals(plain.truth[table])


def test_sizes_and_columns(plain):
    table = plain.utterances
    assert 350 < len(plain) < 500
    assert (table["video"].nunique(), table["speaker"].nunique()) == (60, 50)
    assert set(table.groupby("video").size()) <= set(range(5, 10))
    for column in ("label", "label_T", "label_A", "label_V"):
        assert table[column].between(-3, 3).all()
        np.testing.assert_allclose(table[column] * 5, (table[column] * 5).round(), atol=1e-9)
    assert plain.faces == "whole" and not plain.features and not plain.media


def test_speakers_stay_in_one_part(corpora):
    for corpus in corpora.values():
        split = corpus.splits["standard"]
        assert set(split) == set(PARTS)
        assert (split.groupby(corpus.utterances["speaker"]).nunique() == 1).all()
        videos = split.groupby(corpus.utterances["video"]).first().value_counts()
        assert abs(videos["train"] - 60 * 52 / 93) <= 4 and videos["valid"] >= 3


def test_labels_come_from_the_sentiment_and_its_weights(plain):
    truth, table = plain.truth, plain.utterances
    overall = sum(truth["weights"][m] * truth["sentiment"][m] for m in MODALITIES)
    np.testing.assert_allclose(truth["overall"], overall)
    assert corr(overall, table["label"]) > 0.97
    for column, m in (("label_T", "linguistic"), ("label_A", "acoustic"), ("label_V", "visual")):
        assert corr(truth["shown"][m], table[column]) > 0.97
    assert all(np.array_equal(truth["shown"][m], truth["sentiment"][m]) for m in MODALITIES)
    assert not truth["sarcasm"].any()


def test_the_unlabelled_part_is_of_others_and_has_no_labels(plain):
    other = raw.unlabelled()
    assert 700 < len(other) < 1100
    assert other.utterances["label"].isna().all()
    assert not {"label_T", "label_A", "label_V"} & set(other.utterances)
    for column in ("video", "speaker"):
        assert not set(other.utterances[column]) & set(plain.utterances[column])
    assert set(other.truth) == {"voice", "face"} and not other.splits
    people = [
        set(map(tuple, c.truth["face"][list(faces.Person._fields)].to_numpy()))
        for c in (plain, other)
    ]
    assert not people[0] & people[1]
    tracts = [set(c.truth["voice"]["tract"]) for c in (plain, other)]
    assert not tracts[0] & tracts[1]


# --- planted effects are found ------------------------------------------------------------------


def test_the_voice_tells_the_acoustic_sentiment(plain, voices):
    rows, waves, measured = voices
    for wave in waves:
        assert 1 <= len(wave) / 16_000 <= 4 and np.abs(wave).max() < 1
    sentiment = plain.truth["sentiment"]["acoustic"][rows]
    assert corr(measured[:, 1], sentiment) > 0.5
    # Pitch tells it of one speaker; between speakers it is mostly who speaks.
    high = plain.truth["voice"]["tract"].to_numpy()[rows] > 1.07
    relative = measured[:, 0] - np.where(high, *(np.median(measured[high == h, 0]) for h in (1, 0)))
    assert corr(relative, sentiment) > 0.4
    assert measured[:, 0].std() > 1.3 * relative.std()
    probe = np.column_stack([measured[:, 1], relative])
    half = np.arange(len(rows)) < len(rows) // 2
    guess = Ridge(alpha=0.1).fit(probe[half], sentiment[half]).predict(probe[~half])
    assert corr(guess, sentiment[~half]) > 0.6


def test_a_loudness_without_sentiment_tells_nothing(plain, voices):
    rows, waves, _ = voices
    room = [loudness(wave[:1000]) for wave in waves]
    assert abs(corr(room, plain.truth["sentiment"]["acoustic"][rows])) < 0.3  # 2.5 of 1/sqrt(n)


def test_the_face_tells_the_visual_sentiment(plain, smiles):
    assert corr(smiles["raw"], plain.truth["sentiment"]["visual"]) > 0.8


def test_the_words_tell_the_linguistic_sentiment(plain):
    truth, table = plain.truth, plain.utterances
    read, before = [], 0
    for text, segment in zip(table["text"], table["segment"], strict=True):
        before = grammar.grade(text, before if segment > 1 else 0)
        read.append(before)
    np.testing.assert_array_equal(read, truth["grade"])
    assert corr(read, truth["sentiment"]["linguistic"]) > 0.9
    alone = np.array([grammar.grade(text) for text in table["text"]])
    turns = truth["context"]
    assert 0.1 < turns.mean() < 0.3
    assert not alone[turns].any()  # without the clip before, such a turn says nothing


# --- confounds ----------------------------------------------------------------------------------


def explained(values, group):
    """Share of the variance that lies between groups, beyond what chance puts there."""
    values = np.asarray(values, float)
    _, code = np.unique(group, return_inverse=True)
    means = np.bincount(code, values) / np.bincount(code)
    within = np.sum((values - means[code]) ** 2) / (len(values) - len(means))
    return 1 - within / values.var(ddof=1)


def test_sentiment_is_tied_to_speakers_in_one_story_only(corpora):
    share = {
        s: explained(c.utterances["label"], c.utterances["speaker"]) for s, c in corpora.items()
    }
    assert share["raw-speaker"] > 0.4
    assert max(share["raw"], share["raw-noise"], share["raw-sarcasm"]) < 0.3
    spread = [corpora[s].truth["overall"].std() for s in ("raw", "raw-speaker")]
    assert spread[0] == pytest.approx(spread[1], rel=0.2)


def test_faces_without_sentiment_have_none(corpora, plain, smiles):
    noise = corpora["raw-noise"]
    bound = 2.5 / np.sqrt(len(noise) / 3)  # clips of a video are alike
    for target in (noise.truth["sentiment"]["visual"], noise.truth["overall"]):
        assert abs(corr(noise.truth["shown"]["visual"], target)) < bound
        assert abs(corr(smiles["raw-noise"], target)) < bound
    assert corr(smiles["raw-noise"], noise.truth["shown"]["visual"]) > 0.8
    # Nothing else differs from the plain story.
    assert noise.utterances.drop(columns="label_V").equals(plain.utterances.drop(columns="label_V"))
    assert noise.truth["voice"].equals(plain.truth["voice"])


def test_sarcastic_words_are_contradicted_by_the_voice(corpora, plain):
    truth = corpora["raw-sarcasm"].truth
    sarcasm = truth["sarcasm"]
    assert sarcasm.mean() == pytest.approx(0.2, abs=0.01)
    words, voice = truth["shown"]["linguistic"], truth["shown"]["acoustic"]
    assert (words[sarcasm] * voice[sarcasm] < 0).all()
    assert corr(words[~sarcasm], voice[~sarcasm]) > 0.4
    np.testing.assert_array_equal(words[sarcasm], -truth["sentiment"]["linguistic"][sarcasm])
    np.testing.assert_array_equal(words[~sarcasm], truth["sentiment"]["linguistic"][~sarcasm])
    assert corr(truth["grade"], words) > 0.9
    np.testing.assert_array_equal(truth["overall"], plain.truth["overall"])
    assert corpora["raw-sarcasm"].utterances["label"].equals(plain.utterances["label"])


def test_an_unknown_story_is_refused():
    with pytest.raises(KeyError, match="raw-loud"):
        raw.raw("raw-loud")
