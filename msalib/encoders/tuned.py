"""Fine-tuned encoders: pretrained models of text and speech, trained with the model behind them.

A stream of the corpus then holds tokens or waveforms instead of features (``inputs``); ``build``
makes the module that turns those of a batch into states of the last block, and ``FineTuned`` joins
such modules and the model that reads their states. Padding changes nothing that they return.

Speech follows MMML (papers/mmml.md (c), (d)): mean of the channels, normalised where the model's
preprocessor says so, convolutions frozen. In training, LayerDrop and SpecAugment over time are as
the model's configuration has them; SpecAugment is drawn from PyTorch's generator, not NumPy's.
"""

from collections.abc import Mapping
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from msalib.base.errors import UserError
from msalib.base.paths import features_folder
from msalib.base.progress import bar
from msalib.data import streams
from msalib.data.corpus import TUNED, Corpus, Features, pad
from msalib.encoders import clips, media, speech, text, weights
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
) -> Features:
    """Return what a fine-tuned encoder reads of every clip: tokens or waveforms, (S, 1).

    Text: ids, int32, CLS and SEP included. ``context`` asks for the preceding texts, the oldest
    first, alone or with the clip's own text after them: one sequence, joined by SEP, that loses its
    oldest tokens where it is too long. Speech: float32 at 16 kHz, at most ``seconds`` of each clip;
    the context of sound is made from these (``streams.context``). Clips that are cut are warned of.
    Raises ``UserError`` for encoders of other kinds, and like ``text.load`` and ``media.sound``.
    """
    check(encoder)
    if encoder.modality == "acoustic":
        return _waveforms(corpus, encoder, seconds)
    return _tokens(corpus, encoder, context)


