"""Effects over test videos: contrasts by metric, families of signs, ranges of equal systems."""

import numpy as np
import pytest

from msalib.base import stats
from msalib.base.stats import Estimate
from msalib.evidence import videos
from msalib.runs.query import Runs
from msalib.runs.spec import system
from tests.factory import layer_records

GOOD, BAD = (system({"linguistic": k}) for k in (1, 2))


@pytest.fixture
def runs(monkeypatch):
    monkeypatch.setattr(stats, "RESAMPLES", 200)
    return Runs(layer_records({"linguistic": {1: 0.5, 2: 2.0}}))


def effect(value, p=0.001, half=0.1):
    return Estimate(value, value - half, value + half, p)


def test_a_difference_has_the_sign_of_its_metric_and_a_gain_is_positive(runs):
    difference = videos.differences(runs, GOOD, BAD)
    assert difference["mae"].high < 0 < difference["corr"].low
    gain = videos.gains(runs, [GOOD, BAD], [1, -1])
    assert gain["mae"].low > 0 and gain["corr"] == difference["corr"]
    printed = videos.minus_printed(runs, "mae", GOOD, 0.1)
    (records,) = runs.records(GOOD)
    mae = np.mean([record.metrics["test"]["mae"] for record in records])
    assert printed.effect == pytest.approx(mae - 0.1)


@pytest.mark.parametrize(
    ("effects", "verdict"),
    [
        ({"a": effect(1), "b": effect(2)}, "supported"),
        ({"a": effect(1), "b": effect(-2)}, "contradicted"),
        ({"a": effect(1), "b": effect(-2, p=0.3)}, "inconclusive"),
        ({"a": effect(1, p=0.04), "b": effect(2, p=0.04)}, "inconclusive"),  # 0.08 after Holm
        ({"a": effect(1), "b": effect(np.nan, p=np.nan)}, "inconclusive"),
        ({}, "inconclusive"),
    ],
)
def test_all_effects_must_have_their_sign(effects, verdict):
    assert videos.all_positive(effects) == verdict
    turned = {name: e._replace(effect=-e.effect) for name, e in effects.items()}
    assert videos.all_negative(turned) == verdict
    extra = effects | {"not claimed": effect(-1)}
    assert videos.all_of(extra, dict.fromkeys(effects, 1)) == verdict


@pytest.mark.parametrize(
    ("value", "verdict"), [(0.0, "supported"), (0.15, "inconclusive"), (0.5, "contradicted")]
)
def test_an_interval_lies_within_limits(value, verdict):
    assert videos.within(effect(value), -0.2, 0.2) == verdict
    assert videos.within(effect(-value), -0.2, 0.2) == verdict


def test_the_range_of_equal_systems_is_what_sampling_shows():
    noise = np.random.default_rng(0).normal(0, 0.1, (4000, 6))
    equal, apart = np.full(6, 0.5), np.array([0.5, 0.5, 0.5, 0.5, 0.5, 1.5])
    corrected, ranges = videos.corrected_range(equal, equal + noise)
    assert corrected == pytest.approx(-np.ptp(noise, axis=1).mean())
    assert ranges.mean() == pytest.approx(corrected)
    assert videos.range_of(equal, equal + noise).low == 0
    extent = videos.range_of(apart, apart + noise)
    assert 0.5 < extent.low < extent.effect == 1.0 < extent.high


def test_an_undefined_score_is_never_the_best():
    scores = np.array([[0.1, np.nan, 0.3], [-0.5, np.nan, -0.6]])
    assert videos.best_of(scores).tolist() == [2, 0]
