"""What a saved model says of a user's own clips: prediction, intervals, part of each modality.

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
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from msalib import encoders
from msalib.base.errors import UserError
from msalib.base.paths import ROOT
from msalib.data.corpus import MODALITIES, SUMS, Corpus, Features
from msalib.encoders.media import PICTURE_FILES
from msalib.pages.tables import Table
from msalib.runs import saved
from msalib.runs.saved import About, Input, Model

if TYPE_CHECKING:
    from torch import Tensor

COLUMNS = ("id", "text", "audio", "video", "features")
"""Of a table of clips; empty cells are not given. Paths are relative to the table."""

SEED_LEVEL = 95
"""Per cent, of ``mean_interval``."""

MEANING = {
    "mean_interval": f"{SEED_LEVEL}% t-interval of the mean over seeds: the luck of training only",
    "prediction_intervals": "split conformal, made of the errors on validation clips: where labels "
    "of such clips lie; test_coverage is the share of test labels that they held",
    "contributions": "prediction minus the prediction with this modality's gated vector at its "
    "mean over the training clips; they do not add up; null where the modality was not given",
}


@dataclass(frozen=True)
class Clip:
    """What a user has of one clip; None or nothing where it is not there.

    ``video`` is a file, or a folder of frames; sound comes from ``audio``, else out of the video
    file. ``features`` has arrays by modality, (T, D) or, where the model reads L layers, (L, T, D).
    """

    id: str
    text: str | None = None
    audio: Path | None = None
    video: Path | None = None
    features: Mapping[str, np.ndarray] = field(default_factory=dict)


class Interval(BaseModel):
    """In points of the label."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    low: float
    high: float


class PredictionInterval(Interval):
    """``test_coverage``: share of the test labels that intervals made in this way held."""

    test_coverage: float


class Contribution(BaseModel):
    """``change``: mean over seeds; ``seeds``: of each. ``gate``: mean gate weight, 0 to 1."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    change: float
    seeds: list[float]
    gate: float


class Prediction(BaseModel):
    """Of one clip. ``prediction`` is the mean of ``seeds``; see the module for the rest.

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
    """Of all clips that were given, and what to know of them."""

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
    without words, media that are not there or cannot be decoded, features of another width, and
    for encoders that are not here or are of another revision than those of the training. What a
    model does not read, and what was cut, is said in ``notes``.
    """
    import torch

    from msalib.base.provenance import pick_device

    about, device = model.about, pick_device(device)
    twice = [clip for clip, count in Counter(c.id for c in clips).items() if count > 1]
    if twice or not clips:
        raise UserError(
            "clips",
            found=f"two with the id {twice[0]}" if twice else "none",
            expected="one clip or more, every id once",
            remedy="Correct the ids.",
        )
    notes: dict[str, list[str]] = {clip.id: [] for clip in clips}
    material = [_material(about, clip, notes[clip.id]) for clip in clips]
    general: list[str] = []
    networks = [network.to(device) for network in model.networks]
    vectors = [
        {
            m: torch.zeros(len(clips), len(model.about.runs[0].means[m].vector), device=device)
            for m in network.encoders
        }
        for network in networks
    ]
    here = {m: torch.tensor([m in own for own in material], device=device) for m in about.inputs}
    with TemporaryDirectory(prefix="msalib-") as folder:
        for m, asked in about.inputs.items():
            rows = [i for i, own in enumerate(material) if m in own]
            if not rows:
                continue
            own = _corpus(about, m, [clips[i].id for i in rows], [material[i][m] for i in rows])
            if asked.encoder is not None:
                own = _encoded(own, about, m, Path(folder) / m, device, general)
                for clip, said in _lost(own, m).items():
                    notes[clip].append(f"{m}: {said}")
            _check_width(own, m, asked)
            for network, filled in zip(networks, vectors, strict=True):
                filled[m][rows] = _vectors(network, own, m, asked.layer, device)
    readings = [
        saved.read(network, filled, run.means, here)
        for network, filled, run in zip(networks, vectors, about.runs, strict=True)
    ]
    predictions = np.array([_numbers(r.prediction) for r in readings])  # (S, N)
    changes = {m: np.array([_numbers(r.change[m]) for r in readings]) for m in about.inputs}
    gates = np.mean([_numbers(r.gates) for r in readings], 0)  # (N, 3)
    found = []
    for i, clip in enumerate(clips):
        given = [m for m in MODALITIES if m in material[i]]
        mean = float(predictions[:, i].mean())
        found.append(
            Prediction(
                id=clip.id,
                given=given,
                prediction=mean,
                seeds=predictions[:, i].tolist(),
                mean_interval=mean_interval(predictions[:, i]),
                prediction_intervals=_prediction_intervals(about, given, mean),
                contributions={
                    m: Contribution(
                        change=float(changes[m][:, i].mean()),
                        seeds=changes[m][:, i].tolist(),
                        gate=float(gates[i, MODALITIES.index(m)]),
                    )
                    if m in given
                    else None
                    for m in MODALITIES
                    if m in about.inputs
                },
                notes=notes[clip.id],
            )
        )
    return Predictions(
        model=str(model.folder),
        setting=about.setting,
        scale=about.scale,
        clips=found,
        notes=[*about.notes, *dict.fromkeys(general)],
    )


def mean_interval(seeds: np.ndarray) -> Interval | None:
    """95% interval of Student's t about the mean of predictions by several trainings, (S,)."""
    from scipy.stats import t

    if len(seeds) < 2:
        return None
    half = t.ppf(0.5 + SEED_LEVEL / 200, len(seeds) - 1) * np.std(seeds, ddof=1)
    half /= np.sqrt(len(seeds))
    return Interval(low=float(np.mean(seeds) - half), high=float(np.mean(seeds) + half))


