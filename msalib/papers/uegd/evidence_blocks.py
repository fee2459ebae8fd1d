"""Tests of UEGD's claims about which block is best (C10 to C13).

Correlations are seed means by block, on all clips and on resamples of the videos.
"""

import numpy as np

from msalib.base import stats
from msalib.base.stats import Estimate
from msalib.evidence import videos
from msalib.evidence.common import Evidence, Word, not_run, sentence, why_undefined
from msalib.papers.uegd import layers
from msalib.runs.query import Runs
from msalib.runs.spec import system


def spread_smaller_than(runs: Runs, *, modality: str, others: list[str]) -> Evidence:
    """Test whether correlation varies less over the blocks of ``modality`` than of others (C10)."""
    if lacking := layers.missing_blocks(runs, modality):
        return not_run([lacking])
    spread, resampled = _spread(runs, modality)
    missing = [need for m in others if (need := layers.missing_blocks(runs, m))]
    if missing:
        level = stats.estimate(spread, resampled, kind="level")
        about = why_undefined(runs, layers.block_systems(runs, modality))
        return not_run(missing, {f"spread {modality}": level}, about)
    effects = {}
    for m in others:
        other, other_resampled = _spread(runs, m)
        effects[f"spread vs {m}"] = stats.estimate(spread - other, resampled - other_resampled)
    systems = [s for m in (modality, *others) for s in layers.block_systems(runs, m)]
    note = sentence(
        f"spread over blocks, {modality} minus the other",
        layers.covers(runs, (modality, *others), systems),
        *why_undefined(runs, systems, effects),
    )
    return Evidence(videos.all_negative(effects), effects, note)


def _spread(runs: Runs, modality: str) -> tuple[float, np.ndarray]:
    _, point, resampled = layers.correlations(runs, modality, "test")
    return videos.corrected_range(point, resampled)


def flat_from(runs: Runs, *, modality: str, first: int, margin: float) -> Evidence:
    """Test whether correlation is flat from block ``first`` to the last: range and slope (C12)."""
    if lacking := layers.missing_blocks(runs, modality):
        return not_run([lacking])
    blocks = np.array(layers.blocks(runs, modality))
    if blocks[-1] <= first:
        return not_run([f"more than {first} {modality} blocks (this encoder has {blocks[-1]})"])
    late = blocks >= first
    _, point, resampled = layers.correlations(runs, modality, "test")
    point, resampled = point[late], resampled[:, late]
    extent = videos.range_of(point, resampled)
    x = blocks[late] - blocks[late].mean()
    slope = stats.estimate(point @ x / (x @ x), resampled @ x / (x @ x))
    verdict: Word = "inconclusive"
    if extent.high < margin and slope.low <= 0 <= slope.high:
        verdict = "supported"
    elif extent.low > margin:
        verdict = "contradicted"
    effects = {"range (90% interval)": extent, "slope": slope}
    systems = [system({modality: int(k)}) for k in blocks[late]]
    note = sentence(
        f"correlation over {modality} blocks {first} to {blocks[-1]}, margin {margin:g}; the slope "
        "is per block",
        layers.covers(runs, (modality,), systems),
        *why_undefined(runs, systems, effects),
    )
    return Evidence(verdict, effects, note)


def best_block_within(runs: Runs, *, modality: str, first: int, last: int, blocks: int) -> Evidence:
    """Test whether the best block lies from ``first`` to ``last`` (C11).

    Block numbers mean nothing in an encoder of another depth, so it must have ``blocks``.
    """
    if lacking := layers.missing_blocks(runs, modality):
        return not_run([lacking])
    if (depth := layers.blocks(runs, modality)[-1]) != blocks:
        return not_run([f"an {modality} encoder with {blocks} blocks (this one has {depth})"])
    return _best_blocks(runs, {modality: (first, last)}, f"in {first} to {last}")


def best_in_second_half(runs: Runs) -> Evidence:
    """Test whether the best block of every modality lies beyond the middle (C13)."""
    layered = layers.layered(runs)
    if not layered:
        return not_run(["layers of an encoder"])
    if lacking := [need for m in layered if (need := layers.missing_blocks(runs, m))]:
        return not_run(lacking)
    last = {m: layers.blocks(runs, m)[-1] for m in layered}
    halves = {m: (last[m] // 2 + 1, last[m]) for m in layered}
    return _best_blocks(runs, halves, "beyond the middle")


def _best_blocks(runs: Runs, ranges: dict[str, tuple[int, int]], where: str) -> Evidence:
    """Test whether each modality's best block lies in its range, on validation and on test.

    Supported if in at least 95% of resamples for every modality and part. Contradicted if in at
    most 5% on both parts, divided by the number of modalities, for any of them.
    """
    effects, shares, phrases, undefined = {}, {}, [], []
    for m, (first, last) in ranges.items():
        for part in ("valid", "test"):
            undefined += why_undefined(runs, layers.block_systems(runs, m), part=part)
            if best := _best_block(runs, m, part, first, last):
                effects[f"{m} best block, {part}"], share = best
                shares.setdefault(m, []).append(share)
        if len(shares.get(m, ())) == 2:
            phrases.append(
                f"{m}, of {layers.blocks(runs, m)[-1]} blocks: {where} in {shares[m][0]:.0%} "
                f"(validation) and {shares[m][1]:.0%} (test) of resamples"
            )
        else:
            phrases.append(f"{m}: no block has a correlation in every resample")
    defined = [parts for parts in shares.values() if len(parts) == 2]
    verdict: Word = "inconclusive"
    if any(max(parts) <= stats.LEVEL / len(ranges) for parts in defined):
        verdict = "contradicted"
    elif len(defined) == len(ranges) and min(map(min, defined)) >= 1 - stats.LEVEL:
        verdict = "supported"
    systems = [s for m in ranges for s in layers.block_systems(runs, m)]
    note = sentence(*phrases, layers.covers(runs, ranges, systems), *undefined)
    return Evidence(verdict, effects, note)


def _best_block(
    runs: Runs, modality: str, part: str, first: int, last: int
) -> tuple[Estimate, float] | None:
    """Return the best block, and the share of resamples in which it is ``first`` to ``last``.

    None where no block has a correlation in some resample.
    """
    blocks, correlation, resampled = layers.correlations(runs, modality, part)
    if np.isnan(resampled).all(1).any():
        return None
    drawn = np.array(blocks)[videos.best_of(resampled)]
    low, high = np.quantile(drawn, [stats.LEVEL / 2, 1 - stats.LEVEL / 2])
    share = float(((first <= drawn) & (drawn <= last)).mean())
    best = float(blocks[videos.best_of(correlation)])
    return Estimate(best, low, high, 1 - share, kind="block"), share
