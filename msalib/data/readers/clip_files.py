"""Files of clips: which endings are sound, video or pictures, and which file in a folder is whose.

Readers find files by these endings and encoders decode them, so that what one knows both know.
"""

import hashlib
import os
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import NamedTuple

from msalib.base.errors import UserError
from msalib.base.files import sha256
from msalib.data.readers.content import part_of

SAMPLED = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aiff", ".aif", ".au", ".caf", ".w64")
"""Sound that soundfile reads; all other sound and every video is read by PyAV."""

SOUNDS = (*SAMPLED, ".m4a", ".aac", ".wma", ".amr", ".mka", ".ac3", ".oga", ".mp2", ".weba")
VIDEOS = (
    *(".mp4", ".mkv", ".avi", ".mov", ".webm", ".flv", ".m4v", ".mpg", ".mpeg", ".wmv"),
    *(".3gp", ".3g2", ".ogv", ".ts", ".mts", ".m2ts", ".vob", ".asf", ".f4v"),
)
PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff")
FOLDER = "/"
"""The ending of a folder of pictures."""

ENDINGS = (*SOUNDS, *VIDEOS, *PICTURES)
"""Files that are read where they lie."""

KINDS = {"visual": (*VIDEOS, FOLDER), "acoustic": (*SOUNDS, *VIDEOS)}
"""Modality -> what serves it, the best first."""

CALLED = {"visual": "pictures", "acoustic": "sound"}

PLACES = ("wav", "raw")
"""Folders that come before all others; then those come first that lie less deep."""

_JUNK = ("__MACOSX",)
_SPOILT = re.compile(
    r"\d+([.,]\d+)?E\+\d+|#[A-Z/0]+[!?]?|TRUE|FALSE"  # 1E+05, #NAME?
    r"|\d{1,2}[-. ]?[A-Z][a-z]{2,3}\.?([-. ]\d{2,4})?|[A-Z][a-z]{2}[-. ]\d{2,4}"  # 2-Jan, Jan-02
    r"|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}( 0?0:00(:00)?)?|\d{1,2}\u6708\d{1,2}\u65e5"
)
"""What spreadsheets make of ids such as 100000, -abc, true and 1-2."""

_COUNTED = re.compile(r"\d+(\.\d+|,(?!\d{3}$)\d+)?([eE]\+?\d{1,3})?", re.ASCII)
"""A number as spreadsheets write it: 1.0, 1,0 and 1.23457E+11."""


class ClipName(NamedTuple):
    """A clip as a table names it, and the part that it is in."""

    video: str
    number: str
    part: str = ""


@dataclass(frozen=True)
class ClipFile:
    """A file, or a folder of pictures, below a folder.

    ``names`` are those of the folders down to it, its own last and without the ending ``suffix``.
    ``fault`` says why nothing can be read of it; it is empty where something may.
    """

    path: Path
    names: tuple[str, ...]
    suffix: str
    fault: str = ""

    def serves(self, modality: str) -> bool:
        """Check whether this is what an encoder of the modality reads."""
        return self.suffix in KINDS[modality]


# --- what there is ------------------------------------------------------------------------------


def walk(root: Path) -> list[ClipFile]:
    """Return all sound, videos and folders of pictures below a folder, in the order of names.

    Links are followed, though never back to a folder on the way. A picture in ``root`` itself
    belongs to no clip.
    """
    return list(_walk(root, (), ()))


def _walk(folder: Path, names: tuple[str, ...], above: tuple) -> Iterable[ClipFile]:
    status = folder.stat()
    here = (status.st_dev, status.st_ino)
    if here in above:
        return
    pictures = []
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        path = folder / entry.name
        suffix = path.suffix.lower()
        if entry.name.startswith(".") or entry.name in _JUNK:
            continue
        if entry.is_dir():
            yield from _walk(path, (*names, entry.name), (*above, here))
        elif suffix in PICTURES:
            pictures.append(_fault(entry))
        elif suffix in ENDINGS:
            yield ClipFile(path, (*names, path.stem), suffix, _fault(entry))
    if pictures and names:
        yield ClipFile(folder, names, FOLDER, next(filter(None, pictures), ""))


