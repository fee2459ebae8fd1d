"""How many errors do the checks find? Errors planted in made-up tables without any.

A clean table is made as printed tables come to be: labels, predictions, metrics, means of runs,
rounding, baselines copied from paper to paper, and claims that hold. So every finding above
notable on it is a false alarm. Then one error at a time is planted, of a kind that happens in
print or in copying, and a check detects it if it finds something new about one of the cells
changed. Printed tables of real papers can be perturbed in the same way; what is found in them as
they are is left out.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from msalib.base import paths
from msalib.base.files import Recorded
from msalib.base.provenance import commit
from msalib.data import metrics
from msalib.evidence import registry
from msalib.evidence.printed import checks, testparts
from msalib.evidence.printed import table as printed
from msalib.evidence.printed.checks import granularity
from msalib.evidence.printed.checks.finding import Finding

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

NUMBER = ["value", "printed", "note", "half"]
"""What moves where two cells exchange their numbers."""


class Made(NamedTuple):
    """A table of printed numbers, and the entries of its papers."""

    table: pd.DataFrame
    entries: Mapping[str, registry.Paper]


class Planted(NamedTuple):
    """A table with an error, and the cells whose numbers are not what they were."""

    table: pd.DataFrame
    cells: tuple[int, ...]


# --- clean tables -------------------------------------------------------------------------------


def labels(corpus: str, edition: testparts.Part, rng: np.random.Generator) -> np.ndarray:
    """Labels of a test part: as many as it has, with the zeros, negatives and spread it has.

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
    """All metrics as papers average them: each run rounded to four decimals, then their mean.

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
    """A metric as a paper prints it: shares in percent with so many decimals, the rest with 3."""
    unit = metrics.METRICS[metric].unit
    return f"{100 * value:.{decimals}f}" if unit == "%" else f"{value:.3f}"


def clean(seed: int) -> Made:
    """Printed tables of four papers on two data sets in which everything fits together.

    Each paper has the sizes of the parts (table1), its system beside baselines and beside the
    system of the paper before (table2), and its variants, with the row of the whole model once more
    (table3). Rows of others are copied as they stand. Every number of a paper's own is a mean of
    as many runs as it says, one, three or five; it claims to be ahead in the metrics where it is.
    """
    rng = np.random.default_rng(seed)
    editions = {corpus: testparts.parts(corpus)[0] for corpus in CORPORA}
    truth = {corpus: labels(corpus, editions[corpus], rng) for corpus in CORPORA}
    known: dict[tuple[str, str], dict[str, str]] = {}  # (data set, system) -> printed numbers

    def row(corpus: str, quality: float, runs: int, decimals: int, wanted: Iterable[str]) -> dict:
        found = numbers(truth[corpus], quality, runs, rng)
        return {m: show(m, found[m], decimals) for m in wanted}

    for corpus in CORPORA:
        for system in BASELINES:
            quality, runs = rng.uniform(0.62, 0.72), int(rng.choice(RUNS))
            known[corpus, system] = row(corpus, quality, runs, int(rng.integers(1, 3)), MAIN + MORE)
    rows, runs_of = [], {}
    for number, (paper, own) in enumerate(PAPERS.items()):
        runs, decimals = int(rng.choice(RUNS)), int(rng.integers(1, 3))
        runs_of[paper] = runs
        wanted = MAIN + MORE[: rng.integers(len(MORE) + 1)]
        for corpus, edition in editions.items():
            rows += _split(paper, corpus, edition.clips, rng)
            quality = 0.76 + 0.02 * number + rng.uniform(0, 0.01)
            mine = row(corpus, quality, runs, decimals, wanted)
            for system in [*BASELINES, *list(PAPERS.values())[:number][-1:]]:
                copied = known[corpus, system]
                cells = {m: copied[m] for m in wanted if m in copied}
                rows += _row(paper, "table2", corpus, system, "", cells)
            rows += _row(paper, "table2", corpus, own, "", mine)
            for variant in VARIANTS:
                less = quality - rng.uniform(0.03, 0.1)
                cells = row(corpus, less, runs, decimals, wanted)
                rows += _row(paper, "table3", corpus, own, variant, cells)
            rows += _row(paper, "table3", corpus, own, "", mine)
            known[corpus, own] = mine
    table = printed.unique(printed.derive(pd.DataFrame(rows)))
    _mark(table, rng)
    entries = {paper: _entry(table, paper, runs_of[paper]) for paper in PAPERS}
    return Made(table, entries)


def _row(
    paper: str, exhibit: str, dataset: str, system: str, variant: str, cells: Mapping[str, str]
) -> list[dict]:
    """Lines of a file, one per number."""
    place = {"paper": paper, "exhibit": exhibit, "dataset": dataset}
    return [
        place
        | {"system": system, "variant": variant, "metric": metric}
        | {"value": float(text), "printed": text, "note": "", "file": f"{paper}.csv", "line": 0}
        for metric, text in cells.items()
    ]


def _split(paper: str, dataset: str, test: int, rng: np.random.Generator) -> list[dict]:
    """Sizes of the parts; the same in every paper."""
    sizes = {"train": 2 * test, "valid": test // 3, "test": test}
    sizes["total"] = sum(sizes.values())
    return [
        cell
        for variant, size in sizes.items()
        for cell in _row(paper, "table1", dataset, "dataset", variant, {"count": str(size)})
    ]


def _mark(table: pd.DataFrame, rng: np.random.Generator) -> None:
    """Bold for the best of each column of table2, in about half of the papers."""
    for paper in PAPERS:
        if rng.random() < 0.5:
            continue
        own = table[(table["paper"] == paper) & (table["exhibit"] == "table2")]
        for (_, metric), column in own.groupby(["dataset", "metric"]):
            table.loc[(printed.sign(metric) * column["value"]).idxmax(), "note"] = "bold"


def _entry(table: pd.DataFrame, paper: str, runs: int) -> registry.Paper:
    """A paper that says its runs, and claims to be ahead wherever it is ahead."""
    own = PAPERS[paper]
    claims = []
    for exhibit, than in {
        "table2": ["table2/*"],
        "table3": [f"table3/{own}/{variant}" for variant in VARIANTS],
    }.items():
        tests = [
            {"test": "better", "of": f"{exhibit}/{own}", "than": than}
            | {"datasets": [corpus], "metrics": ahead}
            for corpus, ahead in _ahead(table, paper, exhibit).items()
        ]
        if tests:
            claims.append(_claim(f"{own.upper()}-C{len(claims) + 1}", exhibit, tests))
    return registry.Paper(
        name=own,
        title=f"{own}, a made-up system",
        authors="Nobody et al.",
        venue="nowhere",
        key=paper,
        idea="made up",
        questions=["none"],
        own=[own],
        runs=runs,
        runs_source="made up",
        code="none",
        parity=registry.Parity(),
        exhibits=[],
        noted=[],
        claims=claims,
    )


def _ahead(table: pd.DataFrame, paper: str, exhibit: str) -> dict[str, list[str]]:
    """By data set, the metrics in which a paper's system is ahead of all other rows, surely."""
    rows = table[(table["paper"] == paper) & (table["exhibit"] == exhibit)]
    found: dict[str, list[str]] = {}
    for (corpus, metric), column in rows.groupby(["dataset", "metric"], sort=False):
        mine = (column["system"] == PAPERS[paper]) & (column["variant"] == "")
        own, others = column[mine].iloc[0], column[~mine]
        gains = printed.sign(metric) * (own["value"] - others["value"])
        if (gains > own["half"] + others["half"]).all():
            found.setdefault(corpus, []).append(metric)
    return found


