"""What a data set holds: clips, videos and labels by set, with the counts that a paper prints."""

import numpy as np
import pandas as pd

from msalib.data.describe import Summary
from msalib.data.tasks import Task
from msalib.evidence.printed import table as printed
from msalib.evidence.printed.names import plural
from msalib.pages.figure import INK, Picture, axes_of, mark, style
from msalib.pages.tables import Table


def counted(summary: Summary, paper: str, exhibit: str = "table1") -> str:
    """Say how many clips each set of the split has, and how many the paper's exhibit prints."""
    ours = ", ".join(f"{part} {count:,}" for part, count in summary.clips.items())
    clips, _ = _printed_counts(summary, paper, exhibit)
    theirs = ", ".join(f"{part} {clips[part]}" for part in summary.clips if part in clips)
    return (
        f"{sum(summary.clips.values()):,} clips with a label in {summary.title} ({ours}), from "
        f"{sum(summary.videos.values()):,} videos. "
        + (
            f"The paper prints {theirs}."
            if theirs
            else "The paper prints no counts for this data set."
        )
    )


def _printed_counts(summary: Summary, paper: str, exhibit: str) -> tuple[pd.Series, pd.Series]:
    """Return the printed numbers of clips by set, and of videos."""
    table = printed.load(paper)
    table = table[table["dataset"] == summary.dataset]
    clips = table[table["exhibit"] == exhibit].set_index("variant")["printed"]
    return clips, table[(table["exhibit"] == "text") & (table["variant"] == "videos")]["printed"]


def counts(summary: Summary, paper: str) -> Table:
    """Show clips and videos per set beside the printed counts, and label statistics."""
    clips, videos = _printed_counts(summary, paper, "table1")
    rows = [
        {
            "set": part,
            "clips with label (ours)": summary.clips[part],
            "clips (printed)": clips.get(part, "-"),
            "without label, dropped": summary.unlabelled[part],
            "videos (ours)": summary.videos[part],
            "videos (printed)": "-",
            "label 0": summary.zero_labels[part],
            "mean label": f"{summary.label_mean[part]:.2f}",
            "variance": f"{summary.label_variance[part]:.3f}",
            "variance within videos": f"{summary.intra_video_variance[part]:.3f}",
        }
        for part in summary.clips
    ]
    rows.append(
        {
            "set": "total",
            "clips with label (ours)": sum(summary.clips.values()),
            "clips (printed)": clips.get("total", "-"),
            "without label, dropped": sum(summary.unlabelled.values()),
            "videos (ours)": sum(summary.videos.values()),
            "videos (printed)": "".join(videos) or "-",
            "label 0": sum(summary.zero_labels.values()),
        }
    )
    dropped = ", ".join(f"{clip} ({why})" for clip, why in summary.dropped.items())
    return Table(
        pd.DataFrame(rows).fillna("-"),
        caption=f"{summary.title}, standard split; labels in points, at most from -3 to 3. "
        + (f"Dropped: {dropped}. " if dropped else "")
        + ("" if len(clips) else "The paper prints no counts for this data set. ")
        + f"Fingerprint {summary.fingerprint[:12]}.",
    )


@style
def label_histogram(counts: dict[str, list[int]], task: Task, *, title: str) -> Picture:
    """Draw the share of clips per bin of the task's labels, one outline per set of the split."""
    figure, axes = axes_of()
    edges = np.array(task.edges)
    middles = edges[:-1] + np.diff(edges) / 2
    names = task.classes or [f"around {middle:.2g}" for middle in middles]
    dashes = {"train": "-", "valid": "--", "test": ":"}
    colours = {"train": "#0072B2", "valid": "#D55E00", "test": INK}
    for part, values in counts.items():
        share = 100 * np.array(values) / sum(values)
        axes.stairs(
            share, edges, label=part, linestyle=dashes[part], color=colours[part], linewidth=1.8
        )
        for middle, name, height, count in zip(middles, names, share, values, strict=True):
            mark(axes, middle, height, f"{part}, {name}: {plural(count, 'clip')}, {height:.1f}%")
    if task.classes:
        axes.set_xticks(range(task.outputs), task.classes)
        axes.set_xlabel("class")
    else:
        axes.set_xlabel(f"sentiment label ({-task.limit:g} to {task.limit:g})")
    axes.set_ylabel("clips in the set (%)")
    axes.legend()
    fullest = [f"{part} {names[int(np.argmax(values))]}" for part, values in counts.items()]
    return Picture(
        figure,
        alt=f"Histogram of labels. Fullest bin: {', '.join(fullest)}.",
        caption=f"Distribution of labels by set of the split. {title}.",
    )
