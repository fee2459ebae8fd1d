"""Sheets of the whole study: every claim with its verdicts, and what a pass of a check is worth."""

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import mean

from markupsafe import Markup

from msalib.evidence import registry
from msalib.evidence.printed import checks, names, testparts
from msalib.evidence.printed import table as printed
from msalib.evidence.printed.checks import granularity
from msalib.evidence.printed.checks.finding import SEVERITIES, Finding
from msalib.evidence.printed.names import plural
from msalib.evidence.verdicts import ClaimEvidence, made_by_paper
from msalib.pages import sheet
from msalib.pages.ledger import SYMBOLS
from msalib.pages.markup import lines, link

# --- what a pass of the granularity check is worth ----------------------------------------------

TESTED = ("mustard", "sims", "mosi", "ur_funny", "mosei")
"""Data sets with test parts of very different size."""

DECIMALS = (1, 2)
_AROUND = range(52, 100, 4)
"""Centres of windows of 4 points that together cover 50% to 100%."""

SHARES = ((0.05, "up to 5%"), (0.2, "5 to 20%"), (0.5, "20 to 50%"), (0.995, "above 50%"))
SHARES += ((1.0, "all"),)
"""Shares that pass, each up to its bound; the classes of CSS are pass-1 to pass-5."""


def passing(clips: int, decimals: int, runs: int) -> float:
    """Return the share of values from 50% to 100% that would pass as a mean of so many runs."""
    half = 0.5 * 10.0**-decimals
    return mean(granularity.power(float(value), half, clips, runs) for value in _AROUND)


def granularity_map(corpora: Sequence[str] = TESTED) -> sheet.Sheet:
    """Show how many values pass the check by luck, by test part, printed decimals and runs."""
    sizes = sorted((testparts.parts(corpus)[0].clips, corpus) for corpus in corpora)
    columns = [(decimals, runs) for decimals in DECIMALS for runs in granularity.RUNS]
    shares = {
        corpus: [passing(clips, decimals, runs) for decimals, runs in columns]
        for clips, corpus in sizes
    }
    heads = {corpus: lines([names.dataset(corpus), f"{clips:,} clips"]) for clips, corpus in sizes}
    rows = [sheet.row(heads[corpus], map(_share, row)) for corpus, row in shares.items()]
    head = [sheet.hidden("test part")] + [
        lines([plural(decimals, "decimal"), plural(runs, "run")]) for decimals, runs in columns
    ]
    cells = [share for row in shares.values() for share in row]
    everything = sum(share > SHARES[-2][0] for share in cells)
    few = sum(share <= SHARES[0][0] for share in cells)
    caption = "Share of values that would pass, by printed decimals and runs behind the mean"
    keys = [(f"pass-{i}", "", name) for i, (_, name) in enumerate(SHARES, 1)]
    return sheet.Sheet(
        [
            sheet.table("Shares of values that would pass", caption, head, {"": rows}),
            sheet.legend("Share of values that would pass:", keys),
        ],
        caption="Could an accuracy be a share of whole clips? Cell: share of values from 50% to "
        "100% that would pass as a mean of so many runs over a test part of that size. The smaller "
        f"the share, the more a pass is worth. In {everything} of {len(cells)} cells all values "
        f"pass, or nearly all, so a pass says nothing; in {few} at most one value in twenty does.",
    )


def _share(share: float) -> Markup:
    step = next(i for i, (bound, _) in enumerate(SHARES, 1) if share <= bound)
    return sheet.cell(f"{share:.0%}" if share >= 0.0995 else f"{share:.1%}", f"pass-{step}")


# --- the whole study ----------------------------------------------------------------------------

KINDS = ("printed", "re-run", "control")
"""Kinds of evidence, in rows."""

COUNTED = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def verdicts_by_kind(evidences: ClaimEvidence) -> dict[str, list[str]]:
    """Return the verdicts on a claim by kind of evidence, each once.

    Settings without a verdict are left out where another has one, so that "not run" stands alone.
    """
    kinds = {
        "printed": [evidences.printed.verdict],
        "re-run": [v.evidence.verdict for v in evidences.rerun],
        "control": [v.evidence.verdict for v in evidences.control],
    }
    distinct = {
        kind: set(verdicts) - {"not run"} or {"not run"} for kind, verdicts in kinds.items()
    }
    return {kind: [w for w in SYMBOLS if w in verdicts] for kind, verdicts in distinct.items()}


