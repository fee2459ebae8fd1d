"""Pretraining of CMT on stored outputs of frozen encoders, against a loop that runs them each step.

Pairs are clips of `raw-spoken-unlabelled`, sound and text. `literal` (cmt_literal.py) is
papers/cmt.md (c) and (d) in plain transformers and torch: in each step both encoders read the
batch, its text twice, and all is padded to the longest clip. `msalib` is what a study runs
(`training.pretraining.fit`): it reads stores that were made once, and draws batches of clips of
similar length. Both have the same weights, clips and masks; without dropout their losses must
agree, or the script stops. Literal steps are timed on the same batches and on random ones.

    python benchmarks/cmt_pretraining.py [--steps 12] [--videos 60]
    python benchmarks/cmt_pretraining.py --encoders spoken --steps 5 --videos 24
    python benchmarks/cmt_pretraining.py --tiny      # does the script work? Writes nothing.
"""

import json
import os
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Annotated, NamedTuple
from unittest import mock

import numpy as np
import torch
import typer
from cmt_literal import Clips, Encoders, Literal
from measured import RESULTS, rounded, summary, text, timed, write

from msalib import encoders
from msalib.data import pairs as corpora
from msalib.data.corpus import Corpus
from msalib.data.simulate import render, spoken
from msalib.encoders import forward, weights
from msalib.models import cmt, masked_pairs, recipes
from msalib.models.masked_pairs import SOUND, TEXT, MaskedPairs, Pairs, Recipe
from msalib.runs.inputs import Inputs
from msalib.runs.pairs import Source, Stored, stored
from msalib.training import pretraining

TOLERANCE = 1e-4
TARGET = 8.0
"""Least ratio of pairs a second."""


# --- what is pretrained on ----------------------------------------------------------------------


class Stage(NamedTuple):
    """Clips with their stores; ``hidden`` are the ids of every masked text, in order."""

    recipe: Recipe
    corpus: Corpus
    stored: Stored
    hidden: list[torch.Tensor]
    names: dict[str, encoders.Encoder]


def recipe(tiny: bool, **changes) -> Recipe:
    """What a study of raw-spoken pretrains, with small batches where it is ``tiny``."""
    group = recipes.load("cmt", "release", "full", "raw-spoken")
    small = {"pt_batch_size": 4, "text_variants": 2, "codewords": 5} if tiny else {}
    return cmt.pretraining(
        cmt.Config(**group["model"] | {"pretraining": "pt"} | changes),
        cmt.Training(**group["train"] | small),
    )


def stage(names: str, videos: int, tiny: bool) -> Stage:
    """Clips of so many speakers, spoken and encoded now."""
    corpus, hidden = render.on_demand(spoken.unlabelled(videos=videos)), []
    hide = masked_pairs.hide_tokens

    def noted(ids, special, **how):
        result = hide(ids, special, **how)
        hidden.append(result[0])
        return result

    inputs = Inputs("cmt", dataset="raw-spoken", encoder=names, device="cpu")
    plan = recipe(tiny)
    with (
        mock.patch.object(corpora, "PAIRS", {spoken.UNLABELLED: lambda: corpus}),
        mock.patch.object(masked_pairs, "hide_tokens", noted),
    ):
        read = stored(inputs, plan.stages, plan.masking, "standard")
    return Stage(plan, corpus, read, hidden, inputs.encoders)


class Noted:
    """A source that keeps the last batch that it gave, and the clips of it."""

    def __init__(self, source: Source):
        self.source, self.lengths = source, source.lengths
        self.last: tuple[np.ndarray, Pairs]

    def batch(self, rows: np.ndarray, generator: torch.Generator) -> Pairs:
        self.last = rows, self.source.batch(rows, generator)
        return self.last[1]


