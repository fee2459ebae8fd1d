"""Printed numbers: read as they are, refused with file, line and what was expected."""

import pandas as pd
import pytest

from msalib.base.errors import UserError
from msalib.evidence.printed import checks, units
from msalib.evidence.printed import table as printed

SIZES = {"cmt": 160, "glomo": 556, "mmml": 489, "sugrm": 471, "uegd": 402}

HEAD = "paper,exhibit,dataset,system,variant,metric,value,printed,note"
GOOD = "ash,table1,mosi,Net,,mae,0.713,0.713,"


@pytest.fixture
def folder(tmp_path):
    """Writes files with made-up rows below a head."""

    def write(*rows: str, name: str = "ash.csv", head: str = HEAD):
        (tmp_path / name).write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
        return tmp_path

    return write


def load(folder) -> pd.DataFrame:
    return printed.load_all(folder)


def refused(folder) -> UserError:
    with pytest.raises(UserError) as caught:
        load(folder)
    return caught.value


# --- the five papers ----------------------------------------------------------------------------


def test_every_printed_number_of_the_five_papers_is_there():
    found = printed.load_all()
    assert len(found) == 2078
    assert found.groupby("paper").size().to_dict() == SIZES
    assert list(found.columns[:9]) == list(printed.COLUMNS)
    assert found.index.tolist() == list(range(2078))
    assert not found[["value", "half", "unit"]].isna().any(axis=None)


def test_what_follows_from_each_row():
    found = printed.load_all()
    assert set(found["alignment"]) == {"", "aligned", "unaligned"}
    assert not found["corpus"].str.contains("aligned").any()
    assert {"mosi", "mosei", "sims", "iemocap", ""} <= set(found["corpus"])
    assert "SPC" in set(found["system"]) and "SPC" not in set(found["canonical"])
    assert (found["half"] >= 0).all()
    shares = found[found["unit"] == "%"]
    assert shares["value"].between(0, 100).all()
    # Every printed string that is a number is the value, in one of the scales that papers use.
    scales = [units.scale(*pair) for pair in zip(found["value"], found["printed"], strict=True)]
    assert None not in scales


def test_one_paper_is_that_part_of_all():
    whole = printed.load_all()
    uegd = whole[whole["paper"] == "uegd"].reset_index(drop=True)
    pd.testing.assert_frame_equal(printed.load("uegd"), uegd)


def test_one_cell():
    cell = printed.cell("uegd", "table1", "mosi", "dataset", "train", "count")
    assert (cell["value"], cell["printed"], cell["half"]) == (1284, "1284", 0.5)
    with pytest.raises(ValueError, match="0 printed numbers of uegd match"):
        printed.cell("uegd", "table9", "mosi", "dataset", "train", "count")


# --- files --------------------------------------------------------------------------------------


def test_a_file_is_read_with_its_lines(folder):
    found = load(folder(GOOD, "", 'ash,table1,mosi,"Net, big",,acc7,45.1,0.451,"a ""note"""'))
    assert found["line"].tolist() == [2, 4]
    assert found["file"].tolist() == ["ash.csv", "ash.csv"]
    assert found["system"].tolist() == ["Net", "Net, big"]
    assert found["note"].tolist() == ["", 'a "note"']
    assert found["half"].tolist() == pytest.approx([0.0005, 0.05])
    assert found["unit"].tolist() == ["points of the label", "%"]


def test_columns_may_come_in_any_order(folder):
    head = ",".join(reversed(HEAD.split(",")))
    found = load(folder(",".join(reversed(GOOD.split(","))), head=head))
    assert found.loc[0, "metric"] == "mae"


def test_a_data_set_has_two_halves(folder):
    rows = [f"ash,table1,{d},Net,,mae,0.7,0.7," for d in ("mosi_aligned", "mosei_unaligned", "")]
    found = load(folder(*rows))
    assert found["corpus"].tolist() == ["mosi", "mosei", ""]
    assert found["alignment"].tolist() == ["aligned", "unaligned", ""]


