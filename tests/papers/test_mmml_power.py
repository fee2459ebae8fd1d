"""Error rates of MMML's tests: every test has a case that runs and plants what is printed."""

from functools import partial

import pytest

from msalib.evidence import planting
from msalib.evidence.error_rates import NONE_PRINTED
from msalib.evidence.scatter import quality_with_gain
from msalib.papers.mmml import power
from msalib.papers.mmml.evidence import TESTS
from tests.papers import planted_power
from tests.papers.mmml_planted import CLAIMS

CASES = power.cases()
PLAN = power.power_plan()
NAMES = [test.__name__ for test in TESTS]


def judge_of(name):
    return PLAN.judge(CLAIMS[name].id)


study_of = partial(planted_power.study_of, paper="mmml", seeds=3)


def test_every_test_has_a_case():
    assert list(CASES) == NAMES
    assert list(PLAN.cases) == [CLAIMS[name].id for name in NAMES]


@pytest.mark.parametrize("name", NAMES)
def test_a_test_runs_on_its_simulated_studies(name):
    case = CASES[name]
    study = study_of(case)
    effects = list(planting.planted(case, study))
    assert {one.role for one in effects} == {"border", "true"}
    assert 0 < case.gaining < len(case.arms) and case.tied < len(case.arms)
    assert planted_power.verdicts_on_two(judge_of(name), study, effects[-1]) == 2


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.printed])
def test_the_arms_that_gain_are_those_that_the_claim_names(name):
    case = CASES[name]
    gains = planted_power.mean_effects(judge_of(name), study_of(case), case.gaining, 0.3)
    assert (gains > 0).all()


@pytest.mark.parametrize(
    ("name", "gain"),
    [
        ("context_helps", 0.6429 - 0.5831),
        ("raw_sound_beats_mel", 70.99 - 45.19),
        ("own_labels_help", 0.7237 - 0.6269),
        ("separate_beats_joined", 0.6637 - 0.6388),
        ("best_window", 0.6517 - 0.6388),
        ("self_attention_helps", 0.6581 - 0.6429),
        ("layers_help_more", 0.6648 - 0.6581),
    ],
)
def test_a_planted_gain_is_that_of_two_printed_numbers(name, gain):
    assert CASES[name].printed.gain("mmml") == pytest.approx(gain, abs=1e-4)


def test_claims_without_a_printed_gain_say_what_is_planted():
    borrowed = {name for name, case in CASES.items() if case.printed and case.printed.stands_in}
    assert borrowed == {"best_pair_of_windows", "five_layers_best"}
    assert all(NONE_PRINTED in CASES[name].printed.words() for name in borrowed)
    others = [case for case in CASES.values() if case.printed is None]
    assert all(bool(case.metrics) != bool(case.limits) for case in others)


def test_a_margin_is_planted_in_the_metric_that_reaches_it_first():
    case = CASES["losses_alike"]
    study = study_of(case)
    border, true = planting.planted(case, study)
    assert true.gain == 0 and border.gain == (0.015 if border.metric in ("mae", "corr") else 1)
    quality = quality_with_gain(study, border.metric, border.gain)
    for metric in case.metrics:
        gain = 0.015 if metric in ("mae", "corr") else 1.0
        assert quality <= quality_with_gain(study, metric, gain) + 1e-9
