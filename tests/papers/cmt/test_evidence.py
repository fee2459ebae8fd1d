"""Tests of CMT's claims on planted predictions: found, contradicted, unclear, what is missing."""

import pytest

from msalib.evidence import registry
from msalib.evidence.arms import Arm
from msalib.evidence.verdicts import judge
from msalib.papers.cmt import evidence_alone, plan, scope
from msalib.papers.cmt.evidence import TESTS
from msalib.papers.cmt.plan import NO_PT, PT, SOUND, TEXT
from msalib.runs.query import Runs
from tests.papers.cmt.planted import ALONE, CLAIMS, NAMED, WHOLE, arms, judged, planted, runs_of
from tests.papers.planted_systems import BAD, GOOD, USUAL, noisy

pytestmark = pytest.mark.usefixtures("fewer_resamples")

SHARES = plan.shares(WHOLE)

GAINS = {
    "joining_adds": (arms("Shallow-Fusion"), arms("sound alone", "text alone")),
    "base_beats_joining": (arms("CMT BASE"), arms("Shallow-Fusion")),
    "large_beats_base": (arms("CMT LARGE"), arms("CMT BASE")),
    "pretraining_helps": tuple(
        [system for (name, _), system in SHARES.items() if name == kind] for kind in (PT, NO_PT)
    ),
    "adapting_helps": (arms("PT + TAPT"), arms("PT")),
    "penalty_helps": (arms("PT + Ortho"), arms("PT")),
    "full_recipe_beats_none": (arms("CMT BASE", "CMT LARGE"), arms("w/o PT")),
    "depth_beats_joining": (arms("w/o PT"), arms("Shallow-Fusion")),
    "full_recipe_beats_its_parts": (
        arms("CMT LARGE"),
        arms("w/o PT", "PT", "PT + TAPT", "PT + Ortho"),
    ),
}
"""Test -> systems that the claim says are better than others."""

ALIKE = {
    "alike_alone": arms("sound alone", "text alone"),
    "sizes_alike": arms("CMT BASE", "CMT LARGE"),
    "fewer_clips_do": [SHARES[PT, 0.5], SHARES[NO_PT, 1.0]],
}
"""Test -> two systems that the claim says are alike."""

PARTS = {"sound_is_behind", "joining_helps_by_degree", "pooling_gains_nothing"}
SWEEPS = {
    "one_block_is_best": (3, plan.blocks),
    "one_weight_is_best": (10.0, plan.alphas),
}
"""Test -> the value that the claim names, and the systems by value."""


def test_every_test_is_tried_and_decides_one_claim():
    names = [test.__name__ for test in TESTS]
    tried = {*GAINS, *ALIKE, *PARTS, *SWEEPS, "blocks_add_more_than", "middle_blocks_weigh_most"}
    assert set(names) == tried and sorted(names) == sorted(CLAIMS)


def test_claims_on_systems_that_cannot_be_had_have_no_test_and_say_so():
    without = [c for c in registry.claims("cmt") if c.rerun.test is None]
    assert [c.id for c in without] == ["CMT-C1", "CMT-C5"]
    assert all("No test reads our runs" in c.rerun.rule for c in without)


def test_names_are_those_of_the_plan():
    names = {scope.SOUND, scope.TEXT, scope.SHALLOW, scope.ORTHO_ALONE, scope.TAPT_ALONE}
    names |= {scope.LEAK, scope.SHUFFLED, scope.TWO, scope.POOLER_ALONE, *scope.UNPRETRAINED}
    assert names <= NAMED.keys()


# --- gains --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", GAINS)
def test_a_gain_supports_and_its_opposite_contradicts(name):
    better, others = GAINS[name]
    found = judged(name, noisy(better, others, GOOD, BAD))
    assert found.verdict == "supported"
    assert "Simulated clips, spoken" in found.note and "in place of" in found.note
    assert judged(name, noisy(better, others, BAD, GOOD)).verdict == "contradicted"


@pytest.mark.parametrize("name", GAINS)
def test_equal_systems_decide_no_claim_of_a_gain(name):
    better, others = GAINS[name]
    found = judged(name, noisy(better, others, USUAL, USUAL), shared=0.5)
    assert found.verdict == "inconclusive" and found.effects


