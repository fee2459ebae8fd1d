"""Saved models on disk: a model with several seeds, and what a prediction needs beside weights.

    seed-0.safetensors ...   weights of one training each, of the epoch that validation selected
    model.json               ``About``

A folder of a model is written under a temporary name and renamed: it is there whole or not at all
(``save``).
"""

import hashlib
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from msalib import encoders, models
from msalib.base.errors import UserError
from msalib.data.corpus import MODALITIES, TUNED
from msalib.models import recipes
from msalib.runs.records import Provenance
from msalib.runs.spec import Spec

if TYPE_CHECKING:
    from torch import nn

ABOUT = "model.json"

SETTINGS = (
    "sound",
    "waveform",
    "features",
    "sampling",
    "faces",
    "pictures",
    "precision",
    "longest",
)
"""What extractors say in the provenance of features beside encoder, revision and convention."""

LEVELS = (80, 90)
"""Per cent of labels that a prediction interval is made to hold."""


class Source(BaseModel):
    """The encoder of one modality. ``model`` is a registered name, a folder or a hub id.

    ``settings`` are those with which it read the training clips: sampling, detector of faces, ...
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    model: str
    revision: str
    convention: str
    settings: dict[str, str]


class Input(BaseModel):
    """What the model is given of one modality: ``layers`` arrays (T, D) of ``width`` D.

    ``layer`` is a layer number, one of ``corpus.SUMS``, or ``corpus.TUNED`` for what a fine-tuned
    encoder reads. ``encoder`` is None for features that come with the data, which are then named by
    ``source``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    layer: int | str
    layers: int = Field(ge=1)
    width: int = Field(ge=1)
    unit: str
    source: str
    encoder: Source | None


class Run(BaseModel):
    """One training. ``metrics`` are of the validation and test sets.

    ``means`` by modality are averages over the training set (``CONTRIBUTIONS`` of the model).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int
    weights: str  # file name
    sha256: str
    selected_epoch: int
    metrics: dict[str, dict[str, float | None]]
    means: dict[str, dict[str, list[float]]]


class About(BaseModel):
    """What a saved model says of itself.

    ``features`` is one of ``FEATURES`` of the model's ``CONTRIBUTIONS``, or ``corpus.TUNED``.
    ``spec`` is that of the first run; the others differ in the seed. ``errors`` has, for each
    choice of given modalities ("visual+acoustic"), the sorted absolute errors of the mean over
    seeds on the validation set, predicted as clips without the others are; ``coverage`` has the
    share of test labels within the intervals made of these errors, by level.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    setting: str
    features: str
    spec: Spec
    inputs: dict[str, Input]
    faces: str
    scale: tuple[float, float]
    notes: list[str]
    clips: dict[str, int]  # part -> number
    runs: list[Run] = Field(min_length=1)
    mean_metrics: dict[str, dict[str, float | None]]  # of the mean over seeds
    errors: dict[str, list[float]]
    coverage: dict[str, dict[str, float]]
    provenance: Provenance

    def half_width(self, given: Sequence[str], level: int) -> float | None:
        """Return half of a prediction interval for clips of which these modalities are given.

        Split conformal: of n absolute errors on validation clips the k-th smallest, k the next
        whole number from (n + 1) level / 100 up; None where k exceeds n, for then only the whole
        scale will do. Lei et al., "Distribution-free predictive inference for regression", JASA
        2018.
        """
        return half_width(self.errors[key(given)], level)


class Model(NamedTuple):
    """A saved model, ready to use: ``networks`` are in evaluation mode, one per run."""

    folder: Path
    about: About
    networks: list["nn.Module"]


def key(given: Sequence[str]) -> str:
    """Return the name of a choice of modalities in ``About.errors``."""
    return "+".join(m for m in MODALITIES if m in given)


