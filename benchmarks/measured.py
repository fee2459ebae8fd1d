"""Where measured figures go: one JSON per script under results/, with where it was measured."""

import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from msalib.base import files, provenance

RESULTS = Path(__file__).parent / "results"
LOAD = os.getloadavg()  # over 1, 5 and 15 minutes, before this process adds its own


def write(name: str, device: str, content: dict) -> None:
    """Write ``results/<name>.json`` at once and whole, and say so."""
    where = {
        "commit": provenance.commit(),
        "device": provenance.device_name(device),
        "load_average_before": LOAD,
        "versions": provenance.versions(),
    }
    path = RESULTS / f"{name}.json"
    files.write_json(path, {**content, "provenance": where})
    print(f"written: {path.relative_to(RESULTS.parent.parent)}")


def timed(run: Callable, device: str) -> tuple[float, object]:
    """Milliseconds that ``run()`` takes, and what it returns.

    On a CPU, with one thread, it is the time that this process was given: other load then counts
    for little. On a GPU it is wall time, so ``run`` has to wait for it.
    """
    clock = time.process_time if device == "cpu" else time.perf_counter
    start = clock()
    found = run()
    return (clock() - start) * 1000, found


def summary(values: list[float]) -> dict[str, float]:
    """Median, least and greatest of repeated measurements, to four significant digits."""
    named = {"median": median(values), "min": min(values), "max": max(values)}
    return {name: rounded(value) for name, value in named.items()}


def rounded(value: float, digits: int = 4) -> float:
    """The value to so many significant digits."""
    return float(f"{value:.{digits}g}")


def resident(what: str = "VmHWM") -> float:
    """Memory of this process in MiB: the greatest it had, or another line of its status.

    Not getrusage: its peak is at least that of the process that started this one.
    """
    (kb,) = re.findall(rf"{what}:\s*(\d+) kB", Path("/proc/self/status").read_text())
    return int(kb) / 1024


def text(summary: dict[str, float]) -> str:
    """``median [min, max]``."""
    return "{median:.3g} [{min:.3g}, {max:.3g}]".format(**summary)
