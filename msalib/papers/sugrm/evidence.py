"""Tests of SUGRM's claims on the records of one setting. Templates: papers/sugrm.md (b).

Runs are paired by seed. Intervals are Student's over the seeds, p is that of a one-sided t-test
over them (of differences: the paired test), and a family is corrected by Holm's method. Where a
metric is undefined in a seed there is no p, and where seeds agree to the digit neither; without p
nothing is significant. F1 and Acc-2 are in points of a hundred.

Every setting is judged by itself. A claim that names a corpus is judged on the data sets that
``DATA`` has for it, one that names none on all of them. Rows of the paper that change Self-MM are
corners of one grid of modules (``plan.module_grid``), so that widths and rates do not differ.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import permutations

import numpy as np
from scipy.stats import rankdata, t, ttest_1samp

from msalib.base.stats import LEVEL, Estimate, holm
from msalib.data import datasets as readers
from msalib.data.corpus import MODALITIES, TUNED
from msalib.data.metrics import METRICS
from msalib.evidence.common import (
    Evidence,
    Word,
    lacking_runs,
    not_run,
    sentence,
    why_undefined,
    without,
)
from msalib.models.unimodal_tasks import tasks
from msalib.papers.sugrm.momentum import null_movement
from msalib.papers.sugrm.plan import (
    compared,
    followed,
    losses,
    module_grid,
    recorded_whole,
    task_grid,
)
from msalib.runs.query import Runs
from msalib.runs.records import Record
from msalib.runs.spec import System

ALL = ("f1_has0", "f1_non0", "acc2_has0", "acc2_non0", "mae", "corr")
"""The metrics that the paper prints."""

LEAST = 4
"""Of these six must be better with p below 0.05 for a system to count as better."""

SIMULATED = ("control", "control-opposite")

DATA: Mapping[str, tuple[str, ...]] = {
    "CMU-MOSI": ("mosi", *SIMULATED),
    "unaligned CMU-MOSI": ("mosi", *SIMULATED),
    "aligned CMU-MOSI": ("mmmo-stretched",),
    "CMU-MOSI, not simulated": ("mosi",),
    "unaligned CMU-MOSEI": ("mosei", *SIMULATED),
    "aligned CMU-MOSEI": (),
}
"""What a claim is about -> data sets on which it is judged. Simulated sequences are unaligned."""

ABOUT = {
    ("unaligned CMU-MOSI", "mosi"): "speech is one vector per clip, which counts as unaligned",
    ("aligned CMU-MOSI", "mmmo-stretched"): "ICT-MMMO, aligned to words, stands in for CMU-MOSI",
}
"""What must be said of data that are not quite what a claim is about."""

COMPARABLE = {"%": 0.5, "": 0.010}
"""By unit of the metric, points of F1 and Acc-2 first; the others have that of ``""``."""

MINUSCULE = {"%": 0.5, "": 0.005}

EARLY = 4
"""Epoch with whose drift of targets a later one is compared (C18): the second that has one."""

BOUND = 9.0
"""|y_m| + 6 for the largest label: no target of SUGRM's generator lies beyond (C19)."""

OFTEN = 0.8
"""Four of five seeds (C18)."""

COSTS = {"parameters": "parameters", "seconds_median": "time", "peak_bytes": "memory"}
"""What is on record of the cost of a sequence encoder, and its word."""

WORDS = {
    "tasks_all": "all tasks",
    "tasks_none": "the multimodal task alone",
    "l1": "L1",
    "l2": "L2",
    "huber": "Huber",
    "mrm": "recalibration",
    "no_mrm": "no recalibration",
    "spt": "sparse transformer",
    "dense": "full transformer",
    "lstm": "LSTM",
    "own_ulgm": "SUGRM's labels",
    "other_ulgm": "Self-MM's labels",
}

UNLIKE = "of the words, Self-MM and the LSTM read the first position, the transformers all of them"
"""Why a comparison decides nothing where words are not encoded by a model that is trained along."""

GRID = "corners of one grid of modules, with SUGRM's widths and rates"

Named = str | list[str]
"""A system: its name in ``plan``, or its three modules."""

Gains = dict[str, np.ndarray]
"""Metric -> what one system is better by than another, of each seed (S,)."""

Judged = tuple[Word, list[str]]
"""A verdict, and phrases that tell what it rests on."""


# --- one system against another -----------------------------------------------------------------


def better_in_all(runs: Runs, *, of: Named, than: Named, data: str | None = None) -> Evidence:
    """All six metrics better, ``LEAST`` of them with p (C1, C2, C5, C9, C12, C14, C16)."""
    return _pair(runs, of, than, data, lambda gains: (_better([gains]), [_tally(gains)]))


