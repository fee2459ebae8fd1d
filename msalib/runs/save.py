"""Train a model, once per seed, and save it with all that a prediction for single clips needs.

The runs are those of ``trainer``; what is kept here, and not in a record, are their weights.
"""

import hashlib
import os
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from msalib import models, papers
from msalib.base import files
from msalib.base.errors import UserError, unknown
from msalib.base.provenance import one_thread, pick_device
from msalib.data.corpus import MODALITIES, TUNED, Corpus
from msalib.models import recipes
from msalib.models.extras import rounded
from msalib.runs.inputs import BASELINES
from msalib.runs.query import Runs
from msalib.runs.saved import (
    ABOUT,
    LEVELS,
    SETTINGS,
    About,
    Input,
    Run,
    Source,
    half_width,
    key,
)
from msalib.runs.spec import Spec, System, system
from msalib.runs.study import Study
from msalib.runs.trainer import Trainer, core, judge, provenance_of, regime_of

if TYPE_CHECKING:
    from torch import Tensor, nn

    from msalib.encoders import Encoder
    from msalib.training.loop import Fit


def train(
    model: str,
    dataset: str,
    out: Path | str,
    *,
    features: str | None = None,
    refresh: bool = False,
    parameters: Mapping | None = None,
) -> Path:
    """Train a model on all modalities of a setting and save it as the folder ``out``; return that.

    ``model`` names a model whose file offers ``CONTRIBUTIONS``; of the modalities of the data it
    gets those that it reads. ``features``: what frozen encoders with layers give to it, its usual
    choice if left out. ``parameters`` are those of a ``Study``: encoder, profile, preset, seeds,
    device. A folder that exists is refused, unless it is a saved model and ``refresh`` asks to
    replace it. The numbers are those of the same runs by ``Study.run``; the test set is judged
    once, at the end. Raises ``UserError`` also for an unknown choice of features, for context,
    which single clips do not have, and where the disk refuses.
    """
    out = Path(out)
    _check_place(out, refresh)
    _check_model(model)
    study = _study(model, dataset, parameters or {})
    study.check_parts()
    features = _features(study, model, features)
    chosen = system_of(study, model, features)
    corpus = study.encoded_for(dict(chosen.inputs))
    # As in Study: the number of cores must not change the digits of small models.
    with nullcontext() if study.tuned else one_thread():
        trained = _fit(study, corpus, chosen)
        about = _about(study, corpus, features, trained)
    with files.whole_folder(out) as folder:
        for run, fit in zip(about.runs, trained.fits, strict=True):
            (folder / run.weights).write_bytes(_weights(fit.model))
        files.write_json(folder / ABOUT, about.model_dump(mode="json"))
        _check_place(out, refresh)  # it may have come meanwhile
    return out


def system_of(study: Study, model: str, features: str) -> System:
    """Return what a model reads of the modalities of a setting; vectors come as they are.

    ``features`` is one of ``FEATURES`` of the model's ``CONTRIBUTIONS``, or ``corpus.TUNED``.
    Raises ``UserError`` where the data have nothing that the model reads.
    """
    module = models.module(model)
    choices = {} if study.paper == model else {"family": model}
    choices |= {} if study.tuned else papers.fact(study.paper, "FROZEN", {})
    read = getattr(module, "MODALITIES", MODALITIES)
    last = {m: layer for m, layer in study.last_layers.items() if m in read}
    if not last:
        raise UserError(
            f"data set {study.parameters.dataset!r}",
            found=f"{' and '.join(study.dataset.modalities)} features",
            expected=f"{' or '.join(read)} ones, which {model} reads",
            remedy="Choose another data set (msalib data).",
        )
    layers: dict[str, int | str] = {}
    for m, layer in last.items():
        if layer in (1, TUNED):
            layers[m] = layer
        elif features == "mid_best":
            layers[m] = _best_block(study, m, choices)
        else:
            layers[m] = {"input": 0, "output": layer}.get(features, features)
    return system(layers, paper=study.paper, **choices)


def _best_block(study: Study, modality: str, choices: Mapping[str, str]) -> int:
    """Train each block of a modality alone and return the one that validation chooses."""
    numbers = range(1, study.blocks(modality) + 1)
    blocks = [system({modality: k}, paper=study.paper, **choices) for k in numbers]
    return Runs(study.run(blocks)).best(blocks).inputs[0][1]


# --- checks before hours of training ------------------------------------------------------------


