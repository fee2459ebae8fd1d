"""Figures of how labels are generated, what the sparse transformer reads, and of time."""

from collections.abc import Mapping, Sequence

import numpy as np

from msalib.pages.figure import (
    BLUE,
    DARK,
    INK,
    LIGHT,
    MODALITY_STYLE,
    Picture,
    axes_of,
    evenly,
    mark,
    name_rows,
    style,
)

CENTRE_STYLE = {
    "positive": {"marker": "+", "color": DARK, "markeredgewidth": 1.5},
    "negative": {"marker": "_", "color": DARK, "markeredgewidth": 1.5},
}


@style
def offset_by_distance(
    distance: np.ndarray, targets: Mapping[float, Mapping[str, np.ndarray]], max_distance: float
) -> Picture:
    """Show SUGRM's target by the distance of the modality, for clips of several labels.

    ``targets``: annotated label -> "up" and "down" -> targets before the clamp.
    """
    figure, axes = axes_of(height=3.9)
    looks = [(BLUE, "s"), (INK, "o"), ("#D55E00", "^")]
    sentences = []
    for (label, ways), (colour, marker) in zip(targets.items(), looks, strict=False):
        for way, values in ways.items():
            axes.plot(distance, values, color=colour, linestyle=":", linewidth=1)
            axes.plot(
                *(distance, values.clip(-3, 3)), color=colour, marker=marker, markevery=8,
                linestyle="-" if way == "up" else "--", markersize=5,
                label=f"label {label:+.0f}, {way}",
            )  # fmt: skip
            for at in range(0, len(distance), 8):
                value = np.clip(values[at], -3, 3)
                said = f"label {label:+.0f}, {way}, distance {distance[at]:.2f}: {value:+.2f}"
                mark(axes, distance[at], value, said)
            end = np.flatnonzero(np.abs(values) >= 3)
            reached = (
                f"at the end of the scale from distance {distance[end[0]]:.1f}"
                if len(end)
                else "never at the end of the scale"
            )
            sentences.append(f"label {label:+.0f}, {way}: {reached}")
    axes.axvline(max_distance, color="#777777", linewidth=1)
    axes.text(max_distance, axes.get_ylim()[1], " largest distance", va="top", fontsize=10)
    axes.set_xlabel("distance of the modality's feature from the clip's")
    axes.set_ylabel("target (points)")
    figure.legend(loc="outside upper center", ncols=2)
    return Picture(
        figure,
        alt="Lines of the target by distance, straight up to the largest distance and level from "
        "there. " + "; ".join(sentences) + ".",
        caption="Target of a clip by the distance between the features of its modality and of the "
        "whole clip, towards the positive centre (up) and the negative one (down). Dotted: before "
        "clamping to -3 and 3. Simulated points; computed by the generator itself.",
    )


@style
def target_map(
    line: np.ndarray,
    maps: Mapping[tuple[float, float], np.ndarray],
    *,
    label: float,
    centres: tuple[np.ndarray, np.ndarray],
    max_distance: float,
) -> Picture:
    """Show SUGRM's target by the position of the modality's feature in the plane.

    ``maps``: position of the clip's feature -> targets (P, P) before the clamp.
    """
    figure, panels = axes_of(height=3.6, ncols=len(maps), sharey=True)
    sentences = []
    angle = np.linspace(0, 2 * np.pi, 200)
    for axes, (fused, targets) in zip(panels, maps.items(), strict=True):
        image = axes.pcolormesh(
            line, line, targets.clip(-3, 3), cmap="PuOr", vmin=-3, vmax=3, rasterized=True
        )
        _values(axes, line, targets.clip(-3, 3), "target {:+.2f} points")
        axes.contour(line, line, targets - label > 0, [0.5], colors=DARK, linewidths=1.5)
        circle = [f + max_distance * w(angle) for f, w in zip(fused, (np.cos, np.sin), strict=True)]
        axes.plot(*circle, color=DARK, linestyle=":", linewidth=1.2)
        axes.plot(*fused, "*", color=LIGHT, markeredgecolor=DARK, markersize=15)
        _centres(axes, centres)
        axes.set(aspect="equal", xlim=line[[0, -1]], ylim=line[[0, -1]])
        axes.set_xlabel("feature 1")
        axes.grid(visible=False)
        up, ends = (targets > label).mean(), (np.abs(targets) >= 3).mean()
        sentences.append(
            f"clip at ({fused[0]:.2g}, {fused[1]:.2g}): the label goes up in {up:.0%} of the plane "
            f"shown, and the target is at an end of the scale in {ends:.0%}"
        )
    panels[0].set_ylabel("feature 2")
    figure.colorbar(image, ax=panels, orientation="horizontal", label="target (points)")
    return Picture(
        figure,
        alt=f"Maps of the target of a clip labelled {label:+.1f} by the position of the "
        f"feature of its modality. {'; '.join(sentences)}. The border between up and down is a "
        "straight line for a clip midway between the centres, a circle around the nearer "
        "centre for another.",
        caption=f"Target of a clip labelled {label:+.1f} by the position of the feature of its "
        "modality. Star: feature of the whole clip; + and -: the centres; solid line: where the "
        "modality is as positive as the clip (equal ratio of the distances from the centres), "
        "with the positive centre on the side where the label moves up; dotted: the largest "
        f"distance, beyond which the offset is 6 points. {'; '.join(sentences).capitalize()}. "
        "Simulated points; computed by the generator itself.",
    )


