"""Media: which sound and which faces are in a file?

Decodes waveforms at 16 kHz and face crops at 3 pictures a second. Workers run these functions, so
this module imports nothing heavy. Files that cannot be decoded, or hold nothing, are a
``UserError`` that names them.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Literal

import numpy as np

from msalib.base.errors import UserError
from msalib.data.readers import clip_files
from msalib.encoders import headers, whole
from msalib.encoders.faces import Box, cv2_module, detector

RATE = 16_000
"""Samples a second of every waveform."""

RATES = range(1000, 1_000_000)
"""Samples a second that a file may have; a damaged one may claim any number."""

UNKNOWN = 2**62
"""Samples from which on a .flac means that its length was not known when it was begun."""

PICTURES = 3
"""Pictures a second that are kept."""

HEIGHT = 720
"""Height of a picture before faces are looked for (preset release)."""

GAP = 60
"""Seconds between two pictures at most; a damaged file may claim years."""

CROP = 256
"""Side of a face crop, its aspect ratio not kept."""

Mix = Literal["first", "mean"]
Sampling = Literal["release", "article"]


# --- sound --------------------------------------------------------------------------------------


def sound(path: Path, mix: Mix) -> np.ndarray:
    """Return the waveform of a file at 16 kHz: (samples,) float32, full scale 1.

    ``mix`` is what to take of several channels: the ``first``, or the ``mean`` of all. Raises
    ``UserError`` for a file that is missing, damaged, has no sound, no samples, or samples that
    are not finite.
    """
    path = Path(path)
    samples, rate = (_sound_file if path.suffix.lower() in clip_files.SAMPLED else _container)(path)
    if rate not in RATES:
        raise _nothing(path, f"{rate} samples a second", f"{RATES.start} to {RATES[-1]}")
    if not samples.shape[1]:
        raise _nothing(path, "no samples", "sound")
    if not np.isfinite(samples).all():
        raise _nothing(path, "samples that are not finite numbers", "sound")
    wave = samples[0] if mix == "first" else samples.mean(axis=0)
    if rate != RATE:
        librosa = package("librosa")
        wave = librosa.resample(wave, orig_sr=rate, target_sr=RATE)
    return np.ascontiguousarray(wave, np.float32)


def samples(path: Path, mix: Mix) -> int:
    """Return how many samples ``sound`` gives for a file, from the whole sound."""
    return len(sound(path, mix))


def _sound_file(path: Path) -> tuple[np.ndarray, int]:
    """Return (channels, samples) float32 and samples a second."""
    soundfile = package("soundfile")
    with _decoding(path, "a sound file", (soundfile.LibsndfileError,)):
        try:
            with soundfile.SoundFile(path) as file:
                if file.frames < UNKNOWN:
                    return whole.samples(path, file).T, file.samplerate
        except soundfile.LibsndfileError:
            if headers.missing(path) is None:
                raise
    return _container(path)  # of unknown length, or cut short: FFmpeg reads what there is


def _container(path: Path) -> tuple[np.ndarray, int]:
    av = package("av")
    with _decoding(path, "a video or sound file", (av.FFmpegError,)), av.open(str(path)) as file:
        if not file.streams.audio:
            raise _nothing(path, "no audio stream", "sound")
        stream = _codec(path, file.streams.audio[0], "sound")
        rate = stream.rate
        same = av.AudioResampler(format="fltp", rate=rate)  # other numbers, planes of channels
        parts = [
            part.to_ndarray()
            for frame in chain(whole.frames(path, file, stream), [None])  # None: what it still has
            for part in same.resample(frame)
        ]
        return (np.concatenate(parts, axis=1) if parts else np.zeros((1, 0), np.float32)), rate


def _codec(path: Path, stream, expected: str):
    """Return a stream for which there is a decoder."""
    if stream.codec_context is None:
        raise _nothing(path, "a stream in a format that is not known", expected)
    return stream


# --- pictures -----------------------------------------------------------------------------------


def look(path: Path, sampling: Sampling, faces: str) -> list[Box | None]:
    """Return the box of the largest face in every picture that is kept of a clip, None without one.

    ``path`` is a video, a folder of pictures, or one picture. ``release`` keeps every int(fps / 3)-
    th picture, brought to a height of 720 (papers/uegd.md (e)); ``article`` keeps the picture
    nearest to each multiple of 1/3 second. Raises ``UserError`` for a file that is missing,
    damaged, has no video stream or no pictures, and for a missing detector.
    """
    find = detector(faces)
    boxes = [find(picture) for picture in _kept(Path(path), sampling, faces)]
    if not boxes:
        raise _nothing(path, "no pictures", "pictures")
    return boxes


def crops(
    path: Path, sampling: Sampling, faces: str, boxes: list[Box | None], resize: int, crop: int
) -> np.ndarray:
    """Return the faces of a clip as a model takes them: (pictures with one, crop, crop, 3) uint8.

    Each face is cut out (``boxes`` of ``look``) and brought to 256 x 256 whatever its shape, then
    by antialiased bicubic interpolation to ``resize`` x ``resize``, then cut to ``crop`` around
    the centre, as CLIP's preprocessing does.
    """
    cv2 = cv2_module()
    cut = []
    for picture, box in zip(_kept(Path(path), sampling, faces), boxes, strict=True):
        if box is None:
            continue
        left, top, right, bottom = box
        face = cv2.resize(
            picture[top:bottom, left:right], (CROP, CROP), interpolation=cv2.INTER_AREA
        )
        start = (resize - crop) // 2
        cut.append(bicubic(face, resize)[start : start + crop, start : start + crop])
    return np.stack(cut) if cut else np.zeros((0, crop, crop, 3), np.uint8)


def _kept(path: Path, sampling: Sampling, faces: str) -> Iterator[np.ndarray]:
    """Yield the pictures of a clip that are kept: (H, W, 3) uint8, RGB."""
    fps, pictures = _pictures(path)
    chosen = _every(pictures, fps) if sampling == "release" else _nearest(path, pictures)
    for kept in chosen:
        pixels = np.ascontiguousarray(kept)
        yield _at_height(pixels) if sampling == "release" and faces != "whole" else pixels


Timed = Iterator[tuple[float, Callable[[], np.ndarray]]]


def _every(pictures: Timed, fps: float) -> Iterator[np.ndarray]:
    """Return every int(fps / 3)-th picture, from the first: 3.0 to 3.4 a second at usual rates."""
    step = max(1, int(fps / PICTURES))
    return (get() for number, (_, get) in enumerate(pictures) if number % step == 0)


def _nearest(path: Path, pictures: Timed) -> Iterator[np.ndarray]:
    """Yield the picture nearest to each multiple of 1/3 second; the earlier of two."""
    number, before = 0, None
    for now in pictures:
        if before is not None and now[0] - before[0] > GAP:
            gap = f"{now[0] - before[0]:g} s between two pictures"
            raise _nothing(path, gap, f"pictures at most {GAP} s apart")
        while (due := number / PICTURES) <= now[0] + 1e-6:
            earlier = before is not None and due - before[0] <= now[0] - due + 1e-6
            yield (before if earlier else now)[1]()
            number += 1
        before = now


def _pictures(path: Path) -> tuple[float, Timed]:
    """Return pictures a second, and for each picture its time and what makes it an array."""
    if path.is_dir():
        return _folder(path)
    if path.suffix.lower() in clip_files.PICTURES:
        return PICTURES, iter([(0.0, lambda: picture(path))])
    return _video(path)


def _folder(path: Path) -> tuple[float, Timed]:
    pictures = (p for p in path.iterdir() if p.suffix.lower() in clip_files.PICTURES)
    files = sorted(pictures, key=_natural)
    if not files:
        raise _nothing(path, "no .png or .jpg in the folder", "pictures")
    fps = PICTURES
    if (file := path / "fps.txt").is_file():
        text = file.read_text(errors="replace").strip()
        try:
            fps = float(text)
        except ValueError:
            fps = 0.0
        if not 0 < fps < float("inf"):
            raise UserError(
                file,
                found=repr(text[:40]),
                expected="pictures a second, a number above 0",
                remedy="Write the rate at which the pictures were taken, or remove the file (3).",
            )
    return fps, ((n / fps, lambda file=file: picture(file)) for n, file in enumerate(files))


def _natural(path: Path) -> list:
    """Return the key by which 10.png comes after 9.png."""
    return [(int(p), "") if p.isdigit() else (-1, p) for p in re.split(r"(\d+)", path.name)]


def picture(path: Path) -> np.ndarray:
    """Return a .png or .jpg: (H, W, 3) uint8, RGB. Raises ``UserError`` for an unreadable file."""
    cv2 = cv2_module()
    with _decoding(path, "a picture", (cv2.error,)):
        content = np.frombuffer(path.read_bytes(), np.uint8)
        pixels = cv2.imdecode(content, cv2.IMREAD_COLOR) if len(content) else None
    if pixels is None:
        raise _nothing(path, f"{len(content)} bytes that are no picture", "a .png or .jpg")
    return pixels[:, :, ::-1]


def _video(path: Path) -> tuple[float, Timed]:
    av = package("av")
    with _decoding(path, "a video", (av.FFmpegError,)), av.open(str(path)) as file:
        if not file.streams.video:
            raise _nothing(path, "no video stream", "pictures")
        stream = _codec(path, file.streams.video[0], "pictures")
        rate = stream.average_rate or stream.guessed_rate or stream.base_rate
    if not rate:
        raise _nothing(path, "a video stream without a rate", "pictures")
    return float(rate), _video_frames(path, float(rate))


def _video_frames(path: Path, fps: float) -> Timed:
    av = package("av")
    with _decoding(path, "a video", (av.FFmpegError,)), av.open(str(path)) as file:
        start = None
        for number, frame in enumerate(whole.frames(path, file, file.streams.video[0])):
            time = number / fps if frame.time is None else frame.time
            start = time if start is None else start
            yield time - start, lambda frame=frame: _upright(frame)


def _upright(frame) -> np.ndarray:
    """Turn a picture as its file says: a telephone held upright stores pictures that lie."""
    turns = round(getattr(frame, "rotation", 0) / 90)  # counterclockwise
    return np.rot90(frame.to_ndarray(format="rgb24"), turns)


def _at_height(picture: np.ndarray) -> np.ndarray:
    height, width = picture.shape[:2]
    if height == HEIGHT:
        return picture
    return cv2_module().resize(picture, (max(1, round(width * HEIGHT / height)), HEIGHT))


def bicubic(picture: np.ndarray, side: int) -> np.ndarray:
    """Return a picture (H, W, 3) uint8 at side x side, by antialiased bicubic interpolation.

    As in Pillow: columns first, rounded to whole numbers, then rows. CLIP's preprocessing does it
    so, and its features follow such details.
    """
    height, width = picture.shape[:2]
    across, down = _cubic_weights(width, side), _cubic_weights(height, side)
    columns = _whole_numbers(np.einsum("ow,hwc->hoc", across, picture, optimize=True))
    return _whole_numbers(np.einsum("oh,hwc->owc", down, columns, optimize=True))


def _whole_numbers(values: np.ndarray) -> np.ndarray:
    return np.clip(np.floor(values + 0.5), 0, 255).astype(np.uint8)


@lru_cache
def _cubic_weights(size: int, target: int) -> np.ndarray:
    """Return weights of Keys' cubic (a = -0.5), wider where the picture shrinks: (target, size)."""
    scale = size / target
    stretch = max(scale, 1.0)
    centre = (np.arange(target) + 0.5) * scale
    first = np.maximum(0, np.floor(centre - 2 * stretch + 0.5))[:, None]
    last = np.minimum(size, np.floor(centre + 2 * stretch + 0.5))[:, None]
    place = np.arange(size)[None]
    x = np.abs((place - centre[:, None] + 0.5) / stretch)
    inner = (1.5 * x - 2.5) * x * x + 1
    outer = ((-0.5 * x + 2.5) * x - 4) * x + 2
    weight = np.where(x < 1, inner, np.where(x < 2, outer, 0.0))
    weight *= (place >= first) & (place < last)
    return (weight / weight.sum(axis=1, keepdims=True)).astype(np.float32)