def _check_model(name: str) -> None:
    """Refuse a model that does not say what each modality contributes."""
    offered = [n for n in recipes.known() if hasattr(models.module(n), "CONTRIBUTIONS")]
    if name not in offered:
        found = "no contributions of its modalities" if name in recipes.known() else ""
        remedy = "Name one of these; another model's file must offer CONTRIBUTIONS first."
        raise unknown("model", name, offered, found=found, remedy=remedy)


def _study(model: str, dataset: str, parameters: Mapping) -> Study:
    """Return the setting of these parameters; refuse what makes no model for single clips."""
    if parameters.get("dataset", dataset) != dataset:
        raise UserError(
            f"parameter dataset {parameters['dataset']!r}",
            found=f"another data set than {dataset}",
            expected="one data set",
            remedy="Leave -p dataset out.",
        )
    paper = model if model in recipes.papers() else BASELINES
    study = Study(paper, **{**parameters, "dataset": dataset})
    if study.task.outputs > 1:
        raise UserError(
            f"data set {dataset!r}",
            found="labels that are classes",
            expected="labels that are numbers, for which there are prediction intervals",
            remedy="Choose another data set (msalib data), or another column (-p target).",
        )
    if study.parameters.context:
        raise UserError(
            f"context of {study.parameters.context} clips",
            found="a model that is to be saved for single clips",
            expected="no context: a single clip has no clips before it",
            remedy="Leave -p context out.",
        )
    return study


def _features(study: Study, model: str, features: str | None) -> str:
    """Return the choice of features: the one asked for, or the usual one."""
    offered = models.module(model).CONTRIBUTIONS.FEATURES
    if study.tuned:
        if features is None:
            return TUNED
        raise UserError(
            f"features {features!r}",
            found=f"encoders that are fine-tuned ({study.encoder}): their last states are read",
            expected="frozen encoders, among whose layers there is a choice",
            remedy="Leave --features out, or name frozen encoders by -p encoder.",
        )
    if features is None:
        return offered[0]
    if features not in offered:
        remedy = f"Leave --features out for {offered[0]}."
        raise unknown("features", features, offered, found="no such choice", remedy=remedy)
    return features


def _check_place(out: Path, refresh: bool) -> None:
    """Refuse a folder that cannot be written, or that holds something else."""
    with files.disk_errors(out):
        above = next(p for p in out.absolute().parents if p.exists())
        out.exists() or out.with_name(f".{out.name}.partial").exists()  # as it is called at first
    if not above.is_dir() or not os.access(above, os.W_OK):
        raise UserError(
            out,
            found=f"{above}, {'not writable' if above.is_dir() else 'which is no folder'}",
            expected="a place for a new folder",
            remedy="Name another place with --out.",
        )
    if not out.exists():
        return
    if not (out / ABOUT).is_file():
        raise UserError(
            out,
            found="something that is no saved model",
            expected="a new folder, or a model to be replaced",
            remedy="Choose another name with --out.",
        )
    if not refresh:
        raise UserError(
            out,
            found="a saved model",
            expected="a new folder",
            remedy="Choose another name with --out, or replace it with --refresh.",
        )


# --- training -----------------------------------------------------------------------------------


class _Trained(NamedTuple):
    """Trained models, one per seed, and how they came about."""

    trainer: Trainer
    specs: list[Spec]
    fits: list["Fit"]
    started: datetime
    seconds: float  # per run

    @property
    def models(self) -> list["nn.Module"]:
        return [fit.model for fit in self.fits]


def _fit(study: Study, corpus: Corpus, chosen: System) -> _Trained:
    p = study.parameters
    trainer = Trainer(corpus, pick_device(p.device), p.target)
    specs = [study.spec(chosen, seed) for seed in range(p.seeds)]
    started, clock = datetime.now(UTC), perf_counter()
    fits = [fit for group in trainer.groups(specs) for fit in trainer.fit(group)]
    return _Trained(trainer, specs, fits, started, round((perf_counter() - clock) / len(specs), 2))


