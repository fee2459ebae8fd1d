"""The same baseline in two papers or more: equal, equal in some setting, or not."""

import pytest

from msalib.evidence.printed.checks import drift
from tests.cells import at, row, table


def found(*rows):
    return drift.check(table(*rows), {})


def shared(*rows):
    return drift.shared(table(*rows))


# --- what papers share --------------------------------------------------------------------------


def test_numbers_that_agree():
    (one,) = shared(
        row("ash/table1/mosi/TFN", mae="0.970"), row("birch/table9/mosi/TFN", mae="0.97")
    )
    assert (one.corpus, one.system, one.metric, one.kind) == ("mosi", "TFN", "mae", "agree")
    assert list(one.cells) == ["ash", "birch"]
    assert one.distance == 0
    assert one.apart() == one.outliers() == []


def test_numbers_that_drift():
    (one,) = shared(
        row("ash/table1/mosi/TFN", mae="0.970"),
        row("birch/table1/mosi/TFN", mae="0.901"),
        row("cedar/table1/mosi/TFN", mae="0.970"),
    )
    assert one.kind == "drift"
    assert one.distance == pytest.approx(0.069)
    assert one.apart() == [("ash", "birch"), ("birch", "cedar")]
    assert one.outliers() == ["birch"]


def test_two_papers_alone_are_both_outliers():
    (one,) = shared(
        row("ash/table1/mosi/TFN", mae="0.97"), row("birch/table1/mosi/TFN", mae="0.90")
    )
    assert one.outliers() == ["ash", "birch"]


def test_numbers_that_agree_in_some_setting():
    """Aligned or not, older or newer features: another setting, and no drift."""
    (one,) = shared(
        row("ash/table1/mosi_aligned/TFN", mae="0.970"),
        row("ash/table2/mosi_unaligned/TFN", mae="0.995"),
        row("birch/table1/mosi/TFN/conv_bert", mae="0.970"),
        row("birch/table1/mosi/TFN/conv", mae="1.020"),
    )
    assert one.kind == "setting"
    assert one.outliers() == []
    assert one.distance == 0  # each pair has a number in common


@pytest.mark.parametrize(
    "other",
    [
        "birch/table1/mosei/TFN",
        "birch/table1/mosi/LMF",
        "birch/table1/mosi/TFN/no_text",
        "birch/text/mosi/TFN",
        "birch/readme/mosi/TFN",
        "birch/readme_history/mosi/TFN",
        "ash/table2/mosi/TFN",
    ],
)
def test_what_is_not_shared(other):
    assert not shared(row("ash/table1/mosi/TFN", mae="0.970"), row(other, mae="0.901"))


def test_other_spellings_are_one_system():
    (one,) = shared(
        row("ash/table1/mosi/MIMM", mae="0.7"), row("birch/table1/mosi/MMIM", mae="0.7")
    )
    assert one.system == "MMIM"


def test_settings_are_no_results():
    assert not shared(
        row("ash/table1/mosi/TFN", epochs="3"), row("birch/table1/mosi/TFN", epochs="4")
    )


# --- baselines ----------------------------------------------------------------------------------


def test_a_baseline_that_drifts():
    t = table(
        row("ash/table1/mosi/TFN", mae="0.970", corr="0.633"),
        row("birch/table1/mosi/TFN", mae="0.901", corr="0.698"),
        row("cedar/table1/mosi/TFN", mae="0.970", corr="0.633"),
    )
    (one,) = drift.check(t, {})
    assert (one.check, one.severity, one.paper) == ("drift", "notable", "birch")
    assert "MOSI, TFN: MAE 0.901 (elsewhere: ash 0.97, cedar 0.97); Corr 0.698" in one.message
    assert at(t, one)[:2] == ["birch/table1/mosi/TFN#mae", "birch/table1/mosi/TFN#corr"]
    assert len(one.cells) == 6


def test_settings_are_named():
    (one, other) = found(
        row("ash/table1/mosi_aligned/TFN/conv_bert", mae="0.970"),
        row("birch/table1/mosi/TFN", mae="0.901"),
    )
    assert "MAE 0.97 (conv bert, aligned) (elsewhere: birch 0.901)" in one.message
    assert other.paper == "birch"


def test_a_number_in_two_exhibits_is_shown_once():
    found_ = found(
        row("ash/table1/mosi/TFN", mae="0.970"),
        row("ash/table2/mosi/TFN", mae="0.97"),
        row("birch/table1/mosi/TFN", mae="0.901"),
    )
    assert "MAE 0.97 (elsewhere: birch 0.901)" in found_[0].message
    assert len(found_[0].cells) == 3


def test_baselines_that_agree_are_no_finding():
    assert not found(
        row("ash/table1/mosi/TFN", mae="0.970"),
        row("birch/table1/mosi/TFN", mae="0.97"),
        row("birch/table1/mosi/Own", mae="0.7"),
    )


# --- facts --------------------------------------------------------------------------------------


def test_counts_of_a_data_set():
    t = table(
        row("ash/table1/mosei/data/test", count="4,659"),
        row("birch/text/mosei/data/test", count="4,643"),
        row("cedar/text/mosei//test", count="4659"),
    )
    (one,) = drift.check(t, {})
    assert (one.severity, one.paper) == ("notable", "birch")
    assert one.message == "MOSEI, test: 4,643 (elsewhere: ash 4,659, cedar 4,659)."
    assert at(t, one) == [
        "birch/text/mosei/data/test#count",
        "ash/table1/mosei/data/test#count",
        "cedar/text/mosei//test#count",
    ]


