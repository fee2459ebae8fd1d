"""Sentences about printed numbers: each form on made-up tables, then the papers' own."""

from functools import cache

import pytest

from msalib.evidence import registry
from msalib.evidence.printed import names, statements
from msalib.evidence.printed import table as printed
from msalib.evidence.printed.cells import Cells, parse
from msalib.evidence.printed.statements import Line
from msalib.evidence.printed.verdict import judge_statements, missing_rows, phrases
from tests.cells import at, row, table


def judged(t, test: str, **arguments):
    """The result of one test on MOSI of the paper ash, with what each line holds."""
    arguments = {"datasets": ["mosi"], "metrics": ["acc7"]} | arguments
    result = judge_statements(t, "ash", [{"test": test} | arguments])
    return result, [line.holds for line in result.lines]


def scores(metric: str = "acc7", dataset: str = "mosi", exhibit: str = "table1", **systems: str):
    return [
        c for s, v in systems.items() for c in row(f"ash/{exhibit}/{dataset}/{s}", **{metric: v})
    ]


# --- names of rows ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("table1/Net", {"exhibit": "table1", "system": "Net"}),
        ("table1/Net/full", {"exhibit": "table1", "system": "Net", "variant": "full"}),
        ("table1/Net/", {"exhibit": "table1", "system": "Net", "variant": ""}),
        ("table1/*", {"exhibit": "table1", "system": "*"}),
        (
            "ash:table1/MAG-BERT@mosei#mae",
            {"paper": "ash", "exhibit": "table1"}
            | {"system": "MAG-BERT", "dataset": "mosei", "metric": "mae"},
        ),
        ("text//all@", {"exhibit": "text", "system": "", "variant": "all", "dataset": ""}),
    ],
)
def test_parts_of_a_name(text, parts):
    empty = dict.fromkeys(("paper", "exhibit", "system", "variant", "dataset", "metric"))
    assert parse(text) == empty | parts


@pytest.mark.parametrize("text", ["table1", "", "table1/Net#", "table1/Net@a-b"])
def test_other_names_are_refused(text):
    with pytest.raises(ValueError, match="expected exhibit/system/variant"):
        parse(text)


def rows_of(name: str, dataset="mosi", metric="acc7"):
    t = table(
        row("ash/table1/mosi/Net", acc7="40", mae="0.7"),
        row("ash/table1/mosi/Net/full", acc7="41"),
        row("ash/table1/mosi/A", acc7="42"),
        row("ash/table1/mosi/A/full", acc7="43"),
        row("ash/table1/mosei/Net", acc7="44"),
        row("ash/table2/mosi/Net", acc7="45"),
        row("birch/table1/mosi/Net", acc7="46"),
        row("ash/table1//Net", acc7="47"),
    )
    return [int(c["value"]) for c in Cells(t).matching("ash", name, dataset, metric)]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("table1/Net", [40]),
        ("table1/Net/", [40]),
        ("table1/Net/full", [41]),
        ("table1/Net/*", [40, 41]),
        ("table1/*", [40, 41, 42, 43]),
        ("table1/*/", [40, 42]),
        ("table1/*/full", [41, 43]),
        ("table1/Net@mosei", [44]),
        ("table1/Net@", [47]),
        ("table2/*", [45]),
        ("birch:table1/Net", [46]),
        ("table1/Net#mae", [0]),
        ("table1/B", []),
        ("table3/Net", []),
    ],
)
def test_the_cells_of_a_row(name, values):
    assert rows_of(name) == values


# --- better -------------------------------------------------------------------------------------


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


def test_smaller_errors_are_better():
    t = table(scores("mae", Net="0.700", A="0.750"))
    result, holds = judged(t, "better", of="table1/Net", than=["table1/A"], metrics=["mae"])
    assert holds == [True]
    assert result.lines[0].gain == pytest.approx(0.05)
    assert result.lines[0].text.endswith("difference -0.050")


@pytest.mark.parametrize(
    ("first", "second", "holds"),
    [
        ("45.0", "45.0", None),
        ("45.1", "45.0", True),  # both would have to be at the ends of what they may be
        ("45.0", "45.1", False),
        ("45.04", "45.0", None),  # 0.04, and 0.055 may be rounding
        ("45.06", "45.0", True),
        ("45.0", "45", None),
    ],
)
def test_what_rounding_hides_is_a_tie(first, second, holds):
    t = table(scores(Net=first, A=second))
    result, found = judged(t, "better", of="table1/Net", than=["table1/A"])
    assert found == [holds]
    verdicts = {None: "inconclusive", True: "supported", False: "contradicted"}
    assert result.verdict == verdicts[holds]
    assert result.note.endswith(", 1 tied") == (holds is None)


