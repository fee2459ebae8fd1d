"""One training loop for all papers: seeded, selected on validation, the test never seen."""

import math
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Literal, NamedTuple

import torch
from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveFloat, PositiveInt
from torch import Tensor, nn

from msalib.corpus import Batch, Examples
from msalib.errors import UserError
from msalib.masking import mask_features
from msalib.progress import bar

AHEAD = 4
"""Batches that are gathered and masked at a time: small tensors cost more to ask for than to do."""


class Config(BaseModel):
    """What a recipe says of training; each value has its source in recipes/<paper>.yaml."""

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


def fit(
    build: Callable[[], nn.Module],
    loss: Callable[[NamedTuple, Batch], Tensor],
    train: Examples,
    valid: Examples,
    config: Config,
    seed: int,
) -> Fit:
    """Train and return the weights of the epoch with the lowest validation loss (ties: the later).

    ``seed`` sets initial weights, order, masks and dropout. ``loss(output, batch)`` reads what the
    model returned. The last, incomplete batch of a training epoch is dropped.
    """
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
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    model = build().to(train.device)
    optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate, fused=True)
    history, best, selected, weights = [], math.inf, 0, None
    for epoch in bar(range(1, config.epochs + 1), f"seed {seed}", "epoch"):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(config, epoch)
        train_loss = train_epoch(model, loss, train, config, optimizer, generator)
        valid_loss = validate(model, loss, valid, config)
        if not math.isfinite(train_loss + valid_loss):
            raise UserError(
                f"epoch {epoch}, seed {seed}",
                found=f"training loss {train_loss}, validation loss {valid_loss}",
                expected="finite losses",
                remedy="Check the features for extreme values, or lower the learning rate.",
            )
        history.append(
            {
                "learning_rate": learning_rate(config, epoch),
                "train_loss": train_loss,
                "valid_loss": valid_loss,
            }
        )
        if valid_loss <= best:
            best, selected, weights = valid_loss, epoch, deepcopy(model.state_dict())
        elif config.patience is not None and epoch - selected >= config.patience:
            break
    model.load_state_dict(weights)
    return Fit(model.eval(), selected, history)


def train_epoch(model, loss, train, config, optimizer, generator) -> float:
    """One pass over shuffled full batches; returns the mean of the batch losses."""
    model.train()
    order = torch.randperm(len(train), generator=generator)
    steps = len(train) // config.batch_size
    total = torch.zeros((), device=train.device)
    for rows in order[: steps * config.batch_size].split(config.batch_size * AHEAD):
        ahead = train.batch(rows)
        features = {
            m: mask_features(
                x,
                ahead.mask[m],
                feature_masks=config.feature_masks,
                feature_mask_share=config.feature_mask_share,
                time_masks=config.time_masks,
                time_mask_share=config.time_mask_share,
                generator=generator,
            )
            for m, x in ahead.features.items()
        }
        for batch in replace(ahead, features=features).split(config.batch_size):
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
    """The model's outputs on all clips in table order, a list of batches on the CPU."""
    model.eval()
    return [model(batch.features, batch.mask) for batch in examples.batches(batch_size)]