def _prediction_intervals(
    about: About, given: Sequence[str], mean: float
) -> dict[str, PredictionInterval]:
    """By level; labels lie on the scale, so that an interval may end with it."""
    found = {}
    for level in saved.LEVELS:
        half = about.half_width(given, level)
        ends = about.scale if half is None else np.clip([mean - half, mean + half], *about.scale)
        found[str(level)] = PredictionInterval(
            low=float(ends[0]),
            high=float(ends[1]),
            test_coverage=about.coverage[saved.key(given)][str(level)],
        )
    return found


# --- what is given ------------------------------------------------------------------------------


def _material(about: About, clip: Clip, notes: list[str]) -> dict[str, object]:
    """Modality -> what the model reads of a clip: an array, a transcript or a path."""
    found, used = {}, set()
    for m, asked in about.inputs.items():
        if asked.encoder is None:
            if m in clip.features:
                found[m] = clip.features[m]
        elif m == "linguistic":
            if clip.text is not None:
                found[m] = _transcript(clip)
                used.add("text")
        elif m == "acoustic" and clip.audio is not None:
            found[m] = _existing(clip.audio)
            used.add("audio")
        elif clip.video is not None and (m == "visual" or _has_sound(_existing(clip.video))):
            found[m] = _existing(clip.video)
            used.add("video")
    for name in ("text", "audio", "video"):
        if getattr(clip, name) is not None and name not in used:
            notes.append(f"{name} is not read by this model")
    for m in clip.features:
        if m not in found:
            notes.append(f"{m} features are not read by this model")
    missing = [m for m in about.inputs if m not in found]
    if not found:
        raise UserError(
            f"clip {clip.id}",
            found="nothing that this model reads" + (f" ({'; '.join(notes)})" if notes else ""),
            expected=" or ".join(wanted(m, i) for m, i in about.inputs.items()),
            remedy="Give one of them or more.",
        )
    for m in missing:
        notes.append(
            f"{m}: not given, so it has its mean over the training clips "
            f"(to give it: {wanted(m, about.inputs[m])})"
        )
    return found


def wanted(modality: str, asked: Input) -> str:
    """What to give a model for one modality, in words."""
    if asked.encoder is None:
        shape = f"({asked.layers}, T, {asked.width})" if asked.layer in SUMS else (
            f"(T, {asked.width})"
        )  # fmt: skip
        return (
            f"--features with an array {modality} {shape}, one frame per {asked.unit} "
            f"(source: {asked.source})"
        )
    return {
        "linguistic": "--text with the transcript",
        "acoustic": "--audio or --video with a file that has sound",
        "visual": "--video with a file or a folder of frames",
    }[modality]