@pytest.mark.parametrize(
    ("by", "holds"), [(1.0, True), (1.5, False), ({"percent": 1.0}, True), ({"acc7": 1.5}, False)]
)
def test_better_by_at_least(by, holds):
    """45.3 - 44.3 is 1 but for the last bit."""
    t = table(scores(Net="45.3", A="44.3"))
    result, found = judged(t, "better", of="table1/Net", than=["table1/A"], by=by)
    assert found == [holds]
    assert "wanted 1" in result.lines[0].text


def test_a_bound_for_other_units():
    t = table(scores("mae", Net="0.700", A="0.710"))
    for by, holds in (
        ({"percent": 5.0, "other": 0.01}, True),
        ({"other": 0.02, "mae": 0.01}, True),
        ({"mae": 0.02}, False),
    ):
        assert judged(t, "better", of="table1/Net", than=["table1/A"], metrics=["mae"], by=by)[
            1
        ] == [holds]


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


# --- margins ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("test", "own", "holds"),
    [
        ("no_worse", "44.5", True),
        ("no_worse", "44.4", False),
        ("no_worse", "99.0", True),
        ("alike", "44.5", True),
        ("alike", "45.5", True),
        ("alike", "45.6", False),
        ("alike", "44.4", False),
    ],
)
def test_within_a_margin(test, own, holds):
    t = table(scores(Net=own, A="45.0"))
    result, found = judged(t, test, of="table1/Net", than=["table1/A"], margin={"percent": 0.5})
    assert found == [holds]
    assert "0.5" in result.lines[0].text


def test_a_margin_for_errors():
    t = table(scores("mae", Net="0.710", A="0.700"))
    for margin, holds in ((0.01, True), (0.009, False)):
        found = judged(
            t, "no_worse", of="table1/Net", than=["table1/A"], metrics=["mae"], margin=margin
        )
        assert found[1] == [holds]


@pytest.mark.parametrize(
    ("own", "holds"),
    [("46.0", True), ("48.0", True), ("45.9", False), ("48.1", False), ("40.0", False)],
)
def test_ahead_by_an_amount(own, holds):
    t = table(scores(Net=own, A="45.0"))
    result, found = judged(t, "ahead_by", of="table1/Net", than=["table1/A"], low=1.0, high=3.0)
    assert found == [holds]
    assert result.lines[0].text.endswith(", 1 to 3 wanted")


# --- gains --------------------------------------------------------------------------------------


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


# --- single numbers -----------------------------------------------------------------------------


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


# --- trends -------------------------------------------------------------------------------------


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


# --- rivals -------------------------------------------------------------------------------------


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


# --- verdicts -----------------------------------------------------------------------------------

THREE = table(scores(Net="45.0", A="44.0", B="45.0", C="46.0"))
"""Better than A, tied with B, behind C."""


@pytest.mark.parametrize(
    ("least", "verdict"),
    [(1, "supported"), (2, "inconclusive"), (3, "contradicted"), (None, "contradicted")],
)
def test_at_least_so_many(least, verdict):
    more = {} if least is None else {"least": least}
    result, holds = judged(THREE, "better", of="table1/Net", than=["table1/*"], **more)
    assert holds == [True, None, False]
    assert (result.verdict, result.note) == (verdict, "holds in 1 of 3 comparisons, 1 tied")


def test_all_tests_of_a_claim_are_required():
    tests = {
        other: {"test": "better", "of": "table1/Net", "than": [f"table1/{other}"]}
        | {"datasets": ["mosi"], "metrics": ["acc7"]}
        for other in "ABCD"
    }
    wanted = {"A": "supported", "AB": "inconclusive", "ABC": "contradicted", "AD": "not run"}
    wanted |= {"BD": "not run", "CD": "contradicted", "D": "not run"}
    for others, verdict in wanted.items():
        assert judge_statements(THREE, "ash", [tests[o] for o in others]).verdict == verdict, others
    assert len(judge_statements(Cells(THREE), "ash", [tests[o] for o in "ABC"]).lines) == 3


