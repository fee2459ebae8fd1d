"""Tables and numbers of the page on error rates."""

import numpy as np
import pandas as pd

from msalib.pages.cells import bounds
from msalib.pages.tables import Table
from msalib.papers.uegd.power.cases import VIDEOS_ONLY
from msalib.papers.uegd.power.record import Power, Rate

NOISE_NAMES = {
    "run_share": "share of the error variance that a single run has for itself",
    "video_share": "share of the rest that clips of a video have in common",
    "kept": "correlation of errors that would be left at any distance of layers",
    "reach": "depth (1: the whole encoder) over which the other part falls to 1/e",
    "run_reach": "the same for what runs of one seed share",
    "quality_sd": "standard deviation of a model's correlation over seeds",
    "offset_sd": "standard deviation of a model's mean prediction over seeds",
    "train_sd": "standard deviation of the training MAE of a sum of the blocks over seeds",
    "gate_sd": "standard deviation of a model's mean gate weight over seeds",
    "gate_clip_sd": "standard deviation of gate weights over clips",
}


def rates(simulated: Power) -> Table:
    """Show each test's verdicts where the claim is false, and the effect that it detects."""
    rows = []
    for claim, plan in simulated.plans.items():
        for dataset in simulated.datasets:
            cell = simulated.false(claim, dataset)
            enough = simulated.detected_from(claim, dataset)
            best = simulated.cell(claim, dataset, plan.truer[-1]).rate("supported")
            rows.append(
                {
                    "claim": claim,
                    "size of": dataset.upper(),
                    "false at": f"{plan.false_at:g} {plan.unit}",
                    "supported": _percent(cell.rate("supported")),
                    "contradicted": _percent(cell.rate("contradicted")),
                    "inconclusive": _percent(cell.rate("inconclusive")),
                    "80% power at": f"never: {best.share:.0%} at {plan.truer[-1]:g}"
                    if enough is None
                    else f"{enough:.2g} {plan.unit}",
                }
            )
    return Table(
        pd.DataFrame(rows),
        caption="Verdicts if the claim is false, though barely, in % of simulated studies with "
        f"95% Monte Carlo intervals; and the true effect that is detected in 80%. "
        f"Setting: {simulated.setting}.",
    )


def amended(simulated: Power) -> Table:
    """Compare wrong verdicts of intervals over videos only with those of the intervals in use."""
    rows = []
    for claim in simulated.plans:
        if claim in VIDEOS_ONLY:
            continue
        for dataset in simulated.datasets:
            cell = simulated.false(claim, dataset)
            row = {"claim": claim, "size of": dataset.upper()}
            for verdict in ("supported", "contradicted"):
                row[f"{verdict}, videos only"] = _percent(cell.rate(verdict, videos_only=True))
                row[f"{verdict}, videos and trainings"] = _percent(cell.rate(verdict))
            rows.append(row)
    return Table(
        pd.DataFrame(rows),
        caption="Verdicts if the claim is false, though barely, in % of simulated studies with "
        "95% Monte Carlo intervals: with intervals over other videos only (the first studies), and "
        "with "
        f"the actual ones, over other videos and other trainings. Setting: {simulated.setting}.",
    )


def chances(simulated: Power) -> Table:
    """Show the gain by chance: mid-best minus last block where all blocks are equal."""
    rows = []
    for dataset, parts in simulated.gains.items():
        for part, gains in parts.items():
            low, middle, high = np.quantile(gains, [0.05, 0.5, 0.95])
            rows.append(
                {
                    "size of": dataset.upper(),
                    "read on": {"valid": "validation", "test": "test"}[part],
                    "mean": f"{np.mean(gains):+.4f}",
                    "median": f"{middle:+.4f}",
                    "5% to 95%": f"{low:+.4f} to {high:+.4f}",
                    "above zero": f"{np.mean(np.array(gains) > 0):.0%}",
                }
            )
    return Table(
        pd.DataFrame(rows),
        caption="Correlation of the block that validation chooses minus that of the last block, "
        f"where all {simulated.settings['blocks']} blocks are equal. Setting: {simulated.setting}.",
    )


def numbers(simulated: Power) -> dict[str, str]:
    """Return texts for prose, by name: ``C6_mosi_supported``, ``gain_mosi_valid`` and the like.

    ``C6_mosi_power`` is the effect detected in 80%, ``C6_mosi_truest`` how often the truest one is.
    """
    texts = {}
    for claim in simulated.plans:
        for dataset in simulated.datasets:
            prefix = f"{claim.rpartition('-')[2]}_{dataset}"
            for verdict in ("supported", "contradicted"):
                share = simulated.false(claim, dataset).rate(verdict).share
                texts[f"{prefix}_{verdict}"] = f"{share:.1%}"
                share = simulated.false(claim, dataset).rate(verdict, videos_only=True).share
                texts[f"{prefix}_{verdict}_videos_only"] = f"{share:.1%}"
            enough = simulated.detected_from(claim, dataset)
            texts[f"{prefix}_power"] = "none of these" if enough is None else f"{enough:.2g}"
            truest = simulated.plans[claim].truer[-1]
            share = simulated.cell(claim, dataset, truest).rate("supported").share
            texts[f"{prefix}_truest"] = f"{share:.0%}"
    for dataset, parts in simulated.gains.items():
        for part, gains in parts.items():
            texts[f"gain_{dataset}_{part}"] = f"{np.mean(gains):+.3f}"
            texts[f"gain_{dataset}_{part}_high"] = f"{np.quantile(gains, 0.95):+.3f}"
    return texts | {"simulated_resamples": f"{simulated.settings['resamples']}"}


def provenance(simulated: Power) -> Table:
    """Show where the simulation comes from."""
    row = {
        "commit": simulated.commit,
        "device": simulated.device,
        "versions": ", ".join(f"{k} {v}" for k, v in simulated.versions.items()),
        "simulated studies": f"{sum(cell.simulations for cell in simulated.cells)}",
        "begun (UTC)": simulated.started[:16].replace("T", " "),
        "minutes": f"{simulated.seconds / 60:.0f}",
    }
    return Table(pd.DataFrame([row]), caption="Where these numbers come from.")


def scatter(simulated: Power) -> Table:
    """Show how the simulated models scatter, as calibrated on real runs."""
    of = simulated.settings["noise"]
    rows = [
        {"scatter": what} | {f"size of {name.upper()}": f"{of[name][field]:.3g}" for name in of}
        for field, what in NOISE_NAMES.items()
    ]
    return Table(
        pd.DataFrame(rows),
        caption="Scatter of the simulated predictions. Calibrated on real runs: transcripts with "
        "MiniLM layers, release recipe, validation and test clips. Equal columns: both use the "
        "runs of one data set.",
    )


def _percent(rate: Rate) -> str:
    return bounds(100 * rate.share, 100 * rate.low, 100 * rate.high, ".1f")
