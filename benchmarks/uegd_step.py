"""Rate of training steps of UEGD: msalib's loop against a plain one that does the same.

MOSI transcripts, MiniLM layer 4, batches of 16, release recipe with masking. The plain loop is
written from papers/uegd.md (c) and (d) the way such code usually is: one .npy file per clip, a
DataLoader, masking clip by clip in NumPy, frames padded to the longest clip of a batch, one
``.item()`` per step. Both start from the same weights and are first shown to give the same outputs.
Epochs of the two alternate, so that other load on the machine meets both.

    python benchmarks/uegd_step.py [--device cuda] [--pairs 10]
"""

import os
from collections.abc import Callable
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
import pandas as pd
import torch
import typer
from measured import summary, text, timed, write
from torch import nn
from torch.utils.data import DataLoader, Dataset

from msalib import encoders
from msalib.base.provenance import pick_device
from msalib.data.corpus import COLUMNS, Corpus, Examples, Features
from msalib.models import uegd
from msalib.runs.spec import system
from msalib.runs.study import Study
from msalib.training import loop
from msalib.training.objective import Objective

LAYER = 4
TOLERANCE = 1e-5


# --- the plain loop -----------------------------------------------------------------------------


class Clips(Dataset):
    """One .npy file (T, D) per clip, read when it is asked for."""

    def __init__(self, folder: Path, labels: np.ndarray, config: uegd.Training | None):
        self.folder = folder
        self.labels = labels
        self.config = config  # None: no masking
        self.rng = np.random.default_rng(0)

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        x = np.load(self.folder / f"{i}.npy").astype(np.float32)
        if self.config is not None:
            c = self.config
            for _ in range(c.feature_masks):
                mask_span(x, 1, c.feature_mask_share, self.rng)
            for _ in range(c.time_masks):
                mask_span(x, 0, c.time_mask_share, self.rng)
        return torch.from_numpy(x), float(self.labels[i])


def mask_span(x: np.ndarray, axis: int, share: float, rng: np.random.Generator) -> None:
    """One random span along an axis of (T, D) gets the mean of the array as it is now."""
    limit = int(share * x.shape[axis])
    if limit < 1:
        return
    width = rng.integers(0, limit)
    start = rng.integers(0, x.shape[axis] - width)
    span = slice(start, start + width)
    x[(slice(None), span) if axis == 1 else span] = x.mean()


def collate(clips):
    """Pad with zeros to the longest clip: (B, T, D), mask (B, T), labels (B,)."""
    xs, labels = zip(*clips, strict=True)
    longest = max(len(x) for x in xs)
    padded = torch.zeros(len(xs), longest, xs[0].shape[1])
    mask = torch.zeros(len(xs), longest, dtype=torch.bool)
    for i, x in enumerate(xs):
        padded[i, : len(x)] = x
        mask[i, : len(x)] = True
    return padded, mask, torch.tensor(labels)


class PlainUEGD(nn.Module):
    """UEGD on padded linguistic frames; parameters in the order of ``msalib.models.uegd``."""

    def __init__(self, input_size: int, config: uegd.Config):
        super().__init__()
        h, f, heads = config.hidden_size, config.embedding_size, config.attention_heads
        self.project = nn.Linear(input_size, h)
        self.norm = nn.LayerNorm(h)
        self.attention = nn.Sequential(nn.Linear(h, h), nn.Tanh(), nn.Linear(h, heads, bias=False))
        self.embed = nn.Linear(heads * h, f)
        self.gate = nn.Linear(3 * f, 3)
        self.decode = nn.Linear(f, f)
        self.decode_norm = nn.LayerNorm(f)
        self.output = nn.Linear(f, 1)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x, mask):
        h = self.dropout(torch.relu(self.norm(self.project(x))))  # (B, T, H)
        score = self.attention(h).masked_fill(~mask[..., None], float("-inf"))
        attention = torch.softmax(score, dim=1)  # (B, T, J)
        pooled = torch.bmm(attention.transpose(1, 2), h)  # (B, J, H)
        language = self.embed(pooled.flatten(1))
        absent = torch.zeros_like(language)
        gates = torch.sigmoid(self.gate(torch.cat([absent, absent, language], dim=1)))
        z = gates[:, 0:1] * absent + gates[:, 1:2] * absent + gates[:, 2:3] * language
        z = self.dropout(torch.relu(self.decode_norm(self.decode(z))))
        return self.output(z).squeeze(1)


def plain_epoch(model, loader, optimizer, device) -> float:
    model.train()
    total = 0.0
    for x, mask, label in loader:
        x, mask, label = x.to(device), mask.to(device), label.to(device)
        loss = torch.mean(torch.abs(model(x, mask) - label))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total / len(loader)


# --- the comparison -----------------------------------------------------------------------------


def corpus() -> tuple[Corpus, Study, str]:
    """MOSI where its data and feature store are here, else random frames of its sizes."""
    study = Study("uegd", dataset="mosi", encoder="minilm", profile="full")
    store = encoders.store_folder("mosi", encoders.ENCODERS["minilm"])
    if "MSALIB_DATA" in os.environ and store.is_dir():
        return study.encoded, study, f"MOSI transcripts, MiniLM layer {LAYER}"
    return simulated(), study, "random frames of MOSI's sizes"


