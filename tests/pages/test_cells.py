"""The numbers behind the texts of cells."""

import numpy as np
import pytest

from msalib.base.stats import Estimate
from msalib.pages import cells
from tests.factory import layer_records


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([0.5, 0.7], "0.600\u00a0±\u00a00.141"),
        ([0.5], "0.500"),
        ([0.5, None, 0.7], "0.600\u00a0±\u00a00.141 (1 undefined)"),
        ([None, None], "undefined"),
    ],
)
def test_means_over_seeds_count_what_is_undefined(values, text):
    assert cells.spread(values, "corr") == text


def test_shares_are_shown_in_percent():
    assert cells.spread([0.5, 0.7], "acc2_has0") == "60.0\u00a0±\u00a014.1"


def test_values_by_seed_are_kept_in_the_unit_of_the_text():
    found = layer_records({"linguistic": {1: 1.0}}, seeds=2)
    values = cells.by_seed(found, lambda record: record.metrics["test"]["acc2_has0"])
    shown = cells.spread(values, "acc2_has0")
    assert shown == cells.spread(list(values.values()), "acc2_has0")
    assert {k: v for k, v in shown.numbers.items() if k.startswith("seed")} == {
        f"seed {seed}": 100 * value for seed, value in values.items()
    }
    assert shown.numbers[""] == pytest.approx(100 * np.mean(list(values.values())))


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        (Estimate(0.0541, 0.0127, 0.0931, 0.01, (0.05, 0.06)), "+0.054 [+0.013,\u00a0+0.093]"),
        (Estimate(0.5, 0.4, 0.6, 0.01, (), "level"), "0.500 [0.400,\u00a00.600]"),
        (Estimate(0.0004, 0.0, 0.0007, 0.01, (), "level"), "0.0004 [0,\u00a00.0007]"),
        (Estimate(12.0, 9.0, 14.0, 0.01, (), "block"), "12 [9,\u00a014]"),
    ],
)
def test_an_effect_keeps_its_interval_and_seeds(estimate, text):
    shown = cells.interval_text(estimate)
    seeds = {f"seed no. {k}": v for k, v in enumerate(estimate.seeds, start=1)}
    known = {"": estimate.effect, "low": estimate.low, "high": estimate.high}
    assert shown == text and shown.numbers == known | seeds


def test_what_is_undefined_has_no_numbers():
    nan = float("nan")
    for shown in (
        cells.interval_text(Estimate(nan, nan, nan, nan)),
        cells.mean_sd([None], str),
        cells.number("-", None),
    ):
        assert not shown.numbers
