"""Tables of GLoMo: printed rows, sampling errors, counts of clips, arms, costs, wirings."""

import json

import numpy as np
import pytest

from msalib.base import stats
from msalib.models.guided import Variant
from msalib.pages import contrasts
from msalib.pages.tables import Note
from msalib.papers.glomo import checks, costs, plan, wirings
from msalib.papers.glomo import tables as results
from msalib.papers.glomo.plan import FULL
from msalib.runs.query import Runs
from msalib.runs.study import Study
from tests.papers.glomo.planted_pages import SETTING, WHOLE, made, whole_table


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    monkeypatch.setattr(stats, "RESAMPLES", 200)


# --- print --------------------------------------------------------------------------------------


def test_rows_of_table4_have_their_printed_partners():
    rows = results.printed_rows("mosi", whole_table())
    assert rows.keys() == {FULL, "V+A+T", *plan.VARIANTS.values(), "V+A", "V+T", "A+T"}
    assert rows[FULL] == rows["V+A+T"] and rows[FULL].text["acc2_non0"] == "86.7"
    assert rows["V+A"].text["acc2_non0"] == "55.9"
    assert results.printed_rows("control-local", whole_table()) == {}


def test_table1_and_table2_are_printed_for_their_data_sets():
    mosi = results.printed_table1("mosi-standardised")
    assert len(mosi) == 14 and mosi["CubeMLP"].text["acc2_non0"] == "85.6"
    assert list(results.printed_table1("mustard")) == [
        "MISA, bert", "MISA, albert", "MAG-BERT, albert", "MAG-BERT, xlnet", FULL,
    ]  # fmt: skip
    assert results.printed_table1("control-local") == {}


@pytest.mark.parametrize("exhibit", ["table1", "table2", "table3", "table4", "table5"])
def test_every_table_of_the_paper_can_be_shown(exhibit):
    frame = results.print_of(exhibit).content.frame
    assert len(frame) and frame["system" if "system" in frame else "variant"].all()


def test_sampling_errors_are_those_of_the_specification():
    assert results.test_clips("mosi") == 685 and results.test_clips("cherma") is None
    assert results.sampling_error(83.86, 68) == pytest.approx(4.46, abs=0.01)
    assert results.sampling_error(50, 100) == pytest.approx(5)
    table = results.printed_differences("table2", "mustard")
    assert table.frame["Acc-2"].tolist()[-1] == "+7.39 (1.7 SE)"
    assert isinstance(results.printed_differences("table3", "cherma"), Note)


def test_scores_without_zeros_have_the_error_of_clips_without_zeros():
    assert results.scored_clips("mosi", "acc2_non0") == 655
    assert results.scored_clips("mosi", "acc2_has0") == 685
    caption = results.printed_differences("table1", "mosi").caption
    assert "1.40 (685 test clips)" in caption and "1.33 (655 test clips)" in caption
    assert results.ALL_COUNTED not in caption
    assert results.ALL_COUNTED in results.printed_differences("table1", "mosei").caption
    assert results.ALL_COUNTED not in results.printed_differences("table2", "mustard").caption


def test_one_printed_accuracy_is_no_count_of_clips():
    frame = results.counts().frame.set_index(["data set", "system"])["clips"]
    assert frame["mustard", "GLoMo bert"] == "none: 57 of 68 is 83.82, 58 of 68 is 85.29"
    assert frame["mustard", "MAG-BERT xlnet"] == "52 of 68"
    assert frame.str.startswith("none").sum() == 1


# --- arms ---------------------------------------------------------------------------------------


def test_every_data_set_of_the_plan_is_described():
    for key in plan.PLAN:
        name = key.split()[0]
        assert name in results.ABOUT
        assert len(results.about(Study("glomo", dataset=name)).text) > 60


def test_pairs_name_arms_of_the_page_and_copies_are_left_out():
    study = Study("glomo", dataset="control-local", profile="full")
    named = results.ablations(study) | results.causes(study)
    names = {n for pair in results.CAUSES for n in pair}
    assert names <= named.keys() and results.OURS.keys() <= named.keys()
    assert results.distinct(results.CAUSES, named) == list(results.CAUSES)
    copies = [("experts summed", FULL), ("experts in log space", FULL)]
    assert results.distinct(copies, named) == copies[:1]
    assert results.preset_arms(study).keys() == results.PRESET_ARMS.keys()


def test_a_preset_without_an_arm_does_not_show_another_under_its_name():
    study = Study("glomo", dataset="control-local", profile="full", preset="article")
    assert list(results.preset_arms(study)) == ["experts summed", "padding masked"]
    assert "padding read" not in results.causes(study)


