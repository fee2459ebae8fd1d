"""The figure of MMML's Table 7: scores by window of context."""

from collections.abc import Mapping

from msalib.pages.contrasts import HEADLINE, tested_metrics
from msalib.pages.curves_figure import score_curves
from msalib.pages.figure import Picture
from msalib.pages.tables import Note
from msalib.papers.mmml.windows import KINDS, Window, printed_rows
from msalib.runs.query import Runs
from msalib.runs.spec import System


def window_curves(runs: Runs, windows: Mapping[Window, System], *, setting: str) -> Picture | Note:
    """Show scores of text alone by window, a line per kind of context: validation and test."""
    present = [system for system in windows.values() if runs.has(system)]
    if not present:
        return Note(f"No window was run yet. Setting: {setting}.")
    rows = printed_rows(runs.dataset, windows)
    return score_curves(
        runs,
        {k: {w.clips: s for w, s in windows.items() if w.kind == k} for k in KINDS},
        tested_metrics(runs.example(present[0]))[:HEADLINE],
        what="clips before",
        about="Words alone, by the number of preceding clips; window 0 is one model for both "
        "kinds.",
        setting=setting,
        printed={
            kind: {w.clips: rows[w.name].value for w in windows if w.kind == kind}
            for kind in KINDS
            if rows
        },
    )
