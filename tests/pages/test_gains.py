"""Drift of baselines beside claimed gains: a scale per metric, marks beside colours."""

from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup

from msalib.evidence import registry
from msalib.evidence.printed import table as printed
from msalib.pages import gains
from msalib.pages.gains import MINUS, TIMES
from msalib.pages.tables import Note
from tests.html import read

ENTRIES = {
    "one": SimpleNamespace(name="ONE", own=["Own"]),
    "two": SimpleNamespace(name="TWO", own=["Ours", "Again"]),
}
ROWS = """
one,table1,mosi,MulT,,mae,0.9
one,table1,mosi,MulT,,f1_non0,80.0
one,table1,mosi,TFN,,mae,0.950
one,table1,mosi,Own,small,mae,0.88
one,table1,mosi,Own,large,mae,0.85
one,table1,mosi,Own,large,f1_non0,86.0
one,table2,mosi,Own,without,mae,0.70
two,table1,mosi,MuIT,,mae,0.8
two,table1,mosi,MulT,,f1_non0,83.0
two,table1,mosi,TFN,,mae,0.95
two,table1,mosi,Again,,mae,0.77
two,table1,mosi,Ours,,mae,0.82
two,table1,mosi,Ours,,f1_non0,83.0
two,text,mosi,MulT,,mae,0.1
"""


@pytest.fixture
def load(tmp_path):
    """A function that makes a table of printed numbers: every value as it is printed."""

    def load(rows):
        lines = [f"{row},{row.split(',')[-1]}," for row in rows.split()]
        (tmp_path / "all.csv").write_text("\n".join([",".join(printed.COLUMNS), *lines]))
        return printed.load_all(tmp_path)

    return load


@pytest.fixture
def table(load):
    return load(ROWS)


def cells(sheet) -> dict[tuple[str, str], tuple[str, list[str]]]:
    """Text and classes of every cell, by names of row and column; of the first table."""
    read(sheet)  # every tag closes
    table = BeautifulSoup(sheet._repr_html_(), "html.parser").find("table")
    assert table.find("caption").get_text(strip=True)
    heads = [head.get_text(" ", strip=True) for head in table.thead.find_all("th", scope="col")]
    return {
        (row.th.get_text(" ", strip=True), head): (
            cell.get_text(" ", strip=True),
            cell.get("class", []),
        )
        for row in table.find_all("tr")
        if row.find("td") and row.find("th", scope="row")
        for head, cell in zip(heads[1:], row.find_all("td"), strict=True)
    }


def test_gains_are_over_the_best_other_row_of_the_main_table(table):
    rows = gains.claimed_gains(table, ENTRIES)
    assert list(zip(rows["paper"], rows["metric"], rows["gain"], rows["over"], strict=True)) == [
        ("one", "mae", 0.05, "MulT"),
        ("one", "f1_non0", 6.0, "MulT"),
        ("two", "mae", -0.05, "Again"),
        ("two", "f1_non0", 0.0, "MulT"),
    ]
    assert set(rows["exhibit"]) == {"table1"}
    for row in rows.itertuples():
        ours, theirs = (table.loc[cell] for cell in row.cells)
        assert {ours["paper"], theirs["paper"]} == {row.paper} and ours["metric"] == row.metric
        assert (ours["value"], theirs["value"]) == (row.value, row.best)
        assert ours["system"] == ENTRIES[row.paper].own[0] != theirs["system"]
    assert gains.claimed_gains(table, {}).empty


def test_the_typical_gain_is_of_those_that_are_ahead(table):
    rows = gains.claimed_gains(table, ENTRIES)
    assert gains.typical_gains(rows) == {("mosi", "mae"): 0.05, ("mosi", "f1_non0"): 6.0}
    assert gains.typical_gains(rows[rows["gain"] <= 0]) == {}


