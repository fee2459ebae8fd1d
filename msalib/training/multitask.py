"""Training with several tasks, labels that models write for themselves, and a text encoder inside.

The loop of SUGRM and Self-MM (papers/sugrm.md (d), (e)): gradients of several batches are summed
before a step, each part of the model has its own learning rate and weight decay, the labels of
single modalities move after every batch, validation selects the epoch by its mean loss over clips,
and the test part is read after that. Where several batches make a step and the text encoder is
trained along, they are put together by length of text, which spares it padding: the step sums the
same clips, only which of them share a batch changes.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from datetime import UTC, datetime
from functools import lru_cache
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, NonNegativeFloat, PositiveFloat, PositiveInt

from msalib import encoders, models
from msalib.base.errors import UserError
from msalib.base.progress import bar
from msalib.data.corpus import MODALITIES, PARTS, TUNED, Corpus, Examples
from msalib.runs.records import Geometry, MadeLabels, Record, Spec
from msalib.runs.trainer import chance_of, judge, provenance_of, rounded

LETTERS = {"t": "linguistic", "a": "acoustic", "v": "visual"}
"""Modalities as the papers abbreviate them in the names of sets of tasks."""

IMPROVEMENT = 1e-6
"""By which a validation loss must fall to count (papers/sugrm.md (e))."""

JUDGED = 128
"""Clips that are judged at a time."""


class Config(BaseModel):
    """What a recipe says of training; each value has its source in models/<family>.yaml.

    A learning rate or weight decay is None where the model has no such part.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    epochs: PositiveInt
    stop: Literal["early", "all_epochs"]
    epochs_without_stop: PositiveInt
    patience: PositiveInt
    batch_size: PositiveInt
    accumulation: PositiveInt
    precision: Literal["float32", "bfloat16"]
    learning_rate_text: PositiveFloat
    learning_rate_sequence: PositiveFloat | None
    learning_rate_acoustic: PositiveFloat | None
    learning_rate_visual: PositiveFloat | None
    learning_rate_other: PositiveFloat
    weight_decay_text: NonNegativeFloat
    weight_decay_sequence: NonNegativeFloat | None
    weight_decay_acoustic: NonNegativeFloat | None
    weight_decay_visual: NonNegativeFloat | None
    weight_decay_other: NonNegativeFloat
    loss: Literal["l1", "l2", "huber"]
    tasks: str
    generator: Literal["own_ulgm", "other_ulgm"]
    extremes: Literal["repeated", "unique"]
    zero: Literal["positive", "neither"]
    targets: Literal["clamped", "free"]


def tasks(name: str, modalities: Sequence[str]) -> list[str]:
    """Modalities whose own task is trained: ``tasks_all``, ``tasks_none`` or such as ``tasks_ta``.

    Raises ``ValueError`` for a name that is none of these, or of a modality that is not there.
    """
    if name == "tasks_all":
        return [m for m in MODALITIES if m in modalities]
    letters = "" if name == "tasks_none" else name.removeprefix("tasks_")
    chosen = [LETTERS.get(letter) for letter in letters]
    if not name.startswith("tasks_") or not set(chosen) <= set(modalities):
        raise ValueError(f"tasks {name!r} are not of {', '.join(modalities)}")
    return [m for m in MODALITIES if m in chosen]


def task_sets(modalities: Sequence[str]) -> list[str]:
    """Names of all sets of unimodal tasks, from none to all of these modalities."""
    letters = [letter for letter, m in LETTERS.items() if m in modalities]
    subsets = [
        "".join(c for i, c in enumerate(letters) if chosen >> i & 1)
        for chosen in range(2 ** len(letters))
    ]
    ordered = sorted(subsets, key=lambda subset: (len(subset), [letters.index(c) for c in subset]))
    return ["tasks_none", *(f"tasks_{s}" for s in ordered[1:-1]), "tasks_all"]


class Fit(NamedTuple):
    """A trained model with the weights of the selected epoch (from 1), and what led to it."""

    model: "torch.nn.Module"  # noqa: F821 - torch loads on use
    first: dict  # weights after epoch 1
    generator: object | None  # the ULGM, where a unimodal task is trained
    selected_epoch: int
    history: list[dict[str, float]]


