"""Tests of GLoMo's claims on fusion, and on spaces of vectors (Table 4, Figs. 2 and 4).

Numbers on vectors are those of records (``base.spaces``): one of each training, so that they are
judged over seeds alone.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from msalib.base.stats import Estimate
from msalib.evidence import arms, comparisons, videos
from msalib.evidence.arms import Arm
from msalib.evidence.common import Evidence, Word, not_run, sentence
from msalib.evidence.seeds import over_seeds, verdict
from msalib.papers.glomo import plan, scope
from msalib.runs.query import Runs

# --- fusion -------------------------------------------------------------------------------------


def joining_beats_summing(runs: Runs) -> Evidence:
    """C17: mean of joining and attending minus mean of summing and multiplying, in every score."""
    named = scope.named(runs)
    four = [named[n] for n in ("CON", "ATTN_F", "SUM", "MUL")]
    if needs := arms.lacking(runs, four):
        return not_run(needs)
    gains = arms.contrasts(runs, four, [0.5, 0.5, -0.5, -0.5], scope.scores(runs))
    effects = arms.effects(gains)
    note = sentence("CON and ATTN_F over SUM and MUL", arms.sample(runs, four).covers())
    return Evidence(videos.all_positive(effects), effects, note)


def guided_fusion_helps(runs: Runs) -> Evidence:
    """C19: the full model against each of four plain fusions, in every score.

    Equal weights for all modalities stand beside it.
    """
    named, metrics = scope.named(runs), scope.scores(runs)
    full, equal = named[plan.FULL], named["equal weights"]
    pairs = [(full, named[n]) for n in ("SUM", "CON", "ATTN_F", "MUL")]
    judged = comparisons.direction_and_size(runs, pairs, metrics=metrics)
    if judged.verdict == "not run":
        return judged
    if arms.lacking(runs, [full, equal]):
        return judged._replace(note=sentence(judged.note, "not run: equal weights"))
    shown = arms.effects(arms.gains(runs, full, equal, metrics), "over equal weights: gain in")
    return judged._replace(effects=judged.effects | shown)


def layer_is_the_worst_mix(runs: Runs) -> Evidence:
    """C20: attention or local weights for the mix, and attention over all, against one layer."""
    named = scope.named(runs)
    pairs = [(named[n], named["MLP_G"]) for n in ("ATTN_G", "ReAt_G", "ATTN_F")]
    return comparisons.direction_and_size(runs, pairs, metrics=scope.scores(runs))


def local_weights_come_close(runs: Runs) -> Evidence:
    """C21: local weights beat the other two replacements, and the full model is a margin ahead."""
    named, metrics = scope.named(runs), scope.scores(runs)
    local = named["ReAt_G"]
    pairs = [(local, named[n]) for n in ("ATTN_G", "MLP_G")]
    return comparisons.all_parts(
        {
            "best of three": comparisons.direction_and_size(runs, pairs, metrics=metrics),
            "close to the full model": comparisons.equivalent(
                runs, [(named[plan.FULL], local)], metrics=metrics, margins=scope.margins(runs)
            ),
        }
    )


def global_weights_help(runs: Runs) -> Evidence:
    """C22: weights from the global vectors against weights from the local ones, in every score."""
    named = scope.named(runs)
    pair = named[plan.FULL], named["ReAt_G"]
    return comparisons.direction_and_size(runs, [pair], metrics=scope.scores(runs))


# --- spaces -------------------------------------------------------------------------------------

MATCH = 0.5
"""Mutual information of clusters and leading experts, from 0 to 1, from which they match; ours."""

CHANCE = 0.5
"""Accuracy by which two equally frequent kinds are told apart without looking."""


def spaces_lie_apart(runs: Runs) -> Evidence:
    """C16: global and local vectors apart, local ones spread more, in a cluster for each expert.

    In the space itself, by modality and for 2, 3 and 4 experts, over seeds.
    """
    systems = plan.experts(plan.recorded_whole(runs))
    read = {s: Arm(system, name=f"{s} experts") for s, system in systems.items()}
    if needs := arms.lacking(runs, list(read.values())):
        return not_run(needs)
    trained = dict(zip(read, runs.records(*systems.values()), strict=True))
    modalities = list(plan.recorded_whole(runs))
    if any(m not in r.extras.spaces for some in trained.values() for r in some for m in modalities):
        return not_run(["numbers on vectors, which pooled folds do not hold"])

    by_number = list(trained.values())
    spaces = {
        m: {
            key: np.array(
                [[r.extras.spaces[m].get(key, np.nan) for r in some] for some in by_number]
            )
            for key in ("separable", "dispersion", "clusters", "nmi")
        }
        for m in modalities
    }
    word, effects = apart(list(trained), spaces)
    seeds = len(by_number[0])
    note = sentence(
        "linear maps, k-means and leading experts, in the space itself",
        f"models with {', '.join(map(str, trained))} experts",
        "spread compares the outputs of one layer with those of another, so that scale enters",
        f"{seeds} seeds, the first test clips",
    )
    return Evidence(word, effects, note)


def apart(
    experts: Sequence[int], spaces: Mapping[str, Mapping[str, np.ndarray]]
) -> tuple[Word, dict[str, Estimate]]:
    """Judge numbers on vectors (experts, S) by modality and name (``spaces.two_kinds``).

    Supported if for each number of experts the interval over seeds of telling the kinds apart is
    above chance, and in every run local vectors spread more, there are as many clusters as experts,
    and clusters match experts. Contradicted if in some modality the number of clusters is the same
    in all runs. What is undefined supports nothing.
    """
    effects, holds, stays = {}, [], []
    wanted = np.array(experts)[:, None]
    for m, numbers in spaces.items():
        kinds, spread, clusters, nmi = (
            numbers[key] for key in ("separable", "dispersion", "clusters", "nmi")
        )
        beyond = {
            "kinds told apart, accuracy above chance": kinds - CHANCE,
            "spread of local over global vectors, above 1": spread - 1,
            f"match of clusters and experts, above {MATCH:g}": nmi - MATCH,
        }
        told, *others = beyond.values()
        holds += [over_seeds(number).low > 0 for number in told]
        holds += [bool((number > 0).all()) for number in others]
        holds.append(bool((clusters == wanted).all()))
        stays.append(bool((clusters == clusters[0, 0]).all()))
        word = scope.WORDS[m]
        effects |= {f"{word}: {name}": over_seeds(x.mean(0)) for name, x in beyond.items()}
        slope = np.polyfit(experts, np.nan_to_num(clusters), 1)[0]
        effects[f"{word}: clusters per expert more"] = over_seeds(slope)
    return verdict(supported=all(holds), contradicted=any(stays)), effects


ORDER = (plan.FULL, "MLP_M", "CON", "Global")
"""Models of Fig. 4 from best to worst: without guided fusion the vectors are joined."""

POLARITIES = {"silhouette": "silhouette", "neighbours": "ten neighbours", "probe": "linear probe"}
"""How well groups of fused vectors part: key in a record -> words."""


def polarities_part(runs: Runs) -> Evidence:
    """C23: fused vectors part the polarities less from model to model of Fig. 4, in all measures.

    Over seeds. Where labels are classes, these are the groups.
    """
    four = [scope.named(runs)[name] for name in ORDER]
    if needs := arms.lacking(runs, four):
        return not_run(needs)
    trained = runs.records(*(arm.system for arm in four))
    if any("fused" not in r.extras.spaces for some in trained for r in some):
        return not_run(["numbers on fused vectors, which pooled folds do not hold"])
    values = np.array(
        [
            [[r.extras.spaces["fused"].get(key, np.nan) for r in some] for some in trained]
            for key in POLARITIES
        ]
    )
    word, effects = in_order(values)
    return Evidence(word, effects, f"{len(trained[0])} seeds, test clips without zeros")


def in_order(values: np.ndarray) -> tuple[Word, dict[str, Estimate]]:
    """Judge measures (3, 4, S) of four models: each model is better than the next in each.

    Supported if every step is positive after Holm over all, contradicted if one is negative.
    """
    effects = {
        f"{better} over {worse}: {words}": over_seeds(of[k] - of[k + 1])
        for words, of in zip(POLARITIES.values(), values, strict=True)
        for k, (better, worse) in enumerate(pairwise(ORDER))
    }
    return videos.all_positive(effects), effects
