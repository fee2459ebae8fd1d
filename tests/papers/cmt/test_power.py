"""Error rates of CMT's tests: every test has a case that runs and plants what is printed."""

from functools import partial

import pytest

from msalib.evidence import planting, planting_trainings
from msalib.evidence.error_rates import NONE_PRINTED
from msalib.papers.cmt import power, power_trainings
from msalib.papers.cmt.evidence import TESTS
from tests.papers import planted_power
from tests.papers.cmt.planted import CLAIMS

pytestmark = pytest.mark.usefixtures("fewer_resamples")

CASES = power.cases()
PLAN = power.power_plan()
NAMES = list(CASES)


def judge_of(name):
    return PLAN.judge(CLAIMS[name].id)


study_of = partial(planted_power.study_of, paper="cmt", dataset="raw-spoken")


def test_every_test_has_a_case_or_a_reason():
    without = {c.id for c in CLAIMS.values() if c.rerun.unsimulated}
    ids = {CLAIMS[test.__name__].id for test in TESTS}
    assert without == {"CMT-C4"}
    assert {*PLAN.cases, *power_trainings.CASES, *without} == ids
    assert len(PLAN.cases) + len(power_trainings.CASES) + len(without) == len(ids)


@pytest.mark.parametrize("name", NAMES)
def test_a_test_runs_on_its_simulated_studies(name):
    case = CASES[name]
    study = study_of(case)
    effects = list(planting.planted(case, study))
    assert {one.role for one in effects} == {"border", "true"}
    assert planted_power.verdicts_on_two(judge_of(name), study, effects[-1]) == 2


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.printed])
def test_the_arms_that_gain_are_those_that_the_claim_names(name):
    """That text keeps up with shallow fusion is no gain."""
    case = CASES[name]
    gains = planted_power.mean_effects(
        judge_of(name),
        study_of(case),
        case.gaining,
        0.15,
        lambda name: not name.startswith("text keeps up"),
    )
    assert (gains > 0).all()


@pytest.mark.parametrize(
    ("name", "gain"),
    [
        ("joining_adds", 71.7 - 70.3),
        ("sound_is_behind", 0.634 - 0.523),
        ("joining_helps_by_degree", 0.523 - 0.518),
        ("base_beats_joining", 0.518 - 0.501),
        ("large_beats_base", 88.5 - 88.0),
        ("pretraining_helps", 0.508 - 0.496),
        ("adapting_helps", 55.9 - 55.4),
        ("penalty_helps", 87.9 - 87.0),
        ("full_recipe_beats_none", 0.508 - 0.501),
        ("depth_beats_joining", 0.518 - 0.508),
    ],
)
def test_a_planted_gain_is_that_of_two_printed_numbers(name, gain):
    assert CASES[name].printed.gain("cmt") == pytest.approx(gain, abs=1e-6)


def test_claims_without_a_printed_gain_say_what_is_planted():
    borrowed = {name for name, case in CASES.items() if case.printed and case.printed.stands_in}
    assert borrowed == {"one_block_is_best", "one_weight_is_best", "full_recipe_beats_its_parts"}
    assert all(NONE_PRINTED in CASES[name].printed.words() for name in borrowed)
    others = {name for name, case in CASES.items() if case.printed is None}
    assert others == {"alike_alone", "sizes_alike", "pooling_gains_nothing", "fewer_clips_do"}


def test_margins_are_those_of_the_claims():
    (border, _) = planting.planted(CASES["sizes_alike"], study_of(CASES["sizes_alike"]))
    assert border.gain == CLAIMS["sizes_alike"].rerun.arguments["points"]
    (border, _) = planting.planted(CASES["fewer_clips_do"], study_of(CASES["fewer_clips_do"]))
    assert border.gain == CLAIMS["fewer_clips_do"].rerun.arguments["margin"]


def test_weights_are_judged_within_their_level(monkeypatch):
    monkeypatch.setattr(planting_trainings, "STUDIES", {"border": 1000, "true": 50})
    (one,) = planting_trainings.measure("cmt", power_trainings.CASES)
    assert one.too_high() == [] and one.arms == 4
    assert one.truest().share > 0.9 > one.of("true")[0].rate("supported").share
