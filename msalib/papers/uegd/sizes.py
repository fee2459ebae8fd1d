"""What more labelled clips buy: gains and gaps by the size of the training set."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from msalib.base import stats
from msalib.evidence import videos
from msalib.pages.cells import by_seed, spread
from msalib.pages.tables import Table
from msalib.papers.uegd import layers
from msalib.papers.uegd.layers import SHARES
from msalib.runs.query import Runs
from msalib.runs.records import Record
from msalib.runs.spec import System
from msalib.runs.study import Study

NO_LAYERS = "The features of this data set come in one layer: there is nothing to compare here."


def train(study: Study, modalities: Sequence[str] | None = None) -> list[Record]:
    """Run each modality alone (None: all with layers) on each share of the training clips."""
    features = ["input", "mid_best", "weighted", "uniform"]
    return [
        record
        for share in SHARES
        for m in (study.dataset.layered if modalities is None else modalities)
        for record in layers.together(study, [m], features, train_share=share)
    ]


def gains(runs: Runs, modality: str) -> dict[float, stats.Estimate]:
    """Return MAE of the input embeddings minus that of the best block, by share: the gain."""
    pairs = {
        share: [
            layers.system_of(runs, [modality], f, train_share=share) for f in ("input", "mid_best")
        ]
        for share in SHARES
    }
    return {
        share: videos.differences(runs, *pair)["mae"]
        for share, pair in pairs.items()
        if runs.has(*pair)
    }


def gaps(runs: Runs, modality: str, *, setting: str) -> Table:
    """Compare learned with equal layer weights, by share: errors on train and test, and entropy.

    The entropy of the learned weights is in bits, with that of equal weights beside it.
    """
    rows = []
    for share in SHARES:
        for feature, name in (("weighted", "learned"), ("uniform", "equal")):
            system = layers.system_of(runs, [modality], feature, train_share=share)
            if not runs.has(system):
                continue
            (seeds,) = runs.records(system)
            train, test = (
                by_seed(seeds, lambda r, p=p: r.metrics[p]["mae"]) for p in ("train", "test")
            )
            gap = {seed: test[seed] - train[seed] for seed in train}
            rows.append(
                {
                    "share of training clips": f"{share:.1%}",
                    "layer weights": name,
                    "MAE, train": spread(train, "mae"),
                    "MAE, test": spread(test, "mae"),
                    "gap": spread(gap, "mae"),
                    "entropy (bits)": _bits(runs, modality, system),
                }
            )
    return Table(
        pd.DataFrame(rows),
        caption=f"Weighted sum of the {modality} blocks, learned and equal weights; MAE in points, "
        f"mean ± standard deviation of seeds. Setting: {setting}.",
    )


def entropy(runs: Runs, modality: str) -> str:
    """Return the entropy of the weights learned on all clips, and its maximum, in bits."""
    return _bits(runs, modality, layers.system_of(runs, [modality], "weighted"))


def _bits(runs: Runs, modality: str, system: System) -> str:
    most = np.log2(runs.example(system).blocks[modality])
    if system.inputs == ((modality, "uniform"),):
        return f"{most:.3f}"
    return f"{most * layers.entropies(runs, modality, system).mean():.3f} of {most:.3f}"
