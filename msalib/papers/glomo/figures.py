"""Figures of GLoMo: vectors in the plane, how busy experts are, what pieces hold."""

from collections.abc import Mapping, Sequence

import numpy as np

from msalib.pages.figure import BLUE, INK, Picture, axes_of, evenly, mark, style
from msalib.pages.tables import Note
from msalib.papers.glomo import looks
from msalib.papers.glomo.contents import LAYERS, bounds
from msalib.papers.glomo.vectors import Vectors, placed
from msalib.runs.query import Runs
from msalib.runs.spec import System

MARKERS, COLOURS = "o^sDv", (BLUE, "#D55E00", "#009E73", "#CC79A7", "#56B4E9")
"""Looks of experts, and of classes."""

NO_VECTORS = (
    "No picture here: a recorded run is trained again for it, which needs record and data, and "
    "too much time where a large encoder is fine-tuned."
)

# --- vectors ------------------------------------------------------------------------------------


@style
def spaces_figure(vectors: Vectors | None, *, setting: str) -> Picture | Note:
    """Show Fig. 2: global and local vectors of each modality, placed by t-SNE."""
    if vectors is None:
        return Note(NO_VECTORS)
    shown = [m for m in vectors.whole if m in vectors.pieces]
    if not shown:
        return Note(f"This model has no two kinds of vectors. Setting: {setting}.")
    figure, panels = axes_of(1.0 + 2.7 * len(shown), nrows=len(shown), squeeze=False)
    sentences = []
    for axes, m in zip(panels[:, 0], shown, strict=True):
        whole, pieces = vectors.whole[m], vectors.pieces[m]
        plane = placed(np.concatenate([whole, pieces]))
        axes.plot(*plane[: len(whole)].T, "+", color=INK, markersize=6, label="global")
        expert = vectors.expert.get(m, np.zeros(len(pieces), int))
        for k in sorted(set(expert)):
            points = plane[len(whole) :][expert == k]
            axes.plot(
                *points.T, MARKERS[k % 5], color=COLOURS[k % 5], markersize=4,
                label=f"local, expert {k + 1}",
            )  # fmt: skip
            sentences.append(f"{m}, expert {k + 1}: {len(points)} clips")
        axes.set_title(m, fontsize=11)
        axes.set(xticks=[], yticks=[])
    named = [axes.get_legend_handles_labels() for axes in panels.flat]
    by_label = {label: handle for pair in named for handle, label in zip(*pair, strict=True)}
    handles = [by_label[label] for label in sorted(by_label)]
    figure.legend(handles, sorted(by_label), loc="outside upper center", ncols=2)
    return Picture(
        figure,
        alt=f"Global and local vectors of test clips placed in the plane. {'; '.join(sentences)}.",
        caption=f"Vectors of {len(vectors.label)} test clips, placed by t-SNE. Local vectors are "
        "those behind the mixture, marked by the expert with the largest gate. "
        f"{vectors.trained_again()}Setting: {setting}.",
    )


@style
def fused_figure(by_name: Mapping[str, Vectors], *, setting: str) -> Picture | Note:
    """Show Fig. 4: the fused vectors of several variants by class, placed by t-SNE."""
    if not by_name:
        return Note(NO_VECTORS)
    rows = -(-len(by_name) // 2)
    figure, panels = axes_of(0.8 + 2.2 * rows, nrows=rows, ncols=2, squeeze=False)
    sentences = []
    for axes, (name, vectors) in zip(panels.flat, by_name.items(), strict=False):
        group = groups(vectors.label)
        plane = placed(vectors.fused[group != ""])
        for k, kind in enumerate(sorted(set(group) - {""})):
            points = plane[group[group != ""] == kind]
            axes.plot(*points.T, MARKERS[k % 5], color=COLOURS[k % 5], markersize=4, label=kind)
        axes.set_title(name, fontsize=11)
        axes.set(xticks=[], yticks=[])
        sentences.append(f"{name}: {(group != '').sum()} clips")
    for axes in panels.flat[len(by_name) :]:
        axes.axis("off")
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=9)
    again = next(iter(by_name.values())).trained_again()
    return Picture(
        figure,
        alt=f"Fused vectors of test clips placed in the plane. {'; '.join(sentences)}.",
        caption="What the head reads, placed by t-SNE; clips labelled zero are left out. t-SNE may "
        f"show groups that are not there: the table has the numbers. {again}Setting: {setting}.",
    )


def groups(label: np.ndarray) -> np.ndarray:
    """Return the group of each clip (N,): its class, or the sign of its score; "" for zero."""
    if np.issubdtype(label.dtype, np.integer):
        return np.array([f"class {k}" for k in label])
    return np.select([label < 0, label > 0], ["negative", "positive"], "")


# --- experts and pieces -------------------------------------------------------------------------


