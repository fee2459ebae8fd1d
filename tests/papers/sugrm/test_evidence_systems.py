"""Claims that compare systems: planted effects are found, and absent ones are not."""

from types import SimpleNamespace

import pytest

from msalib.papers.sugrm import costs, evidence_costs
from msalib.papers.sugrm.scope import ALL
from tests.papers.sugrm.planted import constant, errors_times, judged, lacks, setting, stretched

NO_MRM = ("no_mrm", "spt", "own_ulgm")
LSTM = ("mrm", "lstm", "own_ulgm")
DENSE = ("mrm", "dense", "own_ulgm")
OTHER = ("mrm", "spt", "other_ulgm")
BASE = ("no_mrm", "lstm", "other_ulgm")
MRM, SPT, ULGM = SWAPS = [
    ("mrm", "lstm", "other_ulgm"),
    ("no_mrm", "spt", "other_ulgm"),
    ("no_mrm", "lstm", "own_ulgm"),
]

PAIRS = {
    "C1": ("mmmo-stretched", "SUGRM", "Self-MM"),
    "C2": ("mosi-standardised", "SUGRM", "Self-MM"),
    "C5": ("mosi-standardised", "tasks_all", "tasks_none"),
    "C9": ("mmmo-stretched", "SUGRM", "Self-MM"),
    "C12": ("mosi-standardised", ULGM, BASE),
    "C14": ("mosi", "SUGRM", NO_MRM),
    "C16": ("control", "SUGRM", LSTM),
}
"""Claim -> data, and two systems of which the first is said to be better in every metric."""


@pytest.mark.parametrize("claim", PAIRS)
@pytest.mark.parametrize(
    ("halved", "verdict"), [(1, "supported"), (-1, "contradicted"), (0, "inconclusive")]
)
def test_a_system_that_is_better_in_all_metrics_is_found(claim, halved, verdict):
    dataset, ours, rival = PAIRS[claim]
    evidence = judged(claim, setting(dataset, better={ours: halved}, only=[ours, rival]))
    assert evidence.verdict == verdict
    assert len(evidence.effects) == len(ALL) == 6
    assert "5 seeds, 192 test clips of 24 videos" in evidence.note
    if halved:
        assert all(e.effect * halved > 0 for e in evidence.effects.values())


@pytest.mark.parametrize(
    ("factor", "verdict"),
    [(1, "supported"), (2, "contradicted"), (1.53, "inconclusive")],
)
def test_one_metric_decides(factor, verdict):
    """Signs and correlation are better: MAE alone keeps the claim from support, or ends it."""
    found = setting(
        "mosi",
        only=["SUGRM", "Self-MM"],
        better={"SUGRM": 1},
        change={"SUGRM": stretched(factor)},
        videos=60,
    )
    evidence = judged("C2", found)
    assert evidence.verdict == verdict
    assert all(e.low > 0 for name, e in evidence.effects.items() if name != "gain in MAE")


# --- what a comparison needs --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claim", "names"),
    [("C2", ["SUGRM", "Self-MM"]), ("C11", [SPT, BASE]), ("C16", ["SUGRM", LSTM])],
)
def test_systems_that_read_other_parts_of_a_frozen_text_decide_nothing(claim, names):
    """The effects are shown, with the reason."""
    frozen = {"acoustic": 1, "linguistic": 6}
    found = setting("mosi", whole=frozen, only=names, better={names[0]: 1})
    evidence = judged(claim, found)
    assert lacks(evidence, "needs a fine-tuned text encoder (Self-MM and the LSTM")
    assert len(evidence.effects) == 6 and all(e.effect > 0 for e in evidence.effects.values())
    assert "5 seeds, 192 test clips of 24 videos" in evidence.note


def test_every_claim_with_such_a_pair_decides_nothing():
    found = setting("control", whole={"visual": 24, "acoustic": 24, "linguistic": 24})
    for claim in ("C3b", "C9", "C13", "C16"):
        assert lacks(judged(claim, found), "words that are read alike (Self-MM"), claim


@pytest.mark.parametrize(("claim", "names"), [("C14", ["SUGRM", NO_MRM]), ("C12", [ULGM, BASE])])
def test_systems_that_read_the_same_of_a_frozen_text_are_compared(claim, names):
    frozen = {"acoustic": 1, "linguistic": 6}
    found = setting("mosi", whole=frozen, only=names, better={names[0]: 1})
    assert judged(claim, found).verdict == "supported"


