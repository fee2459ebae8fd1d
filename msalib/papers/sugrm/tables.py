"""Records -> what the pages of SUGRM's tables show: ours beside printed, differences, effects.

Printed rows are those of unaligned CMU-MOSI or CMU-MOSEI, and stand beside runs on the same corpus
only. Effects of modules are contrasts of the grid of Table 4: SUGRM's own part in a module counts
+1, Self-MM's -1.
"""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from itertools import product
from operator import mul
from typing import NamedTuple

import numpy as np
import pandas as pd

from msalib.base import stats
from msalib.base.stats import Estimate
from msalib.data.corpus import MODALITIES
from msalib.data.metrics import METRICS
from msalib.evidence.printed import table as printed
from msalib.evidence.printed.names import plural
from msalib.models.unimodal_tasks import LETTERS, task_sets, tasks
from msalib.pages.ledger import interval_text
from msalib.pages.tables import Note, Table, constants, mean_sd, spread
from msalib.papers.sugrm.plan import (
    MODULES,
    SELF_MM,
    Whole,
    losses,
    module_grid,
    system,
    task_grid,
    whole_of,
)
from msalib.runs import records
from msalib.runs.query import Runs
from msalib.runs.records import Record
from msalib.runs.spec import System
from msalib.runs.study import TUNED_ENDING, Study

PAPER = "sugrm"
SHOWN = ("f1_has0", "f1_non0", "acc2_has0", "acc2_non0", "mae", "corr")
"""Columns of SUGRM's tables, in its order."""

TESTED: tuple[stats.Metric, ...] = ("mae", "corr")
"""Metrics whose differences get an interval."""

UNALIGNED = {"mosi": "mosi_unaligned", "mosei": "mosei_unaligned"}
"""Our corpora -> the data sets under which SUGRM's Tables 2 to 4 and 8 print them."""

NO_RECORD = "no record"

ABOUT = {
    "control": "Simulated clips with words, voice and face, in which the truth is known. The last "
    "layer of each is read.",
    "control-opposite": "Simulated clips with words, voice and face, with the other story planted. "
    "The last layer of each is read.",
    "mosi": "The paper's clips, with other features. Of the face there is none. The voice is one "
    "vector for the whole clip, so that its sequence has length 1. Printed levels cannot be "
    "compared with ours.",
    "mmmo-stretched": "Film reviews of ICT-MMMO, voice and face without words, both aligned to the "
    "words that were spoken. Their labels run from 1 to 5 and are mapped in a straight line to -3 "
    "to 3, because label generators and metrics expect that scale. One clip per video.",
}
"""What a reader must know of a corpus before the numbers."""


# --- records ------------------------------------------------------------------------------------


def about(study: Study) -> Note:
    """What the data at hand are, and what the paper had."""
    words = ABOUT.get(study.parameters.dataset, study.dataset.title + ".")
    if study.dataset.real and "linguistic" in study.dataset.layered:
        how = "trained along" if study.tuned else "frozen"
        name = study.encoder.removesuffix(TUNED_ENDING)
        words += f" The words are read by {name}, {how}; the paper trains BERT along."
    return Note(words)


def gather(study: Study, wanted: Iterable[System]) -> list[Record]:
    """Records of these systems, read where they are there, else trained.

    Read only, so that some may be missing: without data, and with a text encoder that is trained
    along, which takes hours, unless a refresh is asked for.
    """
    wanted = list(dict.fromkeys(wanted))
    if study.parameters.refresh or (study.corpus is not None and not study.tuned):
        with warnings.catch_warnings():  # what stood in is kept with the labels: ``there``
            warnings.filterwarnings("ignore", "no clip is labelled")
            return study.run(wanted)
    specs = (study.spec(s, seed) for s in wanted for seed in range(study.parameters.seeds))
    return [records.read(path) for path in (spec.path() for spec in specs) if path.is_file()]


def there(study: Study, runs: Runs, named: Mapping[str, System]) -> Note:
    """Whether all runs are there, which are missing, and what stood in for clips at the ends."""
    every = range(study.parameters.seeds)
    missing = {
        name: [seed for seed in every if seed not in runs.seeds(wanted)]
        for name, wanted in named.items()
    }
    lost = sum(map(len, missing.values()))
    if not lost:
        words = f"All {len(named) * len(every)} runs are there."
    else:
        listed = (
            name + ("" if len(seeds) == len(every) else f" (seed {', '.join(map(str, seeds))})")
            for name, seeds in missing.items()
            if seeds
        )
        words = f"{lost} of {len(named) * len(every)} runs are missing: {'; '.join(listed)}."
    own = [r for s in named.values() if runs.has(s) for r in runs.records(s)[0]]
    notes = {r.extras.labels.note for r in own if r.extras.labels and r.extras.labels.note}
    return Note(" ".join([words, *(f"Label generator: {note}." for note in sorted(notes))]))


