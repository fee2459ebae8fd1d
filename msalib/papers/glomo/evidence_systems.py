"""Tests of GLoMo's claims on earlier systems, and on modalities (Tables 1 to 4).

Earlier systems are those of the namespace ``baselines``, on the same clips and features
(``evidence.baselines``).
"""

from collections.abc import Sequence

import numpy as np

from msalib.base import stats
from msalib.base.stats import LEVEL
from msalib.data import datasets
from msalib.evidence import arms, baselines, comparisons
from msalib.evidence.arms import Arm
from msalib.evidence.common import Evidence, not_run, sentence
from msalib.evidence.seeds import p_text, verdict
from msalib.papers.glomo import plan, scope
from msalib.runs import folds, records
from msalib.runs.query import Runs
from msalib.runs.records import Setting

# --- earlier systems ----------------------------------------------------------------------------


def with_baselines(runs: Runs) -> tuple[Runs, list[Arm]]:
    """Return these records with those of the re-run baselines, and the latter as arms.

    They are those that read every modality, of systems that the paper compares with.
    """
    theirs = baselines.of_setting(runs, plan.PAPER)
    reads = set(plan.recorded_whole(runs))
    family = {s: theirs.example(s).spec.family for s in theirs.systems}
    rivals = [
        s
        for s, name in family.items()
        if name in plan.EARLIER and {m for m, _ in s.inputs} == reads
    ]
    beside = [r for s in rivals for r in theirs.records(s)[0]]
    return runs.beside(beside), [Arm(s, name=family[s].upper()) for s in rivals]


NO_BASELINES = not_run(["re-run baselines on these clips and features"])


def first_in_every_metric(runs: Runs) -> Evidence:
    """C1: GLoMo against every re-run baseline, in every metric of classification."""
    full = scope.named(runs)[plan.FULL]
    both, rivals = with_baselines(runs)
    if not rivals:
        return NO_BASELINES
    return first(both, full, rivals, scope.classification(runs))


def first(runs: Runs, full: Arm, rivals: Sequence[Arm], metrics: Sequence[str]) -> Evidence:
    """Test whether an arm is ahead of every rival in every metric; the best is among them."""
    pairs = [(full, rival) for rival in rivals]
    judged = comparisons.direction_and_size(runs, pairs, metrics=metrics)
    return judged._replace(note=sentence(judged.note, _few(rivals)))


def _few(rivals: Sequence[Arm]) -> str:
    """Say how many systems stand for the printed ones."""
    return f"earlier systems that were re-run: {', '.join(map(str, rivals))}"


POLARITY = ("acc2_non0", "f1_non0")
"""Metrics of C2: without zeros."""


def gains_beyond(runs: Runs, by: float) -> Evidence:
    """C2: GLoMo gains more than ``by`` points over every re-run baseline, without zeros."""
    if not set(POLARITY) <= set(runs.task.shown):
        return not_run(["labels of sentiment with a zero"])
    full = scope.named(runs)[plan.FULL]
    both, rivals = with_baselines(runs)
    if not rivals:
        return NO_BASELINES
    judged = comparisons.beyond(both, [(full, r) for r in rivals], metrics=POLARITY, by=by)
    return judged._replace(note=sentence(judged.note, _few(rivals)))


def one_layer_beats_most(runs: Runs) -> Evidence:
    """C12: the model with one layer for its experts against re-run baselines."""
    arm = scope.named(runs)["MLP_M"]
    both, rivals = with_baselines(runs)
    return beats_most(both, arm, rivals, scope.accuracy(runs)) if rivals else NO_BASELINES


def simple_fusions_beat_most(runs: Runs) -> Evidence:
    """C18: joining, and attending, each against re-run baselines."""
    simple = [scope.named(runs)[name] for name in ("CON", "ATTN_F")]
    both, rivals = with_baselines(runs)
    if not rivals:
        return NO_BASELINES
    return both_beat_most(both, simple, rivals, scope.accuracy(runs))


def both_beat_most(
    runs: Runs, simple: Sequence[Arm], rivals: Sequence[Arm], metric: str
) -> Evidence:
    """Test whether each of some arms beats most rivals."""
    return comparisons.all_parts({str(a): beats_most(runs, a, rivals, metric) for a in simple})


def beats_most(runs: Runs, arm: Arm, rivals: Sequence[Arm], metric: str) -> Evidence:
    """Test whether an arm is better than more than half of its rivals.

    Supported if p of "it beats half of them at most" is at most 2.5%; contradicted if p of "too few
    are ahead of it to deny that" is (``stats.partial_conjunction``). Rivals are not counted.
    """
    if needs := arms.lacking(runs, [arm, *rivals]):
        return not_run(needs)
    gains = {str(rival): arms.gains(runs, arm, rival, [metric])[metric] for rival in rivals}
    most = len(rivals) // 2 + 1
    better = stats.partial_conjunction([g.p_above() for g in gains.values()], most)
    against = len(rivals) - most + 1
    worse = stats.partial_conjunction([g.p_below() for g in gains.values()], against)
    effects = {}
    for name, gain in gains.items():
        effects |= arms.effects({metric: gain}, f"over {name}: gain in")
    note = sentence(
        f"p that at least {most} of {len(rivals)} are beaten: {p_text(better)}",
        f"that at least {against} are ahead: {p_text(worse)}",
        _few(rivals),
        arms.sample(runs, [arm, *rivals]).covers(),
    )
    word = verdict(supported=better <= LEVEL / 2, contradicted=worse <= LEVEL / 2)
    return Evidence(word, effects, note)


