"""Tests of SUGRM's claims on generated labels and on the geometry of features (Fig. 4, Table 5).

What they read is of the training clips (C20: of the test clips) of one data set, and differs from
training to training. So they are Student's t-tests over the seeds, and say "these clips only".
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import numpy as np

from msalib.base.stats import LEVEL, holm, varies
from msalib.evidence.arms import SEEDS, Arm
from msalib.evidence.arms import lacking as lacking_arms
from msalib.evidence.common import Evidence, Word, not_run, sentence
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
from msalib.runs.spec import System

BOUND = 9.0
"""|y_m| + 6 for the largest label: no target of SUGRM's generator lies beyond (C19)."""

THESE_CLIPS = "these clips only: the intervals are over trainings"


def labels_settle(runs: Runs, *, epoch: int, data: str | None = None) -> Evidence:
    """Test whether labels move less from ``epoch`` on than momentum alone explains (C18).

    The effect is log2 of mean movement over that of labels with chance targets (``momentum``), by
    modality: 0 is chance, -1 half of it.
    """
    system = followed(recorded_whole(runs))["SUGRM's"]
    if needs := _lacks(runs, {FOLLOWED: system}, _of_every_epoch(epoch), data):
        return not_run(needs)
    (records,) = runs.records(system)
    labels = [record.extras.labels for record in records]
    last = min(len(values) for one in labels for values in one.movement.values())
    chance = as_numbers(null_movement(last))[epoch - 1 :]
    ratios = {
        m: np.array(
            [(as_numbers(one.movement[m])[epoch - 1 : last] / chance).mean() for one in labels]
        )
        for m in labels[0].movement
    }
    logs = {m: np.log2(np.maximum(values, 1e-9)) for m, values in ratios.items()}
    effects = {f"{m} log2 of movement over chance": over_seeds(v) for m, v in logs.items()}
    effects |= {f"{m} movement over chance": over_seeds(v, "level") for m, v in ratios.items()}
    word, phrase = _all_below_zero(logs)
    note = sentence(
        f"mean over epochs {epoch} to {last}, {len(labels[0].id)} training clips",
        phrase,
        THESE_CLIPS,
        *caveats(runs, data),
    )
    return Evidence(word, effects, note)


def _all_below_zero(values: Mapping[str, np.ndarray]) -> tuple[Word, str]:
    """Judge whether all means are below zero: each by a t-test at 2.5%, Holm to contradict."""
    below = {name: p_value(one, 0, "less") for name, one in values.items()}
    above = holm((p_value(one) for one in values.values()), LEVEL / 2)
    word = verdict(supported=all(p <= LEVEL / 2 for p in below.values()), contradicted=any(above))
    return word, f"p that it is below: {listed(below)}"


def blows_up_midway(runs: Runs) -> Evidence:
    """Test whether Self-MM's targets leave SUGRM's bound midway between the centres (C19).

    Midway are the tenth of the clips nearest to it. Effects are mean log10 of the largest target
    over modalities and epochs from 2 on, against ``BOUND`` and against all other clips.
    """
    systems = followed(recorded_whole(runs))
    if needs := _lacks(runs, _named(systems), _told_midway):
        return not_run(needs)
    ours, theirs = runs.records(*systems.values())
    midway = log10_of_targets(theirs, "largest_midway")
    beyond = {
        "beyond the bound": midway - np.log10(BOUND),
        "beyond other clips": midway - log10_of_targets(theirs, "largest_elsewhere"),
    }
    largest = _largest(ours)
    sugrms = log10_of_targets(ours, "largest_midway") - np.log10(BOUND)
    effects = {f"Self-MM's midway, log10 {name}": over_seeds(v) for name, v in beyond.items()}
    effects |= {
        "Self-MM's midway, times the bound": over_seeds(10 ** beyond["beyond the bound"], "level"),
        "SUGRM's midway, times the bound": over_seeds(10**sugrms, "level"),
    }
    higher = {name: p_value(values) for name, values in beyond.items()}
    lower = p_value(beyond["beyond the bound"], 0, "less")
    bounded = largest <= BOUND + 1e-4
    note = sentence(
        "largest target before the clamp, mean log10 over modalities and epochs from 2 on; midway "
        "are the tenth of the training clips nearest to it",
        f"p that Self-MM's are larger: {listed(higher)}",
        f"largest target of SUGRM's in any epoch {largest:.3g}, bound {BOUND:g}; of Self-MM's "
        f"{_largest(theirs):.3g}",
        THESE_CLIPS,
        *caveats(runs, None),
    )
    word = verdict(
        supported=bounded and all(p <= LEVEL / 2 for p in higher.values()),
        contradicted=not bounded or lower <= LEVEL / 2,
    )
    return Evidence(word, effects, note)


