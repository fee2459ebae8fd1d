"""Forward and backward of SPT against the same read literally, and against dense attention.

`literal` is papers/sugrm.md (c) as it stands there: windows are gathered, then normed and
projected, in every layer. It uses the weights and dropouts of ours and is first shown to give the
same states. `dense` is MulT's encoder (msalib/models/mult.py), of the same width, heads and layers,
whose attention PyTorch computes. Unaligned sizes of MOSI, then sequences that grow; in training
mode. Measurements of the three alternate; greatest memory is that of live tensors beyond weights
and inputs, once more in a separate step.

    python benchmarks/spt_step.py [--device cuda] [--rounds 10]
"""

from collections.abc import Callable, Mapping
from typing import Annotated

import torch
import typer
from measured import summary, text, timed, write
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile

from msalib.base.provenance import pick_device
from msalib.models.mult import MulT
from msalib.models.spt import PAIRS, SPT, Block

SIZES = {"visual": 20, "acoustic": 5, "linguistic": 768}
LENGTHS = {"visual": 500, "acoustic": 375, "linguistic": 50}
MODEL = {"width": 32, "heads": 8, "layers": 4}
DROPOUTS = {"embed_dropout": 0.3, "residual_dropout": 0.3, "relu_dropout": 0.3}  # Table 7, MOSI
GROWTH = (100, 250, 500, 1000, 2000, 4000)
GROWTH_CLIPS = 2
TOLERANCE = 1e-4


# --- SPT read literally -------------------------------------------------------------------------


def window(count: int, stride: int, size: int, shift: Tensor, context: int) -> Tensor:
    """I(j) for j = 0 to count - 1: (size, count)."""
    j = torch.arange(count)
    return ((j + 1) * stride - size + shift + torch.arange(size)[:, None]) % context


