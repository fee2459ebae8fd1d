"""What a record of simulated studies says of a test: its errors, its power, its level."""

import pytest

from msalib.base import paths
from msalib.evidence import error_rates, registry
from tests.evidence.made_rates import equivalence, measured


@pytest.mark.parametrize(
    ("shares", "times"),
    [((1, 2, 6, 10), 3), ((8, 10), 0.5), ((10,), 0.4), ((0, 1, 5, 7), None)],
)
def test_the_effect_that_is_found_is_interpolated(shares, times):
    found = measured(*shares).found_from()
    assert found == (times if times is None else pytest.approx(times))


def test_an_error_above_its_level_is_named():
    assert measured(1, 2).too_high() == []
    assert measured(1, 2, border=(4, 5)).too_high() == []
    (line,) = measured(1, 2, border=(12, 0)).too_high()
    assert line == "supported in 12.0% of 100 studies with a gain of 0, level 2.5%"


def test_to_support_that_nothing_differs_has_twice_the_level():
    of = equivalence(7)
    assert (of.level("supported"), of.level("contradicted")) == (0.05, 0.025)
    assert measured(1).level("supported") == 0.025


def test_what_is_worst_and_what_is_printed():
    assert measured(1, border=(3, 9)).worst("contradicted").share == 0.09
    assert not measured(1, printed_in="none is printed, that of table8, mosi").is_printed


def test_power_is_at_the_printed_gain_or_where_nothing_differs():
    assert measured(1, 3).power("1").share == 0.3
    assert measured(1).power("1") is None
    assert equivalence(7).truest().share == 0.7


def test_contradicting_what_is_false_outright_is_no_error():
    of = measured(1, 2, border=(12, 40))
    outright = of.cells[0].model_copy(update={"role": "false"})
    of = of.model_copy(update={"cells": [outright, *of.cells[1:]]})
    assert of.worst("supported").share == 0.12 and of.worst("contradicted").share == 0
    (line,) = of.too_high()
    assert line == "supported in 12.0% of 100 studies with a gain of 0, level 2.5%"


def test_a_power_names_its_effect():
    assert measured(1, 3).at_printed()[1] == "at the printed gain"
    assert measured(1).at_printed()[1] == "at 0.5 times the printed gain"
    assert equivalence(7).at_printed()[1] == "where it is true (nothing differs)"


def test_records_elsewhere_hide_no_measurement_of_the_package(monkeypatch):
    monkeypatch.setattr(paths, "SHIPPED", paths.BOOK / "records")
    assert not paths.records_folder().exists()
    for paper in registry.known():
        assert error_rates.by_claim(paper), paper