@pytest.mark.parametrize("name", GAINS)
def test_too_few_seeds_are_named(name):
    better, others = GAINS[name]
    few = judged(name, noisy(better, others, GOOD, BAD), seeds=4)
    assert few.verdict == "not run" and "5 seeds" in few.note


@pytest.mark.parametrize("name", GAINS)
def test_too_few_videos_are_named(name):
    better, others = GAINS[name]
    small = judged(name, noisy(better, others, GOOD, BAD), videos=9)
    assert small.verdict == "not run" and "10 test videos" in small.note


@pytest.mark.parametrize("name", GAINS)
def test_a_missing_arm_is_named(name):
    _, others = GAINS[name]
    lacking = judged(name, dict.fromkeys(others, GOOD))
    assert lacking.verdict == "not run" and "runs of" in lacking.note


@pytest.mark.parametrize("name", ["depth_beats_joining", "base_beats_joining"])
def test_without_baselines_nothing_is_compared_with_them(name):
    better, _ = GAINS[name]
    found = judged(name, dict.fromkeys(better, GOOD))
    assert found.verdict == "not run" and "runs of Shallow-Fusion" in found.note


def test_records_of_baselines_that_were_read_are_counted_as_read():
    bare = NAMED["w/o PT"]
    runs = runs_of({bare: GOOD} | dict.fromkeys(arms(*ALONE), BAD))
    (verdict,) = judge([CLAIMS["alike_alone"]], runs.records(bare)[0])
    assert {r.spec.paper for r in verdict.records} == {"baselines"}
    assert verdict.coverage.seeds == 5 and len(verdict.records) == 10


@pytest.mark.parametrize(
    ("name", "noise", "shown", "missing"),
    [
        ("adapting_helps", {"TAPT alone": BAD, "w/o PT": BAD}, "TAPT alone over w/o PT", "LEAK"),
        ("penalty_helps", {"Ortho alone": BAD, "w/o PT": BAD}, "Ortho alone over w/o PT", ""),
        ("base_beats_joining", {"two blocks w/o PT": USUAL}, "two blocks w/o PT over Shallow", ""),
        ("full_recipe_beats_none", {"PT": USUAL}, "PT over w/o PT", "PT + TAPT over PT"),
        ("large_beats_base", {}, "CMT LARGE over CMT BASE", ""),
    ],
)
def test_parts_stand_beside_a_verdict_and_decide_nothing(name, noise, shown, missing):
    better, others = GAINS[name]
    beside = {NAMED[n]: sd for n, sd in noise.items()}
    found = judged(name, noisy(better, others, GOOD, BAD) | beside)
    assert found.verdict == "supported"
    assert shown in found.note.partition("shown, not tested: ")[2]
    assert any(effect.startswith(shown) for effect in found.effects)
    missing = {"LEAK": scope.LEAK}.get(missing, missing)
    assert missing in found.note.partition("not run: ")[2]


def test_the_leak_of_test_clips_is_shown():
    noise = {NAMED["PT + TAPT"]: USUAL, NAMED["PT"]: USUAL, NAMED[scope.LEAK]: 0.1}
    found = judged("adapting_helps", noise)
    leak = [e for n, e in found.effects.items() if n.startswith(f"{scope.LEAK} over PT + TAPT:")]
    assert found.verdict != "supported" and len(leak) == 4 and all(e.low > 0 for e in leak)


# --- equivalence, and no gain -------------------------------------------------------------------


@pytest.mark.parametrize("name", ALIKE)
def test_equal_systems_are_alike_and_different_ones_are_not(name):
    one, other = ALIKE[name]
    same = judged(name, {one: USUAL, other: USUAL}, shared=1 - 1e-9)
    assert same.verdict == "supported"
    assert judged(name, {one: GOOD, other: BAD}).verdict == "contradicted"
    assert judged(name, {one: BAD, other: GOOD}).verdict == "contradicted"
    assert judged(name, {one: USUAL, other: USUAL}, shared=0.1).verdict == "inconclusive"


