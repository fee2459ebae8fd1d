"""Table 7 and section 4.8 of MMML: context of preceding clips by kind and window."""

from collections.abc import Iterable, Mapping
from itertools import product
from typing import NamedTuple

import numpy as np
import pandas as pd

from msalib.pages import compare
from msalib.pages.cells import scores
from msalib.pages.compare import PrintedRow
from msalib.pages.contrasts import tested_metrics
from msalib.pages.recorded import resolved
from msalib.pages.tables import Note, Table, constants
from msalib.papers.mmml import plan
from msalib.papers.mmml.tables import PRINTED_AS, printed_cells, row_of
from msalib.runs.query import Runs
from msalib.runs.spec import System
from msalib.runs.study import Study

PARTS = {"valid": "validation", "test": "test"}
"""Parts of the data that Table 7 shows, and their names."""


KINDS = ("joined", "separate")

PRINTED_KINDS = {"joined": ("table7a", "concat"), "separate": ("table7b", "separate")}
"""Kind of context -> its part of Table 7, and what its rows are called there."""


class Window(NamedTuple):
    """A way to give context to text alone: its kind and the number of clips before."""

    kind: str
    clips: int

    @property
    def name(self) -> str:
        return f"{self.clips} before ({self.kind})" if self.clips else "no context"


def windows(study: Study) -> dict[Window, System]:
    """Return Table 7; no context counts for both kinds."""
    arms = plan.windows(plan.whole_of(study))
    return resolved(study, {Window(*key): wanted for key, wanted in arms.items()})


def by_name(windows: Mapping[Window, System]) -> dict[str, System]:
    """Return the systems of Table 7 by name, each once."""
    return {window.name: wanted for window, wanted in windows.items()}


def best(runs: Runs, windows: Mapping[Window, System]) -> dict[str, str]:
    """Return, by kind of context, the name of the window that validation chooses.

    Windows are compared on the seeds that all of a kind have; a kind without any is left out.
    """
    chosen = {}
    for kind in KINDS:
        names = {s: w.name for w, s in windows.items() if w.kind == kind and w.clips}
        if runs.has(*names):
            chosen[kind] = names[runs.best(list(names))]
    return chosen


def choice(best: Mapping[str, str]) -> str:
    """Say which windows validation chooses."""
    if not best:
        return "No kind of context has all its windows recorded with a common seed."
    return f"Validation chooses: {'; '.join(best.values())}."


def chosen(best: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the comparisons of chosen windows: of both kinds, and with no context."""
    kinds = [(best["separate"], best["joined"])] if len(best) == len(KINDS) else []
    return [*kinds, *((name, "no context") for name in best.values())]


def pairs(best: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return what Table 7 compares: kinds at equal windows, and the chosen windows."""
    equal = [(Window("separate", k).name, Window("joined", k).name) for k in plan.WINDOWS]
    return list(dict.fromkeys([*equal, *chosen(best)]))


def table(runs: Runs, windows: Mapping[Window, System], *, setting: str) -> Table | Note:
    """Show Table 7: validation and test of text alone, by kind of context and window."""
    present = {w: runs.records(s)[0] for w, s in windows.items() if runs.has(s)}
    if not present:
        return Note(f"No run of this table is recorded yet. Setting: {setting}.")
    first = next(iter(present.values()))[0]
    metrics = tested_metrics(first)
    heads, rows = compare.heads(metrics), []
    for window, seeds in sorted(present.items()):
        row = {"context": window.kind, "clips before": str(window.clips), "whose": "ours"}
        for part, metric in product(PARTS, metrics):
            row[f"{heads[metric]}, {PARTS[part]}"] = scores(seeds, metric, part)
        rows.append(row)
        if printed := _printed(runs.dataset, window).text:
            rows.append({**row, "whose": "printed"} | dict.fromkeys(list(row)[3:], "-"))
            rows[-1] |= {f"{heads[m]}, test": printed.get(m, "-") for m in metrics}
    rows.append({"context": compare.chance_name(first), "whose": "chance"})
    levels = compare.chance_cells(first, metrics)
    rows[-1] |= {f"{heads[m]}, test": text for m, text in levels.items()}
    return Table(
        pd.DataFrame(rows).fillna("-"),
        caption="Words alone, mean ± standard deviation over seeds; the epoch is selected on "
        f"validation loss. {constants(record for seeds in present.values() for record in seeds)}"
        f"{compare.about_printed(bool(printed_rows(runs.dataset, windows)))}Setting: {setting}.",
    )


def printed_rows(dataset: str, windows: Iterable[Window]) -> dict[str, PrintedRow]:
    """Return the printed rows of windows, by their names."""
    rows = {window.name: _printed(dataset, window) for window in windows}
    return {name: row for name, row in rows.items() if row.value}


def _printed(dataset: str, window: Window) -> PrintedRow:
    exhibit, kind = PRINTED_KINDS[window.kind]
    table = printed_cells(exhibit, PRINTED_AS.get(dataset, dataset))
    return row_of(table[table["variant"] == f"context_{kind}_w{window.clips}"])


def grid(study: Study) -> dict[tuple[int, int], System]:
    """Return section 4.8's windows of text and sound; none in profile quick, which has no time."""
    whole = plan.whole_of(study)
    if len(whole) < 2 or study.parameters.profile == "quick":
        return {}
    return resolved(study, plan.window_grid(whole))


def grid_table(runs: Runs, grid: Mapping[tuple[int, int], System], *, setting: str) -> Table | Note:
    """Show section 4.8: the fusion network's MAE by windows of text and of sound."""
    mae = {
        pair: [np.mean([r.metrics[part]["mae"] for r in runs.records(s)[0]]) for part in PARTS]
        for pair, s in grid.items()
        if runs.has(s) and "mae" in runs.example(s).metrics["test"]
    }
    if len(mae) < 2:  # the network without context alone is no grid
        return Note(f"The grid of windows is not recorded here. Setting: {setting}.")
    rows = [
        {"clips of words": text}
        | {
            f"{sound} of sound": "{:.3f} ({:.3f})".format(*mae[text, sound])
            if (text, sound) in mae
            else compare.NO_RECORD
            for sound in dict.fromkeys(sound for _, sound in grid)
        }
        for text in dict.fromkeys(text for text, _ in grid)
    ]
    order = sorted(mae, key=lambda pair: mae[pair][0])
    text, sound = order[0]
    rank = ""
    if (2, 1) in mae:
        rank = f" The paper's choice, 2 and 1, is number {order.index((2, 1)) + 1} of {len(order)}."
    return Table(
        pd.DataFrame(rows),
        caption="Fusion network, MAE on validation (on test), mean over seeds, by clips of context."
        f" Validation chooses {text} of words and {sound} of sound."
        f"{rank} Setting: {setting}.",
    )