def untaught(runs: Runs, named: Mapping[str, System]) -> Note:
    """How many runs were selected before any made label counted (papers/sugrm.md (d))."""
    own = [r for s in named.values() if runs.has(s) for r in runs.records(s)[0]]
    if not own:
        return Note("No run of this table is recorded yet.")
    early = sum(r.selected_epoch <= COPIED for r in own)
    return Note(
        f"In {early} of {plural(len(own), 'run')} the epoch that validation selects is 1 or "
        f"{COPIED}. Until then made labels are copies of the given one and weigh nothing, so that "
        "neither tasks nor label generators can have done anything for these runs."
    )


COPIED = 2
"""The last epoch in which made labels still weigh nothing: they move after their own loss."""


# --- rows ---------------------------------------------------------------------------------------


class Place(NamedTuple):
    """A row of the paper."""

    exhibit: str
    system: str
    variant: str = ""


def main_places() -> dict[str, Place]:
    """Systems of ``plan.compared`` that Table 2 has."""
    return {name: Place("table2", name) for name in ("SUGRM", "Self-MM")}


def task_names(whole: Whole) -> dict[str, str]:
    """Sets of unimodal tasks (``task_sets``) -> what a reader calls them."""
    names = {
        name: " + ".join(tasks(name, list(whole))) or "none" for name in task_sets(list(whole))
    }
    return names | {"tasks_all": "all"}


def named_tasks(whole: Whole) -> dict[str, System]:
    """Table 3: the sets of tasks by what a reader calls them; "all" are those of the corpus."""
    return dict(zip(task_names(whole).values(), task_grid(whole).values(), strict=True))


TASK_VARIANTS = ("m", "mt", "ma", "mv", "mat", "mvt", "mav", "mtav")
"""Sets of tasks as rows of Table 3; m stands for the multimodal task."""


def task_places(whole: Whole) -> dict[str, Place]:
    """The rows of Table 3 by their unimodal tasks, those that this corpus can have first."""
    names = task_names(whole)
    own = {frozenset(tasks(key, list(whole))): name for key, name in names.items()}
    found = {}
    for variant in TASK_VARIANTS:
        chosen = {m for letter, m in LETTERS.items() if letter in variant[1:]}
        name = own.get(frozenset(chosen), " + ".join(m for m in MODALITIES if m in chosen))
        found[name] = Place("table3", "SUGRM", f"tasks_{variant}")
    return {n: found[n] for n in sorted(found, key=lambda n: n not in own.values())}


MODULE_WORDS = {
    "mrm": "MRM",
    "no_mrm": "no MRM",
    "spt": "SPT",
    "lstm": "LSTM",
    "dense": "dense transformer",
    "own_ulgm": "SUGRM's labels",
    "other_ulgm": "Self-MM's labels",
}

Corner = tuple[str, ...]

PRINTED_CORNERS: Mapping[Corner, Place] = {
    ("mrm", "spt", "own_ulgm"): Place("table4", "SUGRM"),
    ("no_mrm", "spt", "own_ulgm"): Place("table4", "SUGRM", "no_mrm"),
    ("mrm", "dense", "own_ulgm"): Place("table4", "SUGRM", "te_for_spt"),
    ("mrm", "lstm", "own_ulgm"): Place("table4", "SUGRM", "lstm_for_spt"),
    ("mrm", "spt", "other_ulgm"): Place("table4", "SUGRM", "ulgm_selfmm"),
    ("no_mrm", "lstm", "other_ulgm"): Place("table4", "Self-MM"),
    ("mrm", "lstm", "other_ulgm"): Place("table4", "Self-MM", "add_mrm"),
    ("no_mrm", "spt", "other_ulgm"): Place("table4", "Self-MM", "spt_for_lstm"),
    ("no_mrm", "lstm", "own_ulgm"): Place("table4", "Self-MM", "ulgm_sugrm"),
}
"""Rows of Table 4 by the modules that they have (papers/sugrm.md (b), X1)."""


