"""Tests of claims about blocks: spread, plateaus and the place of the best one."""

import numpy as np
import pytest

from msalib.papers.uegd import layers
from msalib.papers.uegd.evidence_blocks import (
    best_block_within,
    best_in_second_half,
    flat_from,
    spread_smaller_than,
)
from msalib.runs.query import Runs
from tests.factory import layer_records
from tests.papers.uegd.planted import linguistic, most_by_chance, runs

pytestmark = pytest.mark.usefixtures("few_resamples")

# --- spread -------------------------------------------------------------------------------------

FLAT, STEEP = dict.fromkeys(range(1, 5), 1.0), {1: 6.0, 2: 3.0, 3: 1.5, 4: 0.5}
OTHERS = {"modality": "linguistic", "others": ["acoustic", "visual"]}


@pytest.mark.parametrize(
    ("text", "acoustic", "visual", "verdict"),
    [
        (FLAT, STEEP, STEEP, "supported"),
        (STEEP, FLAT, FLAT, "contradicted"),
        (STEEP, STEEP, FLAT, "contradicted"),
        (FLAT, STEEP, FLAT, "inconclusive"),
        (FLAT, FLAT, FLAT, "inconclusive"),
    ],
)
def test_spreads_are_told_apart(text, acoustic, visual, verdict):
    evidence = spread_smaller_than(
        runs(linguistic=text, acoustic=acoustic, visual=visual), **OTHERS
    )
    assert evidence.verdict == verdict
    assert list(evidence.effects) == ["spread vs acoustic", "spread vs visual"]
    assert evidence.note == (
        "spread over blocks, linguistic minus the other; covers visual (4 blocks), acoustic (4 "
        "blocks), linguistic (4 blocks): 5 seeds, 160 test clips of 20 videos"
    )


def test_what_a_comparison_lacks_is_named_and_its_own_spread_shown():
    evidence = spread_smaller_than(runs(linguistic=FLAT, visual={1: 1.0}), **OTHERS)
    assert evidence.verdict == "not run"
    need = "needs acoustic layers of the same clips"
    assert evidence.note == f"{need} and two or more visual blocks"
    assert list(evidence.effects) == ["spread linguistic"]
    assert evidence.effects["spread linguistic"].kind == "level"
    two = spread_smaller_than(runs(linguistic=FLAT, visual=FLAT), **OTHERS)
    assert two.note == need


def test_a_weak_modality_is_not_more_spread_for_being_weak():
    """Equal blocks, strong in text and weak in speech and images: no claim about spread."""
    rng, supported = np.random.default_rng(0), 0
    strong, weak = dict.fromkeys(range(1, 9), 1.0), dict.fromkeys(range(1, 9), 6.0)
    for _ in range(40):
        records = layer_records(
            {"linguistic": strong, "acoustic": weak, "visual": weak}, seeds=5, rng=rng
        )
        supported += spread_smaller_than(Runs(records), **OTHERS).verdict == "supported"
    assert supported <= most_by_chance(40)


PLATEAU = {"modality": "visual", "first": 9, "margin": 0.02}


@pytest.mark.parametrize(
    ("late", "verdict"),
    [
        ([0.2] * 6, "supported"),
        ([0.2] * 5 + [2.0], "contradicted"),
        ([1.5] * 6, "inconclusive"),  # equal, but noise could hide a difference
        ([0.24, 0.22, 0.2, 0.18, 0.16, 0.14], "inconclusive"),  # within the margin, but rising
    ],
)
def test_a_plateau_is_found_only_where_videos_can_show_one(late, verdict):
    early = {k: 4.0 - k / 3 for k in range(1, 9)}
    evidence = flat_from(runs(visual=early | dict(enumerate(late, 9))), **PLATEAU)
    assert evidence.verdict == verdict
    extent, slope = evidence.effects.values()
    assert extent.low <= extent.effect <= extent.high
    assert (slope.low > 0) == (late[0] > late[-1])


def test_a_plateau_needs_blocks_that_could_form_one():
    evidence = flat_from(runs(visual=dict.fromkeys(range(1, 10), 0.2)), **PLATEAU)
    assert evidence == ("not run", {}, "needs more than 9 visual blocks (this encoder has 9)")


