"""Tests of GLoMo's claims on parameters and time (Table 5): a count, and a measurement.

Neither depends on a run, so that each is shown in the setting ``MEASURED`` and in no other. Nothing
is judged: of the five models of the table GLoMo alone is built here at the paper's sizes.
"""

import numpy as np

from msalib.base.stats import Estimate
from msalib.evidence.common import Evidence, not_run
from msalib.evidence.printed import table as printed
from msalib.papers.glomo import plan
from msalib.papers.glomo.checks import BERT_BASE
from msalib.runs.query import Runs

MEASURED = ("mosi-standardised", "minilm", "release")
"""Data set, encoder and preset in which what depends on no run is shown, once."""

OTHERS = ("C-MIB", "MISA", "MAG-BERT", "TFN")
"""The other models of Table 5, by their printed number of parameters."""


def fewest_parameters(runs: Runs) -> Evidence:
    """C24: our exact count of GLoMo beside the printed counts of the other four.

    Reads counts of untrained models (``costs.counts``), and no record.
    """
    if needs := _elsewhere(runs):
        return not_run(needs)
    from msalib.papers.glomo import costs  # loads torch

    counts = costs.counts()
    ours = counts[plan.FULL]
    rivals = {name: printed_size(name) for name in OTHERS}
    effects = {
        "millions of parameters": _level((ours + BERT_BASE) / 1e6),
        "millions of parameters without BERT": _level(ours / 1e6),
    }
    effects |= {
        f"thousands fewer than is printed for {name}": _level((size - ours - BERT_BASE) / 1e3)
        for name, size in rivals.items()
    }
    same = "exactly" if ours + BERT_BASE == printed_size(plan.FULL) else "not"
    unbuilt = [name for name in OTHERS if counts.get(name) is None]
    about = [
        f"our model has {ours + BERT_BASE:,} parameters at the paper's sizes, {same} the printed "
        f"number, and {ours:,} without BERT",
        "the paper does not give the sizes of its TFN",
        "a count, which no run can change",
    ]
    return not_run([f"models of {', '.join(unbuilt)}"], effects, about)


def printed_size(name: str) -> int:
    """Return the printed number of parameters of a model of Table 5."""
    return int(printed.cell(plan.PAPER, "table5", "mosi", name, "", "params").value)


def takes_less_time(runs: Runs) -> Evidence:
    """C25: measured time over that of other models, as far as they are built.

    Reads recorded seconds (``costs.seconds``), and no record of a run.
    """
    if needs := _elsewhere(runs):
        return not_run(needs)
    from msalib.papers.glomo import costs

    seconds = costs.seconds()
    others = [name for name in OTHERS if {name, plan.FULL} <= seconds.keys()]
    effects = {
        f"time of GLoMo over that of {name}": _level(seconds[plan.FULL] / seconds[name])
        for name in others
    }
    unmeasured = [name for name in OTHERS if name not in others]
    about = ["medians of a measurement, which depends on no run"] if effects else []
    return not_run([f"seconds of {', '.join(unmeasured)}"], effects, about)


def _elsewhere(runs: Runs) -> list[str]:
    """Return the setting in which a measurement counts, unless these runs are of it."""
    spec = runs.example(runs.systems[0]).spec
    if (spec.dataset, spec.encoder, spec.preset) == MEASURED:
        return []
    dataset, encoder, preset = MEASURED
    return [f"{dataset}, {encoder}, {preset} recipe: one measurement is evidence once"]


def _level(value: float) -> Estimate:
    return Estimate(value, value, value, np.nan, kind="level")