def _about(study: Study, corpus: Corpus, features: str, trained: _Trained) -> About:
    """Return what a saved model says of itself."""
    spec, limit = trained.specs[0], study.task.limit
    parts = {
        part: _Part(trained.trainer.examples(spec, part), spec, trained.models)
        for part in ("train", "valid", "test")
    }
    arithmetic, cores = models.module(spec.family).CONTRIBUTIONS, list(map(core, trained.models))
    averages = [
        arithmetic.averages(model, readings)
        for model, readings in zip(cores, parts["train"].readings, strict=True)
    ]
    errors, coverage = _calibrated(arithmetic, cores, averages, parts)
    return About(
        setting=study.setting,
        features=features,
        spec=spec,
        inputs={m: _input(study, corpus, m, layer) for m, layer in spec.system.inputs},
        faces=corpus.faces,
        scale=(-limit, limit),
        notes=list(corpus.notes),
        clips={part: len(read.examples) for part, read in parts.items()},
        runs=[
            Run(
                seed=run_spec.seed,
                weights=f"seed-{run_spec.seed}.safetensors",
                sha256=hashlib.sha256(_weights(fit.model)).hexdigest(),
                selected_epoch=fit.selected_epoch,
                metrics={part: parts[part].metrics(i) for part in ("valid", "test")},
                means=averages[i],
            )
            for i, (run_spec, fit) in enumerate(zip(trained.specs, trained.fits, strict=True))
        ],
        mean_metrics={part: parts[part].metrics() for part in ("valid", "test")},
        errors=errors,
        coverage=coverage,
        provenance=provenance_of(
            corpus,
            spec,
            device=trained.trainer.device,
            started=trained.started,
            seconds=trained.seconds,
            together=len(trained.specs),
        ),
    )


class _Part:
    """One part of the corpus as every trained model reads it."""

    def __init__(self, examples, spec: Spec, networks: Sequence["nn.Module"]):
        import torch

        from msalib.training import loop

        self.examples = examples
        self.readings: list[dict[str, Tensor]] = []
        self.predictions: list[Tensor] = []
        arithmetic, regime = models.module(spec.family).CONTRIBUTIONS, regime_of(spec)
        for network in networks:
            with loop.autocast(examples.device, regime):  # the precision that selection had
                outputs = loop.predict(network, examples, regime.judged_batch)
            read = [arithmetic.readings(output) for output in outputs.batches]
            order = torch.cat(outputs.rows).argsort().to(examples.device)
            self.readings.append(
                {name: torch.cat([one[name] for one in read])[order].float() for name in read[0]}
            )
            self.predictions.append(
                torch.cat([output.prediction for output in outputs.batches])[order].float()
            )

    def metrics(self, i: int | None = None) -> dict[str, float | None]:
        """Return the metrics of one model, or of the mean over all."""
        mean = sum(self.predictions) / len(self.predictions)
        return judge(self.examples, mean if i is None else self.predictions[i])[1]


def _calibrated(arithmetic, networks, averages, parts: Mapping[str, _Part]):
    """Return ``About.errors`` and ``About.coverage``, for every choice of modalities."""
    used = list(parts["valid"].examples.inputs)
    errors, coverage = {}, {}
    for given in (c for n in range(1, len(used) + 1) for c in combinations(used, n)):
        valid, test = (
            _errors(arithmetic, networks, averages, parts[part], given)
            for part in ("valid", "test")
        )
        errors[key(given)] = rounded(np.sort(valid))
        widths = {level: half_width(errors[key(given)], level) for level in LEVELS}
        coverage[key(given)] = {
            str(level): 1.0 if width is None else round(float((test <= width).mean()), 4)
            for level, width in widths.items()
        }
    return errors, coverage


def _errors(arithmetic, networks, averages, part: _Part, given: Sequence[str]) -> np.ndarray:
    """Return the absolute errors (N,) of the mean over seeds where only ``given`` is read."""
    label = part.examples.label
    here = {m: label.new_full((len(label),), m in given).bool() for m in part.examples.inputs}
    predictions = [
        arithmetic.contributions(network, readings, average, here).prediction.detach()
        for network, readings, average in zip(networks, part.readings, averages, strict=True)
    ]
    return (label - sum(predictions) / len(predictions)).abs().cpu().numpy()


# --- what is written ----------------------------------------------------------------------------


def _input(study: Study, corpus: Corpus, modality: str, layer: int | str) -> Input:
    features, encoder = corpus.features[modality], study.encoders.get(modality)
    arrays = features.select(layer)
    return Input(
        layer=layer,
        layers=len(arrays),
        width=arrays[0].shape[1],
        unit=features.unit,
        source=features.source,
        encoder=None if encoder is None else _source(encoder, features.provenance),
    )


def _source(encoder: "Encoder", about: Mapping[str, str]) -> Source:
    model = encoder.argument
    if model == encoder.model and Path(model).is_dir():
        model = str(Path(model).resolve())
    return Source(
        name=encoder.name,
        model=model,
        revision=about["revision"],
        convention=about["convention"],
        settings={name: about[name] for name in SETTINGS if name in about},
    )


def _weights(network: "nn.Module") -> bytes:
    from safetensors.torch import save

    return save({n: w.detach().cpu().contiguous() for n, w in network.state_dict().items()})
