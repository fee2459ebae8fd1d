"""Training steps of GLoMo with BERT-base, against a literal reading of it, at MOSI's sizes.

BERT-base with random weights, random frames and tokens, clips of MOSI's lengths, word-aligned.
`literal` (glomo_literal.py) is papers/glomo.md (c) and (d) as it stands there: every clip is padded
to 60 places in all modalities, attention is written out, experts collect the clips that are routed
to them one after the other, logarithms are taken of sums of exponentials. Under preset `release` it
reads the padding, under `article` it computes and masks it. `msalib` is what a study runs. Without
dropout both take the same steps from the same weights, and the script stops unless their losses
agree; times and memory are those of training as it is, with dropout. Each measurement is a process
of its own.

    python benchmarks/glomo_step.py [--steps 6] [--batch 16]
    python benchmarks/glomo_step.py --tiny      # does the script work? Writes nothing.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Annotated, NamedTuple

import torch
import typer
from glomo_literal import Clips, Literal, clips
from measured import resident, rounded, summary, text, timed, write
from torch import Tensor, nn

from msalib.encoders import Encoder, tuned
from msalib.encoders import text as words
from msalib.models import glomo, recipes
from msalib.training.regime import adamw

SIZES = {"linguistic": 768, "acoustic": 74, "visual": 47}
TINY = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
TINY |= {"intermediate_size": 64}
TOLERANCE = 1e-4
TARGETS = {"article": 2.8, "article_bfloat16": 4.0, "release": 1.2}
"""Least ratios of steps a second."""


# --- what a study runs --------------------------------------------------------------------------


class Ours(nn.Module):
    """What a study runs."""

    def __init__(self, bert: nn.Module, core: glomo.GLoMo, precision: str):
        super().__init__()
        self.precision = precision
        words.load = lambda encoder: (None, bert)
        encoder = tuned.build(Encoder("random", "linguistic", ""), precision)
        self.model = tuned.FineTuned(core, {"linguistic": encoder})

    def prepare(self, some: Clips) -> tuple[dict[str, Tensor], ...]:
        length = torch.tensor([[len(ids)] for ids in some.ids])
        mask = torch.arange(int(length.max())) < length
        features = {m: torch.cat(x) for m, x in some.frames.items()}
        features["linguistic"] = torch.cat(some.ids)[:, None]
        return features, dict.fromkeys(features, mask)

    def forward(self, features: dict[str, Tensor], mask: dict[str, Tensor]):
        with torch.autocast("cpu", torch.bfloat16, enabled=self.precision == "bfloat16"):
            output = self.model(features, mask)
        return output.prediction.float(), sum(gates.penalty for gates in output.gates.values())

    def optimizer(self, groups: list[dict]) -> torch.optim.Optimizer:
        return adamw(groups)


# --- one measurement ----------------------------------------------------------------------------


class Asked(NamedTuple):
    """What a process is to measure; ``still``: without dropout."""

    way: str
    preset: str
    precision: str = "float32"
    still: bool = False
    batch: int = 16
    steps: int = 6
    tiny: bool = False


def parts(asked: Asked) -> tuple[nn.Module, glomo.GLoMo]:
    """BERT with random weights, and everything behind it."""
    from transformers import BertConfig, BertModel

    still = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    torch.manual_seed(0)
    size = TINY if asked.tiny else {}
    bert = BertModel(BertConfig(**size, **still if asked.still else {}), add_pooling_layer=False)
    model = recipes.load("glomo", asked.preset, "full", "mosi")["model"]
    if asked.still:
        model |= {name: 0.0 for name in model if name.endswith("dropout")}
    sizes = SIZES | {"linguistic": bert.config.hidden_size}
    torch.manual_seed(1)
    layers = {"linguistic": glomo.LAST}
    return bert, glomo.build(glomo.Config(**model), sizes=sizes, layers=layers, outputs=1)


def alone(asked: Asked) -> dict:
    """Take so many steps: their losses and times, and the greatest memory of this process."""
    bert, core = parts(asked)
    ours = asked.way == "msalib"
    model = Ours(bert, core, asked.precision) if ours else Literal(bert, core)
    training = glomo.Training(**recipes.load("glomo", asked.preset, "full", "mosi")["train"])
    rate = {"lr": training.learning_rate, "weight_decay": training.weight_decay}
    optimizer = model.train().optimizer([{"params": [*model.parameters()], **rate}])
    generator = torch.Generator().manual_seed(0)
    losses, times, places = [], [], []
    for number in range(asked.steps):
        some = clips(asked.batch, core.config.longest, SIZES, generator)
        places.append(sum(map(len, some.ids)))
        inputs = model.prepare(some)
        torch.manual_seed(number)
        took, loss = timed(step(model, optimizer, inputs, some.label, training.omega), "cpu")
        times.append(took / 1000)
        losses.append(loss)
    return {
        "losses": losses,
        "seconds": times,
        "peak_mb": resident(),
        "share_of_places": sum(places) / (asked.batch * asked.steps * core.config.longest),
        "trained": sum(w.numel() for w in model.parameters()),
    }


def step(model: nn.Module, optimizer, inputs: tuple, label: Tensor, omega: float) -> Callable:
    """A step of training that returns its loss: absolute errors and the experts' penalties."""

    def run() -> float:
        prediction, penalty = model(*inputs)
        loss = (prediction - label).abs().mean() + omega * penalty
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        return float(loss.detach())

    return run


