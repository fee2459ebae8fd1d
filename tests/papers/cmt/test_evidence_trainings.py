"""CMT's claim on weights of audio blocks, which a record holds once, and its negative controls."""

import json

import numpy as np
import pytest

from msalib.base import presets
from msalib.base.paths import records_folder
from msalib.papers.cmt import evidence_controls, scope
from msalib.papers.cmt.plan import NO_PT, POOLER, PT
from msalib.runs.pretraining import Pretrained, recipe_of
from msalib.runs.study import Study
from tests.papers.cmt.planted import ALONE, NAMED, arms, judged, runs_of
from tests.papers.planted_systems import BAD, GOOD, USUAL

pytestmark = pytest.mark.usefixtures("fewer_resamples")

# --- weights of audio blocks ----------------------------------------------------------------------

MIDDLE, ENDS = (0.15, 0.4, 0.3, 0.15), (0.4, 0.15, 0.15, 0.3)


def weighed(*by_seed, name=POOLER, **about):
    """The verdict on weights of four audio blocks, seed by seed, of an arm that pools them."""

    def extras(system, seed):
        return {"layer_weights": list(by_seed[seed])}

    systems = {NAMED[name]: USUAL}
    found = judged("middle_blocks_weigh_most", systems, extras=extras, seeds=len(by_seed), **about)
    return found


def scattered(weights, count=5):
    return [np.array(weights) + 0.005 * k * np.array([-1, 1, 0, 0]) for k in range(count)]


def test_weights_in_the_middle_support_and_weights_at_the_ends_contradict():
    found = weighed(*scattered(MIDDLE))
    assert found.verdict == "supported"
    assert "block of the largest weight by seed: 2, 2, 2, 2, 2" in found.note
    difference, *levels = found.effects.values()
    assert difference.effect == pytest.approx(0.4 + 2 * 0.01)
    assert [e.effect for e in levels] == pytest.approx([0.14, 0.41, 0.3, 0.15])
    assert weighed(*scattered(ENDS)).verdict == "contradicted"


def test_one_seed_of_five_denies_either_verdict():
    assert weighed(*scattered(MIDDLE, 4), ENDS).verdict == "inconclusive"
    assert weighed(*scattered(ENDS, 4), MIDDLE).verdict == "inconclusive"


def test_five_equal_signs_are_not_enough():
    """The interval over seeds has to leave out zero, too."""
    small, large = (0.2499, 0.2501, 0.25, 0.25), MIDDLE
    assert weighed(small, small, small, small, large).verdict == "inconclusive"


def test_the_pooler_needs_five_seeds_and_its_weights():
    few = weighed(*scattered(MIDDLE, 4))
    assert few.verdict == "not run" and "5 seeds" in few.note
    pooled = weighed(*[()] * 5)
    assert pooled.verdict == "not run" and "pooled folds" in pooled.note


def test_a_pooler_that_is_not_pretrained_is_a_declared_deviation():
    def extras(system, seed):
        return {"layer_weights": list(scattered(MIDDLE)[seed])}

    systems = dict.fromkeys(arms(scope.POOLER_ALONE, NO_PT), USUAL)
    found = judged("middle_blocks_weigh_most", systems, extras=extras)
    assert found.verdict == "supported" and "a declared deviation" in found.note


# --- words that say nothing -----------------------------------------------------------------------


def words(noise, **about):
    systems = dict(zip(arms(*ALONE, NO_PT), noise, strict=True))
    return evidence_controls.words_cannot_help(runs_of(systems, dataset="nemo", **about))


def test_words_that_add_nothing_are_the_control_that_is_wanted():
    about = {"classes": True, "shared": 1 - 1e-9}
    assert words((USUAL, BAD, USUAL, USUAL), **about).verdict == "supported"
    assert words((USUAL, BAD, USUAL, 0.05), **about).verdict == "contradicted"


def test_nine_actors_give_no_verdict_and_their_gains_are_shown():
    found = words((USUAL, BAD, USUAL, USUAL), classes=True, videos=9)
    assert found.verdict == "not run" and "10 test videos (this setting has 9)" in found.note
    assert "too narrow" in found.note and "9 videos" in found.note
    assert len(found.effects) == 4
    assert all(" over sound alone: gain in" in name for name in found.effects)


def test_without_runs_no_gain_is_shown():
    found = evidence_controls.words_cannot_help(
        runs_of({NAMED["sound alone"]: USUAL, NAMED["text alone"]: USUAL}, dataset="nemo")
    )
    assert found.verdict == "not run" and not found.effects and "runs of" in found.note