def corner_name(corner: Corner) -> str:
    """A combination of modules in words."""
    return ", ".join(MODULE_WORDS[part] for part in corner)


def corner_places() -> dict[str, Place]:
    """Rows of Table 4 by the name of their corner."""
    return {corner_name(corner): place for corner, place in PRINTED_CORNERS.items()}


LOSS_NAMES = {"l1": "L1", "l2": "L2", "huber": "Huber"}


def named_losses(whole: Whole) -> dict[str, System]:
    """Table 8: SUGRM with each loss, by what a reader calls it."""
    return {LOSS_NAMES[name]: wanted for name, wanted in losses(whole).items()}


def loss_places() -> dict[str, Place]:
    """Rows of Table 8; it has CMU-MOSI only."""
    return {LOSS_NAMES[name]: Place("table8", "SUGRM", f"loss_{name}") for name in LOSS_NAMES}


def beside(
    runs: Runs,
    named: Mapping[str, System],
    places: Mapping[str, Place],
    *,
    what: str,
    setting: str,
    more: Mapping[str, Mapping[str, str]] | None = None,
) -> Table | Note:
    """Every system with its metrics, the printed row below it where there is one, and chance.

    ``what`` heads the first column; ``more``: name -> further columns of our rows.
    """
    present = {name: wanted for name, wanted in named.items() if runs.has(wanted)}
    if not present:
        return Note(f"No run of this table is recorded yet. Setting: {setting}.")
    dataset = _dataset(runs)
    own = {name: runs.records(wanted)[0] for name, wanted in present.items()}
    counts = sorted({len(found) for found in own.values()})
    rows, seen = [], []
    for name in named:
        found = own.get(name)
        if found is None:
            rows.append({what: name, "whose": "ours", SHOWN[0]: NO_RECORD})
        else:
            seeds = f" ({plural(len(found), 'seed')})" if len(found) < counts[-1] else ""
            rows.append({what: name, "whose": f"ours{seeds}"} | _scores(found))
            epochs = [r.selected_epoch for r in found]
            rows[-1]["epoch"] = mean_sd(epochs, "{:.0f}".format)
            rows[-1] |= (more or {}).get(name, {})
        if name in places and (cells := _printed(places[name], dataset)):
            rows.append({what: name, "whose": "printed"} | cells)
            seen.append(name)
    guess = next(iter(own.values()))[0].chance
    rows.append(
        {what: "constant: training median, test majority", "whose": "chance"}
        | {m: "-" if guess[m] is None else METRICS[m].show(guess[m]) for m in SHOWN}
    )
    for name, place in places.items():
        if name not in named and (cells := _printed(place, dataset)):
            rows.append({what: name, "whose": "printed, not run here"} | cells)
            seen.append(name)
    every = [record for found in own.values() for record in found]
    return Table(
        pd.DataFrame(rows).rename(columns=_heads()).fillna("-"),
        caption=f"Test part, mean ± standard deviation over {_range(counts)}; the epoch is "
        f"selected on validation loss. {constants(every)}"
        + (
            "Printed rows: the paper's own features, no spread given. "
            if seen
            else "The paper prints no numbers for this data set. "
        )
        + f"Setting: {setting}.",
    )


def _scores(found: Sequence[Record]) -> dict[str, str]:
    return {m: spread([r.metrics["test"][m] for r in found], m) for m in SHOWN}


def _heads() -> dict[str, str]:
    def head(m):
        arrow = "↑" if m.higher_is_better else "↓"
        return f"{m.label} {arrow}" + (f" ({m.unit})" if m.unit else "")

    return {name: head(METRICS[name]) for name in SHOWN}


def _range(counts: Sequence[int]) -> str:
    return plural(counts[-1], "seed") if len(counts) == 1 else f"{counts[0]} to {counts[-1]} seeds"


def _dataset(runs: Runs) -> str:
    return runs.records(runs.systems[0])[0][0].spec.dataset


def _row_of(place: Place, dataset: str) -> pd.DataFrame:
    table = printed.load(PAPER)
    wanted = {"exhibit": place.exhibit, "dataset": UNALIGNED.get(dataset, dataset)}
    wanted |= {"system": place.system, "variant": place.variant}
    return table[(table[list(wanted)] == pd.Series(wanted)).all(axis=1)]


