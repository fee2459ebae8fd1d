"""Speech encoders: every layer of WavLM, HuBERT, Data2Vec-audio or wav2vec 2.0, 5 frames a second.

A clip gives 50 frames a second, of which every tenth is kept, none averaged; block k is the
residual stream after it, the last one before any LayerNorm that follows all blocks
(papers/uegd.md (e)). Presets: ``release`` takes the first channel and gives the waveform to the
model as it is, as UEGD's code does; ``paper`` takes the mean of the channels (as MMML does) and
normalises the waveform where the model's own preprocessor says so (UEGD names none; (g) 6).

What a clip is given does not depend on the clips beside it in a batch: everything that mixes
frames runs clip by clip, but attention, which has a mask. The convolutions need it, since base
models normalise over all frames of an input and the positional ones of Data2Vec see the padding.
"""

import math
import warnings
from pathlib import Path

import numpy as np

from msalib import encoders
from msalib.base.provenance import device_name, pick_device, versions
from msalib.data.corpus import Corpus, Features
from msalib.encoders import Encoder, clips, forward, media
from msalib.encoders.store import StoreMeta, open_store, write_stream

CONVENTION = (
    "k = residual stream after block k, the last before the encoder's final LayerNorm where the "
    "model has one; 0 = input to block 1"
)
UNIT = "0.2 s of speech"
KINDS = ("wavlm", "hubert", "data2vec-audio", "wav2vec2")

FRAMES_PER_SECOND = 5

SECONDS = 120
"""Longest clip; attention takes memory with the square of the length."""

SETTINGS = {
    preset: f"16 kHz, channel {mix}, waveform {waveform}, at most {SECONDS} s, "
    f"{FRAMES_PER_SECOND} frames a second"
    for (preset, mix), waveform in zip(
        clips.MIX.items(), ("as it is", "normalised where the preprocessor says so"), strict=True
    )
}

FRAMES = {"cpu": 1500, "cuda": 16_000}
"""Padded frames per batch, 50 a second: half a minute, or five minutes on a GPU."""

SHORT = "clips shorter than a frame, filled with silence"


