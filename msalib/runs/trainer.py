"""Specifications -> trained models -> records: alone, or many small ones as replicas.

The one place where corpus, model and training meet. Which runs are trained together changes the
time they take and, by the order of additions, the last digits (``replicas``).
"""

import math
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import NamedTuple

import numpy as np

from msalib import models
from msalib.base.provenance import commit, device_name, versions
from msalib.data.corpus import MODALITIES, PARTS, Corpus, Examples
from msalib.data.metrics import chance, regression
from msalib.runs.records import Predictions, Provenance, Record, Spec

TOGETHER = {"cpu": 32, "cuda": 512}
"""Replicas in a group at most: beyond, a CPU gains nothing, and a GPU's memory fills up."""

SMALL = 50_000
"""On a CPU, replicas pay for models of up to so many weights; a larger one keeps a core busy."""

FEWEST = 3
"""On a CPU, so few replicas pay; two take as long as one after the other (benchmarks/)."""


class Trainer:
    """Trains the runs of one corpus on one device."""

    def __init__(self, corpus: Corpus, device: str):
        self.corpus, self.device = corpus, device
        self._examples = lru_cache(maxsize=None if device == "cuda" else 64)(self._make_examples)

    def groups(self, specs: Sequence[Spec]) -> list[list[Spec]]:
        """The runs in groups that are trained together, in the order in which they were asked."""
        grouped: dict[tuple, list[Spec]] = {}
        for spec in specs:
            grouped.setdefault(self._alike(spec), []).append(spec)
        found = []
        for group in grouped.values():
            size = TOGETHER[self.device] if self._pays(group) else 1
            found += [group[i : i + size] for i in range(0, len(group), size)]
        return found

    def _pays(self, group: list[Spec]) -> bool:
        """Whether these runs are faster together."""
        if self.device != "cpu":
            return True
        weights = sum(w.numel() for w in self.build(group[0]).parameters())
        return len(group) >= FEWEST and weights <= SMALL

    def _alike(self, spec: Spec) -> tuple:
        """Runs with equal values of this have models of one structure and one recipe."""
        stacks = [
            (layer, len(self.corpus.features[m].blocks)) if isinstance(layer, str) else 0
            for m, layer in spec.system.inputs
        ]
        settings = (spec.paper, spec.split, spec.train_share, spec.model, spec.train, stacks)
        return tuple(map(str, settings))

    def train(self, specs: Sequence[Spec]) -> list[Record]:
        """Train a group and judge each run once on the test part."""
        started, clock = datetime.now(UTC), time.perf_counter()
        fits = self.fit(specs)
        judged = [self._judge(spec, fit.model) for spec, fit in zip(specs, fits, strict=True)]
        seconds = round((time.perf_counter() - clock) / len(specs), 2)
        return [
            Record(
                spec=spec,
                blocks={m: len(self.corpus.features[m].blocks) for m in spec.inputs},
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
                **found._asdict(),
            )
            for spec, fit, found in zip(specs, fits, judged, strict=True)
        ]

    def fit(self, specs: Sequence[Spec]) -> list["train.Fit"]:
        """The trained models of a group, one alone or several as replicas."""
        from msalib.training import loop as train
        from msalib.training import replicas

        module = models.module(specs[0].paper)
        config = train.Config(**specs[0].train)
        builds = [partial(self.build, spec) for spec in specs]
        trains = [self.examples(spec, "train") for spec in specs]
        valids = [self.examples(spec, "valid") for spec in specs]
        seeds = [spec.seed for spec in specs]
        if len(specs) == 1:
            return [train.fit(builds[0], module.loss, trains[0], valids[0], config, seeds[0])]
        return replicas.fit(builds, module.loss, trains, valids, config, seeds)

    def build(self, spec: Spec):
        """An untrained model of a run, on the CPU."""
        module = models.module(spec.paper)
        examples = self.examples(spec, "train")
        return module.build(
            module.Config(**spec.model),
            input_sizes={m: examples.size(m) for m, _ in spec.system.inputs},
            weighted_layers={
                m: len(self.corpus.features[m].blocks)
                for m, layer in spec.inputs.items()
                if layer == "weighted"
            },
        )

    def examples(self, spec: Spec, part: str) -> Examples:
        """One part of the corpus as a run sees it."""
        chosen = (1.0, 0)
        if part == "train" and spec.train_share < 1:
            chosen = (spec.train_share, spec.seed)
        return self._examples(part, spec.split, spec.system.inputs, *chosen)

    def _make_examples(self, part, split, inputs, share, seed) -> Examples:
        rows = self.corpus.subsample(self.corpus.rows(part, split), share, seed)
        return self.corpus.examples(rows, inputs=dict(inputs), device=self.device)

    def _judge(self, spec: Spec, model) -> "Judged":
        import torch

        from msalib.training import loop as train

        predictions, metrics, outputs = {}, {}, []
        for part in PARTS:
            examples = self.examples(spec, part)
            outputs = train.predict(model, examples)
            whole = torch.cat([o.prediction for o in outputs])
            predictions[part], metrics[part] = judge(examples, whole)
        fitted = predictions.pop("train")  # its metrics are kept, for the gap to test
        gates = {}
        if outputs[0].gates is not None:
            alpha = torch.cat([o.gates for o in outputs]).cpu().numpy()
            gates = {
                m: [round(float(a), 4) for a in column]
                for m, column in zip(MODALITIES, alpha.T, strict=True)
            }
        return Judged(
            metrics=metrics,
            chance=chance_of(fitted, predictions["test"]),
            layer_weights={m: rounded(w.cpu()) for m, w in outputs[0].layer_weights.items()},
            gates=gates,
            predictions=predictions,
        )


class Judged(NamedTuple):
    """What a record says of a trained model, by the names of its fields."""

    metrics: dict
    chance: dict
    layer_weights: dict
    gates: dict
    predictions: dict


def judge(examples: Examples, prediction) -> tuple[Predictions, dict[str, float | None]]:
    """The predictions (N,) of a part, a tensor, as records have them; and their metrics."""
    clips = Predictions(
        id=list(examples.ids),
        video=list(examples.videos),
        label=rounded(examples.label.cpu().numpy()),
        prediction=rounded(prediction.cpu().numpy()),
    )
    return clips, _defined(regression(np.array(clips.label), np.array(clips.prediction)))


def chance_of(train: Predictions, test: Predictions) -> dict[str, float | None]:
    """Metrics of constant predictors on the test part (``metrics.chance``)."""
    return _chance(tuple(train.label), tuple(test.label))


def provenance_of(
    corpus: Corpus, spec: Spec, *, device: str, started: datetime, seconds: float, together: int
) -> Provenance:
    """Where a record of a run on this machine comes from; ``together``: runs trained as one."""
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
def _chance(train: tuple[float, ...], test: tuple[float, ...]) -> dict[str, float | None]:
    return _defined(chance(np.array(train), np.array(test)))


def _defined(values: dict[str, float]) -> dict[str, float | None]:
    """Metrics with None for undefined ones, which JSON can say."""
    return {name: None if math.isnan(value) else value for name, value in values.items()}


def rounded(values) -> list[float]:
    """Six significant digits: below the precision of float32, and records stay small."""
    return [float(f"{v:.6g}") for v in np.asarray(values, float)]
