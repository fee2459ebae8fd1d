"""The formats that ``msalib data add`` knows: which of them a path is, and who reads it.

A reader is a module with ``NAME``, ``TITLE`` and ``read``. Those of files and folders tell by
``detects(path)`` whether a path is theirs; those of pickles by ``fits(content)``, because what a
pickle holds is known only when it has been read, and it is read once.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from msalib.base import standins, temporary
from msalib.base.errors import UserError, unknown
from msalib.data.corpus import Corpus
from msalib.data.readers import clip_files
from msalib.data.readers.content import part_of

PICKLED = ("mmsa", "multibench", "mag")
"""Formats that are told apart by what a pickle holds."""

FORMATS = {
    name: f"msalib.data.readers.{name}"
    for name in (
        *(*PICKLED, "csd", "media", "meld", "mustard", "iemocap", "frames"),
        *("ravdess", "nemo"),
    )
}
"""Name of a format -> module that reads it."""

PICKLES = (".pkl", ".pickle", ".pk", ".p", ".pt", ".pth")
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")

_JUNK = ("__MACOSX",)  # what file managers leave in archives, beside hidden files
_NO_PICKLE = object()


class Options(BaseModel):
    """What a user can choose when data are added; a reader uses what concerns it.

    ``clean`` replaces values that are not finite by zero; ``align`` says to what frames are
    aligned (CMU SDK files); ``target`` which of several labels is the label (POM); ``faces`` how
    faces are found in pictures (``encoders.faces``).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    clean: bool = False
    align: Literal["labels", "words"] = "labels"
    target: int = 0
    faces: Literal["opencv", "mtcnn", "whole"] = "opencv"


def options(**chosen) -> Options:
    """Return the options of a command line; raise ``UserError`` for one that is none."""
    try:
        return Options(**chosen)
    except ValidationError as error:
        (first, *_) = error.errors()
        where = ".".join(map(str, first["loc"]))
        raise UserError(
            f"option --{where}",
            found=repr(first["input"]),
            expected=first["msg"].removeprefix("Input should be "),
            remedy="See the options: msalib data add --help",
        ) from error


def reader(name: str) -> ModuleType:
    """Return the module that reads a format; raise ``UserError`` for an unknown name."""
    if name not in FORMATS:
        remedy = "Leave the format out to have it detected."
        raise unknown("format", name, FORMATS, remedy=remedy)
    return import_module(FORMATS[name])


def detect(path: Path) -> str:
    """Return the name of the format of a file or folder.

    Raises ``UserError`` where it is none of ``FORMATS``, or more than one, and for pickles and
    archives that cannot be read safely.
    """
    with _opened(Path(path)) as inside:
        return _choose(inside, _pickled(inside))[0]


def convert(
    path: Path, name: str, options: Options, format: str | None = None
) -> tuple[Corpus, str]:
    """Read what lies at ``path`` as a ``Corpus`` called ``name``; also the name of its format.

    ``format`` None detects it. An archive is unpacked for the time of reading, and so cannot hold
    media, which stay where they are. Raises ``UserError`` like ``detect`` and the readers.
    """
    path = Path(path)
    if format is not None:
        reader(format)  # an unknown name is told before a large file is read
    with _opened(path) as inside:
        corpus, format = _convert(inside, name, options, format)
        if is_archive(path):
            clip_files.check_read(inside, {*corpus.features, *corpus.media})
    if corpus.media and is_archive(path):
        raise UserError(
            path,
            found="clips of sound or pictures in an archive",
            expected="a folder: clips are not copied, but read in place",
            remedy="Unpack it yourself to where the clips can stay, and add that folder.",
        )
    return corpus, format


def is_archive(path: Path) -> bool:
    """Check whether a path is a file that is unpacked before it is read."""
    return path.is_file() and path.name.lower().endswith(ARCHIVES)


def _convert(path: Path, name: str, options: Options, format: str | None):
    content = _pickled(path)
    if format is None:
        format, content = _choose(path, content)
    elif format in PICKLED and path.is_dir():
        content = _pickled_by_part(path)
    module = reader(format)
    if format not in PICKLED:
        return module.read(path, name, options), format
    if content is _NO_PICKLE or not module.fits(content):
        raise UserError(
            path,
            found=_inside(path, content),
            expected=f"{module.TITLE} ({format})",
            remedy="Leave the format out to have it detected.",
        )
    return module.read(path, name, options, content), format


def _choose(path: Path, content) -> tuple[str, object]:
    """Return the format of what lies at a path, and the content of its pickles, if it has any."""
    if content is _NO_PICKLE:
        modules = [reader(name) for name in FORMATS if name not in PICKLED]
        fitting = [module for module in modules if module.detects(path)]
        if not fitting and path.is_dir():
            content = _pickled_by_part(path)
    if content is not _NO_PICKLE:
        modules = [reader(name) for name in PICKLED]
        fitting = [module for module in modules if module.fits(content)]
    if len(fitting) == 1:
        return fitting[0].NAME, content
    if fitting:
        raise UserError(
            path,
            found="what may be " + " or ".join(f"{m.TITLE} ({m.NAME})" for m in fitting),
            expected="one format",
            remedy="Name the format: --format " + fitting[0].NAME,
        )
    for file in [path, *(_visible(path) if path.is_dir() else ())]:
        if error := standins.refusal(file):
            raise error
    if not path.exists():
        raise UserError(
            path,
            found="no such file or folder",
            expected="data to add",
            remedy="Check the path.",
        )
    raise UserError(
        path,
        found=_inside(path, content),
        expected="one of the formats " + "; ".join(f"{m.NAME}: {m.TITLE}" for m in modules),
        remedy=_remedy(path, content),
    )


