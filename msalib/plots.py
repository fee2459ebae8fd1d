"""Records -> figures, in one style; each figure carries its alternative text and its caption.

Colours are Okabe and Ito's, safe for colour-blind readers, and whatever has a colour also has a
marker, a dash or a hatch of its own, so that figures can be read in grey.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from html import escape
from io import BytesIO

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from msalib import stats
from msalib.claims import Verdict
from msalib.errors import UserError
from msalib.metrics import METRICS
from msalib.records import system
from msalib.runs import Runs
from msalib.tables import Note, constants

MODALITY_STYLE = {
    "visual": {"color": "#0072B2", "marker": "s", "linestyle": "--"},
    "acoustic": {"color": "#D55E00", "marker": "^", "linestyle": "-."},
    "linguistic": {"color": "#009E73", "marker": "o", "linestyle": "-"},
}
FEATURE_STYLE = {
    "input": {"facecolor": "#FFFFFF", "hatch": "////"},
    "mid_best": {"facecolor": "#56B4E9", "hatch": ""},
    "weighted": {"facecolor": "#E69F00", "hatch": "...."},
}
FEATURE_NAMES = {
    "input": "encoder input (for conventional)",
    "mid_best": "mid-best block",
    "weighted": "weighted sum of the blocks",
}
MANY = 8
"""Names that an error message lists."""

RC = {"font.size": 11, "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True}
RC |= {"grid.color": "#DDDDDD", "axes.axisbelow": True, "legend.frameon": False}

style = rc_context(RC)
"""Decorator of every function that draws: some letters get their size when they are laid out."""


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


@style
def _axes(height: float = 3.4, **grid):
    """Narrow, so that the letters are still legible on a phone."""
    figure = Figure(figsize=(4.8, height), layout="constrained")
    return figure, figure.subplots(**grid)


@style
def layer_curve(runs: Runs, part: str, *, setting: str) -> Picture | Note:
    """Fig. 6: correlation of every single block on ``part``, one line per modality.

    Line: mean over seeds. Band: 95% interval over resampled videos. Small dots: single seeds.
    Ring: the block that validation would choose. Block 0 is the encoder's input. Features without
    layers are a level, dotted.
    """
    if not runs.layered:
        return Note("No modality has layers in this setting: there is no curve to draw.")
    name = {"valid": "validation", "test": "test"}[part]
    label, videos = runs.truth(part)
    figure, axes = _axes(height=3.8)
    sentences, found = [], []
    for modality in runs.modalities:
        look = MODALITY_STYLE[modality]
        layers = ([0] if runs.has(system({modality: 0})) else []) + runs.blocks(modality)
        systems = [system({modality: k}) for k in layers]
        seeds = runs.records(*systems)
        found += [record for own in seeds for record in own]
        mean, resampled = stats.correlations(label, runs.predictions(part, *systems), videos)
        if modality not in runs.layered:
            axes.axhline(
                mean[0], color=look["color"], linestyle=":", label=f"{modality}, no layers"
            )
            sentences.append(f"{modality}: {_in_words(mean[0])}, features without layers")
            continue
        low, high = np.quantile(resampled, [stats.LEVEL / 2, 1 - stats.LEVEL / 2], axis=0)
        axes.fill_between(layers, low, high, color=look["color"], alpha=0.15, linewidth=0)
        axes.plot(layers, mean, label=modality, markersize=5, **look)
        for k, own in zip(layers, seeds, strict=True):
            dots = [np.nan if (r := s.metrics[part]["corr"]) is None else r for s in own]
            axes.plot([k] * len(own), dots, ".", color=look["color"], markersize=3, alpha=0.6)
        best = runs.mid_best(modality)
        ring = {"markersize": 13, "fillstyle": "none", "color": look["color"]}
        axes.plot(best, mean[layers.index(best)], "o", **ring)
        top = int(np.nan_to_num(mean, nan=-np.inf).argmax())
        sentences.append(
            f"{modality}: {_in_words(mean[0])} at block {layers[0]}, highest "
            f"{_in_words(mean[top])} at block {layers[top]}, {_in_words(mean[-1])} at the last "
            f"block {layers[-1]}; validation chooses block {best}"
        )
    axes.set_xlabel("encoder block (0: input to block 1)")
    axes.set_ylabel(f"{name} correlation (Pearson's r)")
    axes.xaxis.get_major_locator().set_params(integer=True)
    figure.legend(loc="outside upper center", ncols=len(runs.modalities))
    return Picture(
        figure,
        alt=f"Line plot of {name} correlation by encoder block. " + ". ".join(sentences) + ".",
        caption=f"{name.capitalize()} correlation of single blocks. Line: mean of {len(seeds[0])} "
        "seeds (dots); band: 95% interval over resampled videos; ring: the block that validation "
        f"chooses. {constants(found, part)}Setting: {setting}.",
    )


def _in_words(correlation: float) -> str:
    return "undefined" if np.isnan(correlation) else f"{correlation:.2f}"


@style
def planted_profile(truth: Mapping | None, runs: Runs, *, setting: str) -> Picture | Note:
    """Planted signal per layer of the control beside the correlation that the model reached."""
    if truth is None:
        return Note("Real data: which layer truly knows most is not known. See the control's page.")
    figure, (above, below) = _axes(height=5.6, nrows=2, sharex=True)
    for modality, profile in truth["profiles"].items():
        look = MODALITY_STYLE[modality] | {"markersize": 5}
        above.plot(profile.keys(), profile.values(), label=modality, **look)
        if runs.blocks(modality):
            blocks, mean, _ = runs.correlations(modality, "test")
            below.plot(blocks, mean, **look)
    above.set_ylabel("planted signal-to-noise ratio")
    below.set_ylabel("test correlation (Pearson's r)")
    below.set_xlabel("encoder block (0: input to block 1)")
    figure.legend(loc="outside upper center", ncols=len(truth["profiles"]))
    return Picture(
        figure,
        alt="Two line plots by block: planted signal-to-noise ratio above, measured test "
        "correlation below. Planted best blocks: "
        + "; ".join(f"{m} {_range(k)}" for m, k in truth["best_layers"].items())
        + ".",
        caption=f"What was planted (above) and what was found (below). Setting: {setting}.",
    )


def _range(blocks: tuple[int, ...]) -> str:
    """Blocks in a row by their ends."""
    if len(blocks) > 2 and blocks[-1] - blocks[0] == len(blocks) - 1:
        return f"{blocks[0]} to {blocks[-1]}"
    return ", ".join(map(str, blocks))


@style
def gate_violins(runs: Runs, *, setting: str) -> Picture | Note:
    """Fig. 3: distribution of gate weights over test clips and seeds, by modality and feature.

    Bar: middle half of the weights; white dot: median; short lines: medians of single seeds.
    """
    modalities = runs.modalities
    if len(modalities) < 2:
        return Note("One modality: its gate has nothing to weigh it against.")
    systems = {runs.feature(modalities, feature): feature for feature in reversed(FEATURE_STYLE)}
    systems = {feature: s for s, feature in reversed(systems.items()) if runs.has(s)}
    figure, axes = _axes(height=3.9)
    width, sentences = 0.8 / len(systems), []
    for i, (feature, wanted) in enumerate(systems.items()):
        (gates,) = runs.gates(wanted)
        name = FEATURE_NAMES[feature] if runs.layered else "features without layers"
        for x, modality in enumerate(modalities):
            place = x + (i - (len(systems) - 1) / 2) * width
            weights = gates[modality]
            _violin(axes, place, 0.9 * width, weights, FEATURE_STYLE[feature])
            low, middle, high = np.quantile(weights, [0.25, 0.5, 0.75])
            sentences.append(
                f"{modality}, {name}: median {middle:.2f}, middle half {low:.2f} to {high:.2f}"
            )
        axes.bar([0], [0], label=name, edgecolor="black", **FEATURE_STYLE[feature])
    axes.set_xticks(range(len(modalities)), modalities)
    axes.grid(axis="x", visible=False)
    axes.set_ylim(0, 1)
    axes.set_ylabel("gate weight")
    figure.legend(loc="outside upper center")
    return Picture(
        figure,
        alt="Violin plots of gate weights from 0 to 1. " + "; ".join(sentences) + ".",
        caption=f"Gate weights of all test clips and {len(weights)} seeds, "
        f"{', '.join(modalities)} together. Bar: middle half; white dot: median; short lines: "
        f"medians of single seeds. Setting: {setting}.",
    )


def _violin(axes, place: float, width: float, weights: np.ndarray, look: dict) -> None:
    """Weights are (S, N)."""
    (body,) = axes.violinplot(
        weights.ravel(), [place], widths=width, showextrema=False, points=200
    )["bodies"]
    body.set(edgecolor="black", alpha=1, **look)
    low, middle, high = np.quantile(weights, [0.25, 0.5, 0.75])
    axes.vlines(place, low, high, color="black", linewidth=4)
    axes.hlines(
        np.median(weights, axis=1), place - width / 3, place + width / 3, color="black", linewidth=1
    )
    axes.plot(place, middle, "o", color="white", markeredgecolor="black", markersize=5)


@style
def one_video(runs: Runs, video: str, *, setting: str) -> Picture | Note:
    """Figs 4 and 5: predictions of single modalities against truth, clips of one test video.

    ``video`` is its name, empty for the one with the most clips. Marker: mean over seeds; line:
    lowest to highest seed. Raises ``UserError`` for a video that is not there.
    """
    label, videos = runs.truth("test")
    names, clips = np.unique(videos, return_counts=True)
    names = names[np.argsort(-clips, kind="stable")]
    chosen = video or names[0]
    if chosen not in names:
        raise UserError(
            f"video {video!r}",
            found="no such video in the test part",
            expected=f"one of {', '.join(names[:MANY])}{' and more' * (len(names) > MANY)}",
            remedy="Leave -p video out for the one with the most clips.",
        )
    own = videos == chosen
    if own.sum() < 2:
        return Note(f"The video {chosen} is a single clip: nothing can vary within it.")
    rows = -(-len(runs.modalities) // 2)
    figure, panels = _axes(2.6 * rows, ncols=2, nrows=rows, squeeze=False)
    sentences, beyond = [], 0
    for axes, modality in zip(panels.flat, runs.modalities, strict=False):
        wanted = runs.feature([modality], "mid_best")
        (guess,) = runs.predictions("test", wanted)
        guess = guess[:, own]
        beyond += int((abs(guess) > 3).sum())
        layer = f"block {wanted.inputs[0][1]}" if modality in runs.layered else "no layers"
        _against_truth(axes, label[own], guess, MODALITY_STYLE[modality])
        axes.set_title(f"{modality}, {layer}", fontsize=11)
        low, high = guess.mean(0).min(), guess.mean(0).max()
        sentences.append(f"{modality} predictions from {low:.1f} to {high:.1f}")
    for axes in panels.flat[len(runs.modalities) :]:
        axes.set_visible(False)
    figure.supxlabel("label", fontsize=11)
    figure.supylabel("prediction", fontsize=11)
    outside = f" {beyond} predictions beyond the axes are drawn at their edge." if beyond else ""
    return Picture(
        figure,
        alt=f"Predictions against labels of {own.sum()} clips of one video. Labels from "
        f"{label[own].min():.1f} to {label[own].max():.1f}; " + "; ".join(sentences) + ".",
        caption=f"The {own.sum()} clips of the test video {chosen}. Marker: mean of {len(guess)} "
        "seeds; line: lowest to highest seed; dashes: where prediction and label are equal. A "
        f"model that only knows the speaker draws a flat row.{outside} Setting: {setting}.",
    )


def _against_truth(axes, label: np.ndarray, guess: np.ndarray, look: dict) -> None:
    """Labels (N,), predictions (S, N)."""
    shown = guess.clip(-3, 3)
    axes.plot([-3, 3], [-3, 3], color="black", linestyle="--", linewidth=1)
    axes.vlines(label, shown.min(0), shown.max(0), color=look["color"], linewidth=1)
    axes.plot(
        *(label, shown.mean(0), look["marker"]), color=look["color"], markersize=5, clip_on=False
    )
    axes.set(xlim=(-3, 3), ylim=(-3, 3), aspect="equal", xticks=range(-3, 4), yticks=range(-3, 4))


@style
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


@style
def equivalence(verdict: Verdict, *, setting: str) -> Picture | Note:
    """Footnote 1: the interval of a difference in MAE beside the margin that counts as equal."""
    effects, margin = verdict.evidence.effects, verdict.claim.rerun.arguments.get("margin")
    if not effects:
        return Note(f"No interval to draw: {verdict.evidence.note}.")
    ((name, found),) = effects.items()
    figure, axes = _axes(height=2.0)
    axes.axvspan(-margin, margin, facecolor="#F0E442", alpha=0.4, hatch="//", edgecolor="#999999")
    axes.axvline(0, color="black", linewidth=1)
    axes.plot([found.low, found.high], [0, 0], color="#0072B2", linewidth=2.5, marker="|")
    axes.plot(found.effect, 0, "o", color="#0072B2", markersize=8)
    axes.plot(found.seeds, [0.4] * len(found.seeds), ".", color="black", markersize=6)
    axes.set(ylim=(-0.6, 0.8), yticks=[])
    axes.spines["left"].set_visible(False)
    axes.margins(x=0.1)
    axes.set_xlabel("MAE of the gate minus that of concatenation (points)")
    return Picture(
        figure,
        alt=f"{name} beside the margin of {margin:g} points: {found.effect:+.3f}, from "
        f"{found.low:+.3f} to {found.high:+.3f}. Single seeds from {min(found.seeds):+.3f} to "
        f"{max(found.seeds):+.3f}.",
        caption=f"{name}. Equal is what lies within the hatched margin of ±{margin:g} points with "
        f"its whole interval (line). Circle: mean over seeds; dots: single seeds. "
        f"Setting: {setting}.",
    )


@style
def gain_by_size(
    gains: Mapping[str, Mapping[float, stats.Estimate]], *, setting: str
) -> Picture | Note:
    """UEGD-C16: what the best block gains over the encoder's input, by the share of clips.

    ``gains``: modality -> share of the training clips -> difference of MAE, positive for a gain.
    """
    if not any(gains.values()):
        return Note("No modality has several layers in this setting: no gain to show.")
    figure, axes = _axes()
    sentences = []
    for i, (modality, found) in enumerate(gains.items()):
        shift = 2 ** (0.06 * (i - (len(gains) - 1) / 2))  # so that intervals stand side by side
        shares = np.array(list(found)) * shift
        effect, low, high = np.array([[e.effect, e.low, e.high] for e in found.values()]).T
        axes.errorbar(
            shares,
            effect,
            yerr=[effect - low, high - effect],
            capsize=4,
            markersize=6,
            label=modality,
            **MODALITY_STYLE[modality],
        )
        first, last = min(found), max(found)
        sentences.append(
            f"{modality}: {found[first].effect:.3f} at {first:.1%} of the clips, "
            f"{found[last].effect:.3f} at {last:.0%}"
        )
    axes.axhline(0, color="black", linewidth=1)
    axes.set_xscale("log", base=2)
    ticks = sorted({share for found in gains.values() for share in found})
    axes.set_xticks(ticks, [f"{share:.4g}".replace("0.", ".") for share in ticks])
    axes.set_xlabel("share of the training clips")
    axes.set_ylabel("gain in MAE (points)")
    axes.legend()
    return Picture(
        figure,
        alt="Gain of the best block over the encoder's input by the share of training clips. "
        + "; ".join(sentences)
        + ".",
        caption="Gain: test MAE with the encoder's input minus that with the block that validation "
        f"chooses; bars: 95% intervals over other videos and trainings. Setting: {setting}.",
    )


SIZE_STYLE = {
    "mosi": {"color": "#D55E00", "marker": "o", "linestyle": "-"},
    "mosei": {"color": "#0072B2", "marker": "^", "linestyle": "--"},
}
"""Simulated studies of the size of a data set."""


@style
def power_curves(found: "Power", wanted: Sequence[str]) -> Picture:  # noqa: F821
    """How often each test says "supported", by the true effect; a panel per claim."""
    rows = -(-len(wanted) // 2)
    figure, axes = _axes(height=0.6 + 2.0 * rows, nrows=rows, ncols=2, sharey=True, squeeze=False)
    sentences = []
    for panel, claim in zip(axes.flat, wanted, strict=False):
        plan = found.plans[claim]
        effects = sorted(plan.effects)
        for dataset in found.datasets:
            cells = [found.cell(claim, dataset, e).rate("supported") for e in effects]
            share, low, high = 100 * np.array(cells).T
            panel.errorbar(
                effects,
                share,
                yerr=[share - low, high - share],
                capsize=2,
                markersize=4,
                linewidth=1.2,
                label=f"size of {dataset.upper()}",
                **SIZE_STYLE[dataset],
            )
            sentences.append(
                f"{claim} at {dataset.upper()}'s size: "
                + ", ".join(f"{s:.0f}% at {e:g}" for e, s in zip(effects, share, strict=True))
            )
        panel.axhline(5, color="black", linestyle=":", linewidth=1)
        panel.axvline(plan.false_at, color="#999999", linewidth=1)
        panel.set(ylim=(-4, 104), yticks=[5, 50, 80, 100])
        panel.margins(x=0.12)
        panel.xaxis.get_major_locator().set_params(nbins=4)
        panel.set_title(f"{claim.rpartition('-')[2]}: {plan.unit}", fontsize=11)
    for panel in axes.flat[len(wanted) :]:
        panel.set_axis_off()
    figure.supylabel("found supported (%)", fontsize=11)
    figure.supxlabel("true effect", fontsize=11)
    handles, labels = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=2)
    return Picture(
        figure,
        alt="Lines of how often a test says supported, by the true effect. "
        + "; ".join(sentences)
        + ".",
        caption='How often a test says "supported", by the true effect. Bars: 95% Monte Carlo '
        "intervals. Grey line: the effect at which the claim is false, though barely; there and "
        "on its false side, dotted, no more than 5% should be. "
        f"Setting: {found.setting}.",
    )


@style
def false_verdicts(found: "Power") -> Picture:  # noqa: F821
    """Rates of "supported" and "contradicted" where each claim is false, against 5%."""
    names = list(found.plans)
    figure, axes = _axes(height=0.9 + 0.4 * len(names), ncols=2, sharex=True, sharey=True)
    sentences = []
    for panel, verdict in zip(axes, ("supported", "contradicted"), strict=True):
        for i, dataset in enumerate(found.datasets):
            rates = [found.false(claim, dataset).rate(verdict) for claim in names]
            share, low, high = 100 * np.array(rates).T
            panel.barh(
                np.arange(len(names)) + 0.36 * (i - (len(found.datasets) - 1) / 2),
                share,
                height=0.34,
                xerr=[share - low, high - share],
                color=SIZE_STYLE[dataset]["color"],
                hatch="" if i == 0 else "////",
                edgecolor="black",
                linewidth=0.5,
                error_kw={"linewidth": 1, "capsize": 1.5},
                label=f"size of {dataset.upper()}",
            )
            above = [
                f"{n} {s:.0f}%" for n, s, under in zip(names, share, low, strict=True) if under > 5
            ]
            sentences.append(
                f"{verdict} at {dataset.upper()}'s size, surely above 5%: "
                + (", ".join(above) or "none")
            )
        panel.axvline(5, color="black", linestyle="--", linewidth=1.2)
        panel.set_title(f'"{verdict}"', fontsize=11)
        panel.set_xlabel("studies (%)")
    axes[0].set_yticks(np.arange(len(names)), [name.rpartition("-")[2] for name in names])
    axes[0].invert_yaxis()
    axes[0].grid(axis="y", visible=False)
    axes[1].grid(axis="y", visible=False)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return Picture(
        figure,
        alt="Bars of wrong verdicts by claim. " + "; ".join(sentences) + ".",
        caption="Verdicts where a claim is false, though barely. Dashed: the nominal 5%. Lines: "
        f"95% Monte Carlo intervals. Setting: {found.setting}.",
    )


@style
def gains_by_chance(found: "Power") -> Picture:  # noqa: F821
    """What choosing the best of equal blocks seems to gain, on validation and on test."""
    figure, axes = _axes(height=4.6, nrows=len(found.gains), sharex=True, squeeze=False)
    looks = {"valid": ("#D55E00", "--", "validation"), "test": ("#000000", "-", "test")}
    every = np.concatenate([v for parts in found.gains.values() for v in parts.values()])
    edges = np.linspace(*np.quantile(every, [0.001, 0.999]), 41)
    sentences = []
    for (dataset, parts), panel in zip(found.gains.items(), axes.flat, strict=True):
        for part, gains in parts.items():
            colour, dash, name = looks[part]
            counts, _ = np.histogram(gains, edges)
            panel.stairs(
                100 * counts / len(gains),
                edges,
                color=colour,
                linestyle=dash,
                linewidth=1.8,
                label=f"{name}, mean {np.mean(gains):+.3f}",
            )
            sentences.append(
                f"size of {dataset.upper()}, {name}: mean {np.mean(gains):+.3f}, 95% below "
                f"{np.quantile(gains, 0.95):+.3f}"
            )
        panel.axvline(0, color="#999999", linewidth=1)
        panel.set_title(f"size of {dataset.upper()}", fontsize=11, loc="left")
        panel.set_ylabel("studies (%)")
        panel.legend(loc="upper right")
    axes.flat[-1].set_xlabel("Corr of the chosen block minus that of the last")
    return Picture(
        figure,
        alt="Histograms of the gain by chance. " + "; ".join(sentences) + ".",
        caption="All blocks are equally good. The one with the best validation correlation, minus "
        "the last: on validation, where it was chosen (dashed), and on test (solid). Zero where it "
        "is the last. "
        f"Setting: {found.setting}.",
    )


# --- variants of SUGRM ---

GENERATOR_STYLE = {
    "own_ulgm": {"color": "#0072B2", "marker": "o", "linestyle": "-"},
    "other_ulgm": {"color": "#D55E00", "marker": "s", "linestyle": "--"},
}
GENERATOR_NAMES = {"own_ulgm": "SUGRM's label generator", "other_ulgm": "Self-MM's"}
SCORE_NAMES = {
    "mae": "MAE (points)",
    "corr": "Corr (Pearson's r)",
    "f1_non0": "F1, non 0 (%)",
}


@style
def minus_others(
    found: Mapping[str, Mapping[str, stats.Estimate]], base: str, *, setting: str
) -> Picture | Note:
    """One system minus each of several others, in MAE and in Corr, with intervals.

    ``found``: other system -> metric -> difference, as ``variants.differences`` has it.
    """
    if not found:
        return Note(f"No two systems to compare yet. Setting: {setting}.")
    names = list(found)
    figure, panels = _axes(1.6 + 0.42 * len(names), ncols=2, sharey=True)
    sentences = []
    for panel, metric in zip(panels, ("mae", "corr"), strict=True):
        for y, name in enumerate(names):
            effect = found[name][metric]
            if np.isnan(effect.low):
                panel.text(0, y, "undefined", ha="center", va="center")
                sentences.append(f"{name}, {metric}: undefined")
                continue
            panel.plot([effect.low, effect.high], [y, y], color="#0072B2", linewidth=2.2)
            panel.plot(effect.effect, y, "o", color="#0072B2", markersize=7)
            dots = [y - 0.27] * len(effect.seeds)
            panel.plot(effect.seeds, dots, ".", color="black", markersize=4)
            sentences.append(
                f"{name}, {METRICS[metric].label}: {effect.effect:+.3f}, from {effect.low:+.3f} "
                f"to {effect.high:+.3f}"
            )
        panel.axvline(0, color="black", linewidth=1)
        panel.margins(x=0.08)
        panel.xaxis.get_major_locator().set_params(nbins=4)
        better = "right" if METRICS[metric].higher_is_better else "left"
        panel.set_xlabel(f"{SCORE_NAMES[metric].partition(' (')[0]} ({better}: {base} better)")
        panel.xaxis.label.set_fontsize(9)
        panel.grid(axis="y", visible=False)
    panels[0].set_yticks(range(len(names)), names)
    panels[0].set_ylim(len(names) - 0.4, -0.6)
    return Picture(
        figure,
        alt=f"Differences, {base} minus each other system. " + "; ".join(sentences) + ".",
        caption=f"{base} minus each other system on the test part, MAE in points. Circle: mean "
        "over seeds; line: 95% interval over other videos and trainings; dots: single seeds. "
        f"Setting: {setting}.",
    )


@style
def scores_by_tasks(found: Mapping[str, Sequence], *, setting: str) -> Picture | Note:
    """MAE and F1 by the number of unimodal tasks, one dot per set of them.

    ``found``: "ours" and perhaps "printed" -> dots, as ``variants.by_tasks`` has them.
    """
    if not found:
        return Note(f"No set of tasks was run yet. Setting: {setting}.")
    metrics = ("mae", "f1_non0")
    figure, panels = _axes(5.2, nrows=2, ncols=len(found), sharex=True, squeeze=False)
    sentences = []
    for column, (whose, dots) in enumerate(found.items()):
        for axes, metric in zip(panels[:, column], metrics, strict=True):
            factor = 1 if metric == "mae" else 100
            means = [factor * np.mean(dot.scores[metric]) for dot in dots]
            for dot, mean in zip(dots, means, strict=True):
                alike = [other.letters for other in dots if other.tasks == dot.tasks]
                shift = 0.22 * (alike.index(dot.letters) - (len(alike) - 1) / 2)
                spread = factor * np.std(dot.scores[metric], ddof=1) if _several(dot, metric) else 0
                axes.errorbar(
                    dot.tasks + shift,
                    mean,
                    yerr=spread or None,
                    color="#0072B2",
                    marker="o" if whose == "ours" else "D",
                    markersize=6,
                    fillstyle="full" if whose == "ours" else "none",
                    capsize=2,
                )
                axes.annotate(
                    dot.letters or "none",
                    (dot.tasks + shift, mean),
                    xytext=(4, 4),
                    textcoords="offset points",
                    fontsize=9,
                )
                sentences.append(
                    f"{whose}, {dot.letters or 'none'}: {METRICS[metric].label} "
                    + METRICS[metric].show(mean / factor)
                )
            numbers = sorted({dot.tasks for dot in dots})
            average = [
                np.mean([m for dot, m in zip(dots, means, strict=True) if dot.tasks == n])
                for n in numbers
            ]
            axes.plot(numbers, average, color="#999999", linestyle="--", linewidth=1, zorder=1)
            axes.margins(x=0.15, y=0.15)
        panels[0, column].set_title(whose, fontsize=11)
    panels[0, 0].set_xticks(sorted({dot.tasks for dots in found.values() for dot in dots}))
    for axes, metric in zip(panels[:, 0], metrics, strict=True):
        axes.set_ylabel(SCORE_NAMES[metric])
    figure.supxlabel("number of unimodal tasks", fontsize=11)
    return Picture(
        figure,
        alt="Scores by the number of unimodal tasks. " + "; ".join(sentences) + ".",
        caption="Letters: unimodal tasks beside the multimodal one (t linguistic, a acoustic, v "
        "visual). Bars: standard deviation over seeds, which print does not give. "
        f"Dashed: mean of the sets with as many tasks. Test part. Setting: {setting}.",
    )


def _several(dot, metric: str) -> bool:
    return len(dot.scores[metric]) > 1


@style
def module_lines(
    found: Mapping[tuple[str, ...], Mapping[str, Sequence[float]]],
    words: Mapping[str, str],
    *,
    setting: str,
) -> Picture | Note:
    """Interaction plot of SUGRM's modules: MAE and Corr by sequence encoder.

    ``found``: (recalibration, sequence, generator) -> metric -> a value per seed; ``words`` names
    modules. A panel per recalibration, a line per generator.
    """
    if not found:
        return Note(f"No corner of the grid was run yet. Setting: {setting}.")
    columns = list(dict.fromkeys(corner[0] for corner in found))
    places = list(dict.fromkeys(corner[1] for corner in found))
    lines = [g for g in GENERATOR_STYLE if any(corner[2] == g for corner in found)]
    figure, panels = _axes(
        5.4, nrows=2, ncols=len(columns), sharex=True, sharey="row", squeeze=False
    )
    sentences = []
    for column, recalibration in enumerate(columns):
        for row, metric in enumerate(("mae", "corr")):
            axes = panels[row, column]
            for i, generator in enumerate(lines):
                corners = [(recalibration, place, generator) for place in places]
                own = [found[c][metric] if c in found else [np.nan] for c in corners]
                mean = [np.mean(values) for values in own]
                spread = [np.std(v, ddof=1) if len(v) > 1 else 0 for v in own]
                axes.errorbar(
                    np.arange(len(places)) + 0.12 * (i - (len(lines) - 1) / 2),
                    mean,
                    yerr=spread,
                    capsize=3,
                    markersize=6,
                    label=GENERATOR_NAMES[generator],
                    **GENERATOR_STYLE[generator],
                )
                sentences += [
                    f"{', '.join(words[part] for part in corner)}: {METRICS[metric].label} "
                    + ("undefined" if np.isnan(m) else METRICS[metric].show(m))
                    for corner, m in zip(corners, mean, strict=True)
                    if corner in found
                ]
            axes.set_xticks(range(len(places)), [words[p].split()[0] for p in places])
            axes.margins(x=0.12)
        panels[0, column].set_title(words[recalibration], fontsize=11)
    panels[0, 0].set_ylabel(SCORE_NAMES["mae"])
    panels[1, 0].set_ylabel(SCORE_NAMES["corr"])
    figure.legend(
        *panels[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=len(lines)
    )
    return Picture(
        figure,
        alt="Lines by sequence encoder, with and without MRM. " + "; ".join(sentences) + ".",
        caption="Test part. Markers: mean over seeds; bars: standard deviation. Where lines run "
        "side by side, the generator does the same whatever the encoder; where they cross or part, "
        f"the two interact. Setting: {setting}.",
    )


# --- labels over epochs ---

LABELS_STYLE = {
    "SUGRM's": {"color": "#0072B2", "linestyle": "-", "marker": "o"},
    "Self-MM's": {"color": "#D55E00", "linestyle": "--", "marker": "^"},
}
"""Generators of labels."""

SVG_DASHES = {"-": "none", "--": "7 4", "-.": "7 3 2 3"}
CLIPS_OFFERED = 60
BINS = np.linspace(-3, 3, 13)


@style
def label_histograms(
    found: Mapping[str, "Followed"],  # noqa: F821
    name: str,
    epochs: Sequence[int],
    *,
    setting: str,
) -> Picture | Note:
    """Fig. 4: distribution of one generator's labels, a row per epoch, a column per modality."""
    if name not in found:
        return Note(f"No labels of {name} generator were followed in this setting.")
    own = found[name]
    shown = own.at(epochs)
    figure, panels = _axes(
        0.7 + 0.72 * len(shown), nrows=len(shown), ncols=len(own.made), sharex=True, sharey=True,
        squeeze=False,
    )  # fmt: skip
    given, _ = np.histogram(own.given, BINS)
    sentences = []
    for column, (m, made) in enumerate(own.made.items()):
        look = MODALITY_STYLE[m]
        for axes, e in zip(panels[:, column], shown, strict=True):
            labels = made[:, e - 1].clip(-3, 3)
            counts, _ = np.histogram(labels, BINS)
            share = 100 * counts / counts.sum()
            axes.stairs(share, BINS, fill=True, color=look["color"], alpha=0.75)
            axes.stairs(100 * given / given.sum(), BINS, color="black", linewidth=1)
            if column == 0:
                axes.set_ylabel(e, rotation=0, ha="right", va="center")
        ends = (np.abs(made[:, [shown[0] - 1, -1]]) >= 2.5).mean((0, 2))
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
        caption=f"{name} labels of the {len(own.given)} training clips, {len(made)} seeds "
        "together. Black line: the given labels, where all labels start. Labels beyond the scale "
        f"count at its end. Setting: {setting}.",
    )


