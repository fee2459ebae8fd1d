"""Tables that compare systems: our runs over seeds, chance, and the rows that a paper prints.

Every row says whose numbers it holds. Differences are paired by seed; their intervals cover other
videos and other trainings (``base.stats``). Where runs are missing, a table says so or a note
stands in its place.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from msalib.base import stats
from msalib.base.stats import Estimate
from msalib.data.datasets import DATASETS, dataset
from msalib.data.metrics import METRICS
from msalib.evidence import videos
from msalib.evidence.printed import table as printed_table
from msalib.evidence.printed.names import plural
from msalib.pages.cells import (
    Value,
    by_seed,
    interval_text,
    mean_sd,
    number,
    printed_numbers,
    score,
    scores,
)
from msalib.pages.tables import Note, Table, constants
from msalib.runs.query import Runs
from msalib.runs.records import Record
from msalib.runs.spec import System
from msalib.runs.study import Study

SHOWN = ("mae", "corr", "acc2_has0", "acc2_non0", "f1_has0", "f1_non0")
"""Columns of a table whose paper has no order of its own."""

TESTED: tuple[stats.Metric, ...] = ("mae", "corr")
"""Metrics whose differences get an interval."""

F1 = "f1_non0"
"""The measure of classes that stands beside MAE and Corr; tasks without it have "f1"."""

NO_RECORD = "no record"
CHANCE = "constant: training median, test majority"
CHANCE_OF_CLASSES = "constant: one class, the best for each metric"


# --- records ------------------------------------------------------------------------------------


def gather(study: Study, systems: Iterable[System]) -> list[Record]:
    """Return the records of these systems, and train the missing ones where that takes minutes.

    Some may be missing where records are only read: without data, with a fine-tuned text encoder,
    which takes hours, and with the full recipe on a real data set that the book has records of. A
    refresh trains all.
    """
    systems, p = list(dict.fromkeys(systems)), study.parameters
    recorded = p.profile == "full" and study.dataset.real and p.dataset in DATASETS
    trains = study.corpus is not None and not study.tuned and not recorded
    return study.run(systems) if p.refresh or trains else study.recorded(systems)


def missing_runs_note(study: Study, runs: Runs, named: Mapping[str, System]) -> Note:
    """Return a note that counts the runs of a table and lists those that are missing."""
    seeds = range(study.parameters.seeds)
    missing = {
        name: [seed for seed in seeds if seed not in runs.seeds(system)]
        for name, system in named.items()
    }
    count, total = sum(map(len, missing.values())), len(named) * len(seeds)
    if not count:
        return Note(f"All {total} runs are recorded.")
    listed = (
        name + ("" if len(lost) == len(seeds) else f" (seed {', '.join(map(str, lost))})")
        for name, lost in missing.items()
        if lost
    )
    return Note(f"{count} of {total} runs are missing: {'; '.join(listed)}.")


# --- rows ---------------------------------------------------------------------------------------


class PrintedRow(NamedTuple):
    """A row of a paper's table: its numbers by metric, as printed and as values."""

    text: dict[str, Value]
    value: dict[str, float]


def printed_row(
    paper: str, *, exhibit: str, corpus: str, system: str, variant: str = ""
) -> PrintedRow | None:
    """Return a printed row; None where the paper prints no such row for the corpus."""
    table = printed_table.load(paper)
    row = {"exhibit": exhibit, "dataset": corpus, "system": system, "variant": variant}
    cells = table[(table[list(row)] == pd.Series(row)).all(axis=1)]
    if cells.empty:
        return None
    return PrintedRow(
        printed_numbers(cells),
        dict(zip(cells["metric"], cells["value"], strict=True)),
    )


def columns(record: Record, order: Sequence[str] = SHOWN) -> Sequence[str]:
    """Return ``order`` if a record has all of these metrics, or else those that its task shows."""
    recorded = record.metrics["test"]
    orders = [order, *(task.shown for task in dataset(record.spec.dataset).tasks)]
    return next((names for names in orders if recorded.keys() >= set(names)), tuple(recorded))


def heads(metrics: Iterable[str]) -> dict[str, str]:
    """Return the column head of each metric: its name, an arrow towards better, its unit."""
    named = {name: METRICS[name] for name in metrics}
    return {
        name: f"{m.label} {'↑' if m.higher_is_better else '↓'}" + (f" ({m.unit})" if m.unit else "")
        for name, m in named.items()
    }


def score_cells(seeds: Sequence[Record], metrics: Iterable[str]) -> dict[str, str]:
    """Return mean ± standard deviation over the seeds of a system, by metric, on the test set."""
    return {m: scores(seeds, m) for m in metrics}


def epochs(seeds: Sequence[Record]) -> str:
    """Return the selected epoch, mean ± standard deviation over the seeds of a system."""
    return mean_sd(by_seed(seeds, lambda r: r.selected_epoch), "{:.0f}".format)