def test_too_few_seeds_or_videos_are_named():
    def compared(dataset, **fields):
        found = setting(dataset, better={"SUGRM": 1}, only=["SUGRM", "Self-MM"], **fields)
        return judged("C9", found)

    assert lacks(compared("mosi", seeds=2), "3 seeds of SUGRM, Self-MM (2 so far)")
    assert compared("mosi", seeds=3).verdict == "supported"  # its text encoder is fine-tuned
    assert lacks(compared("mmmo-stretched", seeds=4), "5 seeds of SUGRM, Self-MM (4 so far)")
    assert lacks(compared("mosi", videos=9), "10 test videos")


def test_undefined_metrics_decide_nothing_and_are_told():
    names = ["SUGRM", "Self-MM"]
    found = setting(only=names, better={"Self-MM": 1}, change={"SUGRM": constant})
    evidence = judged("C9", found)
    assert evidence.verdict == "inconclusive"  # though MAE and signs are clearly worse
    assert "Corr undefined" in evidence.note and "nan" not in evidence.note
    alike = setting(only=names, change=dict.fromkeys(names, constant))
    assert judged("C3b", alike).verdict == "inconclusive"


# --- margins ------------------------------------------------------------------------------------

PARALLEL = 1 - 1e-6
"""Share of common noise with which arms of equal noise differ by less than any margin."""


@pytest.mark.parametrize(
    ("halved", "shared", "verdict"),
    [
        (1, 0.9, "supported"),
        (0, PARALLEL, "supported"),
        (0, 0.9, "inconclusive"),  # no difference, but trainings spread too much to say so
        (-1, 0.9, "contradicted"),
    ],
)
def test_comparable_is_to_lose_no_more_than_a_margin(halved, shared, verdict):
    found = setting(only=["SUGRM", "Self-MM"], better={"SUGRM": halved}, shared=shared)
    evidence = judged("C3b", found)
    assert evidence.verdict == verdict
    assert "margins F1 (has 0) 0.5" in evidence.note and "MAE 0.01, Corr 0.01" in evidence.note
    assert all("(90% interval)" in name for name in evidence.effects)


def test_a_gain_in_one_metric_beyond_its_margin_is_no_comparable_loss():
    found = setting(only=["SUGRM", "Self-MM"], change={"SUGRM": stretched(1.3)}, shared=PARALLEL)
    assert judged("C3b", found).verdict == "contradicted"


@pytest.mark.parametrize(
    ("halved", "shared", "verdict"),
    [
        (0, PARALLEL, "inconclusive"),  # nothing is shown for the larger corpus
        (0, 0.9, "inconclusive"),
        (1, 0.9, "contradicted"),
        (-1, 0.9, "contradicted"),
    ],
)
def test_one_half_of_a_claim_can_fail_and_never_support(halved, shared, verdict):
    found = setting("mosi", only=[SPT, BASE], better={SPT: halved}, shared=shared)
    evidence = judged("C11", found)
    assert evidence.verdict == verdict
    assert "that it matters on CMU-MOSEI is not tried here" in evidence.note


@pytest.mark.parametrize(
    ("halved", "shared", "cost", "verdict"),
    [
        (-1, 0.9, (2, 2, 2), "supported"),
        (0, PARALLEL, (2, 2, 2), "supported"),
        (0, 0.9, (2, 2, 2), "inconclusive"),
        (1, 0.9, (2, 2, 2), "contradicted"),
        (-1, 0.9, (2, 0.5, 2), "inconclusive"),
        (-1, 0.9, (0.5, 1, 1), "contradicted"),
        (-1, 0.9, None, "inconclusive"),
        (1, 0.9, None, "contradicted"),
    ],
)
def test_a_full_transformer_may_gain_little_and_must_cost_more(
    halved, shared, cost, verdict, monkeypatch
):
    times = cost and SimpleNamespace(
        **{
            key: {"spt": 1.0, "dense": ratio}
            for key, ratio in zip(evidence_costs.RELATIVE, cost, strict=True)
        }
    )
    monkeypatch.setattr(costs, "read", lambda: times)
    found = setting(only=["SUGRM", DENSE], better={DENSE: halved}, shared=shared)
    evidence = judged("C15", found)
    assert evidence.verdict == verdict
    said = f"parameters {cost[0]:.2f}, time {cost[1]:.2f}" if cost else "cost not run: needs"
    assert said in evidence.note and "MAE 0.005, Corr 0.005" in evidence.note


