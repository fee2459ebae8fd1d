"""Tests of SUGRM's claims on generated labels and on the geometry of features (Fig. 4, Table 5)."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from msalib.base.stats import LEVEL, holm
from msalib.evidence.common import Evidence, not_run, sentence
from msalib.evidence.seeds import (
    as_numbers,
    level_over_seeds,
    listed,
    over_seeds,
    p_text,
    p_value,
    verdict,
)
from msalib.papers.sugrm.momentum import null_movement
from msalib.papers.sugrm.plan import compared, followed, recorded_whole
from msalib.papers.sugrm.scope import SIMULATED, caveats, lacks
from msalib.runs.query import Runs
from msalib.runs.records import Record

EARLY = 4
"""Epoch with whose drift of targets a later one is compared (C18): the second that has one."""

BOUND = 9.0
"""|y_m| + 6 for the largest label: no target of SUGRM's generator lies beyond (C19)."""

OFTEN = 0.8
"""Four of five seeds (C18)."""


def labels_settle(runs: Runs, *, epoch: int, most: float, data: str | None = None) -> Evidence:
    """Test movement from ``epoch`` on against ``most`` and half of chance, and drift (C18)."""
    system = followed(recorded_whole(runs))["SUGRM's"]
    if needs := lacks(runs, data, [system]):
        return not_run(needs)
    (records,) = runs.records(system)
    if needs := _lacks_labels(records, epoch):
        return not_run(needs)
    labels = [record.extras.labels for record in records]
    last = min(len(values) for one in labels for values in one.movement.values())
    chance = as_numbers(null_movement(last))[epoch - 1 :]
    effects, settled, moving = {}, [], []
    for m in labels[0].movement:
        moved = np.array([as_numbers(one.movement[m])[epoch - 1 : last] for one in labels])
        drift = np.array([as_numbers(one.drift[m])[:last] for one in labels])
        early = np.where(drift[:, EARLY - 1] > 0, drift[:, EARLY - 1], np.nan)
        for name, values, limit in (
            (f"{m} largest movement", moved.max(1), most),
            (f"{m} over chance", (moved / chance).max(1), 0.5),
            (f"{m} drift over epoch {EARLY}", drift[:, epoch - 1] / early, 0.5),
        ):
            effects[name] = over_seeds(values, "level")
            settled.append(values.mean() <= limit)
        moving.append(moved.max(1) > most)
    share = np.any(moving, 0).mean()
    note = sentence(
        f"largest from epoch {epoch} to {last}, mean over seeds; drift of targets in epoch {epoch}",
        f"limits {most:g}, half of chance and half of epoch {EARLY}",
        f"labels of some modality move by more than {most:g} in {share:.0%} of seeds",
        *caveats(runs, data, [system]),
    )
    word = verdict(supported=all(settled), contradicted=share >= OFTEN)
    return Evidence(word, effects, note)


def ends_are_rarer(runs: Runs) -> Evidence:
    """Test the share of targets at the ends of the scale, and their size, by generator (C19)."""
    systems = followed(recorded_whole(runs))
    if needs := lacks(runs, None, list(systems.values())):
        return not_run(needs)
    by_generator = dict(zip(systems, runs.records(*systems.values()), strict=True))
    if needs := _lacks_labels([r for records in by_generator.values() for r in records], 2):
        return not_run(needs)
    effects, shares, largest = {}, {}, {}
    for name, records in by_generator.items():
        shares[name] = _mean_over_epochs(records, "clamped")
        effects[f"share at the ends, {name}"] = level_over_seeds(shares[name], 0, 1)
        size = _mean_over_epochs(records, "percentile")
        effects[f"99th percentile of size, {name}"] = over_seeds(size, "level")
        sizes = [v for r in records for v in r.extras.labels.percentile.values()]
        largest[name] = max(np.max(as_numbers(values)[1:]) for values in sizes)
    ours, theirs = shares.values()
    effects = {"share at the ends, difference": over_seeds(ours - theirs)} | effects
    rarer, more = (p_value(ours - theirs, 0, side) for side in ("less", "greater"))
    note = sentence(
        "targets of SUGRM's generator minus those of Self-MM's in one model, mean over modalities "
        "and the epochs from 2 on",
        f"p that SUGRM's are at an end less often {p_text(rarer)}",
        "largest 99th percentile of any epoch "
        + ", ".join(f"{name} {size:.3g}" for name, size in largest.items())
        + f", bound of SUGRM's {BOUND:g}",
        *caveats(runs, None, list(systems.values())),
    )
    word = verdict(
        supported=rarer < LEVEL and largest["SUGRM's"] <= BOUND + 1e-4, contradicted=more < LEVEL
    )
    return Evidence(word, effects, note)


