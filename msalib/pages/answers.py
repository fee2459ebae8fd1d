"""The short answers of general pages, which test no claim (``answer`` puts a verdict in words).

Each is a sentence or two, computed from what the page shows.
"""

from collections.abc import Mapping

from msalib.data.corpus import MODALITIES
from msalib.data.tasks import LIMIT
from msalib.evidence.audit import Report
from msalib.evidence.printed.names import plural
from msalib.pages.tables import Table

READS = {"bert": "words", "wavlm": "voice", "clip": "face"}
"""Small encoder -> what it reads."""

SENTENCES = 2
"""Of a finding's message, the answer quotes the first ones."""


def audit(report: Report) -> str:
    """Count the findings of an audit, and quote the most serious or the first of several such."""
    worst = report.findings[0]
    found = f"{report.title}: {report.summary}."
    if worst.severity not in ("error", "warning"):
        return f"{found} No check that we know of found a fault."
    alone = report.count(worst.severity) == 1
    which = f"The {worst.severity} is" if alone else f"One {worst.severity} is"
    message = ". ".join(worst.message.split(". ")[:SENTENCES]).removesuffix(".")
    return f"{found} {which} on {worst.about}: {message}."


def raw(pretraining: Mapping[str, Mapping]) -> str:
    """Say how well the best block of each small encoder holds what its clips express.

    ``pretraining`` is the record of the small encoders, by name.
    """
    levels = [
        f"{READS.get(name, name)} {max(about['probe']['valid'][1:]):.2f}"
        for name, about in pretraining.items()
    ]
    return (
        "We decide what words, voice and face of each clip express, so a model can be checked "
        "against the truth. A linear probe on the best block of a small encoder finds it with a "
        f"correlation of: {', '.join(levels)}."
    )


def spoken(carried: Table) -> str:
    """Say how closely voice, words and face follow their own sentiment, and the others.

    The table is that of ``spoken.carried``.
    """
    own, others = [], []
    for _, row in carried.frame.iterrows():
        for m in MODALITIES:
            r = abs(float(row[f"{m} sentiment"]))
            (own if m == row["made from"] else others).append(r)
    return (
        f"Yes, by construction. Each of {plural(len(own), 'number')} behind voice, words and face "
        f"follows the sentiment that it is made from (partial correlation of {min(own):.2f} or "
        f"more) and none follows another ({max(others):.2f} or less)."
    )


def prediction(coverage: Table) -> str:
    """Say how wide the narrower prediction interval is, and how many labels it holds.

    The table is that of ``predict.coverage``.
    """
    row = coverage.frame.iloc[0]
    width = row["half width (points)"]
    reach = width if width == "whole scale" else f"{width} points to either side"
    return (
        f"A number with an interval. An interval that should hold {row['interval']} of the labels "
        f"covers {reach}, on a scale of {2 * LIMIT:g} points, and holds {row['held']} of the "
        "labels of the test set."
    )


def printed(totals: Mapping[str, str], numbers: int) -> str:
    """Count the findings in printed numbers by severity (``overview.totals``)."""
    return (
        f"{totals['findings']} findings in {numbers:,} numbers of {totals['papers']} papers. "
        f"{totals['findings_impossible']} are impossible: no data and no model could give these "
        f"numbers. {totals['findings_inconsistent']} are inconsistent: numbers or sentences "
        f"contradict each other. {totals['findings_unlikely']} are unlikely, and "
        f"{totals['findings_notable']} worth knowing."
    )
