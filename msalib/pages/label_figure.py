"""A figure of the annotated labels of a data set."""

import numpy as np

from msalib.pages.figure import Picture, axes_of, style


@style
def label_histogram(counts: dict[str, list[int]], edges: list[float], *, title: str) -> Picture:
    """Share of clips per label bin, one outline per part of the split."""
    figure, axes = axes_of()
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
