"""Could an accuracy be a count? k right of N clips, averaged over r runs, gives K / (r N).

With N clips and r runs only the values K / (r N) can occur, K = 0 ... r N. Printed to d decimals,
a mean passes if one of them rounds to it. Evaluation code rounds each run to 4 decimals of a share
before people average or round again, so that a number may be off by another 0.005 percentage
points.

What a pass is worth depends on how dense these values are. Where neighbours lie closer than the
last printed digit, everything passes and nothing is learned; so every verdict comes with the share
of random values that would pass.
"""

from collections.abc import Mapping
from functools import cache

import numpy as np
import pandas as pd
from scipy.special import bdtrc

from msalib.evidence.printed import testparts
from msalib.evidence.printed.checks.finding import Finding
from msalib.evidence.printed.names import chance, either, place

RUNS = (1, 3, 5, 10)
"""Plausible numbers of runs behind a printed mean."""

PER_RUN = 0.005
"""Percentage points that a number may be off because each run was rounded to 4 decimals before."""

NEAR = 2.0
"""Percentage points around a value in which random values are drawn."""

FEW = 3
"""Accuracies of a row, at least, to judge whether it looks like a single run."""

RARE = 0.05
"""A pattern is reported below this probability, and called unlikely if the probability times the
number of tests is below it, too."""


@cache
def fits(value: float, half: float, clips: int, runs: int) -> bool:
    """Check whether some whole K / (runs x clips) rounds to ``value`` (percent, ± ``half``)."""
    step = 100 / (runs * clips)
    # A single run that is printed with its four decimals is rounded only once.
    twice = runs > 1 or half > PER_RUN + 1e-9
    reach = half + PER_RUN * twice + 1e-9
    return abs(round(value / step) * step - value) <= reach


@cache
def power(value: float, half: float, clips: int, runs: int) -> float:
    """Return the share of values as precise, within 2 points of this one, that would pass."""
    return float(np.mean([fits(v, half, clips, runs) for v in near(value, half)]))


def near(value: float, half: float) -> list[float]:
    """Return the percentages within 2 points of a value that can be printed as precisely."""
    reach = round(NEAR / (2 * half))
    around = np.round(value + 2 * half * np.arange(-reach, reach + 1), 8)
    return around[(around >= 0) & (around <= 100)].tolist()


@cache
def single(value: float, half: float, clips: int, runs: int) -> float:
    """Return the share of means of ``runs`` runs near a value that one run could have given."""
    step = 100 / (runs * clips)
    ulp = 2 * half
    counts = np.arange(int((value - NEAR) / step), int((value + NEAR) / step) + 1)
    means = np.round(np.round(counts * step / ulp) * ulp, 8)
    return float(np.mean([fits(float(mean), half, clips, 1) for mean in means]))


def check(table: pd.DataFrame, entries: Mapping) -> list[Finding]:
    """Find accuracies that cannot be counts, then rows of means that look like single runs."""
    sizes = accuracies(table)
    return _unreachable(table, entries, sizes) + _single_runs(table, entries, sizes)


def accuracies(table: pd.DataFrame) -> pd.DataFrame:
    """Return cells that are shares of a known number of clips, one row per cell and size.

    Columns ``edition`` and ``clips``; ``stated`` where the paper itself prints that number as the
    size of its test part, in which case other editions are left out.
    """
    rows = []
    percentages = table[(table["unit"] == "%") & (table["exhibit"] != "text") & (table["half"] > 0)]
    stated = _stated(table)
    for index, cell in percentages.iterrows():
        if not cell["metric"].startswith("acc") and cell["metric"] != "wa":
            continue
        sizes = testparts.sizes(cell["corpus"], cell["metric"])
        printed_sizes = stated.get((cell["paper"], cell["corpus"]))
        if printed_sizes is not None:
            stated_parts = [p for p in testparts.parts(cell["corpus"]) if p.clips == printed_sizes]
            kept = {p.clips for p in stated_parts} | {p.nonzero for p in stated_parts}
            sizes = [size for size in sizes if size[1] in kept]
            if not stated_parts and cell["metric"] != "acc2_non0":
                sizes = [(f"{printed_sizes} clips, as stated", printed_sizes)]
        for edition, clips in sizes:
            rows.append((index, edition, clips, printed_sizes is not None))
    return pd.DataFrame(rows, columns=["cell", "edition", "clips", "stated"])


def _stated(table: pd.DataFrame) -> dict[tuple[str, str], int]:
    """Return sizes of test parts that papers print: (paper, data set) -> clips."""
    counts = table[(table["metric"] == "count") & (table["variant"] == "test")]
    counts = counts[counts["value"] > 0]
    return {(c["paper"], c["corpus"]): int(c["value"]) for _, c in counts.iterrows()}


