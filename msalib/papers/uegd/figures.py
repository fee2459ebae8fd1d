"""Figures of UEGD: layers, gates, single videos, sizes of the training set."""

from collections.abc import Mapping

import numpy as np

from msalib.base import stats
from msalib.base.errors import unknown
from msalib.evidence.verdicts import Verdict
from msalib.pages.cells import interval_text
from msalib.pages.figure import (
    DARK,
    INK,
    LIGHT,
    MODALITY_STYLE,
    Picture,
    axes_of,
    interval,
    mark,
    style,
)
from msalib.pages.tables import Note, constants
from msalib.papers.uegd import layers
from msalib.runs.query import Runs
from msalib.runs.spec import system

FEATURE_STYLE = {
    "input": {"facecolor": LIGHT, "hatch": "////"},
    "mid_best": {"facecolor": "#56B4E9", "hatch": ""},
    "weighted": {"facecolor": "#E69F00", "hatch": "xxx"},
}
FEATURE_NAMES = {
    "input": "input embeddings of the encoder",
    "mid_best": "mid-best block",
    "weighted": "weighted sum of the blocks",
}
PARTS = {"valid": "validation", "test": "test"}
"""Parts of the data, and their names."""

MANY = 8
"""Number of names that an error message lists."""


@style
def layer_curves(runs: Runs, *, setting: str) -> Picture | Note:
    """Draw Fig. 6: the correlation of every single block, validation and test side by side.

    A row of panels per modality, each with a scale of its own: text may vary by a hundredth where
    sound varies by a tenth. Features without layers are a level, dotted.
    """
    if not layers.layered(runs):
        return Note("No modality has layers in this setting: there is no curve to draw.")
    if runs.task.classes:
        return Note("Labels are classes: there is no correlation to draw.")
    modalities = runs.modalities
    figure, panels = axes_of(
        0.9 + 1.6 * len(modalities), nrows=len(modalities), ncols=len(PARTS), sharex=True,
        sharey="row", squeeze=False,
    )  # fmt: skip
    systems = {m: [system({m: k}) for k in _numbers(runs, m)] for m in modalities}
    sentences, undefined = [], []
    for column, (part, name) in zip(panels.T, PARTS.items(), strict=True):
        curves = []
        for axes, m in zip(column, modalities, strict=True):
            draw = _draw_curve if m in layers.layered(runs) else _draw_level
            curves.append(f"{m}: {draw(axes, runs, part, m)}")
        sentences.append(f"{name.capitalize()} correlation by encoder block. {'. '.join(curves)}.")
        records = [r for m in modalities for seeds in runs.records(*systems[m]) for r in seeds]
        undefined.append(constants(records, part))
        column[0].set_title(name, fontsize=11)
    for axes, m in zip(panels[:, 0], modalities, strict=True):
        axes.set_ylabel(m)
        axes.xaxis.get_major_locator().set_params(integer=True)
    figure.supylabel("correlation (Pearson's r)", fontsize=11)
    figure.supxlabel("encoder block (0: input embeddings)", fontsize=11)
    seeds = len(runs.seeds(*systems[modalities[-1]]))
    return Picture(
        figure,
        alt=f"Line plots, a row per modality. {' '.join(sentences)}",
        caption=f"Correlation of single blocks on validation and test. Line: mean of {seeds} "
        "seeds (dots); band: 95% interval over resampled videos; ring and dashes: the block that "
        "validation chooses. Each modality has a scale of its own. The paper draws its curves "
        f"without numbers. {''.join(dict.fromkeys(undefined))}Setting: {setting}.",
    )


def _numbers(runs: Runs, modality: str) -> list[int]:
    """Return the layers of a modality that were trained alone."""
    return [0] * runs.has(system({modality: 0})) + layers.blocks(runs, modality)


