"""Numbers that luck alone would give: predictors that look at no clip, and the largest of many."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.special import ndtr

from msalib.data.metrics import METRICS
from msalib.evidence.printed import testparts
from msalib.evidence.printed.checks.finding import Finding
from msalib.evidence.printed.names import dataset, exhibit, metric, system
from msalib.evidence.printed.units import outside, sign

UNSTATED = {"acc2": "acc2_has0", "f1": "f1_has0"}
"""Where the convention for label 0 is not printed, the level that keeps every clip."""


MANY = 20
"""Configurations, at least, among which the largest is called the largest of many."""


def check(table: pd.DataFrame, entries: Mapping) -> list[Finding]:
    """Find rows at chance, then headlines that are the largest of a grid."""
    return [*constants(table), *largest(table, entries)]


def largest(table: pd.DataFrame, entries: Mapping) -> list[Finding]:
    """Find a headline that is the largest of many printed configurations of the same model.

    Of n equally good configurations whose scores scatter with standard deviation s, the largest
    lies above their mean by s times the expected largest of n standard normal draws (2.34 for 64).
    Where the headline lies no further out, its lead over the others is what choosing gives.
    Configurations are variants that differ in their digits only (t1_a2_v3).
    """
    findings = []
    keys = ["paper", "dataset", "metric", "system"]
    measured = table[table["exhibit"].ne("text") & table["metric"].isin(list(METRICS))]
    measured = measured[measured.groupby(keys)["value"].transform("size") >= MANY]
    for (paper, corpus, name, model), group in measured.groupby(keys, sort=False):
        if paper not in entries or model not in entries[paper].own:
            continue
        forms = group["variant"].str.replace(r"\d+", "#", regex=True)
        grid = group[forms == forms.mode()[0]]
        heads = group[group["variant"].isin(["", "full"])]
        if len(grid) < MANY or heads.empty:
            continue
        best = grid.loc[(sign(name) * grid["value"]).idxmax()]
        equal = heads[(heads["value"] - best["value"]).abs() < 1e-9]
        if equal.empty:
            continue
        mean, spread = grid["value"].mean(), grid["value"].std()
        expected = mean + sign(name) * spread * _largest_normal(len(grid))
        message = (
            f"{dataset(corpus)}, {metric(name)}: the headline {best['printed']} is the best of "
            f"{len(grid)} printed configurations (mean {mean:.2f}, standard deviation "
            f"{spread:.2f}); of as many equally good ones the best would be expected at "
            f"{expected:.2f}."
        )
        cells = (*map(int, equal.index), int(best.name))
        findings.append(Finding("chance", "notable", paper, message, cells))
    return findings


def _largest_normal(n: int) -> float:
    """Integrate x n phi(x) Phi(x)^(n-1): the expected largest of n standard normal draws."""
    x = np.linspace(-8, 8, 4001)
    density = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    return float(np.trapezoid(x * n * density * ndtr(x) ** (n - 1), x))


def constants(table: pd.DataFrame) -> list[Finding]:
    """Find rows no better than a constant: the training median for MAE, else the largest class.

    Chance levels are computed from the labels (``metrics.chance``): the MAE of the median of the
    training labels, and accuracy and F1 of the largest class of the test labels. A correlation of
    0 or less is chance, too. A number at its level or behind it was not learned from the clips, or
    was learned and lost in scale. One finding per row. Numbers outside their unit are left to
    ``bounds``.
    """
    measured = table[(table["exhibit"] != "text") & table["metric"].isin(list(METRICS))]
    rows: dict[tuple, list[tuple[int, dict, float]]] = {}
    for index, cell in measured.to_dict("index").items():
        level = _level(cell)
        if level is None or outside(cell["metric"], cell["value"]):
            continue
        ahead = sign(cell["metric"]) * (cell["value"] - level)
        if ahead <= cell["half"]:
            key = tuple(cell[k] for k in ("paper", "exhibit", "dataset", "system", "variant"))
            rows.setdefault(key, []).append((index, cell, level))
    findings = []
    for (paper, place, corpus, *_), behind in rows.items():
        listing = ", ".join(
            f"{metric(cell['metric'])} {cell['printed']} (constant: {_show(level, cell)})"
            for _, cell, level in behind
        )
        message = (
            f"{exhibit(place)}, {dataset(corpus)}, {system(behind[0][1])}: no better than a "
            f"predictor that looks at no clip in {listing}."
        )
        cells = tuple(index for index, *_ in behind)
        findings.append(Finding("chance", "notable", paper, message, cells))
    return findings


def _level(cell: Mapping) -> float | None:
    """Return the chance level of a cell in its unit, None where it is unknown."""
    if cell["metric"] == "corr":
        return 0.0
    labels = testparts.labels(cell["corpus"])
    if labels is None:
        return None
    level = labels.chance.get(UNSTATED.get(cell["metric"], cell["metric"]))
    return level if level is None or cell["unit"] != "%" else 100 * level


def _show(level: float, cell: Mapping) -> str:
    return f"{level:.1f}" if cell["unit"] == "%" else f"{level:.3f}"