class ClipChooser:
    """Labels of one clip over the epochs, for a clip that the reader selects.

    Every clip is drawn by Python into one SVG; the script shows one of them. Where no script runs,
    the first is shown.
    """

    def __init__(
        self,
        found: Mapping[str, "Followed"],  # noqa: F821
        *,
        setting: str,
        first: Sequence[str] = (),
    ):
        """``first`` are ids that are offered before others, where they are there."""
        self.found, one = found, next(iter(found.values()))
        self.seeds, self.epochs = next(iter(one.made.values())).shape[:2]
        order = np.argsort(one.given, kind="stable")
        spaced = order[np.linspace(0, len(order) - 1, min(CLIPS_OFFERED, len(order))).astype(int)]
        known = [one.id.index(name) for name in first if name in one.id]
        self.clips = list(dict.fromkeys([*known, *map(int, spaced)]))
        self.caption = (
            f"Generated labels of one clip, mean of {self.seeds} seeds; dotted: its given label. "
            f"{len(self.clips)} of the {len(one.id)} training clips are offered, "
            f"{'first those of Table 5, then ' if known else ''}from the lowest given label to the "
            f"highest. Setting: {setting}."
        )
        digest = hashlib.sha256(f"{setting} {one.id}".encode()).hexdigest()[:8]
        self.name = f"clips-{digest}"

    def told(self, i: int) -> str:
        """A clip in a sentence."""
        one = next(iter(self.found.values()))
        parts = [
            f"{name} labels end at "
            + ", ".join(f"{m} {made[:, -1, i].mean():+.1f}" for m, made in own.made.items())
            for name, own in self.found.items()
        ]
        return f"Clip {one.id[i]}: given label {one.given[i]:+.1f}; {'; '.join(parts)}."

    def _repr_html_(self) -> str:
        height = 40 + 220 * len(self.found)
        panels = "".join(self._panel(p, name) for p, name in enumerate(self.found))
        clips = "".join(self._clip(k, i) for k, i in enumerate(self.clips))
        return (
            f'<figure class="msa" id="{self.name}">'
            f'<svg role="img" aria-label="{escape(self.told(self.clips[0]))}" '
            f'viewBox="0 0 480 {height}" font-family="system-ui, sans-serif" font-size="15" '
            f'style="max-width:100%;width:520px;height:auto">'
            f'<rect width="480" height="{height}" rx="6" fill="#ffffff"></rect>'
            f"{self._legend()}{panels}{clips}</svg>"
            f'<p class="msa-told" aria-live="polite">{escape(self.told(self.clips[0]))}</p>'
            f"<figcaption>{escape(self.caption)}</figcaption></figure>"
            f"<script>{CHOOSE.replace('NAME', self.name)}</script>"
        )

    def _legend(self) -> str:
        modalities = list(next(iter(self.found.values())).made)
        width = 430 / len(modalities)
        return "".join(
            f'<path d="M{40 + k * width:.0f} 18h30" stroke="{MODALITY_STYLE[m]["color"]}" '
            f'stroke-width="2.5" stroke-dasharray="{SVG_DASHES[MODALITY_STYLE[m]["linestyle"]]}">'
            f'</path><text x="{76 + k * width:.0f}" y="23" fill="#111111">{m}</text>'
            for k, m in enumerate(modalities)
        )

    def _panel(self, panel: int, name: str) -> str:
        lines = "".join(
            f'<path d="M48 {self._y(panel, v):.1f}H470" stroke="#dddddd"></path>'
            f'<text x="40" y="{self._y(panel, v) + 5:.1f}" text-anchor="end">{v}</text>'
            for v in (-3, 0, 3)
        )
        ticks = "".join(
            f'<text x="{self._x(e):.1f}" y="{self._y(panel, -3) + 22:.1f}" text-anchor="middle">'
            f"{e}</text>"
            for e in sorted({1, self.epochs, *range(5, self.epochs - 1, 5)})
        )
        return (
            f'<g fill="#111111" stroke="none">{lines}{ticks}'
            f'<text x="48" y="{self._y(panel, 3) - 8:.1f}">{escape(name)} labels (points)</text>'
            f'<text x="470" y="{self._y(panel, -3) + 36:.1f}" text-anchor="end">epoch</text></g>'
        )

    def _clip(self, place: int, i: int) -> str:
        one = next(iter(self.found.values()))
        shapes = ""
        for panel, own in enumerate(self.found.values()):
            y = self._y(panel, one.given[i])
            shapes += f'<path d="M48 {y:.1f}H470" stroke="#111111" stroke-dasharray="2 4"></path>'
            for m, made in own.made.items():
                points = " ".join(
                    f"{self._x(e + 1):.1f},{self._y(panel, v):.1f}"
                    for e, v in enumerate(made[:, :, i].mean(0))
                )
                look = MODALITY_STYLE[m]
                shapes += (
                    f'<polyline points="{points}" stroke="{look["color"]}" '
                    f'stroke-dasharray="{SVG_DASHES[look["linestyle"]]}"></polyline>'
                )
        option = f"{one.id[i]} (label {one.given[i]:+.1f})"
        hidden = ' display="none"' if place else ""
        return (
            f'<g fill="none" stroke-width="2.2" data-clip="{escape(option)}" '
            f'data-told="{escape(self.told(i))}"{hidden}>{shapes}</g>'
        )

    def _x(self, epoch: int) -> float:
        return 48 + 422 * (epoch - 1) / max(self.epochs - 1, 1)

    def _y(self, panel: int, value: float) -> float:
        return 62 + 220 * panel + 150 * (3 - max(-3.0, min(3.0, float(value)))) / 6


