"""Speech encoders: all layers of WavLM, HuBERT, Data2Vec-audio or wav2vec 2.0.

A clip gives 50 frames a second, of which every tenth is kept (``Encoder.rate`` 5) or all are (50),
none averaged; block k is the residual stream after it, the last one before any LayerNorm that
follows all blocks (papers/uegd.md (e)). Presets: ``release`` takes the first channel and gives the
waveform to the model as it is, as UEGD's code does; ``article`` takes the mean of the channels (as
MMML does) and normalises the waveform where the model's own preprocessor says so (UEGD names none;
(g) 6).

The layers of a clip do not depend on the clips beside it in a batch: everything that mixes
frames runs clip by clip, except attention, which has a mask. The convolutions need it, since base
models normalise over all frames of an input and the positional ones of Data2Vec see the padding.
"""

import math
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from msalib.base import presets
from msalib.encoders import clips, extraction, forward, media, weights
from msalib.encoders.registry import Encoder

CONVENTION = (
    "k = residual stream after block k, the last before the encoder's final LayerNorm where the "
    "model has one; 0 = input to block 1"
)
KINDS = ("wavlm", "hubert", "data2vec-audio", "wav2vec2")

SECONDS = 120
"""Longest clip; attention takes memory with the square of the length."""

WAVEFORM = {"release": "as it is", "article": "normalised where the preprocessor says so"}

FRAMES = {"cpu": 1500, "cuda": 16_000}
"""Padded frames per batch, 50 a second: half a minute, or five minutes on a GPU."""

NORMALISED = {True: "normalised to mean 0, variance 1", False: "as it is"}

SHORT = "clips shorter than a frame, filled with silence"


