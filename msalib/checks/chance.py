"""Rows that are no better than a predictor that looks at no clip."""

from collections.abc import Mapping

import pandas as pd

from msalib import testparts
from msalib.checks import Finding
from msalib.metrics import METRICS
from msalib.printed import LOWER_IS_BETTER
from msalib.words import dataset, exhibit, metric, system

UNSTATED = {"acc2": "acc2_has0", "f1": "f1_has0"}
"""Where the convention for label 0 is not printed, the level that keeps every clip."""


def check(table: pd.DataFrame, entries: Mapping) -> list[Finding]:
    """A constant needs no clip: the training median for MAE, the largest class for the rest.

    Chance levels are computed from the labels (``metrics.chance``): the MAE of the median of the
    training labels, and accuracy and F1 of the largest class of the test labels. A correlation of
    0 or less is chance, too. A number at its level or behind it was not learned from the clips, or
    was learned and lost in scale. One finding per row.
    """
    measured = table[(table["exhibit"] != "text") & table["metric"].isin(list(METRICS))]
    rows: dict[tuple, list[tuple[int, dict, float]]] = {}
    for index, cell in measured.to_dict("index").items():
        level = _level(cell)
        if level is None:
            continue
        ahead = cell["value"] - level
        if cell["metric"] in LOWER_IS_BETTER:
            ahead = -ahead
        if ahead <= cell["half"]:
            key = tuple(cell[k] for k in ("paper", "exhibit", "dataset", "system", "variant"))
            rows.setdefault(key, []).append((index, cell, level))
    found = []
    for (paper, place, corpus, *_), behind in rows.items():
        shown = ", ".join(
            f"{metric(cell['metric'])} {cell['printed']} (constant: {_show(level, cell)})"
            for _, cell, level in behind
        )
        message = (
            f"{exhibit(place)}, {dataset(corpus)}, {system(behind[0][1])}: no better than a "
            f"predictor that looks at no clip in {shown}."
        )
        cells = tuple(index for index, *_ in behind)
        found.append(Finding("chance", "notable", paper, message, cells))
    return found


def _level(cell: Mapping) -> float | None:
    """The chance level of a cell in its unit, None where it is not known."""
    if cell["metric"] == "corr":
        return 0.0
    labels = testparts.labels(cell["corpus"])
    if labels is None:
        return None
    level = labels.chance.get(UNSTATED.get(cell["metric"], cell["metric"]))
    return level if level is None or cell["unit"] != "%" else 100 * level


def _show(level: float, cell: Mapping) -> str:
    return f"{level:.1f}" if cell["unit"] == "%" else f"{level:.3f}"
