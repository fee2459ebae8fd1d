"""Pages of SUGRM's tables: rows, printed rows at their places, effects, and what is missing."""

import numpy as np
import pytest

from msalib.base import stats
from msalib.data import datasets as readers
from msalib.data.corpus import MODALITIES
from msalib.evidence.printed.table import cell
from msalib.models import recipes
from msalib.pages.tables import Note
from msalib.papers import plots
from msalib.papers.sugrm import plan
from msalib.papers.sugrm import tables as variants
from msalib.papers.sugrm.plan import MODULES
from msalib.runs import records, study
from msalib.runs.query import Runs
from msalib.runs.study import Study
from tests.factory import make_record, predictions
from tests.html import read

SETTING = "control: a <small> corpus & more; release recipe, profile quick, 2 seeds"
WHOLE = dict.fromkeys(MODALITIES, 1)
MAE, CORR, F1 = "MAE ↓ (points)", "Corr ↑", "F1 (non 0) ↑ (%)"


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    monkeypatch.setattr(stats, "RESAMPLES", 200)


def made(wanted, *, noise=1.0, seeds=2, dataset="control", epoch=9):
    """Records of one system: truth plus noise of its own; infinite noise is a constant."""
    rng = np.random.default_rng(sum(map(ord, wanted.name())))
    label = np.random.default_rng(7).normal(0, 1.4, 80).clip(-3, 3).round(1)
    video = [f"v{i // 8}" for i in range(80)]
    choices = {"family": "sugrm"} | dict(wanted.choices)
    family = recipes.load(choices["family"], "release", "quick", dataset)
    recipe = {
        group: {k: choices.get(k, v) for k, v in own.items()} for group, own in family.items()
    }
    found = []
    for seed in range(seeds):
        guess = np.full(80, 0.5) if np.isinf(noise) else label + noise * rng.normal(size=80)
        parts = dict.fromkeys(("valid", "test"), predictions(label, guess, video))
        record = make_record(
            dict(wanted.inputs),
            seed,
            parts=parts,
            paper="sugrm",
            dataset=dataset,
            setting=readers.dataset(dataset).setting(published=False),
            **recipe,
        )
        found.append(record.model_copy(update={"selected_epoch": epoch}))
    assert found[0].spec.system == wanted
    return found


def runs_of(named, **differently):
    return Runs([record for wanted in named.values() for record in made(wanted, **differently)])


def row(table, name, whose="ours"):
    frame = table.frame
    (index,) = np.flatnonzero((frame.iloc[:, 0] == name) & (frame["whose"] == whose))
    return frame.iloc[index]


@pytest.fixture(scope="module")
def mosi():
    """The grids of a corpus that is printed, two modalities as ours has them."""
    whole = {"acoustic": 1, "linguistic": 6}
    return whole, Runs(
        [
            record
            for grid in (
                plan.compared(whole),
                variants.named_tasks(whole),
                variants.by_name(plan.module_grid(whole)),
                variants.named_losses(whole),
            )
            for wanted in grid.values()
            for record in made(wanted, dataset="mosi")
        ]
    )


# --- rows ---------------------------------------------------------------------------------------


def test_table_2_has_every_system_and_printed_rows_for_two(mosi):
    whole, runs = mosi
    named, places = plan.compared(whole), variants.main_places()
    table = variants.beside(runs, named, places, what="system", setting=SETTING)
    assert list(zip(table.frame["system"], table.frame["whose"], strict=True)) == [
        ("SUGRM", "ours"),
        ("SUGRM", "printed"),
        ("Self-MM", "ours"),
        ("Self-MM", "printed"),
        ("concatenation", "ours"),
        ("acoustic only", "ours"),
        ("linguistic only", "ours"),
        ("constant: training median, test majority", "chance"),
    ]
    for name in ("SUGRM", "Self-MM"):
        own = cell("sugrm", "table2", "mosi_unaligned", name, "", "mae")["printed"]
        assert row(table, name, "printed")[MAE] == own
    values = [r.metrics["test"]["mae"] for r in runs.records(named["SUGRM"])[0]]
    expected = f"{np.mean(values):.3f}\u00a0±\u00a0{np.std(values, ddof=1):.3f}"
    assert row(table, "SUGRM")[MAE] == expected
    assert row(table, "SUGRM")[F1].startswith("75.0")
    assert "over 2 seeds" in table.caption and SETTING in read(table).text
    assert "prints no numbers" not in table.caption


def test_a_corpus_that_is_not_printed_has_no_printed_rows():
    named = plan.compared(WHOLE)
    places = variants.main_places()
    table = variants.beside(runs_of(named), named, places, what="system", setting=SETTING)
    assert set(table.frame["whose"]) == {"ours", "chance"}
    assert "prints no numbers" in table.caption and "nan" not in read(table).text.lower()


