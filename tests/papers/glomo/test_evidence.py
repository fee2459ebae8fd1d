"""Tests of GLoMo's claims on planted predictions: found, contradicted, unclear, what is missing."""

import pytest

from msalib.data.corpus import TUNED
from msalib.evidence.verdicts import bound_test
from msalib.papers.glomo import plan, scope
from msalib.papers.glomo.evidence import TESTS
from msalib.papers.glomo.plan import FACE, SOUND, TEXT
from msalib.papers.glomo.plan import FULL as FULL_NAME
from msalib.runs.query import Runs
from tests.papers.glomo.planted import (
    CLAIMS,
    FULL,
    MODALITIES,
    NAMED,
    WHOLE,
    WITH_BASELINES,
    arms,
    judged,
    planted,
)
from tests.papers.planted_systems import BAD, GOOD, USUAL, as_classes, noisy

pytestmark = pytest.mark.usefixtures("fewer_resamples")


GAINS = {
    "every_modality_helps": ([FULL], [MODALITIES[n] for n in ("A+T", "V+T", "V+A")]),
    "face_over_voice": ([MODALITIES["V+T"], FULL], [MODALITIES["A+T"]]),
    "experts_help": ([FULL], arms("MLP_M")),
    "joining_beats_summing": (arms("CON", "ATTN_F"), arms("SUM", "MUL")),
    "guided_fusion_helps": ([FULL], arms("SUM", "CON", "ATTN_F", "MUL")),
    "layer_is_the_worst_mix": (arms("ATTN_G", "ReAt_G", "ATTN_F"), arms("MLP_G")),
    "global_weights_help": ([FULL], arms("ReAt_G")),
}
"""Test -> systems that the claim says are better than others."""

PARTS = {"words_carry_most", "halves_differ", "local_weights_come_close"}
SWEEPS = {"more_experts_help", "more_vectors_stop_helping"}
NO_PREDICTIONS = {
    *("spaces_lie_apart", "polarities_part", "losses_keep_balance"),
    *("fewest_parameters", "takes_less_time"),
}
"""Tests of ``test_evidence_trainings``."""


def test_every_test_is_tried_and_decides_one_claim():
    names = [test.__name__ for test in TESTS]
    tried = {*GAINS, *WITH_BASELINES, *PARTS, *SWEEPS, *NO_PREDICTIONS, "more_for_classes"}
    assert set(names) == tried and sorted(names) == sorted(CLAIMS)


# --- gains --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", GAINS)
def test_a_gain_supports_and_its_opposite_contradicts(name):
    better, others = GAINS[name]
    assert judged(name, noisy(better, others, GOOD, BAD)).verdict == "supported"
    assert judged(name, noisy(better, others, BAD, GOOD)).verdict == "contradicted"


@pytest.mark.parametrize("name", GAINS)
def test_equal_systems_decide_no_claim_of_a_gain(name):
    better, others = GAINS[name]
    found = judged(name, noisy(better, others, USUAL, USUAL), shared=0.5)
    assert found.verdict == "inconclusive" and found.effects


@pytest.mark.parametrize("name", GAINS)
def test_missing_arms_seeds_and_videos_are_named(name):
    better, others = GAINS[name]
    every = noisy(better, others, GOOD, BAD)
    few = judged(name, every, seeds=4)
    assert few.verdict == "not run" and "5 seeds" in few.note
    small = judged(name, every, videos=9)
    assert small.verdict == "not run" and "10 test videos" in small.note
    lacking = judged(name, {s: sd for s, sd in every.items() if s != others[0]} | {FULL: GOOD})
    assert lacking.verdict == "not run" and "runs of" in lacking.note


def test_three_seeds_suffice_where_an_encoder_is_fine_tuned():
    named = plan.variants({TEXT: TUNED})
    noise = {named[FULL_NAME]: GOOD, named["MLP_M"]: BAD}
    assert judged("experts_help", noise, seeds=3).verdict == "supported"
    assert judged("experts_help", noise, seeds=2).verdict == "not run"


def test_either_way_of_summing_experts_is_judged_under_its_own_preset():
    noise = {FULL: GOOD, NAMED["MLP_M"]: BAD}
    assert judged("experts_help", noise, preset="article").verdict == "supported"


