"""What each modality contributes to a prediction, in a model that weighs vectors by gates.

The model has one encoder per modality for its vector z_m (B, F), ``fuse`` for the gates alpha
(B, 3), and a decoder of the sum of alpha_m z_m: UEGD, equations (2) to (5). Its output has the z_m
as ``embeddings``. A modality that a clip lacks has its average over the training set.

A model file names this module ``CONTRIBUTIONS``, so that its models can be saved and applied to
single clips (``runs.save``).
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from msalib.data.corpus import MODALITIES
from msalib.models.extras import rounded

Averages = Mapping[str, Mapping[str, Sequence[float]]]
"""Modality -> ``vector``, the average of z_m, and ``gated``, that of alpha_m z_m, both (F,)."""


class Contributions(NamedTuple):
    """Predictions for B clips, and what each modality changed in them.

    ``change`` is the prediction minus what it would be if alpha_m z_m were its average over the
    training set; zero where it is so already.
    """

    prediction: Tensor  # (B,)
    gates: Tensor  # (B, 3)
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


def vectors(model: nn.Module, modality: str, features: Tensor, mask: Tensor) -> Tensor:
    """Return z_m (B, F) of one modality; features and mask as in ``Batch``."""
    return model.encoders[modality](features, mask)[0]


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
    """Predict from the vectors z_m (B, F) of all modalities of a model.

    ``given[m]`` (B,) is true where a clip has the modality. Elsewhere z_m is not read, and both
    z_m, which all gates see, and alpha_m z_m are the averages over the training set.
    """
    tensor = next(iter(z.values())).new_tensor
    z = {
        m: torch.where(given[m][:, None], vector, tensor(averages[m]["vector"]))
        for m, vector in z.items()
    }
    gates = model.fuse(z)[1]
    usual = {m: tensor(averages[m]["gated"]) for m in z}
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
