"""CMT's plan: which systems each of its tables compares, and the runs that its pages read.

``whole`` maps sound and text, as far as a data set has them, to the layer that is read: the last of
each encoder. HuBERT alone, RoBERTa alone and Shallow-Fusion are one baseline, ``shallow_fusion``,
which reads one encoder or two; its records are those of the namespace ``baselines``.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msalib.data import datasets
from msalib.data.corpus import TUNED
from msalib.papers.cmt import FROZEN
from msalib.papers.steps import Step, in_folds, on_a_gpu
from msalib.runs import spec
from msalib.runs.records import Record
from msalib.runs.spec import System

if TYPE_CHECKING:  # a plan is read often, and these load the statistics
    from msalib.runs.query import Runs
    from msalib.runs.study import Study

PAPER, BASELINES, SHALLOW = "cmt", "baselines", "shallow_fusion"

SOUND, TEXT = "acoustic", "linguistic"

UNKNOWN = -1
"""Layer of a modality that no record reads; no run has it."""

Whole = Mapping[str, int | str]


def system(inputs: Whole, **choices: str) -> System:
    """Return a system of CMT's tables (``spec.system``)."""
    if TUNED not in inputs.values():
        choices |= FROZEN
    return spec.system(inputs, paper=PAPER, **choices)


def shallow(inputs: Whole) -> System:
    """Return the baseline that joins what is read once; one modality is that encoder alone."""
    return spec.system(inputs, paper=BASELINES, family=SHALLOW)


def whole_of(study: "Study") -> Whole:
    """Return sound and text of a study's data set with the layer that is read of each."""
    return {m: layer for m, layer in study.last_layers.items() if m in (SOUND, TEXT)}


def recorded_whole(runs: "Runs") -> Whole:
    """Return sound and text of the data set of these records with the layer that they read.

    Where no record has a modality that its data set offers, the layer is ``UNKNOWN``. An encoder
    may read one that the data set does not offer by itself, such as the words of nEMO.
    """
    recorded = {m: layer for system in runs.systems for m, layer in system.inputs}
    offered = {*recorded, *datasets.dataset(runs.dataset).modalities}
    return {m: recorded.get(m, UNKNOWN) for m in (SOUND, TEXT) if m in offered}


# --- systems by table ---------------------------------------------------------------------------

NO_PT, PT, TAPT, POOLER, ORTHO = "w/o PT", "PT", "PT + TAPT", "PT + Layer pooler", "PT + Ortho"
BASE, LARGE = "CMT BASE", "CMT LARGE"

TEN = {"alpha": "10.0"}
"""The penalty's weight of the paper."""

FULL = {"pretraining": "pt_tapt", **TEN}
"""What CMT BASE and CMT LARGE have besides their size."""

SMALL = {"blocks": "2", "heads": "4"}
"""The size of BASE; LARGE is the recipe's."""


def alone(whole: Whole) -> dict[str, System]:
    """Return the baselines of Tables 1 and 2 by name, as far as there are such inputs."""
    names = {SOUND: "sound alone", TEXT: "text alone"}
    found = {names[m]: shallow({m: layer}) for m, layer in whole.items()}
    return found | ({"Shallow-Fusion": shallow(whole)} if len(whole) > 1 else {})


def sizes(whole: Whole) -> dict[str, System]:
    """Return CMT BASE and CMT LARGE, with all ingredients."""
    return {BASE: system(whole, **SMALL, **FULL), LARGE: system(whole, **FULL)}


def ingredients(whole: Whole) -> dict[str, System]:
    """Return Table 4: CMT with four blocks and the ingredients named, then BASE and LARGE."""
    return {
        NO_PT: system(whole),
        PT: system(whole, pretraining="pt"),
        TAPT: system(whole, pretraining="pt_tapt"),
        POOLER: system(whole, pretraining="pt", audio_block="pooled"),
        ORTHO: system(whole, pretraining="pt", **TEN),
        **sizes(whole),
    }


