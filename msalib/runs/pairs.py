"""Pairs of sound and text as pretraining reads them: stored outputs of frozen encoders.

Only the clips of a batch are read from the disk, so memory does not grow with the clips. Notation:
N clips, B clips of a batch, T tokens, F frames, D features.
"""

import hashlib
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from msalib import encoders
from msalib.base import files
from msalib.base.errors import UserError
from msalib.data import pairs
from msalib.data.corpus import Corpus, Features
from msalib.encoders import Encoder
from msalib.runs.inputs import TUNED_ENDING, Inputs

if TYPE_CHECKING:
    import torch

    from msalib.models.masked_pairs import Masking, Pairs, Stage

SOUND, TEXT = "acoustic", "linguistic"

HELD_OUT = 20
"""Every so many-th video is held out, to see what was learned; of fewer videos so many-th clip."""

JUDGED = 256
"""Clips at most that are judged."""


class Layer(NamedTuple):
    """One stored layer: frames (S, D) of all clips, and where each clip begins, (N + 1,)."""

    layers: Mapping[int, np.ndarray]
    number: int
    offsets: np.ndarray

    @property
    def values(self) -> np.ndarray:
        """The frames, mapped anew: what was read of a map is memory until the map is let go."""
        return self.layers[self.number]

    def take(self, clips: Sequence[int]) -> list[np.ndarray]:
        """Return the frames of some clips, each (T, D)."""
        return cut(self.values, self.offsets, clips)

    def lengths(self) -> np.ndarray:
        """Return the frames of every clip, (N,)."""
        return np.diff(self.offsets)


class Stored(NamedTuple):
    """The clips of one stage: last layers of both encoders, masked texts, codewords of frames.

    ``tokens`` (S,) are to be guessed at the places of ``masked``, which has ``variants`` of each
    text one after the other. ``codewords`` (S,) number the frames of ``sound``; there are
    ``counts`` of them and of tokens. ``learned`` and ``held`` are the clips, by number;
    ``identity`` tells them and their features from others.
    """

    sound: Layer
    words: Layer
    masked: Layer
    tokens: np.ndarray
    variants: int
    codewords: np.ndarray
    counts: dict[str, int]
    learned: np.ndarray
    held: np.ndarray
    identity: dict[str, str]

    @property
    def sizes(self) -> dict[str, int]:
        """Return D by modality."""
        return {SOUND: self.sound.values.shape[1], TEXT: self.words.values.shape[1]}


def both(inputs: Inputs) -> dict[str, Encoder]:
    """Return the encoders of sound and text; ``UserError`` where pretraining cannot read them."""
    if inputs.tuned:
        raise UserError(
            f"encoder {inputs.encoder!r}",
            found="encoders that are fine-tuned",
            expected="frozen ones, whose outputs pretraining reads from their stores",
            remedy=f"Leave {TUNED_ENDING} out, or leave pretraining out.",
        )
    if missing := [m for m in (SOUND, TEXT) if m not in inputs.encoders]:
        remedy = "Name both, joined by +: -p encoder small-wavlm-frames+small-bert"
        if not {SOUND, TEXT} <= set(inputs.dataset.raw):
            remedy = "Choose a data set whose sound and text are encoded, such as raw-spoken"
        raise UserError(
            f"encoder {inputs.encoder!r} on {inputs.parameters.dataset}",
            found=f"no encoder of the {' and no encoder of the '.join(missing)} modality",
            expected="one of speech and one of text: other clips are encoded by them, too",
            remedy=f"{remedy}, or leave pretraining out.",
        )
    return {m: encoders.resolve(inputs.encoders[m].argument) for m in (SOUND, TEXT)}


