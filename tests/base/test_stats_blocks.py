"""Resamples in blocks, and correlations of rounding noise."""

import numpy as np
import pytest

from msalib.base import stats

pytestmark = pytest.mark.usefixtures("few")


@pytest.mark.parametrize("metric", ["mae", "corr"])
def test_systems_and_resamples_in_small_blocks_give_the_same(data, metric, monkeypatch):
    label, a, b, videos = data
    systems = [a, b, a + b, a - b]
    point, resampled = stats.by_resample(stats.SUMS[metric], label, systems, videos)
    assert point.shape == (4, 2) and resampled.shape == (60, 4)
    monkeypatch.setattr(stats, "TOGETHER", 1)
    monkeypatch.setattr(stats, "BLOCK", 7)
    again, drawn = stats.by_resample(stats.SUMS[metric], label, systems, videos)
    assert again == pytest.approx(point, abs=1e-13)
    assert drawn == pytest.approx(resampled, abs=1e-13)
    own = np.stack([label, label, -label, -label])
    theirs, _ = stats.by_resample(stats.SUMS[metric], own, systems, videos)
    assert theirs[:2] == pytest.approx(point[:2]) and abs(theirs[2:] - point[2:]).min() > 1e-3


def test_other_trainings_are_the_same_in_small_blocks(monkeypatch):
    points = np.random.default_rng(0).normal(size=(3, 4))
    drawn = stats.other_trainings(points, 50)
    monkeypatch.setattr(stats, "TOGETHER", 4 * 7)
    assert stats.other_trainings(points, 50) == pytest.approx(drawn, abs=1e-13)


def test_rounding_noise_has_no_correlation_whatever_the_size_of_predictions(data):
    label, a, _, videos = data
    for size in (1e-6, 1.0, 1e6):
        flat, small = size * (1 + 1e-7 * a), size * a
        point, drawn = stats.correlations(label, [flat, small], videos)
        assert np.isnan(point[0]) and np.isnan(drawn[:, 0]).all()
        expected = stats.correlations(label, [a], videos)
        assert point[1] == pytest.approx(expected[0][0])
        assert drawn[:, 1] == pytest.approx(expected[1][:, 0])
    assert np.isnan(stats.correlations(np.ones_like(label), [a], videos)[0]).all()
    _, share = stats.within_videos(1 + 1e-7 * a, videos)
    assert np.isnan(share.seeds).all() and np.isnan(share.resampled).all()
