"""MAG pickles (MAG-BERT, GLoMo): ``{train, dev, test}`` -> a list of clips, aligned to words.

A clip is ``((words, visual (n, D), acoustic (n, D)), label, segment)`` with n words and a segment
``video[k]``. Rows belong to words; a model that cuts words into pieces repeats them itself.

MISA and MMIM keep a file for each part, whose clips have numbers of a vocabulary in place of words
and the words themselves as a fourth entry.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from msalib.data.corpus import Corpus
from msalib.data.readers import build, content
from msalib.data.readers.formats import Options
from msalib.data.readers.published import extractor

NAME = "mag"
TITLE = "MAG features: a pickle of lists of ((words, visual, acoustic), label, segment)"

MODALITIES = ("visual", "acoustic")


def fits(held) -> bool:
    """Check whether what a pickle holds has this layout."""
    return isinstance(held, dict) and any(map(_is_part, held.values()))


def _is_part(part) -> bool:
    return isinstance(part, list | tuple) and len(part) > 0 and _is_clip(part[0])


def _is_clip(clip) -> bool:
    row = list | tuple
    return (
        isinstance(clip, row)
        and len(clip) == 3
        and isinstance(clip[0], row)
        and len(clip[0]) in (3, 4)
    )


@np.errstate(invalid="ignore")  # values that are not finite are told when all is read
def read(path: Path, name: str, options: Options, held) -> Corpus:
    """Read what a pickle holds as a ``Corpus``: a frame per word, the words joined by spaces.

    Clips without words are dropped and counted. A modality may be None in all clips. Raises
    ``UserError`` for a clip that is none, for rows that are not one for each word, and like
    ``build.corpus``.
    """
    rows, splits, dropped, notes = [], [], {}, []
    frames = {modality: [] for modality in MODALITIES}
    for part, clips in content.parts(path, held, list | tuple, _is_part).items():
        for number, clip in enumerate(clips, 1):
            where = f"clip {number} of {part}"
            if not _is_clip(clip):
                expected = "((words, visual, acoustic), label, segment)"
                raise content.bad(path, f"{where} of another shape", expected)
            (words, *values), label, segment = clip
            segment = content.text(path, f"the segment of {where}", segment)
            words, count = _words(path, where, words, values)
            label, told = content.sentiment(label)
            label = content.number(path, f"the label of {where}", label)
            rows.append((segment, words, label))
            splits.append(part)
            notes += [note for note in told if note not in notes]
            if not count:
                dropped[segment] = "no words"
            for modality, value in zip(MODALITIES, values, strict=False):
                frames[modality].append(_rows(path, f"{modality} of {where}", value, count))
    table = pd.DataFrame(rows, columns=["id", "text", "label"])
    if table["text"].isna().any():
        table = table.drop(columns="text")
        notes.append("words are numbers of a vocabulary that the file does not hold")
    table, unnamed = content.joined(path, [table])
    clips = build.Clips(
        path,
        table,
        splits={"standard": splits},
        tasks=content.tasks(table),
        frames=_frames(path, frames),
        notes=[
            "a frame per word; a model that cuts words into pieces repeats it",
            *([f"clips dropped, as they have no words: {len(dropped)}"] if dropped else []),
            *unnamed,
            *notes,
            *content.scale_note(table),
        ],
        dropped=dropped,
    )
    return build.corpus(name, clips, clean=options.clean)


def _words(path: Path, where: str, words, values: Sequence) -> tuple[str | None, int]:
    """Return the words of a clip as one text and their number; no text if they are numbers."""
    if len(values) > len(MODALITIES):
        numbers, words = words, values[len(MODALITIES)]
        content.items(path, f"the words of {where}", numbers, len(words))
    words = content.items(path, f"the words of {where}", words)
    if words and all(isinstance(word, int) for word in words):
        return None, len(words)
    return " ".join(content.texts(path, f"the words of {where}", words)), len(words)


def _frames(path: Path, frames: dict[str, list]) -> dict[str, build.Frames]:
    """Return the frames of the modalities that clips have."""
    made = {}
    for modality, clips in frames.items():
        lacking = [number for number, values in enumerate(clips, 1) if values is None]
        if len(lacking) == len(clips):
            continue
        if lacking:
            found = f"no {modality} of clip {lacking[0]}, though of others"
            raise content.bad(path, found, f"{modality} of every clip, or of none")
        note = extractor(modality, clips[0].shape[-1])
        made[modality] = build.Frames(modality, "word", clips, note)
    return made


def _rows(path: Path, where: str, values, words: int) -> np.ndarray | None:
    if values is None or (isinstance(values, np.ndarray) and not words):
        return values
    numeric = isinstance(values, np.ndarray) and values.dtype.kind in "biuf"
    if not numeric or values.ndim != 2 or len(values) != words:
        what = f"shape {values.shape}" if numeric else f"type {type(values).__name__}"
        raise content.bad(path, f"{where} of {what}", f"{words} rows of numbers, one for each word")
    return values
