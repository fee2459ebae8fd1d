"""The style of all figures, and a figure as a page shows it.

Figures hold no mathematics, since text from data may look like it: the ids of MMSA have ``$_$``.
"""

import re
from collections.abc import Sequence
from io import StringIO

import numpy as np
from markupsafe import Markup
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import Formatter, LogFormatter

from msalib.base.stats import Estimate
from msalib.base.terminal import terminal
from msalib.pages import svg
from msalib.pages.markup import Shown

MODALITY_STYLE = {
    "visual": {"color": "#0072B2", "marker": "s", "linestyle": "--"},
    "acoustic": {"color": "#D55E00", "marker": "^", "linestyle": "-."},
    "linguistic": {"color": "#009E73", "marker": "o", "linestyle": "-"},
}

INK, PAPER = "black", "white"
"""Colours of the page's text and background, whatever they are there."""

BLUE = "#0072B2"
"""Colour of what has no other to differ from."""

DARK, LIGHT = "#010101", "#fefefe"
"""Black and white that stay so in the dark, for marks on a coloured ground."""

RC = {"font.size": 11, "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True}
RC |= {"figure.facecolor": "none", "axes.facecolor": "none", "savefig.facecolor": "none"}
RC |= {"grid.color": INK, "grid.alpha": 0.15, "axes.axisbelow": True, "legend.frameon": False}
RC |= {"text.parse_math": False, "svg.fonttype": "none", "svg.hashsalt": "msalib"}

style = rc_context(RC)
"""Decorator of every function that draws: some letters get their size when they are laid out."""

RASTER_DPI = 200
"""Resolution of the parts of a figure that are pixels."""

MARGIN = 2
"""Room around a figure, in units of a drawing."""

MARKED = 12
"""Most points of a long line that say their value."""

ANCHOR_WORDS = 10
"""Words of a caption in the address of its figure."""


class Plot(Figure):
    """A figure that remembers what its points are worth."""

    def __init__(self, *args, **named):
        super().__init__(*args, **named)
        self.marks: list[tuple[Axes, float, float, str]] = []


def mark(axes: Axes, x: float, y: float, text: str) -> None:
    """Say what a point is worth: a page tells it where a pointer, a finger or a key goes there.

    ``x`` and ``y`` are numbers of the axes; a point that is not defined has no mark.
    """
    if x == x and y == y:
        axes.get_figure().marks.append((axes, x, y, text))


def evenly(count: int) -> list[int]:
    """Return places of ``count`` points, both ends among them: those of a long line with marks."""
    return np.unique(np.linspace(0, count - 1, MARKED).round().astype(int)).tolist()


def interval(axes: Axes, y: float, estimate: Estimate, text: str) -> None:
    """Draw an estimate in a row: its interval, and below it the single seeds; ``text`` names it."""
    if np.isnan(estimate.low):
        axes.text(0, y, "undefined", ha="center", va="center", fontsize=9)
        return
    axes.plot([estimate.low, estimate.high], [y, y], color=BLUE, linewidth=2.2)
    axes.plot(estimate.effect, y, "o", color=BLUE, markersize=7)
    axes.plot(estimate.seeds, [y + 0.22] * len(estimate.seeds), ".", color=INK, markersize=4)
    seeds = ", ".join(f"{seed:+.3g}" for seed in estimate.seeds)
    mark(axes, estimate.effect, y, text + (f"; seeds {seeds}" if seeds else ""))


def name_rows(axes: Axes, names: Sequence[str]) -> None:
    """Write names above the rows 0, 1, ... of a panel, the first on top: long ones have room."""
    for y, name in enumerate(names):
        text = axes.text(0.01, y - 0.4, name, transform=axes.get_yaxis_transform(), fontsize=9)
        text.set_bbox({"facecolor": PAPER, "edgecolor": "none", "pad": 1})
        text.set_in_layout(False)
    axes.set_zorder(2)  # above the panels to its right
    axes.set_yticks([])
    axes.set_ylim(len(names) - 0.6, -0.8)


def numbered(anchor: str, drawing: Markup, caption: str, below: str = "") -> Markup:
    """Return a drawing as a figure that pages number and that has an address; text ``below`` it."""
    return Markup(
        '<figure class="msa" id="{0}"><div class="msa-plot">{1}</div>{2}<figcaption>'
        '<a class="msa-number" href="#{0}">Figure</a> {3}</figcaption></figure>'
    ).format(anchor, drawing, below, caption)


class Picture(Shown):
    """A figure as HTML: a drawing with alternative text and a caption below.

    Pages number their figures. The anchor of a figure is made of the first words of its caption.
    """

    def __init__(self, figure: Plot, *, alt: str, caption: str):
        for text in figure.findobj(Text):
            text.set_parse_math(False)
        _spell_powers(figure)
        self.alt, self.caption = alt, caption
        self.svg = _drawn(figure, alt)

    @property
    def anchor(self) -> str:
        """Return the id of the figure in its page."""
        words = re.findall(r"[a-z][a-z0-9]*", self.caption.lower())  # numbers may change
        return "-".join(["fig", *words[:ANCHOR_WORDS]])

    def html(self) -> Markup:
        """Return the drawing with its texts."""
        return numbered(self.anchor, self.svg, self.caption)


def _drawn(figure: Plot, alt: str) -> Markup:
    """Draw a figure and its marks."""
    buffer = StringIO()
    figure.set_dpi(svg.UNITS)
    with rc_context(RC):  # of labels that are made when they are laid out
        figure.savefig(buffer, format="svg", dpi=RASTER_DPI, metadata={"Date": None})
        shown = figure.get_tightbbox().padded(MARGIN / svg.UNITS)
    height = figure.get_figheight() * svg.UNITS
    marks = []
    for axes, x, y, text in figure.marks:
        across, up = axes.transData.transform((x, y))
        marks.append(svg.Mark(across, height - up, text))
    x, top, wide, high = (svg.UNITS * v for v in (shown.x0, shown.y1, shown.width, shown.height))
    return svg.inline(
        buffer.getvalue(), box=svg.Box(x, height - top, wide, high), alt=alt, marks=marks
    )


LONGEST = 40
"""Letters of a label from data; longer ones would leave no room for the axes."""


def label_of(text: str) -> str:
    """Return text from data, such as the id of a clip, as a label of one line."""
    line = terminal(text)
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 8]}…{line[-7:]}"


