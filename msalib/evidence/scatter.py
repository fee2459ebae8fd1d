"""Draw records of models that were never trained, which scatter as trained models do.

Clip i of video v, arm k, seed s; y is the label, z its place in standard deviations from the
models' centre, q the quality of an arm, a correlation:

    prediction_ksi = centre + o_ks + g q_ks sd(y) (q_ks z_i + sqrt(1 - q_ks^2) e_ksi)
    e_ksi = sqrt(1 - r) a_ksi + sqrt(r) d_ksi

q_ks is the planted quality plus what a training makes of it, o_ks the offset of a training, g the
spread of predictions. The error a is the same in all seeds of an arm, and partly in all arms; d is
that of one training alone. Both have a part that clips of a video share. ``Scatter`` holds the
sizes of these parts and ``estimate`` reads them from real records. Labels are continuous.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from msalib.base.errors import UserError
from msalib.base.stats import varies
from msalib.data.tasks import Classes, Task
from msalib.evidence.arms import Arm, Head, sample, signed, task_of
from msalib.evidence.metric_sums import metrics_of, point
from msalib.models import recipes
from msalib.runs.query import Runs
from msalib.runs.records import Predictions, Record
from msalib.runs.spec import Spec, System


class Scatter(NamedTuple):
    """The parts of predictions; see the equations of this file. Shares are of a variance."""

    quality: float  # q: the correlation of a usual arm
    quality_sd: float  # of q over trainings
    offset_sd: float  # of o over trainings
    centre: float
    spread: float  # g
    run: float  # r: share of the error that one training has alone
    arm: float  # of the rest, what an arm does not share with the others
    video: float  # of the rest, what clips of a video share
    run_video: float  # of the error that one training has alone, what clips of a video share


class Population(NamedTuple):
    """Videos to draw from: the labels of each."""

    videos: tuple[np.ndarray, ...]

    @property
    def labels(self) -> np.ndarray:
        """The labels of all clips."""
        return np.concatenate(self.videos)


@dataclass(frozen=True)
class Design:
    """A study to simulate: its arms, its size, and how its predictions scatter.

    ``videos``: part -> how many are drawn. ``like`` is a real record; drawn ones have its data set
    and recipe. ``paper`` is that of the arms' choices. Heads are scored on the labels of the task.
    """

    arms: tuple[Arm, ...]
    seeds: int
    videos: Mapping[str, int]
    scatter: Scatter
    population: Population
    task: Task
    like: Record
    paper: str


def design(
    runs: Runs,
    arms: Sequence[Arm],
    *,
    seeds: int = 5,
    videos: Mapping[str, int] | None = None,
    paper: str | None = None,
    scatter_of: Sequence[System] = (),
) -> Design:
    """Design a study of ``arms`` on the data of ``runs``, whose predictions scatter as theirs do.

    The arms need not be among the runs; ``paper`` is theirs, by default that of the runs.
    ``videos``: part ("valid", "test") -> number; by default those of the data. ``scatter_of`` names
    systems as alike as the arms are, by default all. Raises ``UserError`` for labels that are
    classes, and where the runs are too few (``estimate``).
    """
    task = task_of(runs, runs.systems[0])
    if isinstance(task, Classes):
        raise UserError(
            f"simulated predictions of {runs.dataset}",
            found="labels that are classes",
            expected="labels on a scale",
            remedy="Simulate a data set with a score as its label.",
        )
    truth = {part: runs.truth(part) for part in ("valid", "test")}
    labels = [y[video == v] for y, video in truth.values() for v in np.unique(video)]
    counts = {part: len(np.unique(video)) for part, (_, video) in truth.items()}
    like = runs.example(runs.systems[0])
    return Design(
        arms=tuple(arms),
        seeds=seeds,
        videos=counts | dict(videos or {}),
        scatter=estimate(runs, scatter_of),
        population=Population(tuple(labels)),
        task=task,
        like=like,
        paper=paper or like.spec.paper,
    )


# --- from real records --------------------------------------------------------------------------


def estimate(runs: Runs, systems: Sequence[System] = ()) -> Scatter:
    """Estimate how predictions of trained models scatter, by moments of their errors on test.

    Errors are what a regression of predictions on labels leaves, in standard deviations.
    ``systems`` are those to read, by default all; those with a constant prediction are left out.
    Raises ``UserError`` unless two systems share two seeds.
    """
    drawn = sample(runs, _comparable(runs, systems or runs.systems))
    y, x = drawn.label[0], drawn.predictions
    correlation = np.array([[np.corrcoef(one, y)[0, 1] for one in seeds] for seeds in x])
    slope = (x @ (y - y.mean()) / len(y) / y.var())[..., None]
    left = x - slope * y
    error = left - left.mean(-1, keepdims=True)
    error = error / error.std(-1, keepdims=True)
    arm, seed = (np.arange(size) for size in error.shape[:2])
    same_arm = np.equal.outer(arm, arm)[:, None, :, None]
    same_seed = np.equal.outer(seed, seed)[None, :, None, :]
    clips, mates = _products(error, drawn.videos)
    between = clips[same_arm & ~same_seed].mean()  # two trainings of an arm
    across = clips[~same_arm & ~same_seed].mean()  # of two arms
    run = 1 - between
    # Seeds differ by their errors, too: that part of the variance of r is not quality.
    by_errors = (1 - correlation.mean() ** 2) ** 2 * run / len(y)
    quality_variance = correlation.var(1, ddof=1).mean() - by_errors
    video = mates[same_arm & ~same_seed].mean()
    run_video = mates[same_arm & same_seed].mean() - video
    centre = (x.mean(-1) - slope[..., 0] * y.mean()) / (1 - slope[..., 0])
    return Scatter(
        quality=float(correlation.mean()),
        quality_sd=float(np.sqrt(max(0.0, quality_variance))),
        offset_sd=float(np.sqrt((x - y).mean(-1).var(1, ddof=1).mean())),
        centre=float(np.median(centre)),
        spread=float(np.median(x.std(-1) / y.std() / correlation)),
        run=float(np.clip(run, 0, 1)),
        arm=float(np.clip(1 - across / between, 0, 1)),
        video=float(np.clip(video / between, 0, 1)),
        run_video=float(np.clip(run_video / run, 0, 1)),
    )


def _comparable(runs: Runs, systems: Sequence[System]) -> list[Arm]:
    """Return the systems with most seeds that they share and with predictions that vary."""
    most = max(len(runs.seeds(s)) for s in systems)
    full = [s for s in systems if len(runs.seeds(s)) == most]
    chosen = [s for s in full if varies(runs.predictions("test", s)[0]).all()]
    if len(chosen) < 2 or len(runs.seeds(*chosen)) < 2:
        raise UserError(
            "scatter of trained models",
            found=f"{len(chosen)} systems with {most} seeds and predictions that vary",
            expected="two systems that share two seeds",
            remedy="Take the records of a setting with more runs.",
        )
    return [Arm(s) for s in chosen]


def _products(error: np.ndarray, videos: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean products of errors (K, S, N), each (K, S, K, S): of a clip, of clips of a video.

    The second is over pairs of different clips.
    """
    _, number, size = np.unique(videos, return_inverse=True, return_counts=True)
    flat = error.reshape(-1, error.shape[-1])
    clips = flat @ flat.T
    sums = np.stack([np.bincount(number, one) for one in flat])
    pairs = max(1, (size * (size - 1)).sum())
    shape = error.shape[:2] * 2
    mates = (sums @ sums.T - clips) / pairs
    return (clips / len(videos)).reshape(shape), mates.reshape(shape)