def stored(inputs: Inputs, stages: tuple["Stage", ...], masking: "Masking", split: str) -> Stored:
    """Return the clips of the last of some stages, encoded now where they are not yet.

    The clusters that number frames are those of the first stage. ``split`` says which clips of the
    task are its parts. Raises ``UserError`` like ``both``, ``pairs.load`` and ``encoders.encode``.
    """
    from msalib.encoders import units

    corpus, features, rows = _read(inputs, stages[-1], masking, split)
    sound, words = features[SOUND], features[TEXT]
    learned, held = _held_out(corpus, rows)
    layer = round(masking.codeword_layer * max(sound.layers))
    first, fitted, of = sound, learned, corpus
    if len(stages) > 1:
        of, read, all_rows = _read(inputs, stages[0], masking, split)
        first, fitted = read[SOUND], _held_out(of, all_rows)[0]
    folder = encoders.store_folder(of.name, both(inputs)[SOUND]).parent
    centres = units.centres(first, layer, masking.codewords, fitted, folder)
    masked = _masked(inputs, corpus, masking)
    return Stored(
        sound=_last(sound),
        words=_last(words),
        masked=_last(masked.features),
        tokens=masked.tokens,
        variants=masked.variants,
        codewords=units.numbered(sound, layer, centres),
        counts={SOUND: len(centres), TEXT: masked.vocabulary},
        learned=learned,
        held=held,
        identity=_identity(inputs, features, split if stages[-1].parts else inputs.dataset.split),
    )


def _identity(inputs: Inputs, features: Mapping[str, Features], split: str) -> dict[str, str]:
    """Return what tells the clips of a stage from others: fingerprints by modality, and more.

    Other splits than the usual one train on other clips of the same features. Folders and hub ids
    may hold other weights under the same name.
    """
    chosen = both(inputs)
    found = {m: f.provenance["fingerprint"] for m, f in features.items()}
    for m, encoder in chosen.items():
        if not encoder.registered:
            found[f"{m} revision"] = features[m].provenance["revision"]
    return found | ({"split": split} if split != inputs.dataset.split else {})


def _read(
    inputs: Inputs, stage: "Stage", masking: "Masking", split: str
) -> tuple[Corpus, dict[str, Features], np.ndarray]:
    """Return the corpus of a stage, the features of both encoders, and its clips by number."""
    chosen, p = both(inputs), inputs.parameters
    if not stage.corpus:
        corpus = pairs.checked(inputs.encoded_for((SOUND, TEXT)))
        rows = np.sort(np.concatenate([corpus.rows(part, split) for part in stage.parts]))
        return corpus, {m: corpus.features[m] for m in chosen}, rows
    corpus, features = pairs.load(stage.corpus, clips=masking.pt_clips), {}
    for m, encoder in chosen.items():
        folder = encoders.store_folder(corpus.name, encoder, p.preset)
        with files.reserved(folder, wait=True):
            if folder.is_dir():
                features[m] = _reopened(corpus, encoder, p.preset, folder)
                continue
            encoders.encode(corpus, encoder, preset=p.preset, device=p.device)
        features[m] = encoders.read(corpus, encoder, p.preset)
    return corpus, features, np.arange(len(corpus))


def _reopened(corpus: Corpus, encoder: Encoder, preset: str, folder: Path) -> Features:
    """Return stored features of pairs, which are no data set that ``msalib encode`` knows."""
    try:
        return encoders.read(corpus, encoder, preset)
    except UserError as error:
        raise UserError(
            error.where,
            found=error.found,
            expected=error.expected,
            remedy=f"Delete the folder {folder}; pretraining makes it again.",
        ) from error


def _masked(inputs: Inputs, corpus: Corpus, masking: "Masking"):
    """Return the masked texts of a corpus."""
    from msalib.encoders import masked_text
    from msalib.models.masked_pairs import hide_tokens

    settings, encoder = f"{masking.text_masked:g} of the tokens hidden", both(inputs)[TEXT]
    folder = encoders.store_folder(corpus.name, encoder)
    about = f"{settings} {masking.text_variants}"
    ending = hashlib.sha256(about.encode()).hexdigest()[:8]
    folder = folder.with_name(f"{folder.name}-masked-{ending}")
    with files.reserved(folder, wait=True):
        return masked_text.masked(
            corpus,
            encoder,
            partial(hide_tokens, share=masking.text_masked),
            settings,
            variants=masking.text_variants,
            folder=folder,
            device=inputs.parameters.device,
        )


def _last(features: Features) -> Layer:
    return Layer(features.layers, max(features.layers), features.offsets)


