"""Error rates of GLoMo's tests: every test has a case that runs and plants what is printed."""

from dataclasses import replace

import numpy as np
import pytest

from msalib.evidence import planting, planting_trainings
from msalib.evidence.arms import Arm
from msalib.evidence.error_rates import NONE_PRINTED
from msalib.evidence.scatter import design
from msalib.evidence.simulation import simulate
from msalib.papers.glomo import power, power_trainings
from msalib.papers.glomo.evidence import TESTS
from tests.evidence.planted_arms import runs_of
from tests.papers.glomo.planted import CLAIMS

CASES = power.cases()
PLAN = power.power_plan()
NAMES = list(CASES)


def judge_of(name):
    return PLAN.judge(CLAIMS[name].id)


def study_of(case):
    arms = [arm if isinstance(arm, Arm) else Arm(arm) for arm in case.arms]
    made = design(runs_of(0.8, 1.0, 1.2), arms, seeds=5, paper="glomo")
    return replace(made, scatter=made.scatter._replace(quality=0.3))


def test_every_test_has_a_case_or_a_reason():
    trainings = {claim for claim in power_trainings.CASES}
    without = {c.id for c in CLAIMS.values() if c.rerun.unsimulated}
    ids = {CLAIMS[test.__name__].id for test in TESTS}
    assert {*PLAN.cases, *trainings, *without} == ids
    assert len(PLAN.cases) + len(trainings) + len(without) == len(ids)


@pytest.mark.parametrize("name", NAMES)
def test_a_test_runs_on_its_simulated_studies(name):
    """Twice: ``simulate`` refuses a test that does not run, for want of an arm."""
    case = CASES[name]
    study = study_of(case)
    effects = list(planting.planted(case, study))
    assert {one.role for one in effects} == {"border", "true"}
    one = effects[-1]
    found = simulate(
        judge_of(name),
        study,
        metric=one.metric,
        gain=min(one.gain, 5.0),
        gaining=one.gaining,
        replications=2,
        resamples=50,
    )
    assert sum(found.counts.values()) == 2


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.printed])
def test_the_arms_that_gain_are_those_that_the_claim_names(name):
    """Of local weights beside the full model no more is claimed than that they are close."""
    gains = []

    def look(runs):
        judged = judge_of(name)(runs)
        claimed = (e for n, e in judged.effects.items() if "SD over" not in n and "close" not in n)
        gains.append([e.effect for e in claimed])
        return judged

    simulate(
        look,
        study_of(CASES[name]),
        metric="mae",
        gain=0.15,
        gaining=CASES[name].gaining,
        replications=4,
        resamples=50,
    )
    assert (np.mean(gains, 0) > 0).all()


@pytest.mark.parametrize(
    ("name", "gain"),
    [
        ("first_in_every_metric", 86.7 - 85.6),
        ("every_modality_helps", 86.7 - 84.9),
        ("words_carry_most", 86.7 - 55.9),
        ("face_over_voice", 84.9 - 84.1),
        ("experts_help", 86.7 - 85.7),
        ("one_layer_beats_most", 85.7 - 83.7),
        ("halves_differ", 82.3 - 81.9),
        ("joining_beats_summing", 84.9 - 83.8),
        ("guided_fusion_helps", 86.7 - 85.5),
        ("global_weights_help", 86.7 - 85.5),
    ],
)
def test_a_planted_gain_is_that_of_two_printed_numbers(name, gain):
    assert CASES[name].printed.gain("glomo") == pytest.approx(gain, abs=1e-6)


def test_claims_without_a_printed_gain_say_what_is_planted():
    borrowed = {name for name, case in CASES.items() if case.printed and case.printed.stands_in}
    assert borrowed == {"more_experts_help"}
    assert all(NONE_PRINTED in CASES[name].printed.words() for name in borrowed)
    (other,) = (name for name, case in CASES.items() if case.printed is None)
    assert other == "more_vectors_stop_helping"


@pytest.mark.parametrize("name", ["gains_beyond", "words_carry_most"])
def test_a_claim_of_more_than_a_gain_is_at_its_border_there(name):
    case = CASES[name]
    border, *true = planting.planted(case, study_of(case))
    assert border.role == "border" and border.gain == CLAIMS[name].rerun.arguments["by"]
    assert all(one.gain > border.gain for one in true)


def test_trainings_are_judged_within_their_level(monkeypatch):
    monkeypatch.setattr(planting_trainings, "STUDIES", {"border": 200, "true": 20})
    for one in planting_trainings.measure("glomo", power_trainings.CASES):
        assert one.too_high() == []
        assert one.truest().share > 0.5 > one.of("true")[0].rate("supported").share
