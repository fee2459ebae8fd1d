"""MMSA pickles: ``{train, valid, test}`` -> arrays per clip, as MMSA and Self-MM circulate them.

    id, raw_text            (N,)          ``video$_$clip``
    text                    (N, T, D)     vectors of word pieces
    text_bert               (N, 3, T)     word pieces, mask, segments
    audio, vision           (N, T, D)
    audio_lengths, ...      (N,)          absent from aligned files
    regression_labels       (N,)          and regression_labels_T, _A, _V in SIMS

Shapes are read from the arrays: configurations that go with the files disagree with them. Padding
is cut off: by the lengths, or, where there are none, by the mask of the text; where neither is
there, by rows of zeros. On which side it lies is asked of each array (``padding``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from msalib.base.errors import UserError
from msalib.data.corpus import Corpus
from msalib.data.readers import build, content, padding
from msalib.data.readers.formats import Options
from msalib.data.readers.padding import Rows
from msalib.data.readers.published import extractor
from msalib.data.tasks import LIMIT

NAME = "mmsa"
TITLE = "MMSA features: a pickle of arrays with regression_labels"

ARRAYS = {"visual": "vision", "acoustic": "audio", "linguistic": "text"}
UNIMODAL = ("T", "A", "V")
"""Labels of SIMS for text, audio and vision alone -> columns label_T, label_A and label_V."""


@dataclass
class _Array:
    """What one part has of one modality: ``values`` (N, T, D), their ``lengths`` (N,) and mask."""

    where: str
    ids: Sequence[str]
    values: np.ndarray
    lengths: np.ndarray | None
    mask: Rows | None


def fits(held) -> bool:
    """Check whether what a pickle holds has this layout."""
    return isinstance(held, dict) and any(map(_is_part, held.values()))


def _is_part(part) -> bool:
    return isinstance(part, dict) and "regression_labels" in part


@np.errstate(invalid="ignore")  # values that are not finite are told when all is read
def read(path: Path, name: str, options: Options, held) -> Corpus:
    """Read what a pickle holds as a ``Corpus``: no padding, a column for each unimodal label.

    Arrays are taken out of ``held``, so that their memory is free when they have been copied.
    Raises ``UserError`` for a key or part that is missing, entries that are not one for each id,
    lengths that the arrays contradict, and like ``build.corpus``.
    """
    tables, splits = [], []
    arrays: dict[str, list[_Array]] = {}
    for part, keys in content.parts(path, held, dict, _is_part).items():
        table, found = _part(path, part, keys)
        if not len(table):
            continue
        if tables:
            content.check_same(path, arrays, found, ARRAYS)
        tables.append(table)
        splits += [part] * len(table)
        for modality, array in found.items():
            arrays.setdefault(modality, []).append(array)
    table, notes = content.joined(path, tables)
    frames, rules = _frames(path, arrays)
    clips = build.Clips(
        path,
        table,
        splits={"standard": splits},
        tasks=content.tasks(table),
        frames=frames,
        notes=[*rules, *notes, *content.scale_note(table)],
    )
    return build.corpus(name, clips, clean=options.clean)


def _frames(path: Path, arrays: dict[str, list[_Array]]) -> tuple[dict[str, build.Frames], list]:
    """Return the frames of each modality, taken out of ``arrays``, and notes on their padding."""
    frames, notes = {}, []
    for modality in list(arrays):
        clips, told = _cut(path, ARRAYS[modality], arrays.pop(modality))
        note = extractor(modality, clips[0].shape[-1])
        frames[modality] = build.Frames(ARRAYS[modality], _unit(modality), clips, note)
        notes += content.counted(told)
    return frames, notes


def _unit(modality: str) -> str:
    return "word piece" if modality == "linguistic" else "frame"


def _part(path: Path, part: str, held: dict) -> tuple[pd.DataFrame, dict[str, _Array]]:
    """Return the clips of one part, and what it has of each modality."""

    def get(key, kind):
        return kind(path, f"{part}/{key}", content.entry(path, part, held, key), count)

    ids = content.texts(path, f"{part}/id", content.entry(path, part, held, "id"))
    count = len(ids)
    columns = {"id": ids}
    for column, key in {"text": "raw_text", "annotation": "annotations"}.items():
        if key in held:
            columns[column] = get(key, content.texts_or_blanks)
    labels = {"label": "regression_labels"}
    labels |= {f"label_{m}": f"regression_labels_{m}" for m in UNIMODAL}
    for column, key in labels.items():
        if column == "label" or key in held:
            columns[column] = get(key, content.numbers)
            _check_scale(path, part, key, columns[column], ids)
    arrays = {}
    if count:
        mask = _mask(path, part, get("text_bert", content.frames)) if "text_bert" in held else None
        for modality, key in ARRAYS.items():
            if key in held:
                values, lengths = get(key, content.frames), f"{key}_lengths"
                lengths = get(lengths, content.numbers) if lengths in held else None
                arrays[modality] = _Array(f"{part}/{key}", ids, values, lengths, mask)
    held.clear()
    return pd.DataFrame(columns), arrays


def _check_scale(path: Path, part: str, key: str, values: np.ndarray, ids: list[str]) -> None:
    off = np.abs(values) > LIMIT
    if off.any():
        first = int(off.argmax())
        raise content.bad(
            path,
            f"{key} {values[first]:g} for clip {ids[first]} in {part}",
            f"labels from {-LIMIT:g} to {LIMIT:g}",
        )


def _mask(path: Path, part: str, pieces: np.ndarray) -> Rows:
    """Return where the text has tokens."""
    if pieces.shape[1] != 3 or not np.isin(pieces[:, 1], (0, 1)).all():
        found = f"{part}/text_bert of shape {pieces.shape}, without a mask in its second row"
        raise content.bad(path, found, "tokens, mask (0 or 1) and segments: (clips, 3, tokens)")
    mask = pieces[:, 1] == 1
    rows = padding.of_mask(mask)
    if (mask.sum(axis=1) != np.maximum(rows.stop - rows.start, 0)).any():
        raise content.bad(path, f"{part}/text_bert with gaps in its mask", "tokens without a gap")
    return rows


# --- padding ------------------------------------------------------------------------------------


def _cut(path: Path, key: str, parts: list[_Array]) -> tuple[list[np.ndarray], list[str]]:
    """Return the frames (T_i, D) of each clip of all parts, and a note for each that has one."""
    founds = [padding.held(part.values) for part in parts]
    rows, rules = _rows(path, key, parts, founds)
    clips, notes = [], []
    for part, found, chosen, rule in zip(parts, founds, rows, rules, strict=True):
        notes += [f"{key}: {rule}: {{}} clips"] * len(part.ids)
        stray = f"{key}: clips with rows beyond that which are not zero, left out: {{}}"
        notes += [stray] * int(padding.lost(found, chosen).sum())
        empty = f"{key}: clips without frames, given one of zeros: {{}}"
        notes += [empty] * int((~chosen.some).sum())
        clips += padding.cut(part.values, chosen)
    return clips, notes


def _rows(path: Path, key: str, parts: list[_Array], founds: list[Rows]):
    """Return the rows of each part's clips, and by which rule they were found."""
    why = f"as the file has no {'lengths' if key == 'text' else key + '_lengths'}"
    if all(part.lengths is not None for part in parts):
        for part in parts:
            _check_lengths(path, key, part)
        if not padding.untold(founds, [part.lengths for part in parts]):
            return _by_lengths(path, key, parts, founds)
        why = f"as every one of {key}_lengths is that of the array"
    if all(part.mask is not None and part.mask.steps == part.values.shape[1] for part in parts):
        if found := _by_mask(path, key, parts, founds, why):
            return found
        why += " and the mask of text_bert is of other rows"
    fronts = padding.by_zeros(founds, usual=False)
    rows = [padding.between_zeros(f, front) for f, front in zip(founds, fronts, strict=True)]
    ends = ["before the first" if front else "after the last" for front in fronts]
    return rows, [f"cut {end} row that is not zero, {why}" for end in ends]


