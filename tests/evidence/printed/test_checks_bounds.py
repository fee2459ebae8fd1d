"""Relations between the numbers of one row: derived again by brute force, then tried on rows."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from msalib.data import metrics
from msalib.evidence.printed import testparts
from msalib.evidence.printed.checks import bounds
from tests.cells import at, row, table

MOSI = testparts.labels("mosi")
"""30 of 685 labels are 0, 378 are negative; deviation 1.588."""


def found(*rows):
    return bounds.check(table(*rows), {})


def test_the_labels_are_those_that_these_tests_reckon_with():
    assert round(MOSI.zero * 685) == 30
    assert round(MOSI.negative * 685) == 378
    assert MOSI.variance == pytest.approx(2.5225, abs=1e-4)
    assert MOSI.slack == pytest.approx(1 / 685)


# --- range --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "metric", "number", "bounds_", "hint"),
    [
        ("mosi", "corr", "79.0", "-1 to 1", " Divided by 100 it is 0.79."),
        ("mosi", "corr", "-1.2", "-1 to 1", "."),
        ("mosi", "corr", "790", "-1 to 1", "."),
        ("mosi", "acc7", "4510", "0 to 100", " Divided by 100 it is 45.1."),
        ("mosi", "mae", "71.3", "0 to 6", " Divided by 100 it is 0.713."),
        ("mosi", "mae", "6.001", "0 to 6", "on the scale would keep it."),
        ("sims", "mae", "21", "0 to 2", " Divided by 100 it is 0.21."),
        ("mosi", "corr", "1.093", "-1 to 1", "."),
        ("mosi", "corr", "-35.1", "-1 to 1", " Divided by 100 it is -0.351."),
        ("mosi", "acc7", "100.5", "0 to 100", "."),
        ("mosi", "acc7", "-45", "0 to 100", "."),
        ("mosi", "mae", "-0.71", "0 to 6", "."),
        ("mosi", "dropout", "1.2", "0 to 1", "."),
        ("mosi", "delta_acc2", "-101", "-100 to 100", "."),
        ("mosi", "label_max", "3.5", "-3 to 3", "."),
    ],
)
def test_out_of_range(place, metric, number, bounds_, hint):
    t = table(row(f"ash/table1/{place}/Net", **{metric: number}))
    (one,) = bounds.check(t, {})
    # Predictions may leave the scale, a correlation or a share may not.
    severity = "unlikely" if metric == "mae" and float(number) > 0 else "impossible"
    assert (one.check, one.severity, one.paper) == ("bounds", severity, "ash")
    assert at(t, one) == [f"ash/table1/{place}/Net#{metric}"]
    assert f"{float(number):g} lies outside {bounds_}" in one.message
    assert one.message.endswith(hint)
    assert ("Divided" in one.message) == ("Divided" in hint)


@pytest.mark.parametrize(
    "numbers",
    [
        "corr 1.000",
        "corr -1",
        "acc7 100.0",
        "acc7 0",
        "mae 6",
        "mae 0.0",
        "variance_total 12",
        "delta_f1 -2.1",
        "params_ratio_percent 120",
        "count 0",
    ],
)
def test_within_range(numbers):
    metric, number = numbers.split()
    assert not found(row("ash/table1/mosi/Net", **{metric: number}))


@pytest.mark.parametrize(
    ("number", "message"),
    [("count -3", "-3 is below 0."), ("clips 12.5", "12.5 is no whole number.")],
)
def test_numbers_of_things_are_whole_and_not_negative(number, message):
    metric, value = number.split()
    (one,) = found(row("ash/table1/mosi/Net", **{metric: value}))
    assert one.severity == "impossible" and one.message.endswith(message)


def test_the_running_text_is_read_for_ranges_alone():
    (one,) = found(row("ash/text/mosi/Net", corr="1.093", acc7="50", acc5="40"))
    assert one.message == "Text, MOSI, Net, Corr: 1.093 lies outside -1 to 1."


# --- order of accuracies ------------------------------------------------------------------------


def test_finer_classes_are_not_right_more_often():
    t = table(row("ash/table1/mosi/Net", acc7="57.78", acc5="56.86", acc3="70.00"))
    (one,) = bounds.check(t, {})
    assert one.severity == "impossible"
    assert at(t, one) == ["ash/table1/mosi/Net#acc7", "ash/table1/mosi/Net#acc5"]
    assert "57.78 exceeds Acc-5 56.86 by 0.92" in one.message


@pytest.mark.parametrize("pair", [("acc7", "acc5"), ("acc5", "acc3"), ("acc7", "acc3")])
def test_each_pair_of_accuracies_is_compared(pair):
    t = table(row("ash/table1/mosi/Net", **{pair[0]: "50.3", pair[1]: "50.1"}))
    (one,) = bounds.check(t, {})
    assert at(t, one) == [f"ash/table1/mosi/Net#{m}" for m in pair]
    assert not found(row("ash/table1/mosi/Net", **{pair[0]: "50.1", pair[1]: "50.3"}))


def test_what_rounding_hides_is_no_excess():
    """50.2 may be 50.15 and 50.1 be 50.15; 50.21 cannot."""
    assert not found(row("ash/table1/mosi/Net", acc7="50.2", acc5="50.1"))
    assert found(row("ash/table1/mosi/Net", acc7="50.21", acc5="50.1"))
    assert not found(row("ash/table1/mosi/Net", acc7="50.15", acc5="50.1"))


def test_rows_are_kept_apart():
    """By variant, data set and exhibit."""
    assert not found(
        row("ash/table1/mosi/Net", acc7="57.8"),
        row("ash/table1/mosi/Net/full", acc5="56.9"),
        row("ash/table1/mosei/Net", acc5="56.9"),
        row("ash/table2/mosi/Net", acc5="56.9"),
        row("birch/table1/mosi/Net", acc5="56.9"),
    )


def test_the_order_holds_for_any_labels_and_predictions():
    rng = np.random.default_rng(0)
    for _ in range(50):
        label = np.round(rng.uniform(-3, 3, 100) * 4) / 4
        scores = metrics.regression(label, label + rng.normal(size=100) * rng.uniform(0, 3))
        assert scores["acc7"] <= scores["acc5"] <= scores["acc3"]


# --- with zeros and without ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("has0", "fits"),
    [("76.2", False), ("76.3", True), ("78.5", True), ("81.1", True), ("81.2", False)],
)
def test_accuracy_with_zeros_follows_from_that_without(has0, fits):
    """80.0 without zeros: 655 / 685 of it is 76.50, and 30 / 685 more is 80.88.

    Rounding of both and one clip in 685 leave 0.25 on either side: 76.25 to 81.12.
    """
    t = table(row("ash/table1/mosi/Net", acc2_has0=has0, acc2_non0="80.0"))
    findings = bounds.check(t, {})
    assert bool(findings) != fits
    for one in findings:
        assert one.severity == "impossible"
        assert at(t, one) == ["ash/table1/mosi/Net#acc2_has0", "ash/table1/mosi/Net#acc2_non0"]
        assert f"{has0} with zeros does not fit 80 without them" in one.message
        assert "4.4% of the labels is 0, which allows 76.5 to 80.9" in one.message


def test_one_convention_alone_says_nothing():
    assert not found(row("ash/table1/mosi/Net", acc2_has0="99.0"))
    assert not found(row("ash/table1/mosi/Net", acc2_non0="99.0"))
    assert not found(row("ash/table1/nowhere/Net", acc2_has0="99.0", acc2_non0="10.0"))


# --- F1 of two classes --------------------------------------------------------------------------


def confusions(negative: int, positive: int):
    """All weighted F1 of so many clips with accuracy: (accuracy, F1, with predicted weights)."""
    truth = np.repeat([0, 1], [negative, positive])
    for right_n in range(negative + 1):
        for right_p in range(positive + 1):
            wrong_n, wrong_p = negative - right_n, positive - right_p
            predicted = np.repeat([0, 1, 0, 1], [right_n, wrong_n, wrong_p, right_p])
            f1 = f1_score(truth, predicted, average="weighted", zero_division=0)
            exchanged = f1_score(predicted, truth, average="weighted", zero_division=0)
            yield 100 * (right_n + right_p) / len(truth), 100 * f1, 100 * exchanged


def test_f1_from_shares_is_that_of_sklearn():
    n, p = 12, 8
    shares = [
        (wrong_n / 20, wrong_p / 20)
        for wrong_n in range(12, -1, -1)
        for wrong_p in range(8, -1, -1)
    ]
    for (accuracy, f1, exchanged), (wrong_n, wrong_p) in zip(confusions(n, p), shares, strict=True):
        assert accuracy == pytest.approx(100 * (1 - wrong_n - wrong_p))
        assert bounds._weighted_f1(0.6, wrong_n, wrong_p) == pytest.approx(f1)
        assert bounds._weighted_f1(0.6, wrong_n, wrong_p, True) == pytest.approx(exchanged)


@pytest.mark.parametrize("by_prediction", [False, True])
def test_bounds_of_f1_hold_and_are_reached(by_prediction):
    """Against every table of 20 clips, 12 of them negative."""
    by_accuracy: dict[float, list[float]] = {}
    for accuracy, f1, exchanged in confusions(12, 8):
        by_accuracy.setdefault(accuracy, []).append(exchanged if by_prediction else f1)
    for accuracy, values in by_accuracy.items():
        low, high = bounds._f1_range(accuracy, 0.6, False, by_prediction)
        assert low - 0.05 <= min(values)
        assert max(values) <= high + 0.05
        # 20 clips split errors coarsely: the bounds are near all the same.
        assert min(values) - low < 2
        assert high - max(values) < 2


def test_means_of_runs_have_wider_bounds():
    """At least as wide as for one run, and as the means of two runs at equal distance."""
    for accuracy in (55.0, 70.0, 80.0, 95.0):
        one = bounds._f1_range(accuracy, 0.577, False)
        many = bounds._f1_range(accuracy, 0.577, True)
        assert many[0] <= one[0] + 1e-9
        assert many[1] >= one[1] - 1e-9
        for apart in (5.0, 20.0):
            ends = [a for a in (accuracy - apart, accuracy + apart)]
            if ends[1] > 100:
                continue
            lows, highs = zip(*(bounds._f1_range(a, 0.577, False) for a in ends), strict=True)
            assert many[0] <= np.mean(lows) + 1e-9
            assert many[1] >= np.mean(highs) - 1e-9


def test_the_smallest_concave_curve():
    x = np.arange(5.0)
    y = np.array([0.0, 0.0, 4.0, 1.0, 3.0])
    assert bounds._concave(x, y).tolist() == [0, 2, 4, 3.5, 3]
    straight = np.array([0.0, 1.0, 2.0, 3.0, 4.0])
    assert bounds._concave(x, straight).tolist() == straight.tolist()


@pytest.mark.parametrize(
    ("f1", "severity"),
    [
        ("80.0", None),
        ("78.4", None),  # the lowest of one run is 78.38 at 80.0, 78.19 with rounding and one clip
        ("77.9", "notable"),
        ("77.6", "unlikely"),
        ("72.8", "unlikely"),  # the lowest of any mean is 72.7
        ("72.2", "impossible"),
        ("80.4", None),  # 80.12 at 80.0, 80.31 with rounding and one clip, 0.2 more
        ("80.6", "inconsistent"),
        ("81.6", "inconsistent"),  # by predicted counts 79.88 to 81.62
        ("82.1", "impossible"),
        ("99.0", "impossible"),
    ],
)
def test_f1_beside_an_accuracy_of_80(f1, severity):
    """On MOSI without zeros, 57.7% of the clips negative."""
    t = table(row("ash/table1/mosi/Net", f1_non0=f1, acc2_non0="80.0"))
    findings = bounds.check(t, {})
    assert [f.severity for f in findings] == ([severity] if severity else [])
    for one in findings:
        assert at(t, one) == ["ash/table1/mosi/Net#f1_non0", "ash/table1/mosi/Net#acc2_non0"]
        assert f"{float(f1):g} beside an accuracy of 80; with 57.7% negative clips" in one.message
        which = {"impossible": "any mean of runs", "inconsistent": "any mean of runs"}
        assert which.get(severity, "a single run") in one.message
        fits = "weighted by their predicted counts it would fit"
        assert (fits in one.message) == (severity == "inconsistent")


def test_both_conventions_have_their_own_share_of_negatives():
    (one,) = found(row("ash/table1/mosi/Net", f1_has0="99.0", acc2_has0="80.0"))
    assert "55.2% negative clips" in one.message


@pytest.mark.parametrize(
    "numbers",
    [
        {"f1_non0": "99.0"},
        {"acc2_non0": "80.0"},
        {"f1_non0": "99.0", "acc2_has0": "99.5"},
        {"f1_non0": "99.0", "acc2_non0": "100.0"},
    ],
    ids=["F1 alone", "accuracy alone", "of another convention", "at the end of the range"],
)
def test_f1_without_its_accuracy_says_nothing(numbers):
    assert not found(row("ash/table1/mosi/Net", **numbers))
    assert not found(row("ash/table1/nowhere/Net", f1_non0="99.0", acc2_non0="80.0"))


def four(has0, f1_has0, non0, f1_non0):
    return row(
        "ash/table1/mosi/Net", acc2_has0=has0, f1_has0=f1_has0, acc2_non0=non0, f1_non0=f1_non0
    )


def test_one_number_of_false_positives_serves_both_conventions():
    """F1 below accuracy by 1.4 points asks for errors of one kind, F1 above it for the other.

    Each pair is possible by itself; both at once are not.
    """
    t = table(four("78.0", "78.0", "80.0", "78.4"))
    (one,) = bounds.check(t, {})
    assert one.severity == "unlikely"
    assert [name.partition("#")[2] for name in at(t, one)] == [
        "acc2_has0",
        "f1_has0",
        "acc2_non0",
        "f1_non0",
    ]
    shown = "Acc-2 (has 0) 78, F1 (has 0) 78, Acc-2 (non 0) 80, F1 (non 0) 78.4"
    assert f"no numbers of false positives and negatives give {shown} together" in one.message


def test_four_numbers_of_one_confusion_table_fit():
    rng = np.random.default_rng(0)
    label = np.repeat([0.0, -1.0, 1.0], [30, 378, 277])
    for quality in (0.5, 1.0, 2.0, 4.0):
        for shift in (-0.5, 0.0, 0.5):
            scores = metrics.regression(label, quality * label + shift + rng.normal(size=685))
            names = ("acc2_has0", "f1_has0", "acc2_non0", "f1_non0")
            assert not found(four(*(f"{100 * scores[m]:.2f}" for m in names)))


def test_a_broken_pair_is_not_told_twice():
    assert len(found(four("78.0", "78.0", "80.0", "70.0"))) == 1


# --- factor of 100 ------------------------------------------------------------------------------


def column(*numbers: str):
    return [row(f"ash/table1/mosi/Net/{k}", acc7=number) for k, number in enumerate(numbers)]


def test_a_hundredth_of_its_column_is_unlikely():
    """0.4737 is a share in percent as well, so that no bound is broken."""
    t = table(*column("0.4737", "47.0", "46.1", "45.2"))
    (finding,) = bounds.scaled(t)
    assert finding.severity == "unlikely" and at(t, finding) == ["ash/table1/mosi/Net/0#acc7"]
    assert "0.4737 is 0.0104 times the median of its column (45.65)" in finding.message


@pytest.mark.parametrize(
    "numbers",
    [("0.95", "46.1", "45.2"), ("0.4737", "47.0"), ("0", "0", "0.5"), ("47.0", "23.5", "90.1")],
)
def test_other_numbers_are_no_factor_of_100(numbers):
    assert list(bounds.scaled(table(*column(*numbers)))) == []


def test_an_mae_far_above_what_corr_leaves_is_unlikely():
    usual = [row(f"ash/table1/mosi/Net/{k}", mae="0.95", corr="0.665") for k in range(3)]
    t = table(*usual, row("ash/table2/mosi/Poor", mae="1.35", corr="0.665"))
    (poor,) = bounds.error_and_correlation(t)
    assert poor.severity == "notable"
    t = table(*usual, row("ash/table2/mosi/Slip", mae="4.95", corr="0.665"))
    (slip,) = bounds.error_and_correlation(t)
    assert slip.severity == "unlikely"