CHOOSE = """(() => {
  const box = document.getElementById("NAME");
  const clips = [...box.querySelectorAll("g[data-clip]")];
  const select = document.createElement("select");
  for (const clip of clips) select.add(new Option(clip.dataset.clip));
  select.autocomplete = "off";
  select.addEventListener("change", () => {
    clips.forEach((clip, k) => {
      if (k === select.selectedIndex) clip.removeAttribute("display");
      else clip.setAttribute("display", "none");
    });
    const told = clips[select.selectedIndex].dataset.told;
    box.querySelector(".msa-told").textContent = told;
    box.querySelector("svg").setAttribute("aria-label", told);
  });
  const label = document.createElement("label");
  label.append("Clip ", select);
  box.prepend(label);
})();"""
"""Puts a list of the clips before the picture."""


def clip_chooser(
    found: Mapping[str, "Followed"],  # noqa: F821
    *,
    setting: str,
    first: Sequence[str] = (),
) -> ClipChooser | Note:
    """Fig. 4 clip by clip, where labels were followed."""
    if not found:
        return Note("No labels were followed in this setting: there is no clip to choose.")
    return ClipChooser(found, setting=setting, first=first)


@style
def label_movement(
    found: Mapping[str, "Followed"],  # noqa: F821
    null: Sequence[float | None],
    *,
    setting: str,
) -> Picture | Note:
    """SUGRM-C18: movement of labels beside that of random ones, and drift of the targets below."""
    if not found:
        return Note("No labels were followed in this setting: nothing moves.")
    null = np.array(null, float)
    figure, panels = _axes(5.4, nrows=2, ncols=len(found), sharex=True, sharey="row", squeeze=False)
    sentences = []
    for column, (name, own) in enumerate(found.items()):
        epochs = np.arange(1, own.epochs + 1)
        for m in own.made:
            look = MODALITY_STYLE[m] | {"markersize": 3}
            for axes, values in zip(
                panels[:, column], (own.movement[m], own.drift[m]), strict=True
            ):
                axes.plot(epochs, values.mean(0), label=m, **look)
                low, high = values.min(0), values.max(0)
                axes.fill_between(epochs, low, high, color=look["color"], alpha=0.15, linewidth=0)
            e = min(15, own.epochs)
            sentences.append(
                f"{name}, {m}: {own.movement[m][:, e - 1].mean():.2f} in epoch {e}, random "
                f"{null[e - 1]:.2f}"
            )
        panels[0, column].plot(epochs, null[: own.epochs], color="black", label="random targets")
        panels[0, column].axhline(0.05, color="black", linestyle=":", label="0.05, settled")
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
        caption="Above: mean change of a label against the epoch before. Solid black: what labels "
        "with targets drawn at random would show under the same momentum. Below: mean change of "
        "the targets, before the momentum. Lines: mean over seeds; bands: lowest to highest seed. "
        f"Setting: {setting}.",
    )