# --- what is expected of a quality --------------------------------------------------------------

QUALITIES = np.linspace(0.02, 0.98, 97)
CLIPS = 400_000
"""Clips that an expected metric is averaged over, so that accuracies are right to 0.1 points."""


def expected(design: Design, metric: str, quality: float | None = None) -> float:
    """Return the expected metric of an arm, as the metric is printed (shares in percent)."""
    quality = design.scatter.quality if quality is None else quality
    better = np.interp(quality, QUALITIES, _curve(design, metric))
    return float(better * np.sign(signed(metric)))


def quality_with_gain(design: Design, metric: str, gain: float) -> float:
    """Return the quality that is better than the usual one by ``gain`` in a metric.

    Raises ``UserError`` for a gain that no quality has.
    """
    curve = _curve(design, metric)
    wanted = np.interp(design.scatter.quality, QUALITIES, curve) + gain
    rising = np.maximum.accumulate(curve)
    if not rising[0] <= wanted <= rising[-1]:
        raise UserError(
            f"a gain of {gain:g} in {metric}",
            found="no quality of predictions that has it",
            expected=f"a gain from {rising[0] - wanted + gain:g} to {rising[-1] - wanted + gain:g}",
            remedy="Plant a smaller effect.",
        )
    return float(np.interp(wanted, rising, QUALITIES))


def _curve(design: Design, metric: str) -> np.ndarray:
    """Return the expected metric, positive is better, of each of ``QUALITIES``."""
    values = _expected_metric(design.scatter, _labels_key(design.population), design.task, metric)
    return signed(metric) * values


def _labels_key(population: Population) -> tuple[float, ...]:
    return tuple(population.labels)


