"""Tests of SUGRM's claims that compare one system with another (Tables 1, 2, 4 and 8).

Rows of the paper that change Self-MM are corners of one grid of modules (``plan.module_grid``), so
widths and rates do not differ.
"""

from collections.abc import Callable

import numpy as np

from msalib.base.stats import LEVEL, holm
from msalib.data.metrics import METRICS
from msalib.evidence import seeds
from msalib.evidence.common import Evidence, not_run, sentence, why_undefined
from msalib.evidence.seeds import Gains, Judgement, listed, p_value, p_values, tally, verdict
from msalib.papers.sugrm.scope import ALL, GRID, Named, caveats, fair, in_words, lacks, system_of
from msalib.runs.query import Runs

LEAST = 4
"""Of these six must be better with p below 0.05 for a system to count as better."""

COMPARABLE = {"%": 0.5, "": 0.010}
MINUSCULE = {"%": 0.5, "": 0.005}


def compare(
    runs: Runs, of: Named, than: Named, data: str | None, judge: Callable[[Gains], Judgement]
) -> Evidence:
    """Compare a system with another: gains in all six metrics, and what ``judge`` makes of them."""
    pair = [system_of(runs, name) for name in (of, than)]
    if needs := lacks(runs, data, pair):
        return not_run(needs)
    gains = seeds.gains(runs, *pair, ALL)
    effects = seeds.differences(gains)
    judgement = judge(gains)
    note = sentence(
        f"{in_words(of)} minus {in_words(than)}",
        *judgement.phrases,
        *caveats(runs, data, pair, of, than),
        *why_undefined(runs, pair, effects),
    )
    return Evidence(fair(runs, pair, judgement.verdict), effects, note)


def better_in_all(runs: Runs, *, of: Named, than: Named, data: str | None = None) -> Evidence:
    """Test whether all six metrics are better, ``LEAST`` with p (C1, C2, C5, C9, C12, C14, C16)."""

    def judge(gains: Gains) -> Judgement:
        return Judgement(seeds.better_in_all([gains], least=LEAST), [tally(gains)])

    return compare(runs, of, than, data, judge)


def no_worse(runs: Runs, *, of: Named, than: Named, data: str | None = None) -> Evidence:
    """Test whether every metric loses at most the margin of ``COMPARABLE`` (C3a, C3b)."""
    return compare(runs, of, than, data, lambda gains: seeds.no_worse(gains, COMPARABLE))


def mostly_better(runs: Runs, *, of: Named, than: Named, data: str | None = None) -> Evidence:
    """Test whether ``LEAST`` metrics gain, and the other gains at most ``MINUSCULE`` (C17)."""

    def judge(gains: Gains) -> Judgement:
        return seeds.mostly_better(gains, MINUSCULE, least=LEAST)

    return compare(runs, of, than, data, judge)


def limited_gain(runs: Runs, *, of: Named, than: Named, data: str | None = None) -> Evidence:
    """Test whether MAE and correlation are better, and F1 is not (C10)."""

    def judge(gains: Gains) -> Judgement:
        p, errors, f1 = p_values(gains), ("mae", "corr"), ("f1_has0", "f1_non0")
        against = [p_value(gains[m], 0, "less") for m in errors] + [p[m] for m in f1]
        word = verdict(
            supported=all(p[m] < LEVEL for m in errors) and all(p[m] >= LEVEL for m in f1),
            contradicted=any(holm(against)),
        )
        return Judgement(word, [tally(gains)])

    return compare(runs, of, than, data, judge)


def changes_little(runs: Runs, *, of: Named, than: Named, data: str | None = None) -> Evidence:
    """Test the half of C11 on the smaller corpus.

    It can fail here; support takes both corpora.
    """

    def judge(gains: Gains) -> Judgement:
        beyond = {
            f"{METRICS[m].label} {word}": p_value(values, sign * seeds.margin(COMPARABLE, m), side)
            for m, values in gains.items()
            for word, sign, side in (("gains", 1, "greater"), ("loses", -1, "less"))
        }
        phrases = [
            f"p that a difference exceeds 0.5 points or 0.010: {listed(beyond)}",
            "that it matters on CMU-MOSEI is not tried here",
        ]
        word = verdict(supported=False, contradicted=any(holm(beyond.values())))
        return Judgement(word, phrases)

    return compare(runs, of, than, data, judge)


