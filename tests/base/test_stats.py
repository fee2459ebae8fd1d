"""Intervals against plain resampling and scipy; error rates by simulation."""

import numpy as np
import pytest
from scipy.stats import binom, bootstrap, ttest_1samp

from msalib.base import stats
from msalib.base.errors import UserError
from msalib.base.stats import Estimate


def resamples(videos):
    """The clips of each resample, drawn as ``video_resamples`` says."""
    counts, _ = stats.video_resamples(videos)
    for drawn in counts:
        times = dict(zip(sorted(set(videos)), drawn, strict=True))
        yield np.repeat(np.arange(len(videos)), [int(times[video]) for video in videos])


def corr(label, systems, clips=slice(None)):
    return np.mean([np.corrcoef(label[clips], x[clips])[0, 1] for x in systems])


# --- estimates ----------------------------------------------------------------------------------


def test_videos_are_drawn_with_replacement_and_always_alike(data):
    *_, videos = data
    counts, number = stats.video_resamples(videos)
    assert counts.shape == (stats.RESAMPLES, 5)
    assert (counts.sum(1) == 5).all()
    assert counts.mean(0) == pytest.approx(1, abs=0.05)
    assert counts.var(0) == pytest.approx(0.8, abs=0.05)  # multinomial
    assert [sorted(set(videos))[n] for n in number] == videos.tolist()
    again, _ = stats.video_resamples(videos)
    np.testing.assert_array_equal(again, counts)


def test_the_difference_of_errors_equals_plain_resampling(data, few):
    label, a, b, videos = data
    a, b = a[:1], b[:1]  # of several seeds, the interval covers more than resampling

    def difference(clips):
        return np.mean([np.mean([abs(x[i] - label[i]) for x in a]) for i in clips]) - np.mean(
            [np.mean([abs(x[i] - label[i]) for x in b]) for i in clips]
        )

    found = stats.mae_difference(label, a, b, videos)
    drawn = [difference(clips) for clips in resamples(videos)]
    assert found.effect == pytest.approx(difference(range(len(label))))
    assert found.low == pytest.approx(np.quantile(drawn, 0.025))
    assert found.high == pytest.approx(np.quantile(drawn, 0.975))


def test_correlations_from_sums_equal_numpys(data, few):
    label, a, b, videos = data
    point, drawn = stats.correlations(label, [a, b], videos)
    assert point == pytest.approx([corr(label, a), corr(label, b)])
    assert drawn.shape == (60, 2)
    for row, clips in zip(drawn, resamples(videos), strict=True):
        assert row == pytest.approx([corr(label, a, clips), corr(label, b, clips)])


def test_the_difference_of_correlations_is_paired(data, few):
    label, a, b, videos = data
    a, b = a[:1], b[:1]
    found = stats.corr_difference(label, a, b, videos)
    drawn = [corr(label, a, clips) - corr(label, b, clips) for clips in resamples(videos)]
    assert found.effect == pytest.approx(corr(label, a) - corr(label, b))
    assert [found.low, found.high] == pytest.approx(np.quantile(drawn, [0.025, 0.975]))


def test_correlations_far_from_zero_keep_their_precision(data):
    label, a, _, videos = data
    point, _ = stats.correlations(label + 100, [a + 100], videos)
    assert point[0] == pytest.approx(corr(label, a), abs=1e-9)


def test_with_one_clip_per_video_it_is_the_ordinary_bootstrap():
    rng = np.random.default_rng(1)
    label = rng.normal(size=40)
    a, b = label + rng.normal(size=(2, 1, 40)), label + 1.3 * rng.normal(size=(2, 1, 40))
    found = stats.mae_difference(label, a[0], b[0], np.arange(40))
    errors = (np.abs(a[0] - label) - np.abs(b[0] - label))[0]
    theirs = bootstrap(
        (errors,), np.mean, method="percentile", n_resamples=10_000, rng=rng
    ).confidence_interval
    width = theirs.high - theirs.low
    assert [found.low, found.high] == pytest.approx([theirs.low, theirs.high], abs=0.03 * width)
    paired = stats.corr_difference(label, a[0], b[0], np.arange(40))
    theirs = bootstrap(
        (label, a[0, 0], b[0, 0]),
        lambda y, x, z: np.corrcoef(y, x)[0, 1] - np.corrcoef(y, z)[0, 1],
        method="percentile",
        paired=True,
        vectorized=False,
        n_resamples=3000,
        rng=rng,
    ).confidence_interval
    width = theirs.high - theirs.low
    assert [paired.low, paired.high] == pytest.approx([theirs.low, theirs.high], abs=0.06 * width)


