"""The store of added data sets: converted once, to files that are safe and quick to read.

    about.json          ``About``
    utterances.csv      a row per clip
    splits.csv          a row per clip, a column per split
    media.csv           where the sound and pictures of each clip lie, if it has any
    <modality>_NN.npy   (S, D) float32, all clips laid end to end, one file per layer
    <modality>.npy      (N + 1,) int64, clip i is frames [i]:[i + 1]

Nothing here is a pickle. A data set gets its name when every byte is on the disk; of two commands
that write it, one waits. Text is kept character by character, numbers to the last bit.
"""

import csv
import re
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from msalib.base import files, refusals
from msalib.base.errors import UserError, unknown
from msalib.base.paths import corpora_folder
from msalib.data.corpus import MODALITIES, Corpus, Features
from msalib.data.readers import clip_files, digests, formats
from msalib.data.readers.formats import Options
from msalib.data.readers.names import check_free, names
from msalib.data.readers.published import PUBLISHED, UNPUBLISHED
from msalib.data.tasks import Regression, Task

_KINDS = {"b": "truth", "i": "integer", "u": "integer", "f": "number"}


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Frozen):
    """A file that was read; ``published`` says what is known to have this SHA-256."""

    file: str
    bytes: int
    sha256: str
    published: str = UNPUBLISHED


class Stored(_Frozen):
    """The features of one modality, without their numbers."""

    source: str
    unit: str
    layers: tuple[int, ...]
    frames: int
    width: int
    provenance: dict[str, str]


class Content(_Frozen):
    """A file of the store, so that damage is seen."""

    bytes: int
    sha256: str


class About(_Frozen):
    """What an added data set says of itself.

    ``raw`` are the modalities that an encoder can be given: transcripts, sound, pictures.
    """

    version: Literal[1] = 1
    name: str
    format: str
    title: str
    options: Options
    sources: tuple[Source, ...]
    clips: int
    columns: dict[str, Literal["text", "truth", "integer", "number"]]
    splits: tuple[str, ...]
    tasks: tuple[Task, ...]
    features: dict[str, Stored]
    raw: tuple[str, ...]
    media: tuple[str, ...]
    faces: str
    notes: tuple[str, ...]
    dropped: dict[str, str]
    dropped_part: dict[str, str]
    fingerprint: str
    digests: dict[str, str] = {}  # of what was read; stores that are older have none
    contents: dict[str, Content]

    @model_validator(mode="before")
    @classmethod
    def _tasks_of_format(cls, values):
        """Fill in the tasks of a store that was written before stores had them."""
        if not isinstance(values, dict) or values.get("format") not in formats.FORMATS:
            return values
        reader = formats.reader(values["format"])
        return {"tasks": getattr(reader, "TASKS", (Regression(),)), **values}

    @property
    def identity(self) -> str:
        """Return the published file that this was made of."""
        known = [s.published for s in self.sources if s.published != UNPUBLISHED]
        return "; ".join(known) or UNPUBLISHED


def add(
    path: Path, name: str, options: Options, format: str | None = None, refresh: bool = False
) -> Path:
    """Convert what lies at ``path`` and keep it as the data set ``name``; return its folder.

    Raises ``UserError`` for a name that is taken (without ``refresh``) or is none, for a folder
    with sound or pictures that its format does not read, and like ``formats.convert``; then nothing
    has been written.
    """
    check_free(name, refresh)
    corpus, format = formats.convert(path, name, options, format)
    clip_files.check_read(Path(path), {*corpus.features, *corpus.media})
    return write(corpus, path, format, options, refresh=refresh)


