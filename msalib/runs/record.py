"""One record per run: what was asked, what came out, and where it came from.

A run is named by the hash of its specification. Its record is one JSON file,
``<records>/<paper>/<dataset>-<encoder>/<preset>/<profile>/<inputs>-seed<k>-<hash>.json``; numbers
of the book come from nowhere else. Records of the profile ``quick`` are made while the book is
built and are not committed; those on data sets that a user added lie in a folder of the user's own.
"""

from functools import cached_property
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from msalib.base.errors import UserError
from msalib.base.files import write_json
from msalib.models.extras import EXTRAS, Extras
from msalib.runs.columns import Predictions, judged
from msalib.runs.spec import Spec


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
        record = Record.model_validate_json(read_bytes(path))
    except ValidationError as error:
        raise _damaged(path, error) from error
    check_name(path, record.spec)
    return record


def read_bytes(path: Path) -> bytes:
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


def check_name(path: Path, spec: Spec) -> None:
    """Raise ``UserError`` for a record of another run than its file name says."""
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
