"""Records of models that were never trained: predictions drawn with known truth.

Clip i of video v, system k (a layer, say), seed s; y is the label, z its place in standard
deviations from the model's centre, q the system's quality, a correlation:

    prediction_ksi = centre + o_ks + g q_ks sd(y) (q_ks z_i + sqrt(1 - q_ks^2) e_ksi)
    e_ksi = sqrt(1 - r) (sqrt(1 - c) a_ki + sqrt(c) b_kv) + sqrt(r) d_ksi

q_ks is the planted quality plus what a seed makes of it; o is a seed's offset, g the spread of
predictions. a (clips), b (videos) and d (single runs) are standard normal; between two systems they
correlate the more the nearer these are in their encoder. How models that were trained scatter is
read from their records (``calibrate``).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict

from msalib.base.errors import UserError
from msalib.data.corpus import MODALITIES
from msalib.papers.uegd import layers
from msalib.runs.query import Runs
from msalib.runs.records import Predictions, Record
from msalib.runs.spec import Spec, System, system

BLOCKS = 24
SEEDS = 5

DEPTH = {"input": 0.0, "mid_best": 0.8, "output": 1.0, "weighted": 0.5, "uniform": 0.5}
"""Where in the encoder a feature stands; a sum of the blocks in its middle."""


class Noise(BaseModel):
    """How predictions of trained models scatter; see ``calibrate``."""

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


def population(runs: Runs) -> Population:
    """The validation and test videos of a setting, as one."""
    (first, *_) = runs.systems
    label, video, predictions = _pooled(runs, [first])
    slope = _slope(predictions, label)
    centre = (predictions.mean(-1) - slope * label.mean()) / (1 - slope)
    return Population([label[video == v] for v in np.unique(video)], float(centre.mean()))


def errors(runs: Runs, modality: str) -> dict[str, float]:
    """What the records of one setting say about ``Noise``, by moments: blocks and seeds.

    Needs every block of ``modality`` with two seeds or more. Errors are what is left of predictions
    after regression on the labels, in standard deviations; validation and test clips are pooled.
    """
    blocks = layers.block_systems(runs, modality) if modality in runs.modalities else []
    if not blocks or layers.missing_blocks(runs, modality) or len(runs.seeds(*blocks)) < 2:
        raise _unfinished(f"two seeds of every {modality} block")
    label, video, predictions = _pooled(runs, blocks)
    error = _standard_errors(predictions, label)
    other = ~np.eye(error.shape[1], dtype=bool)  # pairs of two seeds
    flat = error.reshape(-1, len(label))
    clips = (flat @ flat.T / len(label)).reshape(*2 * error.shape[:2]).transpose(0, 2, 1, 3)
    lags = np.arange(len(blocks))
    lag = np.abs(np.subtract.outer(lags, lags))
    between = np.array([clips[lag == d][:, other].mean() for d in lags])
    own = np.array([clips[lag == d][:, ~other].mean() for d in lags]) - between
    run_share = 1 - between[0]
    depth = lags / len(blocks)
    reach, kept = _fit(_closeness, depth, between / between[0], [0.5, 0.5])
    (run_reach,) = _fit(partial(_closeness, kept=0.0), depth, own / own[0], [0.1])
    correlation = np.array([[np.corrcoef(p, label)[0, 1] for p in own] for own in predictions])
    # Seeds differ by their own errors, too: that part of the variance of r is not quality.
    by_errors = (1 - correlation.mean() ** 2) ** 2 * run_share / len(label)
    quality = max(0.0, correlation.var(1, ddof=1).mean() - by_errors)
    return {
        "run_share": run_share,
        "video_share": _same_video(error, video)[other].mean() / between[0],
        "kept": kept,
        "reach": reach,
        "run_reach": run_reach,
        "quality_sd": math.sqrt(quality),
        "offset_sd": math.sqrt((predictions - label).mean(-1).var(1, ddof=1).mean()),
        "spread": (predictions.std(-1) / label.std() / correlation).mean(),
    }


def differences(
    runs: Runs, modality: str, together: Sequence[str], share: float, reach: float, kept: float
) -> dict[str, float]:
    """The rest of ``Noise``: how far other models are from single blocks, and how gates scatter.

    Needs, beside what ``errors`` needs, both sums of the blocks of ``modality``, its best block
    trained on ``share`` of the clips, and with that block models of ``together`` with both fusions.
    """
    blocks = layers.block_systems(runs, modality)
    best = partial(layers.system_of, runs, feature="mid_best")
    gate, concat = best(together), best(together, fusion="concat")
    weighted, uniform = (layers.system_of(runs, [modality], f) for f in ("weighted", "uniform"))
    fewer = best([modality], train_share=share)
    if missing := [s.name() for s in (gate, concat, weighted, uniform, fewer) if not runs.has(s)]:
        raise _unfinished(", ".join(missing))

    def distance(*pair: System) -> float:
        """At which blocks err as differently as these two."""
        label, _, predictions = _pooled(runs, pair)
        a, b = _standard_errors(predictions, label)
        other = ~np.eye(len(a), dtype=bool)
        close = 2 * (a @ b.T)[other].sum() / ((a @ a.T) + (b @ b.T))[other].sum()
        return abs(reach * math.log(np.clip((close - kept) / (1 - kept), 0.01, 1)))

    (joint,) = runs.records(gate)
    gates = np.array([[r.extras.gates[m] for m in together] for r in joint])  # (S, M, N)
    fitted = np.array(
        [[r.metrics["train"]["mae"] for r in own] for own in runs.records(weighted, uniform)]
    )
    return {
        "sum_away": distance(weighted, blocks[(len(blocks) - 1) // 2]),
        "halving_away": distance(fewer, best([modality])) / -math.log2(share),
        "concat_away": distance(concat, gate),
        "train_sd": math.sqrt((fitted[0] - fitted[1]).var(ddof=1) / 2),
        "gate_sd": math.sqrt(gates.mean(-1).var(0, ddof=1).mean()),
        "gate_clip_sd": gates.std(-1).mean(),
    }


def calibrate(runs: Runs, modality: str, together: Sequence[str], share: float) -> Noise:
    """``errors`` and ``differences`` of one setting; a ``UserError`` where runs are missing."""
    found = errors(runs, modality)
    found |= differences(runs, modality, together, share, found["reach"], found["kept"])
    return Noise(**rounded(found))


def rounded(found: Mapping[str, float]) -> dict[str, float]:
    """Three digits: more would not be known."""
    return {name: float(f"{value:.3g}") for name, value in found.items()}


def _unfinished(missing: str) -> UserError:
    return UserError(
        "calibration of simulated predictions",
        found=f"no records of {missing}",
        expected="the blocks alone, their sums, a share of the clips, and both fusions",
        remedy="Finish the runs of the setting first (make records-uegd).",
    )


def _pooled(runs: Runs, systems: Sequence[System]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels (N,), videos (N,) and predictions (K, S, N) of validation and test together."""
    parts = ("valid", "test")
    label, video = (np.concatenate(both) for both in zip(*map(runs.truth, parts), strict=True))
    return label, video, np.concatenate([runs.predictions(p, *systems) for p in parts], axis=-1)


