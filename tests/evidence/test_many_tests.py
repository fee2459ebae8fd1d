"""How many false verdicts are expected: by the measured errors of a test, else by its level."""

import pytest

from msalib.base.stats import LEVEL
from msalib.evidence.changes import Judged
from msalib.evidence.many_tests import Expected, error_rate, expected
from tests.evidence.made_rates import measured


def judged(**words: str) -> Judged:
    return Judged(paper="one", statement="It is better.", cells=(0, 0, 0), verdicts=words)


def test_the_worst_size_counts():
    small, large = measured(1, 9, border=(2, 4)), measured(1, 9, border=(6, 0), size="mosi")
    assert error_rate([small, large], "supported") == pytest.approx(0.06)
    assert error_rate([small, large], "contradicted") == pytest.approx(0.04)
    assert error_rate([], "supported") == LEVEL / 2


def test_every_setting_counts_and_print_does_not():
    claims = {
        "C1": judged(printed="contradicted", a="supported", b="inconclusive"),
        "C2": judged(printed="supported", a="contradicted"),
        "C3": judged(printed="supported"),
    }
    found = expected(claims, {"C1": [measured(1, 9, border=(2, 4))]})
    assert found == Expected(
        claims=2,
        verdicts=3,
        measured=2,
        supported=1,
        contradicted=1,
        false_support=pytest.approx(2 * 0.02 + 0.025),
        false_contradiction=pytest.approx(2 * 0.04 + 0.025),
    )


def test_nothing_is_expected_of_nothing():
    assert expected({}, {}) == Expected(*[0] * 7)
