"""GLoMo's plan: which systems each of its tables compares, and the runs that its pages read.

``whole`` maps every modality that is read to its layer. Of text the last two layers are read, where
an encoder has two. The tables are in the order of the paper's; ``ours`` are the arms that separate
causes.
"""

from collections.abc import Mapping
from itertools import combinations, product
from typing import TYPE_CHECKING

from msalib.data import datasets
from msalib.data.corpus import LAST_TWO, MODALITIES, TUNED
from msalib.papers.glomo import FROZEN
from msalib.papers.steps import Step, in_folds, on_a_gpu
from msalib.runs import spec
from msalib.runs.records import Record
from msalib.runs.spec import System

if TYPE_CHECKING:  # a plan is read often, and these load the statistics
    from msalib.runs.query import Runs
    from msalib.runs.study import Study

PAPER = "glomo"

TEXT, SOUND, FACE = "linguistic", "acoustic", "visual"

LETTER = {FACE: "V", SOUND: "A", TEXT: "T"}
"""Modality -> its letter in Table 4, in the order of the table's names."""

EARLIER = ("lmf", "tfn")
"""Models of the namespace ``baselines`` that the paper prints beside GLoMo (Tables 1 and 3)."""

Whole = Mapping[str, int | str]


def system(inputs: Whole, **choices: str) -> System:
    """Return a system of GLoMo's tables (``spec.system``)."""
    if TUNED not in inputs.values():
        choices |= FROZEN
    return spec.system(inputs, paper=PAPER, **choices)


def whole_of(study: "Study") -> Whole:
    """Return what GLoMo reads of a study's data set: every modality with its layer."""
    layers = dict(study.last_layers)
    if TEXT in layers and layers[TEXT] != TUNED and study.blocks(TEXT) > 1:
        layers[TEXT] = LAST_TWO
    return layers


def own(runs: "Runs") -> list[System]:
    """Return the systems of these records that are GLoMo's; a page has baselines beside them."""
    return [s for s in runs.systems if runs.example(s).spec.paper == PAPER]


def recorded_whole(runs: "Runs") -> Whole:
    """Return the modalities that tests take for all of them, each with the layer that is read.

    Only GLoMo's records count: baselines may read other layers. Of what its systems read, it is
    that with the most seeds of the full model, of these the one of most modalities. So words alone
    are judged until as many runs read words and voice. The order of records decides nothing.
    """
    read = {s.inputs for s in own(runs) or runs.systems}
    chosen = max(
        read, key=lambda some: (len(runs.seeds(system(dict(some)))), len(some), repr(some))
    )
    order = datasets.dataset(runs.dataset).modalities
    return {m: layer for m in order for one, layer in chosen if one == m}


# --- systems by table ---------------------------------------------------------------------------


def modalities(whole: Whole) -> dict[str, System]:
    """Return Table 4's first block: all modalities, and every smaller choice of them.

    The paper has pairs alone; where there are two modalities, a choice is a single one.
    """
    least = 2 if len(whole) > 2 else 1
    chosen = [c for n in range(least, len(whole) + 1) for c in combinations(LETTER, n)]
    return {
        "+".join(LETTER[m] for m in some): system({m: whole[m] for m in some})
        for some in chosen
        if set(some) <= set(whole)
    }


VARIANTS = {
    "mlp_m": "MLP_M",
    "global": "Global",
    "local": "Local",
    "sum": "SUM",
    "con": "CON",
    "attn_f": "ATTN_F",
    "mul": "MUL",
    "attn_g": "ATTN_G",
    "mlp_g": "MLP_G",
    "reat_g": "ReAt_G",
}
"""Variants of Table 4 and their printed names."""

FULL = "GLoMo"


def variants(whole: Whole) -> dict[str, System]:
    """Return Table 4's other blocks by printed name, the full model first."""
    return {FULL: system(whole)} | {
        printed: system(whole, variant=name) for name, printed in VARIANTS.items()
    }


def ours(whole: Whole) -> dict[str, System]:
    """Return the arms of ours that separate causes.

    An arm of what the preset makes anyway is a copy of the full model. So is an arm of what the
    release makes, for that is no choice of a system.
    """
    return {
        "experts summed": system(whole, combination="linear"),
        "experts in log space": system(whole, combination="logsumexp"),
        "all experts active": system(whole, active="3"),
        "MLP of as many weights": system(whole, variant="mlp_matched"),
        "no balance losses": system(whole, omega="0.0"),
        "padding masked": system(whole, padding="masked"),
        "padding read": system(whole, padding="read"),
        "equal weights": system(whole, variant="uniform_mix"),
    }