def _held_out(corpus: Corpus, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Split clips into those that are learned and those that are held out, two or more.

    Raises ``UserError`` for too few clips.
    """
    names, number = np.unique(corpus.utterances["video"].to_numpy()[rows], return_inverse=True)
    if len(names) < HELD_OUT:
        number = np.arange(len(rows))
    held = number % HELD_OUT == HELD_OUT - 1
    if held.sum() < 2:
        raise UserError(
            f"pretraining on {corpus.name}",
            found=f"{len(rows)} pairs, of which {held.sum()} would be held out",
            expected=f"{2 * HELD_OUT} pairs or more: of every {HELD_OUT} one is held out, and a "
            "clip held out is compared with another",
            remedy="Pretrain on more clips, or on another corpus.",
        )
    return rows[~held], rows[held][:JUDGED]


class Source:
    """Some clips of a stage, from which batches are drawn (``training.pretraining.Source``)."""

    def __init__(self, stored: Stored, rows: np.ndarray, masking: "Masking", shuffled: bool):
        self.stored, self.rows, self.masking = stored, rows, masking
        # A text stands half the corpus away from its own clip, as far as can be.
        self.texts = np.roll(rows, len(rows) // 2) if shuffled else rows
        self.lengths = -(-stored.sound.lengths()[rows] // masking.frame_step)

    def batch(self, chosen: np.ndarray, generator: "torch.Generator") -> "Pairs":
        """Return clips (B,) with what is hidden of them."""
        import torch

        from msalib.models.masked_pairs import UNHIDDEN, Pairs, hide_frames

        stored, masking = self.stored, self.masking
        clips, texts = self.rows[chosen].tolist(), self.texts[chosen]
        variant = torch.randint(stored.variants, (len(texts),), generator=generator).numpy()
        hidden = (texts * stored.variants + variant).tolist()
        step = masking.frame_step
        sound, heard = padded([frames[::step] for frames in stored.sound.take(clips)])
        words, spoken = padded(stored.words.take(texts.tolist()))
        masked, _ = padded(stored.masked.take(hidden))
        codewords = cut(stored.codewords, stored.sound.offsets, clips)
        units = _filled([numbers[::step] for numbers in codewords], UNHIDDEN)
        away = hide_frames(
            heard.sum(1),
            starts=masking.frame_starts,
            span=masking.frame_span,
            least=masking.frame_spans,
            generator=generator,
        )
        return Pairs(
            words=words,
            masked=masked,
            spoken=spoken,
            tokens=_filled(cut(stored.tokens, stored.masked.offsets, hidden), UNHIDDEN),
            sound=sound,
            heard=heard,
            units=units.masked_fill(~away, UNHIDDEN),
        )

    def judged(self, size: int) -> list["Pairs"]:
        """Return all clips in batches of similar length, the same masks every time."""
        from msalib.training.pretraining import generator_of

        order = np.argsort(self.lengths, kind="stable")
        # A batch of one would be its own stranger where outputs are exchanged.
        parts = np.array_split(order, max(1, len(order) // size))
        return [self.batch(part, generator_of(0, n)) for n, part in enumerate(parts)]


def cut(values: np.ndarray, offsets: np.ndarray, clips: Sequence[int]) -> list[np.ndarray]:
    """Return what lies end to end in ``values`` (S, ...) of each of some clips."""
    return [values[offsets[n] : offsets[n + 1]] for n in clips]


def padded(clips: list[np.ndarray]) -> tuple["torch.Tensor", "torch.Tensor"]:
    """Return frames (T, D) of B clips as (B, T, D) float32, zero where ``mask`` (B, T) is false."""
    import torch

    lengths = torch.tensor([len(clip) for clip in clips])
    frames = torch.zeros(len(clips), int(lengths.max()), clips[0].shape[1])
    for row, clip in zip(frames, clips, strict=True):
        row[: len(clip)] = torch.from_numpy(np.asarray(clip))
    return frames, torch.arange(frames.shape[1]) < lengths[:, None]


def _filled(clips: list[np.ndarray], fill: int) -> "torch.Tensor":
    """Return numbers (T,) of B clips as (B, T), ``fill`` beyond each."""
    import torch

    rows = [torch.from_numpy(np.asarray(clip).astype(np.int64)) for clip in clips]
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=fill)