def _transcript(clip: Clip) -> str:
    if not clip.text.strip():
        raise UserError(
            f"clip {clip.id}",
            found="a transcript without words",
            expected="what is said in the clip",
            remedy="Leave the text out where there is none: it is then counted as not given.",
        )
    return clip.text


def _existing(path: Path) -> Path:
    if not path.exists():
        raise UserError(
            path,
            found="no such file",
            expected="sound, a video, or a folder of frames",
            remedy="Correct the path.",
        )
    return path


def _has_sound(video: Path) -> bool:
    """False for pictures without sound; what cannot be opened is left to the extractor to tell."""
    if video.is_dir() or video.suffix.lower() in PICTURE_FILES:
        return False
    try:
        import av
    except ImportError:
        return True
    try:
        with av.open(str(video)) as file:
            return bool(file.streams.audio)
    except (av.FFmpegError, OSError):
        return True


def _corpus(about: About, modality: str, ids: Sequence[str], material: Sequence) -> Corpus:
    """The clips that have a modality, as a corpus of it alone."""
    table = pd.DataFrame({"video": ids, "segment": 0, "text": "", "label": 0.0})
    table.index = pd.Index(ids, name="id")
    asked = about.inputs[modality]
    features, media = {}, {}
    if asked.encoder is None:
        features[modality] = _features(modality, asked, ids, material)
    elif modality == "linguistic":
        table["text"] = list(material)
    else:
        media[modality] = list(material)
    return Corpus("yours", table, features, {}, media=media, faces=about.faces)


def _features(modality: str, asked: Input, ids: Sequence[str], arrays: Sequence) -> Features:
    """Arrays (T, D), or (L, T, D) for a sum of layers, as features that come with data."""
    stacked = []
    for clip, array in zip(ids, arrays, strict=True):
        layers = np.asarray(array)
        layers = layers[None] if asked.layer not in SUMS and layers.ndim == 2 else layers
        shape = (asked.layers, *layers.shape[1:2], asked.width)
        if layers.ndim != 3 or layers.shape != shape or not layers.shape[1]:
            raise UserError(
                f"{modality} features of clip {clip}",
                found=f"an array of shape {np.shape(array)}",
                expected=wanted(modality, asked),
                remedy="Give features of the kind that the model was trained on.",
            )
        if layers.dtype.kind not in "fiu" or not np.isfinite(layers).all():
            raise UserError(
                f"{modality} features of clip {clip}",
                found="values that are no finite numbers",
                expected="finite numbers",
                remedy="Correct them, or leave this modality out.",
            )
        stacked.append(layers)
    numbers = range(1, asked.layers + 1) if asked.layer in SUMS else [asked.layer]
    joined = np.concatenate(stacked, 1)
    offsets = np.concatenate([[0], np.cumsum([a.shape[1] for a in stacked])])
    layers = dict(zip(numbers, joined, strict=True))
    return Features(asked.source, asked.unit, layers, offsets)


# --- from clips to vectors ----------------------------------------------------------------------


