"""CME: the cross-modal encoder of MMML, in which text attends to sound and sound to text.

Wu et al., "Multimodal multi-loss fusion network for sentiment analysis", NAACL 2024, section 3.3.
Specification: papers/mmml.md (c), CME block; written without the authors' code. Parity:
`python -m tests.parity mmml_fusion`.

Idea: in each layer both modalities look at the other as it entered the layer, then at themselves,
then pass a feed-forward network. Every block ends in a residual sum and a LayerNorm.

Deviation from the release: none in the numbers. Attention runs in PyTorch's fused kernels, which
keep no weights; ``Attention.weights`` computes them where a figure asks.

Notation: B clips, T positions of text, U of sound, d width, h attention heads.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

EPSILON = 1e-12
"""Of every LayerNorm, papers/mmml.md (c)."""


class Attention(nn.Module):
    """Multi-head attention of one sequence to another, with residual sum and LayerNorm."""

    def __init__(self, *, width: int, heads: int, dropout: float):
        super().__init__()
        self.heads, self.attention_dropout = heads, dropout
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.output = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)
        self.norm = nn.LayerNorm(width, eps=EPSILON)

    def forward(self, x: Tensor, other: Tensor, mask: Tensor) -> Tensor:
        """Let ``x`` (B, T, d) attend to ``other`` (B, U, d) where ``mask`` (B, U) is true."""
        attended = functional.scaled_dot_product_attention(
            self._split(self.query(x)),
            self._split(self.key(other)),
            self._split(self.value(other)),
            attn_mask=mask[:, None, None],
            dropout_p=self.attention_dropout if self.training else 0.0,
        )
        joined = attended.transpose(1, 2).flatten(2)
        return self.norm(x + self.dropout(self.output(joined)))

    def weights(self, x: Tensor, other: Tensor, mask: Tensor) -> Tensor:
        """Return the attention weights (B, h, T, U) of ``forward`` in evaluation."""
        query, key = self._split(self.query(x)), self._split(self.key(other))
        scores = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
        return scores.masked_fill(~mask[:, None, None], -torch.inf).softmax(-1)

    def _split(self, x: Tensor) -> Tensor:
        """Return (B, T, d) as (B, h, T, d / h)."""
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class FeedForward(nn.Module):
    """Two linear layers with ReLU between, residual sum and LayerNorm; no dropout after ReLU."""

    def __init__(self, *, width: int, dropout: float):
        super().__init__()
        self.hidden = nn.Linear(width, 4 * width)  # W_1
        self.output = nn.Linear(4 * width, width)  # W_2
        self.dropout = nn.Dropout(dropout)
        self.norm = nn.LayerNorm(width, eps=EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        """Transform (B, T, d)."""
        return self.norm(x + self.dropout(self.output(self.hidden(x).relu())))


class Stream(nn.Module):
    """The blocks of one modality in a layer; Table 8 leaves some of them out."""

    def __init__(
        self, *, width: int, heads: int, dropout: float, self_attention: bool, feed_forward: bool
    ):
        super().__init__()
        self.cross = Attention(width=width, heads=heads, dropout=dropout)
        self.own = self.feed_forward = None
        if self_attention:
            self.own = Attention(width=width, heads=heads, dropout=dropout)
        if feed_forward:
            self.feed_forward = FeedForward(width=width, dropout=dropout)

    def forward(self, x: Tensor, mask: Tensor, other: Tensor, other_mask: Tensor) -> Tensor:
        """Update ``x`` (B, T, d) from ``other`` (B, U, d); masks are (B, T) and (B, U)."""
        x = self.cross(x, other, other_mask)
        if self.own is not None:
            x = self.own(x, x, mask)
        return x if self.feed_forward is None else self.feed_forward(x)


class Layer(nn.Module):
    """One layer: both modalities are updated from the same old state."""

    def __init__(self, **settings):
        super().__init__()
        self.text, self.sound = Stream(**settings), Stream(**settings)

    def forward(
        self, text: Tensor, text_mask: Tensor, sound: Tensor, sound_mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the new states of text (B, T, d) and of sound (B, U, d)."""
        return (
            self.text(text, text_mask, sound, sound_mask),
            self.sound(sound, sound_mask, text, text_mask),
        )


class Fused(NamedTuple):
    """States of both modalities after the last layer, their vectors first: (B, 1 + T, d)."""

    text: Tensor
    sound: Tensor


class CrossModalEncoder(nn.Module):
    """A learned vector in front of each modality, then the layers; no positions are added."""

    def __init__(
        self,
        *,
        width: int,
        heads: int,
        layers: int,
        dropout: float,
        self_attention: bool = True,
        feed_forward: bool = True,
    ):
        super().__init__()
        self.text_vector = nn.Parameter(torch.randn(width))  # c_t, as nn.Embedding starts
        self.sound_vector = nn.Parameter(torch.randn(width))  # c_a
        settings = {"self_attention": self_attention, "feed_forward": feed_forward}
        self.layers = nn.ModuleList(
            Layer(width=width, heads=heads, dropout=dropout, **settings) for _ in range(layers)
        )

    def forward(self, text: Tensor, text_mask: Tensor, sound: Tensor, sound_mask: Tensor) -> Fused:
        """Fuse text (B, T, d) and sound (B, U, d); masks (B, T) and (B, U) are true where valid."""
        text, text_mask = _in_front(self.text_vector, text, text_mask)
        sound, sound_mask = _in_front(self.sound_vector, sound, sound_mask)
        for layer in self.layers:
            text, sound = layer(text, text_mask, sound, sound_mask)
        return Fused(text, sound)

    def cross_attention(
        self, text: Tensor, text_mask: Tensor, sound: Tensor, sound_mask: Tensor
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Return the cross-attention weights of each layer, with the learned vectors in front.

        First text to sound, (B, h, 1 + T, 1 + U), then sound to text, (B, h, 1 + U, 1 + T).
        """
        text, text_mask = _in_front(self.text_vector, text, text_mask)
        sound, sound_mask = _in_front(self.sound_vector, sound, sound_mask)
        to_sound, to_text = [], []
        for layer in self.layers:
            to_sound.append(layer.text.cross.weights(text, sound, sound_mask))
            to_text.append(layer.sound.cross.weights(sound, text, text_mask))
            text, sound = layer(text, text_mask, sound, sound_mask)
        return to_sound, to_text


def _in_front(vector: Tensor, states: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Put a learned vector (d,) before the states of every clip, always valid."""
    first = vector.to(states).expand(len(states), 1, -1)
    valid = mask.new_ones(len(mask), 1)
    return torch.cat([first, states], 1), torch.cat([valid, mask], 1)
