"""Tests of UEGD's claims on the records of one setting. Templates: papers/uegd.md (b).

Every test takes ``Runs`` and the arguments that the registry gives it, reads predictions of the
test part (of validation only to choose a block), and returns ``Evidence``. "Input" is layer 0, our
stand-in for conventional features; a *group* is the modalities that a model is given.
"""

from collections.abc import Sequence

import numpy as np
from scipy.stats import entropy

from msalib.base import stats
from msalib.base.stats import Estimate
from msalib.data.corpus import MODALITIES
from msalib.data.metrics import METRICS
from msalib.evidence.common import (
    Evidence,
    Word,
    lacking_runs,
    not_run,
    sentence,
    why_undefined,
    without,
)
from msalib.evidence.printed import table as printed
from msalib.papers.uegd import layers
from msalib.papers.uegd.layers import SHARES
from msalib.runs.query import Runs
from msalib.runs.spec import System, system

Group = tuple[str, ...]

SIGNS: dict[stats.Metric, int] = {"mae": -1, "corr": 1}
"""Of a difference that is an improvement."""

# --- one feature against another ----------------------------------------------------------------


def better_than(
    runs: Runs,
    *,
    features: list[str],
    other: str,
    groups: list[str],
    exception: dict[str, str] | None = None,
) -> Evidence:
    """T-MAE and T-CORR: each of ``features`` against ``other``, in each group (UEGD-C1, 4, 6, 7).

    ``groups``: "alone" and "together". ``exception``: a data set and a modality that the claim
    excepts: shown, and no part of the verdict.
    """
    chosen, absent = _groups(runs, groups)
    effects, partial, signs, needs, phrases, compared = {}, {}, {}, [], [], []
    for group in chosen:
        if lacking := _lacking(runs, group):
            needs += lacking
            continue
        found, lines, missing = {}, [], []
        for feature in features:
            pair = [layers.system_of(runs, group, f) for f in (feature, other)]
            if needed := lacking_runs(runs, *pair):
                missing.append(needed)
                continue
            if pair[0] == pair[1]:
                lines.append(f"{_name(group)}: that is the last block, no difference can show")
            compared += pair
            prefix = _name(group) + (f" {_words(feature)}" if len(features) > 1 else "")
            for metric, sign in SIGNS.items():
                name = f"{prefix} {METRICS[metric].label}"
                found[name] = stats.estimate(*_contrast(runs, metric, pair, [1, -1]))
                if exception != {"dataset": runs.dataset, "modality": _name(group)}:
                    signs[name] = sign
        if missing:
            needs += missing
            partial |= found
            continue
        effects |= found
        phrases += [_how_chosen(runs, m) for m in group if m in layers.layered(runs)] + lines
    if not effects:
        return not_run(needs or absent, partial, why_undefined(runs, compared, partial))
    signs = {name: sign for name, sign in signs.items() if name in effects}
    note = sentence(
        f"{', '.join(map(_words, features))} minus {_words(other)}",
        *dict.fromkeys(phrases),
        *without(absent + needs),
        *why_undefined(runs, compared, effects),
    )
    return Evidence(_all_of(effects, signs), effects, note)


def gain_largest(runs: Runs, *, modality: str, others: list[str]) -> Evidence:
    """Gain of mid-best over input: that of ``modality`` minus that of each of ``others`` (C5)."""
    of, effects, needs = {}, {}, []
    for m in (modality, *others):
        if lacking := _lacking_layers(runs, m):
            needs.append(lacking)
            continue
        of[m] = [layers.system_of(runs, [m], f) for f in ("mid_best", "input")]
        if missing := lacking_runs(runs, *of[m]):
            needs.append(missing)
            continue
        for metric, sign in SIGNS.items():
            gain = stats.estimate(*_contrast(runs, metric, of[m], [sign, -sign]))
            effects[f"{m} gain {METRICS[metric].label}"] = gain
    compared = [s for pair in of.values() for s in pair if runs.has(s)]
    if needs:
        return not_run(needs, effects, why_undefined(runs, compared, effects))
    if missing := lacking_runs(runs, *compared):
        return not_run([missing], effects)
    differences = {}
    for m in others:
        for metric, sign in SIGNS.items():
            weights = [sign, -sign, -sign, sign]
            drawn = _contrast(runs, metric, of[modality] + of[m], weights)
            differences[f"{METRICS[metric].label} minus {m}"] = stats.estimate(*drawn)
    verdict = _all_of(differences, dict.fromkeys(differences, 1))
    note = sentence(
        f"{modality} gain of mid-best over input minus that of the others, positive is larger",
        *why_undefined(runs, compared, differences),
    )
    return Evidence(verdict, differences | effects, note)


