"""Comparison tables of all papers: rows, chance, print, differences, and what is missing."""

import numpy as np
import pytest

from msalib.base import stats
from msalib.data import datasets
from msalib.pages import compare
from msalib.pages.compare_figure import minus_others
from msalib.pages.tables import Note
from msalib.papers.sugrm import plan
from msalib.runs import records
from msalib.runs.query import Runs
from msalib.runs.study import Study
from tests.compared import SETTING, THREE, TWO, made, mosi, row, runs_of
from tests.html import image, read

MAE, CORR, F1 = "MAE ↓ (points)", "Corr ↑", "F1 (non 0) ↑ (%)"
NAMED = plan.compared(TWO)
ORDER = ("f1_has0", "f1_non0", "acc2_has0", "acc2_non0", "mae", "corr")
PRINTED = {
    "SUGRM": compare.PrintedRow({"mae": "0.703"}, {"mae": 0.703, "corr": 0.8, "f1_non0": 86.5}),
    "Self-MM": compare.PrintedRow({"mae": "0.733"}, {"mae": 0.733, "corr": 0.78, "f1_non0": 85.0}),
    "a rival": compare.PrintedRow({"mae": "0.9"}, {"mae": 0.9}),
}


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    monkeypatch.setattr(stats, "RESAMPLES", 200)


def shown(runs, named, printed=PRINTED, **more):
    """The table of these systems."""
    return compare.table_with_printed_rows(
        runs, named, printed, what="system", setting=SETTING, order=ORDER, **more
    )


# --- rows ---------------------------------------------------------------------------------------


def test_every_system_has_a_row_and_print_stands_below_it():
    table = shown(mosi(), NAMED)
    assert list(zip(table.frame["system"], table.frame["whose"], strict=True)) == [
        ("SUGRM", "ours"),
        ("SUGRM", "printed"),
        ("Self-MM", "ours"),
        ("Self-MM", "printed"),
        ("concatenation", "ours"),
        ("acoustic only", "ours"),
        ("linguistic only", "ours"),
        (compare.CHANCE, "chance"),
        ("a rival", "printed, not run here"),
    ]
    assert row(table, "Self-MM", "printed")[MAE] == "0.733"
    assert row(table, "Self-MM", "printed")[CORR] == "-"  # not among the printed cells
    values = [r.metrics["test"]["mae"] for r in mosi().records(NAMED["SUGRM"])[0]]
    expected = f"{np.mean(values):.3f}\u00a0±\u00a0{np.std(values, ddof=1):.3f}"
    assert row(table, "SUGRM")[MAE] == expected
    assert row(table, "SUGRM")[F1].startswith("75.0")
    chance = row(table, compare.CHANCE, "chance")
    assert (chance[MAE], chance[CORR], chance[F1]) == ("1.250", "-", "50.0")
    assert "over 2 seeds" in table.caption and SETTING in read(table).text
    assert "prints no numbers" not in table.caption


def test_heads_have_an_arrow_and_a_unit_in_the_order_of_the_paper():
    heads = ["F1 (has 0) ↑ (%)", F1, "Acc-2 (has 0) ↑ (%)", "Acc-2 (non 0) ↑ (%)", MAE, CORR]
    assert list(shown(mosi(), NAMED).frame) == ["system", "whose", *heads, "epoch"]


def other_task(record, **metrics):
    """The record of a task that is scored by other metrics."""
    return record.model_copy(update={"metrics": {"test": metrics}, "chance": metrics})


def test_a_task_without_the_metrics_of_a_paper_is_shown_by_its_own():
    sims = {"mae": 0.4, "corr": 0.5, "acc2": 0.7, "f1": 0.7, "acc3": 0.6, "acc5": 0.4}
    systems = (NAMED["SUGRM"], NAMED["Self-MM"])
    runs = Runs([other_task(record, **sims) for s in systems for record in made(s)])
    assert list(shown(runs, NAMED).frame)[2:5] == [MAE, CORR, "Acc-2 ↑ (%)"]
    frame = compare.difference_table(runs, NAMED, "SUGRM", {}, setting=SETTING).frame
    assert frame["F1 (%)"].tolist() == ["+0.0\u00a0±\u00a00.0"]
    classes = Runs([other_task(record, wa=0.4, ua=0.5) for s in systems for record in made(s)])
    assert list(shown(classes, NAMED, {}).frame)[2:4] == list(compare.heads(["wa", "ua"]).values())
    table = compare.difference_table(classes, NAMED, "SUGRM", {}, setting=SETTING)
    assert isinstance(table, Note)


