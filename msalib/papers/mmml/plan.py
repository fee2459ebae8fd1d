"""MMML's plan: which systems each of its tables compares, and the runs that its pages read.

``whole`` maps text and sound, as far as a data set has them, to the layer that is read. A system
fine-tunes the encoders of what it reads, or reads features that stay as they are; then fusion and
heads have a rate of their own.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msalib.data import datasets
from msalib.data.corpus import TUNED, UNIMODAL
from msalib.data.streams import context_of, named_context
from msalib.papers.mmml import FROZEN
from msalib.papers.steps import Step, in_folds, on_a_gpu
from msalib.runs import spec
from msalib.runs.records import Record
from msalib.runs.spec import System

if TYPE_CHECKING:  # a plan is read often, and these load the statistics
    from msalib.runs.query import Runs
    from msalib.runs.study import Study

PAPER = "mmml"

TEXT, SOUND = "linguistic", "acoustic"

Whole = Mapping[str, int | str]

UNKNOWN = -1
"""Layer of a modality that no record reads; no run has it."""


def system(inputs: Whole, **choices: str) -> System:
    """Return a system of MMML's tables (``spec.system``), with the streams of its context."""
    windows = {}
    if context := named_context(choices.get("context", "none")):
        windows = context.windows if context.kind == "separate" else {}
    streams = dict(inputs) | {context_of(m): x for m, x in inputs.items() if windows.get(m)}
    if TUNED not in inputs.values():
        choices |= FROZEN
    return spec.system(streams, paper=PAPER, **choices)


def whole_of(study: "Study") -> Whole:
    """Return text and sound of a study's data set with the layer that is read of each."""
    return {m: layer for m, layer in study.last_layers.items() if m in (TEXT, SOUND)}


def recorded_whole(runs: "Runs") -> Whole:
    """Return text and sound of the data set of these records with the layer that they read.

    Where no record has a modality, its layer is ``UNKNOWN``.
    """
    recorded = {m: layer for system in runs.systems for m, layer in system.inputs}
    modalities = datasets.dataset(runs.dataset).modalities
    return {m: recorded.get(m, UNKNOWN) for m in modalities if m in (TEXT, SOUND)}


# --- systems by table ---------------------------------------------------------------------------


def compared(whole: Whole) -> dict[str, System]:
    """Return Tables 1 and 3: each modality alone, concatenation and the fusion network."""
    alone = {f"{m} alone": system({m: layer}) for m, layer in whole.items()}
    if len(whole) < 2:
        return alone
    return {
        **alone,
        "concatenation": system(whole, fusion="concatenation"),
        "fusion network": system(whole),
    }


def copied(whole: Whole) -> dict[str, System]:
    """Return the arms whose heads of text and sound learn the label of the whole clip.

    They differ from the others only where modalities have labels of their own.
    """
    alone = {
        f"{m} alone, copied label": system({m: layer}, labels="copied")
        for m, layer in whole.items()
    }
    if len(whole) < 2:
        return alone
    return alone | {
        "three losses, copied labels": system(whole, fusion="concatenation", labels="copied")
    }


def losses(whole: Whole) -> dict[str, System]:
    """Return Table 4, the concatenation model as (g) of the specification finds: one loss, three.

    The rows of three losses are those of ``compared`` and ``copied``.
    """
    return {
        "one loss": system(whole, fusion="concatenation", tasks="m"),
        "three losses": system(whole, fusion="concatenation"),
    }


def restorations(whole: Whole) -> dict[str, System]:
    """Return Table 6: what is put back after the fusion."""
    names = {"v1": "fused only", "v2": "concatenation", "v3": "transformer"}
    return {words: system(whole, restoration=name) for name, words in names.items()}


WINDOWS = (1, 2, 3)
"""Preceding clips in Table 7."""


def windows(whole: Whole) -> dict[tuple[str, int], System]:
    """Return Table 7: text alone by kind of context and window; window 0 is the same for both."""
    text = {TEXT: whole[TEXT]}
    none = system(text)
    arms = {(kind, 0): none for kind in ("joined", "separate")}
    for kind in ("joined", "separate"):
        arms |= {(kind, k): system(text, context=f"{kind}-{k}") for k in WINDOWS}
    return arms


def contexts(whole: Whole) -> dict[str, System]:
    """Return Table 1a's last rows: both ways of joining, with the context of the release."""
    if len(whole) < 2:
        return {}
    return {
        "concatenation with context": system(whole, fusion="concatenation", context="separate-2-1"),
        "fusion network with context": system(whole, context="separate-2-1"),
    }


def window_grid(whole: Whole) -> dict[tuple[int, int], System]:
    """Return section 4.8: the fusion network by windows of text (0-3) and of sound (0-2)."""
    pairs = [(text, sound) for text in range(4) for sound in range(3)]
    return {
        pair: system(whole, context="separate-{}-{}".format(*pair) if any(pair) else "none")
        for pair in pairs
    }


