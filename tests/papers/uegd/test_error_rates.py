"""The error rates of UEGD's tests as the ledger shows them."""

import pytest

from msalib.base import files
from msalib.evidence import error_rates, registry
from msalib.evidence.verdicts import weigh
from msalib.pages import ledger
from msalib.papers.uegd.error_rates import printed_effect
from msalib.papers.uegd.power.cases import CASES, plan_of
from msalib.papers.uegd.power.record import RECORD, Cell, Power

CLAIMS = {claim.id: claim for claim in registry.claims("uegd")}
PLANS = {case.claim: plan_of(case, CLAIMS[case.claim]) for case in CASES}
SHARES = (4, 10, 30, 60, 90)


@pytest.fixture
def write():
    def written(name, shares=SHARES, **changed):
        claim, plan = CLAIMS[name], PLANS[name].model_copy(update=changed)
        shares = dict(zip(plan.effects, shares, strict=True))
        cells = [
            Cell(
                claim=claim.id,
                dataset="mosi",
                effect=effect,
                verdicts={"supported": share, "contradicted": 3, "inconclusive": 97 - share},
                found={},
                videos_only={},
            )
            for effect, share in shares.items()
        ]
        made = Power(
            settings={"videos": {"mosi": {}, "mosei": {}}},
            commit="0",
            device="cpu",
            versions={},
            started="2026-01-01",
            seconds=1.0,
            plans={claim.id: plan},
            gains={},
            cells=cells,
        )
        files.write_json(RECORD.path, made.model_dump())

    return written


def test_power_is_that_at_the_printed_effect(write):
    write("UEGD-C6")
    (one,) = error_rates.by_claim("uegd")["UEGD-C6"]
    assert one.size == "mosi" and [cell.gain for cell in one.of("true")] == [0.01, 0.02, 0.05, 0.1]
    assert one.worst("supported").share == 0.04
    # Words alone gain .746 - .715, less than all together: between 30% at 0.02 and 60% at 0.05.
    assert one.printed == pytest.approx(0.031)
    assert one.at_printed()[0].share == pytest.approx(0.41)
    assert ledger.errors_text(one) == (
        "size of mosi: false support 4.0%, false contradiction 3.0%, "
        "power 41% at the smallest printed effect (0.031 Corr)"
    )
    (c6,) = [e for e in weigh("uegd") if e.claim.id == "UEGD-C6"]
    assert list(c6.error_rates) == [one]


def test_power_where_no_effect_is_printed_is_that_at_the_smallest_one(write):
    write("UEGD-X2")
    (one,) = error_rates.by_claim("uegd")["UEGD-X2"]
    power, where = one.at_printed()
    assert power.share == 0.1
    assert where == "at 0.01 Corr and 90% at 0.1 Corr (no effect is printed)"


def test_power_beyond_what_was_planted_is_that_at_the_largest_one(write):
    write("UEGD-C5", effects=PLANS["UEGD-C5"].effects)
    (one,) = error_rates.by_claim("uegd")["UEGD-C5"]
    assert one.model_copy(update={"printed": 0.4}).at_printed()[1] == "at 0.3 Corr (printed: 0.4)"


def test_an_effect_that_is_printed_the_other_way_round_has_no_power(write):
    write("UEGD-C7")  # the weighted sum of all together is ahead of mid-best in print
    (one,) = error_rates.by_claim("uegd")["UEGD-C7"]
    assert one.printed == pytest.approx(-0.001) and one.at_printed() == (None, "")


def test_a_claim_of_equality_is_truest_where_nothing_differs(write):
    write("UEGD-C15", (90, 60, 30, 4, 0))
    (one,) = error_rates.by_claim("uegd")["UEGD-C15"]
    assert one.at_printed()[0].share == 0.9 and "(0 MAE)" in one.at_printed()[1]


@pytest.mark.parametrize(
    ("claim", "mosi", "mosei"),
    [("C1", 0.024, 0.028), ("C4", 0.036, 0.009), ("C5", 0.221, 0.372), ("C10", None, None)],
)
def test_the_smallest_printed_effect(claim, mosi, mosei):
    found = [printed_effect(CLAIMS[f"UEGD-{claim}"], name) for name in ("mosi", "mosei")]
    assert found == [effect and pytest.approx(effect) for effect in (mosi, mosei)]


@pytest.mark.parametrize("change", [{"test": {"name": "another"}}, {"since": "2026-11-20"}])
def test_rates_of_a_test_that_has_changed_since_are_not_shown(write, change):
    write("UEGD-C6", **change)
    assert error_rates.by_claim("uegd") == {}


def test_a_claim_that_equal_blocks_make_plainly_false_may_be_contradicted(write):
    write("UEGD-C11")
    (one,) = error_rates.by_claim("uegd")["UEGD-C11"]
    assert [cell.role for cell in one.cells] == ["false", *["true"] * 4]
