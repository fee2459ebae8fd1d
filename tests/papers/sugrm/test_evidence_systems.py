"""Claims that compare systems: planted effects are found, and absent ones are not."""

import pytest
from scipy.stats import ttest_rel

from msalib.papers.sugrm.plan import compared, module_grid
from msalib.papers.sugrm.scope import ALL
from tests.papers.sugrm.planted import MOSI, judged, seeds_of, setting

NO_MRM = ("no_mrm", "spt", "own_ulgm")
LSTM = ("mrm", "lstm", "own_ulgm")
OTHER = ("mrm", "spt", "other_ulgm")
BASE = ("no_mrm", "lstm", "other_ulgm")
SWAPS = [
    ("mrm", "lstm", "other_ulgm"),
    ("no_mrm", "spt", "other_ulgm"),
    ("no_mrm", "lstm", "own_ulgm"),
]


PAIRS = {
    "C1": ("mmmo-stretched", "Self-MM"),
    "C2": ("mosi", "Self-MM"),
    "C5": ("mosi", "tasks_none"),
    "C9": ("mmmo-stretched", "Self-MM"),
    "C14": ("mosi", NO_MRM),
    "C16": ("control", LSTM),
}


@pytest.mark.parametrize("claim", PAIRS)
@pytest.mark.parametrize(
    ("ahead", "verdict"), [(1.0, "supported"), (-1.0, "contradicted"), (0.0, "inconclusive")]
)
def test_a_system_that_is_better_in_all_metrics_is_found(claim, ahead, verdict):
    dataset, rival = PAIRS[claim]
    evidence = judged(claim, setting(dataset, better={"SUGRM": ahead}, only=["SUGRM", rival]))
    assert evidence.verdict == verdict
    assert list(evidence.effects)[:2] == ["F1 (has 0), points", "F1 (non 0), points"]
    if ahead:
        assert evidence.effects["MAE"].effect * ahead < 0 < evidence.effects["Corr"].effect * ahead
        assert evidence.effects["F1 (has 0), points"].effect == pytest.approx(ahead, abs=0.2)


@pytest.mark.parametrize(
    ("claim", "names"),
    [
        ("C2", ["SUGRM", "Self-MM"]),
        ("C11", [["no_mrm", "spt", "other_ulgm"], ["no_mrm", "lstm", "other_ulgm"]]),
        ("C16", ["SUGRM", ["mrm", "lstm", "own_ulgm"]]),
    ],
)
def test_systems_that_read_other_parts_of_a_frozen_text_decide_nothing(claim, names):
    """The effects are shown, with the reason."""
    frozen = {"acoustic": 1, "linguistic": 6}
    everything = {**compared(frozen), **{tuple(k): s for k, s in module_grid(frozen).items()}}
    systems = [everything[tuple(n) if isinstance(n, list) else n] for n in names]
    evidence = judged(claim, seeds_of(dict(zip(systems, (2.0, 0.0), strict=True))))
    assert evidence.verdict == "not run" and evidence.effects["MAE"].effect < 0
    assert "needs a fine-tuned text encoder: Self-MM" in evidence.note


def test_systems_that_read_the_same_of_a_frozen_text_are_compared():
    frozen = {"acoustic": 1, "linguistic": 6}
    grid = module_grid(frozen)
    pair = {grid["mrm", "spt", "own_ulgm"]: 2.0, grid["no_mrm", "spt", "own_ulgm"]: 0.0}
    assert judged("C14", seeds_of(pair)).verdict == "supported"


def test_one_metric_decides():
    """Five are better: one that is not keeps the claim from support, one that is worse ends it."""
    for corr, verdict in ((-0.01, "inconclusive"), (-1.0, "contradicted")):
        better = dict.fromkeys(ALL, 1.0) | {"corr": corr}
        found = setting("mosi", better={"SUGRM": better}, only=["SUGRM", "Self-MM"], seed=3)
        assert judged("C2", found).verdict == verdict


def test_p_and_interval_are_those_of_the_paired_t_test():
    found = setting("mosi", better={"SUGRM": 0.1}, only=["SUGRM", "Self-MM"])
    ours, theirs = (
        [r.metrics["test"]["mae"] for r in found if r.spec.system == compared(MOSI)[name]]
        for name in ("SUGRM", "Self-MM")
    )
    p = ttest_rel(ours, theirs, alternative="less").pvalue
    evidence = judged("C2", found)
    assert f"MAE {p:.3f}" in evidence.note
    interval = ttest_rel(ours, theirs).confidence_interval()
    mae = evidence.effects["MAE"]
    assert (mae.low, mae.high) == pytest.approx((interval.low, interval.high))
    assert mae.p == pytest.approx(ttest_rel(ours, theirs).pvalue)
    assert len(mae.seeds) == 5


