"""Runs on the tiny corpus, as tests of the trainer ask for them."""

from msalib.models import recipes
from msalib.runs.spec import Spec
from tests.factory import MODEL, TRAIN

CLOSE = 1e-4


def spec(inputs, seed=0, **changes):
    model = {**MODEL, **changes.pop("model", {})}
    recipe = {**TRAIN, "time_masks": 2, **changes.pop("train", {})}
    return Spec(
        **{
            "paper": "uegd",
            "setting": "control",
            "dataset": "tiny",
            "split": "standard",
            "encoder": "dice",
            "preset": "release",
            "profile": "quick",
            "train_share": 1.0,
        }
        | changes,
        inputs=inputs,
        model=model,
        train=recipe,
        seed=seed,
    )


def of_sugrm(inputs, **changes) -> Spec:
    """A run of SUGRM's quick recipe on the tiny corpus."""
    recipe = recipes.load("sugrm", "release", "quick", "control")
    train = recipe["train"] | {"epochs": 2, "batch_size": 8} | changes
    model = recipe["model"] | {"sequence": "lstm"}
    return spec(inputs, paper="sugrm").model_copy(update={"model": model, "train": train})


def everything(specs, trained):
    """Train these runs as a study does; records by hash."""
    return {r.spec.hash(): r for group in trained.groups(specs) for r in trained.train(group)}
