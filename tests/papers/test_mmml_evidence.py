"""Tests of MMML's claims on planted records: found, contradicted, unclear, and what is missing."""

from dataclasses import replace

import pytest

from msalib.base import stats
from msalib.data import datasets
from msalib.data.corpus import TUNED
from msalib.evidence.verdicts import bound_test, judge
from msalib.papers.mmml import evidence, plan
from msalib.papers.mmml.evidence import MEL, TESTS
from msalib.papers.mmml.plan import TEXT, system
from msalib.runs import records
from msalib.runs.query import Runs
from tests.papers.mmml_planted import (
    BAD,
    BOTH,
    CLAIMS,
    DEPTHS,
    FINE_TUNED,
    FROZEN,
    FULL,
    GOOD,
    GRID,
    JOINED,
    ONE_LOSS,
    READINGS,
    SEPARATE,
    TOGETHER,
    USUAL,
    VOICE,
    WITHOUT,
    WORDS,
    as_classes,
    judged,
    noisy,
    planted,
    windows,
)

pytestmark = pytest.mark.usefixtures("fewer_resamples")


GAINS = {
    "context_helps": ([plan.contexts(FROZEN)["fusion network with context"]], [BOTH]),
    "sound_helps": ([BOTH, JOINED], [WORDS]),
    "fusion_beats_concatenation": ([BOTH], [JOINED]),
    "separate_beats_joined": (SEPARATE, TOGETHER),
    "self_attention_helps": ([FULL], [WITHOUT]),
    "layers_help_more": ([WITHOUT], [FULL, *READINGS]),
    "best_window": (
        windows(("joined", 1), ("separate", 2)),
        windows(("joined", 0), ("joined", 2), ("joined", 3), ("separate", 1), ("separate", 3)),
    ),
    "best_pair_of_windows": ([GRID[2, 1]], [s for pair, s in GRID.items() if pair != (2, 1)]),
    "five_layers_best": ([DEPTHS["5"]], [s for n, s in DEPTHS.items() if n != "5"]),
}
"""Test -> systems that the claim says are better than others."""

USUAL_WEIGHTS, *WEIGHTS = plan.loss_weights(FROZEN).values()
USUAL_RATES, *RATES = plan.rates(FINE_TUNED).values()
NO_GAINS = {
    "losses_alike": ([JOINED], [ONE_LOSS]),
    "restorations_alike": (
        [BOTH],
        [s for s in plan.restorations(FROZEN).values() if s != BOTH],
    ),
    "other_weights_gain_nothing": (WEIGHTS, [USUAL_WEIGHTS]),
    "other_rates_alike": (RATES, [USUAL_RATES]),
}
"""Test -> systems that do not gain over others, says the claim."""

HEADS = {"own_labels_help", "text_head_gains", "sound_head_gains_nothing", "text_ahead_of_sound"}


def test_every_test_is_tried_here_and_decides_one_claim():
    names = [test.__name__ for test in TESTS]
    assert set(names) == {*GAINS, *NO_GAINS, *HEADS, "raw_sound_beats_mel"}
    assert sorted(names) == sorted(CLAIMS)


# --- claims of a gain, and of none --------------------------------------------------------------


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


@pytest.mark.parametrize("name", NO_GAINS)
def test_equal_systems_support_and_a_gain_contradicts(name, monkeypatch):
    monkeypatch.setattr(stats, "RESAMPLES", 4000)  # for p below 2.5% of 48 comparisons
    others, usual = NO_GAINS[name]
    about = {"seeds": 3} if name == "other_rates_alike" else {}
    alike = noisy(others, usual, USUAL, USUAL)
    assert judged(name, alike, shared=1 - 1e-7, **about).verdict == "supported"
    gain = noisy(others, usual, GOOD, BAD)
    assert judged(name, gain, **about).verdict == "contradicted"
    assert judged(name, alike, shared=0.3, **about).verdict == "inconclusive"


def test_a_loss_contradicts_equality_but_not_that_nothing_is_gained():
    for name, verdict in (
        ("restorations_alike", "contradicted"),
        ("other_weights_gain_nothing", "supported"),
    ):
        others, usual = NO_GAINS[name]
        assert judged(name, noisy(others, usual, BAD, GOOD)).verdict == verdict


