"""Records of MMML's systems with planted quality, by output, and the verdict of a test on them."""

import numpy as np

from msalib.data.corpus import TUNED
from msalib.evidence import registry
from msalib.evidence.verdicts import bound_test
from msalib.models import recipes
from msalib.papers.mmml import plan
from msalib.papers.mmml.plan import SOUND, TEXT, system
from msalib.runs.query import Runs
from tests.factory import make_record, predictions

FROZEN = {TEXT: 6, SOUND: 1}
FINE_TUNED = {TEXT: TUNED, SOUND: TUNED}
CLAIMS = {c.rerun.test: c for c in registry.claims("mmml") if c.rerun.test}
GOOD, USUAL, BAD = 0.5, 1.0, 2.0
VIDEOS, BY_VIDEO = 24, 8


def truth_of(seed):
    """Part -> labels of whole clips, labels of a modality by itself, videos, common noise."""
    rng = np.random.default_rng(seed)
    truth = {}
    for part, count in (("valid", VIDEOS // 2), ("test", VIDEOS)):
        video = np.repeat([f"{part}{v}" for v in range(count)], BY_VIDEO)
        size = len(video)
        label = np.repeat(rng.normal(0, 0.8, count), BY_VIDEO) + rng.normal(0, 1.2, size)
        alone = (label + rng.normal(size=size)).clip(-3, 3).round(1)
        truth[part] = label.clip(-3, 3).round(1), alone, video, rng.normal(size=size)
    return truth


def planted(noise, *, seeds=5, own=False, shared=0.95, dataset="raw", seed=0, **spec):
    """Records of systems, by the sd of the noise of what they predict.

    A system's noise is one number, or one by output: "" for the whole, and its heads by modality.
    Heads predict the label of their modality, which is that of the clip unless ``own``. ``shared``:
    the share of the noise that all systems and trainings have in common.
    """
    rng, truth, made = np.random.default_rng(seed + 1), truth_of(seed), []
    for one, sds in noise.items():
        by_output = sds if isinstance(sds, dict) else {"": sds}
        for number in range(seeds):
            parts, heads = {}, {}  # heads are those of the last part, test
            for part, (label, alone, video, common) in truth.items():
                error = np.sqrt(shared) * common + np.sqrt(1 - shared) * rng.normal(size=len(label))
                sd = by_output.get("", USUAL)
                parts[part] = predictions(label, label + sd * error, video)
                aim = alone if own else label
                heads = {m: (aim + by_output.get(m, sd) * error).tolist() for m, _ in one.inputs}
            extras = {"heads": heads}
            if own:
                extras["unimodal_labels"] = dict.fromkeys((TEXT, SOUND), truth["test"][1].tolist())
            record = make_record(
                dict(one.inputs),
                number,
                parts=parts,
                paper="mmml",
                dataset=dataset,
                model={n: one.choice(n, paper="mmml") for n in recipes.choices("mmml")},
                train={},
                **spec,
            )
            made.append(record.model_copy(update=extras))
    return made


def as_classes(made):
    """Records with the numbers of three classes for labels and predictions, heads as well."""

    def numbers(values):
        return np.digitize(values, (-0.7, 0.7)).tolist()

    changed = []
    for record in made:
        parts = {
            part: clips.model_copy(
                update={"label": numbers(clips.label), "prediction": numbers(clips.prediction)}
            )
            for part, clips in record.predictions.items()
        }
        heads = {m: numbers(values) for m, values in record.model_extra["heads"].items()}
        changed.append(record.model_copy(update={"predictions": parts, "heads": heads}))
    return changed


def judged(name, noise, **about):
    """The verdict of a test, with the arguments of its claim, on planted records."""
    return bound_test(CLAIMS[name])(Runs(planted(noise, **about)))


def noisy(first, others, good, usual):
    return dict.fromkeys(others, usual) | dict.fromkeys(first, good)


def windows(*keys, whole=FINE_TUNED):
    return [plan.windows(whole)[key] for key in keys]


BOTH, JOINED = system(FROZEN), system(FROZEN, fusion="concatenation")
WORDS, VOICE = system({TEXT: 6}), system({SOUND: 1})
ONE_LOSS = plan.losses(FROZEN)["one loss"]
COPIED = plan.copied(FROZEN)["three losses, copied labels"]
FULL, WITHOUT, *READINGS = plan.ablations(FROZEN).values()
GRID, DEPTHS = plan.window_grid(FROZEN), plan.depths(FROZEN)
SEPARATE, TOGETHER = (
    windows(*((kind, k) for k in plan.WINDOWS)) for kind in ("separate", "joined")
)