def _check_lengths(path: Path, key: str, part: _Array) -> None:
    lengths, steps = part.lengths, part.values.shape[1]
    wrong = ~((lengths >= 0) & (lengths <= steps) & (lengths == np.floor(lengths)))
    if wrong.any():
        first = int(wrong.argmax())
        raise content.bad(
            path,
            f"{key}_lengths {lengths[first]:g} for clip {part.ids[first]} in {_name(part)}",
            f"a whole number from 0 to {steps}, the frames that the array has",
        )


def _name(part: _Array) -> str:
    return part.where.partition("/")[0]


def _by_lengths(path: Path, key: str, parts: list[_Array], founds: list[Rows]):
    filled = padding.filled(founds)  # with noise, say: the side is not to be seen
    fronts = padding.by_lengths(founds, [part.lengths for part in parts])
    rows, rules = [], []
    for part, found, front in zip(parts, founds, fronts, strict=True):
        chosen = padding.placed(part.lengths, found.steps, front and not filled)
        losing = padding.lost(found, chosen)
        if padding.contradicts(losing) and not filled:
            i = int(losing.argmax())
            said = f"{key}_lengths {part.lengths[i]:g} for clip {part.ids[i]}"
            raise _contradiction(path, part, found, losing, said, f"{key}_lengths")
        rows.append(chosen)
        side = ", padding in front" if front else ""
        side = ", taken from the first row on, as no row is zero" if filled else side
        rules.append(f"cut to {key}_lengths{side}")
    return rows, rules


def _by_mask(path: Path, key: str, parts: list[_Array], founds: list[Rows], why: str):
    """Return what ``_rows`` does; None where the mask cannot be that of these rows."""
    masks = [part.mask for part in parts]
    rule = "cut by the mask of text_bert" + ("" if key == "text" else f", {why}")
    lengths = [np.maximum(mask.stop - mask.start, 0) for mask in masks]
    if padding.untold(founds, lengths):
        return None

    def fit(rows) -> bool:
        losing = [padding.lost(found, chosen) for found, chosen in zip(founds, rows, strict=True)]
        return not padding.contradicts(np.concatenate(losing))

    if fit(masks):
        return masks, [rule] * len(parts)
    pairs = list(zip(lengths, founds, strict=True))
    for front in (False, True):  # the tokens are on one side, the frames on the other
        rows = [padding.placed(n, found.steps, front) for n, found in pairs]
        if fit(rows):
            side = "in front" if front else "behind"
            return rows, [f"{rule}, padding {side}"] * len(parts)
    if key != "text":
        return None
    for part, found in zip(parts, founds, strict=True):
        losing = found.some & ~part.mask.some
        if padding.contradicts(losing):
            said = f"no token for clip {part.ids[int(losing.argmax())]} in the mask of text_bert"
            raise _contradiction(path, part, found, losing, said, "text_bert")
    return masks, [rule] * len(parts)  # an encoder that has read the padding, too


def _contradiction(path, part: _Array, found: Rows, losing, said: str, key: str) -> UserError:
    i = int(losing.argmax())
    return content.bad(
        path,
        f"{part.where} that is not zero in rows {found.start[i] + 1} to {found.stop[i]} of "
        f"{found.steps} and {said} ({int(losing.sum())} of {len(losing)} clips so)",
        "zeros in all rows that are no frame of a clip",
        f"Correct {key}, or take it out of every part of the file: the array is then cut by its "
        "rows of zeros.",
    )