def no_worse(runs: Runs, *, of: Named, than: Named, data: str | None = None) -> Evidence:
    """No loss beyond the margin of ``COMPARABLE`` in any metric, shown for each (C3a, C3b)."""

    def judge(gains: Gains) -> Judged:
        within = {m: _p(own, -_margin(COMPARABLE, m)) for m, own in gains.items()}
        beyond = [_p(own, -_margin(COMPARABLE, m), "less") for m, own in gains.items()]
        verdict = _verdict(
            supported=all(p < LEVEL for p in within.values()), contradicted=any(holm(beyond))
        )
        return verdict, [f"p that a loss is within 0.5 points or 0.010: {_listed(within)}"]

    return _pair(runs, of, than, data, judge)


def limited_gain(runs: Runs, *, of: Named, than: Named, data: str | None = None) -> Evidence:
    """MAE and correlation better, and F1 not (C10)."""

    def judge(gains: Gains) -> Judged:
        p, errors, f1 = _ps(gains), ("mae", "corr"), ("f1_has0", "f1_non0")
        against = [_p(gains[m], 0, "less") for m in errors] + [p[m] for m in f1]
        verdict = _verdict(
            supported=all(p[m] < LEVEL for m in errors) and all(p[m] >= LEVEL for m in f1),
            contradicted=any(holm(against)),
        )
        return verdict, [_tally(gains)]

    return _pair(runs, of, than, data, judge)


def changes_little(runs: Runs, *, of: Named, than: Named, data: str | None = None) -> Evidence:
    """The half of C11 on the smaller corpus: it can fail here, and both halves take two corpora."""

    def judge(gains: Gains) -> Judged:
        beyond = {
            f"{METRICS[m].label} {word}": _p(own, sign * _margin(COMPARABLE, m), side)
            for m, own in gains.items()
            for word, sign, side in (("gains", 1, "greater"), ("loses", -1, "less"))
        }
        phrases = [
            f"p that a difference exceeds 0.5 points or 0.010: {_listed(beyond)}",
            "that it matters on CMU-MOSEI is not tried here",
        ]
        verdict = _verdict(supported=False, contradicted=any(holm(beyond.values())))
        return verdict, phrases

    return _pair(runs, of, than, data, judge)


def improvements(
    runs: Runs, *, of: list[Named], than: Named, least: int, data: str | None = None
) -> Evidence:
    """So many differences are improvements, of several systems from one, six metrics (C13)."""
    other, *systems = (_system(runs, name) for name in (than, *of))
    if needs := _lacks(runs, data, [other, *systems]):
        return not_run(needs)
    all_gains = [_gains(runs, own, other) for own in systems]
    effects = {}
    for name, gains in zip(of, all_gains, strict=True):
        effects |= _differences(gains, f"{_words(name)} ")
    means = np.array([own.mean() for gains in all_gains for own in gains.values()])
    up, down = (means > 0).sum(), (means < 0).sum()
    verdict: Word = "inconclusive"
    if up >= least:
        verdict = "supported"
    elif down >= least:
        verdict = "contradicted"
    note = sentence(
        f"each minus {_words(than)}",
        f"{up} of {means.size} differences are improvements, {down} losses",
        *_about(runs, data, [other, *systems], than),
        *why_undefined(runs, [other, *systems], effects),
    )
    return Evidence(_fair(runs, [other, *systems], verdict), effects, note)


def full_gains_little(runs: Runs, *, of: Named, than: Named, data: str | None = None) -> Evidence:
    """No gain beyond ``MINUSCULE``, at a higher cost: ``of`` is the costly one (C15)."""

    def judge(gains: Gains) -> Judged:
        beyond = {m: _p(own, _margin(MINUSCULE, m)) for m, own in gains.items()}
        on_record = _timed() or {}
        cost = {
            word: on_record[key]["dense"] / on_record[key]["spt"]
            for key, word in COSTS.items()
            if key in on_record
        }
        verdict = _verdict(
            supported=bool(cost) and min(cost.values()) > 1 and _at_most(gains, MINUSCULE),
            contradicted=any(holm(beyond.values())) or (bool(cost) and max(cost.values()) <= 1),
        )
        ratios = ", ".join(f"{word} {ratio:.2f}" for word, ratio in cost.items())
        phrases = [
            f"p that a gain exceeds 0.5 points or 0.005: {_listed(beyond)}",
            f"full over sparse transformer, at CMU-MOSI's sizes: {ratios}"
            if cost
            else "cost not run: needs a record of times (python -m msalib.papers.sugrm.timing)",
        ]
        return verdict, phrases

    return _pair(runs, of, than, data, judge)


def mostly_better(runs: Runs, *, of: Named, than: Named, data: str | None = None) -> Evidence:
    """``LEAST`` of six better with p, and no gain of the other beyond ``MINUSCULE`` (C17)."""

    def judge(gains: Gains) -> Judged:
        beyond = {m: _p(own, -_margin(MINUSCULE, m), "less") for m, own in gains.items()}
        clear = sum(p < LEVEL for p in _ps(gains).values())
        other = {m: -own for m, own in gains.items()}
        verdict = _verdict(
            supported=clear >= LEAST and _at_most(other, MINUSCULE),
            contradicted=any(holm(beyond.values())),
        )
        told = f"p that the other gains more than 0.5 points or 0.005: {_listed(beyond)}"
        return verdict, [_tally(gains), told]

    return _pair(runs, of, than, data, judge)


