"""Systems of SUGRM's exhibits: which variants of the models each table compares.

A corpus may have any modalities; a system takes all of them, but for those that take one alone. The
text is read from the last block of its encoder, frozen or trained along, as in papers/sugrm.md (c).
"""

from collections.abc import Mapping, Sequence
from itertools import product

from msalib.corpus import TUNED
from msalib.multitask import task_sets
from msalib.records import Record, System, system
from msalib.study import Study

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


def inputs(study: Study) -> dict[str, int | str]:
    """Every modality of the data set with the layer that the models read."""
    return {
        m: TUNED if study.tuned and m in study.dataset.layered else study.blocks(m)
        for m in study.dataset.modalities
    }


def compared(study: Study) -> dict[str, System]:
    """The main comparison: SUGRM, Self-MM, all modalities without unimodal tasks, each alone."""
    whole = inputs(study)
    named = {
        "SUGRM": system(whole),
        "Self-MM": system(whole, **SELF_MM),
        "concatenation": system(whole, **PLAIN),
    }
    return named | {f"{m} only": system({m: layer}, **PLAIN) for m, layer in whole.items()}


def task_grid(study: Study) -> list[System]:
    """Table 3: SUGRM with every set of unimodal tasks, from none to all."""
    whole = inputs(study)
    return [system(whole, tasks=name) for name in task_sets(list(whole))]


def module_grid(study: Study) -> list[System]:
    """Table 4: every combination of the modules, SUGRM itself first."""
    whole = inputs(study)
    return [
        system(whole, **dict(zip(MODULES, chosen, strict=True)))
        for chosen in product(*MODULES.values())
    ]


def losses(study: Study) -> list[System]:
    """Table 8: SUGRM with each loss."""
    return [system(inputs(study), loss=name) for name in LOSSES]


def followed(study: Study) -> dict[str, System]:
    """Fig. 4: both label generators in SUGRM, trained through all epochs."""
    whole = inputs(study)
    return {
        "SUGRM's": system(whole, stop="all_epochs"),
        "Self-MM's": system(whole, stop="all_epochs", generator="other_ulgm"),
    }


def run(study: Study, systems: Mapping[str, System] | Sequence[System]) -> list[Record]:
    """Records of these systems: read where there, else trained."""
    return study.run(list(systems.values()) if isinstance(systems, Mapping) else list(systems))