def attend(block: Block, h, context, index, norm: nn.LayerNorm, swapped: bool = False):
    """h (B, H, W) attends to ``context[index]``, normed and projected after it is gathered."""
    clips, count, width = h.shape
    query, key = (block.key, block.query) if swapped else (block.query, block.key)
    rows = norm(context[:, index])  # (B, size, H, D)
    by_head = (clips, -1, count, width // block.heads, block.heads)
    q = query(block.norm_query(h)).view(by_head)
    k, v = key(rows).view(by_head), block.value(rows).view(by_head)
    score = torch.einsum("bsjen,bujen->bujn", q, k) / (width / block.heads) ** 0.5
    attended = torch.einsum("bujn,bujen->bjen", score.softmax(1), v).flatten(2)
    h = h + block.residual_dropout(block.output(attended))
    expanded = block.relu_dropout(torch.relu(block.expand(block.norm(h))))
    return h + block.residual_dropout(block.contract(expanded))


def sinusoid(position: Tensor, size: int) -> Tensor:
    """(..., size) of positions (...), zero where the position is zero."""
    half = size // 2
    rate = torch.tensor([10 ** (-4 * k / (half - 1)) for k in range(half)])
    angle = position[..., None] * rate.to(position.device)
    table = torch.cat([angle.sin(), angle.cos(), torch.zeros_like(angle[..., : size % 2])], -1)
    return table * (position[..., None] > 0)


def literal(model: SPT, x: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """All states of clips that are as long as their batch."""
    root, h, frames = model.width**0.5, {}, {}
    for m, start in zip(x, model.start, strict=True):
        clips, length, size = x[m].shape
        count = -(-length // 5)
        real = x[m][..., 0] != 0
        place = torch.arange(1, length + 1, device=real.device) * real
        frames[m] = model.embed_dropout(root * x[m] + sinusoid(place, size))
        place = torch.arange(1, count + 1, device=real.device)
        first = root * start + sinusoid(place, model.width)
        h[m] = model.embed_dropout(first.expand(clips, -1, -1))
    for layer in range(model.layers):
        for m, block in model.input_attention.items():
            count, length = h[m].shape[1], x[m].shape[1]
            shift = torch.zeros(count, dtype=torch.long)
            if model.shift == "phase":
                phase = length * torch.sin(torch.arange(count, dtype=torch.double) / 4)
                shift = layer + phase.trunc().long()
            index = window(count, 5, 17, shift, length)
            h[m] = attend(block, h[m], frames[m], index, block.norm_context)
        shift, old = torch.tensor(layer), h
        if len(old) > 1:
            h = {m: 0 for m in old}
            for pair, name in PAIRS.items():
                if name in model.cross_attention:
                    block = model.cross_attention[name]
                    for target, source in (pair, pair[::-1]):
                        index = window(old[target].shape[1], 1, 9, shift, old[source].shape[1])
                        swapped = (target, source) != pair
                        h[target] = h[target] + attend(
                            block, old[target], old[source], index, block.norm_context, swapped
                        )
        for m, block in model.self_attention.items():
            count = h[m].shape[1]
            index = window(count, 1, 7, shift, count)
            h[m] = attend(block, h[m], h[m], index, block.norm_query)
    return {m: model.norm(h[m]) for m in h}


# --- the comparison -----------------------------------------------------------------------------

Inputs = tuple[dict[str, Tensor], dict[str, Tensor]]


def inputs(sizes: Mapping[str, int], lengths: Mapping[str, int], clips: int, device: str) -> Inputs:
    """Random frames that ask for a gradient, as SUGRM's gates do, and full lengths."""
    x = {m: torch.randn(clips, lengths[m], sizes[m], device=device) for m in sizes}
    length = {m: torch.full((clips,), lengths[m], device=device) for m in sizes}
    return {m: x[m].requires_grad_() for m in sizes}, length


def encoders(sizes: Mapping[str, int], device: str) -> tuple[SPT, dict[str, Callable]]:
    """SPT, and the three ways from inputs to last states."""
    torch.manual_seed(0)
    spt = SPT(input_sizes=sizes, shift="none", **MODEL, **DROPOUTS).to(device)
    mult = MulT(input_sizes=sizes, **MODEL, **DROPOUTS).to(device)
    return spt, {
        "msalib": spt,
        "literal": lambda x, length: {m: h[:, -1] for m, h in literal(spt, x).items()},
        "dense": mult,
    }


def step(encoder: Callable, tensors: Inputs) -> Callable[[], float]:
    """Forward and backward; reading the sum at the end waits for the device."""

    def run() -> float:
        total = sum(h.sum() for h in encoder(*tensors).values())
        total.backward()
        return float(total.detach() + next(iter(tensors[0].values())).grad.flatten()[0])

    return run


def peak_mb(run: Callable, device: str) -> float:
    """Greatest memory of tensors during ``run()`` beyond what was there before it."""
    if device == "cuda":
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        run()
        return (torch.cuda.max_memory_allocated() - before) / 1e6
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiled:
        run()
    live = peak = 0
    events = profiled.profiler.kineto_results.events()
    for event in sorted(events, key=lambda event: event.start_ns()):
        if event.name() == "[memory]":
            live += event.nbytes()
            peak = max(peak, live)
    return peak / 1e6


def measure(
    ways: Mapping[str, Callable], tensors: Inputs, rounds: int, device: str
) -> tuple[dict, dict[str, list[float]]]:
    """Time and memory by way, and its single times; the first round is a warm-up."""
    runs = {way: step(encoder, tensors) for way, encoder in ways.items()}
    times = {way: [] for way in ways}
    for _ in range(1 + rounds):
        for way, run in runs.items():
            times[way].append(timed(run, device)[0])
    times = {way: values[1:] for way, values in times.items()}
    figures = {
        way: {"ms": summary(times[way]), "peak_mb": float(f"{peak_mb(run, device):.4g}")}
        for way, run in runs.items()
    }
    return figures, times


def ratios(times: Mapping[str, list[float]]) -> dict[str, dict[str, float]]:
    """The other ways over ours, round by round."""
    return {
        f"{way}_over_msalib": summary(
            [other / ours for ours, other in zip(times["msalib"], values, strict=True)]
        )
        for way, values in times.items()
        if way != "msalib"
    }


def unaligned(rounds: int, device: str) -> dict:
    """MOSI's unaligned sizes, 32 clips: with dropout, and SPT against the literal one without."""
    spt, ways = encoders(SIZES, device)
    tensors = inputs(SIZES, LENGTHS, 32, device)
    spt.eval()
    with torch.no_grad():
        ours, theirs = spt.hidden(*tensors), literal(spt, tensors[0])
    gap = max(float((ours[m] - theirs[m]).abs().max()) for m in ours)
    if gap > TOLERANCE:
        raise SystemExit(f"the literal reading differs by {gap:.2g}: nothing to compare")
    without, times = measure({w: ways[w] for w in ("msalib", "literal")}, tensors, rounds, device)
    without |= ratios(times)
    spt.train()
    figures, times = measure(ways, tensors, rounds, device)
    figures |= ratios(times)
    for name, values in ratios(times).items():
        print(f"{name} {text(values)}")
    print(f"without dropout: literal_over_msalib {text(without['literal_over_msalib'])}")
    return {
        "largest_state_difference": float(f"{gap:.2g}"),
        "with_dropout": figures,
        "without_dropout": without,
    }


def growth(clips: int, rounds: int, limit: float, device: str) -> dict:
    """Time and memory by length, all modalities as long; what would take too long is left out."""
    figures, last = {}, {}
    for length in GROWTH:
        _, ways = encoders(SIZES, device)
        # Dense attention grows with the square of the length at most.
        expected = {way: before * (length / at) ** 2 / 1000 for way, (at, before) in last.items()}
        for way, seconds in expected.items():
            if seconds > limit:
                print(f"length {length}: {way} left out, up to {seconds:.0f} s a step expected")
                del ways[way]
        tensors = inputs(SIZES, dict.fromkeys(SIZES, length), clips, device)
        figures[str(length)], times = measure(ways, tensors, rounds, device)
        last |= {way: (length, summary(values)["median"]) for way, values in times.items()}
        for way, values in figures[str(length)].items():
            print(f"length {length}: {way} {text(values['ms'])} ms, {values['peak_mb']:.4g} MB")
    return figures


def main(
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "cpu",
    rounds: Annotated[int, typer.Option(min=3, help="Measurements of each way.")] = 5,
    limit: Annotated[float, typer.Option(help="Seconds a step of the growth may take.")] = 15,
) -> None:
    device = pick_device(device)
    torch.set_num_threads(1)  # as a study sets it
    content = {
        "data": "random frames",
        "threads": torch.get_num_threads(),
        "rounds": rounds,
        "unaligned": {"clips": 32, "frames": LENGTHS, **unaligned(rounds, device)},
        "growth": {
            "clips": GROWTH_CLIPS,
            "seconds_at_most": limit,
            "by_length": growth(GROWTH_CLIPS, 3, limit, device),
        },
    }
    write("spt_step" if device == "cpu" else f"spt_step-{device}", device, content)


if __name__ == "__main__":
    typer.run(main)
