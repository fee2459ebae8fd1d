"""Figures: told in words, with their setting, legible in grey, and equal from equal records."""

import re

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from msalib.base import stats
from msalib.base.errors import UserError
from msalib.data.corpus import MODALITIES
from msalib.data.simulate.features import control
from msalib.evidence import registry
from msalib.evidence.verdicts import judge
from msalib.pages.figure import Picture
from msalib.pages.tables import Note
from msalib.papers.uegd import figures, layers
from msalib.runs.query import Runs
from msalib.runs.spec import system
from tests.factory import layer_records, make_record, predictions, system_records
from tests.html import hovered, image, read

SETTING = "control: a <small> corpus & more; release recipe, profile quick, 2 seeds"
CONSTANT = float("inf")
NOISE = {0: 3.0, 1: 2.0, 2: 0.8, 3: 1.5}


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    monkeypatch.setattr(stats, "RESAMPLES", 200)


def joint_records(seeds=2):
    """Every block alone, all together with input and block 2, and block 2 with both fusions."""
    noise = {system({m: k}): sd for m in MODALITIES for k, sd in NOISE.items()}
    noise |= {system(dict.fromkeys(MODALITIES, k)): 1.0 for k in (0, 2)}
    noise[system(dict.fromkeys(MODALITIES, 2), paper="uegd", fusion="concat")] = 1.0
    return system_records(noise, dict.fromkeys(MODALITIES, 3), seeds=seeds)


@pytest.fixture(scope="module")
def records():
    return joint_records()


@pytest.fixture(scope="module")
def runs(records):
    return Runs(records)


def note(page):
    assert isinstance(page, Note)
    return read(page).text


# --- Fig. 6 -------------------------------------------------------------------------------------


def test_the_curves_are_told_in_words(runs):
    picture = figures.layer_curves(runs, setting=SETTING)
    page = image(picture)
    assert SETTING in page.text and "mean of 2 seeds" in page.text
    for part, name in figures.PARTS.items():
        assert f"{name.capitalize()} correlation by encoder block" in picture.alt
        for modality in MODALITIES:
            blocks, mean, _ = layers.correlations(runs, modality, part)
            assert (
                f"highest {mean.max():.2f} at block {blocks[mean.argmax()]}, {mean[-1]:.2f} at "
                f"the last block 3; validation chooses block {layers.best_block(runs, modality)}"
            ) in picture.alt
            assert f"{modality}: " in picture.alt


def test_each_point_of_the_curves_says_its_value_and_interval(runs):
    said = hovered(figures.layer_curves(runs, setting=SETTING))
    assert len(said) == 2 * len(MODALITIES) * 4
    blocks, mean, _ = layers.correlations(runs, "acoustic", "test")
    for block, value in zip(blocks, mean, strict=True):
        (text,) = [t for t in said if t.startswith(f"acoustic, block {block}, test: ")]
        point, low, high = map(float, re.findall(r"-?\d\.\d{3}", text))
        assert point == pytest.approx(value, abs=5e-4) and low <= point <= high
        chosen = block == layers.best_block(runs, "acoustic")
        assert text.endswith("chosen by validation") == chosen


def test_each_modality_has_a_scale_of_its_own_that_both_parts_share(monkeypatch, runs):
    kept = []
    monkeypatch.setattr(Picture, "__init__", lambda _, figure, **__: kept.append(figure))
    figures.layer_curves(runs, setting=SETTING)
    limits = np.array([axes.get_ylim() for axes in kept[0].axes]).reshape(3, 2, 2)
    assert (limits[:, 0] == limits[:, 1]).all()
    assert len(np.unique(limits[:, 0], axis=0)) == 3


def test_the_curve_of_one_modality_and_without_layer_zero():
    runs = Runs(layer_records({"linguistic": {1: 2.0, 2: 1.0}}))
    picture = figures.layer_curves(runs, setting=SETTING)
    image(picture)
    assert "linguistic" in picture.alt and "visual" not in picture.alt
    assert "at block 1, highest" in picture.alt


