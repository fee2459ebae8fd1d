"""A text encoder in the training loop: any BERT-family model, trained along with what reads it.

A corpus then holds word pieces instead of features, and ``TextEncoder`` turns those of a batch into
the states of the last block (papers/sugrm.md (c), text encoder). Positions that are padding have no
state: nothing can read them.
"""

from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from msalib.data.corpus import TUNED, Corpus, Features, pad
from msalib.encoders import text, weights
from msalib.encoders.registry import Encoder

Precision = Literal["float32", "bfloat16"]


def word_pieces(corpus: Corpus, encoder: Encoder) -> Features:
    """The transcripts of a corpus as numbers of word pieces, CLS and SEP included: (S, 1).

    Texts longer than the model's positions are cut and warned of. Raises ``UserError`` like
    ``text.load``.
    """
    tokenizer, model = text.load(encoder)
    limit = text.positions(model, tokenizer)
    texts = corpus.utterances["text"].tolist()
    pieces = text.tokens(tokenizer, texts)
    if text.warn_of_cuts(np.array([len(p) for p in pieces]), limit, corpus.name, encoder.name):
        pieces = [p if len(p) <= limit else [*p[: limit - 1], p[-1]] for p in pieces]
    return Features(
        source=encoder.name,
        unit=text.UNIT,
        layers={TUNED: np.concatenate(pieces).astype(np.int32)[:, None]},
        offsets=np.concatenate([[0], np.cumsum([len(p) for p in pieces])]),
        provenance={
            "encoder": encoder.argument,
            "revision": weights.revision(encoder),
            "convention": "last block of the encoder, trained along",
        },
    )


class TextEncoder(nn.Module):
    """Word pieces (S, 1) to the states of the last block (S, width), for masks (B, T)."""

    def __init__(self, encoder: Encoder, precision: Precision):
        super().__init__()
        _, self.model = text.load(encoder)
        # A pooler, if there is one, is not read here and would not be trained.
        self.model.pooler = None
        self.width = self.model.config.hidden_size
        self.precision = getattr(torch, precision)

    def forward(self, pieces: Tensor, mask: Tensor) -> Tensor:
        ids = pad(pieces, mask).squeeze(-1).long()
        lower = self.precision != torch.float32
        with torch.autocast(ids.device.type, self.precision, enabled=lower):
            states = self.model(input_ids=ids, attention_mask=mask.long()).last_hidden_state
        return states[mask].float()

    def groups(self) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
        """Weights, and what weight decay spares: biases and LayerNorms (papers/sugrm.md (e))."""
        spared, decayed = [], []
        for name, parameter in self.model.named_parameters():
            no_decay = name.endswith("bias") or "LayerNorm" in name or "layer_norm" in name
            (spared if no_decay else decayed).append(parameter)
        return decayed, spared
