"""Answer what words say without a pretrained network: a lexicon's scores, and TF-IDF vectors.

These are conventional features of text. They have no blocks and the single layer 1, as float32.
"""

from pathlib import Path

from msalib.encoders import extraction, weights
from msalib.encoders.store import fingerprint

CONVENTION = "1 = the features; there are no blocks"


class Extractor(extraction.Extractor):
    """Features of transcripts, computed on the CPU whatever the device; subclasses say which."""

    convention = CONVENTION
    features: str

    def settings(self) -> str:
        return self.features

    def fingerprint(self, folder: Path) -> str:
        ids, texts = self.corpus.utterances.index.astype(str), self.corpus.utterances["text"]
        return fingerprint(self.settings(), zip(ids, texts, strict=True))

    def load(self, device: str) -> None:
        weights.revision(self.encoder)  # raises where the package is missing

    def about(self, dim: int, **counts: int) -> dict:
        """Return the fields of ``StoreMeta`` for features of this width."""
        return {
            "dtype": "float32",
            "layers": 1,
            "first": 1,
            "dim": dim,
            "truncated": 0,
            "device": "cpu",
            "counts": {name: count for name, count in counts.items() if count},
            "settings": {"features": self.features},
        }
