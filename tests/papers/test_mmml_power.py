"""Error rates of MMML's tests: every test has a case that runs, and the record is of today's."""

from dataclasses import replace

import numpy as np
import pytest

from msalib.base.errors import UserError
from msalib.evidence.arms import Arm
from msalib.evidence.scatter import design
from msalib.evidence.simulation import simulate
from msalib.models import recipes
from msalib.papers.mmml import figures_power, plan, power, power_cases
from msalib.papers.mmml.evidence import TESTS
from msalib.papers.mmml.plan import SOUND, TEXT, system
from msalib.papers.mmml.power import Cell, Measured, Size
from msalib.runs import records
from tests.evidence.planted_arms import runs_of
from tests.factory import make_record, predictions

CASES = power_cases.cases()
NAMES = [test.__name__ for test in TESTS]


# --- what is planted ----------------------------------------------------------------------------


def study_of(case):
    arms = [arm if isinstance(arm, Arm) else Arm(arm) for arm in case.arms]
    made = design(runs_of(0.8, 1.0, 1.2), arms, seeds=3, paper="mmml")
    return replace(made, scatter=made.scatter._replace(quality=0.3))


def test_every_test_has_a_case():
    assert list(CASES) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_test_runs_on_its_simulated_studies(name):
    """Twice: ``simulate`` refuses a test that does not run, for want of an arm or a label."""
    case = CASES[name]
    study = study_of(case)
    effects = list(power_cases.planted(case, study))
    assert {one.role for one in effects} == {"border", "true"}
    assert 0 < case.gaining < len(case.arms) and case.tied < len(case.arms)
    one = effects[-1]
    found = simulate(
        power_cases.judge_of(name),
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
    gains = []

    def look(runs):
        judged = power_cases.judge_of(name)(runs)
        gains.append([e.effect for e in judged.effects.values()])
        return judged

    simulate(
        look,
        study_of(CASES[name]),
        metric="mae",
        gain=0.3,
        gaining=CASES[name].gaining,
        replications=4,
        resamples=50,
    )
    assert (np.mean(gains, 0) > 0).all()


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
    assert CASES[name].printed.gain() == pytest.approx(gain, abs=1e-4)


def test_claims_without_a_printed_gain_say_what_is_planted():
    borrowed = {name for name, case in CASES.items() if case.printed and case.printed.stands_in}
    assert borrowed == {"best_pair_of_windows", "five_layers_best"}
    assert all(power_cases.NONE_PRINTED in CASES[name].printed.words() for name in borrowed)
    others = [case for case in CASES.values() if case.printed is None]
    assert all(bool(case.metrics) != bool(case.limits) for case in others)


def test_a_margin_is_planted_in_the_metric_that_reaches_it_first():
    case = CASES["losses_alike"]
    study = study_of(case)
    border, true = power_cases.planted(case, study)
    assert true.gain == 0 and border.gain == (0.015 if border.metric in ("mae", "corr") else 1)
    quality = power_cases.quality_with_gain(study, border.metric, border.gain)
    for metric in case.metrics:
        gain = 0.015 if metric in ("mae", "corr") else 1.0
        assert quality <= power_cases.quality_with_gain(study, metric, gain) + 1e-9


# --- from records to a record -------------------------------------------------------------------

WHOLE = {TEXT: 1, SOUND: 1}
SMALL = Size(3, (("mmml", "raw", "missing", "release"), ("mmml", "raw", "planted", "release")))


def write(*qualities, seeds=2):
    """Write records of text and sound together, by their correlation, and of sound alone."""
    rng = np.random.default_rng(0)
    video = [f"v{i // 6}" for i in range(96)]
    label = rng.normal(0, 1.2, 96).clip(-3, 3).round(1)
    common = 0.9 * rng.normal(size=96)
    together = list(plan.restorations(WHOLE).values())
    named = [*zip(together, qualities, strict=False), (system({SOUND: 1}), 0.2)]
    for one, quality in named:
        for seed in range(seeds):
            error = common + 0.4 * rng.normal(size=96)
            guess = quality * (quality * label + np.sqrt(1 - quality**2) * 1.2 * error)
            parts = dict.fromkeys(("valid", "test"), predictions(label, guess, video))
            model = {name: one.choice(name, paper="mmml") for name in recipes.choices("mmml")}
            about = {"paper": "mmml", "dataset": "raw", "profile": "paper"}
            records.write(
                make_record(dict(one.inputs), seed, parts=parts, model=model, train={}, **about)
            )


def test_the_scatter_is_that_of_the_first_records_that_suffice():
    with pytest.raises(UserError, match="text and sound"):
        power.source(SMALL)
    write(0.6)
    with pytest.raises(UserError):
        power.source(SMALL)
    write(0.6, 0.5)
    found = power.source(SMALL)
    assert found.words == "6 runs of mmml on raw with planted"
    usual = power.study_of(CASES["self_attention_helps"], SMALL, found.runs)
    alone = power.study_of(CASES["sound_head_gains_nothing"], SMALL, found.runs)
    assert alone.scatter.quality < usual.scatter.quality
    assert usual.seeds == 3 and usual.videos == {"valid": 16, "test": 16}


def test_what_is_measured_is_kept_and_shown():
    write(0.6, 0.5)
    tests = ["self_attention_helps", "restorations_alike"]
    found = power.measure({"raw": SMALL}, tests, scale=0.02)
    power.RECORD.write(found)
    assert power.RECORD.read() == found
    assert [one.test for one in found.tests] == [name for name in CASES if name in tests]
    gain = next(one for one in found.tests if one.test == "self_attention_helps")
    assert [sum(c.verdicts.values()) for c in gain.of("border")] == [4]
    assert [c.words for c in gain.of("true")] == ["0.5", "1", "2", "4"]
    assert gain.claim == "MMML-C19" and gain.is_printed
    shown = figures_power.rates(found)
    assert list(shown.frame["claim"]) == ["C15", "C19"]
    assert "control" in shown.caption
    figures_power.power_figure(found)


def measured(*shares, border=(0, 0), printed_in="table8, mosi"):
    """A test with so many of ten studies supported at half, once, twice and four times the gain."""
    wrong = dict(zip(("supported", "contradicted"), border, strict=True))
    counts = wrong | {"inconclusive": 100 - sum(border)}
    cells = [Cell(role="border", words="0", metric="mae", gain=0, verdicts=counts)]
    for times, share in zip(power_cases.TIMES, shares, strict=False):
        verdicts = {"supported": share, "inconclusive": 10 - share}
        cell = {"words": f"{times:g}", "metric": "mae", "gain": times, "verdicts": verdicts}
        cells.append(Cell(role="true", **cell))
    about = {"claim": "MMML-C19", "test": "self_attention_helps", "size": "raw", "arms": 2}
    return Measured(quality=0.5, printed=1.0, printed_in=printed_in, cells=cells, **about)


@pytest.mark.parametrize(
    ("shares", "times"),
    [((1, 2, 6, 10), 3), ((8, 10), 0.5), ((10,), 0.4), ((0, 1, 5, 7), None)],
)
def test_the_effect_that_is_found_is_interpolated(shares, times):
    found = measured(*shares).found_from()
    assert found == (times if times is None else pytest.approx(times))


def test_an_error_above_its_level_is_named():
    assert measured(1, 2).too_high() == []
    assert measured(1, 2, border=(4, 8)).too_high() == []
    (line,) = measured(1, 2, border=(12, 0)).too_high()
    assert "supported in 12.0%" in line
    assert measured(1, border=(3, 9)).worst("contradicted").share == 0.09
    assert not measured(1, printed_in=CASES["five_layers_best"].printed.words()).is_printed
