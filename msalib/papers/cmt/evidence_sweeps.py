"""Tests of CMT's claims on its figures: one audio block, shares of the clips, the penalty's weight.

Which of several values is best is asked twice: validation chooses it, with the choice repeated in
every resample, and on test it is ahead of each of the others. Where nothing was pretrained, C12 and
C18 are asked of arms without pretraining, a declared deviation (``scope.deviates``).
"""

from collections.abc import Mapping

from msalib.evidence import arms, choices, comparisons
from msalib.evidence.arms import Arm
from msalib.evidence.common import Evidence, not_run
from msalib.papers.cmt import plan, scope
from msalib.papers.cmt.plan import NO_PT, PT, SHARES
from msalib.papers.cmt.scope import Metrics
from msalib.runs.query import Runs


def one_block_is_best(runs: Runs, block: int) -> Evidence:
    """C12: a single audio block is the best of four, in MAE and Acc7."""
    if lacks := scope.one_stream(runs):
        return lacks
    systems = plan.blocks(plan.recorded_whole(runs), scope.pretraining(runs))
    swept = {k: Arm(system, name=f"audio block {k}") for k, system in systems.items()}
    judged = best_of(runs, swept, block, scope.metrics(runs, scope.FINE))
    return scope.in_place(runs, judged, "mosei", deviation=True)


def one_weight_is_best(runs: Runs, weight: float) -> Evidence:
    """C18: a weight of the penalty is the best of a grid, by error; Acc7 stands beside it."""
    if lacks := scope.one_stream(runs):
        return lacks
    systems = plan.alphas(plan.recorded_whole(runs), scope.pretraining(runs))
    swept = {a: Arm(system, name=f"penalty {a:g}") for a, system in systems.items()}
    error, *others = scope.metrics(runs, scope.FINE)
    judged = best_of(runs, swept, weight, (error,))
    pairs = [(swept[weight], arm) for a, arm in swept.items() if a != weight]
    judged = scope.beside(runs, judged, pairs, tuple(others))
    return scope.in_place(runs, judged, "mosei", deviation=True)


def best_of(runs: Runs, swept: Mapping[float, Arm], claimed: float, metrics: Metrics) -> Evidence:
    """Test whether validation chooses one of several arms, and whether it is ahead on test.

    The first of ``metrics`` chooses; on test the arm is to be better than each other one in all.
    """
    if needs := arms.lacking(runs, list(swept.values())):
        return not_run(needs)
    others = [arm for value, arm in swept.items() if value != claimed]
    arm = swept[claimed]
    return comparisons.all_parts(
        {
            "on validation": choices.most_often_chosen(
                runs, arm.system, [other.system for other in others], by=metrics[0]
            ),
            "on test": comparisons.direction_and_size(
                runs, [(arm, other) for other in others], metrics=metrics
            ),
        }
    )


# --- shares of the training clips ---------------------------------------------------------------


def by_share(runs: Runs) -> dict[tuple[str, float], Arm]:
    """Return the arms of Fig. 3: with and without pretraining, by share of the training clips."""
    return {
        (name, share): Arm(system, name=f"{name}, {share:.0%} of the clips")
        for (name, share), system in plan.shares(plan.recorded_whole(runs)).items()
    }


def pretraining_helps(runs: Runs) -> Evidence:
    """C14: with pretraining over without, in every metric and at every share of the clips."""
    if lacks := scope.one_stream(runs):
        return lacks
    arm, chosen = by_share(runs), scope.metrics(runs, scope.SENTIMENT)
    pairs = [(arm[PT, share], arm[NO_PT, share]) for share in SHARES]
    judged = comparisons.direction_and_size(runs, pairs, metrics=chosen)
    return scope.in_place(runs, judged, "mosei")


def fewer_clips_do(runs: Runs, share: float, margin: float) -> Evidence:
    """C15: pretrained on a share of the clips and not pretrained on all, alike by error."""
    if lacks := scope.one_stream(runs):
        return lacks
    arm, chosen = by_share(runs), scope.metrics(runs, scope.ERROR)
    pair = arm[PT, share], arm[NO_PT, 1.0]
    judged = comparisons.equivalent(runs, [pair], metrics=chosen, margins=scope.margins(margin))
    return scope.in_place(runs, judged, "mosei")
