"""Dropout that takes four decisions from a random word.

PyTorch's ``bernoulli_`` draws one number for each element, which is a third of a training step of
small models on a CPU. The words here come from the same generator, so a seed fixes what is dropped;
it is not what ``nn.Dropout`` drops with this seed. (``base.noise`` has dropout for replicas.)
"""

import torch
from torch import Tensor, nn

LEVELS = 2**16
"""Values of the part of a word that decides about an element."""


class Dropout(nn.Module):
    """Dropout whose ``p`` is kept to the nearest multiple of 2^-16."""

    def __init__(self, p: float):
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x``, in training with elements dropped and the others scaled."""
        return dropped(x, self.p if self.training else 0.0)

    def extra_repr(self) -> str:
        """Return the share that is dropped."""
        return f"p={self.p}"


def dropped(x: Tensor, p: float) -> Tensor:
    """Drop elements of ``x`` with probability ``p``, and scale the others to keep the mean."""
    return x * kept(x, p) if p else x


def kept(like: Tensor, p: float) -> Tensor:
    """Draw a mask as large as ``like``: 0 with probability ``p``, else what keeps the mean."""
    count, share = like.numel(), round(p * LEVELS)
    if share == LEVELS:
        return torch.zeros_like(like)
    words = torch.empty(-(-count // 4), dtype=torch.int64, device=like.device)
    parts = words.random_(-(2**63), None).view(torch.int16)[:count].view(like.shape)
    # Written as numbers at once: to convert what is true or false takes ten times as long.
    mask = torch.empty(like.shape, dtype=like.dtype, device=like.device)
    return torch.ge(parts, share - LEVELS // 2, out=mask).mul_(LEVELS / (LEVELS - share))