@style
def targets_at_limit(found: Mapping[str, "Followed"], *, setting: str) -> Picture | Note:  # noqa: F821
    """SUGRM-C19: share of targets at the ends of the scale, and their size before they are cut."""
    if not found:
        return Note("No labels were followed in this setting: there are no targets.")
    modalities = list(next(iter(found.values())).made)
    figure, panels = _axes(
        5.0, nrows=2, ncols=len(modalities), sharex=True, sharey="row", squeeze=False
    )
    sentences = []
    for column, m in enumerate(modalities):
        for name, own in found.items():
            epochs = np.arange(1, own.epochs + 1)
            look = LABELS_STYLE[name] | {"markersize": 3}
            share, size = 100 * own.clamped[m], own.percentile[m]
            for axes, values in zip(panels[:, column], (share, size), strict=True):
                axes.plot(epochs, values.mean(0), label=name, **look)
            sentences.append(
                f"{m}, {name}: {share[:, -1].mean():.0f}% at the ends in the last epoch, 99th "
                f"percentile {size[:, -1].mean():.1f}, at most {np.nanmax(size):.1f}"
            )
        panels[0, column].set(title=m, ylim=(0, 102))
        panels[0, column].title.set_fontsize(11)
        panels[1, column].set_yscale("log")
        panels[1, column].axhline(9, color="black", linestyle=":", label="9: scale and offset")
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
        f"mean over seeds. Setting: {setting}.",
    )


