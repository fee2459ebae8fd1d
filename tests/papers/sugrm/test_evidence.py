"""Tests of SUGRM's claims: planted effects are found, absent ones are not, what lacks is named."""

import numpy as np
import pytest
from scipy.stats import ttest_rel

from msalib.data.metrics import METRICS
from msalib.data.simulate import stories as simulate
from msalib.evidence import registry
from msalib.evidence.verdicts import judge
from msalib.models.extras import GeneratedLabels, Geometry
from msalib.models.unimodal_tasks import tasks
from msalib.papers.sugrm import evidence as sugrm
from msalib.papers.sugrm import timing
from msalib.papers.sugrm.momentum import null_movement
from msalib.papers.sugrm.plan import compared, followed, losses, module_grid, task_grid
from msalib.runs.spec import USUAL, system
from tests.factory import make_record, predictions

CLAIMS = {c.id.removeprefix("SUGRM-"): c for c in registry.claims("sugrm") if c.rerun.test}
THREE = {"visual": 24, "acoustic": 24, "linguistic": "tuned"}
MOSI = {"acoustic": 1, "linguistic": "tuned"}
MMMO = {"visual": 1, "acoustic": 1}
WHOLE = {"mosi": MOSI, "mmmo-stretched": MMMO, "control": THREE, "control-opposite": THREE}
SMALL = predictions([1.0, -1.0, 0.0], [0.9, -1.0, 0.1], ["a", "b", "c"])
UNIT = {"mae": 0.02, "corr": 0.02}  # a share has one point of a hundred
NO_MRM = ("no_mrm", "spt", "own_ulgm")
DENSE = ("mrm", "dense", "own_ulgm")
LSTM = ("mrm", "lstm", "own_ulgm")
OTHER = ("mrm", "spt", "other_ulgm")
BASE = ("no_mrm", "lstm", "other_ulgm")
SWAPS = [
    ("mrm", "lstm", "other_ulgm"),
    ("no_mrm", "spt", "other_ulgm"),
    ("no_mrm", "lstm", "own_ulgm"),
]
ALL = tuple(sugrm.ALL)
ONE, TWO = ("tasks_t", "tasks_a", "tasks_v"), ("tasks_ta", "tasks_tv", "tasks_av")


def named(whole):
    return compared(whole) | task_grid(whole) | losses(whole) | followed(whole) | module_grid(whole)


def one(wanted, seed, dataset, rng, better=0.0, **fields):
    """A record whose metrics are better than usual by so many units, all or each, plus noise."""
    record = make_record(
        dict(wanted.inputs),
        seed,
        parts={"valid": SMALL, "test": SMALL},
        paper="sugrm",
        dataset=dataset,
        encoder="made",
        model={name: wanted.choice(name) for name in USUAL},
    )
    test = {}
    for metric in ALL:
        up = better.get(metric, 0.0) if isinstance(better, dict) else better
        sign = 1 if METRICS[metric].higher_is_better else -1
        test[metric] = 0.7 + sign * UNIT.get(metric, 0.01) * (up + 0.1 * rng.normal())
    return record.model_copy(update={"metrics": {**record.metrics, "test": test}} | fields)


def setting(dataset="control", seeds=5, seed=0, only=None, **better):
    """Records of every system in the names of ``better`` and of all others; or ``only`` some."""
    whole = WHOLE[dataset]
    systems = named(whole)
    rng = np.random.default_rng(seed)
    wanted = {systems[name]: value for name, value in better.get("better", {}).items()}
    names = only or list(systems)
    return [
        one(own, k, dataset, rng, wanted.get(own, 0.0))
        for own in dict.fromkeys(systems[name] for name in names)
        for k in range(seeds)
    ]


def judged(claim, found):
    (verdict,) = judge([CLAIMS[claim]], found)
    return verdict.evidence


def changed(found, wanted, change):
    """Records of one system after ``change`` (record -> fields)."""
    return [r.model_copy(update=change(r)) if r.spec.system == wanted else r for r in found]


