"""Whole: does a file of sound or pictures hold as much as it says?

What is left of a file that was cut short decodes as a shorter clip. So the length that a file
states is compared with the length that was decoded, stream by stream, since sound may rightly end
before the pictures. A file that is short by more than a frame is refused, or taken as it is and
noted (``MSALIB_ACCEPT_CUT``, the option ``--accept-cut``). Raw streams (.aac, .amr, .ts, .mpg, an
.mp3 without Xing's header, an unfinished .webm) state nothing and are not judged.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from msalib.base.errors import UserError
from msalib.encoders import headers

VARIABLE, OPTION = "MSALIB_ACCEPT_CUT", "--accept-cut"

ROUNDED = 0.01
"""Seconds by which stated and decoded times may differ: containers count whole milliseconds."""

FRAME = 1152
"""Samples in a frame of an .mp3, the shortest loss that counts in a sound file."""

_cut: ContextVar[list[str] | None] = ContextVar("cut", default=None)


def accepted() -> bool:
    """Check whether files that are cut short are taken as they are."""
    return os.environ.get(VARIABLE) == "1"


@contextmanager
def noted() -> Iterator[list[str]]:
    """Yield a list that takes what the block accepts of files that are cut short."""
    notes: list[str] = []
    token = _cut.set(notes)
    try:
        yield notes
    finally:
        _cut.reset(token)


def observed(path: Path, function: Callable, *arguments) -> tuple[Any, str]:
    """Return ``function(path, *arguments)``, and what was accepted of a file cut short, or ""."""
    with noted() as notes:
        return function(path, *arguments), "; ".join(dict.fromkeys(notes))


def refuse(
    path: Path, decoded: float, what: str, stated: float | None, lacks: headers.Missing | None
) -> None:
    """Refuse a file of which only ``decoded`` seconds are there, or note it where accepted.

    ``what`` is sound or pictures; ``stated`` are the seconds that the file says it has, ``lacks``
    the bytes that are missing where it says none. Raises ``UserError``.
    """
    if lacks and lacks.share:
        stated = decoded / lacks.share
    found = f"{decoded:.2f} s of {what}"
    found += f" and {lacks.words}" if stated is None else f" of the {stated:.2f} s that it states"
    if not accepted():
        raise UserError(
            path,
            found=found,
            expected=f"a whole file, with all its {what}",
            remedy="The file is cut short or damaged: restore it from its source, leave the clip "
            f"out, or take what is there ({OPTION}, or {VARIABLE}=1).",
        )
    if (notes := _cut.get()) is not None:
        notes.append(found)


# --- sound files --------------------------------------------------------------------------------


def samples(path: Path, file) -> np.ndarray:
    """Return all samples of an open sound file, (samples, channels) float32.

    Raises ``UserError`` for a file that is cut short (``refuse``), and soundfile's errors for one
    that is damaged.
    """
    from soundfile import LibsndfileError

    broken = None
    try:
        content = file.read(dtype="float32", always_2d=True)
    except LibsndfileError as error:
        broken, content = error, _before_damage(path)
    decoded, stated = len(content) / file.samplerate, None
    if file.format == "FLAC" or (file.format == "MP3" and headers.states_frames(path)):
        stated = file.frames / file.samplerate
    short = stated is not None and stated - decoded > FRAME / file.samplerate
    lacks = headers.missing(path)
    if short or lacks:
        refuse(path, decoded, "sound", stated if short else None, lacks)
    elif broken:
        raise broken
    return content


def _before_damage(path: Path) -> np.ndarray:
    """Return the samples before the first block that cannot be decoded."""
    import soundfile

    with soundfile.SoundFile(path) as file:
        blocks = [np.zeros((0, file.channels), np.float32)]
        with suppress(soundfile.LibsndfileError):
            while len(block := file.read(FRAME, dtype="float32", always_2d=True)):
                blocks.append(block)
    return np.concatenate(blocks)


# --- containers ---------------------------------------------------------------------------------


def frames(path: Path, file, stream) -> Iterator:
    """Yield the decoded frames of a stream of an open container; ``refuse`` it if it is cut short.

    Raises PyAV's errors for frames that cannot be decoded in a file that is not cut.
    """
    import av

    reach, broken = _Reach(path, file, stream), None
    try:
        for packet in file.demux():
            reach.packet(packet)
            if packet.stream.index == stream.index:
                for frame in packet.decode():
                    reach.frame(frame)
                    yield frame
    except av.FFmpegError as error:
        broken = error
    if broken and not reach.number:
        raise broken
    stated = reach.short()
    lacks = None if stated is not None else reach.lacks(broken is not None)
    if stated is not None or lacks:
        decoded = max(0.0, reach.end - max(0.0, reach.start))
        refuse(path, decoded, _CALLED[stream.type], stated, lacks)
    elif broken:
        raise broken


_CALLED = {"audio": "sound", "video": "pictures"}


class _Reach:
    """How far a container was decoded, in seconds, and how far it says that it goes."""

    def __init__(self, path: Path, file, stream):
        self.path, self.file, self.stream = path, file, stream
        self.format = file.format.name
        begins = (stream.start_time or 0) * (stream.time_base or 0)
        # Durations are counted from a stream's start; in Matroska from 0, or from what a decoder
        # takes in before that.
        self.start = 0.0 if self.format.startswith("matroska") else max(0.0, float(begins))
        # DASH counts from where decoding begins, which is before the first picture is shown.
        self.in_parts = self.format.startswith("mov") and not stream.frames
        self.number, self.end, self.longest = 0, 0.0, 0.0  # of decoded frames
        self.ends: dict[int, float] = {}  # of the packets of each stream
        self.latest: dict[int, float] = {}  # where the latest packet of each stream began
        self.gap = 0.0  # the longest between two packets of any stream
        self.bytes = 0  # where the last packet ended

    def packet(self, packet) -> None:
        """Note where a packet of any stream begins and ends."""
        if packet.pos is not None:
            self.bytes = max(self.bytes, packet.pos + packet.size)
        if packet.pts is None:
            return
        number, begin = packet.stream.index, float(packet.pts * packet.time_base)
        length = float((packet.duration or 0) * packet.time_base)
        self.gap = max(self.gap, length, begin - self.latest.get(number, begin))
        self.latest[number] = begin
        self.ends[number] = max(self.ends.get(number, 0.0), begin + length)
        if number == self.stream.index and self.format.startswith("matroska"):
            self.start = min(self.start, begin)
        elif number == self.stream.index and self.in_parts and packet.dts is not None:
            self.start = min(self.start, float(packet.dts * packet.time_base))

    def frame(self, frame) -> None:
        """Note where a decoded frame begins and ends."""
        if self.stream.type == "audio":
            length = frame.samples / frame.sample_rate
        else:
            length = float((frame.duration or 0) * frame.time_base)
            length = length or float(1 / (self.stream.average_rate or 1))
        begin = self.end if frame.time is None else frame.time
        end = max(self.end, begin + length)
        # Where a rate varies, a frame may last until long after the one before it.
        self.longest = max(self.longest, length, end - self.end if self.number else 0.0)
        self.number, self.end = self.number + 1, end

    @cached_property
    def missing(self) -> headers.Missing | None:
        """What the file lacks of the bytes that it states."""
        return headers.missing(self.path)

    def short(self) -> float | None:
        """Return the stated seconds if what was decoded ends more than a frame before."""
        stated, whole = self._stated(), self._whole()
        if stated is not None and (whole is None or stated <= whole + ROUNDED):
            # Without its first key picture a stream may have all packets and no picture.
            end = self.end if self.number else self.ends.get(self.stream.index, 0.0)
            return stated if stated - (end - self.start) > self.longest + ROUNDED else None
        # A tag that states more than the file does is left from another file.
        if whole is None or whole - max(self.ends.values(), default=0.0) <= self.gap + ROUNDED:
            return None
        return whole

    def lacks(self, broken: bool) -> headers.Missing | None:
        """Return what is missing of a file that does not state how long the stream is."""
        if broken and self.bytes >= self.file.size:
            return headers.Missing("a last part that breaks off")
        if not self.stream.frames or not self.format.startswith(("mov", "avi")):
            return self.missing
        fewer = self.stream.frames - self.number
        if self.stream.type == "video" and self.format.startswith("mov") and fewer > 1:
            # Pictures are stored in the order in which they are decoded: the last may be there.
            words = f"{fewer} pictures fewer than it states"
            return headers.Missing(words) if self.missing else None
        return None

    def _stated(self) -> float | None:
        """Return the seconds that the container states of the stream."""
        stream = self.stream
        if self.format.startswith("mov") and stream.duration:
            return float(stream.duration * stream.time_base)
        if self.format.startswith("matroska") and (tag := stream.metadata.get("DURATION")):
            return _seconds(tag)
        # FFmpeg writes an .avi that states more than it has where sound begins later than pictures.
        if self.format.startswith("avi") and stream.frames and self.missing:
            return float(stream.frames * stream.time_base)
        return None

    def _whole(self) -> float | None:
        """Return where the file says that its last stream ends."""
        if not self.file.duration or not self.format.startswith(("matroska", "flv")):
            return None
        return self.file.duration / 1e6


def _seconds(text: str) -> float | None:
    """Return the seconds of a time such as 00:00:03.064000000."""
    try:
        hours, minutes, seconds = text.split(":")
        return 3600 * int(hours) + 60 * int(minutes) + float(seconds)
    except ValueError:
        return None
