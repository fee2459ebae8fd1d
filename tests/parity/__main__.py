"""`python -m tests.parity KIND FILE.npz`: the last line printed is max_abs_error=<number>.

Exit status: 0 within tolerance, 1 outside, 2 for bad input.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from msalib.errors import UserError
from tests.parity import KINDS, compare


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.parity", description=__doc__)
    parser.add_argument("kind", metavar="KIND", help=f"one of {', '.join(KINDS)}")
    parser.add_argument("file", metavar="FILE.npz", type=Path)
    given = parser.parse_args(arguments)
    try:
        errors, tolerance = compare(given.kind, given.file)
    except UserError as problem:
        print(problem, file=sys.stderr)
        return 2
    for name, error in errors.items():
        print(f"{name:24} {error:.3g}")
    worst = np.max(list(errors.values()))  # nan if any is nan, and nan is outside
    print(f"tolerance={tolerance:g}")
    print(f"max_abs_error={worst:.6g}")
    return 0 if worst <= tolerance else 1


if __name__ == "__main__":
    sys.exit(main())
