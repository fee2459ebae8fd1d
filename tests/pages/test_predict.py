"""Predictions for readers: lines, tables and figures say what the numbers are."""

import numpy as np
import pytest
from scipy import stats

from msalib.data import datasets as readers
from msalib.pages import predict as pages
from msalib.runs import clips as users
from msalib.runs import predict, saved
from msalib.runs.clips import Clip
from tests.html import image
from tests.saved_models import bert, control, folders, frames, small_data

FIXTURES = bert, control, folders, small_data


def test_the_report_says_what_the_numbers_are(control):
    found = predict.predict(
        control, [Clip("x", features={"acoustic": frames(control, "acoustic")})], "cpu"
    )
    lines = pages.report(found)
    told = "\n".join(lines)
    assert lines[3].startswith("x: ") and "80% prediction interval" in lines[4]
    assert "mean of 2 trainings" in told and "95% t-interval of that mean" in told
    assert "acoustic: " in told and "note: visual: not given" in told
    assert "do not add up" in lines[-1] and "do not add up" in found.meaning["contributions"]


@pytest.fixture
def shown(control):
    """Predictions for the test clips of the small control."""
    corpus = readers.load("control")
    ids = corpus.utterances.index[corpus.rows("test", "standard")]
    return corpus, predict.predict(control, users.clips_of(corpus, ids, control.about), "cpu")


def test_coverage_is_counted_on_all_clips_and_by_label(control, shown):
    corpus, found = shown
    label = corpus.utterances["label"].loc[[clip.id for clip in found.clips]].to_numpy()
    table = pages.coverage(control, found, corpus)
    for row, level in zip(table.frame.to_dict("records"), saved.LEVELS, strict=True):
        own = [clip.prediction_intervals[str(level)] for clip in found.clips]
        held = np.array([i.low <= y <= i.high for i, y in zip(own, label, strict=True)])
        assert row["held"] == f"{held.mean():.0%}"
        assert row["in between"] == f"{held[np.abs(label) <= 0.5].mean():.0%}"
        assert row["above 0.5"] == f"{held[label > 0.5].mean():.0%}"
        assert held.mean() == pytest.approx(
            control.about.coverage["visual+acoustic+linguistic"][str(level)], abs=1e-3
        )
    assert f"{len(label)} clips" in table.caption and found.setting in table.caption
    n = len(control.about.errors["visual"])
    k = int(np.ceil((n + 1) * 0.8))
    low = stats.beta.ppf(0.025, k, n + 1 - k)
    assert table.frame["luck"][0].startswith(f"{low:.0%} to ")


def test_widths_and_both_intervals_are_told(control, shown):
    table = pages.widths(control.about).frame
    assert list(table["given"]) == [" + ".join(name.split("+")) for name in control.about.errors]
    assert len(table) == 7
    half = control.about.half_width(["acoustic"], 80)
    assert table["80%, half width (points)"][1] == f"{half:.2f}"
    clips = shown[1].clips[:2]
    told = pages.intervals(clips).frame
    assert list(told["clip"]) == [clip.id for clip in clips]
    own = clips[0].mean_interval
    assert told["95% interval of the mean"][0] == f"{own.low:+.2f} to {own.high:+.2f}"
    single = clips[0].model_copy(update={"mean_interval": None})
    assert pages.intervals([single]).frame["95% interval of the mean"][0].startswith("one training")
    assert pages.environment(control.about).frame["seeds"][0] == 2


def test_figures_are_told_in_words(control, shown):
    corpus, found = shown
    label, clips = corpus.utterances["label"], found.clips[:3]
    picture = pages.prediction_intervals(clips, label, setting=found.setting)
    page = image(picture)
    assert found.setting in page.text
    for clip in clips:
        assert f"{clip.id}: prediction {clip.prediction:+.1f}" in picture.alt
        narrow = clip.prediction_intervals["80"]
        inside = narrow.low <= label[clip.id] <= narrow.high
        assert f"label {label[clip.id]:+.1f}, {'inside' if inside else 'outside'}" in picture.alt
    alone = Clip("alone", features={"acoustic": frames(control, "acoustic")})
    clips = [*clips, predict.predict(control, [alone], "cpu").clips[0]]
    meaning = found.meaning["contributions"]
    picture = pages.contributions(clips, meaning=meaning, setting=found.setting)
    assert "do not add up" in image(picture).text
    assert "alone: visual not given, acoustic " in picture.alt and "-0.00" not in picture.alt
    change = round(clips[0].contributions["visual"].change, 2) + 0.0
    assert f"{clips[0].id}: visual {change:+.2f}" in picture.alt
