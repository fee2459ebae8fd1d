"""Does a sentence hold in every cell it covers? Claims in words, and marks for the best number."""

import re
from collections.abc import Mapping

import pandas as pd

from msalib.evidence.printed.cells import Cells
from msalib.evidence.printed.checks.finding import Finding, grouped, places
from msalib.evidence.printed.names import dataset, exhibit, metric, system
from msalib.evidence.printed.units import sign
from msalib.evidence.printed.verdict import judge_statements


def check(table: pd.DataFrame, entries: Mapping) -> list[Finding]:
    """Find exceptions and ties of every claim, then marks that are not at the best number."""
    return [*claims(table, entries), *marks(table)]


def claims(table: pd.DataFrame, entries: Mapping) -> list[Finding]:
    """Return one finding per claim that does not hold in all its comparisons (``statements``).

    Inconsistent where exceptions contradict the claim as it is worded; notable where the wording
    allows for them (most, at least), where ties alone stand against it, where the margin is ours
    because the sentence gives none (similar, comparable), and where the claim is ours.
    """
    findings = []
    cells = Cells(table)
    for paper, entry in entries.items():
        for claim in entry.claims:
            if not claim.printed.tests:
                continue
            judged = judge_statements(cells, paper, claim.printed.tests)
            against = [line for line in judged.lines if line.holds is not True]
            if not against:
                continue
            listing = "; ".join(
                f"{line.text}{' (tie)' if line.holds is None else ''}" for line in against
            )
            allowed = ", as the wording allows" if judged.verdict == "supported" else ""
            who = f"{claim.id} (ours)" if claim.ours else claim.id
            message = f"{who}, {claim.statement.rstrip('.')}: {judged.note}{allowed}. {listing}."
            worded = judged.verdict == "contradicted" and not judged.ours and not claim.ours
            severity = "inconsistent" if worded else "notable"
            read = tuple(dict.fromkeys(i for line in against for i in line.cells))
            findings.append(Finding("direction", severity, paper, message, read))
    return findings


def marks(table: pd.DataFrame) -> list[Finding]:
    """Check that bold marks the best number of a column, and underlining the second best.

    A mark is a claim, too. Only marks that are there are read: which were lost in conversion is not
    known. Tables of variants of one system are marked block by block, so only columns with three
    systems or more are read.
    """
    findings = []
    measured = table[table["exhibit"] != "text"]
    columns = ["paper", "exhibit", "dataset", "metric"]
    some = measured["note"].str.contains(r"\b(?:bold|underlined)\b")
    measured = measured[some.groupby([measured[c] for c in columns]).transform("any")]
    for (paper, place, corpus, name), group in grouped(measured, columns).items():
        if len({cell["system"] for cell in group}) < 3:
            continue
        scores = [round(sign(name) * cell["value"], 9) for cell in group]
        ranked = sorted(set(scores), reverse=True)
        for word, rank in (("bold", 0), ("underlined", 1)):
            due = ranked[min(rank, len(ranked) - 1)]
            right = [cell for cell, score in zip(group, scores, strict=True) if score == due]
            for cell, score in zip(group, scores, strict=True):
                if score >= due or not re.search(rf"\b{word}\b", cell["note"]):
                    continue
                message = (
                    f"{exhibit(place)}, {dataset(corpus)}, {metric(name)}: {system(cell)} "
                    f"{cell['printed']} is {word}, but ranks {ranked.index(score) + 1}; "
                    f"{system(right[0])} has {right[0]['printed']}."
                )
                cells = places([cell, *right])
                findings.append(Finding("direction", "notable", paper, message, cells))
    return findings
