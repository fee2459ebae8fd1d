"""Claims on sets of unimodal tasks."""

import pytest

from msalib.models.unimodal_tasks import tasks
from msalib.papers.sugrm.plan import task_grid
from tests.papers.sugrm.planted import (
    MOSI,
    THREE,
    WHOLE,
    constant,
    judged,
    lacks,
    setting,
    stretched,
)

ONE, TWO = ("tasks_t", "tasks_a", "tasks_v"), ("tasks_ta", "tasks_tv", "tasks_av")
OF_MOSI = "sets of tasks are those of acoustic and linguistic"


def by_number(step, dataset="control"):
    """How often noise is halved, in proportion to the number of unimodal tasks."""
    whole = WHOLE[dataset]
    return {name: step * len(tasks(name, list(whole))) for name in task_grid(whole)}


@pytest.mark.parametrize(
    ("ones", "verdict"),
    [
        ((-1, -1, -1), "supported"),
        ((-1, -1, 1), "contradicted"),
        ((-1, -1, 0), "inconclusive"),
        ((0, 0, 0), "inconclusive"),
    ],
)
def test_a_single_task_that_harms_is_found(ones, verdict):
    better = dict(zip(ONE, ones, strict=True))
    evidence = judged("C6", setting(better=better, only=["tasks_none", *ONE]))
    assert evidence.verdict == verdict
    assert len(evidence.effects) == 6 and "sets of tasks" not in evidence.note
    harm = evidence.effects["the multimodal task alone over tasks of linguistic: gain in MAE"]
    assert (harm.low > 0) == (ones[0] < 0)


def test_a_single_task_must_harm_in_both_metrics():
    found = setting(
        only=["tasks_none", *ONE],
        better=dict.fromkeys(ONE, -0.6),
        change=dict.fromkeys(ONE, stretched(0.4)),  # lowers MAE and leaves F1
        shared=0.99,
    )
    evidence = judged("C6", found)
    assert evidence.verdict == "contradicted"
    assert all(e.low > 0 for name, e in evidence.effects.items() if "F1" in name)


@pytest.mark.parametrize(
    ("last", "verdict"),
    [(1, "supported"), (-1, "contradicted"), (0, "inconclusive")],
)
def test_several_tasks_that_help_are_found_by_f1_alone(last, verdict):
    found = setting(
        better=dict.fromkeys(TWO, 1) | {"tasks_all": last},
        change=dict.fromkeys(TWO, stretched(3)),  # raises MAE
        only=["tasks_none", *TWO, "tasks_all"],
    )
    evidence = judged("C7", found)
    assert evidence.verdict == verdict
    assert len(evidence.effects) == 4 and all("F1 (non 0)" in name for name in evidence.effects)


def test_two_modalities_have_fewer_sets_of_tasks_and_it_is_told():
    sets = list(task_grid(MOSI))
    found = setting("mosi-standardised", better=by_number(1, "mosi"), only=sets)
    several = judged("C7", found)
    assert several.verdict == "supported"
    assert list(several.effects) == ["gain in F1 (non 0), points"]
    single = judged("C6", found)
    assert single.verdict == "contradicted" and len(single.effects) == 4
    for evidence in (several, single, judged("C25", found)):
        assert OF_MOSI in evidence.note and "missing: visual" in evidence.note
    assert "slope over 4 systems from 0 to 2" in judged("C25", found).note


@pytest.mark.parametrize(
    ("step", "verdict"), [(0.5, "supported"), (-0.5, "contradicted"), (0, "inconclusive")]
)
def test_a_trend_over_the_number_of_tasks_is_found(step, verdict):
    found = setting(better=by_number(step), only=list(task_grid(THREE)))
    slopes = judged("C8", found)
    assert slopes.verdict == verdict and len(slopes.effects) == 6
    assert "slope over 8 systems from 0 to 3" in slopes.note
    both = judged("C25", found)
    assert both.verdict == verdict and len(both.effects) == 12
    slope = both.effects["number of tasks: gain per unit in MAE"]
    assert slope == slopes.effects["gain per unit in MAE"]
    assert slope.effect * step > 0 or step == 0


def test_unimodal_tasks_must_help_at_all_and_the_more_the_better():
    """All tasks help, two harm: no trend, so C25 is open while C5 holds."""
    better = {"tasks_all": 1} | dict.fromkeys(TWO, -0.5)
    found = setting(better=better, only=list(task_grid(THREE)))
    assert judged("C5", found).verdict == "supported"
    assert judged("C25", found).verdict == "inconclusive"


def test_sets_of_tasks_without_runs_or_seeds_are_named():
    sets = list(task_grid(THREE))
    found = setting(only=[name for name in sets if name != "tasks_av"], better=by_number(1))
    for claim in ("C7", "C8", "C25"):
        assert lacks(judged(claim, found), "runs of tasks of visual and acoustic"), claim
    assert judged("C6", found).verdict == "contradicted"
    few = setting(only=sets, better=by_number(1), seeds=2)
    for claim in ("C6", "C7", "C8", "C25"):
        evidence = judged(claim, few)
        assert lacks(evidence, "3 seeds of", "(2 so far)"), claim


def test_an_undefined_metric_leaves_a_trend_open():
    found = setting(
        only=list(task_grid(THREE)), better=by_number(1), change={"tasks_none": constant}
    )
    for claim in ("C8", "C25"):
        evidence = judged(claim, found)
        assert evidence.verdict == "inconclusive" and "Corr undefined" in evidence.note, claim
