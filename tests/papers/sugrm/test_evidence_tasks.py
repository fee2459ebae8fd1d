"""Claims on sets of unimodal tasks."""

import numpy as np
import pytest

from msalib.models.unimodal_tasks import tasks
from msalib.papers.sugrm import evidence_tasks
from msalib.papers.sugrm.plan import task_grid
from tests.papers.sugrm.planted import MOSI, THREE, WHOLE, judged, setting

ONE, TWO = ("tasks_t", "tasks_a", "tasks_v"), ("tasks_ta", "tasks_tv", "tasks_av")


def by_number(step, dataset="control"):
    whole = WHOLE[dataset]
    return {name: step * len(tasks(name, list(whole))) for name in task_grid(whole)}


@pytest.mark.parametrize(
    ("ones", "verdict"),
    [
        ((-1, -1, -1), "supported"),
        ((-1, -1, 1), "contradicted"),
        ((-1, -1, {"f1_non0": -1, "mae": 0.1}), "inconclusive"),
    ],
)
def test_a_single_task_that_harms_is_found(ones, verdict):
    better = dict(zip(ONE, ones, strict=True))
    evidence = judged("C6", setting(better=better, only=["tasks_none", *ONE], seed=1))
    assert evidence.verdict == verdict
    assert "linguistic MAE" in evidence.effects and len(evidence.effects) == 6


@pytest.mark.parametrize(
    ("last", "verdict"),
    [(1.0, "supported"), (-1.0, "contradicted"), (-0.03, "inconclusive")],
)
def test_several_tasks_that_help_are_found_and_mae_is_apart(last, verdict):
    better = {name: {"f1_non0": 1.0, "mae": -1.0} for name in TWO}
    better["tasks_all"] = {"f1_non0": last}
    evidence = judged("C7", setting(better=better, only=["tasks_none", *TWO, "tasks_all"], seed=2))
    assert evidence.verdict == verdict
    assert evidence.effects["visual+acoustic MAE"].low > 0


def test_two_modalities_have_fewer_sets_of_tasks():
    sets = list(task_grid(MOSI))
    found = setting("mosi", better=by_number(1, "mosi"), only=sets)
    assert set(judged("C7", found).effects) == {
        "acoustic+linguistic F1 (non 0), points",
        "acoustic+linguistic MAE",
    }
    assert judged("C7", found).verdict == "inconclusive"  # one sign alone
    assert judged("C6", found).verdict == "contradicted"
    evidence = judged("C25", found)
    assert evidence.verdict == "supported"  # the trend is shown, four sets can decide nothing
    assert evidence.effects["rho MAE"].effect > 0.9
    assert "no trend can reach 5%" in evidence.note


@pytest.mark.parametrize(
    ("step", "verdict"), [(1, "supported"), (-1, "contradicted"), (0, "inconclusive")]
)
def test_a_trend_over_the_number_of_tasks_is_found(step, verdict):
    found = setting(better=by_number(step), only=list(task_grid(THREE)))
    for claim in ("C8", "C25"):
        evidence = judged(claim, found)
        assert evidence.verdict == verdict, claim
    assert np.sign(evidence.effects["rho MAE"].effect) == step or step == 0


def test_unimodal_tasks_must_help_at_all_and_the_more_the_better():
    """All tasks help, fewer harm: no trend, so C25 is open while C5 holds."""
    better = {"tasks_all": 1.0} | dict.fromkeys((*ONE, *TWO), -1.0)
    found = setting(better=better, only=list(task_grid(THREE)))
    assert judged("C5", found).verdict == "supported"
    assert judged("C25", found).verdict == "inconclusive"


def test_p_of_a_trend_is_the_share_of_orders():
    """Eight sets with 0, 1, 1, 1, 2, 2, 2, 3 tasks: 3! 3! of 8! orders are as good as the best."""
    orders = evidence_tasks._orders((1.0, 3.0, 3.0, 3.0, 6.0, 6.0, 6.0, 8.0))
    assert orders.shape == (40320, 8)
    ranks = np.array([1.0, 3.0, 3.0, 3.0, 6.0, 6.0, 6.0, 8.0])
    assert (orders @ ranks >= ranks @ ranks - 1e-9).mean() == pytest.approx(36 / 40320)
    four = evidence_tasks._orders((1.0, 2.5, 2.5, 4.0))
    assert (four @ [1, 2, 3, 4] >= 1 + 5 + 7.5 + 16 - 1e-9).mean() > 0.05  # of two modalities