def _claim(name: str, exhibit: str, tests: list[dict]) -> registry.Claim:
    return registry.Claim(
        id=name,
        statement="The paper's system is ahead of all other rows.",
        exhibit=exhibit,
        printed=registry.PrintedTest(tests=tests),
        rerun=registry.Rerun(rule="none", needs="nothing"),
        control="none",
    )


# --- errors -------------------------------------------------------------------------------------


def swapped_rows(made: Made, rng: np.random.Generator) -> Planted | None:
    """Two systems of an exhibit and a data set exchange all their numbers."""
    column = ["paper", "exhibit", "dataset"]
    pairs = []
    for _, group in _measured(made.table).groupby(column, sort=False):
        rows = [
            dict(zip(row["metric"], row.index, strict=True))
            for _, row in group.groupby(["system", "variant"], sort=False)
        ]
        for i, one in enumerate(rows):
            pairs += [(one, other) for other in rows[:i] if one.keys() == other.keys()]
    rng.shuffle(pairs)
    for one, other in pairs:
        here = [*one.values(), *other.values()]
        there = [*(other[m] for m in one), *(one[m] for m in other)]
        planted = _moved(made.table, here, there)
        if len(planted.cells) > 2:
            return planted
    return None


def permuted_column(made: Made, rng: np.random.Generator) -> Planted | None:
    """The values of one metric stand in another order among the rows of an exhibit."""
    column = ["paper", "exhibit", "dataset", "metric"]
    columns = [g for _, g in _measured(made.table).groupby(column) if g["value"].nunique() > 2]
    if not columns:
        return None
    cells = list(columns[rng.integers(len(columns))].index)
    while True:
        planted = _moved(made.table, cells, list(rng.permutation(cells)))
        if len(planted.cells) > 1:
            return planted


