"""The short answers of UEGD's pages where no verdict on a claim answers: computed sentences."""

from collections.abc import Sequence

from msalib.base import stats
from msalib.base.stats import LEVEL
from msalib.evidence.printed.names import plural
from msalib.pages import compare
from msalib.pages.cells import mean_sd, spread
from msalib.pages.tables import Table
from msalib.papers.uegd import layers
from msalib.papers.uegd.leaky import Audit
from msalib.papers.uegd.power.record import Power
from msalib.runs.query import Runs


def alone(runs: Runs) -> str:
    """Say how far each modality gets alone, beside a constant; nothing can be tested here."""
    scores, record = [], runs.records(runs.systems[0])[0][0]
    for m in runs.modalities:
        (seeds,) = runs.records(layers.system_of(runs, [m], "output"))
        scores.append(f"{m} {spread([r.metrics['test']['mae'] for r in seeds], 'mae')}")
    chance = compare.chance_cells(record, ["mae"])["mae"]
    return (
        "None of the claims can be tested in this setting. MAE of one modality alone: "
        f"{', '.join(scores)}; of a constant prediction: {chance}."
    )


def within_videos(runs: Runs) -> str:
    """Say which share of the variance of predictions is within videos, for each modality."""
    _, videos = runs.truth("test")
    if len(set(videos)) == len(videos):
        return "Not run: every video of this data set is a single clip, so nothing varies within."
    shares = []
    for m in runs.modalities:
        (guess,) = runs.predictions("test", layers.system_of(runs, [m], "mid_best"))
        total, within = stats.variances(guess, videos)
        share = [w / t if t > 0 else None for w, t in zip(within, total, strict=True)]
        shares.append(f"{m} {mean_sd(share, '{:.2f}'.format)}")
    return (
        "The claim cannot be tested in this setting. Share of the variance of predictions that is "
        f"within videos: {', '.join(shares)}."
    )


def gates(unused: Table, reading: Table) -> str:
    """Say that unused gates get no gradient, and how often the highest weight matters most.

    The tables are those of ``gates.unused`` and ``gates.reading``.
    """
    idle = unused.frame[unused.frame["used"] == "no"]
    exact = sum(idle["largest gradient"] == "exactly 0")
    models = dict(list(reading.frame.groupby("seed")))
    agree = sum(
        frame["gate weight"].astype(float).idxmax()
        == frame["MAE lost without it (points)"].astype(float).idxmax()
        for frame in models.values()
    )
    return (
        f"Not an importance. The gates of missing modalities get a gradient of exactly zero "
        f"({exact} of {len(idle)}), so no training can close them. With all modalities, the one "
        f"with the highest gate weight is the one that the prediction needs most in {agree} of "
        f"{plural(len(models), 'model')}."
    )


def leaks(audits: Sequence[Audit]) -> str:
    """Say what a linear probe reaches on the standard split, and which labels the makers used."""
    first, *others = audits
    probed = {m: parts for m, parts in first.probe.items() if None not in parts.values()}
    m = max(probed, key=lambda name: probed[name]["test"])
    sentences = [
        f"A linear probe on {m} features reaches a correlation of {probed[m]['test']:.2f} on the "
        f"test set and of {probed[m]['train']:.2f} on the training set."
    ]
    if first.seen is None:
        sentences.append("No label is known to have been used to make these features.")
    else:
        sentences.append(
            "Too good to be true: the makers of the features used the labels of "
            f"{first.seen['test']} of {first.clips['test']} test clips."
        )
    sentences += [
        f"On test videos that they did not use, the correlation is {a.probe[m]['test']:.2f}."
        for a in others
        if a.probe[m]["test"] is not None
    ]
    return " ".join(sentences)


def error_rates(simulated: Power) -> str:
    """Say how often the tests support a false claim, and what choosing a block gains by chance."""
    rates = {
        (claim, dataset): simulated.false(claim, dataset).rate("supported")
        for claim in simulated.plans
        for dataset in simulated.datasets
    }
    kept = sum(rate.low <= LEVEL for rate in rates.values())
    (claim, dataset), worst = max(rates.items(), key=lambda item: item[1].share)
    gains = {part: sum(g) / len(g) for part, g in simulated.gains[dataset].items()}
    return (
        f"{kept} of {len(rates)} tests (one for each claim and size of the data) support a claim "
        f"that is barely false in at most {LEVEL:.0%} of the studies, as far as the simulated ones "
        f"can tell. The highest rate is {worst.share:.1%} ({claim} at the size of "
        f"{dataset.upper()}). The best of {simulated.settings['blocks']} equal blocks leads the "
        f"last by {gains['valid']:+.3f} in correlation on validation, where it was "
        f"chosen, and by {gains['test']:+.3f} on test."
    )
