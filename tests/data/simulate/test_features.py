import json

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.linear_model import Ridge

from msalib.data.corpus import MODALITIES, PARTS
from msalib.data.simulate.features import STORIES, control, story

PROFILES = {
    "visual": [1.0] * 4,
    "acoustic": [0.3, 0.8, 1.8, 0.9],
    "linguistic": [1.0, 1.5, 2.0, 1.9],
}
SPEAKER_EFFECT = {"visual": 1.0, "acoustic": 0.5, "linguistic": 0.2}


@pytest.fixture(scope="module")
def corpus():
    return control()


@pytest.fixture(scope="module")
def opposite():
    return story("control-opposite")


@pytest.fixture(scope="module")
def large():
    """Few layers of many clips, so that what was planted can be measured."""
    return control(videos=300, profiles=PROFILES, speaker_effect=SPEAKER_EFFECT)


def means(corpus, modality, layer):
    """Features of each clip averaged over its frames, (N, D)."""
    features = corpus.features[modality]
    frames = features.layers[layer].astype(float)
    return np.add.reduceat(frames, features.offsets[:-1]) / features.lengths()[:, None]


def probe(corpus, modality, layer):
    """Test correlation of a ridge regression on clip means, and its test predictions."""
    x, y = means(corpus, modality, layer), corpus.utterances["label"].to_numpy()
    train, test = corpus.rows("train", "standard"), corpus.rows("test", "standard")
    prediction = Ridge(alpha=10).fit(x[train], y[train]).predict(x[test])
    return np.corrcoef(y[test], prediction)[0, 1], prediction


def same(one, two):
    return all(
        np.array_equal(one.features[m].layers[k], two.features[m].layers[k])
        for m in MODALITIES
        for k in one.features[m].layers
    )


def test_the_seed_decides_everything(corpus):
    again, other = control(), control(seed=1)
    assert again.fingerprint() == corpus.fingerprint() != other.fingerprint()
    assert same(again, corpus)
    for m in MODALITIES:
        assert again.features[m].provenance == corpus.features[m].provenance
        assert other.features[m].provenance != corpus.features[m].provenance
        np.testing.assert_array_equal(again.truth["sentiment"][m], corpus.truth["sentiment"][m])
        np.testing.assert_array_equal(again.truth["informative"][m], corpus.truth["informative"][m])


def test_profiles_and_effects_change_nothing_else(corpus):
    planted = STORIES["control"]
    profiles = {**planted.profiles(), "visual": [0.0] * 13}
    other = control(profiles=profiles, speaker_effect={**planted.speaker_effect, "acoustic": 3.0})
    assert other.utterances.equals(corpus.utterances)
    assert other.splits["standard"].equals(corpus.splits["standard"])
    for m in MODALITIES:
        np.testing.assert_array_equal(other.features[m].offsets, corpus.features[m].offsets)
    text = corpus.features["linguistic"].layers
    assert all(np.array_equal(text[k], other.features["linguistic"].layers[k]) for k in text)
    assert other.features["visual"].blocks == tuple(range(1, 13))


def test_shapes_and_sizes(corpus):
    assert corpus.name == "control"
    assert corpus.utterances["video"].nunique() == 60
    assert set(corpus.utterances.groupby("video").size()) <= set(range(5, 16))
    assert (corpus.utterances.groupby("video")["speaker"].nunique() == 1).all()
    assert [i.rpartition("_")[0] for i in corpus.utterances.index] == [*corpus.utterances["video"]]
    for m, features in corpus.features.items():
        assert tuple(features.layers) == tuple(range(25))
        assert features.blocks == tuple(range(1, 25))
        assert set(features.lengths()) <= set(range(4, 31))
        for frames in features.layers.values():
            assert frames.shape == (features.offsets[-1], frames.shape[1])
            assert frames.dtype == np.float16 and np.isfinite(frames).all()
        assert corpus.truth["informative"][m].shape == (features.offsets[-1],)
    size = sum(a.nbytes for f in corpus.features.values() for a in f.layers.values())
    assert size < 40e6


def test_the_ranges_are_kept():
    small = control(videos=8, clips=(2, 2), frames=(1, 1))
    assert len(small) == 16
    assert all((f.lengths() == 1).all() for f in small.features.values())
    assert all(small.truth["informative"][m].all() for m in MODALITIES)


@pytest.mark.parametrize("videos", [8, 60, 93])
def test_the_split_keeps_videos_and_speakers_in_one_part(videos):
    corpus = control(videos=videos, profiles={m: [1.0, 1.0] for m in MODALITIES})
    table, split = corpus.utterances, corpus.splits["standard"]
    assert set(split) == set(PARTS)
    for group in ("video", "speaker"):
        assert (split.groupby(table[group]).nunique() == 1).all()
    if videos == 93:  # 52/10/31 in CMU-MOSI; whole speakers move, so not to the video
        counts = split.groupby(table["video"]).first().value_counts()
        assert abs(counts["train"] - 52) <= 5 and abs(counts["valid"] - 10) <= 3


