"""Tests of CMT's claims on what its model is made of (Tables 3 and 4).

C11 reads weights of a record (``StreamExtras``), one set of each training, and is judged over
seeds. Where nothing was pretrained, C11, C13 and C17 are asked of arms without pretraining, a
declared deviation (``scope.deviates``).
"""

from collections.abc import Sequence

import numpy as np

from msalib.base.stats import Estimate
from msalib.evidence import arms, comparisons
from msalib.evidence.common import Evidence, Word, not_run, sentence
from msalib.evidence.seeds import level_over_seeds, over_seeds, verdict
from msalib.papers.cmt import scope
from msalib.papers.cmt.plan import BLOCKS, NO_PT, ORTHO, POOLER, PT, TAPT
from msalib.runs.query import Runs

MIDDLE = (2, 3)
"""Audio blocks in the middle, counted from 1."""


def middle_blocks_weigh_most(runs: Runs) -> Evidence:
    """C11: pooled weights of blocks 2 and 3 over those of 1 and 4, over at least five seeds."""
    if lacks := scope.one_stream(runs):
        return lacks
    (pooler,) = scope.as_run(runs, POOLER)
    if needs := arms.lacking(runs, [pooler], arms.SEEDS):
        return not_run(needs)
    found = [record.extras.layer_weights for record in runs.records(pooler.system)[0]]
    if any(len(weights) != len(BLOCKS) for weights in found):
        return not_run([f"weights of {len(BLOCKS)} audio blocks, which pooled folds do not hold"])
    word, effects = middle(np.array(found))
    largest = ", ".join(str(BLOCKS[k]) for k in np.argmax(found, 1))
    note = sentence(f"block of the largest weight by seed: {largest}", f"{len(found)} seeds")
    judged = Evidence(word, effects, note)
    return scope.in_place(runs, judged, "mosei", deviation=True)


def middle(weights: np.ndarray) -> tuple[Word, dict[str, Estimate]]:
    """Judge weights (S, blocks) of audio blocks: those in the middle over the others.

    Supported if they are larger in every seed and the interval over seeds is above zero,
    contradicted if smaller in every seed and below. The same sign in five seeds alone comes by
    chance in 3% of cases.
    """
    inside = np.isin(BLOCKS, MIDDLE)
    more = weights[:, inside].sum(1) - weights[:, ~inside].sum(1)
    difference = over_seeds(more)
    effects = {"weight of blocks 2 and 3, minus 1 and 4": difference}
    effects |= {
        f"weight of block {block}": level_over_seeds(of, 0.0, 1.0)
        for block, of in zip(BLOCKS, weights.T, strict=True)
    }
    word = verdict(
        supported=bool((more > 0).all() and difference.low > 0),
        contradicted=bool((more < 0).all() and difference.high < 0),
    )
    return word, effects


def pooling_gains_nothing(runs: Runs, margin: float) -> Evidence:
    """C13: pooled audio blocks over the last one, by error, less than a margin."""
    if lacks := scope.one_stream(runs):
        return lacks
    pair = tuple(scope.as_run(runs, POOLER, PT))
    chosen = scope.metrics(runs, scope.ERROR)
    judged = comparisons.no_gain(runs, [pair], metrics=chosen, margins=scope.margins(margin))
    return scope.in_place(runs, judged, "mosei", deviation=True)


def adapting_helps(runs: Runs) -> Evidence:
    """C16: PT and TAPT over PT, in every metric.

    Beside it: TAPT that also read the test clips, over TAPT that did not (the effect of that leak)
    and over PT; and TAPT alone over no pretraining.
    """
    if lacks := scope.one_stream(runs):
        return lacks
    pairs = [(scope.LEAK, TAPT), (scope.LEAK, PT), (scope.TAPT_ALONE, NO_PT)]
    judged = _over(runs, TAPT, PT, pairs)
    return scope.in_place(runs, judged, "mosei")


def penalty_helps(runs: Runs) -> Evidence:
    """C17: PT and the penalty over PT, in every metric; beside it the penalty alone."""
    if lacks := scope.one_stream(runs):
        return lacks
    one, other = (arm.name for arm in scope.as_run(runs, ORTHO, PT))
    alone = [(scope.ORTHO_ALONE, NO_PT)]
    judged = _over(runs, one, other, alone if one == ORTHO else [])
    return scope.in_place(runs, judged, "mosei", deviation=True)


def _over(runs: Runs, one: str, other: str, beside: Sequence[tuple[str, str]]) -> Evidence:
    """Test whether an arm is better than another in every metric, with further pairs beside it."""
    named, chosen = scope.named(runs), scope.metrics(runs, scope.SENTIMENT)
    judged = comparisons.direction_and_size(runs, [(named[one], named[other])], metrics=chosen)
    pairs = [(named[a], named[b]) for a, b in beside]
    return scope.beside(runs, judged, pairs, chosen)