def _largest(records: Sequence[Record]) -> float:
    """Return the largest target of any epoch, midway or elsewhere."""
    fields = "largest_midway", "largest_elsewhere"
    sizes = [v for r in records for field in fields for v in _by_modality(r, field).values()]
    return max(np.nanmax(as_numbers(values)) for values in sizes)


def log10_of_targets(records: Sequence[Record], field: str) -> np.ndarray:
    """Return the mean log10 of each seed over modalities and the epochs that have targets (S,)."""
    each = [
        [np.log10(np.maximum(as_numbers(v)[1:], 1e-6)) for v in _by_modality(r, field).values()]
        for r in records
    ]
    return np.array([np.mean(one) for one in each])


def ends_are_commoner(runs: Runs) -> Evidence:
    """Test whether SUGRM's targets are at an end of the scale more often than Self-MM's (X3)."""
    systems = followed(recorded_whole(runs))
    if needs := _lacks(runs, _named(systems), _of_every_epoch(2)):
        return not_run(needs)
    by_generator = dict(zip(systems, runs.records(*systems.values()), strict=True))
    shares = {name: share_at_the_ends(records) for name, records in by_generator.items()}
    ours, theirs = shares.values()
    effects = {"share at the ends, difference": over_seeds(ours - theirs)} | {
        f"share at the ends, {name}": level_over_seeds(share, 0, 1)
        for name, share in shares.items()
    }
    more, rarer = (p_value(ours - theirs, 0, side) for side in ("greater", "less"))
    note = sentence(
        "targets of SUGRM's generator minus those of Self-MM's in one model, mean over modalities "
        "and the epochs from 2 on",
        f"p that SUGRM's are there more often {p_text(more)}",
        THESE_CLIPS,
        *caveats(runs, None),
    )
    word = verdict(supported=more <= LEVEL / 2, contradicted=rarer <= LEVEL / 2)
    return Evidence(word, effects, note)


def share_at_the_ends(records: Sequence[Record]) -> np.ndarray:
    """Return the mean share at the ends of each seed over modalities and epochs (S,)."""
    each = [_by_modality(record, "clamped").values() for record in records]
    return np.array([np.mean([as_numbers(v)[1:] for v in values]) for values in each])


def labels_agree_with_truth(runs: Runs) -> Evidence:
    """Test how generated labels correlate with true ones, minus the annotated label (C21).

    True labels of a modality are known for simulated data only, and asked of the simulator.
    """
    system = followed(recorded_whole(runs))["SUGRM's"]
    if runs.dataset not in SIMULATED:
        return not_run(["labels of each modality by humans, as in CH-SIMS, or simulated data"])
    if needs := _lacks(runs, {FOLLOWED: system}, _kept):
        return not_run(needs)
    (records,) = runs.records(system)
    labels = [record.extras.labels for record in records]
    truth, effects, gains = true_sentiment(runs.dataset), {}, {}
    last = [{m: epochs[-1] for m, epochs in one.made.items()} for one in labels]
    for m in last[0]:
        true = [[truth[m][clip] for clip in one.id] for one in labels]
        pairs = list(zip(labels, true, strict=True))
        generated = np.array([_correlation(y[m], t) for y, t in zip(last, true, strict=True)])
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
        THESE_CLIPS,
        *caveats(runs, None),
    )
    word = verdict(
        supported=all(p <= LEVEL / 2 for p in higher.values()),
        contradicted=any(
            holm((p_value(values, 0, "less") for values in gains.values()), LEVEL / 2)
        ),
    )
    return Evidence(word, effects, note)


