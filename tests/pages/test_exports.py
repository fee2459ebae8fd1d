"""Tables as CSV, LaTeX and JSON: numbers stay numbers, and texts compile."""

import json
from io import StringIO

import pandas as pd
import pytest
from markupsafe import Markup

from msalib.pages import exports, reading, sheet
from msalib.pages.cells import Value, mean_sd, number, spread
from msalib.pages.tables import Table

NASTY = 'a & b_1 50% #1 $x$ {y} ~ ^ \\ <i> | "q", [z] ± \u22121 \u00d7 ↑ \u2013 \u00a0é'
BADGE = Markup('<span class="verdict verdict-supported">✓ supported</span>')
MAE = "MAE ↓ (points)"


def rows() -> list[dict]:
    return [
        {"system": "ours", MAE: spread({0: 0.81, 2: 0.79}, "mae"), "F1 (%)": spread([0.5], "f1")},
        {"system": "printed", MAE: number("0.70", 0.7), "F1 (%)": "-"},
        {"system": "text", MAE: "\u22120.50", "F1 (%)": "-"},
        {"system": "none", MAE: "no record", "F1 (%)": "-"},
    ]


def grid(shown) -> reading.Grid:
    (one,) = reading.grids(shown.html())
    return one


def as_frame(shown) -> pd.DataFrame:
    return pd.read_csv(StringIO(exports.to_csv(grid(shown))))


def test_a_mean_becomes_columns_of_numbers_and_what_is_none_a_note():
    frame = as_frame(Table(pd.DataFrame(rows()), caption="c"))
    name = "MAE (points)"
    mae = [name, f"{name} sd", f"{name} seed 0", f"{name} seed 2", f"{name} note"]
    assert list(frame) == ["system", *mae, "F1 (%)"]
    assert frame[name].tolist()[:3] == [0.8, 0.7, -0.5] and frame[name].isna()[3]
    assert frame[f"{name} sd"][0] == pytest.approx(0.0141421)
    assert frame.loc[0, [f"{name} seed 0", f"{name} seed 2"]].tolist() == [0.81, 0.79]
    assert frame[f"{name} note"].fillna("").tolist() == [*[""] * 3, "no record"]
    assert frame["F1 (%)"][0] == 50  # in the unit of the head


def test_numbers_are_numbers_in_json_and_null_is_empty():
    table = exports.to_json(grid(Table(pd.DataFrame(rows()), caption="c")))
    assert json.loads(json.dumps(table)) == table
    assert table["rows"][1][table["columns"].index("MAE (points)")] == 0.7
    assert table["rows"][1][-1] is None and table["rows"][0][-1] == 50


@pytest.mark.parametrize("text", [NASTY, "line\none", "=1+1", ""])
def test_text_comes_through_csv_as_it_is(text):
    frame = pd.DataFrame({"a": [text, "b"], text or "head": ["c", "d"]})
    found = pd.read_csv(StringIO(exports.to_csv(grid(Table(frame, caption=text)))), dtype=str)
    assert found["a"].fillna("")[0] == " ".join(text.split())


def test_verdicts_are_words_and_lines_are_separated():
    cell = Markup("{}<br><small>note</small> <span aria-hidden='true'>▲</span>").format(BADGE)
    marked = Markup('<abbr title="t" aria-label="supported">{}</abbr>').format(BADGE)
    frame = as_frame(Table(pd.DataFrame({"id": ["C1"], "v": [cell], "m": [marked]}), caption="c"))
    assert frame.loc[0].tolist() == ["C1", "supported; note", "supported"]


def test_small_numbers_keep_six_digits_and_whole_ones_all():
    values = [1 / 3, 123456789.0, 1.23456789e-7]
    frame = pd.DataFrame({"n": list("abc"), "x": [number("~", v) for v in values]})
    assert as_frame(Table(frame, caption="c"))["x"].tolist() == [0.333333, 123456789, 1.23457e-7]


def test_groups_of_rows_become_a_column():
    groups = {"first": [sheet.row("a", [sheet.cell("1"), sheet.cell()])], "then": []}
    groups["then"] = [sheet.row("b", [Markup('<td colspan="2">all</td>')])]
    table = reading.grids(sheet.table("t", "c", ["name", "x", "y"], groups))[0]
    assert exports.to_csv(table) == "group,name,x,y\nfirst,a,1,\nthen,b,all,\n"
    assert r"\multicolumn{3}{l}{then}" in exports.to_latex(table, "x")


def test_latex_is_balanced_and_has_no_open_command():
    frame = pd.DataFrame({"a": [NASTY], NASTY: [mean_sd([1.0, 2.0], "{:.1f}".format)]})
    text = exports.to_latex(grid(Table(frame, caption=NASTY)), "page-table-1")
    assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}")
    body = text.split(r"\midrule")[1]
    assert r"a \& b\_1 50\% \#1 \$x\$ \{y\} \textasciitilde{}" in body
    assert r"1.5 $\pm$ 0.7 \\" in body and "{[}z]" in body
    assert text.replace(r"\$", "").count("$") % 2 == 0
    assert r"\begin{tabular}{lr}" in text.replace(r"p{0.30\linewidth}", "l")
    assert set(exports.escaped(NASTY)) - set(NASTY) <= set(r"\{}$abcdefghijklmnopqrstuvwxyz'-")


def test_columns_of_long_texts_break_their_lines_in_latex():
    frame = pd.DataFrame({"name": ["a" * 23], "covers": ["a" * 24], "n": [number("1", 1.0)]})
    text = exports.to_latex(grid(Table(frame, caption="c")), "t")
    assert r"\begin{tabular}{lp{0.30\linewidth}r}" in text


def test_what_cells_show_is_left_as_it_was():
    assert spread({0: 0.5, 1: 0.7}, "acc2_has0") == "60.0\u00a0±\u00a014.1"
    assert isinstance(pd.DataFrame({"a": [Value("1"), None]}).fillna("-")["a"][0], Value)
