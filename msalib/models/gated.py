"""What each modality contributes to a prediction, in a model that weighs vectors by gates.

The model has one encoder per modality for its vector z_m (B, F), ``fuse`` for the gates alpha
(B, 3), and a decoder of the sum of alpha_m z_m: UEGD, equations (2) to (5). Its output has the z_m
as ``embeddings``. A modality that a clip lacks has its average over the training set.

A model file names this module ``CONTRIBUTIONS``, so that its models can be saved and applied to
single clips (``runs.save``). ``heads`` offers the same for models with a head per modality:

    FEATURES       what a layered, frozen encoder may give to the model, the usual choice first
    CHANGE         what ``Contributions.change`` is, in words
    check          (config, modalities, averages) -> None, or a ``ValueError``
    readings       (output) -> name -> (B, ...): all of a whole output that predictions are made of
    read           (model, features, mask) -> the same of clips that have only these modalities
    averages       (model, readings) -> what a prediction needs to know of the training set
    contributions  (model, readings, averages, given) -> ``Contributions``
    without        (given) -> how clips are predicted that have only these modalities, in words
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from msalib.data.corpus import MODALITIES
from msalib.models.extras import rounded

FEATURES = ("weighted", "output", "mid_best", "uniform", "input")
"""``mid_best`` asks for a training of every layer first, and ``output`` stands or falls with the
last block. By UEGD's Table 2 ``weighted`` has the lowest error on MOSI, and is 0.004 points behind
mid-best on MOSEI."""

CHANGE = (
    "prediction minus the prediction with this modality's gated vector at its mean over the "
    "training clips; such numbers do not add up to the prediction; none where the modality was "
    "not given"
)

Averages = Mapping[str, Mapping[str, Sequence[float]]]
"""Modality -> ``vector``, the average of z_m, and ``gated``, that of alpha_m z_m, both (F,)."""


class Contributions(NamedTuple):
    """Predictions for B clips, and what each modality changed in them.

    Models with gates: ``change`` is the prediction minus what it would be if alpha_m z_m were its
    average over the training set; zero where it is so already. It is nan where a model has nothing
    to compare with. ``gates`` is None in models without.
    """

    prediction: Tensor  # (B,)
    gates: Tensor | None  # (B, 3)
    change: dict[str, Tensor]  # modality -> (B,)


def check(config: Mapping, modalities: Sequence[str], averages: Averages) -> None:
    """Check that a configuration has gates and that averages fit it; raise ``ValueError``."""
    size = config.get("embedding_size")
    lengths = {len(values) for average in averages.values() for values in average.values()}
    names = {name for average in averages.values() for name in average}
    if set(averages) != set(modalities) or lengths != {size} or names != {"vector", "gated"}:
        raise ValueError("means that do not fit its modalities")
    if config.get("fusion") != "gate":
        raise ValueError("a model without gates")


def readings(output: NamedTuple) -> dict[str, Tensor]:
    """Return the vectors z_m (B, F) by modality."""
    return output.embeddings


def read(
    model: nn.Module, features: Mapping[str, Tensor], mask: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Return the vectors z_m (B, F) of some modalities; features and mask as in ``Batch``."""
    return {m: model.encoders[m](frames, mask[m])[0] for m, frames in features.items()}


def averages(model: nn.Module, z: Mapping[str, Tensor]) -> dict[str, dict[str, list[float]]]:
    """Return the averages over the clips of the training set, whose vectors ``z`` are (N, F)."""
    gates = model.fuse(z)[1]
    return {
        m: {
            "vector": rounded(vector.mean(0).detach().cpu()),
            "gated": rounded((gates[:, [MODALITIES.index(m)]] * vector).mean(0).detach().cpu()),
        }
        for m, vector in z.items()
    }


def contributions(
    model: nn.Module, z: Mapping[str, Tensor], averages: Averages, given: Mapping[str, Tensor]
) -> Contributions:
    """Predict from the vectors z_m (B, F) of a model; one that no clip has may be left out.

    ``given[m]`` (B,) is true where a clip has the modality. Elsewhere z_m is not read, and both
    z_m, which all gates see, and alpha_m z_m are the averages over the training set.
    """
    tensor = next(iter(z.values())).new_tensor
    mean, usual = (
        {m: tensor(own[name]) for m, own in averages.items()} for name in ("vector", "gated")
    )
    z = {m: torch.where(given[m][:, None], z.get(m, mean[m]), mean[m]) for m in averages}
    gates = model.fuse(z)[1]
    gated = {
        m: torch.where(given[m][:, None], gates[:, [MODALITIES.index(m)]] * z[m], usual[m])
        for m in z
    }
    whole = sum(gated.values())
    prediction = model.decoder(whole)
    change = {
        m: torch.where(given[m], prediction - model.decoder(whole - gated[m] + usual[m]), 0.0)
        for m in z
    }
    return Contributions(prediction, gates, change)


def without(given: Sequence[str]) -> str:
    """Return how clips are predicted that have only these modalities, after "not given, so"."""
    return "it has its mean over the training clips"
