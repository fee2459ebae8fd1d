"""Trained models on disk: UEGD with several seeds, and what a prediction needs beside the weights.

    seed-0.safetensors ...   weights of one training each, of the epoch that validation selected
    model.json               ``About``

A folder of a model is written under a temporary name and renamed: it is there whole or not at all.
The runs are those of ``trainer``; what is kept here, and not in a record, are their weights.
"""

import hashlib
import os
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from msalib import models
from msalib.base import files
from msalib.base.errors import UserError
from msalib.data.corpus import MODALITIES, Corpus
from msalib.data.readers.build import SCALE
from msalib.runs.records import Provenance
from msalib.runs.spec import Spec, System, system

if TYPE_CHECKING:
    from torch import Tensor, nn

    from msalib.encoders import Encoder
    from msalib.runs.study import Study

ABOUT = "model.json"

FEATURES = ("weighted", "output", "mid_best", "uniform", "input")
"""What a layered encoder gives to the model. ``weighted`` is the usual one: ``mid_best`` asks for a
training of every layer first, and ``output`` stands or falls with the last block. By UEGD's Table 2
it has the lowest error on MOSI, and is 0.004 points behind mid-best on MOSEI."""

SETTINGS = ("sound", "waveform", "features", "sampling", "faces", "pictures", "precision")
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

    ``layer`` is a layer number or one of ``corpus.SUMS``; ``encoder`` is None for features that
    come with the data, which are then named by ``source``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    layer: int | str
    layers: int = Field(ge=1)
    width: int = Field(ge=1)
    unit: str
    source: str
    encoder: Source | None


class Mean(BaseModel):
    """Of one modality over the training clips: the vector z, and gate times vector, both (F,)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    vector: list[float]
    gated: list[float]


class Run(BaseModel):
    """One training. ``metrics`` are of validation and test, ``means`` by modality."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int
    weights: str  # file name
    sha256: str
    selected_epoch: int
    metrics: dict[str, dict[str, float | None]]
    means: dict[str, Mean]


class About(BaseModel):
    """What a saved model says of itself.

    ``spec`` is that of the first run; the others differ in the seed. ``errors`` has, for each
    choice of given modalities ("visual+acoustic"), the sorted absolute errors of the mean over
    seeds on the validation clips, whatever is not given replaced by its mean (``read``);
    ``coverage`` the share of test labels within the intervals made of them, by level.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    setting: str
    features: Literal[FEATURES]
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
        """Half of a prediction interval for clips of which these modalities are given.

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


# --- from vectors to predictions ----------------------------------------------------------------


class Reading(NamedTuple):
    """What one network makes of B clips.

    ``change`` is, by modality, the prediction minus what it would be if gate times vector of this
    modality were as in the mean of the training clips; zero where it is so already.
    """

    prediction: "Tensor"  # (B,)
    gates: "Tensor"  # (B, 3)
    change: dict[str, "Tensor"]  # modality -> (B,)


def read(
    network: "nn.Module",
    vectors: Mapping[str, "Tensor"],
    means: Mapping[str, Mean],
    given: Mapping[str, "Tensor"],
) -> Reading:
    """Predict from the vectors z_m (B, F) of all modalities of a model with gates.

    ``given[m]`` (B,) is true where a clip has the modality; elsewhere ``vectors[m]`` is not read,
    and both z_m, which all gates see, and alpha_m z_m are the means over the training clips.
    """
    import torch

    tensor = next(iter(vectors.values())).new_tensor
    z = {
        m: torch.where(given[m][:, None], vector, tensor(means[m].vector))
        for m, vector in vectors.items()
    }
    gates = network.fuse(z)[1]
    usual = {m: tensor(means[m].gated) for m in z}
    gated = {
        m: torch.where(given[m][:, None], gates[:, [MODALITIES.index(m)]] * z[m], usual[m])
        for m in z
    }
    whole = sum(gated.values())
    prediction = network.decoder(whole)
    change = {
        m: torch.where(given[m], prediction - network.decoder(whole - gated[m] + usual[m]), 0.0)
        for m in z
    }
    return Reading(prediction, gates, change)


