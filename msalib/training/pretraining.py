"""The loop of pretraining: updates instead of epochs, no labels, a checkpoint that a kill spares.

What is drawn for an update (its clips, masks and dropout) follows from the seed and the number of
the update alone. So a training that was killed and goes on ends with the weights of one that was
not.
"""

import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import nn

from msalib.base import files
from msalib.base.errors import UserError
from msalib.base.progress import bar

SAVE_EVERY = 10.0
"""Seconds of updates that a kill loses at most, beside the current one."""

POOL = 20
"""Batches that are drawn together and sorted by length, so that little is padded."""

CURVE = 50
"""Points of a learning curve at most."""

GUESSED = ("text", "sound", "text_right", "sound_right")
"""What is noted of every update: losses of both streams, and shares that are right."""


class Source(Protocol):
    """Clips to pretrain on."""

    lengths: np.ndarray  # (N,) frames of each clip

    def batch(self, rows: np.ndarray, generator: torch.Generator) -> Any:
        """Return these clips (B,), with what is drawn for them."""


class Settings(NamedTuple):
    """How the weights move: AdamW, whose rate falls linearly to zero (papers/cmt.md (d))."""

    updates: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    seed: int


class Curve(NamedTuple):
    """Means over windows of updates: the last update of each, and by name the means."""

    update: list[int]
    means: dict[str, list[float]]


def fit(
    model: nn.Module,
    source: Source,
    settings: Settings,
    checkpoint: Path,
    step: Callable[[], None] = lambda: None,
) -> Curve:
    """Pretrain ``model``, whose forward takes a batch, and return the learning curve.

    ``checkpoint`` holds a training that has not ended; it is continued, and removed by whoever
    keeps the weights. ``step`` is called after every update. Raises ``UserError`` for a source of
    fewer clips than a batch, and for a loss that is not finite.
    """
    if len(source.lengths) < settings.batch_size:
        raise UserError(
            "pretraining",
            found=f"{len(source.lengths)} pairs of sound and text",
            expected=f"at least one batch of {settings.batch_size}",
            remedy="Pretrain on more clips, or on another corpus.",
        )
    rate, decay = settings.learning_rate, settings.weight_decay
    optimizer = torch.optim.AdamW(model.parameters(), rate, weight_decay=decay, fused=True)
    noted = _resume(checkpoint, model, optimizer)
    saved = time.monotonic()
    model.train()
    for update in bar(range(len(noted), settings.updates), "pretraining", "update"):
        for group in optimizer.param_groups:
            group["lr"] = settings.learning_rate * (1 - update / settings.updates)
        noted.append(_update(model, source, settings, optimizer, update))
        step()
        if time.monotonic() - saved > SAVE_EVERY:
            _save(checkpoint, model, optimizer, noted)
            saved = time.monotonic()
    model.eval()
    return curve(noted)


def _update(model, source: Source, settings: Settings, optimizer, update: int) -> list[float]:
    generator = generator_of(settings.seed, update)
    torch.manual_seed(int(torch.randint(2**62, (), generator=generator)))  # of dropout
    rows = rows_of(source.lengths, settings, update)
    guesses = model(source.batch(rows, generator))
    loss = guesses.loss
    if not torch.isfinite(loss):
        raise UserError(
            f"update {update + 1} of pretraining, seed {settings.seed}",
            found=f"loss {loss.item()}",
            expected="finite losses",
            remedy="Check the features for extreme values, or lower the learning rate.",
        )
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return [float(getattr(guesses, name).detach()) for name in GUESSED]


def generator_of(seed: int, number: int) -> torch.Generator:
    """Return the generator of an update: other numbers for every seed and update."""
    words = np.random.SeedSequence([seed, number]).generate_state(2, np.uint32)
    return torch.Generator().manual_seed(int(words[0]) << 31 | int(words[1]) >> 1)


def rows_of(lengths: np.ndarray, settings: Settings, update: int) -> np.ndarray:
    """Return the clips (B,) of an update: of similar length, every clip once in a pass.

    Clips left over at the end of a pass that fill no batch are left out of it.
    """
    per_pass = len(lengths) // settings.batch_size
    number, place = divmod(update, per_pass)
    rng = np.random.default_rng([settings.seed, number, 1])
    order = rng.permutation(len(lengths))[: per_pass * settings.batch_size]
    size = settings.batch_size * POOL
    pools = [order[start : start + size] for start in range(0, len(order), size)]
    pools = [pool[np.argsort(lengths[pool], kind="stable")] for pool in pools]
    return np.concatenate(pools).reshape(per_pass, -1)[rng.permutation(per_pass)[place]]


def curve(noted: list[list[float]]) -> Curve:
    """Return the means of what was noted of every update, over windows of equal length."""
    window = -(-len(noted) // CURVE)
    parts = [noted[start : start + window] for start in range(0, len(noted), window)]
    means = np.array([np.mean(part, axis=0) for part in parts])
    ends = np.cumsum([len(part) for part in parts]).tolist()
    return Curve(ends, {n: _short(means[:, k]) for k, n in enumerate(GUESSED)})


def _short(values: np.ndarray) -> list[float]:
    return [float(f"{value:.5g}") for value in values]


@torch.no_grad()
def judged(
    model: nn.Module, batches: list, others: Callable[[Any], dict] | None
) -> dict[str, float]:
    """Return the means of losses and shares over batches, weighted by what each has to guess.

    ``others`` makes of a batch what its streams see of the other encoder; None leaves it.
    """
    model.eval()
    sums = dict.fromkeys(GUESSED, 0.0)
    counts = dict.fromkeys(GUESSED, 0)
    for batch in batches:
        guesses = model(batch, outputs=others(batch) if others else None)
        for name in GUESSED:
            hidden = batch.hidden(name.removesuffix("_right"))
            sums[name] += float(getattr(guesses, name)) * hidden
            counts[name] += hidden
    return {name: float(f"{sums[name] / max(1, counts[name]):.5g}") for name in GUESSED}


# --- checkpoints --------------------------------------------------------------------------------


def _save(path: Path, model: nn.Module, optimizer, noted: list[list[float]]) -> None:
    content = io.BytesIO()
    torch.save(
        {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "noted": noted}, content
    )
    files.write_bytes(path, content.getvalue())


def _resume(path: Path, model: nn.Module, optimizer) -> list[list[float]]:
    """Put a checkpoint into model and optimiser; return what it noted, nothing without one."""
    if not path.is_file():
        return []
    try:
        state = torch.load(path, weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        return state["noted"]
    except Exception as error:  # torch raises what it likes for a file that is none of its own
        raise UserError(
            path,
            found="no checkpoint of this pretraining",
            expected="one that the same command has left",
            remedy="Delete the file; pretraining begins anew.",
        ) from error
