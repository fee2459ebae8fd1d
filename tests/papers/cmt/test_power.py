"""Error rates of CMT's tests: every test has a case that runs and plants what is printed."""

from dataclasses import replace

import numpy as np
import pytest

from msalib.evidence import planting, planting_trainings
from msalib.evidence.arms import Arm
from msalib.evidence.error_rates import NONE_PRINTED
from msalib.evidence.scatter import design
from msalib.evidence.simulation import simulate
from msalib.papers.cmt import power, power_trainings
from msalib.papers.cmt.evidence import TESTS
from tests.evidence.planted_arms import runs_of
from tests.papers.cmt.planted import CLAIMS

pytestmark = pytest.mark.usefixtures("fewer_resamples")

CASES = power.cases()
PLAN = power.power_plan()
NAMES = list(CASES)


def judge_of(name):
    return PLAN.judge(CLAIMS[name].id)


def study_of(case):
    arms = [arm if isinstance(arm, Arm) else Arm(arm) for arm in case.arms]
    like = runs_of(0.8, 1.0, 1.2, dataset="raw-spoken")
    made = design(like, arms, seeds=5, paper="cmt")
    return replace(made, scatter=made.scatter._replace(quality=0.3))


def test_every_test_has_a_case_or_a_reason():
    without = {c.id for c in CLAIMS.values() if c.rerun.unsimulated}
    ids = {CLAIMS[test.__name__].id for test in TESTS}
    assert without == {"CMT-C4"}
    assert {*PLAN.cases, *power_trainings.CASES, *without} == ids
    assert len(PLAN.cases) + len(power_trainings.CASES) + len(without) == len(ids)


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
        gain=one.gain,
        gaining=one.gaining,
        replications=2,
        resamples=50,
    )
    assert sum(found.counts.values()) == 2


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.printed])
def test_the_arms_that_gain_are_those_that_the_claim_names(name):
    """That text keeps up with shallow fusion is no gain; nor are gains by sign claimed."""
    gains = []

    def look(runs):
        judged = judge_of(name)(runs)
        effects = judged.effects.items()
        gains.append([e.effect for n, e in effects if not n.startswith("text keeps up")])
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