# --- modalities ---------------------------------------------------------------------------------


def every_modality_helps(runs: Runs) -> Evidence:
    """C7: the full model against the model without each modality, in every score."""
    if not (smaller := scope.without(runs)):
        return not_run(["two modalities of the same clips"])
    pairs = [(scope.named(runs)[plan.FULL], arm) for arm in smaller.values()]
    return comparisons.direction_and_size(runs, pairs, metrics=scope.scores(runs))


def words_carry_most(runs: Runs, by: float) -> Evidence:
    """C8: without words every score loses more than ``by`` points; chance is shown beside it."""
    if lacks := scope.unlike(runs, plan.TEXT):
        return lacks
    if not (smaller := scope.without(runs)):
        return not_run(["a modality beside words"])
    full, rest, metrics = scope.named(runs)[plan.FULL], smaller[plan.TEXT], scope.scores(runs)
    judged = comparisons.beyond(runs, [(full, rest)], metrics=metrics, by=by)
    if judged.verdict == "not run":
        return judged
    chance = runs.example(rest.system).chance
    constant = {m: 100 * chance[m] for m in metrics if chance.get(m) is not None}
    gains = arms.gains(runs, rest, constant, constant)
    shown = arms.effects(gains, f"{rest} over a constant prediction: gain in")
    behind = [e for e in shown.values() if not e.low > 0]
    note = f"{rest}, {len(shown) - len(behind)} of {len(shown)} scores are above a constant's"
    return judged._replace(effects=judged.effects | shown, note=sentence(judged.note, note))


def face_over_voice(runs: Runs) -> Evidence:
    """C9: words with face against words with voice, in every score."""
    if lacks := scope.unlike(runs, *plan.LETTER):
        return lacks
    smaller = scope.without(runs)
    pair = smaller[plan.SOUND], smaller[plan.FACE]
    return comparisons.direction_and_size(runs, [pair], metrics=scope.scores(runs))


# --- classes of emotion, and polarity -----------------------------------------------------------

POLARITY_OF = {"mustard": "mosi-standardised"}
"""Data set of classes -> that of polarity with the same encoder, for C27."""


def more_for_classes(runs: Runs) -> Evidence:
    """C27: local vectors add more to the accuracy of classes than to that of polarity.

    Both read words alone, in units of the spread over trainings, which is drawn with its own
    uncertainty. It also reads records of ``POLARITY_OF``, of the same encoder, preset and profile.
    """
    if runs.dataset not in POLARITY_OF:
        return not_run(["classes beside polarity, read by one encoder"])
    spec = baselines.spec_of(runs, plan.PAPER)
    beside = Setting(POLARITY_OF[runs.dataset], spec.encoder, spec.preset, spec.profile)
    theirs = Runs(folds.pool(records.find(plan.PAPER, beside)))
    if not theirs.systems:
        return not_run([f"runs on {beside.dataset} with {beside.encoder}"])
    drawn, effects, covers = [], {}, []
    for one in (runs, theirs):
        if lacks := scope.unlike(one, plan.TEXT):
            return lacks
        words = plan.variants({plan.TEXT: plan.recorded_whole(one)[plan.TEXT]})
        pair = [Arm(words[name], name=name) for name in (plan.FULL, "Global")]
        if needs := arms.lacking(one, pair):
            return not_run([f"{need} on {one.dataset}" for need in needs])
        metric = "wa" if "wa" in one.task.shown else "acc2_non0"
        effects |= arms.effects(arms.gains(one, *pair, [metric]), f"{one.dataset}: gain in")
        drawn.append(_in_units_of_trainings(one, pair, metric))
        covers.append(arms.sample(one, pair).covers())
    ours, polarity = drawn
    difference = stats.estimate(ours[0] - polarity[0], ours[1] - polarity[1][::-1])
    word = verdict(supported=difference.low > 0, contradicted=difference.high < 0)
    name = f"difference of gains, {runs.dataset} minus {beside.dataset}, in SD over trainings"
    note = sentence(
        "the full model over the one without local vectors, words alone",
        f"{datasets.dataset(beside.dataset).title} with the same encoder stands for polarity",
        *covers,
    )
    return Evidence(word, {name: difference} | effects, note)


def _in_units_of_trainings(
    runs: Runs, pair: Sequence[Arm], metric: str
) -> tuple[float, np.ndarray]:
    """Return a gain over the pooled SD over seeds of both arms: as it is, and by resample (R,).

    The SD of few trainings is not well known: each resample divides by another that they allow.
    """
    (gain,) = arms.gains(runs, *pair, [metric]).values()
    point, _ = arms.scores(arms.task_of(runs, pair[0].system), metric, arms.sample(runs, pair))
    sd, freedom = np.sqrt(point.var(1, ddof=1).mean()), 2 * (point.shape[1] - 1)
    drawn = stats.with_trainings(gain.seeds, gain.resampled)
    chi = np.random.default_rng(0).chisquare(freedom, size=len(drawn)) / freedom
    return float(gain.seeds.mean() / sd), drawn / sd * np.sqrt(chi)
