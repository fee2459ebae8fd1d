"""How often does the test for leakage err? Simulated corpora without a leak and with a planted one.

    python -m msalib.evidence.audit.power

takes a quarter of an hour and writes ``book/records/audit/power.json``.

The corpora are feature controls (``simulate.control``), which know no labels. A leak is planted in
the visual features: one more column, on the clips of some videos the label and noise, on all
others noise of the same variance. The test does not know which videos these are, or it knows them
from a split, as the makers of features could publish it.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from msalib.base.files import Recorded
from msalib.base.progress import bar
from msalib.base.provenance import commit, device_name, versions
from msalib.data.corpus import Corpus, Features
from msalib.data.simulate import features as simulate
from msalib.evidence.audit import leakage, leakage_findings

CORPORA = {"honest": 100, "leak": 20}
"""Simulated corpora for each row of the table."""

PERMUTATIONS = 1999
"""Inside a simulation: fewer than an audit takes, for time."""

SIZES = (60, 93)
"""Videos: the control's own number, and that of CMU-MOSI."""

NOISES = (0.5, 1.0, 2.0)
"""Standard deviation of the noise on a leaked label, in those of the labels."""


class Placement(NamedTuple):
    """Share of the videos of each part whose labels the makers used."""

    name: str
    shares: Mapping[str, float]


PLACEMENTS = (
    Placement("most of test, none of training", {"train": 0.0, "valid": 0.0, "test": 0.9}),
    Placement("most of test, a quarter of training", {"train": 0.25, "valid": 0.25, "test": 0.9}),
    Placement("most of test, half of training", {"train": 0.5, "valid": 0.9, "test": 0.9}),
    Placement("two thirds of every part", {"train": 2 / 3, "valid": 2 / 3, "test": 2 / 3}),
    Placement("training and validation, no test", {"train": 1.0, "valid": 1.0, "test": 0.0}),
)


class ErrorRate(BaseModel):
    """How many of some simulated corpora gave an error, or a warning or an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str  # "honest" or "leak"
    what: str
    noise: float | None
    told: bool  # whether the makers' split is one of the corpus
    corpora: int
    errors: int
    alarms: int  # with a warning or an error


class LeakageErrorRates(BaseModel):
    """Error rates of the test for leakage."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    commit: str
    device: str
    versions: dict[str, str]
    started: str
    seconds: float
    settings: dict[str, float]
    cells: list[ErrorRate]


def honest(seed: int, videos: int = 60, story: str = "control") -> Corpus:
    """Return a control with the last two layers only, of which the audit looks at the last."""
    planted = simulate.STORIES[story]
    return simulate.control(
        seed,
        videos=videos,
        profiles={m: ratios[-2:] for m, ratios in planted.profiles().items()},
        speaker_effect=planted.speaker_effect,
    )


def without_faces(corpus: Corpus, seed: int) -> Corpus:
    """Return the corpus with all-zero visual features in a third of the videos."""
    lot = _by_video(corpus, np.random.default_rng(seed))
    features = corpus.features["visual"]
    faces = np.repeat(lot >= 1 / 3, features.lengths())
    return _with_visual(corpus, {k: v * faces[:, None] for k, v in features.layers.items()})


def leaking(corpus: Corpus, shares: Mapping[str, float], noise: float, seed: int) -> Corpus:
    """Return the corpus with a column that knows labels, and the makers' videos as a split."""
    rng = np.random.default_rng(seed)
    part = corpus.splits["standard"]
    lot = _by_video(corpus, rng)
    used = np.zeros(len(corpus), bool)
    for name, share in shares.items():
        mine = (part == name).to_numpy()
        order = np.unique(lot[mine])
        used |= mine & np.isin(lot, order[: round(share * len(order))])
    label = corpus.utterances["label"].to_numpy()
    known = (label - label.mean()) / label.std() + noise * rng.normal(size=len(label))
    column = np.where(used, known, np.hypot(1, noise) * rng.normal(size=len(label)))
    features = corpus.features["visual"]
    frames = np.repeat(column, features.lengths())[:, None]
    layers = {k: np.hstack([v, frames]).astype(np.float32) for k, v in features.layers.items()}
    made = _with_visual(corpus, layers)
    makers = pd.Series(np.where(used, "train", "test"), index=part.index)
    return replace(made, splits={**corpus.splits, "makers": makers})


