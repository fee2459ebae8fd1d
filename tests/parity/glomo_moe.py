"""Kinds ``glomo_moe`` and ``glomo_losses``: one mixture of experts of GLoMo.

``glomo_moe`` is in evaluation mode; ``glomo_losses`` is in training mode with the noise given, and
in evaluation mode as well.
"""

import torch

from msalib.models.moe import MixtureOfExperts, squared_variation
from tests.parity import Fixture, compared, gradient_error

TOLERANCE = 1e-5

FILES = {kind: (kind,) for kind in ("glomo_moe", "glomo_losses")}

OMEGA = 0.01


def refuse_other_normals(fixture: Fixture, prefix: str) -> None:
    """Refuse a file in which the load's normal distribution has another deviation than 1."""
    if float(fixture[f"{prefix}std"].item()) != 1:
        raise fixture.error(f"{prefix}std {fixture[f'{prefix}std']}", "a deviation of 1")


def built(fixture: Fixture) -> MixtureOfExperts:
    """Return our mixture with the sizes and the weights of the file."""
    inputs, experts = fixture["w.w_gate"].shape
    active = int(fixture["meta_k" if "meta_k" in fixture else "k"])
    if not 1 <= active <= experts:
        raise fixture.error(f"k {active}", f"a number from 1 to {experts}")
    refuse_other_normals(fixture, "w.")
    mixture = MixtureOfExperts(
        inputs,
        fixture["w.experts.0.fc1.bias"].shape[0],
        fixture["w.experts.0.fc2.bias"].shape[0],
        experts=experts,
        active=active,
        combination="logsumexp",
        noise_floor=0.01,
        load_mean=float(fixture["w.mean"].item()),
    )
    names = {"gate": "w.w_gate", "noise": "w.w_noise"}
    for ours in mixture.state_dict():
        if ours not in names:
            part, i, kind = ours.split(".")
            layer = {"hidden": "fc1", "output": "fc2"}[part]
            names[ours] = f"w.experts.{i}.{layer}.{kind}"
    mixture.load_state_dict({ours: torch.tensor(fixture[name]) for ours, name in names.items()})
    weights = {*fixture.starting_with("w.")} - {*names.values(), "w.mean", "w.std"}
    if weights:
        raise fixture.error(f"weights {', '.join(sorted(weights)[:5])}", "those of this kind alone")
    return mixture


def errors(fixture: Fixture) -> dict[str, float]:
    """Return the error of each output and gradient."""
    mixture, x = built(fixture), torch.tensor(fixture["in_x"])
    with torch.no_grad():
        y, gates = mixture.eval()(x)
    if fixture.kind == "glomo_moe":
        return compared(fixture, {"out_y": y, "out_loss": OMEGA * gates.penalty})
    evaluated = {
        "out_eval_gates": gates.gates,
        "out_eval_load": gates.load,
        "out_eval_loss": OMEGA * gates.penalty,
        "out_eval_y": y,
    }
    gates = mixture.train().gates(x, torch.tensor(fixture["in_noise"]))
    y = mixture.combine(mixture.outputs(x), gates)
    loss = OMEGA * gates.penalty
    if loss.requires_grad:  # the loss of a single expert is a plain zero
        loss.backward()
    trained = {
        "out_gates": gates.gates,
        "out_importance": gates.importance,
        "out_load": gates.load,
        "out_cv_importance": squared_variation(gates.importance),
        "out_cv_load": squared_variation(gates.load),
        "out_loss": loss,
        "out_y": y,
    }
    ours = evaluated | {name: value.detach() for name, value in trained.items()}
    gradients = {"out_grad.w_gate": mixture.gate.grad, "out_grad.w_noise": mixture.noise.grad}
    fixture.require(gradients)
    found = compared(fixture, ours, gradients)
    for name, gradient in gradients.items():
        found[name] = gradient_error(fixture, name, gradient)
    return found
