"""Answer which features a pretrained model gives of a clip's words, sound and pictures.

``registry`` and ``names`` say which encoders exist, ``weights`` where their files are; ``encode``
stores every layer of a frozen one; ``tuned`` puts one into the model that is trained. Nothing here
imports torch or transformers.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from msalib.base import presets
from msalib.base.paths import features_folder, folder_name
from msalib.encoders.names import availability, joined, resolve, resolve_all
from msalib.encoders.registry import ENCODERS, SETS, Encoder
from msalib.encoders.weights import revision

if TYPE_CHECKING:
    from msalib.data.corpus import Corpus, Features

__all__ = [
    "ENCODERS",
    "SETS",
    "Encoder",
    "availability",
    "encode",
    "joined",
    "read",
    "resolve",
    "resolve_all",
    "revision",
    "store_folder",
]


def store_folder(dataset: str, encoder: Encoder, preset: str = "release") -> Path:
    """Return the usual folder of the features of a data set by an encoder.

    Presets make different features of sound and pictures; transcripts are read in one way only.
    """
    ending = f"-{presets.stored(preset)}" if encoder.has_presets else ""
    return features_folder() / dataset / (folder_name(encoder.name) + ending)


def encode(
    corpus: "Corpus",
    encoder: Encoder,
    *,
    preset: str = "release",
    device: str = "auto",
    refresh: bool = False,
    folder: Path | None = None,
) -> Path:
    """Make the feature store of a corpus by an encoder unless it exists; return its folder.

    ``folder`` None is the usual one (``store_folder``). Raises ``UserError`` like
    ``extraction.extract``.
    """
    from msalib.encoders.extraction import extract

    folder = folder or store_folder(corpus.name, encoder, preset)
    return extract(corpus, encoder, folder, device, preset=preset, refresh=refresh)


def read(
    corpus: "Corpus", encoder: Encoder, preset: str = "release", folder: Path | None = None
) -> "Features":
    """Return the features of a corpus by an encoder, from their store.

    ``folder`` None is the usual one (``store_folder``). Raises ``UserError`` like
    ``extraction.read``.
    """
    from msalib.encoders import extraction

    folder = folder or store_folder(corpus.name, encoder, preset)
    return extraction.read(corpus, encoder, folder, preset)
