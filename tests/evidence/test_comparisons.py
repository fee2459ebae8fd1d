"""Shared tests of two arms: planted effects are found, absent ones are not, borders are kept."""

import numpy as np
import pytest

from msalib.base import stats
from msalib.base.stats import Estimate
from msalib.data.tasks import Regression
from msalib.evidence import arms
from msalib.evidence.arms import Contrast
from msalib.evidence.common import Evidence
from msalib.evidence.comparisons import (
    all_parts,
    beyond,
    direction_and_size,
    equivalent,
    interaction,
    k_of_n,
    no_gain,
    rises,
    value,
)
from msalib.runs.query import Runs
from tests.evidence.planted_arms import A, B, C, D, planted, runs_of
from tests.factory import make_record, predictions

TWO = ("mae", "corr")
ALL = Regression().shown
TIGHT = {"%": 1.0, "": 0.02}
EVERY = [
    lambda runs: direction_and_size(runs, [(A, B)], metrics=TWO),
    lambda runs: equivalent(runs, [(A, B)], metrics=TWO),
    lambda runs: no_gain(runs, [(A, B)], metrics=TWO),
    lambda runs: value(runs, A, {"mae": 1.0}),
    lambda runs: k_of_n(runs, [(A, B)], metrics=ALL),
    lambda runs: interaction(runs, (A, B), (A, B), metrics=TWO),
    lambda runs: beyond(runs, [(A, B)], metrics=TWO, by=0.0),
]


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(stats, "RESAMPLES", 1000)


@pytest.fixture
def fixed(monkeypatch):
    """Let gains be what a test wants, as if read from records: (mean, sd of its resamples)."""

    def fix(**gains):
        z = np.random.default_rng(0).normal(size=1000)
        z = (z - z.mean()) / z.std()
        made = {m: Contrast(np.full(5, mean), mean + sd * z) for m, (mean, sd) in gains.items()}
        monkeypatch.setattr(arms, "gains", lambda *_: made)

    return fix


@pytest.mark.parametrize("test", EVERY)
def test_below_the_minimum_there_is_no_verdict_and_above_it_says_what_it_covers(test):
    few_seeds = test(runs_of(0.5, 1.0, seeds=4))
    assert few_seeds.verdict == "not run" and not few_seeds.effects
    assert few_seeds.note.startswith("needs 5 seeds of system 1")
    judged = test(runs_of(0.5, 1.0))
    assert judged.verdict != "not run" and judged.effects
    assert "5 seeds, 192 test clips of 24 videos" in judged.note


@pytest.mark.parametrize("test", [test for test in EVERY if test is not EVERY[3]])
def test_equal_arms_decide_nothing_wrong(test):
    words = ("inconclusive", "supported") if test in EVERY[1:3] else ("inconclusive",)
    assert test(runs_of(1.0, 1.0)).verdict in words


# --- direction and size -------------------------------------------------------------------------


def test_a_planted_gain_is_found_and_its_opposite_contradicts():
    runs = runs_of(0.5, 1.5)
    assert direction_and_size(runs, [(A, B)], metrics=ALL).verdict == "supported"
    assert direction_and_size(runs, [(B, A)], metrics=ALL).verdict == "contradicted"
    assert direction_and_size(runs_of(1.0, 1.0), [(A, B)], metrics=ALL).verdict == "inconclusive"


def test_a_gain_that_is_too_small_holds_in_direction_only():
    runs = runs_of(0.5, 1.5)
    gain = arms.gains(runs, A, B, ["mae"])["mae"].seeds.mean()
    enough = direction_and_size(runs, [(A, B)], metrics=TWO, least={"mae": gain - 1e-6})
    assert enough.verdict == "supported" and "direction" not in enough.note
    short = direction_and_size(runs, [(A, B)], metrics=TWO, least={"mae": gain + 1e-6})
    assert short.verdict == "inconclusive"
    assert "only the direction holds" in short.note and "MAE" in short.note


