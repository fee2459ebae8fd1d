"""Negative controls of CMT on pages: what must come out empty (``evidence_controls``)."""

from collections.abc import Callable, Mapping

import pandas as pd
from markupsafe import Markup

from msalib.evidence.common import Evidence, not_run
from msalib.pages.ledger import badge, effect_text
from msalib.pages.markup import lines
from msalib.pages.pretraining import ByArm
from msalib.pages.tables import Table
from msalib.papers.cmt import evidence_controls, scope
from msalib.papers.cmt.plan import PT
from msalib.papers.cmt.tables import UNPRETRAINED
from msalib.runs.query import Runs
from msalib.runs.study import Study

TITLES: Mapping[Callable[..., Evidence], str] = {
    evidence_controls.words_cannot_help: "Words that say nothing cannot help",
    evidence_controls.shuffled_weights_gain_nothing: "Weights of shuffled pairs gain nothing",
    evidence_controls.heard: "True pairs teach a stream to listen, shuffled pairs do not",
}
"""Test of a control -> what must hold."""


def of_words(study: Study, runs: Runs) -> Evidence:
    """Judge whether words help where they cannot; on other data there is nothing to judge."""
    if study.parameters.dataset not in UNPRETRAINED:
        return not_run([f"words that say nothing, as those of {' and '.join(UNPRETRAINED)}"])
    if not runs.systems:
        return not_run(["runs of this page"])
    return evidence_controls.words_cannot_help(runs)


def of_weights(runs: Runs) -> Evidence:
    """Judge whether weights of shuffled pairs are worth more than those of true ones."""
    if not runs.systems:
        return not_run(["runs of this page"])
    return evidence_controls.shuffled_weights_gain_nothing(runs)


def of_listening(found: ByArm) -> Evidence:
    """Judge whether true pairs teach a stream to listen, and shuffled ones do not."""
    return evidence_controls.heard(found.get(PT, []), found.get(scope.SHUFFLED, []))


def table(test: Callable[..., Evidence], judged: Evidence, *, setting: str) -> Table:
    """Show a control with its verdict: supported means that it comes out as it must."""
    row = {
        "control": Markup("{} {}").format(TITLES[test], badge(judged.verdict)),
        "effect and 95% interval": lines(effect_text(*e) for e in judged.effects.items()),
        "on what": judged.note,
    }
    return Table(
        pd.DataFrame([row]),
        caption="A negative control; it is no claim of the paper. Supported means that it comes "
        f"out as it must. Setting: {setting}.",
    )
