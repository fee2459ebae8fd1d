"""Are features of one scale? Columns that dwarf all the others.

Weights of a first layer start at one size, whatever the columns. So a column counts at first by its
mean square, and one that outweighs all others together is most of what the model sees: a pitch in
hertz beside values below 1, say. It has to be standardised, with the others, or left out.

Frames that are all zero are padding or missing, and no part of a column's scale. Of features with
several layers the last is looked at.
"""

from typing import NamedTuple

import numpy as np

from msalib.data import datasets
from msalib.data.corpus import Corpus, Features
from msalib.evidence.audit.findings import AuditFinding, some
from msalib.evidence.audit.integrity import BLOCK, last

FAR = 10.0
"""Root mean square of a dwarfing column, in those of the median of the others: an order of
magnitude. The bound protects features of a few columns, where one is soon larger than the others
together. Scales of the real data were known when it was set: there, columns that dwarf the others
have 0.78 to 0.997 of the mean square, and in all other features the largest has at most 0.24."""

FEW = 0.1
"""Share of the columns that may dwarf the others. If more are large, large is the rule."""

WHY = {
    "warning": "A model sees little else at first, and may never see more.",
    "note": "It varies no more than the others do together, so a bias can undo it; until then a "
    "model sees little else.",
}


class Moments(NamedTuple):
    """Mean and standard deviation of each column, (D,) each."""

    mean: np.ndarray
    deviation: np.ndarray

    @property
    def square(self) -> np.ndarray:
        """The mean square of each column, (D,)."""
        return self.mean**2 + self.deviation**2


def check(corpus: Corpus) -> list[AuditFinding]:
    """Check the features of every modality; those of a fine-tuned encoder do not exist yet."""
    return [
        _finding(corpus.name, modality, moments)
        for modality, features in corpus.features.items()
        if (moments := _moments(features)) is not None
    ]


def dwarfing(square: np.ndarray) -> np.ndarray:
    """Return the columns that dwarf the others by their mean squares (D,), the largest first.

    Each of them outweighs all the others together, and its root mean square is at least ``FAR``
    times their median. Of several such choices the one with the widest gap; none without others.
    """
    order = np.argsort(-square, kind="stable")
    order = order[square[order] > 0]  # a column of zeros is no measure of anything
    widest, chosen = 1.0, order[:0]
    for count in range(1, max(1, int(FEW * len(order))) + 1):
        columns, others = order[:count], square[order[count:]]
        if len(others) and square[columns[-1]] >= FAR**2 * np.median(others):
            gap = square[columns[-1]] / others.sum()
            if gap > widest:
                widest, chosen = gap, columns
    return chosen


def _moments(features: Features) -> Moments | None:
    """Return the moments over all frames that hold something; values not finite count as zero."""
    values = last(features)
    if values is None:
        return None
    count, size = 0, values.shape[1]
    total, squares = np.zeros(size), np.zeros(size)
    step = max(1, BLOCK // max(size, 1))  # layers may be memory maps of many gigabytes
    for start in range(0, len(values), step):
        block = np.asarray(values[start : start + step], float)
        block = np.nan_to_num(block, nan=0, posinf=0, neginf=0)
        count += int(block.any(1).sum())
        total += block.sum(0)
        squares += (block**2).sum(0)
    mean = total / max(count, 1)
    return Moments(mean, np.sqrt(np.maximum(squares / max(count, 1) - mean**2, 0)))


def _finding(dataset: str, modality: str, moments: Moments) -> AuditFinding:
    square = moments.square
    columns = dwarfing(square)
    common = {"group": "integrity", "check": "scales", "about": modality}
    if not len(columns):
        message = f"None of {len(square)} columns dwarfs the others."
        return AuditFinding(severity="ok", message=message, **common)
    others = np.setdiff1d(np.flatnonzero(square > 0), columns)
    described = some(
        f"column {k} has mean {moments.mean[k]:.3g} and standard deviation "
        f"{moments.deviation[k]:.3g}"
        for k in columns
    )
    variance = moments.deviation**2
    message = (
        f"{described[0].upper()}{described[1:]}. Of the {len(others)} others that are not all "
        f"zero, the median has a mean of {np.median(np.abs(moments.mean[others])):.2g} in size and "
        f"a standard deviation of {np.median(moments.deviation[others]):.2g}. Share of all "
        f"columns' mean square: {_share(square, columns):.1%}, of their variance: "
        f"{_share(variance, columns):.1%}."
    )
    varies = variance[columns].sum() > variance[others].sum()
    severity = "warning" if varies else "note"
    made = f"{dataset}-standardised"
    how = f"the data set {made}" if made in datasets.names() else "msalib.data.readers.standardise"
    remedy = f"{WHY[severity]} Standardise the columns on the training part ({how})."
    return AuditFinding(severity=severity, message=message, remedy=remedy, **common)


def _share(values: np.ndarray, columns: np.ndarray) -> float:
    """Return what some columns have of the sum; 0 where there is none."""
    return float(values[columns].sum() / (values.sum() or 1))
