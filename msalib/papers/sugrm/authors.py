"""The authors' trainer beside ours: labels that both generate from the same start (Fig. 4).

The comparison was made once, with the authors' code, which is no part of this project: nothing here
can repeat it. Its numbers are the record ``book/records/sugrm-labels-authors.json``.
"""

import pandas as pd
from pydantic import BaseModel, ConfigDict

from msalib.base import paths
from msalib.base.files import Recorded
from msalib.evidence.printed import names
from msalib.pages.tables import Note, Table

SAME = 1e-6
"""Points by which labels may differ to count as the same: the rounding of float32."""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Both(_Entry):
    """A number of the authors' trainer and ours."""

    theirs: float
    ours: float


class Epoch(_Entry):
    """One epoch of both trainings.

    ``correlation``: modality -> correlation of their generated labels with the annotated ones.
    ``largest_difference``: of a label of ours from theirs, in points; ``share_apart``: of the clips
    whose labels are further apart than ``Comparison.apart``, where that was counted.
    """

    epoch: int
    validation_mae: Both
    max_distance: Both
    correlation: dict[str, float]
    largest_difference: float
    share_apart: float | None = None


class WithDropout(_Entry):
    """The same with dropout, where random numbers differ: correlations in the last epoch."""

    dropout: float
    seeds: int
    lowest: float
    highest: float


class Comparison(_Entry):
    """What was compared, and how. ``at_ends``: clips labelled with an end of the scale."""

    source: str
    release: str
    adapted: list[str]
    clips: int
    data: str
    inputs: dict[str, str]
    same: list[str]
    recipe: str
    dropout: float
    at_ends: int
    apart: float
    epochs: list[Epoch]
    with_dropout: WithDropout


RECORD = Recorded(
    Comparison,
    paths.SHIPPED / "sugrm-labels-authors.json",
    "record of the authors' labels beside ours",
    "take it from the repository: it cannot be made anew",
)


def setup(run: Comparison) -> Note:
    """Say what was run on both sides."""
    inputs = ", ".join(f"{name} ({what})" for name, what in run.inputs.items())
    return Note(
        f"The authors' trainer and model (release {run.release}; adapted: {_listed(run.adapted)}) "
        f"and ours, on {run.clips} clips of {run.data}. Inputs: {inputs}. Both have "
        f"{_listed(run.same)}, the recipe of the {run.recipe} and dropout {run.dropout:g}. "
        f"{run.source}"
    )


def beside(run: Comparison) -> Table:
    """Show losses, largest distance and labels of both trainings by epoch."""
    rows = []
    for e in run.epochs:
        apart = f"{e.largest_difference:.2g}"
        if e.share_apart is not None:
            apart += f" ({e.share_apart:.0%} of the clips by more than {run.apart:g})"
        rows.append(
            {
                "epoch": e.epoch,
                "validation MAE, theirs": f"{e.validation_mae.theirs:.6f}",
                "validation MAE, ours": f"{e.validation_mae.ours:.6f}",
                "largest distance, theirs": f"{e.max_distance.theirs:.5f}",
                "largest distance, ours": f"{e.max_distance.ours:.5f}",
                **{f"Corr, {m}": f"{r:.3f}" for m, r in e.correlation.items()},
                "largest difference of a label": apart,
            }
        )
    return Table(
        pd.DataFrame(rows),
        caption="Largest distance: the divisor of the generator, between the mean features of the "
        "clips at the two ends of the scale. Corr: of the authors' generated labels with the "
        "annotated ones, by modality. The last column compares our labels with theirs, in points.",
    )


def agreement(run: Comparison) -> Note:
    """Say how long both trainings are the same, how they part, and where labels end."""
    same = 0
    for e in run.epochs:
        if e.largest_difference > SAME:
            break
        same = e.epoch
    last, more = run.epochs[-1], run.with_dropout
    ends = last.correlation.values()
    return Note(
        f"Up to epoch {same} no recorded label of ours differs from theirs by more than {SAME:g} "
        "points. "
        f"Rounding then grows as training goes on, to {last.largest_difference:.2g} points for "
        f"some label in epoch {last.epoch}. By then the authors' own labels correlate with the "
        f"annotated ones at {min(ends):.2f} to {max(ends):.2f}. With dropout {more.dropout:g} and "
        f"{names.plural(more.seeds, 'seed')} both trainers end between {more.lowest:.2f} and "
        f"{more.highest:.2f}. Only {names.plural(run.at_ends, 'clip')} of the {run.clips} have a "
        "label at an end of the scale; the largest distance rests on them."
    )


def _listed(phrases: list[str]) -> str:
    """Join phrases as a sentence does."""
    *first, last = phrases
    return f"{', '.join(first)} and {last}" if first else last