def write(
    corpus: Corpus,
    source: Path,
    format: str,
    options: Options | None = None,
    refresh: bool = False,
) -> Path:
    """Keep a corpus that was read from ``source`` under its own name; return its folder.

    Its fingerprint then covers all that was read (``digests``), and what a simulation knows
    (``Corpus.truth``) is not kept. Raises ``UserError`` for a name that is
    taken (without ``refresh``) or is none, and where the disk refuses.
    """
    folder = corpora_folder() / corpus.name
    corpus = replace(corpus, digests=digests.of(corpus))
    with files.whole_folder(folder) as partial:
        check_free(corpus.name, refresh)  # it may have been taken meanwhile
        about = _write(partial, corpus, Path(source), format, options or Options())
        files.write_text(partial / "about.json", about.model_dump_json(indent=2))
    return folder


def about(name: str) -> About:
    """Return the description of an added data set.

    Raises ``UserError`` where it is missing or damaged.
    """
    folder = corpora_folder() / name
    if name not in names():
        remedy = "Add it: msalib data add PATH --name NAME"
        found = "no such data set among those added"
        raise unknown("data set", name, names(), found=found, remedy=remedy)
    try:
        return About.model_validate_json((folder / "about.json").read_bytes())
    except (OSError, ValidationError) as error:
        file = folder / "about.json"
        if refusal := refusals.refused(error, file):
            raise refusal from error
        found = f"no readable description ({files.complaint(error)})"
        raise _damaged(file, found, "that of a data set") from error


def read(name: str) -> Corpus:
    """Return the data set of that name, its features mapped into memory.

    Tables are compared with what was written, features by their size (all of it: ``check``).
    Raises ``UserError`` where it is missing or damaged.
    """
    description = about(name)
    folder = corpora_folder() / name
    for file in description.contents:
        _check_file(folder, description, file, whole=not re.search(r"_\d+\.npy$", file))
    table = _read_table(folder / "utterances.csv")
    splits = _read_table(folder / "splits.csv").set_index("id")
    media = _read_table(folder / "media.csv") if description.media else {}
    utterances = table.set_index("id")
    for column, kind in description.columns.items():
        utterances[column] = _typed(table[column].tolist(), kind, utterances.index)
    return Corpus(
        name=name,
        utterances=utterances,
        features={m: _read_features(folder, m, s) for m, s in description.features.items()},
        splits={split: splits[split] for split in description.splits},
        tasks=description.tasks,
        dropped=description.dropped,
        dropped_part=description.dropped_part,
        media={m: [Path(file) for file in media[m]] for m in description.media},
        faces=description.faces,
        notes=description.notes,
        digests=description.digests,
    )


def check(name: str) -> None:
    """Compare every byte of a data set with what was written; ``UserError`` where it differs."""
    description = about(name)
    for file in description.contents:
        _check_file(corpora_folder() / name, description, file, whole=True)


# --- writing ------------------------------------------------------------------------------------


def _write(folder: Path, corpus: Corpus, source: Path, format: str, options: Options) -> About:
    table = corpus.utterances
    splits = pd.DataFrame(dict(corpus.splits), index=table.index)
    _write_table(folder / "utterances.csv", table)
    _write_table(folder / "splits.csv", splits)
    if corpus.media:
        media = {m: [str(file.resolve()) for file in files] for m, files in corpus.media.items()}
        _write_table(folder / "media.csv", pd.DataFrame(media, index=table.index))
    stored = {m: _write_features(folder, m, f) for m, f in corpus.features.items()}
    raw = set(corpus.media) | ({"linguistic"} if table["text"].str.strip().any() else set())
    return About(
        name=corpus.name,
        format=format,
        title=formats.reader(format).TITLE,
        options=options,
        sources=_sources(source),
        clips=len(corpus),
        columns={c: _KINDS.get(table[c].dtype.kind, "text") for c in table},
        splits=tuple(corpus.splits),
        tasks=corpus.tasks,
        features=stored,
        raw=tuple(m for m in MODALITIES if m in raw),
        media=tuple(corpus.media),
        faces=corpus.faces,
        notes=corpus.notes,
        dropped=dict(corpus.dropped),
        dropped_part=dict(corpus.dropped_part),
        fingerprint=corpus.fingerprint(),
        digests=dict(corpus.digests),
        contents={p.name: _content(p) for p in sorted(folder.iterdir())},
    )


