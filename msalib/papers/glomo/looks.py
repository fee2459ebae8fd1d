"""What records say of GLoMo's experts and vectors: how busy experts are, what they take, spaces.

From the extras of records (``models.extras.ExpertExtras``). An expert is *dead* where no
validation clip is routed to it: its gate is zero for all of them. An expert that is second on every
test clip is not dead.
Several folds as one record keep the experts of the test clips, not the rest.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from msalib.data.corpus import Corpus
from msalib.models.extras import ExpertUse
from msalib.pages.cells import mean_sd
from msalib.pages.tables import Note, Table
from msalib.papers.glomo import plan, scope
from msalib.runs.query import Runs
from msalib.runs.records import Record
from msalib.runs.spec import System

BALANCE = ("GLoMo", "no balance losses")
"""Arms with and without the two losses."""


def balanced(whole: plan.Whole) -> dict[str, System]:
    """Return the full model with and without the balance losses."""
    return {BALANCE[0]: plan.system(whole), BALANCE[1]: plan.ours(whole)[BALANCE[1]]}


def used(runs: Runs, system: System) -> list[Mapping[str, ExpertUse]]:
    """Return how busy the experts were, a mapping by modality for each seed that has it."""
    seeds = runs.records(system)[0] if runs.has(system) else []
    return [record.extras.use for record in seeds if record.extras.use]


def first(runs: Runs, system: System) -> Record | None:
    """Return the first recorded seed of a system; None where there is none."""
    return runs.records(system)[0][0] if runs.has(system) else None


# --- load ---------------------------------------------------------------------------------------


class Dead(NamedTuple):
    """How many experts are dead, of how many, and the first choice of no test clip."""

    count: int
    experts: int
    never_first: int


def dead(records: Iterable[Record]) -> Dead:
    """Count the dead experts of these records, over modalities."""
    count = experts = never_first = 0
    for record in records:
        for m, use in record.extras.use.items():
            experts += len(use.valid_load)
            count += sum(load == 0 for load in use.valid_load)
            taken = set(record.extras.experts[m])
            never_first += sum(k not in taken for k in range(len(use.valid_load)))
    return Dead(count, experts, never_first)


def balance_table(runs: Runs, named: Mapping[str, System], *, setting: str) -> Table | Note:
    """Show how unequally busy the experts are, and how many are dead, by arm and modality."""
    rows = []
    for name, system in named.items():
        seeds = used(runs, system)
        for m in seeds[0] if seeds else ():
            rows.append(
                {
                    "arm": name,
                    "modality": m,
                    "CV of importance": _cv(use[m].valid_importance for use in seeds),
                    "CV of load": _cv(use[m].valid_load for use in seeds),
                    "largest share of clips": mean_sd(
                        [max(use[m].valid_load) for use in seeds], "{:.2f}".format
                    ),
                }
            )
        if seeds:
            count = dead(runs.records(system)[0])
            rows[-len(seeds[0])] |= {
                "dead": f"{count.count} of {count.experts}",
                "never first on test": f"{count.never_first} of {count.experts}",
            }
    if not rows:
        return Note(f"No record here holds how busy experts are. Setting: {setting}.")
    return Table(
        pd.DataFrame(rows).fillna(""),
        caption="Validation clips, selected weights, mean ± standard deviation over seeds. CV: "
        "standard deviation over mean of the experts' shares, 0 where all are equal. Dead: no "
        "validation clip is routed to the expert. Never first on test: no test clip has its "
        "largest gate there, which an expert can be that is second everywhere. Both are counted "
        f"over modalities and seeds. Setting: {setting}.",
    )


def _cv(shares: Iterable[Sequence[float]]) -> str:
    return mean_sd([scope.variation(s) for s in shares], "{:.2f}".format)


def balance_answer(runs: Runs, named: Mapping[str, System], *, setting: str) -> Note:
    """Say how many experts are dead with and without the two losses."""
    clauses = []
    for name, system in named.items():
        if used(runs, system):
            count = dead(runs.records(system)[0])
            clauses.append(
                f"{name}: {count.count} of {count.experts} experts are dead (no validation clip "
                f"reaches them), and {count.never_first} are the first choice of no test clip"
            )
    if not clauses:
        return Note(f"No record in this setting ({setting}) says how busy the experts were.")
    return Note(f"{'; '.join(clauses)}. Setting: {setting}.")


# --- what an expert takes -----------------------------------------------------------------------

WORDS, RARE = 5, 5
"""Words that are shown of an expert, and clips of the test set that a word must be in."""


def taken_table(record: Record | None, corpus: Corpus | None, *, setting: str) -> Table | Note:
    """Show what each expert of one run takes: how many test clips, their labels, lengths, words.

    Lengths and words need the clips themselves (``corpus``), planted kinds a simulation.
    """
    if record is None or not record.extras.experts:
        return Note(f"No record here says which expert took which clip. Setting: {setting}.")
    clips, rows = record.predictions["test"], []
    label = np.array(clips.label)
    for m, chosen in record.extras.experts.items():
        chosen = np.array(chosen)
        for k in sorted(set(chosen)):
            mine = chosen == k
            row = {
                "modality": m,
                "expert": k + 1,
                "test clips": f"{mine.sum()} ({mine.mean():.0%})",
            }
            row["label"] = mean_sd(label[mine], "{:.2f}".format)
            rows.append(row | _of_clips(corpus, clips.id, m, mine))
    seed = record.spec.seed
    return Table(
        pd.DataFrame(rows).fillna("-"),
        caption=f"What each expert takes, by the largest gate; seed {seed}. Label and frames: mean "
        "± standard deviation over its clips. Words: those most over-represented in its clips, "
        f"among words of {RARE} clips or more. Numbers of experts mean nothing from one run to the "
        f"next. Setting: {setting}.",
    )


def _of_clips(corpus: Corpus | None, ids: Sequence[str], m: str, mine: np.ndarray) -> dict:
    """Return further columns of an expert's row, as far as the clips are here."""
    if corpus is None or not set(ids) <= set(corpus.utterances.index):
        return {}
    at = corpus.utterances.index.get_indexer(list(ids))
    row = {}
    if m in corpus.features:
        row["frames"] = mean_sd(corpus.features[m].lengths()[at][mine], "{:.1f}".format)
    texts = [str(text).lower().split() for text in corpus.utterances["text"].to_numpy()[at]]
    if m == plan.TEXT and any(texts):
        row["words"] = ", ".join(typical(texts, mine))
    kinds = (corpus.truth or {}).get("kind", {})
    if m in kinds and len(set(np.asarray(kinds[m]))) > 1:
        counted = Counter(int(kind) for kind in np.asarray(kinds[m])[at][mine])
        row["planted kinds"] = ", ".join(f"{kind}: {n}" for kind, n in sorted(counted.items()))
    return row