def ours(whole: Whole) -> dict[str, System]:
    """Return the arms that separate what the paper's tables mix."""
    return {
        "Ortho alone": system(whole, **TEN),
        "TAPT alone": system(whole, pretraining="tapt"),
        "PT + TAPT with test clips": system(whole, pretraining="pt_tapt_test"),
        "PT on shuffled pairs": system(whole, pretraining="pt_shuffled"),
        "two blocks w/o PT": system(whole, **SMALL),
        "Layer pooler w/o PT": system(whole, audio_block="pooled"),
    }


BLOCKS = (1, 2, 3, 4)


def blocks(whole: Whole, pretraining: str = "pt") -> dict[int, System]:
    """Return Fig. 2: the model that reads one audio block; the last is the usual one."""
    chosen = {k: "last" if k == BLOCKS[-1] else str(k) for k in BLOCKS}
    return {k: system(whole, pretraining=pretraining, audio_block=b) for k, b in chosen.items()}


SHARES = (0.2, 0.5, 0.8, 1.0)


def shares(whole: Whole) -> dict[tuple[str, float], System]:
    """Return Fig. 3: with and without pretraining, by share of the training clips."""
    kinds = {NO_PT: "none", PT: "pt"}
    return {
        (name, share): system(whole, pretraining=kind)._replace(train_share=share)
        for name, kind in kinds.items()
        for share in SHARES
    }


ALPHAS = (0.0, 0.1, 1.0, 10.0, 100.0)
"""Weights of the penalty in Fig. 4; the paper's grid cannot be read, and this one is ours."""


def alphas(whole: Whole, pretraining: str = "pt") -> dict[float, System]:
    """Return Fig. 4: the model by weight of the penalty."""
    return {a: system(whole, pretraining=pretraining, alpha=str(a)) for a in ALPHAS}


def named(whole: Whole) -> dict[str, System]:
    """Return all systems of CMT that tests name, by name."""
    return {**ingredients(whole), **ours(whole)}


# --- the runs of all pages ----------------------------------------------------------------------


def _alone(study: "Study") -> list[Record]:
    """Train the baselines, in their own namespace."""
    parameters = study.parameters.model_dump()
    baselines = type(study)(BASELINES, **parameters | {"encoder": study.encoder})
    return baselines.run(list(alone(whole_of(study)).values()))


def _unpretrained(study: "Study") -> list[Record]:
    """Train what needs no pretraining: the blocks alone, and the penalty."""
    every = named(whole_of(study))
    return study.run([every[name] for name in (NO_PT, "Ortho alone")])


def _blocks_only(study: "Study") -> list[Record]:
    """Train the blocks alone."""
    return study.run([named(whole_of(study))[NO_PT]])


def _table4(study: "Study") -> list[Record]:
    """Train Table 4."""
    return study.run(list(ingredients(whole_of(study)).values()))


def _ours(study: "Study") -> list[Record]:
    """Train the arms that separate causes."""
    return study.run(list(ours(whole_of(study)).values()))


def _shares(study: "Study") -> list[Record]:
    """Train Fig. 3."""
    return study.run(list(shares(whole_of(study)).values()))


def _blocks(study: "Study") -> list[Record]:
    """Train Fig. 2."""
    return study.run(list(blocks(whole_of(study)).values()))


def _alphas(study: "Study") -> list[Record]:
    """Train Fig. 4."""
    return study.run(list(alphas(whole_of(study)).values()))


SESSIONS = "session+video"
"""Folds of IEMOCAP: a session is left out, and dialogues of the other four validate."""

PLAN: Mapping[str, tuple[Step, ...]] = {
    "raw-spoken spoken": (_alone, _table4, _ours, _shares, _blocks, _alphas),
    "mosi-standardised minilm": (_alone, _unpretrained),
    "meld-dev roberta-wav2vec2": (in_folds(_alone), in_folds(_blocks_only)),
    "iemocap minilm": (in_folds(_alone, SESSIONS),),
    "ravdess whisper-tiny.en-frames": (in_folds(_alone),),
    "nemo log-mel-coarse+minilm": (in_folds(_alone),),
    "nemo spoken": (in_folds(_alone), on_a_gpu(in_folds(_blocks_only))),
}
"""Data set, with encoder and preset where they are not the usual ones -> the steps, in order."""

LAST = ("power",)
"""Modules that measure when all records are made: error rates copy the scatter of real runs."""
