"""What readers see of one paper: its answer, its exhibits, its claims by setting."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd
from markupsafe import Markup, escape

from msalib.base import paths
from msalib.evidence.printed.checks.finding import SEVERITIES, Finding
from msalib.evidence.printed.names import plural
from msalib.evidence.registry import Exhibit, Paper
from msalib.evidence.verdicts import ClaimEvidence, Verdict, made_by_paper, parity
from msalib.pages.findings import page_link
from msalib.pages.ledger import SYMBOLS, rows
from msalib.pages.markup import lines, link
from msalib.pages.matrix import matrix
from msalib.pages.sheet import Sheet
from msalib.pages.sortable import Sortable
from msalib.pages.tables import Block, Note, Table
from msalib.runs import names


def answer(weighed: Sequence[ClaimEvidence], name: str) -> str:
    """Answer in short how the claims of a paper fare, in print and in runs, as plain text.

    Claims that print contradicts come with the number of cells that hold. Claims of ours are left
    out.
    """
    theirs = made_by_paper(weighed)
    printed = Counter(e.printed.verdict for e in theirs)
    against = [
        f"{_number(e)}: {e.printed.counts.text()}"
        for e in theirs
        if e.printed.verdict == "contradicted"
    ]
    contradicted = f"{printed['contradicted']} ({'; '.join(against)})" if against else "none"
    left = [
        f"{printed[word]} {'are' if printed[word] > 1 else 'is'} {what}"
        for word, what in (
            ("inconclusive", "undecided because of ties"),
            ("not run", "about numbers that it does not print"),
        )
        if printed[word]
    ]
    others = f"; {' and '.join(left)}" if left else ""
    parts = [
        f"{name}'s own tables support {printed['supported']} of its {plural(len(theirs), 'claim')} "
        f"and contradict {contradicted}{others}.",
        _of_runs("real data", [(e, e.rerun) for e in theirs]),
        _of_runs("data whose truth we know", [(e, e.control) for e in theirs]),
    ]
    published = [v for e in theirs for v in e.rerun if v.kind == "as-published"]
    if all(v.evidence.verdict == "not run" for v in published):
        parts.append("As published: not run.")
    return " ".join(filter(None, parts))


def _of_runs(where: str, verdicts: Iterable[tuple[ClaimEvidence, Sequence[Verdict]]]) -> str:
    """Say which claims runs support and contradict, in any of their settings; empty without."""
    by_word: dict[str, list[str]] = {word: [] for word in SYMBOLS}
    for evidences, judged in verdicts:
        for word in {v.evidence.verdict for v in judged}:
            by_word[word].append(_number(evidences))
    ran = [word for word in SYMBOLS if word != "not run" and by_word[word]]
    if not ran:
        return f"No claim was run on {where}."
    verbs = {"support": by_word["supported"], "contradict": by_word["contradicted"]}
    told = " and ".join(f"{verb} {', '.join(ids)}" for verb, ids in verbs.items() if ids)
    none = " or ".join(verb for verb, ids in verbs.items() if not ids)
    if not told:
        return f"Runs on {where} {none} no claim."
    return f"Runs on {where} {told}, each in some setting{f', and {none} none' if none else ''}."


def _number(evidences: ClaimEvidence) -> str:
    """Return the id of a claim without its paper: C6."""
    return evidences.claim.id.rpartition("-")[2]


def about(paper: str, entry: Paper) -> Block:
    """Introduce a paper in a few lines: authors, venue, idea, questions, runs, code and parity."""
    chapter = f"{paper}/index"
    has_chapter = (paths.BOOK / f"{chapter}.md").is_file()
    return Block(
        Markup(
            '<div class="msa-about"><p><b>{name}</b>: <i>{title}</i>. {authors}, {venue}.</p>'
            "<p>{idea}</p><p>It asks:</p><ul>{questions}</ul>"
            "<p>Runs behind a printed mean: {runs} ({source}). "
            "Released code: {code}. {parity}</p></div>"
        ).format(
            name=link(page_link(chapter), entry.name) if has_chapter else entry.name,
            title=entry.title,
            authors=entry.authors,
            venue=entry.venue,
            idea=entry.idea,
            questions=Markup("").join(map(Markup("<li>{}</li>").format, entry.questions)),
            runs="not stated" if entry.runs is None else entry.runs,
            source=entry.runs_source.rstrip("."),
            code=_linked(entry.code),
            parity=_parity(entry),
        )
    )


def _parity(entry: Paper) -> str:
    """Say in a sentence how our models compare with the authors' code, which decides no claim."""
    text = parity(entry.parity.fixtures)
    if not text:
        text = f"none; needs {entry.parity.needs or 'a comparison on record'}"
    return f"Parity: {text}."


