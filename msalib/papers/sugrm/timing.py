"""What SUGRM costs, footnote 5 and Table 4's transformer: ``python -m msalib.papers.sugrm.timing``.

Writes ``timing/sugrm.json`` beside the records of runs. Weights are untrained: time and memory do
not depend on them. On a CPU, on one thread, a time is what this process was given, so that other
load counts for little; on a GPU it is wall time after all work is done.

Keys of the file:

- ``parameters``: weights of each sequence encoder at MOSI's widths, ``spt``, ``dense`` (MulT's)
  and ``lstm``; ``model_parameters``: of the whole models without a text encoder.
- ``seconds``, ``seconds_median`` and ``peak_bytes``: of a forward and backward pass of these
  encoders in training mode, ``CLIPS`` clips of unaligned MOSI's lengths, made-up frames.
- ``inference``: seconds of whole passes of ``sugrm`` and ``self_mm`` over a test part, in turn;
  ``inference_on``: of which data. ``inference_unaligned``: the same over one batch of made-up
  frames of unaligned MOSI's sizes; ``inference_with_bert``: with a text encoder of BERT-base's
  size before both.
- ``provenance``: where and when it was measured.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from statistics import median
from typing import Annotated, NamedTuple

import numpy as np
import pandas as pd
import torch
import typer
from pydantic import BaseModel, ConfigDict
from torch import nn
from torch.profiler import ProfilerActivity, profile

from msalib import models
from msalib.base import provenance
from msalib.base.files import Recorded
from msalib.data import datasets as readers
from msalib.data.corpus import Batch
from msalib.evidence.printed import table as printed
from msalib.models import recipes
from msalib.pages.tables import Note, Table
from msalib.papers.sugrm.plan import whole_of
from msalib.runs.study import Study
from msalib.training.regime import Regime

SIZES = {"visual": 20, "acoustic": 5, "linguistic": 768}
LENGTHS = {"visual": 500, "acoustic": 375, "linguistic": 50}
CLIPS = 32
FAMILIES = ("sugrm", "self_mm")
NAMES = {"sugrm": "SUGRM", "self_mm": "Self-MM"}
ENCODERS = {"spt": "sparse transformer (SPT)", "dense": "full transformer (MulT)", "lstm": "LSTM"}
TESTED = {
    "inference": "test part, no text encoder",
    "inference_unaligned": "32 clips, paper's sizes, no text encoder",
    "inference_with_bert": "32 clips, paper's sizes, with BERT",
}
PASSES = 10
"""As in the paper's footnote 5."""

RESAMPLES = 10_000
VOCABULARY = 30_522
"""Word pieces of BERT; the made-up ones are drawn from all."""


class Times(BaseModel):
    """Parameters, seconds and bytes of sequence encoders and of whole models."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    parameters: dict[str, int]
    model_parameters: dict[str, int]
    seconds: dict[str, list[float]]
    seconds_median: dict[str, float]
    peak_bytes: dict[str, int]
    inference: dict[str, list[float]]
    inference_on: str
    inference_unaligned: dict[str, list[float]]
    inference_with_bert: dict[str, list[float]]
    provenance: dict


RECORD = Recorded(
    Times, "timing/sugrm.json", "record of times", "run python -m msalib.papers.sugrm.timing"
)


def read() -> dict | None:
    """Return the record, None where nothing was measured; raise ``UserError`` for a damaged one."""
    return RECORD.read().model_dump() if RECORD.path.is_file() else None


# --- what is measured ---------------------------------------------------------------------------


def measure(device: str = "auto", *, passes: int = PASSES, bert: bool = True) -> dict:
    """The whole record. Times of different models alternate, so that all meet the same load."""
    device = provenance.pick_device(device)
    torch.manual_seed(0)
    started = datetime.now(UTC)
    with provenance.one_thread():  # as a study has it
        cost = _cost(device, passes)
        on, batches, sizes = _test_part(device)
        made_up = [_made_up(device)]
        known = {
            "parameters": parameters(),
            "model_parameters": {f: count(build(f, SIZES)) for f in FAMILIES},
            **cost,
            "inference": _inference(batches, sizes, passes, device),
            "inference_on": on,
            "inference_unaligned": _inference(made_up, SIZES, passes, device),
            "inference_with_bert": _inference(made_up, SIZES, passes, device, _bert(device))
            if bert
            else {},
            "provenance": {
                "commit": provenance.commit(),
                "device": provenance.device_name(device),
                "threads": torch.get_num_threads(),
                "versions": provenance.versions(),
                "started": started.isoformat(timespec="seconds"),
            },
        }
    return known


def build(family: str, sizes: Mapping[str, int], **choices: str) -> nn.Module:
    """An untrained model with the paper's settings for MOSI."""
    settings = {**recipes.load(family, "release", "paper", "mosi")["model"], **choices}
    module = models.module(family)
    return module.build(module.Config(**settings), sizes=sizes, layers={}, outputs=1)


