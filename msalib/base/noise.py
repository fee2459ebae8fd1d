"""Random numbers that depend on what they are for, not on when or where they are drawn.

A number is a hash of a key and its place. Keys are derived from a run's seed: epoch, step, purpose.
So the order, masks and dropout of a run are the same whether it trains alone or as one of many
replicas, on a CPU or on a GPU. (PyTorch's generators depend on all of that.)

A key is two 32-bit words, an int32 tensor (..., 2); functions broadcast over leading axes.
"""

import torch
from torch import Tensor, nn


def key(seed: int, device: str | torch.device = "cpu") -> Tensor:
    """Return the key (2,) of a run."""
    return derive(torch.tensor([seed % 2**31, 0], dtype=torch.int32, device=device), 0)


def derive(key: Tensor, label: int | Tensor) -> Tensor:
    """Return a new key (..., 2), or one for each of several labels (n,): (..., n, 2)."""
    label = torch.as_tensor(label, dtype=torch.int32, device=key.device)
    words = _hash(torch.stack([2 * label, 2 * label + 1], -1).flatten(), key)
    return words.reshape(*key.shape[:-1], *label.shape, 2)


def bits(key: Tensor, count: int) -> Tensor:
    """Return ``count`` random 32-bit words per key: (..., count), int32 over its full range."""
    return _hash(torch.arange(count, dtype=torch.int32, device=key.device), key)


def uniform(key: Tensor, count: int) -> Tensor:
    """Return numbers uniform in [0, 1), multiples of 2**-24: (..., count), float32."""
    return (bits(key, count) >> 8).add_(2**23).to(torch.float32).mul_(2.0**-24)


def permutation(key: Tensor, count: int) -> Tensor:
    """Return the numbers below ``count`` in random order: (..., count)."""
    return bits(key, count).argsort(dim=-1, stable=True)


def _hash(place: Tensor, key: Tensor) -> Tensor:
    """Hash places (n,) and keys (..., 2) to words (..., n).

    Two rounds of multiplication and folding, as in 32-bit finalisers (multipliers by Chris Wellons,
    hash-prospector); the second word of the key enters between them, so that no two keys give
    shifted copies of one sequence. int32 products wrap; a shift is made logical by its mask.
    """
    x = place * -1640531527 + key[..., :1]  # the odd number nearest 2**32 / golden ratio
    x ^= (x >> 16).bitwise_and_(0xFFFF)
    x *= 0x21F0AAAD
    x ^= key[..., 1:]
    x ^= (x >> 15).bitwise_and_(0x1FFFF)
    x *= 0x735A2D97
    x ^= (x >> 15).bitwise_and_(0x1FFFF)
    return x


class Dropout(nn.Module):
    """Dropout with the numbers of its key, which whoever trains sets before every step.

    Without a key it cannot be used in training mode: a forgotten one would repeat its numbers.
    """

    def __init__(self, p: float):
        super().__init__()
        self.p = p
        self.register_buffer("key", None, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        if self.key is None:
            raise RuntimeError("dropout has no key: call noise.set_keys(model, key) before a step")
        threshold = round(self.p * 2**32) - 2**31
        kept = bits(self.key, x.numel()).view(x.shape) >= threshold
        return x * (kept.to(x.dtype) / (1 - self.p))


def dropouts(model: nn.Module) -> list[str]:
    """Return the names of the keys in ``model``, in the order of its modules."""
    return [f"{name}.key" for name, m in model.named_modules() if isinstance(m, Dropout)]


def set_keys(model: nn.Module, keys: Tensor) -> None:
    """Give each dropout of ``model`` its key for the next step: (number of dropouts, 2)."""
    places = [module for module in model.modules() if isinstance(module, Dropout)]
    for module, key in zip(places, keys, strict=True):
        module.key = key
