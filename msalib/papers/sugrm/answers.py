"""The short answers of SUGRM's pages where no verdict on a claim answers: computed sentences."""

from collections.abc import Mapping, Sequence

import numpy as np

from msalib.data.tasks import LIMIT
from msalib.evidence.verdicts import Verdict
from msalib.pages import compare
from msalib.pages.cells import spread
from msalib.pages.data import counted
from msalib.papers.sugrm import facts
from msalib.papers.sugrm.labels import NOTHING, across, histories, over_seeds, percent
from msalib.runs.query import Runs
from msalib.runs.spec import System
from msalib.runs.study import Study


def systems(runs: Runs, named: Mapping[str, System], verdicts: Sequence[Verdict]) -> str:
    """Say what keeps a comparison from being tested, and what the systems score all the same."""
    partial = next((v for v in verdicts if v.evidence.effects), verdicts[0])
    present = {n: runs.records(s)[0] for n, s in named.items() if runs.has(s)}
    scores = [
        f"{name} {spread([r.metrics['test']['mae'] for r in seeds], 'mae')}"
        for name, seeds in present.items()
    ]
    need = partial.evidence.note.partition("; ")[0]
    chance = compare.chance_cells(next(iter(present.values()))[0], ["mae"])["mae"]
    return (
        f"No verdict in this setting: {partial.claim.id} {need}. The mean absolute errors, without "
        f"a test: {', '.join(scores)}; of a constant prediction: {chance}."
    )


def all_clips(runs: Runs) -> str:
    """Say what the labels of all training clips look like, of which any four are a choice."""
    history = histories(runs).get("SUGRM's")
    if history is None:
        return NOTHING
    shares = [
        f"{m} {over_seeds(across(history.annotated, labels[:, -1]), percent)}"
        for m, labels in history.generated.items()
    ]
    return (
        f"Four chosen clips cannot tell. Of all {len(history.id):,} training clips, this share has "
        f"a generated label on the other side of zero from the annotated one: {', '.join(shares)}."
    )


def clips_and_settings(study: Study) -> str:
    """Say how many clips there are beside those printed, and how far text and code differ."""
    texts, ours = facts.texts(study), facts.summary(study.parameters.dataset)
    differ = (
        f"{texts['entries_differ']} of {texts['entries']} entries of the recipe differ between the "
        "paper's text and the released code."
    )
    return differ if ours is None else f"{counted(ours, facts.PAPER, 'table6')} {differ}"


def clamped(sizes: Mapping[str, np.ndarray]) -> str:
    """Say how large targets get over a plane of feature positions, and how often they are clamped.

    ``sizes``: generator -> targets before the clamp (P, P), by position of the clip's feature.
    """
    shown = [
        f"{name} targets reach {np.abs(values).max():.1f} points and are clamped over "
        f"{np.mean(np.abs(values) > LIMIT):.0%} of the plane"
        for name, values in sizes.items()
    ]
    return (
        "A label moves in proportion to a distance between features, towards the side on which the "
        f"modality lies. {'; '.join(shown)}. The scale ends at {LIMIT:g} points."
    )
