"""Verdicts of printed numbers: all statements of a claim together, then the papers' own."""

from functools import cache

import pytest

from msalib.evidence import registry
from msalib.evidence.printed import table as printed
from msalib.evidence.printed.cells import Cells
from msalib.evidence.printed.statements import Line
from msalib.evidence.printed.verdict import judge_statements, missing_rows, phrases
from tests.cells import judged, row, scores, table

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


def test_comparisons_in_few_words():
    t = table(scores(Net="45.0", A="44.0"), scores("mae", Net="0.700", A="0.750"))
    lines = judged(t, "better", of="table1/Net", than=["table1/A"], metrics=["acc7", "mae"])[
        0
    ].lines
    assert phrases([*lines, Line("a trend", True, (0,))]) == [
        "MOSI, Net minus A: Acc-7 +1.0, MAE -0.050",
        "a trend",
    ]


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


# --- margins of ours ------------------------------------------------------------------------------


def pair(first: str, second: str, **arguments):
    t = table(row("ash/table1/mosi/Net", acc7=first), row("ash/table1/mosi/Old", acc7=second))
    test = {"of": "table1/Net", "than": ["table1/Old"], "datasets": ["mosi"], "metrics": ["acc7"]}
    return judge_statements(t, "ash", [test | arguments])


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


# --- the five papers ------------------------------------------------------------------------------


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