@lru_cache(maxsize=64)
def _expected_metric(
    scatter: Scatter, labels: tuple[float, ...], task: Task, metric: str
) -> np.ndarray:
    rng = np.random.default_rng(0)
    population = np.array(labels)
    y = np.resize(population, CLIPS)
    luck, offset, error = rng.normal(size=(3, CLIPS))
    curve = []
    for quality in QUALITIES:  # one by one, for memory
        drawn = quality + scatter.quality_sd * luck
        x = _predict(scatter, y, population.std(), drawn, scatter.offset_sd * offset, error)
        curve.append(point(task, metric, y, x[None, None])[0, 0])
    return np.array(curve)


def _predict(
    scatter: Scatter,
    label: np.ndarray,
    sd: float,
    quality: np.ndarray,
    offset: np.ndarray,
    error: np.ndarray,
) -> np.ndarray:
    """Return predictions by the first equation of this file."""
    quality = quality.clip(-0.99, 0.99)
    z = (label - scatter.centre) / sd
    inner = quality * z + np.sqrt(1 - quality**2) * error
    return scatter.centre + offset + scatter.spread * quality * sd * inner


# --- drawing records ----------------------------------------------------------------------------


def draw(design: Design, qualities: Sequence[float], rng: np.random.Generator) -> Runs:
    """Return records of a simulated study; ``qualities`` are those of its arms."""
    shape = (len(design.arms), design.seeds, 1)
    scatter = design.scatter
    quality = np.reshape(qualities, (-1, 1, 1)) + scatter.quality_sd * rng.normal(size=shape)
    offset = scatter.offset_sd * rng.normal(size=shape)
    population = design.population
    sd = population.labels.std()
    parts = {}
    for part, count in design.videos.items():
        labels = [population.videos[v] for v in rng.integers(len(population.videos), size=count)]
        label = np.concatenate(labels)
        video = np.repeat(np.arange(count), [len(one) for one in labels])
        error = _errors(scatter, shape, video, rng)
        parts[part] = _Part(label, video, _predict(scatter, label, sd, quality, offset, error))
    return _runs(design, parts)


def _errors(
    scatter: Scatter, shape: tuple[int, int, int], video: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Draw the errors e (K, S, N) of one part."""
    arms, seeds, _ = shape

    def drawn(share: float, *leading: int) -> np.ndarray:
        of_video = rng.normal(size=(*leading, video[-1] + 1))[..., video]
        of_clip = rng.normal(size=(*leading, len(video)))
        return np.sqrt(share) * of_video + np.sqrt(1 - share) * of_clip

    common = np.sqrt(1 - scatter.arm) * drawn(scatter.video, 1, 1)
    own = np.sqrt(scatter.arm) * drawn(scatter.video, arms, 1)
    alone = drawn(scatter.run_video, arms, seeds)
    return np.sqrt(1 - scatter.run) * (common + own) + np.sqrt(scatter.run) * alone


class _Part(NamedTuple):
    """Labels (N,), videos (N,) and predictions (K, S, N) of one part."""

    label: np.ndarray
    video: np.ndarray
    predictions: np.ndarray


def _runs(design: Design, parts: Mapping[str, _Part]) -> Runs:
    """Return records as runs would leave them; heads of one system share its records."""
    metrics = {
        part: {
            m: point(design.task, m, drawn.label, drawn.predictions)
            for m in metrics_of(design.task)
        }
        for part, drawn in parts.items()
    }
    clips = {
        part: {
            "id": [str(i) for i in range(len(drawn.label))],
            "video": [str(v) for v in drawn.video],
            "label": drawn.label,
        }
        for part, drawn in parts.items()
    }
    places: dict[System, dict[str, int]] = {}  # system -> head, "" for the task itself -> arm
    for k, (system, read, _) in enumerate(design.arms):
        places.setdefault(system, {})[read.name if isinstance(read, Head) else ""] = k

    def record(system: System, seed: int) -> Record:
        heads = dict(places[system])
        main = heads.pop("", min(heads.values(), default=0))
        scores = {
            part: {m: float(values[main, seed]) for m, values in by_metric.items()}
            for part, by_metric in metrics.items()
        }
        predictions = {
            part: Predictions.model_construct(
                **clips[part], prediction=drawn.predictions[main, seed]
            )
            for part, drawn in parts.items()
        }
        return Record.model_construct(
            spec=_spec(design, system, seed),
            blocks=design.like.blocks,
            metrics=scores,
            predictions=predictions,
            heads={name: parts["test"].predictions[k, seed] for name, k in heads.items()},
            unimodal_labels=dict.fromkeys(heads, parts["test"].label),
        )

    return Runs([record(system, seed) for system in places for seed in range(design.seeds)])


def _spec(design: Design, system: System, seed: int) -> Spec:
    choices = {**recipes.choices(design.paper), **dict(system.choices)}
    return design.like.spec.model_copy(
        update={
            "paper": design.paper,
            "inputs": dict(system.inputs),
            "train_share": system.train_share,
            "model": choices,
            "train": {},
            "seed": seed,
        }
    )
