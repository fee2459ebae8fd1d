"""How far labels move by their momentum alone, whatever drives them (papers/sugrm.md (d), C18).

A generated label moves as Y_e = ((e - 1) Y_{e-1} + 2 T_e) / (e + 1), so its step shrinks with the
epoch e, even if the targets T are pure chance. For T and the first label Y_1 independent and
uniform on [-3, 3], the expected step has a closed form:

    |Y_e - Y_{e-1}| = 2 / (e + 1) |T_e - Y_{e-1}|,
    E |T - y| = (9 + y^2) / 6 for any y in [-3, 3],
    Y_{e-1} = 2 / ((e - 1) e) (sum of k T_k, k = 1..e-1, with T_1 = Y_1),
    E Y_{e-1}^2 = 3 (4 / ((e - 1) e)^2) (sum of k^2) = 2 (2e - 1) / ((e - 1) e),
    E |Y_e - Y_{e-1}| = (9 + 2 (2e - 1) / ((e - 1) e)) / (3 (e + 1)).
"""

from functools import lru_cache

import numpy as np

from msalib.data.tasks import LIMIT

DRAWS = 20
"""Random labels that are simulated."""


def null_movement(epochs: int) -> list[float | None]:
    """Return the expected mean step of labels with chance targets, by epoch.

    The first entry is epoch 1, before which there is no label: None.
    """
    later = range(2, epochs + 1)
    steps = [(9 + 2 * (2 * e - 1) / ((e - 1) * e)) / (3 * (e + 1)) for e in later]
    return [None, *steps][:epochs]


@lru_cache(maxsize=4)
def random_labels(first: tuple[float, ...], epochs: int, draws: int = DRAWS) -> np.ndarray:
    """Simulate labels (D, E, N) whose targets are drawn evenly from -3 to 3.

    ``first`` holds the labels (N,) of epoch 1; D draws, E epochs.
    """
    rng = np.random.default_rng(0)
    labels = np.empty((draws, epochs, len(first)))
    labels[:, 0] = first
    for e in range(2, epochs + 1):
        target = rng.uniform(-LIMIT, LIMIT, (draws, len(first)))
        labels[:, e - 1] = ((e - 1) * labels[:, e - 2] + 2 * target) / (e + 1)
    return labels
