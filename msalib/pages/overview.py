"""What readers see of claims with all their evidence: of a paper, of all papers, in sums.

Pages of notebooks lie in one folder (book/executed), so that they link each other by file name; a
row of a list is found by its name, ``paper-sugrm.html#SUGRM-C1``.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd
from markupsafe import Markup

from msalib.evidence.printed.checks.finding import SEVERITIES, Finding
from msalib.evidence.printed.names import plural
from msalib.evidence.printed.verdict import PrintedVerdict
from msalib.evidence.verdicts import ClaimEvidence, Outcome, Verdict, made_by_paper
from msalib.pages.findings import Entries, paper_link
from msalib.pages.ledger import (
    SYMBOLS,
    badge,
    claim_text,
    coverage_text,
    errors_cell,
    legend,
    setting_text,
)
from msalib.pages.markup import details, link
from msalib.pages.sortable import Sortable
from msalib.pages.tables import Table
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


def _value(word: str) -> Markup:
    """Return a verdict as a badge that filters count and columns are sorted by."""
    return Markup('<span class="value" data-order="{}">{}</span>').format(
        list(SYMBOLS).index(word), badge(word)
    )


def _verdict(word: str, needs: str = "") -> Markup:
    """Return a verdict as a badge; one that is not run opens to what it needs."""
    value = _value(word)
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
    """Return a badge for each setting that was run; what the others need opens on a click."""
    verdicts = _of_kind(evidences, which)
    if not verdicts:
        return _outcome(evidences.not_run(which))
    run = Markup('<div class="run">{} <small>{}</small><div><small>{}</small></div></div>')
    ran = [v for v in verdicts if v.evidence.verdict != "not run"]
    shown = [
        run.format(_verdict(v.evidence.verdict), setting_text(v), coverage_text(v.coverage))
        for v in ran
    ]
    return Markup("").join([*shown, _needed(verdicts[len(ran) :])])


def _needed(verdicts: Sequence[Verdict]) -> Markup:
    """Return one badge for settings that were not run, which opens to what each needs."""
    if not verdicts:
        return Markup("")
    head = Markup("{} <small>{}</small>").format(
        _value("not run"), plural(len(verdicts), "setting")
    )
    return details(head, [f"{setting_text(v)}: {v.evidence.note}" for v in verdicts])


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


def answer(weighed: Weighed) -> str:
    """Answer in short how all claims fare, in print and in runs, as plain text."""
    theirs = made_by_paper(e for evidences in weighed.values() for e in evidences)
    printed = _tally(theirs, "printed")
    runs = (
        f"on {where} {_counted(Counter(v.evidence.verdict for e in theirs for v in judged(e)))}"
        for where, judged in (
            ("real data", lambda e: e.rerun),
            ("simulated data", lambda e: e.control),
        )
    )
    return (
        f"Of {plural(len(theirs), 'claim')} of {plural(len(weighed), 'paper')}, the papers' own "
        f"tables support {printed['supported']} and contradict {printed['contradicted']}; "
        f"{printed['inconclusive']} are undecided, and on {printed['not run']} they print nothing. "
        f"Verdicts of runs, one for each claim and setting: {'; '.join(runs)}."
    )


def _counted(counts: Mapping[str, int]) -> str:
    """Count the verdicts of tests that ran."""
    ran = (f"{counts[word]} {word}" for word in SYMBOLS if word != "not run")
    return ", ".join(ran)


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
