import json

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from msalib.data import datasets
from msalib.data.corpus import MODALITIES, PARTS
from msalib.data.simulate.pieces import DIRECTIONS, LAYERS, SIZES, STORIES, pieces
from msalib.runs import names
from msalib.runs.inputs import Inputs

NAMES = tuple(STORIES)


@pytest.fixture(scope="module")
def local():
    return pieces("control-local")


@pytest.fixture(scope="module")
def opposite():
    return pieces("control-local-opposite")


@pytest.fixture(scope="module", params=NAMES)
def either(request, local, opposite):
    return {"control-local": local, "control-local-opposite": opposite}[request.param]


def mean(corpus, modality, layer=1, of=None):
    """Return features averaged over the frames of each clip for which ``of`` (S,) is true."""
    features = corpus.features[modality]
    frames = features.layers[layer].astype(float)
    chosen = np.ones(len(frames)) if of is None else of.astype(float)
    starts = features.offsets[:-1]
    total = np.add.reduceat(frames * chosen[:, None], starts)
    return total / np.add.reduceat(chosen, starts)[:, None]


def burst(corpus, modality, layer=1):
    return mean(corpus, modality, layer, corpus.truth["informative"][modality])


def first(corpus, modality, layer=1):
    features = corpus.features[modality]
    return features.layers[layer][features.offsets[:-1]].astype(float)


def read(corpus, x, y, among=None):
    """Test correlation of a ridge regression of y (N,) on x (N, D), for the clips ``among``."""
    among = np.ones(len(y), bool) if among is None else among
    train, test = (rows[among[rows]] for rows in (corpus.rows(p, "standard") for p in PARTS[::2]))
    return np.corrcoef(y[test], Ridge(alpha=10).fit(x[train], y[train]).predict(x[test]))[0, 1]


def recognised(corpus, x, marked):
    """Share of test clips whose mark (N,) a logistic regression tells from x (N, D)."""
    train, test = corpus.rows("train", "standard"), corpus.rows("test", "standard")
    model = LogisticRegression(max_iter=1000).fit(x[train], marked[train])
    return (model.predict(x[test]) == marked[test]).mean()


# --- clips --------------------------------------------------------------------------------------


def test_the_seed_decides_everything(either):
    again, other = pieces(either.name), pieces(either.name, 1)
    assert again.fingerprint() == either.fingerprint() != other.fingerprint()
    for m in MODALITIES:
        for k, frames in either.features[m].layers.items():
            np.testing.assert_array_equal(again.features[m].layers[k], frames)
        np.testing.assert_array_equal(again.truth["kind"][m], either.truth["kind"][m])


def test_provenance_tells_how_to_make_it_again(either):
    settings = json.loads(either.features["linguistic"].provenance["settings"])
    assert pieces(**settings).fingerprint() == either.fingerprint()
    small = pieces(either.name, videos=20, clips=(2, 3))
    assert set(small.utterances.groupby("video").size()) == {2, 3}
    with pytest.raises(KeyError, match="control-remote"):
        pieces("control-remote")


def test_the_stories_share_clips_and_sentiment(local, opposite):
    assert local.fingerprint() != opposite.fingerprint()
    assert local.splits["standard"].equals(opposite.splits["standard"])
    for m in MODALITIES:
        one, other = local.truth["sentiment"][m], opposite.truth["sentiment"][m]
        np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(local.features[m].offsets, opposite.features[m].offsets)


def test_sizes_and_lengths(either):
    split, video = either.splits["standard"], either.utterances["video"]
    counts = split.value_counts()
    for part, clips in zip(PARTS, (600, 150, 300), strict=True):
        assert abs(counts[part] - clips) < 25
    assert split[~video[split.index].duplicated()].eq("test").sum() >= 10
    lengths = either.features["visual"].lengths()
    assert (lengths.min(), lengths.max()) == (6, 24) and abs(lengths.mean() - 14) < 0.5
    for m, features in either.features.items():
        np.testing.assert_array_equal(features.lengths(), lengths)
        assert features.blocks == tuple(range(1, LAYERS[m] + 1))
        for frames in features.layers.values():
            assert frames.shape == (lengths.sum(), SIZES[m]) and frames.dtype == np.float16
            assert np.isfinite(frames).all()
    assert len(either.features["linguistic"].blocks) == 2


def test_the_split_keeps_videos_and_speakers_in_one_part(either):
    table, split = either.utterances, either.splits["standard"]
    for group in ("video", "speaker"):
        assert (split.groupby(table[group]).nunique() == 1).all()


def test_labels_are_what_annotators_make_of_the_weighted_sentiment(either):
    label, truth = either.utterances["label"], either.truth
    assert label.between(-3, 3).all() and 1.2 < label.std() < 1.7
    np.testing.assert_allclose(label * 5, (label * 5).round(), atol=1e-9)
    overall = sum(truth["weights"][m] * truth["sentiment"][m] for m in MODALITIES)
    np.testing.assert_allclose(truth["overall"], overall)
    assert sum(truth["weights"].values()) == pytest.approx(1)
    assert np.corrcoef(overall, label)[0, 1] > 0.97


# --- what is planted ----------------------------------------------------------------------------