def test_every_row_of_print_has_a_place(mosi):
    whole, _ = mosi
    for places, exhibit in (
        (variants.task_places(WHOLE), "table3"),
        (variants.task_places(whole), "table3"),
        (variants.corner_places(), "table4"),
        (variants.loss_places(), "table8"),
    ):
        table = variants.printed.load("sugrm")
        table = table[(table["exhibit"] == exhibit) & (table["dataset"] == "mosi_unaligned")]
        rows = {(place.system, place.variant) for place in places.values()}
        assert rows == set(zip(table["system"], table["variant"], strict=True))


def test_tasks_are_matched_by_modality():
    names = variants.task_names(WHOLE)
    places = variants.task_places(WHOLE)
    assert set(places) == set(names.values())
    assert names["tasks_none"] == "none" and places["none"].variant == "tasks_m"
    assert places[names["tasks_ta"]].variant == "tasks_mat"
    assert places["all"].variant == "tasks_mtav"
    two = variants.task_places({"acoustic": 1, "linguistic": 6})
    assert two["all"].variant == "tasks_mat"  # all that this corpus has
    assert list(two)[:4] == ["none", "linguistic", "acoustic", "all"]
    assert two["visual + acoustic + linguistic"].variant == "tasks_mtav"


def test_printed_rows_that_cannot_be_run_here_come_last(mosi):
    whole, runs = mosi
    named, places = variants.named_tasks(whole), variants.task_places(whole)
    table = variants.beside(runs, named, places, what="unimodal tasks", setting=SETTING)
    last = table.frame.iloc[-4:]
    assert set(last["whose"]) == {"printed, not run here"}
    assert all("visual" in name for name in last["unimodal tasks"])


def test_runs_that_are_missing_are_named():
    named = plan.compared(WHOLE)
    own = Study("sugrm", seeds=2)
    some = [*made(named["SUGRM"]), *made(named["Self-MM"], seeds=1)]
    runs = Runs(some)
    told = variants.there(own, runs, named).text
    assert told.startswith("9 of 12 runs are missing")
    assert "Self-MM (seed 1)" in told and "concatenation;" in told and "SUGRM" not in told
    table = variants.beside(runs, named, {}, what="system", setting=SETTING)
    assert row(table, "concatenation").iloc[2] == variants.NO_RECORD
    assert row(table, "Self-MM", "ours (1 seed)") is not None
    assert "over 1 to 2 seeds" in table.caption
    assert list(variants.differences(runs, named, "SUGRM")) == ["Self-MM"]
    every = runs_of(named)
    assert variants.there(own, every, named).text == "All 12 runs are there."


def test_with_no_run_at_all_there_are_sentences():
    runs, grid = Runs([]), plan.module_grid(WHOLE)
    named = variants.by_name(grid)
    tasks = variants.named_tasks(WHOLE)
    first = next(iter(named))
    shown = [
        variants.beside(runs, named, variants.corner_places(), what="modules", setting=SETTING),
        variants.difference_table(runs, named, first, {}, setting=SETTING),
        variants.module_effects(runs, grid, setting=SETTING),
        variants.interactions(runs, grid, setting=SETTING),
        variants.untaught(runs, named),
        plots.module_lines(variants.levels(runs, grid), variants.MODULE_WORDS, setting=SETTING),
        plots.minus_others({}, "SUGRM", setting=SETTING),
        plots.scores_by_tasks(
            variants.by_tasks(runs, plan.task_grid(WHOLE), WHOLE), setting=SETTING
        ),
    ]
    assert all(isinstance(note, Note) for note in shown)
    assert variants.costs(runs, grid) == {} and variants.numbers(runs, tasks, "all", {}) == {}


def test_runs_that_were_selected_early_are_counted():
    named = plan.compared(WHOLE)
    runs = Runs([*made(named["SUGRM"], epoch=2), *made(named["Self-MM"], epoch=3)])
    assert variants.untaught(runs, named).text.startswith("In 2 of 4 runs")


# --- reading and training -----------------------------------------------------------------------


def test_without_data_records_are_read_and_nothing_is_trained(monkeypatch):
    monkeypatch.setattr(readers, "at_hand", lambda name: False)
    monkeypatch.setattr(study.Study, "run", None)
    own = Study("sugrm", dataset="mosi", encoder="minilm", profile="paper", seeds=2)
    named = plan.compared(plan.whole_of(own))
    assert variants.gather(own, named.values()) == []
    spec = own.spec(named["SUGRM"], 1)
    (given,) = made(named["SUGRM"], dataset="mosi", seeds=1)
    records.write(given.model_copy(update={"spec": spec}))
    assert [r.spec for r in variants.gather(own, named.values())] == [spec]


