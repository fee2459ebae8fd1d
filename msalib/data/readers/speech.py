"""Folders of speech: a file of sound per clip, and in acted speech an emotion each, folds by actor.

What the readers of such folders share. An actor counts as a video, so that no fold by video has one
in two parts.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from msalib.data import folds
from msalib.data.corpus import Corpus
from msalib.data.readers import build
from msalib.data.readers.clip_files import SOUNDS
from msalib.data.tasks import Classes

POLARITY = "label is a polarity of ours, for checks of the data; the classes are in emotion: "
TERMS = "terms: CC BY-NC-SA 4.0"


def sounds(folders: Sequence[Path]) -> dict[str, Path]:
    """Return name without ending -> file, of all files of sound in some folders, in their order.

    Raises ``UserError`` for a file that is empty, and for two files with one name.
    """
    files: dict[str, Path] = {}
    for folder in folders:
        for path in sorted(folder.iterdir()):
            if path.suffix.lower() not in SOUNDS or path.name.startswith("."):
                continue
            if path.stem in files:
                found = f"two files of clip {path.stem}: {files[path.stem].name} and {path.name}"
                raise build.bad(path.parent, found, "one file per clip", "Remove one of them.")
            if not path.stat().st_size:
                raise build.bad(path, "an empty file", "the sound of a clip")
            files[path.stem] = path.resolve()
    return files


def of_table(folder: Path, ids: Sequence[str], table: str) -> list[Path]:
    """Return the file of each clip, in the order of ``ids``, the clips of the file ``table``.

    Raises ``UserError`` like ``sounds``, for a clip without a file and for a file of no clip.
    """
    files = sounds([folder])
    if lacking := [clip for clip in ids if clip not in files]:
        found = f"no sound for {len(lacking)} of {len(ids)} clips, the first {lacking[0]}"
        raise build.bad(folder, found, f"a file for every line of {table}")
    if unknown := sorted(set(files) - set(ids)):
        found = f"{len(unknown)} files without a line in {table}, the first {unknown[0]}"
        raise build.bad(folder, found, f"a line in {table} for every file of sound")
    return [files[clip] for clip in ids]


def corpus(
    name: str,
    path: Path,
    table: pd.DataFrame,
    files: Sequence[Path],
    *,
    task: Classes,
    split: str,
    notes: Sequence[str],
) -> Corpus:
    """Return the clips of a table with their files of sound (N,), and one fold as their split.

    Raises ``UserError`` like ``build.corpus``, and where there are too few actors for the fold.
    """
    bare = Corpus(name, table.set_index("id"), features={}, splits={})
    parts = folds.parts(bare, split)
    clips = build.Clips(
        path,
        table,
        splits={split: parts.tolist()},
        tasks=(task,),
        media={"acoustic": files},
        notes=notes,
    )
    return build.corpus(name, clips)


def polarity(of: Mapping[str, int]) -> str:
    """Say which emotion has which polarity: positive 1, neutral 0, negative -1."""
    groups = ((sign, [emotion for emotion, p in of.items() if p == sign]) for sign in (1, 0, -1))
    return POLARITY + "; ".join(f"{', '.join(names)} {sign}" for sign, names in groups)
