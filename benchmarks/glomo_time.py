"""Seconds of training for GLoMo's Table 5: its systems as ratios to GLoMo, in one run.

The paper gives the time of 100 epochs on CMU-MOSI with BERT-base before every system. Here the
systems of the table that have a model file take training steps on the same clips, behind BERT-base
with the same weights, read in the same way, with dropout and AdamW (glomo_literal.py has the
clips). A repeat takes a step of every system in turn; the ratio is that of its times. Validation
and loading are not counted. MISA, MAG-BERT and C-MIB have no model file, so they are left out.

    python benchmarks/glomo_time.py [--repeats 5] [--batch 8]
    python benchmarks/glomo_time.py --tiny      # does the script work? Writes nothing.
"""

import copy
from collections.abc import Callable, Mapping
from typing import Annotated

import torch
import typer
from glomo_literal import Clips, clips
from glomo_step import SIZES, Asked, Ours, parts
from measured import summary, text, timed, write
from torch import Tensor, nn

from msalib.base import noise
from msalib.models import recipes, tfn
from msalib.models.glomo import Training
from msalib.training.regime import adamw

PRESET = "release"  # as the paper's times were taken


class Behind(nn.Module):
    """A system behind BERT that reads the last block of what GLoMo reads."""

    def __init__(self, system: nn.Module, reading: tuple):
        super().__init__()
        self.system, self.reading, self.step = system, reading, 0

    def forward(self, features: Mapping[str, Tensor], mask: Mapping[str, Tensor]):
        self.step += 1
        count = len(noise.dropouts(self.system))
        noise.set_keys(self.system, noise.derive(noise.key(self.step), torch.arange(count)))
        return self.system(dict(features) | {"linguistic": features["linguistic"][0]}, mask)


def systems(tiny: bool, batch: int) -> dict[str, nn.Module]:
    """Each system behind a BERT of its own, with the same weights."""
    bert, core = parts(Asked("msalib", PRESET, batch=batch, tiny=tiny))
    sizes = SIZES | {"linguistic": bert.config.hidden_size}
    recipe = recipes.load("tfn", PRESET, "full", "mosi")["model"]
    torch.manual_seed(1)
    tensor = tfn.build(tfn.Config(**recipe), sizes=sizes, layers={}, outputs=1)
    cores = {"GLoMo": core, "TFN": Behind(tensor, core.reading)}
    return {name: Ours(copy.deepcopy(bert), one, "float32").train() for name, one in cores.items()}


def step(model: Ours, optimizer: torch.optim.Optimizer, some: Clips, omega: float) -> Callable:
    """A step of training, with the penalties of experts where there are any."""
    features, mask = model.prepare(some)

    def run() -> None:
        output = model.model(features, mask)
        gates = getattr(output, "gates", {})
        penalty = sum((one.penalty for one in gates.values()), torch.zeros(()))
        ((output.prediction - some.label).abs().mean() + omega * penalty).backward()
        optimizer.step()
        optimizer.zero_grad()

    return run


def main(
    repeats: Annotated[int, typer.Option(min=3, help="Measured steps of each system.")] = 5,
    batch: Annotated[int, typer.Option(min=4, help="Clips of a step.")] = 8,
    tiny: Annotated[bool, typer.Option(help="A small BERT; writes nothing.")] = False,
) -> None:
    torch.set_num_threads(1)
    recipe = Training(**recipes.load("glomo", PRESET, "full", "mosi")["train"])
    models = systems(tiny, batch)
    rate = {"lr": recipe.learning_rate, "weight_decay": recipe.weight_decay}
    optimizers = {
        name: adamw([{"params": [*model.parameters()], **rate}]) for name, model in models.items()
    }
    generator = torch.Generator().manual_seed(0)
    times = {name: [] for name in models}
    for _ in range(1 + repeats):
        some = clips(batch, models["GLoMo"].model.core.config.longest, SIZES, generator)
        for name, model in models.items():
            took, _ = timed(step(model, optimizers[name], some, recipe.omega), "cpu")
            times[name].append(took / 1000)
    times = {name: values[1:] for name, values in times.items()}  # the first makes the moments
    ratios = {
        name: summary([a / b for a, b in zip(values, times["GLoMo"], strict=True)])
        for name, values in times.items()
    }
    for name, ratio in ratios.items():
        print(f"{name}: {text(summary(times[name]))} s a step, {text(ratio)} times GLoMo's")
    if not tiny:
        content = {
            "data": "random frames and tokens of MOSI's lengths",
            "threads": torch.get_num_threads(),
            "preset": PRESET,
            "batch": batch,
            "left_out": "MISA, MAG-BERT and C-MIB have no model file here.",
            "seconds": {name: summary(values) for name, values in times.items()},
            "ratio_to_glomo": ratios,
        }
        write("glomo_time", "cpu", content)


if __name__ == "__main__":
    typer.run(main)