def _encoded(
    corpus: Corpus, about: About, modality: str, folder: Path, device: str, notes: list[str]
) -> Corpus:
    """The corpus with the layers of the model's encoder.

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
    found = features.provenance
    _check_revision(source, found["revision"])
    if found["convention"] != source.convention:
        raise UserError(
            f"encoder {source.name} of this model",
            found=f"layers that mean something else now ({found['convention']})",
            expected=source.convention,
            remedy="Train the model again with this version of the code.",
        )
    ours = [w for w in caught if Path(w.filename).is_relative_to(ROOT / "msalib")]
    notes += [str(w.message) for w in ours]
    if modality == "visual" and about.faces == "whole":
        notes.append("each picture is taken for a face crop, as in training")
    for name in saved.SETTINGS:
        here, then = found.get(name), source.settings.get(name)
        if here != then:
            usual = "float32" if name == "precision" else "nothing"
            notes.append(f"{modality} {name}: {here or usual}; in training: {then or usual}")
    return corpus.with_features(modality, features)


def _lost(corpus: Corpus, modality: str) -> dict[str, str]:
    """What an encoder could not take of each clip, by id: frames beyond its limit, faces."""
    features, ids = corpus.features[modality], corpus.utterances.index
    lengths = features.lengths()
    said = {}
    count = int(features.provenance["truncated"].split()[0])
    longest = lengths == lengths.max()
    if count == longest.sum():  # else one of them just fits, and cannot be told from those cut
        said |= dict.fromkeys(ids[longest], f"longer than {features.source} takes, cut there")
    if modality == "visual":
        empty = ~np.asarray(features.layers[features.blocks[0]]).any(1)
        faceless = np.add.reduceat(empty, features.offsets[:-1])
        said |= {
            clip: f"no face in {missing} of {length} pictures"
            for clip, missing, length in zip(ids, faceless, lengths, strict=True)
            if missing
        }
    return said


def _encoder(source: saved.Source) -> encoders.Encoder:
    """The encoder that a model was trained on, if it is here and still the same."""
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


def _vectors(network, corpus: Corpus, modality: str, layer: int | str, device: str) -> "Tensor":
    """z of all clips, (N, F), by the network's own encoder of the modality."""
    import torch

    examples = corpus.examples(np.arange(len(corpus)), inputs={modality: layer}, device=device)
    with torch.no_grad():
        found = [
            network.encoders[modality](batch.features[modality], batch.mask[modality])[0]
            for batch in examples.batches(64)
        ]
    return torch.cat(found)


def _numbers(values: "Tensor") -> np.ndarray:
    return values.detach().cpu().numpy().astype(float)


# --- reading what the user has ------------------------------------------------------------------


def clips_of(corpus: Corpus, ids: Sequence[str], about: About) -> list[Clip]:
    """Clips of a corpus as a user of this model would give them."""
    clips = []
    for clip in ids:
        row = corpus.utterances.index.get_loc(clip)
        features, own = {}, {}
        for m, asked in about.inputs.items():
            if asked.encoder is None:
                found = corpus.features[m]
                start, end = found.offsets[row], found.offsets[row + 1]
                arrays = [array[start:end] for array in found.select(asked.layer)]
                features[m] = np.stack(arrays) if asked.layer in SUMS else arrays[0]
            elif m == "linguistic":
                own["text"] = corpus.utterances["text"].iloc[row]
            else:
                own["audio" if m == "acoustic" else "video"] = Path(corpus.media[m][row])
        clips.append(Clip(clip, features=features, **own))
    return clips


def read_features(path: Path | str) -> dict[str, np.ndarray]:
    """The arrays of a .npz file, by modality; ``UserError`` for anything else."""
    import zipfile
    import zlib

    expected = f"a .npz file with arrays named {', '.join(MODALITIES)} (some or all)"
    remedy = "Write it by numpy.savez(path, acoustic=...)."
    try:
        with Path(path).open("rb") as file:  # numpy leaves a file open that is none of its own
            found = np.load(file, allow_pickle=False)
            if isinstance(found, np.ndarray):
                raise ValueError("a single array without a name")
            arrays = {name: found[name] for name in found.files}
    except FileNotFoundError as error:
        raise UserError(
            path, found="no such file", expected=expected, remedy="Correct the path."
        ) from error
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        found = f"it cannot be read ({str(error).splitlines()[0] if str(error) else 'damaged'})"
        raise UserError(path, found=found, expected=expected, remedy=remedy) from error
    strange = [name for name in arrays if name not in MODALITIES]
    if strange or not arrays:
        found = f"an array named {strange[0]}" if strange else "no array"
        raise UserError(path, found=found, expected=expected, remedy=remedy)
    return arrays


