"""CME: the cross-modal encoder of MMML, in which text attends to sound and sound to text.

Wu et al., "Multimodal multi-loss fusion network for sentiment analysis", NAACL 2024, section 3.3.
Specification: papers/mmml.md (c), CME block; written without the authors' code. Parity:
`python -m tests.parity mmml_fusion`.

Idea: in each layer both modalities look at the other as it entered the layer, then at themselves,
then pass a feed-forward network. Every block ends in a residual sum and a LayerNorm.

Deviation from the release: none in the numbers. Attention runs in PyTorch's fused kernels, which
keep no weights; ``Attention.weights`` computes them where a figure asks. Everything but attention
computes on valid positions alone, and the last layer on what is read of it.

Notation: B clips, T positions of text, U of sound, d width, h attention heads, S valid positions of
all clips laid end to end.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

EPSILON = 1e-12
"""Of every LayerNorm, papers/mmml.md (c)."""


class Places:
    """Where the positions of B clips, laid end to end, lie in a padded batch: ``mask`` (B, T)."""

    def __init__(self, mask: Tensor):
        self.mask = mask
        self.index = mask.flatten().nonzero().squeeze(1)

    def pack(self, padded: Tensor) -> Tensor:
        """Return the valid positions (S, d) of (B, T, d)."""
        return padded.flatten(0, 1).index_select(0, self.index)

    def pad(self, states: Tensor) -> Tensor:
        """Put positions (S, d) in their places in (B, T, d), zero elsewhere."""
        flat = states.new_zeros(self.mask.numel(), states.shape[-1])
        return flat.index_copy(0, self.index, states).view(*self.mask.shape, -1)

    def first(self, states: Tensor) -> Tensor:
        """Return the first position of every clip, (B, d), of (S, d)."""
        length = self.mask.sum(1)
        return states.index_select(0, length.cumsum(0) - length)


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

    def forward(self, x: Tensor, at: Places, other: Tensor, other_at: Places) -> Tensor:
        """Let ``x`` (S, d) attend to ``other`` (S', d), each clip to itself."""
        attended = functional.scaled_dot_product_attention(
            self._split(at.pad(self.query(x))),
            self._split(other_at.pad(self.key(other))),
            self._split(other_at.pad(self.value(other))),
            attn_mask=other_at.mask[:, None, None],
            dropout_p=self.attention_dropout if self.training else 0.0,
        )
        joined = at.pack(attended.transpose(1, 2).flatten(2))
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
        """Transform (S, d)."""
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

    def forward(
        self, x: Tensor, at: Places, other: Tensor, other_at: Places, first: bool = False
    ) -> Tensor:
        """Update ``x`` (S, d) from ``other`` (S', d); with ``first``, return (B, d) alone."""
        x = self.cross(x, at, other, other_at)
        read, read_at = x, at
        if first:
            read, read_at = at.first(x), Places(at.mask[:, :1])
        if self.own is not None:
            read = self.own(read, read_at, x, at)
        return read if self.feed_forward is None else self.feed_forward(read)


class Layer(nn.Module):
    """One layer: both modalities are updated from the same old state."""

    def __init__(self, **settings):
        super().__init__()
        self.text, self.sound = Stream(**settings), Stream(**settings)

    def forward(
        self, text: Tensor, text_at: Places, sound: Tensor, sound_at: Places, first: bool = False
    ) -> tuple[Tensor, Tensor]:
        """Return the new states of text (S, d) and of sound (S', d), or the first of each clip."""
        return (
            self.text(text, text_at, sound, sound_at, first),
            self.sound(sound, sound_at, text, text_at, first),
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
        states, at = self._packed(text, text_mask, sound, sound_mask)
        for layer in self.layers:
            states = layer(states[0], at[0], states[1], at[1])
        return Fused(*(places.pad(x) for x, places in zip(states, at, strict=True)))

    def vectors(self, text, text_mask, sound, sound_mask) -> tuple[Tensor, Tensor]:
        """Return the first states of ``forward``, (B, d) each: those of the learned vectors."""
        states, at = self._packed(text, text_mask, sound, sound_mask)
        for layer in self.layers[:-1]:
            states = layer(states[0], at[0], states[1], at[1])
        return self.layers[-1](states[0], at[0], states[1], at[1], first=True)

    def cross_attention(
        self, text: Tensor, text_mask: Tensor, sound: Tensor, sound_mask: Tensor
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Return the cross-attention weights of each layer, with the learned vectors in front.

        First text to sound, (B, h, 1 + T, 1 + U), then sound to text, (B, h, 1 + U, 1 + T).
        """
        states, at = self._packed(text, text_mask, sound, sound_mask)
        to_sound, to_text = [], []
        for layer in self.layers:
            text, sound = (places.pad(x) for x, places in zip(states, at, strict=True))
            to_sound.append(layer.text.cross.weights(text, sound, at[1].mask))
            to_text.append(layer.sound.cross.weights(sound, text, at[0].mask))
            states = layer(states[0], at[0], states[1], at[1])
        return to_sound, to_text

    def _packed(self, text, text_mask, sound, sound_mask) -> tuple[tuple, tuple]:
        """Put the learned vectors in front; return states (S, d) and places of both modalities."""
        text, text_mask = _in_front(self.text_vector, text, text_mask)
        sound, sound_mask = _in_front(self.sound_vector, sound, sound_mask)
        at = Places(text_mask), Places(sound_mask)
        return (at[0].pack(text), at[1].pack(sound)), at


def _in_front(vector: Tensor, states: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Put a learned vector (d,) before the states of every clip, always valid."""
    first = vector.to(states).expand(len(states), 1, -1)
    valid = mask.new_ones(len(mask), 1)
    return torch.cat([first, states], 1), torch.cat([valid, mask], 1)
