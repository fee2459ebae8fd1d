"""Generated labels by epoch: how far they move, how many targets lie at the ends (Fig. 4).

Records hold the labels of runs through all epochs (``plan.followed``). Notation: S seeds, E epochs,
N training clips. Epoch e is at index e - 1.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from msalib.evidence.printed import names
from msalib.models.extras import GeneratedLabels, Geometry
from msalib.pages.cells import mean_sd
from msalib.pages.tables import Note, Table
from msalib.papers.sugrm import momentum, plan
from msalib.runs.query import Runs
from msalib.runs.records import Record

NOTHING = (
    "No unimodal task was trained through all epochs in this setting: no labels were generated."
)

SHOWN = (1, 2, 3, 5, 10, 15, 30)
"""Epochs that the small pictures of Fig. 4 show."""

LOOKED_AT = (5, 10, 15, 20, 30)
"""Epochs that tables show."""


class LabelHistory(NamedTuple):
    """The labels of one generator by epoch; nan where an epoch has none."""

    id: list[str]
    annotated: np.ndarray  # (N,)
    generated: dict[str, np.ndarray]  # modality -> (S, E, N)
    movement: dict[str, np.ndarray]  # modality -> (S, E); S_e of papers/sugrm.md
    drift: dict[str, np.ndarray]  # the same of the targets, R_e
    clamped: dict[str, np.ndarray]
    percentile: dict[str, np.ndarray]
    largest_midway: dict[str, np.ndarray]  # empty where records are older than it
    largest_elsewhere: dict[str, np.ndarray]

    @property
    def seeds(self) -> int:
        return next(iter(self.generated.values())).shape[0]

    @property
    def epochs(self) -> int:
        return next(iter(self.generated.values())).shape[1]

    def at(self, epochs: Sequence[int]) -> list[int]:
        """Return those of these epochs that were trained, and the last."""
        return sorted({e for e in epochs if e < self.epochs} | {self.epochs})


Histories = Mapping[str, LabelHistory]
"""Name of the generator -> its labels."""


def histories(runs: Runs) -> dict[str, LabelHistory]:
    """Return the labels of each generator, for the seeds that all of them have."""
    systems = plan.followed(plan.recorded_whole(runs))
    present = {name: system for name, system in systems.items() if runs.has(system)}
    if not present or not runs.has(*present.values()):
        return {}
    by_name = zip(present, runs.records(*present.values()), strict=True)
    return {name: _read(seeds) for name, seeds in by_name if _has_labels(seeds[0])}


def _has_labels(record: Record) -> bool:
    return bool(record.extras.labels and record.extras.labels.made)


def _read(seeds: Sequence[Record]) -> LabelHistory:
    labels = [record.extras.labels for record in seeds]
    first = labels[0]
    return LabelHistory(
        id=first.id,
        annotated=np.array(first.given),
        generated={m: np.array([one.made[m] for one in labels]) for m in first.made},
        **{field: _by_modality(labels, field) for field in LabelHistory._fields[3:]},
    )


def _by_modality(labels: Sequence[GeneratedLabels], field: str) -> dict[str, np.ndarray]:
    """Return a measure of each epoch, modality -> (S, E); empty unless all seeds have it."""
    if not all(getattr(one, field) for one in labels):
        return {}
    return {m: np.array([getattr(one, field)[m] for one in labels], float) for m in labels[0].made}


# --- Fig. 4 in numbers --------------------------------------------------------------------------


def settling(by_generator: Histories, *, setting: str) -> Table | Note:
    """Show how far labels and targets still move, beside random labels (SUGRM-C18)."""
    if not by_generator:
        return Note(NOTHING)
    first = next(iter(by_generator.values()))
    null = momentum.null_movement(first.epochs)  # epoch 1 has none
    shown = first.at(LOOKED_AT)
    drifts = [e for e in (4, 15) if e <= first.epochs]
    rows = [
        {"labels": name, "modality": m}
        | {f"S, epoch {e}": over_seeds(history.movement[m][:, e - 1]) for e in shown}
        | {f"R, epoch {e}": over_seeds(history.drift[m][:, e - 1]) for e in drifts}
        for name, history in by_generator.items()
        for m in history.generated
    ]
    rows.append(
        {"labels": "random", "modality": "any"}
        | {f"S, epoch {e}": f"{null[e - 1]:.3f}" for e in shown}
    )
    return Table(
        pd.DataFrame(rows).fillna("-"),
        caption="S: mean change of a label from one epoch to the next, in points of the scale. R: "
        "the same of the targets, before the momentum. Random: targets drawn evenly from -3 to 3 "
        f"under the same momentum. {_how_many(by_generator)} Setting: {setting}.",
    )


def midway(by_generator: Histories, *, setting: str) -> Table | Note:
    """Show how large targets are midway between the centres, and elsewhere (SUGRM-C19)."""
    shown = {name: own for name, own in by_generator.items() if own.largest_midway}
    if not shown:
        return Note("No run of this setting has recorded the size of targets by place.")
    rows = []
    for name, own in shown.items():
        for m in own.generated:
            row = {"labels": name, "modality": m}
            places = {"midway": own.largest_midway[m], "elsewhere": own.largest_elsewhere[m]}
            for place, sizes in places.items():
                sizes = sizes[:, 1:]  # epoch 1 has no target
                typical = 10 ** np.log10(np.maximum(sizes, 1e-6)).mean()
                row[f"{place}, typical"] = _three_digits(typical)
                row[f"{place}, largest"] = _three_digits(sizes.max())
            rows.append(row)
    return Table(
        pd.DataFrame(rows),
        caption="Size of the largest target in an epoch before the clamp, in points. Midway: among "
        "the tenth of the clips nearest midway between the two centres; elsewhere: among the "
        "others. Typical: geometric mean over epochs and seeds. SUGRM's can be no larger than the "
        f"clip's label plus 6. {names.plural(own.seeds, 'seed')}, {len(own.id)} training clips. "
        f"Setting: {setting}.",
    )


def _three_digits(value: float) -> str:
    return f"{float(f'{value:.3g}'):,.10g}"


def limits(by_generator: Histories, *, setting: str) -> Table | Note:
    """Show how many targets lie at the ends of the scale, and how far beyond (SUGRM-X3)."""
    if not by_generator:
        return Note(NOTHING)
    rows = [
        {"labels": name, "modality": m}
        | {f"at the ends, epoch {e}": over_seeds(own.clamped[m][:, e - 1], percent) for e in shown}
        | {
            f"99th percentile, epoch {e}": over_seeds(own.percentile[m][:, e - 1], two)
            for e in shown
        }
        for name, own in by_generator.items()
        for shown in [own.at((2, 15))]
        for m in own.generated
    ]
    return Table(
        pd.DataFrame(rows),
        caption="At the ends: share of targets at or beyond -3 and 3. 99th percentile: of the size "
        "of targets before they are cut, in points; SUGRM's can be no larger than the clip's label "
        f"plus 6. {_how_many(by_generator)} Setting: {setting}.",
    )


def turned(by_generator: Histories, *, setting: str) -> Table | Note:
    """Show how many labels changed sides, and what is left of the annotated ones."""
    if not by_generator:
        return Note(NOTHING)
    rows = [
        {"labels": name, "modality": m}
        | {
            f"other side, epoch {e}": over_seeds(across(own.annotated, labels[:, e - 1]), percent)
            for e in own.at((2, 5, 15))
        }
        | {
            "Corr with the annotated label, last epoch": over_seeds(
                pearson(labels[:, -1], own.annotated), two
            )
        }
        | {"Corr with other modalities, last epoch": _alike(own, m)}
        for name, own in by_generator.items()
        for m, labels in own.generated.items()
    ]
    return Table(
        pd.DataFrame(rows),
        caption="Other side: share of labels on the other side of zero from the annotated label. "
        "Corr with other modalities: mean correlation with their generated labels, which is 1 "
        f"where all get the same ones. {_how_many(by_generator)} Setting: {setting}.",
    )


def _alike(history: LabelHistory, modality: str) -> str:
    """Return the mean correlation of one modality's last labels with those of each other."""
    last = {m: labels[:, -1] for m, labels in history.generated.items()}
    pairs = [
        [np.corrcoef(a, b)[0, 1] for a, b in zip(last[modality], labels, strict=True)]
        for m, labels in last.items()
        if m != modality
    ]
    return over_seeds(np.mean(pairs, 0), two) if pairs else "-"