# --- one system against another -----------------------------------------------------------------

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
    rng = np.random.default_rng(0)
    found = [
        one(own, k, "mosi", rng, ahead)
        for own, ahead in zip(systems, (2.0, 0.0), strict=True)
        for k in range(5)
    ]
    evidence = judged(claim, found)
    assert evidence.verdict == "not run" and evidence.effects["MAE"].effect < 0
    assert "needs a text encoder that is trained along: of the words" in evidence.note


def test_systems_that_read_the_same_of_a_frozen_text_are_compared():
    frozen = {"acoustic": 1, "linguistic": 6}
    grid, rng = module_grid(frozen), np.random.default_rng(0)
    pair = [grid["mrm", "spt", "own_ulgm"], grid["no_mrm", "spt", "own_ulgm"]]
    found = [
        one(own, k, "mosi", rng, ahead)
        for own, ahead in zip(pair, (2.0, 0.0), strict=True)
        for k in range(5)
    ]
    assert judged("C14", found).verdict == "supported"


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


def test_a_claim_that_names_a_corpus_is_judged_on_what_stands_for_it():
    on = {
        dataset: {claim: judged(claim, setting(dataset)) for claim in CLAIMS} for dataset in WHOLE
    }
    for claim in ("C2", "C5", "C6", "C7", "C10", "C11", "C12", "X1"):
        assert on["mmmo-stretched"][claim].note == "needs unaligned CMU-MOSI"
        for dataset in ("mosi", "control", "control-opposite"):
            assert on[dataset][claim].verdict != "not run"
        assert "speech is one vector per clip" in on["mosi"][claim].note
        assert "not here: visual" in on["mosi"][claim].note
        assert "not here" not in on["control"][claim].note
    for claim in ("C3b", "C8", "C13"):
        assert on["mosi"][claim].note == "needs unaligned CMU-MOSEI"
        assert on["control"][claim].verdict != "not run"
    assert {e["C3a"].note for e in on.values()} == {"needs aligned CMU-MOSEI"}
    assert on["mosi"]["C1"].note == on["control"]["C1"].note == "needs aligned CMU-MOSI"
    assert "ICT-MMMO, aligned to words, stands in" in on["mmmo-stretched"]["C1"].note
    for claim in ("C9", "C14", "C15", "C16", "C17", "C22", "C25"):
        assert all(on[dataset][claim].verdict != "not run" for dataset in WHOLE)
    for claim in ("C23", "C24"):
        assert on["control"][claim].note == "needs CMU-MOSI, not simulated"


BY_SIGN = {"C6", "C7", "C13"}
"""Claims whose rule is satisfied by signs of means, which luck gives now and then."""


def test_where_all_systems_are_alike_nothing_but_equality_is_found():
    counts = {"supported": 0, "contradicted": 0, "inconclusive": 0}
    for seed in range(10):
        found = setting("control", seed=seed)
        for claim in set(CLAIMS) - BY_SIGN - {"C3b", "C15"}:
            evidence = judged(claim, found)
            if evidence.verdict != "not run":
                counts[evidence.verdict] += 1
    assert sum(counts.values()) == 130
    assert counts["supported"] == 0 and counts["contradicted"] <= 0.1 * 130


def test_what_was_not_trained_is_named():
    found = setting("mosi", only=["SUGRM"])
    for claim in CLAIMS:
        evidence = judged(claim, found)
        if claim != "C24":
            assert evidence.verdict == "not run" and evidence.note.startswith("needs "), claim
    assert judged("C2", found).note == "needs runs of acoustic-1+linguistic-tuned-self_mm"
    once = setting("mosi", only=["SUGRM", "Self-MM"], seeds=1)
    assert judged("C2", once).note == "needs a second seed that all runs have"
    rng = np.random.default_rng(0)
    text = [one(system({"linguistic": 6}), k, "mosei", rng) for k in range(5)]
    assert judged("C3b", text).note == "needs several modalities of the same clips"


def test_undefined_metrics_decide_nothing_and_are_told():
    found = setting("mosi", better={"SUGRM": 1.0})
    own = compared(MOSI)["SUGRM"]

    def constant(r):
        return {"metrics": {**r.metrics, "test": {**r.metrics["test"], "corr": None}}}

    for claim, evidence in ((c, judged(c, changed(found, own, constant))) for c in CLAIMS):
        assert "nan" not in evidence.note, claim
        if claim in ("C2", "C9", "C14", "C16", "C17", "C22"):
            assert evidence.verdict == "inconclusive", claim
            assert "Corr undefined (constant predictions) for 5 of 5 seeds" in evidence.note
            assert any(np.isnan(e.effect) for e in evidence.effects.values())


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


