"""The wirings of Table 4 in one drawing, made from one description of each.

A wiring says which vectors a clip has, what makes one vector of the local ones, how all of them are
joined, and what weighs the modalities. Its picture is SVG in the colours of the page, so that it
can be read in light and in dark, and on a phone.
"""

from collections.abc import Iterable
from typing import NamedTuple

from markupsafe import Markup

from msalib.pages.markup import Shown
from msalib.papers.glomo.plan import FULL

LETTERS = ("T", "A", "V")


class Wiring(NamedTuple):
    """One row of Table 4."""

    name: str
    says: str
    modalities: tuple[str, ...] = LETTERS
    whole: bool = True  # the global vector of each modality
    local: str = "experts"  # what makes one vector of the pieces; "" for none
    meet: bool = True  # the transformer over all vectors
    join: str = "guided"  # or one step in its place
    weights: str = "W_g"  # what mixes the modalities in the guided fusion

    def steps(self) -> list[str]:
        """Return what follows the vectors, in words."""
        if self.join != "guided":
            return [self.join, "head"]
        return ["transformer", f"mix by {self.weights}, beside all vectors weighed", "head"]

    def sentence(self) -> str:
        """Say the wiring in a sentence, for readers who hear it."""
        kinds = ["a global vector"] if self.whole else []
        kinds += [f"pieces through {self.local}"] if self.local else []
        return (
            f"{self.name}: {', '.join(self.modalities)}, each with {' and '.join(kinds)}; then "
            f"{', then '.join(self.steps())}"
        )


WIRINGS = (
    Wiring(FULL, "everything"),
    Wiring("V+A", "no words", modalities=("A", "V")),
    Wiring("V+T", "no sound", modalities=("T", "V")),
    Wiring("A+T", "no pictures", modalities=("T", "A")),
    Wiring("MLP_M", "one layer for the experts", local="one layer"),
    Wiring("Global", "no pieces, no experts", local=""),
    Wiring("Local", "no global vectors", whole=False, weights="W_l"),
    Wiring("SUM", "vectors summed", meet=False, join="sum"),
    Wiring("CON", "vectors side by side", meet=False, join="one layer"),
    Wiring("ATTN_F", "vectors weighed by a scorer", meet=False, join="weighted sum"),
    Wiring("MUL", "vectors multiplied", meet=False, join="product"),
    Wiring("ATTN_G", "a new scorer weighs the mix", weights="new scorer"),
    Wiring("MLP_G", "one layer for the mix", weights="one layer"),
    Wiring("ReAt_G", "local weights for the mix", weights="W_l"),
)
"""The full model and the 13 other rows of Table 4, in the order of the table."""

WIDE, HIGH, PITCH, LOWEST = 200, 240, 66, 146
"""Size of a picture, a modality's column, the lower end of what joins them, in units of SVG."""

CHANGED = "#D55E00"
"""Colour of what differs from the full model; dashes say the same."""


CAPTION = (
    "The full model and the 13 other rows of Table 4, from bottom to top. G: global vector, L: "
    "pieces; T, A, V: words, sound, pictures; MoE: mixture of experts; W_g and W_l: weights from "
    "global and from local vectors. Left half of what the head reads: both kinds of vectors, "
    "weighed; right: the modalities, mixed. Dashed and orange: what differs from the full model. "
    "All are read from the paper's words; the authors' code has the full model only."
)


class Drawing(Shown):
    """Pictures of wirings as HTML: one SVG each, in rows as wide as the page."""

    def __init__(self, wirings: Iterable[Wiring]):
        self.wirings = list(wirings)
        self.alt = "Wirings of Table 4. " + ". ".join(w.sentence() for w in self.wirings) + "."

    def html(self) -> Markup:
        """Return the pictures as one figure."""
        pictures = Markup("").join(map(picture, self.wirings))
        style = (
            "display:grid;grid-template-columns:repeat(auto-fill,minmax(8.5rem,1fr));gap:0.75rem"
        )
        return Markup(
            '<figure class="msa-sheet"><div style="{}" role="img" aria-label="{}">{}</div>'
            "<figcaption>{}</figcaption></figure>"
        ).format(style, self.alt, pictures, CAPTION)


