"""Is what a notebook is asked for possible? Said before it starts, in the words of its study."""

from collections.abc import Callable, Mapping

from msalib.base.errors import unknown
from msalib.data import datasets
from msalib.data.corpus import MODALITIES, PARTS
from msalib.evidence import registry
from msalib.models import recipes
from msalib.runs.inputs import BASELINES, Inputs
from msalib.runs.parameters import Parameters


def check(notebook: str, parameters: Mapping) -> None:
    """Raise ``UserError`` for values of a notebook's parameters with which it would end in one.

    ``parameters`` are all of them (``notebooks.resolve_parameters``). Missing data are left to the
    notebook, since it may read records.
    """
    for name, look_up in LOOK_UPS.items():
        if name in parameters:
            look_up(parameters[name])
    if "encoder" in parameters:
        folder, slash, _ = notebook.partition("/")
        own = {n: value for n, value in parameters.items() if n in Parameters.model_fields}
        asked = Inputs(folder if slash else BASELINES, **own)
        asked.check()
        if asked.corpus is not None:
            asked.check_parts()


def _one_of(kind: str, known: tuple[str, ...]) -> Callable[[str], None]:
    def look_up(name: str) -> None:
        if name not in known:
            raise unknown(kind, name, known, remedy=f"Choose one: -p {kind} {known[0]}.")

    return look_up


LOOK_UPS: Mapping[str, Callable[[str], object]] = {
    "dataset": datasets.dataset,
    "corpus": datasets.dataset,
    "paper": registry.load,
    "model": recipes.chosen,
    "part": _one_of("part", PARTS),
    "modality": _one_of("modality", MODALITIES),
}
"""Parameter that names something -> what refuses a name that there is not."""
