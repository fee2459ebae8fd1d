"""Tests of CMT's claims on its models as a whole (Tables 1, 2 and 4).

BASE and LARGE differ from shallow fusion in several things at once. So that factors are not mixed,
the parts of such a comparison stand beside it, each with one thing changed; C20 compares the
architecture alone.
"""

from msalib.data.tasks import Classes
from msalib.evidence import arms, comparisons
from msalib.evidence.common import Evidence, not_run
from msalib.papers.cmt import scope
from msalib.papers.cmt.plan import BASE, LARGE, NO_PT, ORTHO, PT, TAPT
from msalib.runs.query import Runs

EMOTIONS = "classes of emotion, spoken and transcribed, and encoders of the paper's size"
"""What only the full scale has: points of a sentence on IEMOCAP."""


def blocks_add_more_than(runs: Runs, by: float) -> Evidence:
    """C4: BASE and LARGE gain more than ``by`` points over shallow fusion; of classes alone.

    Where labels are a score, nothing is judged, and gains in what stands for the metrics are shown.
    Gains over each encoder alone stand beside it.
    """
    if lacks := scope.one_stream(runs):
        return lacks
    both = scope.with_baselines(runs)
    named, chosen = scope.named(both), scope.metrics(both, scope.EMOTION)
    sizes = named[BASE], named[LARGE]
    pairs = [(size, named[scope.SHALLOW]) for size in sizes]
    alone = [(size, named[n]) for n in (scope.SOUND, scope.TEXT) for size in sizes]
    judged = comparisons.beyond(both, pairs, metrics=chosen, by=by)
    judged = scope.beside(both, judged, alone, chosen)
    if judged.verdict != "not run" and not isinstance(
        arms.task_of(both, named[BASE].system), Classes
    ):
        judged = not_run([EMOTIONS], judged.effects, [judged.note])
    return scope.in_place(both, judged, "iemocap")


def sizes_alike(runs: Runs, points: float) -> Evidence:
    """C6: BASE and LARGE within a margin, in both metrics of emotion."""
    if lacks := scope.one_stream(runs):
        return lacks
    named, chosen = scope.named(runs), scope.metrics(runs, scope.EMOTION)
    pair = named[BASE], named[LARGE]
    judged = comparisons.equivalent(runs, [pair], metrics=chosen, margins={"%": points})
    return scope.in_place(runs, judged, "iemocap")


def base_beats_joining(runs: Runs) -> Evidence:
    """C9: BASE over shallow fusion, in every metric of sentiment.

    Beside it: two blocks that are not pretrained over shallow fusion, and BASE over these.
    """
    if lacks := scope.one_stream(runs):
        return lacks
    both = scope.with_baselines(runs)
    named, chosen = scope.named(both), scope.metrics(both, scope.SENTIMENT)
    base, two, joined = (named[n] for n in (BASE, scope.TWO, scope.SHALLOW))
    judged = comparisons.direction_and_size(both, [(base, joined)], metrics=chosen)
    judged = scope.beside(both, judged, [(two, joined), (base, two)], chosen)
    return scope.in_place(both, judged, "mosei")


def large_beats_base(runs: Runs) -> Evidence:
    """C10: LARGE over BASE, in every metric of sentiment but Acc7, which stands beside it."""
    if lacks := scope.one_stream(runs):
        return lacks
    named, every = scope.named(runs), scope.metrics(runs, scope.SENTIMENT)
    pair = named[LARGE], named[BASE]
    tested = [m for m in every if m != "acc7"]
    judged = comparisons.direction_and_size(runs, [pair], metrics=tested)
    if "acc7" in every:
        judged = scope.beside(runs, judged, [pair], ("acc7",))
    return scope.in_place(runs, judged, "mosei")


def full_recipe_beats_none(runs: Runs) -> Evidence:
    """C19: BASE and LARGE over four blocks without pretraining, in all metrics but one.

    Beside it, by error: the steps from one to the other, each with one thing changed.
    """
    if lacks := scope.one_stream(runs):
        return lacks
    named, chosen = scope.named(runs), scope.metrics(runs, scope.SENTIMENT)
    pairs = [(named[size], named[NO_PT]) for size in (BASE, LARGE)]
    judged = comparisons.k_of_n(runs, pairs, metrics=chosen, k=len(chosen) - 1)
    steps = [(PT, NO_PT), (TAPT, PT), (LARGE, TAPT), (BASE, scope.TWO), (scope.TWO, NO_PT)]
    parts = [(named[one], named[other]) for one, other in steps]
    judged = scope.beside(runs, judged, parts, scope.metrics(runs, scope.ERROR))
    return scope.in_place(runs, judged, "mosei")


def depth_beats_joining(runs: Runs) -> Evidence:
    """C20: four blocks without pretraining over shallow fusion, by error."""
    if lacks := scope.one_stream(runs):
        return lacks
    both = scope.with_baselines(runs)
    named, chosen = scope.named(both), scope.metrics(both, scope.ERROR)
    pair = named[NO_PT], named[scope.SHALLOW]
    judged = comparisons.direction_and_size(both, [pair], metrics=chosen)
    return scope.in_place(both, judged, "mosei")


def full_recipe_beats_its_parts(runs: Runs) -> Evidence:
    """X1: LARGE over every recipe of four blocks that lacks a part, in every metric."""
    if lacks := scope.one_stream(runs):
        return lacks
    named = scope.named(runs)
    pairs = [(named[LARGE], named[n]) for n in (NO_PT, PT, TAPT, ORTHO)]
    chosen = scope.metrics(runs, scope.SENTIMENT)
    judged = comparisons.direction_and_size(runs, pairs, metrics=chosen)
    return scope.in_place(runs, judged, "mosei")
