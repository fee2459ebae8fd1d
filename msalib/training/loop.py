"""The training loop of every model: seeded, selected on validation, the test set never seen.

A model's file says how it is trained (``regime.Regime``) and what for (``objective.Objective``);
``streams`` draws what is random. Many small models at once: ``replicas``.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from copy import deepcopy
from typing import NamedTuple

import torch
from torch import Tensor, nn

from msalib.base.errors import UserError
from msalib.base.progress import bar
from msalib.data.corpus import TUNED, Examples
from msalib.training.objective import Objective, Outputs
from msalib.training.regime import Moment, Regime, Selection, Stream, constant

MakeObjective = Callable[[nn.Module, Examples, Stream], Objective]


class Fit(NamedTuple):
    """A trained model with the weights of the selected epoch (counted from 1) and its history."""

    model: nn.Module
    objective: Objective
    selected_epoch: int
    history: list[dict[str, float]]  # per epoch: losses, and the learning rate if it changes


def fit(
    build: Callable[[], nn.Module],
    make_objective: MakeObjective,
    train: Examples,
    valid: Examples,
    regime: Regime,
    seed: int,
    groups: Callable[[nn.Module], dict[str, Iterable]] | None = None,
) -> Fit:
    """Train a model and return it with the weights of the selected epoch.

    ``seed`` sets initial weights, order, masks and dropout. ``groups(model)`` gives the named
    parameters of each part; without it the model is one part. Batches that do not fill a step at
    the end of an epoch change no weight. Raises ``UserError`` for a training set too small for a
    step, an empty validation set, and losses that are not finite.
    """
    stream = regime.stream(seed, train.device)
    check_parts(train, valid, regime, stream)
    torch.manual_seed(seed)
    model = build().to(train.device)
    groups = groups(model) if groups else {"model": model.named_parameters()}
    groups = {part: list(parameters) for part, parameters in groups.items()}
    optimizer = regime.make_optimizer(groups)
    objective = make_objective(model, train, stream)
    selection, history, weights = Selection(regime), [], None
    for epoch in bar(range(1, regime.epochs + 1), f"seed {seed}", "epoch"):
        if regime.rebuild_optimizer and epoch > 1:
            optimizer = regime.make_optimizer(groups)
        losses = train_epoch(model, objective, train, regime, optimizer, stream, epoch)
        valid_loss = validate(model, objective, valid, regime)
        history.append(history_entry(optimizer, regime, mean_loss(losses, regime), valid_loss))
        check_finite(epoch, seed, history[-1])
        if selection.judge(epoch, valid_loss):
            weights = deepcopy(model.state_dict())
        if selection.done:
            break
    model.load_state_dict(weights)
    return Fit(model.eval(), objective, selection.epoch, history)


def train_epoch(model, objective, train, regime, optimizer, stream, epoch) -> list[tuple]:
    """Run one pass over the training set; return the loss and the size of each batch."""
    model.train()
    optimizer.zero_grad()
    losses, steps = [], stream.count(len(train), regime) // regime.accumulation
    for i, (rows, batch) in enumerate(stream.batches(epoch, train, model, regime)):
        step = (epoch - 1) * steps + i // regime.accumulation
        with autocast(train.device, regime):
            output = model(batch.features, batch.mask)
            loss = objective.loss(output, batch, rows)
        loss.backward()
        losses.append((loss.detach(), len(rows)))
        objective.after_batch(epoch, rows, output)
        if (i + 1) % regime.accumulation == 0:
            take_step(model, regime, optimizer, Moment(epoch, step, regime.epochs * steps))
    objective.end_epoch(epoch, model)
    return losses


def take_step(model, regime: Regime, optimizer, moment: Moment) -> None:
    """Set the learning rates of a moment, clip the gradient where that is asked, and step."""
    rates = regime.rates(moment)
    for group in optimizer.param_groups:
        group["lr"] = rates[group["part"]]
    if regime.clip_norm is not None:
        nn.utils.clip_grad_norm_(model.parameters(), regime.clip_norm)
    optimizer.step()
    optimizer.zero_grad()


def validate(model: nn.Module, objective: Objective, valid: Examples, regime: Regime) -> float:
    """Return the score of the validation set, by which an epoch is selected."""
    with autocast(valid.device, regime):
        outputs = predict(model, valid, regime.validation_batch)
    return objective.score(outputs, valid)


@torch.no_grad()
def predict(model: nn.Module, examples: Examples, batch_size: int) -> Outputs:
    """Return the model's outputs on all clips.

    Clips are evaluated in table order; by length where an encoder is fine-tuned, which spares it
    padding.
    """
    model.eval()
    rows = torch.arange(len(examples))
    tuned = next((m for m, layer in examples.inputs.items() if layer == TUNED), None)
    if tuned is not None:
        rows = examples.lengths(tuned).argsort(stable=True)
    chunks = rows.split(batch_size)
    batches = (examples.batch(chunk) for chunk in chunks)
    return Outputs(list(chunks), [model(batch.features, batch.mask) for batch in batches])


def autocast(device: torch.device | str, regime: Regime) -> AbstractContextManager:
    """Return the context in which a model runs at the precision of its regime."""
    if regime.precision == "float32":
        return nullcontext()
    return torch.autocast(torch.device(device).type, getattr(torch, regime.precision))


def mean_loss(losses: Sequence[tuple[Tensor, int]], regime: Regime) -> float:
    """Return the training loss of an epoch from the loss and the size of each batch."""
    if regime.mean_loss == "batch_mean":
        return float(sum(loss for loss, _ in losses)) / len(losses)
    return sum(float(loss) * size for loss, size in losses) / sum(size for _, size in losses)


def history_entry(optimizer, regime: Regime, train_loss: float, valid_loss: float) -> dict:
    """Return what the history says of an epoch: the losses, and a learning rate that moves."""
    entry = {"train_loss": train_loss, "valid_loss": valid_loss}
    if regime.schedule is constant:
        return entry
    return {"learning_rate": optimizer.param_groups[0]["lr"], **entry}


def check_finite(epoch: int, seed: int, entry: dict[str, float]) -> None:
    """Refuse losses that are not finite: what a model with such losses predicts means nothing."""
    train_loss, valid_loss = entry["train_loss"], entry["valid_loss"]
    if not math.isfinite(train_loss + valid_loss):
        raise UserError(
            f"epoch {epoch}, seed {seed}",
            found=f"training loss {train_loss}, validation loss {valid_loss}",
            expected="finite losses",
            remedy="Check the features for extreme values, or lower the learning rate.",
        )


def check_parts(train: Examples, valid: Examples, regime: Regime, stream: Stream) -> None:
    """Check that there is a step to take in training and a clip to select an epoch by."""
    if len(train) < regime.batch_size:
        raise UserError(
            "training part",
            found=f"{len(train)} clips",
            expected=f"at least one batch of {regime.batch_size}",
            remedy="Use a larger corpus or another split.",
        )
    if stream.count(len(train), regime) < regime.accumulation:
        raise UserError(
            "training part",
            found=f"{len(train)} clips, fewer than {regime.accumulation} batches",
            expected=f"a step, which sums {regime.accumulation} batches of {regime.batch_size}",
            remedy="Use a larger corpus, or the recipe of the paper's text (-p preset article).",
        )
    if not len(valid):
        raise UserError(
            "validation part",
            found="no clip",
            expected="clips to select an epoch by",
            remedy="Use a split with a validation part.",
        )
