"""Table 3 of CMT: how much a learned pooling reads of each audio block, seed by seed."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from msalib.evidence.printed import table as printed_table
from msalib.evidence.seeds import over_seeds
from msalib.pages.cells import interval_text
from msalib.pages.figure import BLUE, INK, Picture, axes_of, mark, style
from msalib.pages.tables import Note, Table
from msalib.papers.cmt import plan, scope
from msalib.papers.cmt.evidence_ingredients import MIDDLE
from msalib.papers.cmt.plan import BLOCKS, NO_PT, POOLER, PT
from msalib.papers.cmt.tables import in_time, pretrains
from msalib.runs.query import Runs
from msalib.runs.spec import System
from msalib.runs.study import Study

POOLED = {POOLER: PT, scope.POOLER_ALONE: NO_PT}
"""Arm that pools the audio blocks -> the same one that reads the last."""


def arms(study: Study) -> dict[str, System]:
    """Return the arms that pool the audio blocks, each with the one that reads the last block."""
    whole = plan.whole_of(study)
    if len(whole) < 2:
        return {}
    named = plan.named(whole)
    kinds = [POOLER, scope.POOLER_ALONE] if pretrains(study) else [scope.POOLER_ALONE]
    arms = {name: named[name] for kind in kinds for name in (kind, POOLED[kind])}
    return in_time(study, arms, (scope.POOLER_ALONE, NO_PT))


def weights(runs: Runs, named: Mapping[str, System]) -> dict[str, dict[int, list[float]]]:
    """Return the weights of the blocks (L,) by arm and seed, as far as records hold them."""
    found = {}
    for name in POOLED:
        if name in named and runs.has(named[name]):
            seeds = runs.records(named[name])[0]
            by_seed = {r.spec.seed: r.extras.layer_weights for r in seeds if r.extras.layer_weights}
            found |= {name: by_seed} if by_seed else {}
    return found


def printed() -> list[float]:
    """Return the printed weights, block 1 first."""
    rows = printed_table.load(plan.PAPER)
    rows = rows[(rows["exhibit"] == "table3") & (rows["metric"] == "weight")]
    return rows.sort_values("variant")["value"].tolist()


def middle(values: Sequence[Sequence[float]]) -> np.ndarray:
    """Return the weight of the blocks in the middle, (S,), of weights (S, L)."""
    return np.array(values)[:, np.isin(BLOCKS, MIDDLE)].sum(1)


def answer(found: Mapping[str, Mapping[int, Sequence[float]]], *, setting: str) -> Note:
    """Say how much of the weight the blocks in the middle have, and which block has most."""
    if not found:
        return Note(f"No run in this setting ({setting}) pools its audio blocks.")
    inside, clauses = " and ".join(map(str, MIDDLE)), []
    for name, by_seed in found.items():
        values = list(by_seed.values())
        share = over_seeds(middle(values), "level") if len(values) > 1 else None
        amount = interval_text(share) if share else f"{middle(values)[0]:.3f}"
        largest = [int(np.argmax(v)) + 1 for v in values]
        counted = ", ".join(f"block {k} in {largest.count(k)}" for k in sorted(set(largest)))
        moved = np.abs(np.array(values) - 1 / len(BLOCKS)).max()
        clauses.append(
            f"{name}: blocks {inside} have {amount} of the weight, and equal weights would give "
            f"them {len(MIDDLE) / len(BLOCKS):g}; no weight differs from an equal one by more than "
            f"{moved:.3f}; the largest weight by seed: {counted}"
        )
    theirs = printed()
    return Note(
        f"{'. '.join(clauses)}. In the printed run they have {sum(theirs[1:3]):.3f}, and block "
        f"{int(np.argmax(theirs)) + 1} has the largest weight. Intervals of 95% cover other "
        f"trainings. Setting: {setting}."
    )


def table(found: Mapping[str, Mapping[int, Sequence[float]]], *, setting: str) -> Table | Note:
    """Show the weights of the blocks by arm and seed, and the printed ones."""
    rows = [
        {"arm": name, "seed": str(seed)} | _row(values)
        for name, by_seed in found.items()
        for seed, values in by_seed.items()
    ]
    if not rows:
        return Note(f"No run here pools its audio blocks yet. Setting: {setting}.")
    rows.append({"arm": f"{POOLER}, printed", "seed": "one run"} | _row(printed()))
    return Table(
        pd.DataFrame(rows),
        caption="Softmax weights of the audio blocks with the weights that validation selects. "
        f"They begin equal, at {1 / len(BLOCKS):g}. Setting: {setting}.",
    )


def _row(values: Sequence[float]) -> dict[str, str]:
    return {f"block {k}": f"{v:.3f}" for k, v in zip(BLOCKS, values, strict=True)} | {
        "2 and 3": f"{middle([values])[0]:.3f}",
        "largest": str(int(np.argmax(values)) + 1),
    }


@style
def figure(found: Mapping[str, Mapping[int, Sequence[float]]], *, setting: str) -> Picture | Note:
    """Show the weights by block: a line per seed, and the printed ones."""
    if not found:
        return Note(f"No run here pools its audio blocks yet. Setting: {setting}.")
    drawing, panels = axes_of(2.6 + 0.4 * len(found), ncols=len(found), sharey=True, squeeze=False)
    sentences = []
    for axes, (name, by_seed) in zip(panels[0], found.items(), strict=True):
        for seed, values in by_seed.items():
            axes.plot(BLOCKS, values, ".-", color=BLUE, linewidth=0.8)
            for block, value in zip(BLOCKS, values, strict=True):
                mark(axes, block, value, f"{name}, seed {seed}, block {block}: {value:.3f}")
        for block, value in zip(BLOCKS, printed(), strict=True):
            mark(axes, block, value, f"printed, block {block}: {value:.3f}")
        axes.plot(BLOCKS, printed(), "s--", color="#D55E00", markersize=5, label="printed")
        axes.axhline(1 / len(BLOCKS), color=INK, linewidth=0.8, linestyle=":")
        axes.set_title(name, fontsize=9)
        axes.set_xticks(BLOCKS)
        axes.set_xlabel("audio block")
        means = ", ".join(f"{v:.3f}" for v in np.mean(list(by_seed.values()), 0))
        sentences.append(f"{name}, mean over {len(by_seed)} seeds: {means}")
    panels[0, 0].set_ylabel("weight")
    panels[0, 0].set_ylim(bottom=0)
    panels[0, -1].legend(fontsize=9)
    return Picture(
        drawing,
        alt=f"Weights of the audio blocks. {'; '.join(sentences)}.",
        caption="Weights of the audio blocks. Blue: ours, a line per seed; dashed: printed, of one "
        f"run on CMU-MOSEI; dotted: equal weights. Setting: {setting}.",
    )
