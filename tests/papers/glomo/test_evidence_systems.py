"""Tests of GLoMo's claims that read baselines or a second data set, and of what is the whole."""

import pytest

from msalib.evidence.verdicts import bound_test
from msalib.papers.glomo import plan
from msalib.papers.glomo.plan import FULL as FULL_NAME
from msalib.papers.glomo.plan import SOUND, TEXT
from msalib.runs import records, spec
from msalib.runs.query import Runs
from tests.papers.glomo.planted import (
    CLAIMS,
    FULL,
    LMF,
    MODALITIES,
    NAMED,
    TFN,
    WHOLE,
    WITH_BASELINES,
    arms,
    judged,
    planted,
)
from tests.papers.planted_systems import BAD, GOOD, USUAL, noisy

pytestmark = pytest.mark.usefixtures("fewer_resamples")


# --- baselines ----------------------------------------------------------------------------------


DEEP = [spec.system({**WHOLE, TEXT: 6}, paper="baselines", family=name) for name in ("tfn", "lmf")]
"""Baselines that read another layer of the words than GLoMo does."""


def beside(name, noise, baselines, **about):
    """The verdict on systems, with records of baselines written where they are looked for."""
    for record in planted({**noise, **baselines}, **about):
        if record.spec.paper == "baselines":
            records.write(record)
    return judged(name, noise | baselines, **about)


@pytest.mark.parametrize(("ours", "verdict"), [(0.1, "supported"), (5.0, "contradicted")])
@pytest.mark.parametrize("name", WITH_BASELINES)
def test_ours_is_compared_with_baselines_of_the_same_clips(name, ours, verdict):
    noise = dict.fromkeys(WITH_BASELINES[name], ours)
    found = beside(name, noise, {TFN: USUAL, LMF: USUAL})
    assert found.verdict == verdict
    assert "TFN" in found.note and "LMF" in found.note


@pytest.mark.parametrize("name", WITH_BASELINES)
def test_a_baseline_that_is_as_good_leaves_it_open(name):
    noise = dict.fromkeys(WITH_BASELINES[name], GOOD)
    found = beside(name, noise, {TFN: BAD, LMF: GOOD}, shared=0.3)
    assert found.verdict == "inconclusive"


def test_a_gain_below_a_point_contradicts_one_of_more():
    found = beside("gains_beyond", {FULL: USUAL}, {TFN: USUAL, LMF: BAD}, shared=1 - 1e-7)
    assert found.verdict == "contradicted"


@pytest.mark.parametrize("name", WITH_BASELINES)
def test_without_baselines_or_ours_nothing_is_judged(name):
    noise = dict.fromkeys(WITH_BASELINES[name], GOOD)
    found = judged(name, noise)
    assert found.verdict == "not run" and "baselines" in found.note
    others = {NAMED["Global"]: GOOD}
    found = beside(name, others, {TFN: BAD, LMF: BAD})
    assert found.verdict == "not run" and "runs of" in found.note
    few = beside(name, noise, {TFN: BAD, LMF: BAD}, seeds=4)
    assert few.verdict == "not run" and "5 seeds" in few.note


@pytest.mark.parametrize("name", WITH_BASELINES)
def test_baselines_that_read_another_layer_change_no_verdict_in_any_order(name):
    noise = dict.fromkeys(WITH_BASELINES[name], 0.1)
    made = planted({**noise, **dict.fromkeys(DEEP, USUAL)})
    for record in made:
        if record.spec.paper == "baselines":
            records.write(record)
    own = [r for r in made if r.spec.paper == "glomo"]
    test = bound_test(CLAIMS[name])
    found = test(Runs(own))
    assert found.verdict == "supported" and "TFN" in found.note
    for mixed in (made, made[::-1]):
        assert test(Runs(mixed)) == found


def test_with_baselines_alone_ours_are_missing():
    made = planted(dict.fromkeys(DEEP, USUAL))
    for record in made:
        records.write(record)
    assert "runs of GLoMo" in bound_test(CLAIMS["gains_beyond"])(Runs(made)).note


# --- what is the whole ----------------------------------------------------------------------------


def test_words_alone_are_judged_until_as_many_runs_read_both():
    both, words = {SOUND: 1, TEXT: 1}, {TEXT: 1}
    alone = {s: (GOOD if n == FULL_NAME else BAD) for n, s in plan.variants(words).items()}
    two = {s: (GOOD if n == FULL_NAME else BAD) for n, s in plan.variants(both).items()}
    complete = planted(alone)
    for seeds, whole in ((0, words), (1, words), (4, words), (5, both)):
        for made in (complete + planted(two, seeds=seeds), planted(two, seeds=seeds) + complete):
            runs = Runs(made)
            assert plan.recorded_whole(runs) == whole
            assert bound_test(CLAIMS["experts_help"])(runs).verdict == "supported"


@pytest.mark.parametrize("preset", ["release", "article"])
def test_the_order_of_records_changes_no_verdict(preset):
    noise = noisy([FULL], [*arms("MLP_M", "Local", "Global"), *MODALITIES.values()], GOOD, BAD)
    made = planted(noise, preset=preset) + planted(dict.fromkeys(DEEP, USUAL), preset=preset)
    there, back = Runs(made), Runs(made[::-1])
    assert plan.recorded_whole(there) == plan.recorded_whole(back) == WHOLE
    for name in ("every_modality_helps", "experts_help", "halves_differ", "words_carry_most"):
        test = bound_test(CLAIMS[name])
        found = test(there)
        assert found.verdict != "not run" and test(back).verdict == found.verdict


# --- two data sets ------------------------------------------------------------------------------

SETTING = {"encoder": "minilm", "profile": "full"}
WORDS = plan.variants({TEXT: 1})


def polarity(gain):
    """Write records on CMU-MOSI, of which local vectors make one arm better that reads words."""
    noise = {WORDS[FULL_NAME]: gain, WORDS["Global"]: BAD}
    with_voice = plan.variants({SOUND: 1, TEXT: 1})
    noise |= {with_voice[FULL_NAME]: BAD, with_voice["Global"]: gain}  # which is not asked
    for record in planted(noise, dataset="mosi-standardised", shared=0.5, **SETTING):
        records.write(record)


@pytest.mark.parametrize(
    ("classes", "polar", "verdict"),
    [(0.05, BAD, "supported"), (BAD, 0.05, "contradicted"), (USUAL, USUAL, "inconclusive")],
)
def test_gains_of_classes_and_polarity_are_compared(classes, polar, verdict):
    polarity(polar)
    noise = {WORDS[FULL_NAME]: classes, WORDS["Global"]: BAD}
    made = planted(noise, dataset="mustard", shared=0.5, seeds=10, **SETTING)
    two = [
        r.model_copy(
            update={
                "predictions": {
                    part: clips.model_copy(
                        update={
                            "label": [float(y > 0) for y in clips.label],
                            "prediction": [float(y > 0) for y in clips.prediction],
                        }
                    )
                    for part, clips in r.predictions.items()
                }
            }
        )
        for r in made
    ]
    found = bound_test(CLAIMS["more_for_classes"])(Runs(two))
    assert found.verdict == verdict
    assert sum(name.startswith("difference") for name in found.effects) == 1
    assert "words alone" in found.note


def test_polarity_that_was_not_run_is_named():
    noise = {WORDS[FULL_NAME]: GOOD, WORDS["Global"]: BAD}
    assert (
        "runs on mosi-standardised"
        in judged("more_for_classes", noise, dataset="mustard", **SETTING).note
    )
    assert judged("more_for_classes", noise).verdict == "not run"
