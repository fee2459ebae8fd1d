"""Tests of SUGRM's claims on sets of unimodal tasks (Table 3)."""

from collections.abc import Sequence

from msalib.data.corpus import MODALITIES
from msalib.evidence import comparisons
from msalib.evidence.common import Evidence, not_run, sentence
from msalib.evidence.comparisons import Pair
from msalib.models.unimodal_tasks import tasks
from msalib.papers.sugrm.evidence_systems import compare
from msalib.papers.sugrm.plan import recorded_whole, task_grid
from msalib.papers.sugrm.scope import ALL, arm_of, caveats, lacks
from msalib.runs.query import Runs

NONE = "tasks_none"


def one_task_hurts(runs: Runs, *, data: str | None = None) -> Evidence:
    """Test whether one unimodal task lowers F1 without zeros and raises MAE (C6)."""
    sets = _of_size(runs, 1)
    named = [(NONE, name) for name in sets]
    return _task_sets(runs, data, named, ("f1_non0", "mae"))


def more_tasks_help(runs: Runs, *, data: str | None = None) -> Evidence:
    """Test whether two or three unimodal tasks raise F1 without zeros (C7)."""
    return _task_sets(runs, data, [(name, NONE) for name in _of_size(runs, 2, 3)], ("f1_non0",))


def _task_sets(
    runs: Runs, data: str | None, named: list[tuple[str, str]], metrics: Sequence[str]
) -> Evidence:
    """Test whether the first of each pair of task sets is better in all ``metrics``."""

    def judge(pairs: list[Pair]) -> Evidence:
        judged = comparisons.direction_and_size(runs, pairs, metrics=metrics)
        return judged._replace(note=sentence(judged.note, _coverage(runs)))

    return compare(runs, named, data, judge)


def rises_with_tasks(runs: Runs, *, data: str | None = None) -> Evidence:
    """Test whether each metric rises with the number of unimodal tasks (C8)."""
    if needs := lacks(runs, data):
        return not_run(needs)
    judged = _trend(runs)
    if judged.verdict == "not run":
        return judged
    note = sentence(judged.note, _coverage(runs), *caveats(runs, data))
    return judged._replace(note=note)


def tasks_help(runs: Runs) -> Evidence:
    """Test all tasks against none in all metrics, and the trend over sets of tasks (C25)."""

    def judge(pairs: list[Pair]) -> Evidence:
        all_or_none = comparisons.direction_and_size(runs, pairs, metrics=ALL)
        judged = comparisons.all_parts({"all tasks": all_or_none, "number of tasks": _trend(runs)})
        return judged._replace(note=sentence(judged.note, _coverage(runs)))

    return compare(runs, [("tasks_all", NONE)], None, judge)


def _trend(runs: Runs) -> Evidence:
    grid = task_grid(recorded_whole(runs))
    doses = [(arm_of(runs, name), float(len(_tasks(runs, name)))) for name in grid]
    return comparisons.rises(runs, doses, metrics=ALL)


def _tasks(runs: Runs, name: str) -> list[str]:
    return tasks(name, list(recorded_whole(runs)))


def _of_size(runs: Runs, *sizes: int) -> list[str]:
    """Return the names of the sets of so many unimodal tasks."""
    return [n for n in task_grid(recorded_whole(runs)) if len(_tasks(runs, n)) in sizes]


def _coverage(runs: Runs) -> str:
    """Say which sets of tasks stand for all, where the data lack a modality."""
    present = list(recorded_whole(runs))
    if len(present) == len(MODALITIES):
        return ""
    return f"sets of tasks are those of {' and '.join(present)}"