def test_pooling_that_gains_more_than_a_margin_contradicts_that_it_gains_nothing():
    pooled, last = arms("PT + Layer pooler", "PT")
    name = "pooling_gains_nothing"
    assert judged(name, {pooled: BAD, last: GOOD}).verdict == "supported"
    assert judged(name, {pooled: USUAL, last: USUAL}, shared=1 - 1e-9).verdict == "supported"
    assert judged(name, {pooled: GOOD, last: BAD}).verdict == "contradicted"
    assert judged(name, {pooled: USUAL, last: USUAL}, shared=0.1).verdict == "inconclusive"


MODELS = arms("CMT BASE", "CMT LARGE")


def behind(sound, text, joined, models):
    single = zip(arms(*ALONE), (sound, text, joined), strict=True)
    return dict(single) | dict.fromkeys(MODELS, models)


def test_sound_is_behind_all_models_while_text_keeps_up():
    name, alike = "sound_is_behind", {"shared": 1 - 1e-7}
    assert judged(name, behind(BAD, GOOD, GOOD, GOOD), **alike).verdict == "supported"
    assert judged(name, behind(BAD, GOOD, GOOD / 5, GOOD)).verdict == "contradicted"
    assert judged(name, behind(USUAL, GOOD, GOOD, BAD)).verdict == "contradicted"
    assert judged(name, behind(USUAL, USUAL, USUAL, USUAL), shared=0.5).verdict == "inconclusive"


def test_sizes_that_are_not_pretrained_stand_for_base_and_large():
    bare = arms("two blocks w/o PT", "w/o PT")
    noise = dict(zip(arms(*ALONE), (BAD, GOOD, GOOD), strict=True)) | dict.fromkeys(bare, GOOD)
    found = judged("sound_is_behind", noise, shared=1 - 1e-7)
    assert found.verdict == "supported" and "not run: CMT BASE, CMT LARGE" in found.note
    assert any("two blocks w/o PT over sound alone" in effect for effect in found.effects)
    assert judged("sound_is_behind", noise | dict.fromkeys(bare, 4.0)).verdict == "contradicted"
    baselines = {s: sd for s, sd in noise.items() if s not in bare}
    found = judged("sound_is_behind", baselines, shared=1 - 1e-7)
    assert found.verdict == "supported" and "not run: CMT BASE, CMT LARGE" in found.note


def nearer(record):
    """A record whose test predictions of the right sign are right."""
    clips = record.predictions["test"]
    both = zip(clips.prediction, clips.label, strict=True)
    right = [y if x * y > 0 else x for x, y in both]
    parts = {**record.predictions, "test": clips.model_copy(update={"prediction": right})}
    return record.model_copy(update={"predictions": parts})


def test_joining_that_helps_by_degree_and_not_by_sign():
    text, joined = arms("text alone", "Shallow-Fusion")
    runs = runs_of({text: USUAL, joined: USUAL}, shared=1 - 1e-9)
    better = map(nearer, runs.records(joined)[0])
    by_degree = Runs([*runs.records(text)[0], *better])
    pair = Arm(joined, name="joined"), Arm(text, name="text")
    assert evidence_alone.by_degree(by_degree, *pair, points=1.0).verdict == "supported"
    name = "joining_helps_by_degree"
    assert judged(name, {text: BAD, joined: GOOD}).verdict == "contradicted"
    assert judged(name, {text: GOOD, joined: BAD}).verdict == "contradicted"
    assert judged(name, {text: USUAL, joined: USUAL}, shared=0.1).verdict == "inconclusive"


# --- what the full scale alone could tell -------------------------------------------------------


def test_more_than_four_points_are_judged_of_classes_alone():
    sizes = arms("CMT BASE", "CMT LARGE")
    noise = dict.fromkeys(sizes, GOOD) | dict.fromkeys(arms(*ALONE), BAD)
    shown = judged("blocks_add_more_than", noise)
    assert shown.verdict == "not run" and "classes of emotion" in shown.note
    assert len(shown.effects) == 2 * (2 + 4)
    classes = {"classes": True, "dataset": "nemo"}
    assert judged("blocks_add_more_than", noise, **classes).verdict == "supported"
    equal = dict.fromkeys([*sizes, *arms(*ALONE)], USUAL)
    assert (
        judged("blocks_add_more_than", equal, shared=1 - 1e-7, **classes).verdict == "contradicted"
    )
    lacking = judged("blocks_add_more_than", dict.fromkeys(sizes, GOOD))
    assert lacking.verdict == "not run" and "Shallow-Fusion" in lacking.note


