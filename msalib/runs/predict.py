"""Predict the sentiment of single clips by a saved model: value, intervals, part of each modality.

A clip goes the way that the clips of a data set go: a small ``Corpus``, the same extractor into a
store (a temporary one), the same ``Examples``, the same network (``readings``). Each prediction
carries

- ``mean_interval``: 95% interval of Student's t about the mean over seeds. It says where the mean
  of very many trainings would lie, and nothing about how far labels lie from it;
- ``prediction_intervals``: where the label of such a clip lies, in 80% and 90% of clips. Split
  conformal: as wide as the errors of the same mean on the validation clips
  (``saved.About.half_width``). Validation also chose the epochs and its clips share videos, so the
  promise is not exact; beside each interval stands the share of *test* labels that it held;
- ``contributions``: what each modality changed, in the words of ``CHANGE`` of the model's
  ``CONTRIBUTIONS``. Models are not linear, so contributions do not add up to the prediction; and
  they tell what the model uses, not what is true of the clip.

What happens without a modality depends on the model, too, and a note says it; intervals are then
made of errors under the same condition.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict

from msalib import models
from msalib.base.errors import UserError
from msalib.base.provenance import pick_device
from msalib.data.corpus import MODALITIES
from msalib.runs import saved
from msalib.runs.clips import Clip, material_of, needed
from msalib.runs.readings import readings_of_all
from msalib.runs.saved import About, Model
from msalib.runs.trainer import core

if TYPE_CHECKING:
    from torch import Tensor

SEED_LEVEL = 95
"""Per cent, of ``mean_interval``."""

MEANING = {
    "mean_interval": f"{SEED_LEVEL}% t-interval of the mean over seeds: chance in training only",
    "prediction_intervals": "split conformal, from the errors on validation clips: the range of "
    "labels of such clips; test_coverage is the share of test labels inside it",
}
"""What the numbers of a prediction are; ``contributions`` depend on the model."""


class Interval(BaseModel):
    """An interval in points of the label."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    low: float
    high: float


class PredictionInterval(Interval):
    """An interval for the label of a clip.

    ``test_coverage`` is the share of test labels that intervals made in this way held.
    """

    test_coverage: float


class Contribution(BaseModel):
    """The part of one modality in a prediction.

    ``change`` is the mean of ``seeds``; ``gate`` the mean gate weight, 0 to 1, None in a model
    without gates.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    change: float
    seeds: list[float]
    gate: float | None


class Prediction(BaseModel):
    """The prediction for one clip: the mean of ``seeds``; see the module for the rest.

    ``mean_interval`` is None for a single seed; ``contributions`` has None for a modality that the
    model knows and the clip has not, and where the model has nothing to compare with.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    given: list[str]
    prediction: float
    seeds: list[float]
    mean_interval: Interval | None
    prediction_intervals: dict[str, PredictionInterval]
    contributions: dict[str, Contribution | None]
    notes: list[str]


