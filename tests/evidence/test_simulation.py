"""Error rates: a sound test keeps its level, an unsound one is caught, effects are found."""

from collections import Counter
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from msalib.base import stats
from msalib.evidence import arms, choices, comparisons, simulation
from msalib.evidence.common import Evidence
from msalib.evidence.scatter import design
from msalib.evidence.simulation import ErrorRates, Verdicts, error_rates, exceeds, simulate
from tests.evidence.planted_arms import FOUR, A, B, C, D, runs_of
from tests.evidence.test_scatter import USUAL

FAST = {"replications": 100, "resamples": 300}
TWO = ("mae", "corr")
SIX = ("mae", "corr", "acc2_non0", "f1_non0", "acc5", "acc7")


def study(*of, seeds=5):
    return replace(design(runs_of(0.8, 1.0), of, seeds=seeds), scatter=USUAL)


TESTS = {
    "direction": (partial(comparisons.direction_and_size, pairs=[(A, B)], metrics=TWO), (A, B)),
    "most": (partial(comparisons.k_of_n, pairs=[(A, B)], metrics=SIX), (A, B)),
    "interaction": (
        partial(comparisons.interaction, pair=(A, B), other=(C, D), metrics=["mae"]),
        FOUR,
    ),
    "chosen": (
        partial(choices.most_often_chosen, claimed=A.system, others=[B.system]),
        (A, B),
    ),
    "best": (
        partial(
            choices.best_over_best,
            systems=[A.system, B.system],
            others=[C.system],
            metrics=["mae"],
        ),
        (A, B, C),
    ),
}


@pytest.mark.parametrize("name", TESTS)
def test_claims_of_a_gain_keep_their_level(name):
    test, of = TESTS[name]
    rates = error_rates(test, study(*of), metric="mae", false=[-0.1], true=[0.3], **FAST)
    assert rates.too_high() == []
    (power,) = rates.power().values()
    assert power.share > 0.3


@pytest.mark.parametrize("test", [comparisons.equivalent, comparisons.no_gain])
def test_claims_of_no_difference_keep_their_level(test):
    margin = 0.12
    rates = error_rates(
        partial(test, pairs=[(A, B)], metrics=["mae"], margins={"%": 4.0, "": margin}),
        study(A, B),
        metric="mae",
        border=margin,
        false=[0.3],
        true=[0.0],
        **FAST,
    )
    assert rates.too_high() == []
    (power,) = rates.power().values()
    assert power.share > 0.3


def by_signs(runs):
    """The rule that counts signs: better in at least four of six metrics."""
    gains = arms.gains(runs, A, B, SIX)
    better = sum(gain.seeds.mean() > 0 for gain in gains.values())
    return Evidence("supported" if better >= 4 else "inconclusive", {}, "")


def test_a_rule_that_counts_signs_is_caught():
    rates = error_rates(by_signs, study(A, B), metric="mae", **FAST)
    (found,) = rates.too_high()
    assert "supported" in found and "gain of 0" in found


def test_what_is_an_error_depends_on_the_planted_gain():
    counts = {
        "border": Counter(supported=10, contradicted=20, inconclusive=70),
        "false": Counter(supported=5, contradicted=95),
        "true": Counter(supported=80, contradicted=1, inconclusive=19),
    }
    border, false, true = (
        Verdicts("mae", g, c) for g, c in zip((0, -1, 1), counts.values(), strict=True)
    )
    rates = ErrorRates(border, (false,), (true,))
    assert {g: r.share for g, r in rates.false_support().items()} == {0: 0.1, -1: 0.05}
    assert {g: r.share for g, r in rates.false_contradiction().items()} == {0: 0.2, 1: 0.01}
    assert {g: r.share for g, r in rates.power().items()} == {1: 0.8}
    assert rates.too_high() == [
        "supported in 10.0% of 100 studies with a gain of 0",
        "contradicted in 20.0% of 100 studies with a gain of 0",
    ]
    rate = rates.power()[1]
    assert (rate.low, rate.high) == pytest.approx(stats.wilson(80, 100)) and rate.trials == 100


@pytest.mark.parametrize(
    ("rate", "trials", "above"),
    [(0.05, 400, False), (0.07, 400, False), (0.08, 400, True), (0.08, 100, False), (1, 5, True)],
)
def test_a_rate_exceeds_its_level_beyond_the_simulations_error(rate, trials, above):
    assert exceeds(rate, trials, 0.05) == above


def test_studies_are_always_the_same_and_resamples_are_put_back():
    test = partial(comparisons.k_of_n, pairs=[(A, B)], metrics=TWO)
    few = {"metric": "mae", "gain": 0.1, "replications": 20, "resamples": 100}
    before = stats.RESAMPLES
    assert simulate(test, study(A, B), **few) == simulate(test, study(A, B), **few)
    assert before == stats.RESAMPLES
    with pytest.raises(ZeroDivisionError), simulation.fewer_resamples(7):
        assert stats.RESAMPLES == 7
        raise ZeroDivisionError
    assert before == stats.RESAMPLES


def test_several_arms_may_gain():
    both = []

    def look(runs):
        gains = arms.contrasts(runs, [A, B, C], [0.5, 0.5, -1], ["corr"])
        both.append(gains["corr"].seeds.mean())
        return Evidence("inconclusive", {}, "")

    few = {"metric": "corr", "gain": 0.2, "replications": 30}
    simulate(look, study(A, B, C), **few)
    one = np.mean(both)
    both.clear()
    simulate(look, study(A, B, C), gaining=2, **few)
    assert np.mean(both) == pytest.approx(0.2, abs=0.04) and one == pytest.approx(0.1, abs=0.04)


def test_a_test_that_does_not_run_on_simulated_records_is_a_mistake():
    test = partial(comparisons.k_of_n, pairs=[(A, C)], metrics=TWO)
    with pytest.raises(ValueError, match="runs of system 3"):
        simulate(test, study(A, B), metric="mae", gain=0, replications=1)
