"""Pretrained weights of a run: made where they are missing, kept, and recorded.

A model's file says how its streams are pretrained (``models.masked_pairs.Recipe``). Each stage has
a folder of its own under ``features/pretraining``, named by the hash of all that its weights depend
on, so that a stage that several runs begin with is made once. What came out is a record beside
those of runs, ``<records>/pretraining/<family>/<encoders>/<profile>/<stages>-seed<k>-<hash>.json``;
weights are not committed.
"""

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from msalib import models
from msalib.base import files, presets
from msalib.base.errors import UserError
from msalib.base.files import complaint
from msalib.base.paths import bounded, features_folder, folder_name, records_folder
from msalib.base.presets import Profile
from msalib.base.provenance import commit, device_name, one_thread, versions
from msalib.runs.inputs import Inputs
from msalib.runs.pairs import SOUND, TEXT, Source, Stored, both, stored
from msalib.runs.spec import Spec

if TYPE_CHECKING:
    import torch
    from torch import nn

    from msalib.models.masked_pairs import MaskedPairs, Pairs, Recipe, Stage

SEEN = ("given", "shuffled", "silenced")
"""What a stream sees of the other encoder where it is judged: the clip's own outputs, those of
another clip, or zeros."""


STREAMS = {"text_right": "masked tokens", "sound_right": "masked frames"}
"""Share in a record of pretraining -> what is guessed."""


class Pretrained(BaseModel):
    """The record of one stage of pretraining; ``stages`` are those before it and itself.

    ``dataset``: the task whose clips a stage reads, empty where none does.
    ``features``: of each stage fingerprints by modality, the split where it is not the usual one,
    and revisions of encoders that are not registered. ``curve``: ``update``, and means over
    windows of updates of what ``training.pretraining.GUESSED`` names. ``worth``: the same numbers
    on clips held out, by ``SEEN``. ``chance``: the share that is right where the commonest token or
    codeword is always guessed. ``weights``: SHA-256 of the streams' weights.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    family: str
    dataset: str
    profile: Profile
    seed: int
    stages: list[dict]
    encoders: dict[str, str]
    settings: dict[str, float]
    masking: dict[str, float]
    features: list[dict[str, str]]
    clips: int
    held_out: int
    curve: dict[str, list[float]]
    worth: dict[str, dict[str, float]]
    chance: dict[str, float]
    weights: str
    provenance: dict

    def heard(self, share: str) -> float:
        """Return the points of a guessed share that the other stream of the same clip is worth.

        That is over the other stream of another clip; ``share`` is a key of ``worth``.
        """
        return 100 * (self.worth["given"][share] - self.worth["shuffled"][share])


def recorded(family: str, profile: str) -> list[Pretrained]:
    """Return the records of a family's pretraining, ordered by file name."""
    folder = records_folder() / "pretraining" / family
    paths = sorted(folder.glob(f"*/{presets.stored(profile)}/*.json"))
    return [Pretrained.model_validate_json(path.read_bytes()) for path in paths]


class Weights:
    """Pretrained weights of the runs of one study, made where they are missing."""

    def __init__(self, inputs: Inputs):
        self._inputs = inputs
        self._read: dict[tuple, Stored] = {}

    def __call__(self, spec: Spec) -> Path | None:
        """Return the file of the weights that a run begins with; None for one without pretraining.

        Raises ``UserError`` like ``pairs.stored``.
        """
        import torch

        path = None
        # A run draws the same numbers whether they are made now or were before.
        with torch.random.fork_rng(devices=[]):
            for stage in self.stages(spec):
                stage.ensure(path)
                path = stage.file
        return path

    def stages(self, spec: Spec) -> "Iterator[Made]":
        """Yield the stages of a run's pretraining in order."""
        if (recipe := recipe_of(spec)) is None:
            return
        identities: list[dict[str, str]] = []
        for number in range(1, len(recipe.stages) + 1):
            some = recipe.stages[:number]
            key = some, recipe.masking, spec.split
            if key not in self._read:
                self._read[key] = stored(self._inputs, *key)
            read = self._read[key]
            identities = [*identities, read.identity]
            yield Made(self._inputs, spec, recipe, some, read, identities)


