"""The style of all figures, and a figure as a page shows it."""

import base64
from io import BytesIO

from markupsafe import Markup
from matplotlib import rc_context
from matplotlib.figure import Figure

from msalib.pages.markup import Shown

MODALITY_STYLE = {
    "visual": {"color": "#0072B2", "marker": "s", "linestyle": "--"},
    "acoustic": {"color": "#D55E00", "marker": "^", "linestyle": "-."},
    "linguistic": {"color": "#009E73", "marker": "o", "linestyle": "-"},
}

RC = {"font.size": 11, "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True}
RC |= {"grid.color": "#DDDDDD", "axes.axisbelow": True, "legend.frameon": False}

style = rc_context(RC)
"""Decorator of every function that draws: some letters get their size when they are laid out."""


class Picture(Shown):
    """A figure as HTML: an image with alternative text and a caption below."""

    def __init__(self, figure: Figure, *, alt: str, caption: str):
        buffer = BytesIO()
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


@style
def axes_of(height: float = 3.4, **grid):
    """Make a figure with axes, so narrow that its letters are still legible on a phone."""
    figure = Figure(figsize=(4.8, height), layout="constrained")
    return figure, figure.subplots(**grid)