def drawing() -> Drawing:
    """Return the drawing of the full model and the 13 other rows of Table 4."""
    return Drawing(WIRINGS)


def picture(wiring: Wiring) -> Markup:
    """Return one wiring as SVG: vectors below, then experts, what joins them, and the head."""
    left = (WIDE - len(wiring.modalities) * PITCH + 6) / 2
    parts = [
        _modality(wiring, letter, left + PITCH * i) for i, letter in enumerate(wiring.modalities)
    ]
    parts += _guided(wiring) if wiring.join == "guided" else _replaced(wiring)
    return Markup(
        '<svg viewBox="0 0 {} {}" width="100%" fill="none" stroke="currentColor" '
        'aria-hidden="true" focusable="false">{}{}{}</svg>'
    ).format(
        WIDE,
        HIGH,
        _text(WIDE / 2, 14, wiring.name, 15, bold=True),
        _text(WIDE / 2, 30, wiring.says, 12),
        Markup("").join(parts),
    )


def _modality(wiring: Wiring, letter: str, x: float) -> Markup:
    """Draw the vectors of a modality, what makes one of its pieces, and its letter."""
    fewer, parts = wiring.modalities != LETTERS, []
    if wiring.whole:
        width = 16 if wiring.local else PITCH - 6
        parts.append(_box(x, 196, width, "G", changed=fewer or not wiring.local))
        parts.append(_line(x + width / 2, 196, x + width / 2, LOWEST))
    if wiring.local:
        start, width = (x + 20, PITCH - 26) if wiring.whole else (x, PITCH - 6)
        middle = start + width / 2
        parts.append(_box(start, 196, width, "L", changed=fewer or not wiring.whole))
        parts.append(_line(middle, 196, middle, 186))
        name = "MoE" if wiring.local == "experts" else "layer"
        parts.append(_box(start, 166, width, name, changed=wiring.local != "experts"))
        parts.append(_line(middle, 166, middle, LOWEST))
    return Markup("").join([*parts, _text(x + PITCH / 2 - 3, 232, letter, 14)])


def _guided(wiring: Wiring) -> list[Markup]:
    """Draw the transformer, both halves of what the head reads, and the head."""
    first = "W_g G, W_l L" if wiring.whole and wiring.local else _mix(wiring)
    return [
        _box(8, LOWEST - 20, WIDE - 16, "transformer", changed=False),
        _line(54, LOWEST - 20, 54, 106),
        _line(146, LOWEST - 20, 146, 106),
        _box(8, 86, 92, first, changed=first != "W_g G, W_l L"),
        _box(104, 86, 88, _mix(wiring), changed=wiring.weights != "W_g"),
        _line(54, 86, 54, 66),
        _line(146, 86, 146, 66),
        _box(8, 46, WIDE - 16, "head", changed=False),
    ]


def _mix(wiring: Wiring) -> str:
    return f"{wiring.weights} mix" if wiring.weights.startswith("W_") else wiring.weights


def _replaced(wiring: Wiring) -> list[Markup]:
    """Draw the one step that stands for the guided fusion, and the head."""
    return [
        _box(8, LOWEST - 20, WIDE - 16, wiring.join, changed=True),
        _line(WIDE / 2, LOWEST - 20, WIDE / 2, 66),
        _box(8, 46, WIDE - 16, "head", changed=False),
    ]


def _box(x: float, y: float, width: float, text: str, *, changed: bool) -> Markup:
    look = Markup(' stroke="{}" stroke-width="2.5" stroke-dasharray="5 3"').format(CHANGED)
    box = Markup('<rect x="{:g}" y="{:g}" width="{:g}" height="20" rx="4"{}/>')
    return box.format(x, y, width, look if changed else "") + _text(x + width / 2, y + 14, text, 12)


def _line(x: float, y: float, to_x: float, to_y: float) -> Markup:
    return Markup('<path d="M{:g} {:g}L{:g} {:g}"/>').format(x, y, to_x, to_y)


def _text(x: float, y: float, text: str, size: int, bold: bool = False) -> Markup:
    weight = Markup(' font-weight="bold"') if bold else ""
    return Markup(
        '<text x="{:g}" y="{:g}" font-size="{}"{} text-anchor="middle" '
        'fill="currentColor" stroke="none">{}</text>'
    ).format(x, y, size, weight, text)
