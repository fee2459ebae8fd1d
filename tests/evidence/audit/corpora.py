"""Made-up corpora with and without leaks, and how tests find one finding among many."""

from dataclasses import replace

import numpy as np
import pandas as pd

from msalib.data.corpus import Corpus, Features

PERMUTATIONS = 599


def one_frame(values, source="made") -> Features:
    return Features(source, "clip", {1: np.asarray(values)}, np.arange(len(values) + 1))


def corpus(videos: int = 40, clips: int = 10, seed: int = 0, **fields) -> Corpus:
    """Clips with honest acoustic features; parts 20/8/12 of 40 videos by name."""
    rng = np.random.default_rng(seed)
    count = videos * clips
    ids = pd.Index([f"v{i // clips:03d}_{i % clips}" for i in range(count)], name="id")
    label = rng.uniform(-3, 3, count).round(2)
    sound = rng.normal(size=(count, 6)) + 0.3 * label[:, None] * np.eye(6)[0]
    video = np.arange(count) // clips
    part = np.select([video < videos * 0.5, video < videos * 0.7], ["train", "valid"], "test")
    table = pd.DataFrame(
        {
            "video": [i[:4] for i in ids],
            "segment": np.arange(count) % clips,
            "text": [f"this is clip number {i} of them" for i in range(count)],
            "label": label,
        },
        index=ids,
    )
    made = Corpus(
        "made", table, {"acoustic": one_frame(sound)}, {"standard": pd.Series(part, index=ids)}
    )
    return replace(made, **fields)


def leaking(made: Corpus, used: np.ndarray, noise: float = 0.5) -> Corpus:
    """With visual features that know the labels of the videos (by number) in ``used``."""
    rng = np.random.default_rng(1)
    label = made.utterances["label"].to_numpy()
    seen = np.isin(pd.factorize(made.utterances["video"])[0], used)
    x = rng.normal(size=(len(made), 6))
    x[:, 3] = np.where(seen, label / label.std() + noise * x[:, 3], 1.1 * x[:, 3])
    return made.with_features("visual", one_frame(x, "network"))


def with_split(made: Corpus, name: str, part) -> Corpus:
    parts = pd.Series(part, index=made.utterances.index)
    return replace(made, splits={**made.splits, name: parts})


def severities(findings, about: str) -> set[str]:
    return {f.severity for f in findings if f.about.startswith(about)}


def only(findings, **fields):
    (one,) = [f for f in findings if all(getattr(f, k) == v for k, v in fields.items())]
    return one