def key(given: Sequence[str]) -> str:
    """The name of a choice of modalities in ``About.errors``."""
    return "+".join(m for m in MODALITIES if m in given)


def half_width(errors: Sequence[float], level: int) -> float | None:
    """See ``About.half_width``."""
    k = -(-(len(errors) + 1) * level // 100)
    return sorted(errors)[k - 1] if k <= len(errors) else None


# --- train --------------------------------------------------------------------------------------


def train(
    dataset: str,
    out: Path | str,
    *,
    features: str = "weighted",
    refresh: bool = False,
    parameters: Mapping | None = None,
) -> Path:
    """Train UEGD on all modalities of a setting and save it as the folder ``out``; return that.

    ``parameters`` are those of a ``Study``: encoder, profile, preset, seeds, device. A folder that
    is there is refused, unless it is a model and ``refresh`` asks to replace it. The numbers are
    those of the same runs by ``Study.run``; the test part is judged once, at the end. Raises
    ``UserError`` also for an unknown choice of features and where the disk refuses.
    """
    from msalib.base.provenance import one_thread
    from msalib.runs.study import Study

    out = Path(out)
    _check_place(out, refresh)
    parameters = {"dataset": dataset, **(parameters or {})}
    if parameters["dataset"] != dataset:
        raise UserError(
            f"parameter dataset {parameters['dataset']!r}",
            found=f"another data set than {dataset}",
            expected="one data set",
            remedy="Leave -p dataset out.",
        )
    study = Study("uegd", **parameters)
    wanted = _system(study, features)
    corpus = study.encoded
    with one_thread():  # as in Study: the number of cores must not change the digits
        _train(study, corpus, wanted, features, out, refresh)
    return out


def _train(
    study: "Study", corpus: Corpus, wanted: System, features: str, out: Path, refresh: bool
) -> None:
    """Train one model per seed and save them with what is known of them."""
    from datetime import UTC, datetime
    from time import perf_counter

    from msalib.base.provenance import pick_device
    from msalib.runs.trainer import Trainer, provenance_of

    trainer = Trainer(corpus, pick_device(study.parameters.device))
    specs = [study.spec(wanted, seed) for seed in range(study.parameters.seeds)]
    started, clock = datetime.now(UTC), perf_counter()
    fits = [fit for group in trainer.groups(specs) for fit in trainer.fit(group)]
    seconds = round((perf_counter() - clock) / len(specs), 2)
    networks = [fit.model for fit in fits]
    read_parts = {
        part: _Part(trainer.examples(specs[0], part), networks)
        for part in ("train", "valid", "test")
    }
    means = [
        _means(network, own)
        for network, own in zip(networks, read_parts["train"].vectors, strict=True)
    ]
    errors, coverage = _calibrated(networks, means, read_parts["valid"], read_parts["test"])
    with files.whole_folder(out) as folder:
        runs = []
        for i, (spec, fit) in enumerate(zip(specs, fits, strict=True)):
            file, content = f"seed-{spec.seed}.safetensors", _weights(fit.model)
            (folder / file).write_bytes(content)
            runs.append(
                Run(
                    seed=spec.seed,
                    weights=file,
                    sha256=hashlib.sha256(content).hexdigest(),
                    selected_epoch=fit.selected_epoch,
                    metrics={p: read_parts[p].metrics(i) for p in ("valid", "test")},
                    means=means[i],
                )
            )
        about = About(
            setting=study.setting,
            features=features,
            spec=specs[0],
            inputs={m: _input(study, corpus, m, layer) for m, layer in wanted.inputs},
            faces=corpus.faces,
            scale=(-SCALE, SCALE),
            notes=list(corpus.notes),
            clips={part: len(own.examples) for part, own in read_parts.items()},
            runs=runs,
            mean_metrics={p: read_parts[p].metrics() for p in ("valid", "test")},
            errors=errors,
            coverage=coverage,
            provenance=provenance_of(
                corpus,
                specs[0],
                device=trainer.device,
                started=started,
                seconds=seconds,
                together=len(specs),
            ),
        )
        files.write_json(folder / ABOUT, about.model_dump(mode="json"))
        _check_place(out, refresh)  # it may have come meanwhile


def report(folder: Path) -> list[str]:
    """What was saved, in lines: the setting, its scores, what its intervals hold."""
    about = describe(folder)
    parts = ", ".join(f"{n} {part}" for part, n in about.clips.items())
    lines = [f"{folder}: UEGD on {about.setting}", f"  clips: {parts}"]
    for part, name in (("valid", "validation"), ("test", "test")):
        maes = [run.metrics[part]["mae"] for run in about.runs]
        corr = about.mean_metrics[part]["corr"]
        lines.append(
            f"  {name}: MAE {about.mean_metrics[part]['mae']:.3f} of the mean over seeds "
            f"({min(maes):.3f} to {max(maes):.3f} of single ones), correlation "
            + ("undefined" if corr is None else f"{corr:.3f}")
        )
    held = about.coverage[key(list(about.inputs))]
    lines += [
        f"  {level} % prediction interval: held {share:.0%} of the test labels"
        for level, share in held.items()
    ]
    return lines


def _check_place(out: Path, refresh: bool) -> None:
    """Before hours of training: whether its result will have a place."""
    above = next(p for p in out.absolute().parents if p.exists())
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


def _system(study: "Study", features: str) -> System:
    """All modalities of the setting with these features; vectors come as they are."""
    if features not in FEATURES:
        raise UserError(
            f"features {features!r}",
            found="no such choice",
            expected=f"one of {', '.join(FEATURES)}",
            remedy="Leave --features out for the weighted sum of all layers.",
        )
    layers = {}
    for m in study.dataset.modalities:
        last = study.blocks(m)
        if last == 1:
            layers[m] = 1
        elif features == "mid_best":
            layers[m] = _best_block(study, m)
        else:
            layers[m] = {"input": 0, "output": last}.get(features, features)
    return system(layers)


def _best_block(study: "Study", modality: str) -> int:
    """Train each block of a modality alone and return the one that validation chooses."""
    from msalib.runs.query import Runs

    blocks = [system({modality: k}) for k in range(1, study.blocks(modality) + 1)]
    return Runs(study.run(blocks)).best(blocks).inputs[0][1]


class _Part:
    """One part of the corpus as every network reads it."""

    def __init__(self, examples, networks):
        import torch

        from msalib.training import loop as train

        self.examples = examples
        self.vectors, self.predictions = [], []
        for network in networks:
            outputs = train.predict(network, examples, 64).batches
            self.vectors.append(
                {m: torch.cat([o.embeddings[m] for o in outputs]) for m in network.encoders}
            )
            self.predictions.append(torch.cat([o.prediction for o in outputs]))

    def metrics(self, i: int | None = None) -> dict[str, float | None]:
        """Of one network, or of the mean over all."""
        from msalib.runs.trainer import judge

        mean = sum(self.predictions) / len(self.predictions)
        return judge(self.examples, mean if i is None else self.predictions[i])[1]


def _means(network, vectors) -> dict[str, Mean]:
    from msalib.models.extras import rounded

    gates = network.fuse(vectors)[1]
    return {
        m: Mean(
            vector=rounded(z.mean(0).detach().cpu()),
            gated=rounded((gates[:, [MODALITIES.index(m)]] * z).mean(0).detach().cpu()),
        )
        for m, z in vectors.items()
    }


def _calibrated(networks, means, valid: _Part, test: _Part):
    """``About.errors`` and ``About.coverage``, for every choice of modalities."""
    from msalib.models.extras import rounded

    used = list(networks[0].encoders)
    errors, coverage = {}, {}
    for given in (c for n in range(1, len(used) + 1) for c in combinations(used, n)):
        off = {}
        for name, part in (("valid", valid), ("test", test)):
            here = {m: part.examples.label.new_full((len(part.examples),), m in given).bool()
                    for m in used}  # fmt: skip
            found = [
                read(network, own, mean, here).prediction.detach()
                for network, own, mean in zip(networks, part.vectors, means, strict=True)
            ]
            mean = sum(found) / len(found)
            off[name] = (part.examples.label - mean).abs().cpu().numpy()
        errors[key(given)] = rounded(np.sort(off["valid"]))
        widths = {level: half_width(errors[key(given)], level) for level in LEVELS}
        coverage[key(given)] = {
            str(level): 1.0 if width is None else round(float((off["test"] <= width).mean()), 4)
            for level, width in widths.items()
        }
    return errors, coverage


def _input(study: "Study", corpus: Corpus, modality: str, layer: int | str) -> Input:
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


# --- load ---------------------------------------------------------------------------------------


def describe(folder: Path | str) -> About:
    """The description of a saved model; one that is missing or damaged is a ``UserError``."""
    path = Path(folder) / ABOUT
    expected, remedy = "a folder that msalib train wrote", "Make one: msalib train DATASET --out."
    if not path.is_file():
        found = "no such folder" if not Path(folder).is_dir() else f"no {ABOUT} in it"
        raise UserError(folder, found=found, expected=expected, remedy=remedy)
    try:
        about = About.model_validate_json(path.read_bytes())
        _check(about)
    except (OSError, ValueError) as error:
        raise UserError(path, found=_told(error), expected=expected, remedy=remedy) from error
    return about


def _check(about: About) -> None:
    """What the types of ``About`` do not say; raises ``ValueError``."""
    used = [m for m in MODALITIES if m in about.inputs]
    every = {key(c) for n in range(1, len(used) + 1) for c in combinations(used, n)}
    if dict(about.spec.inputs) != {m: i.layer for m, i in about.inputs.items()} or not used:
        raise ValueError("inputs that are not those of its specification")
    if set(about.errors) != every or set(about.coverage) != every:
        raise ValueError("no errors for some choice of its modalities")
    size = about.spec.model.get("embedding_size")
    for run in about.runs:
        lengths = {len(v) for mean in run.means.values() for v in (mean.vector, mean.gated)}
        if set(run.means) != set(used) or lengths != {size}:
            raise ValueError(f"means of seed {run.seed} that do not fit its modalities")
    if about.spec.model.get("fusion") != "gate":
        raise ValueError("a model without gates")


def _told(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors()[0]
    return f"{first['msg']} at {'.'.join(map(str, first['loc'])) or 'the top'}"


def load(folder: Path | str) -> Model:
    """A saved model; a folder that is missing, damaged or of another format is a ``UserError``.

    Weights are held against the SHA-256 in ``model.json`` before they are read.
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
        module = models.module(about.spec.family)
        network = module.build(
            module.Config(**about.spec.model),
            sizes={m: i.width for m, i in about.inputs.items()},
            layers={m: i.layers for m, i in about.inputs.items() if i.layer == "weighted"},
            outputs=1,
        )
        network.load_state_dict(load(content))
    except FileNotFoundError as error:
        raise UserError(path, found="no such file", expected=expected, remedy=remedy) from error
    except RuntimeError as error:  # torch's, of names and shapes
        found = "weights of other names or shapes"
        raise UserError(path, found=found, expected=expected, remedy=remedy) from error
    except (OSError, ValueError, SafetensorError) as error:
        found = _told(error)
        raise UserError(path, found=found, expected=expected, remedy=remedy) from error
    return network.eval()