@style
def nearness(truth: "Truth | None", *, setting: str) -> Picture | Note:  # noqa: F821
    """How near generated labels come to the true sentiment, beside a copy and random labels."""
    from msalib.trajectories import MEASURES, NO_TRUTH

    if truth is None:
        return Note(NO_TRUTH)
    modalities = list(truth.copy["mae"])
    figure, panels = _axes(
        7.0, nrows=len(MEASURES), ncols=len(modalities), sharex=True, sharey="row", squeeze=False
    )
    epochs = np.arange(1, truth.epochs + 1)
    sentences = []
    for row, measure in enumerate(MEASURES):
        for axes, m in zip(panels[row], modalities, strict=True):
            low, high = _quantiles(truth.random[measure][m])
            band = {"facecolor": "#BBBBBB", "hatch": "////", "edgecolor": "#777777", "alpha": 0.6}
            axes.fill_between(epochs, low, high, linewidth=0, label="random, 95% of draws", **band)
            copy = truth.copy[measure][m]
            axes.axhline(
                0 if np.isnan(copy) else copy, color="black", linestyle=":",
                label="copy of the given label",
            )  # fmt: skip
            for name, near in truth.made.items():
                values = near[measure][m]
                look = LABELS_STYLE[name]
                axes.plot(epochs, values.mean(0), label=f"{name} labels", markersize=3, **look)
                low, high = values.min(0), values.max(0)
                axes.fill_between(epochs, low, high, color=look["color"], alpha=0.15, linewidth=0)
                sentences.append(f"{measure}, {m}, {name}: {values[:, -1].mean():.2f}")
    for axes, m in zip(panels[0], modalities, strict=True):
        axes.set_title(m, fontsize=11)
    for axes, name in zip(panels[:, 0], MEASURES.values(), strict=True):
        axes.set_ylabel(
            name.replace(" the given", "\nthe given").replace(" the truth", "\nthe truth")
        )
    for axes in panels[-1]:
        axes.set_xlabel("epoch")
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=2)
    return Picture(
        figure,
        alt="Lines by epoch: how near labels come to the true sentiment. Last epoch: "
        + "; ".join(sentences)
        + ".",
        caption="Labels of training clips against the true sentiment of each modality; MAE in "
        "points. Beyond the given label: what they know that the given label does not say; a copy "
        "knows nothing more, drawn at zero. Lines: mean over seeds; bands: lowest to highest. "
        f"Setting: {setting}.",
    )


