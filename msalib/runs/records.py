"""One record per run: what was asked, what came out, and where it came from.

A run is named by the hash of its specification. Its record is one JSON file,
``<records>/<paper>/<dataset>-<encoder>/<preset>/<profile>/<inputs>-seed<k>-<hash>.json``; numbers
of the book come from nowhere else. Records of the profile ``quick`` are made while the book is
built and are not committed; those on data sets that a user added lie in a folder of the user's own.
"""

import re
import zlib
from collections.abc import Iterable
from functools import cache, cached_property, lru_cache, partial
from operator import attrgetter
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic_core import from_json

from msalib.base.errors import UserError
from msalib.base.files import write_json
from msalib.base.lately import Lately
from msalib.base.paths import (
    folder_name,
    quick_records_folder,
    records_folder,
    your_records_folder,
)
from msalib.models.extras import EXTRAS, Extras, Late
from msalib.runs.columns import Predictions, judged, read_parts
from msalib.runs.spec import Spec, roots


class Provenance(BaseModel):
    """The origin of a record."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data: str  # fingerprint of the corpus
    features: dict[str, dict[str, str]]  # modality -> provenance of its features
    commit: str
    device: str
    threads: int
    replicas: int  # runs that were trained together
    versions: dict[str, str]
    started: str  # UTC
    seconds: float  # wall time, divided by the number of replicas


class Record(BaseModel):
    """One finished run; what its model adds are further keys (``extras``)."""

    model_config = ConfigDict(extra="allow", frozen=True)

    spec: Spec
    blocks: dict[str, int]  # modality -> number of blocks of its encoder, 1 for no layers
    provenance: Provenance
    selected_epoch: int
    # part -> metric -> value; None: undefined
    metrics: Annotated[dict[str, dict[str, float | None]], AfterValidator(judged)]
    chance: dict[str, float | None]  # the same metrics of constant predictors (Task.chance)
    history: list[dict[str, float]]
    predictions: Annotated[dict[str, Predictions], AfterValidator(judged)]  # part -> clips

    def name(self) -> str:
        """Return the file name without its ending, as claims cite it."""
        return self.spec.path().stem

    def under(self, spec: Spec, **extras: object) -> "Record":
        """Return the record as that of another specification, with other extras where given."""
        other = self.model_copy(update={"spec": spec, **extras})
        other.__dict__.pop("extras", None)  # read of this record, and copied with it
        return other

    @cached_property
    def extras(self) -> Extras:
        """The model's additions to a record, by their type in ``models.extras``.

        Raises ``UserError`` for extras that do not fit it.
        """
        kind = EXTRAS.get(self.spec.family, Extras)
        try:
            return kind.model_validate(self.model_extra)
        except ValidationError as error:
            raise _damaged(self.spec.path(), error) from error


def write(record: Record) -> Path:
    """Write a record under a temporary name and rename it, so that it is never half-written."""
    path = record.spec.path()
    write_json(path, record.model_dump(exclude_defaults=True))
    return path


def read(path: Path) -> Record:
    """Read one record; raise ``UserError`` if it is damaged or not the run that its name says."""
    try:
        record = Record.model_validate_json(_content(path))
    except ValidationError as error:
        raise _damaged(path, error) from error
    _check_name(path, record.spec)
    return record


def _content(path: Path) -> bytes:
    """Return what a file holds; one that was there a moment ago may be gone."""
    try:
        return path.read_bytes()
    except OSError as error:
        expected = "a file that you may read"
        remedy = "Change its permissions if it is a record, or move it away."
        if isinstance(error, FileNotFoundError):
            expected = "records that stay where they are while they are read"
            remedy = "Restore the file, or run the same command again."
        found = f"it cannot be read ({error.strerror or error})"
        raise UserError(path, found=found, expected=expected, remedy=remedy) from error


def _check_name(path: Path, spec: Spec) -> None:
    if spec.file_name() != path.name:
        raise UserError(
            path,
            found=f"the record of another run, {spec.path().stem}",
            expected="the run that its file name says",
            remedy="Delete the file and run it again (-p refresh true).",
        )


def _damaged(path: Path, error: ValidationError) -> UserError:
    first = error.errors()[0]
    message, place = first["msg"].removeprefix("Value error, "), ".".join(map(str, first["loc"]))
    return UserError(
        path,
        found=f"{message} at {place or 'the top'}",
        expected="a record of one run",
        remedy="Delete the file and run it again (-p refresh true).",
    )


# --- records that are read as they are needed -----------------------------------------------------

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
        content = _content(path)
        self._checksum = zlib.crc32(content)
        values = _values(content)
        self._plain = values.keys() >= Record.model_fields.keys()
        try:
            self._asked, self._seed = _read_spec(values["spec"] if self._plain else b"")
        except ValueError:
            self._plain = False
            self._asked = read(path).spec
            self._seed = self._asked.seed
        _check_name(path, self.spec)

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
        content = _content(Path(self._place))
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


# --- queries --------------------------------------------------------------------------------------


REASONS = {
    (False, True): "constant predictions",
    (True, False): "constant labels",
    (True, True): "constant labels and predictions",
}
"""Whether labels and whether predictions are constant -> why a run has no correlation."""


def undefined_for(records: Iterable[Record], part: str) -> list[str]:
    """Say of each record without a correlation on a part why it has none, one of ``REASONS``."""
    undefined = (r for r in records if r.metrics[part].get("corr", 0.0) is None)
    return [_constant(record, part) for record in undefined]


def _constant(record: Record, part: str) -> str:
    clips = record.predictions.get(part)
    # Records keep no clips of training, whose labels vary as a rule.
    constant = clips.constant() if clips else (False, True)
    return REASONS.get(constant, REASONS[False, True])


class Setting(NamedTuple):
    """The data set, encoder, preset and profile that the runs of one table share."""

    dataset: str
    encoder: str
    preset: str
    profile: str


def files(paper: str, setting: Setting) -> list[Path]:
    """Return the paths of all records of one setting, ordered by file name."""
    dataset, encoder, preset, profile = setting
    folder = Path(paper, f"{dataset}-{folder_name(encoder)}", preset, profile)
    by_name: dict[str, Path] = {}
    for root in roots(dataset, profile):
        for path in (root / folder).glob("*.json"):
            by_name.setdefault(path.name, path)
    return [by_name[name] for name in sorted(by_name)]


def find(paper: str, setting: Setting) -> list[Filed]:
    """Return all records of one setting, ordered by file name; they are read as they are needed."""
    return [Filed(path) for path in files(paper, setting)]


def settings(paper: str) -> list[Setting]:
    """Return every setting that has records of a paper, as one record of each says."""
    quick = quick_records_folder()
    roots = dict.fromkeys(filter(None, (quick, records_folder(), your_records_folder())))
    folders = sorted(
        folder
        for root in roots
        for folder in (root / paper).glob("*/*/*")
        if quick is None or (root == quick) == (folder.name == "quick")
    )
    first = filter(None, (next(folder.glob("*.json"), None) for folder in folders))
    specs = [Filed(path).spec for path in first]
    return list(dict.fromkeys(Setting(s.dataset, s.encoder, s.preset, s.profile) for s in specs))
