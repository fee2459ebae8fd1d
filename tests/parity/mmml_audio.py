"""Kind ``mmml_audio``: MMML's models of sound alone, after the encoder, in evaluation mode.

The Chinese one averages valid frames, as ours does. The English one averages padding, too, which
is ours with a mask that calls every frame valid.
"""

import torch

from msalib.models import mmml, recipes
from msalib.models.mmml import SOUND, Clip
from tests.parity import Fixture, compared
from tests.parity.mmml_fusion import masked, refuse_leftovers

TOLERANCE = 1e-5

WEIGHTS = {f"heads.{SOUND}.1.{kind}": f"w.classifier.{kind}" for kind in ("weight", "bias")}


@torch.inference_mode()
def errors(fixture: Fixture) -> dict[str, float]:
    """Return the error of each output."""
    recipe = recipes.load("mmml", "release", "full", "mosi")["model"]
    size = fixture["in_audio"].shape[-1]
    model = mmml.build(mmml.Config(**recipe), sizes={SOUND: size}, layers={}, outputs=1).eval()
    model.load_state_dict({ours: torch.tensor(fixture[theirs]) for ours, theirs in WEIGHTS.items()})
    states, mask = masked(fixture, "audio")
    ours = {}
    for suffix, valid in (("", mask), ("_all_frames", torch.ones_like(mask))):
        vector = mmml.mean_over_time(states, valid)
        output = model.read({SOUND: Clip(states, valid, vector)})
        ours |= {
            f"out_features{suffix}": vector,
            f"out_prediction{suffix}": output.prediction[:, None],
        }
    refuse_leftovers(fixture, set(WEIGHTS.values()) | set(ours))
    return compared(fixture, ours)