def _write_features(folder: Path, modality: str, features: Features) -> Stored:
    for layer, values in features.layers.items():
        _write_array(_layer(folder, modality, layer), np.asarray(values, np.float32))
    _write_array(folder / f"{modality}.npy", features.offsets.astype(np.int64))
    return Stored(
        source=features.source,
        unit=features.unit,
        layers=tuple(features.layers),
        frames=int(features.offsets[-1]),
        width=values.shape[1],
        provenance={key: str(value) for key, value in features.provenance.items()},
    )


def _layer(folder: Path, modality: str, layer: int) -> Path:
    return folder / f"{modality}_{layer:02d}.npy"


def _write_array(path: Path, array: np.ndarray) -> None:
    with files.whole_file(path) as file:
        np.save(file, array, allow_pickle=False)


def _write_table(path: Path, table: pd.DataFrame) -> None:
    # Every value in quotes: bare ones lose line ends of other systems, and rows.
    text = table.to_csv(quoting=csv.QUOTE_ALL, lineterminator="\n", index_label="id")
    files.write_text(path, text)


def _sources(path: Path) -> tuple[Source, ...]:
    paths = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    media = clip_files.ENDINGS
    paths = [p for p in paths if p.suffix.lower() not in media and not p.name.startswith(".")]
    sources = []
    for file in paths:
        content = _content(file)
        sources.append(
            Source(
                file=path.name if file == path else file.relative_to(path).as_posix(),
                bytes=content.bytes,
                sha256=content.sha256,
                published=PUBLISHED.get(content.sha256, UNPUBLISHED),
            )
        )
    return tuple(sources)


def _content(path: Path) -> Content:
    return Content(bytes=path.stat().st_size, sha256=files.sha256(path))


# --- reading ------------------------------------------------------------------------------------


def _check_file(folder: Path, description: About, file: str, whole: bool) -> None:
    expected, path = description.contents[file], folder / file
    if not path.is_file():
        raise _damaged(path, "no such file", f"{expected.bytes} bytes")
    if path.stat().st_size != expected.bytes:
        raise _damaged(path, f"{path.stat().st_size} bytes", f"{expected.bytes} bytes")
    if whole and _content(path) != expected:
        raise _damaged(path, "other content than was written", "that content")


def _damaged(path: Path, found: str, expected: str) -> UserError:
    remedy = f"Add it again: msalib data add PATH --name {path.parent.name} --refresh"
    return UserError(path, found=found, expected=expected, remedy=remedy)


def _read_table(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False, na_filter=False)


def _typed(values: list[str], kind: str, index: pd.Index) -> pd.Series:
    if kind == "text":
        return pd.Series(values, index=index, dtype="str")
    if kind == "truth":
        return pd.Series([value == "True" for value in values], index=index)
    if kind == "integer":
        return pd.Series([int(value) for value in values], index=index, dtype="int64")
    numbers = [float(value) if value else np.nan for value in values]  # pandas' own loses a bit
    return pd.Series(numbers, index=index, dtype="float64")


def _read_features(folder: Path, modality: str, stored: Stored) -> Features:
    paths = {k: _layer(folder, modality, k) for k in stored.layers}
    layers = {}
    for layer, path in paths.items():
        try:
            layers[layer] = np.load(path, mmap_mode="c", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise _damaged(path, "no readable array", "features") from error
        shape = (stored.frames, stored.width)
        if layers[layer].shape != shape or layers[layer].dtype != np.float32:
            found = f"an array of shape {layers[layer].shape}, type {layers[layer].dtype}"
            raise _damaged(path, found, f"shape {shape}, type float32")
    return Features(
        source=stored.source,
        unit=stored.unit,
        layers=layers,
        offsets=np.load(folder / f"{modality}.npy", allow_pickle=False),
        provenance=stored.provenance,
    )
