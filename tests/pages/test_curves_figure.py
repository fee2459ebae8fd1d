"""Scores along a choice: means as text, missing runs left out, a note where nothing was run."""

import numpy as np

from msalib.pages.curves_figure import score_curves
from msalib.pages.tables import Note
from msalib.runs.query import Runs
from msalib.runs.spec import system
from tests.factory import make_record, predictions

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
