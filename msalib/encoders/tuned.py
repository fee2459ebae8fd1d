"""Fine-tuned encoders: pretrained models of text and speech, trained with the model behind them.

A stream of the corpus then holds tokens or frames of frozen convolutions instead of features
(``inputs``); ``build`` makes the module that turns those of a batch into states of the last block,
and ``FineTuned`` joins such modules and the model that reads their states. Padding changes nothing
that they return.

Speech follows MMML (papers/mmml.md (c), (d)): mean of the channels, normalised where the model's
preprocessor says so, convolutions frozen. In training, LayerDrop and SpecAugment over time are as
the model's configuration has them; SpecAugment is drawn from PyTorch's generator, not NumPy's.
Only the last block's states are read: with a layer dropped, a number in transformers'
``hidden_states`` means another layer.

MMML's release pads all sound to six seconds, which ``seconds`` = 6 of ``inputs`` and ``build``
gives without the padding. Where that padding matters is the same here (positional convolutions
look beyond the end of a clip, unless it is six seconds long) or said in ``convolved`` (group norm).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from msalib.base.errors import UserError
from msalib.data import streams
from msalib.data.corpus import TUNED, Corpus, Features, pad
from msalib.encoders import blocks, convolved, media, packed, pieces, speech, text, weights
from msalib.encoders.registry import Encoder

Precision = Literal["float32", "bfloat16"]

SECONDS = 30.0
"""Longest sound: gradients take several times the memory of a forward pass (papers/cmt.md (e))."""


# --- what encoders read -------------------------------------------------------------------------


def inputs(
    corpus: Corpus,
    encoder: Encoder,
    *,
    context: Literal["separate", "joined"] | None = None,
    seconds: float = SECONDS,
    folder: Path | None = None,
) -> Features:
    """Return what a fine-tuned encoder reads of every clip: tokens (S, 1) or frames (S, C).

    Text: ids, int32, CLS and SEP included. ``context`` asks for the preceding texts, the oldest
    first, alone or with the clip's own text after them: one sequence, joined by SEP, that loses its
    oldest tokens where it is too long. Speech: the output of the frozen convolutions for at most
    ``seconds`` of each clip, float32, from the store ``folder`` (``convolved.frames``); the context
    of sound is made from these (``streams.context``). Clips that are cut are warned of. Raises
    ``UserError`` for encoders of other kinds, and like ``text.load`` and ``convolved.frames``.
    """
    check(encoder)
    if encoder.modality == "acoustic":
        return convolved.frames(corpus, encoder, seconds, folder)
    return _tokens(corpus, encoder, context)


def check(encoder: Encoder) -> None:
    """Raise ``UserError`` for an encoder that is not ``tunable``."""
    if not encoder.tunable:
        kinds = {
            "speech": "all frames of a frozen model, where a fine-tuned one reads all anyway",
            "vision": "a model of pictures",
            "whisper": "an encoder of Whisper",
        }
        raise UserError(
            f"encoder {encoder.name!r}",
            found=kinds.get(encoder.extractor, "handcrafted features"),
            expected="a model of text or speech, the kinds that are fine-tuned",
            remedy="Use it frozen, or choose another (msalib doctor).",
        )


def _tokens(corpus: Corpus, encoder: Encoder, context: str | None) -> Features:
    tokenizer, model = text.load(encoder)
    limit = text.positions(model, tokenizer)
    texts = corpus.utterances["text"].tolist()
    if context:
        lines = [preceding.splitlines() for preceding in corpus.utterances[streams.TEXT_CONTEXT]]
        if context == "joined":
            lines = [[*before, own] for before, own in zip(lines, texts, strict=True)]
        texts = [tokenizer.sep_token.join(some) for some in lines]
    found = pieces.read(tokenizer, texts)
    pieces.warn(found, corpus.name, encoder)
    ids = found.ids
    if cut := text.warn_of_cuts(found.lengths, limit, corpus.name, encoder.name):
        first = -1 if context is None else 1 - limit  # a text loses its end, a context its start
        ids = [one if len(one) <= limit else [*one[: limit + first], *one[first:]] for one in ids]
    return Features(
        source=encoder.name,
        unit=text.UNIT,
        layers={TUNED: np.concatenate([np.array(one, np.int32) for one in ids])[:, None]},
        offsets=np.cumsum([0, *map(len, ids)]),
        provenance={
            "encoder": encoder.argument,
            "revision": weights.revision(encoder),
            "convention": convolved.CONVENTION,
            "truncated": f"{cut} of {len(ids)} clips",
            **{name: str(count) for name, count in found.counts().items()},
        },
    )


# --- models -------------------------------------------------------------------------------------


class Reading(NamedTuple):
    """How a model reads a fine-tuned text encoder, where it does not read the last block alone."""

    last: int
    """Blocks that it reads, the last first."""

    longest: int
    """Tokens of a text at most, SEP among them."""

    padding: bool
    """Whether all texts are padded to ``longest`` and the states at padded places are read."""

    cut: Literal["end", "start"] = "end"
    """What a text loses that is too long; CLS and SEP stay."""


class FineTuned(nn.Module):
    """A model behind the encoders that are trained with it: ``encoders`` by modality.

    All streams of a modality pass its one encoder, a clip's own words and those of its context,
    each stream in a batch of its own. ``core`` reads ``(features, mask)`` with the states in place
    of what the encoders read. Where it says ``hears_silence``, a clip without a context of sound
    has silence there instead (``Speech.silence``), as in MMML's release (papers/mmml.md (c)).
    Where it has a ``reading``, text is read so.
    """

    def __init__(self, core: nn.Module, encoders: Mapping[str, nn.Module]):
        super().__init__()
        self.core = core
        self.encoders = nn.ModuleDict(encoders)

    def forward(self, features: Mapping[str, Tensor], mask: Mapping[str, Tensor]):
        features, mask = dict(features), dict(mask)
        for stream in features:
            modality = streams.modality_of(stream)
            if modality in self.encoders:
                encoder = self.encoders[modality]
                if modality == "acoustic":
                    features[stream], mask[stream] = capped(
                        features[stream], mask[stream], encoder.limit, streams.is_context(stream)
                    )
                if stream == _CONTEXT_OF_SOUND and getattr(self.core, "hears_silence", False):
                    features[stream], mask[stream] = silenced(
                        features[stream], mask[stream], encoder.silence
                    )
                if modality == "linguistic" and hasattr(self.core, "reading"):
                    features[stream], mask[stream] = encoder.read(
                        features[stream], mask[stream], self.core.reading
                    )
                else:
                    features[stream] = encoder(features[stream], mask[stream])
        return self.core(features, mask)


_CONTEXT_OF_SOUND = streams.context_of("acoustic")


def capped(frames: Tensor, mask: Tensor, limit: int, first: bool) -> tuple[Tensor, Tensor]:
    """Keep ``limit`` frames of every clip; return frames (S', C) and mask (B, T').

    Several clips together may be longer than sound is let in. Context loses its end, as in MMML's
    release (papers/mmml.md (c)); a stream that ends with the clip's own sound loses its beginning.
    """
    lengths = mask.sum(1)
    if not len(frames) or int(lengths.max()) <= limit:
        return frames, mask
    pieces = [
        piece[:limit] if first else piece[-limit:] for piece in frames.split(lengths.tolist())
    ]
    return torch.cat(pieces), mask[:, :limit]


def silenced(frames: Tensor, mask: Tensor, silence: Tensor) -> tuple[Tensor, Tensor]:
    """Give clips without frames those of silence (T', C); return frames (S', C) and mask (B, T)."""
    lengths = mask.sum(1)
    pieces = [
        piece if len(piece) else silence.to(frames) for piece in frames.split(lengths.tolist())
    ]
    lengths = torch.tensor([len(piece) for piece in pieces], device=mask.device)
    step = torch.arange(int(lengths.max()), device=mask.device)
    return torch.cat(pieces), step < lengths[:, None]


def build(encoder: Encoder, precision: Precision, *, seconds: float = SECONDS) -> nn.Module:
    """Return a pretrained encoder as a module: ``width``, and ``forward(frames, mask)``.

    ``forward`` turns ``frames`` (S, 1) or (S, C) of ``inputs`` and their ``mask`` (B, T) into as
    many states of the last block, (S, width), float32; ``precision`` is that of the pass. A clip
    without frames has no states. ``seconds`` are those of ``inputs``, the length at which sound is
    cut. Raises ``UserError`` for encoders of other kinds and for weights that cannot be had.
    """
    check(encoder)
    if encoder.modality == "acoustic":
        return Speech(encoder, precision, seconds)
    return Text(encoder, precision)


class Text(nn.Module):
    """A BERT-family model: tokens to as many states, in batches padded to their longest text."""

    def __init__(self, encoder: Encoder, precision: Precision):
        super().__init__()
        tokenizer, self.model = text.load(encoder)
        self.name, self.positions = encoder.name, text.positions(self.model, tokenizer)
        # A pooler, if there is one, is not read here and would not be trained.
        self.model.pooler = None
        self.width = self.model.config.hidden_size
        self.precision = getattr(torch, precision)

    def forward(self, frames: Tensor, mask: Tensor) -> Tensor:
        if not len(frames):
            return torch.zeros(0, self.width, device=frames.device)
        mask = mask[mask.any(1)]
        ids = pad(frames, mask).squeeze(-1).long()
        with _autocast(ids.device, self.precision):
            states = self.model(input_ids=ids, attention_mask=mask.long()).last_hidden_state
        return states[mask].float()

    def read(self, frames: Tensor, mask: Tensor, reading: Reading) -> tuple[Tensor, Tensor]:
        """Return states (last, S', width) of tokens (S, 1), and the mask (B, T') of what is there.

        With ``padding`` every place is there, T' is ``longest``, and no valid token attends to a
        padded one. Raises ``UserError`` where the encoder has no positions for so many.
        """
        if reading.padding and reading.longest > self.positions:
            raise UserError(
                f"encoder {self.name!r}",
                found=f"{self.positions} positions",
                expected=f"at least {reading.longest}, the length to which texts are padded",
                remedy="Choose an encoder of longer texts, or -p preset article, which pads none.",
            )
        ids = pad(frames, mask).squeeze(-1).long()
        ids, valid = shortened(ids, mask, reading.longest, reading.cut)
        if reading.padding:
            more = reading.longest - valid.shape[1]
            ids = nn.functional.pad(ids, (0, more))
            valid = nn.functional.pad(valid, (0, more))
            ids = ids.masked_fill(~valid, self.model.config.pad_token_id or 0)
        there = torch.ones_like(valid) if reading.padding else valid
        with _autocast(ids.device, self.precision):
            if self.model.config.model_type in blocks.KINDS:
                last = blocks.states(self.model, ids, valid, there, reading.last)
            else:
                states = self.model(
                    input_ids=ids, attention_mask=valid.long(), output_hidden_states=True
                ).hidden_states
                last = [states[-1 - i][there] for i in range(reading.last)]
        return torch.stack(last).float(), there


def shortened(
    ids: Tensor, mask: Tensor, longest: int, cut: Literal["end", "start"]
) -> tuple[Tensor, Tensor]:
    """Cut token ids (B, T) and their mask to ``longest`` places; first and last token stay."""
    if ids.shape[1] <= longest:
        return ids, mask
    length = mask.sum(1, keepdim=True)
    place = torch.arange(longest, device=ids.device).expand(len(ids), longest)
    lost = (length - longest).clamp(min=0)
    if cut == "end":
        place = torch.where(place == longest - 1, place + lost, place)
    else:
        place = torch.where(place > 0, place + lost, place)
    return ids.gather(1, place), mask[:, :longest]


class Speech(nn.Module):
    """A model of the wav2vec 2.0 kind: frames of convolutions to states after a final LayerNorm.

    The convolutions are not here (``convolved``). The statistics of a batch norm (some HuBERTs have
    one) stay as they were pretrained. ``silence`` are the frames (T', C) of as much silence as a
    clip may have, without the last: transformers calls all but one of them valid if the mask says
    that none is.
    """

    def __init__(self, encoder: Encoder, precision: Precision, seconds: float):
        super().__init__()
        self.model = speech.pretrained(encoder)
        config = self.model.config
        with torch.no_grad():
            silent = self.model.feature_extractor(torch.zeros(1, round(seconds * media.RATE)))
        self.register_buffer("silence", silent[0].T[:-1].contiguous(), persistent=False)
        self.model.feature_extractor = None
        self.model.adapter = None  # neither read here nor trained
        self.limit = speech.frames(config, round(seconds * media.RATE))
        self.layout = packed.pack(self.model, self.limit)
        self.width = config.hidden_size
        self.precision = getattr(torch, precision)

    def forward(self, frames: Tensor, mask: Tensor) -> Tensor:
        if not len(frames):
            return frames.new_zeros(0, self.width)
        self.layout.set(mask)
        with _autocast(frames.device, self.precision):
            projected = self.model.feature_projection(frames[None])
            states = (projected[0] if isinstance(projected, tuple) else projected).float()
            if self.training and (hidden := self._hidden(mask)) is not None:
                states = torch.where(hidden[:, None], self.model.masked_spec_embed, states)
            return self.model.encoder(states).last_hidden_state[0].float()

    def train(self, mode: bool = True) -> "Speech":
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm1d):
                module.eval()
        return self

    def _hidden(self, mask: Tensor) -> Tensor | None:
        """Draw the frames to hide, (S,); None where the configuration hides none."""
        config = self.model.config
        if not getattr(config, "apply_spec_augment", True) or not config.mask_time_prob:
            return None
        drawn = spans(
            mask.sum(1).cpu(),
            share=config.mask_time_prob,
            span=config.mask_time_length,
            least=config.mask_time_min_masks,
        )
        return drawn.to(mask.device)[mask]


def spans(lengths: Tensor, *, share: float, span: int, least: int) -> Tensor:
    """Draw spans of frames to hide in each clip, (B, T): SpecAugment over time, arXiv:1904.08779.

    The spans of a clip begin at different frames. Their number is that of transformers'
    ``_compute_mask_indices``, which rounds up or down by one random number for the whole batch: so
    many that they would be ``share`` of the clip without overlap, at least ``least``, and no more
    than fit into it.
    """
    count = (share * lengths / span + torch.rand(())).long()
    count = torch.minimum(count.clamp(min=least), lengths // span)
    step = torch.arange(int(lengths.max()))
    rank = torch.rand(len(lengths), len(step))
    rank = rank.masked_fill(step > lengths[:, None] - span, 2.0).argsort(1).argsort(1)
    started = (rank < count[:, None]).cumsum(1)
    ended = nn.functional.pad(started, (span, 0))[:, : len(step)]
    return started > ended


def _autocast(device: torch.device, precision: torch.dtype) -> torch.autocast:
    return torch.autocast(device.type, precision, enabled=precision != torch.float32)
