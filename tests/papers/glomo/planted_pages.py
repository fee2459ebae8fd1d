"""Records of GLoMo's systems without training, with experts and spaces, for pages."""

import numpy as np

from msalib.models import recipes
from msalib.papers.glomo import plan
from msalib.papers.glomo.plan import FACE, SOUND, TEXT
from tests.factory import make_record, predictions

WHOLE = {FACE: 1, SOUND: 1, TEXT: "last_two"}
SETTING = "control-local: a <small> corpus; release recipe, profile full, 2 seeds"
LABEL = np.random.default_rng(7).normal(0, 1.4, 120).clip(-3, 3).round(1)
VIDEO = [f"v{i // 6}" for i in range(len(LABEL))]


def made(wanted, *, noise=1.0, seeds=2, dataset="control-local", load=(0.5, 0.5, 0.0), **spec):
    """Records of a system: the label plus noise; validation loads are ``load``.

    The first expert takes the test clips with labels below zero, the second one all others.
    """
    rng = np.random.default_rng(sum(map(ord, wanted.name())))
    choices = {"family": "glomo"} | dict(wanted.choices)
    family = recipes.load(choices["family"], "release", "full", dataset)
    recipe = {
        group: {k: type(v)(choices[k]) if k in choices else v for k, v in values.items()}
        for group, values in family.items()
    }
    chosen = np.where(LABEL < 0, 0, 1).tolist()
    use = {
        "importance": [[1 / 3] * 3] * 4,
        "load": [[1 / 3] * 3] * 3 + [list(load)],
        "valid_importance": list(load),
        "valid_load": list(load),
    }
    space = {"separable": 0.9, "dispersion": 0.5, "clusters": 3.0, "silhouette": 0.4, "nmi": 0.2}
    fused = {"silhouette": 0.1, "neighbours": 0.7, "probe": 1 - noise / 10}
    inputs = [m for m, _ in wanted.inputs]
    records = []
    for seed in range(seeds):
        guess = LABEL + noise * rng.normal(size=len(LABEL))
        records.append(
            make_record(
                dict(wanted.inputs),
                seed,
                parts=dict.fromkeys(("valid", "test"), predictions(LABEL, guess, VIDEO)),
                paper="glomo",
                dataset=dataset,
                profile="full",
                **recipe | spec,
            ).model_copy(
                update={
                    "experts": dict.fromkeys(inputs, chosen),
                    "use": dict.fromkeys(inputs, use),
                    "spaces": dict.fromkeys(inputs, space) | {"fused": fused},
                }
            )
        )
    return records


def whole_table():
    """Every system of Table 4 and ours by name."""
    return {**plan.variants(WHOLE), **plan.modalities(WHOLE), **plan.ours(WHOLE)}