def last_digit(made: Made, rng: np.random.Generator) -> Planted | None:
    """The last digit of a number is another."""
    return _digit(made.table, rng, last=True)


def other_digit(made: Made, rng: np.random.Generator) -> Planted | None:
    """A digit of a number before the last is another."""
    return _digit(made.table, rng, last=False)


def factor_100(made: Made, rng: np.random.Generator) -> Planted | None:
    """A number is printed times 100 or divided by 100, a share as a fraction."""
    for index in _shuffled(_measured(made.table), rng):
        cell = made.table.loc[index]
        up = bool(rng.integers(2)) and cell["unit"] != "%"
        places = len(cell["printed"].partition(".")[2])
        text = (
            f"{cell['value'] * 100:.{max(0, places - 2)}f}"
            if up
            else f"{cell['value'] / 100:.{places + 2}f}"
        )
        planted = _changed(made.table, index, float(text), text)
        if planted is not None:
            return planted
    return None


def impossible_accuracy(made: Made, rng: np.random.Generator) -> Planted | None:
    """ACC7 exceeds ACC5, or an accuracy that is no mean of the stated number of runs."""
    ways = [_above_acc5, _no_count]
    rng.shuffle(ways)
    return ways[0](made, rng) or ways[1](made, rng)


ERRORS: dict[str, Callable[[Made, np.random.Generator], Planted | None]] = {
    "two rows swapped": swapped_rows,
    "a column permuted": permuted_column,
    "a digit before the last": other_digit,
    "the last digit": last_digit,
    "a factor of 100": factor_100,
    "an impossible accuracy": impossible_accuracy,
}
"""Kinds of errors. Each takes tables and a generator, and gives None where it has no place."""


def _measured(table: pd.DataFrame) -> pd.DataFrame:
    """Results in tables that are printed as plain numbers."""
    rows = table[(table["exhibit"] != "text") & table["unit"].isin(printed.RESULTS)]
    return rows[rows["printed"].str.fullmatch(r"-?\d*\.?\d+")]


def _shuffled(table: pd.DataFrame, rng: np.random.Generator) -> list[int]:
    return [int(index) for index in rng.permutation(table.index)]


def _moved(table: pd.DataFrame, here: list[int], there: list[int]) -> Planted:
    """The numbers of ``there`` stand at ``here``."""
    changed = table.copy()
    changed.loc[here, NUMBER] = table.loc[there, NUMBER].to_numpy()
    changed["value"] = changed["value"].astype(float)
    changed["half"] = changed["half"].astype(float)
    differ = [i for i in here if changed.at[i, "value"] != table.at[i, "value"]]
    return Planted(changed, tuple(differ))


