"""What readers see of many tests: how many false verdicts are to be expected, paper by paper."""

from collections.abc import Mapping

import pandas as pd
from markupsafe import Markup

from msalib.evidence.many_tests import Expected
from msalib.evidence.registry import Paper
from msalib.pages.cells import number
from msalib.pages.findings import paper_link
from msalib.pages.tables import Table


def table(by_paper: Mapping[str, Expected], entries: Mapping[str, Paper]) -> Table:
    """Show the verdicts on runs of each paper beside the false ones that chance makes at most."""
    rows = [{"paper": paper_link(paper, entries)} | _row(one) for paper, one in by_paper.items()]
    rows.append({"paper": Markup("<b>all</b>")} | _row(total(by_paper)))
    caption = (
        "Verdicts of tests on runs, one for each claim and setting, and how many false ones are "
        "expected at most."
    )
    return Table(pd.DataFrame(rows), caption=caption)


def _row(one: Expected) -> dict[str, object]:
    return {
        "claims": one.claims,
        "verdicts": one.verdicts,
        "of tests with measured errors": one.measured,
        "supported": one.supported,
        "false support expected": number(f"{one.false_support:.1f}", one.false_support),
        "contradicted": one.contradicted,
        "false contradictions expected": number(
            f"{one.false_contradiction:.1f}", one.false_contradiction
        ),
    }


def total(by_paper: Mapping[str, Expected]) -> Expected:
    """Return the sums over papers."""
    first, *others = by_paper.values()
    return sum(others, start=first)


def numbers(by_paper: Mapping[str, Expected]) -> dict[str, str]:
    """Return the sums for prose, by the names of ``Expected``; and ``answer``, in a sentence."""
    one = total(by_paper)
    texts = {
        name: f"{value:.1f}" if isinstance(value, float) else str(value)
        for name, value in one._asdict().items()
    }
    answer = (
        "Within a claim, tests are corrected for their number; across claims and settings they are "
        f"not. Of {one.supported} verdicts supported on runs, chance alone would make at most "
        f"{one.false_support:.1f}; of {one.contradicted} contradicted, at most "
        f"{one.false_contradiction:.1f}."
    )
    return texts | {"answer": answer}
