"""Tests of SUGRM's claims on sets of unimodal tasks (Table 3)."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import permutations
from typing import NamedTuple

import numpy as np
import pandas as pd

from msalib.base.stats import LEVEL, Estimate, holm
from msalib.data.corpus import MODALITIES
from msalib.data.metrics import METRICS
from msalib.evidence import seeds
from msalib.evidence.common import Evidence, not_run, sentence, why_undefined
from msalib.evidence.seeds import level_over_seeds, listed, p_value, tally, verdict
from msalib.models.unimodal_tasks import tasks
from msalib.papers.sugrm.evidence_systems import LEAST
from msalib.papers.sugrm.plan import recorded_whole, task_grid
from msalib.papers.sugrm.scope import ALL, caveats, in_words, lacks
from msalib.runs.query import Runs


def one_task_hurts(runs: Runs, *, data: str | None = None) -> Evidence:
    """Test whether one unimodal task lowers F1 without zeros and raises MAE (C6)."""
    return _task_sets(runs, data, numbers=(1,), sign=-1, metrics=("f1_non0", "mae"))


def more_tasks_help(runs: Runs, *, data: str | None = None) -> Evidence:
    """Test whether two or three unimodal tasks raise F1 without zeros; MAE is shown (C7)."""
    return _task_sets(runs, data, numbers=(2, 3), sign=1, metrics=("f1_non0",))


def _task_sets(
    runs: Runs, data: str | None, *, numbers: Sequence[int], sign: int, metrics: Sequence[str]
) -> Evidence:
    """Test whether sets of so many tasks differ from none with this sign in all ``metrics``."""
    grid = task_grid(recorded_whole(runs))
    chosen = [name for name in grid if len(_tasks(runs, name)) in numbers]
    systems = [grid["tasks_none"], *(grid[name] for name in chosen)]
    if needs := lacks(runs, data, systems):
        return not_run(needs)
    effects, means, reverse = {}, [], {}
    for name in chosen:
        title = f"{'+'.join(_tasks(runs, name))} "
        gains = seeds.gains(runs, grid[name], grid["tasks_none"], ("f1_non0", "mae"))
        effects |= seeds.differences(gains, title)
        for m in metrics:
            means.append(sign * gains[m].mean())
            reverse[f"{title}{METRICS[m].label}"] = p_value(-sign * gains[m])
    word = verdict(
        supported=len(chosen) > 1 and all(mean > 0 for mean in means),
        contradicted=any(holm(reverse.values())),
    )
    note = sentence(
        "tasks of these modalities as well, minus the multimodal task alone",
        "one variant alone cannot support a count of signs" if len(chosen) == 1 else "",
        f"p of the other way: {listed(reverse)}",
        *caveats(runs, data, systems),
        *why_undefined(runs, systems, effects),
    )
    return Evidence(word, effects, note)


def rises_with_tasks(runs: Runs, *, data: str | None = None) -> Evidence:
    """Test Spearman's correlation of each metric with the number of unimodal tasks (C8)."""
    systems = list(task_grid(recorded_whole(runs)).values())
    if needs := lacks(runs, data, systems):
        return not_run(needs)
    trend = _trend(runs)
    about = [
        "Spearman's correlation with the number of unimodal tasks, of each seed; MAE reversed",
        f"of the means over seeds {_correlations(trend.rho)}",
        f"p over all orders of {len(systems)} sets of tasks: {listed(trend.rises)}",
        *caveats(runs, data, systems),
        *why_undefined(runs, systems, trend.effects),
    ]
    if not _can_show_a_trend(runs):
        need = ["three modalities: of two no trend can reach 5%"]
        return not_run(need, trend.effects, about)
    word = verdict(
        supported=all(p < LEVEL for p in trend.rises.values()),
        contradicted=any(holm(trend.falls.values())),
    )
    return Evidence(word, trend.effects, sentence(*about))


