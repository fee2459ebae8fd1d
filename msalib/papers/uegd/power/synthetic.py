"""Records of models that were never trained: predictions drawn with known truth.

Clip i of video v, system k (a layer, say), seed s; y is the label, z its place in standard
deviations from the model's centre, q the system's quality, a correlation:

    prediction_ksi = centre + o_ks + g q_ks sd(y) (q_ks z_i + sqrt(1 - q_ks^2) e_ksi)
    e_ksi = sqrt(1 - r) (sqrt(1 - c) a_ki + sqrt(c) b_kv) + sqrt(r) d_ksi

q_ks is the planted quality plus what a seed makes of it; o is a seed's offset, g the spread of
predictions. a (clips), b (videos) and d (single runs) are standard normal; between two systems they
correlate the more the nearer these are in their encoder. How models that were trained scatter is
read from their records (``calibration``).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict

from msalib.data.corpus import MODALITIES
from msalib.papers.uegd import layers
from msalib.runs.query import Runs
from msalib.runs.records import Predictions, Record
from msalib.runs.spec import Spec, System, system

BLOCKS = 24
SEEDS = 5

DEPTH = {
    "input": 0.0,
    "mid_best": 0.8,
    "output": 1.0,
    "weighted": 0.5,
    "uniform": 0.5,
    "lexicon": -0.5,
    "tfidf": -1.0,
}
"""Where in the encoder a feature stands; a sum of the blocks in its middle, and conventional ones
farther from all blocks than these are from each other."""


class Noise(BaseModel):
    """How predictions of trained models scatter; see ``calibration``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    run_share: float  # r: of the error variance, what only this run has
    video_share: float  # c: of the rest, what clips of a video share
    kept: float  # correlation of a and b that is left between the ends of an encoder
    reach: float  # depth over which the rest of it falls to 1/e
    run_reach: float  # the same for d, between layers of one seed
    quality_sd: float  # of q over seeds
    offset_sd: float  # of o over seeds
    train_sd: float  # of the training MAE of a sum of the blocks over seeds
    spread: float  # g
    sum_away: float  # distance in depth that sets a sum of the blocks apart from the middle one
    halving_away: float  # that of training on half of the clips
    concat_away: float  # that of concatenation from the gate
    gate_sd: float  # of the mean gate weight over seeds
    gate_clip_sd: float  # of gate weights over the clips of a run


class Population(NamedTuple):
    """Videos to draw from: labels of each, and where the models' predictions are centred."""

    videos: list[np.ndarray]
    centre: float

    @property
    def labels(self) -> np.ndarray:
        return np.concatenate(self.videos)

    @property
    def within(self) -> float:
        """Share of the variance of labels that is within videos."""
        centred = np.concatenate([y - y.mean() for y in self.videos])
        return float((centred**2).mean() / self.labels.var())


def closeness(distance: np.ndarray, reach: float, kept: float) -> np.ndarray:
    """Return the correlation of the errors of two systems by their distance in depth."""
    return kept + (1 - kept) * np.exp(-distance / reach)


class Planted(NamedTuple):
    """A system and its true quality. ``feature`` is a layer's number or one of ``DEPTH``.

    Of several modalities the one with layers is read at that number, and vectors as they are.
    """

    modalities: tuple[str, ...]
    feature: int | str
    quality: float
    fusion: str = "gate"
    train_share: float = 1.0
    video_share: float | None = None  # of errors; None: as calibrated
    gate: float = 0.5  # mean weight of every modality


def draw(
    planted: Sequence[Planted],
    noise: Noise,
    population: Population,
    videos: Mapping[str, int],
    rng: np.random.Generator,
    dataset: str = "mosi",
) -> Runs:
    """Return records of these systems with ``SEEDS`` seeds, as runs would leave them.

    ``videos``: part -> how many to draw from the population, with their labels. Systems of other
    modalities err independently. Which block is mid-best is read from the drawn validation part.
    """
    quality = np.array([p.quality for p in planted])[:, None]
    quality = quality + noise.quality_sd * rng.normal(size=(len(planted), SEEDS))
    quality = quality.clip(-0.99, 0.99)[..., None]
    offset = noise.offset_sd * rng.normal(size=(len(planted), SEEDS, 1))
    train_mae = 1 + noise.train_sd * rng.normal(size=(len(planted), SEEDS))
    roots = _roots(tuple(planted), noise)
    sd = population.labels.std()
    parts = {}
    for part, count in videos.items():
        drawn = [population.videos[v] for v in rng.integers(len(population.videos), size=count)]
        label, video = np.concatenate(drawn), np.repeat(np.arange(count), list(map(len, drawn)))
        error = _draw_errors(planted, roots, noise, video, rng)
        z = (label - population.centre) / sd
        guess = quality * z + np.sqrt(1 - quality**2) * error
        guess = population.centre + offset + noise.spread * quality * sd * guess
        parts[part] = _Part(label, video, guess)
    gates = _draw_gates(planted, noise, len(parts["test"].label), rng)
    return _runs(planted, parts, gates, train_mae, dataset)


class _Part(NamedTuple):
    label: np.ndarray  # (N,)
    video: np.ndarray  # (N,)
    guess: np.ndarray  # (K, S, N)

    def correlations(self) -> np.ndarray:
        """Return Pearson's r of each system and seed, (K, S)."""
        y = (self.label - self.label.mean()) / self.label.std()
        return (self.guess @ y) / len(y) / self.guess.std(-1)


