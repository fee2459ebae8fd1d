"""Guided fusion: modalities mixed by weights of their global vectors, and what replaces it.

Leaf layers of GLoMo, papers/glomo.md (c), "Global-guided fusion" and "Ablation variants of
Table 4"; written from the specification. The release has no variant: all but ``full`` are read from
the paper's words.

Notation: B clips, M modalities, d width. Tokens are the global and the local vector of each
modality in turn.
"""

from typing import Literal

import torch
from torch import Tensor, nn

from msalib.base.dropout import Dropout

Variant = Literal[
    "full", "mlp_m", "mlp_matched", "global", "local", "sum", "con", "attn_f", "mul",
    "attn_g", "mlp_g", "reat_g", "uniform_mix",
]  # fmt: skip
"""Wirings of Table 4. Two are ours: ``mlp_matched`` has an MLP with as many weights as the mixture
that it stands for, ``uniform_mix`` mixes the modalities by equal weights."""

REPLACED = ("sum", "con", "attn_f", "mul")
"""Variants in which one step stands for the guided fusion."""


class Scorer(nn.Module):
    """ATTN: a softmax over scores of two linear layers, one score for each of the vectors."""

    def __init__(self, vectors: int, width: int, dropout: float):
        super().__init__()
        self.scale = width**-0.5
        self.hidden = nn.Linear(vectors * width, width)  # A_r, a_r
        self.output = nn.Linear(width, vectors)  # V_r, v_r
        self.dropout = Dropout(dropout)

    def forward(self, vectors: Tensor) -> Tensor:
        """Return weights (B, M) of vectors (B, M, d)."""
        hidden = self.dropout(self.hidden(vectors.flatten(1))).relu()
        return (self.scale * self.output(hidden)).softmax(1)


def mixed(weights: Tensor, vectors: Tensor) -> Tensor:
    """Return the sums (B, d) of vectors (B, M, d) by weights (B, M)."""
    return (weights[..., None] * vectors).sum(1)


class Replacement(nn.Module):
    """One step in place of the guided fusion, from 2M vectors to one (Table 4, second block)."""

    def __init__(self, variant: Variant, vectors: int, *, width: int, dropout: float):
        super().__init__()
        self.variant = variant
        if variant == "con":
            self.join = nn.Linear(vectors * width, width)
        elif variant == "attn_f":
            self.scorer = Scorer(vectors, width, dropout)

    def forward(self, tokens: Tensor) -> tuple[Tensor, None]:
        """Return one vector (B, d) of tokens (B, 2M, d)."""
        if self.variant == "sum":
            return tokens.sum(1), None
        if self.variant == "mul":
            return tokens.prod(1), None
        if self.variant == "con":
            return self.join(tokens.flatten(1)), None
        return mixed(self.scorer(tokens), tokens), None


class GuidedFusion(nn.Module):
    """Modalities mixed by weights of their global vectors, papers/glomo.md (c), or a variant.

    Tokens are the global and the expert's vector of each modality in turn; one of them where the
    variant has only global or only local ones.
    """

    def __init__(self, variant: Variant, modalities: int, *, width: int, dropout: float):
        super().__init__()
        self.variant, self.modalities = variant, modalities
        self.parts = 1 if variant in ("global", "local") else 2
        self.join = nn.ModuleList(
            [nn.Linear(self.parts * width, width) for _ in range(modalities)]
        )  # MLP_m
        self.scorers = nn.ModuleList(
            [Scorer(modalities, width, dropout) for _ in range(self.parts)]
        )  # of the global vectors, then of the local ones
        self.both = nn.Linear(self.parts * width, width)  # MLP_f
        if variant == "attn_g":
            self.mix = Scorer(modalities, width, dropout)
        elif variant == "mlp_g":
            self.mix = nn.Linear(modalities * width, width)

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return [Z_1, Z_2] (B, 2d) of tokens (B, parts M, d), and the weights of Z_2."""
        tokens = tokens.unflatten(1, (self.modalities, self.parts))
        own = torch.stack(
            [join(z.flatten(1)) for join, z in zip(self.join, tokens.unbind(1), strict=True)], 1
        )  # Z_m
        weights = [score(z) for score, z in zip(self.scorers, tokens.unbind(2), strict=True)]
        sides = [mixed(w, z) for w, z in zip(weights, tokens.unbind(2), strict=True)]
        first = self.both(torch.cat(sides, -1))
        if self.variant == "mlp_g":
            return torch.cat([first, self.mix(own.flatten(1))], -1), None
        chosen = weights[0]
        if self.variant == "attn_g":
            chosen = self.mix(own)
        elif self.variant == "reat_g":
            chosen = weights[1]
        elif self.variant == "uniform_mix":
            chosen = torch.full_like(chosen, 1 / self.modalities)
        return torch.cat([first, mixed(chosen, own)], -1), chosen
