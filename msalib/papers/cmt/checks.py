"""Do the printed sizes of CMT's fusion part follow from its printed layers?"""

import pandas as pd

from msalib.evidence.printed.checks.finding import Finding, places
from msalib.evidence.printed.names import place


def block_parameters(d: int) -> int:
    """Return the parameters of one cross-modal block of width ``d``.

    The inner width of the feed-forward is 4 d (papers/cmt.md (c)).
    """
    return 2 * 4 * (d * d + d) + (d * 4 * d + 4 * d) + (4 * d * d + d) + 3 * 2 * d


def check(table: pd.DataFrame) -> list[Finding]:
    """Compare the printed sizes of CMT's fusion part with the formula.

    Two streams of L blocks. In millions the printed numbers are too small; in units of 2^20 they
    fit.
    """
    rows = table[(table["paper"] == "cmt") & (table["system"] == "CMT")]
    findings = []
    for size in ("base", "large"):
        layers = rows[(rows["variant"] == size) & (rows["metric"] == "layers")]
        count = rows[(rows["variant"] == f"{size}_cross_modal") & (rows["metric"] == "params")]
        if layers.empty or count.empty:
            continue
        blocks, cell = int(layers.iloc[0]["value"]), count.iloc[0]
        expected = 2 * blocks * block_parameters(1024)
        units = int(expected / 2**20)
        stated = int(cell["value"] / 1e6)
        listing = f"2 streams of {blocks} blocks of width 1,024 have {expected:,} parameters"
        if stated == round(expected / 1e6):
            continue
        if stated == units:
            message = (
                f"{place(cell)}: printed {cell['printed']}; {listing}, which is {stated} only in "
                f"units of 2^20 = 1,048,576 ({expected / 2**20:.2f}), not in millions."
            )
            severity = "notable"
        else:
            message = (
                f"{place(cell)}: printed {cell['printed']}; {listing}, "
                f"{expected / 1e6:.1f} million or {expected / 2**20:.1f} units of 2^20."
            )
            severity = "inconsistent"
        listed = places([cell, layers.iloc[0]])
        findings.append(Finding("identities", severity, "cmt", message, listed))
    return findings
