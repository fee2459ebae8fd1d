"""How near generated labels come to the true sentiment of each modality, which the control knows.

Notation: S seeds, E epochs, N training clips, D random draws. Epoch e is at index e - 1.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from msalib.data.corpus import Corpus
from msalib.evidence import seeds
from msalib.pages.cells import bounds, mean_sd
from msalib.pages.tables import Note, Table
from msalib.papers.sugrm.labels import NOTHING, Histories, histories, pearson, percent
from msalib.papers.sugrm.momentum import DRAWS, random_labels
from msalib.runs.query import Runs

NO_TRUTH = (
    "Real data: nobody rated the words, the voice and the face of these clips one by one, so how "
    "near the generated labels come to the truth cannot be known here. On the control it can: the "
    "true sentiment of every modality was drawn before anything else. See the control's page."
)

MEASURES = {
    "corr": "Corr with the truth",
    "mae": "MAE to the truth",
    "beyond": "Corr beyond the annotated label",
}
COPY, RANDOM = "copy of the annotated label", "random, same momentum"

ByModality = dict[str, np.ndarray]


class Nearness(NamedTuple):
    """How near labels come to the true sentiment, by measure: modality -> (..., E)."""

    epochs: int
    generated: dict[str, dict[str, ByModality]]  # generator -> measure -> modality -> (S, E)
    copy: dict[str, dict[str, float]]  # measure -> modality
    random: dict[str, ByModality]  # measure -> modality -> (D, E)


def nearness(by_generator: Histories, corpus: Corpus | None) -> Nearness | None:
    """Return how near labels come to the truth; None where the truth is unknown.

    Labels of the generators are compared with a copy of the annotated label and random labels.
    """
    if corpus is None or corpus.truth is None or not by_generator:
        return None
    first = next(iter(by_generator.values()))
    truth = _true_sentiment(corpus, by_generator)
    random = random_labels(tuple(first.annotated), first.epochs)

    def by_measure(labels: Mapping[str, np.ndarray]) -> dict[str, ByModality]:
        near = {m: near_to(labels[m], truth[m], first.annotated) for m in labels}
        return {measure: {m: near[m][measure] for m in near} for measure in MEASURES}

    copy = by_measure(dict.fromkeys(truth, first.annotated))
    return Nearness(
        epochs=first.epochs,
        generated={name: by_measure(history.generated) for name, history in by_generator.items()},
        copy={measure: {m: float(v) for m, v in by.items()} for measure, by in copy.items()},
        random=by_measure(dict.fromkeys(truth, random)),
    )


def _true_sentiment(corpus: Corpus, by_generator: Histories) -> ByModality:
    """Return the true sentiment (N,) of the training clips by modality."""
    first = next(iter(by_generator.values()))
    rows = corpus.utterances.index.get_indexer(first.id)
    return {m: np.asarray(corpus.truth["sentiment"][m])[rows] for m in first.generated}


def near_to(labels: np.ndarray, truth: np.ndarray, annotated: np.ndarray) -> ByModality:
    """Return each of ``MEASURES`` of labels (..., N): (...).

    ``beyond`` is the partial correlation of label and truth given the annotated label; nan for
    labels that say nothing else.
    """
    return {
        "corr": pearson(labels, truth),
        "mae": np.abs(labels - truth).mean(-1),
        "beyond": pearson(_residual(labels, annotated), _residual(truth, annotated)),
    }


def _residual(values: np.ndarray, annotated: np.ndarray) -> np.ndarray:
    """Return what a straight line over the annotated label leaves of values (..., N)."""
    x, y = annotated - annotated.mean(), values - values.mean(-1, keepdims=True)
    return y - (y @ x / (x @ x))[..., None] * x


# --- tables -------------------------------------------------------------------------------------


def nearness_table(near: Nearness | None, *, setting: str) -> Table | Note:
    """Show the last epoch in numbers, with intervals over seeds or over random draws."""
    if near is None:
        return Note(NO_TRUTH)
    rows = []
    for m in near.copy["mae"]:
        for name, by_measure in near.generated.items():
            cells = {MEASURES[k]: _interval(by_measure[k][m][:, -1], k) for k in MEASURES}
            rows.append({"modality": m, "labels": name} | cells)
        cells = {MEASURES[k]: _number(near.copy[k][m]) for k in MEASURES}
        rows.append({"modality": m, "labels": COPY} | cells)
        cells = {MEASURES[k]: _of_draws(near.random[k][m][:, -1]) for k in MEASURES}
        rows.append({"modality": m, "labels": RANDOM} | cells)
    count = len(next(iter(near.generated.values()))["mae"][m])
    return Table(
        pd.DataFrame(rows),
        caption=f"Labels of the training clips after epoch {near.epochs} compared with the true "
        "sentiment of each modality. MAE in points, lower is better; Corr: higher is better. In "
        f"brackets: 95% intervals of the mean over {count} trainings (Student's t), for random "
        f"labels 95% of {DRAWS} draws. Setting: {setting}.",
    )


def nearness_note(near: Nearness | None) -> Note:
    """Say what ``nearness_table`` shows; what an interval leaves open is undecided."""
    if near is None:
        return Note(NO_TRUTH)
    many = len(near.copy["mae"])
    chance = {m: np.quantile(draws[:, -1], 0.975) for m, draws in near.random["beyond"].items()}
    sentences = [
        f"Over the {many} modalities, counted only where the whole interval says so, after epoch "
        f"{near.epochs}."
    ]
    for name, by_measure in near.generated.items():
        corr, mae = (_sides(by_measure[k], near.copy[k]) for k in ("corr", "mae"))
        know, _ = _sides(by_measure["beyond"], chance)
        sentences.append(
            f"{name} labels against a copy of the annotated label: correlation with the truth "
            f"higher in {corr[0]}, lower in {corr[1]}, undecided in {many - sum(corr)}; nearer to "
            f"the truth in {mae[1]}, farther from it in {mae[0]}, undecided in {many - sum(mae)}. "
            f"They know more beyond the annotated label than random labels in {know}."
        )
    return Note(" ".join(sentences))


def _sides(values: ByModality, than: Mapping[str, float]) -> tuple[int, int]:
    """Return in how many modalities the interval of the last epoch lies above and below a level."""
    ends = {m: _t_interval(v[:, -1])[1:] for m, v in values.items()}
    above = sum(low > than[m] for m, (low, _) in ends.items())
    return int(above), int(sum(high < than[m] for m, (_, high) in ends.items()))


def _t_interval(values: np.ndarray) -> tuple[float, float, float]:
    """Return the mean of (S,) with its 95% interval, which is nan for fewer than two seeds."""
    if len(values) < 2 or np.isnan(values).any():
        return float(values.mean()), np.nan, np.nan
    return seeds.over_seeds(values)[:3]


def _interval(values: np.ndarray, measure: str) -> str:
    mean, low, high = _t_interval(values)
    if measure != "mae":  # Student's t does not know the bounds of a correlation
        low, high = np.clip((low, high), -1, 1)
    return _number(mean) if np.isnan(low) else _bracketed(mean, low, high)


def _of_draws(values: np.ndarray) -> str:
    return _bracketed(values.mean(), *np.quantile(values, [0.025, 0.975]))


def _bracketed(mean: float, low: float, high: float) -> str:
    return bounds(mean, low, high, ".3f")


def _number(value: float) -> str:
    return "none" if np.isnan(value) else f"{value:.3f}"


def clips_that_look_right(runs: Runs, corpus: Corpus | None, *, setting: str) -> Table | Note:
    """Show how many clips would convince a reader, if one may choose them.

    A clip looks right if the generated label of every modality is nearer to the truth than the
    annotated label.
    """
    by_generator = histories(runs)
    if corpus is None or corpus.truth is None or not by_generator:
        return Note(NO_TRUTH if by_generator else NOTHING)
    first = next(iter(by_generator.values()))
    truth = _true_sentiment(corpus, by_generator)
    labels = {
        name: {m: by_epoch[:, -1] for m, by_epoch in history.generated.items()}
        for name, history in by_generator.items()
    }
    random = random_labels(tuple(first.annotated), first.epochs)[:, -1]
    many = len(random) // len(truth)
    labels["random"] = {m: random[i :: len(truth)][:many] for i, m in enumerate(truth)}
    rows = []
    for name, last in labels.items():
        nearer = [abs(last[m] - truth[m]) < abs(first.annotated - truth[m]) for m in truth]
        right = np.all(nearer, 0)  # (S, N)
        rows.append(
            {
                "labels": name,
                "clips that look right": mean_sd(right.sum(-1), "{:.0f}".format),
                "share of all clips": mean_sd(right.mean(-1), percent, scale=100),
            }
        )
    return Table(
        pd.DataFrame(rows),
        caption="Training clips in which the label of every modality is nearer to its true "
        f"sentiment than the annotated label is, of {len(first.id)}, mean ± standard deviation "
        f"over seeds (random: over draws), after epoch {first.epochs}. Setting: {setting}.",
    )
