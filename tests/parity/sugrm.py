"""Kind ``sugrm``: the model after its text encoder, on clips of full length, in evaluation mode.

A file holds neither heads nor layers nor shift of the SPT: as for the kind ``spt``, every possible
choice is tried, and the least error counts.
"""

from itertools import product
from typing import get_args

import numpy as np
import torch

from msalib.models.spt import Shift
from msalib.models.sugrm import SUGRM
from tests.parity import Fixture, max_abs_error, mrm, spt

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


def _compared(model: SUGRM, fixture: Fixture) -> dict[str, float]:
    """Error of each output, with the SPT that the model has now."""
    padded = {m: torch.tensor(fixture[f"in_{name}"]).float() for m, name in spt.INPUT.items()}
    features = {m: x.flatten(0, 1) for m, x in padded.items()}
    mask = {m: torch.ones(x.shape[:2], dtype=torch.bool) for m, x in padded.items()}
    with torch.inference_mode():
        output = model(features, mask)
    predictions = {"multimodal": output.prediction, **output.unimodal}
    ours = {OUTPUT[task]: value[:, None] for task, value in predictions.items()}
    ours |= {SHARED[task]: feature for task, feature in output.shared.items()}
    return {name: max_abs_error(fixture, name, value) for name, value in ours.items()}


def errors(fixture: Fixture) -> dict[str, float]:
    """Error of each output, with the heads, the layers and the shift that fit best."""
    model, tried = _model(fixture), []
    width = fixture["w.spe.init_hiddens"].shape[1]
    for heads, shift, layers in product(spt.heads(width), get_args(Shift), range(1, spt.DEPTH + 1)):
        model.sequence = spt.load(fixture, "w.spe.", heads=heads, layers=layers, shift=shift)
        tried.append(_compared(model, fixture))
    return min(tried, key=lambda found: np.max(list(found.values())))