class Trainer:
    """Trains the runs of one corpus on one device, one after the other."""

    def __init__(self, corpus: Corpus, device: str):
        self.corpus, self.device = corpus, device
        self._examples = lru_cache(maxsize=None)(self._make_examples)

    def groups(self, specs: Sequence[Spec]) -> list[list[Spec]]:
        """Every run alone: labels that move make them unlike."""
        return [[spec] for spec in specs]

    def train(self, specs: Sequence[Spec]) -> list[Record]:
        """Train the one run of a group, then judge it on the test part.

        For the geometry the test part is read with the weights after epoch 1, too.
        """
        (spec,) = specs
        started, clock = datetime.now(UTC), time.perf_counter()
        fitted = self.fit(spec)
        outputs = {part: predict(fitted.model, self.examples(spec, part)) for part in PARTS}
        predictions, metrics = {}, {}
        for part, own in outputs.items():
            predictions[part], metrics[part] = judge(self.examples(spec, part), own["multimodal"])
        fitted_part = predictions.pop("train")
        return [
            Record(
                spec=spec,
                blocks={m: len(self.corpus.features[m].blocks) or 1 for m in spec.inputs},
                provenance=provenance_of(
                    self.corpus,
                    spec,
                    device=self.device,
                    started=started,
                    seconds=round(time.perf_counter() - clock, 2),
                    together=1,
                ),
                selected_epoch=fitted.selected_epoch,
                history=fitted.history,
                metrics=metrics,
                chance=chance_of(fitted_part, predictions["test"]),
                layer_weights={},
                gates={},
                predictions=predictions,
                unimodal={
                    m: rounded(values.numpy())
                    for m, values in outputs["test"].items()
                    if m in tasks(spec.train["tasks"], list(spec.inputs))
                },
                labels=self._labels(spec, fitted),
                geometry=_geometry(fitted, outputs["test"], self.examples(spec, "test")),
            )
        ]

    def fit(self, spec: Spec) -> Fit:
        """The trained model of a run."""
        config = Config(**spec.train)
        train, valid = (self.examples(spec, part) for part in ("train", "valid"))
        family = spec.model["family"]
        return fit(lambda: self.build(spec), train, valid, config, family, spec.seed)

    def build(self, spec: Spec):
        """An untrained model of a run, on the CPU; the text encoder has its weights."""
        import torch

        train = self.examples(spec, "train")
        text = None
        sizes = {m: train.size(m) for m, _ in spec.system.inputs}
        if spec.inputs.get("linguistic") == TUNED:
            from msalib.encoders.tuned import TextEncoder

            source = self.corpus.features["linguistic"].provenance["encoder"]
            text = TextEncoder(encoders.resolve(source), spec.train["precision"])
            sizes["linguistic"] = text.width
        family = models.module(spec.model["family"])
        model = family.build(family.Config(**spec.model), input_sizes=sizes)
        return torch.nn.ModuleDict({"core": model} | ({"text": text} if text else {}))

    def examples(self, spec: Spec, part: str) -> Examples:
        """One part of the corpus as a run sees it."""
        return self._examples(part, spec.split, spec.system.inputs)

    def _make_examples(self, part, split, inputs) -> Examples:
        rows = self.corpus.rows(part, split)
        return self.corpus.examples(rows, inputs=dict(inputs), device=self.device)

    def _labels(self, spec: Spec, fitted: Fit) -> MadeLabels | None:
        if fitted.generator is None:
            return None
        examples, labels = self.examples(spec, "train"), fitted.generator.labels
        keep = spec.train["stop"] == "all_epochs"
        return MadeLabels(
            id=list(examples.ids),
            video=list(examples.videos),
            given=rounded(labels.given.cpu().numpy()),
            note=fitted.generator.note,
            **_summary(labels),
            made={m: _trajectory(labels, m) for m in labels.made} if keep else {},
        )


