"""Ways to run a step of a plan: on a GPU only, or in every fold of a cross-validation.

A step takes a ``Study`` and makes runs of one setting; it returns their records.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from msalib.base.provenance import pick_device
from msalib.data import folds
from msalib.runs.folds import fold
from msalib.runs.records import Record

if TYPE_CHECKING:  # a plan is read often, and this loads much
    from msalib.runs.study import Study

Step = Callable[["Study"], list[Record]]


def on_a_gpu(step: Step) -> Step:
    """Return a step that is left out on a CPU, where it would take days."""

    def run(study: "Study") -> list[Record]:
        return step(study) if pick_device(study.parameters.device) != "cpu" else []

    return run


def in_folds(step: Step, family: str = "") -> Step:
    """Return a step that is run in every fold: of a ``family``, or those of the usual split.

    Where neither is given, they are the source's own, or else folds by video.
    """

    def run(study: "Study") -> list[Record]:
        usual = fold(study.dataset.split)
        of_data = usual.family if usual else folds.kinds(study.corpus)[0]
        names = folds.folds(study.corpus, family or of_data)
        parameters = study.parameters.model_dump()
        studies = [type(study)(study.paper, **parameters | {"split": name}) for name in names]
        return [record for one in studies for record in step(one)]

    return run