def test_features_without_layers_are_a_level():
    noise = {system({"acoustic": 1}): 1.0} | {system({"linguistic": k}): 1.0 for k in (1, 2)}
    runs = Runs(system_records(noise, {"acoustic": 1, "linguistic": 2}))
    picture = figures.layer_curves(runs, setting=SETTING)
    assert image(picture).text
    assert "features without layers" in picture.alt and "highest" in picture.alt
    nothing = Runs(system_records({system({"acoustic": 1}): 1.0}, {"acoustic": 1}))
    assert "no curve" in note(figures.layer_curves(nothing, setting=SETTING))


@pytest.mark.parametrize("others", [1.0, CONSTANT])
def test_undefined_correlations_are_told_and_counted(others):
    noise = {1: others, 2: others, 3: CONSTANT}
    picture = figures.layer_curves(
        Runs(layer_records({"linguistic": noise}, seeds=2)), setting=SETTING
    )
    image(picture)
    assert "undefined at the last block 3" in picture.alt
    count = 2 if others == 1.0 else 6
    assert f"{count} of 6 runs predict the same for every clip" in picture.caption


def test_fewer_than_two_videos_cannot_be_resampled():
    runs = Runs(layer_records({"linguistic": {1: 1.0, 2: 1.0}}, videos=2))
    with pytest.raises(UserError, match="found 1 video; expected at least two videos"):
        figures.layer_curves(runs, setting=SETTING)


def test_the_planted_truth_beside_what_was_found(runs):
    profiles = {"visual": [0.5, *[1.0] * 9], "acoustic": [1, 1, 2, 1], "linguistic": [1, 2, 1, 2]}
    truth = control(videos=8, profiles=profiles).truth
    picture = figures.planted_profile(truth, runs, setting=SETTING)
    assert SETTING in image(picture).text
    assert "Planted best blocks: visual 1 to 9; acoustic 2; linguistic 1, 3." in picture.alt
    assert "On real data" in note(figures.planted_profile(None, runs, setting=SETTING))
    raw = figures.planted_profile({"sentiment": {}}, runs, setting=SETTING)
    assert "Real encoders on simulated clips" in note(raw)


# --- Fig. 3 -------------------------------------------------------------------------------------


def test_gate_weights_are_told_by_modality_and_feature(records):
    raised = [
        r.model_copy(update={"gates": r.gates | {"acoustic": list(np.linspace(0.7, 0.9, 160))}})
        if dict(r.spec.inputs) == dict.fromkeys(MODALITIES, 2)
        else r
        for r in records
    ]
    picture = figures.gate_violins(Runs(raised), setting=SETTING)
    image(picture)
    assert "acoustic, mid-best block: median 0.80, middle half 0.75 to 0.85" in picture.alt
    assert "acoustic, input embeddings of the encoder: median 0.50" in picture.alt
    assert "weighted" not in picture.alt  # it was not trained
    assert "visual, acoustic, linguistic together" in picture.caption
    assert SETTING in picture.caption


def test_gates_without_layers_are_drawn_once():
    pair = ("visual", "acoustic")
    noise = {system({m: 1}): 1.0 for m in pair} | {system(dict.fromkeys(pair, 1)): 1.0}
    picture = figures.gate_violins(
        Runs(system_records(noise, dict.fromkeys(pair, 1))), setting=SETTING
    )
    assert picture.alt.count("visual, features without layers") == 1


def test_the_gate_of_one_modality_is_a_sentence():
    runs = Runs(layer_records({"linguistic": NOISE}))
    assert "One modality" in note(figures.gate_violins(runs, setting=SETTING))


# --- Figs 4 and 5 -------------------------------------------------------------------------------


