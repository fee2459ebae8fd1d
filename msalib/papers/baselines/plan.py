"""The baselines' plan: every model file that belongs to no paper, on all modalities together."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from msalib.models import recipes
from msalib.runs.records import Record
from msalib.runs.spec import System, system

if TYPE_CHECKING:  # a plan is read often, and this loads much
    from msalib.runs.study import Study


def systems(study: "Study", model: str = recipes.ALL) -> dict[str, System]:
    """Return the systems of these models by name; each reads the last layer of every modality.

    Where encoders are fine-tuned, only models can be trained that have rates for that. Raises
    ``UserError`` for an unknown model.
    """
    inputs = study.last_layers
    return {
        name: system(inputs, paper=study.paper, family=name, **_rates(study, name))
        for name in recipes.chosen(model)
    }


def _rates(study: "Study", family: str) -> dict[str, str]:
    """Return the choice of rates where encoders are trained with a model that has such a choice."""
    p = study.parameters
    train = recipes.load(family, p.preset, p.profile, p.dataset)["train"]
    return {"rates": "fine_tuned"} if study.tuned and "rates" in train else {}


def _train_all(study: "Study") -> list[Record]:
    """Train every baseline."""
    return study.run(list(systems(study).values()))


PLAN: Mapping[str, tuple[Callable[["Study"], list[Record]], ...]] = {
    "control": (_train_all,),
    "control-local": (_train_all,),
    "control-local-opposite": (_train_all,),
    "mmmo-stretched": (_train_all,),
    "mosi-standardised": (_train_all,),
}
"""Data set -> the steps, in order."""