def distances(runs: Runs, *, setting: str) -> Table | Note:
    """Show whether clips with features far apart have labels far apart (SUGRM-C20)."""
    systems = plan.compared(plan.recorded_whole(runs))
    rows = []
    for name in ("SUGRM", "Self-MM"):
        records = runs.records(systems[name])[0] if runs.has(systems[name]) else []
        if geometry := [r.extras.geometry for r in records if r.extras.geometry]:
            rows.append(
                {
                    "system": name,
                    "after epoch 1": mean_sd([g.first for g in geometry], two),
                    "selected epoch": mean_sd([g.selected for g in geometry], two),
                    "higher in": f"{_higher(geometry)} of {len(geometry)} seeds",
                }
            )
    if not rows:
        return Note("No run of this setting has recorded its distances.")
    return Table(
        pd.DataFrame(rows),
        caption="Spearman's correlation between the distance of two test clips' multimodal "
        "features and the distance of their labels, over all pairs: 1 if one orders the pairs as "
        f"the other does, 0 if they have nothing to do with each other. Setting: {setting}.",
    )


def _higher(geometry: Sequence[Geometry]) -> int:
    return sum(g.selected > g.first for g in geometry if None not in (g.first, g.selected))


# --- measures and cells, also of ``truth`` and ``clips`` -----------------------------------------


def pearson(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return Pearson's correlation of a (..., N) with b (N,); nan where either is constant."""
    a, b = a - a.mean(-1, keepdims=True), b - b.mean()
    size = np.sqrt((a * a).sum(-1) * (b * b).sum())
    return (a @ b) / np.where(size > 1e-9, size, np.nan)


def across(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the share of clips (..., N) whose two labels lie on different sides of zero."""
    return (a * b < 0).mean(-1)


def three(value: float) -> str:
    return f"{value:.3f}"


def two(value: float) -> str:
    return f"{value:.2f}"


def percent(value: float) -> str:
    return f"{100 * value:.0f}%"


def over_seeds(values: np.ndarray, show: Callable[[float], str] = three) -> str:
    """Return mean and standard deviation of (S,) as text; a dash where one is undefined."""
    scale = 100 if show is percent else 1
    return "-" if np.isnan(values).any() else mean_sd(values, show, scale)


def _how_many(by_generator: Histories) -> str:
    first = next(iter(by_generator.values()))
    return (
        f"Mean ± standard deviation over {names.plural(first.seeds, 'seed')}; {len(first.id)} "
        "training clips."
    )
