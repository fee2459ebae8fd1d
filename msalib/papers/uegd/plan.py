"""UEGD's plan: the runs that its pages read, data set by data set."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from msalib.data.corpus import SUMS
from msalib.papers.uegd import layers, leaky, sizes
from msalib.papers.uegd.layers import FEATURES
from msalib.runs.records import Record

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
    "mosi-standardised": EVERYTHING,
    "mmmo": (layers.singles, _joint, _concatenated),
    "mosi-leaky": LEAKY,
    "mosi-leaky-unseen": LEAKY,
    "mosei": (layers.singles, _sums),  # last: it has twelve times as many clips as MOSI
}
"""Data set -> the steps that make what its pages read, in order."""

LAST = ("power",)
"""Modules that measure when all records are made: error rates are drawn at the noise of these."""