@pytest.mark.parametrize("name", GAINS | NO_GAINS)
def test_a_missing_arm_and_a_missing_seed_are_named(name):
    better, others = (GAINS | NO_GAINS)[name]
    every = noisy(better, others, GOOD, BAD)
    tuned = name in ("other_rates_alike", "separate_beats_joined", "best_window")
    few = judged(name, every, seeds=2 if tuned else 4)
    needed = "3 seeds" if tuned else "5 seeds"
    assert few.verdict == "not run" and needed in few.note
    del every[better[0]]
    lacking = judged(name, every)
    assert lacking.verdict == "not run" and lacking.note.startswith("needs runs of")


def test_three_seeds_suffice_where_an_encoder_is_fine_tuned():
    arms = plan.contexts(FINE_TUNED)["fusion network with context"], system(FINE_TUNED)
    noise = dict(zip(arms, (GOOD, BAD), strict=True))
    assert judged("context_helps", noise, seeds=3).verdict == "supported"


def test_rates_of_features_that_stay_are_no_rates_of_encoders():
    found = judged("other_rates_alike", {BOTH: USUAL})
    assert found.verdict == "not run" and "fine-tuned" in found.note


# --- claims with parts --------------------------------------------------------------------------


def test_sound_has_to_help_with_either_way_of_joining():
    found = judged("sound_helps", {BOTH: GOOD, JOINED: USUAL, WORDS: USUAL}, shared=0.5)
    assert found.verdict == "inconclusive"
    assert judged("sound_helps", {BOTH: GOOD, JOINED: BAD, WORDS: USUAL}).verdict == "contradicted"


def test_one_reading_of_the_layers_is_enough_and_two_are_needed_to_contradict():
    one, other = READINGS
    usual = {FULL: GOOD, WITHOUT: USUAL}
    assert judged("layers_help_more", usual | {one: BAD, other: GOOD}).verdict == "supported"
    found = judged("layers_help_more", usual | {one: GOOD, other: USUAL}, shared=0.5)
    assert found.verdict == "inconclusive"
    assert all(any(n.startswith(arm) for n in found.effects) for arm in ("no self-attention, no",))


def test_both_kinds_of_context_need_the_claimed_window():
    better, others = GAINS["best_window"]
    noise = noisy(better, others, GOOD, BAD)
    other = plan.windows(FINE_TUNED)["separate", 3]
    assert judged("best_window", noise | {other: GOOD / 4}).verdict == "contradicted"
    assert judged("best_window", noise | {other: GOOD}, shared=0.5).verdict == "inconclusive"


def test_windows_are_chosen_on_validation():
    better, others = GAINS["separate_beats_joined"]
    found = judged("separate_beats_joined", noisy(better, others, GOOD, BAD))
    assert "on validation chooses" in found.note
    assert any(name.startswith("choosing, gain in") for name in found.effects)


# --- two settings -------------------------------------------------------------------------------

OURS = {"dataset": "meld-dev", "encoder": "roberta-wav2vec2", "profile": "full"}
THEIRS = dict(zip(("dataset", "encoder"), MEL["meld-dev"], strict=False)) | {"profile": "full"}


def write(noise, **about):
    for record in planted(noise, **THEIRS, **about):
        records.write(record)


@pytest.mark.parametrize(
    ("ours", "mel", "verdict"),
    [
        (0.1, BAD, "supported"),
        (BAD, 0.1, "contradicted"),
        (USUAL, USUAL, "inconclusive"),
    ],
)
def test_raw_sound_is_compared_with_mel_features_of_another_setting(ours, mel, verdict):
    write({VOICE: mel, WORDS: 0.1})  # words of the other setting are not read
    runs = Runs(planted({VOICE: ours, WORDS: 0.1}, seed=0, **OURS))
    found = evidence.raw_sound_beats_mel(runs)
    assert found.verdict == verdict
    assert "encoder of raw sound over mel features" in found.note and len(found.effects) == 1


def test_raw_sound_needs_its_own_runs_those_of_mel_and_five_seeds():
    nothing = evidence.raw_sound_beats_mel(Runs(planted({WORDS: USUAL}, **OURS)))
    assert nothing.verdict == "not run" and "runs of" in nothing.note
    ours = Runs(planted({VOICE: USUAL}, **OURS))
    without = evidence.raw_sound_beats_mel(ours)
    assert without.verdict == "not run" and "mel features" in without.note
    write({VOICE: USUAL}, seeds=4)
    assert "5 seeds" in evidence.raw_sound_beats_mel(ours).note


