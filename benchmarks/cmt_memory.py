"""Peak memory of CMT's pretraining on few and on many clips, each in a process of its own.

Stores are of random numbers, laid out as those of whisper-tiny.en and MiniLM. A process fits the
clusters, numbers all frames and takes as many updates as a pass over the most clips has. Its peak
is that of all resident memory, which includes pages of files; `without_files` leaves these out.

    python benchmarks/cmt_memory.py
    python benchmarks/cmt_memory.py --tiny      # does the script work? Writes nothing.
"""

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
import torch
import typer
from cmt_pretraining import model_of, recipe, settings
from measured import resident, rounded, write

from msalib.encoders import units
from msalib.encoders.store import StoreMeta, open_store, write_store
from msalib.models import masked_pairs
from msalib.models.masked_pairs import SOUND, TEXT, Recipe
from msalib.runs.pairs import Layer, Source, Stored
from msalib.training import pretraining

CLIPS, UPDATES = (1000, 8000), 250
"""Clips of the stores, and updates on each: as many as a pass over the most clips has."""

WIDTH = 384
"""Features of a frame, as of both encoders."""

TARGET = 1.1
"""Greatest ratio of the peaks."""


def random_store(folder: Path, lengths: np.ndarray, numbers: tuple[int, ...], width: int) -> None:
    """A store of random frames with these layers."""
    meta = StoreMeta(
        dataset="random",
        encoder="random",
        revision="",
        convention="",
        unit="",
        fingerprint=folder.name,
        layers=len(numbers),
        first=numbers[0],
        clips=len(lengths),
        frames=int(lengths.sum()),
        dim=width,
        truncated=0,
        device="",
        versions={},
    )
    rng = np.random.default_rng(0)

    def frames(batches):
        for batch in batches:
            shape = len(numbers), len(batch), int(lengths[batch].max()), width
            yield rng.standard_normal(shape, np.float32).astype(np.float16)

    ids = [str(n) for n in range(len(lengths))]
    batches = np.array_split(np.arange(len(lengths)), -(-len(lengths) // 64))
    write_store(folder, meta, ids, np.concatenate([[0], lengths.cumsum()]), batches, frames)


def random_stores(folder: Path, clips: int, plan: Recipe, width: int) -> None:
    """Stores of clips of 1 to 3 s, and texts of 5 to 15 tokens."""
    rng = np.random.default_rng(0)
    tokens = rng.integers(5, 16, clips)
    random_store(folder / SOUND, rng.integers(50, 150, clips), (2, 3), width)
    random_store(folder / TEXT, tokens, (6,), width)
    random_store(folder / "masked", tokens.repeat(plan.masking.text_variants), (6,), width)


def alone(folder: Path, clips: int, updates: int, tiny: bool) -> dict[str, float]:
    """Number the frames and pretrain, in this process; its greatest memory in MiB."""
    plan = recipe(tiny)
    read = {
        name: open_store(
            folder / name, encoder="random", revision="", fingerprint=name, command="none"
        )
        for name in (SOUND, TEXT, "masked")
    }
    learned, sound = np.arange(clips), read[SOUND]
    centres = units.centres(sound, 2, plan.masking.codewords, learned, folder)
    tokens = np.full(read["masked"].offsets[-1], masked_pairs.UNHIDDEN, np.int32)
    tokens[read["masked"].offsets[:-1] + 1] = 5
    some = Stored(
        sound=Layer(sound.layers, 3, sound.offsets),
        words=Layer(read[TEXT].layers, 6, read[TEXT].offsets),
        masked=Layer(read["masked"].layers, 6, read["masked"].offsets),
        tokens=tokens,
        variants=plan.masking.text_variants,
        codewords=units.numbered(sound, 2, centres),
        counts={SOUND: len(centres), TEXT: 30_000},
        learned=learned,
        held=learned[:0],
        identity={},
    )
    source = Source(some, learned, plan.masking, shuffled=False)
    anonymous = []
    pretraining.fit(
        model_of(plan, some),
        source,
        settings(plan, updates),
        folder / "checkpoint.pt",
        lambda: anonymous.append(resident("RssAnon")),
    )
    return {"peak_mb": resident(), "without_files_mb": max(anonymous)}


def memory(tiny: bool) -> dict:
    """Peak memory by the number of clips, each in a process of its own."""
    counts, updates, width = ((8, 16), 4, 8) if tiny else (CLIPS, UPDATES, WIDTH)
    figures = {}
    for clips in counts:
        with TemporaryDirectory() as name:
            random_stores(Path(name), clips, recipe(tiny), width)
            command = [sys.executable, __file__, "--alone", json.dumps([name, clips, updates])]
            command += ["--tiny"] * tiny
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        found = json.loads(done.stdout.splitlines()[-1])
        figures[f"{clips} clips"] = {name: round(mb) for name, mb in found.items()}
        peak, without = found["peak_mb"], found["without_files_mb"]
        print(f"{clips} clips: {peak:.0f} MB, {without:.0f} MB of no file")
    few, many = figures.values()
    growth = rounded(many["peak_mb"] / few["peak_mb"], 3)
    return {"width": width, "updates": updates, "by_clips": figures, "growth": growth}


def main(
    tiny: Annotated[bool, typer.Option(help="Few clips; writes nothing.")] = False,
    alone_: Annotated[str, typer.Option("--alone", hidden=True)] = "",
) -> None:
    torch.set_num_threads(1)
    if alone_:
        folder, clips, updates = json.loads(alone_)
        print(json.dumps(alone(Path(folder), clips, updates, tiny)))
        return
    figures = memory(tiny)
    if not tiny:
        about = {"data": "random stores", "target": TARGET}
        write("cmt_memory", "cpu", about | figures)


if __name__ == "__main__":
    typer.run(main)
