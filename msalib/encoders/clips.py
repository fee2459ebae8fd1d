"""Clips: which files do extractors read, did they change, and how long are they?

Two passes over the clips: the first looks at every one (workers decode it, find faces, count), the
second gives them to the model. Both go on where they were stopped.
"""

import hashlib
import json
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from msalib.base.errors import UserError, unknown
from msalib.base.files import disk_errors, write_bytes
from msalib.base.presets import PRESETS
from msalib.base.progress import bar
from msalib.data.corpus import Corpus
from msalib.data.readers import clip_files
from msalib.encoders import whole, workers
from msalib.encoders.store import fingerprint

MIX = {"release": "first", "article": "mean"}
"""Preset -> which channel of the sound."""

SAVE_EVERY = 10.0
"""Seconds of reading media that a kill loses at most, beside the current file."""

SETTLED = 2.0
"""Seconds since a file was modified from which on its time of modification can be trusted.

Some disks keep whole or even seconds only: a file that is written twice within one may look
unchanged (git has the same rule for its index).
"""

CUT = "clips cut short, taken as they are"
"""How a store's description calls clips whose files end before they say."""

SEEN = "inputs.json"
"""Beside the stores of a data set: path -> what it was like when it was read, and its SHA-256."""


def check(preset: str) -> None:
    """Raise ``UserError`` for an unknown preset."""
    if preset not in PRESETS:
        known = [f"{name} ({what})" for name, what in PRESETS.items()]
        raise unknown("preset", preset, known, remedy="Name one of these.")


def heard(preset: str) -> str:
    """Return what an extractor of sound reads, in words."""
    return {"first": "16 kHz, first channel", "mean": "16 kHz, mean of the channels"}[MIX[preset]]


def files(corpus: Corpus, modality: str) -> list[Path]:
    """Return the file (or folder of pictures) of every clip; ``UserError`` where there are none."""
    if modality not in corpus.media:
        raise UserError(
            f"corpus {corpus.name}",
            found=f"no media for the {modality} modality",
            expected="a file per clip, as a folder of media with label.csv has",
            remedy="Add the data set from its media (msalib data add), or choose another modality.",
        )
    return [Path(p) for p in corpus.media[modality]]


def inputs(corpus: Corpus, modality: str, settings: str, folder: Path) -> str:
    """Return the fingerprint of an extractor's input: settings, ids, and each clip's SHA-256.

    Digests are kept beside the store ``folder`` and taken anew where a file's size or time of
    modification is another, or where a file was modified just before (``SETTLED``). Raises
    ``UserError`` for a file that is missing.
    """
    ids = corpus.utterances.index.astype(str)
    digests = _digests(files(corpus, modality), folder.parent / SEEN)
    return fingerprint(settings, zip(ids, digests, strict=True))


def _digests(paths: list[Path], seen: Path) -> list[str]:
    known = {}
    with suppress(OSError, ValueError):
        known = json.loads(seen.read_bytes())
    digests, unsaved, saved = {}, False, time.monotonic()
    for path in bar(paths, "reading the media", "clip"):
        name, stamp = str(path.resolve()), _stamp(path)
        if name in digests:
            continue  # one video may hold several clips
        if known.get(name, [None])[0] == stamp:
            digests[name] = known[name][1]
        elif _settled(path):
            known[name] = [stamp, clip_files.digest(path)]
            digests[name], unsaved = known[name][1], True
        else:
            known.pop(name, None)
            digests[name] = clip_files.digest(path)
        if unsaved and time.monotonic() - saved > SAVE_EVERY:
            _keep(known, seen)
            unsaved, saved = False, time.monotonic()
    if unsaved:
        _keep(known, seen)
    return [digests[str(path.resolve())] for path in paths]


def _keep(known: dict, seen: Path) -> None:
    with suppress(UserError):  # a store on a disk that only reads
        write_bytes(seen, json.dumps(known).encode())


def _stamp(path: Path) -> str:
    try:
        members = clip_files.members(path)
        stamps = [(p.name, p.stat().st_size, p.stat().st_mtime_ns) for p in members]
    except OSError as error:
        raise UserError(
            path,
            found=error.strerror or str(error),
            expected="the file of a clip",
            remedy="Restore the file, or add the data set again from where its media are.",
        ) from error
    if len(stamps) == 1:
        return json.dumps(stamps)
    return hashlib.sha256(repr(stamps).encode()).hexdigest()


def _settled(path: Path) -> bool:
    """Check whether a next change of a file would show in its time of modification."""
    last = max((p.stat().st_mtime for p in clip_files.members(path)), default=0.0)
    return last < time.time() - SETTLED


# --- the first pass -----------------------------------------------------------------------------


class Looked(NamedTuple):
    """What was found of every clip, and of which clips the file is cut short, by id, and how."""

    results: list[Any]
    cut: dict[str, str]

    @property
    def counts(self) -> dict[str, int]:
        """The number of clips that are cut short, for a store's description."""
        return {CUT: len(self.cut)} if self.cut else {}