def _draw_curve(axes, runs: Runs, part: str, modality: str) -> str:
    """Draw the correlations of a modality's layers; return the curve in words."""
    numbers, look = _numbers(runs, modality), MODALITY_STYLE[modality]
    systems = [system({modality: k}) for k in numbers]
    label, videos = runs.truth(part)
    mean, resampled = stats.correlations(label, runs.predictions(part, *systems), videos)
    low, high = np.quantile(resampled, [stats.LEVEL / 2, 1 - stats.LEVEL / 2], axis=0)
    axes.fill_between(numbers, low, high, color=look["color"], alpha=0.15, linewidth=0)
    axes.plot(numbers, mean, markersize=4, **look)
    best = layers.best_block(runs, modality)
    axes.axvline(best, color=INK, linewidth=0.8, linestyle="--")
    ring = {"markersize": 13, "fillstyle": "none", "color": look["color"]}
    axes.plot(best, mean[numbers.index(best)], "o", **ring)
    for i, (k, seeds) in enumerate(zip(numbers, runs.records(*systems), strict=True)):
        dots = [np.nan if (r := s.metrics[part]["corr"]) is None else r for s in seeds]
        axes.plot([k] * len(seeds), dots, ".", color=look["color"], markersize=3, alpha=0.6)
        chosen = ", chosen by validation" * (k == best)
        between = f"[{low[i]:.3f}, {high[i]:.3f}]"
        mark(
            axes,
            k,
            mean[i],
            f"{modality}, block {k}, {PARTS[part]}: {mean[i]:.3f} {between}{chosen}",
        )
    top = int(np.nan_to_num(mean, nan=-np.inf).argmax())
    return (
        f"{_in_words(mean[0])} at block {numbers[0]}, highest {_in_words(mean[top])} at block "
        f"{numbers[top]}, {_in_words(mean[-1])} at the last block {numbers[-1]}; validation "
        f"chooses block {best}"
    )


def _draw_level(axes, runs: Runs, part: str, modality: str) -> str:
    """Draw the correlation of features without layers; return it in words."""
    label, videos = runs.truth(part)
    predictions = runs.predictions(part, system({modality: 1}))
    (mean,), resampled = stats.correlations(label, predictions, videos)
    low, high = np.quantile(resampled, [stats.LEVEL / 2, 1 - stats.LEVEL / 2])
    ends = [0, max(layers.blocks(runs, m)[-1] for m in layers.layered(runs))]
    colour = MODALITY_STYLE[modality]["color"]
    axes.fill_between(ends, low, high, color=colour, alpha=0.15, linewidth=0)
    axes.plot(ends, [mean, mean], color=colour, linestyle=":")
    said = f"{modality}, no layers, {PARTS[part]}: {mean:.3f} [{low:.3f}, {high:.3f}]"
    mark(axes, np.mean(ends), mean, said)
    return f"{_in_words(mean)}, features without layers"


def _in_words(correlation: float) -> str:
    return "undefined" if np.isnan(correlation) else f"{correlation:.2f}"


@style
def planted_profile(truth: Mapping | None, runs: Runs, *, setting: str) -> Picture | Note:
    """Draw the planted signal per layer of the control beside the correlation of the model."""
    if truth is None:
        return Note("On real data nobody knows which layer holds most. See the control's page.")
    if "profiles" not in truth:
        return Note(
            "Real encoders on simulated clips: what the clips express is known, but not what each "
            "layer of an encoder keeps of it. See the feature control's page."
        )
    profiles = truth["profiles"]
    figure, panels = axes_of(
        0.9 + 1.6 * len(profiles), nrows=len(profiles), ncols=2, sharex=True, squeeze=False
    )
    for row, (modality, profile) in zip(panels, profiles.items(), strict=True):
        curves = {"planted": profile}
        if layers.blocks(runs, modality):
            blocks, mean, _ = layers.correlations(runs, modality, "test")
            curves["measured"] = dict(zip(blocks, mean, strict=True))
        for axes, (name, curve) in zip(row, curves.items(), strict=False):
            axes.plot(curve.keys(), curve.values(), markersize=4, **MODALITY_STYLE[modality])
            for block, value in curve.items():
                mark(axes, block, value, f"{modality}, block {block}, {name}: {value:.3f}")
        row[0].set_ylabel(modality)
    panels[0, 0].set_title("planted\nsignal-to-noise ratio", fontsize=11)
    panels[0, 1].set_title("measured\ntest correlation", fontsize=11)
    figure.supxlabel("encoder block (0: input embeddings)", fontsize=11)
    return Picture(
        figure,
        alt="Two columns of line plots by block: planted signal-to-noise ratio beside measured "
        "test correlation, a row per modality. Planted best blocks: "
        + "; ".join(f"{m} {_range(k)}" for m, k in truth["best_layers"].items())
        + ".",
        caption="What was planted (left) and what was measured (right). Each panel has a scale of "
        f"its own. Setting: {setting}.",
    )


def _range(blocks: tuple[int, ...]) -> str:
    """Return blocks in words, those in a row by their ends."""
    if len(blocks) > 2 and blocks[-1] - blocks[0] == len(blocks) - 1:
        return f"{blocks[0]} to {blocks[-1]}"
    return ", ".join(map(str, blocks))


