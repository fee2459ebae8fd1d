"""Whisper's encoders: all layers of what was trained to write down speech.

Whisper (arXiv:2212.04356) was trained on transcribed sound, so that a decoder writes the words that
its encoder heard: frames may hold words as well as voice. Its encoder takes a window of 30 s and
nothing else. A longer clip is cut there; a shorter one is filled with silence, as in training, and
only the frames of the clip itself are stored: 50 a second, of which every tenth is kept
(``Encoder.rate`` 5) or all are (50). Attention sees the silence. Block k is the residual stream
after it, the last one before the LayerNorm that follows all blocks, as in ``speech``.

Presets take the first channel (``release``) or the mean of the channels (``article``); the waveform
is as it is. Every clip costs a whole window, whatever its length, and none depends on the clips
beside it in a batch.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from msalib.base import presets
from msalib.encoders import clips, extraction, forward, media, speech, weights
from msalib.encoders.registry import ALL, Encoder

CONVENTION = "k = residual stream after block k, before the final LayerNorm; 0 = input to block 1"

HOP = media.RATE // ALL
"""Samples from one frame to the next."""

CLIPS = {"cpu": 1, "cuda": 16}
"""Windows per batch; on two cores a clip takes no less time in a batch than alone."""


class Extractor(extraction.Extractor):
    """So many frames a second of every clip's sound as ``Encoder.rate`` says."""

    convention = CONVENTION

    @property
    def unit(self) -> str:
        """What a frame is."""
        return speech.seconds_of_speech(self.encoder.rate)

    def settings(self) -> str:
        return (
            f"16 kHz, channel {clips.MIX[self.preset]}, log-mel of the window filled with silence, "
            f"{self.encoder.rate} frames a second of the clip"
        )

    def network(self):
        self.spectrogram, model = load(self.encoder)
        self.window = model.config.max_source_positions * HOP
        self.step = ALL // self.encoder.rate
        return model

    def plan(self, folder: Path, fingerprint: str) -> extraction.Plan:
        mix = clips.MIX[self.preset]
        looked = self.look(folder, fingerprint, media.samples, (mix,), "decoding the sound")
        samples, seconds = np.array(looked.results), self.window / media.RATE
        speech.warn_of_lengths(samples, seconds, 0, self.corpus.name)
        lengths = frames(samples.clip(max=self.window))
        meta = self.meta() | {
            "truncated": int((samples > self.window).sum()),
            "counts": looked.counts,
            "settings": {
                "preset": presets.stored(self.preset),
                "sound": clips.heard(self.preset),
                "window": f"{seconds:g} s, filled with silence, whose frames are not kept",
                "sampling": speech.sampling(self.step),
            },
        }
        batches = clips.batches(np.ones(len(samples), int), CLIPS[self.model.device.type])
        return extraction.Plan(-(-lengths // self.step), batches, meta)

    def states(self, batches: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
        def task(n):
            return self.paths[n], clips.MIX[self.preset]

        for _, waves in clips.prepared(batches, media.sound, task):
            whole = [wave[: self.window] for wave in waves]
            states = layers(self.spectrogram, self.model, whole, self.step, self.precision)
            yield states.half().cpu().numpy()


# --- the model ----------------------------------------------------------------------------------


def load(encoder: Encoder):
    """Return what makes spectrograms, and the encoder for ``layers``, without its decoder."""
    from transformers import AutoModel, WhisperFeatureExtractor

    model = forward.pretrained(
        AutoModel, weights.folder(encoder), kinds=("whisper",), unused=("decoder.",)
    ).encoder
    seconds = model.config.max_source_positions // ALL
    spectrogram = WhisperFeatureExtractor(model.config.num_mel_bins, chunk_length=seconds)
    return spectrogram, model


def frames(samples: np.ndarray) -> np.ndarray:
    """Return how many frames lie in clips of so many samples; the last may end after its clip."""
    return -(-samples // HOP)


def layers(spectrogram, model, waves: Sequence[np.ndarray], step: int, precision: str = "float32"):
    """Return all layers of B waveforms, every ``step``-th frame: (L + 1, B, T, D), float32.

    T are the frames of the longest; what lies beyond a clip's own frames is of the silence.
    """
    import torch

    longest = int(frames(np.array([len(wave) for wave in waves])).max())

    def kept(states):  # (B, T, D); a copy, so that the rest need not stay in memory
        return states[:, :longest:step].float().clone()

    windows = spectrogram(list(waves), sampling_rate=media.RATE, return_tensors="pt")
    with (
        forward.computing(model.device.type, precision),
        forward.captured(model.layers, kept) as states,
    ):
        model(windows.input_features.to(model.device))
        return torch.stack(states)
