"""Sentences about printed numbers: each form on made-up tables."""

import pytest

from msalib.evidence.printed import statements
from msalib.evidence.printed.verdict import judge_statements
from tests.cells import at, judged, row, scores, table

# --- one row against others -----------------------------------------------------------------------

# Net and A on one metric of MOSI: the test with its bounds, whether it holds, words of the line.
COMPARISONS = [
    ("45.0", "45.0", {"test": "better"}, None, "difference +0.0"),
    ("45.1", "45.0", {"test": "better"}, True, ""),  # both at the ends of what they may be
    ("45.0", "45.1", {"test": "better"}, False, "difference -0.1"),
    ("45.04", "45.0", {"test": "better"}, None, ""),  # 0.04, and 0.055 may be rounding
    ("45.06", "45.0", {"test": "better"}, True, ""),
    ("45.0", "45", {"test": "better"}, None, ""),
    ("0.700", "0.750", {"test": "better", "metrics": ["mae"]}, True, "difference -0.050"),
    # 45.3 - 44.3 is 1 but for the last bit
    ("45.3", "44.3", {"test": "better", "by": 1.0}, True, "wanted 1"),
    ("45.3", "44.3", {"test": "better", "by": 1.5}, False, "wanted 1"),
    ("45.3", "44.3", {"test": "better", "by": {"percent": 1.0}}, True, "wanted 1"),
    ("45.3", "44.3", {"test": "better", "by": {"acc7": 1.5}}, False, "wanted 1"),
    ("0.700", "0.710", {"test": "better", "by": {"percent": 5.0, "other": 0.01}}, True, ""),
    ("0.700", "0.710", {"test": "better", "by": {"other": 0.02, "mae": 0.01}}, True, ""),
    ("0.700", "0.710", {"test": "better", "by": {"mae": 0.02}}, False, ""),
    ("44.0", "40.0", {"test": "better", "by": 4.0}, True, ""),  # as printed it reaches it
    ("43.9", "40.0", {"test": "better", "by": 4.0}, False, ""),
    ("43.95", "40", {"test": "better", "by": 4.0}, None, ""),
    ("44.5", "45.0", {"test": "no_worse", "margin": {"percent": 0.5}}, True, "0.5"),
    ("44.4", "45.0", {"test": "no_worse", "margin": {"percent": 0.5}}, False, "0.5"),
    ("99.0", "45.0", {"test": "no_worse", "margin": {"percent": 0.5}}, True, "0.5"),
    ("0.710", "0.700", {"test": "no_worse", "margin": 0.01}, True, ""),
    ("0.710", "0.700", {"test": "no_worse", "margin": 0.009}, False, ""),
    ("39.0", "40.0", {"test": "no_worse", "margin": 1.0}, True, "at most 1 worse wanted"),
    ("38.9", "40.0", {"test": "no_worse", "margin": 1.0}, False, ""),
    ("44.5", "45.0", {"test": "alike", "margin": {"percent": 0.5}}, True, "0.5"),
    ("45.5", "45.0", {"test": "alike", "margin": {"percent": 0.5}}, True, "0.5"),
    ("45.6", "45.0", {"test": "alike", "margin": {"percent": 0.5}}, False, "0.5"),
    ("44.4", "45.0", {"test": "alike", "margin": {"percent": 0.5}}, False, "0.5"),
    ("41.0", "40.0", {"test": "alike", "margin": 1.0}, True, "within 1 wanted"),
    ("41.05", "40", {"test": "alike", "margin": 1.0}, None, ""),
    ("46.0", "45.0", {"test": "ahead_by", "low": 1.0, "high": 3.0}, True, ", 1 to 3 wanted"),
    ("48.0", "45.0", {"test": "ahead_by", "low": 1.0, "high": 3.0}, True, ", 1 to 3 wanted"),
    ("45.9", "45.0", {"test": "ahead_by", "low": 1.0, "high": 3.0}, False, ", 1 to 3 wanted"),
    ("48.1", "45.0", {"test": "ahead_by", "low": 1.0, "high": 3.0}, False, ", 1 to 3 wanted"),
    ("40.0", "45.0", {"test": "ahead_by", "low": 1.0, "high": 3.0}, False, ", 1 to 3 wanted"),
    ("43.01", "40", {"test": "ahead_by", "low": 1.0, "high": 3.0}, None, ""),
]


