"""How many errors do the checks find? Errors planted in printed tables.

A made-up table has none (``made_up``), so every finding above notable on it is a false alarm. Then
one error at a time is planted, of a kind that happens in print or in copying. A check detects it if
it finds something new about one of the cells changed. Printed tables of real papers can be
perturbed in the same way; what is found in them as they are is left out.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from msalib.base import paths
from msalib.base.files import Recorded
from msalib.base.provenance import commit
from msalib.evidence import registry
from msalib.evidence.printed import checks, units
from msalib.evidence.printed import table as printed
from msalib.evidence.printed.checks import granularity
from msalib.evidence.printed.checks.finding import Finding
from msalib.evidence.printed.made_up import MORE, MadeTables, clean

NUMBER = ["value", "printed", "note", "half"]
"""What moves where two cells exchange their numbers."""


class PlantedError(NamedTuple):
    """A table with an error, and the cells whose numbers are not what they were."""

    table: pd.DataFrame
    cells: tuple[int, ...]


# --- errors -------------------------------------------------------------------------------------


def swapped_rows(tables: MadeTables, rng: np.random.Generator) -> PlantedError | None:
    """Exchange all numbers of two systems of an exhibit and a data set."""
    column = ["paper", "exhibit", "dataset"]
    pairs = []
    for _, group in _measured(tables.table).groupby(column, sort=False):
        rows = [
            dict(zip(row["metric"], row.index, strict=True))
            for _, row in group.groupby(["system", "variant"], sort=False)
        ]
        for i, one in enumerate(rows):
            pairs += [(one, other) for other in rows[:i] if one.keys() == other.keys()]
    rng.shuffle(pairs)
    for one, other in pairs:
        targets = [*one.values(), *other.values()]
        sources = [*(other[m] for m in one), *(one[m] for m in other)]
        planted = _moved(tables.table, targets, sources)
        if len(planted.cells) > 2:
            return planted
    return None


def permuted_column(tables: MadeTables, rng: np.random.Generator) -> PlantedError | None:
    """Put the values of one metric in another order among the rows of an exhibit."""
    column = ["paper", "exhibit", "dataset", "metric"]
    columns = [g for _, g in _measured(tables.table).groupby(column) if g["value"].nunique() > 2]
    if not columns:
        return None
    cells = list(columns[rng.integers(len(columns))].index)
    while True:
        planted = _moved(tables.table, cells, list(rng.permutation(cells)))
        if len(planted.cells) > 1:
            return planted


def last_digit(tables: MadeTables, rng: np.random.Generator) -> PlantedError | None:
    """Change the last digit of a number."""
    return _digit(tables.table, rng, last=True)


def other_digit(tables: MadeTables, rng: np.random.Generator) -> PlantedError | None:
    """Change a digit of a number before the last."""
    return _digit(tables.table, rng, last=False)


def factor_100(tables: MadeTables, rng: np.random.Generator) -> PlantedError | None:
    """Print a number times 100 or divided by 100, a share as a fraction."""
    for index in _shuffled(_measured(tables.table), rng):
        cell = tables.table.loc[index]
        up = bool(rng.integers(2)) and cell["unit"] != "%"
        places = len(cell["printed"].partition(".")[2])
        text = (
            f"{cell['value'] * 100:.{max(0, places - 2)}f}"
            if up
            else f"{cell['value'] / 100:.{places + 2}f}"
        )
        planted = _changed(tables.table, index, float(text), text)
        if planted is not None:
            return planted
    return None


def impossible_accuracy(tables: MadeTables, rng: np.random.Generator) -> PlantedError | None:
    """Print an ACC7 above ACC5, or an accuracy that is no mean of the stated number of runs."""
    ways = [_above_acc5, _no_count]
    rng.shuffle(ways)
    return ways[0](tables, rng) or ways[1](tables, rng)


ERRORS: dict[str, Callable[[MadeTables, np.random.Generator], PlantedError | None]] = {
    "two rows swapped": swapped_rows,
    "a column permuted": permuted_column,
    "a digit before the last": other_digit,
    "the last digit": last_digit,
    "a factor of 100": factor_100,
    "an impossible accuracy": impossible_accuracy,
}
"""Kinds of errors. Each takes tables and a generator, and gives None where it has no place."""


def _measured(table: pd.DataFrame) -> pd.DataFrame:
    """Select results in tables that are printed as plain numbers."""
    rows = table[(table["exhibit"] != "text") & table["unit"].isin(units.RESULTS)]
    return rows[rows["printed"].str.fullmatch(r"-?\d*\.?\d+")]


def _shuffled(table: pd.DataFrame, rng: np.random.Generator) -> list[int]:
    return [int(index) for index in rng.permutation(table.index)]


def _moved(table: pd.DataFrame, targets: list[int], sources: list[int]) -> PlantedError:
    """Put the numbers of ``there`` in the places ``here``."""
    changed = table.copy()
    changed.loc[targets, NUMBER] = table.loc[sources, NUMBER].to_numpy()
    changed["value"] = changed["value"].astype(float)
    changed["half"] = changed["half"].astype(float)
    differ = [i for i in targets if changed.at[i, "value"] != table.at[i, "value"]]
    return PlantedError(changed, tuple(differ))


def _changed(table: pd.DataFrame, index: int, value: float, text: str) -> PlantedError | None:
    """Change the number of one cell; return None where a file with it could not be read."""
    cell = table.loc[index]
    try:
        printed.Row.model_validate(
            {name: cell[name] for name in printed.COLUMNS} | {"value": value, "printed": text}
        )
    except ValueError:
        return None
    changed = table.copy()
    changed.loc[index, ["value", "printed"]] = [value, text]
    changed.loc[index, "half"] = units.half_unit(value, text)
    return PlantedError(changed, (index,))


def _digit(table: pd.DataFrame, rng: np.random.Generator, last: bool) -> PlantedError | None:
    for index in _shuffled(_measured(table), rng):
        cell = table.loc[index]
        text, factor = cell["printed"], units.scale(cell["value"], cell["printed"])
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


def _above_acc5(tables: MadeTables, rng: np.random.Generator) -> PlantedError | None:
    """Print an ACC7 above the ACC5 or ACC3 of its row by 0.2 to 5 points."""
    rows = _measured(tables.table)
    place = ["paper", "exhibit", "dataset", "system", "variant"]
    for index in _shuffled(rows[rows["metric"] == "acc7"], rng):
        cell = rows.loc[index]
        same = rows[(rows[place] == cell[place]).all(axis=1) & rows["metric"].isin(MORE)]
        if same.empty or cell["half"] > 0.05 or (same["half"] > 0.05).any():
            continue
        value = float(same["value"].min() + rng.uniform(0.2, 5))
        return _printed(tables.table, index, value)
    return None


def _no_count(tables: MadeTables, rng: np.random.Generator) -> PlantedError | None:
    """Print an accuracy of a paper's own system that no mean of its stated runs rounds to.

    Near the number that was there, in a cell where most random values could not be such a mean.
    """
    sizes = granularity.accuracies(tables.table)
    stated = pd.Series(
        [
            paper in tables.entries
            and tables.entries[paper].runs is not None
            and system in tables.entries[paper].own
            for paper, system in zip(tables.table["paper"], tables.table["system"], strict=True)
        ],
        index=tables.table.index,
    )
    rows = _measured(tables.table)
    for index in _shuffled(rows[stated[rows.index] & rows.index.isin(sizes["cell"])], rng):
        cell = tables.table.loc[index]
        runs, half = tables.entries[cell["paper"]].runs, float(cell["half"])
        clips = [int(n) for n in sizes.loc[sizes["cell"] == index, "clips"]]
        for _ in range(20):
            value = round(round((cell["value"] + rng.uniform(-2, 2)) / (2 * half)) * 2 * half, 8)
            if not any(granularity.fits(value, half, n, runs) for n in clips):
                return _printed(tables.table, index, value)
    return None


def _printed(table: pd.DataFrame, index: int, value: float) -> PlantedError | None:
    """Give a cell another value, printed as it was before."""
    cell = table.loc[index]
    factor = units.scale(cell["value"], cell["printed"]) or 1.0
    text = f"{value / factor:.{len(cell['printed'].partition('.')[2])}f}"
    return _changed(table, index, round(float(text) * factor, 10), text)


# --- measurement --------------------------------------------------------------------------------


def measure(seeds: Iterable[int], errors: Iterable[str] | None = None) -> pd.DataFrame:
    """Measure detection on made-up tables, one of each kind of error per seed; see ``_measure``.

    ``false_alarms`` is the number of findings above notable on a table as it was made.
    """
    return _measure([(clean(seed), seed) for seed in seeds], errors)


def measure_real(seeds: Iterable[int], errors: Iterable[str] | None = None) -> pd.DataFrame:
    """Measure detection on the project's own printed tables, without what they show unperturbed.

    ``false_alarms`` counts those above notable, which here may be true.
    """
    table = printed.load_all()
    known = set(registry.known()) & set(table["paper"])
    made = MadeTables(table, {paper: registry.load(paper) for paper in sorted(known)})
    return _measure([(made, seed) for seed in seeds], errors)


def alarms(seeds: Iterable[int]) -> pd.DataFrame:
    """Count findings per made-up table by check and severity."""
    listed = list(seeds)
    counted: Counter[tuple[str, str]] = Counter()
    for seed in listed:
        counted.update((f.check, f.severity) for f in checks.run(*clean(seed)))
    rows = [(*key, count / len(listed)) for key, count in sorted(counted.items())]
    return pd.DataFrame(rows, columns=["check", "severity", "per_table"])


def new(before: Iterable[Finding], after: Iterable[Finding]) -> list[Finding]:
    """Return findings of ``after`` that differ from all before in check, severity or cells."""
    known = {(f.check, f.severity, frozenset(f.cells)) for f in before}
    return [f for f in after if (f.check, f.severity, frozenset(f.cells)) not in known]


def _measure(tables: list[tuple[MadeTables, int]], errors: Iterable[str] | None) -> pd.DataFrame:
    """Count, by kind of error, how many were planted, and which shares were detected.

    ``detected``: a new finding reads a cell that was changed; ``severe``: such a finding is above
    notable. ``by``: the checks that detected, the most frequent first.
    """
    kinds = list(ERRORS if errors is None else errors)
    before: dict[int, list[Finding]] = {}
    severe_before = []
    detecting: dict[str, list[list[Finding]]] = {kind: [] for kind in kinds}
    for made, seed in tables:
        if id(made.table) not in before:
            before[id(made.table)] = checks.run(*made)
        known = before[id(made.table)]
        severe_before.append(sum(f.severity != "notable" for f in known))
        for kind in kinds:
            rng = np.random.default_rng([seed, list(ERRORS).index(kind)])
            planted = ERRORS[kind](made, rng)
            if planted is None:
                continue
            after = new(known, checks.run(planted.table, made.entries))
            detecting[kind].append([f for f in after if set(f.cells) & set(planted.cells)])
    rows = []
    for kind, lists in detecting.items():
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


class DetectionRates(BaseModel):
    """What was found, as the page on printed numbers shows it; commit of the checks."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    commit: str
    planted: dict[str, dict[str, int]]  # tables -> kind of error -> how many
    detected: dict[str, dict[str, float]]
    severe: dict[str, dict[str, float]]  # detected above notable
    false_alarms: float  # findings above notable per clean table


RECORD = Recorded(
    DetectionRates,
    paths.SHIPPED / "planted.json",
    "measurement of the checks of printed tables",
    "run python -m msalib.evidence.printed.planted",
)


def recorded() -> DetectionRates:
    """Return the committed measurement."""
    return RECORD.read()


def main() -> None:
    """Measure on made-up tables and on the papers' own, and record it (some minutes)."""
    made, real = SEEDS
    rates = {made: measure(range(SEEDS[made])), real: measure_real(range(SEEDS[real]))}
    columns = {
        name: {tables: frame[name].to_dict() for tables, frame in rates.items()}
        for name in ("planted", "detected", "severe")
    }
    alarms = float(rates[made]["false_alarms"].iloc[0])
    RECORD.write(DetectionRates(commit=commit(), false_alarms=alarms, **columns))


def _share(flags: Iterable[bool]) -> float:
    listed = list(flags)
    return float(np.mean(listed)) if listed else float("nan")


if __name__ == "__main__":
    main()