def _linked(text: str) -> Markup:
    """Return text with its Markdown links and repositories on GitHub as links."""
    html = re.sub(r"\[([^\]]+)\]\((https?://[^)\s]+)\)", r'<a href="\2">\1</a>', str(escape(text)))
    repository = r"(?<![/\w])(github\.com/[\w.-]+/[\w.-]*\w)"
    html = re.sub(repository, r'<a href="https://\1">\1</a>', html)
    return Markup(html.rstrip("."))  # noqa: S704 (of escaped text, nothing but addresses added)


def summary(weighed: Sequence[ClaimEvidence], findings: Iterable[Finding], paper: str) -> Note:
    """Sum up a paper in two sentences; claims of ours are named, but not counted."""
    theirs = made_by_paper(weighed)
    printed = Counter(e.printed.verdict for e in theirs)
    apart = len(weighed) - len(theirs)
    severities = Counter(finding.severity for finding in findings if finding.paper == paper)
    return Note(
        f"{plural(len(theirs), 'claim')}{f' (and {apart} of ours, not counted)' if apart else ''}; "
        f"by the paper's own tables {_listed(printed, SYMBOLS)}. "
        f"{plural(severities.total(), 'finding')} in its printed numbers: "
        f"{_listed(severities, SEVERITIES)}."
    )


def _listed(counts: Mapping[str, int], order: Iterable[str]) -> str:
    return ", ".join(f"{counts[word]} {word}" for word in order if counts[word]) or "none"


def exhibits(entry: Paper) -> Table:
    """Show what a re-run of each table and figure needs and costs, and our page of it."""
    frame = pd.DataFrame(
        {
            "exhibit": lines([Markup("<b>{}</b>").format(e.title), e.content]),
            "a re-run needs": e.needs,
            "runs": e.runs,
            "our page": _our_page(e),
        }
        for e in entry.exhibits
    )
    return Table(frame, caption=f"{entry.name}: its exhibits, and what a re-run of each takes.")


def _our_page(exhibit: Exhibit) -> str:
    if exhibit.page:
        return link(page_link(exhibit.page), "re-run")
    return "nothing to run" if exhibit.needs.startswith("nothing") else "not yet"


def settings(weighed: Sequence[ClaimEvidence], paper: str) -> Sheet | Note:
    """Show claims by settings, where the paper has records."""
    judged = by_setting(weighed)
    if not any(v.evidence.verdict != "not run" for v in judged):
        return Note(
            "No runs yet, so there is no setting to show. The exhibits say what a re-run needs."
        )
    return matrix(judged, caption=f"{paper}: claims by settings.")


def one_by_one(weighed: Sequence[ClaimEvidence], name: str) -> Sortable | Note:
    """Show one row per claim and setting in which it was run, where the paper has records."""
    judged = by_setting(weighed)
    ran = [verdict for verdict in judged if verdict.evidence.verdict != "not run"]
    if not ran:
        return Note("No runs yet.")
    caption = (
        f"{name}: one row per claim and setting. Left out because they were not run: "
        f"{plural(len(judged) - len(ran), 'row')}."
    )
    return Sortable(rows(ran, lambda _: ""), caption=caption, filters=["setting"])


def by_setting(weighed: Iterable[ClaimEvidence]) -> list[Verdict]:
    """Return verdicts on records, real data first; none where no run has been recorded."""
    judged = [verdict for e in weighed for verdict in e.runs]
    if not any(verdict.records for verdict in judged):
        return []
    settings = dict.fromkeys(verdict.setting for verdict in judged)
    order = names.ordered(judged[0].claim.paper, settings)
    return sorted(judged, key=lambda v: order.index(v.setting))