def _quantiles(draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """95% of draws (D, E); of an epoch in which none is defined, nan."""
    filled = np.where(np.isnan(draws).all(0), 0, draws)
    low, high = np.quantile(filled, [0.025, 0.975], axis=0)
    undefined = np.isnan(draws).all(0)
    return np.where(undefined, np.nan, low), np.where(undefined, np.nan, high)


# Pictures of made-up points (msalib/geometry.py): which way, how far, and where it blows up.

CENTRE_STYLE = {
    "positive": {"marker": "$+$", "color": "#000000"},
    "negative": {"marker": "$-$", "color": "#000000"},
}


@style
def offset_by_distance(
    distance: np.ndarray, found: Mapping[float, Mapping[str, np.ndarray]], max_distance: float
) -> Picture:
    """How far: SUGRM's target by the distance of the modality, for clips of several labels.

    ``found``: given label -> "up" and "down" -> targets before the clamp.
    """
    figure, axes = _axes(height=3.9)
    looks = [("#0072B2", "s"), ("#000000", "o"), ("#D55E00", "^")]
    sentences = []
    for (given, ways), (colour, marker) in zip(found.items(), looks, strict=False):
        for way, values in ways.items():
            axes.plot(distance, values, color=colour, linestyle=":", linewidth=1)
            axes.plot(
                *(distance, values.clip(-3, 3)), color=colour, marker=marker, markevery=8,
                linestyle="-" if way == "up" else "--", markersize=5,
                label=f"label {given:+.0f}, {way}",
            )  # fmt: skip
            end = np.flatnonzero(np.abs(values) >= 3)
            reached = (
                f"at the end of the scale from distance {distance[end[0]]:.1f}"
                if len(end)
                else "never at the end of the scale"
            )
            sentences.append(f"label {given:+.0f}, {way}: {reached}")
    axes.axvline(max_distance, color="#777777", linewidth=1)
    axes.text(max_distance, axes.get_ylim()[1], " largest distance", va="top", fontsize=10)
    axes.set_xlabel("distance of the modality's feature from the clip's")
    axes.set_ylabel("target (points)")
    figure.legend(loc="outside upper center", ncols=2)
    return Picture(
        figure,
        alt="Lines of the target by distance, straight up to the largest distance and level from "
        "there. " + "; ".join(sentences) + ".",
        caption="Target of a clip by how far the feature of its modality lies from that of the "
        "whole clip, towards the positive centre (up) and the negative one (down). Dotted: before "
        "the cut at -3 and 3. Made-up points; computed by the generator itself.",
    )


@style
def target_map(
    line: np.ndarray,
    found: Mapping[tuple[float, float], np.ndarray],
    *,
    given: float,
    centres: tuple[np.ndarray, np.ndarray],
    max_distance: float,
) -> Picture:
    """Which way: SUGRM's target by the place of the modality's feature in the plane.

    ``found``: place of the clip's own feature -> targets (P, P) before the clamp.
    """
    figure, panels = _axes(height=3.6, ncols=len(found), sharey=True)
    sentences = []
    angle = np.linspace(0, 2 * np.pi, 200)
    for axes, (fused, targets) in zip(panels, found.items(), strict=True):
        image = axes.pcolormesh(
            line, line, targets.clip(-3, 3), cmap="PuOr", vmin=-3, vmax=3, rasterized=True
        )
        axes.contour(line, line, targets - given > 0, [0.5], colors="black", linewidths=1.5)
        circle = [f + max_distance * w(angle) for f, w in zip(fused, (np.cos, np.sin), strict=True)]
        axes.plot(*circle, color="black", linestyle=":", linewidth=1.2)
        axes.plot(*fused, "*", color="white", markeredgecolor="black", markersize=15)
        _centres(axes, centres)
        axes.set(aspect="equal", xlim=line[[0, -1]], ylim=line[[0, -1]])
        axes.set_xlabel("feature 1")
        axes.grid(visible=False)
        up, ends = (targets > given).mean(), (np.abs(targets) >= 3).mean()
        sentences.append(
            f"clip at ({fused[0]:g}, {fused[1]:g}): the label goes up in {up:.0%} of the plane "
            f"shown, and the target is at an end of the scale in {ends:.0%}"
        )
    panels[0].set_ylabel("feature 2")
    figure.colorbar(image, ax=panels, orientation="horizontal", label="target (points)")
    return Picture(
        figure,
        alt=f"Maps of the target of a clip labelled {given:+.1f} by where the feature of its "
        f"modality lies. {'; '.join(sentences)}. The border between up and down is a straight line "
        "for a clip midway between the centres, a circle around the nearer centre for another.",
        caption=f"Target of a clip labelled {given:+.1f} by where the feature of its modality "
        "lies. Star: feature of the whole clip; + and -: the centres; solid line: where the "
        "modality is as positive as the clip (equal ratio of the distances from the centres), "
        "with the positive centre on the side where the label goes up; dotted: the largest "
        f"distance, beyond which the offset is 6 points. {'; '.join(sentences).capitalize()}. "
        "Made-up points; computed by the generator itself.",
    )


def _centres(axes, centres) -> None:
    for centre, look in zip(centres, CENTRE_STYLE.values(), strict=True):
        axes.plot(*centre, "o", color="white", markeredgecolor="black", markersize=15)
        axes.plot(*centre, linestyle="", markersize=8, **look)


@style
def blow_up(
    line: np.ndarray,
    found: Mapping[str, np.ndarray],
    *,
    given: float,
    own: tuple[float, float],
    centres: tuple[np.ndarray, np.ndarray],
) -> Picture:
    """Size of both generators' targets (P, P), by the place of the clip's multimodal feature."""
    from matplotlib.colors import LogNorm

    figure, panels = _axes(height=3.6, ncols=len(found), sharey=True)
    sentences = []
    for axes, (name, targets) in zip(panels, found.items(), strict=True):
        size = np.abs(targets).clip(0.1, 1000)
        image = axes.pcolormesh(
            line, line, size, cmap="cividis", norm=LogNorm(0.1, 1000), rasterized=True
        )
        axes.plot(*own, "D", color="white", markeredgecolor="black", markersize=8)
        _centres(axes, centres)
        axes.set(aspect="equal", xlim=line[[0, -1]], ylim=line[[0, -1]])
        axes.set_title(f"{name}", fontsize=11)
        axes.set_xlabel("feature 1 of the clip")
        axes.grid(visible=False)
        beyond = (np.abs(targets) > abs(given) + 6).mean()
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
        alt="Two maps of the size of the target by where the feature of the whole clip lies. "
        + "; ".join(sentences)
        + ". Self-MM's is largest along the line midway between the centres.",
        caption=f"Size of the target before the cut, for a clip labelled {given:+.1f} whose "
        "modality stays at the diamond, by where the feature of the whole clip lies. "
        f"{'; '.join(sentences)}. + and -: the centres. Made-up points; computed by the "
        "generators themselves.",
    )


