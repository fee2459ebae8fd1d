"""Tests of GLoMo's claims that read what a record holds once: use of experts, spaces, counts."""

import json

import numpy as np
import pytest

from msalib.evidence.verdicts import bound_test
from msalib.papers.glomo import costs, evidence_costs, plan
from msalib.papers.glomo.evidence_vectors import ORDER
from msalib.runs.query import Runs
from tests.papers.glomo.planted import (
    CLAIMS,
    FULL,
    NAMED,
    WHOLE,
    arms,
    judged,
    planted,
)
from tests.papers.planted_systems import BAD, GOOD, USUAL

pytestmark = pytest.mark.usefixtures("fewer_resamples")


# --- use of experts -----------------------------------------------------------------------------

KEPT, DROPPED = FULL, NAMED["no balance losses"]


def use(skew, seed, dead=False):
    """Use of three experts of every modality, which share more unequally with ``skew``."""
    jitter = 0.01 * np.random.default_rng(seed).normal(size=3)
    shares = np.array([1 / 3 + skew, 1 / 3, 1 / 3 - skew]) + jitter
    load = [0.6, 0.4, 0.0] if dead else (shares / shares.sum()).tolist()
    one = {
        "importance": [[1 / 3] * 3],
        "load": [[1 / 3] * 3],
        "valid_importance": (shares / shares.sum()).tolist(),
        "valid_load": load,
    }
    return {"use": dict.fromkeys(WHOLE, one)}


def balanced(kept, dropped, dead=()):
    skew = {KEPT: kept, DROPPED: dropped}

    def extras(system, seed):
        return use(skew[system], seed, dead=system == KEPT and seed in dead)

    return judged("losses_keep_balance", {KEPT: USUAL, DROPPED: USUAL}, extras=extras)


def test_losses_that_balance_support_and_their_opposite_contradicts():
    found = balanced(0.02, 0.2)
    assert found.verdict == "supported"
    assert "0 of 5 with the losses, 0 of 5 without" in found.note
    assert sum(name.startswith("gain in") for name in found.effects) == 1
    assert balanced(0.2, 0.02).verdict == "contradicted"


def test_a_dead_expert_denies_support():
    found = balanced(0.0, 0.3, dead={1})
    assert found.verdict == "inconclusive" and "1 of 5 with the losses" in found.note


def test_losses_that_change_nothing_decide_nothing():
    rng = np.random.default_rng(3)
    skews = {s: 0.1 + 0.05 * rng.normal(size=5) for s in (KEPT, DROPPED)}
    found = judged(
        "losses_keep_balance",
        {KEPT: USUAL, DROPPED: USUAL},
        extras=lambda system, seed: use(skews[system][seed], seed),
    )
    assert found.verdict == "inconclusive"


def test_records_without_use_and_too_few_seeds_are_named():
    noise = {KEPT: USUAL, DROPPED: USUAL}
    assert "busy" in judged("losses_keep_balance", noise).note
    assert "5 seeds" in judged("losses_keep_balance", noise, seeds=4).note
    assert "runs of" in judged("losses_keep_balance", {KEPT: USUAL}).note


# --- spaces -------------------------------------------------------------------------------------

EXPERTS = plan.experts(WHOLE)


def spaces(**changes):
    """Numbers on vectors as the paper describes them, with functions of the number of experts."""
    usual = {
        "separable": lambda s: 0.99,
        "dispersion": lambda s: 1.8,
        "clusters": float,
        "nmi": lambda s: 0.8,
    } | changes
    number = {system: s for s, system in EXPERTS.items()}

    def extras(system, seed):
        one = {
            key: value(number[system]) + (key != "clusters") * 0.001 * seed
            for key, value in usual.items()
            if value is not None
        }
        return {"spaces": dict.fromkeys(WHOLE, one)}

    return extras


def apart(**changes):
    noise = dict.fromkeys(EXPERTS.values(), USUAL)
    return judged("spaces_lie_apart", noise, extras=spaces(**changes))


def test_spaces_as_the_paper_describes_them_support():
    found = apart()
    assert found.verdict == "supported" and len(found.effects) == 4 * 3
    slopes = [e.effect for name, e in found.effects.items() if "clusters per expert" in name]
    assert slopes == pytest.approx([1, 1, 1])


def test_as_many_clusters_whatever_the_experts_contradict():
    assert apart(clusters=lambda s: 3.0).verdict == "contradicted"


