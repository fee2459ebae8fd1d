"""Accuracies as counts of clips: by hand, by listing every mean, and row by row."""

import re
from itertools import product

import numpy as np
import pytest

from msalib.evidence.printed.checks import granularity
from msalib.evidence.printed.checks.granularity import RUNS, fits, power, single
from tests.cells import at, entry, row, table

TEST = row("ash/table1/mosi/data/test", count="686")


def found(*rows, entries=None):
    return granularity.check(table(*rows), entries or {})


def share(k: int, clips: int) -> str:
    """k right of so many clips, in percent as a single run is printed."""
    return f"{100 * round(k / clips, 4):.2f}"


# --- arithmetic ---------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [0, 1, 343, 545, 685, 686])
def test_every_count_fits(k):
    for runs, decimals in product(RUNS, (0, 1, 2, 3)):
        value = round(100 * k / 686, decimals)
        assert fits(value, 0.5 * 10**-decimals, 686, runs)


def test_a_value_between_two_counts_does_not_fit():
    """545 / 686 = 79.446 and 546 / 686 = 79.592; of three runs, 1636 / 2058 = 79.495."""
    assert fits(79.45, 0.005, 686, 1)
    assert fits(79.59, 0.005, 686, 1)
    assert not fits(79.50, 0.005, 686, 1)
    assert fits(79.50, 0.005, 686, 3)


def test_a_value_just_at_half_a_digit_fits():
    """1 of 8 is 12.5, printed 12 or 13."""
    assert fits(12, 0.5, 8, 1)
    assert fits(13, 0.5, 8, 1)
    assert not fits(11.9, 0.5, 8, 1)
    assert fits(12.5, 0.0, 8, 1)


def test_what_each_run_was_rounded_to_is_allowed_for():
    """Two runs, 1/3 and 2/3, rounded to 33.33 and 66.67: their mean may be off by 0.005."""
    assert fits(50.01, 0.005, 3, 2)
    assert not fits(50.02, 0.005, 3, 2)
    # 561 of 655 is 85.649; the run is 0.8565, and that is printed as 85.7 by some.
    assert fits(85.7, 0.05, 655, 1)
    assert not fits(85.71, 0.005, 655, 1)


def test_every_mean_of_rounded_runs_fits():
    """Simulated as papers do: count, round each run to 4 decimals, average, print."""
    rng = np.random.default_rng(0)
    for runs, decimals, clips in product(RUNS, (1, 2), (68, 457, 656, 686, 4659)):
        for _ in range(50):
            counts = rng.binomial(clips, 0.8, runs)
            mean = 100 * np.mean([round(k / clips, 4) for k in counts])
            value = float(f"{mean:.{decimals}f}")
            assert fits(value, 0.5 * 10**-decimals, clips, runs), (value, clips, counts)


def test_power_is_the_share_of_values_that_would_pass():
    """Of 10, 11, 12, 13, 14 percent only 12 and 13 can be counts of 8 clips."""
    assert power(12.0, 0.5, 8, 1) == pytest.approx(2 / 5)
    assert power(80.0, 0.005, 686, 1) < 0.1
    assert power(80.0, 0.005, 686, 10) == 1
    assert power(80.0, 0.05, 686, 3) == 1
    # No value beyond 100 is drawn.
    assert power(100.0, 0.5, 8, 1) == pytest.approx(1 / 3)


@pytest.mark.parametrize("runs", [3, 5, 10])
def test_one_mean_in_r_looks_like_one_run(runs):
    """K / (r N) is k / N where r divides K."""
    assert single(80.0, 0.005, 686, runs) == pytest.approx(1 / runs, abs=0.01)
    assert single(80.0, 0.005, 686, 1) == 1


# --- which cells, of which size -----------------------------------------------------------------


def test_shares_of_known_sizes():
    t = table(
        row(
            "ash/table1/mosi/Net",
            acc2_has0="80.0",
            acc2_non0="80.0",
            acc7="40.0",
            f1_has0="80.0",
            mae="0.8",
        ),
        row("ash/text/mosi/Net", acc5="50.0"),
        row("ash/table1/nowhere/Net", acc7="40.0"),
        row("ash/table1/sims/Net", acc3="60.0"),
        row("ash/table2/sims/Net", acc3=(60, "sixty")),
    )
    sizes = granularity.accuracies(t)
    of = {
        name: sorted(group["clips"])
        for name, group in sizes.assign(name=at(t, sizes["cell"])).groupby("name")
    }
    assert of == {
        "ash/table1/mosi/Net#acc2_has0": [685, 686],
        "ash/table1/mosi/Net#acc2_non0": [655, 656],
        "ash/table1/mosi/Net#acc7": [685, 686],
        "ash/table1/sims/Net#acc3": [457],
    }
    assert not sizes["stated"].any()


def test_a_stated_size_leaves_out_other_editions():
    t = table(TEST, row("ash/table2/mosi/Net", acc7="40.0", acc2_non0="80.0", f1_has0="80.0"))
    sizes = granularity.accuracies(t)
    assert sizes["clips"].tolist() == [686, 656]
    assert sizes["stated"].all()
    # It holds for that paper only.
    t = table(TEST, row("birch/table2/mosi/Net", acc7="40.0"))
    assert granularity.accuracies(t)["clips"].tolist() == [686, 685]


