"""What tests of models with several tasks share."""

from collections.abc import Mapping
from types import SimpleNamespace

from torch import Tensor

from msalib.models.multitask import Multitask
from msalib.models.ulgm import Labels


def goal(generated: Mapping[str, Tensor], error: str = "l1") -> Multitask:
    """The loss of all tasks with these generated labels, m -> (N,), which do not move."""
    first = next(iter(generated.values()), Tensor())
    labels = Labels(first, list(generated), clamp=True)
    labels.generated = dict(generated)
    return Multitask(error, SimpleNamespace(labels=labels))