@style
def gate_violins(runs: Runs, *, setting: str) -> Picture | Note:
    """Draw Fig. 3: gate weights over test clips and seeds, by modality and feature.

    Bar: middle half of the weights; white dot: median; short lines: medians of single seeds.
    """
    modalities = runs.modalities
    if len(modalities) < 2:
        return Note("One modality: its gate has nothing to weigh it against.")
    systems = {layers.system_of(runs, modalities, f): f for f in reversed(FEATURE_STYLE)}
    systems = {feature: s for s, feature in reversed(systems.items()) if runs.has(s)}
    figure, axes = axes_of(height=3.9)
    width, sentences = 0.8 / len(systems), []
    for i, (feature, reading) in enumerate(systems.items()):
        (gates,) = layers.gates(runs, reading)
        name = FEATURE_NAMES[feature] if layers.layered(runs) else "features without layers"
        for x, modality in enumerate(modalities):
            place = x + (i - (len(systems) - 1) / 2) * width
            weights = gates[modality]
            _violin(axes, place, 0.9 * width, weights, FEATURE_STYLE[feature])
            low, middle, high = np.quantile(weights, [0.25, 0.5, 0.75])
            sentences.append(
                f"{modality}, {name}: median {middle:.2f}, middle half {low:.2f} to {high:.2f}"
            )
            mark(axes, place, middle, sentences[-1])
        axes.bar([0], [0], label=name, edgecolor=DARK, **FEATURE_STYLE[feature])
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
    """Draw weights (S, N) of one modality with one feature."""
    (body,) = axes.violinplot(
        weights.ravel(), [place], widths=width, showextrema=False, points=200
    )["bodies"]
    body.set(edgecolor=DARK, alpha=1, **look)
    low, middle, high = np.quantile(weights, [0.25, 0.5, 0.75])
    axes.vlines(place, low, high, color=DARK, linewidth=4)
    axes.hlines(
        np.median(weights, axis=1), place - width / 3, place + width / 3, color=DARK, linewidth=1
    )
    axes.plot(place, middle, "o", color=LIGHT, markeredgecolor=DARK, markersize=5)


@style
def one_video(runs: Runs, video: str, *, setting: str) -> Picture | Note:
    """Draw Figs 4 and 5: predictions of single modalities against labels, for one test video.

    ``video`` is its name, empty for the one with the most clips. Marker: mean over seeds; line:
    lowest to highest seed. Raises ``UserError`` for an unknown video.
    """
    if runs.task.classes:
        return Note("Labels are classes: there is no scale to draw predictions on.")
    label, videos = runs.truth("test")
    names, sizes = np.unique(videos, return_counts=True)
    names = names[np.argsort(-sizes, kind="stable")]
    chosen = video or names[0]
    if chosen not in names:
        found = "no such video in the test set"
        remedy = "Leave -p video out for the one with the most clips."
        raise unknown("video", video, names, found=found, remedy=remedy)
    clips, limit = videos == chosen, runs.task.limit
    if clips.sum() < 2:
        return Note(f"The video {chosen} is a single clip: nothing can vary within it.")
    rows = -(-len(runs.modalities) // 2)
    figure, panels = axes_of(2.6 * rows, ncols=2, nrows=rows, squeeze=False)
    sentences, beyond = [], 0
    for axes, modality in zip(panels.flat, runs.modalities, strict=False):
        best = layers.system_of(runs, [modality], "mid_best")
        (guess,) = runs.predictions("test", best)
        guess = guess[:, clips]
        beyond += int((abs(guess) > limit).sum())
        layer = f"block {best.inputs[0][1]}" if modality in layers.layered(runs) else "no layers"
        _against_truth(axes, label[clips], guess, limit, MODALITY_STYLE[modality])
        for true, values in zip(label[clips], guess.T, strict=True):
            text = f"{modality}, label {true:+.1f}: {values.mean():+.2f}, seeds from "
            text += f"{values.min():+.2f} to {values.max():+.2f}"
            mark(axes, true, values.clip(-limit, limit).mean(), text)
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
        alt=f"Predictions against labels of {clips.sum()} clips of one video. Labels from "
        f"{label[clips].min():.1f} to {label[clips].max():.1f}; " + "; ".join(sentences) + ".",
        caption=f"The {clips.sum()} clips of the test video {chosen}. Marker: mean of {len(guess)} "
        "seeds; line: lowest to highest seed; dashes: where prediction and label are equal. A "
        f"model that only knows the speaker draws a flat row.{outside} Setting: {setting}.",
    )