def measured(asked: Asked) -> dict:
    """The measurements of a fresh process; of this one with a small BERT."""
    if asked.tiny:
        return alone(asked)
    command = [sys.executable, __file__, "--alone", json.dumps(asked)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


# --- the comparison -----------------------------------------------------------------------------


def same_losses(asked: Asked) -> dict:
    """The losses of the same steps without dropout, both ways; stops unless they agree."""
    asked = asked._replace(still=True)
    losses = {way: measured(asked._replace(way=way))["losses"] for way in ("literal", "msalib")}
    gap = max(abs(a - b) for a, b in zip(*losses.values(), strict=True))
    print(f"{asked.preset}: losses of {asked.steps} steps within {gap:.2g}")
    if gap > TOLERANCE:
        raise SystemExit(f"losses differ by {gap:.2g}: nothing to compare")
    rounded_losses = {way: [rounded(loss, 7) for loss in some] for way, some in losses.items()}
    return {"largest_difference": rounded(gap, 2), **rounded_losses}


def compared(asked: Asked, precisions: tuple[str, ...]) -> dict:
    """Times and memory of training steps with dropout, as ratios to the literal reading."""
    literal = measured(asked)
    found = {
        precision: measured(asked._replace(way="msalib", precision=precision))
        for precision in precisions
    }
    figures = {
        "share_of_places": rounded(literal["share_of_places"]),
        "trained_weights": literal["trained"],
        "literal": figures_of(literal),
    }
    for precision, result in found.items():
        # The first step also makes the moments of AdamW.
        pairs = list(zip(literal["seconds"], result["seconds"], strict=True))[1:]
        ratio = sum(a for a, _ in pairs) / sum(b for _, b in pairs)
        share = result["peak_mb"] / literal["peak_mb"]
        name = "msalib" if precision == "float32" else f"msalib_{precision}"
        figures[name] = figures_of(result) | {
            "steps_per_second_ratio": rounded(ratio),
            "ratio_by_step": summary([a / b for a, b in pairs]),
            "share_of_memory": rounded(share, 3),
        }
        print(
            f"{asked.preset}, {name}: {text(figures[name]['seconds'])} s a step, {ratio:.3g} times "
            f"as many a second as literal, {share:.0%} of its memory"
        )
    return figures


def figures_of(result: dict) -> dict:
    """Seconds of a step after the first, and memory."""
    return {"seconds": summary(result["seconds"][1:]), "peak_mb": round(result["peak_mb"])}


def main(
    steps: Annotated[int, typer.Option(min=3, help="Steps of training.")] = 6,
    batch: Annotated[int, typer.Option(min=4, help="Clips of a step.")] = 16,
    tiny: Annotated[bool, typer.Option(help="A small BERT; writes nothing.")] = False,
    alone_: Annotated[str, typer.Option("--alone", hidden=True)] = "",
) -> None:
    torch.set_num_threads(1)
    if alone_:
        print(json.dumps(alone(Asked(*json.loads(alone_)))))
        return
    presets = {"article": ("float32", "bfloat16"), "release": ("float32",)}
    content = {
        "data": "random frames and tokens of MOSI's lengths",
        "threads": torch.get_num_threads(),
        "batch": batch,
        "steps": steps,
        "targets": TARGETS,
    }
    for preset, precisions in presets.items():
        asked = Asked("literal", preset, batch=batch, steps=steps, tiny=tiny)
        losses = same_losses(asked)
        content[preset] = {"without_dropout": losses, **compared(asked, precisions)}
    if not tiny:
        write("glomo_step", "cpu", content)


if __name__ == "__main__":
    typer.run(main)