def recipe_of(spec: Spec) -> "Recipe | None":
    """Return the recipe of a run's pretraining, None where its model has none."""
    module = models.module(spec.family)
    if not hasattr(module, "pretraining"):
        return None
    return module.pretraining(module.Config(**spec.model), module.Training(**spec.train))


def absent(spec: Spec) -> None:
    """Return no weights, for runs that need none.

    Raises ``ValueError`` for a run that begins with pretrained ones.
    """
    recipe = recipe_of(spec)
    if recipe is not None and recipe.stages:
        raise ValueError(f"{spec.system.name()} begins with pretrained weights")


def _weights(path: Path) -> dict[str, "torch.Tensor"]:
    """Return the weights in a file; ``UserError`` where it is damaged."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise UserError(
            path,
            found=f"no readable weights ({complaint(error)})",
            expected="those of a pretraining",
            remedy=f"Delete {path.parent} and pretrain again: runs that need them do so.",
        ) from error


def load(model: "nn.Module", path: Path) -> None:
    """Put pretrained weights into the streams of a model; heads of pretraining are left out."""
    kept = _weights(path)
    model.streams.load_state_dict({n: kept[f"streams.{n}"] for n in model.streams.state_dict()})


class Made:
    """One stage of a pretraining, after those before it."""

    def __init__(
        self,
        inputs: Inputs,
        spec: Spec,
        recipe: "Recipe",
        stages: tuple["Stage", ...],
        read: Stored,
        identities: list[dict[str, str]],
    ):
        self.spec, self.recipe, self.stages, self.stored = spec, recipe, stages, read
        self.about = {
            "family": spec.family,
            "seed": spec.seed,
            "stages": [stage._asdict() for stage in stages],
            "encoders": {m: encoder.name for m, encoder in both(inputs).items()},
            "settings": dict(recipe.settings),
            "masking": recipe.masking.model_dump(),
            "features": identities,
        }

    @cached_property
    def name(self) -> str:
        """The name of folder and record: stages, seed, hash of ``about``."""
        digest = hashlib.sha256(json.dumps(self.about, sort_keys=True).encode()).hexdigest()[:12]
        words = "+".join(
            (stage.corpus or f"{self.spec.dataset}-{'-'.join(stage.parts)}")
            + ("-shuffled" if stage.shuffled else "")
            for stage in self.stages
        )
        return f"{bounded(words)}-seed{self.spec.seed}-{digest}"

    @property
    def file(self) -> Path:
        """The place of the weights."""
        return features_folder() / "pretraining" / self.name / "weights.safetensors"

    @property
    def record(self) -> Path:
        """The place of the record."""
        names = folder_name("+".join(self.about["encoders"].values()))
        folder = (
            records_folder()
            / "pretraining"
            / self.spec.family
            / names
            / presets.stored(self.spec.profile)
        )
        return folder / f"{self.name}.json"

    def read_record(self) -> Pretrained:
        """Return the record, when the weights are made; ``UserError`` where it is damaged."""
        again = "delete it and pretrain again"
        return files.Recorded(Pretrained, self.record, "record of a pretraining", again).read()

    def ensure(self, before: Path | None) -> None:
        """Make the weights unless they are there; ``before`` are those of the stage before."""
        with files.reserved(self.file.parent, wait=True), one_thread():
            if not (self.file.is_file() and self.record.is_file()):
                self._make(before)

    def _make(self, before: Path | None) -> None:
        import torch
        from safetensors.torch import save

        from msalib.training import pretraining

        clock = time.perf_counter()
        torch.manual_seed(self.spec.seed)
        model, masking = self._model(), self.recipe.masking
        if before is not None:
            model.load_state_dict(_weights(before))
        settings = pretraining.Settings(
            updates=self.stages[-1].updates,
            batch_size=masking.pt_batch_size,
            learning_rate=masking.pt_learning_rate,
            weight_decay=masking.pt_weight_decay,
            seed=self.spec.seed,
        )
        checkpoint = self.file.with_name("checkpoint.pt")
        curve = pretraining.fit(model, self._source(self.stored.learned), settings, checkpoint)
        record = self._record(model, curve, time.perf_counter() - clock)
        if not (self.record.is_file() and self.read_record().weights == record.weights):
            files.write_json(self.record, record.model_dump())  # a committed one stays as it is
        files.write_bytes(self.file, save(model.state_dict()))
        checkpoint.unlink(missing_ok=True)

    def _model(self) -> "MaskedPairs":
        from msalib.models.masked_pairs import MaskedPairs

        counts = self.stored.counts
        return MaskedPairs(
            self.recipe.build(self.stored.sizes),
            self.recipe.masking,
            width=int(self.recipe.settings["width"]),
            vocabulary=counts[TEXT],
            codewords=counts[SOUND],
        )

    def _source(self, rows) -> Source:
        return Source(self.stored, rows, self.recipe.masking, self.stages[-1].shuffled)

    def _record(self, model: "MaskedPairs", curve, seconds: float) -> Pretrained:
        from msalib.training.pretraining import judged

        # Held-out clips are always true pairs: what was learned is asked, not what was shown.
        held = Source(self.stored, self.stored.held, self.recipe.masking, shuffled=False)
        batches = held.judged(self.recipe.masking.pt_batch_size)
        streams = model.streams.state_dict()
        content = b"".join(streams[name].numpy().tobytes() for name in sorted(streams))
        return Pretrained(
            **self.about,
            dataset=self.spec.dataset if any(stage.parts for stage in self.stages) else "",
            profile=self.spec.profile,
            clips=len(self.stored.learned),
            held_out=len(self.stored.held),
            curve={"update": curve.update, **curve.means},
            worth={name: judged(model, batches, OTHERS[name]) for name in SEEN},
            chance={"text_right": _commonest(batches, "tokens")}
            | {"sound_right": _commonest(batches, "units")},
            weights=hashlib.sha256(content).hexdigest(),
            provenance={
                "commit": commit(),
                "device": device_name("cpu"),
                "versions": versions(),
                "seconds": round(seconds, 1),
            },
        )


def _commonest(batches: list["Pairs"], name: str) -> float:
    """Return the share of what is to guess that is the commonest of it."""
    import torch

    from msalib.models.masked_pairs import UNHIDDEN

    targets = torch.cat([getattr(batch, name).flatten() for batch in batches])
    counts = Counter(targets[targets != UNHIDDEN].tolist())
    return float(f"{max(counts.values()) / counts.total():.5g}") if counts else 0.0


def _of_another(pairs: "Pairs") -> dict[str, "torch.Tensor"]:
    """Return the outputs of the clip before in the batch, by modality.

    A clip sees as many frames or tokens as it has itself, of the other repeated where it is short.
    """
    exchanged = {}
    for m, x, valid in ((SOUND, pairs.sound, pairs.heard), (TEXT, pairs.words, pairs.spoken)):
        length = valid.sum(1, keepdim=True).roll(1, 0)
        place = (valid.long().cumsum(1) - 1).clamp(min=0) % length
        exchanged[m] = x.roll(1, 0).gather(1, place[..., None].expand_as(x))
    return exchanged


def _nothing(pairs: "Pairs") -> dict[str, "torch.Tensor"]:
    return {SOUND: pairs.sound * 0, TEXT: pairs.words * 0}


OTHERS: dict[str, Callable[["Pairs"], dict[str, "torch.Tensor"]] | None] = {
    "given": None,
    "shuffled": _of_another,
    "silenced": _nothing,
}
"""``SEEN`` -> what makes the outputs that a stream sees of the other encoder."""