@pytest.mark.parametrize(
    "changes",
    [
        {"separable": lambda s: 0.4},
        {"dispersion": lambda s: 0.7},
        {"clusters": lambda s: min(s, 3.0)},
        {"nmi": lambda s: 0.1},
        {"nmi": None},
        {"clusters": None},
    ],
)
def test_one_thing_that_differs_or_is_undefined_denies_support(changes):
    assert apart(**changes).verdict == "inconclusive"


@pytest.mark.parametrize(("scatter", "verdict"), [(0.002, "supported"), (0.2, "inconclusive")])
def test_kinds_are_told_apart_if_the_interval_over_seeds_is_above_chance(scatter, verdict):
    """Every run is above a half in both; what scatters as much as it exceeds that is no proof."""

    def extras(system, seed):
        made = spaces()(system, seed)
        for numbers in made["spaces"].values():
            numbers["separable"] = 0.501 + scatter * (1 if seed == 0 else 0.1 * seed)
        return made

    noise = dict.fromkeys(EXPERTS.values(), USUAL)
    found = judged("spaces_lie_apart", noise, extras=extras)
    assert found.verdict == verdict
    assert "another" in found.note


def test_records_without_spaces_are_named():
    noise = dict.fromkeys(EXPERTS.values(), USUAL)
    assert "numbers on vectors" in judged("spaces_lie_apart", noise).note
    assert "5 seeds" in judged("spaces_lie_apart", noise, seeds=4).note


# --- fused vectors ------------------------------------------------------------------------------

FOUR = [NAMED[name] for name in ORDER]


def parted(*levels, scatter=0.01):
    rng, level = np.random.default_rng(0), dict(zip(FOUR, levels, strict=True))

    def extras(system, seed):
        numbers = level[system] + scatter * rng.normal(size=3)
        fused = dict(zip(("silhouette", "neighbours", "probe"), numbers.tolist(), strict=True))
        return {"spaces": {"fused": fused}}

    return judged("polarities_part", dict.fromkeys(FOUR, USUAL), extras=extras)


def test_the_order_of_four_models_is_judged():
    assert parted(0.9, 0.8, 0.7, 0.6).verdict == "supported"
    assert parted(0.6, 0.7, 0.8, 0.9).verdict == "contradicted"
    assert parted(0.9, 0.7, 0.8, 0.6).verdict == "contradicted"
    equal = parted(0.8, 0.8, 0.8, 0.8)
    assert equal.verdict == "inconclusive" and len(equal.effects) == 9


def test_records_without_fused_vectors_are_named():
    noise = dict.fromkeys(FOUR, USUAL)
    assert "fused vectors" in judged("polarities_part", noise).note
    del noise[arms("CON")[0]]
    assert "runs of CON" in judged("polarities_part", noise).note


# --- counts and times ---------------------------------------------------------------------------

MEASURED = dict(zip(("dataset", "encoder", "preset"), evidence_costs.MEASURED, strict=True))


def shown(name, **about):
    words = plan.variants({plan.TEXT: 1, plan.SOUND: 1})
    made = planted({words[plan.FULL]: GOOD, words["MLP_M"]: BAD}, **about)
    return bound_test(CLAIMS[name])(Runs(made))


def test_the_count_is_exact_and_not_judged():
    found = shown("fewest_parameters", **MEASURED)
    assert found.verdict == "not run"
    assert found.effects["millions of parameters"].effect == pytest.approx(109.818887)
    assert found.effects["millions of parameters without BERT"].effect == pytest.approx(0.927239)
    assert found.effects["thousands fewer than is printed for C-MIB"].effect == 16.861
    assert "exactly the printed number" in found.note
    assert found.note.startswith("needs models of C-MIB")


def test_times_are_shown_as_far_as_they_are_measured(monkeypatch, tmp_path):
    monkeypatch.setattr(costs, "TIMES", tmp_path / "times.json")
    assert shown("takes_less_time", **MEASURED).effects == {}
    seconds = {plan.FULL: {"median": 2.0}, "TFN": {"median": 1.0}}
    costs.TIMES.write_text(json.dumps({"seconds": seconds}))
    found = shown("takes_less_time", **MEASURED)
    assert found.verdict == "not run" and "MISA" in found.note and "TFN" not in found.note
    assert [e.effect for e in found.effects.values()] == [2.0]


@pytest.mark.parametrize("name", ["fewest_parameters", "takes_less_time"])
def test_one_measurement_is_evidence_once(name):
    found = shown(name)
    assert found.verdict == "not run" and not found.effects and "evidence once" in found.note
