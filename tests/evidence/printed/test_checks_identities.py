"""Numbers that follow from others: sums, averages, gains."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from msalib.evidence.printed.checks import identities
from tests.cells import at, row, table

CLASSES = ("acc2_angry", "acc2_happy", "acc2_neutral", "acc2_sad")


def found(*rows):
    return identities.check(table(*rows), {})


# --- one class against the rest -----------------------------------------------------------------


def classes(place: str, *numbers: str, **more: str):
    return row(place, **dict(zip(CLASSES, numbers, strict=True)), **more)


def test_each_error_is_wrong_for_two_classes():
    rng = np.random.default_rng(0)
    truth, chosen = rng.integers(4, size=(2, 500))
    errors = [np.mean((truth == c) != (chosen == c)) for c in range(4)]
    assert sum(errors) == pytest.approx(2 * np.mean(truth != chosen))


def test_class_accuracies_that_do_not_give_the_printed_wa():
    """Errors 10 + 10 + 20 + 10 are twice 25: WA is 75."""
    t = table(classes("cmt/table1/iemocap/Net", "90.0", "90.0", "80.0", "90.0", wa="74.0"))
    (one,) = identities.check(t, {})
    assert (one.check, one.severity) == ("identities", "inconsistent")
    assert "errors 10.0 + 10.0 + 20.0 + 10.0" in one.message
    assert one.message.endswith("= 75.00; printed is 74, rounding explains 0.15.")
    assert len(one.cells) == 5


@pytest.mark.parametrize(("wa", "fits"), [("75.0", True), ("75.1", True), ("74.8", False)])
def test_what_rounding_of_five_numbers_explains(wa, fits):
    """Four halves of 0.05, and 0.05 of the WA itself: 0.15."""
    rows = classes("ash/table1/iemocap/Net", "90.0", "90.0", "80.0", "90.0", wa=wa)
    assert bool(found(rows)) != fits


def test_just_at_what_rounding_explains():
    rows = classes("ash/table1/iemocap/Net", "90.0", "90.0", "80.0", "90.1", wa="75.2")
    assert not found(rows)  # 75.05 + 0.15


def test_a_row_without_wa_beside_rows_with_it():
    t = table(
        classes("ash/table1/iemocap/Net", "90.0", "90.0", "80.0", "90.0"),
        row("ash/table1/iemocap/Other", wa="74.0"),
        classes("ash/table1/iemocap/Best", "90.0", "90.0", "82.0", "92.0", wa="77.0"),
    )
    (one,) = identities.check(t, {})
    assert one.severity == "notable"
    assert at(t, one) == [f"ash/table1/iemocap/Net#{c}" for c in CLASSES]
    assert "= 75.00; no WA is printed. That is 2.00 below the highest printed WA" in one.message
    assert "(77, Best)" in one.message


def test_an_implied_wa_above_the_highest():
    (one,) = found(
        classes("ash/table1/iemocap/Net", "90.0", "90.0", "80.0", "90.0"),
        classes("ash/table1/iemocap/Other", "87.0", "87.0", "87.0", "87.0", wa="74.0"),
    )
    assert "That is 1.00 above the highest printed WA (74, Other)" in one.message


def test_a_row_without_wa_where_none_is_printed():
    (one,) = found(classes("ash/table1/iemocap/Net", "90.0", "90.0", "80.0", "90.0"))
    assert one.message.endswith("= 75.00; no WA is printed.")
    assert not found(row("ash/table1/iemocap/Net", acc2_angry="90", wa="10"))


# --- totals -------------------------------------------------------------------------------------


def split(paper: str, *sizes: int, place="table1/mosi/data", names=("train", "valid", "test")):
    return [
        cell
        for name, size in zip(names, sizes, strict=False)
        for cell in row(f"{paper}/{place}/{name}", count=f"{size:,}")
    ]


def test_parts_that_do_not_add_up():
    t = table(split("ash", 1284, 229, 686), row("ash/table1/mosi/data/total", count="2,198"))
    (one,) = identities.check(t, {})
    assert one.severity == "inconsistent"
    assert "1,284 + 229 + 686 = 2,199 do not add up to 2,198 (Table 1)" in one.message
    assert at(t, one)[0] == "ash/table1/mosi/data/total#count"
    assert len(one.cells) == 4


@pytest.mark.parametrize("name", ["total", "all", "clips", "dataset"])
def test_names_of_a_total(name):
    assert found(split("ash", 10, 2, 3), row(f"ash/table1/mosi/data/{name}", count="16"))
    assert not found(split("ash", 10, 2, 3), row(f"ash/table1/mosi/data/{name}", count="15"))


def test_the_number_of_clips_in_the_text_is_a_total():
    (one,) = found(split("ash", 10, 2, 3), row("ash/text/mosi/data", clips="16"))
    assert "16 (Text)" in one.message


def test_totals_of_other_papers_data_sets_and_things():
    assert not found(
        split("ash", 10, 2, 3),
        row("birch/table1/mosi/data/total", count="16"),
        row("ash/table1/mosei/data/total", count="16"),
        row("ash/table1/mosi/data/speakers", count="89"),
        row("ash/text//data/total", count="99"),
    )


def test_two_parts_are_no_split():
    assert not found(split("ash", 10, 2), row("ash/table1/mosi/data/total", count="16"))


# --- weights ------------------------------------------------------------------------------------


def test_weights_that_are_no_average():
    rows = [row(f"ash/table5/mosi/w{n}", weight=w) for n, w in enumerate(("0.50", "0.30", "0.10"))]
    (one,) = found(*rows)
    assert one.severity == "inconsistent"
    assert "the weights 0.50 + 0.30 + 0.10 = 0.900, not 1" in one.message
    assert len(one.cells) == 3


def test_weights_may_miss_1_by_rounding():
    rows = [row(f"ash/table5/mosi/w{n}", weight="0.33") for n in range(3)]
    assert not found(*rows)
    assert found(*rows[:2], row("ash/table5/mosi/w2", weight="0.32"))  # 0.02, and 0.015 is allowed
    # 0.1 is just what two numbers with one decimal may miss.
    half, less = (row(f"ash/table5/mosi/{w}", weight=w) for w in ("0.5", "0.4"))
    assert not found(half, less)
    assert not found(*rows, row("ash/table5/mosei/w", weight="1.0"))


# --- averages of classes ------------------------------------------------------------------------


def emotions(system: str, overall: str | None, *numbers: str, place="ash/table3/cherma"):
    names = ("f1_anger", "f1_fear", "f1_sadness")
    cells = dict(zip(names, numbers, strict=True))
    return row(f"{place}/{system}", **cells, **({"f1": overall} if overall else {}))


def test_the_mean_of_the_classes_is_no_finding():
    assert not found(emotions("A", "60.0", "50.0", "60.0", "70.0"))
    assert not found(emotions("A", "60.1", "50.0", "60.0", "70.0"))
    assert not found(emotions("A", None, "50.0", "60.0", "70.0"))
    assert not found(row("ash/table3/cherma/A", f1="99.0", f1_fear="50.0"))


def test_an_average_outside_its_parts():
    t = table(emotions("A", "75.0", "50.0", "60.0", "70.0"))
    one = identities.check(t, {})[0]
    assert one.severity == "impossible"
    assert one.message.endswith("an overall F1 of 75 lies outside those of the classes, 50 to 70.")
    assert len(one.cells) == 4
    below = found(emotions("A", "45.0", "50.0", "60.0", "70.0"))
    assert below[0].severity == "impossible"
    # Rounding of both: 70.1 may be 70.05, and so may 70.0.
    assert all(f.severity != "impossible" for f in found(emotions("A", "70.1", "50", "60", "70.0")))


def test_two_classes_have_an_average_too():
    two = {"f1_anger": "50.0", "f1_fear": "70.0"}
    assert not found(row("ash/table3/cherma/A", f1="60.0", **two))
    assert found(row("ash/table3/cherma/A", f1="75.0", **two))


def test_the_mean_in_all_rows_but_one():
    (one,) = found(
        emotions("A", "60.0", "50.0", "60.0", "70.0"), emotions("B", "65.0", "50.0", "60.0", "70.0")
    )
    assert one.severity == "inconsistent"
    assert one.message.endswith("the overall F1 is the mean of the classes but for B.")


SHARES = np.array([0.5, 0.3, 0.2])


def weighted(system: str, *numbers: float, off: float = 0.0):
    whole = float(SHARES @ np.array(numbers)) + off
    return emotions(system, f"{whole:.1f}", *(f"{n:.1f}" for n in numbers))


def test_weighted_f1_has_one_set_of_shares():
    rows = [(50.0, 60.0, 80.0), (70.0, 55.0, 40.0), (62.0, 80.0, 75.0), (40.0, 45.0, 90.0)]
    (one,) = found(*(weighted(name, *own) for name, own in zip("ABCD", rows, strict=True)))
    assert one.severity == "notable"
    assert "one set of class shares gives every row, as weighted F1 asks" in one.message
    spoilt = [weighted(n, *own, off=3.0 * (n == "B")) for n, own in zip("ABCD", rows, strict=True)]
    (one,) = found(*spoilt)
    assert one.severity == "unlikely"
    assert "no set of class shares gives all 4 rows" in one.message
    assert "where rounding explains 0.10" in one.message


def test_weighted_f1_is_the_average_of_the_classes_by_their_shares():
    rng = np.random.default_rng(0)
    truth, chosen = rng.integers(3, size=(2, 200))
    own = f1_score(truth, chosen, average=None)
    shares = np.bincount(truth) / 200
    assert f1_score(truth, chosen, average="weighted") == pytest.approx(shares @ own)


def test_the_best_shares_of_a_linear_programme():
    own = np.array([[50.0, 60, 80], [70, 55, 40], [62, 80, 75]])
    off, _ = identities._shares(own, own @ SHARES)
    assert off == pytest.approx(0, abs=1e-6)
    # Two rows with equal parts and overall numbers 2 apart: at best both are missed by 1.
    off, _ = identities._shares(np.array([[50.0, 60], [50, 60]]), np.array([54.0, 56.0]))
    assert off == pytest.approx(1)


# --- gains in the text --------------------------------------------------------------------------


def gain(metric: str, value: str, printed: str | None = None):
    number = (value, printed or value)
    return row("ash/text/mosi/Net", **{f"delta_{metric}": number})


def scores(metric: str, **systems: str):
    return [c for s, v in systems.items() for c in row(f"ash/table2/mosi/{s}", **{metric: v})]


def test_a_gain_that_the_table_does_not_have():
    t = table(gain("acc2_non0", "1.5"), scores("acc2_non0", Net="86.0", B="85.0", C="84.0"))
    (one,) = identities.check(t, {})
    assert one.severity == "inconsistent"
    assert "a gain in Acc-2 (non 0) of 1.5; Table 2 gives 86 - 85 (B) = 1.00" in one.message
    assert at(t, one)[1:] == ["ash/table2/mosi/Net#acc2_non0", "ash/table2/mosi/B#acc2_non0"]


@pytest.mark.parametrize(("stated", "fits"), [("1.0", True), ("1.1", True), ("0.8", False)])
def test_a_gain_may_be_off_by_rounding(stated, fits):
    """0.05 of each number and 0.05 of the gain: 0.15; 0.2 is more."""
    rows = gain("acc2_non0", stated), scores("acc2_non0", Net="86.0", B="85.0")
    assert bool(found(*rows)) != fits


def test_a_gain_is_over_the_best_other():
    """A worse system is not asked, nor another variant of the same."""
    rows = scores("f1", Net="86.0", B="85.0", C="80.0")
    assert not found(gain("f1", "1.0"), rows)
    assert found(gain("f1", "6.0"), rows)


def test_gains_that_are_bounds():
    """Over 1: nothing but more than 1 will do."""
    for own, fits in (("86.0", False), ("86.1", True), ("85.5", False)):
        rows = gain("f1", "1", "over one"), scores("f1", Net=own, B="85.0")
        assert bool(found(*rows)) != fits, own


def test_a_gain_without_a_table_says_nothing():
    assert not found(gain("f1", "1.0"))
    assert not found(gain("f1", "1.0"), scores("f1", Net="86.0"))
    assert not found(gain("f1", "1.0"), scores("f1", B="86.0"))
    assert not found(
        gain("f1", "1.0"), row("ash/table2/mosei/Net", f1="9"), row("ash/table2/mosei/B", f1="8")
    )
    assert not found(
        gain("f1", "1.0"), row("birch/table2/mosi/Net", f1="9"), row("birch/table2/mosi/B", f1="8")
    )


def test_the_first_exhibit_that_has_both_is_read():
    rows = [
        row("ash/table1/mosi/B", f1="10.0"),
        *scores("f1", Net="86.0", B="85.0"),
        row("ash/table3/mosi/Net", f1="70.0"),
        row("ash/table3/mosi/B", f1="10.0"),
    ]
    rows = [r if isinstance(r, list) else [r] for r in rows]
    assert not found(gain("f1", "1.0"), *rows)
