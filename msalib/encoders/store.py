"""The feature store: where are the layers of an encoder, and are they whole?

One folder, one .npy file per layer, each mapped into memory on use.

    layer_00.npy ... layer_NN.npy   (S, D) float16 (handcrafted: float32), all clips end to end
    offsets.npy                     (N + 1,) int64, clip i is frames offsets[i]:offsets[i + 1]
    ids.json                        the N clip ids, in order
    meta.json                       ``StoreMeta``

Number k is the output of block k, 0 the input to block 1; features without blocks have the single
number 1. A store is a function of its inputs alone: it holds no date, so that two of them can be
compared byte by byte.

While it is being written a store has another name (``.partial``) and a file progress.json; it gets
its own name when every byte is on the disk.
"""

import errno
import hashlib
import io
import json
import os
import shutil
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from msalib.base.errors import UserError
from msalib.base.files import disk_errors, replace_folder, settle, write_bytes
from msalib.base.progress import bar
from msalib.data.corpus import Features

_PRECISIONS = {"float16": "half", "float32": "single"}

SAVE_EVERY = 2.0
"""Seconds of work that a killed extraction loses at most, beside the current batch."""


class StoreMeta(BaseModel):
    """The description of a store."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    dataset: str
    encoder: str
    revision: str
    convention: str  # what layer k is
    unit: str  # what a frame is
    fingerprint: str  # of the clips encoded: see ``fingerprint``
    dtype: Literal["float16", "float32"] = "float16"
    layers: int
    clips: int
    frames: int
    dim: int
    truncated: int  # clips that the encoder could not take in full
    device: str
    versions: dict[str, str]
    # Below: fields younger than the first stores of text; left out where they are as usual.
    first: int = 0  # number of the first layer
    precision: Literal["float32", "bfloat16"] = "float32"  # of the forward pass
    counts: dict[str, int] = {}  # of frames and clips that are not as the others
    settings: dict[str, str] = {}  # of the extractor, by name

    def numbers(self) -> range:
        """Return the numbers of the layers."""
        return range(self.first, self.first + self.layers)

    def text(self) -> bytes:
        """Return the content of meta.json."""
        later = ("first", "precision", "counts", "settings")
        usual = {n for n in later if getattr(self, n) == type(self).model_fields[n].default}
        return self.model_dump_json(indent=2, exclude=usual).encode()


def fingerprint(settings: str, clips: Iterable[tuple[str, str]]) -> str:
    """Return the SHA-256 of an extractor's input: settings, then id and content of every clip."""
    digest = hashlib.sha256(json.dumps(settings).encode())
    for clip in clips:
        digest.update(json.dumps(clip).encode() + b"\n")
    return digest.hexdigest()


def _descr(meta: StoreMeta) -> str:
    """Return the type of a value, little-endian."""
    return np.dtype(meta.dtype).newbyteorder("<").str


def _frame_bytes(meta: StoreMeta) -> int:
    return meta.dim * np.dtype(meta.dtype).itemsize


def _data_bytes(meta: StoreMeta) -> int:
    """Return the size of one layer without its header."""
    return meta.frames * _frame_bytes(meta)


def _header(meta: StoreMeta) -> bytes:
    """Return the .npy header of a layer (128 bytes: numpy pads it to a multiple of 64)."""
    header = io.BytesIO()
    shape = (meta.frames, meta.dim)
    np.lib.format.write_array_header_1_0(
        header, {"descr": _descr(meta), "fortran_order": False, "shape": shape}
    )
    return header.getvalue()


def _npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()


# --- reading ------------------------------------------------------------------------------------


