"""What is drawn for the test of CMT's claims that reads one number of each training.

``evidence.planting_trainings`` measures how often it errs.
"""

from collections.abc import Mapping

import numpy as np

from msalib.evidence.common import Word
from msalib.evidence.planting_trainings import TrainingCase
from msalib.papers.cmt.evidence_ingredients import middle
from msalib.papers.cmt.plan import BLOCKS


def _weighed(values: np.ndarray) -> Word:
    """Judge what four blocks weigh: a quarter each, with a hundredth for a standard deviation."""
    weights = 1 / len(BLOCKS) + values[0].T / 100
    return middle(weights)[0]


CASES: Mapping[str, TrainingCase] = {
    "CMT-C11": TrainingCase(1, (0.0, 1.0, 1.0, 0.0), _weighed, {"nothing differs": (0,)}),
}
"""Claim -> what is drawn for its test."""
