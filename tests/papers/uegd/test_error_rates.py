"""The error rates of UEGD's tests as the ledger shows them."""

import pytest

from msalib.base import files
from msalib.evidence import error_rates, registry
from msalib.evidence.verdicts import weigh
from msalib.pages import ledger
from msalib.papers.uegd.power.record import Cell, Plan, Power, record_path

C6, C11 = registry.claims("uegd", ["UEGD-C6", "UEGD-C11"])
EFFECTS = (-0.05, 0.0, 0.05, 0.1)


@pytest.fixture
def write():
    def written(claim=C6, **changed):
        about = {"name": claim.rerun.test, **claim.rerun.arguments} | changed
        shares = dict(zip(EFFECTS, (0, 4, 30, 90), strict=True))
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
            settings={"videos": {"mosi": {}, "mosei": {}}, "tests": {claim.id: about}},
            commit="0",
            device="cpu",
            versions={},
            started="2026-01-01",
            seconds=1.0,
            plans={claim.id: Plan(unit="Corr", effects=EFFECTS, false_at=0.0)},
            gains={},
            cells=cells,
        )
        files.write_json(record_path(), made.model_dump())

    return written


def test_rates_are_where_the_claim_is_barely_false_and_where_it_is_true(write):
    write()
    (one,) = error_rates.by_claim("uegd")["UEGD-C6"]
    assert one.size == "mosi" and [cell.gain for cell in one.of("true")] == [0.05, 0.1]
    assert one.worst("supported").share == 0.04
    assert ledger.errors_text(one) == (
        "size of mosi: false support 4.0%, false contradiction 3.0%, "
        "power 90% where it is true (0.1 Corr)"
    )
    (c6,) = [e for e in weigh("uegd") if e.claim.id == "UEGD-C6"]
    assert list(c6.error_rates) == [one]


def test_rates_of_a_test_that_has_changed_since_are_not_shown(write):
    write(name="another")
    assert error_rates.by_claim("uegd") == {}


def test_a_claim_that_equal_blocks_make_plainly_false_may_be_contradicted(write):
    write(C11)
    (one,) = error_rates.by_claim("uegd")["UEGD-C11"]
    assert [cell.role for cell in one.cells] == ["false", "true", "true"]