def _changed(table: pd.DataFrame, index: int, value: float, text: str) -> Planted | None:
    """One cell with another number; None where a file with it could not be read."""
    cell = table.loc[index]
    try:
        printed.Row.model_validate(
            {name: cell[name] for name in printed.COLUMNS} | {"value": value, "printed": text}
        )
    except ValueError:
        return None
    changed = table.copy()
    changed.loc[index, ["value", "printed"]] = [value, text]
    changed.loc[index, "half"] = printed.half_unit(value, text)
    return Planted(changed, (index,))


def _digit(table: pd.DataFrame, rng: np.random.Generator, last: bool) -> Planted | None:
    for index in _shuffled(_measured(table), rng):
        cell = table.loc[index]
        text, factor = cell["printed"], printed.scale(cell["value"], cell["printed"])
        places = [i for i, character in enumerate(text) if character.isdigit()]
        if factor is None or len(places) < 2:
            continue
        place = places[-1] if last else int(rng.choice(places[:-1]))
        digit = str(rng.choice([d for d in "0123456789" if d != text[place]]))
        text = text[:place] + digit + text[place + 1 :]
        planted = _changed(table, index, round(float(text) * factor, 10), text)
        if planted is not None:
            return planted
    return None


def _above_acc5(made: Made, rng: np.random.Generator) -> Planted | None:
    """ACC7 above the ACC5 or ACC3 of its row by 0.2 to 5 points."""
    rows = _measured(made.table)
    place = ["paper", "exhibit", "dataset", "system", "variant"]
    for index in _shuffled(rows[rows["metric"] == "acc7"], rng):
        cell = rows.loc[index]
        same = rows[(rows[place] == cell[place]).all(axis=1) & rows["metric"].isin(MORE)]
        if same.empty or cell["half"] > 0.05 or (same["half"] > 0.05).any():
            continue
        value = float(same["value"].min() + rng.uniform(0.2, 5))
        return _printed(made.table, index, value)
    return None


def _no_count(made: Made, rng: np.random.Generator) -> Planted | None:
    """An accuracy of a paper's own system that no mean of its stated runs rounds to.

    Near the number that was there, in a cell where most random values could not be such a mean.
    """
    sizes = granularity.accuracies(made.table)
    own = pd.Series(
        [
            paper in made.entries
            and made.entries[paper].runs is not None
            and system in made.entries[paper].own
            for paper, system in zip(made.table["paper"], made.table["system"], strict=True)
        ],
        index=made.table.index,
    )
    rows = _measured(made.table)
    for index in _shuffled(rows[own[rows.index] & rows.index.isin(sizes["cell"])], rng):
        cell = made.table.loc[index]
        runs, half = made.entries[cell["paper"]].runs, float(cell["half"])
        clips = [int(n) for n in sizes.loc[sizes["cell"] == index, "clips"]]
        for _ in range(20):
            value = round(round((cell["value"] + rng.uniform(-2, 2)) / (2 * half)) * 2 * half, 8)
            if not any(granularity.fits(value, half, n, runs) for n in clips):
                return _printed(made.table, index, value)
    return None


def _printed(table: pd.DataFrame, index: int, value: float) -> Planted | None:
    """A cell with another value, printed as it was before."""
    cell = table.loc[index]
    factor = printed.scale(cell["value"], cell["printed"]) or 1.0
    text = f"{value / factor:.{len(cell['printed'].partition('.')[2])}f}"
    return _changed(table, index, round(float(text) * factor, 10), text)


# --- measurement --------------------------------------------------------------------------------


def measure(seeds: Iterable[int], errors: Iterable[str] | None = None) -> pd.DataFrame:
    """Detection on clean tables, one of each kind of error per seed; see ``_measure``.

    ``false_alarms`` is the number of findings above notable on a table as it was made.
    """
    return _measure([(clean(seed), seed) for seed in seeds], errors)


def measure_real(seeds: Iterable[int], errors: Iterable[str] | None = None) -> pd.DataFrame:
    """Detection on the project's own printed tables; what they show unperturbed is left out.

    ``false_alarms`` counts those above notable, which here may be true.
    """
    table = printed.load_all()
    known = set(registry.known()) & set(table["paper"])
    made = Made(table, {paper: registry.load(paper) for paper in sorted(known)})
    return _measure([(made, seed) for seed in seeds], errors)


