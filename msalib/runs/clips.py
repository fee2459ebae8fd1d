"""What a user has of single clips, in the form that a saved model reads."""

import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from msalib.base.errors import UserError, misnamed
from msalib.data.corpus import MODALITIES, SUMS, Corpus, Features
from msalib.data.readers.clip_files import PICTURES
from msalib.runs.saved import About, Input

COLUMNS = ("id", "text", "audio", "video", "features")
"""Columns of a table of clips; empty cells are not given. Paths are relative to the table."""


@dataclass(frozen=True)
class Clip:
    """All that a user has of one clip; None or nothing where something is missing.

    ``video`` is a file, or a folder of frames; sound comes from ``audio``, else out of the video
    file. ``features`` has arrays by modality, (T, D) or, where the model reads L layers, (L, T, D).
    """

    id: str
    text: str | None = None
    audio: Path | None = None
    video: Path | None = None
    features: Mapping[str, np.ndarray] = field(default_factory=dict)


# --- what a model reads of a clip ---------------------------------------------------------------


def material_of(about: About, clip: Clip, notes: list[str]) -> dict[str, object]:
    """Return what the model reads of a clip, by modality: an array, a transcript or a path.

    ``notes`` takes what the model does not read. Raises ``UserError`` where nothing is left.
    """
    material, used = {}, set()
    for m, asked in about.inputs.items():
        if asked.encoder is None:
            if m in clip.features:
                material[m] = clip.features[m]
        elif m == "linguistic":
            if clip.text is not None:
                material[m] = _transcript(clip)
                used.add("text")
        elif m == "acoustic" and clip.audio is not None:
            material[m] = _existing(clip.audio)
            used.add("audio")
        elif clip.video is not None:
            used.add("video")
            if m == "visual" or _has_sound(_existing(clip.video)):
                material[m] = _existing(clip.video)
            else:
                notes.append("the video has no sound")
    for name in ("text", "audio", "video"):
        if getattr(clip, name) is not None and name not in used:
            notes.append(f"{name} is not read by this model")
    notes += [
        f"{m} features are not read by this model" for m in clip.features if m not in material
    ]
    if not material:
        raise UserError(
            f"clip {clip.id}",
            found="nothing that this model reads" + (f" ({'; '.join(notes)})" if notes else ""),
            expected=" or ".join(needed(m, asked) for m, asked in about.inputs.items()),
            remedy="Give one of them or more.",
        )
    return material


def needed(modality: str, asked: Input) -> str:
    """Return what to give a model for one modality, in words."""
    if asked.encoder is None:
        frames = f"T, {asked.width}"
        shape = f"({asked.layers}, {frames})" if asked.layer in SUMS else f"({frames})"
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
            remedy="Leave the text out if there is none: it then counts as missing.",
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
    """Check whether a video has sound; a file that cannot be opened is left to the extractor."""
    if video.is_dir() or video.suffix.lower() in PICTURES:
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


