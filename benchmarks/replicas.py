"""Many small models as one: ``replicas`` against training them one after the other.

On a CPU, one thread: the control's quick models, models of other sizes on the same data (where
together stops to pay), and the release's models on MOSI transcripts (MiniLM layer 4, or random
frames of MOSI's sizes). On a GPU: the release's models on 24 random layers of width 1024 at MOSI's
sizes, as BERT-Large would give them. Both sides start from the same seeds and are first shown to
give the same losses; epochs of the two alternate, so that other load meets both.

The roofline says how fast a step could be: its floating point operations and the bytes it has to
move, from the shapes of the model, at the rates at which this device multiplies matrices and
copies memory.

    python benchmarks/replicas.py [--pairs 5]
    python benchmarks/replicas.py --device cuda
    python benchmarks/replicas.py --tiny        # does the script work? Writes nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Annotated, NamedTuple

import numpy as np
import torch
import typer
from measured import summary, text, timed, write
from uegd_step import LAYER, corpus, simulated

from msalib.base.provenance import pick_device
from msalib.data import datasets as readers
from msalib.data.corpus import MODALITIES, Corpus, Examples, Features
from msalib.models import recipes, uegd
from msalib.runs import trainer
from msalib.training import loop, replicas
from msalib.training.objective import Objective
from msalib.training.regime import Regime

SEQUENTIAL = 8
"""Models that are trained one after the other at most; more would take as much longer each."""

TOLERANCE = 1e-4
"""Of the first epoch's losses, which only the order of additions may change."""

OBJECTIVE = Objective("l1")


# --- what is trained ----------------------------------------------------------------------------


@dataclass
class Case:
    """R models of one size on one data set; replica r reads ``parts[r % len(parts)]``."""

    name: str
    parts: Sequence[Examples]
    model: uegd.Config
    regime: Regime

    def part(self, r: int) -> Examples:
        return self.parts[r % len(self.parts)]

    def build(self, r: int) -> torch.nn.Module:
        """Model r; its seed is r."""
        torch.manual_seed(r)
        part = self.part(r)
        stacks = {m: _layers(part, m) for m, layer in part.inputs.items() if layer == "weighted"}
        sizes = {m: part.size(m) for m in part.inputs}
        return uegd.build(self.model, sizes=sizes, layers=stacks, outputs=1).to(part.device)

    @property
    def weights(self) -> int:
        return sum(p.numel() for p in self.build(0).parameters())

    @property
    def steps(self) -> int:
        return len(self.parts[0]) // self.regime.batch_size

    def together(self, number: int) -> Callable[[], list[float]]:
        """Return what runs one epoch of R replicas, again and again, and gives their losses."""
        device, parts = self.parts[0].device, [self.part(r) for r in range(number)]
        models = [self.build(r) for r in range(number)]
        stack = replicas.Stack(models, list(parts[0].inputs), OBJECTIVE)
        optimizer = self.regime.make_optimizer({"model": stack.weights.items()})
        streams = [self.regime.stream(r, device) for r in range(number)]
        keys = torch.stack([stream.key for stream in streams])
        epoch = count(1)

        def run() -> list[float]:
            losses = replicas._train_epoch(
                stack, parts, self.regime, optimizer, keys, streams[0], next(epoch)
            )
            return losses.tolist()  # waits for the device

        return run

    def alone(self, number: int) -> Callable[[], list[float]]:
        """Return what runs one epoch of each of R models, one after the other."""
        device, trained = self.parts[0].device, []
        for r in range(number):
            model = self.build(r)
            optimizer = self.regime.make_optimizer({"model": model.named_parameters()})
            trained.append((model, self.part(r), optimizer, self.regime.stream(r, device)))
        epoch = count(1)

        def run() -> list[float]:
            now = next(epoch)
            return [
                loop.mean_loss(
                    loop.train_epoch(model, OBJECTIVE, part, self.regime, optimizer, stream, now),
                    self.regime,
                )
                for model, part, optimizer, stream in trained
            ]

        return run


def _layers(part: Examples, modality: str) -> int:
    """L of a stack, 1 for a single layer."""
    frames = part.batch(torch.arange(1)).features[modality]
    return len(frames) if frames.dim() == 3 else 1


def recipe(profile: str, dataset: str) -> tuple[uegd.Config, Regime]:
    groups = recipes.load("uegd", "release", profile, dataset)
    return uegd.Config(**groups["model"]), uegd.Training(**groups["train"]).regime()


def control(*inputs: dict) -> list[Examples]:
    """The training part of the control with each of these inputs."""
    source = readers.load("control")
    rows = source.rows("train", "standard")
    return [source.examples(rows, inputs=some) for some in inputs]


