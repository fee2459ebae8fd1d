"""TF-IDF of words and pairs of words, through a truncated SVD: one vector a clip.

Terms, their weights, the SVD and the scale of its columns come from the training part of the
standard split alone. So these features belong to that split (``Encoder.fitted``): another would
let its test clips choose the terms. No label is read.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from msalib.base.errors import UserError
from msalib.data.readers.standardise import moments
from msalib.encoders import extraction, words
from msalib.encoders.store import fingerprint

SPLIT = "standard"

SIZE = 100
"""Columns that the SVD keeps."""

SEED = 0
"""Of the SVD, which begins with random numbers."""

CLIPS = 1000
"""Clips that are written at a time."""


class Extractor(words.Extractor):
    """A vector for every transcript."""

    unit = "clip"
    features = (
        f"TF-IDF of words and pairs of words in at least two clips, truncated SVD of {SIZE} "
        f"columns with seed {SEED}, columns standardised"
    )
    fitted = f"the training part of the {SPLIT} split"

    def settings(self) -> str:
        return f"{self.features}, fitted on {self.fitted}"

    def fingerprint(self, folder: Path) -> str:
        table, training = self.corpus.utterances, np.zeros(len(self.corpus), bool)
        training[self._training()] = True
        parts = np.where(training, "train", "other")
        texts = (f"{part}: {text}" for part, text in zip(parts, table["text"], strict=True))
        return fingerprint(self.settings(), zip(table.index.astype(str), texts, strict=True))

    def plan(self, folder: Path, fingerprint: str) -> extraction.Plan:
        texts = self.corpus.utterances["text"].tolist()
        self.vectors = vectors(texts, self._training(), self.corpus.name)
        places = np.arange(len(texts))
        batches = np.split(places, range(CLIPS, len(places), CLIPS))
        meta = self.about(SIZE)
        meta["settings"]["fitted on"] = self.fitted
        return extraction.Plan(np.ones(len(texts), int), batches, meta)

    def states(self, batches: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
        for batch in batches:
            yield self.vectors[batch][None, :, None]

    def _training(self) -> np.ndarray:
        if SPLIT not in self.corpus.splits:
            raise UserError(
                f"TF-IDF of {self.corpus.name}",
                found=f"splits {', '.join(self.corpus.splits) or 'of no name'}",
                expected=f"the {SPLIT} split, on whose training part it is fitted",
                remedy="Choose another encoder.",
            )
        return self.corpus.rows("train", SPLIT)


def vectors(texts: Sequence[str], training: np.ndarray, name: str) -> np.ndarray:
    """Return the vectors of texts, (N, SIZE) float32, fitted on those at the places ``training``.

    ``name`` is that of the corpus, for errors. Raises ``UserError`` where the training texts have
    too few terms, or are too few.
    """
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    fitted_on = [texts[n] for n in training]
    terms = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    try:
        known = terms.fit_transform(fitted_on)
    except ValueError:  # no term is in two clips
        known = np.zeros((len(fitted_on), 0))
    if min(known.shape) <= SIZE:
        raise UserError(
            f"TF-IDF of {name}",
            found=f"{known.shape[0]} training clips with {known.shape[1]} words and pairs of words "
            "that two of them have",
            expected=f"more than {SIZE} of each",
            remedy="Choose another encoder, such as lexicon, or a larger data set.",
        )
    svd = TruncatedSVD(SIZE, random_state=SEED).fit(known)
    values = svd.transform(terms.transform(texts))
    mean, spread = moments(values[training])
    return ((values - mean) / np.where(spread > 0, spread, 1)).astype(np.float32)
