"""Tables 2, 3, 4 and 8 of SUGRM: which systems stand in them, which rows are printed, what to add.

The general half is ``pages.compare``. Printed rows are those of unaligned CMU-MOSI or CMU-MOSEI and
are compared with runs on the same corpus only. Effects of modules are contrasts of the grid of
Table 4: SUGRM's own part in a module counts +1, Self-MM's -1.
"""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from itertools import product
from operator import mul
from typing import NamedTuple

import numpy as np

from msalib.data.corpus import MODALITIES
from msalib.evidence.printed.names import plural
from msalib.models import unimodal_tasks
from msalib.pages import compare
from msalib.pages.compare import F1, TESTED, PrintedRow
from msalib.pages.tables import Note, Table
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
from msalib.papers.sugrm.scope import ALL
from msalib.runs.inputs import TUNED_ENDING
from msalib.runs.query import Runs
from msalib.runs.records import Record
from msalib.runs.spec import System
from msalib.runs.study import Study

PAPER = "sugrm"

METRICS = ALL
"""Columns of SUGRM's tables, in its order."""

PRINTED_AS = {
    "mosi": "mosi_unaligned",
    "mosi-standardised": "mosi_unaligned",
    "mosei": "mosei_unaligned",
}
"""Our corpora -> the data sets under which SUGRM's Tables 2 to 4 and 8 print them."""

_OTHER_FEATURES = (
    "The paper's clips with different features, and no face features. The voice is one openSMILE "
    "vector for the whole clip, so its sequence has length 1. Printed scores cannot be compared "
    "with ours."
)

ABOUT = {
    "control": "Simulated clips with words, voice and face, in which the truth is known. The last "
    "layer of each is read.",
    "control-opposite": "Simulated clips with words, voice and face, with the other story planted. "
    "The last layer of each is read.",
    "mosi": f"{_OTHER_FEATURES} It is read as stored. One of its values is so much larger than the "
    "others that they hardly count; mosi-standardised does not have that fault.",
    "mosi-standardised": f"{_OTHER_FEATURES} It is standardised over the training set, as the "
    "paper's own feature files are. As stored, one of its values is so much larger than the others "
    "that they hardly count.",
    "mmmo-stretched": "Film reviews of ICT-MMMO, voice and face without words, both aligned to the "
    "words that were spoken. Their labels run from 1 to 5. We map them linearly to -3 to 3, "
    "because label generators and metrics expect that scale. There is one clip per video. Features "
    "are read as stored: pitch, in hertz, outweighs all other values of the voice (see the audit).",
}
"""What a reader must know of a corpus before the numbers."""

COPIED = 2
"""The last epoch in which generated labels weigh nothing: they move after their own loss."""


# --- records ------------------------------------------------------------------------------------


def about(study: Study) -> Note:
    """Return a note on the data of a study, and how they differ from the paper's."""
    words = ABOUT.get(study.parameters.dataset, study.dataset.title + ".")
    if study.dataset.real and "linguistic" in study.dataset.layered:
        how = "fine-tuned" if study.tuned else "frozen"
        name = study.encoder.removesuffix(TUNED_ENDING)
        words += f" The words are read by {name}, {how}; the paper fine-tunes BERT."
    return Note(words)