def test_clips_that_repeat_their_video_widen_the_interval():
    """25 equal clips per video tell no more than one: the naive interval is 5 times too narrow."""
    rng = np.random.default_rng(0)
    label, a, b = (np.repeat(rng.normal(size=(1, 30)), 25, axis=1) for _ in range(3))
    videos = np.repeat(np.arange(30), 25)
    clustered = stats.mae_difference(label[0], a, b, videos)
    naive = stats.mae_difference(label[0], a, b, np.arange(750))
    once = stats.mae_difference(label[0, ::25], a[:, ::25], b[:, ::25], np.arange(30))
    ratio = (clustered.high - clustered.low) / (naive.high - naive.low)
    assert ratio == pytest.approx(5, abs=0.4)
    assert clustered[:4] == pytest.approx(once[:4])


def test_effects_of_seeds_are_paired_and_average_to_the_effect(data):
    label, a, b, videos = data
    mae = stats.mae_difference(label, a, b, videos)
    assert mae.seeds == pytest.approx(
        [np.abs(x - label).mean() - np.abs(y - label).mean() for x, y in zip(a, b, strict=True)]
    )
    found = stats.corr_difference(label, a, b, videos)
    assert found.seeds == pytest.approx(
        [corr(label, [x]) - corr(label, [y]) for x, y in zip(a, b, strict=True)]
    )
    assert found.effect == pytest.approx(np.mean(found.seeds))


def test_weights_make_slopes_and_differences_of_differences(data):
    label, a, b, videos = data
    seeds, drawn = stats.contrast("corr", label, [a, b, a + 1, b], [1, -1, 0.5, 0.5], videos)
    point, resampled = stats.correlations(label, [a, b], videos)
    assert seeds.mean() == pytest.approx(1.5 * point[0] - 0.5 * point[1])
    assert drawn == pytest.approx(resampled @ [1.5, -0.5])


def test_means_equal_plain_resampling(data, few):
    _, a, _, videos = data
    point, drawn = stats.means(a, videos)
    assert point == pytest.approx(a.mean(1))
    for row, clips in zip(drawn, resamples(videos), strict=True):
        assert row == pytest.approx(a[:, clips].mean(1))


def test_variance_within_videos_equals_plain_resampling(data, few):
    """A video that is drawn twice counts as two: about its own mean, in either case."""
    _, a, _, videos = data
    within, share = stats.within_videos(a, videos)
    total, around = stats.variances(a, videos)
    assert within.seeds == pytest.approx(around)
    assert share.seeds == pytest.approx(around / total)
    for n, clips in enumerate(resamples(videos)):
        total, around = stats.variances(a[:, clips], videos[clips])
        assert within.resampled[n] == pytest.approx(around.mean())
        assert share.resampled[n] == pytest.approx((around / total).mean())
    constant, undefined = stats.within_videos(np.full_like(a, 0.1), videos)
    assert constant.seeds == pytest.approx(0, abs=1e-12) and np.isnan(undefined.seeds).all()


@pytest.mark.parametrize(
    ("a", "b", "delta"),
    [([3, 4], [1, 2], 1), ([1, 2], [3, 4], -1), ([1, 3], [2], 0), ([1], [1], 0)],
)
def test_cliffs_delta(a, b, delta):
    assert stats.cliffs_delta(np.array(a), np.array(b)) == delta


def test_where_only_training_varies_the_interval_is_students():
    seeds = np.array([0.1, 0.3, 0.2, 0.5, 0.15])
    found = stats.estimate(seeds, np.full(10_000, seeds.mean()))
    theirs = ttest_1samp(seeds, 0)
    expected = theirs.confidence_interval(0.95)
    width = expected.high - expected.low
    assert [found.low, found.high] == pytest.approx(list(expected), abs=0.05 * width)
    assert found.p == pytest.approx(theirs.pvalue, abs=0.01)