def fit(build: Callable, train: Examples, valid: Examples, config: Config, family: str, seed: int):
    """Train and return the weights of the selected epoch, a ``Fit``.

    ``build()`` makes the model: a ``ModuleDict`` with ``core`` and, where the text encoder is
    trained along, ``text``. ``family`` names the module of ``models`` that it is of. ``seed`` sets
    initial weights, order and dropout. Batches that do not fill a step at the end of an epoch are
    dropped, after their labels have moved. Raises ``UserError`` for a training part too small for
    one step, and where losses are not finite.
    """
    import torch

    from msalib.models import sugrm
    from msalib.training.loop import check_finite, check_parts

    check_parts(train, valid, config)
    if -(-len(train) // config.batch_size) < config.accumulation:
        raise UserError(
            "training part",
            found=f"{len(train)} clips, fewer than {config.accumulation} batches",
            expected=f"a step, which sums {config.accumulation} batches of {config.batch_size}",
            remedy="Use a larger corpus, or the recipe of the paper's text (-p preset paper).",
        )
    torch.manual_seed(seed)
    model = build().to(train.device)
    optimizer = torch.optim.Adam(_groups(model, family, config), fused=True)
    chosen = tasks(config.tasks, list(train.inputs))
    orders = torch.Generator().manual_seed(seed)
    generator = _generator(family, config, chosen, train, model, orders)
    lengths = train.lengths("linguistic") if TUNED in train.inputs.values() else None
    history, first, best, weights, selected = [], None, math.inf, None, 0
    last = config.epochs_without_stop if config.stop == "all_epochs" else config.epochs
    for epoch in bar(range(1, last + 1), f"seed {seed}", "epoch"):
        model.train()
        optimizer.zero_grad()
        order = torch.randperm(len(train), generator=orders)
        total = 0.0
        for step, rows in enumerate(_batches(order, lengths, config), start=1):
            batch = train.batch(rows)
            own = rows.to(train.device)
            output = _forward(model, batch)
            made = generator.labels.at(own) if generator else {}
            loss = sugrm.loss(output, batch.label, made, chosen, config.loss)
            loss.backward()
            total += float(loss.detach()) * len(rows)
            if generator:
                shared = {k: f.detach() for k, f in output.shared.items()}
                generator.update(epoch, own, shared)
            if step % config.accumulation == 0:
                optimizer.step()
                optimizer.zero_grad()
        if generator:
            generator.labels.end_epoch()
        judged = predict(model, valid)["multimodal"]
        valid_loss = float(sugrm.ERRORS[config.loss](judged, valid.label.cpu()))
        history.append({"train_loss": total / len(train), "valid_loss": valid_loss})
        check_finite(epoch, seed, total, valid_loss)
        if epoch == 1:
            first = deepcopy(model.state_dict())
        if valid_loss < best - IMPROVEMENT:
            best, selected, weights = valid_loss, epoch, deepcopy(model.state_dict())
        if config.stop == "early" and epoch - selected >= config.patience:
            break
    model.load_state_dict(weights)
    return Fit(model.eval(), first, generator, selected, history)


def _groups(model, family: str, config: Config) -> list[dict]:
    """Parameters with the learning rate and weight decay of their part."""
    settings = config.model_dump()
    groups = models.module(family).groups(model["core"])
    parts = [(name, parameters, True) for name, parameters in groups.items() if parameters]
    if "text" in model:
        decayed, spared = model["text"].groups()
        parts += [("text", decayed, True), ("text", spared, False)]
    return [
        {
            "params": parameters,
            "lr": settings[f"learning_rate_{name}"],
            "weight_decay": settings[f"weight_decay_{name}"] if decays else 0.0,
        }
        for name, parameters, decays in parts
    ]


def _generator(family: str, config: Config, chosen: list[str], train: Examples, model, orders):
    """The generator of labels that a run asks for; None where there is no unimodal task."""
    import torch

    from msalib.models import self_mm, sugrm

    if not chosen:
        return None
    batch_of = torch.empty(len(train), dtype=torch.long)
    first_pass = torch.randperm(len(train), generator=orders)
    batch_of[first_pass] = torch.arange(len(train)) // config.batch_size
    widths = {task: head.output.in_features for task, head in model["core"].heads.items()}
    if config.generator == "other_ulgm" and len(set(widths.values())) > 1:
        raise ValueError(f"{family} has features of unequal widths, SUGRM's generator needs equal")
    if (family == "sugrm") == (config.generator == "own_ulgm"):
        return sugrm.ULGM(
            train.label,
            chosen,
            width=widths["multimodal"],
            extremes=config.extremes,
            zero=config.zero,
            clamp=config.targets == "clamped",
            batch_of=batch_of.to(train.device),
        )
    return self_mm.ULGM(train.label, chosen, widths=widths, zero=config.zero)


def _batches(order, lengths, config: Config) -> Iterator["torch.Tensor"]:  # noqa: F821
    """Shuffled batches; those of one step are put together by length of text, where it is read."""
    for group in order.split(config.batch_size * config.accumulation):
        if lengths is not None:
            group = group[lengths[group].argsort(stable=True)]
        yield from group.split(config.batch_size)


def _forward(model, batch):
    features = dict(batch.features)
    if "text" in model:
        features["linguistic"] = model["text"](features["linguistic"], batch.mask["linguistic"])
    return model["core"](features, batch.mask)


def predict(model, examples: Examples) -> dict[str, "torch.Tensor"]:  # noqa: F821
    """Predictions (N,) of every task, and ``shared`` (N, d), in table order, on the CPU."""
    import torch

    model.eval()
    rows = torch.arange(len(examples))
    if TUNED in examples.inputs.values():
        rows = examples.lengths("linguistic").argsort(stable=True)
    found = []
    with torch.inference_mode():
        for some in rows.split(JUDGED):
            output = _forward(model, examples.batch(some))
            own = {"multimodal": output.prediction, "shared": output.shared["multimodal"]}
            found.append({k: v.float().cpu() for k, v in (own | output.unimodal).items()})
    place = rows.argsort()
    return {key: torch.cat([own[key] for own in found])[place] for key in found[0]}


def spearman(features: np.ndarray, label: np.ndarray) -> float | None:
    """Of distances of features (N, d) with distances of labels (N,), over all pairs of clips.

    None where either are all the same (papers/sugrm.md (b), C20).
    """
    from scipy.spatial.distance import pdist
    from scipy.stats import spearmanr

    apart, unlike = pdist(features), pdist(label[:, None])
    if np.ptp(apart) == 0 or np.ptp(unlike) == 0:
        return None
    return float(f"{spearmanr(apart, unlike).statistic:.6g}")


def _geometry(fitted: Fit, selected: dict, test: Examples) -> Geometry:
    """The geometry of the test clips with the selected weights, and with those after epoch 1."""
    label = test.label.cpu().numpy()
    chosen = fitted.model.state_dict()
    chosen = {name: values.clone() for name, values in chosen.items()}
    fitted.model.load_state_dict(fitted.first)
    first = predict(fitted.model, test)
    fitted.model.load_state_dict(chosen)
    return Geometry(
        first=spearman(first["shared"].numpy(), label),
        selected=spearman(selected["shared"].numpy(), label),
    )


def _summary(labels) -> dict[str, dict[str, list[float | None]]]:
    """Fields of ``MadeLabels`` that are numbers per epoch; the first epoch has no target."""
    past = labels.history
    found = {"movement": {}, "drift": {}, "clamped": {}, "percentile": {}}
    for m in labels.made:
        later = past[1:]
        found["movement"][m] = [None, *_changes([epoch.labels[m] for epoch in past])]
        found["drift"][m] = [None, None, *_changes([epoch.targets[m] for epoch in later])]
        found["drift"][m] = found["drift"][m][: len(past)]
        found["clamped"][m] = [None, *rounded([epoch.at_limit[m] for epoch in later])]
        found["percentile"][m] = [None, *rounded([epoch.magnitude[m] for epoch in later])]
    return found


def _changes(states: list) -> list[float]:
    """Mean absolute change from each state (N,) to the next."""
    return rounded([float((b - a).abs().mean()) for a, b in pairwise(states)])


def _trajectory(labels, modality: str) -> list[list[float]]:
    """Labels of all epochs, (epochs, N), in hundredths: records stay small."""
    made = np.stack([epoch.labels[modality].numpy() for epoch in labels.history])
    return [[float(f"{value:.2f}") for value in epoch] for epoch in made]