def beyond_literature(
    runs: Runs, *, dataset: str, rivals: list[str], metrics: list[stats.Metric], better: bool
) -> Evidence:
    """Each encoder feature of all three modalities against the printed values of others (C2, C3).

    One-sample bootstrap: the printed value is taken as exact. ``better``: than the best of
    ``rivals``; else worse than the worst of them. Only as published: other encoders cannot be held
    against these numbers.
    """
    spec = runs.records(runs.systems[0])[0][0].spec
    if spec.setting != "as-published" or spec.dataset != dataset:
        return not_run([f"{dataset} as published: the printed values are of those features"])
    if lacking := [need for m in MODALITIES if (need := _lacking_layers(runs, m))]:
        return not_run(lacking)
    table = printed.load(spec.paper)
    table = table[(table["exhibit"] == "table2") & (table["dataset"] == dataset)]
    effects, signs, compared = {}, {}, []
    for feature in ("output", "mid_best", "weighted"):
        ours = layers.system_of(runs, MODALITIES, feature)
        if missing := lacking_runs(runs, ours):
            return not_run([missing], effects)
        compared.append(ours)
        for metric in metrics:
            values = table[table["system"].isin(rivals) & (table["metric"] == metric)]["value"]
            highest = METRICS[metric].higher_is_better == better
            value = values.max() if highest else values.min()
            seeds, resampled = _contrast(runs, metric, [ours], [1])
            name = f"{_words(feature)} {METRICS[metric].label} minus printed {value:g}"
            effects[name] = stats.estimate(seeds - value, resampled - value)
            signs[name] = SIGNS[metric] if better else -SIGNS[metric]
    note = sentence("ours minus the printed value", *why_undefined(runs, compared, effects))
    return Evidence(_all_of(effects, signs), effects, note)


def fusions_equal(runs: Runs, *, margin: float) -> Evidence:
    """MAE of gate minus concatenation, two one-sided tests at 5% each (C15).

    They reject together where the 90% interval lies within the margin.
    """
    chosen, absent = _groups(runs, ["together"], layered=False)
    if not chosen:
        return not_run(absent)
    (group,) = chosen
    if lacking := _lacking(runs, group):
        return not_run(lacking)
    gate, concat = (layers.system_of(runs, group, "mid_best", fusion=f) for f in ("gate", "concat"))
    if missing := lacking_runs(runs, gate, concat):
        return not_run([missing])
    seeds, resampled = _contrast(runs, "mae", [gate, concat], [1, -1])
    found = stats.estimate(seeds, resampled, level=2 * stats.LEVEL)
    note = f"{_name(group)}: gate minus concatenation, margin ±{margin:g} points"
    return Evidence(_within(found, -margin, margin), {"MAE (90% interval)": found}, note)


def gain_grows(runs: Runs) -> Evidence:
    """Slope of the gain of mid-best over input per doubling of the training part (C16)."""
    chosen, absent = _groups(runs, ["alone", "together"])
    if not chosen:
        return not_run(absent)
    x = np.log2(SHARES)
    slope = (x - x.mean()) / ((x - x.mean()) ** 2).sum()
    effects, needs, compared = {}, [], []
    for group in chosen:
        if lacking := _lacking(runs, group):
            needs += lacking
            continue
        pairs = [
            [layers.system_of(runs, group, f, train_share=share) for f in ("mid_best", "input")]
            for share in SHARES
        ]
        systems = [s for pair in pairs for s in pair]
        if not runs.has(*systems):
            needs.append(f"{_name(group)} input and mid-best at every share of the training clips")
            continue
        compared += systems
        for metric, sign in SIGNS.items():
            weights = np.outer(slope, [sign, -sign]).ravel()
            found = stats.estimate(*_contrast(runs, metric, systems, weights))
            effects[f"{_name(group)} {METRICS[metric].label} per doubling"] = found
    if not effects:
        return not_run(needs)
    shares = ", ".join(f"{share:g}" for share in SHARES)
    note = sentence(
        f"slope of the gain of mid-best over input over the shares {shares} of the training clips",
        *without(absent + needs),
        *why_undefined(runs, compared, effects),
    )
    return Evidence(_all_of(effects, dict.fromkeys(effects, 1)), effects, note)


