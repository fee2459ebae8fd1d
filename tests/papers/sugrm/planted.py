"""Records of SUGRM's systems with planted effects, and the verdict of a claim on them."""

from functools import cache

import numpy as np

from msalib.data.metrics import METRICS
from msalib.evidence import registry
from msalib.evidence.verdicts import judge
from msalib.models import recipes
from msalib.models.extras import GeneratedLabels
from msalib.papers.sugrm.plan import compared, followed, losses, module_grid, task_grid
from msalib.papers.sugrm.scope import ALL
from tests.factory import make_record, predictions

THREE = {"visual": 24, "acoustic": 24, "linguistic": "tuned"}
MOSI = {"acoustic": 1, "linguistic": "tuned"}
MMMO = {"visual": 1, "acoustic": 1}
WHOLE = {"mosi": MOSI, "mmmo-stretched": MMMO, "control": THREE, "control-opposite": THREE}
SMALL = predictions([1.0, -1.0, 0.0], [0.9, -1.0, 0.1], ["a", "b", "c"])
UNIT = {"mae": 0.02, "corr": 0.02}  # an accuracy has one point of a hundred


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


def named(whole):
    """Systems of all tables."""
    return compared(whole) | task_grid(whole) | losses(whole) | followed(whole) | module_grid(whole)


def one(wanted, seed, dataset, rng, better=0.0, encoder="made"):
    """A record whose metrics are better than usual by so many units, all or each, plus noise."""
    record = make_record(
        dict(wanted.inputs),
        seed,
        parts={"valid": SMALL, "test": SMALL},
        paper="sugrm",
        dataset=dataset,
        encoder=encoder,
        model={n: wanted.choice(n, paper="sugrm") for n in recipes.choices("sugrm")},
    )
    test = {}
    for metric in ALL:
        up = better.get(metric, 0.0) if isinstance(better, dict) else better
        sign = 1 if METRICS[metric].higher_is_better else -1
        test[metric] = 0.7 + sign * UNIT.get(metric, 0.01) * (up + 0.1 * rng.normal())
    return record.model_copy(update={"metrics": {**record.metrics, "test": test}})


def seeds_of(systems, dataset="mosi", seeds=5, seed=0, **fields):
    """Records of systems, by how many units they are better than usual."""
    rng = np.random.default_rng(seed)
    return [
        one(wanted, k, dataset, rng, better, **fields)
        for wanted, better in systems.items()
        for k in range(seeds)
    ]


def setting(dataset="control", only=None, better=None, **fields):
    """Records of all systems, or ``only`` some; ``better``: name -> how many units."""
    systems = named(WHOLE[dataset])
    ahead = {systems[name]: value for name, value in (better or {}).items()}
    chosen = {systems[name]: ahead.get(systems[name], 0.0) for name in only or systems}
    return seeds_of(chosen, dataset, **fields)


def changed(records, wanted, change):
    """Records of one system after ``change`` (record -> fields)."""
    copies = [r.model_copy(update=change(r)) if r.spec.system == wanted else r for r in records]
    for copy in copies:
        copy.__dict__.pop("extras", None)  # read before the change, and copied with it
    return copies


def generated(movement=(0.01,) * 30, drift=None, clamped=0.1, percentile=3.0, made=None, **more):
    """Generated labels that move like this, by epoch, the same for all modalities."""
    epochs = len(movement)
    drift = [1 / e for e in range(1, epochs + 1)] if drift is None else drift

    def each(values):
        return {m: list(values) for m in THREE}

    fields = {
        "id": ["a", "b"],
        "video": ["a", "b"],
        "given": [1.0, -1.0],
        "movement": each([None, *movement[1:]]),
        "drift": each([None, None, *drift[2:]]),
        "clamped": each([None, *[clamped] * (epochs - 1)]),
        "percentile": each([None, *[percentile] * (epochs - 1)]),
    }
    return GeneratedLabels(**fields | ({"made": made} if made else {}) | more)


def with_labels(records, name, make):
    """Records of a followed system with the labels that ``make(seed)`` gives."""
    whole = WHOLE[records[0].spec.dataset]
    return changed(records, followed(whole)[name], lambda r: {"labels": make(r.spec.seed)})