def _pair(
    runs: Runs, of: Named, than: Named, data: str | None, judge: Callable[[Gains], Judged]
) -> Evidence:
    """One system against another: six gains, and what ``judge`` makes of them."""
    pair = [_system(runs, name) for name in (of, than)]
    if needs := _lacks(runs, data, pair):
        return not_run(needs)
    gains = _gains(runs, *pair)
    effects = _differences(gains)
    verdict, phrases = judge(gains)
    note = sentence(
        f"{_words(of)} minus {_words(than)}",
        *phrases,
        *_about(runs, data, pair, of, than),
        *why_undefined(runs, pair, effects),
    )
    return Evidence(_fair(runs, pair, verdict), effects, note)


def _verdict(*, supported: bool, contradicted: bool) -> Word:
    """What contradicts comes first."""
    return "contradicted" if contradicted else "supported" if supported else "inconclusive"


def best_loss(runs: Runs, *, of: str, than: list[str], points: float) -> Evidence:
    """Better in all against each other loss, in F1 without zeros by so many points (C22)."""
    own, *others = (_system(runs, name) for name in (of, *than))
    if needs := _lacks(runs, None, [own, *others]):
        return not_run(needs)
    all_gains = [_gains(runs, own, other) for other in others]
    effects, phrases = {}, []
    for name, gains in zip(than, all_gains, strict=True):
        effects |= _differences(gains, f"minus {_words(name)} ")
        phrases.append(f"against {_words(name)} {_tally(gains)}")
    verdict = _better(all_gains)
    if verdict == "supported" and any(g["f1_non0"].mean() < points for g in all_gains):
        verdict = "inconclusive"
    note = sentence(
        f"{_words(of)} minus another loss",
        *phrases,
        *_about(runs, None, [own]),
        *why_undefined(runs, [own, *others], effects),
    )
    return Evidence(verdict, effects, note)


def only_both_help(runs: Runs, *, data: str | None = None) -> Evidence:
    """Recalibration, sparse transformer and both, each against neither (X1).

    Of F1 without zeros and MAE, with SUGRM's label generator; the interaction is shown.
    """
    corners = {
        "recalibration alone": ["mrm", "lstm", "own_ulgm"],
        "sparse transformer alone": ["no_mrm", "spt", "own_ulgm"],
        "both": ["mrm", "spt", "own_ulgm"],
    }
    neither = _system(runs, ["no_mrm", "lstm", "own_ulgm"])
    systems = {name: _system(runs, modules) for name, modules in corners.items()}
    wanted = [neither, *systems.values()]
    if needs := _lacks(runs, data, wanted):
        return not_run(needs)
    metrics = ("f1_non0", "mae")
    effects, claimed, reverse = {}, {}, {}
    for name, own in systems.items():
        gains = _gains(runs, own, neither, metrics)
        effects |= _differences(gains, f"{name} ")
        sides = ("greater", "less") if name == "both" else ("less", "greater")
        for m, values in gains.items():
            claimed[name, m], reverse[name, m] = (_p(values, 0, side) for side in sides)
    for m in metrics:
        none, first, second, both = _values(runs, wanted, m)
        effects[f"interaction {_label(m)}"] = over_seeds(both - first - second + none)
    verdict: Word = "inconclusive"
    if any(holm(reverse.values())):
        verdict = "contradicted"
    elif all(holm(claimed.values())):
        verdict = "supported"
    p = {f"{name} {METRICS[m].label}": own for (name, m), own in claimed.items()}
    note = sentence(
        "minus neither, with SUGRM's labels; the interaction is both minus each alone plus neither",
        f"p that one alone is worse and both are better: {_listed(p)}",
        GRID,
        *_about(runs, data, wanted),
        *why_undefined(runs, wanted, effects),
    )
    return Evidence(_fair(runs, wanted, verdict), effects, note)


# --- sets of tasks ------------------------------------------------------------------------------


def one_task_hurts(runs: Runs, *, data: str | None = None) -> Evidence:
    """One unimodal task beside the multimodal one: lower F1 without zeros, higher MAE (C6)."""
    return _task_sets(runs, data, numbers=(1,), sign=-1, metrics=("f1_non0", "mae"))


def more_tasks_help(runs: Runs, *, data: str | None = None) -> Evidence:
    """Two or three unimodal tasks: higher F1 without zeros; MAE is shown (C7)."""
    return _task_sets(runs, data, numbers=(2, 3), sign=1, metrics=("f1_non0",))


