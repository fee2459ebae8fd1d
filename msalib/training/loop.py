"""One training loop for all papers: seeded, selected on validation, the test never seen."""

import math
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Literal, NamedTuple

import torch
from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveFloat, PositiveInt
from torch import Tensor, nn

from msalib.base import noise
from msalib.base.errors import UserError
from msalib.base.progress import bar
from msalib.data.corpus import MODALITIES, Batch, Examples
from msalib.training.masking import mask_features

AHEAD = 4
"""Batches that are gathered and masked at a time: small tensors cost more to ask for than to do."""


MASKS = 1000
"""Labels of keys from here on are for masks, one per modality; below, for dropout."""


class Config(BaseModel):
    """What a recipe says of training; each value has its source in models/<paper>.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    epochs: PositiveInt
    batch_size: PositiveInt
    learning_rate: PositiveFloat
    warmup_epochs: NonNegativeInt
    warmup_learning_rate: PositiveFloat
    min_learning_rate: PositiveFloat
    validation_loss: Literal["batch_mean", "clip_mean"]
    patience: PositiveInt | None
    feature_masks: NonNegativeInt
    feature_mask_share: float
    time_masks: NonNegativeInt
    time_mask_share: float


class Fit(NamedTuple):
    """A trained model with the weights of the selected epoch (counted from 1) and its history."""

    model: nn.Module
    selected_epoch: int
    history: list[dict[str, float]]  # per epoch: learning_rate, train_loss, valid_loss


def learning_rate(config: Config, epoch: int) -> float:
    """Rate of an epoch counted from 1: linear warm-up, then a cosine over ``epochs`` epochs.

    The cosine is as long as the whole training but starts after the warm-up, so its minimum is
    never reached (papers/uegd.md (d)).
    """
    n = epoch - 1
    if n < config.warmup_epochs:
        step = (config.learning_rate - config.warmup_learning_rate) / config.warmup_epochs
        return config.warmup_learning_rate + n * step
    fall = 1 + math.cos(math.pi * (n - config.warmup_epochs) / config.epochs)
    return config.min_learning_rate + (config.learning_rate - config.min_learning_rate) * fall / 2


class Selection:
    """Which epoch counts: the one with the lowest validation loss (ties: the later)."""

    def __init__(self, config: Config, seed: int):
        self.config, self.seed = config, seed
        self.best, self.epoch, self.done = math.inf, 0, False
        self.history: list[dict[str, float]] = []

    def judge(self, epoch: int, train_loss: float, valid_loss: float) -> bool:
        """Take note of an epoch; true where it is the best so far. Losses must be finite."""
        check_finite(epoch, self.seed, train_loss, valid_loss)
        self.history.append(
            {
                "learning_rate": learning_rate(self.config, epoch),
                "train_loss": train_loss,
                "valid_loss": valid_loss,
            }
        )
        if valid_loss <= self.best:
            self.best, self.epoch = valid_loss, epoch
            return True
        patience = self.config.patience
        self.done = patience is not None and epoch - self.epoch >= patience
        return False


def check_finite(epoch: int, seed: int, train_loss: float, valid_loss: float) -> None:
    """Losses must be finite: what a model with others predicts means nothing."""
    if not math.isfinite(train_loss + valid_loss):
        raise UserError(
            f"epoch {epoch}, seed {seed}",
            found=f"training loss {train_loss}, validation loss {valid_loss}",
            expected="finite losses",
            remedy="Check the features for extreme values, or lower the learning rate.",
        )


def check_parts(train: Examples, valid: Examples, config) -> None:
    """There must be a batch to train on and a clip to select by."""
    if len(train) < config.batch_size:
        raise UserError(
            "training part",
            found=f"{len(train)} clips",
            expected=f"at least one batch of {config.batch_size}",
            remedy="Use a larger corpus or another split.",
        )
    if not len(valid):
        raise UserError(
            "validation part",
            found="no clip",
            expected="clips to select an epoch by",
            remedy="Use a split with a validation part.",
        )


class Draws(NamedTuple):
    """What is random in one epoch of one run, or with a leading axis (R,) of several."""

    order: Tensor  # (N,) the clips, shuffled
    steps: Tensor  # (steps, 2) a key per step, for the masks
    dropout: Tensor  # (steps, dropouts, 2)


def draws(key: Tensor, epoch: int, clips: int, steps: int, dropouts: int) -> Draws:
    """The draws of an epoch (from 1) for the key (2,) of a run, or keys (R, 2) of several."""
    key = noise.derive(key, epoch)
    keys = noise.derive(noise.derive(key, 1), torch.arange(steps))
    return Draws(
        order=noise.permutation(noise.derive(key, 0), clips),
        steps=keys,
        dropout=noise.derive(keys, torch.arange(dropouts)),
    )


def mask_batch(batch: Batch, keys: Tensor, config: Config) -> Batch:
    """Mask a batch that is several steps in a row: ``keys`` (steps, 2), one for each."""
    count = config.feature_masks + config.time_masks
    features = {}
    for m, x in batch.features.items():
        clips = len(batch.label) // len(keys)
        layers = (len(x),) if x.dim() == 3 else ()
        own = noise.derive(keys, MASKS + MODALITIES.index(m))
        draw = noise.uniform(own, clips * math.prod(layers) * count * 2)
        features[m] = mask_features(
            x,
            batch.mask[m],
            draw.view(len(batch.label), *layers, count, 2),
            feature_masks=config.feature_masks,
            feature_mask_share=config.feature_mask_share,
            time_mask_share=config.time_mask_share,
        )
    return replace(batch, features=features)


def fit(
    build: Callable[[], nn.Module],
    loss: Callable[[NamedTuple, Batch], Tensor],
    train: Examples,
    valid: Examples,
    config: Config,
    seed: int,
) -> Fit:
    """Train and return the weights of the selected epoch.

    ``seed`` sets initial weights, order, masks and dropout. ``loss(output, batch)`` reads what the
    model returned. The last, incomplete batch of a training epoch is dropped. Many models at once:
    ``replicas.fit``.
    """
    check_parts(train, valid, config)
    torch.manual_seed(seed)
    model = build().to(train.device)
    optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate, fused=True)
    key, selection, weights = noise.key(seed, train.device), Selection(config, seed), None
    for epoch in bar(range(1, config.epochs + 1), f"seed {seed}", "epoch"):
        train_loss = train_epoch(model, loss, train, config, optimizer, key, epoch)
        if selection.judge(epoch, train_loss, validate(model, loss, valid, config)):
            weights = deepcopy(model.state_dict())
        if selection.done:
            break
    model.load_state_dict(weights)
    return Fit(model.eval(), selection.epoch, selection.history)


def train_epoch(model, loss, train, config, optimizer, key, epoch) -> float:
    """One pass over shuffled full batches; returns the mean of the batch losses."""
    model.train()
    for group in optimizer.param_groups:
        group["lr"] = learning_rate(config, epoch)
    steps = len(train) // config.batch_size
    drawn = draws(key, epoch, len(train), steps, len(noise.dropouts(model)))
    order = drawn.order[: steps * config.batch_size].cpu()
    total = torch.zeros((), device=train.device)
    blocks = zip(
        order.split(config.batch_size * AHEAD),
        drawn.steps.split(AHEAD),
        drawn.dropout.split(AHEAD),
        strict=True,
    )
    for rows, keys, dropout in blocks:
        ahead = mask_batch(train.batch(rows), keys, config)
        for batch, own in zip(ahead.split(config.batch_size), dropout, strict=True):
            noise.set_keys(model, own)
            value = loss(model(batch.features, batch.mask), batch)
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            total += value.detach()
    return float(total) / steps


@torch.no_grad()
def validate(model, loss, valid, config) -> float:
    """Validation loss: the mean over batches (release) or over clips (paper)."""
    model.eval()
    losses, sizes = [], []
    for batch in valid.batches(config.batch_size):
        losses.append(loss(model(batch.features, batch.mask), batch))
        sizes.append(len(batch.label))
    losses = torch.stack(losses)
    if config.validation_loss == "batch_mean":
        return float(losses.mean())
    sizes = torch.tensor(sizes, device=losses.device)
    return float((losses * sizes).sum() / sizes.sum())


@torch.no_grad()
def predict(model: nn.Module, examples: Examples, batch_size: int = 64) -> list[NamedTuple]:
    """The model's outputs on all clips in table order, a list of batches."""
    model.eval()
    return [model(batch.features, batch.mask) for batch in examples.batches(batch_size)]