def test_other_spellings_get_the_usual_name(folder):
    found = load(folder("ash,table1,mosi,MIMM,,mae,0.7,0.7,"))
    assert found.loc[0, "system"] == "MIMM"
    assert found.loc[0, "canonical"] == "MMIM"


@pytest.mark.parametrize(
    ("name", "corpus", "alignment"),
    [
        ("MOSI", "mosi", ""),
        ("CMU-MOSI", "mosi", ""),
        ("cmu_mosei_aligned", "mosei", "aligned"),
        ("MOSEI_Unaligned", "mosei", "unaligned"),
        ("CH-SIMS", "sims", ""),
        ("ch_sims", "sims", ""),
        ("UR-FUNNY", "ur_funny", ""),
        ("MUStARD", "mustard", ""),
        ("CMU-Own Corpus", "CMU-Own Corpus", ""),
        ("Own_aligned", "Own", "aligned"),
    ],
)
def test_other_spellings_of_a_data_set_are_one_corpus(name, corpus, alignment, folder):
    found = load(folder(f"ash,table1,{name},Net,,mae,0.7,0.7,"))
    assert found.loc[0, ["dataset", "corpus", "alignment"]].tolist() == [name, corpus, alignment]


def test_every_data_set_with_known_parts_has_its_name():
    known = set(printed.load_all()["corpus"]) - {""}
    assert known <= set(printed.DATASETS.values())


def test_a_file_that_changed_is_read_again(folder):
    import os

    where = folder(GOOD)
    assert len(load(where)) == 1
    folder(GOOD, GOOD.replace("mae", "corr"))
    os.utime(where / "ash.csv", ns=(1, 1))
    assert len(load(where)) == 2


def test_a_file_from_a_spreadsheet_is_read(tmp_path):
    """A mark of the byte order in front, lines that end as on Windows, capitals in the ending."""
    text = f"{HEAD}\n{GOOD}\n".replace("\n", "\r\n")
    (tmp_path / "ASH.CSV").write_bytes(text.encode("utf-8-sig"))
    found = load(tmp_path)
    assert found["paper"].tolist() == ["ash"]
    assert found["file"].tolist() == ["ASH.CSV"]


def test_blank_lines_are_left_out(folder):
    found = load(folder("", "   ", ",,,,,,,,", GOOD, " \t", head=f"\n{HEAD}"))
    assert found["line"].tolist() == [6]


def test_blanks_around_a_name_are_left_out(folder):
    heads = HEAD.replace("paper,", "paper ,").replace("metric", " metric")
    row = " ash , table1,mosi ,Net ,full , mae , 0.713, 0.713 ,as is "
    found = load(folder(row, head=heads))
    cells = found.loc[0, list(printed.COLUMNS)].tolist()
    assert cells == ["ash", "table1", "mosi", "Net", "full", "mae", 0.713, "0.713", "as is"]


# --- refused ------------------------------------------------------------------------------------


