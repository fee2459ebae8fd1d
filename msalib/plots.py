"""Records -> figures, in one style; each figure carries its alternative text and its caption.

Colours are Okabe and Ito's, safe for colour-blind readers, and every line also has a marker and a
dash of its own, so that figures can be read in grey.
"""

import base64
from collections.abc import Mapping
from html import escape
from io import BytesIO

import numpy as np
from matplotlib.figure import Figure

from msalib import stats
from msalib.claims import Runs
from msalib.records import Record
from msalib.tables import Note

MODALITY_STYLE = {
    "visual": {"color": "#0072B2", "marker": "s", "linestyle": "--"},
    "acoustic": {"color": "#D55E00", "marker": "^", "linestyle": "-."},
    "linguistic": {"color": "#009E73", "marker": "o", "linestyle": "-"},
}
RC = {"font.size": 11, "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True}
RC |= {"grid.color": "#DDDDDD", "axes.axisbelow": True, "legend.frameon": False}


class Picture:
    """A figure as HTML: an image with alternative text and a caption below."""

    def __init__(self, figure: Figure, *, alt: str, caption: str):
        buffer = BytesIO()
        figure.savefig(
            buffer, format="png", dpi=200, bbox_inches="tight", metadata={"Software": None}
        )
        self.png = buffer.getvalue()
        self.alt, self.caption = alt, caption

    def _repr_html_(self) -> str:
        data = base64.b64encode(self.png).decode()
        return (
            f'<figure class="msa"><img src="data:image/png;base64,{data}" alt="{escape(self.alt)}">'
            f"<figcaption>{escape(self.caption)}</figcaption></figure>"
        )


def _axes(height: float = 3.4, **grid):
    """Narrow, so that the letters are still legible on a phone."""
    from matplotlib import rc_context

    with rc_context(RC):
        figure = Figure(figsize=(4.8, height), layout="constrained")
        return figure, figure.subplots(**grid)


def layer_curve(found: list[Record], *, setting: str) -> Picture:
    """Fig. 6: test correlation of every single block, one line per modality.

    Line: mean over seeds. Band: 95% interval over resampled videos. Small dots: single seeds.
    Ring: the block that validation would choose. Block 0 is the encoder's input.
    """
    runs = Runs(found)
    label, videos = runs.truth("test")
    figure, axes = _axes()
    sentences = []
    for modality, style in MODALITY_STYLE.items():
        blocks = runs.blocks(modality)
        if not blocks:
            continue
        layers = [0, *blocks] if runs.has(modality, 0) else blocks
        systems = [runs.predictions(modality, k, "test") for k in layers]
        mean, resampled = stats.correlations(label, systems, videos)
        low, high = np.quantile(resampled, [stats.LEVEL / 2, 1 - stats.LEVEL / 2], axis=0)
        axes.fill_between(layers, low, high, color=style["color"], alpha=0.15, linewidth=0)
        axes.plot(layers, mean, label=modality, markersize=5, **style)
        for k in layers:
            seeds = [r.metrics["test"]["corr"] for r in runs.records(modality, k)]
            axes.plot([k] * len(seeds), seeds, ".", color=style["color"], markersize=3, alpha=0.6)
        best = runs.mid_best(modality)
        axes.plot(
            best,
            mean[layers.index(best)],
            "o",
            markersize=13,
            fillstyle="none",
            color=style["color"],
        )
        top = int(np.nan_to_num(mean, nan=-np.inf).argmax())
        sentences.append(
            f"{modality}: {_in_words(mean[0])} at block {layers[0]}, highest "
            f"{_in_words(mean[top])} at block {layers[top]}, {_in_words(mean[-1])} at the last "
            f"block {layers[-1]}; validation chooses block {best}"
        )
    axes.set_xlabel("encoder block (0: input to block 1)")
    axes.set_ylabel("test correlation (Pearson's r)")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend()
    return Picture(
        figure,
        alt="Line plot of test correlation by encoder block. " + ". ".join(sentences) + ".",
        caption=f"Test correlation of single blocks. Line: mean of {len(runs.seeds)} seeds (dots); "
        "band: 95% interval over resampled videos; ring: the block that validation chooses. "
        f"Setting: {setting}.",
    )


def _in_words(correlation: float) -> str:
    return "undefined" if np.isnan(correlation) else f"{correlation:.2f}"


def planted_profile(truth: Mapping | None, found: list[Record], *, setting: str) -> Picture | Note:
    """Planted signal per layer of the control beside the correlation that the model reached."""
    if truth is None:
        return Note("Real data: which layer truly knows most is not known. See the control's page.")
    runs = Runs(found)
    figure, (above, below) = _axes(height=5.6, nrows=2, sharex=True)
    for modality, profile in truth["profiles"].items():
        style = MODALITY_STYLE[modality]
        above.plot(profile.keys(), profile.values(), label=modality, markersize=5, **style)
        if runs.blocks(modality):
            blocks, mean, _ = runs.correlations(modality, "test")
            below.plot(blocks, mean, markersize=5, **style)
    above.set_ylabel("planted signal-to-noise ratio")
    below.set_ylabel("test correlation (Pearson's r)")
    below.set_xlabel("encoder block")
    above.legend()
    return Picture(
        figure,
        alt="Two line plots by block: planted signal-to-noise ratio above, measured test "
        "correlation below. Planted best blocks: "
        + "; ".join(f"{m} {', '.join(map(str, k))}" for m, k in truth["best_layers"].items())
        + ".",
        caption=f"What was planted (above) and what was found (below). Setting: {setting}.",
    )


def label_histogram(counts: dict[str, list[int]], edges: list[float], *, title: str) -> Picture:
    """Share of clips per label bin, one outline per part of the split."""
    figure, axes = _axes()
    dashes = {"train": "-", "valid": "--", "test": ":"}
    colours = {"train": "#0072B2", "valid": "#D55E00", "test": "#000000"}
    for part, values in counts.items():
        share = 100 * np.array(values) / sum(values)
        axes.stairs(
            share, edges, label=part, linestyle=dashes[part], color=colours[part], linewidth=1.8
        )
    axes.set_xlabel("sentiment label (-3 to 3)")
    axes.set_ylabel("clips in the part (%)")
    axes.legend()
    middle = {
        part: (np.array(edges[:-1]) + np.diff(edges) / 2)[int(np.argmax(v))]
        for part, v in counts.items()
    }
    return Picture(
        figure,
        alt="Histogram of sentiment labels. Fullest bin: "
        + ", ".join(f"{part} around {value:.2g}" for part, value in middle.items())
        + ".",
        caption=f"Distribution of sentiment labels by part of the split. {title}.",
    )
