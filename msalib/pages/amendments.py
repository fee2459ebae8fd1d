"""What readers see of amendments: which tests changed, when, and what had been seen by then."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd
from markupsafe import Markup

from msalib.evidence.amendments import SEEN, Amended, Amendment
from msalib.evidence.printed.names import plural
from msalib.evidence.registry import Paper
from msalib.pages.findings import paper_link
from msalib.pages.markup import details, lines, link
from msalib.pages.sortable import Sortable
from msalib.pages.tables import Table

Amendments = Mapping[str, Sequence[Amended]]
"""Amendments by paper."""

NAMED = 3
"""Claims of an amendment that its row names at once; more open on a click."""


def of_claim(amended: Iterable[Amended], claim: str) -> Markup:
    """Return the amendments of a claim's test, one below the other; each opens on a click."""
    return Markup("").join(_folded(one.amendment) for one in amended if claim in one.claims)


def _folded(amendment: Amendment) -> Markup:
    commit = Markup("<code>{}</code>").format(amendment.commit)
    told = Markup("{} (seen by then: {}; commit {})").format(amendment.what, amendment.when, commit)
    return details(str(amendment.date), [], told)


def table(every: Amendments, entries: Mapping[str, Paper]) -> Sortable:
    """List every amendment of every test, the first one first."""
    rows = [
        {
            "claims": _claims(paper, one.claims),
            "date": str(one.amendment.date),
            "seen by then": _seen(one.amendment),
            "what was changed": one.amendment.what,
            "commit": Markup("<code>{}</code>").format(one.amendment.commit),
            "paper": paper_link(paper, entries),
        }
        for paper, amended in every.items()
        for one in amended
    ]
    frame = pd.DataFrame(sorted(rows, key=lambda row: row["date"]), columns=COLUMNS)
    caption = "Amendments of tests on runs. Sorted by day, those of one day by paper."
    return Sortable(frame, caption=caption, filters=["paper", "date", "seen by then"])


COLUMNS = ["claims", "date", "seen by then", "what was changed", "commit", "paper"]


def _claims(paper: str, claims: Sequence[str]) -> Markup:
    links = [link(f"paper-{paper}.html#{name}", name) for name in claims]
    if len(links) <= NAMED:
        return Markup(", ").join(links)
    return details(plural(len(links), "claim"), [Markup(", ").join(links)])


def _seen(amendment: Amendment) -> Markup:
    value = Markup('<span class="value" data-order="{}">{}</span>')
    shown = value.format(SEEN.index(amendment.seen), amendment.seen)
    return shown if amendment.when == amendment.seen else lines([shown, amendment.when])


def counted(every: Amendments, entries: Mapping[str, Paper]) -> Table:
    """Count the amendments of each paper by what had been seen by then."""
    rows = []
    for paper, amended in every.items():
        counts = Counter(one.amendment.seen for one in amended)
        rows.append(
            {"paper": paper_link(paper, entries)}
            | {word: counts[word] for word in SEEN}
            | {"all": counts.total()}
        )
    return Table(pd.DataFrame(rows), caption="Amendments by paper and by what had been seen.")


def totals(every: Amendments) -> dict[str, str]:
    """Return texts for prose: ``answer``, and ``amendments`` and ``claims`` that they changed.

    By what had been seen: ``no_result``, ``earlier_rule``, ``amended_rule``, ``not_recorded``.
    """
    amended = [one for theirs in every.values() for one in theirs]
    counts = Counter(one.amendment.seen for one in amended)
    numbers = {
        "amendments": len(amended),
        "claims": len({c for one in amended for c in one.claims}),
    }
    numbers |= {word.replace(" ", "_"): counts[word] for word in SEEN}
    answer = (
        f"We changed the tests of {numbers['claims']} claims in {len(amended)} amendments: "
        f"{counts['no result']} before any result of the test, {counts['earlier rule']} before a "
        f"result of the new rule, and {counts['amended rule']} when we knew a result that the new "
        f"rule gives; for {counts['not recorded']} nobody wrote down what had been seen."
    )
    return {name: str(number) for name, number in numbers.items()} | {"answer": answer}