def learned_weights_overfit(runs: Runs) -> Evidence:
    """Learned minus equal layer weights: test MAE, and test MAE minus training MAE (C17)."""
    chosen, absent = _groups(runs, ["alone", "together"])
    if not chosen:
        return not_run(absent)
    effects, needs, phrases = {}, [], []
    for group in chosen:
        pair = [layers.system_of(runs, group, f) for f in ("weighted", "uniform")]
        if missing := lacking_runs(runs, *pair):
            needs.append(missing)
            continue
        seeds, resampled = _contrast(runs, "mae", pair, [1, -1])
        learned, equal = (
            np.array([record.metrics["train"]["mae"] for record in own])
            for own in runs.records(*pair)
        )
        fitted = learned - equal  # of the training part, which is not resampled
        effects[f"{_name(group)} test MAE"] = stats.estimate(seeds, resampled)
        effects[f"{_name(group)} gap"] = stats.estimate(seeds - fitted, resampled - fitted.mean())
        phrases += _entropies(runs, group)
    if not effects:
        return not_run(needs)
    note = sentence(
        "learned minus equal layer weights; the gap is test minus training MAE",
        *phrases,
        *without(absent + needs),
    )
    return Evidence(_all_of(effects, dict.fromkeys(effects, 1)), effects, note)


def _entropies(runs: Runs, group: Group) -> list[str]:
    """Entropy of the learned weights by share of training, 1 for equal weights."""
    phrases = []
    for m in group if len(group) == 1 else ():
        by_share = []
        for share in SHARES:
            wanted = layers.system_of(runs, group, "weighted", train_share=share)
            if runs.has(wanted):
                (own,) = runs.records(wanted)
                weights = np.array([record.extras.layer_weights[m] for record in own])
                whole = entropy(weights, base=weights.shape[1], axis=1)
                by_share.append(f"{whole.mean():.3f} at {share:g}")
        phrases.append(f"{m} entropy of the weights, of its maximum: {', '.join(by_share)}")
    return phrases


# --- blocks -------------------------------------------------------------------------------------


def spread_smaller_than(runs: Runs, *, modality: str, others: list[str]) -> Evidence:
    """Spread of test correlation over blocks, of ``modality`` minus that of each of ``others``.

    UEGD-C10.
    """
    if lacking := layers.missing_blocks(runs, modality):
        return not_run([lacking])
    own, own_resampled = _spread(runs, modality)
    missing = [needs for m in others if (needs := layers.missing_blocks(runs, m))]
    if missing:
        level = stats.estimate(own, own_resampled, kind="level")
        about = why_undefined(runs, layers.block_systems(runs, modality))
        return not_run(missing, {f"spread {modality}": level}, about)
    effects = {}
    for m in others:
        spread, resampled = _spread(runs, m)
        effects[f"spread vs {m}"] = stats.estimate(own - spread, own_resampled - resampled)
    systems = [s for m in (modality, *others) for s in layers.block_systems(runs, m)]
    note = sentence(
        f"spread over blocks, {modality} minus the other", *why_undefined(runs, systems, effects)
    )
    return Evidence(_all_of(effects, dict.fromkeys(effects, -1)), effects, note)


def _spread(runs: Runs, modality: str) -> tuple[float, np.ndarray]:
    """Highest minus lowest block, less what equal blocks would show by sampling alone."""
    _, point, resampled = layers.correlations(runs, modality, "test")
    return _corrected_range(point, resampled)


def _corrected_range(point: np.ndarray, resampled: np.ndarray) -> tuple[float, np.ndarray]:
    """Range of correlations (K,) and resamples of it, less what sampling alone would show.

    Equal blocks have a range too, and the larger the weaker they are, for weak correlations vary
    more. It is estimated from the resamples, moved to equal means; the resampled ranges, which
    have that part twice, are moved to the corrected estimate.
    """
    by_chance = np.ptp(resampled - point, axis=1).mean()
    corrected = np.ptp(point) - by_chance
    ranges = np.ptp(resampled, axis=1)
    return corrected, ranges - ranges.mean() + corrected