def test_seeds_that_agree_to_the_digit_have_no_p():
    found = [
        r.model_copy(
            update={
                "metrics": {
                    "test": dict.fromkeys(ALL, 0.7 if "self_mm" in r.spec.system.name() else 0.8)
                }
            }
        )
        for r in setting("mosi", only=["SUGRM", "Self-MM"])
    ]
    evidence = judged("C2", found)
    assert evidence.verdict == "inconclusive"
    assert "MAE none" in evidence.note
    assert evidence.effects["Corr"].low == evidence.effects["Corr"].high == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("ahead", "verdict"),
    [(1.0, "supported"), (-0.1, "supported"), (-2.0, "contradicted"), (-0.5, "inconclusive")],
)
def test_comparable_is_within_a_margin(ahead, verdict):
    found = setting(better={"SUGRM": ahead}, only=["SUGRM", "Self-MM"])
    assert judged("C3b", found).verdict == verdict


# --- modules ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("better", "verdict"),
    [
        ({"mae": 1.0, "corr": 1.0}, "supported"),
        ({"mae": 1.0, "corr": 1.0, "f1_non0": 1.0}, "contradicted"),
        ({"mae": -1.0, "corr": 1.0}, "contradicted"),
        ({"mae": 1.0}, "inconclusive"),
    ],
)
def test_a_gain_in_few_metrics_is_told_from_one_in_many(better, verdict):
    found = setting("mosi", better={SWAPS[0]: better}, only=[SWAPS[0], BASE])
    evidence = judged("C10", found)
    assert evidence.verdict == verdict
    assert "corners of one grid of modules" in evidence.note


@pytest.mark.parametrize(
    ("ahead", "verdict"),
    [(0.0, "inconclusive"), (2.0, "contradicted"), (-2.0, "contradicted")],
)
def test_a_swap_that_changes_much_on_the_small_corpus_contradicts(ahead, verdict):
    found = setting("mosi", better={SWAPS[1]: ahead}, only=[SWAPS[1], BASE])
    assert judged("C11", found).verdict == verdict


@pytest.mark.parametrize(
    ("ahead", "verdict"), [(1.0, "supported"), (-1.0, "contradicted"), (0.0, "inconclusive")]
)
def test_the_other_label_generator_in_self_mm(ahead, verdict):
    found = setting("mosi", better={SWAPS[2]: ahead}, only=[SWAPS[2], BASE])
    assert judged("C12", found).verdict == verdict


@pytest.mark.parametrize(
    ("ahead", "verdict"),
    [((1, 1, 0.1), "supported"), ((-1, -1, 0.1), "contradicted"), ((1, 0, -1), "inconclusive")],
)
def test_improvements_are_counted(ahead, verdict):
    better = dict(zip(SWAPS, ahead, strict=True))
    evidence = judged("C13", setting(better=better, only=[*SWAPS, BASE]))
    assert evidence.verdict == verdict
    assert len(evidence.effects) == 18 and "of 18 differences are improvements" in evidence.note


@pytest.mark.parametrize(
    ("better", "verdict"),
    [
        (1.0, "supported"),
        ({"f1_has0": 1, "f1_non0": 1, "acc2_has0": 1, "acc2_non0": 1}, "supported"),
        (dict.fromkeys(ALL, 1.0) | {"mae": -1.0}, "contradicted"),
        ({"f1_has0": 1, "f1_non0": 1, "acc2_has0": 1}, "inconclusive"),
    ],
)
def test_the_other_label_generator_may_gain_little(better, verdict):
    found = setting(better={"SUGRM": better}, only=["SUGRM", OTHER])
    assert judged("C17", found).verdict == verdict


@pytest.mark.parametrize(
    ("l2", "huber", "verdict"),
    [
        (-3.0, -3.0, "supported"),
        (-3.0, -1.0, "inconclusive"),  # by one point only
        (-3.0, 1.0, "contradicted"),
        (0.0, 0.0, "inconclusive"),
    ],
)
def test_the_best_loss_is_better_by_two_points(l2, huber, verdict):
    found = setting(better={"l2": l2, "huber": huber}, only=["l1", "l2", "huber"], seed=3)
    assert judged("C22", found).verdict == verdict


NEITHER, MRM, SPT = SWAPS[2], LSTM, NO_MRM


@pytest.mark.parametrize(
    ("mrm", "spt", "both", "verdict"),
    [
        (-1, -1, 1, "supported"),
        (1, -1, 1, "contradicted"),
        (-1, -1, -1, "contradicted"),
        (0, -1, 1, "inconclusive"),
    ],
)
def test_modules_that_help_only_together_are_found(mrm, spt, both, verdict):
    better = {MRM: mrm, SPT: spt, "SUGRM": both}
    evidence = judged("X1", setting(better=better, only=[NEITHER, MRM, SPT, "SUGRM"]))
    assert evidence.verdict == verdict
    found = evidence.effects["interaction F1 (non 0), points"].effect
    assert found == pytest.approx(both - mrm - spt, abs=0.5)
