"""Wall time of ``msalib book``: each notebook, and the rendering of the pages.

Builds the book of this tree once, as ``make book`` does after its installation, and reads the
clock whenever the command says what it does next.

    python benchmarks/book_build.py
"""

import subprocess
import sys
import time

from measured import write

from msalib.base.paths import ROOT

NOTEBOOK, RENDERING, READY = "running ", "rendering ", "The book is ready"


def build() -> list[tuple[str, float]]:
    """Lines that the command printed, each with the time at which it did."""
    command = [sys.executable, "-m", "msalib", "book"]
    lines = []
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            print(line, end="")
            lines.append((line.strip(), time.perf_counter()))
    if process.returncode:
        raise SystemExit(process.returncode)
    return lines


def main() -> None:
    start = time.perf_counter()
    lines = [(t, at) for t, at in build() if t.startswith((NOTEBOOK, RENDERING, READY))]
    ends = [at for _, at in lines[1:]]
    spent = {line: end - at for (line, at), end in zip(lines, ends, strict=False)}
    notebooks = {t.removeprefix(NOTEBOOK): s for t, s in spent.items() if t.startswith(NOTEBOOK)}
    (rendering,) = (s for t, s in spent.items() if t.startswith(RENDERING))
    content = {
        "total_seconds": round(ends[-1] - start, 1),
        "rendering_seconds": round(rendering, 1),
        "notebooks_seconds": round(sum(notebooks.values()), 1),
        "notebooks": {name: round(s, 1) for name, s in notebooks.items()},
    }
    write("book_build", "cpu", content)


if __name__ == "__main__":
    main()
