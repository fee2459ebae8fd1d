"""Figures of predictions for single clips: where the label may lie, and what each modality did."""

from collections.abc import Mapping, Sequence

import numpy as np

from msalib.data.corpus import MODALITIES
from msalib.pages.figure import MODALITY_STYLE, Picture, axes_of, style
from msalib.runs.predict import Prediction

HATCHES = {"visual": "////", "acoustic": "....", "linguistic": ""}
ROW = 0.42
"""Inches per clip."""


@style
def prediction_intervals(
    clips: Sequence[Prediction], label: Mapping[str, float], *, setting: str
) -> Picture:
    """One row per clip: prediction (dot), its intervals (thick 80%, thin 90%), label (cross)."""
    figure, axes = axes_of(1.3 + ROW * len(clips))
    drawn = [own for clip in clips for own in clip.prediction_intervals.values()]
    sentences = []
    widths = dict(zip(clips[0].prediction_intervals, (6, 2), strict=True))
    for row, clip in enumerate(clips):
        for level, own in clip.prediction_intervals.items():
            axes.hlines(
                row, own.low, own.high, color="#56B4E9", linewidth=widths[level],
                label=f"{level}% interval" if row == 0 else None,
            )  # fmt: skip
        named = {"label": "prediction"} if row == 0 else {}
        axes.plot(clip.prediction, row, "o", color="#0072B2", markersize=7, **named)
        named = {"label": "label"} if row == 0 else {}
        axes.plot(label[clip.id], row, "x", color="#000000", markersize=8, mew=2, **named)
        narrow = next(iter(clip.prediction_intervals.values()))
        inside = narrow.low <= label[clip.id] <= narrow.high
        sentences.append(
            f"{clip.id}: prediction {clip.prediction:+.1f}, from {narrow.low:+.1f} to "
            f"{narrow.high:+.1f}, label {label[clip.id]:+.1f}, {'inside' if inside else 'outside'}"
        )
    _rows(axes, clips)
    axes.set_xlim(
        min(-3.2, *(own.low - 0.2 for own in drawn)), max(3.2, *(own.high + 0.2 for own in drawn))
    )
    axes.set_xlabel("sentiment (points)")
    figure.legend(loc="outside upper center", ncols=2)
    first = next(iter(widths))
    return Picture(
        figure,
        alt=f"Predictions for {len(clips)} clips with their {first}% prediction intervals. "
        + "; ".join(sentences)
        + ".",
        caption="Prediction (dot: mean over seeds), prediction intervals and label (cross) of "
        f"{len(clips)} clips that training never saw. Setting: {setting}.",
    )


@style
def contributions(clips: Sequence[Prediction], *, setting: str) -> Picture:
    """One group of bars per clip: what each modality changed; dots are single seeds.

    A modality that is not given has no bar.
    """
    used = [m for m in MODALITIES if m in clips[0].contributions]
    figure, axes = axes_of(1.3 + ROW * len(clips) * max(1, len(used) / 2))
    sentences = []
    for place, m in enumerate(used):
        parts = [clip.contributions[m] for clip in clips]
        rows = np.arange(len(clips)) + (place - (len(used) - 1) / 2) * 0.26
        here = [i for i, part in enumerate(parts) if part is not None]
        axes.barh(
            rows[here], [parts[i].change for i in here], height=0.24, label=m, edgecolor="white",
            color=MODALITY_STYLE[m]["color"], hatch=HATCHES[m],
        )  # fmt: skip
        for i in here:
            axes.plot(parts[i].seeds, [rows[i]] * len(parts[i].seeds), "k.", markersize=3)
    for clip in clips:
        told = [
            f"{m} {'not given' if clip.contributions[m] is None else _signed(clip, m)}"
            for m in used
        ]
        sentences.append(f"{clip.id}: {', '.join(told)}")
    axes.axvline(0, color="#000000", linewidth=1)
    _rows(axes, clips)
    axes.set_xlabel("change of the prediction (points)")
    figure.legend(loc="outside upper center", ncols=len(used))
    return Picture(
        figure,
        alt=f"Bars of what each modality changed in the predictions for {len(clips)} clips. "
        + "; ".join(sentences)
        + ".",
        caption="Prediction minus the prediction with this modality's gated vector at its mean "
        "over the training clips. Bar: mean over seeds (dots). Bars of a clip do not add up to its "
        f"prediction. Setting: {setting}.",
    )


def _signed(clip: Prediction, modality: str) -> str:
    return f"{round(clip.contributions[modality].change, 2) + 0.0:+.2f}"  # no minus zero


def _rows(axes, clips: Sequence[Prediction]) -> None:
    """The first clip on top."""
    axes.set_yticks(range(len(clips)), [clip.id for clip in clips])
    axes.set_ylim(len(clips) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
