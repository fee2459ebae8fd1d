"""The style of all figures, and a figure as a page shows it.

Figures hold no mathematics, since text from data may look like it: the ids of MMSA have ``$_$``.
"""

import base64
import re
from io import BytesIO

from markupsafe import Markup
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import Formatter, LogFormatter

from msalib.base.terminal import terminal
from msalib.pages.markup import Shown

MODALITY_STYLE = {
    "visual": {"color": "#0072B2", "marker": "s", "linestyle": "--"},
    "acoustic": {"color": "#D55E00", "marker": "^", "linestyle": "-."},
    "linguistic": {"color": "#009E73", "marker": "o", "linestyle": "-"},
}

RC = {"font.size": 11, "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True}
RC |= {"grid.color": "#DDDDDD", "axes.axisbelow": True, "legend.frameon": False}
RC |= {"text.parse_math": False}

style = rc_context(RC)
"""Decorator of every function that draws: some letters get their size when they are laid out."""


class Picture(Shown):
    """A figure as HTML: an image with alternative text and a caption below."""

    def __init__(self, figure: Figure, *, alt: str, caption: str):
        buffer = BytesIO()
        for text in figure.findobj(Text):
            text.set_parse_math(False)
        _spell_powers(figure)
        with rc_context(RC):  # of labels that are made when they are laid out
            figure.savefig(
                buffer, format="png", dpi=200, bbox_inches="tight", metadata={"Software": None}
            )
        self.png = buffer.getvalue()
        self.alt, self.caption = alt, caption

    def html(self) -> Markup:
        """Return the image with its texts."""
        return Markup(
            '<figure class="msa"><img src="data:image/png;base64,{}" alt="{}">'
            "<figcaption>{}</figcaption></figure>"
        ).format(base64.b64encode(self.png).decode(), self.alt, self.caption)


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
    figure = Figure(figsize=(4.8, height), layout="constrained")
    return figure, figure.subplots(**grid)
