"""`python -m tests.parity KIND FILE.npz`: the last line printed is max_abs_error=<number>.

Exit status: 0 within tolerance, 1 outside, 2 for bad input. `python -m tests.parity --record
FOLDER` compares every kind with its files in FOLDER and records the results, by file, for the
ledger (book/records/parity.json).
"""

import argparse
import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path

from msalib.base import files, paths
from msalib.base.errors import UserError
from msalib.base.provenance import commit
from tests.parity import compare, kinds, worst

RECORD = paths.BOOK / "records" / "parity.json"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.parity", description=__doc__)
    parser.add_argument("kind", metavar="KIND", nargs="?", help=f"one of {', '.join(kinds())}")
    parser.add_argument("file", metavar="FILE.npz", type=Path, nargs="?")
    parser.add_argument("--record", metavar="FOLDER", type=Path)
    options = parser.parse_args(arguments)
    if (options.record is None) == (options.file is None):
        parser.error("give KIND and FILE.npz, or --record FOLDER")
    try:
        if options.record is not None:
            results = recorded(options.record)
            files.write_json(RECORD, results)
            print(f"{len(results)} files recorded")
            return 0 if all(r["max_abs_error"] <= r["tolerance"] for r in results.values()) else 1
        errors, tolerance = compare(options.kind, options.file)
    except UserError as problem:
        print(problem, file=sys.stderr)
        return 2
    for name, error in errors.items():
        print(f"{name:24} {error:.3g}")
    print(f"tolerance={tolerance:g}")
    print(f"max_abs_error={worst(errors):.6g}")
    return 0 if worst(errors) <= tolerance else 1


def recorded(folder: Path) -> dict[str, dict]:
    """Return of every file the worst error, the tolerance, its hash and the commit."""
    results = {}
    for kind, (_, names) in kinds().items():
        for name in names:
            file = folder / f"{name}.npz"
            errors, tolerance = compare(kind, file)
            results[name] = {
                "max_abs_error": worst(errors),
                "tolerance": tolerance,
                "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
                "commit": commit(),
            }
    return results


if __name__ == "__main__":
    sys.exit(main())
