"""Figures and tables of cross-attention: three clips, and what weights are worth on all."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from msalib.base import stats
from msalib.data.corpus import Corpus
from msalib.data.simulate import render, speech
from msalib.evidence.printed.names import plural
from msalib.models.mmml import FUSED, SOUND, TEXT
from msalib.pages.cells import interval, mean_sd
from msalib.pages.clips import Clip
from msalib.pages.figure import INK, Picture, axes_of, label_of, style
from msalib.pages.tables import Note, Table
from msalib.papers.mmml.attention import Attention, Look

NAMES = {TEXT: "words", SOUND: "voice", FUSED: "joint"}
"""Heads and modalities as the page calls them."""

VECTOR = "c"
"""The learned vector in front of a sequence."""

BIN = 5
"""Frames in one cell of a picture, 0.1 s."""

RANGE = 2
"""Colours end at so many halvings or doublings of an equal share."""

FLOOR = 1e-9

EVEN = 1.1
"""Largest weight on a word over their mean, below which weights count as nearly equal."""


def pictures(measured: Attention, corpus: Corpus, *, setting: str) -> list[Clip]:
    """Show the three clips."""
    return [picture(look, corpus, setting=setting) for look in measured.looks]


@style
def picture(look: Look, corpus: Corpus, *, setting: str) -> Clip:
    """Show a clip: its loudness, and both directions of cross-attention over words and time."""
    row = corpus.utterances.index.get_loc(look.clip)
    wave, names = render.sound(corpus, row), [VECTOR, *look.words]
    seconds = len(wave) / speech.RATE
    height = 0.2 * len(names)
    figure, axes = axes_of(
        2.1 + 2 * height, nrows=3, height_ratios=(0.7, height, height), sharex=True
    )
    _loudness(axes[0], wave)
    shares = {
        "words look at sound": shares_of(np.array(look.to_sound)),
        "sound looks at words": shares_of(np.array(look.to_text)).T,
    }
    for panel, (title, values) in zip(axes[1:], shares.items(), strict=True):
        image = _map(panel, title, binned(values), names, seconds)
    axes[-1].xaxis.get_major_locator().set_params(nbins=5)
    axes[-1].set_xlabel("time (s); left of zero: c, the vector of sound")
    bar = figure.colorbar(image, ax=axes[1:], shrink=0.5, ticks=[-RANGE, 0, RANGE])
    bar.ax.set_yticklabels(["¼", "1", "4"])
    bar.set_label("weight / equal share")
    truth = _listed({m: corpus.truth["shown"][m][row] for m in (TEXT, SOUND)})
    label = float(corpus.utterances["label"].iloc[row])
    said = _listed(look.predictions)
    sentences = f"True sentiment: {truth}. Label: {_points(label)}. Predictions: {said}."
    first = look.words[int(np.argmax(look.to_text[0][1:]))]
    alt = (
        f"Loudness over {seconds:.1f} s, and below it two maps of words by time, coloured by "
        f"weight. The vector of sound gives the largest weight to {first}."
    )
    caption = (
        f"{look.title} ({look.clip}). Weights of the last layer, mean over its heads. Row c: the "
        f"vector of text. Setting: {setting}."
    )
    shown = Picture(figure, alt=f"{alt} {sentences}", caption=caption)
    return Clip(shown, wave, speech.RATE, corpus.utterances["text"].iloc[row], sentences)


def _listed(values: Mapping[str, float]) -> str:
    return ", ".join(f"{NAMES[name]} {_points(value)}" for name, value in values.items())


def _points(value: float) -> str:
    return f"{value:+.1f}".replace("-0.0", "+0.0")


def shares_of(weights: np.ndarray) -> np.ndarray:
    """Return weights (R, C) whose rows sum to 1 in units of an equal share, 1 / C."""
    return weights * weights.shape[1]


def binned(values: np.ndarray) -> np.ndarray:
    """Return values (R, 1 + U) with the mean of every ``BIN`` frames; the first column stays."""
    frames = values[:, 1:]
    starts = np.arange(0, frames.shape[1], BIN)
    sizes = np.diff([*starts, frames.shape[1]])
    return np.column_stack([values[:, 0], np.add.reduceat(frames, starts, axis=1) / sizes])


def _map(axes, title: str, values: np.ndarray, names: list[str], seconds: float):
    """Draw words by time, (R, 1 + bins); the learned vector of sound has a column left of zero."""
    values = np.log2(np.maximum(values, FLOOR))
    look = {"aspect": "auto", "cmap": "PuOr_r", "vmin": -RANGE, "vmax": RANGE}
    rows = (len(names) - 0.5, -0.5)
    width = seconds / 25
    image = axes.imshow(values[:, 1:], extent=(0, seconds, *rows), interpolation="nearest", **look)
    axes.imshow(values[:, :1], extent=(-2 * width, -width, *rows), **look)
    axes.set(title=title, xlim=(-2 * width, seconds), ylim=rows)
    axes.set_yticks(range(len(names)), [label_of(name) for name in names], fontsize=10)
    axes.grid(False)
    return image


def _loudness(axes, wave: np.ndarray) -> None:
    step = speech.RATE // 50
    power = (wave[: len(wave) // step * step].reshape(-1, step) ** 2).mean(1)
    axes.plot(np.arange(len(power)) / 50, 10 * np.log10(power + FLOOR), color=INK, linewidth=1)
    axes.set(title="loudness of the voice", ylabel="dB")


# --- what weights are worth ---------------------------------------------------------------------


def over_clips(values: list[list[float]], videos: list[str]) -> stats.Estimate:
    """Estimate the mean of values (S, C); its interval covers other videos and trainings."""
    points, resampled = stats.means(np.array(values), np.array(videos))
    return stats.estimate(points, resampled.mean(1), kind="level")


def _estimates(measured: Attention) -> dict[str, stats.Estimate]:
    """Return the measures of weights by name."""
    estimates = {
        "peak": over_clips(measured.peak, measured.videos),
        "deletion": over_clips(measured.deletion, measured.videos),
        "hits": over_clips(measured.hits, measured.videos),
    }
    if measured.agreement:
        estimates["agreement"] = over_clips([measured.agreement], measured.videos)
    return estimates


def worth(measured: Attention, *, setting: str) -> Table:
    """Show what the weights on words are worth, on all test clips and seeds."""
    found = _estimates(measured)
    rows = [
        ("largest weight on a word / mean weight", _interval(found["peak"]), "-"),
        ("MAE of the joint head (points)", mean_sd(measured.mae, _three), "-"),
        ("the same with equal weights", mean_sd(measured.mae_equal, _three), "-"),
        ("rank correlation: weight on a word, change when it is deleted",
         _interval(found["deletion"]), "0"),
        ("the word with the largest weight changes most", _interval(found["hits"]),
         f"{np.mean(measured.luck):.2f}"),
    ]  # fmt: skip
    if "agreement" in found:
        rows.append(
            ("rank correlation of weights: seed 0, seed 1", _interval(found["agreement"]), "0")
        )
    caption = (
        f"What weights from the vector of sound to words are worth: {len(measured.videos)} test "
        f"clips, {measured.seeds} seeds. Errors: mean and standard deviation over seeds; the rest: "
        f"mean over clips with its 95% interval. Setting: {setting}."
    )
    return Table(pd.DataFrame(rows, columns=["what", "measured", "by luck"]), caption=caption)


def reading(measured: Attention) -> Note:
    """Say in words what the table shows."""
    found = _estimates(measured)
    moved = np.mean(measured.mae_equal) - np.mean(measured.mae)
    peak = found["peak"].effect
    even = ": the weights are nearly equal, so there is little to read in them"
    sentences = [
        f"The largest weight on a word is {peak:.1f} times the mean weight{even * (peak < EVEN)}",
        f"With equal weights the error of the joint head changes by {moved:+.3f} points",
        f"A larger weight {_goes(found['deletion'])} a larger change when the word is deleted",
    ]
    if "agreement" in found:
        sentences.append(f"Two seeds {_go(found['agreement'])}")
    return Note(". ".join(sentences) + ".")


def answer(measured: Attention, *, setting: str) -> Note:
    """Say what the weights are worth, with the number that decides it."""
    found, seeds = _estimates(measured), plural(measured.seeds, "seed")
    return Note(
        f"{reading(measured).text} Rank correlation between the weight on a word and the change "
        f"without it: {_interval(found['deletion'])} ({setting}; {seeds})."
    )


def _goes(e: stats.Estimate) -> str:
    if e.low > 0:
        return "tends to go with"
    return "tends to go with the opposite of" if e.high < 0 else "does not reliably go with"


def _go(e: stats.Estimate) -> str:
    if e.low > 0:
        return "tend to rank the words of a clip alike"
    if e.high < 0:
        return "tend to rank the words of a clip in opposite order"
    return "do not reliably rank the words of a clip alike"


def numbers(measured: Attention) -> Mapping[str, str]:
    """Return what prose says of it, by name."""
    texts = {name: _interval(e) for name, e in _estimates(measured).items()}
    return texts | {
        "mae": _three(np.mean(measured.mae)),
        "mae_equal": _three(np.mean(measured.mae_equal)),
        "luck": f"{np.mean(measured.luck):.2f}",
        "reading": reading(measured).text,
    }


def _three(value: float) -> str:
    return f"{value:.3f}"


def _interval(e: stats.Estimate) -> str:
    return interval(e, ".2f")