def check_read(root: Path, modalities: Collection[str]) -> None:
    """Raise ``UserError`` for sound or videos below a folder of which no modality was read.

    Folders of pictures are left alone: they may be plots.
    """
    unread = [modality for modality in KINDS if modality not in modalities]
    files = walk(root) if unread and root.is_dir() else []
    for modality in unread:
        serving = (file for file in files if file.serves(modality) and file.suffix != FOLDER)
        names = [file.path.relative_to(root) for file in serving]
        if names:
            raise UserError(
                root,
                found=f"{len(names)} files of {CALLED[modality]}, such as {names[0]}, that "
                "this format does not read",
                expected="sound and pictures in a folder with label.csv",
                remedy="Write a label.csv for the clips (see msalib data add --help); or, to have "
                "the rest alone, move these files out of the folder.",
            )


def _fault(entry: os.DirEntry) -> str:
    try:
        return "" if entry.stat().st_size else "is empty"
    except FileNotFoundError:
        return "is a link to a file that is not there"


def members(path: Path) -> list[Path]:
    """Return the files of a clip: itself, or those of its folder."""
    return sorted(p for p in path.iterdir() if p.is_file()) if path.is_dir() else [path]


def digest(path: Path) -> str:
    """Return the SHA-256 of a clip's file; of a folder, that of its files' names and digests."""
    digests = [(member.name, sha256(member)) for member in members(path)]
    if path.is_dir():
        return hashlib.sha256(repr(digests).encode()).hexdigest()
    return digests[0][1]


# --- whose it is --------------------------------------------------------------------------------


class Found(NamedTuple):
    """For each clip its files by ending; who is spelt otherwise than its file; files of nobody."""

    files: list[dict[str, ClipFile]]
    respelt: list[int]
    others: list[ClipFile]


def assign(root: Path, clips: Sequence[ClipName]) -> Found:
    """Find the files of clips below a folder.

    A file is named ``<video>/<number>``, or ``<video>_<number>`` as flat folders have it, also with
    MMSA's ``$_$`` or the SDK's brackets between the two; MELD's ``dia<video>_utt<number>``. What a
    table and a file spell alike comes first. Then capitals and leading zeros do not count, and
    last what a spreadsheet makes of a number (1.0, 1E+05), for files that are nobody else's.
    Raises ``UserError`` for a clip with two files that are equally good, for two clips with one
    file, and for an id without a file that a spreadsheet has spoilt.
    """
    files = walk(root)
    found: list[dict[str, ClipFile]] = [{} for _ in clips]
    respelt = set()
    for spell in (str, _loose, _counted):
        shelf = _shelf(files, *((_loose, _rounded) if spell is _counted else (spell,)))
        taken = {file.path for own in found for file in own.values()}
        for i, clip in enumerate(clips):
            if spell is _counted and found[i]:
                continue
            free = [f for f in _named(shelf, clip, spell) if f.path not in taken]
            if more := _best(clip, [f for f in free if f.suffix not in found[i]]):
                found[i] |= more
                respelt |= set() if spell is str else {i}
    for clip, own in zip(clips, found, strict=True):
        if not own:
            _check_unspoilt(root, clip)
    _check_unshared(clips, found)
    shelf = _shelf(files, _loose)
    known = {file.path for clip in clips for file in _named(shelf, clip, _loose)}
    known |= {file.path for own in found for file in own.values()}
    others = [file for file in files if file.path not in known]
    return Found(found, sorted(respelt), others)


Shelf = dict[str, list[ClipFile]]


def _shelf(files: Iterable[ClipFile], *spells: Callable[[str], str]) -> Shelf:
    """Return the files by each of their names; ``spells`` write the video and the number of it."""
    shelf: Shelf = {}
    for file in files:
        names = {_joined(*file.names[-1:]), _joined(*file.names[-2:])}
        for name in {_spelt(name, *both) for name in names for both in product(spells, spells)}:
            shelf.setdefault(name, []).append(file)
    return shelf


