"""What luck alone would give: constants, and the largest of many."""

import numpy as np
import pytest

from msalib.evidence.printed import testparts
from msalib.evidence.printed.checks import chance
from tests.cells import at, entry, row, table


def constant(number: str, metric: str, corpus: str = "mosi"):
    t = table(row(f"ash/table1/{corpus}/Net/no_text", **{metric: number}))
    return t, chance.check(t, {})


@pytest.mark.parametrize(
    ("metric", "worse", "at_level", "better"),
    [
        ("mae", "1.500", "1.455", "1.454"),
        ("corr", "-0.010", "0.000", "0.001"),
        ("acc2_has0", "50.0", "55.2", "55.3"),
        ("acc2_non0", "50.0", "57.7", "57.8"),
        ("f1_has0", "30.0", "39.2", "39.4"),
        ("acc7", "20.0", "22.6", "22.7"),
        ("acc2", "50.0", "55.2", "55.3"),
        ("f1", "30.0", "39.2", "39.4"),
    ],
)
def test_a_constant_does_as_well(metric, worse, at_level, better):
    """Levels on MOSI: MAE 1.4548, accuracies 55.18, 57.71, 22.63, F1 39.25, within half a digit."""
    for number in (worse, at_level):
        t, (one,) = constant(number, metric)
        assert (one.check, one.severity, one.paper) == ("chance", "notable", "ash")
        assert at(t, one) == [f"ash/table1/mosi/Net/no_text#{metric}"]
        assert "Table 1, MOSI, Net no text: no better than a predictor that looks" in one.message
        assert f"{number} (constant: " in one.message
    assert constant(better, metric)[1] == []


def test_what_no_number_can_be_is_left_to_the_check_of_bounds():
    for metric, number in (("f1_has0", "-3.0"), ("corr", "-3.0"), ("mae", "72.1")):
        assert constant(number, metric)[1] == []


def test_levels_are_those_of_the_labels():
    level = testparts.labels("mosi").chance
    assert level["acc2_non0"] == pytest.approx(378 / 655)
    assert level["acc2_has0"] == pytest.approx(378 / 685)


def test_levels_are_shown_as_numbers_are_printed():
    _, (share,) = constant("50.0", "acc2_has0")
    assert "Acc-2 (has 0) 50.0 (constant: 55.2)." in share.message
    _, (error,) = constant("1.500", "mae")
    assert "MAE 1.500 (constant: 1.455)." in error.message


def test_one_finding_per_row():
    t = table(
        row("ash/table1/mosi/A", mae="1.5", corr="0.0", acc7="45.0"),
        row("ash/table2/mosi/A", mae="1.5"),
    )
    one, other = chance.check(t, {})
    assert at(t, one) == ["ash/table1/mosi/A#mae", "ash/table1/mosi/A#corr"]
    assert "MAE 1.5 (constant: 1.455), Corr 0.0 (constant: 0.000)." in one.message
    assert at(t, other) == ["ash/table2/mosi/A#mae"]


def test_where_no_level_is_known():
    assert constant("50.0", "acc2_has0", "nowhere")[1] == []
    assert constant("50.0", "wa")[1] == []
    assert constant("-0.1", "corr", "nowhere")[1]
    assert chance.check(table(row("ash/text/mosi/Net", corr="-0.1")), {}) == []


def grid(headline: str, n: int = 25, best: float = 75.0, variant="full", metric="acc3"):
    """Configurations t1_a1, t1_a2 ... from 70.0 up to the best, and a headline."""
    values = np.linspace(70, best, n)
    rows = [
        row(f"ash/table5/mosi/Net/t{k // 5}_a{k % 5}", **{metric: f"{value:.2f}"})
        for k, value in enumerate(values)
    ]
    return table(*rows, row(f"ash/table1/mosi/Net/{variant}", **{metric: headline}))


OWN = {"ash": entry(["Net"])}


@pytest.mark.parametrize("variant", ["", "full"])
def test_a_headline_that_is_the_best_of_many(variant):
    t = grid("75.00", variant=variant)
    (one,) = chance.check(t, OWN)
    assert one.severity == "notable"
    assert at(t, one) == [
        f"ash/table1/mosi/Net/{variant}".rstrip("/") + "#acc3",
        "ash/table5/mosi/Net/t4_a4#acc3",
    ]
    # 25 equal steps from 70 to 75: mean 72.5, deviation 1.53; 1.965 deviations for 25 draws.
    assert "best of 25 printed configurations (mean 72.50, standard deviation 1.53)" in one.message
    assert "expected at 75.5" in one.message


def test_for_errors_the_best_is_the_smallest():
    values = np.linspace(0.9, 0.7, 25)
    rows = [row(f"ash/table5/mosi/Net/t{k}", mae=f"{v:.3f}") for k, v in enumerate(values)]
    (one,) = chance.check(table(*rows, row("ash/table1/mosi/Net", mae="0.700")), OWN)
    assert "the headline 0.700 is the best of 25" in one.message
    assert chance.check(table(*rows, row("ash/table1/mosi/Net", mae="0.900")), OWN) == []


def test_a_headline_that_is_not_the_best_of_many():
    assert chance.check(grid("74.00"), OWN) == []
    assert chance.check(grid("75.00", n=19), OWN) == []
    assert len(chance.check(grid("75.00", n=20), OWN)) == 1
    assert chance.check(grid("75.00", variant="no_text"), OWN) == []
    assert chance.check(grid("75.00"), {}) == []
    assert chance.check(grid("75.00"), {"ash": entry(["Other"])}) == []


@pytest.mark.parametrize(("n", "expected"), [(1, 0.0), (2, np.pi**-0.5), (3, 1.5 * np.pi**-0.5)])
def test_the_expected_largest_of_normal_draws(n, expected):
    assert chance._largest_normal(n) == pytest.approx(expected, abs=1e-6)


def test_the_expected_largest_of_64():
    drawn = np.random.default_rng(0).normal(size=(20_000, 64)).max(1)
    assert chance._largest_normal(64) == pytest.approx(drawn.mean(), abs=0.01)
