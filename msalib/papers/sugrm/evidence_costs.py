"""Tests of SUGRM's claims on time, memory and parameters (Table 4, footnotes 3 and 5).

They read measurements (``costs``) that depend on no run. A measurement is evidence once: where it
decides alone, it is judged in the setting ``costs.MEASURED`` and in no other.
"""

import numpy as np

from msalib.base.stats import Estimate, holm
from msalib.data import datasets as readers
from msalib.evidence import seeds
from msalib.evidence.common import Evidence, not_run, sentence
from msalib.evidence.seeds import Gains, Judgement, listed, p_value, verdict
from msalib.papers.sugrm import costs
from msalib.papers.sugrm.evidence_systems import MINUSCULE, compare
from msalib.papers.sugrm.plan import compared, recorded_whole
from msalib.papers.sugrm.scope import Named, caveats, lacks
from msalib.runs.query import Runs

RELATIVE = {"parameters": "parameters", "seconds_median": "time", "peak_bytes": "memory"}
"""What is on record of the cost of a sequence encoder, in words."""


def full_gains_little(runs: Runs, *, of: Named, than: Named, data: str | None = None) -> Evidence:
    """Test whether the full transformer, ``of``, gains at most ``MINUSCULE`` and costs more (C15).

    Reads the record of times, which is the same for all settings.
    """

    def judge(gains: Gains) -> Judgement:
        beyond = {m: p_value(v, seeds.margin(MINUSCULE, m)) for m, v in gains.items()}
        ratios = _relative_costs()
        word = verdict(
            supported=bool(ratios)
            and min(ratios.values()) > 1
            and seeds.means_within(gains, MINUSCULE),
            contradicted=any(holm(beyond.values())) or (bool(ratios) and max(ratios.values()) <= 1),
        )
        listed_ratios = ", ".join(f"{name} {ratio:.2f}" for name, ratio in ratios.items())
        phrases = [
            f"p that a gain exceeds 0.5 points or 0.005: {listed(beyond)}",
            f"full over sparse transformer, at CMU-MOSI's sizes: {listed_ratios}"
            if ratios
            else "cost not run: needs a record of times (python -m msalib.papers.sugrm.timing)",
        ]
        return Judgement(word, phrases)

    return compare(runs, of, than, data, judge)


def _relative_costs() -> dict[str, float]:
    """Return the costs of the full over those of the sparse transformer, as far as recorded."""
    times = costs.read()
    if times is None:
        return {}
    by_key = {key: getattr(times, key) for key in RELATIVE}
    return {word: by_key[key]["dense"] / by_key[key]["spt"] for key, word in RELATIVE.items()}


def takes_longer(runs: Runs, *, low: float, high: float, data: str | None = None) -> Evidence:
    """Test whether SUGRM's median pass takes ``low`` to ``high`` times Self-MM's (C23).

    Reads the record of times, of models without a text encoder.
    """
    system = compared(recorded_whole(runs))["SUGRM"]
    if needs := lacks(runs, data, [system]) or _elsewhere(runs):
        return not_run(needs)
    times = costs.read()
    title, encoder = readers.dataset(runs.dataset).title, costs.MEASURED[1]
    if (
        times is None
        or not times.inference_on.startswith(f"{title},")
        or not times.inference_on.endswith(f", {encoder}")
        or min(map(len, times.inference.values())) < costs.PASSES
    ):
        return not_run([f"{costs.PASSES} timed passes of each model over the test part"])
    ratio = costs.ratio(times.inference)
    word = verdict(
        supported=low <= ratio.value <= high, contradicted=ratio.high < low or ratio.low > high
    )
    estimate = Estimate(ratio.value, ratio.low, ratio.high, np.nan, kind="level")
    note = sentence(
        f"passes over {times.inference_on}, in turn, SUGRM over Self-MM, both without a text "
        f"encoder; limits {low:g} and {high:g}",
        *caveats(runs, data, [system]),
    )
    return Evidence(word, {"ratio of medians": estimate}, note)


def share_of_parameters(runs: Runs, *, most: float, data: str | None = None) -> Evidence:
    """Test the parameters of the sparse transformer over those of MulT's encoder (C24).

    Reads counts of untrained models at the widths of the paper, and no record.
    """
    if needs := lacks(runs, data, [compared(recorded_whole(runs))["SUGRM"]]) or _elsewhere(runs):
        return not_run(needs)
    from msalib.papers.sugrm import timing  # loads torch

    counts = timing.parameters()
    sparse, full = counts["spt"], counts["dense"]
    ratio = sparse / full
    effects = {"ratio": Estimate(ratio, ratio, ratio, np.nan, kind="level")}
    widths = ", ".join(f"{m} {size}" for m, size in costs.SIZES.items())
    note = sentence(
        f"{sparse:,} against {full:,} parameters at the paper's widths ({widths}), limit {most:g}",
        "a count, which has no interval and depends on no run",
        "how MulT's parts are wired in the ablation is inferred",
    )
    return Evidence("supported" if ratio <= most else "contradicted", effects, note)


def _elsewhere(runs: Runs) -> list[str]:
    """Return the setting in which a measurement is judged, unless these runs are of it."""
    spec = runs.example(runs.systems[0]).spec
    dataset, encoder, preset = costs.MEASURED
    if (spec.dataset, spec.encoder, spec.preset) == costs.MEASURED:
        return []
    return [f"{dataset}, {encoder}, {preset} recipe: one measurement is evidence once"]
