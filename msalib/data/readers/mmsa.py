"""MMSA pickles: ``{train, valid, test}`` -> arrays per clip, as MMSA and Self-MM circulate them.

    id, raw_text            (N,)          ``video$_$clip``
    text                    (N, T, D)     vectors of word pieces
    text_bert               (N, 3, T)     word pieces, mask, segments
    audio, vision           (N, T, D)
    audio_lengths, ...      (N,)          absent from aligned files
    regression_labels       (N,)          and regression_labels_T, _A, _V in SIMS

Shapes are read from the arrays: configurations that go with the files disagree with them. Padding
is cut off: by the lengths, or, where there are none, by the mask of the text.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from msalib.data.corpus import Corpus
from msalib.data.readers import build, content
from msalib.data.readers.formats import Options
from msalib.data.readers.published import extractor
from msalib.data.tasks import LIMIT

NAME = "mmsa"
TITLE = "MMSA features: a pickle of arrays with regression_labels"

ARRAYS = {"visual": "vision", "acoustic": "audio", "linguistic": "text"}
UNIMODAL = ("T", "A", "V")
"""Labels of SIMS for text, audio and vision alone -> columns label_T, label_A and label_V."""


def fits(held) -> bool:
    """Check whether what a pickle holds has this layout."""
    return isinstance(held, dict) and any(
        isinstance(part, dict) and "regression_labels" in part for part in held.values()
    )


@np.errstate(invalid="ignore")  # values that are not finite are told when all is read
def read(path: Path, name: str, options: Options, held) -> Corpus:
    """Read what a pickle holds as a ``Corpus``: no padding, a column for each unimodal label.

    Raises ``UserError`` for a key or part that is missing, entries that are not one for each id,
    lengths that are larger than arrays, and like ``build.corpus``.
    """
    tables, splits, notes = [], [], []
    frames = {}
    parts = content.parts(path, held, dict)
    for part, arrays in parts.items():
        table, part_frames, cut = _part(path, part, arrays)
        tables.append(table)
        splits += [part] * len(table)
        notes += cut
        if frames and part_frames.keys() != frames.keys():
            keys = ", ".join(ARRAYS[m] for m in part_frames.keys() ^ frames.keys())
            raise content.bad(path, f"{keys} not in all parts", "the same arrays in every part")
        for modality, clips in part_frames.items():
            frames.setdefault(modality, []).extend(clips)
    table = pd.concat(tables, ignore_index=True)
    table["video"], table["segment"], unnamed = content.ids_to_clips(table["id"].tolist())
    if not table["text"].str.strip().any():
        unnamed.append("the file has no transcripts")
    clips = build.Clips(
        path,
        table,
        splits={"standard": splits},
        tasks=content.tasks(table),
        frames={
            m: build.Frames(ARRAYS[m], _unit(m), clips, extractor(m, clips[0].shape[-1]))
            for m, clips in frames.items()
        },
        notes=[*content.counted(notes), *unnamed, *content.scale_note(table)],
    )
    return build.corpus(name, clips, clean=options.clean)


def _unit(modality: str) -> str:
    return "word piece" if modality == "linguistic" else "frame"


def _part(path: Path, part: str, arrays: dict) -> tuple[pd.DataFrame, dict, list[str]]:
    """Return the clips of one part, frames per modality, and a note for each clip that has one."""

    def get(key):
        return content.entry(path, part, arrays, key)

    ids = content.texts(path, f"{part}/id", get("id"))
    count = len(ids)
    if not count:
        raise content.bad(path, f"no clips in {part}", "clips in every part")
    columns = {"id": ids, "text": [""] * count}
    if "raw_text" in arrays:
        columns["text"] = content.texts(path, f"{part}/raw_text", get("raw_text"), count)
    if "annotations" in arrays:
        where = f"{part}/annotations"
        columns["annotation"] = content.texts(path, where, get("annotations"), count)
    labels = {"label": "regression_labels"}
    labels |= {f"label_{m}": f"regression_labels_{m}" for m in UNIMODAL}
    for column, key in labels.items():
        if column == "label" or key in arrays:
            columns[column] = content.numbers(path, f"{part}/{key}", get(key), count)
            _check_scale(path, part, key, columns[column], ids)
    mask = _mask(path, part, get("text_bert"), count) if "text_bert" in arrays else None
    frames, notes = {}, []
    for modality, key in ARRAYS.items():
        if key in arrays:
            values = content.frames(path, f"{part}/{key}", get(key), count)
            name = f"{key}_lengths"
            lengths = (
                content.numbers(path, f"{part}/{name}", get(name), count)
                if name in arrays
                else None
            )
            frames[modality] = _cut(path, part, key, values, lengths, mask, ids, notes)
    return pd.DataFrame(columns), frames, notes


def _check_scale(path: Path, part: str, key: str, values: np.ndarray, ids: list[str]) -> None:
    off = np.abs(values) > LIMIT
    if off.any():
        first = int(off.argmax())
        raise content.bad(
            path,
            f"{key} {values[first]:g} for clip {ids[first]} in {part}",
            f"labels from {-LIMIT:g} to {LIMIT:g}",
        )


def _mask(path: Path, part: str, value, count: int) -> np.ndarray:
    """Return where the text has tokens, (N, T)."""
    pieces = content.frames(path, f"{part}/text_bert", value, count)
    if pieces.shape[1] != 3 or not np.isin(pieces[:, 1], (0, 1)).all():
        found = f"{part}/text_bert of shape {pieces.shape}, without a mask in its second row"
        raise content.bad(path, found, "tokens, mask (0 or 1) and segments: (clips, 3, tokens)")
    return pieces[:, 1] == 1


def _cut(path, part, key, values, lengths, mask, ids, notes) -> list[np.ndarray]:
    """Cut padding off ``values`` (N, T, D): frames (T_i, D) of each clip; add to ``notes``."""
    count, steps, _ = values.shape
    if lengths is not None:
        _check_lengths(path, part, key, lengths, steps, ids)
        taken = np.arange(steps) < lengths[:, None]
        rule = f"{key}: cut to {key}_lengths"
    elif mask is not None and mask.shape[1] == steps:
        taken = mask
        rule = f"{key}: cut by the mask of text_bert"
        if key != "text":
            rule += f", as the file has no {key}_lengths"
    else:
        held = values.any(axis=2)
        taken = np.arange(steps) < (steps - held[:, ::-1].argmax(1))[:, None]
        taken[~held.any(axis=1)] = False
        rule = f"{key}: cut after the last row that is not zero, as the file has no lengths"
    notes += [rule + ": {} clips"] * count
    clips = []
    for frames, inside in zip(values, taken, strict=True):
        if frames[~inside].any():
            notes.append(f"{key}: clips with rows beyond that which are not zero, left out: {{}}")
        if inside.any():
            clips.append(frames[inside])
        else:
            notes.append(f"{key}: clips without frames, given one of zeros: {{}}")
            clips.append(np.zeros_like(frames[:1]))
    return clips


def _check_lengths(path, part, key, lengths, steps: int, ids: list[str]) -> None:
    wrong = ~((lengths >= 0) & (lengths <= steps) & (lengths == np.floor(lengths)))
    if wrong.any():
        first = int(wrong.argmax())
        raise content.bad(
            path,
            f"{key}_lengths {lengths[first]:g} for clip {ids[first]} in {part}",
            f"a whole number from 0 to {steps}, the frames that the array has",
        )