def test_the_printed_row_of_another_system_can_be_the_rival():
    runs = runs_of(0.5)
    assert direction_and_size(runs, [(A, {"mae": 5.0})], metrics=["mae"]).verdict == "supported"
    lost = direction_and_size(runs, [(A, {"mae": 0.01})], metrics=["mae"])
    assert lost.verdict == "contradicted" and "printed values" in lost.note


@pytest.mark.parametrize(
    ("mae", "corr", "word"),
    [
        ((1, 0.1), (1, 0.1), "supported"),
        ((1, 0.48), (1, 0.48), "inconclusive"),  # p about 0.04 each: not after Holm
        ((1, 0.1), (-1, 0.1), "contradicted"),
        ((1, 0.1), (-1, 0.9), "inconclusive"),
        ((1, 0.1), (np.nan, 0.1), "inconclusive"),
    ],
)
def test_every_metric_must_gain_after_holm(fixed, mae, corr, word):
    fixed(mae=mae, corr=corr)
    assert direction_and_size(runs_of(1, 1), [(A, B)], metrics=TWO).verdict == word


# --- equivalence --------------------------------------------------------------------------------


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("mean", "sd", "word"),
    [
        (0.0, 0.0115, "supported"),  # the 90% interval is 1.645 sd on each side
        (0.0, 0.0128, "inconclusive"),
        (0.01, 0.0055, "supported"),
        (0.01, 0.0068, "inconclusive"),
        (0.02, 0.005, "inconclusive"),  # at the margin neither word is right
        (0.04, 0.009, "contradicted"),  # 20 thousandths beyond are 2.2 sd, tested on both sides
        (0.04, 0.012, "inconclusive"),
        (np.nan, 0.01, "inconclusive"),
    ],
)
def test_borders_of_two_one_sided_tests(fixed, mean, sd, word, sign):
    fixed(mae=(sign * mean, sd))
    judged = equivalent(runs_of(1, 1), [(A, B)], metrics=["mae"], margins=TIGHT)
    assert judged.verdict == word
    assert list(judged.effects) == ["gain in MAE (90% interval)"]
    assert "MAE 0.02" in judged.note


@pytest.mark.parametrize(
    ("mean", "sd", "word"),
    [
        (0.0, 0.0115, "supported"),
        (-9.0, 0.01, "supported"),  # a loss is no gain
        (0.0, 0.0128, "inconclusive"),
        (0.04, 0.0095, "contradicted"),  # at 2.5%
        (0.04, 0.011, "inconclusive"),
    ],
)
def test_no_gain_has_one_side(fixed, mean, sd, word):
    fixed(mae=(mean, sd))
    assert no_gain(runs_of(1, 1), [(A, B)], metrics=["mae"], margins=TIGHT).verdict == word


def test_all_metrics_must_be_equal_and_one_that_is_not_contradicts(fixed):
    fixed(mae=(0, 0.005), corr=(0, 0.005))
    assert equivalent(runs_of(1, 1), [(A, B)], metrics=TWO, margins=TIGHT).verdict == "supported"
    fixed(mae=(0, 0.005), corr=(0, 0.05))
    assert equivalent(runs_of(1, 1), [(A, B)], metrics=TWO, margins=TIGHT).verdict == "inconclusive"
    fixed(mae=(0, 0.005), corr=(0.2, 0.05))
    assert equivalent(runs_of(1, 1), [(A, B)], metrics=TWO, margins=TIGHT).verdict == "contradicted"


def test_shares_have_a_margin_in_points(fixed):
    fixed(acc7=(0.3, 0.3))
    assert equivalent(runs_of(1, 1), [(A, B)], metrics=["acc7"]).verdict == "supported"
    fixed(acc7=(0.3, 0.6))
    assert equivalent(runs_of(1, 1), [(A, B)], metrics=["acc7"]).verdict == "inconclusive"


def test_a_value_is_reached_or_missed():
    runs = runs_of(0.5)
    reached = float(np.mean([r.metrics["test"]["mae"] for r in runs.records(A.system)[0]]))
    wide = {"%": 9.0, "": 0.2}
    assert value(runs, A, {"mae": reached}, margins=wide).verdict == "supported"
    assert value(runs, A, {"mae": reached + 1}, margins=wide).verdict == "contradicted"
    assert value(runs, A, {"mae": reached + 0.2}, margins=wide).verdict == "inconclusive"


