"""Time of ``checks.run`` on all printed numbers, against reading them, and how it grows.

Reading is ``printed.read`` of every file, the least that any check must pay. Growth compares with
the same papers twice, the second under other names.

    python benchmarks/printed_check.py
"""

from time import perf_counter

import pandas as pd
from measured import summary, text, write

from msalib.base import paths
from msalib.evidence import registry
from msalib.evidence.printed import checks
from msalib.evidence.printed import table as printed

ROUNDS = 10


def seconds(call) -> float:
    """Wall time of a call."""
    start = perf_counter()
    call()
    return perf_counter() - start


def main() -> None:
    files = sorted(paths.PRINTED.glob("*.csv"))
    table = printed.load_all()
    entries = {paper: registry.load(paper) for paper in registry.known()}
    again = table.assign(paper=table["paper"] + "_again")
    twice = pd.concat([table, again], ignore_index=True)
    both = entries | {f"{paper}_again": entry for paper, entry in entries.items()}
    rounds = [
        {
            "reading": seconds(lambda: [printed.read(path) for path in files]),
            "checks": seconds(lambda: checks.run(table, entries)),
            "twice": seconds(lambda: checks.run(twice, both)),
        }
        for _ in range(1 + ROUNDS)
    ]
    rounds = rounds[1:]  # the first fills the caches of granularity and F1
    found = {
        "numbers": len(table),
        "seconds": {name: summary([r[name] for r in rounds]) for name in rounds[0]},
        "checks_over_reading": summary([r["checks"] / r["reading"] for r in rounds]),
        "twice_over_once": summary([r["twice"] / r["checks"] for r in rounds]),
    }
    print(f"checks of {len(table)} numbers: {text(found['seconds']['checks'])} s")
    print(f"over reading them: {text(found['checks_over_reading'])}")
    print(f"twice the numbers: {text(found['twice_over_once'])} times as long")
    write("printed_check", "cpu", {"rounds": ROUNDS, **found})


if __name__ == "__main__":
    main()
