"""What readers see of many tests."""

from msalib.evidence.many_tests import Expected
from msalib.pages import many_tests
from tests.html import read
from tests.small import ENTRIES

BY_PAPER = {"one": Expected(2, 5, 4, 3, 1, 0.125, 0.25), "two": Expected(1, 1, 0, 0, 1, 0.02, 0.02)}


def test_papers_are_listed_and_summed():
    frame = many_tests.table(BY_PAPER, ENTRIES).frame
    assert list(frame["verdicts"]) == [5, 1, 6]
    assert list(frame["false contradictions expected"]) == ["0.2", "0.0", "0.3"]
    text = read(many_tests.table(BY_PAPER, ENTRIES)).text
    assert "all" in text and "at most" in text


def test_numbers_for_prose_are_the_sums():
    texts = many_tests.numbers(BY_PAPER)
    assert texts["verdicts"] == "6" and texts["false_support"] == "0.1"
    assert "Of 3 verdicts supported on runs" in texts["answer"]