def _task_sets(
    runs: Runs, data: str | None, *, numbers: Sequence[int], sign: int, metrics: Sequence[str]
) -> Evidence:
    """Sets of so many unimodal tasks against none: all means of ``metrics`` have this sign."""
    grid = task_grid(recorded_whole(runs))
    chosen = [name for name in grid if len(_tasks(runs, name)) in numbers]
    wanted = [grid["tasks_none"], *(grid[name] for name in chosen)]
    if needs := _lacks(runs, data, wanted):
        return not_run(needs)
    effects, means, reverse = {}, [], {}
    for name in chosen:
        own = f"{'+'.join(_tasks(runs, name))} "
        gains = _gains(runs, grid[name], wanted[0], ("f1_non0", "mae"))
        effects |= _differences(gains, own)
        for m in metrics:
            means.append(sign * gains[m].mean())
            reverse[f"{own}{METRICS[m].label}"] = _p(-sign * gains[m])
    verdict: Word = "inconclusive"
    if any(holm(reverse.values())):
        verdict = "contradicted"
    elif len(chosen) > 1 and all(mean > 0 for mean in means):
        verdict = "supported"
    note = sentence(
        "tasks of these modalities as well, minus the multimodal task alone",
        "one variant alone cannot support a count of signs" if len(chosen) == 1 else "",
        f"p of the other way: {_listed(reverse)}",
        *_about(runs, data, wanted),
        *why_undefined(runs, wanted, effects),
    )
    return Evidence(verdict, effects, note)


def rises_with_tasks(runs: Runs, *, data: str | None = None) -> Evidence:
    """Spearman's correlation of each metric with the number of unimodal tasks (C8)."""
    wanted = list(task_grid(recorded_whole(runs)).values())
    if needs := _lacks(runs, data, wanted):
        return not_run(needs)
    effects, rho, rises, falls = _trend(runs)
    about = [
        "Spearman's correlation with the number of unimodal tasks, of each seed; MAE reversed",
        f"of the means over seeds {_correlations(rho)}",
        f"p over all orders of {len(wanted)} sets of tasks: {_listed(rises)}",
        *_about(runs, data, wanted),
        *why_undefined(runs, wanted, effects),
    ]
    if len(recorded_whole(runs)) < len(MODALITIES):
        return not_run(["three modalities: of two no trend can reach 5%"], effects, about)
    verdict: Word = "inconclusive"
    if any(holm(falls.values())):
        verdict = "contradicted"
    elif all(p < LEVEL for p in rises.values()):
        verdict = "supported"
    return Evidence(verdict, effects, sentence(*about))


def tasks_help(runs: Runs) -> Evidence:
    """All tasks against none in all metrics, and the trend over sets of tasks (C25).

    With fewer than three modalities the trend cannot reach 5%: it is shown, and the first decides.
    """
    grid = task_grid(recorded_whole(runs))
    wanted = list(grid.values())
    if needs := _lacks(runs, None, wanted):
        return not_run(needs)
    gains = _gains(runs, grid["tasks_all"], grid["tasks_none"])
    trend, rho, rises, falls = _trend(runs)
    effects = _differences(gains) | trend
    tried = len(recorded_whole(runs)) == len(MODALITIES)
    verdict = _better([gains], falls.values() if tried else ())
    if verdict == "supported" and tried and not all(p < LEVEL for p in rises.values()):
        verdict = "inconclusive"
    note = sentence(
        f"{_words('tasks_all')} minus {_words('tasks_none')}",
        _tally(gains),
        f"then Spearman's correlation with the number of tasks, MAE reversed: {_correlations(rho)}",
        f"its p: {_listed(rises)}" if tried else "of two modalities no trend can reach 5%",
        *_about(runs, None, wanted),
        *why_undefined(runs, wanted, effects),
    )
    return Evidence(verdict, effects, note)


def _tasks(runs: Runs, name: str) -> list[str]:
    return tasks(name, list(recorded_whole(runs)))


def _trend(runs: Runs) -> tuple[dict[str, Estimate], *tuple[dict[str, float], ...]]:
    """Of each metric: rho over seeds; of the seed means rho, p that it is above, below zero."""
    grid = task_grid(recorded_whole(runs))
    number = rankdata([len(_tasks(runs, name)) for name in grid])
    orders = _orders(tuple(number))
    effects, rho, above, below = {}, {}, {}, {}
    for m in ALL:
        sign = 1 if METRICS[m].higher_is_better else -1
        values = np.round(sign * np.stack(_values(runs, list(grid.values()), m)), 12)  # (K, S)
        effects[f"rho {METRICS[m].label}"] = level_over_seeds(
            np.array([_rho(own, number) for own in values.T]), -1, 1
        )
        rho[m] = _rho(values.mean(1), number)
        if np.isnan(rho[m]):
            above[m] = below[m] = np.nan
            continue
        ranks = rankdata(values.mean(1))
        drawn, found = orders @ ranks, number @ ranks
        above[m] = float((drawn >= found - 1e-9).mean())
        below[m] = float((drawn <= found + 1e-9).mean())
    return effects, rho, above, below


