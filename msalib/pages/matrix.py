"""Which claim holds in which setting: marks by claim and setting, real data first.

The sentence of a claim stands above its marks, so that a phone shows both at once.
"""

from collections import Counter
from collections.abc import Sequence

from markupsafe import Markup

from msalib.evidence.printed.names import plural
from msalib.evidence.verdicts import Verdict
from msalib.pages import sheet
from msalib.pages.ledger import SYMBOLS, legend, named
from msalib.pages.markup import lines
from msalib.runs import names
from msalib.runs.records import Setting


def matrix(verdicts: Sequence[Verdict], *, caption: str) -> sheet.Sheet:
    """Show the claims of a paper by settings.

    A setting in which no claim was run has no column; the caption names it.
    """
    paper = verdicts[0].claim.paper
    shown, empty = _shown_and_empty(verdicts)
    words = {(v.claim.id, v.setting): v.evidence.verdict for v in verdicts}
    groups = {
        _about(v): [
            sheet.row(v.claim.id, (_cell(words.get((v.claim.id, setting))) for setting in shown))
        ]
        for v in {v.claim.id: v for v in verdicts}.values()
    }
    table = sheet.table(caption, caption, ["claim", *_heads(paper, shown)], groups)
    return sheet.Sheet(
        [Markup('<div class="msa-matrix">{}</div>').format(table)],
        caption=" ".join(filter(None, [f"{legend()}.", _left_out(empty)])),
    )


def _about(verdict: Verdict) -> Markup:
    about = Markup('<div class="msa-about-claim">{} {}</div>')
    claim = verdict.claim
    return about.format(named(claim, f"#{claim.id}"), claim.statement)


def _cell(word: str | None) -> Markup:
    if word is None:
        return sheet.cell()
    return sheet.cell(sheet.mark(SYMBOLS[word], word), f"verdict-{word.replace(' ', '-')}")


def _titles(settings: Sequence[Setting]) -> list[str]:
    """Return the short name of each setting, or the full one where two share the short one."""
    counts = Counter(map(names.short, settings))
    return [names.short(s) if counts[names.short(s)] == 1 else names.full(s) for s in settings]


def _heads(paper: str, settings: Sequence[Setting]) -> list[Markup]:
    """Return the name of each setting with its group, where the name does not say it."""
    small = Markup("<small>{}</small>")
    groups = [names.group(paper, setting) for setting in settings]
    return [
        lines([title, *([] if title == group else [small.format(group)])])
        for title, group in zip(_titles(settings), groups, strict=True)
    ]


def _shown_and_empty(verdicts: Sequence[Verdict]) -> tuple[list[Setting], list[Setting]]:
    """Return the settings in which claims of a paper were run, in order, and those without any.

    Settings come by their group, in each group those with most verdicts first.
    """
    decided = Counter(v.setting for v in verdicts if v.evidence.verdict != "not run")
    listed = sorted(dict.fromkeys(v.setting for v in verdicts), key=lambda s: -decided[s])
    every = names.ordered(verdicts[0].claim.paper, listed) if verdicts else []
    return [s for s in every if decided[s]], [s for s in every if not decided[s]]


def _left_out(empty: Sequence[Setting]) -> str:
    """Name the settings in which no claim was run."""
    if not empty:
        return ""
    listed = "; ".join(map(names.full, empty))
    return f"No claim has been run in {plural(len(empty), 'further setting')}: {listed}."
