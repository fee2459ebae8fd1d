"""What points of the general figures say is what was drawn: values, intervals, seeds."""

import numpy as np
import pytest

from msalib.base.stats import Estimate
from msalib.pages.compare_figure import minus_others
from msalib.pages.contrasts_figure import gain_figure
from msalib.pages.data import label_histogram
from msalib.pages.figure import evenly
from msalib.papers.uegd import figures
from tests.html import hovered, image

SETTING = "control: a <small> corpus"
MAE = Estimate(-0.054, -0.093, -0.013, 0.01, (-0.05, -0.058))
CORR = Estimate(0.02, -0.01, 0.05, 0.2, (0.01, 0.03))
UNDEFINED = Estimate(np.nan, np.nan, np.nan, np.nan)


def test_differences_say_their_interval_and_seeds():
    effects = {"B <b>": {"mae": MAE, "corr": CORR}, "C": {"mae": MAE, "corr": UNDEFINED}}
    picture = minus_others(effects, "A", setting=SETTING)
    image(picture)
    assert hovered(picture) == [
        "A minus B <b>, MAE: -0.054 [-0.093,\u00a0-0.013]; seeds -0.05, -0.058",
        "A minus C, MAE: -0.054 [-0.093,\u00a0-0.013]; seeds -0.05, -0.058",
        "A minus B <b>, Corr: +0.020 [-0.010,\u00a0+0.050]; seeds +0.01, +0.03",
    ]


def test_gains_say_their_interval_in_the_unit_of_their_axis():
    share = Estimate(1.25, 0.5, 2.0, 0.01, (1.0, 1.5))
    picture = gain_figure({("A", "B"): {"mae": MAE, "f1_non0": share}}, setting=SETTING)
    image(picture)
    assert "A over B" in picture.svg  # the name of the row
    assert hovered(picture) == [
        "A over B, MAE: -0.054 [-0.093,\u00a0-0.013]; seeds -0.05, -0.058",
        "A over B, F1 (non 0): +1.2 [+0.5,\u00a0+2.0]; seeds +1, +1.5",
    ]


def test_gains_by_size_say_share_and_interval():
    gains = {"acoustic": {0.125: CORR, 1.0: MAE}}
    said = hovered(figures.gain_by_size(gains, setting=SETTING))
    assert said == [
        "acoustic, 12.5% of the clips: +0.020 [-0.010,\u00a0+0.050]",
        "acoustic, 100.0% of the clips: -0.054 [-0.093,\u00a0-0.013]",
    ]


def test_bins_say_their_count(two_classes):
    said = hovered(label_histogram({"train": [3, 1]}, two_classes, title="Made up."))
    assert said == ["train, sad: 3 clips, 75.0%", "train, happy: 1 clip, 25.0%"]


@pytest.fixture
def two_classes():
    from msalib.data.tasks import Classes

    return Classes(("sad", "happy"))


@pytest.mark.parametrize(("count", "places"), [(1, [0]), (3, [0, 1, 2]), (100, None)])
def test_long_lines_have_marks_at_both_ends_and_not_too_many(count, places):
    found = evenly(count)
    assert found == places or (found[0], found[-1], len(found)) == (0, count - 1, 12)
