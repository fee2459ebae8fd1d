"""The open questions: what print says, and what a shift by one block would change."""

import numpy as np

from msalib.pages.tables import Note
from msalib.papers.uegd import open_questions
from msalib.runs.query import Runs
from tests.factory import layer_records


def test_the_readme_and_the_log_contradict_each_other():
    frame = open_questions.printed_orders().frame
    better = frame.set_index(["data set", "printed in"])["better by MAE"]
    for name in ("MOSI", "MOSEI"):
        assert better[name, "authors' README"] == "mid-best"
        assert better[name, "their deleted log, by run name"] == "weighted"
    assert better["MOSI", "paper, Table 2"] == "weighted"
    assert better["MOSEI", "paper, Table 2"] == "mid-best"


def test_a_planted_step_between_neighbours_is_the_one_that_differs():
    noise = {"acoustic": {1: 0.5, 2: 0.5, 3: 3.0, 4: 3.0}}
    runs = Runs(layer_records(noise, seeds=3, videos=30))
    table = open_questions.neighbours(runs, "acoustic", setting="a test")
    assert list(table.frame["blocks"]) == ["2 minus 1", "3 minus 2", "4 minus 3"]
    assert "1 of 3 pairs differs" in table.caption
    assert "Setting: a test." in table.caption
    pair, step = open_questions.largest_step(runs, "acoustic")
    assert pair == "2 to 3"
    assert float(step) > 0.5


def test_constant_predictions_are_called_undefined():
    runs = Runs(layer_records({"acoustic": {1: 1.0, 2: np.inf}}))
    table = open_questions.neighbours(runs, "acoustic", setting="a test")
    assert table.frame["Corr"][0] == "undefined"


def test_one_block_has_no_neighbour():
    runs = Runs(layer_records({"acoustic": {1: 1.0}}))
    assert isinstance(open_questions.neighbours(runs, "acoustic", setting="a test"), Note)