def test_clips_under_two_names():
    (one, other) = found(
        row("ash/text/mosei/data/dataset", count="23,453"),
        row("birch/text/mosei/data", clips="23,454"),
    )
    assert "MOSEI, clips: 23,453 (elsewhere: birch 23,454)" in one.message
    assert other.paper == "birch"


def test_facts_that_agree_or_stand_alone():
    assert not found(
        row("ash/table1/mosi/data/test", count="686"),
        row("birch/text/mosi/data/test", count="686"),
        row("birch/text/mosi/data/train", count="1284"),
        row("birch/text/mosei/data/train", count="16326"),
        row("ash/text//data/runs", count="5"),
        row("birch/text//data/runs", count="3"),
    )


# --- names and numbers exchanged ----------------------------------------------------------------

RIGHT = {"TFN": "0.970", "LMF": "0.950", "MFM": "0.877", "MulT": "0.861"}


def column(paper: str, numbers: dict[str, str], metric: str = "mae", place="table1/mosi"):
    return [c for s, text in numbers.items() for c in row(f"{paper}/{place}/{s}", **{metric: text})]


def crossed(*rows):
    return [f for f in found(*rows) if f.severity == "inconsistent"]


def test_a_column_in_another_order():
    wrong = RIGHT | {"TFN": "0.950", "LMF": "0.877", "MFM": "0.970"}
    t = table(column("ash", RIGHT), column("birch", wrong), column("cedar", RIGHT))
    (one,) = [f for f in drift.check(t, {}) if f.severity == "inconsistent"]
    assert one.paper == "birch"
    assert "MOSI, MAE: 3 numbers of this column have another name in other papers" in one.message
    assert "TFN 0.950 (in ash that is LMF)" in one.message
    names = at(t, one)
    assert {f"birch/table1/mosi/{s}#mae" for s in ("TFN", "LMF", "MFM")} <= set(names)
    assert "birch/table1/mosi/MulT#mae" not in names


def test_a_row_under_another_name():
    """All numbers of LMF under TFN."""
    other = {"TFN": "0.633", "LMF": "0.651", "MFM": "0.706"}
    wrong = RIGHT | {"TFN": "0.950"}, other | {"TFN": "0.651"}
    rows = [column(p, n, m) for p in ("ash", "cedar") for n, m in ((RIGHT, "mae"), (other, "corr"))]
    t = table(*rows, column("birch", wrong[0]), column("birch", wrong[1], "corr"))
    (one,) = [f for f in drift.check(t, {}) if f.severity == "inconsistent"]
    assert one.paper == "birch"
    assert (
        "the row TFN has numbers that other papers print for LMF (MAE 0.950, Corr 0.651)"
        in one.message
    )
    assert {"birch/table1/mosi/TFN#mae", "birch/table1/mosi/TFN#corr"} <= set(at(t, one))


def test_one_number_under_another_name_may_be_luck():
    assert not crossed(column("ash", RIGHT), column("birch", RIGHT | {"TFN": "0.950"}))


def test_with_two_papers_it_is_not_known_which():
    wrong = RIGHT | {"TFN": "0.950", "LMF": "0.970"}
    assert not crossed(column("ash", RIGHT), column("birch", wrong))


def test_numbers_that_are_only_other_numbers():
    wrong = RIGHT | {"TFN": "0.951", "LMF": "0.971"}
    assert not crossed(column("ash", RIGHT), column("birch", wrong), column("cedar", RIGHT))


def test_equal_numbers_within_one_paper_are_not_crossed():
    alike = RIGHT | dict.fromkeys(("TFN", "LMF", "MFM"), "0.777")
    assert not crossed(column("ash", RIGHT), column("birch", alike), column("cedar", RIGHT))


def test_a_number_of_another_paper_in_the_same_place_is_not_crossed():
    """TFN and LMF have one number in cedar: it is that of TFN there, too."""
    alike = RIGHT | {"TFN": "0.950", "MFM": "0.950"}
    assert not crossed(column("ash", RIGHT), column("birch", alike), column("cedar", alike))


# --- conventions --------------------------------------------------------------------------------


def conventions(number: str, metric="acc2_has0", *, also: dict | None = None, without="83.0"):
    names = {"acc2_has0": "acc2_non0", "f1_has0": "f1_non0"}
    return table(
        row("ash/table1/mosi/TFN", **{metric: number}, **(also or {})),
        row("birch/table1/mosi/TFN", **{metric: "80.0", names[metric]: without}),
        row("cedar/table1/mosi/TFN", **{metric: "80.4", names[metric]: "82.9"}),
    )


def told(t):
    return [f for f in drift.check(t, {}) if "which is nearer" in f.message]


@pytest.mark.parametrize("metric", ["acc2_has0", "f1_has0"])
def test_a_number_that_looks_like_the_other_convention(metric):
    t = conventions("82.9", metric)
    (one,) = told(t)
    assert (one.severity, one.paper) == ("notable", "ash")
    assert "82.9; other papers print 80 to 80.4 here and 82.9 to 83 without zeros" in one.message
    assert at(t, one)[0] == f"ash/table1/mosi/TFN#{metric}"


@pytest.mark.parametrize("number", ["80.2", "80.9", "79.0", "81.6"])
def test_a_number_of_its_own_convention(number):
    """81.65 is halfway from 80.4 to 82.9."""
    assert not told(conventions(number))


def test_just_over_halfway():
    assert told(conventions("81.7"))
    assert not told(conventions("81.65"))  # as near to one as to the other


def test_a_paper_that_prints_both_conventions_is_trusted():
    assert not told(conventions("82.9", also={"acc2_non0": "84.0"}))


def test_a_number_within_what_others_print():
    """80.2 lies between 80.0 and 80.4, though a number without zeros is nearer."""
    assert not told(conventions("80.2", without="80.2"))
