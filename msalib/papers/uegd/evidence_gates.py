"""Tests of UEGD's claims about gates (C8, C14) and about variance within videos (C9)."""

import numpy as np

from msalib.base import stats
from msalib.data.corpus import MODALITIES
from msalib.evidence import videos
from msalib.evidence.common import Evidence, lacking_runs, not_run, sentence, why_undefined
from msalib.papers.uegd import layers
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
    if missing := lacking_runs(runs, *pair):
        return not_run([missing])
    ours, theirs = layers.gates(runs, *pair)
    _, video = runs.truth("test")
    seeds, resampled = stats.means(ours[modality] - theirs[modality], video)
    effects = {f"{modality} gate": stats.estimate(seeds, resampled.mean(1))}
    if modality not in layers.layered(runs):
        need = f"{modality} layers of the same clips (here they are the same vectors in both)"
        return not_run([need], effects)
    delta = stats.cliffs_delta(ours[modality].ravel(), theirs[modality].ravel())
    what = f"mid-best minus input; Cliff's delta over clips and seeds {delta:+.2f}"
    note = f"{layers.name(group)}: {what}"
    return Evidence(videos.all_positive(effects), effects, note)


def unused_gates_close(runs: Runs, *, below: float) -> Evidence:
    """Test whether gates close for modalities that a model does not read (C14)."""
    if not runs.modalities:
        return not_run(["a modality alone"])
    lacking = [need for m in layers.layered(runs) if (need := layers.missing_blocks(runs, m))]
    if lacking:
        return not_run(lacking)
    _, video = runs.truth("test")
    effects, above = {}, {}
    for m in runs.modalities:
        (gates,) = layers.gates(runs, layers.system_of(runs, [m], "mid_best"))
        unused = np.mean([gates[other] for other in MODALITIES if other != m], 0)  # (S, N)
        seeds, resampled = stats.means(unused, video)
        name = f"given {m}: unused gates"
        effects[name] = stats.estimate(seeds, resampled.mean(1), kind="level")
        above[name] = stats.estimate(seeds - below, resampled.mean(1) - below)
    note = f"mean of the two unused gates over clips and seeds, against {below:g}"
    return Evidence(videos.all_negative(above), effects, note)


def speaker_driven(runs: Runs, *, modality: str, others: list[str]) -> Evidence:
    """Test whether less of ``modality``'s predictions varies within videos (C9).

    The effect is a share of variance, mid-best alone, minus that of each of ``others``.
    """
    _, video = runs.truth("test")
    if len(set(video)) == len(video):
        return not_run(["several clips of a video"])
    systems, needs = {}, []
    for m in (modality, *others):
        if m not in runs.modalities:
            needs.append(f"{m} features of the same clips")
        elif m in layers.layered(runs) and (lacking := layers.missing_blocks(runs, m)):
            needs.append(lacking)
        else:
            systems[m] = layers.system_of(runs, [m], "mid_best")
    if not systems:
        return not_run(needs)
    if missing := lacking_runs(runs, *systems.values()):
        return not_run([*needs, missing])
    levels, share = {}, {}
    for m, predictions in zip(systems, runs.predictions("test", *systems.values()), strict=True):
        within, share[m] = stats.within_videos(predictions, video)
        for name, variance in (("within/total", share[m]), ("within", within)):
            drawn = variance.seeds, variance.resampled.mean(1)
            levels[f"{m} {name}"] = stats.estimate(*drawn, kind="level")
    if needs:
        return not_run(needs, levels, why_undefined(runs, list(systems.values()), levels))
    differences = {}
    for m in others:
        seeds = share[modality].seeds - share[m].seeds
        resampled = (share[modality].resampled - share[m].resampled).mean(1)
        differences[f"within/total minus {m}"] = stats.estimate(seeds, resampled)
    note = sentence(
        f"variance of predictions within videos over total variance, {modality} minus the others, "
        "then each and its variance within videos",
        *why_undefined(runs, list(systems.values()), differences),
    )
    return Evidence(videos.all_negative(differences), differences | levels, note)