def tasks_help(runs: Runs) -> Evidence:
    """Test all tasks against none in all metrics, and the trend over sets of tasks (C25).

    With fewer than three modalities the trend cannot reach 5%: it is shown, and the first decides.
    """
    grid = task_grid(recorded_whole(runs))
    systems = list(grid.values())
    if needs := lacks(runs, None, systems):
        return not_run(needs)
    gains = seeds.gains(runs, grid["tasks_all"], grid["tasks_none"], ALL)
    trend = _trend(runs)
    effects = seeds.differences(gains) | trend.effects
    tried = _can_show_a_trend(runs)
    word = seeds.better_in_all([gains], least=LEAST, also=trend.falls.values() if tried else ())
    if word == "supported" and tried and not all(p < LEVEL for p in trend.rises.values()):
        word = "inconclusive"
    note = sentence(
        f"{in_words('tasks_all')} minus {in_words('tasks_none')}",
        tally(gains),
        "then Spearman's correlation with the number of tasks, MAE reversed: "
        f"{_correlations(trend.rho)}",
        f"its p: {listed(trend.rises)}" if tried else "of two modalities no trend can reach 5%",
        *caveats(runs, None, systems),
        *why_undefined(runs, systems, effects),
    )
    return Evidence(word, effects, note)


def _tasks(runs: Runs, name: str) -> list[str]:
    return tasks(name, list(recorded_whole(runs)))


def _can_show_a_trend(runs: Runs) -> bool:
    return len(recorded_whole(runs)) == len(MODALITIES)


class _Trend(NamedTuple):
    """Spearman's correlation of each metric with the number of tasks."""

    effects: dict[str, Estimate]  # over seeds
    rho: dict[str, float]  # of the means over seeds, as the following
    rises: dict[str, float]  # p that it is above zero, over all orders of the sets
    falls: dict[str, float]  # p that it is below zero


def _trend(runs: Runs) -> _Trend:
    grid = task_grid(recorded_whole(runs))
    number = _ranks([len(_tasks(runs, name)) for name in grid])
    orders = _orders(tuple(number))
    effects, rho, rises, falls = {}, {}, {}, {}
    for m in ALL:
        sign = 1 if METRICS[m].higher_is_better else -1
        values = np.round(sign * np.stack(seeds.scores(runs, list(grid.values()), m)), 12)  # (K, S)
        by_seed = np.array([_rho(scores, number) for scores in values.T])
        effects[f"rho {METRICS[m].label}"] = level_over_seeds(by_seed, -1, 1)
        rho[m] = _rho(values.mean(1), number)
        if np.isnan(rho[m]):
            rises[m] = falls[m] = np.nan
            continue
        ranks = _ranks(values.mean(1))
        permuted, observed = orders @ ranks, number @ ranks
        rises[m] = float((permuted >= observed - 1e-9).mean())
        falls[m] = float((permuted <= observed + 1e-9).mean())
    return _Trend(effects, rho, rises, falls)


@lru_cache(maxsize=4)
def _orders(ranks: tuple[float, ...]) -> np.ndarray:
    """Return all orders of K ranks, (K!, K)."""
    return np.array(list(permutations(ranks)))


def _rho(values: np.ndarray, ranks: np.ndarray) -> float:
    """Return Spearman's rho; nan where values are undefined or all the same."""
    if np.isnan(values).any() or np.ptp(values) == 0:
        return np.nan
    return float(np.corrcoef(_ranks(values), ranks)[0, 1])


def _ranks(values: Sequence[float]) -> np.ndarray:
    """Return ranks from 1; equal values share their mean rank."""
    return pd.Series(values).rank().to_numpy()


def _correlations(rho: Mapping[str, float]) -> str:
    return ", ".join(
        f"{METRICS[m].label} {'none' if np.isnan(value) else f'{value:+.2f}'}"
        for m, value in rho.items()
    )