def check(encoder: Encoder) -> None:
    """Raise ``UserError`` for an encoder of pictures and for handcrafted features."""
    if not encoder.tunable:
        raise UserError(
            f"encoder {encoder.name!r}",
            found="handcrafted features" if encoder.handcrafted else "a model of pictures",
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
    ids = text.tokens(tokenizer, texts)
    lengths = np.array([len(of_text) for of_text in ids])
    if text.warn_of_cuts(lengths, limit, corpus.name, encoder.name):
        first = -1 if context is None else 1 - limit  # a text loses its end, a context its start
        ids = [one if len(one) <= limit else [*one[: limit + first], *one[first:]] for one in ids]
    provenance = _provenance(encoder)
    return _features(encoder, text.UNIT, [np.array(one, np.int32) for one in ids], provenance)


def _waveforms(corpus: Corpus, encoder: Encoder, seconds: float) -> Features:
    model, normalise = speech.load(encoder, "paper")
    shortest, longest = speech.receptive_field(model.config), round(seconds * media.RATE)
    mix, paths = clips.MIX["paper"], clips.files(corpus, "acoustic")
    one_by_one = [np.array([n]) for n in range(len(paths))]
    decoded = clips.prepared(one_by_one, media.sound, lambda n: (paths[n], mix))
    waves, samples = [], []
    for _, (_, (wave,)) in zip(bar(paths, "decoding the sound", "clip"), decoded, strict=True):
        samples.append(len(wave))
        waves.append(speech.prepare(wave[:longest], shortest, normalise))
    speech.warn_of_lengths(np.array(samples), seconds, shortest, corpus.name)
    settings = f"16 kHz, channel {mix}, normalised {normalise}, at most {seconds:g} s"
    beside = features_folder() / corpus.name / "waveforms"
    provenance = _provenance(encoder) | {
        "fingerprint": clips.inputs(corpus, "acoustic", settings, beside),
        "sound": clips.heard("paper"),
        "waveform": speech.NORMALISED[normalise],
        "longest": f"{seconds:g} s",
    }
    return _features(encoder, f"sample, {media.RATE} a second", waves, provenance)


def _provenance(encoder: Encoder) -> dict[str, str]:
    return {
        "encoder": encoder.argument,
        "revision": weights.revision(encoder),
        "convention": "last block of the fine-tuned encoder",
    }


def _features(
    encoder: Encoder, unit: str, of_clips: list[np.ndarray], provenance: dict[str, str]
) -> Features:
    return Features(
        source=encoder.name,
        unit=unit,
        layers={TUNED: np.concatenate(of_clips)[:, None]},
        offsets=np.concatenate([[0], np.cumsum([len(one) for one in of_clips])]),
        provenance=provenance,
    )


# --- models -------------------------------------------------------------------------------------


class FineTuned(nn.Module):
    """A model behind the encoders that are trained with it: ``encoders`` by name of the stream.

    ``core`` reads ``(features, mask)`` with the states of each encoder in place of what the encoder
    reads.
    """

    def __init__(self, core: nn.Module, encoders: Mapping[str, nn.Module]):
        super().__init__()
        self.core = core
        self.encoders = nn.ModuleDict(encoders)

    def forward(self, features: Mapping[str, Tensor], mask: Mapping[str, Tensor]):
        features, mask = dict(features), dict(mask)
        for stream, encoder in self.encoders.items():
            features[stream], mask[stream] = encoder(features[stream], mask[stream])
        return self.core(features, mask)


def build(encoder: Encoder, precision: Precision) -> nn.Module:
    """Return a pretrained encoder as a module: ``width``, and ``forward(frames, mask)``.

    ``forward`` turns ``frames`` (S, 1) of ``inputs`` and their ``mask`` (B, T) into the states of
    the last block (S', width), float32, and their mask (B, T'); ``precision`` is that of the pass.
    Raises ``UserError`` for encoders of other kinds and for weights that cannot be had.
    """
    check(encoder)
    return {"linguistic": Text, "acoustic": Speech}[encoder.modality](encoder, precision)


class Text(nn.Module):
    """A BERT-family model: tokens to as many states."""

    def __init__(self, encoder: Encoder, precision: Precision):
        super().__init__()
        _, self.model = text.load(encoder)
        # A pooler, if there is one, is not read here and would not be trained.
        self.model.pooler = None
        self.width = self.model.config.hidden_size
        self.precision = getattr(torch, precision)

    def forward(self, frames: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        ids = pad(frames, mask).squeeze(-1).long()
        with _autocast(ids.device, self.precision):
            states = self.model(input_ids=ids, attention_mask=mask.long()).last_hidden_state
        return states[mask].float(), mask


class Speech(nn.Module):
    """A model of the wav2vec 2.0 kind: waveforms to 50 states a second, after a final LayerNorm.

    A clip without samples has no states. The convolutions stay as they were pretrained, and so do
    the statistics of a batch norm (some HuBERTs have one): clips pass it one by one.
    """

    def __init__(self, encoder: Encoder, precision: Precision):
        super().__init__()
        self.model, _ = speech.load(encoder, "paper")
        self.model.adapter = None  # neither read here nor trained
        self.model.feature_extractor.requires_grad_(False)
        self.width = self.model.config.hidden_size
        self.precision = getattr(torch, precision)

    def forward(self, frames: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        lengths = mask.sum(1)
        heard = lengths > 0
        if not heard.any():
            return frames.new_zeros(0, self.width), mask[:, :1]
        waves = frames.squeeze(-1).split(lengths[heard].tolist())
        with _autocast(frames.device, self.precision):
            projected = speech.project(self.model, waves)
            if self.training:
                projected = [self._with_spans_hidden(one) for one in projected]
            states, of_heard = speech.encode(self.model, projected)
        valid = mask.new_zeros(len(mask), of_heard.shape[1])
        valid[heard] = of_heard
        return states[of_heard].float(), valid

    def train(self, mode: bool = True) -> "Speech":
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm1d):
                module.eval()
        return self

    def _with_spans_hidden(self, frames: Tensor) -> Tensor:
        """Hide spans of frames (T, D) of one clip: SpecAugment over time, arXiv:1904.08779.

        The number of spans is that of transformers' ``_compute_mask_indices``.
        """
        config, length = self.model.config, len(frames)
        if not getattr(config, "apply_spec_augment", True) or not config.mask_time_prob:
            return frames
        span = config.mask_time_length
        count = int(config.mask_time_prob * length / span + torch.rand(()).item())
        count = min(max(count, config.mask_time_min_masks), length // span)
        hidden = torch.zeros(length, dtype=torch.bool)
        for start in torch.randperm(max(0, length - span + 1))[:count].tolist():
            hidden[start : start + span] = True
        return torch.where(hidden.to(frames.device)[:, None], self.model.masked_spec_embed, frames)


def _autocast(device: torch.device, precision: torch.dtype) -> torch.autocast:
    return torch.autocast(device.type, precision, enabled=precision != torch.float32)
