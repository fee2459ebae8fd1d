"""MultiBench and MulT pickles: ``{train, valid, test}`` -> vision, audio, text, labels, id.

All (N, T, D), labels (N, 1, 1); text is GloVe vectors, and there are no transcripts. Rows of zeros
fill clips up **in front**; so says MultiBench, and each array is asked which side it is. Where all
three have the same T they are aligned to words and are cut where the text begins; otherwise, or
where many clips of sound or pictures reach beyond their text, each by its own rows (MulT's
``*_noalign.pkl``). Clips whose text is zero throughout are dropped, as MultiBench drops them, and
counted. MulT's files of IEMOCAP have no ids, and labels of another kind: they are refused as such.
"""

import math
from pathlib import Path

import numpy as np
import pandas as pd

from msalib.base.errors import UserError
from msalib.data.corpus import Corpus
from msalib.data.readers import build, content, padding
from msalib.data.readers.formats import Options
from msalib.data.readers.padding import Rows
from msalib.data.readers.published import extractor

NAME = "multibench"
TITLE = "MultiBench or MulT features: a pickle of arrays with labels"

ARRAYS = {"visual": "vision", "acoustic": "audio", "linguistic": "text"}


FOUR_EMOTIONS = 4, 2
"""Shape of a clip's labels in MulT's files of IEMOCAP: no or yes for each."""

ALIGNED = 0.25
"""Share of clips with frames beyond their words from which arrays are not aligned to words.

A first word that GloVe does not know is zero in an aligned file, too.
"""


def fits(held) -> bool:
    """Check whether what a pickle holds has this layout."""
    return isinstance(held, dict) and any(map(_is_part, held.values()))


def _is_part(part) -> bool:
    return isinstance(part, dict) and "labels" in part and "regression_labels" not in part


@np.errstate(invalid="ignore")  # values that are not finite are told when all is read
def read(path: Path, name: str, options: Options, held) -> Corpus:
    """Read what a pickle holds as a ``Corpus``: frames without padding, text empty.

    One or two of the arrays may be missing. They are taken out of ``held``, so that their memory is
    free when they have been copied. Raises ``UserError`` for a key or part that is missing, entries
    that are not one for each id, labels of four emotions, and like ``build.corpus``.
    """
    tables, splits, notes = [], [], []
    arrays: dict[str, list[np.ndarray]] = {}
    for part, keys in content.parts(path, held, dict, _is_part).items():
        table, found, told = _part(path, part, keys)
        if not len(table):
            continue
        if tables:
            content.check_same(path, arrays, found, ARRAYS)
        tables.append(table)
        splits += [part] * len(table)
        notes += [note for note in told if note not in notes]
        for modality, values in found.items():
            _check_like(path, f"{part}/{ARRAYS[modality]}", values, arrays.get(modality))
            arrays.setdefault(modality, []).append(values)
    table, unnamed = content.joined(path, tables)
    dropped, frames, rules = _frames(path, table["id"], arrays)
    clips = build.Clips(
        path,
        table,
        splits={"standard": splits},
        tasks=content.tasks(table),
        frames=frames,
        notes=[*unnamed, *rules, *notes, *content.scale_note(table)],
        dropped=dropped,
    )
    return build.corpus(name, clips, clean=options.clean)


def _part(path: Path, part: str, held: dict) -> tuple[pd.DataFrame, dict, list[str]]:
    """Return the clips of one part, modality -> (N, T, D), and notes."""
    labels = content.entry(path, part, held, "labels")
    sentiment, notes = content.sentiment(labels)
    if isinstance(sentiment, np.ndarray) and math.prod(sentiment.shape[1:]) > 1:
        raise _several(path, part, sentiment.shape)
    ids = held.get("id")
    if ids is None:
        ids = list(range(len(content.items(path, f"{part}/labels", labels))))
        notes.append("the file has no ids: clips are numbered, and each counts as its own video")
    named = _ids(path, part, ids)
    table = pd.DataFrame(named, columns=["id", "video", "segment"])
    table["label"] = content.numbers(path, f"{part}/labels", sentiment, len(named))
    arrays = {}
    for modality, key in ARRAYS.items() if named else ():
        if key in held:
            value = content.entry(path, part, held, key)
            arrays[modality] = content.frames(path, f"{part}/{key}", value, len(named))
    held.clear()
    return table, arrays, notes