@style
def load_figure(runs: Runs, named: Mapping[str, System], *, setting: str) -> Picture | Note:
    """Show the load of each expert by epoch, of the first seed, with and without the losses."""
    shown = {n: seeds[0] for n, s in named.items() if (seeds := looks.used(runs, s))}
    if not shown:
        return Note(f"No record here holds how busy experts are. Setting: {setting}.")
    modalities = list(next(iter(shown.values())))
    figure, panels = axes_of(
        0.8 + 1.9 * len(modalities), nrows=len(modalities), ncols=len(shown), sharey=True,
        squeeze=False,
    )  # fmt: skip
    sentences = []
    for column, (name, use) in zip(panels.T, shown.items(), strict=True):
        for axes, m in zip(column, modalities, strict=True):
            load = np.array(use[m].load)
            for k, values in enumerate(load.T):
                axes.plot(range(1, len(load) + 1), values, color=COLOURS[k % 5],
                          marker=MARKERS[k % 5], markersize=4)  # fmt: skip
                for epoch, value in enumerate(values, start=1):
                    said = f"{name}, {m}, expert {k + 1}, epoch {epoch}: {value:.0%}"
                    mark(axes, epoch, value, said)
            axes.axhline(1 / load.shape[1], color=INK, linewidth=0.8, linestyle=":")
            axes.set_ylim(0, 1)
            last = ", ".join(f"{v:.0%}" for v in load[-1])
            sentences.append(f"{name}, {m}: last epoch {last}")
        column[0].set_title(name, fontsize=10)
        column[-1].set_xlabel("epoch")
    for axes, m in zip(panels[:, 0], modalities, strict=True):
        axes.set_ylabel(f"{m}\nshare of load", fontsize=9)
    return Picture(
        figure,
        alt=f"Load of experts by epoch. {'; '.join(sentences)}.",
        caption="Share of the load of each expert in training, a line per expert; dotted: equal "
        f"shares. First recorded seed. Setting: {setting}.",
    )


@style
def bins_figure(length: int, places: int, count: int) -> Picture:
    """Show the places of a clip of ``length`` word pieces, and the stretches over them."""
    figure, panels = axes_of(2.9, nrows=2)
    sentences = []
    for axes, (name, layers) in zip(panels, LAYERS.items(), strict=True):
        total = layers * places
        filled = np.arange(total) % places < length
        axes.bar(range(total), 1, width=0.9, align="edge",
                 color=np.where(filled, COLOURS[0], "#88888855"))  # fmt: skip
        for i, (start, end) in enumerate(bounds(total, count)):
            axes.plot([start + 0.4, end - 0.4], [1.25 + 0.12 * (i % 2)] * 2, color=INK)
            held = int(filled[start:end].sum())
            said = f"{name}: stretch {i + 1} holds {held} of {end - start}"
            mark(axes, (start + end) / 2, 1.25, said)
            axes.text((start + end) / 2, 1.45, f"{held} of {end - start}", ha="center", fontsize=9)
            sentences.append(said)
        axes.set(ylim=(0, 1.75), xlim=(0, total), yticks=[])
        axes.grid(visible=False)
        axes.set_title(name, fontsize=10)
    panels[1].set_xlabel("place")
    return Picture(
        figure,
        alt=f"Places of a clip of {length} word pieces. {'; '.join(sentences)}.",
        caption=f"A clip of {length} word pieces, its two marks among them, in {places} places: "
        "blue, the clip; grey, padding; lines: the stretches of which maxima are taken, with the "
        "places of the clip that each holds.",
    )


@style
def lengths_figure(lengths: Mapping[str, np.ndarray], places: int) -> Picture | Note:
    """Show the distribution of lengths by unit, and the places of a clip."""
    if not lengths:
        return Note("No lengths of clips are here.")
    figure, axes = axes_of()
    edges = range(0, places + 5, 2)
    for k, (unit, values) in enumerate(lengths.items()):
        axes.hist(values, bins=edges, histtype="step", linewidth=2,
                  color=COLOURS[k], linestyle=("-", "--")[k % 2], label=unit)  # fmt: skip
        for start, count in zip(
            range(0, places + 3, 2), np.histogram(values, edges)[0], strict=True
        ):
            mark(axes, start + 1, count, f"{unit}, {start} to {start + 1}: {count} clips")
    for _, end in bounds(places, 3):
        axes.axvline(end, color=INK, linewidth=0.8, linestyle=":")
    axes.set_xlabel("length of a clip")
    axes.set_ylabel("clips")
    axes.legend(fontsize=9)
    about = "; ".join(
        f"{unit}: median {np.median(v):.0f}, {(v <= places / 3).mean():.0%} within the first "
        f"stretch, {(v > places).mean():.1%} longer than {places}"
        for unit, v in lengths.items()
    )
    return Picture(
        figure,
        alt=f"Distribution of lengths. {about}.",
        caption=f"Lengths of clips; dotted: ends of three stretches of {places} places. {about}.",
    )


@style
def above_figure(gates: Sequence[float], apart: np.ndarray, above: np.ndarray) -> Picture:
    """Show how far log-sum-exp is above the weighted sum, by gate and spread of two outputs."""
    figure, axes = axes_of()
    for k, (gate, values) in enumerate(zip(gates, above, strict=True)):
        axes.plot(apart, values, color=COLOURS[k % 5], linestyle=("-", "--", "-.", ":")[k % 4],
                  label=f"gate {gate:g}")  # fmt: skip
        for at in evenly(len(apart)):
            said = f"gate {gate:g}, {apart[at]:.1f} apart: {values[at]:.2f}"
            mark(axes, apart[at], values[at], said)
    axes.set_xlabel("difference between the outputs of two experts")
    axes.set_ylabel("log-sum-exp minus weighted sum")
    axes.legend(fontsize=9)
    ends = ", ".join(f"gate {g:g}: {v[-1]:.2f}" for g, v in zip(gates, above, strict=True))
    return Picture(
        figure,
        alt=f"Difference between both ways to combine experts. At {apart[-1]:g}: {ends}.",
        caption="Two experts, outputs a and 0, gates g and 1 - g. The difference is never below "
        f"zero (Jensen) and zero only where the outputs agree. At {apart[-1]:g}: {ends}.",
    )
