"""Masked pretraining on pairs of sound and text: what is hidden, and who guesses what.

Each stream guesses what is hidden of itself, and may look at the other encoder's outputs, of which
nothing is hidden (papers/cmt.md (d)). Tokens are hidden before the text encoder reads them; frames
are replaced by one learned vector after the speech encoder. Tokens are told apart by a linear
layer, frames by their cosine to learned codewords (HuBERT, arXiv:2106.07447), which number the
clusters of a middle layer of the speech encoder.

Notation: B clips, T tokens, F frames, d width, V tokens of the vocabulary, C codewords.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from pydantic import BaseModel, ConfigDict, NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor, nn
from torch.nn import functional

SOUND, TEXT = "acoustic", "linguistic"

UNHIDDEN = -100
"""Target of a token or frame that is not to be guessed."""


class Stage(NamedTuple):
    """One stretch of pretraining.

    ``corpus`` names pairs without labels (``data.pairs``); empty, it is those ``parts`` of the
    task's own split, labels unseen. ``shuffled`` pairs every sound with the text of another clip.
    """

    corpus: str
    updates: int
    parts: tuple[str, ...] = ()
    shuffled: bool = False


class Masking(BaseModel):
    """What is hidden and guessed, and how the weights move; fields as in the recipe."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    frame_step: PositiveInt
    pt_clips: PositiveInt
    pt_batch_size: PositiveInt
    pt_learning_rate: PositiveFloat
    pt_weight_decay: NonNegativeFloat
    text_masked: PositiveFloat
    text_variants: PositiveInt
    frame_starts: PositiveFloat
    frame_span: PositiveInt
    frame_spans: PositiveInt
    codewords: PositiveInt
    codeword_layer: NonNegativeFloat
    codeword_width: PositiveInt
    temperature: PositiveFloat


class Recipe(NamedTuple):
    """The pretraining of a model: its stages in order, and all that its weights depend on.

    ``build`` takes the encoders' widths by modality and returns the streams, an ``nn.Module`` as
    the model has it under the name ``streams``; ``settings`` are what it is built from.
    """

    stages: tuple[Stage, ...]
    masking: Masking
    settings: Mapping[str, int | float]
    build: Callable[[Mapping[str, int]], nn.Module]


class Pairs(NamedTuple):
    """A batch: outputs of both encoders with masks, masked ones of text, and what is to guess.

    ``words`` (B, T, D), ``masked`` the same of hidden tokens, ``spoken`` (B, T) valid ones,
    ``tokens`` (B, T) to guess; ``sound`` (B, F, D), ``heard`` (B, F), ``units`` (B, F) to guess.
    ``UNHIDDEN`` stands where nothing is to guess, and so says which frames are hidden.
    """

    words: Tensor
    masked: Tensor
    spoken: Tensor
    tokens: Tensor
    sound: Tensor
    heard: Tensor
    units: Tensor

    def hidden(self, stream: str) -> int:
        """Return how many tokens (``text``) or frames (``sound``) are to be guessed."""
        return int(((self.tokens if stream == "text" else self.units) != UNHIDDEN).sum())


class Guesses(NamedTuple):
    """Losses (scalars) of both streams, and how many of the hidden parts were guessed."""

    text: Tensor
    sound: Tensor
    text_right: Tensor  # share
    sound_right: Tensor

    @property
    def loss(self) -> Tensor:
        """L_pre, the sum of both (papers/cmt.md (c))."""
        return self.text + self.sound