def alarms(seeds: Iterable[int]) -> pd.DataFrame:
    """Findings per clean table by check and severity."""
    listed = list(seeds)
    counted: Counter[tuple[str, str]] = Counter()
    for seed in listed:
        counted.update((f.check, f.severity) for f in checks.run(*clean(seed)))
    rows = [(*key, count / len(listed)) for key, count in sorted(counted.items())]
    return pd.DataFrame(rows, columns=["check", "severity", "per_table"])


def new(before: Iterable[Finding], after: Iterable[Finding]) -> list[Finding]:
    """Findings of ``after`` that were not there before: another check, severity or set of cells."""
    known = {(f.check, f.severity, frozenset(f.cells)) for f in before}
    return [f for f in after if (f.check, f.severity, frozenset(f.cells)) not in known]


def _measure(tables: list[tuple[Made, int]], errors: Iterable[str] | None) -> pd.DataFrame:
    """By kind of error: how many were planted, and which shares were detected.

    ``detected``: a new finding reads a cell that was changed; ``severe``: such a finding is above
    notable. ``by``: the checks that detected, the most frequent first.
    """
    wanted = list(ERRORS if errors is None else errors)
    before: dict[int, list[Finding]] = {}
    severe_before = []
    told: dict[str, list[list[Finding]]] = {kind: [] for kind in wanted}
    for made, seed in tables:
        if id(made.table) not in before:
            before[id(made.table)] = checks.run(*made)
        found = before[id(made.table)]
        severe_before.append(sum(f.severity != "notable" for f in found))
        for kind in wanted:
            rng = np.random.default_rng([seed, list(ERRORS).index(kind)])
            planted = ERRORS[kind](made, rng)
            if planted is None:
                continue
            after = new(found, checks.run(planted.table, made.entries))
            told[kind].append([f for f in after if set(f.cells) & set(planted.cells)])
    rows = []
    for kind, lists in told.items():
        by = Counter(check for findings in lists for check in {f.check for f in findings})
        rows.append(
            {
                "error": kind,
                "planted": len(lists),
                "detected": _share(bool(findings) for findings in lists),
                "severe": _share(any(f.severity != "notable" for f in fs) for fs in lists),
                "false_alarms": float(np.mean(severe_before)),
                "by": ", ".join(f"{check} {n}" for check, n in by.most_common()),
            }
        )
    return pd.DataFrame(rows).set_index("error")


SEEDS = {"made-up tables": 40, "the papers' tables": 20}
"""Errors of each kind that are planted for the record."""


class Measured(BaseModel):
    """What was found, as the page on printed numbers shows it; commit of the checks."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    commit: str
    planted: dict[str, dict[str, int]]  # tables -> kind of error -> how many
    detected: dict[str, dict[str, float]]
    severe: dict[str, dict[str, float]]  # detected above notable
    false_alarms: float  # findings above notable per clean table


RECORD = Recorded(
    Measured,
    paths.BOOK / "records" / "planted.json",
    "measurement of the checks of printed tables",
    "run python -m msalib.evidence.printed.planted",
)


def recorded() -> Measured:
    """Return the committed measurement."""
    return RECORD.read()


def main() -> None:
    """Measure on made-up tables and on the papers' own, and record it (some minutes)."""
    made, real = SEEDS
    found = {made: measure(range(SEEDS[made])), real: measure_real(range(SEEDS[real]))}
    columns = {
        name: {tables: frame[name].to_dict() for tables, frame in found.items()}
        for name in ("planted", "detected", "severe")
    }
    alarms = float(found[made]["false_alarms"].iloc[0])
    RECORD.write(Measured(commit=commit(), false_alarms=alarms, **columns))


def _share(flags: Iterable[bool]) -> float:
    listed = list(flags)
    return float(np.mean(listed)) if listed else float("nan")


if __name__ == "__main__":
    main()
