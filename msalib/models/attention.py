"""Self-attention for short sequences and small heads, as GLoMo has them.

Heads of a few features make products that PyTorch computes slowly in its own order: here the few
features come first, and dropout is that of ``base.dropout``. Measured in benchmarks/glomo_step.py.

Notation: B clips, T steps, W width, H heads, h = W / H features of a head.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from msalib.base.dropout import dropped

NEVER = -1e9
"""Added to the score of a key that is not read: its weight is exactly 0 then."""


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
        weights = dropped(weights, self.dropout if self.training else 0.0)
        read = v @ weights.transpose(-1, -2)
        return self.out_proj(read.permute(0, 3, 1, 2).flatten(2)), None