class MaskedPairs(nn.Module):
    """Two streams with the heads that pretraining needs; ``streams`` is kept, the rest is not."""

    def __init__(
        self, streams: nn.Module, masking: Masking, *, width: int, vocabulary: int, codewords: int
    ):
        super().__init__()
        self.streams, self.temperature = streams, masking.temperature
        self.hidden = nn.Parameter(torch.empty(width).uniform_())
        self.tokens = nn.Linear(width, vocabulary)
        self.guess = nn.Linear(width, masking.codeword_width)
        self.codewords = nn.Embedding(codewords, masking.codeword_width)

    def forward(self, pairs: Pairs, *, outputs: Mapping[str, Tensor] | None = None) -> Guesses:
        """Guess what is hidden in a batch.

        ``outputs`` replaces what the *other* stream may look at, (B, T, D) by modality, to see what
        it is worth; the masks stay.
        """
        project = self.streams.project
        clean = {SOUND: project[SOUND](pairs.sound), TEXT: project[TEXT](pairs.words)}
        seen = clean if outputs is None else {m: project[m](x) for m, x in outputs.items()}
        hidden = (pairs.units != UNHIDDEN)[..., None]
        starts = {
            SOUND: torch.where(hidden, self.hidden, clean[SOUND]),
            TEXT: project[TEXT](pairs.masked),
        }
        states = self.streams(starts, seen, {SOUND: pairs.heard, TEXT: pairs.spoken})
        tokens = self.tokens(states[TEXT][-1][pairs.tokens != UNHIDDEN])
        frames = states[SOUND][-1][pairs.units != UNHIDDEN]
        units = self.alike(frames) / self.temperature
        text, text_right = guessed(tokens, pairs.tokens)
        sound, sound_right = guessed(units, pairs.units)
        return Guesses(text, sound, text_right, sound_right)

    def alike(self, frames: Tensor) -> Tensor:
        """Return the cosines of frames (S, d) to all codewords, (S, C)."""
        guess = functional.normalize(self.guess(frames), dim=-1)
        return guess @ functional.normalize(self.codewords.weight, dim=-1).T


def guessed(scores: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Return the cross-entropy of scores (S, K) of what is hidden, and the share that is right.

    Where nothing is hidden, both are zero.
    """
    wanted = targets[targets != UNHIDDEN]
    if not len(wanted):
        return scores.sum(), scores.new_zeros(())
    right = (scores.argmax(-1) == wanted).float().mean()
    return functional.cross_entropy(scores, wanted), right


# --- what is hidden -----------------------------------------------------------------------------


def hide_tokens(
    ids: Tensor,
    special: Tensor,
    *,
    share: float,
    mask: int,
    vocabulary: int,
    generator: torch.Generator,
) -> tuple[Tensor, Tensor]:
    """Return token ids (T,) with some hidden, and those to guess, ``UNHIDDEN`` elsewhere.

    Each token but the ``special`` ones (true in (T,)) is drawn with probability ``share``, at least
    one of a text. Of those 80% become ``mask``, 10% any token of the ``vocabulary``, 10% stay
    (papers/cmt.md (d)). A text of special tokens alone has nothing to guess.
    """
    places = (~special).nonzero().squeeze(1)
    if not len(places):
        return ids.clone(), torch.full_like(ids, UNHIDDEN)
    drawn = torch.rand(len(places), generator=generator)
    chosen = places[(drawn < share) | (drawn == drawn.min())]
    kind = torch.rand(len(chosen), generator=generator)
    other = torch.randint(vocabulary, (len(chosen),), generator=generator)
    kept = ids[chosen]
    changed = torch.where(kind < 0.8, mask, torch.where(kind < 0.9, other, kept))
    targets = torch.full_like(ids, UNHIDDEN)
    targets[chosen] = kept
    hidden = ids.clone()
    hidden[chosen] = changed
    return hidden, targets


def hide_frames(
    lengths: Tensor, *, starts: float, span: int, least: int, generator: torch.Generator
) -> Tensor:
    """Return which frames are hidden, (B, F): spans that begin at any frame, and may overlap.

    A frame begins a span with probability ``starts``, at least ``least`` frames of a clip do
    (papers/cmt.md (d)). A span that meets the end of its clip is cut there.
    """
    step = torch.arange(int(lengths.max()))
    drawn = torch.rand(len(lengths), len(step), generator=generator)
    drawn = drawn.masked_fill(step >= lengths[:, None], 2.0)
    rank = drawn.argsort(1).argsort(1)
    begun = (drawn < starts) | ((rank < least) & (drawn < 2.0))
    reach = functional.pad(begun.float().cumsum(1), (span, 0))
    return (reach[:, span:] - reach[:, :-span] > 0) & (step < lengths[:, None])
