"""Test what papers say of two systems: better, equally good, no better, mostly better.

Every test takes the records of one setting and arms (``arms.Arm``), and returns ``Evidence``.
Effects are gains: positive is better, also for MAE; shares are in points of a hundred. Intervals
and p-values cover other test videos and other trainings. Below ``minimum`` shared seeds there is no
verdict.

Statements that one thing exceeds another are tested at 5% on both sides, 2.5% each, so a verdict
never disagrees with the 95% interval beside it. Equivalence is tested by two one-sided tests at 5%
each, which is what the 90% interval shows. ``simulation`` measures how often each test errs.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from msalib.base import stats
from msalib.base.stats import LEVEL
from msalib.data.metrics import METRICS
from msalib.evidence import arms, videos
from msalib.evidence.arms import Arm, Contrast, Printed
from msalib.evidence.common import Evidence, Word, not_run, sentence
from msalib.evidence.seeds import Margins, margin, p_text, verdict
from msalib.runs.query import Runs

MARGINS: Margins = {"%": 1.0, "": 0.015}
"""Differences that count as none: points of accuracies and F1, and MAE or Corr. They are ours."""


Pair = tuple[Arm, Arm | Printed]
"""An arm, and what it is compared with."""


class _Gain(NamedTuple):
    """The gain of one pair in one metric; ``name`` is that of its effect."""

    name: str
    metric: str
    contrast: Contrast


def direction_and_size(
    runs: Runs,
    pairs: Sequence[Pair],
    *,
    metrics: Sequence[str],
    least: Mapping[str, float] | None = None,
    minimum: int | None = None,
) -> Evidence:
    """Test whether the first of each pair is better than the second in each metric, and by enough.

    Supported if every gain is positive after Holm over all of them and its mean is at least that
    of ``least`` (metric -> gain, such as half of the printed one; None asks for the direction
    only). Contradicted if one gain is negative after Holm.
    """
    if needs := _lacking(runs, pairs, minimum):
        return not_run(needs)
    family = _family(runs, pairs, metrics)
    effects = {gain.name: gain.contrast.estimate() for gain in family}
    word = videos.all_positive(effects)
    sizes = least or {}
    short = [g for g in family if not g.contrast.seeds.mean() >= sizes.get(g.metric, -np.inf)]
    phrases = []
    if word == "supported" and short:
        word = "inconclusive"
        asked = dict.fromkeys(f"{METRICS[g.metric].label} {sizes[g.metric]:g}" for g in short)
        phrases = [f"only the direction holds: less than the gain asked for ({', '.join(asked)})"]
    return Evidence(word, effects, _note(runs, pairs, family, phrases))


def beyond(runs: Runs, pairs: Sequence[Pair], *, metrics: Sequence[str], by: float) -> Evidence:
    """Test whether the first of each pair gains more than ``by`` points in every metric.

    Supported if every gain is larger than that after Holm over all of them, at 2.5% on each side;
    contradicted if one is smaller.
    """
    if needs := _lacking(runs, pairs, None):
        return not_run(needs)
    family = _family(runs, pairs, metrics)
    above = np.array([gain.contrast.p_above(by) for gain in family])
    below = np.array([gain.contrast.p_below(by) for gain in family])
    differs = stats.holm(np.minimum(1, 2 * np.minimum(above, below)))
    larger = above < below
    word = verdict(
        supported=bool(np.all(differs & larger)), contradicted=bool(np.any(differs & ~larger))
    )
    effects = {gain.name: gain.contrast.estimate() for gain in family}
    asked = f"more than {by:g} point{'s' if by != 1 else ''}"
    return Evidence(word, effects, _note(runs, pairs, family, [asked]))


def equivalent(
    runs: Runs,
    pairs: Sequence[Pair],
    *,
    metrics: Sequence[str],
    margins: Margins = MARGINS,
    minimum: int | None = None,
) -> Evidence:
    """Test whether both of each pair are equally good, by two one-sided tests each (TOST).

    Supported if every 90% interval lies within its margin, which needs no correction. Contradicted
    if one difference is larger than its margin after Holm over all of them.
    """
    return _within_margins(runs, pairs, metrics, margins, minimum, losses=True)


def no_gain(
    runs: Runs,
    pairs: Sequence[Pair],
    *,
    metrics: Sequence[str],
    margins: Margins = MARGINS,
    minimum: int | None = None,
) -> Evidence:
    """Test whether no first of a pair gains more than a margin (non-inferiority of the second).

    Supported if every 90% interval ends below its margin; contradicted if one gain is larger than
    its margin at 2.5% after Holm. "As good as" is the same test with the arms exchanged.
    """
    return _within_margins(runs, pairs, metrics, margins, minimum, losses=False)


def value(
    runs: Runs,
    arm: Arm,
    printed: Printed,
    *,
    margins: Margins = MARGINS,
    minimum: int | None = None,
) -> Evidence:
    """Test whether an arm reaches printed values within a margin, as ``equivalent``."""
    pairs = [(arm, printed)]
    return equivalent(runs, pairs, metrics=list(printed), margins=margins, minimum=minimum)


def _within_margins(
    runs: Runs,
    pairs: Sequence[Pair],
    metrics: Sequence[str],
    margins: Margins,
    minimum: int | None,
    *,
    losses: bool,
) -> Evidence:
    """Test whether gains, and ``losses`` as well, lie within margins."""
    if needs := _lacking(runs, pairs, minimum):
        return not_run(needs)
    family = _family(runs, pairs, metrics, level=2 * LEVEL)
    effects = {gain.name: gain.contrast.estimate(2 * LEVEL) for gain in family}
    inside, beyond = [], {}
    for name, metric, gain in family:
        size = margin(margins, metric)
        inside.append(videos.within(effects[name], -size if losses else -np.inf, size))
        above = gain.p_above(size)
        both = min(above, gain.p_below(-size)) if losses else above
        beyond[name] = min(1, 2 * both)  # against 5%: 2.5% on each side, as everywhere
    word = verdict(
        supported=all(word == "supported" for word in inside),
        contradicted=any(stats.holm(beyond.values())),
    )
    what = "difference" if losses else "gain"
    within = ", ".join(f"{METRICS[m].label} {margin(margins, m):g}" for m in metrics)
    least = p_text(min(beyond.values(), key=lambda p: np.inf if np.isnan(p) else p))
    phrases = [f"margins {within}", f"least p that a {what} exceeds its margin: {least}"]
    return Evidence(word, effects, _note(runs, pairs, family, phrases))


def k_of_n(
    runs: Runs,
    pairs: Sequence[Pair],
    *,
    metrics: Sequence[str],
    k: int | None = None,
    minimum: int | None = None,
) -> Evidence:
    """Test whether the first of each pair is better in at least ``k`` of n metrics, usually most.

    Supported if p of "fewer than k gains are positive" is at most 2.5% for every pair, which needs
    no correction. Contradicted if for one pair, after Holm over all, n - k + 1 gains are negative
    (``stats.partial_conjunction``). Metrics may depend on each other in any way. Signs are not
    counted. Metrics that are nearly one number count as one claim several times: name one of them.
    """
    if needs := _lacking(runs, pairs, minimum):
        return not_run(needs)
    k = len(metrics) // 2 + 1 if k is None else k
    against = len(metrics) - k + 1
    family = _family(runs, pairs, metrics)
    better, worse, phrases = [], [], []
    for first, (arm, other) in zip(range(0, len(family), len(metrics)), pairs, strict=True):
        gains = [gain.contrast for gain in family[first : first + len(metrics)]]
        better.append(stats.partial_conjunction([g.p_above() for g in gains], k))
        worse.append(stats.partial_conjunction([g.p_below() for g in gains], against))
        of = f"{arms.versus(arm, other)}: " if len(pairs) > 1 else ""
        phrases += [
            f"{of}p that at least {k} of {len(gains)} gains are positive: {p_text(better[-1])}",
            f"that at least {against} are negative: {p_text(worse[-1])}",
        ]
    word = verdict(
        supported=all(p <= LEVEL / 2 for p in better),
        contradicted=any(stats.holm(worse, LEVEL / 2)),
    )
    effects = {gain.name: gain.contrast.estimate() for gain in family}
    return Evidence(word, effects, _note(runs, pairs, family, phrases))


def rises(
    runs: Runs,
    doses: Sequence[tuple[Arm, float]],
    *,
    metrics: Sequence[str],
    minimum: int | None = None,
) -> Evidence:
    """Test whether every metric gets better with a dose, such as the number of tasks.

    The effect is the slope of the gain per unit, by least squares over the arms. Supported if every
    slope is positive after Holm, contradicted if one is negative.
    """
    compared, x = [arm for arm, _ in doses], np.array([dose for _, dose in doses], float)
    if needs := arms.lacking(runs, compared, minimum):
        return not_run(needs)
    around = x - x.mean()
    slopes = arms.contrasts(runs, compared, around / (around @ around), metrics)
    effects = arms.effects(slopes, "gain per unit in")
    note = sentence(
        f"slope over {len(doses)} systems from {x.min():g} to {x.max():g}",
        arms.sample(runs, compared).covers(),
        *arms.undefined(slopes),
    )
    return Evidence(videos.all_positive(effects), effects, note)


def interaction(
    runs: Runs,
    pair: tuple[Arm, Arm],
    other: tuple[Arm, Arm],
    *,
    metrics: Sequence[str],
    minimum: int | None = None,
) -> Evidence:
    """Test whether the first of a pair gains more over the second than in another pair.

    MAE is a share of the labels' range, so that it compares between scales. Supported if every
    difference of gains is positive after Holm, contradicted if one is negative.
    """
    four = [*pair, *other]
    if needs := arms.lacking(runs, four, minimum):
        return not_run(needs)
    drawn = arms.contrasts(runs, four, [1, -1, -1, 1], metrics)
    parts = {
        f"{a} over {b}: gain in": arms.contrasts(runs, [a, b], [1, -1], metrics)
        for a, b in (pair, other)
    }
    differences = _of_range(runs, four, drawn)
    effects = arms.effects(differences, "difference of gains in")
    word = videos.all_positive(effects)
    for prefix, gains in parts.items():
        effects |= arms.effects(_of_range(runs, four, gains), prefix)
    note = sentence(
        f"gain of {pair[0]} over {pair[1]} minus that of {other[0]} over {other[1]}",
        "MAE as a share of the labels' range" if "mae" in differences else "",
        arms.sample(runs, four).covers(),
        *arms.undefined(differences),
    )
    return Evidence(word, effects, note)


def _of_range(
    runs: Runs, four: Sequence[Arm], gains: Mapping[str, Contrast]
) -> dict[str, Contrast]:
    """Return gains in which MAE is divided by the range of the labels."""
    scaled = dict(gains)
    if "mae" in scaled:
        span = 2 * arms.task_of(runs, four[0].system).limit
        scaled["mae"] = Contrast(*(part / span for part in scaled["mae"]))
    return scaled


def _arms(pairs: Sequence[Pair]) -> list[Arm]:
    """Return the arms of all pairs, each once, without printed values."""
    both = [arm for pair in pairs for arm in pair if isinstance(arm, Arm)]
    return list(dict.fromkeys(both))


def _lacking(runs: Runs, pairs: Sequence[Pair], minimum: int | None) -> list[str]:
    return arms.lacking(runs, _arms(pairs), minimum)


def _family(
    runs: Runs, pairs: Sequence[Pair], metrics: Sequence[str], level: float = LEVEL
) -> list[_Gain]:
    """Return the gains of all pairs in all metrics; effects name the pair where there are several.

    ``level`` is that of the interval, which a name tells if it is not the usual one.
    """
    family = []
    for arm, other in pairs:
        gains = arms.gains(runs, arm, other, metrics)
        prefix = "gain in" if len(pairs) == 1 else f"{arms.versus(arm, other)}: gain in"
        named = zip(arms.effects(gains, prefix, level), gains.items(), strict=True)
        family += [_Gain(name, metric, gain) for name, (metric, gain) in named]
    return family


def _note(
    runs: Runs, pairs: Sequence[Pair], family: Sequence[_Gain], phrases: Iterable[str]
) -> str:
    compared = " and ".join(arms.versus(arm, other) for arm, other in pairs)
    covers = arms.sample(runs, _arms(pairs)).covers()
    undefined = [u for g in family for u in arms.undefined({g.metric: g.contrast})]
    return sentence(compared, *phrases, covers, *dict.fromkeys(undefined))


# --- claims of several parts --------------------------------------------------------------------


def all_parts(found: Mapping[str, Evidence]) -> Evidence:
    """Return the verdict of a claim of several parts: all must hold, one that fails is enough.

    ``found`` maps a part's name to its evidence. To support needs no correction. To contradict
    takes each part's own test, whose error is half the level on each side: with two parts the
    whole keeps the level.
    """
    words = {one.verdict for one in found.values()}
    effects = {f"{name}: {n}": e for name, one in found.items() for n, e in one.effects.items()}
    if "not run" in words:
        lacking = (one.note for one in found.values() if one.verdict == "not run")
        return not_run([note.removeprefix("needs ") for note in lacking], effects)
    word: Word = "inconclusive"
    if "contradicted" in words:
        word = "contradicted"
    elif words == {"supported"}:
        word = "supported"
    note = sentence(*(f"{name}: {one.note}" for name, one in found.items()))
    return Evidence(word, effects, note)