@style
def sampling_windows(found: Mapping[str, Mapping[str, np.ndarray]], *, layer: int) -> Picture:
    """Frames that each state reads in input attention: modality -> shift -> (H, L) bool."""
    shifts = list(next(iter(found.values())))
    figure, panels = _axes(6.4, nrows=len(found), ncols=len(shifts), sharex="row", sharey="row")
    sentences = []
    for row, (m, windows) in zip(panels, found.items(), strict=True):
        for axes, (shift, mask) in zip(row, windows.items(), strict=True):
            count, length = mask.shape
            edges = (np.arange(length + 1) + 0.5, np.arange(count + 1) + 0.5)
            colours = ["#FFFFFF", MODALITY_STYLE[m]["color"]]
            axes.pcolormesh(*edges, mask, cmap=_two_colours(colours), rasterized=True)
            axes.set_ylim(count + 0.5, 0.5)
            axes.grid(visible=False)
            if m == next(iter(found)):
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
        caption=f"Which frames (across) each hidden state (down) reads in layer {layer + 1}, for "
        "the lengths of unaligned CMU-MOSI. A window that passes an end goes on at the other end. "
        f"{'; '.join(sentences)}. Computed by the functions that the forward pass uses.",
    )


SHIFT_NAMES = {"none": "as released: no shift", "phase": "as meant: with phase"}


