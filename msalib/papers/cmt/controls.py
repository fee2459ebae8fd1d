"""Negative controls of CMT on pages: what must come out empty (``evidence_controls``)."""

from collections.abc import Mapping
from html import escape

import pandas as pd

from msalib.evidence.common import Evidence
from msalib.pages.ledger import badge, effect_text
from msalib.pages.tables import Note, Table
from msalib.papers.cmt import evidence_controls
from msalib.papers.cmt.tables import UNPRETRAINED
from msalib.runs.query import Runs
from msalib.runs.study import Study


def of_words(study: Study, runs: Runs, *, setting: str) -> Table | Note:
    """Show whether words help where they cannot; a note on data whose words say something."""
    if study.parameters.dataset not in UNPRETRAINED:
        return Note(
            "The negative control of words is on the page of "
            f"{' and '.join(UNPRETRAINED)}, where words say nothing of the label."
        )
    if not runs.systems:
        return Note(f"No run of this control is recorded yet. Setting: {setting}.")
    return table({"Words cannot help": evidence_controls.words_cannot_help(runs)}, setting=setting)


def of_weights(runs: Runs, *, setting: str) -> Table | Note:
    """Show whether weights of shuffled pairs are worth more than those of true ones."""
    if not runs.systems:
        return Note(f"No run of this control is recorded yet. Setting: {setting}.")
    judged = evidence_controls.shuffled_weights_gain_nothing(runs)
    return table({"Weights of shuffled pairs gain nothing": judged}, setting=setting)


def table(controls: Mapping[str, Evidence], *, setting: str) -> Table:
    """Show controls with their verdicts: supported means that one comes out as it must."""
    rows = [
        {
            "control": f"{escape(name)} {badge(judged.verdict)}",
            "effect and 95% interval": "<br>".join(effect_text(*e) for e in judged.effects.items()),
            "on what": escape(judged.note),
        }
        for name, judged in controls.items()
    ]
    return Table(
        pd.DataFrame(rows),
        caption="Negative controls; none is a claim of the paper. Supported: the control comes out "
        f"empty, as it must. Setting: {setting}.",
    )
