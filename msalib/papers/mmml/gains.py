"""Single heads of MMML in comparisons (``pages.contrasts``), and a table of their scores."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from msalib.data.metrics import METRICS
from msalib.evidence import arms
from msalib.evidence.arms import Arm, Head
from msalib.pages import compare
from msalib.pages.cells import spread
from msalib.pages.contrasts import Side, tested
from msalib.pages.tables import Note, Table
from msalib.runs.query import Runs
from msalib.runs.spec import System

OWN, CLIPS = "own label", "clip's label"
"""What a head of one modality is scored on."""


def scored(name: str, label: str) -> str:
    """Return the name of a head with what it is scored on, ``OWN`` or ``CLIPS``."""
    return f"{name} ({label})"


def head_sides(runs: Runs, named: Mapping[str, System], modality: str) -> dict[str, Side]:
    """Return the head of a modality of each system that has one, by name and label.

    Every head comes twice: on the labels of the modality, where there are any, and on the clip's.
    """
    heads = {}
    for name, wanted in named.items():
        for label in (OWN, CLIPS):
            title = scored(name, label)
            side = Side(runs, Arm(wanted, Head(modality, label == OWN), title))
            if _readable(side):
                heads[title] = side
    return heads


def _readable(side: Side) -> bool:
    if not side.runs.has(side.arm.system):
        return False
    try:
        side.arm.read(side.runs.example(side.arm.system))
    except KeyError:
        return False
    return True


def head_table(sides: Mapping[str, Side], *, setting: str) -> Table | Note:
    """Show the scores of heads, each on the labels that it is scored on."""
    rows = []
    for name, side in sides.items():
        sample = arms.sample(side.runs, [side.arm])
        task, row = arms.task_of(side.runs, side.arm.system), {"head": name}
        for metric in tested(side):
            point, _ = arms.scores(task, metric, sample)
            unit = np.sign(arms.signed(metric)) * (100 if METRICS[metric].unit == "%" else 1)
            values = (None if np.isnan(v) else v for v in point[0] / unit)
            by_seed = dict(zip(side.seeds, values, strict=True))
            row[compare.heads([metric])[metric]] = spread(by_seed, metric)
        rows.append(row)
    if not rows:
        return Note(f"No head of one modality is recorded yet. Setting: {setting}.")
    return Table(
        pd.DataFrame(rows),
        caption=f"Heads of one modality. Test set, mean ± standard deviation over seeds. Setting: "
        f"{setting}.",
    )
