"""Kind ``mrm``: the gated features of all modalities; no clip is padded."""

from collections.abc import Callable

import torch
from torch import nn

from msalib.models.sugrm import SQUEEZED, Recalibration
from tests.parity import Fixture, compared

TOLERANCE = 1e-5

INPUT = {"acoustic": "audio", "visual": "visual", "linguistic": "text"}
"""Inputs and outputs of a modality are named by its medium."""

LAYER = {"acoustic": "wa", "visual": "wv", "linguistic": "wl"}


def theirs(ours: str) -> str:
    """Return the authors' name of one of our parameters."""
    match ours.split("."):
        case "squeeze", kind:
            return f"wg.{kind}"
        case "excite", m, kind:
            return f"{LAYER[m]}.{kind}"
    raise KeyError(ours)


def errors(fixture: Fixture) -> dict[str, float]:
    x = {m: torch.tensor(fixture[f"in_{INPUT[m]}"]).float() for m in SQUEEZED}
    size = sum(v.shape[-1] for v in x.values())
    model = Recalibration(
        input_sizes={m: v.shape[-1] for m, v in x.items()},
        ratio=size // len(fixture["w.wg.bias"]),
    )
    outputs = {m: f"out_{name}" for m, name in INPUT.items()}
    weights = load(model, fixture, lambda name: f"w.{theirs(name)}")
    refuse_leftovers(fixture, weights | set(outputs.values()))
    length = {m: torch.full((len(v),), v.shape[1]) for m, v in x.items()}
    with torch.inference_mode():
        gates = model(x, length)
    return compared(fixture, {name: gates[m][:, None] * x[m] for m, name in outputs.items()})


def load(model: nn.Module, fixture: Fixture, name_of: Callable[[str], str]) -> set[str]:
    """Put weights of a file into a model; return their names, so that none is forgotten."""
    names = {ours: name_of(ours) for ours in model.state_dict()}
    for ours, parameter in model.state_dict().items():
        if fixture[names[ours]].shape != parameter.shape:
            raise fixture.error(
                f"{names[ours]} of shape {fixture[names[ours]].shape}",
                f"shape {tuple(parameter.shape)}",
            )
    model.load_state_dict({ours: torch.tensor(fixture[name]) for ours, name in names.items()})
    return set(names.values())


def refuse_leftovers(fixture: Fixture, known: set[str]) -> None:
    """Refuse weights and outputs of a file that have no place here."""
    if leftover := sorted(set(fixture.starting_with("w.", "out")) - known):
        raise fixture.error(f"unknown {', '.join(leftover)}", "what this kind has only")
