"""Masked transcripts: what a frozen text encoder makes of texts with hidden tokens, stored once.

A transcript is stored ``variants`` times, each with other tokens hidden (``hide``). A token is
hidden before the encoder reads the text, so that the states beside it do not know it. Which tokens
are hidden follows from the clip's id alone.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from msalib.base.errors import UserError
from msalib.base.provenance import device_name, pick_device, versions
from msalib.data.corpus import Corpus, Features
from msalib.encoders import clips, forward, pieces, text, weights
from msalib.encoders.registry import Encoder
from msalib.encoders.store import StoreMeta, fingerprint, open_store, write_store

Hide = Callable[..., tuple]
"""Takes token ids (T,), which are special (T,), and by name ``mask``, ``vocabulary`` and
``generator``; returns the ids with some hidden, and those to guess."""


class Masked(NamedTuple):
    """Stored variants: variant v of clip i is number ``i * variants + v``.

    ``features`` have the last layer alone. ``tokens`` (S,) are what is to guess at each of their S
    places, ``vocabulary`` is how many tokens there are.
    """

    features: Features
    tokens: np.ndarray
    variants: int
    vocabulary: int


class _Hidden(NamedTuple):
    """Variants of all texts before they are encoded; ``cut`` of them were too long."""

    names: list[str]
    inputs: list[np.ndarray]  # of token ids, (T,)
    targets: list[np.ndarray]  # (T,)
    cut: int
    counts: dict[str, int]  # of pieces, see ``pieces``


def masked(
    corpus: Corpus,
    encoder: Encoder,
    hide: Hide,
    settings: str,
    *,
    variants: int,
    folder: Path,
    device: str = "auto",
) -> Masked:
    """Return the masked transcripts of a corpus, encoded now unless ``folder`` has them.

    ``settings`` say in words how ``hide`` hides, for the fingerprint. A store of other texts,
    settings or another revision of the encoder is made anew. Raises ``UserError`` for an encoder
    without a mask token, and like ``extraction.extract``.
    """
    tokenizer, model = _loaded(encoder)
    found = pieces.read(tokenizer, corpus.utterances["text"].tolist())
    pieces.warn(found, corpus.name, encoder)
    limit = text.positions(model, tokenizer)
    hidden = _hidden(corpus.utterances.index, found, tokenizer, limit, hide, variants)
    about = f"{text.SETTINGS}; {settings}; {variants} variants"
    texts = np.repeat(corpus.utterances["text"].to_numpy(), variants)
    fits = {
        "encoder": encoder.name,
        "revision": weights.revision(encoder),
        "fingerprint": fingerprint(about, zip(hidden.names, texts, strict=True)),
    }
    stored = partial(open_store, folder, **fits, command="run the same again")
    try:
        features = stored()
    except UserError:
        network = _Network(tokenizer, model.to(pick_device(device)), hidden.inputs)
        _write(folder, network, hidden, {"dataset": corpus.name, **fits}, about)
        features = stored()
    return Masked(features, np.concatenate(hidden.targets), variants, len(tokenizer))


def _loaded(encoder: Encoder):
    """Return tokeniser and model (``text.load``); ``UserError`` where there is no mask token."""
    tokenizer, model = text.load(encoder)
    if tokenizer.mask_token_id is None:
        raise UserError(
            f"encoder {encoder.name}",
            found="a tokeniser without a mask token",
            expected="a masked language model, such as BERT or RoBERTa",
            remedy="Pretrain with another text encoder (msalib doctor).",
        )
    return tokenizer, model


def _hidden(
    names: Iterable[str], found: pieces.Pieces, tokenizer, limit: int, hide: Hide, variants: int
) -> _Hidden:
    """Return all variants of all texts, in order; those of more than ``limit`` tokens are cut."""
    import torch

    special = torch.tensor(tokenizer.all_special_ids)
    hidden, cut = _Hidden([], [], [], 0, found.counts()), 0
    for name, ids in zip(names, found.ids, strict=True):
        cut += variants * (len(ids) > limit)
        ids = torch.tensor(ids[: limit - 1] + ids[-1:] if len(ids) > limit else ids)
        for v in range(variants):
            seed = hashlib.sha256(f"{name}#{v}".encode()).digest()[:8]
            inputs, targets = hide(
                ids,
                torch.isin(ids, special),
                mask=tokenizer.mask_token_id,
                vocabulary=len(tokenizer),
                generator=torch.Generator().manual_seed(int.from_bytes(seed) >> 1),
            )
            hidden.names.append(f"{name}#{v}")
            hidden.inputs.append(inputs.numpy())
            hidden.targets.append(targets.numpy().astype(np.int32))
    return hidden._replace(cut=cut)


def _write(
    folder: Path, network: "_Network", hidden: _Hidden, fits: dict[str, str], about: str
) -> None:
    """Encode all variants into a store; ``fits`` are what it is recognised by."""
    lengths = np.array([len(ids) for ids in hidden.inputs])
    device, config = network.model.device.type, network.model.config
    meta = StoreMeta(
        **fits,
        convention=text.CONVENTION,
        unit=f"{text.UNIT}, some hidden",
        layers=1,
        first=config.num_hidden_layers,
        clips=len(lengths),
        frames=int(lengths.sum()),
        dim=config.hidden_size,
        truncated=hidden.cut,
        device=device_name(device),
        precision=network.precision,
        versions=versions(),
        counts=hidden.counts,
        settings={"hidden": about},
    )
    budget = text.WORD_PIECES if device == "cpu" else text.WORD_PIECES_GPU
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    batches = clips.batches(lengths, budget)
    write_store(folder, meta, hidden.names, offsets, batches, network.states)


class _Network:
    """A text model on token ids, for ``write_store``."""

    def __init__(self, tokenizer, model, inputs: Sequence[np.ndarray]):
        self.padding, self.model, self.inputs = tokenizer.pad_token_id or 0, model, inputs
        self.precision = forward.precision(model.device.type)

    def states(self, batches: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
        """Yield the last states of each batch of B texts, (1, B, T, D) float16."""
        import torch

        for batch in batches:
            ids = [torch.tensor(self.inputs[n]) for n in batch]
            padded = torch.nn.utils.rnn.pad_sequence(ids, True, self.padding)
            length = torch.tensor([len(one) for one in ids])
            valid = torch.arange(padded.shape[1]) < length[:, None]
            device = self.model.device
            with forward.computing(device.type, self.precision):
                states = self.model(
                    input_ids=padded.to(device),
                    attention_mask=valid.long().to(device),
                    output_hidden_states=True,
                ).hidden_states[-1]
            yield states[None].half().cpu().numpy()
