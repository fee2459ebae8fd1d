"""UEGD's plan: the runs that its pages read, data set by data set."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from msalib.data.corpus import SUMS
from msalib.papers.uegd import BESIDE, layers, leaky, sizes
from msalib.papers.uegd.layers import FEATURES, SHARES
from msalib.runs.records import Record
from msalib.runs.spec import system

if TYPE_CHECKING:
    from msalib.runs.study import Study

Step = Callable[["Study"], list[Record]]


def _sums(study: "Study") -> list[Record]:
    """Train each layered modality alone, with sums of all blocks."""
    return [r for m in study.dataset.layered for r in layers.together(study, [m], SUMS)]


def _joint(study: "Study") -> list[Record]:
    """Train all modalities together, with each feature."""
    return layers.together(study, study.dataset.modalities, [*FEATURES, "uniform"])


def _concatenated(study: "Study") -> list[Record]:
    """Train all modalities together, fused by concatenation (footnote 1)."""
    return layers.together(study, study.dataset.modalities, ["mid_best"], fusion="concat")


def _each_block(study: "Study") -> list[Record]:
    """Train every block with all modalities, and alone on each share, for choices in resamples."""
    made = layers.each_block(study, study.dataset.modalities)
    for m in study.dataset.layered:
        for share in SHARES:
            made += layers.each_block(study, [m], train_share=share)
    return made


def _conventional(study: "Study") -> list[Record]:
    """Train conventional features of words alone, and with all modalities that have one layer."""
    if (study.parameters.dataset, study.encoder) not in BESIDE.values():
        return []  # another encoder was asked for
    alone, everything = ("linguistic",), study.dataset.modalities
    joint = [] if study.dataset.layered or alone == everything else [everything]
    return study.run([system(dict.fromkeys(group, 1)) for group in (alone, *joint)])


def _audit(study: "Study") -> list[Record]:
    """Record the audit of features that leak; it trains no model of UEGD."""
    leaky.audit(study.parameters.dataset)
    return []


EVERYTHING: tuple[Step, ...] = (layers.singles, _sums, _joint, _concatenated, sizes.train)
LEAKY: tuple[Step, ...] = (layers.singles, _joint, _audit)

PLAN: Mapping[str, tuple[Step, ...]] = {
    "control": EVERYTHING,
    "control-opposite": EVERYTHING,
    "raw": (layers.singles, _sums, _joint),
    "mosi-standardised": (*EVERYTHING, _each_block),
    "mmmo": (layers.singles, _joint, _concatenated),
    "mosi-leaky": LEAKY,
    "mosi-leaky-unseen": LEAKY,
    "mosei": (layers.singles, _sums),  # late: it has twelve times as many clips as MOSI
    **dict.fromkeys(BESIDE, (_conventional,)),
}
"""Data set, with encoder where it is not the usual one -> the steps, in order."""

LAST = ("power",)
"""Modules that measure when all records are made: error rates are drawn at the noise of these."""