@pytest.mark.parametrize(
    ("matched", "words"),
    [(BAD, "it is ahead of"), (GOOD / 4, "it is behind"), (GOOD, "it is not told from")],
)
def test_size_is_told_from_mixing(matched, words):
    noise = {FULL: GOOD, NAMED["MLP_M"]: BAD, NAMED["MLP of as many weights"]: matched}
    found = judged("experts_help", noise)
    assert found.verdict == "supported"
    assert f"{words} MLP of as many weights" in found.note
    assert "not run: all experts active" in found.note


def test_equal_weights_stand_beside_the_guided_fusion():
    better, others = GAINS["guided_fusion_helps"]
    noise = noisy(better, others, GOOD, BAD)
    assert "not run: equal weights" in judged("guided_fusion_helps", noise).note
    found = judged("guided_fusion_helps", noise | {NAMED["equal weights"]: BAD})
    assert any(name.startswith("over equal weights") for name in found.effects)


# --- claims with parts --------------------------------------------------------------------------


def test_a_loss_without_words_has_to_be_larger_than_the_sentence_says():
    smaller = MODALITIES["V+A"]
    assert judged("words_carry_most", {FULL: 0.1, smaller: 20.0}).verdict == "supported"
    assert judged("words_carry_most", {FULL: USUAL, smaller: USUAL}).verdict == "contradicted"
    found = judged("words_carry_most", {FULL: 0.1, smaller: 1.1}, shared=0.3)
    assert found.verdict == "inconclusive"
    assert any(name.startswith("GLoMo without words over a constant") for name in found.effects)
    assert "4 of 4 scores are above a constant's" in found.note


def test_halves_depend_on_the_data_set():
    full, local, whole = FULL, *arms("Local", "Global")
    ordered = {full: GOOD / 2, local: GOOD, whole: BAD}
    assert judged("halves_differ", ordered).verdict == "supported"
    assert judged("halves_differ", ordered | {full: USUAL}).verdict == "contradicted"
    other = {full: GOOD / 2, local: BAD, whole: GOOD}
    assert judged("halves_differ", other).verdict == "contradicted"
    equal = dict.fromkeys(ordered, USUAL)
    assert judged("halves_differ", equal, shared=0.5).verdict == "inconclusive"
    words = plan.variants({TEXT: 1})
    ordered = {words[FULL_NAME]: GOOD / 2, words["Local"]: GOOD, words["Global"]: BAD}
    on_mosei = judged("halves_differ", ordered, dataset="mosei")
    assert on_mosei.verdict == "contradicted"
    assert any(name.startswith("global better with zeros") for name in on_mosei.effects)


def test_of_classes_the_halves_are_to_be_alike():
    voice = plan.variants({SOUND: 1})
    noise = {voice["Local"]: USUAL, voice["Global"]: USUAL, voice[FULL_NAME]: GOOD / 4}
    made = as_classes(planted(noise, dataset="ravdess", shared=1 - 1e-7))
    found = bound_test(CLAIMS["halves_differ"])(Runs(made))
    assert found.verdict == "supported"
    assert all("F1" in name for name in found.effects)


def test_local_weights_are_the_best_replacement_and_close_to_the_full_model():
    local, attention, layer = arms("ReAt_G", "ATTN_G", "MLP_G")
    close = {FULL: GOOD, local: GOOD, attention: BAD, layer: BAD}
    alike = {"shared": 1 - 1e-7}
    name = "local_weights_come_close"
    assert judged(name, close, **alike).verdict == "supported"
    assert judged(name, close | {FULL: GOOD / 10}, **alike).verdict == "contradicted"
    assert judged(name, close | {layer: GOOD / 4}).verdict == "contradicted"
    found = judged(name, dict.fromkeys(close, USUAL), shared=0.5)
    assert found.verdict == "inconclusive"


def test_margins_are_those_of_the_data_set():
    for dataset, margin in (("raw", 1.0), ("mosei", 0.5)):
        assert scope.margins(Runs(planted({FULL: USUAL}, seeds=1, dataset=dataset)))["%"] == margin


# --- sweeps -------------------------------------------------------------------------------------

CELLS = plan.cells(WHOLE)