def open_store(
    folder: Path, *, encoder: str, revision: str | None, fingerprint: str, command: str
) -> Features:
    """Return the features in ``folder``; ``UserError`` unless it is whole and the one asked for.

    ``layers[k]`` maps the file of layer k when it is asked for, and no other; the arrays (S, D) are
    copy-on-write, so that torch takes them as they are. ``revision`` None accepts any, for a store
    made elsewhere with an encoder that is not here. ``command`` is what makes the store, for the
    message.
    """
    _settle(folder)
    if not folder.is_dir():
        raise UserError(
            folder,
            found="no feature store",
            expected=f"the layers of {encoder} for these clips",
            remedy=f"Make it: {command}",
        )
    meta = _read_meta(folder)
    if problem := _mismatch(meta, encoder, revision, fingerprint) or _damage(folder, meta):
        file, found, expected = problem
        remedy = f"Make it anew: {command} --refresh"
        raise UserError(folder / file, found=found, expected=expected, remedy=remedy)
    provenance = meta.model_dump(include={"encoder", "revision", "convention", "fingerprint"})
    provenance["truncated"] = f"{meta.truncated} of {meta.clips} clips"
    if meta.precision != "float32":
        provenance["precision"] = meta.precision
    provenance |= meta.settings | {name: str(number) for name, number in meta.counts.items()}
    offsets = np.load(folder / "offsets.npy", allow_pickle=False)
    return Features(encoder, meta.unit, _Layers(folder, meta.numbers()), offsets, provenance)


class _Layers(Mapping[int, np.ndarray]):
    """Layer number -> memory map of its file, made on access."""

    def __init__(self, folder: Path, numbers: range):
        self._folder = folder
        self._numbers = numbers

    def __getitem__(self, layer: int) -> np.ndarray:
        if layer not in self._numbers:
            raise KeyError(layer)
        return np.load(self._folder / _layer_file(layer), mmap_mode="c", allow_pickle=False)

    def __iter__(self) -> Iterator[int]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)


def _layer_file(layer: int) -> str:
    return f"layer_{layer:02d}.npy"


def _read_meta(folder: Path) -> StoreMeta | None:
    try:
        return StoreMeta.model_validate_json((folder / "meta.json").read_bytes())
    except (OSError, ValidationError):
        return None


def _mismatch(
    meta: StoreMeta | None, encoder: str, revision: str | None, fingerprint: str
) -> tuple[str, str, str] | None:
    """Return how a description differs from what is asked for: file, found, expected."""
    file = "meta.json"
    if meta is None:
        return file, "no readable description", "a feature store of format 1"
    if meta.encoder != encoder:
        return file, f"encoder {meta.encoder}", f"encoder {encoder}"
    if revision is not None and meta.revision != revision:
        return file, f"{encoder} revision {meta.revision}", f"revision {revision}"
    if meta.fingerprint != fingerprint:
        other = "features of other clips, texts, media or settings"
        stored = f"{other} (fingerprint {meta.fingerprint[:16]})"
        return file, stored, f"fingerprint {fingerprint[:16]}"
    return None


def _damage(folder: Path, meta: StoreMeta) -> tuple[str, str, str] | None:
    """Return the first file of a store that belies its description: file, found, expected."""
    sizes = {
        **{_layer_file(k): len(_header(meta)) + _data_bytes(meta) for k in meta.numbers()},
        "offsets.npy": len(_npy(np.zeros(meta.clips + 1, np.int64))),
    }
    for file, size in sizes.items():
        path = folder / file
        if not path.is_file():
            return file, "no such file", f"{size} bytes"
        if path.stat().st_size != size:
            return file, f"{path.stat().st_size} bytes", f"{size} bytes"
    return None


# --- writing ------------------------------------------------------------------------------------


def write_store(
    folder: Path,
    meta: StoreMeta,
    ids: Sequence[str],
    offsets: np.ndarray,
    batches: Sequence[np.ndarray],
    encode: Callable[[Sequence[np.ndarray]], Generator[np.ndarray]],
) -> Path:
    """Write the store ``folder``, batch by batch, replacing one that exists; return ``folder``.

    ``batches`` holds clip numbers, every clip once. ``encode`` gets the batches still to do and
    yields for each batch of B clips their layers (L, B, T, D), in the store's type, T at least the
    longest of them; it runs in a thread of its own and can prepare the next batches meanwhile. A
    partial store with the same ``meta`` and batches is continued. Raises ``UserError`` where the
    disk refuses, and where a value does not fit the type; what was written so far stays under its
    partial name.
    """
    _settle(folder)
    partial = folder.with_name(folder.name + ".partial")
    plan = hashlib.sha256(json.dumps([b.tolist() for b in batches]).encode()).hexdigest()
    lengths = np.diff(offsets)
    with disk_errors(folder):
        done = _resume(partial, meta, plan)
        if done is None:
            _allocate(partial, meta, ids, offsets)
            done = 0
    saved = time.monotonic()
    progress = bar(batches, f"{meta.encoder} on {meta.dataset}", "batch")
    # The next batch is computed while one is written; leaving waits for it, then ends the rest.
    with closing(encode(batches[done:])) as left, ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, left, None)
        for number, clips in enumerate(progress, 1):
            if number <= done:
                continue
            states = coming.result()
            coming = thread.submit(next, left, None)
            _check_finite(meta, states, [ids[i] for i in clips], lengths[clips])
            with disk_errors(folder):
                _write_batch(partial, meta, states, offsets[clips], lengths[clips])
                if time.monotonic() - saved > SAVE_EVERY:
                    _save_progress(partial, meta, plan, number)
                    saved = time.monotonic()
    with disk_errors(folder):
        _save_progress(partial, meta, plan, len(batches))
        _finish(partial, folder)
    return folder


