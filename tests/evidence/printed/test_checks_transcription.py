"""Print against file: numbers, scales and decimals."""

import pytest

from msalib.evidence.printed.checks import transcription
from tests.cells import at, row, table

# --- transcription --------------------------------------------------------------------------------


def test_a_value_that_is_not_what_is_printed():
    t = table(row("ash/table1/mosi/Net", mae=(0.731, "0.713")))
    (one,) = transcription.check(t, {})
    assert (one.severity, one.paper) == ("inconsistent", "ash")
    assert at(t, one) == ["ash/table1/mosi/Net#mae"]
    assert "the file gives 0.731 for a printed '0.713', which is another number" in one.message


@pytest.mark.parametrize("number", ["0.713", (0.713, "0.713"), (0.713, "71.3")])
def test_a_value_in_a_usual_scale(number):
    assert not transcription.check(table(row("ash/table1/mosi/Net", mae=number)), {})


def test_a_result_that_is_no_number():
    t = table(row("ash/table1/mosi/Net", mae=(0.795, "0.79.5")))
    (one,) = transcription.check(t, {})
    assert one.severity == "notable"
    assert "printed as '0.79.5', which is no number; read as 0.795" in one.message


def test_words_in_the_text_and_for_settings():
    assert not transcription.check(
        table(
            row("ash/text/mosi/Net", delta_f1=(1, "over one")),
            row("ash/table1/mosi/Net", epochs=(3, "three")),
        ),
        {},
    )


def test_two_scales_in_one_column():
    t = table(
        row("ash/table1/mosi/A", mae="0.713"),
        row("ash/table1/mosi/B", mae=(0.714, "71.4")),
        row("ash/table1/mosi/C", mae="0.715"),
    )
    (one,) = transcription.check(t, {})
    assert one.severity == "notable"
    assert at(t, one) == ["ash/table1/mosi/B#mae"]
    assert "1 of 3 numbers are scaled by another factor than the others: B 71.4" in one.message


def test_a_number_in_no_scale_is_no_scale():
    """A slip in the file is told once, as such."""
    t = table(
        row("ash/table1/mosi/A", mae="0.713"),
        row("ash/table1/mosi/B", mae=(0.714, "0.715")),
        row("ash/table1/mosi/C", mae="0.715"),
    )
    assert [f.severity for f in transcription.check(t, {})] == ["inconsistent"]


def test_scales_of_other_columns():
    assert not transcription.check(
        table(
            row("ash/table1/mosi/A", mae="0.713", acc7=(45.1, "0.451")),
            row("ash/table1/mosi/B", acc7=(45.2, "0.452")),
            row("ash/table2/mosi/B", mae=(0.714, "71.4")),
            row("birch/table1/mosi/B", mae=(0.714, "71.4")),
            row("ash/text/mosi/B", mae=(0.714, "71.4")),
        ),
        {},
    )


# --- precision ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("numbers", "odd"),
    [
        (["83.1", "83.2", "83.3", "83.4", "83.5", "83.37"], [5]),
        (["83.1", "83.2", "83.3", "83.4", "83.37"], []),  # too few
        (["83.1", "83.2", "83.3", "83.45", "83.5", "83.37"], []),  # two of them
        (["83.11", "83.22", "83.33", "83.44", "83.55", "83.4"], []),  # a dropped zero
    ],
)
def test_more_decimals_than_the_rest_of_a_column_are_told(numbers, odd):
    t = table(*(row(f"ash/table1/mosi/Net/{k}", acc7=n) for k, n in enumerate(numbers)))
    found = transcription.check(t, {})
    assert [f.cells for f in found] == [(k,) for k in odd]
    assert all(f.severity == "notable" and "83.37 has more decimals" in f.message for f in found)
