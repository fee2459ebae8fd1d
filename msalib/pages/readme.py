"""The results in the README: written from records, and checked against them by a test.

A paper's ``tables`` may offer ``headline()``: a sentence and the data frame of its main table.
"""

import re

from msalib import papers
from msalib.base.paths import ROOT
from msalib.data import datasets as readers
from msalib.evidence import registry, settings
from msalib.evidence.verdicts import Verdict, judge
from msalib.pages import ledger
from msalib.pages.markdown import plain
from msalib.runs import records

OPENING, CLOSING = "<!-- results:", "<!-- /results -->"


def results() -> str:
    """Return in Markdown what each paper with runs came to: its headline and its verdicts."""
    parts = []
    for paper in registry.known():
        if not settings.counted(paper):
            continue
        tables = papers.part(paper, "tables")
        if tables is not None and hasattr(tables, "headline"):
            sentence, frame = tables.headline()
            rows = [map(plain, row) for row in frame.astype(str).values]
            parts += [sentence, _table([*map(plain, frame.columns)], rows)]
        parts.append(_verdicts(paper))
    return "\n\n".join(parts)


def _verdicts(paper: str) -> str:
    """Return a table with one row per claim and one column per setting."""
    chosen = [claim for claim in registry.claims(paper) if claim.rerun.test is not None]
    real = [
        setting
        for setting in settings.counted(paper)
        if settings.kind(paper, setting) in ("as-published", "substitute")
    ]
    columns = [judge(chosen, records.find(paper, setting)) for setting in real]
    heads = [
        plain(f"{readers.dataset(s.dataset).title}, {s.encoder}")
        + (f", {s.preset} recipe" if s.preset != "release" else "")
        for s in real
    ]
    rows = [
        [plain(f"{claim.id}: {claim.statement}"), *map(_cell, verdicts)]
        for claim, *verdicts in zip(chosen, *columns, strict=True)
    ]
    return _table(["claim", *heads], rows)


def _cell(verdict: Verdict) -> str:
    """Return a verdict with what it covers, or with the seeds or videos that it lacks."""
    word = f"{ledger.SYMBOLS[verdict.evidence.verdict]} {verdict.evidence.verdict}"
    if verdict.evidence.verdict != "not run":
        return "<br>".join(filter(None, [word, plain(ledger.coverage_text(verdict.coverage))]))
    needs, *_ = verdict.evidence.note.split(";")  # what it says of the setting comes behind
    minimum = _MINIMUM.search(needs)
    return f"{word} (needs {minimum.group()})" if minimum else word


_MINIMUM = re.compile(r"\d+ (seeds|(test|validation) videos)\b")
"""How what a test needs names more seeds or videos than its setting has."""


def _table(heads, rows) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in (heads, *rows)]
    lines.insert(1, "|" + " --- |" * len(heads))
    return "\n".join(lines)


def written(text: str) -> str:
    """Return ``text`` with its results replaced by those of the records."""
    start = text.index("\n", text.index(OPENING)) + 1
    return f"{text[:start]}\n{results()}\n\n{text[text.index(CLOSING) :]}"


if __name__ == "__main__":
    path = ROOT / "README.md"
    path.write_text(written(path.read_text()))