def flat_from(runs: Runs, *, modality: str, first: int, margin: float) -> Evidence:
    """Range of test correlation over blocks ``first`` to the last, and its slope (C12).

    The range's interval: above, the largest difference of two blocks that two one-sided tests at
    5% leave possible (every pair must pass, which needs no correction); below, the range less what
    sampling alone would show, at 5%.
    """
    if lacking := layers.missing_blocks(runs, modality):
        return not_run([lacking])
    blocks = np.array(layers.blocks(runs, modality))
    if blocks[-1] <= first:
        return not_run([f"more than {first} {modality} blocks (this encoder has {blocks[-1]})"])
    late = blocks >= first
    _, point, resampled = layers.correlations(runs, modality, "test")
    point, resampled = point[late], resampled[:, late]
    i, j = np.triu_indices(late.sum(), 1)
    low, high = np.quantile(resampled[:, i] - resampled[:, j], [stats.LEVEL, 1 - stats.LEVEL], 0)
    largest = float(np.maximum(high, -low).max())
    _, corrected = _corrected_range(point, resampled)
    smallest = float(np.maximum(0, np.quantile(corrected, stats.LEVEL)))
    extent = Estimate(float(np.ptp(point)), smallest, largest, np.nan, kind="level")
    x = blocks[late] - blocks[late].mean()
    slope = stats.estimate(point @ x / (x @ x), resampled @ x / (x @ x))
    verdict: Word = "inconclusive"
    if largest < margin and slope.low <= 0 <= slope.high:
        verdict = "supported"
    elif smallest > margin:
        verdict = "contradicted"
    effects = {"range (90% interval)": extent, "slope": slope}
    systems = [system({modality: int(k)}) for k in blocks[late]]
    note = sentence(
        f"correlation over {modality} blocks {first} to {blocks[-1]}, margin {margin:g}; the slope "
        "is per block",
        *why_undefined(runs, systems, effects),
    )
    return Evidence(verdict, effects, note)


def best_block_within(runs: Runs, *, modality: str, first: int, last: int, blocks: int) -> Evidence:
    """Share of resamples whose best block lies from ``first`` to ``last`` (C11).

    Block numbers mean nothing in an encoder of another depth, so it must have ``blocks``.
    """
    if lacking := layers.missing_blocks(runs, modality):
        return not_run([lacking])
    if (depth := layers.blocks(runs, modality)[-1]) != blocks:
        return not_run([f"an {modality} encoder with {blocks} blocks (this one has {depth})"])
    return _best_blocks(runs, {modality: (first, last)}, f"in {first} to {last}")


