"""What the record of a run holds beside predictions and scores, by model.

Here and not in the models' files, so that records are read without loading torch. A model without
an entry adds nothing.
"""

from collections.abc import Callable, ItemsView, Iterator, Mapping
from typing import ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict


class Extras(BaseModel):
    """Extras of a record: top-level keys that its model has added. Other keys are ignored.

    ``late`` names the large mapping in an extra, by the name of the extra; it is read on its own.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    late: ClassVar[dict[str, str]] = {}


class Late(Mapping):
    """A mapping that is read whenever it is asked for."""

    def __init__(self, read: Callable[[], Mapping]):
        self._read = read

    def __getitem__(self, key: str) -> object:
        """Return the value of a key."""
        return self._read()[key]

    def __bool__(self) -> bool:
        """Check that there are values, without reading them: an empty one is never late."""
        return True

    def __iter__(self) -> Iterator[str]:
        """Return the keys."""
        return iter(self._read())

    def __len__(self) -> int:
        """Count the keys."""
        return len(self._read())

    def items(self) -> ItemsView:
        """Return keys and values, which are read once."""
        return self._read().items()


class GateExtras(Extras):
    """Gates and layer weights of UEGD."""

    layer_weights: dict[str, list[float]] = {}  # modality -> (L,), weighted inputs only
    gates: dict[str, list[float]] = {}  # modality, used or not -> (N,), test set; none with concat


class GeneratedLabels(BaseModel):
    """Labels that a model generated for itself in training (SUGRM, Self-MM).

    By modality and epoch, the first of them epoch 1: ``movement``, mean change of a label from the
    epoch before; ``drift``, the same of the targets, from epoch 3 on; ``clamped``, share of targets
    at an end of the scale; ``percentile``, the 99th of the targets' size before they are clamped;
    ``largest_midway`` and ``largest_elsewhere``, the largest such size among the tenth of the clips
    nearest midway between the two centres, and among the others (older records lack them). None in
    epochs without one (no target in epoch 1). ``given`` are the annotated labels, ``made`` the
    generated ones, (epochs, N), kept where training went through all epochs. ``note``: which clips
    stood in for missing ones at the ends of the scale.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: list[str]
    video: list[str]
    given: list[float]
    movement: dict[str, list[float | None]]
    drift: dict[str, list[float | None]]
    clamped: dict[str, list[float | None]]
    percentile: dict[str, list[float | None]]
    largest_midway: dict[str, list[float | None]] = {}
    largest_elsewhere: dict[str, list[float | None]] = {}
    made: Mapping[str, list[list[float]]] = {}
    note: str | None = None


class Geometry(BaseModel):
    """Spearman's rho between distances of features and distances of labels.

    Over pairs of test clips, in the shared space of the multimodal feature: after epoch 1, and
    with the weights that were selected. None where features or labels are all the same.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    first: float | None
    selected: float | None


class MultitaskExtras(Extras):
    """Unimodal predictions, generated labels and geometry of SUGRM and Self-MM."""

    late: ClassVar[dict[str, str]] = {"labels": "made"}

    unimodal: dict[str, list[float]] = {}  # modality -> predictions of its own task, test set
    labels: GeneratedLabels | None = None
    geometry: Geometry | None = None


class HeadExtras(Extras):
    """Predictions of all heads of MMML on the test set, and labels of each modality by itself.

    Heads are keyed by modality, the fused one by "fused". A model of classes has class numbers.
    """

    heads: dict[str, list[float]] = {}
    unimodal_labels: dict[str, list[float]] = {}


class ExpertUse(BaseModel):
    """How busy the experts of one modality were, as shares of all.

    ``importance`` and ``load`` by epoch of training, (epochs, s); those of ``valid`` with the
    weights that were selected, the load a count of clips.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    importance: list[list[float]]
    load: list[list[float]]
    valid_importance: list[float]
    valid_load: list[float]


class ExpertExtras(Extras):
    """Experts of GLoMo by modality, and numbers on the vectors of the first test clips.

    ``experts``: the one with the largest gate, for each test clip. ``spaces``: by modality
    ``base.spaces.two_kinds`` of global and local vectors, and under "fused" ``grouped`` of what
    the head reads.
    """

    experts: dict[str, list[int]] = {}
    use: dict[str, ExpertUse] = {}
    spaces: dict[str, dict[str, float]] = {}


class StreamExtras(Extras):
    """Streams of CMT: weights of its audio blocks, and how alike both streams are.

    ``layer_weights``: (L,), where the blocks are pooled. ``cosine``: mean size of the cosine of
    both pooled streams, test set.
    """

    layer_weights: list[float] = []
    cosine: float = 0.0


EXTRAS: dict[str, type[Extras]] = {
    "cmt": StreamExtras,
    "glomo": ExpertExtras,
    "mmml": HeadExtras,
    "uegd": GateExtras,
    "sugrm": MultitaskExtras,
    "self_mm": MultitaskExtras,
}
"""Name of a model -> type of its extras."""


def rounded(values) -> list[float]:
    """Round to six significant digits: below float32's precision, and records stay small."""
    return [float(f"{v:.6g}") for v in np.asarray(values, float).tolist()]
