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
    """Show the claims of a paper by settings, in each group those with most verdicts first.

    A setting in which no claim was run has no column; the caption names it.
    """
    paper = verdicts[0].claim.paper
    decided = Counter(v.setting for v in verdicts if v.evidence.verdict != "not run")
    listed = sorted(dict.fromkeys(v.setting for v in verdicts), key=lambda s: -decided[s])
    every = names.ordered(paper, listed)
    shown = [setting for setting in every if decided[setting]]
    words = {(v.claim.id, v.setting): v.evidence.verdict for v in verdicts}
    groups = {
        _about(v): [
            sheet.row(v.claim.id, (_cell(words.get((v.claim.id, setting))) for setting in shown))
        ]
        for v in {v.claim.id: v for v in verdicts}.values()
    }
    table = sheet.table(caption, caption, ["claim", *heads(paper, shown)], groups)
    return sheet.Sheet(
        [Markup('<div class="msa-matrix">{}</div>').format(table)],
        caption=" ".join(
            filter(None, [f"{legend()}.", _left_out([s for s in every if not decided[s]])])
        ),
    )


def _about(verdict: Verdict) -> Markup:
    about = Markup('<div class="msa-about-claim">{} {}</div>')
    claim = verdict.claim
    return about.format(named(claim, f"#{claim.id}"), claim.statement)


def _cell(word: str | None) -> Markup:
    if word is None:
        return sheet.cell()
    return sheet.cell(sheet.mark(SYMBOLS[word], word), f"verdict-{word.replace(' ', '-')}")


def heads(paper: str, settings: Sequence[Setting]) -> list[Markup]:
    """Return the name of each setting with its group; in full where two have one short name."""
    counts = Counter(map(names.short, settings))
    known = ((s, names.short(s)) for s in settings)
    shown = [(s, short if counts[short] == 1 else names.full(s)) for s, short in known]
    group = Markup("<small>{}</small>")
    return [lines([name, group.format(names.group(paper, s))]) for s, name in shown]


def _left_out(empty: Sequence[Setting]) -> str:
    """Name the settings in which no claim was run."""
    if not empty:
        return ""
    listed = "; ".join(map(names.full, empty))
    return f"No claim has been run in {plural(len(empty), 'further setting')}: {listed}."
