"""Streams of batches, with everything that is random in a training.

``Keyed`` derives every number from a key (``base.noise``), so that a run draws the same numbers
alone and among replicas, on a CPU and on a GPU. ``Sequential`` draws orders from one generator of
PyTorch, one after the other, and leaves dropout to the global one, as most released code does.
"""

import math
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from msalib.base import noise
from msalib.data import streams
from msalib.data.corpus import TUNED, Batch
from msalib.training.masking import Masking, mask_features

AHEAD = 4
"""Batches that are gathered and masked at a time: small tensors cost more to ask for than to do."""

MASKS = 1000
"""Labels of keys from here on are for masks, one per stream of the input; below, for dropout."""


class Keyed:
    """Order, masks and dropout from keys; the last, incomplete batch of an epoch is left out."""

    def __init__(self, seed: int, device: torch.device | str, masking: Masking | None = None):
        self.key, self.masking = noise.key(seed, device), masking

    def permutation(self, count: int) -> Tensor:
        return noise.permutation(noise.derive(self.key, 0), count).cpu()

    def count(self, clips, regime):
        return clips // regime.batch_size

    def batches(self, epoch, train, model, regime):
        size = regime.batch_size
        drawn = draws(
            self.key, epoch, len(train), self.count(len(train), regime), len(noise.dropouts(model))
        )
        order = drawn.order[: len(drawn.steps) * size].cpu()
        blocks = zip(
            order.split(size * AHEAD),
            drawn.steps.split(AHEAD),
            drawn.dropout.split(AHEAD),
            strict=True,
        )
        for rows, keys, dropout in blocks:
            ahead = mask_batch(train.batch(rows), keys, self.masking)
            for some, batch, step_keys in zip(
                rows.split(size), ahead.split(size), dropout, strict=True
            ):
                noise.set_keys(model, step_keys)
                yield some, batch


class Sequential:
    """Orders from one generator; every clip is in a batch, the last of which may be smaller.

    Batches that make one step are sorted by length where an encoder is fine-tuned: the step sums
    the same clips, and its encoder reads less padding.
    """

    def __init__(self, seed: int, device: torch.device | str):
        self.generator = torch.Generator().manual_seed(seed)

    def permutation(self, count: int) -> Tensor:
        return torch.randperm(count, generator=self.generator)

    def count(self, clips, regime):
        return -(-clips // regime.batch_size)

    def batches(self, epoch, train, model, regime):
        tuned = next((m for m, layer in train.inputs.items() if layer == TUNED), None)
        for rows in self.permutation(len(train)).split(regime.batch_size * regime.accumulation):
            if tuned is not None:
                rows = rows[train.lengths(tuned)[rows].argsort(stable=True)]
            for some in rows.split(regime.batch_size):
                yield some, train.batch(some)


class Draws(NamedTuple):
    """Random numbers of one epoch of one run, or with a leading axis (R,) of several."""

    order: Tensor  # (N,) the clips, shuffled
    steps: Tensor  # (steps, 2) a key per step, for the masks
    dropout: Tensor  # (steps, dropouts, 2)


def draws(key: Tensor, epoch: int, clips: int, steps: int, dropouts: int) -> Draws:
    """Return the numbers of an epoch (from 1) for the key (2,) of a run, or keys (R, 2)."""
    key = noise.derive(key, epoch)
    keys = noise.derive(noise.derive(key, 1), torch.arange(steps))
    return Draws(
        order=noise.permutation(noise.derive(key, 0), clips),
        steps=keys,
        dropout=noise.derive(keys, torch.arange(dropouts)),
    )


def mask_batch(batch: Batch, keys: Tensor, masking: Masking | None) -> Batch:
    """Mask a batch that is several steps in a row: ``keys`` (steps, 2), one for each."""
    if masking is None:
        return batch
    count = masking.feature_masks + masking.time_masks
    features = {}
    for m, x in batch.features.items():
        clips = len(batch.label) // len(keys)
        layers = (len(x),) if x.dim() == 3 else ()
        stream_keys = noise.derive(keys, MASKS + streams.number(m))
        draw = noise.uniform(stream_keys, clips * math.prod(layers) * count * 2)
        features[m] = mask_features(
            x,
            batch.mask[m],
            draw.view(len(batch.label), *layers, count, 2),
            feature_masks=masking.feature_masks,
            feature_mask_share=masking.feature_mask_share,
            time_mask_share=masking.time_mask_share,
        )
    return replace(batch, features=features)
