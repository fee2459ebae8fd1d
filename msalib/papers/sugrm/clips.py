"""Four clips of CMU-MOSI (Table 5): printed labels beside ours, and beside those of all clips."""

from collections.abc import Callable, Mapping
from itertools import combinations

import numpy as np
import pandas as pd

from msalib.evidence.printed import table as printed
from msalib.models.unimodal_tasks import LETTERS
from msalib.pages.cells import mean_sd, number
from msalib.pages.tables import Note, Table
from msalib.papers.sugrm.labels import NOTHING, across, histories, over_seeds, percent, two
from msalib.runs.query import Runs

SAMPLES = {
    "1": "Clx4VXItLTE_25",
    "2": "VbQk4H8hgr0_3",
    "3": "0h-zjBukYpk_17",
    "4": "5W7Z1C_fDaE_14",
}
"""The clips of Table 5 in CMU-MOSI, found by their transcripts; all are training clips."""

ANNOTATED = "annotated"

COLUMNS = {"m": ANNOTATED} | dict(LETTERS)
"""Letters of Table 5."""

WHAT = {"label": "labels", "pred": "predictions"}


def samples(runs: Runs, *, setting: str) -> Table | Note:
    """Show the printed predictions and labels of four clips, and our labels of the same."""
    history = histories(runs).get("SUGRM's")
    if history is None:
        return Note(NOTHING)
    if not set(SAMPLES.values()) <= set(history.id):
        return Note("Table 5 shows four clips of CMU-MOSI: they are not in this data set.")
    rows = []
    for sample, clip in SAMPLES.items():
        named = {"sample": sample, "clip": clip}
        for what, words in WHAT.items():
            cells = {column: _printed(sample, f"{what}_{x}") for x, column in COLUMNS.items()}
            rows.append(named | {"whose": f"printed {words}"} | cells)
        i = history.id.index(clip)
        rows.append(
            named
            | {"whose": f"our labels, epoch {history.epochs}"}
            | {ANNOTATED: f"{history.annotated[i]:.1f}"}
            | {m: over_seeds(labels[:, -1, i], two) for m, labels in history.generated.items()}
        )
    return Table(
        pd.DataFrame(rows).fillna("-").rename(columns={ANNOTATED: "multimodal"}),
        caption="Four clips of CMU-MOSI, all of the training set. Labels in points from -3 to 3; "
        "the multimodal label is the annotated one. Ours: mean ± standard deviation over "
        f"{history.seeds} seeds; unimodal predictions are recorded for test clips only, so these "
        f"clips have none. Setting: {setting}.",
    )


def _printed(sample: str, metric: str) -> str:
    return printed.cell("sugrm", "table5", "mosi", "SUGRM", sample, metric)["printed"]


# --- beside all training clips ------------------------------------------------------------------

Labels = Mapping[str, np.ndarray]
"""Annotated, and by modality -> labels (S, N)."""


def order_and_offsets(runs: Runs, *, setting: str) -> Table | Note:
    """Show order and offsets of labels, of the four clips and of all training clips."""
    history = histories(runs).get("SUGRM's")
    if history is None:
        return Note(NOTHING)
    last = {m: labels[:, -1] for m, labels in history.generated.items()}  # (S, N)
    ours = {ANNOTATED: np.tile(history.annotated, (history.seeds, 1))} | last
    four = [history.id.index(clip) for clip in SAMPLES.values() if clip in history.id]
    theirs = _printed_labels() if len(four) == len(SAMPLES) else None
    measures = [
        (f"{high} label above the {low} label", _above, percent, (low, high))
        for low, high in combinations(ours, 2)
    ]
    for m in history.generated:
        pair = (ANNOTATED, m)
        side = f"{m} label on the other side of zero from the annotated label"
        apart = f"distance of the {m} label from the annotated label (points)"
        measures += [(side, across, percent, pair), (apart, _apart, two, pair)]
    clips = "the four clips of Table 5" if four else "the four clips are not in this data set"
    return Table(
        pd.DataFrame(_row(*measure, ours, theirs, four) for measure in measures),
        caption=f"Order and offsets of labels: {clips}, and all {len(history.id)} training clips, "
        f"after epoch {history.epochs}, mean ± standard deviation over seeds. Setting: {setting}.",
    )


def _printed_labels() -> Labels:
    return {
        column: np.array([[float(_printed(sample, f"label_{x}")) for sample in SAMPLES]])
        for x, column in COLUMNS.items()
    }


def _row(
    name: str,
    measure: Callable[[np.ndarray, np.ndarray], np.ndarray],
    show: Callable[[float], str],
    pair: tuple[str, str],
    ours: Labels,
    theirs: Labels | None,
    four: list[int],
) -> dict[str, str]:
    """Return one measure of two kinds of labels, printed and ours."""
    row, scale = {"what": name}, 100 if show is percent else 1
    if theirs is not None:
        (value,) = measure(*(theirs[m] for m in pair))
        row["printed, 4 clips"] = number(show(value), scale * value)
        same = measure(*(ours[m][:, four] for m in pair))
        row["ours, the same 4 clips"] = mean_sd(same, show, scale)
    every = measure(*(ours[m] for m in pair))
    return row | {"ours, all training clips": mean_sd(every, show, scale)}


def _above(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    return (high > low).mean(-1)


def _apart(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    return np.abs(high - low).mean(-1)
