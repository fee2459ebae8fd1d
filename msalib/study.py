"""A study: the parameters of a notebook -> specifications of runs -> records.

The one place where corpus, encoder, recipe, model and training meet. A run that has a record is
read, any other is trained and recorded, so a killed study goes on where it stopped.
"""

import math
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from msalib import encoders, models, readers, recipes, records
from msalib.corpus import Corpus, Features
from msalib.errors import UserError
from msalib.metrics import chance, regression
from msalib.progress import bar
from msalib.provenance import commit, device_name, pick_device, versions
from msalib.records import Predictions, Provenance, Record, Spec

IDENTITY = ("revision", "fingerprint", "values", "sha256")
"""What in the provenance of features says that they are the same numbers."""


class Parameters(BaseModel):
    """Parameters of every notebook, as papermill injects them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset: str = "control"
    encoder: str = "auto"
    profile: str = "quick"
    preset: str = "release"
    seeds: int = Field(2, ge=1, le=1000)
    device: Literal["auto", "cpu", "cuda"] = "auto"
    refresh: bool = False


class Study:
    """All runs of one paper in one setting.

    ``encoder="auto"`` is what the data set offers: ``planted`` layers on the control, ``minilm``
    on real transcripts. Raises ``UserError`` for any parameter that makes no sense.
    """

    def __init__(self, paper: str, **parameters):
        try:
            p = Parameters(**parameters)
        except ValidationError as error:
            first = error.errors()[0]
            unknown = first["type"] == "extra_forbidden"
            names = ", ".join(Parameters.model_fields)
            wanted = first["msg"].removeprefix("Input should be ")
            raise UserError(
                f"parameter {first['loc'][0]!r}",
                found="no such parameter" if unknown else repr(first["input"]),
                expected=f"one of {names}" if unknown else wanted,
                remedy="Leave it out or correct it.",
            ) from error
        self.paper = paper
        self.parameters = p
        self.dataset = readers.dataset(p.dataset)
        if not self.dataset.real:
            self.encoder = "planted" if p.encoder == "auto" else p.encoder
            if self.encoder != "planted":
                raise UserError(
                    f"encoder {p.encoder!r}",
                    found="an encoder for simulated features",
                    expected="planted: the control makes its own layers",
                    remedy="Leave -p encoder out, or choose a real data set.",
                )
        else:
            self.encoder = "minilm" if p.encoder == "auto" else p.encoder
            if self.encoder not in encoders.ENCODERS:  # a folder or hub id, or refused
                self.encoder = encoders.resolve(p.encoder).name
        self.recipe = recipes.load(paper, p.preset, p.profile, p.dataset)

    @property
    def kind(self) -> str:
        """``control``, ``as-published`` or ``substitute``."""
        return self.dataset.setting(self.encoder, self.parameters.profile)

    @property
    def setting(self) -> str:
        """The setting in words, as every table and caption names it."""
        p = self.parameters
        what = self.dataset.title + (f", {self.encoder} layers" if self.dataset.real else "")
        return f"{self.kind}: {what}; {p.preset} recipe, profile {p.profile}, {p.seeds} seeds"

    @cached_property
    def corpus(self) -> Corpus | None:
        """The data set, or None where real data are not at hand and records must do."""
        name = self.parameters.dataset
        return readers.load(name) if readers.at_hand(name) else None

    def modalities(self) -> list[str]:
        """Those that have layers in this setting."""
        return ["linguistic"] if self.dataset.real else list(self.corpus.features)

    def blocks(self) -> int:
        """Number of blocks of the encoder: layers are numbered 0 (its input) to this."""
        if not self.dataset.real:
            return max(next(iter(self.corpus.features.values())).layers)
        if self.encoder in encoders.ENCODERS:  # no weights needed to read records
            return encoders.ENCODERS[self.encoder].blocks
        return max(self.encoded.features["linguistic"].layers)

    @cached_property
    def encoded(self) -> Corpus:
        """The corpus with the layers of its encoder, encoded now where that was not done yet."""
        corpus = self.corpus or readers.load(self.parameters.dataset)  # says what is missing
        if not self.dataset.real:
            return corpus
        from msalib.encoders import text

        name = self.encoder if self.parameters.encoder == "auto" else self.parameters.encoder
        encoder = encoders.resolve(name)
        folder = encoders.store_folder(corpus.name, encoder)
        if not folder.is_dir():
            text.encode(corpus, encoder, folder, self.parameters.device)
        return corpus.with_features(encoder.modality, text.read(corpus, encoder, folder))

    def spec(self, inputs: dict[str, int | str], seed: int) -> Spec:
        """The resolved specification of one run."""
        p = self.parameters
        return Spec(
            paper=self.paper,
            setting=self.kind,
            dataset=p.dataset,
            split="standard",
            encoder=self.encoder,
            preset=p.preset,
            profile=p.profile,
            inputs=inputs,
            seed=seed,
            **self.recipe,
        )

    def single_layers(self, modality: str) -> list[Record]:
        """One modality, one layer at a time: the input of block 1 (0) and every block."""
        return self.run([{modality: k} for k in range(self.blocks() + 1)])

    def weighted(self, modality: str) -> list[Record]:
        """One modality, all blocks in a learned weighted sum."""
        return self.run([{modality: "weighted"}])

    @property
    def truth(self) -> Mapping | None:
        """What was planted, for the control."""
        return None if self.corpus is None else self.corpus.truth

    @cached_property
    def fingerprint(self) -> str | None:
        """Of the data set, or None where real data are not at hand."""
        return None if self.corpus is None else self.corpus.fingerprint()

    def run(self, inputs: list[dict[str, int | str]]) -> list[Record]:
        """Records of all these inputs with every seed: read where there, else trained."""
        specs = [self.spec(i, seed) for i in inputs for seed in range(self.parameters.seeds)]
        found, todo = {}, []
        for spec in specs:
            if self.parameters.refresh or not spec.path().is_file():
                todo.append(spec)
            else:
                found[spec.hash()] = self._checked(records.read(spec.path()))
        if todo:
            found |= {record.spec.hash(): record for record in self._train(todo)}
        return [found[spec.hash()] for spec in specs]

    @cached_property
    def features(self) -> Mapping[str, Features]:
        """What is at hand to hold records against: layers only where they are in their store."""
        if self.corpus is None or not self.dataset.real:
            return {} if self.corpus is None else self.corpus.features
        from msalib.encoders import text

        encoder = encoders.ENCODERS.get(self.encoder) or encoders.resolve(self.parameters.encoder)
        folder = encoders.store_folder(self.corpus.name, encoder)
        if not folder.is_dir():
            return self.corpus.features
        layers = text.read(self.corpus, encoder, folder)
        return {**self.corpus.features, encoder.modality: layers}

    def _checked(self, record: Record) -> Record:
        for modality, recorded in record.provenance.features.items():
            at_hand = self.features[modality].provenance if modality in self.features else {}
            differ = [k for k in IDENTITY if k in at_hand and at_hand[k] != recorded.get(k)]
            if differ:
                raise UserError(
                    record.spec.path(),
                    found=f"a record of other {modality} features ({differ[0]} "
                    f"{recorded.get(differ[0], 'unknown')[:16]})",
                    expected=f"the features at hand ({at_hand[differ[0]][:16]})",
                    remedy="Run it again on these features (-p refresh true), or restore them.",
                )
        if self.fingerprint not in (None, record.provenance.data):
            raise UserError(
                record.spec.path(),
                found=f"a record of other data (fingerprint {record.provenance.data[:12]})",
                expected=f"the data at hand ({self.fingerprint[:12]})",
                remedy="Run it again on these data (-p refresh true), or restore the data.",
            )
        return record

    def _train(self, specs: list[Spec]) -> Iterator[Record]:
        import torch

        device = pick_device(self.parameters.device)
        corpus = self.encoded
        # These models are so small that a second thread gains little, loses much beside any other
        # load, and would let the number of cores change the last digits.
        torch.set_num_threads(1)
        for spec in bar(specs, "training", "run"):
            yield records.read(records.write(train_one(spec, corpus, device)))


def train_one(spec: Spec, corpus: Corpus, device: str) -> Record:
    """Train the run that ``spec`` describes and judge it once on the test part."""
    import torch

    from msalib import train

    started, clock = datetime.now(UTC), time.perf_counter()
    module = models.module(spec.paper)
    parts = {
        part: corpus.examples(part, split=spec.split, inputs=spec.inputs, device=device)
        for part in ("train", "valid", "test")
    }
    weighted = {
        m: len(corpus.features[m].blocks) for m, layer in spec.inputs.items() if layer == "weighted"
    }

    def build():
        return module.build(
            module.Config(**spec.model),
            input_sizes={m: parts["train"].size(m) for m in spec.inputs},
            weighted_layers=weighted,
        )

    config = train.Config(**spec.train)
    fit = train.fit(build, module.loss, parts["train"], parts["valid"], config, spec.seed)
    predictions, metrics = {}, {}
    for part in ("valid", "test"):
        examples = parts[part]
        outputs = train.predict(fit.model, examples)
        predicted = torch.cat([o.prediction for o in outputs]).cpu().numpy()
        label = examples.label.cpu().numpy()
        predictions[part] = Predictions(
            id=list(examples.ids),
            video=list(examples.videos),
            label=_rounded(label),
            prediction=_rounded(predicted),
        )
        truth = np.array(predictions[part].label)
        metrics[part] = _defined(regression(truth, np.array(predictions[part].prediction)))
    return Record(
        spec=spec,
        blocks={m: len(corpus.features[m].blocks) for m in spec.inputs},
        provenance=Provenance(
            data=corpus.fingerprint(),
            features={m: dict(corpus.features[m].provenance) for m in spec.inputs},
            commit=commit(),
            device=device_name(device),
            threads=torch.get_num_threads(),
            versions=versions(),
            started=started.isoformat(timespec="seconds"),
            seconds=round(time.perf_counter() - clock, 2),
        ),
        selected_epoch=fit.selected_epoch,
        metrics=metrics,
        chance=_defined(chance(parts["train"].label.cpu().numpy(), truth)),
        layer_weights={m: _rounded(w.cpu()) for m, w in outputs[0].layer_weights.items()},
        history=fit.history,
        predictions=predictions,
    )


def _defined(values: dict[str, float]) -> dict[str, float | None]:
    """Metrics with None for undefined ones, which JSON can say."""
    return {name: None if math.isnan(value) else value for name, value in values.items()}


def _rounded(values) -> list[float]:
    """Six significant digits: below the precision of float32, and records stay small."""
    return [float(f"{v:.6g}") for v in np.asarray(values, float)]
