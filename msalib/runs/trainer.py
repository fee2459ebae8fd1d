"""Specifications -> trained models -> records: alone, or many small ones as replicas.

The one place where corpus, model and training meet. Which runs are trained together changes the
time they take and, by the order of additions, the last digits (``replicas``).
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from msalib import encoders, models, papers
from msalib.base.errors import UserError
from msalib.base.provenance import commit, device_name, versions
from msalib.data.corpus import LAST_TWO, PARTS, TUNED, Corpus, Examples
from msalib.data.streams import is_context, modality_of
from msalib.data.tasks import Task, choose
from msalib.models.extras import rounded
from msalib.runs import pretraining
from msalib.runs.records import Predictions, Provenance, Record
from msalib.runs.spec import Spec

if TYPE_CHECKING:
    from torch import nn

    from msalib.training.loop import Fit
    from msalib.training.regime import Regime

TOGETHER = {"cpu": 32, "cuda": 512}
"""Replicas in a group at most: beyond, a CPU gains nothing, and a GPU's memory fills up."""

SMALL = 50_000
"""On a CPU, replicas pay for models of up to so many weights; a larger one keeps a core busy."""

FEWEST = 3
"""On a CPU, so few replicas pay; two take as long as one after the other (benchmarks/)."""


class Trainer:
    """Trainer of the runs of one corpus on one device."""

    def __init__(
        self,
        corpus: Corpus,
        device: str,
        target: str = "",
        pretrained: Callable[[Spec], Path | None] = pretraining.absent,
    ):
        """``pretrained`` returns the file of the weights that a run begins with, if any."""
        self.corpus, self.device, self.pretrained = corpus, device, pretrained
        self.task = choose(corpus.tasks, target or None, corpus.name)
        self._examples = lru_cache(maxsize=None if device == "cuda" else 64)(self._make_examples)

    # --- which runs are trained together --------------------------------------------------------

    def groups(self, specs: Sequence[Spec]) -> list[list[Spec]]:
        """Return the runs in groups that are trained together, in the order asked for."""
        grouped: dict[tuple, list[Spec]] = {}
        for spec in specs:
            grouped.setdefault(self._alike(spec), []).append(spec)
        groups = []
        for group in grouped.values():
            size = TOGETHER[self.device] if self._pays(group) else 1
            groups += [group[i : i + size] for i in range(0, len(group), size)]
        return groups

    def _pays(self, group: list[Spec]) -> bool:
        """Check whether these runs can be trained together, and are faster so."""
        module = models.module(group[0].family)
        if not getattr(module, "REPLICABLE", False) or hasattr(module, "objective"):
            return False
        if self.device != "cpu":
            return True
        weights = sum(w.numel() for w in self.build(group[0]).parameters())
        return len(group) >= FEWEST and weights <= SMALL

    def _alike(self, spec: Spec) -> tuple:
        """Return what runs of one structure and one recipe share."""
        stacks = [
            (layer, len(self.corpus.features[m].blocks)) if isinstance(layer, str) else 0
            for m, layer in spec.system.inputs
        ]
        settings = (spec.paper, spec.split, spec.train_share, spec.model, spec.train, stacks)
        return tuple(map(str, settings))

    # --- training and judging -------------------------------------------------------------------

    def train(self, specs: Sequence[Spec]) -> list[Record]:
        """Train a group and judge each run once on the test set."""
        started, clock = datetime.now(UTC), time.perf_counter()
        fits = self.fit(specs)
        judged = [self._judged(spec, fit) for spec, fit in zip(specs, fits, strict=True)]
        seconds = round((time.perf_counter() - clock) / len(specs), 2)
        return [
            Record(
                spec=spec,
                blocks={m: len(self.corpus.features[m].blocks) or 1 for m in spec.inputs},
                provenance=provenance_of(
                    self.corpus,
                    spec,
                    device=self.device,
                    started=started,
                    seconds=seconds,
                    together=len(specs),
                ),
                selected_epoch=fit.selected_epoch,
                history=fit.history,
                **fields,
            )
            for spec, fit, fields in zip(specs, fits, judged, strict=True)
        ]

    def fit(self, specs: Sequence[Spec]) -> list["Fit"]:
        """Return the trained models of a group, one alone or several as replicas."""
        from msalib.training import loop, replicas
        from msalib.training.objective import Objective

        first = specs[0]
        module, regime = models.module(first.family), regime_of(first)
        builds = [partial(self.build, spec) for spec in specs]
        trains = [self.examples(spec, "train") for spec in specs]
        valids = [self.examples(spec, "valid") for spec in specs]
        seeds = [spec.seed for spec in specs]
        default = Objective(self.task.error, regime.validation)
        if len(specs) > 1:
            slots = list(trains[0].inputs)
            return replicas.fit(builds, slots, default, trains, valids, regime, seeds)
        if hasattr(module, "objective"):
            training = module.Training(**first.train)

            def make_objective(model, train, stream):
                return module.objective(training, core(model), train, stream)
        else:

            def make_objective(model, train, stream):
                return default

        groups = partial(parameter_groups, module)
        return [loop.fit(builds[0], make_objective, trains[0], valids[0], regime, seeds[0], groups)]

    def build(self, spec: Spec) -> "nn.Module":
        """Return an untrained model of a run, on the CPU, behind its pretrained encoders if any."""
        module = models.module(spec.family)
        if not getattr(module, "CONTEXT", False):
            _refuse_context(spec)
        examples, tuned = self.examples(spec, "train"), self._fine_tuned(spec)
        sizes = {m: examples.size(m) for m, _ in spec.system.inputs}
        fine_tuned = [s for s, layer in spec.system.inputs if layer == TUNED]
        sizes |= {s: tuned[modality_of(s)].width for s in fine_tuned}
        layers = layers_of(module, spec.inputs, self.corpus)
        model = module.build(
            module.Config(**spec.model), sizes=sizes, layers=layers, outputs=self.task.outputs
        )
        if (path := self.pretrained(spec)) is not None:
            pretraining.load(model, path)
        if not tuned:
            return model
        from msalib.encoders.tuned import FineTuned

        return FineTuned(model, tuned)

    def _fine_tuned(self, spec: Spec) -> dict[str, "nn.Module"]:
        """Return the encoders that are trained with the model, by modality."""
        modalities = {modality_of(s) for s, layer in spec.system.inputs if layer == TUNED}
        if not modalities:
            return {}
        from msalib.encoders import tuned

        precision = spec.train.get("precision", "float32")
        sources = {m: self.corpus.features[m].provenance["encoder"] for m in modalities}
        seconds = papers.fact(spec.paper, "SECONDS", tuned.SECONDS)
        return {
            m: tuned.build(encoders.resolve(name), precision, seconds=seconds)
            for m, name in sorted(sources.items())
        }

    def examples(self, spec: Spec, part: str) -> Examples:
        """Return one part of the corpus as a run sees it."""
        chosen = (1.0, 0)
        if part == "train" and spec.train_share < 1:
            chosen = (spec.train_share, spec.seed)
        return self._examples(part, spec.split, spec.system.inputs, *chosen)

    def _make_examples(self, part, split, inputs, share, seed) -> Examples:
        rows = self.corpus.subsample(self.corpus.rows(part, split), share, seed)
        return self.corpus.examples(rows, inputs=dict(inputs), device=self.device, task=self.task)

    def _judged(self, spec: Spec, fit: "Fit") -> dict:
        """Return what a record says of a trained model, by the names of its fields."""
        from msalib.training import loop

        module, regime = models.module(spec.family), regime_of(spec)
        examples = {part: self.examples(spec, part) for part in PARTS}
        outputs, predictions, metrics = {}, {}, {}
        for part in PARTS:
            with loop.autocast(self.device, regime):  # the precision that selection had
                outputs[part] = loop.predict(fit.model, examples[part], regime.judged_batch)
            scores = outputs[part].scores
            predictions[part], metrics[part] = judge(examples[part], scores)
        training_set = predictions.pop("train")  # its metrics are kept, for the gap to test
        fields = {
            "metrics": metrics,
            "chance": chance_of(training_set, predictions["test"], self.task),
            "predictions": predictions,
        }
        if hasattr(module, "extras"):
            training = module.Training(**spec.train)
            extras = module.extras(training, fit, examples, outputs)
            fields |= extras.model_dump(exclude_defaults=True)
        return fields


