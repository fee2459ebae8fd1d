"""Experts, vectors and pieces of GLoMo on planted records; figures; a run trained again."""

import numpy as np
import pytest

from msalib.data.simulate import pieces
from msalib.models.pieces import Stretches
from msalib.pages import recorded
from msalib.pages.tables import Note
from msalib.papers.glomo import contents, figures, looks, plan, vectors
from msalib.papers.glomo.plan import FULL, SOUND, TEXT
from msalib.runs.query import Runs
from msalib.runs.study import Study
from tests.papers.glomo.planted_pages import LABEL, SETTING, WHOLE, made

NAMED = looks.balanced(WHOLE)
RUNS = Runs(made(NAMED[FULL], load=(0.4, 0.3, 0.3)) + made(NAMED["no balance losses"]))

# --- experts ------------------------------------------------------------------------------------


def test_dead_experts_are_counted_on_validation_and_test():
    assert looks.dead(made(NAMED[FULL], seeds=1)) == (3, 3, 9)  # one of three in each modality
    assert looks.dead(made(NAMED[FULL], seeds=1, load=(0.4, 0.3, 0.3))) == (0, 3, 9)
    frame = looks.balance_table(RUNS, NAMED, setting=SETTING).frame
    assert [v for v in frame["dead on validation"] if v] == ["0 of 18", "6 of 18"]
    assert "no balance losses: 6 of 18" in looks.balance_answer(RUNS, NAMED, setting=SETTING).text


def test_variation_is_that_of_the_losses():
    assert looks.variation([1 / 3] * 3) == 0 and looks.variation([1.0]) == 0
    assert looks.variation([1, 0, 0]) == pytest.approx(3**0.5)


def test_what_an_expert_takes_is_shown_with_lengths_words_and_kinds():
    record = looks.first(RUNS, NAMED[FULL])
    table = looks.taken_table(record, None, setting=SETTING)
    below = f"{(LABEL < 0).sum()} ({(LABEL < 0).mean():.0%})"
    assert table.frame["test clips"][0] == below and len(table.frame) == 6
    corpus = pieces.pieces(videos=30)
    ids = corpus.utterances.index[: len(LABEL)]
    texts = ["good film" if y > 0 else "bad film" for y in LABEL]
    corpus.utterances.loc[ids, "text"] = texts
    clips = record.predictions["test"].model_copy(update={"id": list(ids)})
    placed = record.model_copy(update={"predictions": {"test": clips}})
    frame = looks.taken_table(placed, corpus, setting=SETTING).frame
    words = frame[frame["modality"] == TEXT]["words"].tolist()
    assert words[0].startswith("bad") and words[1].startswith("good")
    assert "1: " in frame["planted kinds"][0] and frame["frames"].str.len().all()


def test_words_that_are_everywhere_are_not_typical():
    texts = [["a", "x"]] * 6 + [["a", "y"]] * 6
    assert looks.typical(texts, np.arange(12) < 6) == ["x"]


def test_numbers_on_vectors_come_from_records():
    spaces = looks.space_table(RUNS, NAMED, setting=SETTING).frame
    assert spaces["clusters"].str.startswith("3.00").all() and len(spaces) == 6
    assert "0.90" in looks.space_answer(RUNS, NAMED[FULL], setting=SETTING).text
    named = {n: s for n, s in plan.variants(WHOLE).items() if n in (FULL, "MLP_M")}
    runs = Runs(made(named[FULL], noise=1.0) + made(named["MLP_M"], noise=2.0))
    frame = looks.fused_table(runs, named, setting=SETTING).frame
    assert frame["linear probe (%)"].str[:4].tolist() == ["90.0", "80.0"]
    assert "GLoMo (90.0" in looks.fused_answer(runs, named, setting=SETTING).text