def _named(shelf: Shelf, clip: ClipName, spell: Callable[[str], str]) -> list[ClipFile]:
    """Return the files of the first of a clip's names that has any."""
    names = [_joined(clip.video, clip.number)]
    if clip.number.startswith(clip.video):
        names.append(_joined(clip.number))
    if clip.number.isdigit():
        names.append(_joined(clip.video, f"utt{clip.number}"))
    if clip.number.isdigit() and clip.video.isdigit():
        names.append(_joined(f"dia{clip.video}", f"utt{clip.number}"))
    return next(filter(None, (shelf.get(_spelt(name, spell, spell)) for name in names)), [])


def _joined(*names: str) -> str:
    """Return video and number as one name: ``a_1`` for ``a$_$1``, ``a[1]`` and ``a/1``."""
    return re.sub(r"\[(\w+)\]$", r"_\1", "_".join(names).replace("$_$", "_"))


def _spelt(name: str, of_video: Callable[[str], str], of_number: Callable[[str], str]) -> str:
    video, _, number = name.rpartition("_")
    return f"{of_video(video)}_{of_number(number)}"


def _loose(name: str) -> str:
    """Return a name in small letters and without leading zeros."""
    small = unicodedata.normalize("NFC", name).casefold()
    return re.sub(r"\d+", lambda digits: digits[0].lstrip("0") or "0", small)


def _counted(name: str) -> str:
    """Return what a spreadsheet made of a number, to six digits, and any other name loosely.

    A whole number is no such thing: 1234567 is not 1234568, though both may become 1.23457E+06.
    Nor is 1,000, which may be a thousand.
    """
    if not name.isdigit() and _COUNTED.fullmatch(name):
        return f"{float(name.replace(',', '.')):.5E}"
    return _loose(name)


def _rounded(name: str) -> str:
    """Return a whole number to six digits as well, and any other name as ``_counted`` does."""
    return f"{float(name):.5E}" if re.fullmatch(r"\d+", name, re.ASCII) else _counted(name)


def _best(clip: ClipName, files: Iterable[ClipFile]) -> dict[str, ClipFile]:
    """Return the best file of each ending."""

    def rank(file: ClipFile) -> tuple:
        folders = [name.casefold() for name in file.names[:-1]]
        first = next(iter(folders), "")
        place = PLACES.index(first) if first in PLACES else len(PLACES)
        words = re.findall("[a-z]+", " ".join(folders))
        other_part = not any(part_of(word) == clip.part for word in words)
        return place, len(folders), other_part

    best: dict[str, ClipFile] = {}
    for file in sorted(files, key=rank):
        chosen = best.setdefault(file.suffix, file)
        if chosen is not file and rank(chosen) == rank(file):
            raise UserError(
                file.path,
                found=f"a second file for clip {_joined(*clip[:2])}, beside {chosen.path}",
                expected="one file of a kind for every clip",
                remedy="Take the one that is not to be read out of the folder.",
            )
    return best


def _check_unspoilt(root: Path, clip: ClipName) -> None:
    for column, name in (("video_id", clip.video), ("clip_id", clip.number)):
        if _SPOILT.fullmatch(name):
            raise UserError(
                root,
                found=f"no file for {column} {name!r}, which is what a spreadsheet makes of an id",
                expected="ids as the files have them",
                remedy="Restore the table from its source, or type the id as text ('1-2) there.",
            )


def _check_unshared(clips: Sequence[ClipName], found: Sequence[dict[str, ClipFile]]) -> None:
    users: dict[Path, str] = {}
    for clip, own in zip(clips, found, strict=True):
        for file in own.values():
            name = _joined(*clip[:2])
            first = users.setdefault(file.path, name)
            if first != name:
                raise UserError(
                    file.path,
                    found=f"one file for the clips {first} and {name}",
                    expected="a file of its own for every clip",
                    remedy="Give clips in the table the numbers that their files have.",
                )