def corpus_of(about: About, modality: str, ids: Sequence[str], material: Sequence) -> Corpus:
    """Return the clips that have a modality as a corpus of it alone."""
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
    """Return arrays (T, D), or (L, T, D) for a sum of layers, as features that come with data."""
    stacked = []
    for clip, array in zip(ids, arrays, strict=True):
        layers = np.asarray(array)
        layers = layers[None] if asked.layer not in SUMS and layers.ndim == 2 else layers
        shape = (asked.layers, *layers.shape[1:2], asked.width)
        if layers.ndim != 3 or layers.shape != shape or not layers.shape[1]:
            raise UserError(
                f"{modality} features of clip {clip}",
                found=f"an array of shape {np.shape(array)}",
                expected=needed(modality, asked),
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


# --- reading what the user has ------------------------------------------------------------------


def clips_of(corpus: Corpus, ids: Sequence[str], about: About) -> list[Clip]:
    """Return clips of a corpus as a user of this model would give them."""
    clips = []
    for clip in ids:
        row = corpus.utterances.index.get_loc(clip)
        features, media = {}, {}
        for m, asked in about.inputs.items():
            if asked.encoder is None:
                stored = corpus.features[m]
                start, end = stored.offsets[row], stored.offsets[row + 1]
                arrays = [array[start:end] for array in stored.select(asked.layer)]
                features[m] = np.stack(arrays) if asked.layer in SUMS else arrays[0]
            elif m == "linguistic":
                media["text"] = corpus.utterances["text"].iloc[row]
            else:
                media["audio" if m == "acoustic" else "video"] = Path(corpus.media[m][row])
        clips.append(Clip(clip, features=features, **media))
    return clips


def single(
    *,
    text: str | None = None,
    audio: Path | None = None,
    video: Path | None = None,
    features: Path | None = None,
) -> Clip | None:
    """Return the clip that these are of, named by its first file; None where nothing is given."""
    if (text, audio, video, features) == (None,) * 4:
        return None
    name = next((path.stem for path in (video, audio, features) if path is not None), "clip")
    arrays = {} if features is None else read_features(features)
    return Clip(name, text, audio, video, arrays)


def read_features(path: Path | str) -> dict[str, np.ndarray]:
    """Read the arrays of a .npz file, by modality; raise ``UserError`` for anything else."""
    expected = f"a .npz file with arrays named {', '.join(MODALITIES)} (some or all)"
    remedy = "Write it by numpy.savez(path, acoustic=...)."
    try:
        with Path(path).open("rb") as file:  # numpy leaves a file open that is none of its own
            content = np.load(file, allow_pickle=False)
            if isinstance(content, np.ndarray):
                raise ValueError("a single array without a name")
            arrays = {name: content[name] for name in content.files}
    except FileNotFoundError as error:
        raise UserError(
            path, found="no such file", expected=expected, remedy="Correct the path."
        ) from error
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        complaint = f"it cannot be read ({str(error).splitlines()[0] if str(error) else 'damaged'})"
        raise UserError(path, found=complaint, expected=expected, remedy=remedy) from error
    strange = [name for name in arrays if name not in MODALITIES]
    if strange or not arrays:
        complaint = f"an array named {strange[0]}" if strange else "no array"
        raise UserError(path, found=complaint, expected=expected, remedy=remedy)
    return arrays


def read_table(path: Path | str) -> tuple[list[Clip], list[str]]:
    """Read the clips of a .csv table; return them and the columns that are not read.

    It has the columns ``id`` and some of text, audio, video and features.
    """
    path = Path(path)
    expected = f"a .csv table with the columns id and some of {', '.join(COLUMNS[1:])}"
    remedy = "Correct the table; paths in it are relative to its own folder."

    def bad(found: str, remedy: str = remedy) -> UserError:
        return UserError(path, found=found, expected=expected, remedy=remedy)

    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except FileNotFoundError as error:
        raise bad("no such file") from error
    except (OSError, ValueError) as error:  # pandas' own errors are kinds of the latter
        raise bad(f"it cannot be read ({str(error).splitlines()[0]})") from error
    if "id" not in table or not set(table.columns) & set(COLUMNS[1:]):
        slips = misnamed((c for c in COLUMNS if c not in table), table.columns)
        raise bad(f"the columns {', '.join(map(str, table.columns))}", slips or remedy)
    if not len(table) or (table["id"] == "").any():
        raise bad("a row without id" if len(table) else "no row")
    clips = []
    for row in table.to_dict("records"):
        fields = {name: row[name] for name in COLUMNS[1:] if row.get(name)}
        features = fields.pop("features", None)
        for name in fields.keys() & {"audio", "video"}:
            fields[name] = path.parent / fields[name]
        if features is not None:
            fields["features"] = read_features(path.parent / features)
        clips.append(Clip(row["id"], **fields))
    return clips, [c for c in table.columns if c not in COLUMNS]