def typical(texts: Sequence[Sequence[str]], mine: np.ndarray) -> list[str]:
    """Return the words that are most over-represented in the clips of ``mine`` (N,)."""
    inside, everywhere = Counter(), Counter()
    for words, own in zip(texts, mine, strict=True):
        everywhere.update(set(words))
        inside.update(set(words) if own else ())
    share, common = mine.mean(), [w for w, n in everywhere.items() if n >= RARE]
    surprise = {w: (inside[w] - share * everywhere[w]) / everywhere[w] ** 0.5 for w in common}
    return sorted((w for w in surprise if surprise[w] > 0), key=lambda w: (-surprise[w], w))[:WORDS]


# --- spaces -------------------------------------------------------------------------------------

SPACE_COLUMNS = {
    "separable": "whole from pieces",
    "dispersion": "spread of pieces / whole",
    "clusters": "clusters",
    "silhouette": "silhouette",
    "nmi": "clusters and gates (NMI)",
}


def _spaces(runs: Runs, system: System) -> list[dict[str, dict[str, float]]]:
    """Return the numbers on vectors of each training that has some."""
    records = runs.records(system)[0] if runs.has(system) else []
    return [record.extras.spaces for record in records if record.extras.spaces]


def _modalities(spaces: Sequence[Mapping]) -> list[str]:
    """Return the modalities whose two kinds of vectors were compared."""
    return [m for m in (spaces[0] if spaces else ()) if m != "fused"]


