"""The figure of an audit: how well a linear probe does on each part of the data."""

from collections.abc import Sequence

from msalib.data.corpus import PARTS
from msalib.evidence.audit.leakage import Probe
from msalib.pages.figure import MODALITY_STYLE, Picture, axes_of, style
from msalib.pages.tables import Note

PART_NAMES = {"train": "training", "valid": "validation", "test": "test"}


@style
def probe_levels(probes: Sequence[Probe], *, setting: str) -> Picture | Note:
    """Correlation of the probe on each part, one row each, with intervals; modality by modality."""
    if not probes:
        return Note(f"No features to probe. Setting: {setting}.")
    figure, axes = axes_of(0.9 + 0.34 * (len(PARTS) + 1) * len(probes))
    ticks, names, sentences = [], [], []
    for block, probe in enumerate(probes):
        look = MODALITY_STYLE[probe.modality]
        top = block * (len(PARTS) + 1)
        axes.text(
            0,
            top - 0.15,
            f"{probe.modality}: {probe.source}",
            transform=axes.get_yaxis_transform(),
            fontweight="bold",
            va="center",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
        )
        told = []
        for row, part in enumerate(PARTS, start=top + 1):
            level = probe.parts[part]
            ticks.append(row)
            names.append(PART_NAMES[part])
            if level.r is None:
                axes.text(0, row, "undefined", va="center", fontsize=9)
                told.append(f"{PART_NAMES[part]} undefined")
                continue
            filled = "full" if part == "test" else "none"
            if level.low is not None:
                axes.plot([level.low, level.high], [row, row], color=look["color"], linewidth=2)
            axes.plot(
                level.r,
                row,
                color=look["color"],
                marker=look["marker"],
                fillstyle=filled,
                markerfacecoloralt="white",
                markersize=8,
            )
            interval = "" if level.low is None else f" ({level.low:.2f} to {level.high:.2f})"
            told.append(f"{PART_NAMES[part]} {level.r:.2f}{interval}")
        sentences.append(f"{probe.modality}, {probe.source}: {', '.join(told)}")
    axes.axvline(0, color="black", linewidth=1)
    axes.set_yticks(ticks, names)
    axes.set_ylim(len(probes) * (len(PARTS) + 1) - 0.4, -0.7)
    axes.grid(axis="y", visible=False)
    axes.margins(x=0.05)
    axes.set_xlabel("Pearson's r of the probe with the label")
    return Picture(
        figure,
        alt="Linear probe by part. " + "; ".join(sentences) + ".",
        caption="A linear probe on pooled features, each clip predicted from other videos of all "
        "parts alike: correlation with the label on each part, with 95% intervals over other "
        "videos. Honest features give the same on all parts but for luck; filled: test. "
        f"Setting: {setting}.",
    )