def test_seeds_that_agree_add_nothing():
    drawn = np.random.default_rng(0).normal(size=1000)
    same = stats.estimate(np.full(5, 0.3), drawn)
    assert same[:4] == stats.estimate(0.3, drawn)[:4]


def test_the_luck_of_training_is_not_taken_for_an_effect(monkeypatch):
    """Many clips, five trainings of uneven luck each, no effect: five in a hundred differ."""
    monkeypatch.setattr(stats, "RESAMPLES", 500)
    rng = np.random.default_rng(2)
    videos = np.repeat(np.arange(60), 20)
    wrong = 0
    for _ in range(200):
        label = rng.normal(size=1200)
        luck = rng.uniform(0.5, 1.0, size=(2, 5, 1))
        a, b = label + luck * rng.normal(size=(2, 5, 1200))
        found = stats.mae_difference(label, a, b, videos)
        wrong += not found.low <= 0 <= found.high
    assert wrong <= binom(200, 0.05).ppf(0.995)


def test_p_agrees_with_the_interval():
    rng = np.random.default_rng(0)
    for shift in (0.0, 1.5, 1.9, 2.1, 2.5, -2.1, -1.9):
        drawn = shift + rng.normal(size=10_000)
        found = stats.estimate(shift, drawn)
        assert (found.p < 0.05) == (found.low > 0 or found.high < 0)
        assert 0 < found.p <= 1


def test_equal_systems_do_not_differ(data):
    label, a, _, videos = data
    for test in (stats.mae_difference, stats.corr_difference):
        assert test(label, a, a, videos) == Estimate(0, 0, 0, 1, seeds=(0, 0))


def test_fewer_than_two_videos_are_refused(data):
    label, a, b, _ = data
    one = np.full(len(label), "only")
    for test in (stats.mae_difference, stats.corr_difference):
        with pytest.raises(UserError, match="found 1 video; expected at least two videos"):
            test(label, a, b, one)
    with pytest.raises(UserError, match="found 0 videos; "):
        stats.video_resamples(np.array([]))


def test_a_constant_prediction_has_no_correlation(data):
    label, a, b, videos = data
    constant = np.full_like(a, 0.1)
    point, drawn = stats.correlations(label, [constant, b], videos)
    assert np.isnan(point[0]) and np.isnan(drawn[:, 0]).all()
    assert np.isfinite(point[1]) and np.isfinite(drawn[:, 1]).all()
    one_seed = np.vstack([a[:1], constant[:1]])
    assert np.isnan(stats.correlations(label, [one_seed], videos)[0][0])
    found = stats.corr_difference(label, constant, b, videos)
    assert all(np.isnan([found.effect, found.low, found.high]))
    assert stats.differ_from_zero([found]) == [False]
    assert np.isnan(found.p)
    assert np.isfinite(stats.mae_difference(label, constant, b, videos)[:4]).all()


# --- families -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("p", "differs"),
    [
        ([0.04], [True]),
        ([0.06], [False]),
        ([0.01, 0.04], [True, True]),  # 0.01 < 0.05 / 2, then 0.04 < 0.05
        ([0.04, 0.01], [True, True]),
        ([0.03, 0.04], [False, False]),  # 0.03 > 0.05 / 2 ends it
        ([0.01, 0.2], [True, False]),
        ([0.015, 0.02, 0.03], [True, True, True]),
        ([0.015, 0.03, 0.02], [True, True, True]),
        ([0.02, 0.02, 0.02], [False, False, False]),
    ],
)
def test_holm(p, differs):
    assert stats.holm(p) == differs
    assert stats.differ_from_zero([Estimate(1, 0, 2, value) for value in p]) == differs


def test_holm_by_hand():
    """Five hypotheses at 5%: 0.05 / 5, / 4, / 3 hold, 0.03 > 0.05 / 2 ends it, also for 0.04."""
    assert stats.holm([0.03, 0.009, 0.04, 0.012, 0.0166]) == [False, True, False, True, True]
    assert stats.holm([0.09, 0.04], level=0.1) == [True, True]