def test_with_no_run_at_all_there_are_sentences():
    none, cells = Runs([]), plan.cells(WHOLE)
    notes = [
        looks.balance_table(none, NAMED, setting=SETTING),
        looks.balance_answer(none, NAMED, setting=SETTING),
        looks.taken_table(None, None, setting=SETTING),
        looks.space_table(none, NAMED, setting=SETTING),
        looks.space_answer(none, NAMED[FULL], setting=SETTING),
        looks.fused_table(none, NAMED, setting=SETTING),
        looks.fused_answer(none, NAMED, setting=SETTING),
        figures.spaces_figure(None, setting=SETTING),
        figures.fused_figure({}, setting=SETTING),
        figures.locals_figure(none, plan.locals_(WHOLE), setting=SETTING),
        figures.locals_table(none, plan.locals_(WHOLE), setting=SETTING),
        figures.experts_figure(none, cells, list(WHOLE), setting=SETTING),
        figures.grid_figure({}, "Nothing"),
        figures.load_figure(none, NAMED, setting=SETTING),
        figures.lengths_figure({}, 60),
        contents.share_answer({}),
        contents.share_table({}, 60, 3),
    ]
    assert all(isinstance(note, Note) for note in notes)


# --- Fig. 3 -------------------------------------------------------------------------------------


def test_the_printed_grid_has_the_slopes_of_the_specification():
    grid = figures.printed_grid()
    assert len(grid) == 64 and grid[3, 3, 3] == 73.62 == max(grid.values())
    slopes = figures.slopes(grid)
    assert slopes["linguistic"][0] == pytest.approx(0.072, abs=0.001)
    assert slopes["visual"] == pytest.approx((0.088, 0.028), abs=0.001)
    assert "73.62" in figures.grid_figure(grid, "printed").alt
    assert figures.slopes({(1, 1, 1): 1.0, (2, 2, 2): 2.0}) == figures.slopes({}) == {}


def test_cells_that_were_run_stand_where_the_printed_ones_do():
    cells = plan.cells(WHOLE)
    noise = {cell: 0.5 + cell[0] / 4 for cell in cells}  # more experts of the face are worse
    runs = Runs([r for cell, s in cells.items() for r in made(s, noise=noise[cell], seeds=1)])
    grid, metric = figures.run_grid(runs, cells, list(WHOLE))
    assert metric == "MAE" and len(grid) == 16
    assert grid[2, 1, 4] > grid[4, 2, 1]  # words, sound, face: the face has 4, then 1
    table = figures.slope_table({"ours": grid})
    assert table.frame["visual"][0].startswith("+0.2")
    assert "visual, 1:" in figures.experts_figure(runs, cells, list(WHOLE), setting=SETTING).alt
    two = figures.run_grid(runs, cells, list(WHOLE)[:2])
    assert two == ({}, "")


def test_scores_by_number_of_pieces_are_drawn():
    numbers = plan.locals_(WHOLE)
    runs = Runs([r for s in (numbers[1], numbers[3]) for r in made(s)])
    assert "1: " in figures.locals_figure(runs, numbers, setting=SETTING).alt
    assert figures.locals_table(runs, numbers, setting=SETTING).frame["n"].tolist() == [1, 3]
    assert "last epoch 40%" in figures.load_figure(RUNS, NAMED, setting=SETTING).alt


# --- pieces -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("places", "count"), [(60, 3), (80, 3), (7, 3), (20, 6)])
def test_stretches_are_those_of_the_model(places, count):
    import torch

    x = torch.zeros(places, places, 1)
    x[range(places), range(places)] = 1  # clip i has a one at place i alone
    read = Stretches(count)(x, None).numpy()
    for (start, end), column in zip(contents.bounds(places, count), read.T, strict=True):
        np.testing.assert_array_equal(np.flatnonzero(column), range(start, end))


def test_padding_is_counted_by_hand():
    lengths = np.array([1, 20, 21, 60, 99])
    np.testing.assert_array_equal(
        contents.empty(lengths, 60, 3),
        [[0, 1, 1], [0, 1, 1], [0, 0, 1], [0, 0, 0], [0, 0, 0]],
    )
    # Text: 40 places a stretch; the second has the end of one layer and the start of the other.
    np.testing.assert_array_equal(
        contents.empty(lengths[:3], 60, 3, layers=2), [[0, 0, 1], [0, 0, 1], [0, 0, 0]]
    )
    text = contents.share_answer({"words": lengths}).text
    assert "40%" in text and "60%" in text
    assert "holds 13 of 20" in figures.bins_figure(13, 60, 3).alt


