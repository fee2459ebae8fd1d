"""TFN: Tensor Fusion Network.

Zadeh et al., "Tensor fusion network for multimodal sentiment analysis", EMNLP 2017.
Reference: the reimplementation in MMSA (https://github.com/thuiar/MMSA, MIT licence), whose
outputs are in the parity file tfn; written from the paper and the file's description.

Idea: the outer product of three utterance vectors, each extended by a 1, holds every single
feature and every product of two or three of them; a small network reads all of it.

Deviations from the paper: none in the fusion. As in the reference, text is an LSTM's last state,
sound and pictures are means over time behind a batch norm.
Deviations from the reference: any of the modalities may be missing; classes get scores that are
not squashed. Parity: `python -m tests.parity tfn`.

Notation: B clips, z_m the utterance vector of modality m, K classes.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

import torch
from pydantic import BaseModel, ConfigDict, PositiveFloat, PositiveInt
from torch import Tensor, nn

from msalib.base.noise import Dropout
from msalib.models.utterance import ORDER, subnets, with_one
from msalib.training.standard import Standard as Training

__all__ = ["TFN", "Config", "Training", "build"]


class Config(BaseModel):
    """The ``model`` group of the recipe, each value with its source there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    family: Literal["tfn"]
    hidden_linguistic: PositiveInt  # of the LSTM
    width_linguistic: PositiveInt
    width_acoustic: PositiveInt
    width_visual: PositiveInt
    width_fusion: PositiveInt
    dropout_linguistic: float
    dropout_acoustic: float
    dropout_visual: float
    dropout_fusion: float
    output_limit: PositiveFloat  # predictions lie within plus or minus this


class Output(NamedTuple):
    """What the model returns."""

    prediction: Tensor  # (B,), or (B, K)
    vectors: dict[str, Tensor]  # m -> z_m (B, d_m)
    fused: Tensor  # (B, product of d_m + 1)


class TFN(nn.Module):
    """One to three modalities; ``sizes`` maps each in use to its input features."""

    def __init__(self, config: Config, sizes: Mapping[str, int], outputs: int):
        super().__init__()
        width = {m: getattr(config, f"width_{m}") for m in ORDER}
        self.subnets = subnets(
            sizes,
            hidden_linguistic=config.hidden_linguistic,
            width=width,
            dropout={m: getattr(config, f"dropout_{m}") for m in ORDER},
        )
        fused = 1
        for m in self.subnets:
            fused *= 1 + width[m]
        self.dropout = Dropout(config.dropout_fusion)
        self.hidden = nn.ModuleList(
            [
                nn.Linear(fused, config.width_fusion),
                nn.Linear(config.width_fusion, config.width_fusion),
            ]
        )
        self.output = nn.Linear(config.width_fusion, outputs)
        self.register_buffer("output_range", torch.tensor(2 * config.output_limit))
        self.register_buffer("output_shift", torch.tensor(-config.output_limit))

    def forward(self, features: Mapping[str, Tensor], mask: Mapping[str, Tensor]) -> Output:
        """Predict from ``features[m]`` (S, D) and ``mask[m]`` (B, T), as in Batch."""
        vectors = {m: subnet(features[m], mask[m]) for m, subnet in self.subnets.items()}
        fused = next(iter(vectors.values())).new_ones(len(next(iter(mask.values()))), 1)
        for z in vectors.values():
            fused = torch.einsum("bi,bj->bij", fused, with_one(z)).flatten(1)
        state = self.dropout(fused)
        for layer in self.hidden:
            state = layer(state).relu()
        scores = self.output(state)
        if scores.shape[1] == 1:
            squashed = scores.sigmoid() * self.output_range + self.output_shift
            return Output(squashed.squeeze(1), vectors, fused)
        return Output(scores, vectors, fused)


def build(
    config: Config, *, sizes: Mapping[str, int], layers: Mapping[str, int], outputs: int
) -> TFN:
    """Return the model of a configuration; it reads one layer of each modality."""
    return TFN(config, sizes, outputs)
