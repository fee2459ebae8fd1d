"""A record in its file, of which only what is asked for is read.

A test of a claim needs a few fields of many records. To validate them whole takes most of its time,
and to keep them memory that grows with their number. A record is written with one key a line
(``files.write_json``), so a field is found without the rest; a file of another form is read whole.
"""

import re
import zlib
from functools import cache, lru_cache, partial
from operator import attrgetter
from pathlib import Path

from pydantic import BaseModel, TypeAdapter
from pydantic_core import from_json

from msalib.base.errors import UserError
from msalib.base.lately import Lately
from msalib.models.extras import EXTRAS, Extras, Late
from msalib.runs.columns import read_parts
from msalib.runs.record import Record, check_name, read, read_bytes
from msalib.runs.spec import Spec

_LISTS = TypeAdapter(dict[str, list[list[float]]])

_READ = Lately(32 * 2**20)
"""What was read of records lately, in bytes."""

OBJECTS = 4
"""Bytes that objects take in memory for a byte of JSON, about."""


class Filed:
    """A finished run in its file: all that a ``Record`` has, read when it is asked for.

    In memory stay the specification, shared with other seeds, and what was read lately of all
    records. Raises ``UserError`` where the file is damaged, or is no longer what it was at first.
    """

    __slots__ = ("_asked", "_checksum", "_place", "_plain", "_seed")

    def __init__(self, path: Path):
        self._place = str(path)
        content = read_bytes(path)
        self._checksum = zlib.crc32(content)
        values = _values(content)
        self._plain = values.keys() >= Record.model_fields.keys()
        try:
            self._asked, self._seed = _read_spec(values["spec"] if self._plain else b"")
        except ValueError:
            self._plain = False
            self._asked = read(path).spec
            self._seed = self._asked.seed
        check_name(path, self.spec)

    @property
    def spec(self) -> Spec:
        """What was asked."""
        return self._asked.model_copy(update={"seed": self._seed})

    def name(self) -> str:
        """Return the file name without its ending, as claims cite it."""
        return self.spec.path().stem

    def under(self, spec: Spec, **extras: object) -> "Filed | Record":
        """Return the record as that of another specification, with other extras where given."""
        if extras:
            return self.whole().under(spec, **extras)
        other = object.__new__(Filed)
        other._place, other._checksum, other._plain = self._place, self._checksum, self._plain
        other._asked, other._seed = spec, spec.seed
        return other

    def whole(self) -> Record:
        """Return everything that the file holds."""
        return read(Path(self._place)).under(self.spec)

    def __repr__(self) -> str:
        """Name the file."""
        return f"{type(self).__name__}({self._place!r})"

    def __eq__(self, other: object) -> bool:
        """Compare everything that the files hold."""
        return self.whole() == (other.whole() if isinstance(other, Filed) else other)

    @property
    def extras(self) -> "FiledExtras":
        """The model's additions to the record, read when they are asked for."""
        return FiledExtras(self)

    def __getattr__(self, name: str) -> object:
        """Return a field of the record, or ``model_extra``: all that no field is for."""
        if name not in Record.model_fields and name != "model_extra":
            raise AttributeError(name)
        return self.read(name)

    def read(self, name: str, of: type[BaseModel] = Record) -> object:
        """Return a field of a record, ``model_extra``, or a field of its extras of the type ``of``.

        "labels.made" is the field of a field. It is read from the file, unless it was lately.
        """
        key = self._place, self._checksum, of, name
        value = _READ.get(key)
        if value is None:
            value, size = self._read(name, of)
            _READ.keep(key, value, size)
        return value

    def _read(self, name: str, of: type[BaseModel]) -> tuple[object, int]:
        """Read one of these from the file, and return its size in memory, about."""
        content = read_bytes(Path(self._place))
        if zlib.crc32(content) != self._checksum:
            raise UserError(
                self._place,
                found="another content than when this command began",
                expected="records that stay as they are while they are judged",
                remedy="Run the same command again.",
            )
        try:
            if not self._plain:
                raise ValueError("written in another way")
            if name == "model_extra":
                extra = _values(content)
                names = extra.keys() - Record.model_fields.keys()
                return {n: from_json(extra[n]) for n in extra if n in names}, OBJECTS * len(content)
            return self._read_value(content, name, of)
        except ValueError:
            whole = self.whole()
            return attrgetter(name)(whole if of is Record else whole.extras), OBJECTS * len(content)

    def _read_value(self, content: bytes, name: str, of: type[BaseModel]) -> tuple[object, int]:
        outer, _, inner = name.partition(".")
        text, late = _value(content, outer), of.late.get(outer) if issubclass(of, Extras) else None
        if text is None:
            return of.model_fields[name].get_default(), 0
        if name == "predictions":
            return read_parts(text)
        text, large = _apart(text, late) if late else (text, b"")
        if inner:
            return _LISTS.validate_json(large), OBJECTS * len(large)
        value = _kind(of, name).validate_json(text)
        if len(large) > len(b"{}"):
            later = Late(partial(self.read, f"{name}.{late}", of))
            value = value.model_copy(update={late: later})
        return value, OBJECTS * len(text)


class FiledExtras:
    """The extras of a record in its file: all that those of its model have (``models.extras``)."""

    def __init__(self, record: Filed):
        self._record, self._kind = record, EXTRAS.get(record.spec.family, Extras)

    def __getattr__(self, name: str) -> object:
        """Read one of the extras."""
        if name not in self._kind.model_fields:
            raise AttributeError(name)
        return self._record.read(name, self._kind)


def _values(content: bytes) -> dict[str, bytes]:
    """Return the JSON of each top-level key as ``write_json`` wrote it: one a line.

    It is empty where the file is written in another way.
    """
    first, *lines = content.split(b"\n")
    if first != b"{" or lines[-2:] != [b"}", b""]:
        return {}
    values = {}
    for line in lines[:-2]:
        name, _, value = line.partition(b'": ')
        values[name[1:].decode(errors="replace")] = value.removesuffix(b",")
        if name[:1] != b'"' or b"\\" in name or (line[-1:] == b",") == (line is lines[-3]):
            return {}
    return values if len(values) == len(lines) - 2 else {}


def _value(content: bytes, name: str) -> bytes | None:
    """Return the JSON of one of these keys, None where it is not there."""
    before = b'\n"%s": ' % name.encode()
    begin = content.find(before)
    end = content.find(b"\n", begin + 1)
    return None if begin < 0 else content[begin + len(before) : end].removesuffix(b",")


def _apart(text: bytes, name: str) -> tuple[bytes, bytes]:
    """Part the JSON of an object in all but one mapping of lists, and this mapping."""
    before = b'"%s": ' % name.encode()
    begin = text.find(before + b"{") + len(before)
    end = text.find(b"}", begin) + 1
    if begin < len(before):
        return text, b""
    return text[:begin] + b"{}" + text[end:], text[begin:end]


@cache
def _kind(of: type[BaseModel], name: str) -> TypeAdapter:
    return TypeAdapter(of.model_fields[name].rebuild_annotation())


_SEED = re.compile(rb'(?<="seed": )-?\d+(?=[,}])')


def _read_spec(text: bytes) -> tuple[Spec, int]:
    """Read a specification, and its seed apart: the other seeds share the rest."""
    seeds = _SEED.findall(text)
    if len(seeds) != 1:
        spec = Spec.model_validate_json(text)
        return spec, spec.seed
    return _read_shared(_SEED.sub(b"0", text)), from_json(seeds[0])


@lru_cache(maxsize=4096)
def _read_shared(text: bytes) -> Spec:
    return Spec.model_validate_json(text)