def encode(
    corpus: Corpus,
    encoder: Encoder,
    folder: Path,
    device: str = "auto",
    refresh: bool = False,
    preset: clips.Preset = "release",
) -> Path:
    """Encode the sound of every clip into the feature store ``folder``; return ``folder``.

    A store that is there and fits is left as it is, unless ``refresh``; a killed extraction is
    continued. Clips longer than ``SECONDS`` are cut, those shorter than one frame filled with
    silence; both are counted in the store and warned of. Raises ``UserError`` for a store of
    another revision, preset or other media (without ``refresh``), for media that are missing,
    damaged or without sound, for weights that are missing or of another kind of model, for an
    unknown device and for a full disk.
    """
    clips.check(preset)
    if folder.exists() and not refresh:
        read(corpus, encoder, folder, preset)
        clips.forget(folder)  # killed between the store's last byte and this
        return folder

    device = pick_device(device)
    precision = forward.precision(device)
    model, normalise = load(encoder, preset)
    model.to(device)
    fingerprint = clips.inputs(corpus, "acoustic", SETTINGS[preset], folder)
    paths = clips.files(corpus, "acoustic")
    samples = clips.look(
        folder, fingerprint, media.samples, paths, (clips.MIX[preset],), "decoding the sound"
    )
    samples = np.array(samples)
    longest, shortest = SECONDS * media.RATE, receptive_field(model.config)
    _warn(samples, longest, shortest, corpus.name)
    raw = np.array([frames(model.config, n) for n in samples.clip(shortest, longest).tolist()])
    step = every(model.config)
    lengths = -(-raw // step)
    meta = StoreMeta(
        dataset=corpus.name,
        encoder=encoder.name,
        revision=encoders.revision(encoder),
        convention=CONVENTION,
        unit=UNIT,
        fingerprint=fingerprint,
        layers=model.config.num_hidden_layers + 1,
        clips=len(corpus),
        frames=int(lengths.sum()),
        dim=model.config.hidden_size,
        truncated=int((samples > longest).sum()),
        device=device_name(device),
        versions=versions(),
        precision=precision,
        counts={SHORT: int((samples < shortest).sum())},
        settings={
            "preset": preset,
            "sound": clips.heard(preset),
            "waveform": "normalised to mean 0, variance 1" if normalise else "as it is",
            "sampling": f"frame 0 and every {step}th after it, none averaged",
        },
    )

    def states(left):
        for _, waves in clips.prepared(left, media.sound, lambda n: (paths[n], clips.MIX[preset])):
            whole = [prepare(wave[:longest], shortest, normalise) for wave in waves]
            yield layers(model, whole, step, precision).half().cpu().numpy()

    ids = corpus.utterances.index.astype(str).tolist()
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    batches = clips.batches(raw, FRAMES[device])
    write_stream(folder, meta, ids, offsets, batches, states)
    clips.forget(folder)
    return folder


def read(
    corpus: Corpus, encoder: Encoder, folder: Path, preset: clips.Preset = "release"
) -> Features:
    """The features of a corpus by an encoder, from the store ``folder``.

    Raises ``UserError`` where the store is missing, damaged, made from other media, with another
    preset or by another revision of the encoder (compared where its weights are on this machine).
    """
    clips.check(preset)
    return open_store(
        folder,
        encoder=encoder.name,
        revision=encoders.revision(encoder) if encoders.is_here(encoder) else None,
        fingerprint=clips.inputs(corpus, "acoustic", SETTINGS[preset], folder),
        command=clips.command(corpus, encoder, preset),
    )


def _warn(samples: np.ndarray, longest: int, shortest: int, name: str) -> None:
    if cut := int((samples > longest).sum()):
        warnings.warn(
            f"{cut} of {len(samples)} clips of {name} are longer than {SECONDS} s, and are cut "
            "there",
            stacklevel=3,
        )
    if short := int((samples < shortest).sum()):
        warnings.warn(
            f"{short} of {len(samples)} clips of {name} are shorter than one frame "
            f"({shortest} samples), and are filled with silence",
            stacklevel=3,
        )


# --- the model ----------------------------------------------------------------------------------


def load(encoder: Encoder, preset: clips.Preset):
    """The model, and whether waveforms are normalised for it."""
    from transformers import AutoModel

    path = encoders.folder(encoder)
    # The vector that stands for masked frames is only used in training.
    model = forward.pretrained(AutoModel, path, KINDS, ("masked_spec_embed", "adapter."))
    model.encoder.pos_conv_embed = _clip_by_clip(model.encoder.pos_conv_embed)
    # Where the preprocessor is silent, transformers normalises.
    says_so = bool(forward.preprocessor(path).get("do_normalize", True))
    return model, preset == "paper" and says_so


def _clip_by_clip(convolution):
    """A module on states (B, T, D) that sees every clip at its own length, ``lengths``."""
    import torch

    class ClipByClip(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.convolution = convolution
            self.lengths: list[int] = []

        def forward(self, states):
            found = torch.zeros_like(states)
            for clip, length in enumerate(self.lengths):
                found[clip, :length] = self.convolution(states[clip : clip + 1, :length])[0]
            return found

    return ClipByClip()


def receptive_field(config) -> int:
    """Samples that the first frame sees."""
    field, stride = 1, 1
    for kernel, step in zip(config.conv_kernel, config.conv_stride, strict=True):
        field, stride = field + (kernel - 1) * stride, stride * step
    return field


def frames(config, samples: int) -> int:
    """Frames that the convolutions make of so many samples."""
    for kernel, step in zip(config.conv_kernel, config.conv_stride, strict=True):
        samples = (samples - kernel) // step + 1
    return samples


def every(config) -> int:
    """Which frames are kept: every tenth of 50 a second."""
    return max(1, round(media.RATE / math.prod(config.conv_stride) / FRAMES_PER_SECOND))


def prepare(wave: np.ndarray, shortest: int, normalise: bool) -> np.ndarray:
    """A waveform as the model takes it: at least one frame long, normalised where it has to be."""
    if normalise:
        wave = (wave - wave.mean()) / np.sqrt(wave.var() + 1e-7)
    return np.pad(wave, (0, max(0, shortest - len(wave)))).astype(np.float32)


def layers(model, waves: list[np.ndarray], step: int, precision: str = "float32"):
    """All layers of B waveforms, every ``step``-th frame: a tensor (L + 1, B, T, D), float32.

    T are the frames of the longest; what lies beyond a clip's own frames means nothing.
    """
    import torch
    from torch.nn.utils.rnn import pad_sequence

    device = model.device
    with forward.computing(device.type, precision):
        projected = []
        for wave in waves:  # alone: see the module's docstring
            sound = torch.from_numpy(wave).to(device)[None]
            found = model.feature_projection(model.feature_extractor(sound).transpose(1, 2))
            projected.append((found[0] if isinstance(found, tuple) else found)[0].float())
        lengths = [len(p) for p in projected]
        padded = pad_sequence(projected, batch_first=True)  # (B, T, D)
        place = torch.arange(padded.shape[1], device=device)
        mask = place < torch.tensor(lengths, device=device)[:, None]
        model.encoder.pos_conv_embed.lengths = lengths

        def kept(states):  # (B, T, D); a copy, so that the rest need not stay in memory
            return states[:, ::step].float().clone()

        with warnings.catch_warnings(), forward.captured(model.encoder.layers, kept) as states:
            warnings.filterwarnings("ignore", "Support for mismatched key_padding_mask")
            model.encoder(padded, attention_mask=mask)
        return torch.stack(states)
