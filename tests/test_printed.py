"""Printed numbers: read as they are, one cell at a time."""

import pytest

from msalib import printed
from msalib.errors import UserError


def test_every_printed_number_of_uegd_is_there():
    """papers/uegd.md, notes: 402 rows."""
    table = printed.load("uegd")
    assert tuple(table.columns) == printed.COLUMNS
    assert len(table) == 402
    assert set(table["paper"]) == {"uegd"}
    assert table["value"].notna().all()
    assert table["value"].dtype == float
    assert not table.duplicated(["exhibit", "dataset", "system", "variant", "metric"]).any()


def test_a_printed_number_keeps_its_digits():
    cell = printed.cell("uegd", "table1", "mosi", "dataset", "train", "count")
    assert (cell["value"], cell["printed"]) == (1284, "1284")
    table = printed.load("uegd")
    mae = table[(table["exhibit"] == "table3") & (table["metric"] == "mae")]
    assert (mae["printed"].str.replace("-", "").str.len() == 5).all()  # three decimals, also 0.540
    assert (mae["printed"].astype(float) == mae["value"]).all()


@pytest.mark.parametrize("exhibit", ["table3", "table9"])
def test_anything_but_one_cell_is_an_error(exhibit):
    with pytest.raises(ValueError, match="0 printed numbers of uegd match"):
        printed.cell("uegd", exhibit, "mosi", "UEGD", "linguistic_elmo", "mae")


def test_a_paper_without_printed_numbers_is_refused():
    with pytest.raises(UserError, match=r"nonsense\.csv: found no such file"):
        printed.load("nonsense")


def test_a_file_with_other_columns_is_refused(tmp_path, monkeypatch):
    (tmp_path / "uegd.csv").write_text("paper,value\nuegd,1\n")
    monkeypatch.setattr(printed, "PRINTED", tmp_path)
    with pytest.raises(UserError, match="found columns paper, value; expected paper, exhibit"):
        printed.load("uegd")
