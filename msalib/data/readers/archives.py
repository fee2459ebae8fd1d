"""Archives of strangers: they write in their own folder only, and fill neither disk nor memory."""

import errno
import gzip
import os
import re
import shutil
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from msalib.base import refusals
from msalib.data.readers import build

MAX_UNPACKED = 128 * 2**30
MAX_FILES = 200_000
"""Of one archive."""

MAX_HEADER = 2**24
"""Bytes of the header of one member, and of the zeros after the last."""


class _Refused(Exception):
    """Something that is well formed and is not taken."""

    def __init__(self, found: str, expected: str):
        self.found = found
        self.expected = expected
        super().__init__(found)


def unpack(path: Path, into: Path) -> None:
    """Unpack a .zip, .tar or .tar.gz to the folder ``into``, which must not exist yet.

    Everything is checked before anything is written: names that lead elsewhere, links and devices
    are refused by name. Raises ``UserError`` for those, for an archive that is damaged or has a
    password, beyond ``MAX_FILES`` and ``MAX_UNPACKED``, and where the disk has no room; then
    ``into`` is not there.
    """
    path, into = Path(path), Path(into)
    members = _zip_members if path.name.lower().endswith(".zip") else _tar_members
    remedy = "Restore the archive from its source, or unpack it yourself and add the folder."
    try:
        total = _check_members(members(path))
        into.mkdir(parents=True)
        free = shutil.disk_usage(into).free
        if total > free:
            said = f"{total / 2**30:.1f} GiB when unpacked, {free / 2**30:.1f} GiB free"
            raise OSError(errno.ENOSPC, said)
        for name, kind, size, read in members(path):
            target = into / PurePosixPath(name)
            if kind == "folder":
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as file:
                _copy(read(), file, size, name)
    except BaseException as error:
        shutil.rmtree(into, ignore_errors=True)
        if refusal := refusals.refused(error, into):  # the machine's, not the archive's
            raise refusal from error
        if isinstance(error, _Refused):
            found, expected = error.found, error.expected
        elif isinstance(error, OSError) and error.strerror:
            found = f"what cannot be unpacked: {error.strerror}"
            expected = "an archive that can be read, with one file of each name"
        elif isinstance(error, _BROKEN):
            found, expected = "a damaged or truncated archive", "a whole .zip, .tar or .tar.gz"
        else:
            raise
        raise build.bad(path, found, expected, remedy) from error


_BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    LookupError,
    OverflowError,
    NotImplementedError,  # a way of packing that zipfile does not know
    RuntimeError,  # a password
)


def _check_members(members) -> int:
    """Return the bytes of all members, none of which leads elsewhere."""
    total, names = 0, set()
    for name, kind, size, _ in members:
        printable = "".join(c if c.isprintable() else "?" for c in name)[:200]
        parts = PurePosixPath(name.replace("\\", "/")).parts
        if ".." in parts or name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name):
            raise _Refused(
                f"the name {printable!r}, which leads out of it", "names inside the archive"
            )
        if kind not in ("file", "folder"):
            raise _Refused(f"{printable!r}, which is a {kind}", "files and folders")
        if "\0" in name or "\\" in name:
            raise _Refused(f"the name {printable!r}", "names that every system can have")
        if kind == "file" and (not parts or parts in names):
            raise _Refused(f"the name {printable!r} twice or empty", "every name once")
        names.add(parts)
        total += size
        if len(names) > MAX_FILES or total > MAX_UNPACKED:
            raise _Refused(
                "more than a data set holds",
                f"at most {MAX_FILES} files and {MAX_UNPACKED / 2**30:.0f} GiB",
            )
    if not names:
        raise _Refused("an archive of nothing", "files")
    return total


def _zip_members(path: Path) -> Iterator:
    """Yield the name, kind and bytes of each member, and what opens it."""
    with zipfile.ZipFile(path) as archive:
        with path.open("rb") as file:  # zipfile does not compare the number of its entries
            file.seek(-min(path.stat().st_size, 2**16 + 22), os.SEEK_END)
            tail = file.read()
        (count,) = struct.unpack_from("<H", tail, tail.rindex(b"PK\5\6") + 10)
        if count not in (len(archive.infolist()), 0xFFFF):  # 0xFFFF: more than 2 bytes hold
            raise zipfile.BadZipFile(f"{len(archive.infolist())} entries of {count}")
        for member in archive.infolist():
            mode = member.external_attr >> 16
            kind = "folder" if member.is_dir() else "file"
            if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
                kind = "link" if stat.S_ISLNK(mode) else "device"
            if member.flag_bits & 1:
                raise _Refused(f"{member.filename!r} with a password", "an archive without one")
            yield member.filename, kind, member.file_size, lambda m=member: archive.open(m)


def _is_gzip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


class _Sips:
    """A file of which no one reads much at once: tarfile takes headers of any size in whole."""

    def __init__(self, file: BinaryIO):
        self._file = file
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int) -> bytes:
        if size > MAX_HEADER:
            raise tarfile.ReadError("a header too large")
        return self._file.read(size)


def _tar_members(path: Path) -> Iterator:
    with (
        (gzip.open if _is_gzip(path) else open)(path, "rb") as content,
        tarfile.open(fileobj=_Sips(content), mode="r:") as archive,
    ):
        for member in archive:
            kind = "file" if member.isreg() else "folder" if member.isdir() else "device"
            if member.issym() or member.islnk():
                kind = "link"
            yield member.name, kind, member.size, lambda m=member: archive.extractfile(m)
        # tarfile takes a damaged header for the end; the end is zeros and nothing but zeros. To
        # read them all is also what has the checksum of a .gz looked at.
        archive.fileobj.seek(archive.offset)
        end = 0
        while block := archive.fileobj.read(2**20):
            end += len(block)
            if block.strip(b"\0") or end > MAX_HEADER:
                raise tarfile.ReadError("no end")
        if end < tarfile.BLOCKSIZE:
            raise tarfile.ReadError("no end")


def _copy(source: BinaryIO, target: BinaryIO, size: int, name: str) -> None:
    with source:
        left = size
        while block := source.read(min(2**20, left + 1)):
            left -= len(block)
            if left < 0:
                break
            target.write(block)
    if left:
        raise _Refused(f"{name!r} of another size than the archive says", "a whole archive")