class Extractor(extraction.Extractor):
    """So many frames a second of every clip's sound as ``Encoder.rate`` says.

    Clips longer than ``SECONDS`` are cut, those shorter than one frame filled with silence.
    """

    convention = CONVENTION

    @property
    def unit(self) -> str:
        """What a frame is."""
        return seconds_of_speech(self.encoder.rate)

    def settings(self) -> str:
        return (
            f"16 kHz, channel {clips.MIX[self.preset]}, waveform {WAVEFORM[self.preset]}, "
            f"at most {SECONDS} s, {self.encoder.rate} frames a second"
        )

    def network(self):
        model, self.normalise = load(self.encoder, self.preset)
        self.longest, self.shortest = SECONDS * media.RATE, receptive_field(model.config)
        self.step = every(model.config, self.encoder.rate)
        return model

    def plan(self, folder: Path, fingerprint: str) -> extraction.Plan:
        mix = clips.MIX[self.preset]
        looked = self.look(folder, fingerprint, media.samples, (mix,), "decoding the sound")
        samples = np.array(looked.results)
        warn_of_lengths(samples, SECONDS, self.shortest, self.corpus.name)
        heard = samples.clip(self.shortest, self.longest).tolist()
        raw = np.array([frames(self.model.config, n) for n in heard])
        meta = self.meta() | {
            "truncated": int((samples > self.longest).sum()),
            "counts": {SHORT: int((samples < self.shortest).sum()), **looked.counts},
            "settings": {
                "preset": presets.stored(self.preset),
                "sound": clips.heard(self.preset),
                "waveform": NORMALISED[self.normalise],
                "sampling": sampling(self.step),
            },
        }
        batches = clips.batches(raw, FRAMES[self.model.device.type])
        return extraction.Plan(-(-raw // self.step), batches, meta)

    def states(self, batches: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
        def task(n):
            return self.paths[n], clips.MIX[self.preset]

        for _, waves in clips.prepared(batches, media.sound, task):
            whole = [prepare(w[: self.longest], self.shortest, self.normalise) for w in waves]
            yield layers(self.model, whole, self.step, self.precision).half().cpu().numpy()


def seconds_of_speech(rate: int) -> str:
    """Return what a frame is, of so many that are kept of a second."""
    return f"{1 / rate:g} s of speech"


def sampling(step: int) -> str:
    """Say which frames are kept, every ``step``-th."""
    return "all frames" if step == 1 else f"frame 0 and every {step}th after it, none averaged"


def warn_of_lengths(samples: np.ndarray, seconds: float, shortest: int, corpus: str) -> None:
    """Warn of clips that are cut and of clips that are filled, by their numbers of samples."""
    if cut := int((samples > seconds * media.RATE).sum()):
        warnings.warn(
            f"{cut} of {len(samples)} clips of {corpus} are longer than {seconds:g} s, and are cut "
            "there",
            stacklevel=3,
        )
    if short := int((samples < shortest).sum()):
        warnings.warn(
            f"{short} of {len(samples)} clips of {corpus} are shorter than one frame "
            f"({shortest} samples), and are filled with silence",
            stacklevel=3,
        )


# --- the model ----------------------------------------------------------------------------------


def load(encoder: Encoder, preset: str):
    """Return the model for ``layers``, and whether waveforms are normalised for it."""
    model = pretrained(encoder)
    model.encoder.pos_conv_embed = _clip_by_clip(model.encoder.pos_conv_embed)
    return model, preset == "article" and normalises(encoder)


def pretrained(encoder: Encoder):
    """Return the model as transformers makes it, in evaluation mode and float32."""
    from transformers import AutoModel

    # The vector that stands for masked frames is only used in training.
    unused = "masked_spec_embed", "adapter."
    return forward.pretrained(AutoModel, weights.folder(encoder), KINDS, unused)


def normalises(encoder: Encoder) -> bool:
    """Check whether the model's preprocessor normalises; where it is silent, transformers does."""
    return bool(forward.preprocessor(weights.folder(encoder)).get("do_normalize", True))


def _clip_by_clip(convolution):
    """Return a module on states (B, T, D) that sees every clip at its own length, ``lengths``."""
    import torch

    class ClipByClip(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.convolution = convolution
            self.lengths: list[int] = []

        def forward(self, states):
            positions = torch.zeros_like(states)
            for clip, length in enumerate(self.lengths):
                positions[clip, :length] = self.convolution(states[clip : clip + 1, :length])[0]
            return positions

    return ClipByClip()


def receptive_field(config) -> int:
    """Return how many samples the first frame sees."""
    field, stride = 1, 1
    for kernel, step in zip(config.conv_kernel, config.conv_stride, strict=True):
        field, stride = field + (kernel - 1) * stride, stride * step
    return field


def frames(config, samples: int) -> int:
    """Return how many frames the convolutions make of a number of samples."""
    for kernel, step in zip(config.conv_kernel, config.conv_stride, strict=True):
        samples = (samples - kernel) // step + 1
    return samples


def every(config, rate: int) -> int:
    """Return the distance of the frames that are kept, ``rate`` a second: for 5 of 50, 10."""
    return max(1, round(media.RATE / math.prod(config.conv_stride) / rate))


def prepare(wave: np.ndarray, shortest: int, normalise: bool) -> np.ndarray:
    """Return a waveform as the model takes it: at least one frame long, perhaps normalised."""
    if normalise:
        wave = (wave - wave.mean()) / np.sqrt(wave.var() + 1e-7)
    return np.pad(wave, (0, max(0, shortest - len(wave)))).astype(np.float32)


def project(model, waves: Sequence) -> list:
    """Return what enters the encoder for each waveform: tensors (samples,) to (T, D), float32.

    Each goes alone (see the module's docstring) through the convolutions, which are not trained.
    """
    import torch

    projected = []
    for wave in waves:
        with torch.no_grad():
            convolved = model.feature_extractor(wave[None])
        states = model.feature_projection(convolved.transpose(1, 2))
        projected.append((states[0] if isinstance(states, tuple) else states)[0].float())
    return projected


def encode(model, projected: Sequence) -> tuple:
    """Run all blocks on clips (T, D); return the last states (B, T, D) and their mask (B, T).

    States beyond a clip's own frames mean nothing.
    """
    import torch
    from torch.nn.utils.rnn import pad_sequence

    lengths = [len(frames) for frames in projected]
    padded = pad_sequence(projected, batch_first=True)
    place = torch.arange(padded.shape[1], device=padded.device)
    mask = place < torch.tensor(lengths, device=padded.device)[:, None]
    model.encoder.pos_conv_embed.lengths = lengths
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Support for mismatched key_padding_mask")
        return model.encoder(padded, attention_mask=mask).last_hidden_state, mask


def layers(model, waves: list[np.ndarray], step: int, precision: str = "float32"):
    """Return all layers of B waveforms, every ``step``-th frame: (L + 1, B, T, D), float32.

    T are the frames of the longest; what lies beyond a clip's own frames means nothing.
    """
    import torch

    def kept(states):  # (B, T, D); a copy, so that the rest need not stay in memory
        return states[:, ::step].float().clone()

    sounds = [torch.from_numpy(wave).to(model.device) for wave in waves]
    with (
        forward.computing(model.device.type, precision),
        forward.captured(model.encoder.layers, kept) as states,
    ):
        encode(model, project(model, sounds))
        return torch.stack(states)