def gather(study: Study, systems: Iterable[System]) -> list[Record]:
    """Return the records of these systems (``compare.gather``).

    What stood in for clips at the ends of the scale is kept in records (``runs_note``), so the
    warning is not shown.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "no clip is labelled")
        return compare.gather(study, systems)


def runs_note(study: Study, runs: Runs, named: Mapping[str, System]) -> Note:
    """Return a note on missing runs, and on what stood in for clips at the ends of the scale."""
    counted = compare.missing_runs_note(study, runs, named)
    extras = [record.extras for record in _recorded(runs, named)]
    notes = {x.labels.note for x in extras if x.labels and x.labels.note}
    return Note(" ".join([counted.text, *(f"Label generator: {note}." for note in sorted(notes))]))


def selected_before_labels_matter(runs: Runs, named: Mapping[str, System]) -> Note:
    """Count the runs that were selected before any generated label had a weight.

    See papers/sugrm.md (d).
    """
    recorded = _recorded(runs, named)
    if not recorded:
        return Note("No run of this table is recorded yet.")
    early = sum(r.selected_epoch <= COPIED for r in recorded)
    return Note(
        f"In {early} of {plural(len(recorded), 'run')} validation selects epoch 1 or {COPIED}. "
        "Until then generated labels are copies of the annotated label and weigh nothing, so "
        "neither tasks nor label generators can have affected these runs."
    )


def _recorded(runs: Runs, named: Mapping[str, System]) -> list[Record]:
    return [r for s in named.values() if runs.has(s) for r in runs.records(s)[0]]


# --- systems and their printed rows -------------------------------------------------------------


class Place(NamedTuple):
    """Where the paper prints a row."""

    exhibit: str
    system: str
    variant: str = ""


def printed_rows(places: Mapping[str, Place], dataset: str) -> dict[str, PrintedRow]:
    """Return those rows that the paper prints for one of our data sets."""
    about = {"paper": PAPER, "corpus": PRINTED_AS.get(dataset, dataset)}
    rows = {n: compare.printed_row(**about, **place._asdict()) for n, place in places.items()}
    return {name: row for name, row in rows.items() if row}


MAIN = {name: Place("table2", name) for name in ("SUGRM", "Self-MM")}
"""Systems of ``plan.compared`` that Table 2 has."""


def task_names(whole: Whole) -> dict[str, str]:
    """Return what a reader calls each set of unimodal tasks (``unimodal_tasks.task_sets``)."""
    names = {
        name: " + ".join(unimodal_tasks.tasks(name, list(whole))) or "none"
        for name in unimodal_tasks.task_sets(list(whole))
    }
    return names | {"tasks_all": "all"}


def named_tasks(whole: Whole) -> dict[str, System]:
    """Return Table 3: the sets of tasks in words; "all" are those of the corpus."""
    return dict(zip(task_names(whole).values(), task_grid(whole).values(), strict=True))


TASK_VARIANTS = ("m", "mt", "ma", "mv", "mat", "mvt", "mav", "mtav")
"""Sets of tasks as rows of Table 3; m stands for the multimodal task."""


def task_places(whole: Whole) -> dict[str, Place]:
    """Return the rows of Table 3 by their tasks, those that this corpus can have first."""
    names = {
        frozenset(unimodal_tasks.tasks(key, list(whole))): name
        for key, name in task_names(whole).items()
    }
    places = {}
    for variant in TASK_VARIANTS:
        tasks = {m for letter, m in unimodal_tasks.LETTERS.items() if letter in variant[1:]}
        name = names.get(frozenset(tasks), " + ".join(m for m in MODALITIES if m in tasks))
        places[name] = Place("table3", "SUGRM", f"tasks_{variant}")
    return {n: places[n] for n in sorted(places, key=lambda n: n not in names.values())}


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

CORNERS: Mapping[Corner, Place] = {
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
    """Return a combination of modules in words."""
    return ", ".join(MODULE_WORDS[part] for part in corner)


def corner_places() -> dict[str, Place]:
    """Return the rows of Table 4 by the name of their corner."""
    return {corner_name(corner): place for corner, place in CORNERS.items()}


LOSS_NAMES = {"l1": "L1", "l2": "L2", "huber": "Huber"}

LOSS_PLACES = {words: Place("table8", "SUGRM", f"loss_{n}") for n, words in LOSS_NAMES.items()}
"""Rows of Table 8; it has CMU-MOSI only."""


def named_losses(whole: Whole) -> dict[str, System]:
    """Return Table 8: SUGRM with each loss, in words."""
    return {LOSS_NAMES[name]: system for name, system in losses(whole).items()}


# --- Table 3: tasks -----------------------------------------------------------------------------


class TaskScores(NamedTuple):
    """A set of unimodal tasks in a figure; ``scores``: metric -> one value per seed."""

    tasks: int
    letters: str
    scores: dict[str, list[float]]


def by_tasks(runs: Runs, whole: Whole) -> dict[str, list[TaskScores]]:
    """Return MAE and F1 of every set of tasks: "ours" and, if this corpus is, "printed"."""
    ours, f1 = [], compare.f1_of(runs)
    for name, wanted in task_grid(whole).items():
        if runs.has(wanted):
            (seeds,) = runs.records(wanted)
            tasks = unimodal_tasks.tasks(name, list(whole))
            values = [r.metrics["test"] for r in seeds]
            scores = {"mae": [v["mae"] for v in values], F1: [v[f1] for v in values]}
            letters = [letter for letter, m in unimodal_tasks.LETTERS.items() if m in tasks]
            ours.append(TaskScores(len(tasks), "".join(letters), scores))
    if not ours:
        return {}
    places = {v: Place("table3", "SUGRM", f"tasks_{v}") for v in TASK_VARIANTS}
    printed = []
    for variant, row in printed_rows(places, runs.dataset).items():
        letters = [letter for letter in unimodal_tasks.LETTERS if letter in variant[1:]]
        scores = {"mae": [row.value["mae"]], F1: [row.value[F1] / 100]}
        printed.append(TaskScores(len(letters), "".join(letters), scores))
    return {"ours": ours} | ({"printed": printed} if printed else {})


# --- Table 4: modules ---------------------------------------------------------------------------


def grid(study: Study) -> dict[Corner, System]:
    """Return ``plan.module_grid``; in profile quick with the one dense corner that is printed."""
    every = module_grid(whole_of(study))
    if study.parameters.profile != "quick":
        return every
    return {c: s for c, s in every.items() if "dense" not in c or c in CORNERS}


def by_name(grid: Mapping[Corner, System]) -> dict[str, System]:
    """Return the grid with its corners in words."""
    return {corner_name(corner): wanted for corner, wanted in grid.items()}


def self_mm_row(study: Study) -> dict[str, System]:
    """Return Self-MM as its release has it, to stand beside its corner of the grid."""
    return {"Self-MM itself": system(whole_of(study), **SELF_MM)}


def costs(runs: Runs, grid: Mapping[Corner, System]) -> dict[str, dict[str, str]]:
    """Return the seconds per epoch of every corner, median over seeds."""
    cells = {}
    for corner, wanted in grid.items():
        if runs.has(wanted):
            seconds = [r.provenance.seconds / len(r.history) for r in runs.records(wanted)[0]]
            cells[corner_name(corner)] = {"s per epoch ↓": f"{np.median(seconds):.2f}"}
    return cells


SWAPS: Mapping[str, tuple[str, str, str]] = {
    "MRM": ("recalibration", "mrm", "no_mrm"),
    "SPT, for the LSTM": ("sequence", "spt", "lstm"),
    "SUGRM's labels, for Self-MM's": ("generator", "own_ulgm", "other_ulgm"),
    "SPT, for the dense transformer": ("sequence", "spt", "dense"),
}
"""Modules, with what SUGRM has and what stands in its place."""

FACTORS = tuple(SWAPS)[:3]
"""Those of the grid of eight that print has, too."""


def weights(varied: Sequence[str], *, others: str = "averaged") -> dict[Corner, float]:
    """Return weights of corners whose sum is the effect of one of ``SWAPS`` or an interaction.

    One module: with it, minus without it. Several: their *interaction*, what one adds where the
    others are present, minus what it adds where they are not. ``others``: modules that are not
    varied are "absent" (Self-MM's parts), "present" (SUGRM's parts) or "averaged" over both.
    """
    used = {SWAPS[name][0]: SWAPS[name][1:] for name in varied}
    levels: list[dict[str, float]] = []
    for module in MODULES:
        own, other = used.get(module) or next(s[1:] for s in SWAPS.values() if s[0] == module)
        if module in used:
            levels.append({own: 1.0, other: -1.0})
        else:
            averaged = {own: 0.5, other: 0.5}
            by_others = {"averaged": averaged, "present": {own: 1.0}, "absent": {other: 1.0}}
            levels.append(by_others[others])
    return {
        corner: reduce(mul, (level[part] for level, part in zip(levels, corner, strict=True)))
        for corner in product(*levels)
    }


PLACED = {"absent": "alone", "present": "with the others", "averaged": "averaged over the others"}


def module_effects(
    runs: Runs, grid: Mapping[Corner, System], printed: Mapping[str, PrintedRow], *, setting: str
) -> Table | Note:
    """Show what each module adds without the others, with them, and on average."""
    contrasts = {
        (name, where): weights([name], others=others)
        for name in SWAPS
        for others, where in PLACED.items()
    }
    return _contrasts(runs, grid, contrasts, printed, ("module", "added"), setting)


def interactions(
    runs: Runs, grid: Mapping[Corner, System], printed: Mapping[str, PrintedRow], *, setting: str
) -> Table | Note:
    """Show what two modules do together beyond what each does, and all three."""
    first, second, third = FACTORS
    contrasts = {}
    for names in ((first, second), (first, third), (second, third), FACTORS):
        words = " and ".join(name.split(",")[0] for name in names)
        contrasts[words, PLACED["averaged"] if len(names) < 3 else "-"] = weights(names)
    return _contrasts(runs, grid, contrasts, printed, ("interaction", "taken"), setting)


def _contrasts(runs, grid, contrasts, printed, heads, setting) -> Table | Note:
    """Show contrasts of corners, which ``compare.contrast_table`` knows by name."""
    by_names = {
        names: {corner_name(corner): w for corner, w in weights.items()}
        for names, weights in contrasts.items()
    }
    return compare.contrast_table(
        runs, by_name(grid), by_names, printed, heads=heads, setting=setting
    )


def levels(runs: Runs, grid: Mapping[Corner, System]) -> dict[Corner, dict[str, list[float]]]:
    """Return MAE and Corr of every recorded corner, a value per seed; nan where undefined."""
    return {
        corner: {
            m: [np.nan if (v := r.metrics["test"][m]) is None else v for r in seeds] for m in TESTED
        }
        for corner, wanted in grid.items()
        if runs.has(wanted)
        for seeds in runs.records(wanted)
    }