def bad(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


CELLS = {
    "an unknown metric": (bad("mae", "maee"), "metric 'maee'", "Did you mean mae?"),
    "in capitals": (bad("mae", "MAE"), "metric 'MAE'", "Did you mean mae?"),
    "a metric like no other": (
        bad("mae", "zzz"),
        "metric 'zzz'",
        "UNITS in evidence/printed/units.py",
    ),
    "a value that is no number": (
        bad("0.713,0.713", "much,0.713"),
        "found value 'much'",
        "a number such as 0.713",
    ),
    "a comma for a point": (
        bad("0.713,0.713", '"0,713",0.713'),
        "found value '0,713'",
        "a number such as 0.713",
    ),
    "an empty value": (bad("0.713,0.713", ",0.713"), "found value ''", "a number such as 0.713"),
    "not a number": (bad("0.713,", "nan,"), "value 'nan'", "a number such as 0.713"),
    "infinite": (bad("0.713,", "-inf,"), "value '-inf'", "a number such as 0.713"),
    "no paper": (bad("ash,", " ,"), "an empty cell in column paper", "a name"),
    "no exhibit": (bad("table1", ""), "an empty cell in column exhibit", "a name"),
    "nothing printed": (bad("0.713,0.713", "0.713,"), "column printed", "the characters"),
}


@pytest.mark.parametrize("name", CELLS)
def test_a_bad_cell_is_refused(name, folder):
    line, found, expected = CELLS[name]
    error = refused(folder(bad("mae", "corr"), line))
    assert error.where.endswith("ash.csv, line 3")
    assert found in str(error), error
    assert expected in str(error), error
    assert len(str(error)) < 300


@pytest.mark.parametrize(
    "cell",
    [
        "corr,79,79",
        "corr,79,0.79",
        "corr,1.093,1.093",
        "corr,-1.01,-1.01",
        "corr,0.0079,0.0079",
        "acc7,0.45,0.45",
        "acc7,184.5,184.5",
        "acc7,-45,-45",
        "acc2,8610,0.861",
        "mae,71.3,0.713",
        "mae,-0.7,-0.7",
        "mae,601,601",
        "count,1.5,1.5",
        "count,-2,-2",
        "dropout,2,2",
        "seconds,-1,-1",
        "label,250,250",
    ],
)
def test_a_number_out_of_range_is_left_to_the_checks(cell, folder):
    """A reader wants to have found it, beside all that is right."""
    found = load(folder(bad("mae", "acc5"), bad("mae,0.713,0.713", cell)))
    assert found["line"].tolist() == [2, 3]
    metric, value, _ = cell.split(",")
    assert found.loc[1, ["metric", "value"]].tolist() == [metric, float(value)]
    checks.run(found)


def test_a_correlation_above_1_is_the_first_finding(folder):
    found = checks.run(load(folder(GOOD, bad("mae,0.713,0.713", "corr,1.093,1.093"))))
    assert found[0].severity == "impossible" and found[0].cells == (1,)
    assert found[0].message == "Table 1, MOSI, Net, Corr: 1.093 lies outside -1 to 1."


def test_a_factor_of_100_in_the_file_alone_is_found(folder):
    found = checks.run(load(folder(bad("mae,0.713,0.713", "acc2,8610,0.861"))))
    assert {"bounds", "transcription"} <= {finding.check for finding in found}


def test_a_label_beyond_its_scale_is_left_to_the_checks(folder):
    assert len(load(folder(bad("mae,0.713,0.713", "label_max,3.5,3.5")))) == 1


NAMES = HEAD.replace(",", ", ")
UTF_8 = "found characters that are not UTF-8; expected a CSV file in UTF-8 with the printed numbers"
OTHERS = f"expected only {NAMES}, each once. Remove the others."
MESSAGES = {
    ", line 3: found 10 fields; expected 9. Quote fields that hold a comma.": [
        f"{HEAD}\n{GOOD}\n{GOOD}a, comma\n"
    ],
    ", line 3: found 3 fields; expected 9. Add those that are missing, empty where they do not "
    "apply.": [f"{HEAD}\n{GOOD}\nash,table1,mosi\n"],
    f", line 1: found no column printed; expected {NAMES}. Add the column, empty where it does "
    "not apply.": [f"{HEAD.replace('printed,', '')}\n"],
    f", line 1: found no column system; expected {NAMES}. Is 'sytem' the column system? Rename "
    "it.": [f"{HEAD.replace('system', 'sytem')}\n{GOOD}\n"],
    f", line 1: found columns {NAMES}, page; {OTHERS}": [f"{HEAD},page\n"],
    f", line 1: found columns {NAMES}, paper; {OTHERS}": [f"{HEAD},paper\n"],
    ", line 1: found column Paper, METRIC; expected paper, metric in lower case. Rename the "
    "column.": [f"{HEAD.replace('paper', 'Paper').replace('metric', 'METRIC')}\n{GOOD}\n"],
    ", line 1: found a semicolon between the columns; expected a comma between them. Save the "
    "file with commas as separators.": [f"{HEAD}\n{GOOD}\n".replace(",", ";")],
    ", line 1: found a tab between the columns; expected a comma between them. Save the file "
    "with commas as separators.": [f"{HEAD}\n{GOOD}\n".replace(",", "\t")],
    f": found an empty file; expected a line with the columns {NAMES}. Fill the file, or remove "
    "it.": ["", "\n \n", "\ufeff"],
    ": found no row below the names of the columns; expected one row per printed number. Add "
    "the rows, or remove the file.": [f"{HEAD}\n", f"{HEAD}\n\n  \n"],
    f", line 2: {UTF_8} of a paper. Save the file as UTF-8.": [
        f"{HEAD}\n{GOOD}ü\n".encode("latin-1")
    ],
    f", line 1: {UTF_8} of a paper. Save the file as UTF-8.": [f"{HEAD}\nü\n".encode("utf-16")],
    ", line 3: found no readable row (unexpected end of data); expected a CSV file in UTF-8 with "
    "the printed numbers of a paper. Close the quotes of this row, and double those inside a "
    "field.": [f'{HEAD}\n{GOOD}\nash,table1,mosi,"Net,,mae,0.713,0.713,\n{GOOD}\n\n'],
    ", line 3: found ash, table1, mosi, Net, mae again, as in ash.csv, line 2; expected every "
    "number once. Remove one of the two rows, or give it a variant of its own.": [
        f"{HEAD}\n{GOOD}\n{GOOD.replace('0.713', '0.714')}\n"
    ],
}
"""The message after the name of the file, and contents that are refused with it."""


@pytest.mark.parametrize(
    ("content", "message"), [(c, message) for message, each in MESSAGES.items() for c in each]
)
def test_a_file_is_refused_with_line_and_remedy(content, message, tmp_path):
    path = tmp_path / "ash.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert str(refused(tmp_path)) == f"{path}{message}"


@pytest.mark.parametrize("column", HEAD.split(","))
def test_a_missing_column_is_refused(column, folder):
    head = ",".join(name for name in HEAD.split(",") if name != column)
    assert refused(folder(head=head)).found == f"no column {column}"


def test_a_missing_folder_and_an_empty_one_are_refused(tmp_path):
    for where, found in ((tmp_path / "none", "no such folder"), (tmp_path, "no CSV file")):
        error = refused(where)
        assert (error.where, error.found) == (str(where), found)
        assert error.expected == "one CSV file per paper"


def test_a_paper_without_printed_numbers_is_refused():
    with pytest.raises(UserError, match=r"nonsense\.csv: found no such file; expected a CSV"):
        printed.load("nonsense")


def test_a_number_twice_in_two_files_is_refused(folder):
    folder(GOOD)
    error = refused(folder(GOOD.replace("mae", "corr"), GOOD, name="birch.csv"))
    assert error.where.endswith("/birch.csv, line 3")
    assert error.found.endswith("as in ash.csv, line 2")
    assert error.expected == "every number once"


def test_the_text_may_list_several_values_of_a_setting(folder):
    """With 1, 2 or 4 experts; but the same value twice is one too many."""
    text = "ash,text,mosi,Net,,num_experts,{0},{0},"
    assert len(load(folder(*(text.format(n) for n in (1, 2, 4))))) == 3
    assert refused(folder(text.format(2), text.format(2))).where.endswith("/ash.csv, line 3")
    results = "ash,text,mosi,Net,,acc7,{0},{0},"
    assert refused(folder(results.format(45.1), results.format(45.2))).found.startswith("ash, text")