def given(some: Stage, rows: np.ndarray, batch: Pairs) -> Clips:
    """The clips of a batch before any encoder, with the same hidden."""
    clips, read = some.stored.learned[rows].tolist(), some.stored
    tokens, frames = batch.spoken.sum(1).tolist(), batch.heard.sum(1).tolist()
    texts = []
    for row, clip in enumerate(clips):
        states = batch.masked[row, : tokens[row]].numpy()
        variants = range(clip * read.variants, (clip + 1) * read.variants)
        texts.append(next(n for n in variants if np.array_equal(read.masked.take([n])[0], states)))
    return Clips(
        paths=[some.corpus.media[SOUND][clip] for clip in clips],
        texts=some.corpus.utterances["text"].iloc[clips].tolist(),
        hidden=[some.hidden[n] for n in texts],
        tokens=[row[:n] for row, n in zip(batch.tokens, tokens, strict=True)],
        units=[row[:n] for row, n in zip(batch.units, frames, strict=True)],
    )


# --- steps in pairs -----------------------------------------------------------------------------


class Steps(NamedTuple):
    """Losses and milliseconds, step by step; ``random`` are literal steps on random batches."""

    losses: dict[str, list[float]]
    times: dict[str, list[float]]


def settings(plan: Recipe, updates: int) -> pretraining.Settings:
    """How the weights move, in so many updates."""
    m = plan.masking
    rate, decay = m.pt_learning_rate, m.pt_weight_decay
    return pretraining.Settings(updates, m.pt_batch_size, rate, decay, seed=0)


def model_of(plan: Recipe, read: Stored) -> MaskedPairs:
    """A study's model at its beginning."""
    torch.manual_seed(0)
    return MaskedPairs(
        plan.build(read.sizes),
        plan.masking,
        width=plan.settings["width"],
        vocabulary=read.counts[TEXT],
        codewords=read.counts[SOUND],
    )


def literal_of(some: Stage, plan: Recipe, model: MaskedPairs, halved: bool) -> Literal:
    """The literal model with the same weights."""
    folders = (weights.folder(some.names[m]) for m in (SOUND, TEXT))
    with forward.quiet():
        frozen = Encoders(*folders, plan.masking.frame_step, halved)
    literal = Literal(
        frozen,
        plan.settings,
        (some.stored.sizes[SOUND], some.stored.sizes[TEXT]),
        vocabulary=some.stored.counts[TEXT],
        codewords=some.stored.counts[SOUND],
        codeword_width=plan.masking.codeword_width,
        temperature=plan.masking.temperature,
    )
    literal.adopt(model.state_dict())
    return literal.train()


def steps(some: Stage, count: int, *, still: bool, halved: bool, random: bool) -> Steps:
    """Take so many steps in turn: a study's, the literal one, perhaps one on a random batch.

    ``still``: without dropout. ``halved``: the literal outputs of encoders in half precision, as a
    store keeps them.
    """
    plan = recipe(tiny=False, **({"dropout": 0.0} if still else {}))
    plan = plan._replace(masking=some.recipe.masking)
    model = model_of(plan, some.stored)
    literal, how = literal_of(some, plan, model, halved), settings(plan, count)
    optimizer = torch.optim.AdamW(
        literal.parameters(), how.learning_rate, weight_decay=how.weight_decay
    )
    falling = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda n: 1 - n / count)
    noted = Noted(Source(some.stored, some.stored.learned, plan.masking, shuffled=False))
    losses = {"msalib": [], "literal": []}
    times = {"msalib": [], "literal": []} | ({"random": []} if random else {})
    model.register_forward_hook(lambda _, __, out: losses["msalib"].append(out.loss.item()))
    generator, clock = torch.Generator().manual_seed(1), time.process_time

    def taken(clips: Clips) -> tuple[float, float]:
        def step() -> float:
            loss = literal(clips)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return float(loss.detach())

        return timed(step, "cpu")

    def after() -> None:
        nonlocal began
        times["msalib"].append((clock() - began) * 1000)
        took, loss = taken(given(some, *noted.last))
        times["literal"].append(took)
        losses["literal"].append(loss)
        if random:
            rows = torch.randperm(len(noted.lengths), generator=generator)[: how.batch_size].numpy()
            took, _ = taken(given(some, rows, noted.source.batch(rows, generator)))
            times["random"].append(took)
        falling.step()
        began = clock()

    with TemporaryDirectory() as folder:
        began = clock()
        pretraining.fit(model, noted, how, Path(folder) / "checkpoint.pt", after)
    return Steps(losses, times)


