"""Negative controls of CMT: what must come out empty, for pages to show. None is a claim.

Where words say nothing of the label (nEMO), they cannot help. Where a model was pretrained on sound
beside the text of another clip, it cannot have learned to listen to the other stream, and its
weights cannot be worth more than those of true pairs. "Supported" means that a control comes out as
it must. Numbers of pretraining are read from its records (``runs.pretraining.Pretrained``), one of
each seed, so they are judged over seeds.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from msalib.base import stats
from msalib.base.stats import LEVEL, Estimate
from msalib.encoders import resolve_all
from msalib.evidence import arms, comparisons
from msalib.evidence.arms import Arm
from msalib.evidence.common import Evidence, not_run, sentence
from msalib.evidence.seeds import over_seeds, p_value, verdict
from msalib.papers.cmt import scope
from msalib.papers.cmt.plan import NO_PT, PT
from msalib.runs.pretraining import STREAMS, Pretrained, recipe_of, recorded
from msalib.runs.query import Runs
from msalib.runs.spec import Spec

MARGIN = 0.01
"""MAE that counts as nothing; of shares it is 1 point. Both are ours."""

# --- words that say nothing ---------------------------------------------------------------------


def words_cannot_help(runs: Runs) -> Evidence:
    """Test whether shallow fusion and CMT without pretraining gain less than a margin over sound.

    For data whose words say nothing of the label. Gains are shown where no verdict can be given.
    """
    if lacks := scope.one_stream(runs):
        return lacks
    both = scope.with_baselines(runs)
    named, chosen = scope.named(both), scope.metrics(both, scope.EMOTION)
    pairs = [(named[n], named[scope.SOUND]) for n in (scope.SHALLOW, NO_PT)]
    judged = comparisons.no_gain(both, pairs, metrics=chosen, margins=scope.margins(MARGIN))
    if judged.verdict != "not run":
        return judged
    effects = _shown(both, pairs, chosen)
    counted = arms.sample(both, [named[scope.SOUND]]).covers() if effects else ""
    about = ["intervals of so few videos are too narrow", counted] if effects else []
    return not_run([judged.note.removeprefix("needs ")], effects, about)


def _shown(runs: Runs, pairs: Sequence[tuple[Arm, Arm]], chosen: scope.Metrics) -> dict:
    """Return gains of pairs that have two seeds and two videos, however few that is."""
    effects: dict[str, Estimate] = {}
    for arm, other in pairs:
        if len(runs.seeds(arm.system, other.system)) < 2:
            continue
        if len(set(runs.example(arm.system).predictions["test"].video)) < 2:
            continue
        gains = arms.gains(runs, arm, other, chosen)
        effects |= arms.effects(gains, f"{arms.versus(arm, other)}: gain in")
    return effects


# --- pairs that are none ------------------------------------------------------------------------


def shuffled_weights_gain_nothing(runs: Runs) -> Evidence:
    """Test whether weights pretrained on shuffled pairs gain less than a margin over true ones.

    Beside it: either kind of weights over no pretraining.
    """
    if lacks := scope.one_stream(runs):
        return lacks
    named, chosen = scope.named(runs), scope.metrics(runs, scope.ERROR)
    shuffled, true, none = (named[n] for n in (scope.SHUFFLED, PT, NO_PT))
    judged = comparisons.no_gain(
        runs, [(shuffled, true)], metrics=chosen, margins=scope.margins(MARGIN)
    )
    return scope.beside(runs, judged, [(shuffled, none), (true, none)], chosen)


JUDGED = "text_right"
"""The share that decides; the other is shown. Masked frames are mostly predicted from their own."""

POINTS = 1.0
"""Points of a predicted share that count as nothing; ours."""


def heard(true: Sequence[Pretrained], shuffled: Sequence[Pretrained]) -> Evidence:
    """Test whether true pairs teach a stream to use the other one, and shuffled pairs do not.

    By seed: the share of masked tokens that is predicted with the clip's own sound, minus that with
    another clip's, on held-out true pairs. Supported if over seeds it is positive after true pairs,
    and within a margin of zero after shuffled ones (two one-sided tests at 5%). Contradicted if it
    is negative after true pairs, or beyond the margin after shuffled ones, at 2.5%.
    """
    both = {"true pairs": by_seed(true), "shuffled pairs": by_seed(shuffled)}
    seeds = sorted(set.intersection(*(set(some) for some in both.values())))
    if len(seeds) < arms.SEEDS:
        return not_run([f"{arms.SEEDS} pretrainings on true and on shuffled pairs ({len(seeds)})"])
    uses = {
        (kind, share): np.array([some[seed].heard(share) for seed in seeds])
        for kind, some in both.items()
        for share in STREAMS
    }
    effects = {
        f"{kind}: {STREAMS[share]} predicted with the other stream, points": over_seeds(use)
        for (kind, share), use in uses.items()
    }
    for share, words in STREAMS.items():
        difference = uses["true pairs", share] - uses["shuffled pairs", share]
        effects[f"true minus shuffled pairs: {words}, points"] = over_seeds(difference)
    learned, empty = (uses[kind, JUDGED] for kind in both)
    above, below = p_value(empty, POINTS), p_value(empty, -POINTS, "less")
    word = verdict(
        supported=over_seeds(learned).low > 0
        and np.max([p_value(empty, POINTS, "less"), p_value(empty, -POINTS)]) <= LEVEL,
        contradicted=over_seeds(learned).high < 0 or any(stats.holm([above, below], LEVEL / 2)),
    )
    note = sentence(
        "the clip's own outputs minus those of another clip, on held-out true pairs",
        f"the margin of nothing is {POINTS:g} point of masked tokens",
        f"{len(seeds)} seeds, {true[0].held_out} clips",
    )
    return Evidence(word, effects, note)


def by_seed(records: Sequence[Pretrained]) -> dict[int, Pretrained]:
    """Return records by their seed."""
    return {record.seed: record for record in records}


def of_run(spec: Spec) -> list[Pretrained]:
    """Return what pretraining such as a run's recorded, of any seed: same recipe, encoders, task.

    Raises ``ValueError`` where a seed has two records, such as those of two splits.
    """
    recipe = recipe_of(spec)
    stages = [{**stage._asdict(), "parts": list(stage.parts)} for stage in recipe.stages]
    read: Mapping[str, str] = {m: e.name for m, e in resolve_all(spec.encoder).items()}
    encoders = {m: read[m] for m, _ in spec.system.inputs if m in read}
    task = spec.dataset if any(stage.parts for stage in recipe.stages) else ""
    wanted = stages, encoders, dict(recipe.settings), recipe.masking.model_dump(), task
    found = [
        record
        for record in recorded(spec.family, spec.profile)
        if (record.stages, record.encoders, record.settings, record.masking, record.dataset)
        == wanted
    ]
    if len(found) > len({record.seed for record in found}):
        raise ValueError(f"{spec.system.name()} has two records of pretraining with one seed")
    return found