class Predictions(BaseModel):
    """The predictions for all clips, and what to know of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    setting: str
    scale: tuple[float, float]
    clips: list[Prediction]
    notes: list[str]
    meaning: dict[str, str]


def predict(model: Model, clips: Sequence[Clip], device: str = "auto") -> Predictions:
    """Predict the sentiment of clips by a saved model.

    Raises ``UserError`` for a clip of which nothing is given that the model reads, for a transcript
    without words, media that are missing or cannot be decoded, features of another width, and for
    encoders that are missing or of another revision than those of the training. ``notes`` say what
    a model does not read and what was cut.
    """
    import torch

    about, device = model.about, pick_device(device)
    _check_ids(clips)
    notes: dict[str, list[str]] = {clip.id: [] for clip in clips}
    general: list[str] = []
    material = [_material(about, clip, notes[clip.id]) for clip in clips]
    networks = [network.to(device) for network in model.networks]
    readings = readings_of_all(about, networks, material, notes, general, device)
    given = {m: torch.tensor([m in own for own in material], device=device) for m in about.inputs}
    arithmetic = models.module(about.spec.family).CONTRIBUTIONS
    with torch.no_grad():
        found = [
            arithmetic.contributions(core(network), read, run.means, given)
            for network, read, run in zip(networks, readings, about.runs, strict=True)
        ]
    predictions = np.array([_numbers(one.prediction) for one in found])  # (S, N)
    parts = _parts(about, found)
    rows = [
        _prediction(about, clip.id, predictions[:, i], list(own), parts[i], notes[clip.id])
        for i, (clip, own) in enumerate(zip(clips, material, strict=True))
    ]
    return Predictions(
        model=str(model.folder),
        setting=about.setting,
        scale=about.scale,
        clips=rows,
        notes=[*about.notes, *dict.fromkeys(general)],
        meaning=MEANING | {"contributions": arithmetic.CHANGE},
    )


def _check_ids(clips: Sequence[Clip]) -> None:
    twice = [clip for clip, count in Counter(c.id for c in clips).items() if count > 1]
    if twice or not clips:
        raise UserError(
            "clips",
            found=f"two with the id {twice[0]}" if twice else "none",
            expected="one clip or more, every id once",
            remedy="Correct the ids.",
        )


def _material(about: About, clip: Clip, notes: list[str]) -> dict[str, object]:
    """Return what the model reads of a clip (``clips.material_of``), in the order of its inputs.

    ``notes`` takes what the model does not read, and how it does without what it lacks.
    """
    material = material_of(about, clip, notes)
    without = models.module(about.spec.family).CONTRIBUTIONS.without(list(material))
    notes += [
        f"{m}: not given, so {without} (to give it: {needed(m, asked)})"
        for m, asked in about.inputs.items()
        if m not in material
    ]
    return material


def _parts(about: About, found: Sequence) -> list[dict[str, Contribution]]:
    """Return the parts of the modalities in the prediction of each clip, from ``Contributions``.

    A modality is missing where a model has nothing to compare with.
    """
    changes = {m: np.array([_numbers(one.change[m]) for one in found]) for m in about.inputs}
    gates = None
    if found[0].gates is not None:
        gates = np.mean([_numbers(one.gates) for one in found], 0)  # (N, 3)
    return [
        {
            m: Contribution(
                change=float(seeds[:, i].mean()),
                seeds=seeds[:, i].tolist(),
                gate=None if gates is None else float(gates[i, MODALITIES.index(m)]),
            )
            for m, seeds in changes.items()
            if np.isfinite(seeds[:, i]).all()
        }
        for i in range(len(found[0].prediction))
    ]


def _prediction(
    about: About,
    clip: str,
    seeds: np.ndarray,
    given: Sequence[str],
    parts: Mapping[str, Contribution],
    notes: list[str],
) -> Prediction:
    """Return the prediction for one clip; ``seeds`` (S,) are those of all trainings."""
    mean = float(seeds.mean())
    return Prediction(
        id=clip,
        given=[m for m in MODALITIES if m in given],
        prediction=mean,
        seeds=seeds.tolist(),
        mean_interval=mean_interval(seeds),
        prediction_intervals=_prediction_intervals(about, given, mean),
        contributions={
            m: parts.get(m) if m in given else None for m in MODALITIES if m in about.inputs
        },
        notes=notes,
    )


def mean_interval(seeds: np.ndarray) -> Interval | None:
    """Return the 95% t-interval of the mean of predictions (S,) by several trainings."""
    from scipy.stats import t

    if len(seeds) < 2:
        return None
    half = t.ppf(0.5 + SEED_LEVEL / 200, len(seeds) - 1) * np.std(seeds, ddof=1)
    half /= np.sqrt(len(seeds))
    return Interval(low=float(np.mean(seeds) - half), high=float(np.mean(seeds) + half))


def _prediction_intervals(
    about: About, given: Sequence[str], mean: float
) -> dict[str, PredictionInterval]:
    """Return intervals by level; labels lie on the scale, so an interval may end with it."""
    intervals = {}
    for level in saved.LEVELS:
        half = about.half_width(given, level)
        ends = about.scale if half is None else np.clip([mean - half, mean + half], *about.scale)
        intervals[str(level)] = PredictionInterval(
            low=float(ends[0]),
            high=float(ends[1]),
            test_coverage=about.coverage[saved.key(given)][str(level)],
        )
    return intervals


def _numbers(values: "Tensor") -> np.ndarray:
    return values.detach().cpu().numpy().astype(float)
