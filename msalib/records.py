"""One record per run: what was asked, what was found, and where it came from.

A run is named by the hash of its specification. Its record is one JSON file,
``<records>/<paper>/<dataset>-<encoder>/<preset>/<profile>/<inputs>-seed<k>-<hash>.json``; numbers
of the book come from nowhere else. Records of the profile ``quick`` are made while the book is
built and are not committed.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal, NamedTuple, TextIO

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from msalib.corpus import MODALITIES
from msalib.errors import UserError
from msalib.paths import folder_name, records_folder


class Spec(BaseModel):
    """Everything that decides the numbers of a run, resolved; equal specifications, equal runs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    paper: str
    setting: Literal["control", "as-published", "substitute", "leaky"]
    dataset: str
    split: str
    encoder: str
    preset: str
    profile: str
    inputs: dict[str, int | str]  # modality -> layer number or one of corpus.SUMS
    train_share: float = Field(gt=0, le=1)  # of the clips of the training part
    model: dict[str, int | float | str]
    train: dict[str, int | float | str | None]
    seed: int

    def hash(self) -> str:
        """First 12 hex digits of the SHA-256 of the canonical JSON."""
        text = json.dumps(self.model_dump(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def path(self) -> Path:
        """Where the record of this run lies."""
        return (
            records_folder()
            / self.paper
            / f"{self.dataset}-{folder_name(self.encoder)}"
            / self.preset
            / self.profile
            / f"{self.system.name()}-seed{self.seed}-{self.hash()}.json"
        )

    @property
    def system(self) -> "System":
        """What was trained, whatever the seed."""
        return system(self.inputs, self.model.get("fusion", "gate"), self.train_share)


class System(NamedTuple):
    """What a table compares, each over its seeds: inputs, fusion, and the size of training."""

    inputs: tuple[tuple[str, int | str], ...]  # (modality, layer), in the order of MODALITIES
    fusion: str
    train_share: float

    def name(self) -> str:
        """As file names have it."""
        parts = ["+".join(f"{m}-{layer}" for m, layer in self.inputs)]
        parts += [self.fusion] if self.fusion != "gate" else []
        parts += [f"share{self.train_share:g}"] if self.train_share < 1 else []
        return "-".join(parts)


def system(
    inputs: Mapping[str, int | str], fusion: str = "gate", train_share: float = 1.0
) -> System:
    """The system with these inputs: modality -> layer number or one of ``corpus.SUMS``."""
    unknown = [m for m in inputs if m not in MODALITIES]
    if unknown or not inputs:
        raise ValueError(f"inputs need some of {MODALITIES}, got {list(inputs)}")
    ordered = tuple((m, inputs[m]) for m in MODALITIES if m in inputs)
    return System(ordered, fusion, train_share)


class Predictions(BaseModel):
    """Clips of one part in table order: ids, videos, labels and predictions of equal length."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: list[str]
    video: list[str]
    label: list[float]
    prediction: list[float]


class Provenance(BaseModel):
    """Where a record came from."""

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
    """One finished run."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    spec: Spec
    blocks: dict[str, int]  # modality -> number of blocks of its encoder, 1 for no layers
    provenance: Provenance
    selected_epoch: int
    metrics: dict[str, dict[str, float | None]]  # part -> metric -> value; None: undefined
    chance: dict[str, float | None]  # the same metrics of constant predictors: metrics.chance
    layer_weights: dict[str, list[float]]  # modality -> (L,), weighted inputs only
    gates: dict[str, list[float]]  # modality, used or not -> (N,), test part; none with concat
    history: list[dict[str, float]]
    predictions: dict[str, Predictions]  # part -> clips

    def name(self) -> str:
        """The file name without its ending, as claims cite it."""
        return self.spec.path().stem


def write(record: Record) -> Path:
    """Write under a temporary name and rename: a record is there whole or not at all."""
    path = record.spec.path()
    write_json(path, record.model_dump())
    return path


def write_json(path: Path, content: dict) -> None:
    """One top-level key per line, so that a file can be read and compared; written at once."""
    lines = (
        f"{json.dumps(key)}: {json.dumps(value, allow_nan=False)}" for key, value in content.items()
    )
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with _disk_errors(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text("{\n" + ",\n".join(lines) + "\n}\n")
            temporary.replace(path)
        except OSError:
            with suppress(OSError):
                temporary.unlink()
            raise


@contextmanager
def _disk_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UserError(
            path,
            found=f"it cannot be written ({error.strerror})",
            expected="a writable folder with free space",
            remedy="Free space, or set MSALIB_RECORDS (for features MSALIB_FEATURES) to another "
            "folder; finished runs are kept.",
        ) from error


@contextmanager
def reserved(path: Path, *, wait: bool) -> Iterator[bool]:
    """Hold what is made at ``path`` against other processes; false where another one has it.

    With ``wait``, wait for it instead. A process that dies lets go of what it held.
    """
    lock = path.with_name(f".{path.stem}.lock")
    with _disk_errors(path):
        lock.parent.mkdir(parents=True, exist_ok=True)
        file = _locked(lock, wait)
    if file is None:
        yield False
        return
    with file:
        try:
            yield True
        finally:
            lock.unlink(missing_ok=True)


def _locked(lock: Path, wait: bool) -> TextIO | None:
    """The open file that holds the lock, or None where another process has it."""
    while True:
        file = lock.open("w")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            if os.path.samestat(os.fstat(file.fileno()), lock.stat()):
                return file
        except BlockingIOError:
            file.close()
            return None
        except FileNotFoundError:
            pass
        file.close()  # the holder before removed it while we opened it: it locks nothing


def read(path: Path) -> Record:
    """Read one record; one that is damaged or is not that of its name is a ``UserError``."""
    try:
        record = Record.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        raise UserError(
            path,
            found=f"{first['msg']} at {'.'.join(map(str, first['loc'])) or 'the top'}",
            expected="a record of one run",
            remedy="Delete the file and run it again (-p refresh true).",
        ) from error
    if record.spec.path().name != path.name:
        raise UserError(
            path,
            found=f"the record of another run, {record.name()}",
            expected="the run that its file name says",
            remedy="Delete the file and run it again (-p refresh true).",
        )
    return record


class Setting(NamedTuple):
    """What the runs of one table share, short."""

    dataset: str
    encoder: str
    preset: str
    profile: str


def find(paper: str, setting: Setting) -> list[Record]:
    """All records of one setting, ordered by file name."""
    dataset, encoder, preset, profile = setting
    folder = records_folder() / paper / f"{dataset}-{folder_name(encoder)}" / preset / profile
    return [read(path) for path in sorted(folder.glob("*.json"))]


def settings(paper: str) -> list[Setting]:
    """Every setting that has records of a paper, as one record of each says."""
    folders = {path.parent for path in (records_folder() / paper).glob("*/*/*/*.json")}
    specs = [read(next(folder.glob("*.json"))).spec for folder in sorted(folders)]
    return [Setting(s.dataset, s.encoder, s.preset, s.profile) for s in specs]