def read_table(path: Path | str) -> tuple[list[Clip], list[str]]:
    """The clips of a .csv table, and the columns of it that are not read.

    It has the columns ``id`` and some of text, audio, video and features.
    """
    path = Path(path)
    expected = f"a .csv table with the columns id and some of {', '.join(COLUMNS[1:])}"
    remedy = "Correct the table; paths in it are relative to its own folder."

    def bad(found: str) -> UserError:
        return UserError(path, found=found, expected=expected, remedy=remedy)

    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except FileNotFoundError as error:
        raise bad("no such file") from error
    except (OSError, ValueError) as error:  # pandas' own errors are kinds of the latter
        raise bad(f"it cannot be read ({str(error).splitlines()[0]})") from error
    if "id" not in table or not set(table.columns) & set(COLUMNS[1:]):
        raise bad(f"the columns {', '.join(map(str, table.columns))}")
    if not len(table) or (table["id"] == "").any():
        raise bad("a row without id" if len(table) else "no row")
    clips = []
    for row in table.to_dict("records"):
        given = {name: row[name] for name in COLUMNS[1:] if row.get(name)}
        features = given.pop("features", None)
        for name in given.keys() & {"audio", "video"}:
            given[name] = path.parent / given[name]
        if features is not None:
            given["features"] = read_features(path.parent / features)
        clips.append(Clip(row["id"], **given))
    return clips, [c for c in table.columns if c not in COLUMNS]


def command(
    model: Path | str,
    *,
    text: str | None = None,
    audio: Path | None = None,
    video: Path | None = None,
    features: Path | None = None,
    table: Path | None = None,
    as_json: bool = False,
    device: str = "auto",
) -> str:
    """What ``msalib predict`` prints: of one clip, or of those in ``table``."""
    one = [name for name in (text, audio, video, features) if name is not None]
    if table is not None and one:
        raise UserError(
            "msalib predict",
            found="a table beside a single clip",
            expected="one of the two",
            remedy="Put the clip into the table, or leave --table out.",
        )
    opened = saved.load(model)
    if table is not None:
        clips, unread = read_table(table)
    else:
        named = next((Path(p) for p in (video, audio, features) if p is not None), None)
        arrays = {} if features is None else read_features(features)
        clip = Clip(
            "clip" if named is None else named.stem,
            text=text,
            audio=None if audio is None else Path(audio),
            video=None if video is None else Path(video),
            features=arrays,
        )
        clips, unread = [clip], []
    found = predict(opened, clips, device)
    if unread:
        note = f"columns of the table that are not read: {', '.join(unread)}"
        found = found.model_copy(update={"notes": [*found.notes, note]})
    return found.model_dump_json(indent=1) if as_json else "\n".join(report(found))


def report(found: Predictions) -> list[str]:
    """Predictions in lines for a terminal."""
    low, high = found.scale
    lines = [
        f"{found.model}: {found.setting}",
        f"sentiment from {low:g} (negative) to {high:g} (positive)",
    ]
    for clip in found.clips:
        lines += ["", f"{clip.id}: {clip.prediction:+.2f}"]
        for level, own in clip.prediction_intervals.items():
            lines.append(
                f"  {level}% prediction interval: {own.low:+.2f} to {own.high:+.2f} "
                f"(on the test clips it held {own.test_coverage:.0%} of the labels)"
            )
        if clip.mean_interval is None:
            lines.append("  a single training: how much luck is in it cannot be said")
        else:
            own = clip.mean_interval
            lines.append(
                f"  mean of {len(clip.seeds)} trainings ({min(clip.seeds):+.2f} to "
                f"{max(clip.seeds):+.2f}); {SEED_LEVEL}% t-interval of that mean: "
                f"{own.low:+.2f} to {own.high:+.2f}"
            )
        for m, part in clip.contributions.items():
            if part is not None:
                lines.append(f"  {m}: {part.change:+.2f} (gate {part.gate:.2f})")
        lines += [f"  note: {note}" for note in clip.notes]
    lines += [
        "",
        *(f"note: {note}" for note in found.notes),
        "A modality's number is what the prediction gains over the same clip with an average of "
        "that modality; such numbers do not add up to the prediction.",
    ]
    return lines


# --- for pages ----------------------------------------------------------------------------------


