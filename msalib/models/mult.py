"""MulT's encoder: dense cross-modal transformers, the counterpart of SPT in SUGRM's ablation.

Tsai et al., "Multimodal Transformer for Unaligned Multimodal Language Sequences", ACL 2019.
Authors' code: https://github.com/yaohungt/Multimodal-Transformer.
Specification: papers/sugrm.md (h), "TE"; written from it, without the authors' code.

Idea: frames of one modality attend to all frames of another one, in a transformer per pair of
modalities; a further one reads what a modality got from the others, and its last step is the
modality's vector.

Deviations from the paper: it has 40 features and projects by convolution, the ablation 32 by a
linear layer; after the last step comes a linear layer to this width. SUGRM's authors name their
dense encoder and do not describe it, so this wiring is inferred, see papers/sugrm.md (h). No step
is kept from looking ahead, and there is no attention dropout.

Notation: B clips, L frames of the longest, D input features, W width, S frames of a source.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from msalib.models.spt import modalities, positions


class Layer(nn.Module):
    """Attention (pre-norm) to a source, then a feed-forward network four times as wide.

    ``attention`` and ``dropout`` are the modules of these: PyTorch's own, or what stands for them.
    """

    def __init__(
        self,
        *,
        width: int,
        heads: int,
        residual_dropout: float,
        relu_dropout: float,
        attention_dropout: float = 0.0,
        attention: type[nn.MultiheadAttention] = nn.MultiheadAttention,
        dropout: type[nn.Module] = nn.Dropout,
    ):
        super().__init__()
        self.norm_attention = nn.LayerNorm(width)
        self.attention = attention(width, heads, dropout=attention_dropout, batch_first=True)
        self.norm = nn.LayerNorm(width)
        self.expand = nn.Linear(width, 4 * width)
        self.contract = nn.Linear(4 * width, width)
        self.residual_dropout = dropout(residual_dropout)
        self.relu_dropout = dropout(relu_dropout)
        for linear in (self.expand, self.contract):
            nn.init.xavier_uniform_(linear.weight)
            nn.init.zeros_(linear.bias)

    def forward(self, h: Tensor, source: Tensor | None, padding: Tensor | None) -> Tensor:
        """h (B, L, W) reads ``source`` (B, S, W), or itself; ``padding`` (B, S) is not read."""
        query = self.norm_attention(h)
        source = query if source is None else self.norm_attention(source)
        attended, _ = self.attention(
            query, source, source, key_padding_mask=padding, need_weights=False
        )
        h = h + self.residual_dropout(attended)
        expanded = self.relu_dropout(self.expand(self.norm(h)).relu())
        return h + self.residual_dropout(self.contract(expanded))


class Encoder(nn.Module):
    """``layers`` layers and a LayerNorm; inputs are scaled and given positions first.

    ``guess_padding``: a frame whose first feature is exactly 0 counts as padding and gets no
    position, as in the authors' code and in what was built on it. It is read all the same.
    """

    def __init__(
        self,
        *,
        width: int,
        layers: int,
        embed_dropout: float,
        guess_padding: bool = False,
        dropout: type[nn.Module] = nn.Dropout,
        **layer,
    ):
        super().__init__()
        self.scale = width**0.5
        self.guess_padding = guess_padding
        self.embed_dropout = dropout(embed_dropout)
        self.layers = nn.ModuleList(
            Layer(width=width, dropout=dropout, **layer) for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, source: Tensor | None, padding: Tensor | None) -> Tensor:
        """x (B, L, W) reads ``source`` (B, S, W), or itself: (B, L, W)."""
        h = self._embed(x)
        if source is not None:
            source = self._embed(source)
        for layer in self.layers:
            h = layer(h, source, padding)
        return self.norm(h)

    def _embed(self, x: Tensor) -> Tensor:
        at = positions(*x.shape[1:], x.device)
        if self.guess_padding:
            at = at * (x[..., :1] != 0)
        return self.embed_dropout(self.scale * x + at)


class MulT(nn.Module):
    """Encoder of one to three modalities, each to one vector of ``width`` features each.

    A single modality has its self encoder only. Exchangeable with ``msalib.models.spt.SPT``.
    """

    def __init__(
        self,
        *,
        input_sizes: Mapping[str, int],
        width: int,
        heads: int,
        layers: int,
        embed_dropout: float,
        residual_dropout: float,
        relu_dropout: float,
    ):
        super().__init__()
        used = modalities(input_sizes)
        read = width * max(len(used) - 1, 1)

        def encoder(width: int) -> Encoder:
            return Encoder(
                width=width,
                layers=layers,
                embed_dropout=embed_dropout,
                heads=heads,
                residual_dropout=residual_dropout,
                relu_dropout=relu_dropout,
            )

        self.project = nn.ModuleDict(
            {m: nn.Linear(input_sizes[m], width, bias=False) for m in used}
        )
        self.cross = nn.ModuleDict(
            {m: nn.ModuleDict({s: encoder(width) for s in used if s != m}) for m in used}
        )
        self.own = nn.ModuleDict({m: encoder(read) for m in used})
        self.output = nn.ModuleDict({m: nn.Linear(read, width) for m in used})

    def forward(self, x: Mapping[str, Tensor], length: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return each last step, m -> (B, W), of ``x[m]`` (B, L, D) and ``length[m]`` (B,)."""
        projected = {m: project(x[m]) for m, project in self.project.items()}
        padding = {
            m: torch.arange(h.shape[1], device=h.device) >= length[m][:, None]
            for m, h in projected.items()
        }
        states = {}
        for m, h in projected.items():
            read = [
                encoder(h, projected[source], padding[source])
                for source, encoder in self.cross[m].items()
            ]
            h = self.own[m](torch.cat(read or [h], -1), None, padding[m])
            states[m] = self.output[m](h[torch.arange(len(h), device=h.device), length[m] - 1])
        return states
