"""Records of a paper's systems with planted quality, and of baselines beside them."""

import numpy as np

from msalib.models import recipes
from tests.factory import make_record, predictions

VIDEOS, BY_VIDEO = 24, 8
GOOD, USUAL, BAD = 0.5, 1.0, 2.0
"""Standard deviations of noise."""


def noisy(better, others, good, usual):
    """Noise by system; the usual one first."""
    return dict.fromkeys(others, usual) | dict.fromkeys(better, good)


def truth_of(seed, videos):
    """Part -> labels, videos and common noise of its clips."""
    rng, truth = np.random.default_rng(seed), {}
    for part, count in (("valid", max(2, videos // 2)), ("test", videos)):
        video = np.repeat([f"{part}{v}" for v in range(count)], BY_VIDEO)
        label = np.repeat(rng.normal(0, 0.8, count), BY_VIDEO) + rng.normal(0, 1.2, len(video))
        truth[part] = label.clip(-3, 3).round(1), video, rng.normal(size=len(video))
    return truth


def planted(
    paper,
    noise,
    *,
    seeds=5,
    shared=0.95,
    dataset="raw",
    seed=0,
    videos=VIDEOS,
    extras=None,
    **spec,
):
    """Records of systems by the sd of the noise of what they predict.

    ``shared``: the share of the noise that all systems and trainings have in common. ``extras``
    takes a system and a seed, and returns what its record holds beside predictions. Systems with a
    family are baselines.
    """
    rng, truth, made = np.random.default_rng(seed + 1), truth_of(seed, videos), []
    for one, sd in noise.items():
        family = dict(one.choices).get("family")
        for number in range(seeds):
            parts = {}
            for part, (label, video, common) in truth.items():
                alone = rng.normal(size=len(label))
                error = np.sqrt(shared) * common + np.sqrt(1 - shared) * alone
                parts[part] = predictions(label, label + sd * error, video)
            model = {"family": family}
            if family is None:
                model = {n: one.choice(n, paper=paper) for n in recipes.choices(paper)}
            record = make_record(
                dict(one.inputs),
                number,
                parts=parts,
                paper="baselines" if family else paper,
                dataset=dataset,
                train_share=one.train_share,
                model=model,
                train={},
                **spec,
            )
            made.append(record.model_copy(update=extras(one, number) if extras else {}))
    return made


def as_classes(made):
    """Records with numbers of three classes for labels and predictions."""

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
        changed.append(record.model_copy(update={"predictions": parts}))
    return changed
