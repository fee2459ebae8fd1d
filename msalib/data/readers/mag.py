"""MAG pickles (MAG-BERT, GLoMo): ``{train, dev, test}`` -> a list of clips, aligned to words.

A clip is ``((words, visual (n, D), acoustic (n, D)), label, segment)`` with n words and a segment
``video[k]``. Rows belong to words; a model that cuts words into pieces repeats them itself.
"""

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
    return isinstance(held, dict) and any(
        isinstance(part, list | tuple) and len(part) and _is_clip(part[0]) for part in held.values()
    )


def _is_clip(clip) -> bool:
    row = list | tuple
    return (
        isinstance(clip, row) and len(clip) == 3 and isinstance(clip[0], row) and len(clip[0]) == 3
    )


@np.errstate(invalid="ignore")  # values that are not finite are told when all is read
def read(path: Path, name: str, options: Options, held) -> Corpus:
    """Read what a pickle holds as a ``Corpus``: a frame per word, the words joined by spaces.

    Clips without words are dropped and counted. Raises ``UserError`` for a clip that is none,
    for rows that are not one for each word, and like ``build.corpus``.
    """
    rows, splits, dropped = [], [], {}
    frames_of = {modality: [] for modality in MODALITIES}
    for part, clips in content.parts(path, held, list | tuple).items():
        for number, clip in enumerate(clips, 1):
            where = f"clip {number} of {part}"
            if not _is_clip(clip):
                expected = "((words, visual, acoustic), label, segment)"
                raise content.bad(path, f"{where} of another shape", expected)
            (words, *frames), label, segment = clip
            segment = content.text(path, f"the segment of {where}", segment)
            words = content.texts(path, f"the words of {where}", words)
            label = content.number(path, f"the label of {where}", label)
            rows.append((segment, " ".join(words), label))
            splits.append(part)
            if not words:
                dropped[segment] = "no words"
            for modality, values in zip(MODALITIES, frames, strict=True):
                frames_of[modality].append(
                    _rows(path, f"{modality} of {where}", values, len(words))
                )
    table = pd.DataFrame(rows, columns=["id", "text", "label"])
    table["video"], table["segment"], notes = content.ids_to_clips(table["id"].tolist())
    clips = build.Clips(
        path,
        table,
        splits={"standard": splits},
        tasks=content.tasks(table),
        frames={
            m: build.Frames(m, "word", frames, extractor(m, frames[0].shape[-1]))
            for m, frames in frames_of.items()
        },
        notes=[
            "a frame per word; a model that cuts words into pieces repeats it",
            *([f"clips dropped, as they have no words: {len(dropped)}"] if dropped else []),
            *notes,
            *content.scale_note(table),
        ],
        dropped=dropped,
    )
    return build.corpus(name, clips, clean=options.clean)


def _rows(path: Path, where: str, values, words: int) -> np.ndarray:
    if isinstance(values, np.ndarray) and not words:
        return values
    numeric = isinstance(values, np.ndarray) and values.dtype.kind in "biuf"
    if not numeric or values.ndim != 2 or len(values) != words:
        what = f"shape {values.shape}" if numeric else f"type {type(values).__name__}"
        raise content.bad(path, f"{where} of {what}", f"{words} rows of numbers, one for each word")
    return values