def _against_truth(axes, label: np.ndarray, guess: np.ndarray, limit: float, look: Mapping) -> None:
    """Draw predictions (S, N) against labels (N,), which lie between plus and minus ``limit``."""
    inside = guess.clip(-limit, limit)
    axes.plot([-limit, limit], [-limit, limit], color=INK, linestyle="--", linewidth=1)
    axes.vlines(label, inside.min(0), inside.max(0), color=look["color"], linewidth=1)
    dots = {"color": look["color"], "markersize": 5, "clip_on": False}
    axes.plot(label, inside.mean(0), look["marker"], **dots)
    ticks = np.linspace(-limit, limit, 7)
    ends = (-limit, limit)
    axes.set(xlim=ends, ylim=ends, aspect="equal", xticks=ticks, yticks=ticks)


@style
def equivalence(verdict: Verdict, *, setting: str) -> Picture | Note:
    """Draw the interval of a difference in MAE beside the margin that counts as equal."""
    effects, margin = verdict.evidence.effects, verdict.claim.rerun.arguments.get("margin")
    if not effects:
        return Note(f"No interval to draw: {verdict.evidence.note}.")
    ((name, difference),) = effects.items()
    figure, axes = axes_of(height=2.0)
    axes.axvspan(-margin, margin, facecolor="#F0E442", alpha=0.4, hatch="//", edgecolor="#999999")
    axes.axvline(0, color=INK, linewidth=1)
    interval(axes, 0, difference, f"{name}: {interval_text(difference)}")
    axes.set(ylim=(-0.4, 0.5), yticks=[])
    axes.spines["left"].set_visible(False)
    axes.margins(x=0.1)
    axes.set_xlabel("MAE of the gate minus that of concatenation (points)")
    return Picture(
        figure,
        alt=f"{name} and the margin of {margin:g} points: {difference.effect:+.3f}, from "
        f"{difference.low:+.3f} to {difference.high:+.3f}. Single seeds from "
        f"{min(difference.seeds):+.3f} to {max(difference.seeds):+.3f}.",
        caption=f"{name}. Equal means that the whole interval (line) is within the hatched margin "
        f"of ±{margin:g} points. Circle: mean over seeds; dots: single seeds. "
        f"Setting: {setting}.",
    )


@style
def gain_by_size(
    gains: Mapping[str, Mapping[float, stats.Estimate]], *, setting: str
) -> Picture | Note:
    """Draw what the best block gains over the input embeddings, by training share (UEGD-C16).

    ``gains``: modality -> share of the training clips -> difference of MAE, positive for a gain.
    """
    if not any(gains.values()):
        return Note("No modality has several layers in this setting: no gain to show.")
    figure, axes = axes_of()
    sentences = []
    for i, (modality, by_share) in enumerate(gains.items()):
        shift = 2 ** (0.06 * (i - (len(gains) - 1) / 2))  # intervals side by side
        shares = np.array(list(by_share)) * shift
        effect, low, high = np.array([[e.effect, e.low, e.high] for e in by_share.values()]).T
        axes.errorbar(
            shares,
            effect,
            yerr=[effect - low, high - effect],
            capsize=4,
            markersize=6,
            label=modality,
            **MODALITY_STYLE[modality],
        )
        for place, (share, e) in zip(shares, by_share.items(), strict=True):
            mark(axes, place, e.effect, f"{modality}, {share:.1%} of the clips: {interval_text(e)}")
        first, last = min(by_share), max(by_share)
        sentences.append(
            f"{modality}: {by_share[first].effect:.3f} at {first:.1%} of the clips, "
            f"{by_share[last].effect:.3f} at {last:.0%}"
        )
    axes.axhline(0, color=INK, linewidth=1)
    axes.set_xscale("log", base=2)
    ticks = sorted({share for by_share in gains.values() for share in by_share})
    axes.set_xticks(ticks, [f"{share:.4g}".replace("0.", ".") for share in ticks])
    axes.set_xlabel("share of the training clips")
    axes.set_ylabel("gain in MAE (points)")
    axes.legend()
    return Picture(
        figure,
        alt="Gain of the best block over the input embeddings by the share of training clips. "
        + "; ".join(sentences)
        + ".",
        caption="Gain: test MAE with the encoder's own input embeddings minus that with the block "
        "that validation chooses; bars: 95% intervals over other videos and trainings. "
        f"Setting: {setting}.",
    )