def costs(parameters=2, seconds=2, memory=2, on="CMU-MOSI, 9 test clips, made", **inference):
    """A record of costs: those of the full transformer over the sparse one, and timed passes."""
    found = {
        "parameters": {"spt": 10, "dense": int(10 * parameters)},
        "model_parameters": {},
        "seconds": {},
        "seconds_median": {"spt": 0.1, "dense": 0.1 * seconds},
        "peak_bytes": {"spt": 10, "dense": int(10 * memory)},
        "inference": inference,
        "inference_on": on,
        "inference_unaligned": {},
        "inference_with_bert": {},
        "provenance": {},
    }
    timing.RECORD.write(timing.Times(**found))


@pytest.mark.parametrize(
    ("ahead", "cost", "verdict"),
    [
        (-1.0, (2, 2, 2), "supported"),
        (0.2, (2, 2, 2), "supported"),  # 0.2 points and 0.004
        (2.0, (2, 2, 2), "contradicted"),
        (-1.0, (0.5, 1, 1), "contradicted"),
        (-1.0, (2, 0.5, 2), "inconclusive"),
        (-1.0, None, "inconclusive"),
        (2.0, None, "contradicted"),
    ],
)
def test_a_full_transformer_may_gain_little_and_must_cost_more(ahead, cost, verdict):
    if cost:
        costs(*cost)
    better = {DENSE: {"mae": ahead / 2, "corr": ahead / 2} | dict.fromkeys(ALL[:4], ahead)}
    evidence = judged("C15", setting(better=better, only=["SUGRM", DENSE], seed=1))
    assert evidence.verdict == verdict
    if cost is None:
        assert "cost not run: needs a record of times" in evidence.note
    else:
        assert f"parameters {cost[0]:.2f}, time {cost[1]:.2f}" in evidence.note


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


# --- sets of tasks ------------------------------------------------------------------------------


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
    orders = sugrm._orders((1.0, 3.0, 3.0, 3.0, 6.0, 6.0, 6.0, 8.0))
    assert orders.shape == (40320, 8)
    ranks = np.array([1.0, 3.0, 3.0, 3.0, 6.0, 6.0, 6.0, 8.0])
    assert (orders @ ranks >= ranks @ ranks - 1e-9).mean() == pytest.approx(36 / 40320)
    four = sugrm._orders((1.0, 2.5, 2.5, 4.0))
    assert (four @ [1, 2, 3, 4] >= 1 + 5 + 7.5 + 16 - 1e-9).mean() > 0.05  # of two modalities


# --- generated labels ---------------------------------------------------------------------------


def test_movement_by_chance_is_that_of_simulated_labels():
    rng = np.random.default_rng(0)
    labels = rng.uniform(-3, 3, 40_000)
    expected = null_movement(30)
    assert expected[0] is None and len(expected) == 30 and null_movement(0) == []
    for e in range(2, 31):
        moved = ((e - 1) * labels + 2 * rng.uniform(-3, 3, len(labels))) / (e + 1)
        assert np.abs(moved - labels).mean() == pytest.approx(expected[e - 1], rel=0.02)
        labels = moved
    assert expected[14] == pytest.approx(0.19, abs=0.005)  # papers/sugrm.md (b), C18
    assert expected[19] == pytest.approx(0.15, abs=0.005)


def made_labels(movement=(0.01,) * 30, drift=None, clamped=0.1, percentile=3.0, made=None, **more):
    epochs = len(movement)
    drift = [1 / e for e in range(1, epochs + 1)] if drift is None else drift

    def each(values):
        return {m: list(values) for m in THREE}

    none = [None] * (epochs - 1)
    fields = {
        "id": ["a", "b"],
        "video": ["a", "b"],
        "given": [1.0, -1.0],
        "movement": each([None, *movement[1:]]),
        "drift": each([None, None, *drift[2:]]),
        "clamped": each([None, *(clamped for _ in none)]),
        "percentile": each([None, *(percentile for _ in none)]),
    }
    return GeneratedLabels(**fields | ({"made": made} if made else {}) | more)