def test_a_stated_size_of_an_unknown_edition_is_taken_as_it_is():
    t = table(
        row("ash/table1/cherma/data/test", count="500"),
        row("ash/table2/cherma/Net", acc7="40.0"),
    )
    assert granularity.accuracies(t)["clips"].tolist() == [500]


def test_clips_without_zeros_are_not_all_clips():
    """How many labels of MOSEI are not 0 is not in the list of sizes; 4659 is with them."""
    t = table(
        row("ash/table1/mosei/data/test", count="4659"),
        row("ash/table2/mosei/Net", acc2_non0="80.00", acc7="50.00"),
    )
    sizes = granularity.accuracies(t)
    assert at(t, sizes["cell"]) == ["ash/table2/mosei/Net#acc7"]


# --- accuracies that are no counts --------------------------------------------------------------


def test_no_count_of_a_stated_size():
    """83.86 of 68: 57 are 83.824, 58 are 85.294."""
    t = table(
        row("ash/table1/mustard/data/test", count="68"),
        row("ash/table2/mustard/Net", acc2="83.86"),
    )
    (one,) = granularity.check(t, {"ash": entry(["Net"], 1)})
    assert (one.check, one.severity, one.paper) == ("granularity", "impossible", "ash")
    assert at(t, one) == ["ash/table2/mustard/Net#acc2"]
    assert "57/68 = 83.824, 58/68 = 85.294" in one.message
    assert "no mean of 1, 3, 5 or 10 runs over " in one.message
    assert ", 68 clips (one run: " in one.message
    # The chance that a random value would pass: 1 run, one value in 147 or so.
    assert re.search(r"1: 1 in 1[34]\d, 3: 1 in \d\d, 5: 1 in 1\d, 10: 1\d%", one.message)


@pytest.mark.parametrize("own", [[], ["Net"]], ids=["copied", "own"])
@pytest.mark.parametrize("stated", [False, True])
def test_only_a_papers_own_number_on_a_stated_size_is_impossible(own, stated):
    """A copied number may be of another test part."""
    size = row("ash/table1/mustard/data/test", count="68") if stated else []
    one_row = row("ash/table2/mustard/Net", acc2="83.86")
    (one,) = found(size, one_row, entries={"ash": entry(own, 1)})
    assert one.severity == ("impossible" if own and stated else "inconsistent")


@pytest.mark.parametrize(
    "number", ["83.82", "85.29", "84.31", "83.8", "84", (83.82, "0.8382"), "100.00", "0.00"]
)
def test_counts_are_no_finding(number):
    """Also of three runs (84.31 = 172 / 204), and where few digits are printed."""
    assert not found(row("ash/table2/mustard/Net", acc2=number))


def test_other_numbers_are_no_counts():
    assert not found(row("ash/table2/mustard/Net", f1="83.86", mae="0.8386"))
    assert not found(row("ash/text/mustard/Net", acc2="83.86"))
    assert not found(row("ash/table2/nowhere/Net", acc2="83.86"))


def test_a_size_may_be_of_another_edition():
    """582 of 685 is 84.96, no count of 686; either is possible where the size is not stated."""
    number = share(582, 685)
    assert not fits(float(number), 0.005, 686, 1)
    assert not found(row("ash/table2/mosi/Net", acc7=number), entries={"ash": entry(["Net"], 1)})
    t = [TEST, row("ash/table2/mosi/Net", acc7=number)]
    (one,) = found(*t, entries={"ash": entry(["Net"], 1)})
    assert one.severity == "inconsistent"
    assert "cannot be one run, as stated, over MMSA, 686 clips" in one.message
    assert re.search(r"with chance 1 in 1\d\)", one.message)
    assert "it fits" in one.message


def test_a_mean_that_is_none_of_the_stated_runs():
    """79.50 fits three runs over 686, not one."""
    t = table(TEST, row("ash/table2/mosi/Net", acc7="79.50"))
    (one,) = granularity.check(t, {"ash": entry(["Net"], 1)})
    assert at(t, one) == ["ash/table2/mosi/Net#acc7"]
    assert "79.50 cannot be one run, as stated" in one.message
    assert one.message.endswith("it fits 3 runs over MMSA, 686 clips.")
    # 5 x 686 = 3430: 79.56 lies between 2728 and 2729 of these by more than rounding.
    (one,) = found(
        TEST, row("ash/table2/mosi/Net", acc7="79.61"), entries={"ash": entry(["Net"], 3)}
    )
    assert "cannot be a mean of 3 runs, as stated" in one.message


@pytest.mark.parametrize(
    "entries",
    [
        {},
        {"ash": entry(["Net"], None)},
        {"ash": entry(["Net"], 3)},
        {"ash": entry(["Other"], 1)},
        {"birch": entry(["Net"], 1)},
    ],
    ids=["no entry", "runs not said", "three runs", "copied", "another paper"],
)
def test_only_rows_of_known_runs_are_held_to_them(entries):
    assert not found(TEST, row("ash/table2/mosi/Net", acc7="79.50"), entries=entries)