@lru_cache(maxsize=4)
def _orders(ranks: tuple[float, ...]) -> np.ndarray:
    """All orders of these, (orders, K)."""
    return np.array(list(permutations(ranks)))


def _rho(values: np.ndarray, ranks: np.ndarray) -> float:
    """Spearman's correlation; nan where values are undefined or all the same."""
    if np.isnan(values).any() or np.ptp(values) == 0:
        return np.nan
    return float(np.corrcoef(rankdata(values), ranks)[0, 1])


# --- generated labels ---------------------------------------------------------------------------


def labels_settle(runs: Runs, *, epoch: int, most: float, data: str | None = None) -> Evidence:
    """Movement from ``epoch`` on, against ``most`` and half of chance; drift of targets (C18)."""
    wanted = followed(recorded_whole(runs))["SUGRM's"]
    if needs := _lacks(runs, data, [wanted]):
        return not_run(needs)
    (own,) = runs.records(wanted)
    if needs := _lacks_labels(own, epoch):
        return not_run(needs)
    last = min(len(values) for record in own for values in record.extras.labels.movement.values())
    chance = _numbers(null_movement(last))[epoch - 1 :]
    effects, settled, moving = {}, [], []
    for m in own[0].extras.labels.movement:
        moved = np.array([_numbers(r.extras.labels.movement[m])[epoch - 1 : last] for r in own])
        drift = np.array([_numbers(r.extras.labels.drift[m])[:last] for r in own])
        before = drift[:, EARLY - 1]
        found = {
            f"{m} largest movement": (moved.max(1), most),
            f"{m} over chance": ((moved / chance).max(1), 0.5),
            f"{m} drift over epoch {EARLY}": (
                drift[:, epoch - 1] / np.where(before > 0, before, np.nan),
                0.5,
            ),
        }
        for name, (values, limit) in found.items():
            effects[name] = over_seeds(values, "level")
            settled.append(values.mean() <= limit)
        moving.append(moved.max(1) > most)
    share = np.any(moving, 0).mean()
    verdict: Word = "inconclusive"
    if share >= OFTEN:
        verdict = "contradicted"
    elif all(settled):
        verdict = "supported"
    note = sentence(
        f"largest from epoch {epoch} to {last}, mean over seeds; drift of targets in epoch {epoch}",
        f"limits {most:g}, half of chance and half of epoch {EARLY}",
        f"labels of some modality move by more than {most:g} in {share:.0%} of seeds",
        *_about(runs, data, [wanted]),
    )
    return Evidence(verdict, effects, note)


def ends_are_rarer(runs: Runs) -> Evidence:
    """Share of targets at an end of the scale and their size, by label generator (C19)."""
    systems = followed(recorded_whole(runs))
    if needs := _lacks(runs, None, list(systems.values())):
        return not_run(needs)
    found = runs.records(*systems.values())
    if needs := _lacks_labels([record for own in found for record in own], 2):
        return not_run(needs)
    effects, shares, largest = {}, {}, {}
    for name, own in zip(systems, found, strict=True):
        shares[name] = _mean_over_epochs(own, "clamped")
        effects[f"share at the ends, {name}"] = level_over_seeds(shares[name], 0, 1)
        size = _mean_over_epochs(own, "percentile")
        effects[f"99th percentile of size, {name}"] = over_seeds(size, "level")
        largest[name] = max(
            np.max(_numbers(values)[1:])
            for r in own
            for values in r.extras.labels.percentile.values()
        )
    ours, theirs = shares.values()
    effects = {"share at the ends, difference": over_seeds(ours - theirs)} | effects
    rarer, more = (_p(ours - theirs, 0, side) for side in ("less", "greater"))
    verdict: Word = "inconclusive"
    if more < LEVEL:
        verdict = "contradicted"
    elif rarer < LEVEL and largest["SUGRM's"] <= BOUND + 1e-4:
        verdict = "supported"
    note = sentence(
        "targets of SUGRM's generator minus those of Self-MM's in one model, mean over modalities "
        "and the epochs from 2 on",
        f"p that SUGRM's are at an end less often {_told(rarer)}",
        "largest 99th percentile of any epoch "
        + ", ".join(f"{name} {size:.3g}" for name, size in largest.items())
        + f", bound of SUGRM's {BOUND:g}",
        *_about(runs, None, list(systems.values())),
    )
    return Evidence(verdict, effects, note)