def transcripts() -> tuple[list[Examples], str]:
    source, _, about = corpus()
    return [source.examples(source.rows("train", "standard"), inputs={"linguistic": LAYER})], about


def layers(blocks: int, size: int, clips: int, device: str) -> list[Examples]:
    """Random layers at MOSI's sizes, a part per layer."""
    source: Corpus = simulated(clips, 1)
    offsets = source.features["linguistic"].offsets
    rng = np.random.default_rng(0)
    frames = {
        k: rng.standard_normal((int(offsets[-1]), size), np.float32).astype(np.float16)
        for k in range(1, blocks + 1)
    }
    source = source.with_features("linguistic", Features("random", "frame", frames, offsets))
    rows = source.rows("train", "standard")
    return [source.examples(rows, inputs={"linguistic": k}, device=device) for k in frames]


# --- the comparison -----------------------------------------------------------------------------


def compare(case: Case, number: int, pairs: int) -> dict:
    """Times per step of all R, together and one after the other, and their ratio."""
    device = case.parts[0].device
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    several = min(number, SEQUENTIAL)
    together, alone = case.together(number), case.alone(several)
    difference = np.abs(np.subtract(together()[:several], alone())).max()  # also the warm-up
    if difference > TOLERANCE:
        raise SystemExit(f"losses differ by {difference:.2g}: nothing to compare")
    times = {"together": [], "alone": []}
    for _ in range(pairs):
        times["together"].append(timed(together, device)[0] / case.steps)
        times["alone"].append(timed(alone, device)[0] / case.steps * number / several)
    ratios = [a / t for t, a in zip(times["together"], times["alone"], strict=True)]
    figures = {
        "replicas": number,
        "together_by_the_rule": device == "cuda"
        or (number >= trainer.FEWEST and case.weights <= trainer.SMALL),
        "together_ms_per_step": summary(times["together"]),
        "alone_ms_per_step": summary(times["alone"]),
        "alone_over_together": summary(ratios),
        "largest_loss_difference": float(f"{difference:.2g}"),
        "roofline": roofline(case, number, summary(times["together"])["median"]),
    }
    if device == "cuda":
        figures["peak_memory_gb"] = round(torch.cuda.max_memory_allocated() / 1e9, 3)
    ratio, bound = figures["alone_over_together"], figures["roofline"]
    print(
        f"  {number:4d} replicas: {text(figures['together_ms_per_step'])} ms together, "
        f"{text(figures['alone_ms_per_step'])} ms alone, ratio {text(ratio)}; "
        f"{bound['share_of_bound']:.0%} of the bound ({bound['bound_by']})"
        + (f"; {figures['peak_memory_gb']} GB" if device == "cuda" else "")
    )
    return figures


def study(case: Case, counts: Sequence[int], pairs: int) -> dict:
    print(f"{case.name}: {case.weights} weights, {case.steps} steps per epoch")
    return {
        "data": case.name,
        "weights": case.weights,
        "clips": len(case.parts[0]),
        "found": [compare(case, number, pairs) for number in counts],
    }


# --- the roofline -------------------------------------------------------------------------------


class Work(NamedTuple):
    """What one training step of one model has to do."""

    flops: float
    bytes: float


def work(case: Case) -> Work:
    """Operations and bytes of a step, from the shapes (letters as in msalib/models/uegd.py).

    Operations: matrix products, once forward and twice backward (for weights and for inputs), but
    for the first layer, whose inputs need no gradient. Bytes, float32 unless said: the weights are
    read forward and backward, their gradients written, and Adam reads weight, gradient and two
    moments and writes three of these. Frames are read from the store (float16), written as a
    batch, masked (read and written), read forward and backward. Activations of every operation are
    written once, read once, and the same for their gradients.
    """
    part, model = case.parts[0], case.model
    b, h = case.regime.batch_size, model.hidden_size
    f, j = model.embedding_size, model.attention_heads
    whole = part.batch(torch.arange(len(part)))
    first = 0.0
    others = 2 * (9 * b * f + b * f * f)
    moved = 10 * 4 * case.weights + 4 * 4 * 6 * b * f
    for m in part.inputs:
        d, s = part.size(m), float(whole.mask[m].sum()) / len(part) * b  # frames of a batch, mean
        first += 2 * s * d * h
        others += 2 * (s * h * h + s * h * j + b * j * s * h + b * j * h * f)
        moved += (2 + 4 + 2 * 4 + 2 * 4) * s * d * _layers(part, m)
        # Projected, normalised, rectified, dropped out; scores; attention over all frames; pooled.
        moved += 4 * 4 * (6 * s * h + s * j + 2 * b * j * s + b * j * h)
    return Work(2 * first + 3 * others, moved)


class Rates(NamedTuple):
    """What a device was measured to do at best."""

    flops: float  # per second
    bytes: float  # per second, read and written