def chance_name(record: Record) -> str:
    """Return what the constant predictions behind a record's chance levels are."""
    return CHANCE if "mae" in record.chance else CHANCE_OF_CLASSES


def chance_cells(record: Record, metrics: Iterable[str]) -> dict[str, str]:
    """Return what constant predictions score by metric; a dash where that is undefined."""
    return {m: score(record.chance[m], m) for m in metrics}


def table_with_printed_rows(
    runs: Runs,
    named: Mapping[str, System],
    printed: Mapping[str, PrintedRow] | None,
    *,
    what: str,
    setting: str,
    order: Sequence[str] = SHOWN,
    more: Mapping[str, Mapping[str, str]] | None = None,
) -> Table | Note:
    """Show every system with its metrics, its printed row below it, chance, other printed rows.

    ``printed`` is None for systems that no paper prints.

    ``what`` heads the first column. ``order`` is that of the paper's columns (``columns``).
    ``more``: name -> further columns of our row.
    """
    present = {name: runs.records(system)[0] for name, system in named.items() if runs.has(system)}
    if not present:
        return Note(f"No run of this table is recorded yet. Setting: {setting}.")
    first = next(iter(present.values()))[0]
    metrics = columns(first, order)
    counts = sorted({len(seeds) for seeds in present.values()})
    rows = []
    for name in named:
        rows.append({what: name, "whose": "ours", metrics[0]: NO_RECORD})
        if seeds := present.get(name):
            some = f" ({plural(len(seeds), 'seed')})" if len(seeds) < counts[-1] else ""
            rows[-1] |= {"whose": f"ours{some}"} | score_cells(seeds, metrics)
            rows[-1]["epoch"] = epochs(seeds)
            rows[-1] |= (more or {}).get(name, {})
        if name in (printed or {}):
            rows.append({what: name, "whose": "printed"} | _of(printed[name].text, metrics))
    rows.append({what: chance_name(first), "whose": "chance"} | chance_cells(first, metrics))
    rows += [
        {what: name, "whose": "printed, not run here"} | _of(row.text, metrics)
        for name, row in (printed or {}).items()
        if name not in named
    ]
    about = "" if printed is None else about_printed(bool(printed))
    return Table(
        pd.DataFrame(rows).rename(columns=heads(metrics)).fillna("-"),
        caption=f"{how_made(present.values())}{about}Setting: {setting}.",
    )


def _of(cells: Mapping[str, str], metrics: Iterable[str]) -> dict[str, str]:
    return {m: cells[m] for m in metrics if m in cells}


def how_made(systems: Iterable[Sequence[Record]]) -> str:
    """Return sentences of a caption on how our numbers were made; each item holds the seeds."""
    systems = list(systems)
    counts = sorted({len(seeds) for seeds in systems})
    many = plural(counts[-1], "seed") if len(counts) == 1 else f"{counts[0]} to {counts[-1]} seeds"
    return (
        f"Test set, mean ± standard deviation over {many}; the epoch is selected on validation "
        f"loss. {constants(record for seeds in systems for record in seeds)}"
    )


def about_printed(printed: bool) -> str:
    """Return the sentence of a caption on printed rows, or on their absence."""
    if printed:
        return "Printed rows: the paper's own features, no spread over runs given. "
    return "The paper prints no numbers for this data set. "


# --- differences --------------------------------------------------------------------------------

Effects = dict[str, Estimate]


def contrast(runs: Runs, weights: Mapping[System, float]) -> Effects | None:
    """Return weighted sums of MAE and of Corr over systems, paired by seed (``videos``).

    None where a system is missing, or where the task has no such metrics.
    """
    if not runs.has(*weights):
        return None
    if not runs.example(next(iter(weights))).metrics["test"].keys() >= set(TESTED):
        return None
    return videos.contrasts(runs, list(weights), list(weights.values()))


def differences(runs: Runs, named: Mapping[str, System], base: str) -> dict[str, Effects]:
    """Return the base minus each other system, for those pairs that have runs."""
    effects = {
        name: contrast(runs, {named[base]: 1.0, other: -1.0})
        for name, other in named.items()
        if name != base
    }
    return {name: effect for name, effect in effects.items() if effect}


def difference_table(
    runs: Runs,
    named: Mapping[str, System],
    base: str,
    printed: Mapping[str, PrintedRow],
    *,
    setting: str,
) -> Table | Note:
    """Show the base minus each other system that was run, beside the printed differences."""
    pairs = {
        (name,): {base: 1.0, name: -1.0}
        for name in named
        if name != base and runs.has(named[base], named[name])
    }
    if not pairs:
        return Note(f"No two systems to compare yet. Setting: {setting}.")
    return contrast_table(runs, named, pairs, printed, heads=(f"{base} minus",), setting=setting)


