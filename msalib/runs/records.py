"""One record per run: what was asked, what was found, and where it came from.

A run is named by the hash of its specification. Its record is one JSON file,
``<records>/<paper>/<dataset>-<encoder>/<preset>/<profile>/<inputs>-seed<k>-<hash>.json``; numbers
of the book come from nowhere else. Records of the profile ``quick`` are made while the book is
built and are not committed; those on data sets that a user added lie in a folder of the user's own.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from msalib.base.errors import UserError
from msalib.base.files import write_json
from msalib.base.paths import folder_name, records_folder, your_records_folder
from msalib.data import datasets as readers
from msalib.data.corpus import MODALITIES


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
    inputs: dict[str, int | str]  # modality -> layer number, one of corpus.SUMS or corpus.TUNED
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
            roots(self.dataset)[0]
            / self.paper
            / f"{self.dataset}-{folder_name(self.encoder)}"
            / self.preset
            / self.profile
            / f"{self.system.name()}-seed{self.seed}-{self.hash()}.json"
        )

    @property
    def system(self) -> "System":
        """What was trained, whatever the seed."""
        settings = {**self.model, **self.train}
        choices = {name: str(settings[name]) for name in USUAL if name in settings}
        return system(self.inputs, self.train_share, **choices)


USUAL: Mapping[str, str] = {
    "fusion": "gate",
    "family": "sugrm",
    "recalibration": "mrm",
    "sequence": "spt",
    "generator": "own_ulgm",
    "tasks": "tasks_all",
    "loss": "l1",
    "stop": "early",
}
"""What tables vary beside inputs, over all papers: settings of a recipe, with the usual value."""


class System(NamedTuple):
    """What a table compares, each over its seeds: inputs, choices, and the size of training."""

    inputs: tuple[tuple[str, int | str], ...]  # (modality, layer), in the order of MODALITIES
    choices: tuple[tuple[str, str], ...]  # (setting, value) where it is not as in USUAL
    train_share: float

    def choice(self, name: str) -> str:
        """The value of one of the settings in ``USUAL``."""
        return dict(self.choices).get(name, USUAL[name])

    def name(self) -> str:
        """As file names have it."""
        parts = ["+".join(f"{m}-{layer}" for m, layer in self.inputs)]
        parts += [value for _, value in self.choices]
        parts += [f"share{self.train_share:g}"] if self.train_share < 1 else []
        return "-".join(parts)


def system(inputs: Mapping[str, int | str], train_share: float = 1.0, **choices: str) -> System:
    """The system with these inputs and choices.

    ``inputs``: modality -> layer number, one of ``corpus.SUMS``, or ``corpus.TUNED``; ``choices``:
    values for settings in ``USUAL``.
    """
    unknown = [m for m in inputs if m not in MODALITIES]
    if unknown or not inputs:
        raise ValueError(f"inputs need some of {MODALITIES}, got {list(inputs)}")
    if unknown := set(choices) - set(USUAL):
        raise ValueError(f"choices are of {', '.join(USUAL)}, got {', '.join(sorted(unknown))}")
    ordered = tuple((m, inputs[m]) for m in MODALITIES if m in inputs)
    unusual = tuple((k, choices[k]) for k in USUAL if choices.get(k, USUAL[k]) != USUAL[k])
    return System(ordered, unusual, train_share)


class Predictions(BaseModel):
    """Clips of one part in table order: ids, videos, labels and predictions of equal length."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: list[str]
    video: list[str]
    label: list[float]
    prediction: list[float]


class MadeLabels(BaseModel):
    """Labels that a model wrote for itself while it was trained (SUGRM, Self-MM).

    By modality and epoch, the first of them epoch 1: ``movement``, mean change of a label against
    the epoch before; ``drift``, the same of the targets, from epoch 3 on; ``clamped``, share of
    targets at an end of the scale; ``percentile``, the 99th of the targets' size before they are
    cut. Of epochs where there is none (no target in epoch 1), None. ``made`` are the labels
    themselves, (epochs, N), kept where training went through all epochs. ``note``: what stood in
    for clips at the ends of the scale.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: list[str]
    video: list[str]
    given: list[float]
    movement: dict[str, list[float | None]]
    drift: dict[str, list[float | None]]
    clamped: dict[str, list[float | None]]
    percentile: dict[str, list[float | None]]
    made: dict[str, list[list[float]]] = {}
    note: str | None = None


class Geometry(BaseModel):
    """Spearman's correlation of distances between features with distances between labels.

    Over pairs of test clips, in the shared space of the multimodal feature: after epoch 1, and
    with the weights that were selected. None where features or labels are all the same.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    first: float | None
    selected: float | None


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
    unimodal: dict[str, list[float]] = {}  # modality -> predictions of its own task, test part
    labels: MadeLabels | None = None
    geometry: Geometry | None = None

    def name(self) -> str:
        """The file name without its ending, as claims cite it."""
        return self.spec.path().stem


def write(record: Record) -> Path:
    """Write under a temporary name and rename: a record is there whole or not at all."""
    path = record.spec.path()
    write_json(path, record.model_dump(exclude_defaults=True))
    return path


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


def roots(dataset: str) -> list[Path]:
    """Return where records on a data set are looked for; they are written to the first.

    Earlier versions wrote those on added data sets beside the book's.
    """
    if dataset in readers.DATASETS:
        return [records_folder()]
    return list(dict.fromkeys([your_records_folder(), records_folder()]))


def files(paper: str, setting: Setting) -> list[Path]:
    """Return the paths of all records of one setting, ordered by file name."""
    dataset, encoder, preset, profile = setting
    folder = Path(paper, f"{dataset}-{folder_name(encoder)}", preset, profile)
    by_name: dict[str, Path] = {}
    for root in roots(dataset):
        for path in (root / folder).glob("*.json"):
            by_name.setdefault(path.name, path)
    return [by_name[name] for name in sorted(by_name)]


def find(paper: str, setting: Setting) -> list[Record]:
    """All records of one setting, ordered by file name."""
    return [read(path) for path in files(paper, setting)]


def settings(paper: str) -> list[Setting]:
    """Every setting that has records of a paper, as one record of each says."""
    roots = dict.fromkeys([records_folder(), your_records_folder()])
    paths = [path for root in roots for path in (root / paper).glob("*/*/*/*.json")]
    specs = [read(next(folder.glob("*.json"))).spec for folder in sorted({p.parent for p in paths})]
    return list(dict.fromkeys(Setting(s.dataset, s.encoder, s.preset, s.profile) for s in specs))
