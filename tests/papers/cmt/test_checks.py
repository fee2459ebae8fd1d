"""Printed sizes of CMT against its formula."""

from msalib.papers.cmt import checks
from tests.cells import at, row, table


def found(*rows):
    return checks.check(table(*rows))


def cmt(size: str, layers: str, count: tuple[float, str]):
    return row(f"cmt/text//CMT/{size}", layers=layers) + row(
        f"cmt/text//CMT/{size}_cross_modal", params=count
    )


def test_the_parameters_of_a_block_of_cmt():
    """papers/cmt.md (c): one block has 16,796,672."""
    assert checks.block_parameters(1024) == 16_796_672


def test_millions_or_units_of_two_to_the_20():
    """Two streams of two blocks: 67,186,688, which is 64.07 x 2^20."""
    assert not found(cmt("base", "2", (67e6, "67M")))
    t = table(cmt("base", "2", (64e6, "64M")))
    (one,) = checks.check(t)
    assert one.severity == "notable"
    assert "have 67,186,688 parameters, which is 64 only in units of 2^20" in one.message
    assert "(64.07), not in millions" in one.message
    assert at(t, one) == ["cmt/text//CMT/base_cross_modal#params", "cmt/text//CMT/base#layers"]
    (one,) = found(cmt("large", "4", (100e6, "100M")))
    assert one.severity == "inconsistent"
    assert "134.4 million or 128.1 units of 2^20" in one.message
    assert not found(row("cmt/text//CMT/base", layers="2"))
    assert not found(row("cmt/text//CMT/base_cross_modal", params=(1e6, "1M")))