def look(
    folder: Path,
    key: str,
    function: Callable,
    corpus: Corpus,
    modality: str,
    arguments: tuple,
    description: str,
) -> Looked:
    """Return ``function(file, *arguments)`` of every clip, from workers; results fit into JSON.

    Each is noted beside the store ``folder`` as soon as it is known, under ``key``, so that a
    killed pass can be continued. Files that are cut short and accepted (``whole``) are warned of.
    Raises ``UserError`` for the first clip that cannot be read, after all were read; it names the
    others.
    """
    notes, paths = folder.with_name(folder.name + ".look"), files(corpus, modality)
    ids = corpus.utterances.index.astype(str)
    with disk_errors(folder):
        known = _noted(notes, key, len(paths))
    left = [n for n in range(len(paths)) if n not in known]
    refused = []
    tasks = ((paths[n], function, *arguments) for n in left)
    results = workers.run(whole.observed, tasks, workers.number(len(left)))
    with disk_errors(folder), notes.open("a") as file, closing(results):
        for n, result in zip(bar(left, description, "clip"), results, strict=True):
            if isinstance(result, UserError):
                refused.append(_of_clip(ids[n], paths[n], result))
                continue
            known[n] = result
            file.write(json.dumps([n, *result]) + "\n")
            file.flush()
    if refused:
        raise _all_of(refused)
    cut = {ids[n]: known[n][1] for n in range(len(paths)) if known[n][1]}
    if cut:
        named = "; ".join(f"{clip}: {what}" for clip, what in list(cut.items())[:3])
        warnings.warn(
            f"{len(cut)} of {len(paths)} clips of {corpus.name} are cut short, and are taken as "
            f"they are ({named}{'; ...' if len(cut) > 3 else ''})",
            stacklevel=3,
        )
    return Looked([known[n][0] for n in range(len(paths))], cut)


def forget(folder: Path) -> None:
    """Remove the notes of ``look``, once the store exists, and what killed writes left."""
    notes = folder.with_name(folder.name + ".look")
    unfinished = [p for name in (notes.name, SEEN) for p in folder.parent.glob(f".{name}.*")]
    with suppress(OSError):  # a store on a disk that only reads
        for path in (notes, *unfinished):
            path.unlink(missing_ok=True)


def _noted(notes: Path, key: str, clips: int) -> dict[int, tuple[Any, str]]:
    """Return what an earlier pass noted under this key: results, and how a file is cut short.

    The file then ends with a whole line.
    """
    lines = notes.read_text(errors="replace").splitlines() if notes.is_file() else []
    known = {}
    if lines and lines[0] == json.dumps(key):
        for line in lines[1:]:
            with suppress(ValueError, TypeError):  # the last line of a killed pass may be torn
                n, result, cut = json.loads(line)
                if n in range(clips) and (not cut or whole.accepted()):
                    known[n] = result, cut
    kept = [json.dumps(key), *(json.dumps([n, *found]) for n, found in known.items())]
    write_bytes(notes, "".join(line + "\n" for line in kept).encode())
    return known


def _of_clip(clip: str, path: Path, error: UserError) -> UserError:
    """Return an error about a clip's file that names the clip, too."""
    if error.where != str(path):
        return error  # of a missing package, say
    return UserError(
        f"clip {clip} ({path})", found=error.found, expected=error.expected, remedy=error.remedy
    )


def _all_of(refused: list[UserError]) -> UserError:
    """Return one error for all; a missing package is the same for every clip."""
    first, *others = {str(error): error for error in refused}.values()
    if not others:
        return first
    names = ", ".join(error.where for error in others[:5])
    more = f" and {len(others) - 5} more" if len(others) > 5 else ""
    return UserError(
        first.where,
        found=f"{first.found}; and {len(others)} more clips that cannot be used: {names}{more}",
        expected=first.expected,
        remedy=first.remedy,
    )


# --- the second pass ----------------------------------------------------------------------------


def batches(lengths: np.ndarray, frames: int) -> list[np.ndarray]:
    """Return batches of clips (as row numbers) of similar length, longest first.

    A batch holds at most ``frames`` frames after padding, or one clip.
    """
    order = np.argsort(-lengths, kind="stable")
    chosen = []
    while len(order):
        size = max(1, frames // int(lengths[order[0]]))
        chosen.append(order[:size])
        order = order[size:]
    return chosen


def prepared(
    left: Sequence[np.ndarray], function: Callable, task: Callable[[int], tuple]
) -> Iterator[tuple[np.ndarray, list[Any]]]:
    """Yield every batch that is left with ``function(*task(clip))`` of each of its clips.

    Workers prepare about a batch ahead of the model. Raises the first ``UserError``.
    """
    if not left:
        return
    clips = np.concatenate(left).tolist()
    largest = max(len(batch) for batch in left)
    number = workers.number(len(clips))
    with closing(workers.run(function, map(task, clips), number, ahead=largest)) as results:
        for batch in left:
            of_batch = []
            for _ in batch:
                result = next(results)
                if isinstance(result, UserError):
                    raise result
                of_batch.append(result)
            yield batch, of_batch
