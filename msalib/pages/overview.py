"""What readers see of claims and papers: the ledger of all, the page of each, sums for prose.

Pages of notebooks lie in one folder (book/executed), so that they link each other by file name; a
row of a list is found by its name, ``paper-sugrm.html#SUGRM-C1``.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd
from markupsafe import Markup, escape

from msalib.base import paths
from msalib.evidence.printed.checks.finding import SEVERITIES, Finding
from msalib.evidence.printed.names import plural
from msalib.evidence.printed.verdict import PrintedVerdict
from msalib.evidence.registry import Exhibit, Paper
from msalib.evidence.verdicts import ClaimEvidence, Outcome, Verdict, made_by_paper, parity
from msalib.pages.findings import Entries, page_link, paper_link
from msalib.pages.ledger import (
    SYMBOLS,
    badge,
    claim_text,
    coverage_text,
    errors_cell,
    legend,
    rows,
    setting_text,
)
from msalib.pages.markup import details, lines, link
from msalib.pages.matrix import matrix
from msalib.pages.sheet import Sheet
from msalib.pages.sortable import Sortable
from msalib.pages.tables import Block, Note, Table
from msalib.runs import names

Weighed = Mapping[str, Sequence[ClaimEvidence]]

KINDS = ("printed", "re-run", "control")
"""Kinds of evidence, as columns are called."""

MARKS = {False: "✗", None: "=", True: "✓"}
"""A comparison that does not hold, a tie, one that holds; in the order in which they are listed."""


# --- evidence -----------------------------------------------------------------------------------


def claims(weighed: Sequence[ClaimEvidence], paper: str) -> Sortable:
    """List the claims of a paper, one row each, with all its evidence."""
    frame = pd.DataFrame(
        {
            "id": e.claim.id,
            "claim": _claim(e, f"#{e.claim.id}"),
            "printed": _printed(e.printed),
            "re-run": _runs(e, "re-run"),
            "control": _runs(e, "control"),
            "errors of the test": _errors(e),
        }
        for e in weighed
    )
    legend = ", ".join(
        f"{mark} {word}"
        for mark, word in zip(MARKS.values(), ("fails", "tie", "holds"), strict=True)
    )
    caption = f"{paper}: claims and their evidence. Comparisons: {legend}."
    return Sortable(frame, caption=caption, filters=["printed", "re-run", "control"])


def ledger(weighed: Weighed, entries: Entries) -> Sortable:
    """List every claim of every paper, one row each, with a badge for each of its verdicts."""
    frame = pd.DataFrame(
        {
            "id": e.claim.id,
            "claim": _claim(e, f"paper-{paper}.html#{e.claim.id}"),
            "printed": _verdict(e.printed.verdict, _needs(e.printed)) + _counts(e.printed),
            "re-run": _badges(e, "re-run"),
            "control": _badges(e, "control"),
            "errors of the test": _errors(e),
            "paper": paper_link(paper, entries),
            "whose": "ours" if e.claim.ours else "the paper's",
        }
        for paper, evidences in weighed.items()
        for e in evidences
    )
    return Sortable(
        frame,
        caption="All claims, by kind of evidence. What a missing verdict needs opens on a click.",
        filters=["paper", "whose", "printed", "re-run", "control"],
    )


def _claim(evidences: ClaimEvidence, href: str) -> Markup:
    """Return what names the row of a claim: its id as a link to itself, and its sentence.

    Parity and the citation are folded or linked, so that a screen reader need not say them for
    every cell.
    """
    claim = evidences.claim
    folded = details("parity", [f"{evidences.parity}."]) if evidences.parity else ""
    more = Markup("<small>{}</small>").format(claim.exhibit)
    if href == f"#{claim.id}":
        anchor = Markup('<a class="msa-anchor" href="{}" aria-label="{}">#</a>').format(
            href, f"Address of {claim.id}"
        )
        more = Markup("{} {}, {}").format(anchor, more, link(f"#cite-{claim.id}", "cite"))
    return claim_text(claim, href) + Markup("{}{}").format(more, folded)


def _counts(printed: PrintedVerdict) -> Markup:
    """Return how many comparisons hold, on a line of its own; empty where none tells."""
    return _small(printed.counts.text()) if printed.verdict != "not run" else Markup("")


def _small(text: str) -> Markup:
    """Return text in small letters on a line of its own."""
    return Markup("<br><small>{}</small>").format(text)


def _errors(evidences: ClaimEvidence) -> str:
    """Return the error rates of the test on records; nothing where the claim has no such test."""
    claim = evidences.claim
    return errors_cell(claim, evidences.error_rates) if claim.rerun.test else ""


def _verdict(word: str, needs: str = "") -> Markup:
    """Return a verdict as a badge; one that is not run opens to what it needs."""
    value = Markup('<span class="value" data-order="{}">{}</span>').format(
        list(SYMBOLS).index(word), badge(word)
    )
    if word != "not run":
        return value
    return Markup(
        '<details class="needs"><summary title="{needs}">{value}</summary>'
        "<small>{needs}</small></details>"
    ).format(needs=needs, value=value)


def _outcome(outcome: Outcome) -> Markup:
    note = outcome.note if outcome.verdict != "not run" else ""
    return _verdict(*outcome) + (_small(note) if note else "")


def _needs(printed: PrintedVerdict) -> str:
    """Return what print lacks where it has no verdict; empty where it has one."""
    if printed.verdict != "not run":
        return ""
    if printed.note.startswith("needs"):
        return printed.note
    return f"needs cells that are not printed; {printed.note}"


def _printed(printed: PrintedVerdict) -> Markup:
    """Return the verdict of print, its reason and every comparison, those that fail first."""
    if printed.verdict == "not run":
        return _verdict("not run", _needs(printed))
    marks = list(MARKS)
    lines = sorted(printed.lines, key=lambda line: marks.index(line.holds))
    counts = printed.counts.text()
    note = Markup("<small>{}</small>").format(
        f"{counts}, by a margin of ours" if printed.ours else counts
    )
    comparisons = [f"{MARKS[line.holds]} {line.text}" for line in lines]
    return _verdict(printed.verdict) + details(note, comparisons)


def _of_kind(evidences: ClaimEvidence, which: str) -> list[Verdict]:
    """Return the verdicts of a kind, those that decide most first, then by setting."""
    verdicts = evidences.rerun if which == "re-run" else evidences.control
    order = names.ordered(evidences.paper, [v.setting for v in verdicts])
    by_setting = sorted(verdicts, key=lambda v: order.index(v.setting))
    return sorted(by_setting, key=lambda v: list(SYMBOLS).index(v.evidence.verdict))


def _runs(evidences: ClaimEvidence, which: str) -> Markup:
    """Return a badge for each setting; missing parts open on a click."""
    verdicts = _of_kind(evidences, which)
    if not verdicts:
        return _outcome(evidences.not_run(which))
    run = Markup('<div class="run">{} <small>{}</small><div><small>{}</small></div></div>')
    return Markup("").join(
        run.format(
            _verdict(v.evidence.verdict, v.evidence.note),
            setting_text(v),
            coverage_text(v.coverage),
        )
        for v in verdicts
    )


def _badges(evidences: ClaimEvidence, which: str) -> Markup:
    """Return a badge for each verdict that some setting has, with the number of settings."""
    verdicts = _of_kind(evidences, which)
    if not verdicts:
        return _outcome(evidences.not_run(which))
    by_word: dict[str, list[Verdict]] = {}
    for v in verdicts:
        by_word.setdefault(v.evidence.verdict, []).append(v)
    parts = []
    for word, verdicts in by_word.items():
        note = "; ".join(f"{setting_text(v)}: {v.evidence.note}" for v in verdicts)
        run = Markup('<div class="run">{} {}</div>')
        parts.append(run.format(_verdict(word, note), _covered(verdicts)))
    return Markup("").join(parts)


def _covered(verdicts: Sequence[Verdict]) -> Markup:
    """Return the number of settings and of seeds; what each covers opens on a click."""
    number = plural(len(verdicts), "setting")
    seeds = sorted({v.coverage.seeds for v in verdicts if v.coverage and v.coverage.seeds})
    if seeds:
        ends = dict.fromkeys(map(str, (seeds[0], seeds[-1])))
        number += f", {' to '.join(ends)} seed{'s' * (seeds[-1] != 1)}"
    each = [
        f"{setting_text(v)}: {coverage_text(v.coverage) or 'no records read'}" for v in verdicts
    ]
    return details(Markup("<small>{}</small>").format(number), each)


def verdicts(weighed: Weighed, entries: Entries) -> Table:
    """Count the verdicts on the claims of each paper, by kind of evidence."""
    rows = []
    for paper, evidences in weighed.items():
        theirs = made_by_paper(evidences)
        counts = {which: _tally(theirs, which) for which in KINDS}
        cells = {which: _symbols(count) for which, count in counts.items()}
        number = str(len(theirs))
        if len(evidences) > len(theirs):
            ours = len(evidences) - len(theirs)
            number += Markup(" <small>and {} of ours</small>").format(ours)
        rows.append({"paper": paper_link(paper, entries), "claims": number} | cells)
    caption = (
        "Verdicts on the papers' own claims, by paper and kind of evidence, on records by setting: "
        f"{legend()}."
    )
    return Table(pd.DataFrame(rows), caption=caption)


def _tally(evidences: Iterable[ClaimEvidence], which: str) -> Counter:
    """Count verdicts by word: one for each claim and setting, and not run where there is none."""
    counts: Counter = Counter()
    for e in evidences:
        if which == "printed":
            counts[e.printed.verdict] += 1
        else:
            counts.update([v.evidence.verdict for v in _of_kind(e, which)] or ["not run"])
    return counts


def _symbols(counts: Mapping[str, int]) -> Markup:
    count = Markup('<span class="count" title="{}">{}\u00a0{}</span>')
    return Markup(" ").join(
        count.format(word, symbol, counts[word]) for word, symbol in SYMBOLS.items() if counts[word]
    )


def totals(weighed: Weighed, findings: Sequence[Finding], entries: Entries) -> dict[str, str]:
    """Return numbers for prose, by the name under which they are glued.

    ``papers``, ``claims``, which the papers make, and ``ours`` beside them; of the papers' claims
    ``printed_supported`` and so on for every kind of evidence (``rerun`` for re-run) and verdict;
    ``findings``, ``findings_impossible`` and so on by severity.
    """
    every = [e for evidences in weighed.values() for e in evidences]
    theirs = made_by_paper(every)
    numbers = {"papers": len(entries), "claims": len(theirs), "ours": len(every) - len(theirs)}
    numbers["findings"] = len(findings)
    for which in KINDS:
        counts = _tally(theirs, which)
        for word in SYMBOLS:
            numbers[f"{which}_{word}".replace(" ", "_").replace("-", "")] = counts[word]
    severities = Counter(finding.severity for finding in findings)
    numbers |= {f"findings_{word}": severities[word] for word in SEVERITIES}
    return {name: str(number) for name, number in numbers.items()}


# --- one paper ----------------------------------------------------------------------------------


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
    printed = _tally(theirs, "printed")
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
    """Show one row per claim and setting, where the paper has records."""
    judged = by_setting(weighed)
    if not judged:
        return Note("No runs yet.")
    caption = f"{name}: one row per claim and setting."
    return Sortable(rows(judged, lambda _: ""), caption=caption, filters=["setting"])


def by_setting(weighed: Iterable[ClaimEvidence]) -> list[Verdict]:
    """Return verdicts on records, real data first; none where no run has been recorded."""
    judged = [verdict for e in weighed for verdict in e.runs]
    if not any(verdict.records for verdict in judged):
        return []
    settings = dict.fromkeys(verdict.setting for verdict in judged)
    order = names.ordered(judged[0].claim.paper, settings)
    return sorted(judged, key=lambda v: order.index(v.setting))
