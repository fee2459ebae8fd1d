"""The pack format: utterances.csv (one row per clip) and features.npz (one vector per clip)."""

import zipfile
from pathlib import Path

import numpy as np
import pandas as pd

from msalib.corpus import PARTS, Corpus, Features
from msalib.errors import UserError

VECTORS = {
    "audio_opensmile": ("acoustic", "openSMILE functionals, label-free"),
    "visual_3dcnn": ("visual", "3D-CNN trained with sentiment labels of test videos"),
    "text_cnn": ("linguistic", "CNN trained with sentiment labels of test videos"),
}
LEAKING = ("text_cnn", "visual_3dcnn")
"""Made by networks that saw the sentiment labels of most of the standard test videos."""

NEEDED = ("id", "video", "segment", "text", "label", "split")


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
    table = _read_table(folder / "utterances.csv")
    unlabelled = table.index[table["label"].isna()]
    features = _read_vectors(folder / "features.npz", table.index, vectors, clean)
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
    remedy = "Restore the file from its source."
    try:
        table = pd.read_csv(path, dtype={"id": str, "video": str, "text": str, "split": str})
    except (ValueError, UnicodeDecodeError) as error:
        raise UserError(
            path, found=str(error), expected="comma-separated UTF-8 text", remedy=remedy
        ) from error
    missing = [c for c in NEEDED if c not in table]
    if missing:
        raise UserError(
            path, found=f"no column {', '.join(missing)}", expected=", ".join(NEEDED), remedy=remedy
        )
    twice = table["id"][table["id"].duplicated()]
    if len(twice):
        raise UserError(
            path, found=f"id {twice.iloc[0]} twice", expected="one row per clip", remedy=remedy
        )
    for column in [c for c in ("split", "split_features") if c in table]:
        strange = table[~table[column].isin(PARTS)]
        if len(strange):
            raise UserError(
                path,
                found=f"{column} {strange[column].iloc[0]!r} for clip {strange['id'].iloc[0]}",
                expected=" | ".join(PARTS),
                remedy=remedy,
            )
    label = pd.to_numeric(table["label"], errors="coerce")
    wrong = table[(label.isna() & table["label"].notna()) | (label.abs() > 3)]
    if len(wrong):
        raise UserError(
            path,
            found=f"label {wrong['label'].iloc[0]!r} for clip {wrong['id'].iloc[0]}",
            expected="a number from -3 to 3, or nothing",
            remedy=remedy,
        )
    return table.assign(label=label, text=table["text"].fillna("")).set_index("id")


def _read_vectors(path: Path, ids: pd.Index, vectors, clean: bool) -> dict:
    """modality -> (vector name, values (N, D) in the order of ``ids``, note on cleaning)."""
    if not vectors:
        return {}
    if not path.is_file():
        raise UserError(
            path,
            found="no such file",
            expected="the feature vectors " + ", ".join(vectors),
            remedy="Restore the pack (README, 'Bring your own data').",
        )
    try:
        with np.load(path, allow_pickle=False) as archive:
            stored = {name: archive[name] for name in ("id", *vectors)}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(
            path,
            found=f"not a readable feature file ({error})",
            expected="a complete .npz with the arrays id, " + ", ".join(vectors),
            remedy="The file is truncated or damaged: restore it from its source.",
        ) from error
    place = pd.Index(stored["id"]).get_indexer(ids)
    lacking = ids[place < 0]
    if len(lacking):
        raise UserError(
            path,
            found=f"no features for {len(lacking)} clips of the table, the first {lacking[0]}",
            expected="one vector for every id in utterances.csv",
            remedy="Restore both files from the same source.",
        )
    result = {}
    for name in vectors:
        modality, note = VECTORS[name]
        values = stored[name][place].astype(np.float32)
        bad = ~np.isfinite(values)
        if bad.any():
            row, column = map(int, np.argwhere(bad)[0])
            if not clean:
                raise UserError(
                    path,
                    found=f"{int(bad.sum())} values of {name} that are NaN or infinite, the first "
                    f"for clip {ids[row]}, feature {column}",
                    expected="finite numbers",
                    remedy="Restore the file, or pass --clean to replace them by zero.",
                )
            values = np.where(bad, 0, values).astype(np.float32)
            note += f"; {int(bad.sum())} non-finite values replaced by zero"
        result[modality] = (name, values, note)
    return result


def _one_frame_each(name: str, values: np.ndarray, note: str) -> Features:
    return Features(
        source=name,
        unit="clip",
        layers={1: values},
        offsets=np.arange(len(values) + 1),
        provenance={"source": name, "note": note},
    )