def _two_colours(colours: list[str]):
    from matplotlib.colors import ListedColormap

    return ListedColormap(colours)


@style
def last_state(found: Mapping[str, Mapping[str, Mapping[str, np.ndarray]]]) -> Picture:
    """What reaches the last states: shift -> target -> source -> (L,) bool."""
    targets = list(next(iter(found.values())))
    figure, panels = _axes(5.4, nrows=len(targets), ncols=len(found), sharey="row")
    sentences = []
    for column, (shift, by_target) in enumerate(found.items()):
        for axes, (m, sources) in zip(panels[:, column], by_target.items(), strict=True):
            for y, (source, mask) in enumerate(sources.items()):
                edges = np.linspace(0, 100, len(mask) + 1)
                colours = ["#EEEEEE", MODALITY_STYLE[source]["color"]]
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
def passes(found: Mapping[str, Mapping[str, Sequence[float]]], *, where: str) -> Picture:
    """Footnote 5: seconds of single passes: what was timed -> model -> seconds."""
    figure, axes = _axes(height=1.3 + 0.75 * len(found))
    looks = {"SUGRM": ("#0072B2", "o"), "Self-MM": ("#D55E00", "^")}
    sentences, ticks = [], []
    for y, (name, models) in enumerate(found.items()):
        for k, (model, seconds) in enumerate(models.items()):
            colour, marker = looks[model]
            place = y + 0.3 * (k - 0.5)
            axes.plot(
                seconds, [place] * len(seconds), marker, color=colour, markersize=6, alpha=0.6,
                label=model if y == 0 else None,
            )  # fmt: skip
            axes.plot([np.median(seconds)] * 2, [place - 0.12, place + 0.12], color="black")
            sentences.append(f"{name}, {model}: median {np.median(seconds):.3g} s")
        ticks.append(name.replace(", ", ",\n"))
    axes.set_yticks(range(len(ticks)), ticks)
    axes.set_ylim(len(ticks) - 0.5, -0.5)
    axes.set_xscale("log")
    axes.set_xlabel("seconds of one pass (log scale)")
    figure.legend(loc="outside upper center", ncols=2)
    return Picture(
        figure,
        alt="Dots of the seconds of single passes. " + "; ".join(sentences) + ".",
        caption=f"Every pass of both models, in turn; black: medians. {where}",
    )
