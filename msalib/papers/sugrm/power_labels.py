"""How often the tests of SUGRM's claims on labels and distances err: they read no prediction.

They are t-tests over trainings. So what they read of a training is drawn, normally distributed with
the covariance of real trainings: about a claim's border, where no verdict is right, and about what
real trainings show. It is written into copies of real records, which the test itself judges.
Notation: S trainings, V values of each.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from msalib.evidence import registry
from msalib.evidence.arms import SEEDS
from msalib.evidence.error_rates import Cell, Measured
from msalib.evidence.seeds import as_numbers
from msalib.evidence.verdicts import bound_test
from msalib.models.extras import GeneratedLabels, Geometry
from msalib.papers.sugrm.evidence_labels import (
    BOUND,
    log10_of_targets,
    share_at_the_ends,
    true_sentiment,
)
from msalib.papers.sugrm.momentum import null_movement
from msalib.papers.sugrm.plan import compared, followed, recorded_whole
from msalib.runs import records
from msalib.runs.query import Runs
from msalib.runs.records import Record, Setting
from msalib.runs.spec import System

MOSI = Setting("mosi-standardised", "minilm", "release", "full")
CONTROL = Setting("control", "planted", "release", "full")

STUDIES = {"border": 1000, "true": 200}
"""Studies per planted effect: many, for a t-test takes no time."""

NOTHING_PRINTED = "nothing is printed; our own trainings show as much"

AS_RECORDED = "as large as in our trainings"

Values = np.ndarray
"""What a test reads of S trainings, (S, V)."""


@dataclass(frozen=True)
class LabelCase:
    """What a test on labels reads of trainings, and how drawn values are written into records.

    ``systems`` of a setting are read; ``read`` takes their records, system by system, and ``write``
    returns the extras of one record of each for one row of values. Where the claim is true, values
    are as recorded, or ``true``; at the border those that ``borders`` names are zero.
    """

    setting: Setting
    systems: Callable[[Runs], Sequence[System]]
    read: Callable[[Sequence[Sequence[Record]]], Values]
    write: Callable[[Sequence[Record], Values], Sequence[dict]]
    metric: str
    borders: Mapping[str, Sequence[int]]
    true: float | None = None


def _followed(runs: Runs) -> list[System]:
    return list(followed(recorded_whole(runs)).values())


def _labels(record: Record) -> GeneratedLabels:
    return record.extras.labels


def _each(record: Record, number: float) -> dict[str, list[float | None]]:
    """Return the same number for every modality and epoch that has targets."""
    return {m: [None, *[number] * (len(v) - 1)] for m, v in _labels(record).movement.items()}


# --- movement (C18) -----------------------------------------------------------------------------

EPOCH = 15


def _movements(by_system: Sequence[Sequence[Record]]) -> Values:
    """Return log2 of movement over chance by modality, as the test has it."""
    (trained, *_) = by_system
    return np.array([[_over_chance(v) for v in _labels(r).movement.values()] for r in trained])


def _over_chance(movement: Sequence[float | None]) -> float:
    chance = as_numbers(null_movement(len(movement)))
    return float(np.log2((as_numbers(movement) / chance)[EPOCH - 1 :].mean()))


def _moving(trained: Sequence[Record], values: Values) -> list[dict]:
    (record, *_) = trained
    labels = _labels(record)
    movement = {}
    for (m, old), value in zip(labels.movement.items(), values, strict=True):
        chance = null_movement(len(old))
        movement[m] = [None, *(float(step * 2**value) for step in chance[1:])]
    return [{"labels": labels.model_copy(update={"movement": movement})}]


# --- size of targets (C19) and share at the ends (X3) -------------------------------------------


def _sizes(by_system: Sequence[Sequence[Record]]) -> Values:
    """Return log10 of Self-MM's targets midway over the bound, and over those elsewhere."""
    _, theirs = by_system
    midway = log10_of_targets(theirs, "largest_midway")
    elsewhere = log10_of_targets(theirs, "largest_elsewhere")
    return np.stack([midway - np.log10(BOUND), midway - elsewhere], 1)


def _sized(trained: Sequence[Record], values: Values) -> list[dict]:
    ours, theirs = trained
    beyond, more = values
    midway = BOUND * 10**beyond
    update = {
        "largest_midway": _each(theirs, float(midway)),
        "largest_elsewhere": _each(theirs, float(midway / 10**more)),
    }
    return [{"labels": _labels(ours)}, {"labels": _labels(theirs).model_copy(update=update)}]


def _shares(by_system: Sequence[Sequence[Record]]) -> Values:
    """Return how much larger SUGRM's share of targets at the ends is."""
    ours, theirs = map(share_at_the_ends, by_system)
    return (ours - theirs)[:, None]


def _at_the_ends(trained: Sequence[Record], values: Values) -> list[dict]:
    ours, theirs = trained
    (usual,) = share_at_the_ends([theirs])
    return [
        {"labels": _labels(r).model_copy(update={"clamped": _each(r, float(share))})}
        for r, share in ((ours, usual + values[0]), (theirs, usual))
    ]


# --- distances (C20) and truth (C21) ------------------------------------------------------------


def _alignments(by_system: Sequence[Sequence[Record]]) -> Values:
    (trained,) = by_system
    return np.array([[r.extras.geometry.selected - r.extras.geometry.first] for r in trained])


