"""SUGRM's plan: which systems each of its tables compares, and the runs that its pages read.

A corpus may have any modalities. ``whole`` maps each of them to the layer that is read; a system
takes all of them together, except where it takes one alone. The text is read from the last block of
its encoder, frozen or fine-tuned (papers/sugrm.md (c)).
"""

from collections.abc import Mapping
from functools import partial
from itertools import product
from typing import TYPE_CHECKING

from msalib.data import datasets as readers
from msalib.data.corpus import TUNED
from msalib.models.unimodal_tasks import task_sets
from msalib.papers.steps import Step, on_a_gpu
from msalib.runs import spec
from msalib.runs.records import Record
from msalib.runs.spec import System

if TYPE_CHECKING:  # a plan is read often, and these load the statistics
    from msalib.runs.query import Runs
    from msalib.runs.study import Study

Whole = Mapping[str, int | str]

system = partial(spec.system, paper="sugrm")
"""Return a system of SUGRM's tables (``spec.system``)."""

UNKNOWN = -1
"""Layer of a modality that no record reads; no run has it."""

MODULES: Mapping[str, tuple[str, ...]] = {
    "recalibration": ("mrm", "no_mrm"),
    "sequence": ("spt", "lstm", "dense"),
    "generator": ("own_ulgm", "other_ulgm"),
}
"""Modules of SUGRM with their substitutes (Table 4); the first is SUGRM's own."""

LOSSES = ("l1", "l2", "huber")
"""The losses of Table 8."""

SELF_MM = {"family": "self_mm"}
PLAIN = {"family": "self_mm", "tasks": "tasks_none"}
"""Self-MM without unimodal tasks: sub-networks and a head, by concatenation where several."""

# --- systems by table ---------------------------------------------------------------------------


def whole_of(study: "Study") -> Whole:
    """Return the modalities of a study's data set with the layer that is read of each."""
    return {
        m: TUNED if study.tuned and m in study.dataset.layered else study.blocks(m)
        for m in study.dataset.modalities
    }


def recorded_whole(runs: "Runs") -> Whole:
    """Return the modalities of the data set of these records with the layer that they read.

    Where no record has a modality, its layer is ``UNKNOWN``.
    """
    recorded = {m: layer for system in runs.systems for m, layer in system.inputs}
    modalities = readers.dataset(runs.dataset).modalities
    return {m: recorded.get(m, UNKNOWN) for m in modalities}


def compared(whole: Whole) -> dict[str, System]:
    """Return the main comparison: SUGRM, Self-MM, no unimodal tasks, each modality alone."""
    named = {
        "SUGRM": system(whole),
        "Self-MM": system(whole, **SELF_MM),
        "concatenation": system(whole, **PLAIN),
    }
    return named | {f"{m} only": system({m: layer}, **PLAIN) for m, layer in whole.items()}


def task_grid(whole: Whole) -> dict[str, System]:
    """Return Table 3: SUGRM with every set of unimodal tasks, from none to all."""
    return {name: system(whole, tasks=name) for name in task_sets(list(whole))}


def module_grid(whole: Whole) -> dict[tuple[str, ...], System]:
    """Return Table 4: every combination of ``MODULES``, SUGRM itself first.

    (mrm, lstm, other_ulgm) is Self-MM with recalibration in SUGRM's frame, and so on: rows of the
    paper that change Self-MM are corners of the grid, so widths and rates do not differ.
    """
    return {
        corner: system(whole, **dict(zip(MODULES, corner, strict=True)))
        for corner in product(*MODULES.values())
    }


def losses(whole: Whole) -> dict[str, System]:
    """Return Table 8: SUGRM with each loss."""
    return {name: system(whole, loss=name) for name in LOSSES}


def followed(whole: Whole) -> dict[str, System]:
    """Return Fig. 4: SUGRM with either label generator, trained through all epochs."""
    return {
        "SUGRM's": system(whole, stop="all_epochs"),
        "Self-MM's": system(whole, stop="all_epochs", generator="other_ulgm"),
    }


# --- the runs of all pages ----------------------------------------------------------------------


def _comparison(study: "Study") -> list[Record]:
    """Train SUGRM, Self-MM and plain models."""
    return study.run(list(compared(whole_of(study)).values()))


def _labels(study: "Study") -> list[Record]:
    """Train both label generators through all epochs."""
    return study.run(list(followed(whole_of(study)).values()))


def _grids(study: "Study") -> list[Record]:
    """Train Tables 3, 4 and 8."""
    whole = whole_of(study)
    grids = (task_grid, losses, module_grid)
    return study.run(list(dict.fromkeys(s for grid in grids for s in grid(whole).values())))


ALL = (_comparison, _labels, _grids)

PLAN: Mapping[str, tuple[Step, ...]] = {
    "control": ALL,
    "control-opposite": ALL,
    "mmmo-stretched": ALL,
    "mosi-standardised": ALL,
    "mosi-standardised minilm-tuned": (_comparison, on_a_gpu(_labels), on_a_gpu(_grids)),
}
"""Data set, with encoder and preset where they are not the usual ones -> the steps, in order.

MOSI's voice is standardised: as stored, one of its values drowns the others.
"""

LAST = ("timing",)
"""Modules that measure when all records are made: times want a quiet machine."""