def best_in_second_half(runs: Runs) -> Evidence:
    """Share of resamples whose best block lies beyond the middle, for every modality (C13)."""
    layered = layers.layered(runs)
    if not layered:
        return not_run(["layers of an encoder"])
    if lacking := [need for m in layered if (need := layers.missing_blocks(runs, m))]:
        return not_run(lacking)
    halves = {m: (layers.blocks(runs, m)[-1] // 2 + 1, layers.blocks(runs, m)[-1]) for m in layered}
    return _best_blocks(runs, halves, "beyond the middle")


def _best_blocks(runs: Runs, ranges: dict[str, tuple[int, int]], where: str) -> Evidence:
    """Whether the best block lies in its range, on validation and on test.

    Supported if in at least 95% of resamples for every modality and part; contradicted if in at
    most 5% on both parts, divided by the number of modalities, for any of them.
    """
    effects, shares, phrases, undefined = {}, {}, [], []
    for m, (first, last) in ranges.items():
        for part in ("valid", "test"):
            numbers, correlation, resampled = layers.correlations(runs, m, part)
            undefined += why_undefined(runs, layers.block_systems(runs, m), part=part)
            if np.isnan(resampled).all(1).any():
                continue
            numbers = np.array(numbers)
            drawn = numbers[np.nan_to_num(resampled, nan=-np.inf).argmax(1)]
            best = numbers[np.nan_to_num(correlation, nan=-np.inf).argmax()]
            low, high = np.quantile(drawn, [stats.LEVEL / 2, 1 - stats.LEVEL / 2])
            share = float(((first <= drawn) & (drawn <= last)).mean())
            shares.setdefault(m, []).append(share)
            block = Estimate(float(best), low, high, 1 - share, kind="block")
            effects[f"{m} best block, {part}"] = block
        if len(shares.get(m, ())) == 2:
            phrases.append(
                f"{m}, of {numbers[-1]} blocks: {where} in {shares[m][0]:.0%} (validation) and "
                f"{shares[m][1]:.0%} (test) of resamples"
            )
        else:
            phrases.append(f"{m}: no block has a correlation in every resample")
    defined = [both for both in shares.values() if len(both) == 2]
    verdict: Word = "inconclusive"
    if any(max(both) <= stats.LEVEL / len(ranges) for both in defined):
        verdict = "contradicted"
    elif len(defined) == len(ranges) and min(map(min, defined)) >= 1 - stats.LEVEL:
        verdict = "supported"
    return Evidence(verdict, effects, sentence(*phrases, *undefined))


# --- gates and variances ------------------------------------------------------------------------


def gate_rises(runs: Runs, *, modality: str) -> Evidence:
    """Mean gate weight of ``modality`` in the joint model: mid-best minus input (C8)."""
    chosen, absent = _groups(runs, ["together"])
    if not chosen:
        return not_run(absent)
    (group,) = chosen
    if modality not in group:
        return not_run([f"{modality} layers of the same clips"])
    if lacking := _lacking(runs, group):
        return not_run(lacking)
    pair = [layers.system_of(runs, group, f) for f in ("mid_best", "input")]
    if missing := lacking_runs(runs, *pair):
        return not_run([missing])
    ours, theirs = layers.gates(runs, *pair)
    _, videos = runs.truth("test")
    seeds, resampled = stats.means(ours[modality] - theirs[modality], videos)
    effects = {f"{modality} gate": stats.estimate(seeds, resampled.mean(1))}
    if modality not in layers.layered(runs):
        need = f"{modality} layers of the same clips (here they are the same vectors in both)"
        return not_run([need], effects)
    delta = stats.cliffs_delta(ours[modality].ravel(), theirs[modality].ravel())
    note = f"{_name(group)}: mid-best minus input; Cliff's delta over clips and seeds {delta:+.2f}"
    return Evidence(_all_of(effects, {f"{modality} gate": 1}), effects, note)


def unused_gates_close(runs: Runs, *, below: float) -> Evidence:
    """Mean gate weight of the modalities that a model is not given (C14)."""
    if not runs.modalities:
        return not_run(["a modality alone"])
    lacking = [need for m in layers.layered(runs) if (need := layers.missing_blocks(runs, m))]
    if lacking:
        return not_run(lacking)
    _, videos = runs.truth("test")
    effects, above = {}, {}
    for m in runs.modalities:
        (gates,) = layers.gates(runs, layers.system_of(runs, [m], "mid_best"))
        unused = np.mean([gates[other] for other in MODALITIES if other != m], 0)  # (S, N)
        seeds, resampled = stats.means(unused, videos)
        name = f"given {m}: unused gates"
        effects[name] = stats.estimate(seeds, resampled.mean(1), kind="level")
        above[name] = stats.estimate(seeds - below, resampled.mean(1) - below)
    verdict = _all_of(above, dict.fromkeys(above, -1))
    note = f"mean of the two unused gates over clips and seeds, against {below:g}"
    return Evidence(verdict, effects, note)


def speaker_driven(runs: Runs, *, modality: str, others: list[str]) -> Evidence:
    """Share of the variance of predictions that is within videos, mid-best alone (C9)."""
    _, videos = runs.truth("test")
    if len(set(videos)) == len(videos):
        return not_run(["several clips of a video"])
    wanted, needs = {}, []
    for m in (modality, *others):
        if m not in runs.modalities:
            needs.append(f"{m} features of the same clips")
        elif m in layers.layered(runs) and (lacking := layers.missing_blocks(runs, m)):
            needs.append(lacking)
        else:
            wanted[m] = layers.system_of(runs, [m], "mid_best")
    if not wanted:
        return not_run(needs)
    if missing := lacking_runs(runs, *wanted.values()):
        return not_run([*needs, missing])
    effects, share = {}, {}
    for m, predictions in zip(wanted, runs.predictions("test", *wanted.values()), strict=True):
        variance, share[m] = stats.within_videos(predictions, videos)
        for name, found in (("within/total", share[m]), ("within", variance)):
            effects[f"{m} {name}"] = stats.estimate(
                found.seeds, found.resampled.mean(1), kind="level"
            )
    if needs:
        return not_run(needs, effects, why_undefined(runs, list(wanted.values()), effects))
    differences = {}
    for m in others:
        seeds = share[modality].seeds - share[m].seeds
        resampled = (share[modality].resampled - share[m].resampled).mean(1)
        differences[f"within/total minus {m}"] = stats.estimate(seeds, resampled)
    note = sentence(
        f"variance of predictions within videos over total variance, {modality} minus the others, "
        "then each and its variance within videos",
        *why_undefined(runs, list(wanted.values()), differences),
    )
    verdict = _all_of(differences, dict.fromkeys(differences, -1))
    return Evidence(verdict, differences | effects, note)


# --- what a setting has -------------------------------------------------------------------------


def _groups(
    runs: Runs, wanted: Sequence[str], *, layered: bool = True
) -> tuple[list[Group], list[str]]:
    """Groups that the setting has, of those in which layers can differ, and what it lacks.

    "alone": each modality with layers; "together": all that were trained alone, where a model of
    all was trained. With ``layered=False`` none needs layers.
    """
    if layered and not layers.layered(runs):
        return [], ["layers of an encoder"]
    groups, absent = [], []
    if "alone" in wanted:
        groups += [(m,) for m in layers.layered(runs)]
        others = [m for m in MODALITIES if m not in layers.layered(runs)]
        absent += [f"{' and '.join(others)} layers of the same clips"] if others else []
    if "together" in wanted:
        together = tuple(runs.modalities)
        trained = any(tuple(m for m, _ in s.inputs) == together for s in runs.systems)
        if len(together) > 1 and trained:
            groups.append(together)
        else:
            absent.append("several modalities of the same clips, together and each alone")
    return groups, absent


def _lacking(runs: Runs, group: Group) -> list[str]:
    """What the choice of mid-best blocks needs and the records have not."""
    return [
        need
        for m in group
        if m in layers.layered(runs) and (need := layers.missing_blocks(runs, m))
    ]


def _lacking_layers(runs: Runs, modality: str) -> str | None:
    """The same where the modality must have layers."""
    if modality in runs.modalities and modality not in layers.layered(runs):
        return f"{modality} layers of the same clips"
    return layers.missing_blocks(runs, modality)


def _contrast(
    runs: Runs, metric: stats.Metric, systems: Sequence[System], weights: Sequence[float]
) -> tuple[np.ndarray, np.ndarray]:
    """``stats.contrast`` on the test part."""
    label, videos = runs.truth("test")
    return stats.contrast(metric, label, runs.predictions("test", *systems), weights, videos)


# --- from effects to a verdict ------------------------------------------------------------------


def _all_of(effects: dict[str, Estimate], signs: dict[str, int]) -> Word:
    """All effects with a sign must differ from zero (Holm) and have it; one wrong contradicts."""
    family = [effects[name] for name in signs]
    differs = stats.holm(family)
    claimed = [np.sign(e.effect) == sign for e, sign in zip(family, signs.values(), strict=True)]
    if any(d and not c for d, c in zip(differs, claimed, strict=True)):
        return "contradicted"
    return "supported" if all(differs) and differs else "inconclusive"


def _within(e: Estimate, low: float, high: float) -> Word:
    """Supported if the interval lies within these, contradicted if wholly outside."""
    if low < e.low and e.high < high:
        return "supported"
    return "contradicted" if e.low > high or e.high < low else "inconclusive"


# --- words --------------------------------------------------------------------------------------


def _name(group: Group) -> str:
    return "+".join(group)


def _words(feature: str) -> str:
    return {"mid_best": "mid-best"}.get(feature, feature)


def _how_chosen(runs: Runs, modality: str) -> str:
    """The mid-best block, and how often resamples of the validation part choose it."""
    best = layers.best_block(runs, modality)
    blocks, _, resampled = layers.correlations(runs, modality, "valid")
    if np.isnan(resampled).all():
        return (
            f"{modality} mid-best is undefined (constant predictions), block {best} stands for it"
        )
    chosen = np.nan_to_num(resampled, nan=-np.inf).argmax(1) == blocks.index(best)
    return f"{modality} mid-best is block {best} (in {chosen.mean():.0%} of validation resamples)"


TESTS = (
    better_than,
    beyond_literature,
    gain_largest,
    gate_rises,
    speaker_driven,
    spread_smaller_than,
    best_block_within,
    flat_from,
    best_in_second_half,
    unused_gates_close,
    fusions_equal,
    gain_grows,
    learned_weights_overfit,
)
