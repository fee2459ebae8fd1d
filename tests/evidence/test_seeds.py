"""Numbers by seed: p-values and intervals against scipy, verdicts, margins, words."""

import numpy as np
import pytest
from scipy.stats import t, ttest_1samp

from msalib.evidence import seeds

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("side", ["greater", "less"])
@pytest.mark.parametrize("than", [0.0, 0.4])
def test_p_is_that_of_students_test(side, than):
    values = RNG.normal(0.3, 1, 5)
    expected = ttest_1samp(values, than, alternative=side).pvalue
    assert seeds.p_value(values, than, side) == pytest.approx(expected, rel=1e-12)


def test_the_interval_is_students():
    values = RNG.normal(0.3, 1, 4)
    estimate = seeds.over_seeds(values)
    low, high = t.interval(0.95, 3, values.mean(), values.std(ddof=1) / 2)
    assert (estimate.low, estimate.high) == pytest.approx((low, high))
    assert estimate.p == pytest.approx(ttest_1samp(values, 0).pvalue)
    assert estimate.seeds == tuple(values)
    level = seeds.level_over_seeds(values, values.mean(), 1.0)
    assert level.kind == "level" and level.low == values.mean() and level.high <= 1.0


@pytest.mark.parametrize("values", [[0.1, np.nan, 0.2], [0.1, 0.1, 0.1], [0.1]])
def test_without_spread_or_with_an_undefined_seed_there_is_no_p(values):
    assert np.isnan(seeds.p_value(np.array(values)))


def test_a_missing_number_is_undefined():
    assert seeds.as_numbers([0.5, None])[0] == 0.5
    assert np.isnan(seeds.as_numbers([0.5, None])[1])


def test_a_claim_that_also_fails_is_contradicted():
    assert seeds.verdict(supported=True, contradicted=True) == "contradicted"
    assert seeds.verdict(supported=True, contradicted=False) == "supported"
    assert seeds.verdict(supported=False, contradicted=False) == "inconclusive"


def test_margins_are_by_unit():
    margins = {"%": 0.5, "": 0.010}
    found = {m: seeds.margin(margins, m) for m in ("f1_has0", "acc2_non0", "mae", "corr")}
    assert found == {"f1_has0": 0.5, "acc2_non0": 0.5, "mae": 0.010, "corr": 0.010}


def test_words():
    assert seeds.label("f1_has0") == "F1 (has 0), points" and seeds.label("mae") == "MAE"
    p = seeds.listed({"visual": 0.0499, "another": np.nan, "acoustic": 1e-5})
    assert p == "visual 0.050, another none, acoustic below 0.001"