def _printed(place: Place, dataset: str) -> dict[str, str]:
    """Metrics of a printed row as they are printed; empty where it is not printed."""
    cells = _row_of(place, dataset)
    return dict(zip(cells["metric"], cells["printed"], strict=True))


def _values(place: Place, dataset: str) -> dict[str, float]:
    cells = _row_of(place, dataset)
    return dict(zip(cells["metric"], cells["value"], strict=True))


# --- differences --------------------------------------------------------------------------------


def contrast(runs: Runs, weights: Mapping[System, float]) -> dict[str, Estimate] | None:
    """Weighted sums of MAE and of Corr over systems; None where one of them is missing.

    Paired by seed; the interval covers other videos and other trainings (``stats.estimate``).
    """
    if not runs.has(*weights):
        return None
    label, videos = runs.truth("test")
    guesses = runs.predictions("test", *weights)
    factors = np.array(list(weights.values()))
    return {m: stats.estimate(*stats.contrast(m, label, guesses, factors, videos)) for m in TESTED}


Differences = dict[str, dict[str, Estimate]]


def differences(runs: Runs, named: Mapping[str, System], base: str) -> Differences:
    """The base minus each other system, where both were run."""
    found = {
        name: contrast(runs, {named[base]: 1.0, other: -1.0})
        for name, other in named.items()
        if name != base
    }
    return {name: effects for name, effects in found.items() if effects}


def difference_table(
    runs: Runs,
    named: Mapping[str, System],
    base: str,
    places: Mapping[str, Place],
    *,
    setting: str,
) -> Table | Note:
    """``differences`` as text, F1 seed by seed, and the printed differences beside ours."""
    found = differences(runs, named, base)
    if not found:
        return Note(f"No two systems to compare yet. Setting: {setting}.")
    rows = []
    for name, effects in found.items():
        weights = {named[base]: 1.0, named[name]: -1.0}
        theirs = {base: 1.0, name: -1.0}
        rows.append({f"{base} minus": name} | _effect_cells(runs, effects, weights))
        rows[-1] |= _printed_cells(theirs, places, _dataset(runs))
    return Table(
        _without_empty(pd.DataFrame(rows)),
        caption="Test part, paired by seed; intervals of 95% over other videos and trainings, F1 "
        f"mean ± standard deviation over seeds. {_after_holm(list(found.values()))}"
        f"Setting: {setting}.",
    )


F1 = "f1_non0"
"""The accuracy that stands beside MAE and Corr where there is room for one."""


def _effect_cells(
    runs: Runs, effects: Mapping[str, Estimate] | None, weights: Mapping[System, float]
) -> dict[str, str]:
    heads = {"mae": "MAE (points)", "corr": "Corr", F1: f"{METRICS[F1].label} (%)"}
    if effects is None:
        return dict.fromkeys(heads.values(), NO_RECORD)
    own = runs.records(*weights)
    by_seed = zip(*([r.metrics["test"][F1] for r in seeds] for seeds in own), strict=True)
    f1 = [sum(w * v for w, v in zip(weights.values(), s, strict=True)) for s in by_seed]
    shown = {heads[m]: interval_text(effects[m]) for m in TESTED}
    return shown | {
        heads[F1]: mean_sd(f1, lambda v: f"{100 * v:+.1f}").replace("±\u00a0+", "±\u00a0")
    }


def _printed_cells(
    weights: Mapping[str, float], places: Mapping[str, Place], dataset: str
) -> dict[str, str]:
    """The same sum of printed numbers; "-" where one is not printed."""
    rows = [_values(places[name], dataset) if name in places else {} for name in weights]
    shown = {}
    for metric, form in (("mae", "+.3f"), ("corr", "+.3f"), (F1, "+.1f")):
        head = f"{METRICS[metric].label}, printed"
        if all(metric in row for row in rows):
            pairs = zip(weights.values(), rows, strict=True)
            shown[head] = f"{round(sum(w * row[metric] for w, row in pairs), 6):{form}}"
        else:
            shown[head] = "-"
    return shown


def _without_empty(frame: pd.DataFrame) -> pd.DataFrame:
    """Without printed columns that hold nothing."""
    empty = [c for c in frame if c.endswith("printed") and (frame[c] == "-").all()]
    return frame.drop(columns=empty)


