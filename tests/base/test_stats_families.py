"""Partial conjunction against brute force, one-sided p-values, other trainings of many scores."""

from itertools import combinations

import numpy as np
import pytest
from scipy.stats import kstest
from scipy.stats import t as student

from msalib.base import stats

NAN = float("nan")


@pytest.mark.parametrize("size", [1, 2, 5, 8])
def test_partial_conjunction_is_the_largest_p_of_all_intersections(size):
    """Fewer than k effects exist only if some n - k + 1 hypotheses are all true: the worst of them,
    each by Bonferroni."""
    rng = np.random.default_rng(size)
    for _ in range(20):
        p = rng.uniform(0, 0.3, size)
        for least in range(1, size + 1):
            count = size - least + 1
            worst = max(count * min(subset) for subset in combinations(p, count))
            assert stats.partial_conjunction(p, least) == pytest.approx(min(1, worst))


def test_partial_conjunction_at_its_ends_is_bonferroni_and_the_largest_p():
    p = [0.01, 0.2, 0.03]
    assert stats.partial_conjunction(p, 1) == pytest.approx(0.03)
    assert stats.partial_conjunction(p, 3) == 0.2
    assert stats.partial_conjunction([0.01, NAN], 1) == pytest.approx(0.02)
    assert stats.partial_conjunction([0.01, NAN], 2) == 1
    for least in (0, 4):
        with pytest.raises(ValueError, match="least must be from 1 to 3"):
            stats.partial_conjunction(p, least)


def test_partial_conjunction_keeps_its_level_where_k_minus_1_effects_are_huge_and_all_depend():
    rng = np.random.default_rng(0)
    wrong = 0
    for _ in range(2000):
        shared = rng.normal()
        z = np.sqrt(0.7) * shared + np.sqrt(0.3) * rng.normal(size=6)
        z[:3] += 10  # three effects exist, and four are claimed
        wrong += stats.partial_conjunction(student.sf(z, 1e6), 4) <= 0.05
    assert 0 < wrong <= 2000 * 0.05


def test_one_sided_p_values_agree_with_the_two_sided_one():
    rng = np.random.default_rng(0)
    for shift in (-2, -0.3, 0, 1.5):
        drawn = shift + rng.normal(size=4000)
        two_sided = stats.estimate(shift, drawn).p
        assert two_sided == min(1, 2 * min(stats.p_above(drawn), stats.p_below(drawn)))
        assert stats.p_above(drawn, 0.4) == stats.p_above(drawn - 0.4)
        assert stats.p_below(drawn, 0.4) == stats.p_below(drawn - 0.4)
    assert np.isnan([stats.p_above(np.array([1, NAN])), stats.p_below(np.array([1, NAN]))]).all()


def test_other_trainings_of_several_scores_spread_as_each_contrast_does_alone():
    points = np.random.default_rng(0).normal(size=(3, 5))
    drawn = stats.other_trainings(points, 20_000)
    assert drawn.shape == (20_000, 3)
    for weights in ([1, 0, 0], [1, -1, 0], [0.2, 0.3, -0.5]):
        seeds = np.array(weights) @ points
        error = seeds.std(ddof=1) / np.sqrt(5)
        assert kstest(drawn @ weights / error, student(4).cdf).pvalue > 1e-3
        assert stats.with_trainings(seeds, np.zeros(20_000)).std() == pytest.approx(
            (drawn @ weights).std(), rel=0.05
        )


def test_one_training_says_nothing_of_others():
    assert not stats.other_trainings(np.ones((2, 1)), 7).any()
    np.testing.assert_array_equal(stats.with_trainings(0.3, np.arange(4.0)), np.arange(4.0))
    np.testing.assert_array_equal(
        stats.with_trainings(np.array([0.3]), np.arange(4.0)), np.arange(4.0)
    )