def with_labels(found, name, make):
    """Records of a followed system with the labels that ``make(seed)`` gives."""
    whole = WHOLE[found[0].spec.dataset]
    return changed(found, followed(whole)[name], lambda r: {"labels": make(r.spec.seed)})


FALLING = [1 / e**2 for e in range(1, 31)]


@pytest.mark.parametrize(
    ("movement", "drift", "verdict"),
    [
        ([0.2 / e for e in range(1, 31)], FALLING, "supported"),
        ([0.2 / e for e in range(1, 31)], [0.3] * 30, "inconclusive"),  # targets still drift
        ([v or 0 for v in null_movement(30)], FALLING, "contradicted"),  # momentum alone
        ([0.04] * 28 + [0.06, 0.04], FALLING, "contradicted"),
        ([0.2 / e for e in range(1, 29)] + [0.0495] * 2, FALLING, "inconclusive"),  # half of chance
    ],
)
def test_labels_that_settle_are_told_from_those_that_momentum_slows(movement, drift, verdict):
    found = setting(only=["SUGRM's"])
    found = with_labels(found, "SUGRM's", lambda seed: made_labels(movement, drift))
    assert judged("C18", found).verdict == verdict


def test_four_of_five_seeds_must_move_to_contradict():
    for moving, verdict in ((4, "contradicted"), (1, "inconclusive")):
        found = with_labels(
            setting(only=["SUGRM's"]),
            "SUGRM's",
            lambda seed, moving=moving: made_labels(
                [0.01 if seed >= moving else 0.5] * 30, FALLING
            ),
        )
        assert judged("C18", found).verdict == verdict


def test_labels_without_enough_epochs_or_targets():
    found = setting(only=["SUGRM's"])
    assert judged("C18", found).note == "needs records of the generated labels of every epoch"
    short = with_labels(found, "SUGRM's", lambda seed: made_labels([0.01] * 14))
    assert judged("C18", short).note == "needs 15 epochs or more without early stopping"
    still = with_labels(found, "SUGRM's", lambda seed: made_labels(drift=[0.0] * 30))
    evidence = judged("C18", still)
    assert evidence.verdict == "inconclusive"
    assert np.isnan(evidence.effects["visual drift over epoch 4"].effect)


@pytest.mark.parametrize(
    ("ours", "size", "verdict"),
    [
        (0.1, 9.0, "supported"),
        (0.1, 9.1, "inconclusive"),  # beyond the bound
        (0.4, 5.0, "contradicted"),
        (0.25, 5.0, "inconclusive"),
    ],
)
def test_targets_at_the_ends_of_the_scale_are_counted(ours, size, verdict):
    rng = np.random.default_rng(0)
    found = setting(only=["SUGRM's", "Self-MM's"])
    for name, share, percentile in (("SUGRM's", ours, size), ("Self-MM's", 0.25, 40.0)):
        found = with_labels(
            found,
            name,
            lambda seed, share=share, percentile=percentile: made_labels(
                clamped=share + 0.01 * rng.normal(), percentile=percentile
            ),
        )
    evidence = judged("C19", found)
    assert evidence.verdict == verdict
    assert evidence.effects["99th percentile of size, Self-MM's"].effect == pytest.approx(40)


@pytest.mark.parametrize(
    ("kind", "verdict"),
    [("true", "supported"), ("copied", "inconclusive"), ("noise", "contradicted")],
)
def test_generated_labels_are_held_against_the_true_ones_of_the_control(kind, verdict):
    corpus = simulate.story("control")
    rows = np.arange(60)
    given = corpus.utterances["label"].to_numpy()[rows]
    rng = np.random.default_rng(0)

    def make(seed):
        made = {}
        for m in THREE:
            true = corpus.truth["sentiment"][m][rows]
            last = {"true": 0.5 * true + 0.5 * given, "copied": given, "noise": 0 * given}[kind]
            last = last + (0 if kind == "copied" else 0.3 * rng.normal(size=len(rows)))
            made[m] = [[0.0] * len(rows), last.tolist()]
        ids = corpus.utterances.index[rows].tolist()
        return made_labels(made=made, id=ids, video=ids, given=given.tolist())

    found = with_labels(setting(only=["SUGRM's"]), "SUGRM's", make)
    evidence = judged("C21", found)
    assert evidence.verdict == verdict
    assert list(evidence.effects)[:3] == ["visual difference", "visual generated", "visual clip's"]
    real = with_labels(setting("mosi", only=["SUGRM's"]), "SUGRM's", lambda seed: made_labels())
    assert judged("C21", real).note.startswith("needs labels of each modality by humans")
    assert "generated labels of every epoch" in judged("C21", setting(only=["SUGRM's"])).note


