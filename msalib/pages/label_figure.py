"""A figure of the annotated labels of a data set."""

import numpy as np

from msalib.data.tasks import Task
from msalib.pages.figure import Picture, axes_of, style


@style
def label_histogram(counts: dict[str, list[int]], task: Task, *, title: str) -> Picture:
    """Draw the share of clips per bin of the task's labels, one outline per part of the split."""
    figure, axes = axes_of()
    edges = np.array(task.edges)
    names = task.classes or [f"around {e:.2g}" for e in edges[:-1] + np.diff(edges) / 2]
    dashes = {"train": "-", "valid": "--", "test": ":"}
    colours = {"train": "#0072B2", "valid": "#D55E00", "test": "#000000"}
    for part, values in counts.items():
        share = 100 * np.array(values) / sum(values)
        axes.stairs(
            share, edges, label=part, linestyle=dashes[part], color=colours[part], linewidth=1.8
        )
    if task.classes:
        axes.set_xticks(range(task.outputs), task.classes)
        axes.set_xlabel("class")
    else:
        axes.set_xlabel(f"sentiment label ({-task.limit:g} to {task.limit:g})")
    axes.set_ylabel("clips in the part (%)")
    axes.legend()
    fullest = [f"{part} {names[int(np.argmax(values))]}" for part, values in counts.items()]
    return Picture(
        figure,
        alt=f"Histogram of labels. Fullest bin: {', '.join(fullest)}.",
        caption=f"Distribution of labels by part of the split. {title}.",
    )