def _by_video(corpus: Corpus, rng) -> np.ndarray:
    """Draw a number from 0 to 1 for each video, one that no other has, by clip (N,)."""
    video = pd.factorize(corpus.utterances["video"])[0]
    count = video.max() + 1
    return (rng.permutation(count) / count)[video]


def _with_visual(corpus: Corpus, layers) -> Corpus:
    old = corpus.features["visual"]
    return corpus.with_features("visual", Features(old.source, old.unit, layers, old.offsets))


def judged(corpus: Corpus) -> tuple[bool, bool]:
    """Check whether the audit finds an error, and whether it finds a warning or an error."""
    findings, _ = leakage_findings.check(corpus, "standard", PERMUTATIONS)
    severities = {f.severity for f in findings}
    return "error" in severities, bool(severities & {"error", "warning"})


def measure(corpora: Mapping[str, int]) -> LeakageErrorRates:
    """Simulate all rows of the table; ``corpora``: kind of row -> how many for each."""
    began, started = time.monotonic(), datetime.now(UTC).isoformat(timespec="seconds")
    rows = [*_honest_rows(), *_leak_rows()]
    cells = []
    for kind, what, noise, known, make in bar(rows, "error rates", "row"):
        verdicts = [judged(make(seed)) for seed in range(corpora[kind])]
        cells.append(
            ErrorRate(
                kind=kind,
                what=what,
                noise=noise,
                told=known,
                corpora=len(verdicts),
                errors=sum(error for error, _ in verdicts),
                alarms=sum(alarm for _, alarm in verdicts),
            )
        )
    return LeakageErrorRates(
        commit=commit(),
        device=device_name("cpu"),
        versions=versions(),
        started=started,
        seconds=round(time.monotonic() - began, 1),
        settings={
            "permutations": PERMUTATIONS,
            "level": leakage.LEVEL,
            "far": leakage.FAR,
            "honest": leakage.HONEST,
        },
        cells=cells,
    )


Row = tuple[str, str, float | None, bool, Callable[[int], Corpus]]


def _honest_rows() -> list[Row]:
    rows = [
        (
            "honest",
            f"{story}, {videos} videos",
            None,
            False,
            lambda seed, videos=videos, story=story: honest(seed, videos, story),
        )
        for story in simulate.STORIES
        for videos in SIZES
    ]
    rows.append(
        (
            "honest",
            "control, 93 videos, no faces in a third of them",
            None,
            False,
            lambda seed: without_faces(honest(seed, 93), seed),
        )
    )
    return rows


def _leak_rows() -> list[Row]:
    def planted(shares, noise, known):
        def make(seed):
            corpus = leaking(honest(seed, 93), shares, noise, seed)
            if known:
                return corpus
            return replace(corpus, splits={"standard": corpus.splits["standard"]})

        return make

    return [
        ("leak", place.name, noise, known, planted(place.shares, noise, known))
        for place in PLACEMENTS
        for noise in NOISES
        for known in (False, True)
    ]


# --- the record ---------------------------------------------------------------------------------


RECORD = Recorded(
    LeakageErrorRates,
    "audit/power.json",
    "record of error rates",
    "run python -m msalib.evidence.audit.power",
)


def recorded() -> LeakageErrorRates:
    """Return the recorded error rates; raise ``UserError`` where none can be read."""
    return RECORD.read()


def main() -> None:
    """Measure and record."""
    RECORD.write(measure(CORPORA))


if __name__ == "__main__":
    main()
