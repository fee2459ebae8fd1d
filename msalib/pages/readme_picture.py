"""All verdicts in one drawing, for readers of the README: claims in columns, evidence in rows.

SVG as text, because a page of a repository shows neither scripts nor styles of the book.
"""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from msalib.evidence import registry
from msalib.evidence.verdicts import ClaimEvidence
from msalib.pages import overview, posters
from msalib.pages.ledger import SYMBOLS

COLOURS = {
    "supported": ("#dcf3e3", "#14532d"),
    "contradicted": ("#fde2e1", "#7f1d1d"),
    "inconclusive": ("#fcefc7", "#5c3d05"),
    "not run": ("#e8eaee", "#374151"),
}
"""Verdict -> ground and letters, as in the book: book/_static."""

CELL = 22
"""Side of a cell, in pixels."""

MARGIN, LABELS, GAP = 14, 78, 8
"""Around the drawing; for the names of rows; between the claims of a paper and ours."""

_DRAWING = Markup(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
    'height="{height}" role="img" font-family="sans-serif" font-size="12">'
    '<title>{title}</title><rect width="100%" height="100%" rx="6" fill="#ffffff"/>{marks}</svg>\n'
)
_TEXT = Markup('<text x="{:g}" y="{:g}" fill="{}" {}>{}</text>')
_CELL = Markup('<rect x="{:g}" y="{:g}" width="{:g}" height="{:g}" fill="{}"/>{}')
_CENTRED, _BOLD, _PLAIN = (
    Markup('text-anchor="middle"'),
    Markup('font-weight="bold" font-size="14"'),
    Markup(""),
)

INK = "#1f2937"


def drawing(weighed: Mapping[str, Sequence[ClaimEvidence]]) -> Markup:
    """Return the drawing of every claim of every paper as SVG."""
    marks, legend = _legend(MARGIN)
    top = MARGIN + 2 * CELL
    for paper, evidences in weighed.items():
        marks += _paper(registry.load(paper).name, evidences, top)
        top += CELL * (len(posters.KINDS) + 2) + GAP
    longest = LABELS + GAP + CELL * max(map(len, weighed.values()))
    return _DRAWING.format(
        width=2 * MARGIN + max(longest, legend),
        height=top + MARGIN - GAP,
        title=overview.answer(weighed),
        marks=marks,
    )


def _legend(top: float) -> tuple[Markup, int]:
    """Return the key to the marks, with its width."""
    marks, left = Markup(""), 0
    for word in SYMBOLS:
        marks += _cell([word], MARGIN + left, top) + _text(MARGIN + left + CELL + 6, top, word)
        left += CELL + 20 + 8 * len(word)
    return marks, left


def _paper(name: str, evidences: Sequence[ClaimEvidence], top: float) -> Markup:
    """Return the rows of a paper below its name and the numbers of its claims."""
    columns = sorted(evidences, key=lambda e: e.claim.ours)
    lefts = [MARGIN + LABELS + i * CELL + GAP * e.claim.ours for i, e in enumerate(columns)]
    marks = _text(MARGIN, top, name, _BOLD)
    for left, evidence in zip(lefts, columns, strict=True):
        number = evidence.claim.id.rpartition("-")[2].removeprefix("C")
        marks += _text(left + CELL / 2, top, number, _CENTRED)
    for row, kind in enumerate(posters.KINDS, 1):
        marks += _text(MARGIN, top + row * CELL, kind)
        for left, evidence in zip(lefts, columns, strict=True):
            words = posters.verdicts_by_kind(evidence)[kind]
            marks += _cell(words, left, top + row * CELL)
    return marks


def _cell(words: Sequence[str], left: float, top: float) -> Markup:
    """Return a cell with a mark for each verdict, side by side where settings differ."""
    marks, width = Markup(""), (CELL - 2) / len(words)
    for i, word in enumerate(words):
        ground, letters = COLOURS[word]
        x = left + i * width
        symbol = _TEXT.format(x + width / 2, top + 15, letters, _CENTRED, SYMBOLS[word])
        marks += _CELL.format(x, top, width, CELL - 2, ground, symbol)
    return marks


def _text(left: float, top: float, text: str, look: Markup = _PLAIN) -> Markup:
    return _TEXT.format(left, top + 15, INK, look, text)