def layers_of(module, inputs: Mapping[str, int | str], corpus: Corpus) -> dict[str, int]:
    """Return how many layers a model reads of the streams of which it reads several.

    Of a fine-tuned text encoder it reads as many blocks as its file says (``LAST``).
    """
    counts = {}
    for stream, layer in inputs.items():
        if layer == "weighted":
            counts[stream] = len(corpus.features[stream].blocks)
        elif layer == LAST_TWO:
            counts[stream] = 2
        elif layer == TUNED and modality_of(stream) == "linguistic" and hasattr(module, "LAST"):
            counts[stream] = module.LAST
    return counts


def _refuse_context(spec: Spec) -> None:
    if context := [stream for stream in spec.inputs if is_context(stream)]:
        raise UserError(
            f"model {spec.family}",
            found=f"{' and '.join(context)}, which it does not read",
            expected="modalities of the clip itself",
            remedy="Join context and clip (context_kind joined), or choose another model.",
        )


def regime_of(spec: Spec) -> "Regime":
    """Return the regime of a run, as its model's file translates its recipe."""
    return models.module(spec.family).Training(**spec.train).regime()


def core(model: "nn.Module") -> "nn.Module":
    """Return the model behind its fine-tuned encoders, if it has any."""
    return getattr(model, "core", model)


