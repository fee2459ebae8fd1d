"""Headers: does a file of sound or pictures hold as many bytes as its own headers state?

Sound files state the size of their samples (.wav and its 64-bit kinds, .aiff, .au, .caf), Ogg the
size of every page and which is the last, .mp4 and .mov that of every box, .avi and .wmv that of the
file. Nothing is decoded here.
"""

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, NamedTuple

MISCOUNTED = 64
"""Bytes that may be missing: some programs count a header, too."""

STREAMED = 0x7FFF0000
"""Size from which on 32 bits mean that the length was not known when the file was begun."""


class Missing(NamedTuple):
    """What a file lacks, in words; ``share`` of its stated bytes is there, None where not known."""

    words: str
    share: float | None = None


def missing(path: Path) -> Missing | None:
    """Return what a file lacks of what its headers state; None for a whole file, and for others."""
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(16)
        file.seek(0)
        for starts, look in _KINDS.items():
            if any(start.startswith(mark) for mark in starts):
                return look(file, size)
        return _boxes(file, size) if start[4:8] in _FIRST_BOXES else None


def states_frames(path: Path) -> bool:
    """Check whether an .mp3 states how many frames it has (Xing's header, as LAME writes it)."""
    with path.open("rb") as file:
        tag = file.read(10)
        start = 0
        if tag[:3] == b"ID3":  # its size is four times seven bits
            start = 10 + sum(byte << 7 * place for place, byte in enumerate(reversed(tag[6:])))
        file.seek(start)
        first = file.read(1024)
    places = [place for mark in (b"Xing", b"Info") if (place := first.find(mark)) >= 0]
    return any(first[place + 7 : place + 8] and first[place + 7] & 1 for place in places)


# --- sound files --------------------------------------------------------------------------------


def _samples(file: BinaryIO, stated: int, size: int) -> Missing | None:
    """Return what is missing of so many bytes of samples from here on."""
    present = max(0, size - file.tell())
    if present + MISCOUNTED < stated:
        return Missing(f"{present} of {stated} bytes of sound", present / stated)
    return None


def _riff(file: BinaryIO, size: int) -> Missing | None:
    head = file.read(12)
    mark, kind = head[:4], head[8:]
    order = "big" if mark == b"RIFX" else "little"
    long = 0  # the size of the samples in 64 bits, where 32 are too few
    if kind != b"WAVE":
        return _avi(file, size) if kind == b"AVI " else None
    while len(head := file.read(8)) == 8:
        name, length = head[:4], int.from_bytes(head[4:], order)
        if name == b"ds64":
            long = int.from_bytes(file.read(16)[8:], "little")
            length -= 16
        elif name == b"data":
            if mark in (b"RF64", b"BW64") and length == 0xFFFFFFFF:
                return _samples(file, long, size)
            return _samples(file, length, size) if length < STREAMED else None
        file.seek(length + length % 2, 1)
    return None


def _aiff(file: BinaryIO, size: int) -> Missing | None:
    file.seek(12)
    while len(head := file.read(8)) == 8:
        length = int.from_bytes(head[4:], "big")
        if head[:4] == b"SSND":
            return _samples(file, length, size) if length < STREAMED else None
        file.seek(length + length % 2, 1)
    return None


def _au(file: BinaryIO, size: int) -> Missing | None:
    head = file.read(12)
    order = "little" if head[:4] == b"dns." else "big"
    start, length = (int.from_bytes(head[at : at + 4], order) for at in (4, 8))
    file.seek(start)
    return _samples(file, length, size) if length < STREAMED else None


def _caf(file: BinaryIO, size: int) -> Missing | None:
    file.seek(8)
    while len(head := file.read(12)) == 12:
        length = int.from_bytes(head[4:], "big", signed=True)
        if length < 0:
            return None  # not known, so the rest of the file
        if head[:4] == b"data":
            return _samples(file, length, size)
        file.seek(length, 1)
    return None


def _w64(file: BinaryIO, size: int) -> Missing | None:
    file.seek(40)
    while len(head := file.read(24)) == 24:
        length = int.from_bytes(head[16:], "little") - 24
        if head[:4] == b"data":
            return _samples(file, length, size)
        if length < 0:
            return None
        file.seek(length + -length % 8, 1)
    return None


# --- containers ----------------------------------------------------------------------------


def _ogg(file: BinaryIO, size: int) -> Missing | None:
    """Look for the page of every stream that is marked as its last."""
    ended: dict[bytes, bool] = {}
    while (head := file.read(27))[:4] == b"OggS":
        lengths = file.read(head[26]) if len(head) == 27 else b""
        if len(head) < 27 or len(lengths) < head[26] or file.tell() + sum(lengths) > size:
            return Missing("a last page that breaks off")
        ended[head[14:18]] = bool(head[5] & 4)
        file.seek(sum(lengths), 1)
    return None if all(ended.values()) else Missing("no page that is marked as the last")


def _avi(file: BinaryIO, size: int) -> Missing | None:
    start = 0
    while start < size:  # long files have several of these
        file.seek(start)
        if (head := file.read(8))[:4] != b"RIFF":
            return None
        length = 8 + int.from_bytes(head[4:], "little")
        if size < start + length < STREAMED:
            return Missing(f"{size - start} of {length} bytes")
        start += length + length % 2
    return None


def _asf(file: BinaryIO, size: int) -> Missing | None:
    """Look for the properties of the file: its size follows two identifiers and a length."""
    head = file.read(2**16)
    place = head.find(_ASF_PROPERTIES)
    if place < 0:
        return None
    length = int.from_bytes(head[place + 40 : place + 48], "little")
    live = head[place + 88 : place + 89] and head[place + 88] & 1
    return Missing(f"{size} of {length} bytes") if size < length and not live else None


def _boxes(file: BinaryIO, size: int) -> Missing | None:
    start = 0
    while len(head := file.read(8)) == 8:
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(file.read(8), "big")
        if length == 0 or not head[4:].isalnum():
            return None  # the rest of the file, or something else behind the last box
        if start + length > size and head[4:] in (b"moof", b"mdat"):
            return Missing(f"{size - start} of {length} bytes of its last part")
        start += max(length, 8)
        file.seek(start)
    return None


_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
"""Identifiers of the format, and of the part of its header that has the size."""

_FIRST_BOXES = (b"ftyp", b"styp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot")

_KINDS: dict[tuple[bytes, ...], Callable[[BinaryIO, int], Missing | None]] = {
    (b"RIFF", b"RIFX", b"RF64", b"BW64"): _riff,
    (b"FORM",): _aiff,
    (b".snd", b"dns."): _au,
    (b"caff",): _caf,
    (b"riff\x2e\x91",): _w64,
    (b"OggS",): _ogg,
    (_ASF,): _asf,
}
"""First bytes of a file -> what looks through it."""
