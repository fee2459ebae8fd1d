"""Text encoders: all layers of a BERT-family model for every transcript.

All tokens are kept, CLS and SEP included, and block k is the model's ``hidden_states[k]``
(papers/uegd.md (e)); 0 are the embeddings that enter block 1. Computed in float32 on a CPU and by
autocast in bfloat16 on a GPU that has it, as the store says; stored in float16.
"""

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from msalib.base.errors import UserError
from msalib.encoders import clips, extraction, forward, pieces, weights
from msalib.encoders.registry import Encoder
from msalib.encoders.store import fingerprint

CONVENTION = "k = output of block k (hidden_states[k]); 0 = embeddings, the input to block 1"
UNIT = "word piece, CLS and SEP included"
SETTINGS = "transcript as it is, all word pieces with CLS and SEP, cut at the model's positions"

WORD_PIECES = 1024
"""Padded tokens per batch: a few seconds of BERT-Large on two cores."""

WORD_PIECES_GPU = 16_384
"""The same on a GPU: all layers of BERT-Large take about 2 GB of its memory."""


class Extractor(extraction.Extractor):
    """All tokens of every transcript; texts longer than the model's positions are cut."""

    convention, unit = CONVENTION, UNIT

    def fingerprint(self, folder: Path) -> str:
        ids, texts = self.corpus.utterances.index.astype(str), self.corpus.utterances["text"]
        return fingerprint(SETTINGS, zip(ids, texts, strict=True))

    def network(self):
        self.tokenizer, model = load(self.encoder)
        self.limit = positions(model, self.tokenizer)
        return model

    def plan(self, folder: Path, fingerprint: str) -> extraction.Plan:
        found = pieces.read(self.tokenizer, self.corpus.utterances["text"].tolist())
        pieces.warn(found, self.corpus.name, self.encoder)
        truncated = warn_of_cuts(found.lengths, self.limit, self.corpus.name, self.encoder.name)
        lengths = np.minimum(found.lengths, self.limit)
        budget = WORD_PIECES if self.model.device.type == "cpu" else WORD_PIECES_GPU
        meta = self.meta() | {"truncated": truncated, "counts": found.counts()}
        return extraction.Plan(lengths, clips.batches(lengths, budget), meta)

    def losses(self) -> list[str]:
        texts = self.corpus.utterances["text"].tolist()
        return pieces.losses(pieces.read(load_tokenizer(self.encoder), texts), self.encoder.name)

    def states(self, batches: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
        texts = self.corpus.utterances["text"].to_numpy()
        for batch in batches:
            of_batch = texts[batch].tolist()
            yield layers(self.tokenizer, self.model, self.limit, of_batch, self.precision)


def load(encoder: Encoder):
    """Return tokeniser and model, in evaluation mode and float32.

    Raises ``UserError`` for weights that are missing or are no BERT-family model.
    """
    import torch
    from transformers import AutoModel

    path, tokenizer = weights.folder(encoder), load_tokenizer(encoder)
    try:
        with forward.quiet():
            model, loading = AutoModel.from_pretrained(
                path, trust_remote_code=False, dtype=torch.float32, output_loading_info=True
            )
    except (OSError, ValueError) as error:
        raise _refused(path, str(error).strip().splitlines()[0]) from error
    # What a file lacks, transformers fills with random numbers; only the pooler is not used here.
    missing = sorted(k for k in loading["missing_keys"] if not k.startswith("pooler."))
    if missing:
        lost = f"{len(missing)} of the model's tensors, among them {missing[0]}"
        raise _refused(path, f"weights without {lost}")
    if tokenizer.cls_token_id is None or tokenizer.sep_token_id is None:
        raise _refused(path, f"a {model.config.model_type} model without CLS or SEP")
    return tokenizer, model.eval()


def load_tokenizer(encoder: Encoder):
    """Return the tokeniser. Raises ``UserError`` like ``load``."""
    from transformers import AutoTokenizer

    path = weights.folder(encoder)
    try:
        with forward.quiet():
            return AutoTokenizer.from_pretrained(
                path, trust_remote_code=False, padding_side="right"
            )
    except (OSError, ValueError) as error:
        raise _refused(path, str(error).strip().splitlines()[0]) from error


def _refused(path: Path, found: str) -> UserError:
    return UserError(
        path,
        found=found,
        expected="a BERT-family model with its tokeniser",
        remedy="Give the folder or hub id of such a model; msalib doctor lists those that work.",
    )


def positions(model, tokenizer) -> int:
    """Return the longest input, in tokens, that the model has positions for."""
    embeddings = getattr(getattr(model, "embeddings", None), "position_embeddings", None)
    if embeddings is None:
        return tokenizer.model_max_length
    # RoBERTa and its kin count positions from padding_idx + 1.
    unused = 0 if embeddings.padding_idx is None else embeddings.padding_idx + 1
    return embeddings.num_embeddings - unused


def warn_of_cuts(lengths: np.ndarray, limit: int, corpus: str, encoder: str) -> int:
    """Return how many texts are longer than ``limit`` tokens; warn where any is."""
    longer = int((lengths > limit).sum())
    if longer:
        warnings.warn(
            f"{longer} of {len(lengths)} texts of {corpus} are longer than the {limit} tokens that "
            f"{encoder} takes, and are cut there",
            stacklevel=3,
        )
    return longer


def layers(
    tokenizer, model, limit: int, texts: list[str], precision: str = "float32"
) -> np.ndarray:
    """Return all layers of B texts, padded to the longest: (L, B, T, D) float16."""
    import torch

    inputs = tokenizer(
        texts, padding=True, truncation=True, max_length=limit, return_tensors="pt"
    ).to(model.device)
    with forward.computing(model.device.type, precision):
        states = model(**inputs, output_hidden_states=True).hidden_states  # L of (B, T, D)
        return torch.stack([state.half() for state in states]).cpu().numpy()
