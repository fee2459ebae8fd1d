"""Time to ``import msalib`` and ``import msalib.__main__``, against ``import numpy``.

Every import happens in a fresh interpreter, the modules in turn, so that other load on the machine
meets all of them.

    python benchmarks/import_time.py
"""

import subprocess
import sys

from measured import summary, text, write

MODULES = ("numpy", "msalib", "msalib.__main__")
ROUNDS = 10
TIMED = "import time; start = time.perf_counter(); import {}; print(time.perf_counter() - start)"


def seconds(module: str) -> float:
    """How long a fresh interpreter needs for the import, its own start left out."""
    command = [sys.executable, "-c", TIMED.format(module)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def main() -> None:
    rounds = [{m: seconds(m) for m in MODULES} for _ in range(1 + ROUNDS)]
    rounds = rounds[1:]  # the first reads the files from the disk
    found = {}
    for module in MODULES:
        found[module] = {
            "seconds": summary([r[module] for r in rounds]),
            "over_numpy": summary([r[module] / r["numpy"] for r in rounds]),
        }
        shown = ", ".join(f"{name} {text(value)}" for name, value in found[module].items())
        print(f"{module}: {shown}")
    write("import_time", "cpu", {"rounds": ROUNDS, **found})


if __name__ == "__main__":
    main()
