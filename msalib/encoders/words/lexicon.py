"""Scores of each word in the sentiment lexicon of VADER (Hutto and Gilbert 2014), a frame a word.

Columns are ``FIELDS``. The package vaderSentiment (MIT licence, optional) brings the lexicon, lists
of negations and of words that boost or dampen, and the rules that change a score in its context.
"""

import warnings
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np

from msalib.encoders import extraction, words

FIELDS = ("score", "known", "negated", "boosted", "score in context")
"""Mean rating of a word, -4 to 4, or 0; whether it has one (0, 1); whether one of the ``SCOPE``
words before negates (0, 1); what these add by boosting, or take away by dampening, in points; and
the score by VADER's rules, which read all this and more. A clip without words has one frame of 0.
"""

SCOPE = 3
"""Words before a word that can change its score, as in VADER."""


class Extractor(words.Extractor):
    """Scores of every word of every transcript."""

    unit = "word"
    features = f"VADER's {', '.join(FIELDS)}, of {SCOPE} words before"

    @cached_property
    def scores(self) -> list[np.ndarray]:
        """``FIELDS`` of each word of each transcript."""
        return [scores(text) for text in self.corpus.utterances["text"]]

    def plan(self, folder: Path, fingerprint: str) -> extraction.Plan:
        if all(self._missed()):
            warnings.warn(
                f"no word of {self.corpus.name} is in the lexicon, which is of English words",
                stacklevel=2,
            )
        empty = sum(not text.split() for text in self.corpus.utterances["text"])
        lengths = np.array([len(of_clip) for of_clip in self.scores])
        batches = [np.array([n]) for n in range(len(lengths))]
        return extraction.Plan(lengths, batches, self.about(len(FIELDS), empty_clips=empty))

    def losses(self) -> list[str]:
        """Return which transcripts have words, but none in the lexicon."""
        return [
            f"none of its {len(found)} words is in the lexicon" if missed else ""
            for found, missed in zip(self.scores, self._missed(), strict=True)
        ]

    def _missed(self) -> list[bool]:
        """Check of each transcript whether it has words, but none in the lexicon."""
        texts, known = self.corpus.utterances["text"], FIELDS.index("known")
        return [
            bool(text.split()) and not found[:, known].any()
            for text, found in zip(texts, self.scores, strict=True)
        ]

    def states(self, batches: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
        for (clip,) in batches:
            yield self.scores[clip][None, None]


def scores(text: str) -> np.ndarray:
    """Return the ``FIELDS`` of each word of a text, (T, 5) float32; one frame of 0 without words.

    Words are split at spaces, without punctuation around them.
    """
    from vaderSentiment import vaderSentiment as vader

    analyzer = _analyzer()
    parsed = vader.SentiText(text)
    spelt = [word.lower() for word in parsed.words_and_emoticons]
    frames = np.zeros((max(1, len(spelt)), len(FIELDS)), np.float32)
    for place, word in enumerate(spelt):
        before, in_context = spelt[max(0, place - SCOPE) : place], 0.0
        if word not in vader.BOOSTER_DICT:  # these have no sentiment of their own
            written = parsed.words_and_emoticons[place]
            (in_context,) = analyzer.sentiment_valence(0.0, parsed, written, place, [])
        frames[place] = (
            analyzer.lexicon.get(word, 0.0),
            word in analyzer.lexicon,
            vader.negated(before),
            sum(vader.BOOSTER_DICT.get(other, 0.0) for other in before),
            in_context,
        )
    return frames


@lru_cache
def _analyzer():
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    return SentimentIntensityAnalyzer()