def _several(path: Path, part: str, shape: tuple[int, ...]) -> UserError:
    kind, read = "several for every clip", ""
    if shape[1:] == FOUR_EMOTIONS:
        kind = "four emotions, no or yes for each, as MulT's files of IEMOCAP have them"
        read = "IEMOCAP is read from its turns (utterances.csv, see msalib's README). "
    one = ", ".join([":", *["0"] * (len(shape) - 2), "1"])
    return content.bad(
        path,
        f"{part}/labels of shape {shape}: {kind}",
        "one label for every clip",
        f"{read}To study one of them, keep it alone, such as labels[{one}], in every part of the "
        "file.",
    )


def _ids(path: Path, part: str, value) -> list[tuple[str, str, str]]:
    """Return id, video and segment of each clip. An id is a text, a number, or a row of three."""
    where = f"{part}/id"
    clips = []
    for row in content.items(path, where, value):
        if isinstance(row, list | tuple | np.ndarray) and len(row) == 3:
            video, start, end = (_moment(path, where, x) for x in row)
            clips.append((f"{video}[{start},{end}]", video, f"{start}-{end}"))
            continue
        name = content.text(path, where, row)
        if name.isdecimal():  # a number within its part, no name
            name = f"{part}_{name}"
            clips.append((name, name, "1"))
        else:
            clips.append((name, *(build.clip_of(name) or (name, "1"))))
    return clips


def _moment(path: Path, where: str, value) -> str:
    known = isinstance(value, float) and value == value
    name = f"{value:g}" if known else content.text(path, where, value)
    if not name.strip():
        raise content.bad(path, f"{where} with a blank entry", "video, start and end of every clip")
    return name


def _check_like(
    path: Path, where: str, values: np.ndarray, before: list[np.ndarray] | None
) -> None:
    if before and values.shape[1:] != before[0].shape[1:]:
        _, steps, width = before[0].shape
        expected = f"(clips, {steps}, {width}), as in the part before"
        raise content.bad(path, f"{where} of shape {values.shape}", expected)


# --- padding ------------------------------------------------------------------------------------


def _frames(path: Path, ids: pd.Series, arrays: dict[str, list[np.ndarray]]):
    """Return clips that are dropped, the frames of each modality without padding, and notes.

    Arrays are taken out of ``arrays``.
    """
    founds = {m: [padding.held(values) for values in parts] for m, parts in arrays.items()}
    some = _with_text(path, founds, len(ids))
    rows, notes = _rows(founds)
    frames = {}
    for modality, key in ARRAYS.items():
        if modality not in arrays:
            continue
        clips = padding.cut([c for values in arrays.pop(modality) for c in values], rows[modality])
        frames[modality] = build.Frames(
            key, "frame", clips, extractor(modality, clips[0].shape[-1])
        )
        chosen = rows[modality]
        sides = {"in front": chosen.start > 0, "at the end": chosen.stop < chosen.steps}
        for side, removed in sides.items():
            if count := int((some & chosen.some & removed).sum()):
                notes.append(f"{key}: clips with rows of zeros {side}, removed: {count}")
        if empty := int((some & ~chosen.some).sum()):
            notes.append(f"{key}: clips with none other, given one of zeros: {empty}")
    if not some.all():
        notes.append(f"clips dropped, as their text is zero throughout: {int((~some).sum())}")
    return dict.fromkeys(ids[~some], "text is zero throughout"), frames, notes


def _with_text(path: Path, founds: dict[str, list[Rows]], clips: int) -> np.ndarray:
    """Return which clips have text that is not zero, (N,): all where the file has no text."""
    if "linguistic" not in founds:
        return np.ones(clips, bool)
    some = padding.joined(founds["linguistic"]).some
    if not some.any():
        raise build.nothing(path, "linguistic", "text", clips)
    return some


def _rows(founds: dict[str, list[Rows]]) -> tuple[dict[str, Rows], list[str]]:
    """Return the rows that clips have in the arrays of each modality, and a note if aligned."""
    own = {}
    for modality, parts in founds.items():
        fronts = padding.by_zeros(parts, usual=True)
        own[modality] = padding.joined(map(padding.between_zeros, parts, fronts))
    if "linguistic" not in own:
        return own, []
    text = own["linguistic"]
    some = text.some
    beyond = [padding.lost(padding.joined(parts), text)[some].sum() for parts in founds.values()]
    one = len({rows.steps for rows in own.values()}) == 1
    if one and max(beyond) <= ALIGNED * some.sum():
        note = "all arrays have the same number of rows: aligned to words, cut as the text"
        return dict.fromkeys(founds, text), [note]
    return own, []