# --- what goes wrong ----------------------------------------------------------------------------


_RESTORE = "The file is truncated or damaged: restore it from its source, or leave the clip out."


@contextmanager
def _decoding(path: Path, kind: str, errors: tuple[type[Exception], ...]) -> Iterator[None]:
    """Turn what a library says of a file into a ``UserError`` that names it."""
    path = Path(path)
    if not path.is_file():
        raise UserError(
            path,
            found="a folder" if path.is_dir() else "no such file",
            expected=kind,
            remedy="Restore the file, or add the data set again from where its media are.",
        )
    try:
        yield
    except (*errors, OSError, ValueError, RuntimeError, EOFError, IndexError) as error:
        reason = " ".join(str(error).replace(str(path), path.name).split())
        raise UserError(
            path,
            found=f"content that cannot be decoded ({reason[:200]})",
            expected=kind,
            remedy=_RESTORE,
        ) from error


def _nothing(path: Path, found: str, expected: str) -> UserError:
    return UserError(
        path,
        found=found,
        expected=expected,
        remedy="Give a file that has it, or leave the clip out.",
    )


def package(name: str):
    """Return a package of the extra media. Raises ``UserError`` where it cannot be imported."""
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError as error:
        raise UserError(
            "sound and pictures",
            found=f"no package {name}",
            expected="what decodes media",
            remedy='Run: pip install -e ".[media]".',
        ) from error
    except RuntimeError as error:  # numba's, behind librosa
        raise UserError(
            f"package {name}",
            found=f"it cannot be imported ({str(error).splitlines()[0]})",
            expected="a folder that it can write",
            remedy="Set NUMBA_CACHE_DIR to such a folder, or make room in the temporary one.",
        ) from error
