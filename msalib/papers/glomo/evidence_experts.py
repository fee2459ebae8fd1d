"""Tests of GLoMo's claims on experts and local vectors (Tables 4, Fig. 3, sections 3.4 and 5.2).

C26 reads how busy the experts were, which a record holds of validation clips (``ExpertUse``).
"""

from collections.abc import Mapping, Sequence

import numpy as np

from msalib.base.stats import Estimate
from msalib.data.corpus import MODALITIES
from msalib.data.tasks import Classes
from msalib.evidence import arms, choices, comparisons, videos
from msalib.evidence.arms import Arm, Contrast
from msalib.evidence.common import Evidence, Word, not_run, sentence
from msalib.evidence.seeds import label as shown_as
from msalib.evidence.seeds import margin, over_seeds, p_text
from msalib.papers.glomo import plan, scope
from msalib.runs.query import Runs
from msalib.runs.records import Record
from msalib.runs.spec import System

# --- a mixture or a layer -----------------------------------------------------------------------

SIZE = ("MLP of as many weights", "all experts active")
"""Arms that part the mixing of few experts from the number of weights."""

VERB = {"supported": "is ahead of", "contradicted": "is behind", "inconclusive": "is not told from"}
"""Verdict of a comparison -> what the first arm is to the second."""


def experts_help(runs: Runs) -> Evidence:
    """C11: the mixture against one layer, in every score.

    A layer with as many weights and a mixture of all experts stand beside it.
    """
    named, metrics = scope.named(runs), scope.scores(runs)
    full, layer = named[plan.FULL], named["MLP_M"]
    judged = comparisons.direction_and_size(runs, [(full, layer)], metrics=metrics)
    if judged.verdict == "not run":
        return judged
    effects, phrases = dict(judged.effects), []
    for other in (named[name] for name in SIZE):
        if arms.lacking(runs, [full, other]):
            phrases.append(f"not run: {other}")
            continue
        beside = comparisons.direction_and_size(runs, [(full, other)], metrics=metrics)
        shown = arms.gains(runs, full, other, metrics)
        effects |= arms.effects(shown, f"{arms.versus(full, other)}: gain in")
        phrases.append(f"it {VERB[beside.verdict]} {other}")
    return judged._replace(effects=effects, note=sentence(judged.note, *phrases))


# --- numbers of experts -------------------------------------------------------------------------


def more_experts_help(runs: Runs) -> Evidence:
    """C13: F1 rises with the experts of every modality, and four of any are above one layer.

    Two levels: the slope of each seed by least squares over all configurations, so that what a seed
    adds to all of them drops out, then its mean over seeds with other videos and trainings. The
    spread of a configuration over seeds stands beside it.
    """
    whole = plan.recorded_whole(runs)
    names = [m for m in MODALITIES if m in whole]
    grid = plan.cells(whole)
    cells = [Arm(system) for system in grid.values()]
    layer = scope.named(runs)["MLP_M"]
    metric = scope.f1(runs)
    if needs := arms.lacking(runs, [*cells, layer]):
        return not_run(needs)
    drawn = arms.sample(runs, [*cells, layer])
    point, resampled = arms.scores(arms.task_of(runs, layer.system), metric, drawn)
    weights = _weights(np.array(list(grid), float), names)
    family = {
        name: Contrast(np.round(w @ point, 12), np.round(resampled @ w, 12)).estimate()
        for name, w in weights.items()
    }
    spread = point[: len(cells)].std(1, ddof=1)
    level = Estimate(float(spread.mean()), spread.min(), spread.max(), np.nan, kind="level")
    unit = shown_as(metric)
    effects = {f"{name} in {unit}": e for name, e in family.items()}
    effects[f"SD over seeds of a configuration (mean, least, most), {unit}"] = level
    note = sentence(
        f"{len(cells)} configurations of {plan.EXPERTS[0]} to {plan.EXPERTS[-1]} experts",
        drawn.covers(),
    )
    return Evidence(videos.all_positive(family), effects, note)


