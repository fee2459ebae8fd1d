"""Tables as such: captions, undefined values, where records come from."""

import pandas as pd

from msalib.evidence.common import why_undefined
from msalib.pages import reading, tables
from msalib.pages.markup import details
from msalib.pages.tables import Folded, Note, Setting, Table
from msalib.runs.query import Runs
from tests.factory import layer_records, make_record, predictions
from tests.html import read

CONSTANT = float("inf")


def test_runs_without_a_correlation_are_counted():
    found = layer_records({"linguistic": {1: 1.0, 2: CONSTANT}}, seeds=3)
    assert tables.constants(found).startswith("3 of 6 runs predict the same for every clip")
    assert tables.constants(found[:3]) == ""
    assert tables.constants(found, "valid") != ""


def test_what_is_constant_is_named_in_a_sentence_of_its_own():
    labels, guesses = [1.0, -1.0, 2.0], [0.5, 0.1, 0.2]
    same = [0.3] * 3
    pairs = [(labels, guesses), (labels, same), (same, guesses), (same, same)]
    records = []
    for k, (label, guess) in enumerate(pairs):
        plain = predictions(labels, guesses, "abc")
        record = make_record({"linguistic": k}, parts={"valid": plain, "test": plain})
        record.predictions["test"] = predictions(label, guess, "abc")
        record.metrics["test"]["corr"] = None if k else 0.5
        records.append(record)
    undefined = "so that their correlation is undefined. "
    same = f"have the same label, {undefined}"
    assert tables.constants(records) == (
        f"1 of 4 runs predict the same for every clip, {undefined}"
        f"1 of 4 runs are scored on clips that all {same}"
        f"1 of 4 runs predict the same for every clip, and all clips {same}"
    )
    systems = [record.spec.system for record in records]
    assert why_undefined(Runs(records), systems) == [
        "Corr undefined (constant predictions) for 1 of 1 seeds of linguistic-1",
        "Corr undefined (constant labels) for 1 of 1 seeds of linguistic-2",
        "Corr undefined (constant labels and predictions) for 1 of 1 seeds of linguistic-3",
    ]


def test_a_table_shows_its_caption_and_can_be_reached_by_keyboard():
    page = read(Table(pd.DataFrame({"n": [1]}), caption="Setting: a & b. More."))
    (region,) = [a for a in page.attributes("div") if a.get("role") == "region"]
    assert region["aria-label"] == "Setting: a & b."
    assert region["tabindex"] == "0"
    assert "Setting: a & b." in page.text


def test_rows_are_announced_by_their_first_cell_and_columns_by_their_heads():
    frame = pd.DataFrame({"claim": ["C1", ""], "n": [1, 2]})
    heads = read(Table(frame, caption="c")).attributes("th")
    assert [head["scope"] for head in heads] == ["col", "col", "row"]  # none of nothing


def test_the_first_texts_that_differ_name_the_rows():
    frame = pd.DataFrame({"whose": ["ours"] * 2, "n": [1, 2], "feature": ["a", "b"]})
    for columns, naming in (("whose n feature", 2), ("whose n", 0), ("n feature", 0)):
        (grid,) = reading.grids(Table(frame[columns.split()], caption="c").html())
        assert grid.naming == naming


def test_columns_without_an_entry_are_left_out_and_named():
    frame = pd.DataFrame({"a": ["-", ""], "b": ["-", None], "c & d": [None, None], "e": [0, None]})
    (grid,) = reading.grids(Table(frame, caption="All.").html())
    assert [head.text for head in grid.heads] == ["a", "e"]  # the first names the rows
    assert grid.caption.startswith("All. ") and grid.caption.endswith("columns b, c & d.")


def test_heads_say_whether_a_column_holds_numbers_or_sentences():
    folded = details("3 settings", ["word " * 20])
    row = {"a": "C1", "n": 1, "s": "word " * 20, "w": "word", "folded": folded}
    (grid,) = reading.grids(Table(pd.DataFrame([row]), caption="c").html())
    assert [head.kind for head in grid.heads] == ["", "number", "sentence", "", ""]


def test_what_is_folded_has_a_summary_to_click_on():
    page = read(Folded("all <of> it", Table(pd.DataFrame({"n": [1]}), caption="c")))
    assert page.attributes("details") and page.attributes("summary")
    assert "all <of> it" in page.text and page.attributes("table")


def test_environment_groups_equal_origins():
    found = layer_records({"linguistic": {1: 1.0, 2: 2.0}})
    provenance = found[0].provenance.model_copy(update={"commit": "ffff"})
    found[0] = found[0].model_copy(update={"provenance": provenance})
    frame = tables.environment(found + found).frame  # a record asked for twice counts once
    assert frame["commits"].tolist() == ["ffff, 0123456789ab"]
    assert frame["runs"].tolist() == [len(found)]
    assert frame["first (UTC)"].iloc[0] == "2026-01-02 03:04"


def test_what_comes_from_outside_cannot_become_markup():
    assert "a <b> & c" in read(Table(pd.DataFrame({"n": [1]}), caption="a <b> & c")).text
    for shown in (Note("<script>"), Setting("<script>")):
        assert "<script>" in read(shown).text
        assert not read(shown).attributes("script")
