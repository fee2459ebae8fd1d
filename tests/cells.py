"""Made-up printed numbers, and made-up entries of papers, in few words."""

from collections.abc import Iterable

import pandas as pd

from msalib.evidence import registry
from msalib.evidence.printed import table as printed
from msalib.evidence.printed import units
from msalib.evidence.printed.checks.finding import Finding
from msalib.evidence.printed.verdict import judge_statements

Number = str | float | tuple[str | float, str] | tuple[str | float, str, str]
"""As printed; or a value and what is printed; or these and a note."""


def row(place: str, **numbers: Number) -> list[dict]:
    """Cells of one row: row("p/table1/mosi/Net/full", mae="0.713", acc7=(45.1, "0.451"))."""
    names = ("paper", "exhibit", "dataset", "system", "variant")
    parts = dict(zip(names, [*place.split("/"), "", ""][:5], strict=True))
    cells = []
    for metric, number in numbers.items():
        value, text, note = number, str(number), ""
        if isinstance(number, tuple):
            value, text, note = (*number, "")[:3]
        cells.append(
            parts
            | {"metric": metric, "value": _value(value), "printed": text, "note": note}
            | {"file": f"{parts['paper']}.csv", "line": 0}
        )
    return cells


def _value(number: str | float) -> float:
    return units.number(number) if isinstance(number, str) else float(number)


def table(*rows: list[dict]) -> pd.DataFrame:
    """Rows as ``printed`` gives them, with all that follows from each."""
    cells = [cell for own in rows for cell in own]
    return printed.derive(pd.DataFrame(cells, columns=[*printed.COLUMNS, "file", "line"]))


def at(table: pd.DataFrame, found: Finding | Iterable[int]) -> list[str]:
    """Cells in words: p/table1/mosi/Net/full#mae, in the order given."""
    cells = found.cells if isinstance(found, Finding) else found
    names = ["paper", "exhibit", "dataset", "system", "variant"]
    return [
        "/".join(table.loc[cell, names]).rstrip("/") + f"#{table.loc[cell, 'metric']}"
        for cell in cells
    ]


def entry(
    own: Iterable[str] = (), runs: int | None = None, tests: Iterable[list[dict]] = ()
) -> registry.Paper:
    """A paper with these systems, runs and tests, one list of tests per claim."""
    claims = [
        registry.Claim(
            id=f"C{number}",
            statement="It is better.",
            exhibit="Table 1",
            printed=registry.PrintedTest(tests=list(listed)),
            rerun=registry.Rerun(rule="none", needs="nothing"),
            control="none",
        )
        for number, listed in enumerate(tests, 1)
    ]
    said = dict.fromkeys(
        ("name", "title", "authors", "venue", "key", "idea", "runs_source", "code"), "made up"
    )
    return registry.Paper(
        **said,
        questions=["none"],
        own=list(own),
        runs=runs,
        parity=registry.Parity(),
        exhibits=[],
        noted=[],
        claims=claims,
    )


def judged(t, test: str, **arguments):
    """The result of one test on MOSI of the paper ash, with what each line holds."""
    arguments = {"datasets": ["mosi"], "metrics": ["acc7"]} | arguments
    result = judge_statements(t, "ash", [{"test": test} | arguments])
    return result, [line.holds for line in result.lines]


def scores(metric: str = "acc7", dataset: str = "mosi", exhibit: str = "table1", **systems: str):
    return [
        c for s, v in systems.items() for c in row(f"ash/{exhibit}/{dataset}/{s}", **{metric: v})
    ]