def parameters() -> dict[str, int]:
    """Weights of each sequence encoder, at MOSI's widths."""
    return {name: count(build("sugrm", SIZES, sequence=name).sequence) for name in ENCODERS}


def count(model: nn.Module) -> int:
    """Weights of a model."""
    return sum(p.numel() for p in model.parameters())


def _cost(device: str, passes: int) -> dict[str, dict]:
    """Seconds and memory of a forward and backward pass of each sequence encoder."""
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
        "seconds_median": {name: _digits(median(own)) for name, own in seconds.items()},
        "peak_bytes": {name: _peak(run, device) for name, run in steps.items()},
    }


def _inference(
    batches: Sequence[Batch],
    sizes: Mapping[str, int],
    passes: int,
    device: str,
    text: nn.Module | None = None,
) -> dict[str, list[float]]:
    """Seconds of whole passes of both models over these batches."""

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
    """MOSI's test part with MiniLM's last layer where at hand, else that of the control."""
    name = "mosi" if readers.at_hand("mosi") else "control"
    study = Study("sugrm", dataset=name, profile="paper")
    corpus = study.encoded
    rows = corpus.rows("test", study.dataset.split)
    examples = corpus.examples(rows, inputs=dict(whole_of(study)), device=device)
    on = f"{study.dataset.title}, {len(rows)} test clips, {study.encoder}"
    sizes = {m: examples.size(m) for m in examples.inputs}
    return on, list(examples.batches(Regime.judged_batch)), sizes


def _made_up(device: str) -> Batch:
    """One batch of random frames of unaligned MOSI's sizes, no padding."""
    return Batch(
        features={m: torch.randn(CLIPS * LENGTHS[m], SIZES[m], device=device) for m in SIZES},
        mask={m: torch.ones(CLIPS, LENGTHS[m], dtype=torch.bool, device=device) for m in SIZES},
        label=torch.zeros(CLIPS, device=device),
    )


def _bert(device: str) -> nn.Module:
    """BERT-base with random weights: its configuration is all that time depends on."""
    from transformers import BertConfig, BertModel

    return BertModel(BertConfig(), add_pooling_layer=False).to(device).eval()


def _in_turn(
    runs: Mapping[str, Callable[[], None]], passes: int, device: str
) -> dict[str, list[float]]:
    """Seconds of each run, one after the other; a first round warms up."""
    clock = time.process_time if device == "cpu" else time.perf_counter
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(1 + passes):
        for name, run in runs.items():
            start = clock()
            run()
            if device != "cpu":
                torch.cuda.synchronize()
            seconds[name].append(_digits(clock() - start))
    return {name: own[1:] for name, own in seconds.items()}


def _peak(run: Callable[[], None], device: str) -> int:
    """Greatest memory of tensors during a run beyond what was there before it, in bytes."""
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


# --- what is shown ------------------------------------------------------------------------------