def _values(axes, line: np.ndarray, values: np.ndarray, form: str) -> None:
    """Mark some places of a map with their value."""
    for i in evenly(len(line)):
        for j in evenly(len(line)):
            said = f"({line[j]:+.1f}, {line[i]:+.1f}): {form.format(values[i, j])}"
            mark(axes, line[j], line[i], said)


def _centres(axes, centres) -> None:
    for centre, look in zip(centres, CENTRE_STYLE.values(), strict=True):
        axes.plot(*centre, "o", color=LIGHT, markeredgecolor=DARK, markersize=15)
        axes.plot(*centre, linestyle="", markersize=8, **look)


@style
def blow_up(
    line: np.ndarray,
    maps: Mapping[str, np.ndarray],
    *,
    label: float,
    unimodal: tuple[float, float],
    centres: tuple[np.ndarray, np.ndarray],
) -> Picture:
    """Show the size of both generators' targets (P, P), by the position of the fused feature."""
    from matplotlib.colors import LogNorm

    figure, panels = axes_of(height=3.6, ncols=len(maps), sharey=True)
    sentences = []
    for axes, (name, targets) in zip(panels, maps.items(), strict=True):
        size = np.abs(targets).clip(0.1, 1000)
        image = axes.pcolormesh(
            line, line, size, cmap="cividis", norm=LogNorm(0.1, 1000), rasterized=True
        )
        _values(axes, line, np.abs(targets), "{:.2f} points")
        axes.plot(*unimodal, "D", color=LIGHT, markeredgecolor=DARK, markersize=8)
        _centres(axes, centres)
        axes.set(aspect="equal", xlim=line[[0, -1]], ylim=line[[0, -1]])
        axes.set_title(f"{name}", fontsize=11)
        axes.set_xlabel("feature 1 of the clip")
        axes.grid(visible=False)
        beyond = (np.abs(targets) > abs(label) + 6).mean()
        sentences.append(
            f"{name}: largest size {np.abs(targets).max():.0f} points, beyond the label plus 6 in "
            f"{beyond:.0%} of the places"
        )
    panels[0].set_ylabel("feature 2 of the clip")
    figure.colorbar(
        image, ax=panels, orientation="horizontal", label="size of the target (points, log scale)"
    )
    return Picture(
        figure,
        alt="Two maps of the size of the target by the position of the feature of the whole clip. "
        + "; ".join(sentences)
        + ". Self-MM's is largest along the line midway between the centres.",
        caption=f"Size of the target before clamping, for a clip labelled {label:+.1f} whose "
        "modality stays at the diamond, by the position of the feature of the whole clip. "
        f"{'; '.join(sentences)}. + and -: the centres. Simulated points; computed by the "
        "generators themselves.",
    )


