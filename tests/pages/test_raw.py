"""The page of the raw control: clips that fit their titles, and tables that fit the simulation."""

import json

import numpy as np
import pytest

from msalib.data.corpus import MODALITIES
from msalib.data.simulate import raw
from msalib.pages import raw as controls


@pytest.fixture(scope="module")
def corpus():
    return raw.raw(videos=12)


def expressed(clip) -> list[float]:
    """The true sentiments that a clip's line names."""
    numbers = clip.truth.split(". Label")[0].split(": ")[1].split(", ")
    return [float(n.split()[1]) for n in numbers]


def test_the_three_examples_are_what_their_titles_say(corpus):
    negative, neutral, positive = controls.examples(corpus)
    assert max(expressed(negative)) < min(expressed(positive))
    assert max(map(abs, expressed(neutral))) < 2
    for clip, title in zip((negative, neutral, positive), ("neg", "neu", "pos"), strict=True):
        assert f"A {title}" in clip.picture.caption
        assert clip.text in corpus.utterances["text"].to_numpy()


def test_the_clip_at_odds_is_the_one_whose_modalities_differ_most(corpus):
    rows = corpus.rows("valid", "standard")
    spread = np.ptp([corpus.truth["shown"][m][rows] for m in MODALITIES], axis=0).max()
    assert np.ptp(expressed(controls.torn(corpus))) == pytest.approx(spread, abs=0.1)


def test_every_number_that_follows_sentiment_is_explained():
    table = controls.makings().frame
    assert len(table) == len(raw.VOICE) + len(raw.FACE) == len(controls.MEANING)
    assert set(table["follows"]) == set(controls.MEANING.values())
    assert table.iloc[0]["from -3 to 3"] == f"{6 * raw.VOICE['pitch'][0]:+.2f}"


def test_the_stories_differ_where_they_say():
    table = controls.stories().frame.set_index("data set")
    assert list(table.index) == list(raw.STORIES)
    between = table["variance of labels between speakers"].str.rstrip("%").astype(float)
    assert between["raw-speaker"] > between["raw"] + 20
    assert abs(float(table.loc["raw-noise", "label and visual"])) < 0.15
    assert float(table.loc["raw", "label and visual"]) > 0.6
    assert table["sarcastic clips"].to_dict() == {
        "raw": 0,
        "raw-speaker": 0,
        "raw-noise": 0,
        "raw-sarcasm": pytest.approx(0.2 * table.loc["raw", "clips"], abs=1),
    }
    lower = float(table.loc["raw-sarcasm", "label and linguistic"])
    assert lower < float(table.loc["raw", "label and linguistic"]) - 0.3


def test_what_pretraining_recorded_is_shown_by_layer(tmp_path, monkeypatch):
    monkeypatch.setenv("MSALIB_RECORDS", str(tmp_path))
    about = {"data": "9 clips", "objective": "guessing", "losses": [3.0, 1.25]}
    about["choices"] = "As told."
    about["probe"] = {"valid": [0.1, 0.25], "folds": [0.0, 0.1]}
    (tmp_path / "pretrain.json").write_text(json.dumps({"toy": about}))
    (row,) = controls.pretrained().frame.to_dict("records")
    assert row["encoder"] == "small-toy" and row["loss, start to end"] == "3.00 to 1.25"
    assert row["r by layer, 0 (input) to 1"] == "0.10, 0.25"
    assert row["r in five folds"] == "0.00, 0.10" and row["how settings were chosen"] == "As told."
    said = controls.by_layer().text
    assert "small-toy: +0.15 on validation, +0.10 in five folds" in said and "same" not in said


def test_an_input_that_is_the_same_for_all_is_said_to_be(tmp_path, monkeypatch):
    monkeypatch.setenv("MSALIB_RECORDS", str(tmp_path))
    probe = {"valid": [0.0, 0.5, 0.4], "folds": [0.0, -0.001, -0.002]}
    (tmp_path / "pretrain.json").write_text(json.dumps({"toy": {"probe": probe}}))
    assert "+0.50 on validation, +0.00 in five folds (its input is the" in controls.by_layer().text


def test_the_mixture_is_that_of_the_corpus(corpus):
    said = controls.mixture(corpus).text
    for m, weight in corpus.truth["weights"].items():
        assert f"{m} {weight:.0%}" in said