class Ratio(NamedTuple):
    """Of the median seconds of SUGRM over those of Self-MM, with its 95% bootstrap interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f} [{self.low:.2f},\u00a0{self.high:.2f}]"


def ratio(passes: Mapping[str, Sequence[float]]) -> Ratio:
    """SUGRM over Self-MM, both resampled."""
    own, other = (np.array(passes[family]) for family in FAMILIES)
    rng = np.random.default_rng(0)
    drawn = [
        np.median(rng.choice(seconds, (RESAMPLES, len(seconds))), axis=1)
        for seconds in (own, other)
    ]
    low, high = np.quantile(drawn[0] / drawn[1], [0.025, 0.975])
    return Ratio(float(np.median(own) / np.median(other)), float(low), float(high))


NOTHING = (
    "Nothing has been timed yet: python -m msalib.papers.sugrm.timing measures and records it."
)


def named(found: Mapping) -> dict[str, dict[str, list[float]]]:
    """What was timed in words -> model in words -> seconds."""
    return {
        words: {NAMES[family]: found[key][family] for family in FAMILIES}
        for key, words in TESTED.items()
        if found[key]
    }


def inference(found: Mapping | None) -> Table | Note:
    """Footnote 5: printed beside ours."""
    if found is None:
        return Note(NOTHING)
    shown = [
        printed.cell("sugrm", "text", "mosi_unaligned", n, "", "seconds") for n in NAMES.values()
    ]
    own, other = (cell["value"] for cell in shown)
    rows = [
        {
            "whose": "printed",
            "what": "not said what one pass is",
            **{f"{n} (s)": cell["printed"] for n, cell in zip(NAMES.values(), shown, strict=True)},
            "ratio": f"{own / other:.2f}",
        }
    ]
    for key, words in TESTED.items():
        if found[key]:
            rows.append(
                {"whose": "ours", "what": words}
                | {f"{NAMES[f]} (s)": f"{median(found[key][f]):.3g}" for f in FAMILIES}
                | {"ratio": str(ratio(found[key]))}
            )
    many = len(found["inference"][FAMILIES[0]])
    return Table(
        pd.DataFrame(rows),
        caption=f"Seconds of one pass, median of {many}, the models in turn; ratio of SUGRM to "
        f"Self-MM with its 95% bootstrap interval. Test part: {found['inference_on']}. "
        f"{where(found)}",
    )


def cost(found: Mapping | None) -> Table | Note:
    """SUGRM-C15 and C24: weights, seconds and memory of the three sequence encoders."""
    if found is None:
        return Note(NOTHING)
    dense = found["parameters"]["dense"]
    rows = [
        {
            "sequence encoder": words,
            "weights": f"{found['parameters'][name]:,}",
            "of the full transformer's": f"{found['parameters'][name] / dense:.1%}",
            "forward and backward (s)": f"{found['seconds_median'][name]:.3g}",
            "greatest memory (MB)": f"{found['peak_bytes'][name] / 1e6:.0f}",
        }
        for name, words in ENCODERS.items()
    ]
    tenth = printed.cell("sugrm", "text", "mosi", "SPT", "vs_mult", "params_ratio_percent")
    return Table(
        pd.DataFrame(rows),
        caption=f"Sequence encoders of SUGRM at MOSI's widths; time and memory of {CLIPS} clips of "
        f"{LENGTHS['linguistic']}, {LENGTHS['acoustic']} and {LENGTHS['visual']} frames of text, "
        f"audio and video. Printed: SPT has {tenth['printed']} of MulT's weights, quoted from its "
        f"authors. {where(found)}",
    )


def where(found: Mapping) -> str:
    """On what it was measured, in a sentence."""
    at = found["provenance"]
    threads = f"{at['threads']} thread{'s' * (at['threads'] != 1)}"
    return f"Measured on {at['device']}, {threads}, {at['started'][:10]}, commit {at['commit']}."


def main(
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    passes: Annotated[int, typer.Option(min=3, help="Timed passes of each model.")] = PASSES,
    bert: Annotated[bool, typer.Option(help="Also with a text encoder of BERT's size.")] = True,
) -> None:
    """Measure, and write the record."""
    found = measure(device, passes=passes, bert=bert)
    RECORD.write(Times(**found))
    for key in TESTED:
        if found[key]:
            typer.echo(f"{key}: SUGRM over Self-MM {ratio(found[key])}")
    typer.echo(f"written: {RECORD.path}")


if __name__ == "__main__":
    typer.run(main)
