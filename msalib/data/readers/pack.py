"""The pack format: utterances.csv (or .csv.gz), a row per clip; features.npz, a vector per clip."""

import hashlib
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pandas as pd

from msalib.base.errors import UserError, misnamed
from msalib.data.corpus import PARTS, Corpus, Features
from msalib.data.readers import build

VECTORS = {
    "audio_opensmile": ("acoustic", "openSMILE functionals, label-free"),
    "visual_3dcnn": ("visual", "3D-CNN trained with sentiment labels of test videos"),
    "text_cnn": ("linguistic", "CNN trained with sentiment labels of test videos"),
}
LEAKING = ("text_cnn", "visual_3dcnn")
"""Made by networks that saw the sentiment labels of most of the standard test videos."""

NEEDED = ("id", "video", "segment", "text", "label", "split")
"""Columns of the table; ``clip`` (number in its video) may stand for ``id`` and ``segment``."""


def read(
    folder: Path,
    name: str,
    *,
    vectors: tuple[str, ...] = ("audio_opensmile",),
    setting: str | None = None,
    clean: bool = False,
) -> Corpus:
    """Read a pack as a ``Corpus`` whose chosen ``vectors`` are one frame per clip.

    Splits: ``standard`` (column split) and, where the column is there, ``features``
    (split_features: the videos that the leaking networks saw are its training part). Clips without
    a label are dropped and listed in ``Corpus.dropped``. Non-finite feature values are an error,
    or with ``clean`` become zero and are counted in the features' provenance. Vectors that leak
    labels are refused unless ``setting`` is ``"leaky"``.
    """
    _refuse_leaks(vectors, setting)
    packed = folder / "utterances.csv.gz"
    table = _read_table(packed if packed.is_file() else folder / "utterances.csv")
    unlabelled = table.index[table["label"].isna()]
    features = _read_vectors(folder / "features.npz", table.index, vectors, clean)
    build.check_transcripts(folder, table["text"])
    keep = ~table["label"].isna().to_numpy()
    splits = {"standard": table.loc[keep, "split"]}
    if "split_features" in table:
        splits["features"] = table.loc[keep, "split_features"]
    return Corpus(
        name=name,
        utterances=table.loc[keep, ["video", "segment", "text", "label"]],
        features={m: _one_frame_each(v, x[keep], note) for m, (v, x, note) in features.items()},
        splits=splits,
        dropped={clip: "no label" for clip in unlabelled},
        dropped_part=table.loc[unlabelled, "split"].to_dict(),
    )


def _refuse_leaks(vectors, setting):
    unknown = [v for v in vectors if v not in VECTORS]
    if unknown:
        raise ValueError(f"vectors {unknown} are not among {list(VECTORS)}")
    asked = [v for v in vectors if v in LEAKING]
    if asked and setting != "leaky":
        raise UserError(
            " and ".join(asked),
            found="features that leak: they come from networks trained with sentiment labels of "
            "videos in the standard test part, so results with them look far too good",
            expected="the setting 'leaky', asked for by name",
            remedy="Use transcripts and audio_opensmile, or ask for setting 'leaky', which counts "
            "for no claim.",
        )