def rising(step, layer, text=None):
    """Noise that falls with the experts of every modality, by ``text`` with those of words."""
    text = step if text is None else text
    places = [m for m in (FACE, SOUND, TEXT)].index(TEXT)
    noise = {}
    for cell, system in CELLS.items():
        others = sum(cell) - cell[places]
        noise[system] = 1.2 - step * others - text * cell[places]
    return noise | {NAMED["MLP_M"]: layer}


def test_more_experts_have_to_help_in_every_modality_and_beat_one_layer():
    name = "more_experts_help"
    found = judged(name, rising(0.08, BAD), shared=0.99)
    assert found.verdict == "supported"
    assert len(found.effects) == 2 * 3 + 1
    assert "16 configurations" in found.note
    (spread,) = (e for n, e in found.effects.items() if n.startswith("SD over seeds"))
    assert 0 <= spread.low <= spread.effect <= spread.high
    assert judged(name, rising(0.08, BAD, text=-0.08), shared=0.99).verdict == "contradicted"
    assert judged(name, rising(0.08, 0.05), shared=0.99).verdict == "contradicted"
    assert judged(name, rising(0.0, 1.2), shared=0.5).verdict == "inconclusive"


def test_slopes_are_those_of_least_squares():
    found = judged("more_experts_help", rising(0.08, BAD), shared=0.99)
    slopes = [e.effect for n, e in found.effects.items() if "gain per expert" in n]
    assert len(slopes) == 3 and all(0.5 < s < 10 for s in slopes)
    assert max(slopes) < 2.5 * min(slopes)


def test_a_missing_configuration_is_named():
    noise = rising(0.08, BAD)
    del noise[CELLS[2, 2, 1]]
    found = judged("more_experts_help", noise)
    assert found.verdict == "not run" and "runs of" in found.note


LOCALS = plan.locals_(WHOLE)


@pytest.mark.parametrize(
    ("three", "six", "verdict"),
    [
        (GOOD, BAD, "supported"),
        (USUAL, USUAL, "supported"),
        (BAD, 0.1, "contradicted"),
    ],
)
def test_more_local_vectors_stop_helping_or_do_not(three, six, verdict):
    noise = dict.fromkeys(LOCALS.values(), BAD) | {LOCALS[3]: three, LOCALS[6]: six}
    found = judged("more_vectors_stop_helping", noise, shared=1 - 1e-7)
    assert found.verdict == verdict
    assert "Page's trend" in found.note and "on validation chooses" in found.note


def test_equal_numbers_of_local_vectors_that_scatter_decide_nothing():
    noise = dict.fromkeys(LOCALS.values(), BAD)
    assert judged("more_vectors_stop_helping", noise, shared=0.1).verdict == "inconclusive"
    assert judged("more_vectors_stop_helping", noise, seeds=4).verdict == "not run"


# --- data that lack something -------------------------------------------------------------------


def test_data_without_a_modality_say_so():
    text = plan.variants({TEXT: 1})
    noise = {text[FULL_NAME]: GOOD, text["MLP_M"]: BAD}
    assert judged("experts_help", noise).verdict == "supported"
    for name in ("every_modality_helps", "words_carry_most", "face_over_voice"):
        assert judged(name, noise).verdict == "not run"
    pair = {SOUND: 1, FACE: 1}
    noise = {plan.variants(pair)[FULL_NAME]: GOOD}
    noise |= {s: BAD for n, s in plan.modalities(pair).items() if n in ("V", "A")}
    assert judged("every_modality_helps", noise).verdict == "supported"
    assert "words" in judged("words_carry_most", noise).note
    assert "words" in judged("face_over_voice", noise).note


OF_ONE = [name for name in GAINS if name not in ("every_modality_helps", "face_over_voice")]
"""Tests that one modality is enough for."""


@pytest.mark.parametrize("name", [*OF_ONE, *sorted(PARTS - {"words_carry_most"})])
def test_classes_are_judged_by_f1(name):
    voice = {**plan.variants({SOUND: 1}), **plan.ours({SOUND: 1})}
    noise = dict.fromkeys(voice.values(), USUAL)
    found = bound_test(CLAIMS[name])(Runs(as_classes(planted(noise, dataset="ravdess"))))
    assert found.verdict != "not run"
    assert all("F1" in effect for effect in found.effects)