def _weights(experts: np.ndarray, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Return weights of configurations (C, M) and one layer: slopes, and four experts minus it."""
    design = np.column_stack([np.ones(len(experts)), experts])
    slopes = np.linalg.pinv(design)[1:]
    most = experts == plan.EXPERTS[-1]
    found = {
        f"{scope.WORDS[m]}: gain per expert": np.append(slope, 0)
        for m, slope in zip(names, slopes, strict=True)
    }
    return found | {
        f"{scope.WORDS[m]}: four experts over one layer": np.append(column / column.sum(), -1)
        for m, column in zip(names, most.T, strict=True)
    }


# --- halves, and numbers of local vectors -------------------------------------------------------


def halves_differ(runs: Runs) -> Evidence:
    """C14: which half is better, by data set, and the full model above either.

    On CMU-MOSEI global vectors with zeros and local ones without; of classes neither, as on CHERMA;
    elsewhere local vectors, as on CMU-MOSI.
    """
    named, metrics = scope.named(runs), scope.scores(runs)
    full, local, whole = (named[n] for n in (plan.FULL, "Local", "Global"))
    above = comparisons.direction_and_size(runs, [(full, local), (full, whole)], metrics=metrics)
    if isinstance(runs.task, Classes):
        found = {
            "halves alike": comparisons.equivalent(
                runs, [(local, whole)], metrics=metrics, margins=scope.margins(runs)
            )
        }
    elif runs.dataset.startswith("mosei"):
        with_zeros = [m for m in metrics if m.endswith("has0")]
        others = [m for m in metrics if m not in with_zeros]
        found = {
            f"{better} better {words}": comparisons.direction_and_size(runs, [pair], metrics=some)
            for better, words, pair, some in (
                ("global", "with zeros", (whole, local), with_zeros),
                ("local", "without", (local, whole), others),
            )
        }
    else:
        better = comparisons.direction_and_size(runs, [(local, whole)], metrics=metrics)
        found = {"local better": better}
    return comparisons.all_parts({**found, "full above both": above})


def more_vectors_stop_helping(runs: Runs) -> Evidence:
    """C15: the most local vectors gain at most a margin over the smaller number that is chosen.

    Validation chooses, and the choice is repeated in every resample. Page's trend over seeds stands
    beside it.
    """
    systems, metric = plan.locals_(plan.recorded_whole(runs)), scope.f1(runs)
    *smaller, most = systems.values()
    judged = choices.best_over_best(runs, [most], smaller, metrics=[metric])
    if judged.verdict == "not run":
        return judged
    size = margin(scope.margins(runs), metric)
    (gain,) = (e for name, e in judged.effects.items() if name.startswith("choosing"))
    note = sentence(
        judged.note,
        f"margin {size:g}",
        f"one-sided p of Page's trend over seeds: {p_text(_trend(runs, systems, metric))}",
    )
    return Evidence(videos.within(gain, -np.inf, size), judged.effects, note)


def _trend(runs: Runs, systems: Mapping[int, System], metric: str) -> float:
    """Return Page's p that a score rises with the number of local vectors."""
    from scipy.stats import page_trend_test  # takes a second and a half to import

    drawn = arms.sample(runs, [Arm(s) for s in systems.values()])
    point, _ = arms.scores(arms.task_of(runs, systems[1]), metric, drawn)
    return float(page_trend_test(point.T).pvalue)


# --- balance ------------------------------------------------------------------------------------


def losses_keep_balance(runs: Runs) -> Evidence:
    """C26: experts are used more equally with the two losses than without, and none is dead.

    Over seeds, by validation clips; the effect on accuracy stands beside it.
    """
    named = scope.named(runs)
    kept, dropped = named[plan.FULL], named["no balance losses"]
    if needs := arms.lacking(runs, [kept, dropped]):
        return not_run(needs)
    both = runs.records(kept.system, dropped.system)
    if not all(record.extras.use for trained in both for record in trained):
        return not_run(["how busy the experts were, which pooled folds do not hold"])
    variation = [np.array([_variation(r) for r in trained]).T for trained in both]
    dead = [[_has_dead(r) for r in trained] for trained in both]
    word, effects = balance(*variation, dead=any(dead[0]))
    metric = scope.accuracy(runs)
    effects |= arms.effects(arms.gains(runs, kept, dropped, [metric]))
    count = len(both[0])
    note = sentence(
        f"runs with an expert without clips: {sum(dead[0])} of {count} with the losses, "
        f"{sum(dead[1])} of {count} without",
        f"{count} seeds, validation clips",
    )
    return Evidence(word, effects, note)


MEASURES = ("importance", "load")


def balance(
    kept: np.ndarray, dropped: np.ndarray, *, dead: bool
) -> tuple[Word, dict[str, Estimate]]:
    """Judge coefficients of variation (2, S) of importance and load, with the losses and without.

    Supported if both are smaller with them after Holm and no expert is ``dead`` with them;
    contradicted if one is larger.
    """
    effects = {
        f"variation of {name}, less with the losses by": over_seeds(without - with_)
        for name, with_, without in zip(MEASURES, kept, dropped, strict=True)
    }
    word = videos.all_positive(effects)
    return ("inconclusive" if word == "supported" and dead else word), effects


def _variation(record: Record) -> tuple[float, float]:
    """Return how importance and load vary over experts, averaged over modalities."""
    found = [
        [scope.variation(shares) for shares in (use.valid_importance, use.valid_load)]
        for use in record.extras.use.values()
    ]
    importance, load = np.mean(found, 0)
    return float(importance), float(load)


def _has_dead(record: Record) -> bool:
    return any(min(use.valid_load) <= 0 for use in record.extras.use.values())