@style
def sampling_windows(reads: Mapping[str, Mapping[str, np.ndarray]], *, layer: int) -> Picture:
    """Show the frames that each state reads: modality -> shift -> (H, L) bool."""
    shifts = list(next(iter(reads.values())))
    figure, panels = axes_of(6.4, nrows=len(reads), ncols=len(shifts), sharex="row", sharey="row")
    sentences = []
    for row, (m, windows) in zip(panels, reads.items(), strict=True):
        for axes, (shift, mask) in zip(row, windows.items(), strict=True):
            count, length = mask.shape
            edges = (np.arange(length + 1) + 0.5, np.arange(count + 1) + 0.5)
            colours = ["#FFFFFF00", MODALITY_STYLE[m]["color"]]
            axes.pcolormesh(*edges, mask, cmap=_two_colours(colours), rasterized=True)
            axes.set_ylim(count + 0.5, 0.5)
            axes.grid(visible=False)
            if m == next(iter(reads)):
                axes.set_title(SHIFT_NAMES[shift], fontsize=11)
        row[0].set_ylabel(f"{m}\nstate")
        sentences.append(f"{m}: {count} states, {length} frames, {mask[0].sum()} read by each")
    for axes in panels[-1]:
        axes.set_xlabel("frame")
    return Picture(
        figure,
        alt="Frames by states of the sparse transformer. Without shift a diagonal band; with the "
        "phase the windows swing back and forth through the sequence. "
        + "; ".join(sentences)
        + ".",
        caption="Which frames (across) each hidden state (down) attends to in layer "
        f"{layer + 1}, for the lengths of unaligned CMU-MOSI. A window that passes an end "
        "continues at the other. "
        f"{'; '.join(sentences)}. Computed by the functions that the forward pass uses.",
    )


SHIFT_NAMES = {"none": "as released: no shift", "phase": "as intended: with phase"}


def _two_colours(colours: list[str]):
    from matplotlib.colors import ListedColormap

    return ListedColormap(colours)


@style
def last_state(reached: Mapping[str, Mapping[str, Mapping[str, np.ndarray]]]) -> Picture:
    """Show what reaches the last states: shift -> target -> source -> (L,) bool."""
    targets = list(next(iter(reached.values())))
    figure, panels = axes_of(5.4, nrows=len(targets), ncols=len(reached), sharey="row")
    sentences = []
    for column, (shift, by_target) in enumerate(reached.items()):
        for axes, (m, sources) in zip(panels[:, column], by_target.items(), strict=True):
            for y, (source, mask) in enumerate(sources.items()):
                edges = np.linspace(0, 100, len(mask) + 1)
                colours = ["#88888840", MODALITY_STYLE[source]["color"]]
                axes.pcolormesh(
                    *(edges, [y - 0.38, y + 0.38], mask[None]), cmap=_two_colours(colours),
                    vmin=0, vmax=1, rasterized=True,
                )  # fmt: skip
                sentences.append(f"{SHIFT_NAMES[shift]}, {m} reads {mask.mean():.0%} of {source}")
            axes.set_yticks(range(len(sources)), list(sources), fontsize=9)
            axes.grid(visible=False)
            if column == 0:
                axes.set_ylabel(f"last {m}\nstate", fontsize=10)
        panels[0, column].set_title(SHIFT_NAMES[shift], fontsize=11)
        panels[-1, column].set_xlabel("place in the clip (%)")
    return Picture(
        figure,
        alt="Bars of the frames that can reach the last state of each modality. "
        + "; ".join(sentences)
        + ".",
        caption="Frames (coloured) that can reach the last state of each modality, the only one "
        "that the model reads on, through all layers; grey: frames that cannot. Computed by the "
        "functions that the forward pass uses.",
    )


@style
def passes(timed: Mapping[str, Mapping[str, Sequence[float]]], *, where: str) -> Picture:
    """Show footnote 5, the seconds of single passes: what was timed -> model -> seconds."""
    figure, axes = axes_of(height=1.3 + 0.75 * len(timed))
    looks = {"SUGRM": (BLUE, "o"), "Self-MM": ("#D55E00", "^")}
    sentences = []
    for y, (name, models) in enumerate(timed.items()):
        for k, (model, seconds) in enumerate(models.items()):
            colour, marker = looks[model]
            place = y + 0.3 * (k - 0.5)
            axes.plot(
                seconds, [place] * len(seconds), marker, color=colour, markersize=6, alpha=0.6,
                label=model if y == 0 else None,
            )  # fmt: skip
            axes.plot([np.median(seconds)] * 2, [place - 0.12, place + 0.12], color=INK)
            sentences.append(f"{name}, {model}: median {np.median(seconds):.3g} s")
            low, high = min(seconds), max(seconds)
            mark(axes, np.median(seconds), place, f"{sentences[-1]}, {low:.3g} to {high:.3g} s")
    name_rows(axes, list(timed))
    axes.grid(axis="y", visible=False)
    axes.set_xscale("log")
    axes.set_xlabel("seconds of one pass (log scale)")
    figure.legend(loc="outside upper center", ncols=2)
    return Picture(
        figure,
        alt="Dots of the seconds of single passes. " + "; ".join(sentences) + ".",
        caption=f"Every pass of both models, in turn; upright lines: medians. {where}",
    )
