"""One record per run: what was asked, what came out, and where it came from.

A run is named by the hash of its specification. Its record is one JSON file,
``<records>/<paper>/<dataset>-<encoder>/<preset>/<profile>/<inputs>-seed<k>-<hash>.json``; numbers
of the book come from nowhere else. Records of the profile ``quick`` are made while the book is
built and are not committed; those on data sets that a user added lie in a folder of the user's own.
"""

from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from msalib.base.errors import UserError
from msalib.base.files import write_json
from msalib.base.paths import (
    folder_name,
    quick_records_folder,
    records_folder,
    your_records_folder,
)
from msalib.models.extras import EXTRAS, Extras
from msalib.runs.spec import Spec, roots


class Predictions(BaseModel):
    """Clips of one part in table order: ids, videos, labels and predictions of equal length.

    Where labels are classes, a label and a prediction are the number of a class, and ``scores``
    holds one score per class.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: list[str]
    video: list[str]
    label: list[float]
    prediction: list[float]
    scores: list[list[float]] = []


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
    metrics: dict[str, dict[str, float | None]]  # part -> metric -> value; None: undefined
    chance: dict[str, float | None]  # the same metrics of constant predictors (Task.chance)
    history: list[dict[str, float]]
    predictions: dict[str, Predictions]  # part -> clips

    def name(self) -> str:
        """Return the file name without its ending, as claims cite it."""
        return self.spec.path().stem

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
        record = Record.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise _damaged(path, error) from error
    if record.spec.path().name != path.name:
        raise UserError(
            path,
            found=f"the record of another run, {record.name()}",
            expected="the run that its file name says",
            remedy="Delete the file and run it again (-p refresh true).",
        )
    return record


def _damaged(path: Path, error: ValidationError) -> UserError:
    first = error.errors()[0]
    return UserError(
        path,
        found=f"{first['msg']} at {'.'.join(map(str, first['loc'])) or 'the top'}",
        expected="a record of one run",
        remedy="Delete the file and run it again (-p refresh true).",
    )


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


def find(paper: str, setting: Setting) -> list[Record]:
    """Return all records of one setting, ordered by file name."""
    return [read(path) for path in files(paper, setting)]


def settings(paper: str) -> list[Setting]:
    """Return every setting that has records of a paper, as one record of each says."""
    quick = quick_records_folder()
    roots = dict.fromkeys(filter(None, (quick, records_folder(), your_records_folder())))
    paths = [
        path
        for root in roots
        for path in (root / paper).glob("*/*/*/*.json")
        if quick is None or (root == quick) == (path.parent.name == "quick")
    ]
    specs = [read(next(folder.glob("*.json"))).spec for folder in sorted({p.parent for p in paths})]
    return list(dict.fromkeys(Setting(s.dataset, s.encoder, s.preset, s.profile) for s in specs))
