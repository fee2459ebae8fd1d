"""Figures of generated labels: over the epochs, at the ends of the scale, beside the near."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.ticker import LogLocator, NullLocator

from msalib.pages.figure import BLUE, INK, MODALITY_STYLE, Picture, axes_of, evenly, mark, style
from msalib.pages.tables import Note
from msalib.papers.sugrm.labels import Histories
from msalib.papers.sugrm.truth import COPY, MEASURES, NO_TRUTH, Nearness

LABELS_STYLE = {
    "SUGRM's": {"color": BLUE, "linestyle": "-", "marker": "o"},
    "Self-MM's": {"color": "#D55E00", "linestyle": "--", "marker": "^"},
}
"""Generators of labels."""

BINS = np.linspace(-3, 3, 13)


@style
def label_histograms(
    by_generator: Histories, name: str, epochs: Sequence[int], *, setting: str
) -> Picture | Note:
    """Show Fig. 4, a generator's labels: a row per epoch, a column per modality."""
    if name not in by_generator:
        return Note(f"No run of this setting follows the labels of {name} generator.")
    own = by_generator[name]
    shown = own.at(epochs)
    figure, panels = axes_of(
        0.7 + 0.72 * len(shown), nrows=len(shown), ncols=len(own.generated),
        sharex=True, sharey=True, squeeze=False,
    )  # fmt: skip
    annotated, _ = np.histogram(own.annotated, BINS)
    sentences = []
    for column, (m, labels) in enumerate(own.generated.items()):
        look = MODALITY_STYLE[m]
        for axes, e in zip(panels[:, column], shown, strict=True):
            counts, _ = np.histogram(labels[:, e - 1].clip(-3, 3), BINS)
            share = 100 * counts / counts.sum()
            axes.stairs(share, BINS, fill=True, color=look["color"], alpha=0.75)
            axes.stairs(100 * annotated / annotated.sum(), BINS, color=INK, linewidth=1)
            for place, height in zip(BINS[:-1] + np.diff(BINS) / 2, share, strict=True):
                if height:
                    said = f"{m}, epoch {e}, around {place:+.2g}: {height:.1f}% of labels"
                    mark(axes, place, height, said)
            if column == 0:
                axes.set_ylabel(e, rotation=0, ha="right", va="center")
        ends = (np.abs(labels[:, [shown[0] - 1, -1]]) >= 2.5).mean((0, 2))
        sentences.append(
            f"{m}: {ends[0]:.0%} of the labels beyond 2.5 in epoch {shown[0]}, {ends[1]:.0%} in "
            f"epoch {own.epochs}"
        )
        panels[0, column].set_title(m, fontsize=11)
        panels[-1, column].set_xticks([-3, 0, 3])
    panels[0, 0].yaxis.get_major_locator().set_params(nbins=2)
    figure.supylabel("after epoch; bars: share of clips (%)", fontsize=11)
    figure.supxlabel("label (points)", fontsize=11)
    return Picture(
        figure,
        alt=f"Small histograms of {name} labels by epoch and modality. {'; '.join(sentences)}.",
        caption=f"{name} labels of the {len(own.annotated)} training clips, {own.seeds} seeds "
        "together. Outline: the annotated labels, where all labels start. Labels beyond the "
        f"scale count at its end. Setting: {setting}.",
    )


@style
def label_movement(
    by_generator: Histories, null: Sequence[float | None], *, setting: str
) -> Picture | Note:
    """Show the movement of labels beside random ones, and the drift of targets (SUGRM-C18)."""
    if not by_generator:
        return Note("No run of this setting follows its labels: nothing moves.")
    null = np.array(null, float)
    figure, panels = axes_of(
        5.4, nrows=2, ncols=len(by_generator), sharex=True, sharey="row", squeeze=False
    )
    sentences = []
    for column, (name, own) in enumerate(by_generator.items()):
        epochs = np.arange(1, own.epochs + 1)
        for m in own.generated:
            look = MODALITY_STYLE[m] | {"markersize": 3}
            _line(panels[0, column], epochs, own.movement[m], m, look)
            _line(panels[1, column], epochs, own.drift[m], m, look)
            e = min(15, own.epochs)
            sentences.append(
                f"{name}, {m}: {own.movement[m][:, e - 1].mean():.2f} in epoch {e}, random "
                f"{null[e - 1]:.2f}"
            )
        panels[0, column].plot(epochs, null[: own.epochs], color=INK, label="random targets")
        for epoch, movement in zip(epochs, null, strict=False):
            mark(panels[0, column], epoch, movement, f"random, epoch {epoch}: {movement:.2f}")
        panels[0, column].set_title(f"{name} labels", fontsize=11)
        panels[0, column].set_yscale("log")
        panels[1, column].set_ylim(bottom=0)
        panels[1, column].set_xlabel("epoch")
    panels[0, 0].set_ylabel("movement of labels\n(points, log scale)")
    panels[1, 0].set_ylabel("drift of targets (points)")
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=2)
    return Picture(
        figure,
        alt="Lines of the movement of labels by epoch, above, and of the drift of their targets, "
        "below. " + "; ".join(sentences) + ".",
        caption="Above: mean change of a label from one epoch to the next. Without markers: what "
        "labels with targets drawn at random would show under the same momentum. Below: mean "
        "change of the targets, before the momentum. Lines: mean over seeds; bands: lowest to "
        "highest seed. "
        f"Setting: {setting}.",
    )


