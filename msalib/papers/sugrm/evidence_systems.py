"""Tests of SUGRM's claims that compare one system with another (Tables 1, 2, 4 and 8).

All rest on the shared tests of ``evidence.comparisons``, which cover other test videos and other
trainings. Rows of the paper that change Self-MM are corners of one grid of modules
(``plan.module_grid``), so widths and rates do not differ.
"""

from collections.abc import Callable, Sequence

from msalib.evidence import comparisons
from msalib.evidence.arms import Arm
from msalib.evidence.common import Evidence, not_run, sentence
from msalib.evidence.comparisons import Pair
from msalib.evidence.seeds import Margins
from msalib.papers.sugrm.scope import (
    ALL,
    DISTINCT,
    Named,
    arm_of,
    caveats,
    lacks,
    read_unlike_text,
)
from msalib.runs.query import Runs

COMPARABLE: Margins = {"%": 0.5, "": 0.010}
MINUSCULE: Margins = {"%": 0.5, "": 0.005}
"""Differences that count as "comparable" and as "minuscule": points, and MAE or Corr; ours."""


def compare(
    runs: Runs,
    named: Sequence[tuple[Named, Named]],
    data: str | None,
    judge: Callable[[list[Pair]], Evidence],
) -> Evidence:
    """Judge pairs of systems by name, on the data of a claim, and say what limits the comparison.

    Nothing is decided between systems of which one reads all tokens of a frozen text and another
    the first alone: the gains are shown without a verdict.
    """
    if needs := lacks(runs, data):
        return not_run(needs)
    pairs = [(arm_of(runs, of), arm_of(runs, than)) for of, than in named]
    judged = judge(pairs)
    if judged.verdict == "not run":
        return judged
    systems = [arm.system for pair in pairs for arm in pair]
    note = sentence(judged.note, *caveats(runs, data, *(name for pair in named for name in pair)))
    if needs := read_unlike_text(runs, systems):
        return not_run([needs], judged.effects, [note])
    return judged._replace(note=note)


def better_in_all(runs: Runs, *, of: Named, than: Named, data: str | None = None) -> Evidence:
    """Test whether all six metrics are better (C1, C2, C5, C9, C12, C14, C16)."""
    return compare(
        runs,
        [(of, than)],
        data,
        lambda pairs: comparisons.direction_and_size(runs, pairs, metrics=ALL),
    )


def no_worse(runs: Runs, *, of: Named, than: Named, data: str | None = None) -> Evidence:
    """Test whether every metric loses at most the margin of ``COMPARABLE`` (C3a, C3b)."""
    return compare(
        runs,
        [(than, of)],
        data,
        lambda pairs: comparisons.no_gain(runs, pairs, metrics=ALL, margins=COMPARABLE),
    )


def mostly_better(runs: Runs, *, of: Named, than: Named, data: str | None = None) -> Evidence:
    """Test whether most metrics are better, and the other gains at most ``MINUSCULE`` (C17)."""

    def judge(pairs: list[Pair]) -> Evidence:
        ((ours, theirs),) = pairs
        return comparisons.all_parts(
            {
                "most": comparisons.k_of_n(runs, pairs, metrics=DISTINCT),
                "the other": comparisons.no_gain(
                    runs, [(theirs, ours)], metrics=ALL, margins=MINUSCULE
                ),
            }
        )

    return compare(runs, [(of, than)], data, judge)


def limited_gain(runs: Runs, *, of: Named, than: Named, data: str | None = None) -> Evidence:
    """Test whether MAE and correlation are better, and F1 gains at most ``COMPARABLE`` (C10)."""

    def judge(pairs: list[Pair]) -> Evidence:
        f1 = ("f1_has0", "f1_non0")
        return comparisons.all_parts(
            {
                "errors": comparisons.direction_and_size(runs, pairs, metrics=("mae", "corr")),
                "F1": comparisons.no_gain(runs, pairs, metrics=f1, margins=COMPARABLE),
            }
        )

    return compare(runs, [(of, than)], data, judge)


def changes_little(runs: Runs, *, of: Named, than: Named, data: str | None = None) -> Evidence:
    """Test the half of C11 on the smaller corpus: no metric differs beyond ``COMPARABLE``.

    It can fail here; support takes both corpora.
    """

    def judge(pairs: list[Pair]) -> Evidence:
        half = comparisons.equivalent(runs, pairs, metrics=ALL, margins=COMPARABLE)
        word = "inconclusive" if half.verdict == "supported" else half.verdict
        note = sentence(half.note, "that it matters on CMU-MOSEI is not tried here")
        return half._replace(verdict=word, note=note)

    return compare(runs, [(of, than)], data, judge)


def each_mostly_better(
    runs: Runs, *, of: list[Named], than: Named, data: str | None = None
) -> Evidence:
    """Test whether each of several systems is better than one in most metrics (C13)."""
    return compare(
        runs,
        [(name, than) for name in of],
        data,
        lambda pairs: comparisons.k_of_n(runs, pairs, metrics=DISTINCT),
    )


def best_loss(runs: Runs, *, of: str, than: list[str]) -> Evidence:
    """Test whether a loss is better than each other in all six metrics (C22)."""
    return compare(
        runs,
        [(of, name) for name in than],
        None,
        lambda pairs: comparisons.direction_and_size(runs, pairs, metrics=ALL),
    )


RECALIBRATION, SPARSE = ["mrm", "lstm", "own_ulgm"], ["no_mrm", "spt", "own_ulgm"]
BOTH, NEITHER = ["mrm", "spt", "own_ulgm"], ["no_mrm", "lstm", "own_ulgm"]


def only_both_help(runs: Runs, *, data: str | None = None) -> Evidence:
    """Test that neither module helps alone and both do, with SUGRM's label generator (X1).

    In F1 without zeros and MAE. The interaction is shown beside it.
    """

    def judge(pairs: list[Pair]) -> Evidence:
        metrics = ("f1_non0", "mae")
        judged = comparisons.direction_and_size(runs, pairs, metrics=metrics)
        if judged.verdict == "not run":
            return judged
        both, mrm, spt, neither = (
            Arm(arm_of(runs, name).system, name=word)
            for name, word in (
                (BOTH, "both"),
                (RECALIBRATION, "recalibration"),
                (SPARSE, "sparse transformer"),
                (NEITHER, "neither"),
            )
        )
        joined = comparisons.interaction(runs, (both, spt), (mrm, neither), metrics=metrics)
        shown = {n: e for n, e in joined.effects.items() if n.startswith("difference")}
        note = sentence(judged.note, "difference of gains: what each adds to the other")
        return judged._replace(effects=judged.effects | shown, note=note)

    return compare(
        runs, [(NEITHER, RECALIBRATION), (NEITHER, SPARSE), (BOTH, NEITHER)], data, judge
    )
