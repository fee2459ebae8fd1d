"""Sentences and marks against the cells that they cover."""

from msalib.evidence import registry
from msalib.evidence.printed.checks import direction
from tests.cells import at, entry, row, table

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
