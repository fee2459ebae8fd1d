"""Predict the sentiment of single clips by a saved model: value, intervals, part of each modality.

A clip goes the way that the clips of a data set go: a small ``Corpus``, the same extractor into a
store (a temporary one), the same ``Examples``, the same network. Each prediction carries

- ``mean_interval``: 95% interval of Student's t about the mean over seeds. It says where the mean
  of very many trainings would lie, and nothing about how far labels lie from it;
- ``prediction_intervals``: where the label of such a clip lies, in 80% and 90% of clips. Split
  conformal: as wide as the errors of the same mean on the validation clips
  (``saved.About.half_width``). Validation also chose the epochs and its clips share videos, so the
  promise is not exact; beside each interval stands the share of *test* labels that it held;
- ``contributions``: by how much the prediction differs from what it would be if the gated vector
  alpha_m z_m of modality m were its mean over the training clips. The decoder is not linear, so
  contributions do not add up to the prediction; and they tell what the model uses, not what is
  true of the clip.

A modality that is not given has its mean over the training clips, too; intervals are then made of
errors under the same condition.
"""

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict

from msalib import encoders, models
from msalib.base.errors import UserError
from msalib.base.paths import ROOT
from msalib.base.provenance import pick_device
from msalib.data.corpus import MODALITIES, Corpus
from msalib.runs import saved
from msalib.runs.clips import Clip, corpus_of, material_of
from msalib.runs.saved import BATCH, SETTINGS, About, Input, Model

if TYPE_CHECKING:
    from torch import Tensor, nn

SEED_LEVEL = 95
"""Per cent, of ``mean_interval``."""

MEANING = {
    "mean_interval": f"{SEED_LEVEL}% t-interval of the mean over seeds: chance in training only",
    "prediction_intervals": "split conformal, from the errors on validation clips: the range of "
    "labels of such clips; test_coverage is the share of test labels inside it",
    "contributions": "prediction minus the prediction with this modality's gated vector at its "
    "mean over the training clips; they do not add up; null where the modality was not given",
}


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

    ``change`` is the mean of ``seeds``; ``gate`` the mean gate weight, 0 to 1.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    change: float
    seeds: list[float]
    gate: float