def _aligned(trained: Sequence[Record], values: Values) -> list[dict]:
    (record,) = trained
    first = record.extras.geometry.first
    return [{"geometry": Geometry(first=first, selected=first + float(values[0]))}]


def _agreements(by_system: Sequence[Sequence[Record]]) -> Values:
    """Return by modality how much better made labels correlate with the truth than given ones."""
    (trained, *_) = by_system
    truth = true_sentiment(CONTROL.dataset)
    rows = []
    for labels in map(_labels, trained):
        true = {m: [truth[m][clip] for clip in labels.id] for m in labels.made}
        rows.append(
            [
                np.corrcoef(made[-1], true[m])[0, 1] - np.corrcoef(labels.given, true[m])[0, 1]
                for m, made in labels.made.items()
            ]
        )
    return np.array(rows)


def _agreeing(trained: Sequence[Record], values: Values) -> list[dict]:
    """Make labels whose correlation with the truth is that of the given ones plus a value."""
    (record, *_) = trained
    labels, truth, made = _labels(record), true_sentiment(CONTROL.dataset), {}
    for m, value in zip(labels.made, values, strict=True):
        y = np.array([truth[m][clip] for clip in labels.id])
        y, given = (x - x.mean() for x in (y, np.array(labels.given)))
        rest = given - y * (given @ y) / (y @ y)
        r = np.clip(np.corrcoef(given, y)[0, 1] + value, -0.999, 0.999)
        mixed = r * y / y.std() + np.sqrt(1 - r**2) * rest / rest.std()
        made[m] = [[float(v) for v in mixed]]
    return [{"labels": labels.model_copy(update={"made": made})}]


CASES: Mapping[str, LabelCase] = {
    "SUGRM-C18": LabelCase(
        MOSI,
        lambda runs: _followed(runs)[:1],
        _movements,
        _moving,
        "log2 of movement over chance",
        {"chance in both modalities": (0, 1), "chance in one modality": (0,)},
    ),
    "SUGRM-C19": LabelCase(
        MOSI,
        _followed,
        _sizes,
        _sized,
        "log10 of size",
        {"midway at the bound": (0,), "midway as elsewhere": (1,)},
    ),
    "SUGRM-C20": LabelCase(
        MOSI,
        lambda runs: [compared(recorded_whole(runs))["SUGRM"]],
        _alignments,
        _aligned,
        "rho",
        {"no growth": (0,)},
    ),
    "SUGRM-C21": LabelCase(
        CONTROL,
        lambda runs: _followed(runs)[:1],
        _agreements,
        _agreeing,
        "Corr with the truth",
        {"as the given label": (0, 1, 2)},
        true=0.1,  # our trainings show the opposite, and a correlation has an end
    ),
    "SUGRM-X3": LabelCase(
        MOSI, _followed, _shares, _at_the_ends, "share at the ends", {"equal shares": (0,)}
    ),
}


def measure() -> list[Measured]:
    """Simulate every test on labels."""
    return [_measured(claim, case) for claim, case in CASES.items()]


def _measured(claim: str, case: LabelCase) -> Measured:
    (entry,) = registry.claims("sugrm", [claim])
    runs = Runs(records.find("sugrm", case.setting))
    systems = list(case.systems(runs))
    by_system = runs.records(*systems)
    values = case.read(by_system)
    judge, cells = bound_test(entry), []
    planted = [("border", words, places) for words, places in case.borders.items()]
    recorded = values.mean(0)
    true = recorded if case.true is None else np.full_like(recorded, case.true)
    words_of_true = AS_RECORDED if case.true is None else f"{case.true:g} in each modality"
    for role, words, zero in [*planted, ("true", words_of_true, ())]:
        mean = true.copy()
        mean[list(zero)] = 0
        counts: Counter[str] = Counter()
        for number in range(STUDIES[role]):
            drawn = _draw(values, mean, np.random.default_rng([1, number]))
            counts[judge(_study(by_system, drawn, case)).verdict] += 1
        cells.append(
            Cell(
                role=role,
                words=words,
                metric=case.metric,
                gain=float(f"{mean[0]:.4g}"),
                verdicts=dict(counts),
            )
        )
    return Measured(
        claim=claim,
        test=entry.rerun.test,
        size=case.setting.dataset,
        arms=len(systems),
        quality=None,
        printed=None,
        printed_in=NOTHING_PRINTED if case.true is None else "nothing is printed; the size is ours",
        cells=cells,
    )


def _draw(values: Values, mean: np.ndarray, rng: np.random.Generator) -> Values:
    """Draw ``SEEDS`` trainings about a mean (V,) with the covariance of real ones."""
    centred = values - values.mean(0)
    normal = rng.normal(size=(SEEDS, len(values)))
    return mean + normal @ centred / np.sqrt(len(values) - 1)


def _study(by_system: Sequence[Sequence[Record]], drawn: Values, case: LabelCase) -> Runs:
    """Return records of so many trainings, each a copy of a real one with drawn extras."""
    made = []
    for seed, row in enumerate(drawn):
        originals = [trained[seed % len(trained)] for trained in by_system]
        for record, extras in zip(originals, case.write(originals, row), strict=True):
            spec = record.spec.model_copy(update={"seed": seed})
            made.append(record.under(spec, **extras))
    return Runs(made)