def _unreachable(table: pd.DataFrame, entries: Mapping, known: pd.DataFrame) -> list[Finding]:
    findings = []
    for index, sizes in known.groupby("cell"):
        cell = table.loc[index]
        entry = entries.get(cell["paper"])
        value, half = float(cell["value"]), float(cell["half"])
        own = entry is not None and cell["system"] in entry.own and entry.runs is not None
        passing = [
            (edition, clips, r)
            for edition, clips in zip(sizes["edition"], sizes["clips"], strict=True)
            for r in RUNS
            if fits(value, half, clips, r)
        ]
        if not passing:
            # A quoted row may come from another test part than the paper's own.
            certain = own and sizes["stated"].all()
            severity = "impossible" if certain else "inconsistent"
            message = f"{place(cell)}: {cell['printed']} is no mean of {either(RUNS)} runs over "
            message += " or ".join(_nearest(value, half, row) for row in sizes.itertuples())
            findings.append(_finding(severity, cell, f"{message}."))
        elif own and not any(r == entry.runs for *_, r in passing):
            shares = [power(value, half, clips, entry.runs) for clips in sizes["clips"]]
            edition, _, r = next(
                (
                    (other, clips, entry.runs)
                    for other, clips in testparts.sizes(cell["corpus"], cell["metric"])
                    if fits(value, half, clips, entry.runs)
                ),
                passing[0],
            )
            runs = "one run" if entry.runs == 1 else f"a mean of {entry.runs} runs"
            message = (
                f"{place(cell)}: {cell['printed']} cannot be {runs}, as stated, over "
                f"{' or '.join(sizes['edition'])} (a random value would pass with chance "
                f"{chance(max(shares))}); it fits {r} run{'s' * (r > 1)} over {edition}."
            )
            findings.append(_finding("inconsistent", cell, message))
    return findings


def _nearest(value: float, half: float, size) -> str:
    k = round(value * size.clips / 100)
    below, above = sorted((k, k + (1 if 100 * k / size.clips < value else -1)))
    passing = ", ".join(f"{r}: {chance(power(value, half, size.clips, r))}" for r in RUNS)
    return (
        f"{size.edition} (one run: {below}/{size.clips} = {100 * below / size.clips:.3f}, "
        f"{above}/{size.clips} = {100 * above / size.clips:.3f}; chance that a random value would "
        f"pass, by runs: {passing})"
    )


def _finding(severity: str, cell: pd.Series, message: str) -> Finding:
    return Finding("granularity", severity, cell["paper"], message, (int(cell.name),))


def _single_runs(table: pd.DataFrame, entries: Mapping, sizes: pd.DataFrame) -> list[Finding]:
    """Find means of r runs that all look like one run.

    K / (r N) is a value of a single run only where r divides K, one time in r. That many cells of a
    row or an exhibit do so by luck is a binomial matter. Rows printed twice count once.
    """
    findings = []
    for paper, entry in entries.items():
        if entry.runs in (None, 1):
            continue
        cells = table.loc[sorted(set(sizes["cell"]))]
        cells = cells[(cells["paper"] == paper) & cells["system"].isin(entry.own)]
        cells = cells[~_printed_before(cells)]
        # 87.2 in a column with two decimals is 87.20.
        finest = cells.groupby(["exhibit", "metric"])["half"].transform("min")
        judged = []
        for index, cell in cells.iterrows():
            value, half = float(cell["value"]), float(finest[index])
            options = sizes.loc[sizes["cell"] == index, "clips"]
            luck = max(single(value, half, n, entry.runs) for n in options)
            if luck < 0.9:
                one = any(fits(value, half, n, 1) for n in options)
                judged.append((index, one, luck))
        if not judged:
            continue
        tested = table.loc[[index for index, *_ in judged]].assign(
            one=[one for _, one, _ in judged], luck=[luck for *_, luck in judged]
        )
        row = ["exhibit", "dataset", "system", "variant"]
        rows = tested.groupby(row).filter(lambda group: len(group) >= FEW)
        number = rows.groupby(row).ngroups
        for _, group in rows.groupby(row, sort=False):
            if group["one"].all() and (p := float(group["luck"].prod())) < RARE:
                whole = f"all {len(group)} accuracies of a row"
                findings.append(_looks_single(group, entry.runs, whole, p, number))
        exhibits = [g for _, g in tested.groupby("exhibit", sort=False) if len(g) >= FEW]
        for group in exhibits:
            hits = int(group["one"].sum())
            p = float(bdtrc(hits - 1, len(group), group["luck"].max()))
            if p < RARE:
                part = f"{hits} of {len(group)} accuracies that this exhibit adds"
                findings.append(
                    _looks_single(group[group["one"]], entry.runs, part, p, len(exhibits))
                )
    return findings


def _printed_before(cells: pd.DataFrame) -> pd.Series:
    """Return cells of rows that an earlier exhibit has, number for number (two at least)."""
    row = ["exhibit", "dataset", "system", "variant"]
    seen: dict[str, list[tuple[str, dict]]] = {}
    again = pd.Series(False, index=cells.index)
    for (exhibit, dataset, *_), group in cells.groupby(row, sort=False):
        numbers = dict(zip(group["metric"], group["value"], strict=True))
        again[group.index] = any(
            exhibit != other
            and len(shared := numbers.keys() & known.keys()) > 1
            and all(numbers[m] == known[m] for m in shared)
            for other, known in seen.get(dataset, [])
        )
        seen.setdefault(dataset, []).append((exhibit, numbers))
    return again


def _looks_single(group: pd.DataFrame, runs: int, which: str, p: float, tested: int) -> Finding:
    listing = ", ".join(f"{c['printed']} ({place(c)})" for _, c in group.iterrows())
    message = (
        f"Said to be means of {runs} runs, but {which} are values of a single run: {listing}. "
        f"By chance {chance(p)}, with {tested} tested."
    )
    severity = "unlikely" if p * tested < RARE else "notable"
    cells = tuple(int(i) for i in group.index)
    return Finding("granularity", severity, group.iloc[0]["paper"], message, cells)