# --- better in most -----------------------------------------------------------------------------


def test_better_in_most_metrics_is_an_error_controlled_count(fixed):
    yes, no, unsure = (1, 0.1), (-1, 0.1), (1, 0.9)

    def judged(*gains, k=None):
        fixed(**dict(zip(ALL, gains, strict=False)))
        return k_of_n(runs_of(1, 1), [(A, B)], metrics=ALL[: len(gains)], k=k).verdict

    assert judged(yes, yes, no) == "supported"
    assert judged(yes, yes, no, k=3) == "contradicted"
    assert judged(unsure, unsure, unsure) == "inconclusive"  # signs alone say nothing
    assert judged(yes, unsure, unsure) == "inconclusive"
    assert judged(no, no, yes) == "contradicted"
    assert judged(yes, yes, no, no) == "contradicted"  # most of four are three
    assert judged(yes, yes, no, no, k=2) == "supported"
    assert judged(yes, unsure, k=1) == "supported"
    assert judged(yes, yes, (np.nan, 1)) == "supported"


def test_most_metrics_of_planted_arms():
    runs = runs_of(0.5, 1.5)
    assert k_of_n(runs, [(A, B)], metrics=ALL).verdict == "supported"
    lost = k_of_n(runs, [(B, A)], metrics=ALL)
    assert lost.verdict == "contradicted"
    assert "at least 5 of 8 gains are positive" in lost.note
    assert "at least 4 are negative" in lost.note


def test_every_pair_must_be_better_in_most():
    runs = runs_of(0.5, 1.5, 1.5)
    assert k_of_n(runs, [(A, B), (A, C)], metrics=TWO).verdict == "supported"
    assert k_of_n(runs, [(A, B), (B, C)], metrics=TWO).verdict == "inconclusive"
    lost = k_of_n(runs, [(A, B), (B, A)], metrics=TWO)
    assert lost.verdict == "contradicted"
    assert f"{A} over {B}: p that at least 2 of 2" in lost.note


# --- doses --------------------------------------------------------------------------------------


def test_metrics_rise_with_a_dose():
    runs = runs_of(1.6, 1.2, 0.8, 0.4)
    up = rises(runs, [(A, 0), (B, 1), (C, 2), (D, 3)], metrics=TWO)
    assert up.verdict == "supported"
    scores = [
        np.mean([r.metrics["test"]["mae"] for r in runs.records(x.system)[0]]) for x in (A, B, C, D)
    ]
    slope = -np.polyfit([0, 1, 2, 3], scores, 1)[0]
    assert up.effects["gain per unit in MAE"].effect == pytest.approx(slope)
    assert rises(runs, [(A, 3), (B, 2), (C, 1), (D, 0)], metrics=TWO).verdict == "contradicted"
    assert rises(runs, [(A, 0), (B, 1), (C, 1), (D, 0)], metrics=TWO).verdict == "inconclusive"


# --- claims of several parts --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "whole"),
    [
        (("supported", "supported"), "supported"),
        (("supported", "inconclusive"), "inconclusive"),
        (("supported", "contradicted"), "contradicted"),
        (("contradicted", "not run"), "not run"),
    ],
)
def test_all_parts_must_hold(words, whole):
    effect = Estimate(1.0, 0.5, 1.5, 0.01)
    found = {
        name: Evidence(word, {"gain": effect}, "needs seeds" if word == "not run" else "told")
        for name, word in zip(("first", "second"), words, strict=True)
    }
    judged = all_parts(found)
    assert judged.verdict == whole
    assert set(judged.effects) == {"first: gain", "second: gain"}
    assert judged.note == ("needs seeds" if whole == "not run" else "first: told; second: told")


# --- interaction --------------------------------------------------------------------------------


