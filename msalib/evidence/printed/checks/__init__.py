"""Do the printed numbers fit together? Small pure functions over the table of ``printed``.

A check takes the table and the entries of the papers in it (``papers``), and returns findings. A
finding says what numbers say, with the arithmetic, and never why: a misprint, a slip in copying and
another protocol look alike. How severe it is:

- impossible: no data and no model could give these numbers,
- inconsistent: two printed numbers, or a number and a sentence, contradict each other,
- unlikely: possible, but rare by the stated protocol or far from what all other rows show,
- notable: nothing wrong, but a reader should know.

Checks that know a paper, such as its formula for parameters, live with it (``papers.<p>.checks``).
"""

from collections.abc import Mapping

import pandas as pd

from msalib import papers
from msalib.evidence import registry
from msalib.evidence.printed.checks import (
    bounds,
    chance,
    direction,
    drift,
    granularity,
    identities,
    repetition,
    transcription,
)
from msalib.evidence.printed.checks.finding import SEVERITIES, Finding

CHECKS = (
    transcription,
    granularity,
    bounds,
    identities,
    repetition,
    drift,
    chance,
    direction,
)
"""Modules of checks, each with a function ``check``, in the order in which they run."""


def run(table: pd.DataFrame, entries: Mapping | None = None) -> list[Finding]:
    """Run all checks: the most severe findings first; within a severity by paper and place.

    ``entries`` are those of ``registry.load`` by name, by default all that the project has for
    papers in the table. A paper without an entry is checked as far as its numbers go.
    """
    if entries is None:
        present = set(table["paper"])
        entries = {name: registry.load(name) for name in registry.known() if name in present}
    findings = [finding for module in CHECKS for finding in module.check(table, entries)]
    for paper in table["paper"].unique():
        if module := papers.part(paper, "checks"):
            findings += module.check(table)
    return sorted(findings, key=lambda f: (SEVERITIES.index(f.severity), f.paper, min(f.cells)))