def test_without_printed_rows_the_caption_says_so():
    table = shown(runs_of(plan.compared(THREE)), plan.compared(THREE), {})
    assert set(table.frame["whose"]) == {"ours", "chance"}
    assert "prints no numbers" in table.caption and "nan" not in read(table).text.lower()


def test_further_columns_are_of_our_rows():
    frame = shown(mosi(), NAMED, more={"SUGRM": {"cost": "1.00"}}).frame
    assert frame["cost"].tolist() == ["1.00", *["-"] * (len(frame) - 1)]


def test_a_printed_row_is_looked_up_by_its_data_set():
    place = {"exhibit": "table2", "system": "Self-MM"}
    found = compare.printed_row("sugrm", corpus="mosi_unaligned", **place)
    assert found.text["mae"] == "0.733" and found.value["mae"] == 0.733
    assert compare.printed_row("sugrm", corpus="control", **place) is None


# --- missing runs -------------------------------------------------------------------------------


def test_runs_that_are_missing_are_named():
    named = plan.compared(THREE)
    study = Study("sugrm", seeds=2)
    runs = Runs([*made(named["SUGRM"]), *made(named["Self-MM"], seeds=1)])
    note = compare.missing_runs_note(study, runs, named).text
    assert "9 of 12 runs are missing" in note
    assert "Self-MM (seed 1)" in note and "concatenation;" in note and "SUGRM" not in note
    table = shown(runs, named, {})
    assert row(table, "concatenation").iloc[2] == compare.NO_RECORD
    assert row(table, "Self-MM", "ours (1 seed)") is not None
    assert "over 1 to 2 seeds" in table.caption
    assert list(compare.differences(runs, named, "SUGRM")) == ["Self-MM"]
    caption = compare.difference_table(runs, named, "SUGRM", {}, setting=SETTING).caption
    assert "One seed each" in caption
    assert "All 12 runs" in compare.missing_runs_note(study, runs_of(named), named).text


def test_with_no_run_at_all_there_are_sentences():
    runs = Runs([])
    notes = [
        shown(runs, NAMED),
        compare.difference_table(runs, NAMED, "SUGRM", {}, setting=SETTING),
        compare.contrast_table(
            runs, NAMED, {("x",): {"SUGRM": 1.0}}, {}, heads=("what",), setting=SETTING
        ),
        minus_others({}, "SUGRM", setting=SETTING),
    ]
    assert all(isinstance(note, Note) and SETTING in note.text for note in notes)
    assert compare.numbers(runs, NAMED, "SUGRM", PRINTED) == {}


def test_without_data_records_are_read_and_nothing_is_trained(monkeypatch):
    monkeypatch.setattr(datasets, "is_available", lambda name: False)
    monkeypatch.setattr(Study, "run", None)
    study = Study("sugrm", dataset="mosi", encoder="minilm", profile="full", seeds=2)
    named = plan.compared(plan.whole_of(study))
    assert compare.gather(study, named.values()) == []
    spec = study.spec(named["SUGRM"], 1)
    (record,) = made(named["SUGRM"], dataset="mosi", seeds=1)
    records.write(record.model_copy(update={"spec": spec}))
    assert [r.spec for r in compare.gather(study, named.values())] == [spec]


def test_runs_of_a_fine_tuned_encoder_are_only_read(monkeypatch):
    study = Study("sugrm", dataset="mosi", encoder="minilm-tuned", profile="full", seeds=2)
    monkeypatch.setattr(Study, "corpus", "available")
    monkeypatch.setattr(Study, "run", None)
    assert compare.gather(study, plan.compared(plan.whole_of(study)).values()) == []