# --- weights of shuffled pairs --------------------------------------------------------------------


def test_weights_of_shuffled_pairs_must_not_gain():
    def found(shuffled, true, **about):
        systems = dict(zip(arms(scope.SHUFFLED, PT, NO_PT), (shuffled, true, BAD), strict=True))
        return evidence_controls.shuffled_weights_gain_nothing(runs_of(systems, **about))

    good = found(BAD, GOOD)
    assert good.verdict == "supported"
    assert any(n.startswith("PT on shuffled pairs over w/o PT") for n in good.effects)
    assert found(GOOD, BAD).verdict == "contradicted"
    assert found(USUAL, USUAL, shared=0.1).verdict == "inconclusive"


# --- records of pretraining -----------------------------------------------------------------------


def spec_of(name):
    study = Study("cmt", dataset="raw-spoken", encoder="spoken", profile="full")
    return study.spec(NAMED[name], 0)


def pretrained(name, uses, *, frames=0.0, **changes):
    """Records of pretraining of an arm, by points of masked tokens that its seeds gain."""
    spec = spec_of(name)
    recipe = recipe_of(spec)
    for seed, use in enumerate(uses):
        shares = {
            "given": {"text_right": 0.4 + use / 100, "sound_right": 0.5 + frames / 100},
            "shuffled": {"text_right": 0.4, "sound_right": 0.5},
        }
        yield Pretrained(
            **{
                "family": "cmt",
                "dataset": "raw-spoken" if any(s.parts for s in recipe.stages) else "",
                "profile": "full",
                "seed": seed,
                "stages": [stage._asdict() for stage in recipe.stages],
                "encoders": {"acoustic": "whisper-tiny.en-frames", "linguistic": "minilm"},
                "settings": dict(recipe.settings),
                "masking": recipe.masking.model_dump(),
                "features": [],
                "clips": 1350,
                "held_out": 150,
                "curve": {},
                "worth": shares | {"silenced": shares["shuffled"]},
                "chance": {},
                "weights": "",
                "provenance": {},
            }
            | changes
        )


LEARNED, NOTHING = (10.0, 11.0, 9.0, 10.5, 10.2), (0.1, -0.2, 0.0, 0.15, -0.1)


def heard(true, shuffled):
    return evidence_controls.heard(
        list(pretrained(PT, true)), list(pretrained(scope.SHUFFLED, shuffled))
    )


def test_true_pairs_teach_to_listen_and_shuffled_ones_do_not():
    found = heard(LEARNED, NOTHING)
    assert found.verdict == "supported" and "150 clips" in found.note
    tokens = [e for n, e in found.effects.items() if n.startswith("true pairs: masked tokens")]
    assert tokens[0].effect == pytest.approx(np.mean(LEARNED))
    assert len(found.effects) == 6


@pytest.mark.parametrize(
    ("true", "shuffled", "verdict"),
    [
        (LEARNED, LEARNED, "contradicted"),
        ([-u for u in LEARNED], NOTHING, "contradicted"),
        (LEARNED, (3.0, -3.0, 1.0, 2.0, -1.0), "inconclusive"),
        (NOTHING, NOTHING, "inconclusive"),
    ],
)
def test_a_control_that_does_not_come_out_is_told(true, shuffled, verdict):
    assert heard(true, shuffled).verdict == verdict


def test_fewer_than_five_seeds_give_no_verdict():
    found = heard(LEARNED, NOTHING[:4])
    assert found.verdict == "not run" and "(4)" in found.note


def written(records):
    for record in records:
        profile = presets.stored(record.profile)
        folder = records_folder() / "pretraining" / "cmt" / "spoken" / profile
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{len(list(folder.iterdir()))}.json"
        path.write_text(json.dumps(record.model_dump()))


def test_records_of_the_same_recipe_and_encoders_are_read():
    written(pretrained(PT, LEARNED))
    written(pretrained(scope.SHUFFLED, NOTHING))
    written(pretrained(PT, NOTHING, encoders={"acoustic": "other", "linguistic": "minilm"}))
    written(pretrained(PT, NOTHING, settings={"blocks": 2}))
    written(pretrained("PT + TAPT", NOTHING))
    assert [r.seed for r in evidence_controls.of_run(spec_of(PT))] == [0, 1, 2, 3, 4]
