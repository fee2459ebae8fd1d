"""Units: frames are numbered by their nearest centre, and centres are fitted once and kept."""

import numpy as np
import pytest
from sklearn.cluster import MiniBatchKMeans

from msalib.data.corpus import Features
from msalib.encoders import units

CLIPS, FRAMES, WIDTH = 12, 25, 6


def features(seed: int = 0, **provenance: str) -> Features:
    """Random frames in groups, as a store keeps them: layers 1 and 2 in half precision."""
    rng = np.random.default_rng(seed)
    groups = 3 * rng.normal(size=(20, WIDTH))
    frames = groups[rng.integers(20, size=CLIPS * FRAMES)]
    layers = {k: (frames + rng.normal(size=frames.shape)).astype(np.float16) for k in (1, 2)}
    about = {"encoder": "ramp", "revision": "r1", "fingerprint": "f1"}
    return Features("ramp", "step", layers, np.arange(CLIPS + 1) * FRAMES, about | provenance)


ROWS = np.array([0, 2, 3, 7, 9])


def test_frames_are_numbered_as_scikit_learn_does(tmp_path, monkeypatch):
    monkeypatch.setattr(units, "CHUNK", 70)  # the last part is shorter
    some = features()
    frames = np.concatenate([some.layers[2][FRAMES * n :][:FRAMES] for n in ROWS])
    model = MiniBatchKMeans(9, random_state=0, n_init=3, batch_size=4096)
    model.fit(frames.astype(np.float32))
    centres = units.centres(some, 2, 9, ROWS, tmp_path)
    assert centres.shape == (9, WIDTH) and centres.dtype == np.float32
    np.testing.assert_array_equal(centres, model.cluster_centers_)
    found = units.numbered(some, 2, centres)
    assert found.dtype == np.int16
    expected = model.predict(some.layers[2].astype(np.float32))
    assert found.tolist() == expected.tolist()
    assert len(set(found.tolist())) == 9
    assert units.numbered(some, 1, centres).tolist() != expected.tolist()


def test_centres_are_fitted_once_and_kept(tmp_path, monkeypatch):
    first = units.centres(features(), 1, 5, ROWS, tmp_path)
    (kept,) = tmp_path.iterdir()
    monkeypatch.setattr(units, "_sample", None)  # would fail if called
    np.testing.assert_array_equal(units.centres(features(), 1, 5, ROWS, tmp_path), first)
    assert list(tmp_path.iterdir()) == [kept]


@pytest.mark.parametrize(
    "changes",
    [{"encoder": "slope"}, {"revision": "r2"}, {"fingerprint": "f2"}],
    ids=lambda changes: next(iter(changes)),
)
def test_other_features_have_centres_of_their_own(tmp_path, changes):
    """Two encoders that read the same clips alike differ by their names alone."""
    first = units.centres(features(), 1, 5, ROWS, tmp_path)
    other = units.centres(features(1, **changes), 1, 5, ROWS, tmp_path)
    assert not np.allclose(other, first)
    assert len(list(tmp_path.iterdir())) == 2
    np.testing.assert_array_equal(units.centres(features(), 1, 5, ROWS, tmp_path), first)


def test_another_layer_number_or_choice_of_clips_has_centres_of_its_own(tmp_path):
    for layer, count, rows in ((1, 5, ROWS), (2, 5, ROWS), (1, 6, ROWS), (1, 5, ROWS[1:])):
        units.centres(features(), layer, count, rows, tmp_path)
    assert len(list(tmp_path.iterdir())) == 4


def test_there_are_no_more_clusters_than_frames(tmp_path):
    centres = units.centres(features(), 1, FRAMES + 15, np.array([4]), tmp_path)
    assert centres.shape == (FRAMES, WIDTH)
    assert units.numbered(features(), 1, centres).max() < FRAMES


def test_of_many_frames_every_so_many_th_is_fitted(tmp_path, monkeypatch):
    monkeypatch.setattr(units, "SAMPLE", 40)
    some = features()
    frames = np.concatenate([some.layers[1][FRAMES * n :][:FRAMES] for n in ROWS])
    sample = units._sample(some, 1, ROWS)
    np.testing.assert_array_equal(sample, frames[::4].astype(np.float32))
    assert units.centres(some, 1, 50, ROWS, tmp_path).shape == (len(sample), WIDTH)


def test_a_fit_that_was_killed_leaves_no_centres(tmp_path, monkeypatch):
    def killed(*args, **how):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(np, "save", killed)
        with pytest.raises(KeyboardInterrupt):
            units.centres(features(), 1, 5, ROWS, tmp_path)
    assert list(tmp_path.glob("*.npy")) == []
    assert len(units.centres(features(), 1, 5, ROWS, tmp_path)) == 5