def test_the_full_recipe_on_real_data_is_read_and_not_trained(monkeypatch):
    """Its data may lie there without the weights of its encoder, as where the book is built."""
    study = Study("sugrm", dataset="mmmo-stretched", profile="full", seeds=1, preset="article")
    monkeypatch.setattr(type(study), "corpus", object())
    monkeypatch.setattr(study, "run", lambda systems: pytest.fail("trains"))
    assert compare.gather(study, plan.compared(plan.whole_of(study)).values()) == []
    quick = Study("sugrm", dataset="mmmo-stretched", seeds=1)
    monkeypatch.setattr(quick, "run", lambda systems: ["trained"])
    assert compare.gather(quick, plan.compared(plan.whole_of(quick)).values()) == ["trained"]


def test_a_refresh_trains_each_system_once(monkeypatch):
    asked = []
    monkeypatch.setattr(Study, "run", lambda self, systems: asked.extend(systems) or [])
    systems = list(NAMED.values())
    compare.gather(Study("sugrm", refresh=True, seeds=1), [*systems, systems[0]])
    assert asked == systems


# --- differences --------------------------------------------------------------------------------


def test_a_difference_is_the_mean_of_the_seeds_and_stands_beside_print():
    a, b = mosi().records(NAMED["SUGRM"], NAMED["Self-MM"])
    expected = np.mean(
        [x.metrics["test"]["mae"] - y.metrics["test"]["mae"] for x, y in zip(a, b, strict=True)]
    )
    effects = compare.differences(mosi(), NAMED, "SUGRM")
    assert effects["Self-MM"]["mae"].effect == pytest.approx(expected)
    table = compare.difference_table(mosi(), NAMED, "SUGRM", PRINTED, setting=SETTING)
    first = table.frame.iloc[0]
    assert first["SUGRM minus"] == "Self-MM"
    assert first["MAE (points)"].startswith(f"{expected:+.3f} [")
    printed = [f"{name}, printed" for name in ("MAE", "Corr", "F1 (non 0)")]
    assert first[printed].tolist() == ["-0.030", "+0.020", "+1.5"]
    assert table.frame.iloc[1]["MAE, printed"] == "-"
    assert "in MAE" in table.caption and "Holm" in table.caption
    unprinted = compare.difference_table(mosi(), NAMED, "SUGRM", {}, setting=SETTING)
    assert "printed</th>" not in unprinted.html()


def test_contrasts_without_their_systems_say_so_or_are_left_out():
    few = {name: NAMED[name] for name in ("SUGRM", "Self-MM")}
    contrasts = {
        ("a", "b"): {"SUGRM": 1.0, "Self-MM": -1.0},
        ("a", "c"): {"SUGRM": 1.0, "concatenation": -1.0},
        ("a", "d"): {"SUGRM": 1.0, "of another grid": -1.0},
    }
    frame = compare.contrast_table(
        runs_of(few), NAMED, contrasts, {}, heads=("what", "than"), setting=SETTING
    ).frame
    assert frame["than"].tolist() == ["b", "c"]
    assert frame["MAE (points)"].iloc[1] == compare.NO_RECORD
    assert frame["F1 (non 0) (%)"].iloc[0] == "+0.0\u00a0±\u00a00.0"


def test_an_undefined_correlation_is_reported():
    runs = Runs([*made(NAMED["SUGRM"]), *made(NAMED["Self-MM"], noise=np.inf)])
    table = compare.difference_table(runs, NAMED, "SUGRM", {}, setting=SETTING)
    assert table.frame["Corr"].tolist() == ["undefined"]
    picture = minus_others(compare.differences(runs, NAMED, "SUGRM"), "SUGRM", setting=SETTING)
    assert "Self-MM, corr: undefined" in picture.alt and "nan" not in picture.alt


def test_differences_are_described_in_words_and_equal_records_give_equal_pictures():
    effects = compare.differences(mosi(), NAMED, "SUGRM")
    one, two = (minus_others(effects, "SUGRM", setting=SETTING) for _ in range(2))
    effect = effects["concatenation"]["corr"]
    assert f"concatenation, Corr: {effect.effect:+.3f}, from {effect.low:+.3f}" in one.alt
    assert SETTING in image(one).text and one.html() == two.html()


def test_numbers_for_prose():
    texts = compare.numbers(mosi(), NAMED, "SUGRM", PRINTED, ORDER)
    assert texts["seeds"] == "2" and texts["printed_self_mm_mae"] == "0.733"
    assert texts["self_mm_minus_mae"].endswith("]") and texts["sugrm_f1_non0"].startswith("75.0")
    assert all(isinstance(text, str) for text in texts.values())
