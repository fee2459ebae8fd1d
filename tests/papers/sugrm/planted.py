"""Records of SUGRM's systems with planted effects, and the verdict of a claim on them.

A prediction is the label plus noise, so a system with less noise is better in every metric. Most of
the noise is common to all systems and trainings, so that paired differences are sharp. ``change``
makes some metrics differ from others.
"""

from functools import cache

import numpy as np

from msalib.evidence import registry
from msalib.evidence.verdicts import judge
from msalib.models import recipes
from msalib.models.extras import GeneratedLabels
from msalib.papers.sugrm.plan import compared, followed, losses, module_grid, task_grid
from tests.factory import make_record, predictions

THREE = {"visual": 24, "acoustic": 24, "linguistic": "tuned"}
MOSI = {"acoustic": 1, "linguistic": "tuned"}
MMMO = {"visual": 1, "acoustic": 1}
WHOLE = {
    "mosi": MOSI,
    "mosi-standardised": MOSI,
    "mmmo-stretched": MMMO,
    "control": THREE,
    "control-opposite": THREE,
}
SMALL = predictions([1.0, -1.0, 0.0], [0.9, -1.0, 0.1], ["a", "b", "c"])
NOISE = 1.2  # sd, about that of the labels
BY_VIDEO = 8


@cache
def claims():
    """Claims with a test on records, by the end of their id."""
    return {c.id.removeprefix("SUGRM-"): c for c in registry.claims("sugrm") if c.rerun.test}


def judged(claim, records):
    """The evidence of a claim on records of one setting."""
    (verdict,) = judge([claims()[claim]], records)
    return verdict.evidence


def lacks(evidence, *words):
    """Whether a claim was not judged, and its note names in these words what it needs."""
    needed = evidence.verdict == "not run" and evidence.note.startswith("needs ")
    return needed and all(word in evidence.note for word in words)


# --- systems ------------------------------------------------------------------------------------


def named(whole):
    """Systems of all tables."""
    return compared(whole) | task_grid(whole) | losses(whole) | followed(whole) | module_grid(whole)


def setting(dataset="control", only=None, better=None, change=None, whole=None, **fields):
    """Records of all systems, or of ``only`` some; ``better`` and ``change`` by name.

    ``whole``: the layers that are read, if not those of ``WHOLE``. A corner of the grid of modules
    may be a list.
    """
    systems = named(whole or WHOLE[dataset])

    def by_system(values):
        return {systems[name]: value for name, value in (values or {}).items()}

    names = [tuple(n) if isinstance(n, list) else n for n in only or systems]
    chosen = {systems[name]: 0.0 for name in names}
    ahead = {s: value for s, value in by_system(better).items() if s in chosen}
    return seeds_of(chosen | ahead, dataset, change=by_system(change), **fields)


def seeds_of(
    systems, dataset="mosi", *, seeds=5, seed=0, videos=24, shared=0.9, change=None, **fields
):
    """Records of systems, by how often their noise is halved.

    ``shared``: the part of the noise that is common to all. ``change``: system -> function of the
    labels and its predictions that returns others. Labels are the same for equal ``seed``.
    """
    rng = np.random.default_rng(seed)
    video = np.repeat([f"v{v}" for v in range(videos)], BY_VIDEO)
    of_video = np.repeat(rng.normal(0, 0.8, videos), BY_VIDEO)
    label = (of_video + rng.normal(0, 1.2, len(video))).clip(-3, 3).round(1)
    common = np.sqrt(shared) * rng.normal(size=len(video))
    records = []
    for wanted, halved in systems.items():
        for number in range(seeds):
            alone = np.sqrt(1 - shared) * rng.normal(size=len(video))
            guess = label + NOISE / 2**halved * (common + alone)
            if other := (change or {}).get(wanted):
                guess = other(label, guess)
            records.append(one(wanted, number, dataset, predictions(label, guess, video), **fields))
    return records


def one(wanted, seed, dataset, test, encoder="made"):
    """A record with these predictions of the test clips."""
    return make_record(
        dict(wanted.inputs),
        seed,
        parts={"valid": SMALL, "test": test},
        paper="sugrm",
        dataset=dataset,
        encoder=encoder,
        model={n: wanted.choice(n, paper="sugrm") for n in recipes.choices("sugrm")},
    )


def stretched(factor):
    """Change MAE alone: signs and correlation of predictions stay."""
    return lambda label, guess: factor * guess


def errors_times(factor):
    """Change MAE and correlation alone: no prediction changes its sign."""

    def change(label, guess):
        other = label + factor * (guess - label)
        return np.where((other > 0) == (guess > 0), other, guess)

    return change


def constant(label, guess):
    """Predict the same for all clips, so that there is no correlation."""
    return np.full_like(guess, 0.25)


# --- what else is on record ---------------------------------------------------------------------


def changed(records, wanted, change):
    """Records of one system after ``change`` (record -> fields)."""
    copies = [r.model_copy(update=change(r)) if r.spec.system == wanted else r for r in records]
    for copy in copies:
        copy.__dict__.pop("extras", None)  # read before the change, and copied with it
    return copies


def about(value, seed, spread=0.01):
    """A value that differs from seed to seed; of five seeds, 0 to 4, it is the mean."""
    return value * (1 + spread * (seed - 2))


def generated(movement=(0.01,) * 30, clamped=0.1, midway=3.0, elsewhere=3.0, **more):
    """Generated labels of so much movement by epoch, the same for all modalities.

    ``movement``: values by epoch, or by modality and epoch. ``midway`` and ``elsewhere`` are the
    largest targets there in every epoch; with None for one, the record is an older one.
    """
    by_modality = movement if isinstance(movement, dict) else dict.fromkeys(THREE, movement)
    epochs = len(next(iter(by_modality.values())))

    def each(value):
        return {m: [None] + [value] * (epochs - 1) for m in THREE}

    fields = {
        "id": ["a", "b"],
        "video": ["a", "b"],
        "given": [1.0, -1.0],
        "movement": {m: [None, *values[1:]] for m, values in by_modality.items()},
        "drift": {m: ([None, None] + [0.1] * epochs)[:epochs] for m in THREE},
        "clamped": each(clamped),
        "percentile": each(3.0),
    }
    if None not in (midway, elsewhere):
        fields |= {"largest_midway": each(midway), "largest_elsewhere": each(elsewhere)}
    return GeneratedLabels(**fields | more)


def with_labels(records, name, make):
    """Records of a followed system with the labels that ``make(seed)`` gives."""
    whole = WHOLE[records[0].spec.dataset]
    return changed(records, followed(whole)[name], lambda r: {"labels": make(r.spec.seed)})
