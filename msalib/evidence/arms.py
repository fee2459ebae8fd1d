"""Compare arms: systems, or single heads of systems, on the test clips of one setting.

An *arm* is a system with the output that is scored. A *contrast* is a weighted sum of a metric over
arms. It keeps the value of each seed and those of resampled videos, so intervals cover other videos
and other trainings (``stats.estimate``). A *gain* is a contrast that is positive where the first
arm is better, also in errors such as MAE. Shares are in points of a hundred. Notation: K arms, S
seeds, N clips, R resamples.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from msalib.base import stats
from msalib.base.stats import LEVEL, Estimate
from msalib.data import datasets
from msalib.data.corpus import TUNED
from msalib.data.metrics import METRICS
from msalib.data.tasks import Task
from msalib.evidence.common import NAMED
from msalib.evidence.metric_sums import point_and_resamples
from msalib.evidence.seeds import label as shown_as
from msalib.runs.query import Runs
from msalib.runs.records import Record
from msalib.runs.spec import System

SEEDS, SEEDS_OF_TUNED = 5, 3
"""Seeds that a test asks for, and where an encoder is fine-tuned."""

VIDEOS = {"test": 10, "valid": 5}
"""Videos of a part that a test asks for: a bootstrap of fewer is too sure of itself."""

Read = Callable[[Record], tuple[Sequence[float], Sequence[float]]]
"""Take the labels (N,) and predictions (N,) of the test clips out of a record.

