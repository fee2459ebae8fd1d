"""Systems of SUGRM's exhibits: which variants of the models each table compares.

A corpus may have any modalities. ``whole`` is all of them, each with the layer that is read: a
system takes them together, but for those that take one alone. The text is read from the last block
of its encoder, frozen or trained along (papers/sugrm.md (c)).
"""

from collections.abc import Mapping
from itertools import product

from msalib.data import datasets as readers
from msalib.data.corpus import TUNED
from msalib.runs.query import Runs
from msalib.runs.records import System, system
from msalib.runs.study import Study
from msalib.training.multitask import task_sets

Whole = Mapping[str, int | str]

UNKNOWN = -1

MODULES: Mapping[str, tuple[str, ...]] = {
    "recalibration": ("mrm", "no_mrm"),
    "sequence": ("spt", "lstm", "dense"),
    "generator": ("own_ulgm", "other_ulgm"),
}
"""Modules of SUGRM and what may stand in their place (Table 4); the first is SUGRM's own."""

LOSSES = ("l1", "l2", "huber")
"""Of Table 8."""

SELF_MM = {"family": "self_mm"}
PLAIN = {"family": "self_mm", "tasks": "tasks_none"}
"""Self-MM without unimodal tasks: sub-networks and a head, by concatenation where several."""


def whole_of(source: Study | Runs) -> Whole:
    """All modalities of a data set, or of the records of a setting, with the layer of each.

    Records that lack a modality altogether do not tell its layer: ``UNKNOWN``, which no run has.
    """
    if isinstance(source, Runs):
        recorded = {m: layer for found in source.systems for m, layer in found.inputs}
        modalities = readers.dataset(source.dataset).modalities
        return {m: recorded.get(m, UNKNOWN) for m in modalities}
    return {
        m: TUNED if source.tuned and m in source.dataset.layered else source.blocks(m)
        for m in source.dataset.modalities
    }


def compared(whole: Whole) -> dict[str, System]:
    """The main comparison: SUGRM, Self-MM, all modalities without unimodal tasks, each alone."""
    named = {
        "SUGRM": system(whole),
        "Self-MM": system(whole, **SELF_MM),
        "concatenation": system(whole, **PLAIN),
    }
    return named | {f"{m} only": system({m: layer}, **PLAIN) for m, layer in whole.items()}


def task_grid(whole: Whole) -> dict[str, System]:
    """Table 3: SUGRM with every set of unimodal tasks, from none to all."""
    return {name: system(whole, tasks=name) for name in task_sets(list(whole))}


def module_grid(whole: Whole) -> dict[tuple[str, ...], System]:
    """Table 4: every combination of ``MODULES``, SUGRM itself first.

    (mrm, lstm, other_ulgm) is Self-MM with recalibration in SUGRM's frame, and so on: rows of the
    paper that change Self-MM are corners of the grid, so that widths and rates do not differ.
    """
    return {
        chosen: system(whole, **dict(zip(MODULES, chosen, strict=True)))
        for chosen in product(*MODULES.values())
    }


def losses(whole: Whole) -> dict[str, System]:
    """Table 8: SUGRM with each loss."""
    return {name: system(whole, loss=name) for name in LOSSES}


def followed(whole: Whole) -> dict[str, System]:
    """Fig. 4: both label generators in SUGRM, trained through all epochs."""
    return {
        "SUGRM's": system(whole, stop="all_epochs"),
        "Self-MM's": system(whole, stop="all_epochs", generator="other_ulgm"),
    }
