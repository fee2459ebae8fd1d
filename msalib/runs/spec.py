"""What is asked of a run: its specification, and the system that a table compares.

A run is named by the hash of its specification. The hash covers every field that decides numbers;
a field that came later has a default and enters the hash only where it differs, so that older
records keep their names.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from msalib.base.paths import (
    bounded,
    folder_name,
    quick_records_folder,
    records_folder,
    your_records_folder,
)
from msalib.base.presets import Preset, Profile, stored
from msalib.data import datasets
from msalib.data.streams import ORDER, ordered
from msalib.models import recipes

Layer = int | str
"""A layer number, one of ``corpus.STACKS``, or ``corpus.TUNED``."""


def roots(dataset: str, profile: str) -> list[Path]:
    """Return where records on a data set are looked for; they are written to the first.

    Earlier versions wrote those on added data sets beside the book's.
    """
    if profile == "quick" and (folder := quick_records_folder()):
        return [folder]
    if dataset in datasets.DATASETS:
        return [records_folder()]
    return list(dict.fromkeys([your_records_folder(), records_folder()]))


def _known(inputs: dict[str, Layer]) -> dict[str, Layer]:
    """Return inputs if they are some of the streams; ``ValueError`` for any other."""
    if not inputs or set(inputs) - set(ORDER):
        raise ValueError(f"inputs need some of {ORDER}, got {list(inputs)}")
    return inputs


class Spec(BaseModel):
    """Everything that decides the numbers of a run, resolved; equal specifications, equal runs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    paper: str
    setting: Literal["control", "as-published", "substitute", "leaky"]
    dataset: str
    split: str
    encoder: str
    preset: Preset
    profile: Profile
    inputs: Annotated[dict[str, Layer], AfterValidator(_known)]  # stream -> layer
    train_share: float = Field(gt=0, le=1)  # of the clips of the training set
    model: dict[str, int | float | str]
    train: dict[str, int | float | str | None]
    seed: int
    context: dict[str, int | str] = {}  # window: preceding utterances; kind: separate or joined
    target: str = ""  # column that is predicted; that of the usual task if empty

    def content(self) -> dict:
        """Return the fields that name the run: all but later ones at their defaults."""
        fields = type(self).model_fields.items()
        later = {name: field.default for name, field in fields if not field.is_required()}
        unset = {name for name, default in later.items() if getattr(self, name) == default}
        return self.model_dump(exclude=unset)

    def hash(self) -> str:
        """Return the first 12 hex digits of the SHA-256 of the canonical JSON."""
        text = json.dumps(self.content(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def path(self) -> Path:
        """Return the place of this run's record."""
        return (
            roots(self.dataset, self.profile)[0]
            / self.paper
            / f"{self.dataset}-{folder_name(self.encoder)}"
            / stored(self.preset)
            / stored(self.profile)
            / self.file_name()
        )

    def file_name(self) -> str:
        """Return the name of this run's record."""
        return f"{bounded(self.system.name())}-seed{self.seed}-{self.hash()}.json"

    @property
    def family(self) -> str:
        """Name of the model's file; a paper with one model has its name."""
        return str(self.model.get("family", self.paper))

    @property
    def system(self) -> "System":
        """What was trained, whatever the seed; what a preset or profile chooses is no choice."""
        settings = {**self.model, **self.train}
        named = [(n, str(settings[n])) for n in recipes.choices(self.paper) if n in settings]
        about = self.family, self.preset, self.profile, self.dataset
        choices = dict(without_usual(named, *about))
        return system(self.inputs, self.train_share, paper=self.paper, **choices)


def without_usual(
    choices: Iterable[tuple[str, str]], family: str, preset: str, profile: str, dataset: str
) -> tuple[tuple[str, str], ...]:
    """Return the choices (setting, value) that the recipe of a family does not make anyway.

    The family itself stays.
    """
    usual = recipes.usual(family, preset, profile, dataset)
    return tuple((n, value) for n, value in choices if n == "family" or usual.get(n) != value)


class System(NamedTuple):
    """What a table compares, each over its seeds: inputs, choices, and the size of training."""

    inputs: tuple[tuple[str, Layer], ...]  # (stream, layer), in the order of streams.ORDER
    choices: tuple[tuple[str, str], ...]  # (setting, value) where it is not the paper's usual one
    train_share: float

    def choice(self, name: str, *, paper: str) -> str:
        """Return the value of one of the settings that a paper's tables vary."""
        return dict(self.choices).get(name, recipes.choices(paper)[name])

    def name(self) -> str:
        """Return the name that files have."""
        parts = ["+".join(f"{m}-{layer}" for m, layer in self.inputs)]
        parts += [value for _, value in self.choices]
        parts += [f"share{self.train_share:g}"] if self.train_share < 1 else []
        return "-".join(parts)


def system(
    inputs: Mapping[str, Layer],
    train_share: float = 1.0,
    *,
    paper: str | None = None,
    **choices: str,
) -> System:
    """Return the system with these inputs and choices.

    ``inputs``: stream -> layer. ``choices``: values for settings that the tables of ``paper`` vary
    (``choices`` in its recipe). Raises ``ValueError`` for an unknown stream or choice.
    """
    _known(dict(inputs))
    usual = recipes.choices(paper) if paper else {}
    if unknown := set(choices) - set(usual):
        raise ValueError(
            f"choices of paper {paper} are {', '.join(usual) or 'none'}, "
            f"got {', '.join(sorted(unknown))}"
        )
    in_order = tuple((stream, inputs[stream]) for stream in ordered(inputs))
    unusual = tuple((k, choices[k]) for k in usual if choices.get(k, usual[k]) != usual[k])
    return System(in_order, unusual, train_share)