def simulated(clips: int = 1281, size: int = 384) -> Corpus:
    """As many training clips as MOSI has, of similar lengths: mean 15, from 3 to about 100."""
    rng = np.random.default_rng(0)
    lengths = rng.lognormal(2.57, 0.51, clips).round().clip(3, 110).astype(int)
    frames = rng.standard_normal((lengths.sum(), size)).astype(np.float16)
    ids = pd.Index([f"clip{i}" for i in range(clips)], name="id")
    utterances = pd.DataFrame(dict.fromkeys(COLUMNS, "-"), index=ids)
    utterances["label"] = rng.uniform(-3, 3, clips)
    features = Features("random", "frame", {LAYER: frames}, np.append(0, lengths.cumsum()))
    everything = pd.Series("train", index=ids)
    return Corpus("simulated", utterances, {"linguistic": features}, {"standard": everything})


def write_clips(examples: Examples, folder: Path) -> None:
    """Each clip's frames in its own file, as the plain loop reads them."""
    for i in range(len(examples)):
        frames = examples.batch(torch.tensor([i])).features["linguistic"]
        np.save(folder / f"{i}.npy", frames.cpu().numpy())


@torch.no_grad()
def difference(ours: nn.Module, plain: nn.Module, examples: Examples, folder: Path) -> float:
    """Greatest absolute difference of the two models' outputs over all clips, in eval mode."""
    ours.eval()
    plain.eval()
    clips = DataLoader(Clips(folder, np.zeros(len(examples)), None), 16, collate_fn=collate)
    gaps = []
    for batch, (x, mask, _) in zip(examples.batches(16), clips, strict=True):
        expected = plain(x.to(examples.device), mask.to(examples.device))
        gaps.append((ours(batch.features, batch.mask).prediction - expected).abs().max())
    return float(max(gaps))


def alternate(epochs: dict[str, Callable[[], float]], pairs: int, steps: int, device: str):
    """Milliseconds per step by loop, ``pairs`` each, and the last losses by loop.

    An epoch ends with reading its loss, which waits for the device.
    """
    times, losses = {}, {}
    for _ in range(1 + pairs):  # the first is a warm-up
        for way, epoch in epochs.items():
            spent, loss = timed(epoch, device)
            losses[way] = round(loss, 4)
            times.setdefault(way, []).append(spent / steps)
    return {key: values[1:] for key, values in times.items()}, losses


def main(
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "cpu",
    pairs: Annotated[int, typer.Option(min=5, help="Pairs of epochs.")] = 10,
) -> None:
    device = pick_device(device)
    torch.set_num_threads(1)  # as a study sets it
    source, study, data = corpus()
    spec = study.spec(system({"linguistic": LAYER}), seed=0)
    config, recipe = uegd.Config(**spec.model), uegd.Training(**spec.train)
    regime = recipe.regime()
    rows = source.rows("train", "standard")
    examples = source.examples(rows, inputs=spec.inputs, device=device)
    size, steps = examples.size("linguistic"), len(examples) // recipe.batch_size

    torch.manual_seed(spec.seed)
    stream, epoch = regime.stream(spec.seed, device), count(1)
    ours = uegd.build(config, sizes={"linguistic": size}, layers={}, outputs=1).to(device)
    plain = PlainUEGD(size, config).to(device)
    weights = zip(plain.state_dict(), ours.state_dict().values(), strict=True)
    plain.load_state_dict(dict(weights))
    # As loop.fit makes it, and as most code does.
    ours_adam = regime.make_optimizer({"model": ours.named_parameters()})
    plain_adam = torch.optim.Adam(plain.parameters(), lr=recipe.learning_rate)

    with TemporaryDirectory() as name:
        folder = Path(name)
        write_clips(examples, folder)
        gap = difference(ours, plain, examples, folder)
        if gap > TOLERANCE:
            raise SystemExit(f"the two models differ by {gap:.2g} in eval mode: nothing to compare")
        loader = DataLoader(
            Clips(folder, examples.label.cpu().numpy(), recipe),
            recipe.batch_size,
            shuffle=True,
            drop_last=True,
            collate_fn=collate,
        )

        epochs = {
            "msalib": lambda: loop.mean_loss(
                loop.train_epoch(
                    ours, Objective("l1"), examples, regime, ours_adam, stream, next(epoch)
                ),
                regime,
            ),
            "plain": lambda: plain_epoch(plain, loader, plain_adam, device),
        }
        print(f"{data}: {len(examples)} clips, {steps} steps of {recipe.batch_size}, {device}")
        print(f"largest difference of the outputs in eval mode: {gap:.2g}")
        times, losses = alternate(epochs, pairs, steps, device)

    ratios = [plain / ours for ours, plain in zip(times["msalib"], times["plain"], strict=True)]
    figures = {
        "msalib_ms_per_step": summary(times["msalib"]),
        "plain_ms_per_step": summary(times["plain"]),
        "plain_over_msalib": summary(ratios),
    }
    print(", ".join(f"{name} {text(value)}" for name, value in figures.items()))
    content = {
        "data": data,
        "clips": len(examples),
        "batch_size": recipe.batch_size,
        "pairs_of_epochs": pairs,
        "threads": torch.get_num_threads(),
        "largest_output_difference": float(f"{gap:.2g}"),
        "last_train_loss": losses,
        **figures,
    }
    write("uegd_step" if device == "cpu" else f"uegd_step-{device}", device, content)


if __name__ == "__main__":
    typer.run(main)