def _after_holm(effects: Sequence[Mapping[str, Estimate]]) -> str:
    """How many differences of each metric stand after Holm's correction.

    Of one seed none does: its interval knows nothing of other trainings.
    """
    several = [e for e in effects if len(e["mae"].seeds) > 1]
    if not several:
        return "One seed each: no difference counts, for another training might reverse it. "
    count = {m: sum(stats.differ_from_zero([e[m] for e in several])) for m in TESTED}
    told = " and ".join(f"{count[m]} of {len(several)} in {METRICS[m].label}" for m in TESTED)
    left = " (rows of one seed are not counted)" if len(several) < len(effects) else ""
    return f"Different from zero after Holm's correction: {told}{left}. "


# --- Table 3: tasks -----------------------------------------------------------------------------


class Dot(NamedTuple):
    """A set of unimodal tasks in a figure; ``scores``: metric -> one value per seed."""

    tasks: int
    letters: str
    scores: dict[str, list[float]]


def by_tasks(runs: Runs, grid: Mapping[str, System], whole: Whole) -> dict[str, list[Dot]]:
    """ "ours" and, where the corpus is printed, "printed" -> MAE and F1 of every set of tasks."""
    letters = {m: letter for letter, m in LETTERS.items()}
    ours = []
    for name, wanted in grid.items():
        if runs.has(wanted):
            (found,) = runs.records(wanted)
            chosen = tasks(name, list(whole))
            scores = {m: [r.metrics["test"][m] for r in found] for m in ("mae", F1)}
            short = "".join(letter for m, letter in letters.items() if m in chosen)
            ours.append(Dot(len(chosen), short, scores))
    theirs = []
    for variant in TASK_VARIANTS if ours else ():
        cells = _values(Place("table3", "SUGRM", f"tasks_{variant}"), _dataset(runs))
        if cells:
            short = "".join(letter for letter in LETTERS if letter in variant[1:])
            scores = {"mae": [cells["mae"]], F1: [cells[F1] / 100]}
            theirs.append(Dot(len(short), short, scores))
    return {name: dots for name, dots in (("ours", ours), ("printed", theirs)) if dots}


# --- Table 4: modules ---------------------------------------------------------------------------


def grid(study: Study) -> dict[Corner, System]:
    """``plan.module_grid``; in profile quick with one dense corner, the one that is printed."""
    every = module_grid(whole_of(study))
    if study.parameters.profile != "quick":
        return every
    return {c: s for c, s in every.items() if "dense" not in c or c in PRINTED_CORNERS}


def by_name(grid: Mapping[Corner, System]) -> dict[str, System]:
    """The grid with its corners in words."""
    return {corner_name(corner): wanted for corner, wanted in grid.items()}


def itself(study: Study) -> dict[str, System]:
    """Self-MM as its release has it, to stand beside its corner of the grid."""
    return {"Self-MM itself": system(whole_of(study), **SELF_MM)}


def costs(runs: Runs, grid: Mapping[Corner, System]) -> dict[str, dict[str, str]]:
    """Seconds per epoch of every corner, median over seeds."""
    found = {}
    for corner, wanted in grid.items():
        if runs.has(wanted):
            seconds = [r.provenance.seconds / len(r.history) for r in runs.records(wanted)[0]]
            found[corner_name(corner)] = {"s per epoch ↓": f"{np.median(seconds):.2f}"}
    return found


SWAPS: Mapping[str, tuple[str, str, str]] = {
    "MRM": ("recalibration", "mrm", "no_mrm"),
    "SPT, for the LSTM": ("sequence", "spt", "lstm"),
    "SUGRM's labels, for Self-MM's": ("generator", "own_ulgm", "other_ulgm"),
    "SPT, for the dense transformer": ("sequence", "spt", "dense"),
}
"""Modules, with what SUGRM has and what stands in its place."""

FACTORS = tuple(SWAPS)[:3]
"""Those of the grid of eight that print has, too."""


def weights(
    varied: Sequence[str], *, others: str = "averaged", swaps: Mapping = SWAPS
) -> dict[Corner, float]:
    """Weights of corners whose sum says what modules do, or what they do together.

    One module: with it, minus without it. Several: their *interaction*, what one adds where the
    others are there, minus what it adds where they are not. ``others``: modules that are not
    varied are "absent" (Self-MM's parts), "present" (SUGRM's parts) or "averaged" over both.
    """
    used = {swaps[name][0]: swaps[name][1:] for name in varied}
    levels: dict[str, dict[str, float]] = {}
    for module in MODULES:
        own, other = used.get(module) or next(s[1:] for s in swaps.values() if s[0] == module)
        if module in used:
            levels[module] = {own: 1.0, other: -1.0}
        else:
            both = {own: 0.5, other: 0.5}
            levels[module] = {"averaged": both, "present": {own: 1.0}, "absent": {other: 1.0}}[
                others
            ]
    return {
        corner: reduce(
            mul, (levels[module][part] for module, part in zip(levels, corner, strict=True))
        )
        for corner in product(*levels.values())
    }


