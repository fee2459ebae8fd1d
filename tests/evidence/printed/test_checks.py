"""All checks together; and print against file, chance, and sentences."""

import numpy as np
import pytest

from msalib.data import metrics
from msalib.evidence import registry
from msalib.evidence.printed import checks, testparts
from msalib.evidence.printed import table as printed
from msalib.evidence.printed.checks import chance, direction, transcription
from msalib.evidence.printed.checks.finding import SEVERITIES
from tests.cells import at, entry, row, table

# --- together -----------------------------------------------------------------------------------

BAD = row("ash/table1/mosi/Net", acc7="57.8", acc5="56.9", mae="1.455", corr="79")


def test_findings_come_by_severity_then_place():
    t = table(BAD, row("birch/table1/mosi/Net", acc7="57.8", acc5="56.9", corr="-0.01"))
    found = checks.run(t)
    order = [(SEVERITIES.index(f.severity), f.paper, min(f.cells)) for f in found]
    assert order == sorted(order)
    assert [f.severity for f in found if f.check == "bounds"] == ["impossible"] * 3
    assert {f.paper for f in found if f.check == "chance"} == {"ash", "birch"}


def test_a_finding_spelt_out():
    t = table(BAD)
    told = checks.run(t)[0].as_json(t)
    assert list(told) == ["check", "severity", "paper", "message", "cells"]
    assert told["cells"] == [
        {"exhibit": "table1", "dataset": "mosi", "system": "Net", "variant": "", "metric": "acc7"}
        | {"printed": "57.8", "paper": "ash"},
        {"exhibit": "table1", "dataset": "mosi", "system": "Net", "variant": "", "metric": "acc5"}
        | {"printed": "56.9", "paper": "ash"},
    ]


def test_an_empty_table_has_no_findings():
    assert checks.run(table()) == []


def test_a_table_that_fits_has_no_findings():
    label = np.random.default_rng(0).permutation(np.repeat([0.0, -1.6, 1.6], [30, 378, 278]))
    scores = metrics.regression(label, label + np.random.default_rng(1).normal(size=686))
    numbers = {m: metrics.METRICS[m].show(v) for m, v in scores.items()}
    assert (
        checks.run(table(row("ash/table1/mosi/Net", **numbers)), {"ash": entry(["Net"], 1)}) == []
    )


def test_entries_are_those_of_the_papers_in_the_table(monkeypatch):
    """A paper without an entry is checked as far as its numbers go."""
    given = []
    monkeypatch.setattr(direction, "check", lambda table, entries: given.append(entries) or [])
    t = table(row("uegd/table1/mosi/Net", corr="79"), row("ash/table1/mosi/Net", corr="79"))
    assert {f.paper for f in checks.run(t) if f.check == "bounds"} == {"ash", "uegd"}
    assert list(given[0]) == ["uegd"]
    made = {"ash": entry(["Net"])}
    checks.run(t, made)
    assert given[1] == made


def test_cells_of_findings_are_in_the_table_and_messages_end():
    t = printed.load_all()
    found = checks.run(t)
    assert {f.check for f in found} == {
        "transcription",
        "granularity",
        "bounds",
        "identities",
        "repetition",
        "drift",
        "chance",
        "direction",
    }
    for one in found:
        assert one.severity in SEVERITIES
        assert one.cells
        assert len(set(one.cells)) == len(one.cells)
        assert set(one.cells) <= set(t.index)
        assert one.message.endswith("."), one.message
        assert one.paper in set(t.loc[list(one.cells), "paper"])


@pytest.mark.parametrize(
    "known",
    [
        "Table 6a, MOSEI, MMML v2 concat, Acc-7: 57.78 exceeds Acc-5 56.86",  # mmml.md
        "Table 2, MUStARD, GLoMo bert, Acc-2: 83.86 is no mean",  # glomo.md (g) 11
        "printed as '0.79.5'",
        "which is 64 only in units of 2^20",  # cmt.md (g) 9
    ],
)
def test_what_is_known_of_the_five_papers(known):
    assert any(known in f.message for f in checks.run(printed.load_all()))


# --- transcription ------------------------------------------------------------------------------


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


# --- chance -------------------------------------------------------------------------------------


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


# --- direction ----------------------------------------------------------------------------------

SCORES = [
    row("ash/table1/mosi/Net", mae="0.700", acc7="45.0"),
    row("ash/table1/mosi/A", mae="0.800", acc7="45.5"),
    row("ash/table1/mosi/B", mae="0.7005", acc7="44.0"),
]


def claim(**more):
    test = {"test": "better", "of": "table1/Net", "than": ["table1/*"], "datasets": ["mosi"]}
    return {"ash": entry(["Net"], tests=[[test | {"metrics": ["mae", "acc7"]} | more]])}


def test_a_claim_with_an_exception_and_a_tie():
    t = table(*SCORES[:2], row("ash/table1/mosi/B", mae="0.700", acc7="44.0"))
    (one,) = direction.check(t, claim())
    assert (one.check, one.severity, one.paper) == ("direction", "inconsistent", "ash")
    assert one.message.startswith("C1, It is better: holds in 2 of 4 comparisons, 1 tied. ")
    assert "Net 45.0, A 45.5, difference -0.5" in one.message
    assert one.message.count("(tie)") == 1
    assert at(t, one) == [
        f"ash/table1/mosi/{s}#{m}"
        for m, s in (("mae", "Net"), ("mae", "B"), ("acc7", "Net"), ("acc7", "A"))
    ]


