"""LMF: Low-rank Multimodal Fusion.

Liu et al., "Efficient low-rank multimodal fusion with modality-specific factors", ACL 2018.
Reference: the reimplementation in MMSA (https://github.com/thuiar/MMSA, MIT licence), whose
outputs are in the parity file lmf; written from the paper and the file's description.

Idea: the weight tensor that reads TFN's outer product is a sum of R products of one vector per
modality. So the product need not be formed: each modality is mapped by its own factors, and the
maps are multiplied.

Deviations from the paper: none in the fusion. As in the reference, text is an LSTM's last state,
sound and pictures are means over time behind a batch norm.
Deviations from the reference: any of the modalities may be missing; K classes get K outputs.
Parity: `python -m tests.parity lmf`.

Notation: B clips, z_m (B, d_m) the utterance vector of modality m, R the rank, K outputs.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

import torch
from pydantic import BaseModel, ConfigDict, PositiveFloat, PositiveInt
from torch import Tensor, nn

from msalib.models.utterance import ORDER, subnets, with_one
from msalib.training.regime import Part
from msalib.training.standard import Standard

__all__ = ["LMF", "Config", "Training", "build", "groups"]


class Config(BaseModel):
    """The ``model`` group of the recipe, each value with its source there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    family: Literal["lmf"]
    rank: PositiveInt  # R
    hidden_linguistic: PositiveInt  # of the LSTM; z_l is half as wide
    width_acoustic: PositiveInt
    width_visual: PositiveInt
    dropout_linguistic: float
    dropout_acoustic: float
    dropout_visual: float


class Training(Standard):
    """The ``train`` group of the recipe: the factors have a rate of their own."""

    learning_rate_factors: PositiveFloat

    def parts(self) -> dict[str, Part]:
        """Return learning rate and weight decay by part of the model."""
        return {
            "factors": Part(self.learning_rate_factors, self.weight_decay),
            "other": Part(self.learning_rate, self.weight_decay),
        }


class Output(NamedTuple):
    """What the model returns."""

    prediction: Tensor  # (B,), or (B, K)
    vectors: dict[str, Tensor]  # m -> z_m (B, d_m)
    fused: Tensor  # (B, R, K), the product of each rank


class LMF(nn.Module):
    """One to three modalities; ``sizes`` maps each in use to its input features."""

    def __init__(self, config: Config, sizes: Mapping[str, int], outputs: int):
        super().__init__()
        width = {
            "linguistic": config.hidden_linguistic // 2,
            "acoustic": config.width_acoustic,
            "visual": config.width_visual,
        }
        self.subnets = subnets(
            sizes,
            hidden_linguistic=config.hidden_linguistic,
            width=width,
            dropout={m: getattr(config, f"dropout_{m}") for m in ORDER},
        )
        self.factors = nn.ParameterDict(
            {m: torch.empty(config.rank, 1 + width[m], outputs) for m in self.subnets}
        )
        self.weights = nn.Parameter(torch.empty(1, config.rank))
        self.bias = nn.Parameter(torch.zeros(1, outputs))
        for parameter in (*self.factors.values(), self.weights):
            nn.init.xavier_normal_(parameter)

    def forward(self, features: Mapping[str, Tensor], mask: Mapping[str, Tensor]) -> Output:
        """Predict from ``features[m]`` (S, D) and ``mask[m]`` (B, T), as in Batch."""
        vectors = {m: subnet(features[m], mask[m]) for m, subnet in self.subnets.items()}
        fused = 1
        for m, z in vectors.items():
            fused = fused * torch.einsum("bd,rdk->brk", with_one(z), self.factors[m])
        scores = torch.einsum("r,brk->bk", self.weights[0], fused) + self.bias
        return Output(scores.squeeze(1) if scores.shape[1] == 1 else scores, vectors, fused)


def build(
    config: Config, *, sizes: Mapping[str, int], layers: Mapping[str, int], outputs: int
) -> LMF:
    """Return the model of a configuration; it reads one layer of each modality."""
    return LMF(config, sizes, outputs)


def groups(model: LMF) -> dict[str, list]:
    """Return named parameters by learning rate: the factors of the modalities, and all others."""
    named = list(model.named_parameters())
    return {
        "factors": [(n, p) for n, p in named if n.startswith("factors.")],
        "other": [(n, p) for n, p in named if not n.startswith("factors.")],
    }