def _slope(predictions: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Of the regression of predictions (..., N) on labels, (...)."""
    return predictions @ (label - label.mean()) / len(label) / label.var()


def _standard_errors(predictions: np.ndarray, label: np.ndarray) -> np.ndarray:
    """What labels leave of predictions (..., N), in standard deviations."""
    left = predictions - _slope(predictions, label)[..., None] * label
    left = left - left.mean(-1, keepdims=True)
    return left / left.std(-1, keepdims=True)


def _same_video(error: np.ndarray, video: np.ndarray) -> np.ndarray:
    """Mean product of errors (K, S, N) of two different clips of one video, (S, S)."""
    _, number, size = np.unique(video, return_inverse=True, return_counts=True)
    sums = np.stack([[np.bincount(number, e) for e in own] for own in error])  # (K, S, V)
    every = np.einsum("ksv,ktv->st", sums, sums) - np.einsum("ksn,ktn->st", error, error)
    return every / len(error) / (size * (size - 1)).sum()


def _closeness(distance: np.ndarray, reach: float, kept: float) -> np.ndarray:
    """Correlation of the errors of two systems by their distance in depth."""
    return kept + (1 - kept) * np.exp(-distance / reach)


def _fit(curve: Callable, x: np.ndarray, y: np.ndarray, start: list[float]) -> np.ndarray:
    from scipy.optimize import curve_fit

    upper = [5.0, 0.99][: len(start)]
    return curve_fit(curve, x, y, p0=start, bounds=([0.01, 0.0][: len(start)], upper))[0]


# --- predictions with known truth ---------------------------------------------------------------


class Planted(NamedTuple):
    """A system and its true quality. ``feature`` is a layer's number or one of ``DEPTH``."""

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
    """Records of these systems with ``SEEDS`` seeds, as runs would leave them.

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
        """(K, S)."""
        y = (self.label - self.label.mean()) / self.label.std()
        return (self.guess @ y) / len(y) / self.guess.std(-1)


@cache
def _roots(planted: tuple[Planted, ...], noise: Noise) -> tuple[np.ndarray, np.ndarray]:
    """Square roots of the correlations between systems (K, K), of a and b, and of d."""
    depth = np.array([_depth(p) for p in planted])
    away = np.array([_away(p, noise) for p in planted])
    same = np.array([[p.modalities == q.modalities for q in planted] for p in planted])
    distance = sum(np.abs(np.subtract.outer(x, x)) for x in (depth, away))
    jitter = 1e-6 * np.eye(len(planted))  # for systems in one place
    return tuple(
        np.linalg.cholesky(same * _closeness(distance, reach, kept) + jitter)
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
    """e, (K, S, N)."""
    root, run_root = roots
    systems, clips = len(planted), len(video)
    shares = [noise.video_share if p.video_share is None else p.video_share for p in planted]
    share = np.array(shares)[:, None]
    by_clip = root @ rng.normal(size=(systems, clips))
    by_video = (root @ rng.normal(size=(systems, video[-1] + 1)))[:, video]
    common = np.sqrt(1 - share) * by_clip + np.sqrt(share) * by_video
    own = rng.standard_normal((systems, SEEDS * clips), np.float32)
    own = (run_root.astype(np.float32) @ own).reshape(systems, SEEDS, clips)
    return np.sqrt(1 - noise.run_share) * common[:, None] + np.sqrt(noise.run_share) * own


def _draw_gates(planted, noise, clips, rng) -> list[np.ndarray | None]:
    """Weight of a gate, (S, N), for models of several modalities."""
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
    correlations = {part: drawn.correlations() for part, drawn in parts.items()}
    clips = {
        part: {
            "id": list(map(str, range(len(drawn.label)))),
            "video": [f"{part}{v}" for v in drawn.video],
            "label": drawn.label,
        }
        for part, drawn in parts.items()
    }
    alone = [p for p in planted if len(p.modalities) == 1 and isinstance(p.feature, int)]
    blocks: dict[str, int] = {}
    for p in alone:
        (m,) = p.modalities
        blocks[m] = max(p.feature, blocks.get(m, 0))

    def made(k: int, of: System) -> list[Record]:
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

    found, later = [], []
    for k, p in enumerate(planted):
        if p in alone:
            found += made(k, system({p.modalities[0]: p.feature}))
        else:
            later.append((k, p))
    runs = Runs(found)
    for k, p in later:
        of = layers.system_of(
            runs, p.modalities, p.feature, fusion=p.fusion, train_share=p.train_share
        )
        found += made(k, of)
    return Runs(found)


@cache
def _spec(dataset: str, of: System, seed: int) -> Spec:
    return Spec(
        paper="uegd",
        setting="control",
        dataset=dataset,
        split="standard",
        encoder="simulated",
        preset="release",
        profile="paper",
        inputs=dict(of.inputs),
        train_share=of.train_share,
        model={"fusion": of.choice("fusion", paper="uegd")},
        train={},
        seed=seed,
    )


def expected_mae(quality: float, noise: Noise, population: Population) -> float:
    """Mean absolute error of a system of this quality, over labels, errors and offsets."""
    from scipy.stats import foldnorm

    label, sd = population.labels, population.labels.std()
    slope = noise.spread * quality**2
    mean = (1 - slope) * (population.centre - label)
    scatter = (noise.spread * quality * sd) ** 2 * (1 - quality**2) + noise.offset_sd**2
    scatter = math.sqrt(scatter)
    return float(foldnorm.mean(np.abs(mean) / scatter, scale=scatter).mean())