def test_ties_alone_are_notable():
    t = table(*SCORES[:1], row("ash/table1/mosi/B", mae="0.700", acc7="44.0"))
    (one,) = direction.check(t, claim())
    assert one.severity == "notable"
    assert "holds in 1 of 2 comparisons, 1 tied" in one.message


def test_a_claim_that_holds_is_no_finding():
    assert direction.check(table(*SCORES[:2]), claim(metrics=["mae"])) == []


def test_exceptions_that_the_wording_allows_are_notable():
    (one,) = direction.check(table(*SCORES[:2]), claim(least=1))
    assert one.severity == "notable"
    assert "holds in 1 of 2 comparisons, as the wording allows." in one.message


def test_claims_without_cells_or_tests_are_no_finding():
    assert direction.check(table(*SCORES), claim(datasets=["mosei"])) == []
    silent = entry(["Net"])
    assert direction.check(table(*SCORES), {"ash": silent}) == []
    none = registry.PrintedTest(none="a figure")
    given = claim()["ash"]
    told = given.claims[0].model_copy(update={"printed": none})
    assert (
        direction.check(table(*SCORES), {"ash": given.model_copy(update={"claims": [told]})}) == []
    )


def marked(**notes: str):
    values = {"A": "40.0", "B": "42.0", "C": "41.0", "D": "39.0"}
    return table(
        *(row(f"ash/table1/mosi/{s}", acc7=(v, v, notes.get(s, ""))) for s, v in values.items())
    )


def test_a_mark_that_is_not_at_the_best():
    t = marked(C="bold")
    (one,) = direction.check(t, {})
    assert one.severity == "notable"
    assert one.message == "Table 1, MOSI, Acc-7: C 41.0 is bold, but ranks 2; B has 42.0."
    assert at(t, one) == ["ash/table1/mosi/C#acc7", "ash/table1/mosi/B#acc7"]


def test_the_second_best_is_underlined():
    assert direction.check(marked(B="bold", C="underlined in the paper"), {}) == []
    (one,) = direction.check(marked(A="underlined"), {})
    assert "A 40.0 is underlined, but ranks 3; C has 41.0" in one.message
    assert direction.check(marked(B="underlined"), {}) == []  # the best, which is better
    assert direction.check(marked(C="semibold, boldface"), {}) == []


def test_equal_numbers_share_a_rank():
    t = table(*(row(f"ash/table1/mosi/{s}", mae=(0.7, "0.700", "bold")) for s in "ABC"))
    assert direction.check(t, {}) == []


def test_the_best_error_is_the_smallest():
    rows = [
        row(f"ash/table1/mosi/{s}", mae=(v, v, n))
        for s, v, n in (("A", "0.7", "bold"), ("B", "0.8", ""), ("C", "0.9", ""))
    ]
    assert direction.check(table(*rows), {}) == []
    rows = [
        row(f"ash/table1/mosi/{s}", mae=(v, v, n))
        for s, v, n in (("A", "0.7", ""), ("B", "0.8", ""), ("C", "0.9", "bold"))
    ]
    (one,) = direction.check(table(*rows), {})
    assert "C 0.9 is bold, but ranks 3; A has 0.7" in one.message


def test_columns_with_two_systems_are_marked_in_blocks():
    t = table(
        *(
            row(f"ash/table1/mosi/{s}", acc7=(v, v, n))
            for s, v, n in (("A/x", "40.0", "bold"), ("A/y", "42.0", ""), ("B", "43.0", ""))
        )
    )
    assert direction.check(t, {}) == []


def test_marks_in_the_text_and_of_other_columns():
    t = table(
        *(
            row(f"ash/text/mosi/{s}", acc7=(v, v, "bold"))
            for s, v in zip("ABC", ("1", "2", "3"), strict=True)
        ),
        row("ash/table1/mosi/A", acc7=("40.0", "40.0", "bold")),
        row("ash/table1/mosei/B", acc7="42.0"),
        row("ash/table2/mosi/C", acc7="43.0"),
        row("birch/table1/mosi/D", acc7="44.0"),
    )
    assert direction.check(t, {}) == []


# --- precision ----------------------------------------------------------------------------------


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


# --- whatever a folder holds --------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_checks_run_on_whatever_is_left_of_the_papers_tables(seed):
    """Rows missing, values of zero, single papers: findings, never an exception."""
    rng = np.random.default_rng(seed)
    table = printed.load_all()
    kept = table[rng.random(len(table)) > rng.choice([0.05, 0.5, 0.95])].copy()
    kept.loc[rng.random(len(kept)) < 0.1, "value"] = 0.0
    papers_left = rng.choice(table["paper"].unique(), rng.integers(1, 4), replace=False)
    checks.run(kept)
    checks.run(kept[kept["paper"].isin(papers_left)])
    columns = kept[kept["metric"].isin(rng.choice(kept["metric"].unique(), 5))]
    checks.run(columns)