# --- means that look like single runs -----------------------------------------------------------


def own(place: str, counts: tuple[int, ...]) -> list[dict]:
    """ACC2 with zeros, ACC7, ACC5 and ACC3 as counts of 686, as many as given."""
    names = ("acc2_has0", "acc7", "acc5", "acc3")
    numbers = {m: share(k, 686) for m, k in zip(names, counts, strict=False)}
    return row(place, **numbers)


THREE = {"ash": entry(["Net"], 3)}


def test_a_row_of_single_runs():
    t = table(TEST, own("ash/table2/mosi/Net", (545, 300, 350)))
    one, other = granularity.check(t, THREE)
    # Once in 27 and nothing else tested: below one in twenty.
    assert one.severity == other.severity == "unlikely"
    assert one.cells == other.cells
    assert at(t, one) == [f"ash/table2/mosi/Net#{m}" for m in ("acc2_has0", "acc7", "acc5")]
    # One mean in three is such a value, so three of three happen once in 27.
    assert one.message.startswith("Said to be means of 3 runs, but all 3 accuracies of a row are")
    assert "79.45 (Table 2, MOSI, Net, Acc-2 (has 0))" in one.message
    assert re.search(r"By chance 1 in 2[5-8], with 1 tested\.", one.message)
    assert "3 of 3 accuracies that this exhibit adds" in other.message


def test_what_is_rare_among_few_is_notable_among_many():
    """Other rows were tested, too, and did not look like single runs."""
    others = [own(f"ash/table2/mosi/Net/{k}", (545 + k + 1 / 3, 300, 350)) for k in range(2)]
    t = table(TEST, own("ash/table2/mosi/Net", (545, 300, 350)), *others)
    one = next(f for f in granularity.check(t, THREE) if "of a row" in f.message)
    assert one.severity == "notable" and "with 3 tested" in one.message
    five = granularity.check(t, {"ash": entry(["Net"], 5)})
    assert "unlikely" in {f.severity for f in five}


def test_one_mean_of_three_is_enough_against_it():
    mean = f"{100 * 1636 / 2058:.2f}"
    rows = own("ash/table2/mosi/Net", (545, 300)) + row("ash/table2/mosi/Net", acc3=mean)
    assert not found(TEST, rows, entries=THREE)


def test_two_accuracies_are_too_few():
    assert not found(
        TEST, own("ash/table2/mosi/Net", (545, 300)), entries={"ash": entry(["Net"], 5)}
    )


@pytest.mark.parametrize(
    "entries",
    [{}, {"ash": entry(["Net"], None)}, {"ash": entry(["Net"], 1)}, {"ash": entry([], 3)}],
    ids=["no entry", "runs not said", "one run", "copied"],
)
def test_rows_that_are_not_said_to_be_means_are_left_out(entries):
    assert not found(TEST, own("ash/table2/mosi/Net", (545, 300, 350)), entries=entries)


def test_numbers_with_one_decimal_say_nothing():
    numbers = {m: f"{100 * k / 686:.1f}" for m, k in (("acc7", 300), ("acc5", 350), ("acc3", 450))}
    assert not found(
        TEST, row("ash/table2/mosi/Net", **numbers), entries={"ash": entry(["Net"], 3)}
    )


def test_a_lost_zero_is_put_back():
    """87.2 in a column with two decimals is 87.20: not 598 of 686 (87.172), which is near."""
    rows = [
        row("ash/table2/mosi/Net/a", acc7="87.2", acc5=share(300, 686), acc3=share(350, 686)),
        row("ash/table2/mosi/Net/b", acc7="87.32", acc5="44.90"),
    ]
    assert not any("all 3" in f.message for f in found(TEST, *rows, entries=THREE))


def test_a_row_printed_twice_counts_once():
    """Rows of two accuracies are judged by exhibit only, each once."""
    rows = [own("ash/table2/mosi/Net/" + name, (545 + k, 300 + k)) for k, name in enumerate("abc")]
    again = [own("ash/table3/mosi/Net/" + name, (545 + k, 300 + k)) for k, name in enumerate("abc")]
    t = table(TEST, *rows, *again)
    (one,) = granularity.check(t, THREE)
    assert len(one.cells) == 6
    assert all("table2" in name for name in at(t, one))
    assert one.severity == "unlikely"  # 3^-6


def test_some_of_an_exhibit():
    """Seven of eight by luck of a third each: 8 / 3^7 x 2/3 + 1 / 3^8, about 1 in 386."""
    rows = [own("ash/table2/mosi/Net/" + name, (545 + k, 300 + k)) for k, name in enumerate("abc")]
    rows += [row("ash/table2/mosi/Net/d", acc2_has0=share(500, 686), acc7="44.27")]
    t = table(TEST, *rows)
    assert not fits(44.27, 0.005, 686, 1)
    (one,) = granularity.check(t, THREE)
    assert "7 of 8 accuracies that this exhibit adds are values of a single run" in one.message
    assert len(one.cells) == 7
    assert re.search(r"By chance 1 in 3\d\d", one.message)
