"""SUGRM's Tables 2, 3, 4 and 8: places in print, sets of tasks, modules, figures, notes."""

import numpy as np
import pytest

from msalib.base import stats
from msalib.evidence.printed import table as printed
from msalib.pages.tables import Note
from msalib.papers.sugrm import figures, plan
from msalib.papers.sugrm import tables as results
from msalib.runs.query import Runs
from msalib.runs.study import Study
from tests.compared import SETTING, THREE, TWO, made, mosi, runs_of
from tests.html import image


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    monkeypatch.setattr(stats, "RESAMPLES", 200)


# --- print --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("places", "exhibit"),
    [
        (results.task_places(THREE), "table3"),
        (results.task_places(TWO), "table3"),
        (results.corner_places(), "table4"),
        (results.LOSS_PLACES, "table8"),
    ],
)
def test_every_row_of_print_has_a_place(places, exhibit):
    table = printed.load("sugrm")
    table = table[(table["exhibit"] == exhibit) & (table["dataset"] == "mosi_unaligned")]
    rows = {(place.system, place.variant) for place in places.values()}
    assert rows == set(zip(table["system"], table["variant"], strict=True))
    assert set(results.printed_rows(places, "mosi")) == set(places)
    assert results.printed_rows(places, "control") == {}


def test_tasks_are_matched_by_modality():
    names = results.task_names(THREE)
    places = results.task_places(THREE)
    assert set(places) == set(names.values())
    assert names["tasks_none"] == "none" and places["none"].variant == "tasks_m"
    assert places[names["tasks_ta"]].variant == "tasks_mat"
    assert places["all"].variant == "tasks_mtav"
    two = results.task_places(TWO)
    assert two["all"].variant == "tasks_mat"  # all that this corpus has
    assert list(two)[:4] == ["none", "linguistic", "acoustic", "all"]
    assert all("visual" in name for name in list(two)[4:])  # cannot be run here
    assert two["visual + acoustic + linguistic"].variant == "tasks_mtav"


# --- notes --------------------------------------------------------------------------------------


def test_with_no_run_at_all_there_are_sentences():
    runs, grid = Runs([]), plan.module_grid(THREE)
    notes = [
        results.module_effects(runs, grid, {}, setting=SETTING),
        results.interactions(runs, grid, {}, setting=SETTING),
        results.selected_before_labels_matter(runs, results.by_name(grid)),
        figures.module_lines(results.levels(runs, grid), results.MODULE_WORDS, setting=SETTING),
        figures.scores_by_tasks(results.by_tasks(runs, THREE), setting=SETTING),
    ]
    assert all(isinstance(note, Note) for note in notes)
    assert results.costs(runs, grid) == {}


def test_runs_that_were_selected_early_are_counted():
    named = plan.compared(THREE)
    runs = Runs([*made(named["SUGRM"], epoch=2), *made(named["Self-MM"], epoch=3)])
    assert "In 2 of 4 runs" in results.selected_before_labels_matter(runs, named).text


def test_the_page_says_what_the_data_are():
    notes = {
        dataset: results.about(Study("sugrm", dataset=dataset)).text
        for dataset in ("control", "control-opposite", "mosi", "mmmo-stretched")
    }
    assert all(len(text) > 60 for text in notes.values())
    stretched = notes["mmmo-stretched"]
    assert "from 1 to 5" in stretched and "-3 to 3" in stretched and "without words" in stretched
    tuned = results.about(Study("sugrm", dataset="mosi", encoder="minilm-tuned", preset="article"))
    assert "fine-tuned" in tuned.text and "frozen" in notes["mosi"]


# --- modules ------------------------------------------------------------------------------------

FIRST, SECOND, THIRD = results.FACTORS
EFFECTS = {"mrm": 0.1, "spt": -0.3, "own_ulgm": 0.05}


def planted(corner):
    """A score that adds up, but for MRM and SPT, which give 0.4 together."""
    both = {"mrm", "spt"} <= set(corner)
    return 1.0 + sum(EFFECTS.get(part, 0.0) for part in corner) + 0.4 * both