def coverage(model: Model, found: Predictions, corpus: Corpus) -> Table:
    """Whether intervals hold as many labels as they promise, on clips of a corpus.

    "Luck" is where 95% of all sets of so many validation clips would put the share: it follows a
    beta distribution. Videos are resampled for the interval of what was found.
    """
    from scipy.stats import beta

    from msalib.base import stats

    rows = corpus.utterances.loc[[clip.id for clip in found.clips]]
    label, given = rows["label"].to_numpy(), found.clips[0].given
    errors = model.about.errors[saved.key(given)]
    table = []
    for level in saved.LEVELS:
        own = [clip.prediction_intervals[str(level)] for clip in found.clips]
        held = np.array([i.low <= y <= i.high for i, y in zip(own, label, strict=True)])
        share = stats.estimate(
            *stats.means(held.astype(float), rows["video"].to_numpy()), kind="level"
        )
        k = -(-(len(errors) + 1) * level // 100)
        luck = beta.ppf([0.025, 0.975], k, len(errors) + 1 - k)
        half = model.about.half_width(given, level)
        sides = {
            "label below -0.5": label < -0.5,
            "in between": np.abs(label) <= 0.5,
            "above 0.5": label > 0.5,
        }
        table.append(
            {
                "interval": f"{level}%",
                "half width (points)": "whole scale" if half is None else f"{half:.2f}",
                "held": f"{share.effect:.0%}",
                "95% interval": f"{share.low:.0%} to {share.high:.0%}",
                "luck": f"{luck[0]:.0%} to {luck[1]:.0%}" if half is not None else "100%",
            }
            | {name: _share(held[chosen]) for name, chosen in sides.items()}
        )
    caption = (
        f"Share of the labels of {len(label)} clips that lie in their prediction interval, made of "
        f"the errors on {len(errors)} validation clips. Setting: {found.setting}."
    )
    return Table(pd.DataFrame(table), caption=caption)


def _share(held: np.ndarray) -> str:
    return f"{held.mean():.0%}" if len(held) else "no clip"


def both(clips: Sequence[Prediction]) -> Table:
    """Both kinds of interval beside each other, one row per clip."""

    def told(own: Interval | None) -> str:
        return "one training: unknown" if own is None else f"{own.low:+.2f} to {own.high:+.2f}"

    frame = pd.DataFrame(
        {
            "clip": clip.id,
            "prediction": f"{clip.prediction:+.2f}",
            "of single seeds": f"{min(clip.seeds):+.2f} to {max(clip.seeds):+.2f}",
            f"{SEED_LEVEL}% interval of the mean": told(clip.mean_interval),
        }
        | {
            f"{level}% prediction interval": told(own)
            for level, own in clip.prediction_intervals.items()
        }
        for clip in clips
    )
    caption = "Interval of the mean: the luck of training. Prediction interval: where labels lie."
    return Table(frame, caption=caption)


def widths(about: About) -> Table:
    """How wide intervals are, and how many test labels they held, by what is given."""
    frame = pd.DataFrame(
        {"given": " + ".join(name.split("+"))}
        | {
            f"{level}%, half width (points)": "whole scale"
            if (half := about.half_width(name.split("+"), level)) is None
            else f"{half:.2f}"
            for level in saved.LEVELS
        }
        | {f"{level}%, held": f"{held[str(level)]:.0%}" for level in saved.LEVELS}
        for name, held in about.coverage.items()
    )
    caption = (
        "Half width of the prediction intervals by the modalities that are given, and the share of "
        f"test labels that they held. Setting: {about.setting}."
    )
    return Table(frame, caption=caption)


def environment(about: About) -> Table:
    """Where a saved model comes from."""
    own = about.provenance
    row = {
        "commit": own.commit,
        "device": own.device,
        "versions": ", ".join(f"{name} {version}" for name, version in own.versions.items()),
        "seeds": len(about.runs),
        "trained (UTC)": own.started[:16].replace("T", " "),
        "seconds per seed": f"{own.seconds:.1f}",
    }
    return Table(pd.DataFrame([row]), caption="Where this model comes from.")