def space_table(runs: Runs, named: Mapping[str, System], *, setting: str) -> Table | Note:
    """Show numbers on global and local vectors in their own space, by arm and modality."""
    rows = []
    for name, system in named.items():
        spaces = _spaces(runs, system)
        for m in _modalities(spaces):
            numbers = {
                title: mean_sd([space[m].get(key) for space in spaces], "{:.2f}".format)
                for key, title in SPACE_COLUMNS.items()
            }
            rows.append({"arm": name, "modality": m, "seeds": len(spaces)} | numbers)
    if not rows:
        return Note(f"No record here holds numbers on its vectors. Setting: {setting}.")
    return Table(
        pd.DataFrame(rows),
        caption="Vectors of the first 300 test clips in their own space, mean ± standard deviation "
        "over seeds. Whole from pieces: share that a linear map tells apart. Clusters: number of "
        "k-means clusters with the best silhouette, of two to six. NMI: 1 where clusters and the "
        f"experts with the largest gates agree, 0 where they have nothing in common. {setting}.",
    )


def space_answer(runs: Runs, system: System, *, setting: str) -> Note:
    """Say how well both kinds of vectors lie apart, and how many clusters the local ones form."""
    spaces, clauses = _spaces(runs, system), []
    for m in _modalities(spaces):
        values = {key: [space[m].get(key) for space in spaces] for key in SPACE_COLUMNS}
        apart = mean_sd(values["separable"], "{:.2f}".format)
        clusters = ", ".join(f"{k:.0f}" for k in values["clusters"] if k is not None)
        clauses.append(
            f"{m}: a linear map tells {apart} of the vectors apart, and the local ones form "
            f"{clusters or 'an undefined number of'} clusters (by seed)"
        )
    if not clauses:
        return Note(f"No record in this setting ({setting}) holds numbers on its vectors.")
    use = runs.records(system)[0][0].extras.use
    experts = len(next(iter(use.values())).valid_load)
    return Note(f"With {experts} experts, {'; '.join(clauses)}. Setting: {setting}.")


def fused_answer(runs: Runs, named: Mapping[str, System], *, setting: str) -> Note:
    """Order the arms by how well a linear map tells the classes apart in their fused vectors."""
    probes = {}
    for name, system in named.items():
        values = [space.get("fused", {}).get("probe") for space in _spaces(runs, system)]
        if any(value is not None for value in values):
            probes[name] = [value for value in values if value is not None]
    if not probes:
        return Note(f"No record in this setting ({setting}) holds numbers on fused vectors.")
    ordered = sorted(probes, key=lambda name: -np.mean(probes[name]))
    listed = ", ".join(
        f"{name} ({mean_sd(probes[name], lambda v: f'{100 * v:.1f}')})" for name in ordered
    )
    return Note(
        f"Accuracy of a linear probe in percent, best first: {listed}. The claims below say "
        f"which of these steps are more than chance. Setting: {setting}."
    )


FUSED_COLUMNS = {
    "silhouette": "silhouette",
    "neighbours": "ten neighbours (%)",
    "probe": "linear probe (%)",
}


def fused_table(runs: Runs, named: Mapping[str, System], *, setting: str) -> Table | Note:
    """Show how well classes lie apart in the fused vectors of several arms."""
    rows = []
    for name, system in named.items():
        seeds = runs.records(system)[0] if runs.has(system) else []
        spaces = [record.extras.spaces.get("fused", {}) for record in seeds]
        if not any(spaces):
            continue
        row = {"arm": name, "seeds": len(spaces)}
        for key, title in FUSED_COLUMNS.items():
            show = "{:.3f}".format if key == "silhouette" else lambda v: f"{100 * v:.1f}"
            scale = 1 if key == "silhouette" else 100
            row[title] = mean_sd([space.get(key) for space in spaces], show, scale)
        rows.append(row)
    if not rows:
        return Note(f"No record here holds numbers on fused vectors. Setting: {setting}.")
    return Table(
        pd.DataFrame(rows),
        caption="Fused vectors of test clips in their own space; clips labelled zero are left out. "
        "Mean ± standard deviation over seeds. The probe is fitted on training clips. "
        f"Setting: {setting}.",
    )