def test_equal_blocks_are_no_broken_plateau():
    """Noise alone makes a range larger than the margin, and that must not contradict."""
    rng, contradicted = np.random.default_rng(0), 0
    for _ in range(40):
        records = layer_records({"visual": dict.fromkeys(range(1, 15), 2.5)}, seeds=5, rng=rng)
        judged = flat_from(Runs(records), **PLATEAU)
        contradicted += judged.verdict == "contradicted"
        assert judged.effects["range (90% interval)"].effect > 0.02
    assert contradicted <= most_by_chance(40)


def test_blocks_that_differ_by_the_margin_are_no_plateau():
    """Half of the blocks are better by the margin: flat as rarely as the level allows."""
    rng, supported = np.random.default_rng(0), 0
    sd = {k: 0.335 if k < 12 else 0.215 for k in range(9, 15)}  # correlations 0.973 and 0.989
    noise = dict.fromkeys(range(1, 9), 1.0) | sd
    for _ in range(40):
        records = layer_records({"visual": noise}, seeds=5, rng=rng)
        supported += flat_from(
            Runs(records), modality="visual", first=9, margin=0.0155
        ).verdict == ("supported")
    assert supported <= most_by_chance(40)


# --- the best block -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("noise", "verdict"),
    [
        ((4.0, 4.0, 4.0, 0.5), "supported"),
        ((4.0, 4.0, 0.5, 4.0), "supported"),
        ((4.0, 0.5, 4.0, 4.0), "contradicted"),  # block 2 of 4 is not beyond the middle
        ((0.5, 4.0, 4.0, 4.0), "contradicted"),
        ((4.0, 4.0, 0.5), "supported"),
        ((4.0, 0.5, 4.0), "supported"),  # block 2 of 3 is
        ((2.0, 2.0, 2.0, 2.0), "inconclusive"),
    ],
)
def test_the_half_with_the_best_block_is_found(noise, verdict):
    evidence = best_in_second_half(linguistic(*noise))
    assert evidence.verdict == verdict
    assert list(evidence.effects) == ["linguistic best block, valid", "linguistic best block, test"]
    assert evidence.note.startswith(f"linguistic, of {len(noise)} blocks: beyond the middle in ")
    if verdict != "inconclusive":
        assert evidence.effects["linguistic best block, test"].effect == 1 + int(np.argmin(noise))


def test_every_modality_must_have_its_best_block_in_the_second_half():
    late, early = {1: 4.0, 2: 0.5}, {1: 0.5, 2: 4.0}
    three = best_in_second_half(runs(visual=late, acoustic=late, linguistic=late))
    assert three.verdict == "supported" and len(three.effects) == 6
    assert best_in_second_half(runs(visual=early, acoustic=late)).verdict == "contradicted"
    unsure = {1: 1.0, 2: 1.0}
    assert best_in_second_half(runs(visual=unsure, acoustic=late)).verdict == "inconclusive"
    assert best_in_second_half(runs(acoustic={1: 1.0})).note == "needs layers of an encoder"


def test_layer_zero_is_no_block():
    noise = {0: 0.2, 1: 4.0, 2: 4.0, 3: 1.0}
    with_input = runs(linguistic=noise)
    assert layers.blocks(with_input, "linguistic") == [1, 2, 3]
    assert layers.best_block(with_input, "linguistic") == 3
    assert best_in_second_half(with_input).verdict == "supported"


PEAK = {"modality": "acoustic", "first": 18, "last": 22, "blocks": 24}


@pytest.mark.parametrize(
    ("best", "verdict"),
    [((18,), "supported"), ((22,), "supported"), ((17,), "contradicted"), ((), "inconclusive")],
)
def test_the_place_of_the_best_block_is_found(best, verdict):
    """Without a planted best block it is wherever chance puts it: mostly in no five blocks."""
    noise = {k: 0.5 if k in best else 3.0 for k in range(1, 25)}
    if not best:
        noise |= {20: 1.9, 3: 2.0}
    evidence = best_block_within(runs(acoustic=noise), **PEAK)
    assert evidence.verdict == verdict
    assert evidence.note.startswith("acoustic, of 24 blocks: in 18 to 22 in ")


def test_block_numbers_of_another_depth_are_not_compared():
    evidence = best_block_within(runs(acoustic=dict.fromkeys(range(1, 13), 1.0)), **PEAK)
    assert evidence == ("not run", {}, "needs an acoustic encoder with 24 blocks (this one has 12)")