@pytest.mark.parametrize(("first", "second", "test", "holds", "text"), COMPARISONS)
def test_one_number_against_another(first, second, test, holds, text):
    metric = "mae" if first.startswith("0.") else "acc7"
    t = table(scores(metric, Net=first, A=second))
    result, lines = judged(
        t, **{"of": "table1/Net", "than": ["table1/A"], "metrics": [metric]} | test
    )
    assert lines == [holds] and text in result.lines[0].text
    verdicts = {None: "inconclusive", True: "supported", False: "contradicted"}
    assert result.verdict == verdicts[holds]
    assert result.note.endswith(", 1 tied") == (holds is None)


def test_better_than_all_others():
    t = table(scores(Net="45.0", A="44.0", B="40.0"))
    result, holds = judged(t, "better", of="table1/Net", than=["table1/*"])
    assert (result.verdict, result.note) == ("supported", "holds in 2 of 2 comparisons")
    assert holds == [True, True]
    assert [line.gain for line in result.lines] == [1.0, 5.0]
    assert result.lines[0].text == "MOSI Acc-7: Net 45.0, A 44.0, difference +1.0"
    assert at(t, result.lines[0].cells) == ["ash/table1/mosi/Net#acc7", "ash/table1/mosi/A#acc7"]


def test_one_exception_contradicts_all():
    t = table(scores(Net="45.0", A="44.0", B="45.5"))
    result, holds = judged(t, "better", of="table1/Net", than=["table1/*"])
    assert (result.verdict, holds) == ("contradicted", [True, False])


def test_every_data_set_and_metric_that_is_printed():
    t = table(
        scores(Net="45.0", A="44.0"),
        scores(dataset="mosei", Net="50.0", A="51.0"),
        scores("mae", Net="0.7"),
    )
    arguments = {"datasets": ["mosi", "mosei", "sims"], "metrics": ["acc7", "mae"]}
    result, holds = judged(t, "better", of="table1/Net", than=["table1/A"], **arguments)
    assert holds == [True, False]
    assert result.verdict == "contradicted"


@pytest.mark.parametrize(
    "lacking", [{"of": "table1/B"}, {"than": ["table1/B"]}, {"datasets": ["mosei"]}]
)
def test_without_cells_nothing_is_run(lacking):
    t = table(scores(Net="45.0", A="44.0"))
    result, _ = judged(t, "better", **{"of": "table1/Net", "than": ["table1/A"]} | lacking)
    assert (result.verdict, result.lines) == ("not run", [])


def test_a_row_is_not_compared_with_itself():
    t = table(scores(Net="45.0", A="44.0"))
    assert len(judged(t, "better", of="table1/Net", than=["table1/*", "table1/Net"])[1]) == 1


def test_another_data_set_is_named():
    t = table(scores(Net="45.0"), scores(dataset="mosei", Net="50.0"))
    result, holds = judged(t, "better", of="table1/Net@mosei", than=["table1/Net@mosi"])
    assert holds == [True]
    assert "Net 50.0, Net (MOSI) 45.0" in result.lines[0].text


# --- gains ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "holds"), [("48.0", True), ("46.0", False), ("47.1", None), ("47.2", True)]
)
def test_a_larger_gain(own, holds):
    """Over 45.0 against 42.0 over 40.0; four numbers may each be off by 0.05."""
    t = table(scores(Net=own, Old="45.0", A="42.0", B="40.0"))
    result, found = judged(
        t, "gain_larger", of=["table1/Net", "table1/Old"], than=[["table1/A", "table1/B"]]
    )
    assert found == [holds]
    assert f"Net gains {float(own) - 45:+.1f} over Old, A gains +2.0 over B" in result.lines[0].text
    assert len(result.lines[0].cells) == 4


def test_a_larger_gain_relative_to_what_is_gained_on():
    """0.08 of 0.8 is a tenth, 0.09 of 1.0 is less."""
    t = table(scores("mae", Net="0.720", Old="0.800", A="0.910", B="1.000"))
    arguments = {"of": ["table1/Net", "table1/Old"], "than": [["table1/A", "table1/B"]]}
    assert judged(t, "gain_larger", metrics=["mae"], **arguments)[1] == [False]
    result, holds = judged(t, "gain_larger", metrics=["mae"], relative=True, **arguments)
    assert holds == [True]
    assert "Net gains +10.000% over Old, A gains +9.000% over B" in result.lines[0].text


