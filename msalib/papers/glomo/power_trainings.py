"""What is drawn for those tests of GLoMo's claims that read one number of each training.

``evidence.planting_trainings`` measures how often they err.
"""

from collections.abc import Mapping

import numpy as np

from msalib.evidence.common import Word
from msalib.evidence.planting_trainings import TrainingCase
from msalib.papers.glomo.evidence_experts import MEASURES, balance
from msalib.papers.glomo.evidence_vectors import ORDER, POLARITIES, in_order


def _balanced(values: np.ndarray) -> Word:
    return balance(values[:, 0], values[:, 1], dead=False)[0]


def _ordered(values: np.ndarray) -> Word:
    return in_order(values)[0]


CASES: Mapping[str, TrainingCase] = {
    "GLOMO-C23": TrainingCase(
        len(POLARITIES),
        tuple(range(len(ORDER) - 1, -1, -1)),
        _ordered,
        {"nothing differs": (0, 1, 2), "an order in two measures alone": (2,)},
    ),
    "GLOMO-C26": TrainingCase(
        len(MEASURES),
        (0.0, 1.0),
        _balanced,
        {"nothing differs": (0, 1), "a balance of importance alone": (1,)},
    ),
}
"""Claim -> what is drawn for its test."""