def labels_agree_with_truth(runs: Runs) -> Evidence:
    """Correlation of generated labels with true ones of each modality, minus the clip's (C21).

    True labels are known of simulated data; of the real ones here there are none.
    """
    wanted = followed(recorded_whole(runs))["SUGRM's"]
    if needs := _lacks(runs, None, [wanted]):
        return not_run(needs)
    name = runs.dataset
    if name not in SIMULATED:
        return not_run(["labels of each modality by humans, as in CH-SIMS, or simulated data"])
    (own,) = runs.records(wanted)
    if not all(record.extras.labels is not None and record.extras.labels.made for record in own):
        return not_run(["generated labels of every epoch"])
    truth, effects, gains = _true_sentiment(name), {}, {}
    for m in own[0].extras.labels.made:
        made, given = [], []
        for record in own:
            true = [truth[m][clip] for clip in record.extras.labels.id]
            made.append(_correlation(record.extras.labels.made[m][-1], true))
            given.append(_correlation(record.extras.labels.given, true))
        gains[m] = np.round(np.array(made) - given, 12)
        effects[f"{m} difference"] = over_seeds(gains[m])
        effects[f"{m} generated"] = level_over_seeds(np.array(made), -1, 1)
        effects[f"{m} clip's"] = level_over_seeds(np.array(given), -1, 1)
    higher = {m: _p(values) for m, values in gains.items()}
    verdict: Word = "inconclusive"
    if any(holm(_p(values, 0, "less") for values in gains.values())):
        verdict = "contradicted"
    elif all(p < LEVEL for p in higher.values()):
        verdict = "supported"
    flat = [m for m, values in gains.items() if np.isnan(values).any()]
    note = sentence(
        "correlation with the true sentiment of the modality: labels of the last epoch minus the "
        "clip's own label, training clips",
        f"p that it is higher: {_listed(higher)}",
        f"undefined (labels all the same) for {', '.join(flat)}" if flat else "",
        *_about(runs, None, [wanted]),
    )
    return Evidence(verdict, effects, note)


def _lacks_labels(own: Sequence[Record], epochs: int) -> list[str]:
    """What records have not of their labels: any, or so many epochs."""
    if any(record.extras.labels is None or not record.extras.labels.movement for record in own):
        return ["records of the generated labels of every epoch"]
    if any(len(v) < epochs for record in own for v in record.extras.labels.movement.values()):
        return [f"{epochs} epochs or more without early stopping"]
    return []


def _mean_over_epochs(own: Sequence[Record], field: str) -> np.ndarray:
    """Of each seed, over modalities and the epochs that have targets: (S,)."""
    per_modality = [getattr(record.extras.labels, field).values() for record in own]
    return np.array([np.mean([_numbers(v)[1:] for v in values]) for values in per_modality])


def _numbers(values: Sequence[float | None]) -> np.ndarray:
    """By epoch; nan where there is none."""
    return np.array([np.nan if v is None else v for v in values])


def _correlation(a: Sequence[float], b: Sequence[float]) -> float:
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return np.nan
    return float(np.corrcoef(a, b)[0, 1])


@lru_cache(maxsize=len(SIMULATED))
def _true_sentiment(name: str) -> dict[str, dict[str, float]]:
    """Modality -> clip -> its true sentiment, of simulated data."""
    from msalib.data.simulate import stories as simulate

    corpus = simulate.story(name)
    clips = corpus.utterances.index
    return {
        m: dict(zip(clips, map(float, values), strict=True))
        for m, values in corpus.truth["sentiment"].items()
    }


# --- geometry, time, size -----------------------------------------------------------------------


def distances_agree(runs: Runs, *, least: float) -> Evidence:
    """Spearman's correlation of distances of features and of labels, test clips (C20)."""
    wanted = compared(recorded_whole(runs))["SUGRM"]
    if needs := _lacks(runs, None, [wanted]):
        return not_run(needs)
    (own,) = runs.records(wanted)
    if any(record.extras.geometry is None for record in own):
        return not_run(["distances of features after epoch 1 and in the chosen epoch"])
    first, chosen = (
        _numbers([getattr(record.extras.geometry, when) for record in own])
        for when in ("first", "selected")
    )
    effects = {
        "chosen epoch": level_over_seeds(chosen, -1, 1),
        "epoch 1": level_over_seeds(first, -1, 1),
        "chosen epoch minus epoch 1": over_seeds(chosen - first),
    }
    high, low, grown = _p(chosen, least), _p(chosen, least, "less"), _p(chosen - first)
    verdict: Word = "inconclusive"
    if low < LEVEL:
        verdict = "contradicted"
    elif high < LEVEL and grown < LEVEL:
        verdict = "supported"
    flat = int(np.isnan(chosen).sum() + np.isnan(first).sum())
    note = sentence(
        "Spearman's correlation of distances of multimodal features with those of labels",
        f"p that it is above {least:g} {_told(high)}, below {_told(low)}, above epoch 1 "
        f"{_told(grown)}",
        f"undefined (features all the same) in {flat} of {2 * len(own)} cases" if flat else "",
        *_about(runs, None, [wanted]),
    )
    return Evidence(verdict, effects, note)


