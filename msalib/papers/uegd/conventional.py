"""Conventional features of words, in settings beside that of an encoder (UEGD-C1, UEGD-C4).

Models that read them have the recipe, clips and seeds of the encoder's, and the same vectors of
every other modality. Here their systems name the features in the place of a layer.
"""

from collections.abc import Iterator

from msalib.papers.uegd import BESIDE, layers
from msalib.papers.uegd.layers import Group
from msalib.runs import records
from msalib.runs.query import Runs
from msalib.runs.records import Record, Setting
from msalib.runs.spec import System

MODALITY = "linguistic"

WORDS = {"lexicon": "sentiment lexicon", "tfidf": "TF-IDF"}
"""Encoder of conventional features -> its name in sentences."""


def missing(runs: Runs, group: Group) -> str | None:
    """Return which modalities of a group lack conventional features of their own, in a phrase.

    Those without layers are read as they are by all.
    """
    here = runs.dataset in {dataset for dataset, _ in BESIDE.values()}
    layered = [m for m in group if m in layers.layered(runs)]
    lacking = [m for m in layered if not here or m != MODALITY]
    return f"conventional {' and '.join(lacking)} features of the same clips" if lacking else None


def system(usual: System, encoder: str) -> System:
    """Return a system with conventional features of words, and all else as in ``usual``."""
    inputs = tuple((m, encoder if m == MODALITY else layer) for m, layer in usual.inputs)
    return usual._replace(inputs=inputs)


def beside(runs: Runs) -> list[Record]:
    """Return the records of conventional features of the same data, preset and profile."""
    spec = runs.example(runs.systems[0]).spec
    return list(_renamed(spec.dataset, spec.preset, spec.profile))


def _renamed(dataset: str, preset: str, profile: str) -> Iterator[Record]:
    encoders = [encoder for name, encoder in BESIDE.values() if name == dataset]
    for encoder in encoders:
        for record in records.find("uegd", Setting(dataset, encoder, preset, profile)):
            if MODALITY in record.spec.inputs:
                inputs = {**record.spec.inputs, MODALITY: encoder}
                spec = record.spec.model_copy(update={"inputs": inputs})
                yield record.under(spec)
