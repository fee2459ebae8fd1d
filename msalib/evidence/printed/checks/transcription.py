"""Does the file say what the page says? The value against the printed string."""

from collections.abc import Mapping

import pandas as pd

from msalib.evidence.printed import units
from msalib.evidence.printed.checks.finding import Finding
from msalib.evidence.printed.names import exhibit, metric, place, system

ENOUGH = 6
"""Numbers of a column from which on one with more decimals stands out."""


def check(table: pd.DataFrame, entries: Mapping) -> list[Finding]:
    """Check that a value is the printed number, times 1, 100 or 0.01, and a result a number.

    Papers print shares as fractions or in percent and MAE as it is or times 100, so these three
    scales are the same number. Any other difference is a slip in the file, not in the paper. A
    result whose printed characters are no number (0.79.5) has been read by somebody.
    """
    findings = [*_mixed(table), *_finer(table)]
    for index, cell in table.to_dict("index").items():
        if units.scale(cell["value"], cell["printed"]) is None:
            message = (
                f"{place(cell)}: the file gives {cell['value']:g} for a printed "
                f"{cell['printed']!r}, which is another number."
            )
            findings.append(
                Finding("transcription", "inconsistent", cell["paper"], message, (index,))
            )
        elif (
            cell["unit"] in units.MEASURED
            and cell["exhibit"] != "text"
            and units.number(cell["printed"]) is None
        ):
            message = (
                f"{place(cell)}: printed as {cell['printed']!r}, which is no number; "
                f"read as {cell['value']:g}."
            )
            findings.append(Finding("transcription", "notable", cell["paper"], message, (index,)))
    return findings


def _mixed(table: pd.DataFrame) -> list[Finding]:
    """Find columns of one exhibit that print some numbers times 100 and others as they are."""
    findings = []
    measured = table[table["unit"].isin(units.MEASURED) & table["exhibit"].ne("text")]
    for (paper, where, name), group in measured.groupby(["paper", "exhibit", "metric"], sort=False):
        scales = [units.scale(*pair) for pair in zip(group["value"], group["printed"], strict=True)]
        known = {scale for scale in scales if scale is not None}
        if len(known) < 2:
            continue
        rare = min(known, key=scales.count)
        odd = group[[scale == rare for scale in scales]]
        listing = ", ".join(f"{system(c)} {c['printed']}" for _, c in odd.iterrows())
        message = (
            f"{exhibit(where)}, {metric(name)}: {len(odd)} of {len(group)} numbers are scaled by "
            f"another factor than the others: {listing}."
        )
        cells = tuple(int(i) for i in odd.index)
        findings.append(Finding("transcription", "notable", paper, message, cells))
    return findings


def _finer(table: pd.DataFrame) -> list[Finding]:
    """Find a number with more decimals than every other in its column, five at least."""
    findings = []
    measured = table[table["unit"].isin(units.MEASURED) & table["exhibit"].ne("text")]
    for (paper, where, name), group in measured.groupby(["paper", "exhibit", "metric"], sort=False):
        if len(group) < ENOUGH:
            continue
        finest, next_finest = sorted(group["half"])[:2]
        if finest > 0 and finest < next_finest * 0.99:
            (index,) = group.index[group["half"] == finest]
            cell = group.loc[index]
            message = (
                f"{exhibit(where)}, {metric(name)}: {system(cell)} {cell['printed']} has more "
                f"decimals than the other {len(group) - 1} numbers of its column."
            )
            findings.append(Finding("transcription", "notable", paper, message, (int(index),)))
    return findings
