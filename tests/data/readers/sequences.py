"""A small folder of CMU SDK sequences for tests, and what reading it gives or refuses."""

import numpy as np

from msalib.data.readers import csd
from msalib.data.readers.formats import Options
from tests.data.readers.toolbox import message
from tests.fixtures_more import write_csd

LABELS = np.array([[0.0, 1.0], [1.0, 2.0], [3.0, 4.0]])
WORDS = [("sp", 0, 0.1), ("good", 0.1, 0.5), ("film", 0.5, 1.0), ("bad", 1.1, 1.9), ("so", 3, 3.5)]
TIMES = np.stack([np.arange(16) / 4, np.arange(1, 17) / 4], 1)


def small(folder, **changes):
    """Two videos, three labels each; frames every 0.25 s count up. A change of None: no file."""
    entries = {
        "labels": {v: (np.array([[1.0], [-2.0], [0.5]]), LABELS) for v in "ab"},
        "words": {
            v: (np.array([[w[0].encode()] for w in WORDS]), np.array([w[1:] for w in WORDS]))
            for v in "ab"
        },
        "COVAREP": {v: (np.arange(16.0)[:, None] + [[0, 100]], TIMES) for v in "ab"},
    } | changes
    folder.mkdir(parents=True, exist_ok=True)
    for root, content in entries.items():
        if content is not None:
            write_csd(folder / f"{root}.csd", root, content)
    return folder


def read(folder, **options):
    return csd.read(folder, "toy", Options(**options))


def refusal(folder, **options) -> str:
    return message(read, folder, **options)