@cache
def _roots(planted: tuple[Planted, ...], noise: Noise) -> tuple[np.ndarray, np.ndarray]:
    """Return square roots of the correlations between systems (K, K), of a and b, and of d."""
    depth = np.array([_depth(p) for p in planted])
    away = np.array([_away(p, noise) for p in planted])
    same = np.array([[p.modalities == q.modalities for q in planted] for p in planted])
    distance = sum(np.abs(np.subtract.outer(x, x)) for x in (depth, away))
    jitter = 1e-6 * np.eye(len(planted))  # for systems in one place
    return tuple(
        np.linalg.cholesky(same * closeness(distance, reach, kept) + jitter)
        for reach, kept in ((noise.reach, noise.kept), (noise.run_reach, 0.0))
    )


def _depth(p: Planted) -> float:
    return DEPTH[p.feature] if isinstance(p.feature, str) else p.feature / BLOCKS


def _away(p: Planted, noise: Noise) -> float:
    return (
        noise.sum_away * (p.feature in ("weighted", "uniform"))
        + noise.concat_away * (p.fusion == "concat")
        - noise.halving_away * math.log2(p.train_share)
    )


def _draw_errors(planted, roots, noise, video, rng) -> np.ndarray:
    """Draw the errors e, (K, S, N)."""
    root, run_root = roots
    systems, clips = len(planted), len(video)
    shares = [noise.video_share if p.video_share is None else p.video_share for p in planted]
    share = np.array(shares)[:, None]
    by_clip = root @ rng.normal(size=(systems, clips))
    by_video = (root @ rng.normal(size=(systems, video[-1] + 1)))[:, video]
    common = np.sqrt(1 - share) * by_clip + np.sqrt(share) * by_video
    single = rng.standard_normal((systems, SEEDS * clips), np.float32)
    single = (run_root.astype(np.float32) @ single).reshape(systems, SEEDS, clips)
    return np.sqrt(1 - noise.run_share) * common[:, None] + np.sqrt(noise.run_share) * single


def _draw_gates(planted, noise, clips, rng) -> list[np.ndarray | None]:
    """Draw the weights of a gate (S, N) for models of several modalities; None for others."""
    return [
        (
            p.gate
            + noise.gate_sd * rng.normal(size=(SEEDS, 1))
            + noise.gate_clip_sd * rng.normal(size=(SEEDS, clips))
        ).clip(0, 1)
        if len(p.modalities) > 1
        else None
        for p in planted
    ]


def _runs(planted, parts, gates, train_mae, dataset) -> Runs:
    """Return the records; which block is mid-best is known once all blocks are."""
    make = _maker(planted, parts, gates, train_mae, dataset)
    records, others = [], []
    for k, p in enumerate(planted):
        if _is_block(p):
            records += make(k, system({p.modalities[0]: p.feature}))
        else:
            others.append((k, p))
    runs = Runs(records)
    for k, p in others:
        choices = {"fusion": p.fusion, "train_share": p.train_share}
        records += make(k, layers.system_of(runs, p.modalities, p.feature, **choices))
    return Runs(records)


def _is_block(p: Planted) -> bool:
    """Check whether it is a layer alone, trained on all clips: what mid-best is chosen among."""
    return len(p.modalities) == 1 and isinstance(p.feature, int) and p.train_share == 1


def _maker(planted, parts, gates, train_mae, dataset) -> Callable[[int, System], list[Record]]:
    """Return a function that makes the records of the k-th planted system, one per seed."""
    correlations = {part: drawn.correlations() for part, drawn in parts.items()}
    clips = {
        part: {
            "id": list(map(str, range(len(drawn.label)))),
            "video": [f"{part}{v}" for v in drawn.video],
            "label": drawn.label,
        }
        for part, drawn in parts.items()
    }
    blocks: dict[str, int] = {}
    for p in filter(_is_block, planted):
        (m,) = p.modalities
        blocks[m] = max(p.feature, blocks.get(m, 0))

    def make(k: int, of: System) -> list[Record]:
        return [
            Record.model_construct(
                spec=_spec(dataset, of, seed),
                blocks=blocks,
                metrics={part: {"corr": r[k, seed]} for part, r in correlations.items()}
                | {"train": {"mae": train_mae[k, seed]}},
                layer_weights={m: [1 / blocks[m]] * blocks[m] for m, _ in of.inputs},
                gates={} if gates[k] is None else dict.fromkeys(MODALITIES, gates[k][seed]),
                predictions={
                    part: Predictions.model_construct(
                        **clips[part], prediction=drawn.guess[k, seed]
                    )
                    for part, drawn in parts.items()
                },
            )
            for seed in range(SEEDS)
        ]

    return make


@cache
def _spec(dataset: str, of: System, seed: int) -> Spec:
    return Spec(
        paper="uegd",
        setting="control",
        dataset=dataset,
        split="standard",
        encoder="simulated",
        preset="release",
        profile="full",
        inputs=dict(of.inputs),
        train_share=of.train_share,
        model={"fusion": of.choice("fusion", paper="uegd")},
        train={},
        seed=seed,
    )


def expected_mae(quality: float, noise: Noise, population: Population) -> float:
    """Return the mean absolute error of a system of this quality, over labels and errors."""
    from scipy.stats import foldnorm

    label, sd = population.labels, population.labels.std()
    slope = noise.spread * quality**2
    mean = (1 - slope) * (population.centre - label)
    scatter = (noise.spread * quality * sd) ** 2 * (1 - quality**2) + noise.offset_sd**2
    scatter = math.sqrt(scatter)
    return float(foldnorm.mean(np.abs(mean) / scatter, scale=scatter).mean())