def improvements(
    runs: Runs, *, of: list[Named], than: Named, least: int, data: str | None = None
) -> Evidence:
    """Test whether ``least`` differences of several systems from one are improvements (C13)."""
    base, *systems = (system_of(runs, name) for name in (than, *of))
    if needs := lacks(runs, data, [base, *systems]):
        return not_run(needs)
    comparisons = [seeds.gains(runs, system, base, ALL) for system in systems]
    effects = {}
    for name, gains in zip(of, comparisons, strict=True):
        effects |= seeds.differences(gains, f"{in_words(name)} ")
    means = np.array([values.mean() for gains in comparisons for values in gains.values()])
    up, down = (means > 0).sum(), (means < 0).sum()
    word = verdict(supported=up >= least, contradicted=up < least <= down)
    note = sentence(
        f"each minus {in_words(than)}",
        f"{up} of {means.size} differences are improvements, {down} losses",
        *caveats(runs, data, [base, *systems], than),
        *why_undefined(runs, [base, *systems], effects),
    )
    return Evidence(fair(runs, [base, *systems], word), effects, note)


def best_loss(runs: Runs, *, of: str, than: list[str], points: float) -> Evidence:
    """Test whether a loss is better than each other, by so many points of F1 (C22)."""
    best, *others = (system_of(runs, name) for name in (of, *than))
    if needs := lacks(runs, None, [best, *others]):
        return not_run(needs)
    comparisons = [seeds.gains(runs, best, other, ALL) for other in others]
    effects, phrases = {}, []
    for name, gains in zip(than, comparisons, strict=True):
        effects |= seeds.differences(gains, f"minus {in_words(name)} ")
        phrases.append(f"against {in_words(name)} {tally(gains)}")
    word = seeds.better_in_all(comparisons, least=LEAST)
    if word == "supported" and any(gains["f1_non0"].mean() < points for gains in comparisons):
        word = "inconclusive"
    note = sentence(
        f"{in_words(of)} minus another loss",
        *phrases,
        *caveats(runs, None, [best]),
        *why_undefined(runs, [best, *others], effects),
    )
    return Evidence(word, effects, note)


def only_both_help(runs: Runs, *, data: str | None = None) -> Evidence:
    """Test recalibration, sparse transformer and both, each against neither (X1).

    In F1 without zeros and MAE, with SUGRM's label generator; the interaction is shown.
    """
    corners = {
        "recalibration alone": ["mrm", "lstm", "own_ulgm"],
        "sparse transformer alone": ["no_mrm", "spt", "own_ulgm"],
        "both": ["mrm", "spt", "own_ulgm"],
    }
    neither = system_of(runs, ["no_mrm", "lstm", "own_ulgm"])
    systems = {name: system_of(runs, modules) for name, modules in corners.items()}
    compared = [neither, *systems.values()]
    if needs := lacks(runs, data, compared):
        return not_run(needs)
    metrics = ("f1_non0", "mae")
    effects, claimed, reverse = {}, {}, {}
    for name, system in systems.items():
        gains = seeds.gains(runs, system, neither, metrics)
        effects |= seeds.differences(gains, f"{name} ")
        sides = ("greater", "less") if name == "both" else ("less", "greater")
        for m, values in gains.items():
            claimed[name, m], reverse[name, m] = (p_value(values, 0, side) for side in sides)
    for m in metrics:
        none, first, second, both = seeds.scores(runs, compared, m)
        interaction = seeds.over_seeds(both - first - second + none)
        effects[f"interaction {seeds.label(m)}"] = interaction
    word = verdict(supported=all(holm(claimed.values())), contradicted=any(holm(reverse.values())))
    p = {f"{name} {METRICS[m].label}": value for (name, m), value in claimed.items()}
    note = sentence(
        "minus neither, with SUGRM's labels; the interaction is both minus each alone plus neither",
        f"p that one alone is worse and both are better: {listed(p)}",
        GRID,
        *caveats(runs, data, compared),
        *why_undefined(runs, compared, effects),
    )
    return Evidence(fair(runs, compared, word), effects, note)
