"""Tests of MMML's claims on planted records: found, contradicted, unclear, and what is missing."""

from functools import partial

import numpy as np
import pytest

from msalib.base import stats
from msalib.data.corpus import TUNED
from msalib.evidence import registry
from msalib.evidence.verdicts import bound_test, judge
from msalib.models import recipes
from msalib.papers.mmml import evidence, plan
from msalib.papers.mmml.evidence import MEL, TESTS
from msalib.papers.mmml.plan import SOUND, TEXT, system
from msalib.runs import records
from msalib.runs.query import Runs
from tests.factory import make_record, predictions

FROZEN = {TEXT: 6, SOUND: 1}
FINE_TUNED = {TEXT: TUNED, SOUND: TUNED}
CLAIMS = {c.rerun.test: c for c in registry.claims("mmml") if c.rerun.test}
GOOD, USUAL, BAD = 0.5, 1.0, 2.0
VIDEOS, BY_VIDEO = 24, 8


@pytest.fixture(autouse=True)
def fewer_resamples(monkeypatch):
    monkeypatch.setattr(stats, "RESAMPLES", 1000)


# --- planted records ----------------------------------------------------------------------------


def truth_of(seed):
    """Part -> labels of whole clips, labels of a modality by itself, videos, common noise."""
    rng = np.random.default_rng(seed)
    truth = {}
    for part, count in (("valid", VIDEOS // 2), ("test", VIDEOS)):
        video = np.repeat([f"{part}{v}" for v in range(count)], BY_VIDEO)
        size = len(video)
        label = np.repeat(rng.normal(0, 0.8, count), BY_VIDEO) + rng.normal(0, 1.2, size)
        alone = (label + rng.normal(size=size)).clip(-3, 3).round(1)
        truth[part] = label.clip(-3, 3).round(1), alone, video, rng.normal(size=size)
    return truth


def planted(noise, *, seeds=5, own=False, shared=0.95, dataset="raw", seed=0, **spec):
    """Records of systems, by the sd of the noise of what they predict.

    A system's noise is one number, or one by output: "" for the whole, and its heads by modality.
    Heads predict the label of their modality, which is that of the clip unless ``own``. ``shared``:
    the share of the noise that all systems and trainings have in common.
    """
    rng, truth, made = np.random.default_rng(seed + 1), truth_of(seed), []
    for one, sds in noise.items():
        by_output = sds if isinstance(sds, dict) else {"": sds}
        for number in range(seeds):
            parts, heads = {}, {}
            for part, (label, alone, video, common) in truth.items():
                error = np.sqrt(shared) * common + np.sqrt(1 - shared) * rng.normal(size=len(label))
                sd = by_output.get("", USUAL)
                parts[part] = predictions(label, label + sd * error, video)
                aim = alone if own else label
                heads = {m: (aim + by_output.get(m, sd) * error).tolist() for m, _ in one.inputs}
            extras = {"heads": heads}
            if own:
                extras["unimodal_labels"] = dict.fromkeys((TEXT, SOUND), truth["test"][1].tolist())
            record = make_record(
                dict(one.inputs),
                number,
                parts=parts,
                paper="mmml",
                dataset=dataset,
                model={n: one.choice(n, paper="mmml") for n in recipes.choices("mmml")},
                train={},
                **spec,
            )
            made.append(record.model_copy(update=extras))
    return made


def judged(name, noise, **about):
    """The verdict of a test, with the arguments of its claim, on planted records."""
    return bound_test(CLAIMS[name])(Runs(planted(noise, **about)))


def noisy(first, others, good, usual):
    return dict.fromkeys(others, usual) | dict.fromkeys(first, good)


def windows(*keys, whole=FROZEN):
    return [plan.windows(whole)[key] for key in keys]


BOTH, JOINED = system(FROZEN), system(FROZEN, fusion="concatenation")
WORDS, VOICE = system({TEXT: 6}), system({SOUND: 1})
ONE_LOSS = plan.losses(FROZEN)["one loss"]
COPIED = plan.copied(FROZEN)["three losses, copied labels"]
FULL, WITHOUT, *READINGS = plan.ablations(FROZEN).values()
GRID, DEPTHS = plan.window_grid(FROZEN), plan.depths(FROZEN)
SEPARATE, TOGETHER = (
    windows(*((kind, k) for k in plan.WINDOWS)) for kind in ("separate", "joined")
)

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
def test_equal_systems_support_and_a_gain_contradicts(name):
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
    tuned = name == "other_rates_alike"
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
    other = plan.windows(FROZEN)["separate", 3]
    assert judged("best_window", noise | {other: GOOD / 4}).verdict == "contradicted"
    assert judged("best_window", noise | {other: GOOD}, shared=0.5).verdict == "inconclusive"


def test_windows_are_chosen_on_validation():
    better, others = GAINS["separate_beats_joined"]
    found = judged("separate_beats_joined", noisy(better, others, GOOD, BAD))
    assert "on validation chooses" in found.note
    assert any(name.startswith("choosing, gain in") for name in found.effects)


# --- own labels, and heads ----------------------------------------------------------------------

COPIED_WORDS = system({TEXT: 6}, labels="copied")
LABELS = {JOINED: GOOD, ONE_LOSS: BAD, COPIED: BAD}


def test_own_labels_are_compared_with_one_loss_and_with_copied_labels():
    found = judged("own_labels_help", LABELS, own=True)
    assert found.verdict == "supported" and len(found.effects) == 4
    assert {name.partition(":")[0] for name in found.effects} == {
        "three losses, own labels over one loss",
        "three losses, own labels over three, copied",
    }
    swapped = {JOINED: BAD, ONE_LOSS: GOOD, COPIED: GOOD}
    assert judged("own_labels_help", swapped, own=True).verdict == "contradicted"
    only_losses = LABELS | {COPIED: GOOD}  # three losses help, whatever their labels
    assert judged("own_labels_help", only_losses, own=True).verdict == "inconclusive"
    equal = dict.fromkeys(LABELS, USUAL)
    assert judged("own_labels_help", equal, own=True, shared=0.5).verdict == "inconclusive"


def test_own_labels_need_labels_of_each_modality_and_copied_ones():
    found = judged("own_labels_help", LABELS)
    assert found.verdict == "not run" and "labels of each modality" in found.note
    few = judged("own_labels_help", {JOINED: GOOD, ONE_LOSS: BAD}, own=True)
    assert few.verdict == "not run" and "copied" in few.note
    assert "5 seeds" in judged("own_labels_help", LABELS, own=True, seeds=4).note


def test_where_modalities_have_labels_the_arms_that_share_one_label_are_the_copied_ones():
    equal = {COPIED: USUAL, ONE_LOSS: USUAL}
    sharp = {"own": True, "shared": 1 - 1e-7}
    assert judged("losses_alike", equal, **sharp).verdict == "supported"
    lacking = judged("losses_alike", {JOINED: USUAL, ONE_LOSS: USUAL}, **sharp)
    assert lacking.verdict == "not run" and "three losses, one label" in lacking.note
    noise = {BOTH: GOOD, JOINED: GOOD, COPIED_WORDS: BAD}
    assert judged("sound_helps", noise, own=True).verdict == "supported"
    lacking = judged("sound_helps", {BOTH: GOOD, JOINED: GOOD, WORDS: BAD}, own=True)
    assert lacking.verdict == "not run" and "text alone" in lacking.note


def heads(modality, together, alone):
    return {JOINED: {modality: together}, system({modality: FROZEN[modality]}): {modality: alone}}


@pytest.mark.parametrize("own", [True, False])
def test_the_text_head_is_scored_on_both_labels(own):
    found = judged("text_head_gains", heads(TEXT, GOOD, BAD), own=own)
    assert found.verdict == "supported" and len(found.effects) == (4 if own else 2)
    assert any("on its own label" in name for name in found.effects) == own
    assert judged("text_head_gains", heads(TEXT, BAD, GOOD), own=own).verdict == "contradicted"
    equal = judged("text_head_gains", heads(TEXT, USUAL, USUAL), own=own, shared=0.5)
    assert equal.verdict == "inconclusive"


def test_a_head_that_gains_on_one_label_and_loses_on_the_other_contradicts():
    """As a head would that learned the label of the clip in place of that of its words."""
    made = planted(heads(TEXT, GOOD, GOOD), own=True)
    crossed = [
        r.model_copy(
            update={"heads": {**r.model_extra["heads"], TEXT: r.predictions["test"].label}}
        )
        if r.spec.system == JOINED
        else r
        for r in made
    ]
    found = evidence.text_head_gains(Runs(crossed))
    gains = {name: e.effect for name, e in found.effects.items()}
    assert found.verdict == "contradicted"
    assert all((gain > 0) == ("label of the whole" in name) for name, gain in gains.items())


@pytest.mark.parametrize("own", [True, False])
def test_the_sound_head_gains_nothing(own):
    test = partial(judged, "sound_head_gains_nothing", own=own)
    assert test(heads(SOUND, USUAL, USUAL), shared=1 - 1e-7).verdict == "supported"
    assert test(heads(SOUND, BAD, GOOD)).verdict == "supported"
    assert test(heads(SOUND, GOOD, BAD)).verdict == "contradicted"
    assert test(heads(SOUND, USUAL, USUAL), shared=0.3).verdict == "inconclusive"


@pytest.mark.parametrize("name", ["text_head_gains", "sound_head_gains_nothing"])
def test_heads_need_both_systems_their_predictions_and_seeds(name):
    modality = TEXT if name == "text_head_gains" else SOUND
    full = heads(modality, GOOD, BAD)
    alone = judged(name, {JOINED: full[JOINED]})
    assert alone.verdict == "not run" and f"{modality} alone" in alone.note
    assert "5 seeds" in judged(name, full, seeds=4).note
    headless = [r.model_copy(update={"heads": {}}) for r in planted(full)]
    found = bound_test(CLAIMS[name])(Runs(headless))
    assert found.verdict == "not run" and f"{modality} head" in found.note


def accuracy_apart(points, own):
    """Records of text and sound alone whose accuracies are so many points apart, exactly."""
    made = planted({WORDS: {TEXT: 0.0}, VOICE: {SOUND: 0.0}}, own=own, shared=0.5)
    changed = []
    for record in made:
        (m,) = record.spec.inputs
        heads = np.array(record.model_extra["heads"][m])
        if m == SOUND:
            wrong = 37 * np.arange(len(heads)) % 100 < points  # spread evenly over videos
            heads = np.where(wrong, -heads - 0.05 * (heads == 0), heads)
        changed.append(record.model_copy(update={"heads": {m: heads.tolist()}}))
    return Runs(changed)


@pytest.mark.parametrize("own", [True, False])
def test_text_is_about_ten_points_ahead_of_sound(own):
    test = bound_test(CLAIMS["text_ahead_of_sound"])
    expected = {0: "contradicted", 7: "inconclusive", 10: "supported", 60: "contradicted"}
    for points, verdict in expected.items():
        assert test(accuracy_apart(points, own)).verdict == verdict, points
    lacking = test(Runs(planted({WORDS: USUAL}, own=own)))
    assert lacking.verdict == "not run" and "sound alone" in lacking.note
    few = test(Runs(planted({WORDS: USUAL, VOICE: USUAL}, own=own, seeds=2)))
    assert few.verdict == "not run" and "5 seeds" in few.note


# --- two settings -------------------------------------------------------------------------------

OURS = {"dataset": "meld-dev", "encoder": "roberta-wav2vec2", "profile": "paper"}
THEIRS = {"dataset": MEL["meld-dev"].dataset, "encoder": MEL["meld-dev"].encoder} | {
    "profile": "paper"
}


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


def test_only_meld_has_raw_sound_and_mel_features_of_the_same_clips():
    found = evidence.raw_sound_beats_mel(Runs(planted({VOICE: USUAL})))
    assert found.verdict == "not run" and "same clips" in found.note


# --- data sets with less ------------------------------------------------------------------------

WINDOWS_ONLY = {"separate_beats_joined", "best_window"}


@pytest.mark.parametrize("test", TESTS, ids=lambda test: test.__name__)
def test_transcripts_alone_decide_windows_only(test):
    arms = dict.fromkeys(plan.windows({TEXT: 6}).values(), USUAL)
    made = planted(arms, dataset="mosi", shared=0.5)
    found = bound_test(CLAIMS[test.__name__])(Runs(made))
    assert (found.verdict != "not run") == (test.__name__ in WINDOWS_ONLY)


@pytest.mark.parametrize("name", sorted(set(CLAIMS) - WINDOWS_ONLY - {"raw_sound_beats_mel"}))
def test_a_data_set_without_sound_needs_words_and_sound(name):
    found = bound_test(CLAIMS[name])(Runs(planted({WORDS: USUAL}, dataset="mustard")))
    assert found.verdict == "not run" and "words and sound of the same clips" in found.note


def test_claims_are_not_judged_on_classes():
    made = planted({WORDS: USUAL}, dataset="meld")
    classes = [r.model_copy(update={"metrics": {"test": {"f1": 0.5}}}) for r in made]
    verdicts = judge(CLAIMS.values(), classes)
    assert {v.evidence.verdict for v in verdicts} == {"not run"}


def test_sound_without_records_is_no_error():
    """CMU-MOSI has sound, but a setting with transcripts alone has no record that reads it."""
    made = planted({WORDS: USUAL}, dataset="mosi")
    verdicts = judge(CLAIMS.values(), made)
    assert {v.evidence.verdict for v in verdicts} == {"not run"}
    assert all(v.evidence.note.startswith("needs ") for v in verdicts)


def test_no_record_of_a_verdict_that_was_not_reached_counts_as_read():
    (verdict,) = judge([CLAIMS["sound_helps"]], planted({WORDS: USUAL}))
    assert verdict.records == []