def ablations(whole: Whole) -> dict[str, System]:
    """Return Table 8, its last row in both readings (papers/mmml.md (c))."""
    names = {
        "none": "whole network",
        "no_self_attention": "no self-attention",
        "no_feed_forward": "no self-attention, no feed-forward (3a)",
        "linear_head": "no self-attention, linear head (3b)",
    }
    return {words: system(whole, ablation=name) for name, words in names.items()}


def depths(whole: Whole) -> dict[str, System]:
    """Return section A.1: the fusion network by number of layers."""
    return {n: system(whole, cross_layers=n) for n in ("1", "3", "5", "7")}


def loss_weights(whole: Whole) -> dict[str, System]:
    """Return section 3.3: other weights of the losses of text and of sound."""
    arms = {"1 and 1": system(whole)}
    for name in ("text", "sound"):
        for value in ("0.3", "3.0"):
            arms[f"{name} {value}"] = system(whole, **{f"weight_{name}": value})
    return arms


def rates(whole: Whole) -> dict[str, System]:
    """Return section A.1: other learning rates of encoders and of fusion and heads."""
    pairs = [(encoders, fusion) for encoders in ("1.0", "0.5") for fusion in ("1.0", "10.0")]
    return {
        f"encoders x {float(a):g}, fusion x {float(b):g}": system(
            whole, factor_encoders=a, factor_fusion=b
        )
        for a, b in pairs
    }


# --- the runs of all pages ----------------------------------------------------------------------


def _labelled_by_modality(study: "Study") -> bool:
    """Check whether words and sound of a data set have labels of their own."""
    columns = () if study.corpus is None else study.corpus.utterances
    return UNIMODAL[TEXT] in columns and UNIMODAL[SOUND] in columns


def _without_fusion(study: "Study") -> list[Record]:
    """Train what Tables 1 to 5 have without the fusion network."""
    whole = whole_of(study)
    arms = {**compared(whole), **losses(whole)}
    arms |= copied(whole) if _labelled_by_modality(study) else {}
    arms.pop("fusion network", None)
    return study.run(list(dict.fromkeys(arms.values())))


def _sound_alone(study: "Study") -> list[Record]:
    """Train sound alone, for Table 2."""
    return study.run([compared(whole_of(study))[f"{SOUND} alone"]])


def _mel(study: "Study") -> list[Record]:
    """Train mel features of sound through Table 2's convolutions."""
    inputs = {SOUND: study.blocks(SOUND)}
    return study.run([spec.system(inputs, paper=PAPER, family="mel_cnn")])


def _fusion(study: "Study") -> list[Record]:
    """Train the fusion network of Tables 1 and 3, and Tables 6 and 8."""
    whole = whole_of(study)
    arms = {**compared(whole), **restorations(whole), **ablations(whole)}
    return study.run(list(dict.fromkeys(arms.values())))


def _sweeps(study: "Study") -> list[Record]:
    """Train what the text says without a table: layers, weights of losses, rates."""
    whole = whole_of(study)
    arms = {**depths(whole), **loss_weights(whole)}
    if study.tuned:
        arms |= rates(whole)
    return study.run(list(dict.fromkeys(arms.values())))


def _windows(study: "Study") -> list[Record]:
    """Train Table 7."""
    return study.run(list(dict.fromkeys(windows(whole_of(study)).values())))


def _contexts(study: "Study") -> list[Record]:
    """Train Table 1a's rows with context."""
    whole = whole_of(study)
    return study.run([*compared(whole).values(), *contexts(whole).values()])


def _window_grid(study: "Study") -> list[Record]:
    """Train the grid of windows."""
    return study.run(list(window_grid(whole_of(study)).values()))


PLAN: Mapping[str, tuple[Step, ...]] = {
    "control": (_without_fusion, _fusion, _sweeps),
    "control-opposite": (_without_fusion, _fusion, _sweeps),
    "raw": (_without_fusion, _fusion, _windows, _contexts, _sweeps, on_a_gpu(_window_grid)),
    "raw log-mel": (_mel,),
    "mosi minilm": (_windows,),
    "mosi-standardised minilm": (_without_fusion, on_a_gpu(_fusion), on_a_gpu(_contexts)),
    "meld-dev": (in_folds(_without_fusion), on_a_gpu(in_folds(_fusion))),
    "meld-dev-mel": (in_folds(_sound_alone),),
    "mustard minilm-tuned": (on_a_gpu(_windows),),
    "iemocap minilm": (_windows,),
    "meld minilm": (_windows,),
    "mosi minilm-tuned": (on_a_gpu(_windows),),
}
"""Data set, with encoder and preset where they are not the usual ones -> the steps, in order.

MUStARD states what was said before a clip, which a fine-tuned encoder alone can read. On a GPU
only: the fusion network at the widths of real encoders has up to 95 million weights.
"""

LAST = ("power",)
"""Modules that measure when all records are made: error rates copy the scatter of real runs."""
