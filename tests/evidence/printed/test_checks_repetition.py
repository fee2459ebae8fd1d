"""The same row in two places of one paper."""

import pytest

from msalib.evidence.printed.checks import repetition
from tests.cells import at, row, table

NET = {"mae": "0.713", "corr": "0.790", "acc7": "45.1", "f1_non0": "85.2"}
OTHER = {"mae": "0.813", "corr": "0.690", "acc7": "40.1", "f1_non0": "80.2"}


def found(*rows):
    return repetition.check(table(*rows), {})


# --- one row twice ------------------------------------------------------------------------------


def test_one_row_with_two_numbers():
    t = table(
        row("ash/table1/mosi/Net", **NET), row("ash/table2/mosi/Net/full", **NET | {"acc7": "45.4"})
    )
    (one,) = repetition.check(t, {})
    assert (one.check, one.severity, one.paper) == ("repetition", "inconsistent", "ash")
    assert at(t, one) == ["ash/table1/mosi/Net#acc7", "ash/table2/mosi/Net/full#acc7"]
    assert "Table 1 and Table 2 print Acc-7 45.1 and 45.4" in one.message
    assert "3 of 4 numbers of these rows agree" in one.message


def test_a_row_of_one_name_is_named_once():
    (one,) = found(
        row("ash/table1/mosi/Net", **NET), row("ash/table2/mosi/Net", **NET | {"acc7": "45.4"})
    )
    assert one.message.startswith("MOSI: Net: Table 1 and Table 2 print Acc-7 45.1 and 45.4;")


def test_rows_that_agree():
    assert not found(row("ash/table1/mosi/Net", **NET), row("ash/table2/mosi/Net", **NET))


@pytest.mark.parametrize(
    ("one", "other", "agree"),
    [
        ("45.1", "45.10", True),
        ("45.1", "45.14", True),
        ("45.1", "45.15", True),
        ("45.1", "45.16", False),
        ("45.1", "45.2", False),
        ("45", "45.4", True),
    ],
)
def test_the_coarser_precision_decides(one, other, agree):
    """45.15 may be rounded to 45.1 or 45.2."""
    rows = row("ash/table1/mosi/Net", acc7=one), row("ash/table2/mosi/Net", acc7=other)
    assert bool(found(*rows)) != agree


def test_a_row_under_another_name_is_known_by_its_numbers():
    """Three of four numbers agree: 75%."""
    t = table(
        row("ash/table1/mosi/Net", **NET), row("ash/table2/mosi/A/b", **NET | {"mae": "0.714"})
    )
    (one,) = repetition.check(t, {})
    assert one.severity == "inconsistent"
    assert "Net and A b: Table 1 and Table 2 print MAE 0.713 and 0.714" in one.message


def test_three_numbers_are_enough_to_know_a_row_by():
    """Two of three agree: 67%; and of five, three: 60% is just enough."""
    three = {"mae": "0.713", "corr": "0.790", "acc7": "45.1"}
    assert found(
        row("ash/table1/mosi/A", **three), row("ash/table2/mosi/B", **three | {"mae": "0.9"})
    )
    five = NET | {"acc3": "70.0"}
    other = five | {"mae": "0.900", "corr": "0.600"}
    assert found(row("ash/table1/mosi/A", **five), row("ash/table2/mosi/B", **other))


def test_the_whole_model_has_two_names():
    """Without a variant, or full: one row, however few numbers agree."""
    (one,) = found(
        row("ash/table1/mosi/Net", mae="0.7"), row("ash/table2/mosi/Net/full", mae="0.8")
    )
    assert one.severity == "inconsistent"
    assert not found(
        row("ash/table1/mosi/Net", mae="0.7"), row("ash/table2/mosi/Net/no_text", mae="0.8")
    )


def test_two_names_with_half_of_their_numbers_in_common_are_two_rows():
    half = NET | {"mae": "0.714", "corr": "0.791"}
    assert not found(row("ash/table1/mosi/Net", **NET), row("ash/table2/mosi/A", **half))


def test_two_names_with_two_numbers_in_common_are_two_rows():
    few = {"mae": "0.713", "corr": "0.791"}
    assert not found(row("ash/table1/mosi/Net", **NET), row("ash/table2/mosi/A", **few))


def test_what_is_not_compared():
    """Another paper, data set or exhibit of the text, and settings."""
    differ = NET | {"acc7": "45.4"}
    assert not found(
        row("ash/table1/mosi/Net", **NET),
        row("birch/table2/mosi/Net", **differ),
        row("ash/table2/mosei/Net", **differ),
        row("ash/text/mosi/Net", **differ),
    )
    assert not found(row("ash/table1/mosi/Net", epochs="3"), row("ash/table2/mosi/Net", epochs="4"))
    assert not found(row("ash/table1/mosi/Net", **NET))


# --- equal rows ---------------------------------------------------------------------------------


def test_two_variants_with_the_same_numbers():
    t = table(row("ash/table1/mosi/Net/a", **NET), row("ash/table1/mosi/Net/b", **NET))
    (one,) = repetition.check(t, {})
    assert one.severity == "notable"
    assert "Net a and Net b have the same numbers in all 4 columns" in one.message
    assert len(one.cells) == 8
    assert not found(
        row("ash/table1/mosi/Net/a", **NET), row("ash/table1/mosi/Net/b", **NET | {"acc7": "45.2"})
    )
    two = {"mae": "0.713", "corr": "0.790"}
    assert not found(row("ash/table1/mosi/Net/a", **two), row("ash/table1/mosi/Net/b", **two))