def poster(
    evidences_by_paper: Mapping[str, Sequence[ClaimEvidence]],
    findings: Sequence[Finding] | None = None,
) -> sheet.Sheet:
    """Show every claim of every paper with every kind of evidence, each mark a link to its claim.

    Links are those of the first page of the book, which shows it. Claims of ours stand apart and
    are not counted. ``findings`` are by default those of all checks on all printed numbers.
    """
    if findings is None:
        findings = checks.run(printed.load_all())
    blocks = [_Claims(paper, each, findings) for paper, each in evidences_by_paper.items()]
    title = _title(len(blocks), sum((block.counts for block in blocks), Counter()))
    ours = sum(block.ours for block in blocks)
    apart = f" {plural(ours, 'claim')} of ours (X1 and so on) are not counted." if ours else ""
    keys = [(look(word), symbol, word) for word, symbol in SYMBOLS.items()]
    return sheet.Sheet(
        [
            Markup('<p class="msa-title">{}</p>').format(title),
            sheet.legend("A mark is the verdict on a claim (6 is C6), and leads to it:", keys),
            Markup('<div class="msa-poster">{}</div>').format(
                Markup("").join(block.html() for block in blocks)
            ),
        ],
        caption="Printed: the paper's own tables. Re-run: trainings on real data. Control: the "
        "same test on simulated data with known truth. Where settings differ in their verdicts, a "
        "claim has a mark for each; settings that were not run are left out where another was. "
        "Findings are printed numbers that do not fit together, or that a reader should know."
        f"{apart}",
    )


def _title(number: int, counts: Mapping[str, int]) -> str:
    total = sum(counts.values())
    many = COUNTED[number] if number < len(COUNTED) else str(number)
    of_papers = "one paper: its" if number == 1 else f"{many} papers: their"
    return (
        f"{plural(total, 'claim')} of {of_papers} printed tables support "
        f"{counts['supported']}, contradict {counts['contradicted']}, leave "
        f"{counts['inconclusive']} open and cannot test {counts['not run']}."
    )


class _Claims:
    """One paper in the poster: its own claims, then ours; only its own are counted."""

    def __init__(self, paper: str, evidences: Sequence[ClaimEvidence], findings: Sequence[Finding]):
        self.entry, self.page = registry.load(paper), f"executed/paper-{paper}.html"
        theirs = made_by_paper(evidences)
        self.evidences = theirs + [e for e in evidences if e.claim.ours]
        self.number, self.ours = len(theirs), len(evidences) - len(theirs)
        self.counts = Counter(e.printed.verdict for e in theirs)
        self.findings = Counter(f.severity for f in findings if f.paper == paper)

    def html(self) -> Markup:
        """Return the block of this paper: its name, a row for each kind, and the sums."""
        entry = self.entry
        many = plural(self.number, "claim") + (f" and {self.ours} of ours" if self.ours else "")
        sums = ", ".join(f"{SYMBOLS[word]} {self.counts[word]} {word}" for word in SYMBOLS)
        findings = ", ".join(f"{self.findings[severity]} {severity}" for severity in SEVERITIES)
        name = Markup("<b>{}</b> {}, {}: {}").format(
            link(self.page, entry.name), entry.authors, entry.venue.split()[-1], many
        )
        told = lines([f"In print: {sums}", *self._contradicted(), f"Findings: {findings}"])
        rows = Markup("").join(map(self._row, KINDS))
        block = Markup('<div class="msa-paper"><p>{}</p>{}<p class="told">{}</p></div>')
        return block.format(name, rows, told)

    def _contradicted(self) -> list[Markup]:
        """Say how many cells hold of each claim that print contradicts; nothing without any."""
        listed = Markup("; ").join(
            Markup("{} ({})").format(
                link(f"{self.page}#{e.claim.id}", _number(e)), e.printed.counts.text()
            )
            for e in self.evidences
            if e.printed.verdict == "contradicted"
        )
        return [Markup("Contradicted in print: {}").format(listed)] if listed else []

    def _row(self, kind: str) -> Markup:
        marks = [(e, verdicts_by_kind(e)[kind]) for e in self.evidences]
        blank = [] if kind == "printed" else [e for e, words in marks if words == ["not run"]]
        shown = [self._mark(e, kind, words) for e, words in marks if e not in blank]
        if blank:
            href = f"{self.page}?{kind}=not-run"
            told = f"{SYMBOLS['not run']} {len(blank)} not run"
            shown.append(Markup('<li class="rest">{}</li>').format(link(href, told)))
        return Markup(
            '<div class="msa-kind"><span>{kind}</span><ul aria-label="{paper}, {kind}">{marks}</ul>'
            "</div>"
        ).format(kind=kind, paper=self.entry.name, marks=Markup("").join(shown))

    def _mark(self, evidences: ClaimEvidence, kind: str, words: Sequence[str]) -> Markup:
        """Return the number of a claim with its verdicts, as a link to its row."""
        counts = evidences.printed.counts.text() if kind == "printed" else ""
        verdict = Markup('<span class="{}">{}</span>')
        marks = (
            verdict.format(
                look(word), sheet.mark(SYMBOLS[word], ", ".join(filter(None, [word, counts])))
            )
            for word in words
        )
        number = _number(evidences)
        return Markup(
            '<li{}><a href="{}#{}"><span class="visually-hidden">{}</span>{} {}</a></li>'
        ).format(
            Markup(' class="apart"') if evidences.claim.ours else "",
            self.page,
            evidences.claim.id,
            evidences.claim.id.removesuffix(number.removeprefix("C")),
            number.removeprefix("C"),
            Markup(" ").join(marks),
        )


def _number(evidences: ClaimEvidence) -> str:
    """Return the id of a claim without its paper: C6."""
    return evidences.claim.id.rpartition("-")[2]


def look(verdict: str) -> str:
    """Return the class of a verdict's colour."""
    return f"verdict-{verdict.replace(' ', '-')}"
