"""What a gate weight is, and is not: models trained here and now, looked at from inside.

Records keep the gate weights of every test clip; gradients and embeddings need the model itself.
"""

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from msalib.base import noise
from msalib.base.provenance import one_thread, pick_device
from msalib.data.corpus import MODALITIES
from msalib.pages.tables import Table
from msalib.runs.spec import Spec, System
from msalib.runs.study import Study
from msalib.runs.trainer import Trainer
from msalib.training import loop
from msalib.training.objective import Objective

BATCH = 64
"""Clips that are predicted at a time."""


@one_thread()
def unused(study: Study, system: System, seed: int = 0) -> Table:
    """Show the gradient and movement of each gate's parameters where some modalities are not read.

    The parameters of the gate of modality m are a row of the gate's weights and its bias. Gradient:
    the largest absolute value at the first weights, over the batches of an epoch. Movement: the
    largest absolute change between the first and the selected weights. Weight: mean of alpha on
    the test clips.
    """
    trainer = Trainer(study.encoded, pick_device(study.parameters.device))
    spec = study.spec(system, seed)
    torch.manual_seed(seed)
    first = trainer.build(spec)
    gradient = _largest_gradients(trainer, spec)
    model = trainer.fit([spec])[0].model
    outputs = loop.predict(model, trainer.examples(spec, "test"), BATCH)
    last = model.gate.cpu()
    moved = _rows(last.weight - first.gate.weight, last.bias - first.gate.bias)
    alpha = outputs.column(lambda output: output.gates).mean(0)
    frame = pd.DataFrame(
        {
            "gate of": m,
            "used": "yes" if m in spec.inputs else "no",
            "largest gradient": _exact(gradient[i]),
            "largest movement": _exact(moved[i]),
            "mean weight on test": f"{float(alpha[i]):.3f}",
        }
        for i, m in enumerate(MODALITIES)
    )
    caption = (
        f"Gates of a model that reads {' and '.join(spec.inputs)} only, seed {seed}. Gradient: "
        "largest over the clips, at the first weights; movement: from these to the selected ones. "
        f"Setting: {study.setting}."
    )
    return Table(frame, caption=caption)


@one_thread()
def reading(study: Study, system: System) -> Table:
    """Show each gate's weight, the size of its embedding, and what is lost without the modality.

    One model per seed. Means over the test clips: alpha_m, the norm of z_m, the norm of their
    product, and how much the mean absolute error rises when z_m is replaced by its mean over the
    test clips. On the control also the planted share of the modality in the label.
    """
    trainer = Trainer(study.encoded, pick_device(study.parameters.device))
    planted = (study.truth or {}).get("weights", {})
    rows = []
    for seed in range(study.parameters.seeds):
        spec = study.spec(system, seed)
        model = trainer.fit([spec])[0].model
        examples = trainer.examples(spec, "test")
        batches = loop.predict(model, examples, BATCH).batches
        for m, numbers in _use_of(model, batches, examples.label, list(spec.inputs)).items():
            share = {"planted share of the label": f"{planted[m]:.1f}"} if planted else {}
            rows.append({"seed": seed, "modality": m} | share | numbers)
    names = " + ".join(spec.inputs)
    caption = f"Models of {names}, means over the test clips. Setting: {study.setting}."
    return Table(pd.DataFrame(rows), caption=caption)


def _use_of(model, batches: list, label: Tensor, modalities: list[str]) -> dict[str, dict]:
    """Return what ``reading`` shows of each modality, from the model's outputs by batch."""
    alpha = torch.cat([output.gates for output in batches])
    z = {m: torch.cat([output.embeddings[m] for output in batches]) for m in modalities}
    error, numbers = _error(model, z, label), {}
    for m in z:
        gate, norm = alpha[:, MODALITIES.index(m)], z[m].norm(dim=1)
        without = {**z, m: z[m].mean(0, keepdim=True).expand_as(z[m])}
        numbers[m] = {
            "gate weight": f"{float(gate.mean()):.2f}",
            "size of embedding": f"{float(norm.mean()):.2f}",
            "size of their product": f"{float((gate * norm).mean()):.2f}",
            "MAE lost without it (points)": f"{_error(model, without, label) - error:+.3f}",
        }
    return numbers


def _largest_gradients(trainer: Trainer, spec: Spec) -> np.ndarray:
    """Return the largest gradient of each gate's parameters over one epoch, without masks: (3,)."""
    torch.manual_seed(spec.seed)
    model, objective = trainer.build(spec).to(trainer.device), Objective(trainer.task.error)
    key, largest = noise.key(spec.seed, trainer.device), np.zeros(len(MODALITIES))
    for step, batch in enumerate(trainer.examples(spec, "train").batches(spec.train["batch_size"])):
        sites = torch.arange(len(noise.dropouts(model)))
        noise.set_keys(model, noise.derive(noise.derive(key, step), sites))
        model.zero_grad()
        objective.loss(model(batch.features, batch.mask), batch).backward()
        largest = np.maximum(largest, _rows(model.gate.weight.grad, model.gate.bias.grad))
    return largest


def _rows(weight: Tensor, bias: Tensor) -> np.ndarray:
    """Return the largest absolute value of each gate's parameters: (3, 3F) and (3,) to (3,)."""
    return torch.cat([weight, bias[:, None]], 1).detach().abs().amax(1).cpu().numpy()


@torch.no_grad()
def _error(model, z: dict[str, Tensor], label: Tensor) -> float:
    """Return the mean absolute error of the model from embeddings (N, F) on."""
    return float((model.fuse(z)[0] - label).abs().mean())


def _exact(value: float) -> str:
    return "exactly 0" if value == 0 else f"{value:.2g}"