@style
def targets_at_limit(by_generator: Histories, *, setting: str) -> Picture | Note:
    """Show targets at the ends of the scale, and their size before the cut (SUGRM-X3)."""
    if not by_generator:
        return Note("No run of this setting follows its labels: there are no targets.")
    modalities = list(next(iter(by_generator.values())).generated)
    figure, panels = axes_of(
        5.0, nrows=2, ncols=len(modalities), sharex=True, sharey="row", squeeze=False
    )
    sentences = []
    for column, m in enumerate(modalities):
        for name, own in by_generator.items():
            epochs = np.arange(1, own.epochs + 1)
            look = LABELS_STYLE[name] | {"markersize": 3}
            share, size = 100 * own.clamped[m], own.percentile[m]
            for axes, values in zip(panels[:, column], (share, size), strict=True):
                _line(axes, epochs, values, name, look, m)
            sentences.append(
                f"{m}, {name}: {share[:, -1].mean():.0f}% at the ends in the last epoch, 99th "
                f"percentile {size[:, -1].mean():.1f}, at most {np.nanmax(size):.1f}"
            )
        panels[0, column].set(title=m, ylim=(0, 102))
        panels[0, column].title.set_fontsize(11)
        panels[1, column].set_yscale("log")
        panels[1, column].yaxis.set_major_locator(LogLocator(subs=(1, 3)))
        panels[1, column].yaxis.set_major_formatter("{x:g}")
        panels[1, column].yaxis.set_minor_locator(NullLocator())
        panels[1, column].axhline(9, color=INK, linestyle=":", label="9: scale and offset")
        panels[1, column].set_xlabel("epoch")
    panels[0, 0].set_ylabel("targets at an end (%)")
    panels[1, 0].set_ylabel("99th percentile of size\n(points, log scale)")
    handles, labels = panels[1, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=3)
    return Picture(
        figure,
        alt="Lines by epoch: share of targets at the ends of the scale above, their size before "
        "they are cut below. " + "; ".join(sentences) + ".",
        caption="Above: share of targets at or beyond -3 and 3. Below: 99th percentile of their "
        "size before they are cut; dotted: 9 points, which no target of SUGRM's can exceed. Lines: "
        f"mean over seeds; bands: lowest to highest seed. Setting: {setting}.",
    )


@style
def nearness(near: Nearness | None, *, setting: str) -> Picture | Note:
    """Show how near generated labels come to the truth, beside a copy and random labels."""
    if near is None:
        return Note(NO_TRUTH)
    modalities = list(near.copy["mae"])
    figure, panels = axes_of(
        7.0, nrows=len(MEASURES), ncols=len(modalities), sharex=True, sharey="row", squeeze=False
    )
    epochs = np.arange(1, near.epochs + 1)
    sentences = []
    for row, measure in enumerate(MEASURES):
        for axes, m in zip(panels[row], modalities, strict=True):
            low, high = _quantiles(near.random[measure][m])
            band = {"facecolor": "#BBBBBB", "hatch": "////", "edgecolor": "#777777", "alpha": 0.6}
            axes.fill_between(epochs, low, high, linewidth=0, label="random, 95% of draws", **band)
            copy = near.copy[measure][m]
            axes.axhline(0 if np.isnan(copy) else copy, color=INK, linestyle=":", label=COPY)
            for name, by_measure in near.generated.items():
                values, look = by_measure[measure][m], LABELS_STYLE[name] | {"markersize": 3}
                _line(axes, epochs, values, f"{name} labels", look, m)
                sentences.append(f"{measure}, {m}, {name}: {values[:, -1].mean():.2f}")
    for axes, m in zip(panels[0], modalities, strict=True):
        axes.set_title(m, fontsize=11)
    for axes, name in zip(panels[:, 0], MEASURES.values(), strict=True):
        axes.set_ylabel(name.replace(" the ", "\nthe "))
    for axes in panels[-1]:
        axes.set_xlabel("epoch")
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=2)
    return Picture(
        figure,
        alt="Lines by epoch: how near labels come to the true sentiment. Last epoch: "
        + "; ".join(sentences)
        + ".",
        caption="Labels of training clips compared with the true sentiment of each modality; "
        "MAE in points. Beyond the annotated label: information that it lacks; a copy "
        "adds none and is drawn at zero. Lines: mean over seeds; bands: lowest to highest. "
        f"Setting: {setting}.",
    )


def _quantiles(draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the middle 95% of draws (D, E); nan in epochs in which none is defined."""
    filled = np.where(np.isnan(draws).all(0), 0, draws)
    low, high = np.quantile(filled, [0.025, 0.975], axis=0)
    undefined = np.isnan(draws).all(0)
    return np.where(undefined, np.nan, low), np.where(undefined, np.nan, high)


def _line(
    axes, epochs: np.ndarray, values: np.ndarray, label: str, look: Mapping, whose: str = ""
) -> None:
    """Draw the mean of values (S, E) over seeds, in a band from the lowest to the highest."""
    axes.plot(epochs, values.mean(0), label=label, **look)
    low, high = values.min(0), values.max(0)
    for at in evenly(len(epochs)):
        said = ", ".join(filter(None, [label, whose, f"epoch {epochs[at]}"]))
        between = f"{low[at]:.2f} to {high[at]:.2f}"
        mark(
            axes, epochs[at], values[:, at].mean(), f"{said}: {values[:, at].mean():.2f}, {between}"
        )
    axes.fill_between(epochs, low, high, color=look["color"], alpha=0.15, linewidth=0)