def test_an_encoder_that_is_trained_along_is_only_read(monkeypatch):
    own = Study("sugrm", dataset="mosi", encoder="minilm-tuned", profile="paper", seeds=2)
    monkeypatch.setattr(Study, "corpus", "at hand")
    monkeypatch.setattr(Study, "run", None)
    assert variants.gather(own, plan.compared(plan.whole_of(own)).values()) == []
    assert "trained along" in variants.about(own).text


def test_what_was_asked_for_anew_is_trained(monkeypatch):
    asked = []
    monkeypatch.setattr(Study, "run", lambda self, wanted: asked.extend(wanted) or [])
    own = Study("sugrm", refresh=True, seeds=1)
    wanted = list(plan.compared(plan.whole_of(own)).values())
    variants.gather(own, [*wanted, wanted[0]])
    assert asked == wanted


@pytest.mark.parametrize("dataset", ["control", "control-opposite", "mosi", "mmmo-stretched"])
def test_pages_say_what_the_data_are(dataset):
    own = Study("sugrm", dataset=dataset)
    assert len(variants.about(own).text) > 60


def test_the_page_says_that_labels_were_stretched():
    told = variants.about(Study("sugrm", dataset="mmmo-stretched")).text
    assert "from 1 to 5" in told and "-3 to 3" in told and "without words" in told


# --- differences --------------------------------------------------------------------------------


def test_a_difference_is_the_mean_of_the_seeds_and_stands_beside_print(mosi):
    whole, runs = mosi
    named, places = plan.compared(whole), variants.main_places()
    a, b = runs.records(named["SUGRM"], named["Self-MM"])
    expected = np.mean(
        [x.metrics["test"]["mae"] - y.metrics["test"]["mae"] for x, y in zip(a, b, strict=True)]
    )
    found = variants.differences(runs, named, "SUGRM")
    assert found["Self-MM"]["mae"].effect == pytest.approx(expected)
    table = variants.difference_table(runs, named, "SUGRM", places, setting=SETTING)
    first = table.frame.iloc[0]
    assert first["SUGRM minus"] == "Self-MM"
    assert first["MAE (points)"].startswith(f"{expected:+.3f} [")
    assert first["MAE, printed"] == "-0.030" and first["Corr, printed"] == "+0.020"
    assert table.frame.iloc[1]["MAE, printed"] == "-"
    assert "in MAE" in table.caption and "Holm" in table.caption


def test_printed_columns_that_would_be_empty_are_left_out():
    named = plan.compared(WHOLE)
    places = variants.main_places()
    table = variants.difference_table(runs_of(named), named, "SUGRM", places, setting=SETTING)
    assert not [c for c in table.frame if "printed" in c]


def test_an_undefined_correlation_is_told():
    named = plan.compared(WHOLE)
    runs = Runs([*made(named["SUGRM"]), *made(named["Self-MM"], noise=np.inf)])
    table = variants.difference_table(runs, named, "SUGRM", {}, setting=SETTING)
    assert table.frame["Corr"].tolist() == ["undefined"]
    picture = plots.minus_others(
        variants.differences(runs, named, "SUGRM"), "SUGRM", setting=SETTING
    )
    assert "Self-MM, corr: undefined" in picture.alt and "nan" not in picture.alt


# --- modules ------------------------------------------------------------------------------------

FIRST, SECOND, THIRD = variants.FACTORS
EFFECTS = {"mrm": 0.1, "spt": -0.3, "own_ulgm": 0.05}


def planted(corner):
    """A score that adds up, but for MRM and SPT, which give 0.4 together."""
    both = {"mrm", "spt"} <= set(corner)
    return 1.0 + sum(EFFECTS.get(part, 0.0) for part in corner) + 0.4 * both


def weighed(weights):
    return sum(w * planted(corner) for corner, w in weights.items())


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
    found = variants.weights(varied, others=others)
    assert weighed(found) == pytest.approx(expected)
    assert sum(found.values()) == pytest.approx(0.0)
    parts = set().union(*map(set, found))
    assert parts <= set().union(*map(set, MODULES.values()))


def test_effects_of_modules_are_those_of_the_records_and_of_print(mosi):
    whole, runs = mosi
    grid = plan.module_grid(whole)
    table = variants.module_effects(runs, grid, setting=SETTING)
    assert len(table.frame) == 12
    corners = [("mrm", "lstm", "other_ulgm"), ("no_mrm", "lstm", "other_ulgm")]
    a, b = ([r.metrics["test"]["mae"] for r in runs.records(grid[c])[0]] for c in corners)
    first = table.frame.iloc[0]
    assert (first["module"], first["added"]) == ("MRM", "alone")
    assert first["MAE (points)"].startswith(f"{np.mean(a) - np.mean(b):+.3f} [")
    assert first["MAE, printed"] == "-0.015"  # papers/sugrm.md (b) C10
    together = variants.interactions(runs, grid, setting=SETTING).frame
    assert together["interaction"].tolist()[0] == "MRM and SPT"
    f1 = {
        corner: cell("sugrm", p.exhibit, "mosi_unaligned", p.system, p.variant, "f1_non0")["value"]
        for corner, p in variants.PRINTED_CORNERS.items()
    }
    expected = sum(w * f1[c] for c, w in variants.weights([FIRST, SECOND]).items())
    assert together["F1 (non 0), printed"].iloc[0] == f"{expected:+.1f}"