# --- sweeps -------------------------------------------------------------------------------------


def swept(name, best, kind="pt"):
    _, systems = SWEEPS[name]
    return {s: (GOOD if k == best else BAD) for k, s in systems(WHOLE, kind).items()}


@pytest.mark.parametrize("name", SWEEPS)
def test_the_best_of_a_sweep_is_chosen_and_ahead(name):
    claimed, systems = SWEEPS[name]
    found = judged(name, swept(name, claimed))
    assert found.verdict == "supported"
    assert "on validation" in found.note and "on test" in found.note
    first = next(iter(systems(WHOLE)))
    assert judged(name, swept(name, first)).verdict == "contradicted"
    equal = dict.fromkeys(swept(name, claimed), USUAL)
    assert judged(name, equal, shared=0.5).verdict == "inconclusive"
    without = {s: sd for s, sd in equal.items() if s != systems(WHOLE)[claimed]}
    lacking = judged(name, without)
    assert lacking.verdict == "not run" and lacking.note.count("runs of") == 1
    few = judged(name, equal, videos=9)
    assert few.verdict == "not run" and "10 test videos" in few.note


def test_acc7_stands_beside_the_weight_of_the_penalty():
    found = judged("one_weight_is_best", swept("one_weight_is_best", 10.0))
    shown = [n for n in found.effects if n.startswith("penalty 10 over") and "Acc-7" in n]
    assert len(shown) == len(plan.ALPHAS) - 1


# --- a declared deviation -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "noise"),
    [
        ("penalty_helps", {"Ortho alone": GOOD, NO_PT: BAD}),
        ("pooling_gains_nothing", {"Layer pooler w/o PT": BAD, NO_PT: GOOD}),
    ],
)
def test_arms_that_are_not_pretrained_stand_for_pretrained_ones(name, noise):
    systems = {NAMED[n]: sd for n, sd in noise.items()}
    found = judged(name, systems)
    assert found.verdict == "supported" and "a declared deviation" in found.note
    both = judged(name, systems | {NAMED[PT]: USUAL})
    assert both.verdict == "not run"


def test_a_sweep_that_is_not_pretrained_says_so():
    for name, (claimed, _) in SWEEPS.items():
        found = judged(name, swept(name, claimed, "none"))
        assert found.verdict == "supported" and "a declared deviation" in found.note


# --- data that lack something -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dataset", "inputs", "word"),
    [("iemocap", {TEXT: 6}, "sound"), ("ravdess", {SOUND: 4}, "words")],
)
def test_data_of_one_encoder_say_what_they_lack(dataset, inputs, word):
    alone = plan.alone(inputs)
    made = planted(dict.fromkeys(alone.values(), USUAL), dataset=dataset)
    claims = [c for c in registry.claims("cmt") if c.rerun.test]
    for verdict in judge(claims, made):
        assert verdict.evidence.verdict == "not run"
        assert verdict.evidence.note == f"needs {word} of the same clips"


@pytest.mark.parametrize("name", [*GAINS, *ALIKE])
def test_classes_are_judged_by_what_stands_for_the_metrics(name):
    systems = [*GAINS[name][0], *GAINS[name][1]] if name in GAINS else ALIKE[name]
    found = judged(name, dict.fromkeys(systems, USUAL), classes=True, dataset="nemo")
    assert found.verdict != "not run"
    assert all("WA" in n or "UA" in n or "F1" in n for n in found.effects)


def test_classes_have_no_degree():
    noise = dict.fromkeys(arms("text alone", "Shallow-Fusion"), USUAL)
    found = judged("joining_helps_by_degree", noise, classes=True, dataset="nemo")
    assert found.verdict == "not run" and "a score" in found.note


def test_a_small_model_and_the_data_of_the_paper_are_named():
    better, others = GAINS["penalty_helps"]
    made = planted(noisy(better, others, GOOD, BAD), dataset="mosei")
    small = [
        r.model_copy(
            update={"spec": r.spec.model_copy(update={"model": {**r.spec.model, "width": 64}})}
        )
        for r in made
    ]
    (verdict,) = judge([CLAIMS["penalty_helps"]], small)
    assert "reduced scale: streams of width 64, not 1,024" in verdict.evidence.note
    assert "in place of" not in verdict.evidence.note
