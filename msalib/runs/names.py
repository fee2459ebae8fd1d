"""Names of settings for readers: what is read, by which encoder; and the order of settings.

Every page, table and command takes them from here: "CMU-MOSI, transcripts and voice vectors,
MiniLM". A setting of another recipe than the release's, or of the quick profile, says so.
"""

from collections.abc import Iterable
from typing import NamedTuple

from msalib import papers
from msalib.data import datasets
from msalib.encoders.registry import ALL_ENDING, TUNED_ENDING
from msalib.runs.records import Setting


class Data(NamedTuple):
    """A data set for readers: its name, and what models read of it."""

    name: str
    reads: str = ""


DATA = {
    "mosi": Data("CMU-MOSI (voice as stored)", "transcripts and voice vectors"),
    "mosi-standardised": Data("CMU-MOSI", "transcripts and voice vectors"),
    "mosi-leaky": Data("CMU-MOSI (leaky)", "vectors that leak labels"),
    "mosi-leaky-unseen": Data("CMU-MOSI (leaky, unseen videos)", "vectors that leak labels"),
    "mosei": Data("CMU-MOSEI", "transcripts"),
    "mmmo": Data("ICT-MMMO", "voice and face"),
    "mmmo-stretched": Data("ICT-MMMO (labels -3 to 3)", "voice and face"),
    "meld": Data("MELD", "transcripts"),
    "meld-dev": Data("MELD dev", "words and voice"),
    "meld-dev-mel": Data("MELD dev (mel spectrum)", "words and voice"),
    "iemocap": Data("IEMOCAP", "transcripts"),
    "mustard": Data("MUStARD", "transcripts"),
    "ravdess": Data("RAVDESS", "speech"),
    "nemo": Data("nEMO", "speech"),
    "youtube": Data("YouTube", "voice and face"),
    "pom": Data("POM", "voice and face"),
    "control": Data("control"),
    "control-opposite": Data("opposite control"),
    "control-local": Data("local control"),
    "control-local-opposite": Data("opposite local control"),
    "raw": Data("raw control"),
    "raw-speaker": Data("raw control (speakers)"),
    "raw-noise": Data("raw control (faces without sentiment)"),
    "raw-sarcasm": Data("raw control (sarcasm)"),
    "raw-spoken": Data("spoken control"),
}
"""Data set -> what readers call it. The controls are simulated, the raw ones as clips."""

ENCODERS = {
    "minilm": "MiniLM",
    "bert-base": "BERT-Base",
    "bert-large": "BERT-Large",
    "roberta-base": "RoBERTa-Base",
    "roberta-large": "RoBERTa-Large",
    "wavlm-large": "WavLM-Large",
    "wavlm-base-plus": "WavLM-Base+",
    "hubert-base": "HuBERT-Base",
    "hubert-large": "HuBERT-Large",
    "data2vec-audio-base": "data2vec",
    "wav2vec2-base": "wav2vec 2.0",
    "whisper-tiny.en": "Whisper tiny.en",
    "whisper-base": "Whisper base",
    "clip-vit-l14": "CLIP ViT-L/14",
    "clip-vit-b32": "CLIP ViT-B/32",
    "small": "small encoders",
    "spoken": "Whisper tiny.en and MiniLM",
    "opensmile": "openSMILE",
    "opensmile-frames": "openSMILE frames",
    "log-mel": "log-mel spectrum",
    "log-mel-coarse": "log-mel spectrum",
    "lexicon": "sentiment lexicon",
    "tfidf": "TF-IDF",
    "covarep-facet": "COVAREP and Facet",
    "roberta-wav2vec2": "RoBERTa and wav2vec 2.0",
    "roberta-mel": "RoBERTa and mel spectrum",
}
"""Encoder or set of features -> what readers call it; others keep their names."""

HIDDEN = ("planted", "leaking")
"""Features that the name of their data set describes already."""


def data(dataset: str) -> str:
    """Return what readers call a data set; an added one has the name that its user gave."""
    return DATA[dataset].name if dataset in DATA else dataset


def encoder(name: str) -> str:
    """Return what readers call an encoder, or several joined by ``+``."""
    tuned = name.removesuffix(TUNED_ENDING)
    parts = [_encoder(part) for part in tuned.split("+")]
    words = " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))
    return f"fine-tuned {words}" if tuned != name else words


def _encoder(name: str) -> str:
    return ENCODERS.get(name) or ENCODERS.get(name.removesuffix(ALL_ENDING), name)


def inputs(dataset: str, features: str) -> str:
    """Return a data set in words, with what is read of it and the encoder or the features."""
    reads = DATA[dataset].reads if dataset in DATA else ""
    by = "" if features in HIDDEN else encoder(features)
    return ", ".join(filter(None, [data(dataset), reads, by]))


def full(setting: Setting) -> str:
    """Return a setting in words: its inputs, and an unusual recipe."""
    return ", ".join([inputs(setting.dataset, setting.encoder), *_unusual(setting)])


def short(setting: Setting) -> str:
    """Return the data set of a setting and an unusual recipe, as the head of a column has them."""
    return ", ".join([data(setting.dataset), *_unusual(setting)])


def _unusual(setting: Setting) -> list[str]:
    recipe = [f"{setting.preset} recipe"] if setting.preset != "release" else []
    return recipe + (["quick profile"] if setting.profile == "quick" else [])


# --- order ----------------------------------------------------------------------------------------

GROUPS = ("as published", "real data", "raw control", "simulated features", "leaky")
"""Groups of settings in the order in which readers see them."""


def group(paper: str, setting: Setting) -> str:
    """Return the group of a setting of a paper."""
    known = datasets.dataset(setting.dataset)
    if known.leaky:
        return "leaky"
    if not known.real:
        return "raw control" if known.raw else "simulated features"
    published = papers.published(paper, setting.dataset, setting.encoder, setting.profile)
    return "as published" if published else "real data"


def ordered(paper: str, settings: Iterable[Setting]) -> list[Setting]:
    """Return settings in the order of their groups; within one their order stays."""
    return sorted(settings, key=lambda setting: GROUPS.index(group(paper, setting)))
