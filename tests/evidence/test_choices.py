"""Choices on validation: shares of resamples, and gains of choosing beside the choice as made."""

from functools import partial

import numpy as np
import pytest
from scipy.stats import norm
from scipy.stats import t as student

from msalib.base import stats
from msalib.evidence import arms
from msalib.evidence.choices import (
    Term,
    best_over_best,
    choose,
    effect_of_choosing,
    most_often_chosen,
)
from msalib.runs.query import Runs
from tests.evidence.planted_arms import FOUR, planted, runs_of

W, X, Y, Z = (arm.system for arm in FOUR)
TWO = ("mae", "corr")


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(stats, "RESAMPLES", 1000)


def test_the_best_system_by_far_is_always_chosen():
    runs = runs_of(0.5, 1.5, 1.2)
    judged = most_often_chosen(runs, W, [X, Y])
    assert judged.verdict == "supported"
    assert "chooses linguistic-1; in resamples linguistic-1 in 100%" in judged.note
    assert "12 videos" in judged.note and "validation" in judged.note
    assert [e.effect > 0 for e in judged.effects.values()] == [True, True]
    assert most_often_chosen(runs, X, [W, Y]).verdict == "contradicted"


def test_equal_systems_share_the_choice():
    runs = runs_of(1.0, 1.0, 1.0, shared=0.2)
    words = [most_often_chosen(runs, s, [o for o in (W, X, Y) if o != s]) for s in (W, X, Y)]
    assert {judged.verdict for judged in words} == {"inconclusive"}
    assert len({judged.note for judged in words}) == 1  # the same choice, whoever is claimed


def test_the_rule_may_be_another_metric_than_that_of_the_task():
    records = planted(0.8, 1.0)
    shifted = [  # the first errs by an offset, which a correlation does not see
        r.model_copy(
            update={
                "predictions": {
                    part: clips.model_copy(update={"prediction": [x + 3 for x in clips.prediction]})
                    for part, clips in r.predictions.items()
                }
            }
        )
        for r in records[:5]
    ]
    runs = Runs(shifted + records[5:])
    assert most_often_chosen(runs, W, [X]).verdict == "supported"
    assert most_often_chosen(runs, W, [X], by="mae").verdict == "contradicted"


def test_few_validation_videos_widen_the_interval_as_students_t_does():
    runs = runs_of(1.0, 1.3, shared=1.0, videos=14)  # equal trainings add nothing
    label, videos = runs.truth("valid")
    plain = stats.corr_difference(label, *runs.predictions("valid", W, X), videos)
    (effect,) = most_often_chosen(runs, W, [X]).effects.values()
    assert effect.effect == pytest.approx(plain.effect)
    factor = np.sqrt(7 / 6) * student(6).ppf(0.975) / norm.ppf(0.975)
    assert effect.high - effect.low == pytest.approx(factor * (plain.high - plain.low))


def test_the_best_of_one_is_itself_and_its_gain_that_of_the_pair():
    runs = runs_of(0.5, 1.5)
    judged = best_over_best(runs, [W], [X], metrics=TWO)
    assert judged.verdict == "supported"
    gain = arms.gains(runs, FOUR[0], FOUR[1], ["mae"])["mae"].estimate()
    assert judged.effects["choice as made, gain in MAE"] == gain
    choosing = judged.effects["choosing, gain in MAE"]
    assert choosing.effect == pytest.approx(gain.effect, abs=0.01)
    assert choosing.high - choosing.low == pytest.approx(gain.high - gain.low, rel=0.15)
    assert best_over_best(runs, [X], [W], metrics=TWO).verdict == "contradicted"


def test_an_unsure_choice_costs_certainty():
    """Two systems whose order on validation is a coin's throw, and on test is not: choosing gains
    less than the choice as made if that one was lucky, and its interval is wider."""
    records = planted(1.0, 1.0, 1.0, shared=0.2, seed=3)
    better = planted(0.5, 1.0, 1.0, shared=0.2, seed=3)
    mixed = []  # the first system is better on test only
    for plain, good in zip(records, better, strict=True):
        parts = {"valid": plain.predictions["valid"], "test": good.predictions["test"]}
        mixed.append(plain.model_copy(update={"predictions": parts}))
    runs = Runs(mixed)
    judged = best_over_best(runs, [W, X], [Y], metrics=["mae"])
    made = judged.effects["choice as made, gain in MAE"]
    choosing = judged.effects["choosing, gain in MAE"]
    assert choosing.high - choosing.low > made.high - made.low
    best = arms.gains(runs, FOUR[0], FOUR[2], ["mae"])["mae"].estimate().effect
    other = arms.gains(runs, FOUR[1], FOUR[2], ["mae"])["mae"].estimate().effect
    assert min(best, other) < choosing.effect < max(best, other)


