"""Tests of SUGRM's claims on time, memory and parameters (Table 4, footnotes 3 and 5).

They read measurements (``costs``) that depend on no run. A measurement is evidence once: where it
decides alone, it is judged in the setting ``costs.MEASURED`` and in no other.
"""

import numpy as np

from msalib.base.stats import Estimate
from msalib.evidence import comparisons
from msalib.evidence.common import Evidence, not_run, sentence
from msalib.evidence.comparisons import Pair
from msalib.papers.sugrm import costs
from msalib.papers.sugrm.evidence_systems import MINUSCULE, compare
from msalib.papers.sugrm.scope import ALL, Named
from msalib.runs.query import Runs

RELATIVE = {"parameters": "parameters", "seconds_median": "time", "peak_bytes": "memory"}
"""What is on record of the cost of a sequence encoder, in words."""


def full_gains_little(runs: Runs, *, of: Named, than: Named, data: str | None = None) -> Evidence:
    """Test whether the full transformer, ``of``, gains at most ``MINUSCULE`` and costs more (C15).

    Reads the record of times, which is the same for all settings.
    """

    def judge(pairs: list[Pair]) -> Evidence:
        judged = comparisons.no_gain(runs, pairs, metrics=ALL, margins=MINUSCULE)
        if judged.verdict == "not run":
            return judged
        ratios, word = _relative_costs(), judged.verdict
        if ratios and max(ratios.values()) <= 1:
            word = "contradicted"
        elif word == "supported" and not (ratios and min(ratios.values()) > 1):
            word = "inconclusive"
        listed = ", ".join(f"{name} {ratio:.2f}" for name, ratio in ratios.items())
        cost = (
            f"full over sparse transformer, at CMU-MOSI's sizes: {listed}"
            if ratios
            else "cost not run: needs a record of times (python -m msalib.papers.sugrm.timing)"
        )
        return judged._replace(verdict=word, note=sentence(judged.note, cost))

    return compare(runs, [(of, than)], data, judge)


def _relative_costs() -> dict[str, float]:
    """Return the costs of the full over those of the sparse transformer, as far as recorded."""
    times = costs.read()
    if times is None:
        return {}
    by_key = {key: getattr(times, key) for key in RELATIVE}
    return {word: by_key[key]["dense"] / by_key[key]["spt"] for key, word in RELATIVE.items()}


def takes_longer(runs: Runs, *, low: float, high: float) -> Evidence:
    """Test whether SUGRM's median pass takes ``low`` to ``high`` times Self-MM's (C23).

    Reads the record of times, and no record of a run. It decides only where all readings of "a
    pass" agree (``costs.judge``).
    """
    if needs := _elsewhere(runs):
        return not_run(needs)
    times = costs.read()
    if times is None or times.count < costs.PASSES:
        return not_run([f"{costs.PASSES} timed passes of both models in every reading"])
    ratios = costs.ratios(times)
    values = [ratio.value for ratio in ratios.values()]
    effects = {
        f"ratio of medians, {costs.READINGS[key]}": Estimate(*ratio, np.nan, kind="level")
        for key, ratio in ratios.items()
    }
    note = sentence(
        f"SUGRM over Self-MM, {min(values):.2f} to {max(values):.2f} over {len(values)} readings "
        f"of what a pass is; limits of ours, {low:g} and {high:g}",
        costs.over(times),
        "a measurement, which depends on no run",
    )
    return Evidence(costs.judge(ratios.values(), low, high), effects, note)


def share_of_parameters(runs: Runs) -> Evidence:
    """Show the parameters of the sparse transformer over those of MulT's encoder (C24).

    Reads counts of untrained models at the widths of the paper, and no record. Nothing is judged:
    the paper says "about", and any limit would be ours.
    """
    if needs := _elsewhere(runs):
        return not_run(needs)
    from msalib.papers.sugrm import timing  # loads torch

    counts = timing.parameters()
    sparse, full = counts["spt"], counts["dense"]
    share = sparse / full
    widths = ", ".join(f"{m} {size}" for m, size in costs.SIZES.items())
    about = [
        f"{sparse:,} against {full:,} parameters at the paper's widths ({widths})",
        "a count, which no run can change",
        "how MulT's parts are wired in the ablation is inferred",
    ]
    return not_run(
        ["a limit to 'about', which the paper does not give"],
        {"share of parameters": Estimate(share, share, share, np.nan, kind="level")},
        about,
    )


def _elsewhere(runs: Runs) -> list[str]:
    """Return the setting in which a measurement counts, unless these runs are of it."""
    spec = runs.example(runs.systems[0]).spec
    dataset, encoder, preset = costs.MEASURED
    if (spec.dataset, spec.encoder, spec.preset) == costs.MEASURED:
        return []
    return [f"{dataset}, {encoder}, {preset} recipe: one measurement is evidence once"]