PART_OF = {"linguistic": "text", "acoustic": "speech"}
"""Modality of a fine-tuned encoder -> part of the regime with its learning rate."""


def parameter_groups(module, model: "nn.Module") -> dict[str, list]:
    """Return named parameters by part: those of the model's file, and of fine-tuned encoders."""
    inner = core(model)
    groups = getattr(module, "groups", lambda model: {"model": model.named_parameters()})
    parts = {name: list(parameters) for name, parameters in groups(inner).items()}
    if inner is not model:
        for modality, encoder in model.encoders.items():
            name = PART_OF[modality]
            parts.setdefault(name, []).extend(encoder.named_parameters())
    return {name: parameters for name, parameters in parts.items() if parameters}


def judge(examples: Examples, scores) -> tuple[Predictions, dict[str, float | None]]:
    """Return the predictions of a part as records have them, and their metrics.

    ``scores``: a tensor (N,), or (N, K) for K classes.
    """
    scores = np.array(rounded_rows(scores.cpu().numpy()))
    clips = Predictions(
        id=list(examples.ids),
        video=list(examples.videos),
        label=rounded(examples.label.cpu().numpy()),
        prediction=[float(value) for value in examples.task.prediction(scores)],
        scores=scores.tolist() if scores.ndim > 1 else [],
    )
    return clips, _defined(examples.task.metrics(np.array(clips.label), scores))


def rounded_rows(values: np.ndarray) -> list:
    """Round values (N,) or (N, K) to six significant digits."""
    return rounded(values) if values.ndim == 1 else [rounded(row) for row in values]


def chance_of(train: Predictions, test: Predictions, task: Task) -> dict[str, float | None]:
    """Return the metrics of constant predictors on the test set (``Task.chance``)."""
    return _chance(tuple(train.label), tuple(test.label), task)


def provenance_of(
    corpus: Corpus, spec: Spec, *, device: str, started: datetime, seconds: float, together: int
) -> Provenance:
    """Return where a record of a run on this machine comes from; ``together``: runs at once."""
    import torch

    return Provenance(
        data=corpus.fingerprint(),
        features={m: dict(corpus.features[m].provenance) for m in spec.inputs},
        commit=commit(),
        device=device_name(device),
        threads=torch.get_num_threads(),
        replicas=together,
        versions=versions(),
        started=started.isoformat(timespec="seconds"),
        seconds=seconds,
    )


@lru_cache(maxsize=32)
def _chance(
    train: tuple[float, ...], test: tuple[float, ...], task: Task
) -> dict[str, float | None]:
    return _defined(task.chance(np.array(train), np.array(test)))


def _defined(values: Mapping[str, float]) -> dict[str, float | None]:
    """Return metrics with None for undefined ones, which JSON can say."""
    return {name: None if math.isnan(value) else value for name, value in values.items()}