def _resume(partial: Path, meta: StoreMeta, plan: str) -> int | None:
    """Return how many batches a partial store holds; None where there is none to continue."""
    if _read_meta(partial) != meta or _damage(partial, meta):
        return None
    try:
        progress = json.loads((partial / "progress.json").read_bytes())
    except FileNotFoundError:
        return 0
    return progress["batches"] if progress["plan"] == plan else None


def _allocate(partial: Path, meta: StoreMeta, ids: Sequence[str], offsets: np.ndarray) -> None:
    """Make a partial store with every file at its final size; its description comes last."""
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    needed = meta.layers * _data_bytes(meta)
    free = shutil.disk_usage(partial).free
    if free < needed:
        partial.rmdir()
        raise OSError(errno.ENOSPC, f"{free / 1e9:.3f} GB free, {needed / 1e9:.3f} GB needed")
    for k in meta.numbers():
        with (partial / _layer_file(k)).open("wb") as file:
            file.write(_header(meta))
            file.truncate(len(_header(meta)) + _data_bytes(meta))
    write_bytes(partial / "offsets.npy", _npy(offsets.astype(np.int64)))
    write_bytes(partial / "ids.json", json.dumps(list(ids)).encode())
    write_bytes(partial / "meta.json", meta.text())


def _check_finite(meta: StoreMeta, states: np.ndarray, ids: list[str], lengths) -> None:
    largest = np.finfo(meta.dtype).max
    for clip, (name, length) in enumerate(zip(ids, lengths, strict=True)):
        bad = ~np.isfinite(states[:, clip, :length]).all(axis=(1, 2))  # (L,)
        if bad.any():
            raise UserError(
                f"{meta.encoder}, clip {name}",
                found=f"a value in layer {meta.first + bad.argmax()} that is not finite "
                f"in {_PRECISIONS[meta.dtype]} precision",
                expected=f"values between -{largest:g} and {largest:g}, as the store keeps "
                f"{meta.dtype}",
                remedy="Check the weights; an encoder with larger activations cannot be stored.",
            )


def _write_batch(partial: Path, meta: StoreMeta, states: np.ndarray, starts, lengths) -> None:
    # Plain writes rather than a writable map: on a full disk a map ends the process by a signal.
    header, frame = len(_header(meta)), _frame_bytes(meta)
    for k, layer in zip(meta.numbers(), states, strict=True):
        with (partial / _layer_file(k)).open("r+b") as file:
            for clip, start, length in zip(layer, starts.tolist(), lengths.tolist(), strict=True):
                file.seek(header + start * frame)
                file.write(np.ascontiguousarray(clip[:length], _descr(meta)))


def _save_progress(partial: Path, meta: StoreMeta, plan: str, batches: int) -> None:
    """Note that so many batches are done, once their bytes are on the disk."""
    for k in meta.numbers():
        with (partial / _layer_file(k)).open("r+b") as file:
            os.fsync(file.fileno())
    progress = json.dumps({"plan": plan, "batches": batches})
    write_bytes(partial / "progress.json", progress.encode())


def _finish(partial: Path, folder: Path) -> None:
    """Give the store its name; the one it replaces, if any, goes at the last moment."""
    for left in partial.glob(".*"):  # by writes that were killed
        left.unlink()
    replace_folder(folder, partial)
    _settle(folder)


def _settle(folder: Path) -> None:
    """Finish what a kill left of a replacement: one store of that name, without its progress."""
    settle(folder)
    with suppress(OSError):  # a disk that only reads has nothing to settle
        (folder / "progress.json").unlink(missing_ok=True)
