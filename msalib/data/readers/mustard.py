"""MUStARD: sarcasm_data.json (utterances with context and speakers) and the five folds.

The folds of split_indices.json (split_indices.p in the authors' repository) are the speaker-
dependent setting: places in sarcasm_data.json, training and test. They have no validation part.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd

from msalib.data.corpus import Corpus
from msalib.data.readers import build
from msalib.data.readers.formats import Options
from msalib.data.tasks import Classes

NAME = "mustard"
TITLE = "MUStARD transcripts: sarcasm_data.json and split_indices.json"

DATA = "sarcasm_data.json"
FOLDS = "split_indices.json"
PICKLED = "split_indices.p"
TASKS = (Classes(("non-sarcastic", "sarcastic"), values=(-1, 1)),)

FIELDS = {"utterance": str, "speaker": str, "context": list, "context_speakers": list}
VALID = 8
"""One training clip in so many validates: 69 of 552, a tenth of all, as many as in papers that
part the data 8 : 1 : 1 (GLoMo: 68 of 675)."""


def detects(path: Path) -> bool:
    """Check whether a path is a folder with MUStARD's data."""
    return path.is_dir() and (path / DATA).is_file()


def read(path: Path, name: str, options: Options) -> Corpus:
    """Read the two files of a folder as a ``Corpus``; the label is 1 for sarcasm, else -1.

    Columns: speaker, show, context and context_speakers (lines of text, the oldest first). Splits
    ``fold1`` to ``fold5``, ``standard`` being the first; their validation parts are the training
    clips whose ids have the smallest hashes. Raises ``UserError`` for a file that lacks or is not
    as described, an id twice, and folds that do not part the clips.
    """
    clips = _clips(path / DATA)
    ids = list(clips)
    folds = _folds(path, len(ids))
    table = pd.DataFrame(
        {
            "id": ids,
            "video": ids,
            "segment": 1,
            "text": [clip["utterance"] for clip in clips.values()],
            "label": [1 if clip["sarcasm"] else -1 for clip in clips.values()],
            "speaker": [clip["speaker"] for clip in clips.values()],
            "show": [clip.get("show", "") for clip in clips.values()],
            "context": [_lines(clip["context"]) for clip in clips.values()],
            "context_speakers": [_lines(clip["context_speakers"]) for clip in clips.values()],
        }
    )
    splits = {f"fold{k}": _parts(ids, test) for k, test in enumerate(folds, 1)}
    read_clips = build.Clips(
        path,
        table,
        splits={"standard": splits["fold1"], **splits},
        tasks=TASKS,
        notes=[
            "label is sarcasm (1) or none (-1), not sentiment",
            "fold<k> are the authors' speaker-dependent folds, standard is fold1; of the training "
            f"clips one in {VALID}, those whose ids have the smallest SHA-256, validate",
            "the source names no videos: every clip counts as one of its own, though some scenes "
            "gave several clips; the same speakers are in training and test parts",
        ],
    )
    return build.corpus(name, read_clips, clean=options.clean)


def _lines(lines: list[str]) -> str:
    return "\n".join(" ".join(line.split()) for line in lines)


def _json(path: Path):
    def once(pairs):
        content = dict(pairs)
        if len(content) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for i, key in enumerate(keys) if key in keys[:i])
            raise build.bad(path, f"two entries named {twice!r}", "every name once")
        return content

    try:
        text = path.read_bytes().decode("utf-8-sig")
        content = json.loads(text, object_pairs_hook=once)
        json.dumps(content, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except FileNotFoundError as error:
        raise build.bad(path, "no such file", f"{DATA} and {FOLDS} in one folder") from error
    except (OSError, ValueError, RecursionError) as error:
        raise build.bad(
            path, f"no JSON ({' '.join(str(error).split()):.200})", "a JSON file"
        ) from error
    return content


def _clips(path: Path) -> dict[str, dict]:
    clips = _json(path)
    expected = "per id " + ", ".join(FIELDS) + " and sarcasm (true or false)"
    if not isinstance(clips, dict) or not clips:
        raise build.bad(path, "no clips by id", expected)
    for clip, content in clips.items():
        if not isinstance(content, dict):
            raise build.bad(path, f"{type(content).__name__} for clip {clip!r}", expected)
        for field, kind in FIELDS.items():
            value = content.get(field)
            if not isinstance(value, kind):
                raise build.bad(path, f"{field} of clip {clip!r} is {value!r:.40}", expected)
            if kind is list and not all(isinstance(line, str) for line in value):
                raise build.bad(path, f"{field} of clip {clip!r} has what is no text", expected)
        if not isinstance(content.get("sarcasm"), bool):
            found = f"sarcasm of clip {clip!r} is {content.get('sarcasm')!r:.40}"
            raise build.bad(path, found, expected)
        if not isinstance(content.get("show", ""), str):
            raise build.bad(path, f"show of clip {clip!r} is {content['show']!r:.40}", "text")
        if len(content["context"]) != len(content["context_speakers"]):
            found = (
                f"{len(content['context'])} lines of context and "
                f"{len(content['context_speakers'])} speakers of them for clip {clip!r}"
            )
            raise build.bad(path, found, "a speaker per line")
    return clips


def _folds(folder: Path, clips: int) -> list[set[int]]:
    """Return the test clips of each fold, by place."""
    path = folder / FOLDS
    if not path.is_file() and (folder / PICKLED).is_file():
        from msalib.data.readers import safe

        path = folder / PICKLED
        content = safe.load(path)
    else:
        content = _json(path)
    expected = f"five folds, each the places (0 to {clips - 1}) of its training and its test clips"
    if not isinstance(content, list) or len(content) != 5:
        raise build.bad(path, "no list of five folds", expected)
    folds = []
    for k, fold in enumerate(content, 1):
        if not isinstance(fold, list | tuple) or len(fold) != 2:
            raise build.bad(path, f"fold {k} that is no pair", expected)
        train, test = (x.tolist() if isinstance(x, np.ndarray) else x for x in fold)
        for places in (train, test):
            if not isinstance(places, list) or not all(type(place) is int for place in places):
                raise build.bad(path, f"fold {k} with what is no list of places", expected)
        if not test or sorted(train + test) != list(range(clips)):
            found = f"fold {k} of {len(train)} training and {len(test)} test clips"
            raise build.bad(path, found, f"every one of {clips} clips in one of the two")
        folds.append(set(test))
    return folds


def _parts(ids: list[str], test: set[int]) -> list[str]:
    train = [clip for place, clip in enumerate(ids) if place not in test]
    ranked = sorted(train, key=lambda clip: hashlib.sha256(clip.encode()).hexdigest())
    valid = set(ranked[: round(len(train) / VALID)])
    return [
        "test" if place in test else "valid" if clip in valid else "train"
        for place, clip in enumerate(ids)
    ]