def half_width(errors: Sequence[float], level: int) -> float | None:
    """Return the half width that sorted or unsorted errors give (``About.half_width``)."""
    k = -(-(len(errors) + 1) * level // 100)
    return sorted(errors)[k - 1] if k <= len(errors) else None


# --- load ---------------------------------------------------------------------------------------


def describe(folder: Path | str) -> About:
    """Return the description of a saved model; raise ``UserError`` for none or a damaged one."""
    path = Path(folder) / ABOUT
    expected = "a folder that msalib train wrote"
    remedy = "Make one: msalib train DATASET --out FOLDER."
    if not path.is_file():
        complaint = "no such folder" if not Path(folder).is_dir() else f"no {ABOUT} in it"
        raise UserError(folder, found=complaint, expected=expected, remedy=remedy)
    try:
        about = About.model_validate_json(path.read_bytes())
        _check(about)
    except (OSError, ValueError) as error:
        raise UserError(path, found=_complaint(error), expected=expected, remedy=remedy) from error
    return about


def _check(about: About) -> None:
    """Check what the types of ``About`` do not say; raise ``ValueError``."""
    used = [m for m in MODALITIES if m in about.inputs]
    every = {key(c) for n in range(1, len(used) + 1) for c in combinations(used, n)}
    if dict(about.spec.inputs) != {m: i.layer for m, i in about.inputs.items()} or not used:
        raise ValueError("inputs that are not those of its specification")
    if set(about.errors) != every or set(about.coverage) != every:
        raise ValueError("no errors for some choice of its modalities")
    known = about.spec.family in recipes.known()
    arithmetic = getattr(models.module(about.spec.family), "CONTRIBUTIONS", None) if known else None
    if arithmetic is None:
        raise ValueError(f"a model {about.spec.family} without contributions of its modalities")
    if about.features not in (TUNED, *arithmetic.FEATURES):
        raise ValueError(f"features {about.features!r}, which its model does not read")
    for run in about.runs:
        try:
            arithmetic.check(about.spec.model, used, run.means)
        except ValueError as error:
            raise ValueError(f"seed {run.seed}: {error}") from None


def _complaint(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors()[0]
    return f"{first['msg']} at {'.'.join(map(str, first['loc'])) or 'the top'}"


def load(folder: Path | str) -> Model:
    """Load a saved model; raise ``UserError`` for a missing, damaged or unknown folder.

    Weights are compared with the SHA-256 in ``model.json`` before they are read. Raises
    ``UserError`` also for a fine-tuned encoder whose pretrained files, of which its architecture
    and its tokeniser come, are missing or of another revision.
    """
    about = describe(folder)
    return Model(Path(folder), about, [_network(Path(folder), about, run) for run in about.runs])


def _network(folder: Path, about: About, run: Run) -> "nn.Module":
    from safetensors import SafetensorError
    from safetensors.torch import load

    path = folder / run.weights
    expected, remedy = "the weights that model.json describes", "Copy the folder again, or train."
    try:
        content = path.read_bytes()
        if path.parent != folder or hashlib.sha256(content).hexdigest() != run.sha256:
            raise ValueError("other content than was saved")
        network = _untrained(about)
        network.load_state_dict(load(content))
    except FileNotFoundError as error:
        raise UserError(path, found="no such file", expected=expected, remedy=remedy) from error
    except RuntimeError as error:  # torch's, of names and shapes
        complaint = "weights of other names or shapes"
        raise UserError(path, found=complaint, expected=expected, remedy=remedy) from error
    except (OSError, ValueError, SafetensorError) as error:
        complaint = _complaint(error)
        raise UserError(path, found=complaint, expected=expected, remedy=remedy) from error
    return network.eval()


def _untrained(about: About) -> "nn.Module":
    """Return the network of a saved model, behind its fine-tuned encoders if it has any."""
    module, tuned = models.module(about.spec.family), _fine_tuned(about)
    network = module.build(
        module.Config(**about.spec.model),
        sizes={m: tuned[m].width if m in tuned else i.width for m, i in about.inputs.items()},
        layers={m: i.layers for m, i in about.inputs.items() if i.layer == "weighted"},
        outputs=1,
    )
    if not tuned:
        return network
    from msalib.encoders.tuned import FineTuned

    return FineTuned(network, tuned)


def _fine_tuned(about: About) -> dict[str, "nn.Module"]:
    """Return the encoders that were fine-tuned, by modality, with their pretrained weights."""
    sources = {m: i.encoder for m, i in about.inputs.items() if i.layer == TUNED}
    if not sources:
        return {}
    from msalib.encoders import tuned

    precision = about.spec.train.get("precision", "float32")
    return {
        m: tuned.build(encoder_of(source), precision, seconds=seconds_of(source))
        for m, source in sources.items()
    }


# --- encoders -----------------------------------------------------------------------------------


def encoder_of(source: Source) -> encoders.Encoder:
    """Return the encoder of a saved model, if it is available and still the same.

    Raises ``UserError`` otherwise.
    """
    try:
        encoder = encoders.resolve(source.model)
        revision = encoders.revision(encoder)  # asks the hub for what is not here
    except UserError as error:
        raise UserError(
            f"encoder {source.name} of this model",
            found=error.found,
            expected=f"revision {source.revision} of {source.model}",
            remedy="Bring it here; a folder that has moved can be named anew in model.json "
            "('model').",
        ) from error
    check_revision(source, revision)
    return encoder


def check_revision(source: Source, found: str) -> None:
    """Raise ``UserError`` for another revision than that of the training."""
    if found != source.revision:
        raise UserError(
            f"encoder {source.name} of this model",
            found=f"revision {found}",
            expected=f"revision {source.revision}, on which the model was trained",
            remedy="Bring that revision back, or train the model again.",
        )


def seconds_of(source: Source) -> float:
    """Return the length at which a fine-tuned encoder had its sound cut; any number for text."""
    return float(source.settings.get("longest", "0 s").split()[0])
