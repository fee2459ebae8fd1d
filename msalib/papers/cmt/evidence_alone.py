"""Tests of CMT's claims on one encoder alone, and on both joined once (Tables 1 and 2).

All arms are of the baseline ``shallow_fusion``, so they read the records of the namespace
``baselines``; C7 compares CMT's models with sound alone as well.
"""

from collections.abc import Sequence

from msalib.evidence import arms, comparisons
from msalib.evidence.arms import Arm
from msalib.evidence.common import Evidence, not_run, sentence
from msalib.papers.cmt import plan, scope
from msalib.papers.cmt.scope import Metrics
from msalib.runs.query import Runs


def alike_alone(runs: Runs, points: float) -> Evidence:
    """C2: sound alone and text alone within a margin, in both metrics of emotion."""
    if lacks := scope.one_stream(runs):
        return lacks
    both = scope.with_baselines(runs)
    named, chosen = scope.named(both), scope.metrics(both, scope.EMOTION)
    pair = named[scope.SOUND], named[scope.TEXT]
    judged = comparisons.equivalent(both, [pair], metrics=chosen, margins={"%": points})
    return scope.in_place(both, judged, "iemocap")


def joining_adds(runs: Runs, points: float) -> Evidence:
    """C3: shallow fusion over the better of both encoders alone, in both metrics of emotion.

    Whether the intervals hold ``points``, the printed gain, is said beside it.
    """
    if lacks := scope.one_stream(runs):
        return lacks
    both = scope.with_baselines(runs)
    named, chosen = scope.named(both), scope.metrics(both, scope.EMOTION)
    alone = [named[scope.SOUND], named[scope.TEXT]]
    judged = added(both, named[scope.SHALLOW], alone, chosen, points)
    return scope.in_place(both, judged, "iemocap")


def added(
    runs: Runs, joined: Arm, alone: Sequence[Arm], metrics: Metrics, points: float
) -> Evidence:
    """Test whether an arm is better than each of some others, so than the best of them."""
    pairs = [(joined, one) for one in alone]
    judged = comparisons.direction_and_size(runs, pairs, metrics=metrics)
    if judged.verdict == "not run":
        return judged
    holding = sum(e.low <= points <= e.high for e in judged.effects.values())
    held = f"{points:g} points lie in {holding} of {len(judged.effects)} intervals"
    return judged._replace(note=sentence(judged.note, held))


def sound_is_behind(runs: Runs, margin: float) -> Evidence:
    """C7: every other model over sound alone, and shallow fusion hardly over text alone."""
    if lacks := scope.one_stream(runs):
        return lacks
    both = scope.with_baselines(runs)
    named, chosen = scope.named(both), scope.metrics(both, scope.ERROR)
    models, missing = _models(both)
    sound, text, joined = (named[n] for n in (scope.SOUND, scope.TEXT, scope.SHALLOW))
    judged = behind(both, sound, text, joined, models, chosen, margin)
    if judged.effects:
        judged = judged._replace(note=sentence(judged.note, *missing))
    return scope.in_place(both, judged, "mosei")


def _models(runs: Runs) -> tuple[list[Arm], list[str]]:
    """Return the two sizes of CMT as far as they were run, and say which were not.

    Where neither was run in full, the same sizes without pretraining stand for them.
    """
    named = scope.named(runs)
    full = [named[plan.BASE], named[plan.LARGE]]
    bare = [named[scope.TWO], named[plan.NO_PT]]
    sizes = full if any(runs.has(arm.system) for arm in full) else bare
    there = [arm for arm in sizes if runs.has(arm.system)]
    missing = [str(arm) for arm in full if arm not in there]
    return there, [f"not run: {', '.join(missing)}"] if missing else []


def behind(
    runs: Runs,
    sound: Arm,
    text: Arm,
    joined: Arm,
    models: Sequence[Arm],
    metrics: Metrics,
    margin: float,
) -> Evidence:
    """Test whether sound is behind all others, and text at most a margin behind both joined."""
    pairs = [(one, sound) for one in (text, joined, *models)]
    return comparisons.all_parts(
        {
            "sound behind": comparisons.direction_and_size(runs, pairs, metrics=metrics),
            "text keeps up": comparisons.no_gain(
                runs, [(joined, text)], metrics=metrics, margins=scope.margins(margin)
            ),
        }
    )


BETTER, NO_BETTER = ("acc7", "mae"), ("acc2_non0", "f1_non0")
"""Metrics in which C8 sees a gain, and those in which it sees none."""


def joining_helps_by_degree(runs: Runs, points: float) -> Evidence:
    """C8: shallow fusion over text alone: better in Acc7 and MAE, hardly in Acc2 and F1."""
    if lacks := scope.one_stream(runs):
        return lacks
    if not set(BETTER + NO_BETTER) <= set(arms.task_of(runs, runs.systems[0]).shown):
        return not_run(["a score of sentiment, read as two classes and as seven"])
    both = scope.with_baselines(runs)
    named = scope.named(both)
    judged = by_degree(both, named[scope.SHALLOW], named[scope.TEXT], points)
    return scope.in_place(both, judged, "mosei")


def by_degree(runs: Runs, joined: Arm, text: Arm, points: float) -> Evidence:
    """Test whether an arm gains in degree, and at most ``points`` in sign."""
    pairs = [(joined, text)]
    return comparisons.all_parts(
        {
            "by degree": comparisons.direction_and_size(runs, pairs, metrics=BETTER),
            "by sign": comparisons.no_gain(runs, pairs, metrics=NO_BETTER, margins={"%": points}),
        }
    )