def _read_table(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise UserError(
            path,
            found="no such file",
            expected="a table of clips: " + ", ".join(NEEDED),
            remedy="Check MSALIB_DATA, or restore the pack (README, 'Bring your own data').",
        )
    texts = dict.fromkeys(("id", "video", "clip", "text", "split", "split_features"), str)
    missing_label = {"label": ["", "nan", "NaN", "NA"]}  # elsewhere "NA" is a word
    try:
        table = pd.read_csv(path, dtype=texts, keep_default_na=False, na_values=missing_label)
    except (OSError, EOFError, zlib.error, ValueError, UnicodeDecodeError) as error:
        raise build.bad(path, " ".join(str(error).split()), "comma-separated UTF-8 text") from error
    if {"video", "clip"} <= set(table) and "id" not in table:
        table = table.rename(columns={"clip": "segment"})
        table.insert(0, "id", table["video"] + "_" + table["segment"])
    missing = [c for c in NEEDED if c not in table]
    if missing:
        found, others = f"no column {', '.join(missing)}", [c for c in table if c not in NEEDED]
        remedy = misnamed(missing, others) or build.RESTORE
        raise build.bad(path, found, ", ".join(NEEDED), remedy)
    unnamed = table.index[table["id"] == ""]
    if len(unnamed):
        raise build.bad(path, f"no id in line {unnamed[0] + 2}", "an id for every clip")
    twice = table["id"][table["id"].duplicated()]
    if len(twice):
        raise build.bad(path, f"id {twice.iloc[0]} twice", "one row per clip")
    table = table.set_index("id")
    nowhere = table.index[table["video"] == ""]
    if len(nowhere):
        raise build.bad(path, f"no video for clip {nowhere[0]}", "the video of every clip")
    for column in [c for c in ("split", "split_features") if c in table]:
        strange = table[column][~table[column].isin(PARTS)]
        if len(strange):
            found = f"{column} {strange.iloc[0]!r} for clip {strange.index[0]}"
            raise build.bad(path, found, " | ".join(PARTS))
    label = pd.to_numeric(table["label"], errors="coerce")
    wrong = table["label"][(label.isna() & table["label"].notna()) | (label.abs() > 3)]
    if len(wrong):
        found = f"label {wrong.iloc[0]} for clip {wrong.index[0]}"
        raise build.bad(path, found, "a number from -3 to 3, or nothing")
    return table.assign(label=label)


def _read_vectors(path: Path, ids: pd.Index, vectors, clean: bool) -> dict:
    """Return modality -> vector name, values (N, D) in the order of ``ids``, note on cleaning."""
    if not vectors:
        return {}
    stored = _read_arrays(path, vectors)
    names = pd.Index(stored["id"])
    remedy = "Restore this file and utterances.csv from the same source."
    if not names.is_unique:
        found = f"id {names[names.duplicated()][0]} twice"
        raise build.bad(path, found, "one vector per clip", remedy)
    for name in vectors:
        if stored[name].ndim != 2 or len(stored[name]) != len(names):
            found = f"{name} of shape {stored[name].shape} for {len(names)} ids"
            raise build.bad(path, found, "one vector per id", remedy)
    place = names.get_indexer(ids)
    lacking = ids[place < 0]
    if len(lacking):
        found = f"no features for {len(lacking)} clips of the table, the first {lacking[0]}"
        raise build.bad(path, found, "one vector for every id in utterances.csv", remedy)
    result = {}
    for name in vectors:
        modality, note = VECTORS[name]
        values, count = _finite(path, name, stored[name][place].astype(np.float32), ids, clean)
        if not values.any():
            raise build.nothing(path, modality, name, len(values))
        if count:
            note += f"; {count} non-finite values replaced by zero"
        result[modality] = (name, values, note)
    return result


def _read_arrays(path: Path, vectors) -> dict[str, np.ndarray]:
    if not path.is_file():
        raise UserError(
            path,
            found="no such file",
            expected="the feature vectors " + ", ".join(vectors),
            remedy="Restore the pack (README, 'Bring your own data').",
        )
    try:
        # Not np.load, which takes a file that is no .npz for a pickle and says so.
        with np.lib.npyio.NpzFile(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in ("id", *vectors)}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise build.bad(
            path,
            f"not a readable feature file ({' '.join(str(error).split())})",
            "a complete .npz with the arrays id, " + ", ".join(vectors),
            "The file is truncated or damaged: restore it from its source.",
        ) from error


def _finite(
    path: Path, name: str, values: np.ndarray, ids: pd.Index, clean: bool
) -> tuple[np.ndarray, int]:
    """Return values with those that are not finite at zero, and how many; refuse unless clean."""
    broken = ~np.isfinite(values)
    count = int(broken.sum())
    if count and not clean:
        row, column = map(int, np.argwhere(broken)[0])
        raise UserError(
            path,
            found=f"{count} values of {name} that are NaN or infinite, the first for clip "
            f"{ids[row]}, feature {column}",
            expected="finite numbers",
            remedy="Restore the file, or pass --clean to replace them by zero.",
        )
    return np.where(broken, 0, values).astype(np.float32), count


def _one_frame_each(name: str, values: np.ndarray, note: str) -> Features:
    return Features(
        source=name,
        unit="clip",
        layers={1: values},
        offsets=np.arange(len(values) + 1),
        provenance={
            "source": name,
            "note": note,
            "values": hashlib.sha256(values.tobytes()).hexdigest(),
        },
    )