def encoder_kept(whole: Whole) -> dict[str, System]:
    """Return the variants without guided fusion, their transformer kept (papers/glomo.md (c))."""
    return {
        f"{VARIANTS[name]} with the transformer": system(
            whole, variant=name, fusion_encoder="always"
        )
        for name in ("sum", "con", "attn_f", "mul")
    }


LOCALS = range(1, 7)
"""Local vectors in Fig. 3a (O20)."""


def locals_(whole: Whole) -> dict[int, System]:
    """Return Fig. 3a: the full model by number of local vectors."""
    return {n: system(whole, locals=str(n)) for n in LOCALS}


EXPERTS = range(1, 5)
"""Experts of a modality in Fig. 3b."""


def cells(whole: Whole) -> dict[tuple[int, ...], System]:
    """Return Fig. 3b: the full model by experts of each modality, in the order of ``whole``.

    All 16 pairs of two modalities. Of the 64 cells of three, 16 such that every pair of numbers of
    two modalities is there once: a Latin square, whose slopes cost a quarter.
    """
    names = [m for m in MODALITIES if m in whole]
    if len(names) < 3:
        chosen = list(product(EXPERTS, repeat=len(names)))
    else:
        chosen = [(a, b, (a + b) % 4 + 1) for a, b in product(EXPERTS, repeat=2)]
    return {
        cell: system(whole, **{f"experts_{m}": str(s) for m, s in zip(names, cell, strict=True)})
        for cell in chosen
    }


def experts(whole: Whole) -> dict[int, System]:
    """Return the full model by experts, as many in each modality (C16)."""
    return {s: system(whole, **{f"experts_{m}": str(s) for m in whole}) for s in (2, 3, 4)}


HALVES = (FULL, "Global", "Local", "MLP_M")
"""What the claims on one modality compare."""


# --- the runs of all pages ----------------------------------------------------------------------


def _table4(study: "Study") -> list[Record]:
    """Train Table 4, and the arms of ours."""
    whole = whole_of(study)
    arms = {**variants(whole), **modalities(whole), **ours(whole)}
    return study.run(list(dict.fromkeys(arms.values())))


def _cores(study: "Study") -> list[Record]:
    """Train the full model and the arms that its main claims compare."""
    whole = whole_of(study)
    named = {**variants(whole), **ours(whole)}
    chosen = (FULL, "MLP_M", "Global", "Local", "MLP of as many weights", "padding masked")
    return study.run(list(dict.fromkeys(named[name] for name in chosen)))


def _halves(study: "Study") -> list[Record]:
    """Train the full model, its halves and one layer for the experts."""
    named = variants(whole_of(study))
    return study.run([named[name] for name in HALVES])


def _modalities(study: "Study") -> list[Record]:
    """Train the choices of modalities."""
    return study.run(list(modalities(whole_of(study)).values()))


def _words(study: "Study") -> list[Record]:
    """Train words alone: the full model, its halves and one layer for the experts."""
    named = variants({TEXT: whole_of(study)[TEXT]})
    return study.run([named[name] for name in HALVES])


def _locals(study: "Study") -> list[Record]:
    """Train Fig. 3a."""
    return study.run(list(locals_(whole_of(study)).values()))


def _experts(study: "Study") -> list[Record]:
    """Train the numbers of experts of Fig. 2's claim."""
    return study.run(list(experts(whole_of(study)).values()))


def _cells(study: "Study") -> list[Record]:
    """Train Fig. 3b."""
    return study.run(list(cells(whole_of(study)).values()))


def _more(study: "Study") -> list[Record]:
    """Train what papers/glomo.md (c) compares beside Table 4."""
    return study.run(list(encoder_kept(whole_of(study)).values()))


PLAN: Mapping[str, tuple[Step, ...]] = {
    "control-local planted article": (_table4, _locals, _experts, on_a_gpu(_cells)),
    "control-local-opposite planted article": (_cores, _table4, _locals, on_a_gpu(_cells)),
    "mmmo-stretched": (_table4, _locals, _experts, _cells, on_a_gpu(_more)),
    "mmmo-stretched covarep-facet article": (_cores,),
    "mosi-standardised minilm": (_halves, _modalities, _cores),
    "mosi-standardised minilm-tuned": (_words, on_a_gpu(_halves)),
    "raw small": (_cores, _modalities),
    "ravdess log-mel-coarse article": (in_folds(_halves),),
    "nemo log-mel-coarse article": (in_folds(_halves),),
    "mustard minilm-tuned": (on_a_gpu(in_folds(_halves)),),
}
"""Data set, with encoder and preset where they are not the usual ones -> the steps, in order."""

LAST = ("power",)
"""Modules that measure when all records are made: error rates copy the scatter of real runs."""