def test_effects_whose_corners_are_missing_say_so():
    grid = plan.module_grid(WHOLE)
    few = {str(c): wanted for c, wanted in grid.items() if "dense" not in c}
    table = variants.module_effects(runs_of(few), grid, setting=SETTING)
    assert table.frame["MAE (points)"].tolist()[-3:] == [variants.NO_RECORD] * 3
    assert variants.NO_RECORD not in table.frame["MAE (points)"].tolist()[:9]


def test_the_quick_grid_has_one_dense_corner():
    quick = variants.grid(Study("sugrm"))
    assert [c for c in quick if "dense" in c] == [("mrm", "dense", "own_ulgm")]
    itself = variants.itself(Study("sugrm"))["Self-MM itself"]
    assert dict(itself.choices) == {"family": "self_mm"}
    assert len(quick) == 9 and len(variants.grid(Study("sugrm", profile="paper"))) == 12


def test_costs_are_seconds_per_epoch():
    grid = plan.module_grid(WHOLE)
    runs = runs_of(variants.by_name(grid))
    found = variants.costs(runs, grid)
    assert set(found) == set(variants.by_name(grid))
    table = variants.beside(
        runs, variants.by_name(grid), {}, what="modules", setting=SETTING, more=found
    )
    assert row(table, next(iter(found)))["s per epoch ↓"] == "1.00"
    assert table.frame["s per epoch ↓"].iloc[-1] == "-"


# --- figures ------------------------------------------------------------------------------------


def image(picture):
    page = read(picture)
    (attributes,) = page.attributes("img")
    assert attributes["alt"] == picture.alt and len(picture.alt) > 60
    assert "nan" not in picture.alt and SETTING in page.text
    return picture.alt


def test_differences_are_told_in_words(mosi):
    whole, runs = mosi
    found = variants.differences(runs, plan.compared(whole), "SUGRM")
    alt = image(plots.minus_others(found, "SUGRM", setting=SETTING))
    effect = found["concatenation"]["corr"]
    assert f"concatenation, Corr: {effect.effect:+.3f}, from {effect.low:+.3f}" in alt


def test_scores_by_tasks_show_ours_and_print(mosi):
    whole, runs = mosi
    dots = variants.by_tasks(runs, plan.task_grid(whole), whole)
    assert [dot.letters for dot in dots["ours"]] == ["", "t", "a", "ta"]
    assert [dot.tasks for dot in dots["printed"]] == [0, 1, 1, 1, 2, 2, 2, 3]
    alt = image(plots.scores_by_tasks(dots, setting=SETTING))
    assert "printed, tav: MAE 0.703" in alt and "ours, none: F1 (non 0) 75.0" in alt
    unprinted = runs_of(plan.task_grid(WHOLE))
    assert list(variants.by_tasks(unprinted, plan.task_grid(WHOLE), WHOLE)) == ["ours"]


def test_module_lines_name_every_corner(mosi):
    whole, runs = mosi
    grid = plan.module_grid(whole)
    levels = variants.levels(runs, grid)
    alt = image(plots.module_lines(levels, variants.MODULE_WORDS, setting=SETTING))
    for corner in grid:
        assert f"{variants.corner_name(corner)}: MAE" in alt
    few = dict(list(levels.items())[:3])
    assert image(plots.module_lines(few, variants.MODULE_WORDS, setting=SETTING))


def test_equal_records_give_equal_pictures(mosi):
    whole, runs = mosi
    found = variants.differences(runs, plan.compared(whole), "SUGRM")
    one, two = (plots.minus_others(found, "SUGRM", setting=SETTING).png for _ in range(2))
    assert one == two


# --- numbers ------------------------------------------------------------------------------------


def test_numbers_for_prose(mosi):
    whole, runs = mosi
    named = plan.compared(whole)
    texts = variants.numbers(runs, named, "SUGRM", variants.main_places())
    assert texts["seeds"] == "2" and texts["printed_self_mm_mae"] == "0.733"
    assert texts["self_mm_minus_mae"].endswith("]") and texts["sugrm_f1_non0"].startswith("75.0")
    assert all(isinstance(text, str) for text in texts.values())
