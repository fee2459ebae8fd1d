"""Gains over seeds: p-values and intervals against scipy, margins, counts of metrics, words."""

import numpy as np
import pytest
from scipy.stats import t, ttest_1samp

from msalib.evidence import seeds

RNG = np.random.default_rng(0)
MARGINS = {"%": 0.5, "": 0.010}
METRICS = ("f1_has0", "acc2_has0", "mae", "corr")


def gains(**means):
    """Gains of five seeds about a mean: points of shares, hundredths of errors."""
    unit = {"mae": 0.01, "corr": 0.01}
    return {
        m: unit.get(m, 1) * (means.get(m, 1.0) + 0.1 * np.array([-1, -0.5, 0, 0.5, 1]))
        for m in METRICS
    }


@pytest.mark.parametrize("side", ["greater", "less"])
@pytest.mark.parametrize("than", [0.0, 0.4])
def test_p_is_that_of_students_test(side, than):
    values = RNG.normal(0.3, 1, 5)
    expected = ttest_1samp(values, than, alternative=side).pvalue
    assert seeds.p_value(values, than, side) == pytest.approx(expected, rel=1e-12)


def test_the_interval_is_students():
    values = RNG.normal(0.3, 1, 4)
    estimate = seeds.over_seeds(values)
    low, high = t.interval(0.95, 3, values.mean(), values.std(ddof=1) / 2)
    assert (estimate.low, estimate.high) == pytest.approx((low, high))
    assert estimate.p == pytest.approx(ttest_1samp(values, 0).pvalue)
    assert estimate.seeds == tuple(values)
    level = seeds.level_over_seeds(values, values.mean(), 1.0)
    assert level.kind == "level" and level.low == values.mean() and level.high <= 1.0


@pytest.mark.parametrize("values", [[0.1, np.nan, 0.2], [0.1, 0.1, 0.1], [0.1]])
def test_without_spread_or_with_an_undefined_seed_there_is_no_p(values):
    assert np.isnan(seeds.p_value(np.array(values)))


def test_errors_are_shown_with_their_own_sign():
    effects = seeds.differences(gains(), "a ")
    assert list(effects) == ["a F1 (has 0), points", "a Acc-2 (has 0), points", "a MAE", "a Corr"]
    assert effects["a MAE"].effect == pytest.approx(-0.01)
    assert effects["a Corr"].effect == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("means", "least", "verdict"),
    [
        ({}, 4, "supported"),
        ({"corr": 0.05}, 4, "inconclusive"),  # better, without p
        ({"corr": 0.05}, 3, "supported"),
        ({"corr": -0.05}, 3, "inconclusive"),
        ({"corr": -1.0}, 3, "contradicted"),
    ],
)
def test_better_in_all_counts_metrics_with_p(means, least, verdict):
    assert seeds.better_in_all([gains(**means)], least=least) == verdict
    assert seeds.better_in_all([gains(), gains(**means)], least=least) == verdict


def test_another_effect_may_contradict():
    assert seeds.better_in_all([gains()], least=4, also=[1e-9]) == "contradicted"


@pytest.mark.parametrize(
    ("f1", "no_worse", "mostly"),
    [
        (1.0, "supported", "supported"),
        (-0.2, "supported", "supported"),
        (-0.48, "inconclusive", "supported"),
        (-2.0, "contradicted", "contradicted"),
    ],
)
def test_losses_within_a_margin(f1, no_worse, mostly):
    judgement = seeds.no_worse(gains(f1_has0=f1), MARGINS)
    assert judgement.verdict == no_worse and "within 0.5 points or 0.010" in judgement.phrases[0]
    judgement = seeds.mostly_better(gains(f1_has0=f1), MARGINS, least=3)
    assert judgement.verdict == mostly
    assert seeds.mostly_better(gains(f1_has0=-0.2), MARGINS, least=4).verdict == "inconclusive"


def test_words():
    assert seeds.tally(gains(corr=-0.05)).startswith("better in 3 of 4, with p below 0.05 in 3 (p:")
    p = seeds.listed({"mae": 0.0499, "another": np.nan, "corr": 1e-5})
    assert p == "MAE 0.050, another none, Corr below 0.001"
