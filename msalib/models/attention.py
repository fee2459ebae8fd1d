"""Self-attention and dropout for short sequences and small heads, as GLoMo has them.

PyTorch's own spend most of a training step on two things where sequences are short: dropout, whose
``bernoulli_`` draws one number at a time, and products of heads of a few features. Here a 64-bit
word of the generator decides about four elements, and products keep the few features first. The
numbers come from PyTorch's generator, so a seed fixes them; they differ from those of
``nn.Dropout``. Measured in benchmarks/glomo_step.py.

Notation: B clips, T steps, W width, H heads, h = W / H features of a head.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

LEVELS = 2**16
"""Values of the part of a word that decides about an element."""

NEVER = -1e9
"""Added to the score of a key that is not read: its weight is exactly 0 then."""


class Dropout(nn.Module):
    """Dropout with four decisions a random word; ``p`` is kept to the nearest multiple of 2^-16."""

    def __init__(self, p: float):
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x``, in training with elements dropped and the others scaled."""
        return x * kept(x, self.p) if self.training and self.p else x

    def extra_repr(self) -> str:
        return f"p={self.p}"


def kept(like: Tensor, p: float) -> Tensor:
    """Draw a mask as large as ``like``: 0 with probability ``p``, else what keeps the mean."""
    count, dropped = like.numel(), round(p * LEVELS)
    words = torch.empty(-(-count // 4), dtype=torch.int64, device=like.device)
    parts = words.random_(-(2**63), None).view(torch.int16)[:count].view(like.shape)
    if dropped == LEVELS:
        return torch.zeros_like(like)
    scale = LEVELS / (LEVELS - dropped)
    # Written as numbers at once: to convert what is true or false takes ten times as long.
    mask = torch.empty(like.shape, dtype=like.dtype, device=like.device)
    return torch.ge(parts, dropped - LEVELS // 2, out=mask).mul_(scale)


class SelfAttention(nn.MultiheadAttention):
    """Multi-head attention of sequences (B, T, W) to themselves, with PyTorch's parameters."""

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = False,
        attn_mask: None = None,
        is_causal: bool = False,
    ) -> tuple[Tensor, None]:
        """Return what steps of ``query`` (B, T, W) read of each other, in PyTorch's signature.

        ``key_padding_mask`` (B, T) is true where a step is not read. Raises ``ValueError`` for
        anything but self-attention without another mask.
        """
        if key is not query or value is not query or attn_mask is not None or need_weights:
            raise ValueError("self-attention without another mask, and no weights of it, is here")
        projected = functional.linear(query, self.in_proj_weight, self.in_proj_bias)
        by_head = projected.unflatten(-1, (3, self.num_heads, self.head_dim))
        q, k, v = by_head.permute(2, 0, 3, 4, 1)  # (B, H, h, T), the few features first
        q = q / math.sqrt(self.head_dim)
        if key_padding_mask is not None:
            # One more feature, 1 in queries, adds NEVER to the scores of such keys.
            never = NEVER * key_padding_mask[:, None, None].to(k.dtype)
            q = torch.cat([q, torch.ones_like(q[:, :, :1])], 2)
            k = torch.cat([k, never.expand(-1, self.num_heads, -1, -1)], 2)
        weights = (q.transpose(-1, -2) @ k).softmax(-1)
        if self.training and self.dropout:
            weights = weights * kept(weights, self.dropout)
        read = v @ weights.transpose(-1, -2)
        return self.out_proj(read.permute(0, 3, 1, 2).flatten(2)), None
