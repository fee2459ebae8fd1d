"""All verdicts of papers as one table for further work: a row for each effect of each verdict."""

from collections.abc import Iterator, Sequence

import pandas as pd

from msalib.evidence import registry
from msalib.evidence.verdicts import ClaimEvidence, Verdict, weigh
from msalib.pages.cells import interval_text, number
from msalib.pages.tables import Table
from msalib.runs import names

PRINTED = "printed numbers"
"""Evidence that has no setting of ours."""


def verdict_table(papers: Sequence[str]) -> Table:
    """Return the verdicts of papers, on print and by setting; a claim without runs has a row, too.

    Effects keep their intervals and the effects of single seeds. Raises ``UserError`` for a paper
    that is not known.
    """
    rows = [row for paper in papers for evidences in weigh(paper) for row in _rows(evidences)]
    known = ", ".join(registry.load(paper).name for paper in papers)
    return Table(
        pd.DataFrame(rows),
        caption=f"Verdicts on the claims of {known}, by evidence and setting, with every effect "
        "and its 95% interval.",
    )


def _rows(evidences: ClaimEvidence) -> Iterator[dict]:
    claim, printed = evidences.claim, evidences.printed
    about = {
        "claim": claim.id,
        "statement": claim.statement,
        "exhibit": claim.exhibit,
        "made by": "us" if claim.ours else "the paper",
    }
    of_print = {"evidence": PRINTED, "verdict": printed.verdict, "note": printed.note}
    yield about | {"setting": ""} | of_print
    for verdict in evidences.runs:
        for row in _effects(verdict):
            yield about | {"setting": names.full(verdict.setting), "evidence": verdict.kind} | row
    for kind, verdicts in (("re-run", evidences.rerun), ("control", evidences.control)):
        if not verdicts:
            outcome = evidences.not_run(kind)
            missing = {"evidence": kind, "verdict": outcome.verdict, "note": outcome.note}
            yield about | {"setting": ""} | missing


def _effects(verdict: Verdict) -> Iterator[dict]:
    covered = verdict.coverage
    row = {"verdict": verdict.evidence.verdict, "note": verdict.evidence.note}
    counts = {"records": len(verdict.records)}
    counts |= {} if covered is None else {"seeds": covered.seeds, "test clips": covered.clips}
    row |= {name: number(str(count), count) for name, count in counts.items()}
    for name, estimate in verdict.evidence.effects.items() or {"": None}.items():
        shown = {} if estimate is None else {"value": interval_text(estimate)}
        yield row | {"effect": name} | shown
