"""MMML's claims on losses and heads: own labels against copied ones, heads scored on both."""

from functools import partial

import numpy as np
import pytest

from msalib.evidence.verdicts import bound_test
from msalib.papers.mmml import evidence
from msalib.papers.mmml.plan import SOUND, TEXT, system
from msalib.runs.query import Runs
from tests.papers.mmml_planted import (
    BAD,
    BOTH,
    CLAIMS,
    COPIED,
    FROZEN,
    GOOD,
    JOINED,
    ONE_LOSS,
    USUAL,
    VOICE,
    WORDS,
    judged,
    planted,
)

pytestmark = pytest.mark.usefixtures("fewer_resamples")


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
