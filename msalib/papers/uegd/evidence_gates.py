"""Tests of UEGD's claims about the gate of speech (C8) and about variance within videos (C9)."""

import numpy as np

from msalib.base import stats
from msalib.evidence import videos
from msalib.evidence.arms import Sample, Score, Scored
from msalib.evidence.common import Evidence, not_run, sentence, why_undefined
from msalib.papers.uegd import choosing, layers
from msalib.papers.uegd.choosing import Terms
from msalib.runs.query import Runs


def gate_rises(runs: Runs, *, modality: str) -> Evidence:
    """Test whether mid-best opens the gate of ``modality`` in the joint model, over input (C8)."""
    chosen, absent = layers.groups(runs, ["together"])
    if not chosen:
        return not_run(absent)
    (group,) = chosen
    if modality not in group:
        return not_run([f"{modality} layers of the same clips"])
    if lacking := layers.missing_choices(runs, group):
        return not_run(lacking)
    pair = [layers.system_of(runs, group, f) for f in ("mid_best", "input")]
    if missing := layers.lacking(runs, *pair):
        return not_run([missing])
    ours, theirs = layers.gates(runs, *pair)
    _, video = runs.truth("test")
    opened = ours[modality] - theirs[modality]
    _, resampled = stats.means(opened.mean(0), video)
    effects = {f"{modality} gate": stats.estimate(opened.mean(-1), resampled)}
    if modality not in layers.layered(runs):
        need = f"{modality} layers of the same clips (here they are the same vectors in both)"
        return not_run([need], effects)
    delta = stats.cliffs_delta(ours[modality].ravel(), theirs[modality].ravel())
    note = sentence(
        f"{layers.name(group)}: mid-best as chosen, a choice that is not repeated, minus input "
        f"embeddings; Cliff's delta over clips and seeds {delta:+.2f}",
        layers.covers(runs, group, pair),
    )
    return Evidence(videos.all_positive(effects), effects, note)


def speaker_driven(runs: Runs, *, modality: str, others: list[str]) -> Evidence:
    """Test whether less of ``modality``'s predictions varies within videos (C9).

    The effect is a share of variance, mid-best alone, minus that of each of ``others``.
    """
    _, video = runs.truth("test")
    if len(set(video)) == len(video):
        return not_run(["several clips of a video"])
    terms, needs = {}, []
    for m in (modality, *others):
        if m not in runs.modalities:
            needs.append(f"{m} features of the same clips")
        elif m in layers.layered(runs) and (lacking := layers.missing_blocks(runs, m)):
            needs.append(lacking)
        else:
            terms[m] = choosing.term(runs, (m,), "mid_best")
    if not terms:
        return not_run(needs)
    made = choosing.made(runs, list(terms))
    every = Terms(runs, made, list(terms.values()))
    if missing := every.lacking():
        return not_run([*needs, missing])
    levels = {}
    for m, predictions in zip(terms, runs.predictions("test", *every.as_chosen), strict=True):
        within, share = stats.within_videos(predictions, video)
        for name, variance in (("within/total", share), ("within", within)):
            levels[f"{m} {name}"] = stats.estimate(*variance, kind="level")
    if needs:
        return not_run(needs, levels, why_undefined(runs, every.as_chosen, levels))
    differences, decide, phrases = {}, [], []
    for m in others:
        pair = Terms(runs, made, [terms[modality], terms[m]])
        one = pair.effects(
            f"within/total minus {m}", [1, -1], Score("within/total", _shares_within)
        )
        differences |= one.effects
        decide += one.decide
        phrases += choosing.in_words(runs, pair, f"{modality} and {m}")
    note = sentence(
        f"variance of predictions within videos over total variance, {modality} minus the others, "
        "then each as chosen and its variance within videos",
        *dict.fromkeys(phrases),
        layers.covers(runs, terms, every.as_chosen),
        *why_undefined(runs, every.as_chosen, differences),
    )
    word = videos.all_negative({name: differences[name] for name in decide})
    return Evidence(word, differences | levels, note)


def _shares_within(drawn: Sample) -> Scored:
    """Return the shares of variance within videos as ``choices.Scored``."""
    shares = [stats.within_videos(seeds, drawn.videos)[1] for seeds in drawn.predictions]
    return np.array([s.seeds for s in shares]), np.stack([s.resampled for s in shares], axis=1)