def test_one_row_under_several_names():
    t = table(row("ash/table1/mosi/Net", **NET), row("ash/table2/mosi/A/b", **NET))
    (one,) = repetition.check(t, {})
    assert one.severity == "notable"
    assert "the same numbers have several names: Net in Table 1; A b in Table 2" in one.message
    assert len(one.cells) == 8
    assert not found(row("ash/table1/mosi/Net", **NET), row("ash/table2/mosi/A", **OTHER))


def test_three_equal_numbers_are_enough():
    three = {"mae": "0.713", "corr": "0.790", "acc7": "45.1"}
    assert found(row("ash/table1/mosi/A/x", **three), row("ash/table1/mosi/A/y", **three))
    assert found(row("ash/table1/mosi/A", **three), row("ash/table2/mosi/B", **three))


# --- the release --------------------------------------------------------------------------------


def test_numbers_of_the_release_are_told_together():
    t = table(
        row("ash/table1/mosi/Net", **NET),
        row("ash/table1/mosi/Other", **OTHER),
        row("ash/readme/mosi/Net", mae="0.700", corr="0.790"),
        row("ash/readme/mosi/Other", mae="0.800"),
    )
    (one,) = repetition.check(t, {})
    assert one.severity == "notable"
    assert "Table 1 of the paper and README of its release differ in 2 of 3 numbers" in one.message
    assert "Net MAE 0.713 and 0.700, Other MAE 0.813 and 0.800" in one.message
    assert len(one.cells) == 4
    assert not found(row("ash/table1/mosi/Net", **NET), row("ash/readme/mosi/Net", mae="0.713"))


# --- names exchanged ----------------------------------------------------------------------------


def test_two_rows_with_their_names_exchanged():
    t = table(
        row("ash/table1/mosi/A", **NET),
        row("ash/table1/mosi/B", **OTHER),
        row("ash/table2/mosi/A", **OTHER),
        row("ash/table2/mosi/B", **NET),
    )
    told = [f for f in repetition.check(t, {}) if "the other way round" in f.message]
    (one,) = told
    assert one.severity == "inconsistent"
    assert "A in Table 1 has the numbers of B in Table 2, and the other way round" in one.message
    assert "MAE 0.713 and 0.713" in one.message
    assert len(one.cells) == 16


def test_rows_exchanged_in_what_both_exhibits_print():
    less = {m: OTHER[m] for m in ("mae", "corr")}
    found_ = found(
        row("ash/table1/mosi/A", **NET),
        row("ash/table1/mosi/B", **OTHER),
        row("ash/table2/mosi/A", **less),
        row("ash/table2/mosi/B", **{m: NET[m] for m in less}),
    )
    told = [f for f in found_ if "the other way round" in f.message]
    assert len(told) == 1
    assert "(MAE 0.713 and 0.713, Corr 0.790 and 0.790)" in told[0].message


@pytest.mark.parametrize("exchanged", ["neither", "only A", "only B"])
def test_both_rows_must_be_exchanged(exchanged):
    fresh = [{m: f"{k}.{n}" for n, m in enumerate(NET)} for k in (1, 2)]
    there = {"A": OTHER if exchanged == "only A" else fresh[0]}
    there["B"] = NET if exchanged == "only B" else fresh[1]
    found_ = found(
        row("ash/table1/mosi/A", **NET),
        row("ash/table1/mosi/B", **OTHER),
        *(row(f"ash/table2/mosi/{s}", **numbers) for s, numbers in there.items()),
    )
    assert not any("the other way round" in f.message for f in found_)


def test_rows_in_their_places_are_not_exchanged():
    rows = [row(f"ash/table{n}/mosi/A", **NET) for n in (1, 2)]
    rows += [row(f"ash/table{n}/mosi/B", **OTHER) for n in (1, 2)]
    assert not found(*rows)
    # Nor are two rows that are equal anyway.
    rows = [row(f"ash/table{n}/mosi/{s}", mae="0.7", corr="0.7") for n in (1, 2) for s in "AB"]
    assert not found(*rows)


def test_one_number_is_too_little_to_know_a_row_by():
    rows = [
        row("ash/table1/mosi/A", mae="0.7"),
        row("ash/table1/mosi/B", mae="0.8"),
        row("ash/table2/mosi/A", mae="0.8"),
        row("ash/table2/mosi/B", mae="0.7"),
    ]
    assert not any("the other way round" in f.message for f in found(*rows))


def test_two_exhibits_of_the_release_must_agree_but_for_exchanged_rows():
    """0.667 is 0.6677 cut, not rounded; the exchange of two rows is told once."""
    t = table(
        row("uegd/readme/mosi/UEGD/a", mae=".934", corr=".667"),
        row("uegd/readme/mosi/UEGD/b", mae=".812", corr=".747"),
        row("uegd/readme/mosi/UEGD/c", mae=".833", corr=".751"),
        row("uegd/readme_history/mosi/UEGD/a", mae="0.9343", corr="0.6677"),
        row("uegd/readme_history/mosi/UEGD/b", mae="0.8334", corr="0.7510"),
        row("uegd/readme_history/mosi/UEGD/c", mae="0.8119", corr="0.7465"),
    )
    cut, exchanged = repetition.check(t, {})
    assert "Corr .667 and 0.6677" in cut.message and cut.severity == "inconsistent"
    assert "the other way round" in exchanged.message