def test_an_interaction_is_the_difference_of_two_gains():
    runs = runs_of(0.5, 1.5, 1.0, 1.1)
    judged = interaction(runs, (A, B), (C, D), metrics=["mae", "corr", "acc7"])
    assert judged.verdict == "supported"
    assert interaction(runs, (C, D), (A, B), metrics=TWO).verdict == "contradicted"
    assert interaction(runs, (A, B), (A, B), metrics=TWO).verdict == "inconclusive"
    first, second = (
        arms.gains(runs, *pair, ["mae"])["mae"].seeds.mean() for pair in ((A, B), (C, D))
    )
    effect = judged.effects["difference of gains in MAE"]
    assert effect.effect == pytest.approx((first - second) / 6)  # labels from -3 to 3
    assert judged.effects["system 1 over system 2: gain in MAE"].effect == pytest.approx(first / 6)
    assert isinstance(effect, Estimate) and "range" in judged.note


# --- classes ------------------------------------------------------------------------------------


def test_classes_are_compared_by_their_own_metrics(monkeypatch):
    from msalib.data import datasets
    from tests.factory import CLASSES, tiny_classes

    monkeypatch.setitem(
        datasets.DATASETS, "classes", datasets.Dataset("", tiny_classes, tasks=(CLASSES,))
    )
    rng = np.random.default_rng(0)
    label, video = rng.integers(3, size=160), np.repeat(np.arange(20), 8).astype(str)
    records = []
    for arm, wrong in ((A, 0.1), (B, 0.6)):
        for seed in range(5):
            guess = np.where(rng.random(160) < wrong, rng.integers(3, size=160), label)
            parts = dict.fromkeys(("valid", "test"), predictions(label, guess, video))
            records.append(
                make_record(dict(arm.system.inputs), seed, parts=parts, dataset="classes")
            )
    metrics = ("wa", "ua", "f1", "f1_macro", "acc2_neutral", "f1_neutral")
    runs = Runs(records)
    assert direction_and_size(runs, [(A, B)], metrics=metrics).verdict == "supported"
    assert interaction(runs, (A, B), (A, A), metrics=["wa"]).verdict == "supported"


def test_constant_predictions_leave_a_correlation_undefined_and_the_note_says_so():
    records = planted(0.5, 1.0)
    constant = [
        r.model_copy(
            update={
                "predictions": {
                    part: clips.model_copy(update={"prediction": [0.1] * len(clips.id)})
                    for part, clips in r.predictions.items()
                }
            }
        )
        for r in records[5:]
    ]
    judged = direction_and_size(Runs(records[:5] + constant), [(A, B)], metrics=TWO)
    assert judged.verdict == "inconclusive" and "Corr undefined" in judged.note


def test_several_pairs_are_one_family():
    """A gain that one pair shows is not enough; effects say which pair they are of."""
    runs = runs_of(0.5, 1.0, 0.5, 0.5)
    both = direction_and_size(runs, [(A, B), (C, D)], metrics=["mae"])
    assert both.verdict == "inconclusive"
    assert [name.split(":")[0] for name in both.effects] == [f"{A} over {B}", f"{C} over {D}"]
    assert direction_and_size(runs, [(A, B), (C, B)], metrics=["mae"]).verdict == "supported"
    assert direction_and_size(runs, [(A, B), (B, C)], metrics=["mae"]).verdict == "contradicted"


# --- more than so much --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "verdict"),
    [
        ((6.0, 0.5), (7.0, 0.5), "supported"),
        ((6.0, 0.5), (4.5, 0.5), "inconclusive"),
        ((6.0, 0.5), (2.0, 0.5), "contradicted"),
        ((6.0, 0.5), (-6.0, 0.5), "contradicted"),
        ((4.1, 2.0), (3.9, 2.0), "inconclusive"),
    ],
)
def test_a_gain_of_more_than_a_number_is_wholly_above_it(one, other, verdict, fixed):
    fixed(acc2_non0=one, f1_non0=other)
    found = beyond(runs_of(1.0, 1.0), [(A, B)], metrics=("acc2_non0", "f1_non0"), by=4.0)
    assert found.verdict == verdict
    assert "more than 4 points" in found.note and len(found.effects) == 2