def takes_longer(runs: Runs, *, low: float, high: float, data: str | None = None) -> Evidence:
    """Ratio of the medians of timed passes, SUGRM over Self-MM, from ``low`` to ``high`` (C23).

    Of models without a text encoder (``timing``), so the same for every encoder of the texts.
    """
    from msalib.papers.sugrm import timing

    wanted = compared(recorded_whole(runs))["SUGRM"]
    if needs := _lacks(runs, data, [wanted]):
        return not_run(needs)
    found = _timed() or {}
    title = readers.dataset(runs.dataset).title
    passes = found.get("inference", {})
    if (
        not found.get("inference_on", "").startswith(f"{title},")
        or min(map(len, passes.values())) < timing.PASSES
    ):
        return not_run([f"{timing.PASSES} timed passes of each model over the test part"])
    ratio = timing.ratio(passes)
    verdict: Word = "inconclusive"
    if low <= ratio.value <= high:
        verdict = "supported"
    elif ratio.high < low or ratio.low > high:
        verdict = "contradicted"
    estimate = Estimate(ratio.value, ratio.low, ratio.high, np.nan, kind="level")
    note = sentence(
        f"passes over {found['inference_on']}, in turn, SUGRM over Self-MM, both without a text "
        f"encoder; limits {low:g} and {high:g}",
        *_about(runs, data, [wanted]),
    )
    return Evidence(verdict, {"ratio of medians": estimate}, note)


def share_of_parameters(runs: Runs, *, most: float, data: str | None = None) -> Evidence:
    """Parameters of the sparse transformer over those of MulT's encoder, by count (C24).

    At the widths of the paper: no record decides, the setting only says where it is shown.
    """
    from msalib.papers.sugrm import timing

    wanted = compared(recorded_whole(runs))["SUGRM"]
    if needs := _lacks(runs, data, [wanted]):
        return not_run(needs)
    counts = timing.parameters()
    sparse, full = counts["spt"], counts["dense"]
    ratio = sparse / full
    effects = {"ratio": Estimate(ratio, ratio, ratio, np.nan, kind="level")}
    widths = ", ".join(f"{m} {size}" for m, size in timing.SIZES.items())
    note = sentence(
        f"{sparse:,} against {full:,} parameters at the paper's widths ({widths}), limit {most:g}",
        "a count, which has no interval and depends on no run",
        "how MulT's parts are wired in the ablation is inferred",
    )
    return Evidence("supported" if ratio <= most else "contradicted", effects, note)


def _timed() -> dict | None:
    """What is on record of times and memory."""
    from msalib.papers.sugrm import timing  # with it loads torch

    return timing.read()


# --- what a setting has -------------------------------------------------------------------------


def _system(runs: Runs, name: Named) -> System:
    """A system by its name in ``plan``, or by its modules."""
    whole = recorded_whole(runs)
    if isinstance(name, list):
        return module_grid(whole)[tuple(name)]
    return (compared(whole) | task_grid(whole) | losses(whole))[name]


def _lacks(runs: Runs, data: str | None, wanted: Sequence[System]) -> list[str]:
    """What a test needs and the setting has not: its data, several modalities, runs."""
    if data is not None and runs.dataset not in DATA[data]:
        return [data]
    if len(recorded_whole(runs)) < 2:
        return ["several modalities of the same clips"]
    needed = lacking_runs(runs, *wanted)
    return [needed] if needed else []


def _about(runs: Runs, data: str | None, wanted: Sequence[System], *names: Named) -> list[str]:
    """What a reader must know of the data and of the systems."""
    absent = [m for m in MODALITIES if m not in recorded_whole(runs)]
    stands = ABOUT.get((data, runs.dataset), "")
    grid = GRID if any(isinstance(name, list) for name in names) else ""
    unlike = ""
    if _unlike(runs, wanted):
        simulated = runs.dataset in SIMULATED
        words = "words that are read alike" if simulated else "a text encoder that is trained along"
        unlike = f"needs {words}: {UNLIKE}"
    return [unlike, stands, grid, *without(absent)]


def _unlike(runs: Runs, wanted: Sequence[System]) -> bool:
    """Whether some of these read the whole of a frozen text and others its first position."""
    if recorded_whole(runs).get("linguistic", TUNED) == TUNED:
        return False
    with_text = [s for s in wanted if dict(s.inputs).keys() >= {"linguistic"}]
    first = {
        s.choice("family", paper="sugrm") == "self_mm"
        or s.choice("sequence", paper="sugrm") == "lstm"
        for s in with_text
    }
    return len(first) > 1


def _fair(runs: Runs, wanted: Sequence[System], verdict: Word) -> Word:
    """The verdict where the systems read the same of the text; else none."""
    return "not run" if _unlike(runs, wanted) else verdict


# --- over seeds ---------------------------------------------------------------------------------