def rates(device: str) -> Rates:
    """Rates of a large float32 matrix product and of a large copy: the best of ten each."""
    size, copied = (8192, 2**28) if device == "cuda" else (1024, 2**24)
    a, b = (torch.randn(size, size, device=device) for _ in range(2))
    source = torch.zeros(copied, device=device)
    target = torch.empty_like(source)
    product = min(timed(lambda: _waited(torch.mm(a, b)), device)[0] for _ in range(10))
    copy = min(timed(lambda: _waited(target.copy_(source)), device)[0] for _ in range(10))
    return Rates(1000 * 2 * size**3 / product, 1000 * 2 * 4 * copied / copy)


def _waited(result: torch.Tensor) -> None:
    if result.is_cuda:
        torch.cuda.synchronize()


RATES: dict[str, Rates] = {}


def roofline(case: Case, number: int, measured: float) -> dict:
    """The least time of a step of R replicas, and what share of the measured one that is."""
    device = case.parts[0].device
    if device not in RATES:
        RATES[device] = rates(device)
    one, rate = work(case), RATES[device]
    computing, moving = (1000 * number * w / r for w, r in zip(one, rate, strict=True))
    bound = max(computing, moving)
    return {
        "gflop_per_step": float(f"{number * one.flops / 1e9:.4g}"),
        "gb_per_step": float(f"{number * one.bytes / 1e9:.4g}"),
        "bound_ms_per_step": float(f"{bound:.4g}"),
        "bound_by": "operations" if computing > moving else "memory",
        "share_of_bound": float(f"{bound / measured:.3g}"),
    }


# --- the cases ----------------------------------------------------------------------------------


def on_a_cpu(pairs: int, tiny: bool) -> dict:
    torch.set_num_threads(1)  # as a study sets it
    model, quick = recipe("quick", "control")
    blocks = control(*({m: k} for m in MODALITIES for k in range(1, 25)))
    inputs = {
        "one layer": (blocks, (1, 2, 3, 4, 8, 32, 72)),
        "three modalities": (control(dict.fromkeys(MODALITIES, 20)), (2, 3, 8)),
        "weighted sum of 24 blocks": (control({"linguistic": "weighted"}), (2, 3, 8)),
        "three weighted sums": (control(dict.fromkeys(MODALITIES, "weighted")), (2, 3)),
    }
    figures = {
        "control": [
            study(Case(f"control, {name}", parts, model, quick), (2,) if tiny else counts, pairs)
            for name, (parts, counts) in inputs.items()
        ],
        "sizes": [
            study(
                Case(
                    f"control, one layer, hidden size {hidden}",
                    blocks,
                    model.model_copy(update={"hidden_size": hidden, "embedding_size": hidden // 2}),
                    quick,
                ),
                (2,) if tiny else (2, 3, 8, 32),
                pairs,
            )
            for hidden in ((16,) if tiny else (16, 96, 128))
        ],
    }
    if not tiny:
        texts, about = transcripts()
        figures["mosi"] = [study(Case(about, texts, *recipe("full", "mosi")), (1, 2, 3, 5), pairs)]
    return figures


def on_a_gpu(pairs: int, tiny: bool, device: str = "cuda") -> dict:
    if tiny:
        parts, counts = layers(2, 32, 40, device), (1, 4)
    else:
        parts, counts = layers(24, 1024, 1281, device), (1, 8, 32, 120, 480)
    about = f"random frames of MOSI's sizes, {len(parts)} layers"
    return {"mosi": [study(Case(about, parts, *recipe("full", "mosi")), counts, pairs)]}


def main(
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "cpu",
    pairs: Annotated[int, typer.Option(min=1, help="Pairs of epochs per case.")] = 5,
    tiny: Annotated[bool, typer.Option("--tiny", help="Small sizes, nothing written.")] = False,
) -> None:
    device = pick_device(device)
    if tiny:  # both ways through the script, wherever it is run
        on_a_cpu(1, tiny)
        on_a_gpu(1, tiny, device)
        return
    figures = on_a_gpu(pairs, tiny) if device == "cuda" else on_a_cpu(pairs, tiny)
    rate = RATES[device]
    content = {
        "pairs_of_epochs": pairs,
        "threads": torch.get_num_threads(),
        "rule": {
            "together": trainer.TOGETHER,
            "small": trainer.SMALL,
            "fewest": trainer.FEWEST,
        },
        "gflop_per_s": float(f"{rate.flops / 1e9:.4g}"),
        "gb_per_s": float(f"{rate.bytes / 1e9:.4g}"),
        **figures,
    }
    write("replicas" if device == "cpu" else f"replicas-{device}", device, content)


if __name__ == "__main__":
    typer.run(main)