It raises ``KeyError``, with what is missing, for a record without them.
"""


def whole(record: Record) -> tuple[Sequence[float], Sequence[float]]:
    """Read the labels and predictions of the task itself."""
    clips = record.predictions["test"]
    return clips.label, clips.prediction


@dataclass(frozen=True)
class Head:
    """Read one head of a model, from ``heads`` of the record's extras.

    It is scored on the labels of its own modality (``unimodal_labels`` of the extras), or on those
    of the task if not ``own``.
    """

    name: str
    own: bool = True

    def __call__(self, record: Record) -> tuple[Sequence[float], Sequence[float]]:
        extras = record.model_extra or {}
        if self.name not in extras.get("heads", {}):
            raise KeyError(f"predictions of the {self.name} head")
        if self.own and self.name not in extras.get("unimodal_labels", {}):
            raise KeyError(f"labels of {self.name} alone")
        label = extras["unimodal_labels"][self.name] if self.own else whole(record)[0]
        return label, extras["heads"][self.name]


class Arm(NamedTuple):
    """What is compared: a system, which of its outputs, and its name in sentences."""

    system: System
    read: Read = whole
    name: str = ""

    def __str__(self) -> str:
        return self.name or self.system.name()


Printed = Mapping[str, float]
"""Metric -> printed value, shares in percent; it is taken as exact."""


# --- what the records must have -----------------------------------------------------------------


def lacking(runs: Runs, arms: Sequence[Arm], minimum: int | None = None) -> list[str]:
    """Return what a comparison of these arms needs and the records lack, in phrases.

    ``minimum``: of shared seeds; by default ``SEEDS``, or ``SEEDS_OF_TUNED`` where an arm has a
    fine-tuned encoder.
    """
    arms = list(dict.fromkeys(arms))
    if untrained := [str(arm) for arm in arms if not runs.has(arm.system)]:
        beyond = len(untrained) - NAMED
        more = f" and {beyond} more" if beyond > 0 else ""
        return [f"runs of {', '.join(untrained[:NAMED])}{more}"]
    if unread := [need for arm in arms if (need := _unreadable(runs, arm))]:
        return unread
    least = _least_seeds(arms) if minimum is None else minimum
    shared = len(runs.seeds(*(arm.system for arm in arms)))
    if shared < least:
        return [f"{least} seeds of {', '.join(map(str, arms))} ({shared} so far)"]
    return few_videos(runs, arms[0].system, "test")


def few_videos(runs: Runs, system: System, part: str) -> list[str]:
    """Return the need for more videos in a part of the data, in a phrase or none."""
    count = len(set(runs.example(system).predictions[part].video))
    name = {"valid": "validation"}.get(part, part)
    needed = f"{VIDEOS[part]} {name} videos (this setting has {count})"
    return [needed] if count < VIDEOS[part] else []


def _unreadable(runs: Runs, arm: Arm) -> str:
    try:
        arm.read(runs.example(arm.system))
    except KeyError as missing:
        return f"{missing.args[0]} of {arm}"
    return ""


def _least_seeds(arms: Iterable[Arm]) -> int:
    tuned = any(layer == TUNED for arm in arms for _, layer in arm.system.inputs)
    return SEEDS_OF_TUNED if tuned else SEEDS


# --- from records to contrasts ------------------------------------------------------------------


class Sample(NamedTuple):
    """Test clips with labels (K, N) and predictions (K, S, N) of each arm, and videos (N,)."""

    label: np.ndarray
    predictions: np.ndarray
    videos: np.ndarray

    def covers(self) -> str:
        """Say how many seeds, clips and videos these are, and whether arms share their labels."""
        _, seeds, clips = self.predictions.shape
        covered = f"{seeds} seeds, {clips} test clips of {len(set(self.videos))} videos"
        if (self.label != self.label[0]).any():
            covered += "; the arms are scored on different labels"
        return covered


def sample(runs: Runs, arms: Sequence[Arm]) -> Sample:
    """Return the labels and predictions of arms, by their shared seeds.

    Raises ``ValueError`` for records of other clips.
    """
    by_arm = runs.records(*(arm.system for arm in arms))
    ids = by_arm[0][0].predictions["test"].id
    for record in (record for records in by_arm for record in records):
        if record.predictions["test"].id != ids:
            raise ValueError(f"{record.name()} judges other clips than its neighbours")
    pairs = [
        [arm.read(record) for record in records] for arm, records in zip(arms, by_arm, strict=True)
    ]
    label = np.array([seeds[0][0] for seeds in pairs])
    predictions = np.array([[prediction for _, prediction in seeds] for seeds in pairs])
    return Sample(label, predictions, np.array(by_arm[0][0].predictions["test"].video))


def task_of(runs: Runs, system: System) -> Task:
    """Return the task of a system's records: that of its target, or the data set's usual one."""
    if target := runs.example(system).spec.target:
        return datasets.dataset(runs.dataset).target(target)
    return runs.task


Scored = tuple[np.ndarray, np.ndarray]
"""A score of K arms: of each seed (K, S), mean of seeds by resample of the videos (R, K)."""


class Contrast(NamedTuple):
    """A weighted sum of a metric over arms: of each seed (S,), by resample of the videos (R,)."""

    seeds: np.ndarray
    resampled: np.ndarray

    def estimate(self, level: float = LEVEL) -> Estimate:
        """Return the mean over seeds with its interval, which covers other trainings, too."""
        return stats.estimate(self.seeds, self.resampled, level=level)

    def p_above(self, than: float = 0.0) -> float:
        """Return the one-sided p of a true value above ``than``."""
        return stats.p_above(stats.with_trainings(self.seeds, self.resampled), than)

    def p_below(self, than: float = 0.0) -> float:
        """Return the one-sided p of a true value below ``than``."""
        return stats.p_below(stats.with_trainings(self.seeds, self.resampled), than)


def contrasts(
    runs: Runs, arms: Sequence[Arm], weights: Sequence[float], metrics: Iterable[str]
) -> dict[str, Contrast]:
    """Return weighted sums of metrics over arms, each signed so that positive is better."""
    task, drawn = task_of(runs, arms[0].system), sample(runs, arms)
    seeds = runs.seeds(*(arm.system for arm in arms))
    result = {}
    for metric in metrics:
        score = Score(f"{metric} of {task}", partial(scores, task, metric))
        point, resampled = remembered(runs, score, arms, seeds, drawn)
        # Sums in another order differ in the last digits, which must not tell equal arms apart.
        seeds = np.round(np.asarray(weights) @ point, 12)
        result[metric] = Contrast(seeds, np.round(resampled @ np.asarray(weights), 12))
    return result


def scores(task: Task, metric: str, drawn: Sample) -> Scored:
    """Return a metric, positive is better: on all clips (K, S), seed mean by resample (R, K)."""
    point, resampled = point_and_resamples(
        task, metric, drawn.label, drawn.predictions, drawn.videos
    )
    return signed(metric) * point, signed(metric) * resampled


class Score(NamedTuple):
    """A score of the arms of a sample, and its name among what is computed of the same records."""

    name: str
    of: Callable[[Sample], Scored]


def remembered(
    runs: Runs, score: Score, arms: Sequence[Arm], seeds: Sequence[int], drawn: Sample
) -> Scored:
    """Return a score of arms, whose sample is ``drawn`` of these seeds; no arm is scored twice."""
    about = score.name, stats.RESAMPLES, tuple(seeds)
    keys = [(*about, arm.system, arm.read) for arm in arms]
    known = {key: value for key in keys if (value := runs.computed.get(key)) is not None}
    if new := [k for k, key in enumerate(keys) if key not in known]:
        some = Sample(drawn.label[new], drawn.predictions[new], drawn.videos)
        points, resampled = score.of(some)
        for k, point, of_resamples in zip(new, points, resampled.T.copy(), strict=True):
            known[keys[k]] = point, of_resamples
            runs.computed.keep(keys[k], known[keys[k]], point.nbytes + of_resamples.nbytes)
    points, resampled = zip(*(known[key] for key in keys), strict=True)
    return np.array(points), np.stack(resampled, axis=1)


def signed(metric: str) -> float:
    """Return the factor that makes a metric positive where it is better, and shares points."""
    sign = 1 if METRICS[metric].higher_is_better else -1
    return sign * (100.0 if METRICS[metric].unit == "%" else 1.0)


def gains(
    runs: Runs, arm: Arm, other: Arm | Printed, metrics: Iterable[str]
) -> dict[str, Contrast]:
    """Return the gains of an arm over another, or over printed values, by metric."""
    if isinstance(other, Arm):
        return contrasts(runs, [arm, other], [1, -1], metrics)
    result = {}
    for metric, own in contrasts(runs, [arm], [1], metrics).items():
        printed = np.sign(signed(metric)) * other[metric]
        result[metric] = Contrast(own.seeds - printed, own.resampled - printed)
    return result


# --- words --------------------------------------------------------------------------------------


def effects(
    gains: Mapping[str, Contrast], prefix: str = "gain in", level: float = LEVEL
) -> dict[str, Estimate]:
    """Return estimates by name, with the interval's level in it where it is not 95%."""
    ending = "" if level == LEVEL else f" ({1 - level:.0%} interval)"
    return {f"{prefix} {shown_as(m)}{ending}": gain.estimate(level) for m, gain in gains.items()}


def undefined(gains: Mapping[str, Contrast]) -> list[str]:
    """Say which metrics are undefined on all clips or in some resample, in a phrase or none."""
    names = [METRICS[m].label for m, gain in gains.items() if np.isnan(gain.p_above())]
    return [f"{', '.join(names)} undefined, on all clips or in some resamples"] if names else []


def versus(arm: Arm, other: Arm | Printed) -> str:
    """Say what is compared."""
    return f"{arm} over {other if isinstance(other, Arm) else 'the printed values'}"
