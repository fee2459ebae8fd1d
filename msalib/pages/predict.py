"""Predictions of a saved model for readers: lines for a terminal, tables and figures."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from msalib.base import stats
from msalib.base.errors import UserError
from msalib.data.corpus import MODALITIES, Corpus
from msalib.pages.figure import (
    BLUE,
    INK,
    MODALITY_STYLE,
    PAPER,
    Picture,
    axes_of,
    label_of,
    mark,
    style,
)
from msalib.pages.tables import Table
from msalib.runs import saved
from msalib.runs.clips import Clip, read_table
from msalib.runs.predict import SEED_LEVEL, Interval, Prediction, Predictions, predict
from msalib.runs.saved import About, Model

# --- lines for a terminal -----------------------------------------------------------------------


def report_model(folder: Path | str) -> list[str]:
    """Return what was saved, in lines: the setting, its scores, what its intervals hold."""
    about = saved.describe(folder)
    parts = ", ".join(f"{n} {part}" for part, n in about.clips.items())
    lines = [
        f"{folder}: {about.spec.family.upper()} on {about.setting}",
        f"  clips: {parts}",
    ]
    for part, name in (("valid", "validation"), ("test", "test")):
        maes = [run.metrics[part]["mae"] for run in about.runs]
        corr = about.mean_metrics[part]["corr"]
        lines.append(
            f"  {name}: MAE {about.mean_metrics[part]['mae']:.3f} of the mean over seeds "
            f"({min(maes):.3f} to {max(maes):.3f} of single ones), correlation "
            + ("undefined" if corr is None else f"{corr:.3f}")
        )
    shares = about.coverage[saved.key(list(about.inputs))]
    lines += [
        f"  {level} % prediction interval: held {share:.0%} of the test labels"
        for level, share in shares.items()
    ]
    return lines


def command(
    model: Path | str,
    clip: Clip | None = None,
    *,
    table: Path | None = None,
    as_json: bool = False,
    device: str = "auto",
) -> list[str]:
    """Return the lines that ``msalib predict`` prints: of one clip, or of those in ``table``."""
    if table is not None and clip is not None:
        raise UserError(
            "msalib predict",
            found="a table beside a single clip",
            expected="one of the two",
            remedy="Put the clip into the table, or leave --table out.",
        )
    opened = saved.load(model)
    clips, unread = ([clip or Clip("clip")], []) if table is None else read_table(table)
    predictions = predict(opened, clips, device)
    if unread:
        note = f"columns of the table that are not read: {', '.join(unread)}"
        predictions = predictions.model_copy(update={"notes": [*predictions.notes, note]})
    if as_json:
        return json.dumps(predictions.model_dump(mode="json"), indent=1).split("\n")
    return report(predictions)


def report(predictions: Predictions) -> list[str]:
    """Return predictions in lines for a terminal."""
    low, high = predictions.scale
    lines = [
        f"{predictions.model}: {predictions.setting}",
        f"sentiment from {low:g} (negative) to {high:g} (positive)",
    ]
    for clip in predictions.clips:
        lines += ["", f"{clip.id}: {clip.prediction:+.2f}"]
        for level, interval in clip.prediction_intervals.items():
            lines.append(
                f"  {level}% prediction interval: {interval.low:+.2f} to {interval.high:+.2f} "
                f"(on the test clips it held {interval.test_coverage:.0%} of the labels)"
            )
        if clip.mean_interval is None:
            lines.append("  a single training: the share of chance in it is unknown")
        else:
            interval = clip.mean_interval
            lines.append(
                f"  mean of {len(clip.seeds)} trainings ({min(clip.seeds):+.2f} to "
                f"{max(clip.seeds):+.2f}); {SEED_LEVEL}% t-interval of that mean: "
                f"{interval.low:+.2f} to {interval.high:+.2f}"
            )
        for m, part in clip.contributions.items():
            if part is not None:
                gate = "" if part.gate is None else f" (gate {part.gate:.2f})"
                lines.append(f"  {m}: {part.change:+.2f}{gate}")
        lines += [f"  note: {note}" for note in clip.notes]
    lines += [
        "",
        *(f"note: {note}" for note in predictions.notes),
        f"A modality's number: {predictions.meaning['contributions']}.",
    ]
    return lines


# --- tables -------------------------------------------------------------------------------------


def coverage(model: Model, predictions: Predictions, corpus: Corpus) -> Table:
    """Show whether intervals hold as many labels as they promise, on clips of a corpus.

    "Luck" is where 95% of all sets of so many validation clips would put the share: it follows a
    beta distribution. Videos are resampled for the interval of the share.
    """
    rows = corpus.utterances.loc[[clip.id for clip in predictions.clips]]
    given = predictions.clips[0].given
    errors = model.about.errors[saved.key(given)]
    frame = pd.DataFrame(
        _coverage(level, model.about.half_width(given, level), len(errors), predictions, rows)
        for level in saved.LEVELS
    )
    caption = (
        f"Share of the labels of {len(rows)} clips that are in their prediction interval, computed "
        f"from the errors on {len(errors)} validation clips. Setting: {predictions.setting}."
    )
    return Table(frame, caption=caption)


def _coverage(
    level: int, half: float | None, errors: int, predictions: Predictions, rows: pd.DataFrame
) -> dict[str, str]:
    from scipy.stats import beta

    label = rows["label"].to_numpy()
    intervals = [clip.prediction_intervals[str(level)] for clip in predictions.clips]
    inside = np.array([i.low <= y <= i.high for i, y in zip(intervals, label, strict=True)])
    by_video = stats.means(inside.astype(float), rows["video"].to_numpy())
    share = stats.estimate(*by_video, kind="level")
    k = -(-(errors + 1) * level // 100)
    luck = beta.ppf([0.025, 0.975], k, errors + 1 - k)
    sides = {
        "label below -0.5": label < -0.5,
        "in between": np.abs(label) <= 0.5,
        "above 0.5": label > 0.5,
    }
    return {
        "interval": f"{level}%",
        "half width (points)": "whole scale" if half is None else f"{half:.2f}",
        "held": f"{share.effect:.0%}",
        "95% interval": f"{share.low:.0%} to {share.high:.0%}",
        "luck": f"{luck[0]:.0%} to {luck[1]:.0%}" if half is not None else "100%",
    } | {name: _share(inside[chosen]) for name, chosen in sides.items()}


def _share(inside: np.ndarray) -> str:
    return f"{inside.mean():.0%}" if len(inside) else "no clip"


def intervals(clips: Sequence[Prediction]) -> Table:
    """Show both kinds of interval beside each other, one row per clip."""
    frame = pd.DataFrame(
        {
            "clip": clip.id,
            "prediction": f"{clip.prediction:+.2f}",
            "of single seeds": f"{min(clip.seeds):+.2f} to {max(clip.seeds):+.2f}",
            f"{SEED_LEVEL}% interval of the mean": _ends(clip.mean_interval),
        }
        | {
            f"{level}% prediction interval": _ends(interval)
            for level, interval in clip.prediction_intervals.items()
        }
        for clip in clips
    )
    caption = "Interval of the mean: chance in training. Prediction interval: the range of labels."
    return Table(frame, caption=caption)


def _ends(interval: Interval | None) -> str:
    if interval is None:
        return "one training: unknown"
    return f"{interval.low:+.2f} to {interval.high:+.2f}"


def widths(about: About) -> Table:
    """Show how wide intervals are, and how many test labels they held, by what is given."""
    rows = []
    for name, shares in about.coverage.items():
        row = {"given": " + ".join(name.split("+"))}
        for level in saved.LEVELS:
            half = about.half_width(name.split("+"), level)
            row[f"{level}%, half width (points)"] = "whole scale" if half is None else f"{half:.2f}"
        rows.append(
            row | {f"{level}%, held": f"{shares[str(level)]:.0%}" for level in saved.LEVELS}
        )
    caption = (
        "Half width of the prediction intervals by the modalities that are given, and the share of "
        f"test labels that they held. Setting: {about.setting}."
    )
    return Table(pd.DataFrame(rows), caption=caption)


def environment(about: About) -> Table:
    """Show where a saved model comes from."""
    made = about.provenance
    row = {
        "commit": made.commit,
        "device": made.device,
        "versions": ", ".join(f"{name} {version}" for name, version in made.versions.items()),
        "seeds": len(about.runs),
        "trained (UTC)": made.started[:16].replace("T", " "),
        "seconds per seed": f"{made.seconds:.1f}",
    }
    return Table(pd.DataFrame([row]), caption="Where this model comes from.")


# --- figures ------------------------------------------------------------------------------------

HATCHES = {"visual": "////", "acoustic": "xxx", "linguistic": ""}
ROW = 0.42
"""Inches per clip."""


@style
def prediction_intervals(
    clips: Sequence[Prediction], label: Mapping[str, float], *, setting: str
) -> Picture:
    """Draw one row per clip: prediction (dot), intervals (thick 80%, thin 90%), label (cross)."""
    figure, axes = axes_of(1.3 + ROW * len(clips))
    drawn = [interval for clip in clips for interval in clip.prediction_intervals.values()]
    sentences = []
    widths = dict(zip(clips[0].prediction_intervals, (6, 2), strict=True))
    for row, clip in enumerate(clips):
        for level, interval in clip.prediction_intervals.items():
            axes.hlines(
                row, interval.low, interval.high, color=BLUE, alpha=0.45, linewidth=widths[level],
                label=f"{level}% interval" if row == 0 else None,
            )  # fmt: skip
        named = {"label": "prediction"} if row == 0 else {}
        axes.plot(clip.prediction, row, "o", color=BLUE, markersize=7, **named)
        named = {"label": "label"} if row == 0 else {}
        axes.plot(label[clip.id], row, "x", color=INK, markersize=8, mew=2, **named)
        narrow = next(iter(clip.prediction_intervals.values()))
        inside = narrow.low <= label[clip.id] <= narrow.high
        sentences.append(
            f"{clip.id}: prediction {clip.prediction:+.1f}, from {narrow.low:+.1f} to "
            f"{narrow.high:+.1f}, label {label[clip.id]:+.1f}, {'inside' if inside else 'outside'}"
        )
        mark(axes, clip.prediction, row, sentences[-1])
    _rows(axes, clips)
    lows, highs = (interval.low for interval in drawn), (interval.high for interval in drawn)
    axes.set_xlim(min(-3.0, *lows) - 0.2, max(3.0, *highs) + 0.2)
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
def contributions(clips: Sequence[Prediction], *, meaning: str, setting: str) -> Picture:
    """Draw a group of bars per clip: what each modality changed; dots are single seeds.

    A modality without such a number has no bar. ``meaning`` is that of ``Predictions``.
    """
    used = [m for m in MODALITIES if m in clips[0].contributions]
    figure, axes = axes_of(1.3 + ROW * len(clips) * max(1, len(used) / 2))
    sentences = []
    for place, m in enumerate(used):
        parts = [clip.contributions[m] for clip in clips]
        rows = np.arange(len(clips)) + (place - (len(used) - 1) / 2) * 0.26
        here = [i for i, part in enumerate(parts) if part is not None]
        axes.barh(
            rows[here], [parts[i].change for i in here], height=0.24, label=m, edgecolor=PAPER,
            color=MODALITY_STYLE[m]["color"], hatch=HATCHES[m],
        )  # fmt: skip
        for i in here:
            seeds = ", ".join(f"{seed:+.2f}" for seed in parts[i].seeds)
            said = f"{clips[i].id}, {m}: {_signed(clips[i], m)}; seeds {seeds}"
            mark(axes, parts[i].change, rows[i], said)
            axes.plot(parts[i].seeds, [rows[i]] * len(parts[i].seeds), ".", color=INK, markersize=3)
    for clip in clips:
        parts_in_words = [f"{m} {_signed(clip, m)}" for m in used]
        sentences.append(f"{clip.id}: {', '.join(parts_in_words)}")
    axes.axvline(0, color=INK, linewidth=1)
    _rows(axes, clips)
    axes.set_xlabel("change of the prediction (points)")
    figure.legend(loc="outside upper center", ncols=len(used))
    return Picture(
        figure,
        alt=f"Bars of what each modality changed in the predictions for {len(clips)} clips. "
        + "; ".join(sentences)
        + ".",
        caption=f"{meaning[:1].upper()}{meaning[1:]}. Bar: mean over seeds (dots). "
        f"Setting: {setting}.",
    )


def _signed(clip: Prediction, modality: str) -> str:
    if modality not in clip.given:
        return "not given"
    if clip.contributions[modality] is None:
        return "given alone"
    return f"{round(clip.contributions[modality].change, 2) + 0.0:+.2f}"  # no minus zero


def _rows(axes, clips: Sequence[Prediction]) -> None:
    """Name the rows, the first clip on top."""
    axes.set_yticks(range(len(clips)), [label_of(clip.id) for clip in clips])
    axes.set_ylim(len(clips) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
