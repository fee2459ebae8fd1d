"""Scores along a choice: means as text, missing runs left out, a note where nothing was run."""

import numpy as np

from msalib.pages.curves_figure import score_curves
from msalib.pages.figure import Picture
from msalib.pages.tables import Note
from msalib.runs.query import Runs
from msalib.runs.spec import system
from tests.factory import make_record, predictions
from tests.html import hovered

SETTING = "control: a <small> corpus"
LABEL = np.linspace(-3, 3, 20)
VIDEO = [f"v{i}" for i in range(20)]
SYSTEMS = {weight: system({"linguistic": k}) for k, weight in enumerate((0.1, 1.0, 10.0), 1)}


def runs_of(noise):
    records = []
    for weight, sd in noise.items():
        for seed in range(2):
            guess = LABEL + sd * (1 + seed)
            parts = dict.fromkeys(("valid", "test"), predictions(LABEL, guess, VIDEO))
            records.append(make_record(dict(SYSTEMS[weight].inputs), seed, parts=parts))
    return Runs(records)


def drawn(runs, lines, metrics=("mae", "acc7")):
    return score_curves(runs, lines, metrics, what="weight", about="Scores.", setting=SETTING)


def test_every_line_has_its_means_and_what_was_not_run_is_left_out():
    runs = runs_of({0.1: 0.4, 10.0: 0.2})
    picture = drawn(runs, {"one": SYSTEMS, "other": {10.0: SYSTEMS[10.0]}})
    assert "MAE on validation, one: at 0.1 0.600, at 10.0 0.300" in picture.alt
    assert "Acc-7 on test, other: at 10.0 75.0" in picture.alt and "at 1.0" not in picture.alt
    assert picture.caption.startswith("Scores. ") and SETTING in picture.caption


def test_one_metric_and_one_line_are_enough():
    assert "at 10.0 0.300" in drawn(runs_of({10.0: 0.2}), {"one": SYSTEMS}, ("mae",)).alt


def test_without_runs_there_is_a_note():
    note = drawn(Runs([]), {"one": SYSTEMS})
    assert isinstance(note, Note) and SETTING in note.text


def test_points_say_mean_and_deviation_and_what_validation_chooses():
    runs = runs_of({0.1: 0.4, 1.0: 0.3, 10.0: 0.2})
    said = hovered(drawn(runs, {"one": SYSTEMS}, ("mae",)))
    assert len(said) == 6 and said[0].startswith("one, weight 0.1, validation: 0.600\u00a0±\u00a0")
    chosen = [text for text in said if text.endswith("chosen by validation")]
    (best,) = (w for w, s in SYSTEMS.items() if s == runs.best(list(SYSTEMS.values())))
    assert len(chosen) == 2 and all(text.startswith(f"one, weight {best}, ") for text in chosen)


def test_shares_of_the_data_are_not_chosen():
    shares = {s.train_share: s for s in (system({"linguistic": 1}, s) for s in (0.5, 1.0))}
    parts = dict.fromkeys(("valid", "test"), predictions(LABEL, LABEL + 0.1, VIDEO))
    records = [
        make_record({"linguistic": 1}, seed, parts=parts, train_share=share)
        for share in shares
        for seed in range(2)
    ]
    picture = drawn(Runs(records), {"one": shares}, ("mae",))
    assert "Rings" not in picture.caption
    assert not any(text.endswith("chosen by validation") for text in hovered(picture))


def test_printed_values_have_a_panel_and_a_scale_of_their_own(monkeypatch):
    kept = []
    runs, lines = runs_of({0.1: 0.4, 10.0: 0.2}), {"one": SYSTEMS}
    printed = {"one": {0.1: {"mae": 0.05}, 10.0: {"mae": 0.07}, 1.0: {"acc7": 0.4}}}
    about = {"what": "weight", "about": "Scores.", "setting": SETTING}
    picture = score_curves(runs, lines, ["mae"], printed=printed, **about)
    assert "MAE as printed, one: at 0.1 0.050, at 10.0 0.070" in picture.alt
    assert "one, weight 10.0, printed: 0.070" in hovered(picture)
    assert "scale of its own" in picture.caption
    monkeypatch.setattr(Picture, "__init__", lambda _, figure, **__: kept.append(figure))
    score_curves(runs, lines, ["mae"], printed=printed, **about)
    valid, test, paper = (axes.get_ylim() for axes in kept[0].axes)
    assert valid == test and paper[1] < 0.1 < valid[1]
