"""Tests of UEGD's claims on models as a whole: beside print, by fusion, by learned weights."""

import numpy as np

from msalib.base import stats
from msalib.data.corpus import MODALITIES
from msalib.data.metrics import METRICS
from msalib.evidence import videos
from msalib.evidence.common import Evidence, not_run, sentence, why_undefined, without
from msalib.evidence.printed import table as printed
from msalib.papers.uegd import layers
from msalib.papers.uegd.layers import SHARES
from msalib.runs.query import Runs

_ENCODED = {"output": "output", "mid_best": "mid-best", "weighted": "weighted"}
"""Features of an encoder -> their names in effects."""


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
    for feature, words in _ENCODED.items():
        ours = layers.system_of(runs, MODALITIES, feature)
        if missing := layers.lacking(runs, ours):
            return not_run([missing], effects)
        compared.append(ours)
        for metric in metrics:
            values = table[table["system"].isin(rivals) & (table["metric"] == metric)]["value"]
            highest = METRICS[metric].higher_is_better == better
            value = values.max() if highest else values.min()
            name = f"{words} {METRICS[metric].label} minus printed {value:g}"
            effects[name] = videos.minus_printed(runs, metric, ours, value)
            signs[name] = videos.SIGNS[metric] if better else -videos.SIGNS[metric]
    note = sentence(
        "ours minus the printed value; mid-best as chosen, a choice that is not repeated",
        layers.covers(runs, MODALITIES, compared),
        *why_undefined(runs, compared, effects),
    )
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
    if missing := layers.lacking(runs, gate, concat):
        return not_run([missing])
    drawn = videos.contrast(runs, "mae", [gate, concat], [1, -1])
    difference = stats.estimate(*drawn, level=2 * stats.LEVEL)
    verdict = videos.within(difference, -margin, margin)
    note = sentence(
        f"{layers.name(group)}: gate minus concatenation, margin ±{margin:g} points",
        "mid-best as chosen" if layers.layered(runs) else "",
        layers.covers(runs, group, [gate, concat]),
    )
    return Evidence(verdict, {"MAE (90% interval)": difference}, note)


def learned_weights_overfit(runs: Runs) -> Evidence:
    """Test whether learned layer weights overfit, compared with equal ones (C17).

    Effects: the difference in test MAE, and in the gap of test to training MAE.
    """
    chosen, absent = layers.groups(runs, ["alone", "together"])
    if not chosen:
        return not_run(absent)
    effects, needs, phrases, compared, covered = {}, [], [], [], []
    for group in chosen:
        pair = [layers.system_of(runs, group, f) for f in ("weighted", "uniform")]
        if missing := layers.lacking(runs, *pair):
            needs.append(missing)
            continue
        compared += pair
        covered += group
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
        layers.covers(runs, covered, compared),
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
