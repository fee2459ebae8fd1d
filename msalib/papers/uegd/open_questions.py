"""Two questions that print leaves open (papers/uegd.md (g) 1 and 2), and what records can add."""

import numpy as np
import pandas as pd

from msalib.base import stats
from msalib.data.metrics import METRICS
from msalib.evidence import videos
from msalib.evidence.printed import table as printed
from msalib.pages.cells import interval_text
from msalib.pages.tables import Note, Table
from msalib.papers.uegd import layers
from msalib.runs.query import Runs
from msalib.runs.spec import system

ROWS = {"enc_mid_best": "mid-best", "enc_weighted": "weighted"}
SOURCES = {
    "table2": "paper, Table 2",
    "readme": "authors' README",
    "readme_history": "their deleted log, by run name",
}


def printed_orders() -> Table:
    """Show mid-best and weighted of the three-modality model, as three sources print them."""
    rows = []
    for dataset in ("mosi", "mosei"):
        for exhibit, source in SOURCES.items():
            cells = {
                (variant, metric): printed.cell("uegd", exhibit, dataset, "UEGD", variant, metric)
                for variant in ROWS
                for metric in ("mae", "corr")
            }
            difference = {
                metric: cells["enc_mid_best", metric]["value"]
                - cells["enc_weighted", metric]["value"]
                for metric in ("mae", "corr")
            }
            rows.append(
                {"data set": dataset.upper(), "printed in": source}
                | {
                    f"{name} {METRICS[metric].label}": cells[variant, metric]["printed"]
                    for variant, name in ROWS.items()
                    for metric in ("mae", "corr")
                }
                | {
                    "better by MAE": "mid-best" if difference["mae"] < 0 else "weighted",
                    "better by Corr": "mid-best" if difference["corr"] > 0 else "weighted",
                }
            )
    caption = "All printed, none ours. As-published data and encoders, three modalities, five runs."
    return Table(pd.DataFrame(rows), caption=caption)


def neighbours(runs: Runs, modality: str, *, setting: str) -> Table | Note:
    """Show each block minus the one before: what a shift of the index by one would change."""
    blocks = layers.blocks(runs, modality)
    pairs = [(k, k - 1) for k in blocks if k - 1 in blocks]
    if not pairs:
        return Note(f"No two neighbouring {modality} blocks in this setting.")
    rows, differences = [], []
    for this, before in pairs:
        effects = videos.differences(runs, *(system({modality: k}) for k in (this, before)))
        differences.append(effects["mae"])
        rows.append(
            {
                "blocks": f"{this} minus {before}",
                "MAE (points)": interval_text(effects["mae"]),
                "Corr": interval_text(effects["corr"]),
            }
        )
    significant = sum(stats.differ_from_zero(differences))
    return Table(
        pd.DataFrame(rows),
        caption=f"Neighbouring {modality} blocks on the test set, with 95% intervals over other "
        f"videos and trainings. The MAE of {significant} of {len(pairs)} pairs differs after "
        f"Holm's correction. Setting: {setting}.",
    )


def largest_step(runs: Runs, modality: str) -> tuple[str, str]:
    """Return the pair of neighbouring blocks whose mean MAE differs most, and by how much."""
    blocks = layers.blocks(runs, modality)
    records = runs.records(*layers.block_systems(runs, modality))
    mae = np.array([np.mean([r.metrics["test"]["mae"] for r in seeds]) for seeds in records])
    steps = np.diff(mae)
    k = int(np.abs(steps).argmax())
    return f"{blocks[k]} to {blocks[k + 1]}", f"{steps[k]:+.3f}"
