"""Pieces: what does a tokeniser make of texts, and how much of them does it not know?

What a vocabulary lacks becomes the unknown piece, which is the same for every word, or is dropped:
BERT's tokenisers drop invisible and some combining characters, byte-level ones what has no byte in
their vocabulary. Whole byte-level vocabularies (RoBERTa's) take every text apart into bytes, so
that nothing is ever unknown, whatever the language: there only an encoder's card tells.
"""

import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from msalib.encoders import forward
from msalib.encoders.registry import Encoder

LIMIT = 0.05
"""Share of unknown pieces, or of dropped characters, from which on there is a warning."""

TEXTS = 1000
"""Texts that are tokenised at a time."""

PIECES, UNKNOWN = "word pieces", "unknown word pieces"
DROPPED, UNREAD = "characters dropped", "texts of which nothing is read"
COUNTS = PIECES, UNKNOWN, DROPPED, UNREAD
"""Counts in a store's description; the last two where there are any."""


class Pieces(NamedTuple):
    """The pieces of N texts.

    ``ids`` are token ids of every text, CLS and SEP included, before any cut. The rest are numbers
    (N,): pieces without CLS and SEP, how many of them are the unknown one, characters other than
    spaces, how many of them no piece stands for, and how many stand in a piece that is known.
    """

    ids: list[list[int]]
    pieces: np.ndarray
    unknown: np.ndarray
    characters: np.ndarray
    dropped: np.ndarray
    known: np.ndarray

    @property
    def lengths(self) -> np.ndarray:
        """The tokens per text, (N,)."""
        return np.array([len(of_text) for of_text in self.ids])

    @property
    def unread(self) -> np.ndarray:
        """Which texts have characters and none in a known piece, (N,) bool."""
        return (self.characters > 0) & (self.known == 0)

    def counts(self) -> dict[str, int]:
        """Return what a store's description tells of them."""
        rare = {DROPPED: int(self.dropped.sum()), UNREAD: int(self.unread.sum())}
        always = {PIECES: int(self.pieces.sum()), UNKNOWN: int(self.unknown.sum())}
        return always | {name: count for name, count in rare.items() if count}


def read(tokenizer, texts: Sequence[str]) -> Pieces:
    """Return the pieces of texts, special tokens included in ``ids`` alone."""
    ids, rows = [], []
    places = {"return_offsets_mapping": True} if tokenizer.is_fast else {}
    with forward.quiet():
        for start in range(0, len(texts), TEXTS):
            some = list(texts[start : start + TEXTS])
            encoded = tokenizer(some, truncation=False, **places)
            spans = encoded.get("offset_mapping", [None] * len(some))
            for text, own, where in zip(some, encoded["input_ids"], spans, strict=True):
                ids.append(own)
                rows.append(_row(tokenizer, text, own, where))
    return Pieces(ids, *np.array(rows, int).reshape(-1, 5).T)


def _row(tokenizer, text: str, ids: list[int], spans: list | None) -> tuple[int, ...]:
    """Return the numbers of ``Pieces`` for one text; ``spans`` are the characters of each token."""
    unknown = ids.count(tokenizer.unk_token_id)
    pieces = len(ids) - tokenizer.num_special_tokens_to_add()
    inked = {n for n, character in enumerate(text) if not character.isspace()}
    if spans is None:  # a tokeniser that does not tell
        none = len(inked) if pieces == 0 else 0
        return pieces, unknown, len(inked), none, len(inked) if pieces > unknown else 0
    covered, known = set(), set()
    for token, (first, end) in zip(ids, spans, strict=True):
        covered.update(range(first, end))
        if token != tokenizer.unk_token_id:
            known.update(range(first, end))
    return pieces, unknown, len(inked), len(inked - covered), len(inked & known)


def warn(pieces: Pieces, corpus: str, encoder: Encoder) -> None:
    """Warn where an encoder knows too little of texts: see ``LIMIT``."""
    unknown, of = int(pieces.unknown.sum()), int(pieces.pieces.sum())
    dropped, characters = int(pieces.dropped.sum()), int(pieces.characters.sum())
    told = []
    if unknown > LIMIT * of:
        told.append(f"{unknown} of {of} word pieces are unknown ({unknown / of:.0%})")
    if dropped > LIMIT * characters:
        told.append(
            f"{dropped} of {characters} characters are dropped ({dropped / characters:.0%})"
        )
    if unread := int(pieces.unread.sum()):
        told.append(f"nothing is read of {unread} of {len(pieces.ids)} texts")
    if told:
        language = f" ({encoder.language.name})" if encoder.language else ""
        warnings.warn(
            f"{encoder.name}{language} does not know all of the texts of {corpus}: "
            f"{', '.join(told)}",
            stacklevel=3,
        )


def losses(pieces: Pieces, encoder: str) -> list[str]:
    """Return what is lost of each text, in words, "" where it is read."""
    lost = []
    for n, unread in enumerate(pieces.unread):
        unknown, of = int(pieces.unknown[n]), int(pieces.pieces[n])
        if unread:
            why = f"all its {of} word pieces are unknown to" if unknown else "it is dropped by"
            lost.append(f"nothing of this text is read: {why} {encoder}")
        elif unknown > LIMIT * of:
            lost.append(f"{unknown} of {of} word pieces are unknown to {encoder}")
        else:
            lost.append("")
    return lost
