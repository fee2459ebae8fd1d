"""Experts computed for the clips that are routed to them, against all experts as one product.

Both are in msalib/models/moe.py, which takes `routed` for wide experts that are not all active
(`sparse` there), else `batched`. In `batched` every expert computes every clip, in one product, and
what the gates leave out is weighted by 0; in `routed` each expert computes its own clips. Same
gates, same weights; the script first shows that outputs and gradients agree. Forward and backward
of one mixture of GLoMo, with inputs of three local vectors, by the number of experts, clips and
features; two experts are active. The two alternate.

    python benchmarks/glomo_experts.py [--rounds 20]
    python benchmarks/glomo_experts.py --tiny      # does the script work? Writes nothing.
"""

from collections.abc import Callable
from typing import Annotated

import torch
import typer
from measured import summary, text, timed, write
from torch import Tensor

from msalib.models.moe import Gates, MixtureOfExperts

EXPERTS = (2, 3, 4, 6, 8)
CLIPS = (16, 64, 240)
WIDTHS = (48, 112, 192)  # d of MOSI, UR-FUNNY and MOSEI, papers/glomo.md (c)
ACTIVE = 2
LOCALS = 3
TOLERANCE = 1e-5


def mixture(experts: int, width: int) -> MixtureOfExperts:
    """A mixture whose gates choose by the input."""
    torch.manual_seed(0)
    made = MixtureOfExperts(
        LOCALS * width,
        width,
        width,
        experts=experts,
        active=ACTIVE,
        combination="linear",
        noise_floor=None,
        load_mean=0.0,
    )
    torch.nn.init.normal_(made.gate, std=width**-0.5)
    return made


def batched(moe: MixtureOfExperts, x: Tensor, gates: Gates) -> Tensor:
    """All experts for all clips."""
    return moe.combine(moe.outputs(x), gates)


def routed(moe: MixtureOfExperts, x: Tensor, gates: Gates) -> Tensor:
    """Each expert for its clips."""
    return moe.combine(moe.routed(x, gates), gates)


WAYS = {"batched": batched, "routed": routed}


def step(way: Callable, moe: MixtureOfExperts, x: Tensor) -> Callable[[], list[Tensor]]:
    """Forward and backward; the gates are computed in both ways alike."""

    def run() -> list[Tensor]:
        moe.zero_grad()
        x.grad = None
        made = way(moe, x, moe.gates(x, None))
        made.square().sum().backward()
        return [made.detach(), x.grad, *(p.grad for p in moe.parameters() if p.grad is not None)]

    return run


def compared(experts: int, clips: int, width: int, rounds: int) -> dict:
    """Milliseconds of both ways, and their ratio round by round."""
    moe, x = mixture(experts, width), torch.randn(clips, LOCALS * width, requires_grad=True)
    runs = {name: step(way, moe, x) for name, way in WAYS.items()}
    ours, theirs = ([tensor.clone() for tensor in run()] for run in runs.values())
    for a, b in zip(ours, theirs, strict=True):
        gap = float((a - b).abs().max() / a.abs().max().clamp(min=1e-6))
        if gap > TOLERANCE:
            raise SystemExit(f"outputs or gradients differ by {gap:.2g}: nothing to compare")
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            times[name].append(timed(run, "cpu")[0])
    ratio = [b / a for a, b in zip(times["batched"], times["routed"], strict=True)]
    found = {name: summary(values) for name, values in times.items()}
    return {
        "experts": experts,
        "clips": clips,
        "width": width,
        "taken": "routed" if moe.sparse else "batched",
        "ms": found,
        "routed_over_batched": summary(ratio),
    }


def main(
    rounds: Annotated[int, typer.Option(min=3, help="Measurements of each way.")] = 20,
    tiny: Annotated[bool, typer.Option(help="One small case; writes nothing.")] = False,
) -> None:
    torch.set_num_threads(1)
    cases = [(s, b, d) for d in WIDTHS for b in CLIPS for s in EXPERTS]
    if tiny:
        cases = [(3, 16, 48)]
    found = []
    for experts, clips, width in cases:
        found.append(compared(experts, clips, width, rounds))
        print(
            f"{experts} experts, {clips} clips, width {width}: routed takes "
            f"{text(found[-1]['routed_over_batched'])} times as long as batched"
        )
    if not tiny:
        content = {"data": "random vectors", "threads": 1, "rounds": rounds, "active": ACTIVE}
        write("glomo_experts", "cpu", content | {"cases": found})


if __name__ == "__main__":
    typer.run(main)
