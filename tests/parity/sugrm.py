"""Kind ``sugrm``: the model after its text encoder, on clips of full length, in evaluation mode.

A file holds neither heads nor layers of the SPT: as for the kind ``spt``, every possible number is
tried, from the states of all depths, with the shift of the release. The whole model with the best
choice is what counts.
"""

from collections.abc import Mapping

import torch
from torch import nn

from msalib.models.sugrm import SUGRM
from tests.parity import Fixture, best, mrm, once, spt

TOLERANCE = 1e-5

LAYER = {"hidden": "proj1", "feature": "proj2", "output": "out_layer"}

TASK = {"multimodal": "f", **spt.LETTER}
"""The authors' layers and features of a task end in it."""

OUTPUT = {
    task: f"out.{'M' if task == 'multimodal' else letter.upper()}" for task, letter in TASK.items()
}
SHARED = {task: f"out.Feature_{letter}" for task, letter in TASK.items()}


def _head(ours: str) -> str:
    """The file's name of a parameter of our heads."""
    task, layer, kind = ours.split(".")
    return f"w.{LAYER[layer]}_{TASK[task]}.{kind}"


def _model(fixture: Fixture) -> SUGRM:
    """Our model with the sizes and the weights of the file, without its SPT."""
    sizes = {m: fixture[f"in_{name}"].shape[-1] for m, name in spt.INPUT.items()}
    model = SUGRM(
        input_sizes=sizes,
        sequence=torch.nn.Identity(),
        width=len(fixture["w.proj1_f.bias"]),
        bottleneck_ratio=sum(sizes.values()) // len(fixture["w.se_model.wg.bias"]),
        head_dropout=0.0,
        head="release",
        recalibration="mrm",
    )
    weights = mrm.load(model.heads, fixture, _head)
    weights |= mrm.load(model.recalibration, fixture, lambda name: f"w.se_model.{mrm.theirs(name)}")
    weights |= set(fixture.starting_with("w.spe."))  # spt.load looks at these
    mrm.refuse_leftovers(fixture, weights | set(OUTPUT.values()) | set(SHARED.values()))
    return model.eval()


class States(nn.Module):
    """What the SPT gives, m -> (B, W), in its place."""

    def __init__(self, states: Mapping[str, torch.Tensor]):
        super().__init__()
        self.states = dict(states)

    def forward(self, x, length) -> dict[str, torch.Tensor]:
        return dict(self.states)


def _batch(fixture: Fixture) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """Frames (B, T, D) and full masks (B, T) by modality."""
    x = {m: torch.tensor(fixture[f"in_{name}"]).float() for m, name in spt.INPUT.items()}
    return x, {m: torch.ones(frames.shape[:2], dtype=torch.bool) for m, frames in x.items()}


@torch.inference_mode()
def _outputs(model: SUGRM, fixture: Fixture) -> dict[str, torch.Tensor]:
    """Our outputs by the file's names, with the SPT that the model has now."""
    x, mask = _batch(fixture)
    output = model({m: frames.flatten(0, 1) for m, frames in x.items()}, mask)
    predictions = {"multimodal": output.prediction, **output.unimodal}
    ours = {OUTPUT[task]: value[:, None] for task, value in predictions.items()}
    return ours | {SHARED[task]: feature for task, feature in output.shared.items()}


@once
@torch.inference_mode()
def _candidates(fixture: Fixture) -> dict[spt.Choice, dict[str, torch.Tensor]]:
    model, (x, mask) = _model(fixture), _batch(fixture)
    gates = model.recalibration(x, {m: valid.sum(1) for m, valid in mask.items()})
    gated = {m: gates[m][:, None] * x[m] for m in x}
    candidates = {}
    for choice, states in spt.by_depth(fixture, "w.spe.", gated).items():
        model.sequence = States({m: h[:, -1] for m, h in states.items()})
        candidates[choice] = _outputs(model, fixture)
    return candidates


@once
def _whole(fixture: Fixture, choice: spt.Choice) -> dict[str, torch.Tensor]:
    model = _model(fixture)
    model.sequence = spt.load(fixture, "w.spe.", **choice._asdict())
    return _outputs(model, fixture)


def fitting(fixture: Fixture) -> tuple[spt.Choice, dict[str, float]]:
    """Return the choice of the release that fits best, with the error of each output."""
    fixture.require([*OUTPUT.values(), *SHARED.values()])
    released = spt.with_shift(spt.shift_of("release"), _candidates(fixture))
    choice, _ = best(fixture, released)
    return best(fixture, {choice: _whole(fixture, choice)})


def errors(fixture: Fixture) -> dict[str, float]:
    """Return the error of each output, with the heads and the layers that fit best."""
    return fitting(fixture)[1]
