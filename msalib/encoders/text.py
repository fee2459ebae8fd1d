"""Text encoders: every layer of a BERT-family model for every transcript, in one forward pass.

All word pieces are kept, CLS and SEP included, and block k is the model's ``hidden_states[k]``
(papers/uegd.md (e)); 0 are the embeddings that enter block 1. Computed in float32 on a CPU and by
autocast in bfloat16 on a GPU that has it, as the store says; stored in float16.
"""

import warnings
from pathlib import Path

import numpy as np

from msalib import encoders
from msalib.base.errors import UserError
from msalib.base.provenance import device_name, pick_device, versions
from msalib.data.corpus import Corpus, Features
from msalib.encoders import Encoder, forward
from msalib.encoders.clips import batches
from msalib.encoders.store import StoreMeta, fingerprint, open_store, write_store

CONVENTION = "k = output of block k (hidden_states[k]); 0 = embeddings, the input to block 1"
UNIT = "word piece, CLS and SEP included"
SETTINGS = "transcript as it is, all word pieces with CLS and SEP, cut at the model's positions"

WORD_PIECES = 1024
"""Padded word pieces per batch: a few seconds of BERT-Large on two cores."""

WORD_PIECES_GPU = 16_384
"""The same on a GPU: all layers of BERT-Large take about 2 GB of its memory."""

TEXTS = 1000
"""Texts that are tokenised at a time."""


def encode(
    corpus: Corpus, encoder: Encoder, folder: Path, device: str = "auto", refresh: bool = False
) -> Path:
    """Encode every transcript of a corpus into the feature store ``folder``; return ``folder``.

    A store that is there and fits is left as it is, unless ``refresh``; a killed extraction is
    continued. Texts longer than the model's positions are cut, counted in the store and warned of.
    Raises ``UserError`` for a store of another encoder revision or other texts (without
    ``refresh``), for weights that are missing or are no BERT-family model, for an unknown device
    and for a full disk.
    """
    if folder.exists() and not refresh:
        read(corpus, encoder, folder)
        return folder

    device = pick_device(device)
    precision = forward.precision(device)
    tokenizer, model = load(encoder)
    model.to(device)
    limit = positions(model, tokenizer)
    texts = corpus.utterances["text"].to_numpy()
    lengths = _word_pieces(tokenizer, texts)
    truncated = int((lengths > limit).sum())
    if truncated:
        warnings.warn(
            f"{truncated} of {len(corpus)} texts of {corpus.name} are longer than the {limit} word "
            f"pieces {encoder.name} takes, and are cut there",
            stacklevel=2,
        )
    lengths = np.minimum(lengths, limit)
    meta = StoreMeta(
        dataset=corpus.name,
        encoder=encoder.name,
        revision=encoders.revision(encoder),
        convention=CONVENTION,
        unit=UNIT,
        fingerprint=_fingerprint(corpus),
        layers=model.config.num_hidden_layers + 1,
        clips=len(corpus),
        frames=int(lengths.sum()),
        dim=model.config.hidden_size,
        truncated=truncated,
        device=device_name(device),
        versions=versions(),
        precision=precision,
    )
    return write_store(
        folder,
        meta,
        corpus.utterances.index.astype(str).tolist(),
        np.concatenate([[0], np.cumsum(lengths)]),
        batches(lengths, WORD_PIECES if device == "cpu" else WORD_PIECES_GPU),
        lambda clips: _layers(tokenizer, model, limit, texts[clips].tolist(), precision),
    )


def read(corpus: Corpus, encoder: Encoder, folder: Path) -> Features:
    """The features of a corpus by an encoder, from the store ``folder``.

    Raises ``UserError`` where the store is missing, damaged, made from other texts or by another
    revision of the encoder. The revision is compared where the weights are on this machine: a
    store made elsewhere can be read without them.
    """
    return open_store(
        folder,
        encoder=encoder.name,
        revision=encoders.revision(encoder) if encoders.is_here(encoder) else None,
        fingerprint=_fingerprint(corpus),
        command=f"msalib encode {corpus.name} {encoder.argument}",
    )


def _fingerprint(corpus: Corpus) -> str:
    ids = corpus.utterances.index.astype(str)
    return fingerprint(SETTINGS, zip(ids, corpus.utterances["text"], strict=True))


def load(encoder: Encoder):
    """Tokeniser and model in evaluation mode, float32, from files on this machine."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    path = encoders.folder(encoder)
    expected = "a BERT-family model with its tokeniser"
    remedy = "Give the folder or hub id of such a model; msalib doctor lists those that work."
    try:
        with forward.quiet():
            tokenizer = AutoTokenizer.from_pretrained(
                path, trust_remote_code=False, padding_side="right"
            )
            model, loading = AutoModel.from_pretrained(
                path, trust_remote_code=False, dtype=torch.float32, output_loading_info=True
            )
    except (OSError, ValueError) as error:
        problem = str(error).strip().splitlines()[0]
        raise UserError(path, found=problem, expected=expected, remedy=remedy) from error
    # What a file lacks, transformers fills with random numbers; only the pooler is not used here.
    missing = sorted(k for k in loading["missing_keys"] if not k.startswith("pooler."))
    if missing:
        found = f"weights without {len(missing)} of the model's tensors, among them {missing[0]}"
        raise UserError(path, found=found, expected=expected, remedy=remedy)
    if tokenizer.cls_token_id is None or tokenizer.sep_token_id is None:
        found = f"a {model.config.model_type} model without CLS or SEP"
        raise UserError(path, found=found, expected=expected, remedy=remedy)
    return tokenizer, model.eval()


def positions(model, tokenizer) -> int:
    """The longest input, in word pieces, that the model has positions for."""
    embeddings = getattr(getattr(model, "embeddings", None), "position_embeddings", None)
    if embeddings is None:
        return tokenizer.model_max_length
    # RoBERTa and its kin count positions from padding_idx + 1.
    unused = 0 if embeddings.padding_idx is None else embeddings.padding_idx + 1
    return embeddings.num_embeddings - unused


def _word_pieces(tokenizer, texts: np.ndarray) -> np.ndarray:
    """Word pieces per text, CLS and SEP included, before any cut: (N,)."""
    lengths = []
    with forward.quiet():
        for start in range(0, len(texts), TEXTS):
            pieces = tokenizer(texts[start : start + TEXTS].tolist(), truncation=False)["input_ids"]
            lengths += [len(p) for p in pieces]
    return np.array(lengths)


def _layers(
    tokenizer, model, limit: int, texts: list[str], precision: str = "float32"
) -> np.ndarray:
    """All layers of B texts, padded to the longest: (L, B, T, D) float16."""
    import torch

    inputs = tokenizer(
        texts, padding=True, truncation=True, max_length=limit, return_tensors="pt"
    ).to(model.device)
    with forward.computing(model.device.type, precision):
        states = model(**inputs, output_hidden_states=True).hidden_states  # L of (B, T, D)
        return torch.stack([state.half() for state in states]).cpu().numpy()
