"""Records in which one arm is as much better than another as a test wants."""

import numpy as np

from msalib.evidence.arms import Arm
from msalib.runs.query import Runs
from msalib.runs.spec import system
from tests.factory import make_record, predictions

A, B, C, D = (Arm(system({"linguistic": k}), name=f"system {k}") for k in (1, 2, 3, 4))
FOUR = (A, B, C, D)
BY_VIDEO = 8


def planted(*noise, seeds=5, videos=24, shared=0.9, seed=0, **spec):
    """Records of arms A, B, ... by the sd of the noise of their predictions.

    ``shared``: the share of the noise that all arms and trainings have in common, so that paired
    differences are sharp. Labels are of the same clips for equal ``seed``.
    """
    rng = np.random.default_rng(seed)
    records = []
    truth, common = {}, {}
    for part, count in (("valid", videos // 2), ("test", videos)):
        video = np.repeat([f"{part}{v}" for v in range(count)], BY_VIDEO)
        label = np.repeat(rng.normal(0, 0.8, count), BY_VIDEO) + rng.normal(0, 1.2, len(video))
        truth[part] = label.clip(-3, 3).round(1), video
        common[part] = rng.normal(size=len(video))
    for arm, sd in zip(FOUR, noise, strict=False):
        for number in range(seeds):
            parts = {}
            for part, (label, video) in truth.items():
                alone = rng.normal(size=len(label))
                error = np.sqrt(shared) * common[part] + np.sqrt(1 - shared) * alone
                parts[part] = predictions(label, label + sd * error, video)
            records.append(make_record(dict(arm.system.inputs), number, parts=parts, **spec))
    return records


def runs_of(*noise, **fields):
    """``planted`` as ``Runs``."""
    return Runs(planted(*noise, **fields))