def test_mel_features_of_the_same_clips_are_needed():
    found = evidence.raw_sound_beats_mel(Runs(planted({VOICE: USUAL})))
    assert found.verdict == "not run" and "mel features" in found.note


# --- data sets with less ------------------------------------------------------------------------

WINDOWS_ONLY = {"separate_beats_joined", "best_window"}


@pytest.mark.parametrize("test", TESTS, ids=lambda test: test.__name__)
def test_transcripts_alone_decide_windows_only(test):
    arms = dict.fromkeys(plan.windows({TEXT: TUNED}).values(), USUAL)
    made = planted(arms, dataset="mosi", shared=0.5)
    found = bound_test(CLAIMS[test.__name__])(Runs(made))
    assert (found.verdict != "not run") == (test.__name__ in WINDOWS_ONLY)


@pytest.mark.parametrize("name", sorted(set(CLAIMS) - WINDOWS_ONLY - {"raw_sound_beats_mel"}))
def test_a_data_set_without_sound_needs_words_and_sound(name):
    found = bound_test(CLAIMS[name])(Runs(planted({WORDS: USUAL}, dataset="mustard")))
    assert found.verdict == "not run" and "words and sound of the same clips" in found.note


@pytest.mark.parametrize("name", sorted(WINDOWS_ONLY))
def test_windows_are_judged_on_classes_too(name):
    better, others = ([s for s in arms if len(s.inputs) < 3] for arms in GAINS[name])
    for good, usual, verdict in ((GOOD, BAD, "supported"), (BAD, GOOD, "contradicted")):
        made = planted(noisy(better, others, good, usual), dataset="meld")
        found = bound_test(CLAIMS[name])(Runs(as_classes(made)))
        assert found.verdict == verdict and any("F1" in effect for effect in found.effects)


def test_every_test_reads_the_metrics_of_classes(monkeypatch):
    """No data set of ours has classes for words and sound; one that a reader adds may."""
    meld = datasets.DATASETS["meld"]
    both = replace(meld, vectors=("acoustic",))
    monkeypatch.setattr(datasets, "DATASETS", datasets.DATASETS | {"meld": both})
    found = {}
    for name, (better, others) in GAINS.items():
        made = as_classes(planted(noisy(better, others, GOOD, BAD), dataset="meld"))
        found[name] = bound_test(CLAIMS[name])(Runs(made)).verdict
    made = as_classes(planted({JOINED: GOOD, WORDS: BAD, VOICE: BAD}, dataset="meld"))
    for name in ("text_head_gains", "sound_head_gains_nothing"):
        found[name] = bound_test(CLAIMS[name])(Runs(made)).verdict
    assert set(found.values()) <= {"supported", "inconclusive", "contradicted"}
    assert found["text_head_gains"] == "supported"
    assert found["sound_head_gains_nothing"] == "contradicted"


def test_sound_without_records_is_no_error():
    """CMU-MOSI has sound, but a setting with transcripts alone has no record that reads it."""
    made = planted({WORDS: USUAL}, dataset="mosi")
    verdicts = judge(CLAIMS.values(), made)
    assert {v.evidence.verdict for v in verdicts} == {"not run"}
    assert all(v.evidence.note.startswith("needs ") for v in verdicts)


def test_no_record_of_a_verdict_that_was_not_reached_counts_as_read():
    (verdict,) = judge([CLAIMS["sound_helps"]], planted({WORDS: USUAL}))
    assert verdict.records == []


def test_joined_context_of_frozen_features_is_no_one_input():
    """There, clips are encoded one by one; the paper's encoder reads all of them at once."""
    frozen = dict.fromkeys(plan.windows(FROZEN).values(), USUAL)
    for name in ("separate_beats_joined", "best_window"):
        found = judged(name, frozen)
        assert found.verdict == "not run" and "as one input" in found.note


def test_text_is_compared_with_an_encoder_of_raw_sound():
    """C14 speaks of one; features made by hand say nothing about it."""
    found = judged("text_ahead_of_sound", {WORDS: GOOD, VOICE: BAD}, dataset="mosi")
    assert found.verdict == "not run" and "an encoder of raw sound" in found.note
    tuned = {system({m: layer}): GOOD for m, layer in FINE_TUNED.items()}
    assert judged("text_ahead_of_sound", tuned, seeds=3, dataset="mosi").verdict != "not run"
