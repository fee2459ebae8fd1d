"""Numbers as papers print them: digits, scales, and how precise they are."""

import pytest

from msalib.evidence.printed import units


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.713", 0.713),
        ("1,284", 1284),
        ("-.5", -0.5),
        ("84.2%", 84.2),
        ("1e-4", 0.0001),
        (" 84.2 ", 84.2),
        ("+3", 3),
        ("2s", 2),
        ("three", None),
        ("1/10", None),
        ("0.79.5", None),
        ("", None),
        (".", None),
        ("over 4", None),
        ("84.2-85.0", None),
        ("nan", None),
    ],
)
def test_numbers_in_print(text, value):
    assert units.number(text) == value


@pytest.mark.parametrize(
    ("value", "text", "scale"),
    [
        (84.2, "84.2", 1),
        (84.2, "0.842", 100),
        (0.713, "71.3", 0.01),
        (0.713, "0.714", None),
        (84.2, "8420", 0.01),
        (4, "four", 1),
        (0, "0.0", 1),
        (0.84, "8.4", None),
    ],
)
def test_scales(value, text, scale):
    assert units.scale(value, text) == scale


@pytest.mark.parametrize(
    ("value", "text", "half"),
    [
        (84.2, "84.2", 0.05),
        (84.2, "84.20", 0.005),
        (84, "84", 0.5),
        (84.2, "0.842", 0.05),
        (0.713, "0.713", 0.0005),
        (0.713, "71.3", 0.0005),
        (84.2, "84.2%", 0.05),
        (4, "four", 0),
        (0.1, "1/10", 0.05),
        (0.795, "0.79.5", 0.0005),
        (1284, "1,284", 0.5),
        (0.0001, "1e-4", 5e-05),
        (0.00015, "1.5e-4", 5e-06),
    ],
)
def test_half_a_unit_in_the_last_place(value, text, half):
    assert units.half_unit(value, text) == pytest.approx(half)


def test_every_metric_of_the_book_has_a_unit():
    from msalib.data.metrics import METRICS

    assert set(METRICS) <= set(units.METRIC_UNITS)
    assert "mae" in units.LOWER_IS_BETTER and "acc7" not in units.LOWER_IS_BETTER