def labels_agree_with_truth(runs: Runs) -> Evidence:
    """Test how generated labels correlate with true ones, minus the annotated label (C21).

    True labels of a modality are known for simulated data only, and asked of the simulator.
    """
    system = followed(recorded_whole(runs))["SUGRM's"]
    if needs := lacks(runs, None, [system]):
        return not_run(needs)
    if runs.dataset not in SIMULATED:
        return not_run(["labels of each modality by humans, as in CH-SIMS, or simulated data"])
    (records,) = runs.records(system)
    labels = [record.extras.labels for record in records]
    if not all(one is not None and one.made for one in labels):
        return not_run(["generated labels of every epoch"])
    truth, effects, gains = _true_sentiment(runs.dataset), {}, {}
    for m in labels[0].made:
        true = [[truth[m][clip] for clip in one.id] for one in labels]
        pairs = list(zip(labels, true, strict=True))
        generated = np.array([_correlation(one.made[m][-1], y) for one, y in pairs])
        annotated = np.array([_correlation(one.given, y) for one, y in pairs])
        gains[m] = np.round(generated - annotated, 12)
        effects[f"{m} difference"] = over_seeds(gains[m])
        effects[f"{m} generated"] = level_over_seeds(generated, -1, 1)
        effects[f"{m} clip's"] = level_over_seeds(annotated, -1, 1)
    higher = {m: p_value(values) for m, values in gains.items()}
    flat = [m for m, values in gains.items() if np.isnan(values).any()]
    note = sentence(
        "correlation with the true sentiment of the modality: labels of the last epoch minus the "
        "clip's own label, training clips",
        f"p that it is higher: {listed(higher)}",
        f"undefined (labels all the same) for {', '.join(flat)}" if flat else "",
        *caveats(runs, None, [system]),
    )
    word = verdict(
        supported=all(p < LEVEL for p in higher.values()),
        contradicted=any(holm(p_value(values, 0, "less") for values in gains.values())),
    )
    return Evidence(word, effects, note)


def distances_agree(runs: Runs, *, least: float) -> Evidence:
    """Test Spearman's rho between distances of features and of labels, test clips (C20)."""
    system = compared(recorded_whole(runs))["SUGRM"]
    if needs := lacks(runs, None, [system]):
        return not_run(needs)
    (records,) = runs.records(system)
    geometry = [record.extras.geometry for record in records]
    if None in geometry:
        return not_run(["distances of features after epoch 1 and in the chosen epoch"])
    first = as_numbers([one.first for one in geometry])
    selected = as_numbers([one.selected for one in geometry])
    effects = {
        "chosen epoch": level_over_seeds(selected, -1, 1),
        "epoch 1": level_over_seeds(first, -1, 1),
        "chosen epoch minus epoch 1": over_seeds(selected - first),
    }
    high, low = (p_value(selected, least, side) for side in ("greater", "less"))
    grown = p_value(selected - first)
    flat = int(np.isnan(selected).sum() + np.isnan(first).sum())
    note = sentence(
        "Spearman's correlation of distances of multimodal features with those of labels",
        f"p that it is above {least:g} {p_text(high)}, below {p_text(low)}, above epoch 1 "
        f"{p_text(grown)}",
        f"undefined (features all the same) in {flat} of {2 * len(records)} cases" if flat else "",
        *caveats(runs, None, [system]),
    )
    word = verdict(supported=high < LEVEL and grown < LEVEL, contradicted=low < LEVEL)
    return Evidence(word, effects, note)


def _lacks_labels(records: Sequence[Record], epochs: int) -> list[str]:
    """Return what records lack of their generated labels: any at all, or so many epochs."""
    labels = [record.extras.labels for record in records]
    if any(one is None or not one.movement for one in labels):
        return ["records of the generated labels of every epoch"]
    if any(len(values) < epochs for one in labels for values in one.movement.values()):
        return [f"{epochs} epochs or more without early stopping"]
    return []


def _mean_over_epochs(records: Sequence[Record], field: str) -> np.ndarray:
    """Return the mean of each seed over modalities and the epochs that have targets (S,)."""
    per_modality = [getattr(record.extras.labels, field).values() for record in records]
    return np.array([np.mean([as_numbers(v)[1:] for v in values]) for values in per_modality])


def _correlation(a: Sequence[float], b: Sequence[float]) -> float:
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return np.nan
    return float(np.corrcoef(a, b)[0, 1])


@lru_cache(maxsize=len(SIMULATED))
def _true_sentiment(name: str) -> dict[str, dict[str, float]]:
    """Return modality -> clip -> true sentiment of a simulated data set."""
    from msalib.data.simulate import features  # simulating takes seconds

    corpus = features.story(name)
    clips = corpus.utterances.index
    return {
        m: dict(zip(clips, map(float, values), strict=True))
        for m, values in corpus.truth["sentiment"].items()
    }
