"""Drawn predictions: as good as planted, as alike as trained models, and calibrated on these."""

import re

import numpy as np
import pytest

from msalib.base.errors import UserError
from msalib.papers.uegd import layers
from msalib.papers.uegd.power import calibration, synthetic
from msalib.papers.uegd.power.synthetic import Noise, Planted, draw
from msalib.runs.spec import system
from tests.papers.uegd.power.population import NOISE, population

QUIET = NOISE.model_copy(update={"run_share": 0.0, "quality_sd": 0.0, "offset_sd": 0.0})
TEXT, BOTH = ("linguistic",), ("acoustic", "linguistic")
MANY = {"valid": 100, "test": 400}


def study(planted, noise=NOISE, seed=0, videos=MANY):
    return draw(planted, noise, population(), videos, np.random.default_rng(seed))


def blocks(count=4, quality=0.7, group=TEXT, **differently):
    return [Planted(group, k, quality, **differently) for k in range(1, count + 1)]


def test_a_draw_depends_on_its_seed_alone():
    one, same, other = (study(blocks(), seed=seed) for seed in (0, 0, 1))
    first, again, else_ = (
        r.predictions("test", *layers.block_systems(r, "linguistic")) for r in (one, same, other)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(np.array(first)[..., :50], np.array(else_)[..., :50])


@pytest.mark.parametrize("quality", [0.0, 0.4, 0.8])
def test_models_are_as_good_as_planted(quality):
    correlations = []
    for seed in range(6):
        runs = study(blocks(1, quality), seed=seed)
        (records,) = runs.records(*layers.block_systems(runs, "linguistic"))
        correlations += [r.metrics["test"]["corr"] for r in records]
        stored = records[0].predictions["test"]
        direct = np.corrcoef(stored.label, stored.prediction)[0, 1]
        assert records[0].metrics["test"]["corr"] == pytest.approx(direct, abs=1e-6)
    assert np.mean(correlations) == pytest.approx(quality, abs=0.02)


def test_the_expected_error_is_that_of_the_draws():
    for quality in (0.4, 0.8):
        mae = []
        for seed in range(6):
            runs = study(blocks(1, quality), seed=seed)
            label, _ = runs.truth("test")
            (guess,) = runs.predictions("test", *layers.block_systems(runs, "linguistic"))
            mae.append(np.abs(guess - label).mean())
        expected = synthetic.expected_mae(quality, NOISE, population())
        assert np.mean(mae) == pytest.approx(expected, rel=0.015)


def test_neighbours_err_alike_and_modalities_on_their_own():
    runs = study([*blocks(24), *blocks(1, group=("acoustic",))], QUIET)
    label, _ = runs.truth("test")
    systems = [system({"linguistic": k}) for k in (1, 2, 24)] + [system({"acoustic": 1})]
    error = calibration._standard_errors(np.array(runs.predictions("test", *systems)), label)[:, 0]
    close, far, other = np.corrcoef(error)[0, 1:]
    assert 0.9 < close < 1
    assert 0.3 < far < 0.55  # 0.3 is kept at any distance
    assert abs(other) < 0.05


def test_the_best_block_names_the_systems_that_use_it():
    planted = [
        *blocks(2, 0.5),
        Planted(TEXT, 3, 0.8),
        *blocks(1, group=("acoustic",)),
        Planted(BOTH, "mid_best", 0.8, gate=0.9),
        Planted(BOTH, "mid_best", 0.8, fusion="concat"),
        Planted(TEXT, "mid_best", 0.7, train_share=0.5),
        Planted(TEXT, "weighted", 0.7),
    ]
    runs = study(planted)
    assert layers.best_block(runs, "linguistic") == 3 and layers.layered(runs) == ["linguistic"]
    joint = {"acoustic": 1, "linguistic": 3}
    assert runs.has(system(joint), system(joint, paper="uegd", fusion="concat"))
    assert runs.has(system({"linguistic": 3}, train_share=0.5), system({"linguistic": "weighted"}))
    (gates,) = layers.gates(runs, system(joint))
    assert gates["acoustic"].mean() == pytest.approx(0.9, abs=0.05)
    assert gates["acoustic"].max() <= 1
    assert gates["acoustic"].mean(1).std(ddof=1) > 0.005  # seeds differ


def test_blocks_together_and_at_a_share_and_conventional_features_are_systems_of_their_own():
    planted = [
        *blocks(2),
        *blocks(1, group=("acoustic",)),
        *blocks(2, group=BOTH),
        *blocks(2, train_share=0.5),
        Planted(TEXT, "lexicon", 0.2),
        Planted(BOTH, "tfidf", 0.2),
    ]
    runs = study(planted)
    assert layers.blocks(runs, "linguistic") == [1, 2]
    assert runs.has(
        *(system({"acoustic": 1, "linguistic": k}) for k in (1, 2, "tfidf")),
        *(system({"linguistic": k}, train_share=0.5) for k in (1, 2)),
        system({"linguistic": "lexicon"}),
    )
    assert len(runs.systems) == len(planted)


def everything(peak=3, count=4):
    return [
        *(Planted(TEXT, k, 0.75 - 0.05 * (k != peak)) for k in range(1, count + 1)),
        *blocks(1, group=("acoustic",)),
        Planted(TEXT, "weighted", 0.72),
        Planted(TEXT, "uniform", 0.72),
        Planted(TEXT, "mid_best", 0.7, train_share=0.5),
        Planted(BOTH, "mid_best", 0.75),
        Planted(BOTH, "mid_best", 0.75, fusion="concat"),
    ]


def test_calibration_finds_what_was_drawn():
    """On 24 blocks and many clips, its best block where ``draw`` puts mid-best."""
    videos = {"valid": 200, "test": 600}
    calibrated = [
        calibration.calibrate(
            study(everything(19, 24), NOISE, seed, videos), "linguistic", BOTH, 0.5
        )
        for seed in range(2)
    ]
    mean = {name: np.mean([getattr(n, name) for n in calibrated]) for name in Noise.model_fields}
    for name, value in NOISE.model_dump().items():
        assert mean[name] == pytest.approx(value, rel=0.4), name


@pytest.mark.parametrize(
    ("kept", "missing"),
    [
        (lambda p: p.modalities == ("acoustic",), "5 seeds of every linguistic block"),
        (lambda p: p.feature != 2, "5 seeds of every linguistic block"),
        (lambda p: p.fusion != "concat", "acoustic-1+linguistic-3-concat"),
        (lambda p: p.feature != "uniform", "linguistic-uniform"),
        (lambda p: p.train_share == 1, "linguistic-3-share0.5"),
    ],
)
def test_calibration_says_which_runs_are_missing(kept, missing):
    runs = study([p for p in everything() if kept(p)], videos={"valid": 20, "test": 40})
    with pytest.raises(UserError, match=f"no records of .*{re.escape(missing)}.*make records-uegd"):
        calibration.calibrate(runs, "linguistic", BOTH, 0.5)


def test_a_population_has_the_videos_of_both_parts():
    runs = study(blocks(2), QUIET, videos={"valid": 5, "test": 12})
    people = calibration.population(runs)
    assert len(people.videos) == 17
    assert len(people.labels) == 170
    assert 0 < people.within < 1
    assert people.centre == pytest.approx(0.1, abs=0.3)