def agreement(some: Stage, count: int) -> dict:
    """Losses of the same steps without dropout; literal outputs in full and in half precision."""
    figures = {}
    for name, halved in (("full", False), ("half", True)):
        taken = steps(some, count, still=True, halved=halved, random=False).losses
        gap = max(abs(a - b) for a, b in zip(*taken.values(), strict=True))
        print(f"literal outputs in {name} precision: losses of {count} steps within {gap:.2g}")
        figures[name] = {"largest_difference": rounded(gap, 2)} | {
            way: [rounded(loss, 7) for loss in losses] for way, losses in taken.items()
        }
    if gap > TOLERANCE:
        raise SystemExit(f"losses differ by {gap:.2g}: nothing to compare")
    return figures


def speed(some: Stage, count: int) -> dict:
    """Pairs a second of both ways, with dropout; the first step also makes AdamW's moments."""
    taken = steps(some, count, still=False, halved=False, random=True)
    size = some.recipe.masking.pt_batch_size
    times = {way: values[1:] for way, values in taken.times.items()}
    figures = {
        way: {
            "ms_per_step": summary(values),
            "pairs_per_second": rounded(1000 * size / median(values)),
        }
        for way, values in times.items()
    }
    for way in ("literal", "random"):
        ratio = summary([a / b for a, b in zip(times[way], times["msalib"], strict=True)])
        figures[way]["msalib_is_faster"] = ratio
        print(
            f"{way}: {text(figures[way]['ms_per_step'])} ms a step, "
            f"{figures[way]['pairs_per_second']:.3g} pairs a second; msalib "
            f"{figures['msalib']['pairs_per_second']:.3g}, {text(ratio)} times as many"
        )
    return {"batch": size, "steps": len(times["msalib"]), **figures}


# --- the script ---------------------------------------------------------------------------------


def compared(names: str, count: int, videos: int, tiny: bool) -> dict:
    """Both ways with one pair of encoders."""
    with TemporaryDirectory() as folder, mock.patch.dict(os.environ, MSALIB_FEATURES=folder):
        # Rendered first: whoever has recordings need not synthesise them.
        corpus = render.on_demand(spoken.unlabelled(videos=videos))
        clips = len(list(corpus.media[SOUND]))
        took, some = timed(lambda: stage(names, videos, tiny), "cpu")
        frames = some.stored.sound.lengths()
        print(f"{names}: {clips} clips encoded in {took / 1000:.3g} s")
        return {
            "clips": clips,
            "frames_per_clip": summary(frames.tolist()),
            "stores_made_once_s": rounded(took / 1000),
            "without_dropout": agreement(some, count),
            "speed": speed(some, count),
        }


def main(
    encoders_: Annotated[
        str, typer.Option("--encoders", help="Of sound and text, such as spoken.")
    ] = "small-frames",
    steps_: Annotated[int, typer.Option("--steps", min=3, help="Steps of each way.")] = 12,
    videos: Annotated[int, typer.Option(min=7, help="Speakers, of about seven clips.")] = 60,
    tiny: Annotated[bool, typer.Option(help="Few clips; writes nothing.")] = False,
) -> None:
    torch.set_num_threads(1)
    figures = compared(encoders_, steps_, videos, tiny)
    if tiny:
        return
    path = RESULTS / "cmt_pretraining.json"
    known = json.loads(path.read_text()) if path.is_file() else {}
    content = {
        "data": "clips of raw-spoken-unlabelled",
        "threads": torch.get_num_threads(),
        "target": TARGET,
        "encoders": known.get("encoders", {}) | {encoders_: figures},
    }
    write("cmt_pretraining", "cpu", content)


if __name__ == "__main__":
    typer.run(main)