def test_gains_on_two_data_sets():
    t = table(scores(Net="48.0", Old="45.0"), scores(dataset="mosei", Net="50.0", Old="49.0"))
    than = [["table1/Net@mosei", "table1/Old@mosei"], ["table1/C", "table1/D"]]
    result, holds = judged(t, "gain_larger", of=["table1/Net", "table1/Old"], than=than)
    assert holds == [True]
    assert result.lines[0].text.endswith("(MOSEI)")


# --- single numbers -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "holds"), [("40.0", True), ("45.0", True), ("39.9", False), ("45.1", False)]
)
def test_a_level(value, holds):
    t = table(scores(Net=value))
    result, found = judged(t, "level", of=["table1/Net"], low=40, high=45)
    assert found == [holds]
    assert result.lines[0].text == f"MOSI Acc-7: Net {value}, 40 to 45 wanted"
    assert judged(t, "level", of=["table1/A"], low=40, high=45)[0].verdict == "not run"


@pytest.mark.parametrize(
    ("value", "holds"), [("0.5", True), ("1.0", True), ("0.4", False), ("1.1", False)]
)
def test_a_ratio(value, holds):
    t = table(scores("mae", Net=value, A="2.0"))
    result, found = judged(
        t, "ratio", of="table1/Net", over="table1/A", metrics=["mae"], low=0.25, high=0.5
    )
    assert found == [holds]
    assert (
        f"Net / A = {value} / 2.0 = {float(value) / 2:.3f}, 0.25 to 0.5 wanted"
        in result.lines[0].text
    )


def test_a_smaller_share():
    """0.2 of 1.0 against 0.3 of 2.0: a fifth is more than 0.15, if rounding cannot hide it."""
    t = table(
        row("ash/table4/mosi/Net", variance_intra="0.200", variance_total="1.000"),
        row("ash/table4/mosi/A", variance_intra="0.300", variance_total="2.000"),
        row("ash/table4/mosi/B", variance_intra="0.100", variance_total="0.200"),
        row("ash/table4/mosi/C", variance_intra="0.1", variance_total="0.4"),
        row("ash/table4/mosi/D", variance_intra="0.1", variance_total="0.0"),
        row("ash/table4/mosi/E", variance_intra="0.1"),
    )
    test = {"test": "share_smaller", "of": "table4/Net", "than": ["table4/*"]}
    test |= {"datasets": ["mosi"], "metric": "variance_intra", "over": "variance_total"}
    result = judge_statements(t, "ash", [test])
    # There is no share of nothing, nor of what is not printed.
    assert [line.holds for line in result.lines] == [False, True, None]
    assert "Net 0.200 / 1.000 = 0.20, A 0.300 / 2.000 = 0.15" in result.lines[0].text
    assert len(result.lines[0].cells) == 4
    assert result.lines[1].gain == pytest.approx(0.3)


def test_a_larger_sum():
    t = table(scores("weight", b1="0.1", b2="0.4", b3="0.3", b4="0.2"))
    test = {"test": "sum_larger", "datasets": ["mosi", "mosei"], "metric": "weight"}
    inner, outer = ["table1/b2", "table1/b3"], ["table1/b1", "table1/b4"]
    result = judge_statements(t, "ash", [test | {"of": inner, "than": outer}])
    (line,) = result.lines
    assert line.holds is True
    assert "b2, b3: 0.4 + 0.3 = 0.700 against b1, b4: 0.1 + 0.2 = 0.300" in line.text
    assert (
        judge_statements(t, "ash", [test | {"of": outer, "than": inner}]).verdict == "contradicted"
    )
    assert (
        judge_statements(t, "ash", [test | {"of": inner, "than": ["table1/b5"]}]).verdict
        == "not run"
    )


# --- trends ---------------------------------------------------------------------------------------


def trend(*values: str, metric="acc7", **more):
    t = table(scores(metric, **{f"n{k}": v for k, v in enumerate(values)}))
    of = {f"table1/n{k}": k for k in range(len(values))}
    return judged(t, "trend", of=of, metrics=[metric], **more)


def test_a_trend():
    """Five rows in order have rho 1 and p 1 / 120 or less; three have p 1 / 6 at best."""
    result, holds = trend("40", "41", "42", "43", "44")
    assert holds == [True]
    assert "Spearman's rho +1.00 over 5 rows" in result.lines[0].text
    assert trend("44", "43", "42", "41", "40")[1] == [False]
    assert trend("42", "40", "43", "41", "44")[1] == [None]  # up, but not surely
    assert trend("0.9", "0.8", "0.7", "0.6", "0.5", metric="mae")[1] == [True]