def videos_of(sizes, *, guess=0.5):
    """Runs of two modalities in videos a, b, c, ... with so many clips each."""
    video = [name for name, size in zip("abcdefghij", sizes, strict=False) for _ in range(size)]
    label = np.linspace(-3, 3, len(video))
    parts = dict.fromkeys(("valid", "test"), predictions(label, guess * label, video))
    return Runs(
        [make_record({m: 1}, s, parts=parts) for m in ("visual", "acoustic") for s in (0, 1)]
    )


def test_the_video_with_the_most_clips_is_shown_unless_one_is_named():
    runs = videos_of([2, 4, 3])
    picture = figures.one_video(runs, "", setting=SETTING)
    assert "The 4 clips of the test video b." in picture.caption and SETTING in image(picture).text
    assert "mean of 2 seeds" in picture.caption
    named = figures.one_video(runs, "c", setting=SETTING)
    assert "The 3 clips of the test video c." in named.caption
    assert "visual predictions from" in named.alt and "acoustic predictions from" in named.alt


def test_an_unknown_video_is_refused_with_those_there_are():
    with pytest.raises(UserError, match=r"video 'z': found no such video .* one of b, c, a\."):
        figures.one_video(videos_of([2, 4, 3]), "z", setting=SETTING)
    with pytest.raises(UserError, match=r"one of c, a, b, d, e, f, g, h, i, j\."):
        figures.one_video(videos_of([2, 2, 3, *[2] * 7]), "z", setting=SETTING)


def test_a_video_of_one_clip_is_a_sentence():
    assert "single clip" in note(figures.one_video(videos_of([1, 1]), "", setting=SETTING))


def test_predictions_beyond_the_axes_are_counted():
    inside = figures.one_video(videos_of([4, 2]), "", setting=SETTING)
    beyond = figures.one_video(videos_of([4, 2], guess=1.5), "", setting=SETTING)
    assert "beyond" not in inside.caption
    assert "4 predictions beyond the axes" in beyond.caption  # one clip, two modalities, two seeds


# --- footnote 1 ---------------------------------------------------------------------------------


def test_the_interval_stands_beside_the_margin():
    (verdict,) = judge(registry.claims("uegd", ["UEGD-C15"]), joint_records(seeds=5))
    picture = figures.equivalence(verdict, setting=SETTING)
    assert SETTING in image(picture).text
    (effect,) = verdict.evidence.effects.values()
    assert f"{effect.effect:+.3f}, from {effect.low:+.3f} to {effect.high:+.3f}" in picture.alt
    assert "±0.01 points" in picture.caption and "90% interval" in picture.caption


def test_without_an_interval_the_reason_is_told():
    alone = layer_records({"linguistic": NOISE})
    (verdict,) = judge(registry.claims("uegd", ["UEGD-C15"]), alone)
    text = note(figures.equivalence(verdict, setting=SETTING))
    assert text.startswith("No interval to draw: needs several modalities")


# --- labels, and what all figures share ---------------------------------------------------------


def test_pictures_are_equal_from_equal_records(runs):
    one, again = (figures.layer_curves(runs, setting=SETTING) for _ in range(2))
    assert one.html() == again.html()


def test_violins_are_told_apart_in_grey():
    styles = figures.FEATURE_STYLE.values()
    assert len({style["hatch"] for style in styles}) == len(styles)
    assert set(figures.FEATURE_STYLE) == set(figures.FEATURE_NAMES)
    # Bars and dots are black and white: no face may be too dark for them.
    assert all(np.dot([0.2126, 0.7152, 0.0722], to_rgb(s["facecolor"])) > 0.4 for s in styles)


def test_letters_have_the_size_of_the_style(monkeypatch, runs):
    import matplotlib

    sizes = []
    monkeypatch.setattr(
        Picture, "__init__", lambda *_, **__: sizes.append(matplotlib.rcParams["font.size"])
    )
    figures.layer_curves(runs, setting=SETTING)
    figures.one_video(runs, "", setting=SETTING)
    assert sizes == [11, 11] != [matplotlib.rcParams["font.size"]] * 2
