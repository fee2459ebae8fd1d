"""Figs 2 to 4 of CMT: sweeps by data set, the best choice, shares with and without pretraining."""

import pytest

from msalib.base import stats
from msalib.pages import contrasts
from msalib.pages.tables import Note
from msalib.papers.cmt import figures, plan
from msalib.papers.cmt import tables as results
from msalib.papers.cmt.plan import NO_PT, PT
from msalib.runs.query import Runs
from msalib.runs.study import Study
from tests.papers.cmt.planted import WHOLE, planted
from tests.papers.planted_systems import BAD, GOOD

SETTING = "raw-spoken: a <small> corpus"
STUDY = Study("cmt", dataset="raw-spoken", encoder="spoken", profile="full")
QUICK = Study("cmt", dataset="raw-spoken")
WORDS = Study("cmt", dataset="iemocap")
VECTORS = Study("cmt", dataset="mosi-standardised", profile="full")


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    monkeypatch.setattr(stats, "RESAMPLES", 200)


def test_the_papers_choices_are_read_from_its_text():
    assert figures.block_name(int(figures.printed_best("fig2_best_layer"))) == "block 3"
    assert figures.alpha_name(figures.printed_best("fig4_best_alpha")) == "weight 10"


@pytest.mark.parametrize("sweep", [figures.blocks, figures.alphas, figures.shares])
def test_a_sweep_is_whole_with_the_full_recipe_and_shorter_in_quick(sweep):
    assert sweep(WORDS) == {}
    whole, quick = sweep(STUDY), sweep(QUICK)
    assert len(quick) < len(whole) and quick.keys() <= whole.keys()


def test_sweeps_are_those_of_the_plan_and_not_pretrained_where_nothing_can_be():
    assert figures.alphas(STUDY) == plan.alphas(WHOLE)
    assert figures.alphas(VECTORS) == plan.alphas(plan.whole_of(VECTORS), "none")
    assert {name for name, _ in figures.shares(VECTORS)} == {NO_PT}
    for best, swept in ((3, figures.blocks(QUICK)), (10.0, figures.alphas(QUICK))):
        assert best in swept


def named(swept):
    return {figures.block_name(k): system for k, system in swept.items()}


def test_the_best_block_is_named_beside_the_papers():
    swept = figures.blocks(STUDY)
    runs = Runs(planted({s: GOOD if k == 2 else BAD for k, s in swept.items()},
                        dataset="raw-spoken"))  # fmt: skip
    text = figures.best_answer(runs, named(swept), "block 3", setting=SETTING).text
    assert text.count(": block 2 (") == 2  # in MAE; every share of planted records is the same
    assert "MAE on test: block 2" in text and "The paper's choice is block 3" in text
    itself = figures.best_answer(runs, named(swept), "block 2", setting=SETTING).text
    assert itself.split("MAE on test: ")[1].split(";")[0].endswith(")")  # not named twice
    effects = figures.gains(runs, named(swept), "block 3")
    assert list(effects) == [("block 3", f"block {k}") for k in (1, 2, 4)]
    assert contrasts.word(effects["block 3", "block 2"]["mae"]) == "worse"
    about = {"what": "audio block", "about": "By block.", "setting": SETTING}
    picture = figures.curve(runs, {"one block": swept}, **about)
    assert "MAE on validation, one block: at 1 " in picture.alt
    assert isinstance(figures.curve(Runs([]), {"one block": swept}, **about), Note)
    none = figures.best_answer(Runs([]), named(swept), "block 3", setting=SETTING)
    assert none.text.startswith("Fewer than two choices")


def test_shares_are_compared_at_each_size_and_half_with_all():
    swept = figures.shares(STUDY)
    names = {figures.share_name(key): system for key, system in swept.items()}
    pairs = figures.share_pairs(swept)
    assert len(pairs) == 5 and {n for pair in pairs for n in pair} <= names.keys()
    assert pairs[-1] == ("PT, 50% of the clips", "w/o PT, 100% of the clips")
    lines = figures.share_lines(swept)
    assert lines.keys() == {NO_PT, PT} and list(lines[PT]) == ["20%", "50%", "80%", "100%"]
    noise = {s: GOOD if name == PT else BAD for (name, _), s in swept.items()}
    runs = Runs(planted(noise, dataset="raw-spoken"))
    effects = results.effects(runs, names, pairs)
    assert all(contrasts.word(e["mae"]) == "better" for e in effects.values())
    assert len(figures.share_pairs(figures.shares(QUICK))) == 3
    assert figures.share_pairs(figures.shares(VECTORS)) == []
