"""Tables that a spreadsheet has saved in its own way: refused with a remedy that works, or read."""

import codecs

import pytest

from msalib.base.errors import UserError
from msalib.data.readers import csvs, formats
from tests import fixtures_more
from tests.data.readers.toolbox import message


def csd_with_parts(folder):
    """Sequences, and a table that says in which part a video is."""
    folder = fixtures_more.csd(folder)
    parts = [f"vid{v:02d},{('train', 'valid', 'test')[v % 3]}" for v in range(12)]
    (folder / "splits.csv").write_text("\n".join(["video,part", *parts]) + "\n")
    return folder


TABLES = {
    "media": (fixtures_more.media, "label.csv", ","),
    "iemocap": (fixtures_more.iemocap, "utterances.csv", ","),
    "meld": (fixtures_more.meld, "dev_sent_emo.csv", ","),
    "nemo": (fixtures_more.nemo, "clips.tsv", "\t"),
    "csd": (csd_with_parts, "splits.csv", ","),
}
"""Format -> who writes the folder, its table, and what separates the values."""

SAYING = "今天天气很好我们去公园"
GERMAN = "schön übel größer"


def saved(tmp_path, name: str, said: str):
    """A folder whose table has some words in the last column, and that table as UTF-8 text."""
    write, file, mark = TABLES[name]
    folder = write(tmp_path / "source")
    polish = str.maketrans({"ś": "s", "ę": "e", "„": "", "”": ""})  # neither GBK nor cp1252
    lines = (folder / file).read_text(encoding="utf-8-sig").translate(polish).splitlines()
    lines = [line + mark + (said if i else "remark") for i, line in enumerate(lines)]
    return folder, folder / file, "\n".join(lines) + "\n"


def convert(folder):
    return formats.convert(folder, "toy", formats.Options())[0]


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize(
    ("encoding", "said", "found"),
    [
        ("gbk", SAYING, "that are no utf-8 text, at byte"),
        ("gb18030", SAYING, "(GBK, as Windows saves it in Chinese)"),
        ("utf-16", SAYING, "UTF-16 text"),
        ("utf-16-le", GERMAN, "UTF-16 text"),
    ],
)
def test_another_encoding_is_told_with_a_remedy_that_works(tmp_path, name, encoding, said, found):
    folder, file, text = saved(tmp_path, name, said)
    file.write_bytes(text.encode(encoding))
    with pytest.raises(UserError) as error:
        convert(folder)
    assert str(file) == error.value.where and found in error.value.found
    separated = "tab-separated" if TABLES[name][2] == "\t" else "comma-separated"
    assert "UTF-8" in error.value.remedy and separated in error.value.remedy
    file.write_text(text, encoding="utf-8-sig")  # what the remedy says
    assert len(convert(folder))


@pytest.mark.parametrize("name", [name for name in TABLES if name != "meld"])  # reads cp1252
def test_cp1252_with_semicolons_is_told_once_for_both(tmp_path, name):
    folder, file, text = saved(tmp_path, name, GERMAN)
    file.write_bytes(text.replace(TABLES[name][2], ";").encode("cp1252"))
    text = message(convert, folder)
    assert "(cp1252, say)" in text and "UTF-8" in text and "-separated." in text


@pytest.mark.parametrize(
    ("first", "ending"), [(b"PK\3\4\x14\0\6\0", ".xlsx"), (b"\xd0\xcf\x11\xe0\xa1\xb1", ".xls")]
)
def test_a_workbook_is_told(tmp_path, first, ending):
    file = tmp_path / "label.csv"
    file.write_bytes(first + bytes(range(256)) * 20)
    text = message(csvs.table, file, ["id"])
    assert "the workbook of a spreadsheet" in text and ending in text
    assert text.endswith("Save it as CSV UTF-8, comma-separated.")


def test_damaged_utf_8_is_to_be_restored(tmp_path):
    file = tmp_path / "label.csv"
    file.write_bytes(("id,text\n" + "".join(f"{i},很高兴\n" for i in range(9))).encode()[:-3])
    text = message(csvs.table, file, ["id"])
    assert "no utf-8 text" in text and text.endswith("Restore the file from its source.")


@pytest.mark.parametrize(
    "content",
    [
        "id,text,,\r\na,x,,\r\nb,y,,\r\n,,,\r\n",
        "id,text\na,x\nb,y\n,\n \n\n",
        "sep=,\nid,text\na,x\nb,y\n",
        "id,text\na,x,\nb,y\n",
        "id,text\ra,x\rb,y\r",
    ],
    ids=["empty columns and rows", "empty rows", "hint", "comma at the end", "line ends of old"],
)
def test_what_spreadsheets_leave_at_the_edges_is_no_data(tmp_path, content):
    file = tmp_path / "label.csv"
    file.write_text(content, encoding="utf-8", newline="")
    table = csvs.table(file, ["id"])
    assert table.to_dict("list") == {"id": ["a", "b"], "text": ["x", "y"]}


def test_a_value_without_a_column_is_still_told(tmp_path):
    file = tmp_path / "label.csv"
    file.write_bytes(codecs.BOM_UTF8 + b"id,text\na,x\nb,y,z\n")
    assert "3 values in line 3; expected 2" in message(csvs.table, file, ["id"])


def test_a_hint_of_semicolons_is_told_as_semicolons_are(tmp_path):
    file = tmp_path / "label.csv"
    file.write_text("sep=;\nid;text\na;x\n")
    assert "columns that are separated by semicolons" in message(csvs.table, file, ["id"])


def test_vertical_bars_are_told(tmp_path):
    file = tmp_path / "label.csv"
    file.write_text("id|text\na|x\n")
    text = message(csvs.table, file, ["id", "text"])
    assert "separated by vertical bars" in text and text.endswith("comma-separated.")