def level_over_seeds(values: np.ndarray, lowest: float, highest: float) -> Estimate:
    """The same of a share or a correlation, whose interval ends where values must."""
    found = over_seeds(values, "level")
    return found._replace(low=max(found.low, lowest), high=min(found.high, highest))


def over_seeds(values: np.ndarray, kind: str = "difference") -> Estimate:
    """Mean of values (S,) with Student's 95% interval and two-sided p against zero."""
    mean, error = values.mean(), values.std(ddof=1) / np.sqrt(len(values))
    half = t.ppf(1 - LEVEL / 2, len(values) - 1) * error
    p = 2 * np.fmin(_p(values), _p(values, 0, "less"))
    seeds = tuple(float(v) for v in values)
    return Estimate(float(mean), float(mean - half), float(mean + half), float(p), seeds, kind)


def _values(runs: Runs, systems: Sequence[System], metric: str) -> list[np.ndarray]:
    """Of each system, by shared seed (S,): shares in points of a hundred, nan where undefined."""
    scale = 100 if METRICS[metric].unit == "%" else 1
    return [
        scale * _numbers([record.metrics["test"][metric] for record in own])
        for own in runs.records(*systems)
    ]


def _gains(runs: Runs, of: System, than: System, metrics: Sequence[str] = ALL) -> Gains:
    """What ``of`` is better by than ``than``, by metric."""
    gains = {}
    for metric in metrics:
        ours, theirs = _values(runs, [of, than], metric)
        sign = 1 if METRICS[metric].higher_is_better else -1
        gains[metric] = np.round(sign * (ours - theirs), 12)
    return gains


def _differences(gains: Gains, prefix: str = "") -> dict[str, Estimate]:
    """As they are shown: MAE with its own sign, lower is better."""
    return {
        f"{prefix}{_label(m)}": over_seeds(own if METRICS[m].higher_is_better else -own)
        for m, own in gains.items()
    }


def _p(values: np.ndarray, than: float = 0.0, side: str = "greater") -> float:
    """One-sided t-test of the mean over seeds against ``than``; nan where there can be none."""
    if np.isnan(values).any() or np.ptp(values) < 1e-9:
        return np.nan
    return float(ttest_1samp(values, than, alternative=side).pvalue)


def _ps(gains: Gains) -> dict[str, float]:
    return {m: _p(own) for m, own in gains.items()}


def _better(all_gains: Sequence[Gains], also: Iterable[float] = ()) -> Word:
    """Whether one system is better in each comparison: all means, and ``LEAST`` with p.

    One metric that is worse contradicts, after Holm over all comparisons and the p of ``also``.
    """
    worse = [_p(own, 0, "less") for gains in all_gains for own in gains.values()]
    if any(holm([*worse, *also])):
        return "contradicted"
    better = all(own.mean() > 0 for gains in all_gains for own in gains.values())
    clear = all(sum(p < LEVEL for p in _ps(gains).values()) >= LEAST for gains in all_gains)
    return "supported" if better and clear else "inconclusive"


def _margin(margins: Mapping[str, float], metric: str) -> float:
    return margins["%" if METRICS[metric].unit == "%" else ""]


def _at_most(gains: Gains, margins: Mapping[str, float]) -> bool:
    """Whether no mean gain exceeds its margin."""
    return all(own.mean() <= _margin(margins, m) for m, own in gains.items())


# --- words --------------------------------------------------------------------------------------


def _words(name: Named) -> str:
    parts = name if isinstance(name, list) else [name]
    return ", ".join(WORDS.get(part, part) for part in parts)


def _label(metric: str) -> str:
    return METRICS[metric].label + (", points" if METRICS[metric].unit == "%" else "")


def _tally(gains: Gains) -> str:
    p = _ps(gains)
    better = sum(own.mean() > 0 for own in gains.values())
    clear = sum(own < LEVEL for own in p.values())
    return f"better in {better} of {len(gains)}, with p below 0.05 in {clear} (p: {_listed(p)})"


def _listed(values: Mapping[str, float]) -> str:
    """p by metric, or by another name."""
    return ", ".join(
        f"{METRICS[name].label if name in METRICS else name} {_told(p)}"
        for name, p in values.items()
    )


def _told(p: float) -> str:
    if np.isnan(p):
        return "none"
    return f"{p:.3f}" if p >= 0.0005 else "below 0.001"


def _correlations(rho: Mapping[str, float]) -> str:
    return ", ".join(
        f"{METRICS[m].label} {'none' if np.isnan(value) else f'{value:+.2f}'}"
        for m, value in rho.items()
    )


TESTS = (
    better_in_all,
    no_worse,
    limited_gain,
    changes_little,
    improvements,
    full_gains_little,
    mostly_better,
    best_loss,
    only_both_help,
    one_task_hurts,
    more_tasks_help,
    rises_with_tasks,
    tasks_help,
    labels_settle,
    ends_are_rarer,
    labels_agree_with_truth,
    distances_agree,
    takes_longer,
    share_of_parameters,
)
