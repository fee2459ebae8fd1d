"""Made-up printed tables in which everything fits together.

They are made as printed tables come to be: labels, predictions, metrics, means of runs, rounding,
baselines copied from paper to paper, and claims that hold.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from msalib.data import metrics
from msalib.evidence import registry
from msalib.evidence.printed import table as printed
from msalib.evidence.printed import testparts, units
from msalib.evidence.printed.checks.finding import grouped

CORPORA = {"mosi": 0.2, "mosei": 1 / 3}
"""Data sets, and the step of their labels: a mean of five, or of three, whole numbers."""

PAPERS = {"ash": "Ash", "birch": "Birch", "cedar": "Cedar", "dogwood": "Dogwood"}
"""Made-up papers in their order in time, each with its own system."""

BASELINES = ("EarlyNet", "LateNet", "GateNet")
VARIANTS = ("no_text", "no_audio")

MAIN = ("mae", "corr", "acc2_has0", "acc2_non0", "f1_has0", "f1_non0", "acc7")
MORE = ("acc5", "acc3")
"""Metrics of every paper, and those that only some print."""

RUNS = (1, 3, 5)


class MadeTables(NamedTuple):
    """A table of printed numbers, and the entries of its papers."""

    table: pd.DataFrame
    entries: Mapping[str, registry.Paper]


def labels(corpus: str, edition: testparts.Part, rng: np.random.Generator) -> np.ndarray:
    """Draw labels of a test part: as many, with the zeros, negatives and spread that it has.

    How far a label is from 0 is 3 times a power of a uniform draw, on the grid of the labels; the
    power is the one that gives their variance: E[(3 U^a)^2] = 9 / (2 a + 1).
    """
    facts = testparts.labels(corpus)
    zeros = round(facts.zero * edition.clips)
    if edition.nonzero is not None:
        zeros = edition.clips - edition.nonzero
    negatives = round(facts.negative * edition.clips)
    step = CORPORA[corpus]
    second = (facts.variance + facts.mean**2) / (1 - facts.zero)
    power = (9 / second - 1) / 2
    steps = np.round(3 / step * rng.random(edition.clips) ** power)
    size = step * np.maximum(steps, 1)
    signs = np.repeat([0, -1, 1], [zeros, negatives, edition.clips - zeros - negatives])
    return np.round(size * signs, 6)


def numbers(label: np.ndarray, quality: float, runs: int, rng: np.random.Generator) -> dict:
    """Return all metrics as papers average them: runs rounded to four decimals, then their mean.

    A prediction is the label times a slope, plus noise; ``quality`` is its expected correlation.
    The slope is at or somewhat above that of least squares; runs share most of their noise.
    """
    slope = quality**2 * rng.uniform(1, 1.3)
    spread = slope * label.std() * np.sqrt(1 / quality**2 - 1)
    shared = rng.normal(size=len(label))
    scored = []
    for _ in range(runs):
        noise = 0.9 * shared + np.sqrt(1 - 0.9**2) * rng.normal(size=len(label))
        prediction = slope * (label - label.mean()) + label.mean() + spread * noise
        scored.append(metrics.regression(label, prediction))
    return {m: float(np.mean([round(s[m], 4) for s in scored])) for m in scored[0]}


def show(metric: str, value: float, decimals: int) -> str:
    """Write a metric as a paper prints it: shares in percent with ``decimals``, others with 3."""
    unit = metrics.METRICS[metric].unit
    return f"{100 * value:.{decimals}f}" if unit == "%" else f"{value:.3f}"


def clean(seed: int) -> MadeTables:
    """Make printed tables of four papers on two data sets in which everything fits together.

    Each paper has the sizes of the parts (table1), its system beside baselines and beside the
    system of the paper before (table2), and its variants, with the row of the whole model once more
    (table3). Rows of others are copied as they stand. Every number of a paper's own is a mean of
    as many runs as it says, one, three or five; it claims to be ahead in the metrics where it is.
    """
    rng = np.random.default_rng(seed)
    editions = {corpus: testparts.parts(corpus)[0] for corpus in CORPORA}
    truth = {corpus: labels(corpus, editions[corpus], rng) for corpus in CORPORA}
    known: dict[tuple[str, str], dict[str, str]] = {}  # (data set, system) -> printed numbers

    def row(corpus: str, quality: float, runs: int, decimals: int, measures: Iterable[str]) -> dict:
        findings = numbers(truth[corpus], quality, runs, rng)
        return {m: show(m, findings[m], decimals) for m in measures}

    for corpus in CORPORA:
        for system in BASELINES:
            quality, runs = rng.uniform(0.62, 0.72), int(rng.choice(RUNS))
            known[corpus, system] = row(corpus, quality, runs, int(rng.integers(1, 3)), MAIN + MORE)
    rows, runs_of = [], {}
    for number, (paper, system_name) in enumerate(PAPERS.items()):
        runs, decimals = int(rng.choice(RUNS)), int(rng.integers(1, 3))
        runs_of[paper] = runs
        measures = MAIN + MORE[: rng.integers(len(MORE) + 1)]
        for corpus, edition in editions.items():
            rows += _split(paper, corpus, edition.clips, rng)
            quality = 0.76 + 0.02 * number + rng.uniform(0, 0.01)
            mine = row(corpus, quality, runs, decimals, measures)
            for system in [*BASELINES, *list(PAPERS.values())[:number][-1:]]:
                copied = known[corpus, system]
                cells = {m: copied[m] for m in measures if m in copied}
                rows += _row(paper, "table2", corpus, system, "", cells)
            rows += _row(paper, "table2", corpus, system_name, "", mine)
            for variant in VARIANTS:
                less = quality - rng.uniform(0.03, 0.1)
                cells = row(corpus, less, runs, decimals, measures)
                rows += _row(paper, "table3", corpus, system_name, variant, cells)
            rows += _row(paper, "table3", corpus, system_name, "", mine)
            known[corpus, system_name] = mine
    table = printed.unique(printed.derive(pd.DataFrame(rows)))
    _mark(table, rng)
    entries = {paper: _entry(table, paper, runs_of[paper]) for paper in PAPERS}
    return MadeTables(table, entries)


def _row(
    paper: str, exhibit: str, dataset: str, system: str, variant: str, cells: Mapping[str, str]
) -> list[dict]:
    """Return lines of a file, one per number."""
    place = {"paper": paper, "exhibit": exhibit, "dataset": dataset}
    return [
        place
        | {"system": system, "variant": variant, "metric": metric}
        | {"value": float(text), "printed": text, "note": "", "file": f"{paper}.csv", "line": 0}
        for metric, text in cells.items()
    ]


def _split(paper: str, dataset: str, test: int, rng: np.random.Generator) -> list[dict]:
    """Return the sizes of the parts; the same in every paper."""
    sizes = {"train": 2 * test, "valid": test // 3, "test": test}
    sizes["total"] = sum(sizes.values())
    return [
        cell
        for variant, size in sizes.items()
        for cell in _row(paper, "table1", dataset, "dataset", variant, {"count": str(size)})
    ]


def _mark(table: pd.DataFrame, rng: np.random.Generator) -> None:
    """Mark the best of each column of table2 in bold, in about half of the papers."""
    for paper in PAPERS:
        if rng.random() < 0.5:
            continue
        rows = table[(table["paper"] == paper) & (table["exhibit"] == "table2")]
        for (_, metric), column in rows.groupby(["dataset", "metric"]):
            table.loc[(units.sign(metric) * column["value"]).idxmax(), "note"] = "bold"


def _entry(table: pd.DataFrame, paper: str, runs: int) -> registry.Paper:
    """Make a paper that states its runs, and claims to be ahead wherever it is ahead."""
    system = PAPERS[paper]
    claims = []
    for exhibit, than in {
        "table2": ["table2/*"],
        "table3": [f"table3/{system}/{variant}" for variant in VARIANTS],
    }.items():
        tests = [
            {"test": "better", "of": f"{exhibit}/{system}", "than": than}
            | {"datasets": [corpus], "metrics": ahead}
            for corpus, ahead in _ahead(table, paper, exhibit).items()
        ]
        if tests:
            claims.append(_claim(f"{system.upper()}-C{len(claims) + 1}", exhibit, tests))
    return registry.Paper(
        name=system,
        title=f"{system}, a made-up system",
        authors="Nobody et al.",
        venue="nowhere",
        key=paper,
        idea="made up",
        questions=["none"],
        own=[system],
        runs=runs,
        runs_source="made up",
        code="none",
        parity=registry.Parity(),
        exhibits=[],
        noted=[],
        claims=claims,
    )


def _ahead(table: pd.DataFrame, paper: str, exhibit: str) -> dict[str, list[str]]:
    """Return, by data set, the metrics in which a paper's system is surely ahead of all rows."""
    rows = table[(table["paper"] == paper) & (table["exhibit"] == exhibit)]
    ahead: dict[str, list[str]] = {}
    for (corpus, metric), column in grouped(rows, ["dataset", "metric"]).items():
        whole = [c for c in column if c["system"] == PAPERS[paper] and not c["variant"]]
        others = [c for c in column if c not in whole]
        gains = (units.sign(metric) * (whole[0]["value"] - c["value"]) for c in others)
        hidden = (whole[0]["half"] + c["half"] for c in others)
        if all(gain > least for gain, least in zip(gains, hidden, strict=True)):
            ahead.setdefault(corpus, []).append(metric)
    return ahead


def _claim(name: str, exhibit: str, tests: list[dict]) -> registry.Claim:
    return registry.Claim(
        id=name,
        statement="The paper's system is ahead of all other rows.",
        exhibit=exhibit,
        printed=registry.PrintedTest(tests=tests),
        rerun=registry.Rerun(rule="none", needs="nothing"),
        control="none",
    )