def test_truth_states_what_is_planted(local, opposite):
    numbers = ("steps", "kinds", "unreliable_share", "burst_mark", "kind_mark", "unreliable_mark")
    assert [local.truth[name] for name in numbers[:3]] == [3, 3, 1.0]
    assert all(local.truth[name] > 0 for name in numbers[3:])
    assert [opposite.truth[name] for name in numbers] == [None, 1, 0.0, 0, 0, 0]
    assert local.truth["ratio"] == opposite.truth["ratio"] > 0
    weights = local.truth["weights"]
    assert weights["linguistic"] > weights["visual"] > weights["acoustic"]
    assert len(set(opposite.truth["weights"].values())) == 1


def test_a_burst_is_three_frames_in_a_row_at_a_random_place_after_the_first(local, opposite):
    for m in MODALITIES:
        lengths, starts = local.features[m].lengths(), local.features[m].offsets[:-1]
        informative = local.truth["informative"][m]
        place = np.arange(len(informative)) - np.repeat(starts, lengths)
        inside = place[informative].reshape(-1, 3)  # a clip a row
        assert (np.diff(inside) == 1).all() and (inside[:, 0] >= 1).all()
        relative = (inside[:, 0] - 1) / np.maximum(1, lengths - 4)
        assert (np.histogram(relative, 4, (0, 1))[0] / len(lengths) > 0.15).all()
        assert relative.min() == 0 and relative.max() == 1
        assert opposite.truth["informative"][m].all()
    one, other = (local.truth["informative"][m] for m in MODALITIES[:2])
    assert (one == other).mean() < 0.9


def test_kinds_are_equally_many_and_no_direction_serves_all(local, opposite):
    for m in MODALITIES:
        counts = np.bincount(local.truth["kind"][m], minlength=4)
        assert counts[0] == 0 and np.ptp(counts[1:]) <= 1
        assert len(set(opposite.truth["kind"][m])) == 1
    assert not DIRECTIONS[[0, 2]].sum(0).any() and not DIRECTIONS[1] @ DIRECTIONS[0]


def test_every_clip_has_one_unreliable_modality(local, opposite):
    unreliable = local.truth["unreliable"]
    assert (sum(unreliable[m].astype(int) for m in MODALITIES) == 1).all()
    for m in MODALITIES:
        assert unreliable[m].mean() == pytest.approx(1 / 3, abs=0.01)
        shown, meant = local.truth["shown"][m], local.truth["sentiment"][m]
        np.testing.assert_array_equal(shown[~unreliable[m]], meant[~unreliable[m]])
        assert abs(np.corrcoef(shown[unreliable[m]], meant[unreliable[m]])[0, 1]) < 0.15
        assert not opposite.truth["unreliable"][m].any()
        np.testing.assert_array_equal(opposite.truth["shown"][m], opposite.truth["sentiment"][m])


@pytest.mark.parametrize("modality", MODALITIES)
def test_who_knows_the_kind_reads_the_burst_and_a_linear_map_does_not(local, modality):
    shown, kind = local.truth["shown"][modality], local.truth["kind"][modality]
    for k in local.features[modality].blocks:
        x = burst(local, modality, k)
        assert min(read(local, x, shown, kind == q) for q in (1, 2, 3)) > 0.75
        assert read(local, x, shown) < 0.55
        # Nor does it read the two kinds of opposite signs, together.
        assert abs(read(local, x, shown, kind != 2)) < 0.25


@pytest.mark.parametrize("modality", MODALITIES)
def test_means_and_first_frames_say_little_in_the_story_and_all_in_the_opposite(
    local, opposite, modality
):
    for k in local.features[modality].blocks:
        meant = local.truth["sentiment"][modality]
        assert read(local, mean(local, modality, k), meant) < 0.35
        assert abs(read(local, first(local, modality, k), meant)) < 0.25
        assert read(opposite, mean(opposite, modality, k), meant) > 0.8
        assert read(opposite, first(opposite, modality, k), meant) > 0.7


@pytest.mark.parametrize("modality", MODALITIES)
def test_what_is_outside_the_burst_tells_an_unreliable_modality_and_the_burst_does_not(
    local, modality
):
    marked = local.truth["unreliable"][modality]
    for k in local.features[modality].blocks:
        assert recognised(local, mean(local, modality, k), marked) > 0.8
        assert recognised(local, first(local, modality, k), marked) > 0.8
        assert recognised(local, burst(local, modality, k), marked) < 0.72  # 2/3 are reliable


def test_two_layers_of_text_say_the_same_in_other_words(local):
    """They agree frame by frame as far as their noise allows, and clip by clip more."""
    one, two = (local.features["linguistic"].layers[k].astype(float) for k in (1, 2))
    assert 0.3 < np.corrcoef(one.ravel(), two.ravel())[0, 1] < 0.9
    shown, kind = local.truth["shown"]["linguistic"], local.truth["kind"]["linguistic"]
    both = np.concatenate([burst(local, "linguistic", k) for k in (1, 2)], 1)
    alone = burst(local, "linguistic", 1)
    gain = [read(local, both, shown, kind == q) - read(local, alone, shown, kind == q) for q in
            (1, 2, 3)]  # fmt: skip
    assert np.mean(gain) > 0


# --- as a data set ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_runs_read_it_by_its_name(name):
    inputs = Inputs("uegd", dataset=name)
    assert inputs.setting.startswith(f"{names.data(name)}; ")
    assert inputs.last_layers == {"visual": 1, "acoustic": 1, "linguistic": 2}
    assert datasets.load(name).fingerprint() == inputs.fingerprint
    (batch,) = inputs.corpus.examples(np.arange(4), inputs=inputs.last_layers).batches(4)
    assert batch.features["linguistic"].shape[1] == SIZES["linguistic"]