def test_table4_has_fourteen_rows_of_three_modalities_and_fewer_in_quick():
    paper = results.ablations(Study("glomo", dataset="control-local", profile="full"))
    assert list(paper) == [w.name for w in wirings.WIRINGS]
    quick = results.ablations(Study("glomo", dataset="control-local"))
    assert next(iter(quick)) == FULL and quick.keys() < paper.keys()
    assert quick.keys() <= {FULL, *results.QUICK_ARMS}


def test_baselines_stand_under_their_printed_names():
    study = Study("glomo", dataset="mosi", encoder="minilm-tuned")
    beside, named = results.baselines(study)
    assert beside.paper == "baselines" and beside.encoder == "minilm"
    assert {"TFN", "LMF"} == named.keys()


def test_a_planted_loss_is_seen():
    named = whole_table()
    noise = {FULL: 0.5, "MLP_M": 1.5}
    runs = Runs([r for name, sd in noise.items() for r in made(named[name], noise=sd, seeds=5)])
    effects = contrasts.effects(contrasts.sides(runs, named), [(FULL, "MLP_M"), (FULL, "CON")])
    assert list(effects) == [(FULL, "MLP_M")]
    assert contrasts.word(effects[FULL, "MLP_M"]["mae"]) == "better"
    printed = results.printed_rows("mosi", named)
    frame = contrasts.gain_table(effects, printed, setting=SETTING).frame
    assert frame["Acc-2 (non 0), printed"].tolist() == ["+1.00"]


def test_folds_of_the_source_are_pooled_where_the_plan_asks_for_them(monkeypatch):
    monkeypatch.delenv("MSALIB_DATA", raising=False)
    study = Study("glomo", dataset="mustard", encoder="minilm-tuned", profile="full")
    assert results.gather(study, [plan.system({"linguistic": "tuned"})]) == []
    assert results.setting(study) == study.setting  # no record, no data: no folds are known
    assert len(results.setting(Study("glomo", dataset="ravdess"))) > len(SETTING) / 2


# --- costs and wirings --------------------------------------------------------------------------


def test_the_count_is_the_printed_one():
    counts = costs.counts()
    assert counts[FULL] == 927_239 and counts["TFN"] > counts[FULL]
    assert costs.counts()["MISA"] is None
    assert counts[FULL] + checks.BERT_BASE == 109_818_887
    assert "exactly the printed number" in costs.answer().text
    frame = costs.table().frame.set_index("system")
    assert frame.loc["MISA", "counted, with BERT"] == "-"
    parts = costs.blocks().frame["parameters"].str.replace(",", "").astype(int)
    assert parts.sum() == 109_818_887


def test_the_printed_lead_is_computed_and_not_every_system_is_near():
    text = costs.gap().text
    assert "over C-MIB is 16,861 parameters, as many as 22 rows" in text
    assert "C-MIB 0.02%" in text and "TFN 47.0%" in text


def test_seconds_are_read_where_they_were_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(costs, "TIMES", tmp_path / "times.json")
    assert costs.seconds() == {}
    measured = {"GLoMo": {"median": 2.0}, "TFN": {"median": 1.0}}
    costs.TIMES.write_text(json.dumps({"seconds": measured}))
    frame = costs.table().frame.set_index("system")["our seconds / GLoMo's"]
    assert frame["TFN"] == "0.50" and frame["MISA"] == "not measured"
    costs.TIMES.write_text("{}")
    assert costs.seconds() == {}


def test_the_drawing_has_every_row_and_marks_what_differs():
    drawing = wirings.drawing()
    html = drawing._repr_html_()
    assert html.count("<svg") == 14 and all(w.name in drawing.alt for w in wirings.WIRINGS)
    named = [w.name for w in wirings.WIRINGS if w.name in plan.VARIANTS.values()]
    assert len(named) == len(plan.VARIANTS) and set(plan.VARIANTS) < set(Variant.__args__)
    full, *others = map(wirings.picture, wirings.WIRINGS)
    assert wirings.CHANGED not in full and all(wirings.CHANGED in one for one in others)
    assert np.unique([wirings.picture(w) for w in wirings.WIRINGS]).size == 14


def test_quick_cells_are_cells_of_the_grid():
    assert set(results.corners(3)) <= plan.cells(WHOLE).keys()
    two = {m: WHOLE[m] for m in list(WHOLE)[:2]}
    assert set(results.corners(2)) <= plan.cells(two).keys()