# --- some metrics and not others ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("halved", "change", "verdict"),
    [
        (0, errors_times(0.6), "supported"),  # F1 stays as it is
        (1, None, "contradicted"),  # in F1, too
        (0, errors_times(1.6), "contradicted"),
        (0, stretched(0.8), "inconclusive"),  # MAE alone
        (0, None, "inconclusive"),
    ],
)
def test_a_gain_in_few_metrics_is_told_from_one_in_many(halved, change, verdict):
    found = setting(
        "mosi",
        only=[MRM, BASE],
        better={MRM: halved},
        change={MRM: change},
        shared=PARALLEL,
    )
    evidence = judged("C10", found)
    assert evidence.verdict == verdict
    assert "corners of one grid of modules" in evidence.note
    assert {name.partition(":")[0] for name in evidence.effects} == {"errors", "F1"}


def test_no_shown_gain_of_f1_is_no_evidence_of_no_gain():
    found = setting("mosi", only=[MRM, BASE], change={MRM: errors_times(0.6)}, shared=0.9)
    evidence = judged("C10", found)
    assert evidence.verdict == "inconclusive"
    assert evidence.effects["errors: gain in MAE"].low > 0


@pytest.mark.parametrize(
    ("halved", "change", "verdict"),
    [
        (1, None, "supported"),
        (0, errors_times(0.6), "supported"),  # two of three metrics
        (0, stretched(0.8), "inconclusive"),  # one of three
        (0, errors_times(1.6), "contradicted"),
        (0, None, "inconclusive"),
    ],
)
def test_each_module_must_be_better_in_most_of_three_metrics(halved, change, verdict):
    """The other two modules are better; the third decides."""
    found = setting(
        only=[BASE, *SWAPS],
        better={MRM: 1, SPT: 1, ULGM: halved},
        change={ULGM: change},
        shared=0.99,
    )
    evidence = judged("C13", found)
    assert evidence.verdict == verdict
    assert len(evidence.effects) == 9
    assert evidence.note.count("p that at least 2 of 3 gains are positive") == 3


@pytest.mark.parametrize(
    ("halved", "change", "verdict"),
    [
        (1, None, "supported"),
        (0, errors_times(0.6), "supported"),  # the other gains nothing in F1
        (1, stretched(2), "contradicted"),  # better in most, but MAE loses more than its margin
        (-1, None, "contradicted"),
        (0, stretched(0.8), "inconclusive"),  # one metric of three
        (0, None, "inconclusive"),
    ],
)
def test_the_other_label_generator_may_gain_little(halved, change, verdict):
    found = setting(
        only=["SUGRM", OTHER],
        better={"SUGRM": halved},
        change={"SUGRM": change},
        shared=PARALLEL,
    )
    evidence = judged("C17", found)
    assert evidence.verdict == verdict
    assert {name.partition(":")[0] for name in evidence.effects} == {"most", "the other"}


# --- several systems ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("l2", "huber", "verdict"),
    [
        (-1, -1, "supported"),
        (-1, 0, "inconclusive"),
        (-1, 1, "contradicted"),
        (0, 0, "inconclusive"),
    ],
)
def test_the_best_loss_is_better_than_each_other(l2, huber, verdict):
    found = setting(
        only=["l1", "l2", "huber"], better={"l2": l2, "huber": huber}, shared=1, videos=100
    )
    assert judged("C22", found).verdict == verdict


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
    better = {LSTM: mrm, NO_MRM: spt, "SUGRM": both}
    evidence = judged("X1", setting(better=better, only=[ULGM, *better]))
    assert evidence.verdict == verdict
    assert len(evidence.effects) == 8
    for metric in ("F1 (non 0), points", "MAE"):
        joined = evidence.effects[f"difference of gains in {metric}"]
        if both - mrm - spt > 1:
            assert joined.low > 0
        if (mrm, spt, both) == (-1, -1, -1):
            assert joined.effect > 0  # both together harm no more than one


def test_what_gates_know_of_a_frozen_text_is_told():
    frozen = setting("mosi", whole={"acoustic": 1, "linguistic": 6}, only=[MRM, BASE])
    assert "recalibration sets its gates by all tokens" in judged("C10", frozen).note
    tuned = setting("mosi", only=[MRM, BASE])
    assert "sets its gates" not in judged("C10", tuned).note