@pytest.mark.parametrize("size", range(1, 40, 3))
def test_holm_lies_between_bonferroni_and_no_correction(size):
    rng = np.random.default_rng(size)
    for scale in (0.01, 0.1, 1.0):
        p = rng.uniform(0, scale, size)
        rejected = np.array(stats.holm(p))
        assert rejected[p <= stats.LEVEL / size].all() and not rejected[p > stats.LEVEL].any()
        order = rng.permutation(size)
        assert stats.holm(p[order]) == rejected[order].tolist()
        largest = p[rejected].max(initial=0)  # it rejects the smallest, so many as the rule says
        assert (p[~rejected] > largest).all()
        assert largest <= stats.LEVEL / (size - rejected.sum() + 1)
        assert stats.holm(p / 2) >= stats.holm(p)
        # Again without what was rejected: nothing more is.
        assert not any(stats.holm(p[~rejected]))


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (81, 263, 0.2553, 0.3662)],  # Newcombe (1998)
)
def test_wilson(count, of, low, high):
    assert stats.wilson(count, of) == pytest.approx((low, high), abs=5e-5)


def test_a_resample_of_one_clip_only_leaves_a_correlation_undefined_not_wrong():
    """Of three videos, one has a single clip and is drawn alone now and then."""
    rng = np.random.default_rng(0)
    label, a, b = rng.normal(size=(3, 9))
    videos = np.repeat(["a", "b", "c"], [1, 4, 4])
    found = stats.corr_difference(label, a[None], b[None], videos)
    assert np.isfinite(found.effect) and np.isnan([found.low, found.high]).all()


def test_nothing_is_decided_in_a_family_with_an_undefined_effect():
    nan = float("nan")
    family = [Estimate(1, 0.5, 2, 1e-4), Estimate(nan, nan, nan, 1e-4)]
    assert stats.differ_from_zero(family) == [False, False]
    assert stats.holm([1e-4, nan]) == [True, False]
    assert stats.holm([0.03, nan]) == [False, False]  # it is one of the family
    assert stats.holm([]) == stats.differ_from_zero([]) == []


# --- error rates --------------------------------------------------------------------------------

VIDEOS = np.repeat(np.arange(31), 12)  # as many videos as the test part of CMU-MOSI has
RUNS = 500


def exchangeable(rng):
    """Labels and the predictions of two systems of one seed whose errors have one distribution,
    in part shared by the clips of a video."""
    label = rng.normal(size=len(VIDEOS))
    noise = rng.normal(size=(2, 1, len(VIDEOS)))
    shared = rng.normal(size=(2, 1, 31))[..., VIDEOS]
    return label, *(label + noise + shared)


@pytest.mark.parametrize("test", [stats.mae_difference, stats.corr_difference])
def test_systems_that_do_not_differ_are_told_apart_as_rarely_as_promised(monkeypatch, test):
    """Each system is as good as the other, so an interval without zero is an error, and an
    interval with it covers the truth. (In the long run it is 6%: percentiles of 31 videos are a
    little too narrow.)
    """
    monkeypatch.setattr(stats, "RESAMPLES", 1000)
    rng = np.random.default_rng(0)
    below = above = 0
    for _ in range(RUNS):
        found = test(*exchangeable(rng), VIDEOS)
        below += found.high < 0
        above += found.low > 0
    assert below + above <= binom.ppf(0.999, RUNS, 0.05)
    assert max(below, above) <= binom.ppf(0.999, RUNS, 0.025)
    assert below + above >= binom.ppf(0.001, RUNS, 0.05)  # nor is it blunt


def test_a_naive_bootstrap_over_clips_would_not_keep_that_promise(monkeypatch):
    monkeypatch.setattr(stats, "RESAMPLES", 300)
    rng = np.random.default_rng(0)
    clips = np.arange(len(VIDEOS))
    found = [stats.mae_difference(*exchangeable(rng), clips) for _ in range(100)]
    assert sum(e.high < 0 or e.low > 0 for e in found) > binom.ppf(0.999, 100, 0.05)


def test_systems_that_differ_are_told_apart(monkeypatch):
    monkeypatch.setattr(stats, "RESAMPLES", 1000)
    rng = np.random.default_rng(0)
    for _ in range(20):
        label, a, b = exchangeable(rng)
        a = label + 0.5 * (a - label)
        assert stats.mae_difference(label, a, b, VIDEOS).high < 0
        assert stats.corr_difference(label, a, b, VIDEOS).low > 0