@pytest.mark.filterwarnings("ignore:An input array is constant")
def test_equal_values_are_neither_a_trend_nor_its_reverse():
    assert trend("40", "40", "40", "40", "40")[1] == [None]


def test_two_rows_are_no_trend():
    assert trend("40", "41")[0].verdict == "not run"
    t = table(scores(n0="40", n1="41", n2="42"))
    of = {"table1/n0": 0, "table1/n1": 1, "table1/n2": 2, "table1/n3": 3}
    assert judged(t, "trend", of=of)[0].verdict == "not run"


GRID = {"exhibits": ["table5"], "dataset": "mosi", "metric": "acc7", "pattern": r"t(\d)_a(\d)"}


def grid(slope: float, noise: float = 0.3):
    values = {
        f"t{t}_a{a}": 40 + slope * t + noise * (-1) ** (t + a)
        for t in range(1, 5)
        for a in range(1, 5)
    }
    rows = [row(f"ash/table5/mosi/Net/{v}", acc7=f"{x:.2f}") for v, x in values.items()]
    return table(*rows, row("ash/table5/mosi/Net/full", acc7="99.0"))


def on_grid(t, factor: int = 0, **more):
    return judge_statements(t, "ash", [{"test": "grid_slope", "factor": factor} | GRID | more])


def test_a_slope_over_a_grid():
    (line,) = on_grid(grid(1.0)).lines
    assert line.holds is True
    assert line.gain == pytest.approx(1.0)
    assert "Acc-7 per 0: +1.000 [+0.8" in line.text
    assert "over 16 cells (means 1: 41.00, 2: 42.00, 3: 43.00, 4: 44.00)" in line.text
    assert len(line.cells) == 16
    assert on_grid(grid(1.0), factor=1).verdict == "inconclusive"
    assert on_grid(grid(-1.0)).verdict == "contradicted"
    assert on_grid(grid(0.05)).verdict == "inconclusive"  # steps of 0.6 hide it
    assert on_grid(grid(1.0), dataset="mosei").verdict == "not run"
    one = grid(1.0)
    one = one[one["variant"].str.startswith("t1_")]
    assert on_grid(one).verdict == "not run"  # a single level has no slope


def test_the_mean_at_the_highest_level():
    for above, verdict in ((43.9, "supported"), (44.0, "contradicted"), (44.1, "contradicted")):
        result = on_grid(grid(1.0), above=above)
        assert result.verdict == verdict
        assert f"above {above:g} wanted" in result.lines[0].text


# --- rivals ---------------------------------------------------------------------------------------


def rivals(*wanted: str, **systems: tuple[str, str]):
    rows = [row(f"ash/table1/mosi/{s}", mae=m, corr=c) for s, (m, c) in systems.items()]
    test = {"of": "table1/Net", "among": "table1/*", "rivals": list(wanted)}
    return judged(table(*rows), "only_beaten_by", metrics=["mae", "corr"], **test)


def test_only_beaten_by():
    net, ahead, half = ("0.700", "0.800"), ("0.690", "0.810"), ("0.690", "0.790")
    result, holds = rivals("A", Net=net, A=ahead, B=half)
    assert (result.verdict, holds) == ("supported", [True])
    assert result.lines[0].text.startswith("A beats Net: MOSI MAE 0.690 against 0.700")
    result, holds = rivals("A", Net=net, A=half, B=ahead)
    assert (result.verdict, holds) == ("contradicted", [False, False])
    assert "A does not beat Net" in result.lines[0].text
    assert "B beats Net" in result.lines[1].text


def test_rivals_need_every_metric():
    t = table(
        row("ash/table1/mosi/Net", mae="0.700", corr="0.800"), row("ash/table1/mosi/A", mae="0.600")
    )
    test = {"of": "table1/Net", "among": "table1/*", "rivals": ["A"], "metrics": ["mae", "corr"]}
    assert judged(t, "only_beaten_by", **test)[0].verdict == "not run"


def test_every_form_is_in_the_registry():
    assert set(statements.STATEMENTS) == {
        *("better", "no_worse", "alike", "ahead_by", "gain_larger", "level", "ratio"),
        *("share_smaller", "sum_larger", "trend", "only_beaten_by", "grid_slope"),
    }
