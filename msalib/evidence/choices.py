"""Test what papers say of the best of several systems, which validation chooses.

A choice that is made on few validation videos would often fall otherwise on other videos or after
other trainings. So the choice is repeated in every resample, and effects are given for the choice
as made and for choosing. Notation: K systems, S seeds, R resamples.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri, stdtrit  # scipy.stats takes a second and a half to import

from msalib.base import stats
from msalib.base.stats import LEVEL, Estimate
from msalib.data.metrics import METRICS
from msalib.evidence import arms, videos
from msalib.evidence.arms import Arm, Contrast, Sample, Score, Scored
from msalib.evidence.common import Evidence, not_run, sentence
from msalib.evidence.seeds import label as shown_as
from msalib.evidence.seeds import verdict
from msalib.runs.query import Runs
from msalib.runs.spec import System


def most_often_chosen(
    runs: Runs,
    claimed: System,
    others: Sequence[System],
    *,
    by: str | None = None,
    minimum: int | None = None,
) -> Evidence:
    """Test whether validation chooses the claimed system rather than one of the others.

    ``by`` is the metric that chooses; by default that of the task. Supported if the claimed system
    is chosen in at least 97.5% of resamples of the validation videos and trainings. Contradicted
    if another system's validation score is higher after Holm.
    """
    systems = [claimed, *others]
    if needs := _lacking(runs, systems, minimum):
        return not_run(needs)
    choice = choose(runs, systems, by)
    effects = {
        f"{shown_as(choice.metric)} on validation, minus {other.name()}": Contrast(
            np.round(choice.seeds[0] - choice.seeds[k], 12),
            np.round(choice.resampled[:, 0] - choice.resampled[:, k], 12),
        ).estimate()
        for k, other in enumerate(others, start=1)
    }
    behind = stats.differ_from_zero(list(effects.values()))
    share = float((choice.places == 0).mean())
    word = verdict(
        supported=share >= 1 - LEVEL / 2,
        contradicted=any(
            differs and e.effect < 0 for e, differs in zip(effects.values(), behind, strict=True)
        ),
    )
    return Evidence(word, effects, sentence(choice.in_words(), choice.covers))


def best_over_best(
    runs: Runs,
    systems: Sequence[System],
    others: Sequence[System],
    *,
    metrics: Sequence[str],
    least: Mapping[str, float] | None = None,
    by: str | None = None,
    minimum: int | None = None,
) -> Evidence:
    """Test whether the best of some systems beats the best of others; validation chooses both.

    One system alone is its own best, so ``others`` may be a fixed rival. The verdict is about
    choosing: supported if every gain, with both choices repeated in each resample, is positive
    after Holm and its mean is at least that of ``least``; contradicted if one is negative. The
    gains of the choice as made stand beside them.
    """
    if needs := _lacking(runs, [*systems, *others], minimum):
        return not_run(needs)
    groups = {"ours": systems, "theirs": others}
    ours, theirs = (choose(runs, group, by) for group in groups.values())
    made = arms.gains(runs, Arm(ours.chosen), Arm(theirs.chosen), metrics)
    task = arms.task_of(runs, systems[0])
    terms = [Term((name,), {(k,): s for k, s in enumerate(g)}) for name, g in groups.items()]
    choosing = {
        metric: effect_of_choosing(
            runs,
            {"ours": ours, "theirs": theirs},
            terms,
            [1, -1],
            partial(arms.scores, task, metric),
        )
        for metric in metrics
    }
    word = videos.all_positive(choosing)
    short = [m for m, size in (least or {}).items() if not choosing[m].effect >= size]
    if word == "supported" and short:
        word = "inconclusive"
    effects = {f"choosing, gain in {shown_as(m)}": e for m, e in choosing.items()}
    effects |= arms.effects(made, "choice as made, gain in")
    sizes = ", ".join(f"{METRICS[m].label} {least[m]:g}" for m in short)
    note = sentence(
        f"best of {len(systems)} over best of {len(others)}",
        *(choice.in_words() for choice in (ours, theirs) if len(choice.systems) > 1),
        f"less than the gain asked for ({sizes})" if short else "",
        arms.sample(runs, [Arm(ours.chosen), Arm(theirs.chosen)]).covers(),
        *arms.undefined(made),
    )
    return Evidence(word, effects, note)


def _lacking(runs: Runs, systems: Sequence[System], minimum: int | None) -> list[str]:
    needs = arms.lacking(runs, [Arm(s) for s in systems], minimum)
    return needs or arms.few_videos(runs, systems[0], "valid")


class Choice(NamedTuple):
    """What validation chooses among systems, on its videos and by resample (``choose``).

    ``seeds`` are validation scores (K, S), positive is better, and ``resampled`` their seed means
    by resample of the validation ``videos`` (R, K). ``places`` (R,) are those of the chosen system
    when other trainings are drawn as well.
    """

    systems: list[System]
    metric: str
    seeds: np.ndarray
    resampled: np.ndarray
    places: np.ndarray
    videos: set[str]
    covers: str

    @property
    def chosen(self) -> System:
        """The system that all validation videos choose."""
        return self.systems[int(videos.best_of(self.seeds.mean(1)))]

    def in_words(self) -> str:
        """Say which system is chosen, and how often each would be in resamples."""
        shares = np.bincount(self.places, minlength=len(self.systems)) / len(self.places)
        order = np.argsort(-shares, kind="stable")
        often = ", ".join(
            f"{self.systems[k].name()} in {shares[k]:.0%}" for k in order if shares[k] >= 0.005
        )
        label = METRICS[self.metric].label
        return f"{label} on validation chooses {self.chosen.name()}; in resamples {often}"


def choose(runs: Runs, systems: Sequence[System], by: str | None = None) -> Choice:
    """Return what validation chooses among systems, by a metric or that of the task."""
    task = arms.task_of(runs, systems[0])
    metric = by or task.selects
    clips = runs.example(systems[0]).predictions["valid"]
    label, names = np.array(clips.label), set(clips.video)
    predictions = np.array(runs.predictions("valid", *systems))
    by_arm = np.broadcast_to(label, (len(systems), len(label)))
    drawn = Sample(by_arm, predictions, np.array(clips.video))
    score = Score(f"{metric} of {task} on validation", partial(arms.scores, task, metric))
    shared = runs.seeds(*systems)
    seeds, resampled = arms.remembered(runs, score, [Arm(s) for s in systems], shared, drawn)
    means = _widened(seeds.mean(1), resampled, len(names))
    places = videos.best_of(means + stats.other_trainings(seeds, len(means)))
    covers = f"{seeds.shape[1]} seeds, {len(label)} validation clips of {len(names)} videos"
    return Choice(list(systems), metric, seeds, means, places, names, covers)


def _widened(point: np.ndarray, resampled: np.ndarray, count: int) -> np.ndarray:
    """Widen resamples (R, K) about their point (K,) as few videos ask for.

    Resamples of n videos have n - 1 of n parts of the variance, and tails of a normal distribution
    instead of Student's t. Validation parts are small: for 7 videos intervals would be a quarter
    too narrow, and equal systems would be told apart too often.
    """
    factor = np.sqrt(count / (count - 1)) * stdtrit(count - 1, 1 - LEVEL / 2)
    return point + (resampled - point) * factor / ndtri(1 - LEVEL / 2)


class Term(NamedTuple):
    """A system that is read on test: a fixed one, or one that depends on choices.

    ``of`` names the choices; ``systems`` maps the places of what each chooses, in this order, to
    the system. A fixed one depends on none: ``Term((), {(): system})``.
    """

    of: tuple[str, ...]
    systems: Mapping[tuple[int, ...], System]


def effect_of_choosing(
    runs: Runs,
    choices: Mapping[str, Choice],
    terms: Sequence[Term],
    weights: Sequence[float],
    score: Callable[[Sample], Scored],
) -> Estimate:
    """Estimate a weighted sum of a test score over terms, with every choice made in each resample.

    Validation and test videos are drawn independently, unless they are the same, as in a
    cross-validation. Trainings are the same for both parts, so what they add is drawn together.
    """
    used = {name: c for name, c in choices.items() if any(name in term.of for term in terms)}
    read = list(dict.fromkeys(s for term in terms for s in term.systems.values()))
    everything = [*read, *(s for choice in used.values() for s in choice.systems)]
    drawn = arms.sample(runs, [Arm(s) for s in everything])
    count = len(read)
    drawn = Sample(drawn.label[:count], drawn.predictions[:count], drawn.videos)
    test, resampled = score(drawn)
    points = [_shared(runs, choice, everything) for choice in used.values()]
    luck = stats.other_trainings(np.concatenate([*points, test]), len(resampled))
    scores = resampled + luck[:, len(luck[0]) - count :]
    places, begin = {}, 0
    for (name, choice), seeds in zip(used.items(), points, strict=True):
        own = slice(begin, begin + len(seeds))
        same = choice.videos == set(drawn.videos)  # draws of as many videos are always the same
        chosen_by = choice.resampled if same else choice.resampled[::-1]
        places[name] = videos.best_of(chosen_by + luck[:, own])
        begin = own.stop
    total = np.zeros(len(scores))
    for term, weight in zip(terms, weights, strict=True):
        table = np.zeros([len(used[name].systems) for name in term.of], int)
        for at, system in term.systems.items():
            table[at] = read.index(system)
        column = table[tuple(places[name] for name in term.of)]
        total += weight * scores[np.arange(len(scores)), column]
    total = np.round(total, 12)  # sums in another order must not tell equal arms apart
    return stats.estimate(float(total.mean()), total)


def _shared(runs: Runs, choice: Choice, everything: Sequence[System]) -> np.ndarray:
    """Return the validation scores (K, S) of a choice's systems by the seeds that all have."""
    own, shared = runs.seeds(*choice.systems), runs.seeds(*everything)
    return choice.seeds[:, [own.index(seed) for seed in shared]]