class Prediction(BaseModel):
    """The prediction for one clip: the mean of ``seeds``; see the module for the rest.

    ``mean_interval`` is None for a single seed; ``contributions`` has None for a modality that the
    model knows and the clip has not.
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
    meaning: dict[str, str] = MEANING


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
    material = [material_of(about, clip, notes[clip.id]) for clip in clips]
    networks = [network.to(device) for network in model.networks]
    vectors = _vectors_of_all(about, networks, material, notes, general, device)
    given = {m: torch.tensor([m in own for own in material], device=device) for m in about.inputs}
    arithmetic = models.module(about.spec.family).CONTRIBUTIONS
    with torch.no_grad():
        readings = [
            arithmetic.contributions(network, z, run.means, given)
            for network, z, run in zip(networks, vectors, about.runs, strict=True)
        ]
    predictions = np.array([_numbers(r.prediction) for r in readings])  # (S, N)
    changes = {m: np.array([_numbers(r.change[m]) for r in readings]) for m in about.inputs}
    gates = np.mean([_numbers(r.gates) for r in readings], 0)  # (N, 3)
    rows = []
    for i, clip in enumerate(clips):
        parts = {m: (changes[m][:, i], gates[i, MODALITIES.index(m)]) for m in material[i]}
        rows.append(_prediction(about, clip.id, predictions[:, i], parts, notes[clip.id]))
    return Predictions(
        model=str(model.folder),
        setting=about.setting,
        scale=about.scale,
        clips=rows,
        notes=[*about.notes, *dict.fromkeys(general)],
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


def _prediction(
    about: About,
    clip: str,
    seeds: np.ndarray,
    parts: Mapping[str, tuple[np.ndarray, float]],
    notes: list[str],
) -> Prediction:
    """Return the prediction for one clip.

    ``seeds`` (S,) are the predictions of all trainings; ``parts`` has, for each modality that is
    given, what it changed (S,) and its mean gate.
    """
    given = [m for m in MODALITIES if m in parts]
    mean = float(seeds.mean())
    contributions = {
        m: Contribution(
            change=float(parts[m][0].mean()), seeds=parts[m][0].tolist(), gate=float(parts[m][1])
        )
        if m in parts
        else None
        for m in MODALITIES
        if m in about.inputs
    }
    return Prediction(
        id=clip,
        given=given,
        prediction=mean,
        seeds=seeds.tolist(),
        mean_interval=mean_interval(seeds),
        prediction_intervals=_prediction_intervals(about, given, mean),
        contributions=contributions,
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


# --- from clips to vectors ----------------------------------------------------------------------


def _vectors_of_all(
    about: About,
    networks: Sequence["nn.Module"],
    material: Sequence[Mapping[str, object]],
    notes: Mapping[str, list[str]],
    general: list[str],
    device: str,
) -> list[dict[str, "Tensor"]]:
    """Return, for each network, the vectors (N, F) by modality; zero where a clip lacks one.

    ``notes`` and ``general`` take what an encoder says of a clip, and of all.
    """
    import torch

    ids = list(notes)
    sizes = {m: len(average["vector"]) for m, average in about.runs[0].means.items()}
    vectors = [
        {m: torch.zeros(len(ids), size, device=device) for m, size in sizes.items()}
        for _ in networks
    ]
    with TemporaryDirectory(prefix="msalib-") as folder:
        for m, asked in about.inputs.items():
            rows = [i for i, own in enumerate(material) if m in own]
            if not rows:
                continue
            corpus = corpus_of(about, m, [ids[i] for i in rows], [material[i][m] for i in rows])
            if asked.encoder is not None:
                corpus = _encoded(corpus, about, m, Path(folder) / m, device, general)
                for clip, loss in _lost(corpus, m).items():
                    notes[clip].append(f"{m}: {loss}")
            _check_width(corpus, m, asked)
            for network, filled in zip(networks, vectors, strict=True):
                filled[m][rows] = _vectors(about, network, corpus, m, device)
    return vectors


def _encoded(
    corpus: Corpus, about: About, modality: str, folder: Path, device: str, notes: list[str]
) -> Corpus:
    """Return the corpus with the layers of the model's encoder.

    ``notes`` takes what the extractor warned of, and how its settings differ from those of the
    training (another detector of faces, another precision).
    """
    source = about.inputs[modality].encoder
    encoder = _encoder(source)
    preset = about.spec.preset
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        encoders.encode(corpus, encoder, preset=preset, device=device, folder=folder)
    features = encoders.read(corpus, encoder, preset, folder)
    provenance = features.provenance
    _check_revision(source, provenance["revision"])
    if provenance["convention"] != source.convention:
        raise UserError(
            f"encoder {source.name} of this model",
            found=f"layers that mean something else now ({provenance['convention']})",
            expected=source.convention,
            remedy="Train the model again with this version of the code.",
        )
    ours = [w for w in caught if Path(w.filename).is_relative_to(ROOT / "msalib")]
    notes += [str(w.message) for w in ours]
    if modality == "visual" and about.faces == "whole":
        notes.append("each picture is taken for a face crop, as in training")
    for name in SETTINGS:
        here, then = provenance.get(name), source.settings.get(name)
        if here != then:
            usual = "float32" if name == "precision" else "nothing"
            notes.append(f"{modality} {name}: {here or usual}; in training: {then or usual}")
    return corpus.with_features(modality, features)


def _lost(corpus: Corpus, modality: str) -> dict[str, str]:
    """Return what an encoder could not take of each clip, by id: frames beyond its limit, faces."""
    features, ids = corpus.features[modality], corpus.utterances.index
    lengths = features.lengths()
    losses = {}
    count = int(features.provenance["truncated"].split()[0])
    longest = lengths == lengths.max()
    if count == longest.sum():  # else one of them just fits, and cannot be told from those cut
        losses |= dict.fromkeys(ids[longest], f"longer than {features.source} takes, cut there")
    if modality == "visual":
        empty = ~np.asarray(features.layers[features.blocks[0]]).any(1)
        faceless = np.add.reduceat(empty, features.offsets[:-1])
        losses |= {
            clip: f"no face in {missing} of {length} pictures"
            for clip, missing, length in zip(ids, faceless, lengths, strict=True)
            if missing
        }
    return losses


def _encoder(source: saved.Source) -> encoders.Encoder:
    """Return the encoder that a model was trained on, if it is available and still the same."""
    try:
        encoder = encoders.resolve(source.model)
        revision = encoders.revision(encoder)  # asks the hub for what is not here
    except UserError as error:
        raise UserError(
            f"encoder {source.name} of this model",
            found=error.found,
            expected=f"revision {source.revision} of {source.model}",
            remedy="Bring it here; a folder that has moved can be named anew in model.json "
            "('model').",
        ) from error
    _check_revision(source, revision)
    return encoder


def _check_revision(source: saved.Source, found: str) -> None:
    if found != source.revision:
        raise UserError(
            f"encoder {source.name} of this model",
            found=f"revision {found}",
            expected=f"revision {source.revision}, on which the model was trained",
            remedy="Bring that revision back, or train the model again.",
        )


def _check_width(corpus: Corpus, modality: str, asked: Input) -> None:
    arrays = corpus.features[modality].select(asked.layer)
    if (len(arrays), arrays[0].shape[1]) != (asked.layers, asked.width):
        raise UserError(
            f"{modality} features",
            found=f"{len(arrays)} layers of width {arrays[0].shape[1]}",
            expected=f"{asked.layers} of width {asked.width}",
            remedy="Train the model again with this encoder.",
        )


def _vectors(
    about: About, network: "nn.Module", corpus: Corpus, modality: str, device: str
) -> "Tensor":
    """Return the vectors (N, F) of all clips, by the network's own encoder of the modality."""
    import torch

    arithmetic = models.module(about.spec.family).CONTRIBUTIONS
    layer = {modality: about.inputs[modality].layer}
    examples = corpus.examples(np.arange(len(corpus)), inputs=layer, device=device)
    with torch.no_grad():
        batches = [
            arithmetic.vectors(network, modality, batch.features[modality], batch.mask[modality])
            for batch in examples.batches(BATCH)
        ]
    return torch.cat(batches)


def _numbers(values: "Tensor") -> np.ndarray:
    return values.detach().cpu().numpy().astype(float)
