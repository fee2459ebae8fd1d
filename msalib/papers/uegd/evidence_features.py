"""Tests of UEGD's claims that compare features: one with another, with print, with more clips."""

from collections.abc import Sequence

import numpy as np

from msalib.base import stats
from msalib.base.stats import Estimate
from msalib.data.corpus import MODALITIES
from msalib.data.metrics import METRICS
from msalib.evidence import videos
from msalib.evidence.common import (
    Evidence,
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
from msalib.runs.spec import System


def better_than(
    runs: Runs,
    *,
    features: list[str],
    other: str,
    groups: list[str],
    exception: dict[str, str] | None = None,
) -> Evidence:
    """Test (T-MAE, T-CORR) each of ``features`` against ``other``, by group (C1, C4, C6, C7).

    ``groups``: "alone" and "together". ``exception``: a data set and a modality that the claim
    excepts; their effects are listed and have no part in the verdict.
    """
    chosen, absent = layers.groups(runs, groups)
    effects, partial, signs, needs, phrases, compared = {}, {}, {}, [], [], []
    for group in chosen:
        if missing := layers.missing_choices(runs, group):
            needs += missing
            continue
        pairs = _pairs(runs, group, features, other)
        missing = [need for pair in pairs.values() if (need := lacking_runs(runs, *pair))]
        trained = {name: pair for name, pair in pairs.items() if not lacking_runs(runs, *pair)}
        compared += [s for pair in trained.values() for s in pair]
        differences, claimed = _differences(runs, trained)
        if missing:
            needs += missing
            partial |= differences
            continue
        effects |= differences
        if exception != {"dataset": runs.dataset, "modality": layers.name(group)}:
            signs |= claimed
        phrases += [_how_chosen(runs, m) for m in group if m in layers.layered(runs)]
        if any(ours == theirs for ours, theirs in pairs.values()):
            phrases.append(f"{layers.name(group)}: that is the last block, no difference can show")
    if not effects:
        return not_run(needs or absent, partial, why_undefined(runs, compared, partial))
    note = sentence(
        f"{', '.join(map(_words, features))} minus {_words(other)}",
        *dict.fromkeys(phrases),
        *without(absent + needs),
        *why_undefined(runs, compared, effects),
    )
    return Evidence(videos.all_of(effects, signs), effects, note)


def _pairs(
    runs: Runs, group: layers.Group, features: Sequence[str], other: str
) -> dict[str, tuple[System, System]]:
    """Return the system of each feature with that of ``other``, by the name of their effects."""
    theirs = layers.system_of(runs, group, other)
    names = [layers.name(group)]
    if len(features) > 1:
        names = [f"{layers.name(group)} {_words(feature)}" for feature in features]
    ours = [layers.system_of(runs, group, feature) for feature in features]
    return {name: (system, theirs) for name, system in zip(names, ours, strict=True)}


def _differences(
    runs: Runs, pairs: dict[str, tuple[System, System]]
) -> tuple[dict[str, Estimate], dict[str, int]]:
    """Return the differences of each pair's scores, and the signs of improvements, by name."""
    effects, signs = {}, {}
    for pair_name, pair in pairs.items():
        for metric, difference in videos.differences(runs, *pair).items():
            name = f"{pair_name} {METRICS[metric].label}"
            effects[name], signs[name] = difference, videos.SIGNS[metric]
    return effects, signs


def gain_largest(runs: Runs, *, modality: str, others: list[str]) -> Evidence:
    """Test whether ``modality`` gains more than each of ``others``, mid-best over input (C5)."""
    pairs, effects, needs = {}, {}, []
    for m in (modality, *others):
        if lacking := layers.missing_layers(runs, m):
            needs.append(lacking)
            continue
        pairs[m] = [layers.system_of(runs, [m], f) for f in ("mid_best", "input")]
        if missing := lacking_runs(runs, *pairs[m]):
            needs.append(missing)
            continue
        for metric, gain in videos.gains(runs, pairs[m], [1, -1]).items():
            effects[f"{m} gain {METRICS[metric].label}"] = gain
    compared = [s for pair in pairs.values() for s in pair if runs.has(s)]
    if needs:
        return not_run(needs, effects, why_undefined(runs, compared, effects))
    if missing := lacking_runs(runs, *compared):
        return not_run([missing], effects)
    differences = {
        f"{METRICS[metric].label} minus {m}": difference
        for m in others
        for metric, difference in videos.gains(
            runs, pairs[modality] + pairs[m], [1, -1, -1, 1]
        ).items()
    }
    note = sentence(
        f"{modality} gain of mid-best over input minus that of the others, positive is larger",
        *why_undefined(runs, compared, differences),
    )
    return Evidence(videos.all_positive(differences), differences | effects, note)


def beyond_literature(
    runs: Runs, *, dataset: str, rivals: list[str], metrics: list[stats.Metric], better: bool
) -> Evidence:
    """Test each encoder feature of all three modalities against printed values (C2, C3).

    ``better``: than the best of ``rivals``; else worse than the worst of them. Only as published:
    scores on features of other encoders cannot be compared with these numbers.
    """
    spec = runs.records(runs.systems[0])[0][0].spec
    if spec.setting != "as-published" or spec.dataset != dataset:
        return not_run([f"{dataset} as published: the printed values are of those features"])
    if lacking := [need for m in MODALITIES if (need := layers.missing_layers(runs, m))]:
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
            name = f"{_words(feature)} {METRICS[metric].label} minus printed {value:g}"
            effects[name] = videos.minus_printed(runs, metric, ours, value)
            signs[name] = videos.SIGNS[metric] if better else -videos.SIGNS[metric]
    note = sentence("ours minus the printed value", *why_undefined(runs, compared, effects))
    return Evidence(videos.all_of(effects, signs), effects, note)


def fusions_equal(runs: Runs, *, margin: float) -> Evidence:
    """Test whether gate and concatenation have the same MAE, by two one-sided tests (C15).

    At 5% each, they reject together where the 90% interval lies within the margin.
    """
    chosen, absent = layers.groups(runs, ["together"], with_layers=False)
    if not chosen:
        return not_run(absent)
    (group,) = chosen
    if lacking := layers.missing_choices(runs, group):
        return not_run(lacking)
    gate, concat = (layers.system_of(runs, group, "mid_best", fusion=f) for f in ("gate", "concat"))
    if missing := lacking_runs(runs, gate, concat):
        return not_run([missing])
    drawn = videos.contrast(runs, "mae", [gate, concat], [1, -1])
    difference = stats.estimate(*drawn, level=2 * stats.LEVEL)
    verdict = videos.within(difference, -margin, margin)
    note = f"{layers.name(group)}: gate minus concatenation, margin ±{margin:g} points"
    return Evidence(verdict, {"MAE (90% interval)": difference}, note)


def gain_grows(runs: Runs) -> Evidence:
    """Test whether the gain of mid-best over input grows with the training set (C16).

    The effect is its slope per doubling of the number of clips.
    """
    chosen, absent = layers.groups(runs, ["alone", "together"])
    if not chosen:
        return not_run(absent)
    x = np.log2(SHARES)
    slope = (x - x.mean()) / ((x - x.mean()) ** 2).sum()
    effects, needs, compared = {}, [], []
    for group in chosen:
        if lacking := layers.missing_choices(runs, group):
            needs += lacking
            continue
        pairs = [
            [layers.system_of(runs, group, f, train_share=share) for f in ("mid_best", "input")]
            for share in SHARES
        ]
        systems = [s for pair in pairs for s in pair]
        if not runs.has(*systems):
            needs.append(
                f"{layers.name(group)} input and mid-best at every share of the training clips"
            )
            continue
        compared += systems
        weights = np.outer(slope, [1, -1]).ravel()
        for metric, growth in videos.gains(runs, systems, weights).items():
            effects[f"{layers.name(group)} {METRICS[metric].label} per doubling"] = growth
    if not effects:
        return not_run(needs)
    shares = ", ".join(f"{share:g}" for share in SHARES)
    note = sentence(
        f"slope of the gain of mid-best over input over the shares {shares} of the training clips",
        *without(absent + needs),
        *why_undefined(runs, compared, effects),
    )
    return Evidence(videos.all_positive(effects), effects, note)


def learned_weights_overfit(runs: Runs) -> Evidence:
    """Test whether learned layer weights overfit, compared with equal ones (C17).

    Effects: the difference in test MAE, and in the gap of test to training MAE.
    """
    chosen, absent = layers.groups(runs, ["alone", "together"])
    if not chosen:
        return not_run(absent)
    effects, needs, phrases = {}, [], []
    for group in chosen:
        pair = [layers.system_of(runs, group, f) for f in ("weighted", "uniform")]
        if missing := lacking_runs(runs, *pair):
            needs.append(missing)
            continue
        seeds, resampled = videos.contrast(runs, "mae", pair, [1, -1])
        learned, equal = (
            np.array([record.metrics["train"]["mae"] for record in records])
            for records in runs.records(*pair)
        )
        fitted = learned - equal  # of the training part, which is not resampled
        effects[f"{layers.name(group)} test MAE"] = stats.estimate(seeds, resampled)
        effects[f"{layers.name(group)} gap"] = stats.estimate(
            seeds - fitted, resampled - fitted.mean()
        )
        phrases += _entropies(runs, group)
    if not effects:
        return not_run(needs)
    note = sentence(
        "learned minus equal layer weights; the gap is test minus training MAE",
        *phrases,
        *without(absent + needs),
    )
    return Evidence(videos.all_positive(effects), effects, note)


def _entropies(runs: Runs, group: layers.Group) -> list[str]:
    """Put the entropy of one modality's learned weights in words, by share of the training set.

    It is a share of its maximum: 1 for equal weights.
    """
    phrases = []
    for m in group if len(group) == 1 else ():
        by_share = []
        for share in SHARES:
            weighted = layers.system_of(runs, group, "weighted", train_share=share)
            if runs.has(weighted):
                whole = layers.entropies(runs, m, weighted).mean()
                by_share.append(f"{whole:.3f} at {share:g}")
        phrases.append(f"{m} entropy of the weights, of its maximum: {', '.join(by_share)}")
    return phrases


def _words(feature: str) -> str:
    return {"mid_best": "mid-best"}.get(feature, feature)


def _how_chosen(runs: Runs, modality: str) -> str:
    """Put in words which block is mid-best and how often resamples of the validation set agree."""
    best = layers.best_block(runs, modality)
    blocks, _, resampled = layers.correlations(runs, modality, "valid")
    if np.isnan(resampled).all():
        return f"{modality} mid-best is undefined (constant predictions), block {best} replaces it"
    agree = videos.best_of(resampled) == blocks.index(best)
    return f"{modality} mid-best is block {best} (in {agree.mean():.0%} of validation resamples)"