def test_lengths_are_read_from_their_record(monkeypatch):
    monkeypatch.delenv("MSALIB_DATA", raising=False)
    assert contents.mosi() is None
    counts = {contents.WORDS: {"train": {3: 2, 30: 1}, "test": {70: 1}}}
    contents.RECORD.write(contents.Lengths(fingerprint="f", counts=counts))
    lengths = contents.by_unit(contents.mosi())
    assert lengths[contents.WORDS].tolist() == [3, 3, 30, 70] and contents.typical(lengths) == 16
    assert "25.0% longer than 60" in figures.lengths_figure(lengths, 60).alt
    own = contents.own_shares(Study("glomo", dataset="mosi"))
    assert isinstance(own, Note) and "not here" in own.text


def test_log_sum_exp_is_never_below_the_sum():
    gates, apart = np.array([0.1, 0.5, 0.9]), np.linspace(-6, 6, 25)
    above = contents.above_sum(gates, apart)
    direct = np.log(gates[:, None] * np.exp(apart) + 1 - gates[:, None]) - gates[:, None] * apart
    np.testing.assert_allclose(above, direct, atol=1e-12)
    assert (above >= -1e-12).all() and np.allclose(above[:, 12], 0)
    assert "gate 0.1" in figures.above_figure(gates, apart, above).alt


def test_a_frame_whose_first_channel_is_zero_gets_no_position():
    frames = [[0.5, 0.1, 0.2, 0.3], [0.0, 0.1, 0.2, 0.3], [0.2, 0.0, 0.0, 0.0]]
    frame = contents.without_position(frames).frame
    same = frame["position it would get"] == frame["position it gets"]
    assert same.tolist() == [True, False, True]
    assert set(frame["position it gets"][1].split(", ")) == {"0.00"}


# --- a run trained again ------------------------------------------------------------------------


@pytest.fixture
def small_pieces(monkeypatch):
    from msalib.data import datasets
    from tests.sweep import offer

    monkeypatch.setattr(datasets, "DATASETS", dict(datasets.DATASETS))
    about = {"layered": ("linguistic",), "vectors": ("visual", "acoustic")}
    offer("control-local", lambda: pieces.pieces(videos=30, clips=(5, 6)), **about)


def test_a_run_is_trained_again_to_the_same_predictions(small_pieces):
    study = Study("glomo", dataset="control-local", seeds=1)
    system = plan.system(plan.whole_of(study))
    runs = Runs(recorded.gather(study, [system]))
    again = vectors.vectors(study, system, runs)
    assert again.apart == 0 and "equal the record's" in again.trained_again()
    (record,) = runs.records(system)[0]
    assert again.expert[SOUND].tolist() == record.extras.experts[SOUND]
    assert again.whole.keys() == again.pieces.keys() == set(WHOLE)
    picture = figures.spaces_figure(again, setting=SETTING)
    assert "linguistic, expert" in picture.alt
    assert "GLoMo: " in figures.fused_figure({FULL: again}, setting=SETTING).alt
    assert vectors.vectors(study, system, Runs([])) is None  # nothing to show again


def test_classes_are_groups_of_their_own_and_zero_is_none():
    assert figures.groups(np.array([0, 2])).tolist() == ["class 0", "class 2"]
    assert figures.groups(np.array([-1.0, 0.0, 2.0])).tolist() == ["negative", "", "positive"]


def test_a_large_encoder_is_not_trained_for_a_picture(monkeypatch):
    monkeypatch.delenv("MSALIB_DATA", raising=False)
    study = Study("glomo", dataset="mosi")
    assert not vectors.available(study)
    assert vectors.vectors(study, plan.system({TEXT: "last_two"}), RUNS) is None
