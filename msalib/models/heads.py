"""What each modality contributes to a prediction, in a model with a head per modality.

Its output has ``heads``, by modality and "fused", each (B,); its ``clip`` reads one stream alone:
MMML, papers/mmml.md (c). A clip with both modalities is predicted by the fused head, one with a
single modality by the head of that modality, which reads nothing else (claim C27). So nothing has
to stand in for what is missing.

The functions are those of ``gated``, where they are described.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from msalib.models.gated import Averages, Contributions

FUSED = "fused"

FEATURES = ("output", "mid_best", "input")
"""The model reads one layer, no sum of them."""

CHANGE = (
    "prediction minus that of the other modality's head alone; such numbers do not add up to the "
    "prediction; none where the clip has a single modality"
)


def check(config: Mapping, modalities: Sequence[str], averages: Averages) -> None:
    """Check that a configuration has a head for every choice; raise ``ValueError``."""
    if averages:
        raise ValueError("means, which a model with heads does not need")
    if len(modalities) > 1 and not set("mta") <= set(config.get("tasks", "")):
        raise ValueError("a model without a head for every choice of its modalities")


def readings(output: NamedTuple) -> dict[str, Tensor]:
    """Return the predictions (B,) of all heads."""
    return output.heads


def read(
    model: nn.Module, features: Mapping[str, Tensor], mask: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Return the predictions (B,) of the heads that read nothing but these modalities."""
    if FUSED not in model.heads or len(features) > 1:
        return model(features, mask).heads
    ((m, frames),) = features.items()
    return {m: model.heads[m](model.clip(m, frames, mask[m]).vector).squeeze(-1)}


def averages(model: nn.Module, heads: Mapping[str, Tensor]) -> dict:
    """Return nothing: no modality is replaced by an average."""
    return {}


def contributions(
    model: nn.Module, heads: Mapping[str, Tensor], averages: Averages, given: Mapping[str, Tensor]
) -> Contributions:
    """Predict from the predictions (B,) of the heads; one that no clip has may be left out.

    ``given[m]`` (B,) is true where a clip has the modality; every clip has one. ``change`` is the
    fused prediction minus that of the other head, and nan where only one is given.
    """
    unknown = torch.full_like(next(iter(heads.values())), torch.nan)
    own = {m: heads.get(m, unknown) for m in given}
    prediction = unknown
    for m, here in given.items():
        prediction = torch.where(here, own[m], prediction)
    if len(given) == 1:
        return Contributions(prediction, None, dict.fromkeys(given, unknown))
    whole = torch.stack([*given.values()]).all(0)
    fused = torch.where(whole, heads.get(FUSED, unknown), torch.nan)
    a, b = given
    change = {a: fused - own[b], b: fused - own[a]}
    return Contributions(torch.where(whole, fused, prediction), None, change)


def without(given: Sequence[str]) -> str:
    """Return how clips are predicted that have only this modality, after "not given, so"."""
    return f"the prediction is that of the {given[0]} head, which reads nothing else"
