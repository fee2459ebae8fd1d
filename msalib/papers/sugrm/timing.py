"""Measure what SUGRM costs: ``python -m msalib.papers.sugrm.timing``.

Writes the record that ``costs`` describes. Weights are untrained: time and memory do not depend on
them. On a CPU, on one thread, a time is what this process was given, so other load counts for
little; on a GPU it is wall time after all work is done.
"""

import os
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import UTC, datetime
from statistics import median
from typing import Annotated

import torch
import typer
from torch import nn
from torch.profiler import ProfilerActivity, profile

from msalib import models
from msalib.base import provenance
from msalib.base.terminal import say
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
from msalib.runs.study import Study

VOCABULARY = 30_522
"""Tokens of BERT; the random ones are drawn from all."""


def measure(device: str = "auto", *, passes: int = PASSES) -> costs.Times:
    """Return the whole record. The models take turns, so all meet the same load."""
    device = provenance.pick_device(device)
    torch.manual_seed(0)
    started, load = datetime.now(UTC), os.getloadavg()[0]
    with provenance.one_thread():  # as a study has it
        timed = _inference(passes, device)
        return costs.Times(
            parameters=parameters(),
            model_parameters={f: count(build(f, SIZES)) for f in FAMILIES},
            **_cost(device, min(passes, costs.ENCODER_PASSES)),
            **timed,
            provenance={
                "commit": provenance.commit(),
                "device": provenance.device_name(device),
                "threads": torch.get_num_threads(),
                "versions": provenance.versions(),
                "started": started.isoformat(timespec="seconds"),
                "load": [round(load, 2), round(os.getloadavg()[0], 2)],
            },
        )


def build(family: str, sizes: Mapping[str, int], **choices: str) -> nn.Module:
    """Return an untrained model with the paper's settings for MOSI."""
    settings = {**recipes.load(family, "release", "full", "mosi")["model"], **choices}
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


def _inference(passes: int, device: str) -> dict:
    """Return the passes of both models in every reading, all in turn, and what they are over."""
    text_of, tokens = _text_lengths()
    padded = torch.full_like(tokens, LENGTHS["linguistic"])
    full, trimmed = (_random_clips(n, device) for n in (padded, tokens.clamp(max=padded)))
    bert = _bert(device)
    readings = {"padded": (full, bert), "trimmed": (trimmed, bert), "no_text_encoder": (full, None)}
    models = {family: build(family, SIZES).to(device).eval() for family in FAMILIES}
    runs = {
        (reading, family): _one_pass(model, batches, text)
        for reading, (batches, text) in readings.items()
        for family, model in models.items()
    }
    seconds = _in_turn(runs, passes, device)
    return {
        "passes": {r: {f: seconds[r, f] for f in FAMILIES} for r in readings},
        "clips": len(tokens),
        "text_of": text_of,
    }


def _one_pass(
    model: nn.Module, batches: Sequence[Batch], text: nn.Module | None
) -> Callable[[], None]:
    """Return a pass over batches; ``text`` encodes random tokens, else the text is there."""

    @torch.inference_mode()
    def run():
        for batch in batches:
            features = dict(batch.features)
            if text is not None:
                mask = batch.mask["linguistic"]
                pieces = torch.randint(VOCABULARY, mask.shape, device=mask.device)
                states = text(input_ids=pieces, attention_mask=mask.long()).last_hidden_state
                features["linguistic"] = states[mask]
            model(features, batch.mask)

    return run


def _text_lengths() -> tuple[str, torch.Tensor]:
    """Return whose numbers of tokens are taken, and those of so many test clips, (N,).

    MiniLM cuts a text into the same word pieces as BERT. Without CMU-MOSI, the simulated data set.
    """
    name = "mosi" if readers.is_available("mosi") else "control"
    study = Study("sugrm", dataset=name, profile="full")
    corpus, clips = study.encoded, CLIPS * costs.BATCHES
    rows = corpus.rows("test", study.dataset.split)[:clips]
    lengths = torch.as_tensor(corpus.features["linguistic"].lengths()[rows])
    text_of = f"the first {len(rows)} test clips of {study.dataset.title}, {study.encoder}"
    return text_of, lengths


def _random_clips(tokens: torch.Tensor, device: str) -> list[Batch]:
    """Return batches of random frames of unaligned MOSI's sizes; ``tokens`` (N,) of each text."""
    batches = []
    for lengths in tokens.split(CLIPS):
        mask = {
            m: torch.ones(len(lengths), n, dtype=torch.bool, device=device)
            for m, n in LENGTHS.items()
        }
        longest = torch.arange(int(lengths.max()))
        mask["linguistic"] = (longest < lengths[:, None]).to(device)
        features = {
            m: torch.randn(int(seen.sum()), SIZES[m], device=device) for m, seen in mask.items()
        }
        batches.append(Batch(features, mask, torch.zeros(len(lengths), device=device)))
    return batches


def _bert(device: str) -> nn.Module:
    """Return BERT-base with random weights: its configuration is all that time depends on."""
    from transformers import BertConfig, BertModel

    return BertModel(BertConfig(), add_pooling_layer=False).to(device).eval()


def _in_turn(
    runs: Mapping[Hashable, Callable[[], None]], passes: int, device: str
) -> dict[Hashable, list[float]]:
    """Return the seconds of each run, one after the other; a first round warms up."""
    clock = time.process_time if device == "cpu" else time.perf_counter
    seconds: dict[Hashable, list[float]] = {name: [] for name in runs}
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
) -> None:
    """Measure, and write the record."""
    times = measure(device, passes=passes)
    RECORD.write(times)
    for key, ratio in costs.ratios(times).items():
        say(f"{costs.READINGS[key]}: SUGRM over Self-MM {ratio}")
    say(f"written: {RECORD.path}")


if __name__ == "__main__":
    typer.run(main)
