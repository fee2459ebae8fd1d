"""Measure what SUGRM costs: ``python -m msalib.papers.sugrm.timing``.

Writes the record that ``costs`` describes. Weights are untrained: time and memory do not depend on
them. On a CPU, on one thread, a time is what this process was given, so other load counts for
little; on a GPU it is wall time after all work is done.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from statistics import median
from typing import Annotated

import torch
import typer
from torch import nn
from torch.profiler import ProfilerActivity, profile

from msalib import models
from msalib.base import provenance
from msalib.data import datasets as readers
from msalib.data.corpus import Batch
from msalib.models import recipes
from msalib.papers.sugrm import costs
from msalib.papers.sugrm.costs import (
    CLIPS,
    ENCODERS,
    FAMILIES,
    LENGTHS,
    PASSES,
    RECORD,
    SIZES,
)
from msalib.papers.sugrm.plan import whole_of
from msalib.runs.study import Study
from msalib.training.regime import Regime

VOCABULARY = 30_522
"""Tokens of BERT; the random ones are drawn from all."""


def measure(device: str = "auto", *, passes: int = PASSES, bert: bool = True) -> costs.Times:
    """Return the whole record. The models take turns, so all meet the same load."""
    device = provenance.pick_device(device)
    torch.manual_seed(0)
    started = datetime.now(UTC)
    with provenance.one_thread():  # as a study has it
        cost = _cost(device, passes)
        on, batches, sizes = _test_part(device)
        one = [_random_frames(device)]
        return costs.Times(
            parameters=parameters(),
            model_parameters={f: count(build(f, SIZES)) for f in FAMILIES},
            **cost,
            inference=_inference(batches, sizes, passes, device),
            inference_on=on,
            inference_unaligned=_inference(one, SIZES, passes, device),
            inference_with_bert=_inference(one, SIZES, passes, device, _bert(device))
            if bert
            else {},
            provenance={
                "commit": provenance.commit(),
                "device": provenance.device_name(device),
                "threads": torch.get_num_threads(),
                "versions": provenance.versions(),
                "started": started.isoformat(timespec="seconds"),
            },
        )


def build(family: str, sizes: Mapping[str, int], **choices: str) -> nn.Module:
    """Return an untrained model with the paper's settings for MOSI."""
    settings = {**recipes.load(family, "release", "paper", "mosi")["model"], **choices}
    module = models.module(family)
    return module.build(module.Config(**settings), sizes=sizes, layers={}, outputs=1)


def parameters() -> dict[str, int]:
    """Return the number of weights of each sequence encoder, at MOSI's widths."""
    return {name: count(build("sugrm", SIZES, sequence=name).sequence) for name in ENCODERS}


def count(model: nn.Module) -> int:
    """Return the number of weights of a model."""
    return sum(p.numel() for p in model.parameters())


def _cost(device: str, passes: int) -> dict[str, dict]:
    """Return seconds and memory of a forward and backward pass of each sequence encoder."""
    x = {m: torch.randn(CLIPS, LENGTHS[m], SIZES[m], device=device) for m in SIZES}
    x = {m: frames.requires_grad_() for m, frames in x.items()}  # SUGRM's gates need gradients
    length = {m: torch.full((CLIPS,), LENGTHS[m], device=device) for m in SIZES}

    def step(encoder: nn.Module) -> Callable[[], None]:
        def run():
            sum(h.sum() for h in encoder(x, length).values()).backward()

        return run

    steps = {n: step(build("sugrm", SIZES, sequence=n).sequence.to(device)) for n in ENCODERS}
    seconds = _in_turn(steps, passes, device)
    return {
        "seconds": seconds,
        "seconds_median": {name: _digits(median(each)) for name, each in seconds.items()},
        "peak_bytes": {name: _peak(run, device) for name, run in steps.items()},
    }


def _inference(
    batches: Sequence[Batch],
    sizes: Mapping[str, int],
    passes: int,
    device: str,
    text: nn.Module | None = None,
) -> dict[str, list[float]]:
    """Return the seconds of whole passes of both models over these batches."""

    def one_pass(model: nn.Module) -> Callable[[], None]:
        @torch.inference_mode()
        def run():
            for batch in batches:
                features = dict(batch.features)
                if text is not None:
                    pieces = torch.randint(VOCABULARY, batch.mask["linguistic"].shape)
                    states = text(input_ids=pieces.to(device)).last_hidden_state
                    features["linguistic"] = states.flatten(0, 1)
                model(features, batch.mask)

        return run

    untrained = {family: build(family, sizes).to(device).eval() for family in FAMILIES}
    return _in_turn({f: one_pass(model) for f, model in untrained.items()}, passes, device)


def _test_part(device: str) -> tuple[str, list[Batch], dict[str, int]]:
    """Return MOSI's test set with MiniLM's last layer, or the control's where it is missing."""
    name = "mosi" if readers.is_available("mosi") else "control"
    study = Study("sugrm", dataset=name, profile="paper")
    corpus = study.encoded
    rows = corpus.rows("test", study.dataset.split)
    examples = corpus.examples(rows, inputs=dict(whole_of(study)), device=device)
    on = f"{study.dataset.title}, {len(rows)} test clips, {study.encoder}"
    sizes = {m: examples.size(m) for m in examples.inputs}
    return on, list(examples.batches(Regime.judged_batch)), sizes


def _random_frames(device: str) -> Batch:
    """Return one batch of random frames of unaligned MOSI's sizes, no padding."""
    return Batch(
        features={m: torch.randn(CLIPS * LENGTHS[m], SIZES[m], device=device) for m in SIZES},
        mask={m: torch.ones(CLIPS, LENGTHS[m], dtype=torch.bool, device=device) for m in SIZES},
        label=torch.zeros(CLIPS, device=device),
    )


def _bert(device: str) -> nn.Module:
    """Return BERT-base with random weights: its configuration is all that time depends on."""
    from transformers import BertConfig, BertModel

    return BertModel(BertConfig(), add_pooling_layer=False).to(device).eval()


def _in_turn(
    runs: Mapping[str, Callable[[], None]], passes: int, device: str
) -> dict[str, list[float]]:
    """Return the seconds of each run, one after the other; a first round warms up."""
    clock = time.process_time if device == "cpu" else time.perf_counter
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(1 + passes):
        for name, run in runs.items():
            start = clock()
            run()
            if device != "cpu":
                torch.cuda.synchronize()
            seconds[name].append(_digits(clock() - start))
    return {name: each[1:] for name, each in seconds.items()}


def _peak(run: Callable[[], None], device: str) -> int:
    """Return the peak memory of tensors during a run beyond that before it, in bytes."""
    if device == "cuda":
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        run()
        return torch.cuda.max_memory_allocated() - before
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiled:
        run()
    live = peak = 0
    for event in sorted(profiled.profiler.kineto_results.events(), key=lambda e: e.start_ns()):
        if event.name() == "[memory]":
            live += event.nbytes()
            peak = max(peak, live)
    return peak


def _digits(value: float) -> float:
    return float(f"{value:.4g}")


def main(
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    passes: Annotated[int, typer.Option(min=3, help="Timed passes of each model.")] = PASSES,
    bert: Annotated[bool, typer.Option(help="Also with a text encoder of BERT's size.")] = True,
) -> None:
    """Measure, and write the record."""
    times = measure(device, passes=passes, bert=bert)
    RECORD.write(times)
    for key, seconds in times.passes.items():
        typer.echo(f"{key}: SUGRM over Self-MM {costs.ratio(seconds)}")
    typer.echo(f"written: {RECORD.path}")


if __name__ == "__main__":
    typer.run(main)