@pytest.mark.parametrize(
    ("varied", "others", "expected"),
    [
        ([FIRST], "absent", 0.1),
        ([FIRST], "present", 0.5),
        ([FIRST], "averaged", 0.3),
        ([SECOND], "absent", -0.3),
        ([SECOND], "present", 0.1),
        ([THIRD], "averaged", 0.05),
        ([FIRST, SECOND], "averaged", 0.4),
        ([FIRST, THIRD], "averaged", 0.0),
        ([FIRST, SECOND, THIRD], "averaged", 0.0),
        (["SPT, for the dense transformer"], "absent", -0.3),
    ],
)
def test_weights_find_what_was_planted(varied, others, expected):
    weights = results.weights(varied, others=others)
    assert sum(w * planted(corner) for corner, w in weights.items()) == pytest.approx(expected)
    assert sum(weights.values()) == pytest.approx(0.0)
    assert set().union(*weights) <= set().union(*plan.MODULES.values())


def test_effects_of_modules_are_those_of_the_records_and_of_print():
    grid = plan.module_grid(TWO)
    rows = results.printed_rows(results.corner_places(), "mosi")
    table = results.module_effects(mosi(), grid, rows, setting=SETTING)
    assert len(table.frame) == 12
    corners = [("mrm", "lstm", "other_ulgm"), ("no_mrm", "lstm", "other_ulgm")]
    a, b = ([r.metrics["test"]["mae"] for r in mosi().records(grid[c])[0]] for c in corners)
    first = table.frame.iloc[0]
    assert (first["module"], first["added"]) == ("MRM", "alone")
    assert first["MAE (points)"].startswith(f"{np.mean(a) - np.mean(b):+.3f} [")
    assert first["MAE, printed"] == "-0.015"  # papers/sugrm.md (b) C10
    together = results.interactions(mosi(), grid, rows, setting=SETTING).frame
    assert together["interaction"].tolist()[0] == "MRM and SPT"
    weights = results.weights([FIRST, SECOND])
    f1 = sum(w * rows[results.corner_name(c)].value["f1_non0"] for c, w in weights.items())
    assert together["F1 (non 0), printed"].iloc[0] == f"{f1:+.1f}"


def test_the_quick_grid_has_one_dense_corner(monkeypatch):
    monkeypatch.setattr(results, "whole_of", lambda study: THREE)
    quick = results.grid(Study("sugrm"))
    assert [c for c in quick if "dense" in c] == [("mrm", "dense", "own_ulgm")]
    assert len(quick) == 9 and len(results.grid(Study("sugrm", profile="full"))) == 12
    (self_mm,) = results.self_mm_row(Study("sugrm")).values()
    assert dict(self_mm.choices) == {"family": "self_mm"}


def test_costs_are_seconds_per_epoch():
    grid = plan.module_grid(TWO)
    costs = results.costs(mosi(), grid)
    assert set(costs) == set(results.by_name(grid))
    assert {cell["s per epoch ↓"] for cell in costs.values()} == {"1.00"}


# --- figures ------------------------------------------------------------------------------------


def test_scores_by_tasks_show_ours_and_print():
    dots = results.by_tasks(mosi(), TWO)
    assert [dot.letters for dot in dots["ours"]] == ["", "t", "a", "ta"]
    assert [dot.tasks for dot in dots["printed"]] == [0, 1, 1, 1, 2, 2, 2, 3]
    picture = figures.scores_by_tasks(dots, setting=SETTING)
    assert "printed, tav: MAE 0.703" in picture.alt and "ours, none: F1 (non 0) 75.0" in picture.alt
    assert SETTING in image(picture).text
    assert list(results.by_tasks(runs_of(plan.task_grid(THREE)), THREE)) == ["ours"]


def test_module_lines_name_every_corner():
    levels = results.levels(mosi(), plan.module_grid(TWO))
    picture = figures.module_lines(levels, results.MODULE_WORDS, setting=SETTING)
    for corner in levels:
        assert f"{results.corner_name(corner)}: MAE" in picture.alt
    few = dict(list(levels.items())[:3])
    partial = figures.module_lines(few, results.MODULE_WORDS, setting=SETTING)
    assert all(SETTING in image(shown).text for shown in (picture, partial))