def test_each_metric_has_its_own_scale(table):
    sheet = gains.drift_map(table, ENTRIES)
    mae, f1 = "MAE", "F1 (non 0)"
    above = "▲ more than typical:"
    assert cells(sheet) == {
        ("MulT", mae): (f"0.100 (2) {above} 2.0{TIMES}", ["gain-3"]),  # 0.1 in gains of 0.05
        ("MulT", f1): (f"3.0 (2) 0.5{TIMES}", ["gain-1"]),  # 3 in gains of 6
        ("TFN", mae): ("= agree (2)", []),  # 0.950 and 0.95
        ("TFN", f1): ("", []),
        ("typical gain", mae): ("0.050", []),
        ("typical gain", f1): ("6.0", []),
        ("ONE", mae): ("+0.050", ["gain-2"]),
        ("ONE", f1): ("+6.0", ["gain-2"]),
        ("TWO", mae): (f"{MINUS}0.050", ["behind"]),
        ("TWO", f1): ("0.0", ["behind"]),
    }
    for part in (
        "3 numbers of baselines",
        "1 agree, 0 differ by setting only, 2 drift",
        "2 of them drift where a paper claims a gain, 1 by more than the typical claimed gain",
        "4 comparisons",
        "2 ahead, 1 of these by less",
    ):
        assert part in sheet.caption


def test_systems_are_sorted_by_typical_gains_not_by_numbers(load):
    """TFN drifts by more points, MulT by more typical gains."""
    rows = ROWS + "one,table1,mosi,TFN,,f1_non0,70.0\ntwo,table1,mosi,TFN,,f1_non0,75.0\n"
    names = list(dict.fromkeys(row for row, _ in cells(gains.drift_map(load(rows), ENTRIES))))
    assert names[:2] == ["MulT", "TFN"]


def test_numbers_that_agree_in_a_setting_have_their_own_mark(load):
    rows = """
    one,table1,mosei,MulT,conv,mae,0.5
    one,table1,mosei,MulT,conv_bert,mae,0.6
    two,table1,mosei,MulT,,mae,0.5
    two,table1,mosei,TFN,,mae,0.5
    one,table1,mosei,TFN,,mae,0.7
    """
    sheet = gains.drift_map(load(rows), ENTRIES)
    assert cells(sheet) == {
        ("MulT", "MAE"): ("≈ agree in some setting (2)", []),
        ("TFN", "MAE"): ("0.200 (2) no gain", ["no-gain"]),
    }
    assert "0 agree, 1 differ by setting only, 1 drift. 0 of them drift" in sheet.caption
    assert "0 comparisons" in sheet.caption


def test_one_paper_alone_has_no_drift(table):
    one = table[table["paper"] == "one"]
    for entries in (ENTRIES, {}):
        note = gains.drift_map(one, entries)
        assert isinstance(note, Note) and "no drift" in note.text
    assert len(gains.claimed_gains(one, ENTRIES)) == 2
    assert "2 comparisons" in gains.drift_map(table, {"one": ENTRIES["one"]}).caption


def test_the_sums_of_the_project_are_those_of_its_gains():
    table, entries = printed.load_all(), {name: registry.load(name) for name in registry.known()}
    sheet = gains.drift_map(table, entries)
    rows = gains.claimed_gains(table, entries)
    shared = rows[rows["corpus"].isin(["mosi", "mosei"])]
    assert f"{len(shared)} comparisons" in sheet.caption
    assert f"{(shared['gain'] > 0).sum()} ahead" in sheet.caption
    assert not rows.duplicated(["paper", "corpus", "alignment", "metric"]).any()
    assert all(entry.name in sheet.html() for entry in entries.values())
    assert "nan" not in read(sheet).text


@pytest.mark.parametrize(
    ("value", "metric", "text"),
    [
        (0.12249, "mae", "+0.122"),
        (-0.0496, "corr", f"{MINUS}0.050"),
        (3.0000000000000004, "f1_non0", "+3.0"),
        (-1.01, "acc7", f"{MINUS}1.01"),
        (0.0, "acc7", "0.0"),
        (1.2, "wa", "+1.2"),
    ],
)
def test_numbers_have_the_decimals_of_their_metric(value, metric, text):
    assert gains._signed(value, metric) == text
