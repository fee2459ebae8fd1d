"""Kind ``metrics``: the MMSA-family evaluator on MOSI (``mosi.*``) and CH-SIMS (``sims.*``)."""

import numpy as np

from msalib.data.metrics import regression, sims
from tests.parity import Fixture, max_abs_error

TOLERANCE = 1e-5

THEIRS = {
    "mosi": {
        "Has0_acc_2": "acc2_has0",
        "Has0_F1_score": "f1_has0",
        "Non0_acc_2": "acc2_non0",
        "Non0_F1_score": "f1_non0",
        "Mult_acc_3": "acc3",
        "Mult_acc_5": "acc5",
        "Mult_acc_7": "acc7",
        "MAE": "mae",
        "Corr": "corr",
    },
    "sims": {
        "Mult_acc_2": "acc2",
        "Mult_acc_3": "acc3",
        "Mult_acc_5": "acc5",
        "F1_score": "f1",
        "MAE": "mae",
        "Corr": "corr",
    },
}
"""Data set -> the evaluator's name of a metric -> ours."""

OPTIONAL = ("mosi.Mult_acc_3",)
"""Metrics that only some versions of the evaluator return."""

HALF_A_DIGIT = {"mosi": 0.5e-4, "sims": 0.0}
"""``mosi.*`` is rounded to 4 decimals: all it says is which interval the value lies in."""


def errors(fixture: Fixture) -> dict[str, float]:
    """Return the distance of each metric from what the evaluator's value allows.

    A file has labels and predictions of one data set or of both, with every metric of each.
    """
    values = fixture.starting_with("mosi.", "sims.")
    if not values:
        raise fixture.error("no metrics", "arrays named mosi.<metric> or sims.<metric>")
    ours = {}
    for dataset, metrics in (("mosi", regression), ("sims", sims)):
        if fixture.starting_with(f"{dataset}_", f"{dataset}."):
            try:
                ours[dataset] = metrics(fixture[f"{dataset}_truth"], fixture[f"{dataset}_pred"])
            except ValueError as problem:
                raise fixture.error(
                    str(problem), "labels and predictions of the same clips"
                ) from None
    distances = {}
    for name in values:
        dataset, metric = name.split(".", 1)
        if metric not in THEIRS[dataset]:
            raise fixture.error(f"metric {name!r}", f"one of {', '.join(THEIRS[dataset])}")
        error = max_abs_error(fixture, name, ours[dataset][THEIRS[dataset][metric]])
        distances[name] = float(np.maximum(error - HALF_A_DIGIT[dataset], 0))
    outputs = {f"{name}.{metric}" for name in ours for metric in THEIRS[name]}
    fixture.require(outputs - set(OPTIONAL))
    return distances