def distances_align(runs: Runs) -> Evidence:
    """Test whether training aligns distances of features with those of labels (C20).

    By Spearman's rho over pairs of test clips, after epoch 1 and in the chosen epoch.
    """
    system = compared(recorded_whole(runs))["SUGRM"]
    if needs := _lacks(runs, {"SUGRM": system}, _has_geometry):
        return not_run(needs)
    (records,) = runs.records(system)
    geometry = [record.extras.geometry for record in records]
    first = as_numbers([one.first for one in geometry])
    selected = as_numbers([one.selected for one in geometry])
    effects = {
        "chosen epoch minus epoch 1": over_seeds(selected - first),
        "chosen epoch": level_over_seeds(selected, -1, 1),
        "epoch 1": level_over_seeds(first, -1, 1),
    }
    grown, fallen = (p_value(selected - first, 0, side) for side in ("greater", "less"))
    flat = int(np.isnan(selected).sum() + np.isnan(first).sum())
    note = sentence(
        "Spearman's correlation of distances of multimodal features with those of labels",
        f"p that it grows {p_text(grown)}",
        f"undefined (features all the same) in {flat} of {2 * len(records)} cases" if flat else "",
        THESE_CLIPS,
        *caveats(runs, None),
    )
    word = verdict(supported=grown <= LEVEL / 2, contradicted=fallen <= LEVEL / 2)
    return Evidence(word, effects, note)


# --- what records must have ---------------------------------------------------------------------


def _lacks(
    runs: Runs,
    systems: Mapping[str, System],
    need_of: Callable[[Record], str],
    data: str | None = None,
) -> list[str]:
    """Return what a test over trainings lacks: data, runs, ``SEEDS`` of them, what they keep."""
    if needs := lacks(runs, data):
        return needs
    if needs := lacking_arms(runs, [Arm(s, name=n) for n, s in systems.items()], SEEDS):
        return needs
    records = [record for seeds in runs.records(*systems.values()) for record in seeds]
    return list(dict.fromkeys(need for record in records if (need := need_of(record))))


FOLLOWED = "SUGRM through all epochs"


def _named(systems: Mapping[str, System]) -> dict[str, System]:
    """Return both generators' systems by the names that notes have."""
    return {f"SUGRM with {whose} labels through all epochs": s for whose, s in systems.items()}


def _of_every_epoch(epochs: int) -> Callable[[Record], str]:
    """Return a function that says what a record lacks of generated labels of so many epochs."""

    def need_of(record: Record) -> str:
        labels = record.extras.labels
        if labels is None or not labels.movement:
            return "records of the generated labels of every epoch"
        if any(len(values) < epochs for values in labels.movement.values()):
            return f"{epochs} epochs or more without early stopping"
        return ""

    return need_of


def _told_midway(record: Record) -> str:
    labels = record.extras.labels
    told = labels is not None and labels.largest_midway
    return "" if told else "the size of targets midway, which older records lack"


def _kept(record: Record) -> str:
    labels = record.extras.labels
    return "" if labels is not None and labels.made else "generated labels of every epoch"


def _has_geometry(record: Record) -> str:
    if record.extras.geometry is not None:
        return ""
    return "distances of features after epoch 1 and in the chosen epoch"


def _by_modality(record: Record, field: str) -> dict[str, list[float | None]]:
    return getattr(record.extras.labels, field)


def _correlation(a: Sequence[float], b: Sequence[float]) -> float:
    if not (varies(a) and varies(b)):
        return np.nan
    return float(np.corrcoef(a, b)[0, 1])


@lru_cache(maxsize=len(SIMULATED))
def true_sentiment(name: str) -> dict[str, dict[str, float]]:
    """Return modality -> clip -> true sentiment of a simulated data set."""
    from msalib.data.simulate import features  # simulating takes seconds

    corpus = features.story(name)
    clips = corpus.utterances.index
    return {
        m: dict(zip(clips, map(float, values), strict=True))
        for m, values in corpus.truth["sentiment"].items()
    }
