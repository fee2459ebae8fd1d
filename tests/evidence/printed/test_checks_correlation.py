"""MAE against what Corr and the variance of the labels leave."""

import numpy as np
import pytest

from msalib.evidence.printed import testparts
from msalib.evidence.printed.checks import bounds
from tests.cells import at, row, table
from tests.evidence.printed.test_checks_bounds import found

# --- MAE and correlation ------------------------------------------------------------------------


def errors(*pairs: tuple[str, str], corpus: str = "mosi"):
    return [
        row(f"ash/table1/{corpus}/Net{n}", mae=mae, corr=corr)
        for n, (mae, corr) in enumerate(pairs)
    ]


USUAL = [("0.762", "0.800"), ("0.907", "0.700"), ("1.100", "0.500")]
"""MAE is 0.80 of 1.588 sqrt(1 - r²): 0.953, 1.134, 1.375."""


def test_usual_rows_are_no_finding():
    assert not found(*errors(*USUAL))


@pytest.mark.parametrize(
    ("mae", "severity"),
    [("0.876", None), ("0.878", "notable"), ("0.649", None), ("0.647", "unlikely")],
)
def test_mae_far_from_what_corr_leaves(mae, severity):
    """0.953 x 0.80 = 0.762; 15% more are 0.877, 15% less are 0.648."""
    t = table(*errors(*USUAL, (mae, "0.800")))
    findings = bounds.check(t, {})
    assert [f.severity for f in findings] == ([severity] if severity else [])
    for one in findings:
        assert at(t, one) == ["ash/table1/mosi/Net3#mae", "ash/table1/mosi/Net3#corr"]
        assert "the labels' deviation 1.588 and that Corr leave" in one.message
        assert "of 0.953 or more, of which this MAE is" in one.message
        assert "the median of 4 rows on MOSI is 0.80" in one.message


@pytest.mark.parametrize(("mae", "below"), [("0.150", True), ("0.151", False)])
def test_mae_below_what_errors_on_the_scale_allow(mae, below):
    """No error exceeds 6, so that MAE is at least 0.908 / 6 = 0.1513; 0.151 may be 0.1515."""
    t = table(*errors(*USUAL, (mae, "0.800")))
    (one,) = bounds.check(t, {})
    assert one.severity == "unlikely"
    assert at(t, one) == ["ash/table1/mosi/Net3#mae", "ash/table1/mosi/Net3#corr"]
    assert ("no MAE below 0.151" in one.message) == below


def test_numbers_of_clips_without_zeros_are_recognised():
    """On MOSEI a fifth of the labels is 0; without them the deviation is 1.13 times as large."""
    labels = testparts.labels("mosei")
    usual = [(0.8 * np.sqrt(labels.variance * (1 - r * r)), r) for r in (0.5, 0.6, 0.7)]
    odd = 0.84 * np.sqrt(labels.variance_without_zeros * (1 - 0.75**2))
    rows = [(f"{mae:.3f}", f"{r:.3f}") for mae, r in [*usual, (odd, 0.75)]]
    (one,) = found(*errors(*rows, corpus="mosei"))
    assert one.severity == "notable"
    assert one.message.endswith("On labels without zeros it would be 0.84, as usual.")
    # Twice the usual MAE has another reason.
    rows[-1] = (f"{2 * odd:.3f}", "0.750")
    (one,) = found(*errors(*rows, corpus="mosei"))
    assert "without zeros" not in one.message


def test_no_pair_no_bound():
    assert not found(
        row("ash/table1/mosi/A", mae="0.100"),
        row("ash/table1/mosi/B", corr="0.800"),
        row("ash/table1/nowhere/C", mae="0.100", corr="0.800"),
        row("ash/table1/mosi/D", mae="0.762", corr="0.800"),
    )


def test_a_perfect_correlation_leaves_no_error():
    assert not found(*errors(*USUAL, ("0.000", "1.000")))


def test_data_sets_have_their_own_median():
    """0.55 is usual on MOSEI, and below what is usual on MOSI."""
    rows = errors(("0.710", "0.600"), ("0.634", "0.700"), corpus="mosei")
    assert not found(*errors(*USUAL), *rows)


def test_the_moments_without_zeros():
    """Labels -1, 0, 0, 3: mean 0.5, variance 2.25; without zeros mean 1, variance 4."""
    labels = testparts.Labels(zero=0.5, negative=0.25, mean=0.5, variance=2.25, slack=0, chance={})
    assert labels.variance_without_zeros == pytest.approx(4)


# --- among the rows of an exhibit ---------------------------------------------------------------


def steady(*odd: tuple[str, str], others: int = 5):
    """Rows with k near 0.79, and further ones."""
    numbers = [("0.937", "0.665"), ("0.900", "0.697"), ("0.855", "0.732"), ("0.808", "0.765")]
    numbers = (numbers * 2)[:others]
    return table(
        *(
            row(f"ash/table1/mosi/Net/{k}", mae=mae, corr=corr)
            for k, (mae, corr) in enumerate([*numbers, *odd])
        )
    )


def test_a_row_apart_from_the_others_of_its_exhibit_is_unlikely():
    t = steady(("0.880", "0.665"))
    (finding,) = bounds.error_and_correlation(t)
    assert finding.severity == "unlikely"
    assert at(t, finding) == ["ash/table1/mosi/Net/5#mae", "ash/table1/mosi/Net/5#corr"]
    assert "where the other rows of Table 1 have 0.79" in finding.message


def test_few_or_scattered_rows_say_nothing_of_another():
    assert bounds.error_and_correlation(steady(("0.880", "0.665"), others=4)) == []
    wide = [(mae, "0.665") for mae in ("0.90", "1.00", "0.88", "0.96", "0.93", "0.99", "0.87")]
    assert bounds.error_and_correlation(steady(*wide, others=0)) == []
