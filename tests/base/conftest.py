"""Clips of a few videos, and few resamples of them, for the tests of intervals."""

import numpy as np
import pytest

from msalib.base import stats


@pytest.fixture
def few(monkeypatch):
    """So few resamples that each can be made by hand."""
    monkeypatch.setattr(stats, "RESAMPLES", 60)


@pytest.fixture
def data():
    """Labels (N,), predictions of two systems (S, N), videos (N,): 5 videos of 2 to 9 clips."""
    rng = np.random.default_rng(0)
    videos = np.repeat(["e", "a", "d", "b", "c"], [3, 9, 2, 6, 4])
    videos = videos[rng.permutation(len(videos))]  # clips of a video need not be neighbours
    label = rng.normal(size=len(videos))
    a = label + 0.5 * rng.normal(size=(2, len(videos)))
    b = label + rng.normal(size=(2, len(videos)))
    return label, a, b, videos