def contrast_table(
    runs: Runs,
    named: Mapping[str, System],
    contrasts: Mapping[tuple[str, ...], Mapping[str, float]],
    printed: Mapping[str, PrintedRow],
    *,
    heads: Sequence[str],
    setting: str,
) -> Table | Note:
    """Show weighted sums over systems, with F1 seed by seed, beside the same sums of print.

    ``contrasts``: a name under each of ``heads`` -> weights by the names of systems. Those with a
    system that is not among ``named`` are left out.
    """
    rows, estimates = [], []
    for names, weights in contrasts.items():
        if not weights.keys() <= named.keys():
            continue
        systems = {named[name]: weight for name, weight in weights.items()}
        if effects := contrast(runs, systems):
            estimates.append(effects)
        rows.append(dict(zip(heads, names, strict=True)) | _effect_cells(runs, effects, systems))
        rows[-1] |= _printed_cells(weights, printed)
    if not estimates:
        return Note(f"No systems to compare yet. Setting: {setting}.")
    return Table(
        pd.DataFrame(rows),
        caption="Test set, paired by seed; intervals of 95% over other videos and trainings, F1 "
        f"mean ± standard deviation over seeds. {_after_holm(estimates)}Setting: {setting}.",
    )


def _effect_cells(
    runs: Runs, effects: Effects | None, weights: Mapping[System, float]
) -> dict[str, str]:
    name = f1_of(runs)
    titles = {"mae": "MAE (points)", "corr": "Corr", name: f"{METRICS[name].label} (%)"}
    if effects is None:
        return dict.fromkeys(titles.values(), NO_RECORD)
    systems = runs.records(*weights)
    f1 = {
        same[0].spec.seed: sum(
            w * r.metrics["test"][name] for w, r in zip(weights.values(), same, strict=True)
        )
        for same in zip(*systems, strict=True)
    }
    cells = {titles[m]: interval_text(effects[m]) for m in TESTED}
    return cells | {titles[name]: mean_sd(f1, lambda v: f"{100 * v:+.1f}", scale=100)}


def f1_of(runs: Runs) -> str:
    """Return the name of F1 in these records: ``F1``, or "f1" where the task has one F1 only."""
    recorded = runs.example(runs.systems[0]).metrics["test"] if runs.systems else ()
    return "f1" if "f1" in recorded else F1


def _printed_cells(
    weights: Mapping[str, float], printed: Mapping[str, PrintedRow]
) -> dict[str, str]:
    """Return the same sum of printed numbers; a dash where one of them is not printed."""
    rows = [printed[name].value if name in printed else {} for name in weights]
    cells = {}
    for metric, form in (("mae", "+.3f"), ("corr", "+.3f"), (F1, "+.1f")):
        title = f"{METRICS[metric].label}, printed"
        if all(metric in row for row in rows):
            pairs = zip(weights.values(), rows, strict=True)
            total = round(sum(w * row[metric] for w, row in pairs), 6)
            cells[title] = number(f"{total:{form}}", total)
        else:
            cells[title] = "-"
    return cells


def _after_holm(estimates: Sequence[Effects]) -> str:
    """Return how many effects of each metric differ from zero after Holm's correction.

    An effect of one seed does not: its interval does not cover other trainings.
    """
    several = [e for e in estimates if len(e["mae"].seeds) > 1]
    if not several:
        return "One seed each: no difference counts, because another training might reverse it. "
    count = {m: sum(stats.differ_from_zero([e[m] for e in several])) for m in TESTED}
    listed = " and ".join(f"{count[m]} of {len(several)} in {METRICS[m].label}" for m in TESTED)
    left = " (rows of one seed are not counted)" if len(several) < len(estimates) else ""
    return f"Different from zero after Holm's correction: {listed}{left}. "


# --- numbers for the prose of pages -------------------------------------------------------------


def numbers(
    runs: Runs,
    named: Mapping[str, System],
    base: str,
    printed: Mapping[str, PrintedRow],
    order: Sequence[str] = SHOWN,
) -> dict[str, str]:
    """Return the numbers of a table as text, by names that glue takes.

    ``<system>_<metric>``, the same after ``printed_``, ``<system>_minus_mae`` for the base minus
    that system, and ``seeds``.
    """
    texts = {}
    for name, system in named.items():
        if not runs.has(system):
            continue
        (seeds,) = runs.records(system)
        texts["seeds"] = str(max(len(seeds), int(texts.get("seeds", 0))))
        cells = score_cells(seeds, columns(seeds[0], order))
        texts |= {f"{_key(name)}_{m}": text for m, text in cells.items()}
        if name in printed:
            texts |= {f"printed_{_key(name)}_{m}": t for m, t in printed[name].text.items()}
    for name, effects in differences(runs, named, base).items():
        texts |= {f"{_key(name)}_minus_{m}": interval_text(effects[m]) for m in TESTED}
    return texts


def _key(name: str) -> str:
    return "".join(c if c.isalnum() else "_" for c in name.lower())