# --- geometry, time, size -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "selected", "verdict"),
    [
        (0.2, 0.7, "supported"),
        (0.7, 0.7, "inconclusive"),  # not by training
        (0.1, 0.3, "contradicted"),
        (None, 0.7, "inconclusive"),
    ],
)
def test_distances_that_agree_are_found(first, selected, verdict):
    rng = np.random.default_rng(0)

    def drawn(value):
        return None if value is None else value + 0.01 * rng.normal()

    found = changed(
        setting(only=["SUGRM"]),
        compared(THREE)["SUGRM"],
        lambda r: {"geometry": Geometry(first=drawn(first), selected=drawn(selected))},
    )
    evidence = judged("C20", found)
    assert evidence.verdict == verdict
    assert ("undefined (features all the same)" in evidence.note) == (first is None)
    assert judged("C20", setting(only=["SUGRM"])).note.startswith("needs distances of features")


@pytest.mark.parametrize(
    ("ours", "spread", "verdict"),
    [(2.0, 0.01, "supported"), (4.0, 0.01, "contradicted"), (2.55, 0.5, "inconclusive")],
)
def test_the_ratio_of_times(ours, spread, verdict):
    jitter = spread * np.linspace(-1, 1, 10)
    costs(sugrm=(ours + jitter).tolist(), self_mm=[1.0] * 10)
    evidence = judged("C23", setting("mosi", only=["SUGRM"]))
    assert evidence.verdict == verdict
    assert evidence.effects["ratio of medians"].effect == pytest.approx(ours)


def test_times_that_were_not_taken_are_named():
    found = setting("mosi", only=["SUGRM"])
    need = "needs 10 timed passes of each model over the test part"
    assert judged("C23", found).note == need
    costs(sugrm=[2.0] * 10, self_mm=[1.0] * 9)
    assert judged("C23", found).note == need
    costs(sugrm=[2.0] * 10, self_mm=[1.0] * 10, on="Simulated features, 9 test clips, planted")
    assert judged("C23", found).note == need


@pytest.mark.parametrize(
    ("sparse", "verdict"), [(10, "supported"), (15, "supported"), (16, "contradicted")]
)
def test_the_ratio_of_parameters(sparse, verdict, monkeypatch):
    found = setting("mosi", only=["SUGRM"])
    with monkeypatch.context() as patched:
        patched.setattr(timing, "parameters", lambda: {"spt": sparse, "dense": 100})
        assert judged("C24", found).verdict == verdict
    assert "161,074 against" in judged("C24", found).note  # papers/sugrm.md (b), C24


# --- the registry -------------------------------------------------------------------------------


def test_every_test_is_one_of_a_claim():
    assert {c.rerun.test for c in CLAIMS.values()} == {test.__name__ for test in sugrm.TESTS}
    left_out = {c.id for c in registry.claims("sugrm") if c.rerun.test is None}
    assert left_out == {"SUGRM-C4", "SUGRM-X2"}


def test_every_claim_names_data_that_there_are_and_reads_each_verdict_differently():
    """Its systems are looked up above, where all claims are judged."""
    for claim in CLAIMS.values():
        assert claim.rerun.arguments.get("data") in {None, *sugrm.DATA}, claim.id
        assert len(set(claim.rerun.reading.values())) == 4, claim.id


def test_verdicts_cite_only_records_that_were_read():
    found = setting("mosi", only=["SUGRM", "Self-MM", "tasks_none"])
    (verdict,) = judge([CLAIMS["C2"]], found)
    assert len(verdict.records) == 10
    (none,) = judge([CLAIMS["C1"]], found)
    assert none.records == []