def test_a_gain_of_choosing_may_be_too_small():
    runs = runs_of(0.5, 1.5)
    judged = best_over_best(runs, [W], [X], metrics=TWO, least={"mae": 5.0})
    assert judged.verdict == "inconclusive" and "MAE 5" in judged.note


@pytest.mark.parametrize(
    "test",
    [
        lambda runs: most_often_chosen(runs, W, [X]),
        lambda runs: best_over_best(runs, [W], [X], metrics=TWO),
    ],
)
def test_below_the_minimum_there_is_no_verdict(test):
    judged = test(runs_of(0.5, 1.0, seeds=4))
    assert judged.verdict == "not run" and "5 seeds" in judged.note
    assert test(runs_of(0.5)).verdict == "not run"


@pytest.mark.parametrize("same_videos", [True, False])
def test_validation_and_test_videos_are_drawn_apart_unless_they_are_the_same(
    monkeypatch, same_videos
):
    """Both parts have the same predictions here. Drawn together, which is right for the same
    videos, a system that is lucky on validation is lucky on test, too."""
    records = []
    for r in planted(1.0, 1.0, 1.0, shared=0.0, videos=10, seed=1):
        test = r.predictions["test"]
        others = (
            test
            if same_videos
            else test.model_copy(update={"video": [*map(str.upper, test.video)]})
        )
        records.append(r.model_copy(update={"predictions": {"valid": others, "test": test}}))
    runs = Runs(records)
    monkeypatch.setattr(stats, "other_trainings", lambda points, n: np.zeros((n, len(points))))
    judged = best_over_best(runs, [W, X, Y], [W], metrics=["corr"])
    label, videos = runs.truth("test")
    point, drawn = stats.correlations(label, runs.predictions("test", W, X, Y), videos)
    wide = point + (drawn - point) * 1.2  # however wide, the order on validation decides
    chosen = (wide if same_videos else wide[::-1]).argmax(1)
    gain = np.mean(drawn[np.arange(len(drawn)), chosen] - drawn[:, 0])
    assert judged.effects["choosing, gain in Corr"].effect == pytest.approx(gain, abs=2e-3)
    together = np.mean(drawn.max(1) - drawn[:, 0])
    assert same_videos or gain < together - 4e-3


# --- what is read may be another system than what is chosen -------------------------------------


def raw(runs):
    return partial(arms.scores, runs.task, "mae")


def fixed(system):
    return Term((), {(): system})


def test_what_is_read_follows_what_is_chosen():
    """Validation chooses among two systems; on test two others are read in their places."""
    runs = runs_of(0.3, 2.0, 0.5, 1.5)
    made = {"block": choose(runs, [W, X])}
    assert made["block"].chosen == W
    follows = Term(("block",), {(0,): Y, (1,): Z})
    effect = effect_of_choosing(runs, made, [follows, fixed(Z)], [1, -1], raw(runs))
    gain = arms.gains(runs, FOUR[2], FOUR[3], ["mae"])["mae"].estimate()
    assert effect.effect == pytest.approx(gain.effect, abs=0.02) and effect.low > 0
    swapped = Term(("block",), {(0,): Z, (1,): Y})
    none = effect_of_choosing(runs, made, [swapped, fixed(Z)], [1, -1], raw(runs))
    assert none.effect == none.low == none.high == 0  # the same system in every resample


def test_two_choices_are_made_apart_and_weights_are_free():
    runs = runs_of(0.3, 2.0, 0.5, 1.5)
    made = {"a": choose(runs, [W, X]), "b": choose(runs, [Z, Y])}
    both = Term(("a", "b"), {(i, j): s for i in (0, 1) for j, s in enumerate((Z, Y))})
    effect = effect_of_choosing(runs, made, [both, fixed(X)], [2, -2], raw(runs))
    gain = arms.gains(runs, FOUR[2], FOUR[1], ["mae"])["mae"].estimate()
    assert effect.effect == pytest.approx(2 * gain.effect, abs=0.05)


def test_without_a_choice_it_is_the_plain_contrast():
    runs = runs_of(0.5, 1.5)
    effect = effect_of_choosing(runs, {}, [fixed(W), fixed(X)], [1, -1], raw(runs))
    gain = arms.gains(runs, FOUR[0], FOUR[1], ["mae"])["mae"].estimate()
    assert effect.effect == pytest.approx(gain.effect, abs=0.01)
    assert effect.high - effect.low == pytest.approx(gain.high - gain.low, rel=0.15)


def test_the_same_records_give_the_same_effect():
    runs = runs_of(0.8, 0.9, 1.0)
    made = {"block": choose(runs, [W, X])}
    terms = [Term(("block",), {(0,): W, (1,): X}), fixed(Y)]
    one, again = (effect_of_choosing(runs, made, terms, [1, -1], raw(runs)) for _ in range(2))
    assert one == again