def _remedy(path: Path, content) -> str:
    """Return what to do about a path of no known format."""
    if path.is_dir() and (pickles := _pickles(_visible(path))):
        return f"A pickle is added by itself: msalib data add '{pickles[0]}'"
    if content is not _NO_PICKLE and any(reader(n).fits({"train": content}) for n in PICKLED):
        if _part(path):
            return f"It is one part of a data set: add its folder, msalib data add '{path.parent}'"
        return (
            "It is one part of a data set: name it train.pkl, those of the others valid.pkl and "
            "test.pkl, and add the folder that they are in."
        )
    return "Give the file or the folder that one of these names."


def _pickled(path: Path):
    """Return what the pickle at ``path`` holds; ``_NO_PICKLE`` where it is none."""
    if not path.is_file() or not path.name.lower().endswith(PICKLES):
        return _NO_PICKLE
    from msalib.data.readers import safe

    return safe.load(path)


def _pickled_by_part(folder: Path):
    """Return part -> what its pickle holds, for a folder of one of each; else ``_NO_PICKLE``."""
    from msalib.data.readers import safe

    return {part: safe.load(file) for part, file in _part_files(folder).items()} or _NO_PICKLE


def _part_files(folder: Path) -> dict[str, Path]:
    """Return part -> its pickle; none where two are named for one part."""
    files = [(part, file) for file in _pickles(_visible(folder)) if (part := _part(file))]
    by_part = dict(files)
    return by_part if len(by_part) == len(files) else {}


def _part(file: Path) -> str | None:
    """Return the part that the name of a file tells, such as train.pkl or mosi_dev.pkl."""
    words = re.findall("[a-z]+", file.name.lower().partition(".")[0])
    parts = {part for word in words if (part := part_of(word))}
    return parts.pop() if len(parts) == 1 else None


@contextmanager
def _opened(path: Path) -> Iterator[Path]:
    """Yield what there is to read at a path: itself, or what an archive holds.

    Errors name the archive, not its copy; and since they quote files, they are made to fit a line.
    """
    with temporary.folder() if is_archive(path) else nullcontext(path) as folder:
        root = folder / "archive"
        try:
            yield _unpacked(path, root) if is_archive(path) else path
        except UserError as error:
            raise UserError(
                _line(error.where.replace(str(root), str(path))),
                found=_line(error.found.replace(str(root), str(path))),
                expected=_line(error.expected),
                remedy=_line(error.remedy),
            ) from error
        except OSError as error:
            raise UserError(
                path,
                found=f"what cannot be read: {error.strerror or error}",
                expected="files and folders that you may read",
                remedy="Check the path and who may read it.",
            ) from error


def _line(text: str) -> str:
    """Return a text that fits one line of a terminal, whatever a file has put in it."""
    line = text if len(text) <= 1000 else f"{text[:900]} ... {text[-90:]}"
    return "".join(c if c.isprintable() else "?" for c in line)


def _unpacked(path: Path, root: Path) -> Path:
    """Unpack an archive to ``root``; the file or folder in it that there is to read."""
    from msalib.data.readers import archives

    archives.unpack(path, root)
    inside = root
    while inside.is_dir() and len(entries := _visible(inside)) == 1:
        inside = entries[0]
    if inside.is_dir():
        pickles = _pickles(entries)
        inside = pickles[0] if len(pickles) == 1 else inside  # a pickle and its licence, say
    return inside


def _visible(folder: Path) -> list[Path]:
    return [
        p for p in sorted(folder.iterdir()) if not p.name.startswith(".") and p.name not in _JUNK
    ]


def _pickles(entries: list[Path]) -> list[Path]:
    return [p for p in entries if p.name.lower().endswith(PICKLES)]


def _inside(path: Path, content) -> str:
    """Describe in a few words what lies at a path."""
    if content is not _NO_PICKLE:
        return f"a pickle of {_shape(content)}"
    if path.is_dir():
        names = [p.name + "/" * p.is_dir() for p in _visible(path)]
        more = f" and {len(names) - 8} more" if len(names) > 8 else ""
        return f"a folder of {', '.join(names[:8]) or 'nothing'}{more}"
    return "a file of no known format" if path.exists() else "no such file or folder"


def _shape(content, deeper: bool = True) -> str:
    if isinstance(content, dict):
        keys = [str(key)[:40] for key in list(content)[:8]]
        inner = next(iter(content.values()), None)
        of = f", the first {_shape(inner, False)}" if deeper and inner is not None else ""
        return f"a dictionary with the keys {', '.join(keys) or 'none'}{of}"
    return type(content).__name__