def test_labels_look_like_mosi(large):
    label, video = large.utterances["label"], large.utterances["video"]
    assert label.between(-3, 3).all()
    np.testing.assert_allclose(label * 5, (label * 5).round(), atol=1e-9)
    assert not np.signbit(label[label == 0]).any()
    assert 0.02 < (label == 0).mean() < 0.08
    assert 1.3 < label.std() < 1.7  # 1.57 in CMU-MOSI
    within = (label - label.groupby(video).transform("mean")).var(ddof=0)
    assert within / label.var(ddof=0) == pytest.approx(0.70, abs=0.06)


def test_the_truth_is_what_the_labels_come_from(large):
    truth = large.truth
    overall = sum(truth["weights"][m] * truth["sentiment"][m] for m in MODALITIES)
    np.testing.assert_allclose(truth["overall"], overall)
    assert np.corrcoef(overall, large.utterances["label"])[0, 1] > 0.97
    with_overall = {m: np.corrcoef(truth["sentiment"][m], overall)[0, 1] for m in MODALITIES}
    assert with_overall["visual"] < with_overall["acoustic"] < with_overall["linguistic"] < 0.95
    assert truth["best_layers"] == {"visual": (1, 2, 3), "acoustic": (2,), "linguistic": (2,)}
    assert truth["profiles"]["acoustic"] == dict(enumerate(PROFILES["acoustic"]))


def test_sentiment_lies_along_one_direction_of_informative_frames(large):
    """The planted ratio comes back from the frames themselves."""
    sentiment = large.truth["sentiment"]["linguistic"]
    features, informative = large.features["linguistic"], large.truth["informative"]["linguistic"]
    z = np.repeat(sentiment / sentiment.std(), features.lengths())
    for k, ratio in large.truth["profiles"]["linguistic"].items():
        frames = features.layers[k].astype(float)
        slope = (z[informative] @ frames[informative]) / (z[informative] @ z[informative])
        assert np.linalg.norm(slope) == pytest.approx(ratio, abs=0.1)
        slope = (z[~informative] @ frames[~informative]) / (z[~informative] @ z[~informative])
        assert np.linalg.norm(slope) < 0.15


@pytest.mark.parametrize("modality", ["acoustic", "linguistic"])
def test_a_probe_finds_the_planted_profile(large, modality):
    corr = [probe(large, modality, k)[0] for k in range(4)]
    assert (1 + np.argmax(corr[1:]),) == large.truth["best_layers"][modality]
    assert spearmanr(corr, list(large.truth["profiles"][modality].values())).statistic > 0.95
    assert max(corr) > 0.4


def test_the_stories_differ_in_nothing_but_what_is_planted(corpus, opposite):
    assert corpus.fingerprint() == story("control").fingerprint() != opposite.fingerprint()
    assert story("control").name == "control" and opposite.name == "control-opposite"
    assert opposite.utterances.equals(corpus.utterances)
    assert opposite.splits["standard"].equals(corpus.splits["standard"])
    for m in MODALITIES:
        np.testing.assert_array_equal(opposite.truth["sentiment"][m], corpus.truth["sentiment"][m])
        np.testing.assert_array_equal(opposite.features[m].offsets, corpus.features[m].offsets)
    with pytest.raises(KeyError, match="control-upside-down"):
        story("control-upside-down")


def test_the_paper_is_right_in_the_one_story_and_wrong_in_the_other(corpus, opposite):
    """What UEGD-C5 and C8 to C13 are about, in what was planted."""

    def story_of(truth):
        ratio = {m: np.array(list(profile.values())) for m, profile in truth["profiles"].items()}
        spread = {m: np.ptp(r[1:]) for m, r in ratio.items()}
        gain = {m: r[1:].max() - r[0] for m, r in ratio.items()}
        best = truth["best_layers"]
        effect = truth["speaker_effect"]
        return {
            "C5": gain["acoustic"] > max(gain["visual"], gain["linguistic"]),
            "C8": gain["acoustic"] > 0,
            "C9": effect["visual"] > max(effect["acoustic"], effect["linguistic"]),
            "C10": spread["linguistic"] < min(spread["acoustic"], spread["visual"]),
            "C11": best["acoustic"] == (20,),
            "C12": best["visual"] == tuple(range(9, 25)),
            "C13": min(best["linguistic"]) > 12,
        }

    assert all(story_of(corpus.truth).values())
    assert not any(story_of(opposite.truth).values())