def test_every_form_is_in_the_registry():
    assert set(statements.STATEMENTS) == {
        *("better", "no_worse", "alike", "ahead_by", "gain_larger", "level", "ratio"),
        *("share_smaller", "sum_larger", "trend", "only_beaten_by", "grid_slope"),
    }


def test_comparisons_in_few_words():
    t = table(scores(Net="45.0", A="44.0"), scores("mae", Net="0.700", A="0.750"))
    lines = judged(t, "better", of="table1/Net", than=["table1/A"], metrics=["acc7", "mae"])[
        0
    ].lines
    assert phrases([*lines, Line("a trend", True, (0,))]) == [
        "MOSI, Net minus A: Acc-7 +1.0, MAE -0.050",
        "a trend",
    ]


@pytest.mark.parametrize(
    ("number", "shown"),
    [("45.00", "45.00"), ("45", "45"), ((12000, "12k"), "12,000"), ("0.7", "0.7")],
)
def test_numbers_are_shown_with_the_digits_of_print(number, shown):
    cell = table(row("ash/table1/mosi/Net", mae=number)).iloc[0]
    assert names.number(cell) == shown


# --- the five papers ----------------------------------------------------------------------------


@cache
def cells() -> Cells:
    return Cells(printed.load_all())


def of_paper(claim: str):
    paper = claim.partition("-")[0].lower()
    entry = next(c for c in registry.load(paper).claims if c.id == claim)
    return judge_statements(cells(), paper, entry.printed.tests)


@pytest.mark.parametrize(
    ("claim", "verdict", "note"),
    [
        # Printed effects as the specifications have them, papers/*.md (b).
        ("UEGD-C5", "supported", "8 of 8"),
        ("UEGD-C6", "contradicted", "20 of 24"),
        ("UEGD-C11", "supported", "2 of 2"),
        ("UEGD-C16", "contradicted", "0 of 2 comparisons, 1 tied"),
        ("SUGRM-C1", "inconclusive", "39 of 40 comparisons, 1 tied"),
        ("SUGRM-C3b", "contradicted", "25 of 28"),
        ("SUGRM-C5", "supported", "6 of 6"),
        ("SUGRM-C13", "supported", "13 of 18"),
        ("SUGRM-C14", "contradicted", "11 of 12"),
        ("MMML-C3", "supported", "14 of 14"),
        ("MMML-C4", "supported", "6 of 6"),
        ("MMML-C14", "contradicted", "0 of 2"),
        ("MMML-C19", "supported", "7 of 7"),
        ("GLOMO-C2", "supported", "26 of 26"),
        ("GLOMO-C8", "contradicted", "6 of 8"),
        ("GLOMO-C9", "contradicted", "6 of 8"),
        ("CMT-C4", "contradicted", "8 of 12"),
        ("CMT-C6", "supported", "2 of 2"),
        ("CMT-C16", "contradicted", "1 of 4"),
    ],
)
def test_verdicts_on_the_papers(claim, verdict, note):
    found = of_paper(claim)
    assert found.verdict == verdict
    assert found.note.startswith(f"holds in {note}")


@pytest.mark.parametrize(
    ("claim", "effect"),
    [
        (
            "UEGD-C6",
            "MOSEI Acc-2 (has 0): UEGD enc mid best 82.4, UEGD enc output 82.5, difference -0.1",
        ),
        ("UEGD-C16", "UEGD enc mid best gains +6.814% over UEGD conv bert"),
        ("SUGRM-C1", "MOSI, aligned Acc-2 (non 0): SUGRM 84.5, Self-MM 84.5, difference +0.0"),
        ("SUGRM-C3b", "Corr: SUGRM 0.748, Self-MM 0.765, difference -0.017"),
        ("SUGRM-C5", "Acc-2 (non 0): SUGRM tasks mtav 86.3, SUGRM tasks m 84.0, difference +2.3"),
        ("SUGRM-C14", "MAE: SUGRM 0.544, SUGRM no mrm 0.541, difference +0.003"),
        ("MMML-C1", "MOSEI F1 (non 0): MMML 86.49, UniMSE 87.46, difference -0.97"),
        ("MMML-C14", "RoBERTa text only 79.21, HuBERT finetuned 74.65, difference +4.56"),
        ("GLOMO-C8", "MOSEI Acc-2 (has 0): GLoMo full 83.7, GLoMo v a 69.6, difference +14.1"),
        ("GLOMO-C9", "MOSI Acc-2 (non 0): GLoMo v t 84.9, GLoMo a t 84.1, difference +0.8"),
        ("CMT-C4", "CMT base 75.1, Shallow-Fusion 71.7, difference +3.4"),
        ("CMT-C16", "MOSEI MAE: CMT cmt4 pt tapt 0.502, CMT cmt4 pt 0.496, difference +0.006"),
    ],
)
def test_printed_effects_of_the_specifications(claim, effect):
    assert any(effect in line.text for line in of_paper(claim).lines)


