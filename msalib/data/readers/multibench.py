"""MultiBench and MulT pickles: ``{train, valid, test}`` -> vision, audio, text, labels, id.

All (N, T, D), labels (N, 1, 1); text is GloVe vectors, and there are no transcripts. Rows of zeros
fill clips up **in front**; so says MultiBench, and each file is asked which side it is. Where all
three have the same T they are aligned to words and are cut where the text begins; otherwise each
by its own rows (MulT's ``*_noalign.pkl``). Clips whose text is zero throughout are dropped, as
MultiBench drops them, and counted.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from msalib.data.corpus import Corpus
from msalib.data.readers import build, content
from msalib.data.readers.formats import Options
from msalib.data.readers.published import extractor

NAME = "multibench"
TITLE = "MultiBench or MulT features: a pickle of arrays with labels"

ARRAYS = {"visual": "vision", "acoustic": "audio", "linguistic": "text"}


def fits(held) -> bool:
    """Check whether what a pickle holds has this layout."""
    return isinstance(held, dict) and any(
        isinstance(part, dict) and "labels" in part and "regression_labels" not in part
        for part in held.values()
    )


@np.errstate(invalid="ignore")  # values that are not finite are told when all is read
def read(path: Path, name: str, options: Options, held) -> Corpus:
    """Read what a pickle holds as a ``Corpus``: frames without padding, text empty.

    Raises ``UserError`` for a key or part that is missing, entries that are not one for each id,
    and like ``build.corpus``.
    """
    parts = content.parts(path, held, dict)
    clips, splits, labels = [], [], []
    arrays = {modality: [] for modality in ARRAYS}
    for part, values in parts.items():
        named = _ids(path, part, content.entry(path, part, values, "id"))
        clips += named
        splits += [part] * len(named)
        where, value = f"{part}/labels", content.entry(path, part, values, "labels")
        labels.append(content.numbers(path, where, value, len(named)))
        for modality, key in ARRAYS.items():
            value = content.entry(path, part, values, key)
            frames = content.frames(path, f"{part}/{key}", value, len(named))
            arrays[modality].extend(frames)
            _check_like(path, f"{part}/{key}", frames, arrays[modality][0])
    table = pd.DataFrame(clips, columns=["id", "video", "segment"])
    table["text"], table["label"] = "", np.concatenate(labels)
    dropped = _without_text(table["id"], arrays["linguistic"])
    frames_of, notes = _without_padding(arrays, table["id"].isin(list(dropped)).to_numpy())
    if dropped:
        notes.append(f"clips dropped, as their text is zero throughout: {len(dropped)}")
    clips = build.Clips(
        path,
        table,
        splits={"standard": splits},
        tasks=content.tasks(table),
        frames={
            m: build.Frames(ARRAYS[m], "frame", frames, extractor(m, frames[0].shape[-1]))
            for m, frames in frames_of.items()
        },
        notes=[
            "the file has no transcripts",
            *notes,
            *content.scale_note(table),
        ],
        dropped=dropped,
    )
    return build.corpus(name, clips, clean=options.clean)


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
    if not clips:
        raise content.bad(path, f"no clips in {part}", "clips in every part")
    return clips


def _moment(path: Path, where: str, value) -> str:
    return f"{value:g}" if isinstance(value, float) else content.text(path, where, value)


def _check_like(path: Path, where: str, frames: np.ndarray, like: np.ndarray) -> None:
    if frames.shape[1:] != like.shape:
        expected = f"(clips, {like.shape[0]}, {like.shape[1]}), as in the part before"
        raise content.bad(path, f"{where} of shape {frames.shape}", expected)


def _without_text(ids: pd.Series, text: list[np.ndarray]) -> dict[str, str]:
    return {
        name: "text is zero throughout"
        for name, frames in zip(ids, text, strict=True)
        if not frames.any()
    }


def _without_padding(arrays: dict, dropped: np.ndarray) -> tuple[dict, list[str]]:
    """Return the frames of all modalities without padding, and notes on what was done."""
    held = {m: [frames.any(axis=1) for frames in clips] for m, clips in arrays.items()}
    cut, notes = {}, []
    aligned = len({len(clips[0]) for clips in arrays.values()}) == 1
    if aligned:
        notes.append("all arrays have the same number of rows: aligned to words, cut as the text")
    for modality, clips in arrays.items():
        rows = held["linguistic" if aligned else modality]
        front = _front(rows)
        cut[modality], removed, empty = [], 0, 0
        for frames, row, out in zip(clips, rows, dropped, strict=True):
            kept = frames[_inside(row, front)]
            removed += len(frames) > len(kept) and not out
            if not len(kept):
                kept, empty = np.zeros_like(frames[:1]), empty + (not out)
            cut[modality].append(kept)
        side = "in front" if front else "at the end"
        notes.append(f"{ARRAYS[modality]}: clips with rows of zeros {side}, removed: {removed}")
        if empty:
            notes.append(f"{ARRAYS[modality]}: clips with none other, given one of zeros: {empty}")
    return cut, notes


def _front(rows: list[np.ndarray]) -> bool:
    """Check whether padding lies in front: more clips begin with zeros than end with them."""
    begin = sum(not row[0] and row[-1] for row in rows)
    end = sum(row[0] and not row[-1] for row in rows)
    return begin >= end


def _inside(row: np.ndarray, front: bool) -> slice:
    if not row.any():
        return slice(0, 0)
    return slice(int(row.argmax()), None) if front else slice(0, len(row) - int(row[::-1].argmax()))