PLACED = {"absent": "alone", "present": "with the others", "averaged": "averaged over the others"}


def module_effects(runs: Runs, grid: Mapping[Corner, System], *, setting: str) -> Table | Note:
    """What each module adds where the others are absent, where they are there, and on average."""
    wanted = {
        (name, where): weights([name], others=others)
        for name in SWAPS
        for others, where in PLACED.items()
    }
    return _contrast_table(runs, grid, wanted, ("module", "added"), setting=setting)


def interactions(runs: Runs, grid: Mapping[Corner, System], *, setting: str) -> Table | Note:
    """What two modules do together beyond what each does, and all three."""
    first, second, third = FACTORS
    pairs = [(first, second), (first, third), (second, third), FACTORS]
    wanted = {
        (
            " and ".join(_short(name) for name in chosen),
            PLACED["averaged"] if len(chosen) < 3 else "-",
        ): (weights(chosen))
        for chosen in pairs
    }
    return _contrast_table(runs, grid, wanted, ("interaction", "taken"), setting=setting)


def _short(name: str) -> str:
    return name.split(",")[0]


def _contrast_table(
    runs: Runs,
    grid: Mapping[Corner, System],
    wanted: Mapping[tuple[str, str], Mapping[Corner, float]],
    heads: tuple[str, str],
    *,
    setting: str,
) -> Table | Note:
    rows, found = [], []
    for names, factors in wanted.items():
        if not factors.keys() <= grid.keys():
            continue
        ours = {grid[corner]: w for corner, w in factors.items()}
        effects = contrast(runs, ours)
        found += [effects] if effects else []
        rows.append(dict(zip(heads, names, strict=True)) | _effect_cells(runs, effects, ours))
        theirs = {corner_name(corner): w for corner, w in factors.items()}
        if runs.systems:
            rows[-1] |= _printed_cells(theirs, corner_places(), _dataset(runs))
    if not found:
        return Note(f"No corners of the grid to compare yet. Setting: {setting}.")
    return Table(
        _without_empty(pd.DataFrame(rows)),
        caption="Test part, paired by seed; intervals of 95% over other videos and trainings, F1 "
        f"mean ± standard deviation over seeds. {_after_holm(found)}Setting: {setting}.",
    )


def levels(runs: Runs, grid: Mapping[Corner, System]) -> dict[Corner, dict[str, list[float]]]:
    """MAE and Corr of every corner that was run, one value per seed; nan where undefined."""
    return {
        corner: {
            m: [np.nan if (v := r.metrics["test"][m]) is None else v for r in found] for m in TESTED
        }
        for corner, wanted in grid.items()
        if runs.has(wanted)
        for found in runs.records(wanted)
    }


# --- numbers for the prose of pages -------------------------------------------------------------


def numbers(
    runs: Runs, named: Mapping[str, System], base: str, places: Mapping[str, Place]
) -> dict[str, str]:
    """Numbers of a table as text, by names that glue takes.

    ``<system>_<metric>``, the same with ``printed_`` before it, ``<system>_minus_mae`` for the base
    minus that system, and ``seeds``.
    """
    texts = {}
    for name, wanted in named.items():
        if not runs.has(wanted):
            continue
        (found,) = runs.records(wanted)
        texts["seeds"] = str(max(len(found), int(texts.get("seeds", 0))))
        texts |= {f"{_key(name)}_{m}": text for m, text in _scores(found).items()}
        if name in places:
            cells = _printed(places[name], _dataset(runs))
            texts |= {f"printed_{_key(name)}_{m}": text for m, text in cells.items()}
    for name, effects in differences(runs, named, base).items():
        texts |= {f"{_key(name)}_minus_{m}": interval_text(effects[m]) for m in TESTED}
    return texts


def _key(name: str) -> str:
    return "".join(c if c.isalnum() else "_" for c in name.lower())