class Powers(Formatter):
    """Labels of an axis with a log scale without mathematics: 10⁻² for ``$10^{-2}$``."""

    def __init__(self, mathematical: LogFormatter):
        self.mathematical = mathematical

    def set_locs(self, locs) -> None:
        """Set where the labels are, which decides which of them are written."""
        self.mathematical.set_locs(locs)

    def __call__(self, x, pos=None) -> str:
        """Return the label at ``x``."""
        text = self.mathematical(x, pos).replace(r"\times", "\N{MULTIPLICATION SIGN}")
        text = re.sub(r"\^\{(.+?)\}", lambda power: power[1].translate(RAISED), text)
        return re.sub(r"\$|\\mathdefault|[{}]", "", text)


RAISED = str.maketrans("0123456789-\N{MINUS SIGN}", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁻")


def _spell_powers(figure: Figure) -> None:
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            if isinstance(formatter := axis.get_major_formatter(), LogFormatter):
                axis.set_major_formatter(Powers(formatter))
            if isinstance(formatter := axis.get_minor_formatter(), LogFormatter):
                axis.set_minor_formatter(Powers(formatter))


@style
def axes_of(height: float = 3.4, **grid):
    """Make a figure with axes, so narrow that its letters are still legible on a phone."""
    figure = Plot(figsize=(4.8, height), layout="constrained")
    return figure, figure.subplots(**grid)