# --- margins of ours, thresholds and rounding ---------------------------------------------------


def pair(first: str, second: str, **arguments):
    t = table(row("ash/table1/mosi/Net", acc7=first), row("ash/table1/mosi/Old", acc7=second))
    test = {"of": "table1/Net", "than": ["table1/Old"], "datasets": ["mosi"], "metrics": ["acc7"]}
    return judge_statements(t, "ash", [test | arguments])


@pytest.mark.parametrize(
    ("first", "second", "arguments", "verdict"),
    [
        ("44.0", "40.0", {"test": "better", "by": 4.0}, "supported"),  # as printed it reaches it
        ("43.9", "40.0", {"test": "better", "by": 4.0}, "contradicted"),
        ("43.95", "40", {"test": "better", "by": 4.0}, "inconclusive"),
        ("41.0", "40.0", {"test": "alike", "margin": 1.0}, "supported"),
        ("41.05", "40", {"test": "alike", "margin": 1.0}, "inconclusive"),
        ("39.0", "40.0", {"test": "no_worse", "margin": 1.0}, "supported"),
        ("38.9", "40.0", {"test": "no_worse", "margin": 1.0}, "contradicted"),
        ("43.0", "40.0", {"test": "ahead_by", "low": 1.0, "high": 3.0}, "supported"),
        ("43.01", "40", {"test": "ahead_by", "low": 1.0, "high": 3.0}, "inconclusive"),
        ("43.1", "40.0", {"test": "ahead_by", "low": 1.0, "high": 3.0}, "contradicted"),
    ],
)
def test_a_threshold_that_rounding_may_hide_is_a_tie(first, second, arguments, verdict):
    assert pair(first, second, **arguments).verdict == verdict


def test_a_margin_of_ours_is_told_and_does_not_outweigh_the_wording():
    ours = pair("38.9", "40.0", test="no_worse", margin=1.0, ours=True)
    assert ours.verdict == "contradicted" and ours.ours
    assert ours.lines[0].text.endswith("(our margin)") and "margin of ours" in ours.note
    worded = pair("38.9", "40.0", test="no_worse", margin=1.0)
    assert not worded.ours and "ours" not in worded.note
    t = table(row("ash/table1/mosi/Net", acc7="38.9"), row("ash/table1/mosi/Old", acc7="40.0"))
    test = {"of": "table1/Net", "than": ["table1/Old"], "datasets": ["mosi"], "metrics": ["acc7"]}
    both = [test | {"test": "better"}, test | {"test": "alike", "margin": 1.0, "ours": True}]
    assert not judge_statements(t, "ash", both).ours  # the wording alone contradicts it


def test_rows_that_are_nowhere_are_named():
    t = table(row("ash/table1/mosi/Net", acc7="38.9"), row("ash/table1/mosi/Old/v2", acc7="40.0"))
    test = {"test": "better", "of": "table1/Net", "datasets": ["mosi"], "metrics": ["acc7"]}
    known = test | {"than": ["table1/Old/v2", "table1/*"]}
    assert missing_rows(t, "ash", [known]) == []
    lost = test | {"than": ["table1/Old", "table1/Odl/v2", "birch:table1/Net"]}
    assert missing_rows(t, "ash", [lost]) == lost["than"]
    nested = {"test": "gain_larger", "of": ["table1/Net", "table1/Typo"], "than": [["table2/A"]]}
    assert missing_rows(t, "ash", [nested]) == ["table1/Typo", "table2/A"]
    trend = {"test": "trend", "of": {"table1/Net": 1, "table1/Nte": 2}}
    assert missing_rows(t, "ash", [trend]) == ["table1/Nte"]
