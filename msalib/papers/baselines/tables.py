"""The page on baselines: which model is best, and how far from a constant prediction."""

from collections.abc import Mapping

import numpy as np

from msalib.data.metrics import METRICS
from msalib.evidence.printed.names import plural
from msalib.pages.cells import score, scores
from msalib.pages.contrasts import tested_metrics
from msalib.pages.tables import Note
from msalib.runs.query import Runs
from msalib.runs.spec import System


def answer(runs: Runs, named: Mapping[str, System], *, setting: str) -> Note:
    """Name the model with the best mean score and the next, beside a constant prediction."""
    by_model = {name: runs.records(s)[0] for name, s in named.items() if runs.has(s)}
    if not by_model:
        return Note(f"No baseline is recorded in this setting ({setting}).")
    example = next(iter(by_model.values()))[0]
    metric = tested_metrics(example)[0]
    sign = 1 if METRICS[metric].higher_is_better else -1
    means = {n: np.mean([r.metrics["test"][metric] for r in rs]) for n, rs in by_model.items()}
    first, *rest = sorted(means, key=lambda name: -sign * means[name])
    shown = {name: scores(records, metric) for name, records in by_model.items()}
    where = f"{setting}; {plural(len(by_model[first]), 'seed')}"
    next_best = f", followed by {rest[0]} ({shown[rest[0]]})" if rest else ""
    return Note(
        f"Of {plural(len(means), 'model')} ({where}), {first} has the best mean "
        f"{METRICS[metric].label}: {shown[first]}{next_best}. "
        f"A constant prediction has {score(example.chance[metric], metric)}."
    )
