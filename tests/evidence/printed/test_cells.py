"""Names of rows, and the cells that they mean."""

import pytest

from msalib.evidence.printed import names
from msalib.evidence.printed.cells import Cells, parse
from tests.cells import row, table


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("table1/Net", {"exhibit": "table1", "system": "Net"}),
        ("table1/Net/full", {"exhibit": "table1", "system": "Net", "variant": "full"}),
        ("table1/Net/", {"exhibit": "table1", "system": "Net", "variant": ""}),
        ("table1/*", {"exhibit": "table1", "system": "*"}),
        (
            "ash:table1/MAG-BERT@mosei#mae",
            {"paper": "ash", "exhibit": "table1"}
            | {"system": "MAG-BERT", "dataset": "mosei", "metric": "mae"},
        ),
        ("text//all@", {"exhibit": "text", "system": "", "variant": "all", "dataset": ""}),
    ],
)
def test_parts_of_a_name(text, parts):
    empty = dict.fromkeys(("paper", "exhibit", "system", "variant", "dataset", "metric"))
    assert parse(text) == empty | parts


@pytest.mark.parametrize("text", ["table1", "", "table1/Net#", "table1/Net@a-b"])
def test_other_names_are_refused(text):
    with pytest.raises(ValueError, match="expected exhibit/system/variant"):
        parse(text)


def rows_of(name: str, dataset="mosi", metric="acc7"):
    t = table(
        row("ash/table1/mosi/Net", acc7="40", mae="0.7"),
        row("ash/table1/mosi/Net/full", acc7="41"),
        row("ash/table1/mosi/A", acc7="42"),
        row("ash/table1/mosi/A/full", acc7="43"),
        row("ash/table1/mosei/Net", acc7="44"),
        row("ash/table2/mosi/Net", acc7="45"),
        row("birch/table1/mosi/Net", acc7="46"),
        row("ash/table1//Net", acc7="47"),
    )
    return [int(c["value"]) for c in Cells(t).matching("ash", name, dataset, metric)]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("table1/Net", [40]),
        ("table1/Net/", [40]),
        ("table1/Net/full", [41]),
        ("table1/Net/*", [40, 41]),
        ("table1/*", [40, 41, 42, 43]),
        ("table1/*/", [40, 42]),
        ("table1/*/full", [41, 43]),
        ("table1/Net@mosei", [44]),
        ("table1/Net@", [47]),
        ("table2/*", [45]),
        ("birch:table1/Net", [46]),
        ("table1/Net#mae", [0]),
        ("table1/B", []),
        ("table3/Net", []),
    ],
)
def test_the_cells_of_a_row(name, values):
    assert rows_of(name) == values


@pytest.mark.parametrize(
    ("number", "shown"),
    [("45.00", "45.00"), ("45", "45"), ((12000, "12k"), "12,000"), ("0.7", "0.7")],
)
def test_numbers_are_shown_with_the_digits_of_print(number, shown):
    cell = table(row("ash/table1/mosi/Net", mae=number)).iloc[0]
    assert names.number(cell) == shown
