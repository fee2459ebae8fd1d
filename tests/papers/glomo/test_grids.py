"""Fig. 3 of GLoMo on planted records and as printed: maps, slopes, numbers of local vectors."""

import pytest

from msalib.base import stats
from msalib.data.metrics import METRICS
from msalib.pages.tables import Note
from msalib.papers.glomo import grids, plan
from msalib.papers.glomo.plan import FACE, SOUND
from msalib.runs.query import Runs
from tests.papers.glomo.planted_pages import SETTING, WHOLE, made


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    monkeypatch.setattr(stats, "RESAMPLES", 200)


def test_the_printed_grid_has_the_slopes_of_the_specification():
    grid = grids.printed_grid()
    assert len(grid) == 64 and grid[3, 3, 3] == 73.62 == max(grid.values())
    slopes = grids.slopes(grid)
    assert slopes["linguistic"][0] == pytest.approx(0.072, abs=0.001)
    assert slopes["visual"] == pytest.approx((0.088, 0.028), abs=0.001)
    alt = grids.grid_figure(grid, "printed").alt
    assert "73.62" in alt and "experts: 3 of words, 3 of sound, 3 of pictures" in alt
    assert grids.slopes({(1, 1, 1): 1.0, (2, 2, 2): 2.0}) == grids.slopes({}) == {}


def by_cell(whole, score):
    """One record of every cell, with an F1 made of the cell."""
    cells = plan.cells(whole)
    records = [made(system, seeds=1)[0] for system in cells.values()]
    for cell, record in zip(cells, records, strict=True):
        record.metrics["test"]["f1_non0"] = score(cell)
    return Runs(records), cells


def test_cells_that_were_run_stand_where_the_printed_ones_do():
    names = list(WHOLE)  # the face, the voice, words
    runs, cells = by_cell(WHOLE, lambda cell: 0.8 - cell[0] / 50)
    grid, metric = grids.run_grid(runs, cells, names)
    assert metric == METRICS["f1_non0"].label and len(grid) == 16
    assert grid[2, 1, 4] < grid[4, 2, 1]  # words, sound, face: the face has 4, then 1
    table = grids.slope_table({"ours": (grid, names)})
    assert table.frame["visual"][0].startswith("-2.000")
    assert "visual, 1:" in grids.experts_figure(runs, cells, names, setting=SETTING).alt


def test_the_largest_cell_is_the_best_one():
    runs, cells = by_cell(WHOLE, lambda cell: 0.8 if cell == (2, 1, 4) else 0.7)
    grid, _ = grids.run_grid(runs, cells, list(WHOLE))
    alt = grids.grid_figure(grid, "ours").alt
    assert "experts: 4 of words, 1 of sound, 2 of pictures" in alt and "from 70.00 to 80.00" in alt


def test_two_modalities_have_one_map_of_sixteen_cells_and_slopes():
    two = {FACE: 1, SOUND: 1}
    runs, cells = by_cell(two, lambda cell: 0.8 - cell[0] / 50)  # the face costs two points
    grid, _ = grids.run_grid(runs, cells, list(two))
    assert len(grid) == 16 and grid[4, 1] > grid[1, 4]  # sound, face
    alt = grids.grid_figure(grid, "ours", modalities=list(two)).alt
    assert "16 cells" in alt and " of sound, 1 of pictures" in alt and "words" not in alt
    slopes = grids.slopes(grid, list(two))
    assert slopes.keys() == {SOUND, FACE} and slopes[FACE][0] == pytest.approx(-2)
    assert slopes[SOUND][0] == pytest.approx(0, abs=1e-9)
    both = {"printed": (grids.printed_grid(), grids.ORDER), "ours": (grid, list(two))}
    frame = grids.slope_table(both).frame
    assert frame["linguistic"].tolist()[1] == "-" and frame["cells"][1] == "ours (16)"


def test_one_modality_has_no_map():
    runs, cells = by_cell({SOUND: 1}, lambda cell: 0.7)
    grid, _ = grids.run_grid(runs, cells, [SOUND])
    assert (
        len(grid) == 4 and "one modality" in grids.grid_figure(grid, "x", modalities=[SOUND]).text
    )


def test_scores_by_number_of_pieces_are_drawn():
    numbers = plan.locals_(WHOLE)
    runs = Runs([r for s in (numbers[1], numbers[3]) for r in made(s)])
    assert "on validation, GLoMo: at 1 " in grids.locals_figure(runs, numbers, setting=SETTING).alt
    assert grids.locals_table(runs, numbers, setting=SETTING).frame["n"].tolist() == [1, 3]
    effects = grids.gains(runs, numbers)
    assert list(effects) == [("n = 1", "n = 3")]
    assert next(iter(effects["n = 1", "n = 3"])) == "f1_non0"  # as the claims are judged


def test_with_no_run_at_all_there_are_sentences():
    none, numbers = Runs([]), plan.locals_(WHOLE)
    notes = [
        grids.locals_figure(none, numbers, setting=SETTING),
        grids.locals_table(none, numbers, setting=SETTING),
        grids.experts_figure(none, plan.cells(WHOLE), list(WHOLE), setting=SETTING),
        grids.grid_figure({}, "Nothing"),
        grids.slope_table({"ours": ({}, list(WHOLE))}),
    ]
    assert all(isinstance(note, Note) for note in notes)
    assert grids.gains(none, numbers) == {} and grids.run_grid(none, {}, []) == ({}, "")
