"""Peak memory of reading an MMSA pickle, as a ratio to the size of the file.

The file has random frames in arrays of CMU-MOSI's sizes, padded behind, in three parts. It is read
as `msalib data add` reads it, in a process of its own, for each precision and each way of keeping
arrays in pickles. The peak is that of all resident memory, with Python and the libraries.

    python benchmarks/mmsa_memory.py
    python benchmarks/mmsa_memory.py --tiny      # does the script work? Writes nothing.
"""

import pickle
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
import typer
from measured import resident, rounded, write

from msalib.data.readers import formats

CLIPS = 8000

SHARES = {"train": 0.6, "valid": 0.1, "test": 0.3}
"""Parts of the clips, about those of CMU-MOSI."""

SIZES = {"text": (50, 768), "audio": (375, 5), "vision": (500, 20)}
"""Rows and features of each array."""

KINDS = {"float32": 4, "float64": 5}
"""Precision -> protocol of the pickle: MMSA's files, and those that MMSA-FET writes."""

TARGET = 1.6
"""Greatest ratio of the peak to the size of the file."""


def part(name: str, clips: int, precision: str, rng: np.random.Generator) -> dict:
    """What a file holds of one part; clips have from a quarter of the rows to all of them."""
    held = {
        "id": [f"{name}{i // 10}$_${i % 10}" for i in range(clips)],
        "raw_text": [f"words of clip {i}" for i in range(clips)],
        "regression_labels": rng.uniform(-3, 3, clips),
    }
    for key, (steps, width) in SIZES.items():
        lengths = rng.integers(steps // 4, steps + 1, clips)
        held[key] = np.zeros((clips, steps, width), precision)
        frames = rng.standard_normal((steps, width))
        for row, length in zip(held[key], lengths, strict=True):
            row[:length] = frames[:length]
        held[f"{key}_lengths"] = lengths.tolist()
    return held


def file(path: Path, clips: int, precision: str) -> None:
    """Write a pickle of so many clips."""
    rng = np.random.default_rng(0)
    content = {n: part(n, round(clips * share), precision, rng) for n, share in SHARES.items()}
    with path.open("wb") as target:
        pickle.dump(content, target, protocol=KINDS[precision])


def measured_ratios(clips: int) -> dict:
    """Peak and size in MB, and their ratio, for each kind of file."""
    figures = {}
    for precision in KINDS:
        with TemporaryDirectory() as folder:
            path = Path(folder) / "file.pkl"
            file(path, clips, precision)
            command = [sys.executable, __file__, "--alone", str(path)]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            peak, size = float(done.stdout.splitlines()[-1]), path.stat().st_size / 2**20
        figures[precision] = {
            "file_mb": round(size),
            "peak_mb": round(peak),
            "ratio": rounded(peak / size, 3),
        }
        print(f"{precision}: {peak:.0f} MB for a file of {size:.0f} MB")
    return figures


def main(
    tiny: Annotated[bool, typer.Option(help="Few clips; writes nothing.")] = False,
    alone: Annotated[str, typer.Option(hidden=True)] = "",
) -> None:
    if alone:
        formats.convert(Path(alone), "random", formats.Options())
        print(resident())
        return
    figures = measured_ratios(10 if tiny else CLIPS)
    if not tiny:
        write("mmsa_memory", "cpu", {"clips": CLIPS, "target": TARGET, "by_precision": figures})


if __name__ == "__main__":
    typer.run(main)
