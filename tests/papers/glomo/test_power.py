"""Error rates of GLoMo's tests: every test has a case that runs and plants what is printed."""

from functools import partial

import pytest

from msalib.evidence import planting, planting_trainings
from msalib.evidence.error_rates import NONE_PRINTED
from msalib.papers.glomo import power, power_trainings
from msalib.papers.glomo.evidence import TESTS
from tests.papers import planted_power
from tests.papers.glomo.planted import CLAIMS

CASES = power.cases()
PLAN = power.power_plan()
NAMES = list(CASES)


def judge_of(name):
    return PLAN.judge(CLAIMS[name].id)


study_of = partial(planted_power.study_of, paper="glomo")


def test_every_test_has_a_case_or_a_reason():
    trainings = {claim for claim in power_trainings.CASES}
    without = {c.id for c in CLAIMS.values() if c.rerun.unsimulated}
    ids = {CLAIMS[test.__name__].id for test in TESTS}
    assert {*PLAN.cases, *trainings, *without} == ids
    assert len(PLAN.cases) + len(trainings) + len(without) == len(ids)


@pytest.mark.parametrize("name", NAMES)
def test_a_test_runs_on_its_simulated_studies(name):
    case = CASES[name]
    study = study_of(case)
    effects = list(planting.planted(case, study))
    assert {one.role for one in effects} == {"border", "true"}
    assert planted_power.verdicts_on_two(judge_of(name), study, effects[-1]) == 2


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.printed])
def test_the_arms_that_gain_are_those_that_the_claim_names(name):
    """Of local weights beside the full model no more is claimed than that they are close."""
    case = CASES[name]
    gains = planted_power.mean_effects(
        judge_of(name),
        study_of(case),
        case.gaining,
        0.15,
        lambda name: "SD over" not in name and "close" not in name,
    )
    assert (gains > 0).all()


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