def test_a_probe_reads_the_stories(corpus, opposite):
    """And in what a linear probe finds; few clips, so only what is large."""
    corr = {
        c.name: {m: np.array([probe(c, m, k)[0] for k in (0, 6, 20, 24)]) for m in MODALITIES}
        for c in (corpus, opposite)
    }
    paper, other = corr["control"], corr["control-opposite"]
    assert paper["acoustic"].argmax() == 2 and paper["acoustic"][2] - paper["acoustic"][0] > 0.4
    assert np.ptp(paper["linguistic"][1:]) < 0.1 < np.ptp(paper["acoustic"][1:])
    assert all((paper[m][0] < paper[m][2]) for m in MODALITIES)
    assert other["linguistic"].argmax() == 1 and other["linguistic"][3] < other["linguistic"][0]
    assert np.ptp(other["acoustic"]) < 0.02
    assert (np.diff(other["visual"]) > 0).all()


def test_equal_ratios_make_equal_layers():
    corpus = control(profiles={m: [1.5] * 5 for m in MODALITIES})
    for m in MODALITIES:
        _, first = probe(corpus, m, 1)
        for k in range(2, 5):
            assert not np.allclose(means(corpus, m, 1), means(corpus, m, k), atol=0.1)
            np.testing.assert_allclose(probe(corpus, m, k)[1], first, atol=0.01)
    assert corpus.truth["best_layers"] == dict.fromkeys(MODALITIES, (1, 2, 3, 4))


def test_zero_ratios_leave_no_sentiment():
    corpus = control(videos=300, profiles={m: [0.0, 0.0] for m in MODALITIES})
    for m in MODALITIES:
        assert abs(probe(corpus, m, 1)[0]) < 0.1


def test_neighbouring_layers_are_similar_and_distant_ones_less_so(corpus):
    for features in corpus.features.values():
        layers = [features.layers[k].astype(float).ravel() for k in range(9)]
        near = np.mean([np.corrcoef(layers[k], layers[k + 1])[0, 1] for k in range(8)])
        far = np.corrcoef(layers[0], layers[8])[0, 1]
        assert 0.7 < near < 0.95
        assert far < 0.7


def between(values, groups):
    """Share of the variance of (N, D) that lies between groups."""
    total = ((values - values.mean(0)) ** 2).sum()
    index = np.unique(groups, return_inverse=True)[1]
    count = np.bincount(index)
    centre = np.stack([np.bincount(index, column) / count for column in values.T], 1)
    return ((centre[index] - values.mean(0)) ** 2).sum() / total


def test_the_speaker_effect_makes_videos_constant(large):
    table = large.utterances
    no_effect = dict.fromkeys(MODALITIES, 0.0)
    none = control(videos=300, profiles=PROFILES, speaker_effect=no_effect)
    test = large.rows("test", "standard")
    for m, effect in large.truth["speaker_effect"].items():
        with_effect = between(means(large, m, 3), table["speaker"])
        without = between(means(none, m, 3), table["speaker"])
        # Clip noise of variance 1 and frame noise of about 1/12 stand against the offset.
        expected = effect**2 / (effect**2 + 1 + 1 / 12)
        assert with_effect - without == pytest.approx(expected * (1 - without), abs=0.06)
    # So predictions vary less within a video, which is what UEGD-C9 looks at.
    video = table["video"].to_numpy()[test]
    constancy = [between(probe(c, "visual", 3)[1][:, None], video) for c in (none, large)]
    assert constancy[1] - constancy[0] > 0.2


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_the_informative_share_is_kept_in_every_clip(share):
    corpus = control(videos=20, informative_share=share)
    for m in MODALITIES:
        features, informative = corpus.features[m], corpus.truth["informative"][m]
        count = np.add.reduceat(informative.astype(int), features.offsets[:-1])
        expected = np.maximum(1, np.round(share * features.lengths()))
        np.testing.assert_array_equal(count, expected)
        if share == 0.5:  # anywhere in the clip, not at its start
            last = features.offsets[1:] - 1
            assert 0.3 < informative[last].mean() < 0.7


def test_provenance_tells_how_to_make_it_again(corpus):
    settings = json.loads(corpus.features["visual"].provenance["settings"])
    assert same(control(**settings), corpus)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"videos": 7}, "videos must be at least 8"),
        ({"clips": (0, 3)}, "clips must be a range"),
        ({"frames": (5, 4)}, "frames must be a range"),
        ({"profiles": {"visual": [1.0, 1.0]}}, "profiles must name"),
        ({"profiles": {**PROFILES, "visual": []}}, "profile of visual"),
        ({"profiles": {**PROFILES, "visual": [1.0]}}, "two or more layers"),
        ({"profiles": {**PROFILES, "acoustic": [1.0, -1.0]}}, "profile of acoustic"),
        ({"speaker_effect": {**SPEAKER_EFFECT, "visual": -0.1}}, "speaker effect of visual"),
        ({"informative_share": 0.0}, "informative_share"),
        ({"informative_share": 1.1}, "informative_share"),
    ],
)
def test_impossible_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        control(**arguments)
