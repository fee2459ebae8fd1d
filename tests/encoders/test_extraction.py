"""Extraction: what a new kind of encoder has to say, and no more."""

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from msalib.base.errors import UserError
from msalib.encoders import Encoder, extraction, registry, weights
from tests.encoders.tiny import texts


class Lengths(extraction.Extractor):
    """Numbers of letters of the words of a text, without a network."""

    convention, unit = "1 = letters", "word"

    def settings(self) -> str:
        return f"words, {self.preset}"

    def fingerprint(self, folder: Path) -> str:
        return f"{self.settings()}: {'|'.join(self.corpus.utterances['text'])}"

    def load(self, device: str) -> None:
        self.device = device

    def plan(self, folder: Path, fingerprint: str) -> extraction.Plan:
        self.words = [text.split() for text in self.corpus.utterances["text"]]
        lengths = np.array([len(words) for words in self.words])
        meta = {"layers": 1, "first": 1, "dim": 1, "truncated": 0, "device": self.device}
        return extraction.Plan(lengths, [np.array([1, 0]), np.array([2])], meta)

    def states(self, batches):
        for batch in batches:
            found = np.zeros((1, len(batch), 9, 1), np.float16)
            for row, clip in enumerate(batch):
                found[0, row, : len(self.words[clip]), 0] = [len(w) for w in self.words[clip]]
            yield found


@pytest.fixture
def encoder(monkeypatch):
    module = ModuleType("msalib.encoders.lengths")
    module.Extractor = Lengths
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(registry.Encoder, "extractor", "lengths")
    monkeypatch.setattr(weights, "revision", lambda encoder: "r1")
    return Encoder("lengths", "linguistic", ".")


def test_a_new_kind_of_encoder_says_only_what_differs(encoder, tmp_path):
    data, folder = texts(["a good film", "bad", "a film"]), tmp_path / "store"
    extraction.extract(data, encoder, folder, "here")
    features = extraction.read(data, encoder, folder)
    assert features.layers[1][:, 0].tolist() == [1, 4, 4, 3, 1, 4]
    assert features.lengths().tolist() == [3, 1, 2]
    assert (features.unit, features.provenance["convention"]) == ("word", "1 = letters")
    written = (folder / "meta.json").stat().st_ino
    extraction.extract(data, encoder, folder, "here")
    assert (folder / "meta.json").stat().st_ino == written
    with pytest.raises(UserError, match="features of other clips") as error:
        extraction.extract(texts(["a"]), encoder, folder, "here")
    assert error.value.remedy.endswith("msalib encode toy . --refresh")
    extraction.extract(data, encoder, folder, "here", refresh=True)
    assert (folder / "meta.json").stat().st_ino != written
