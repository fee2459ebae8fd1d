"""Handcrafted acoustic features: openSMILE functionals and frames, and log-mel spectrograms.

They have no blocks and the single layer 1, kept as float32, since their values are of very
different sizes. openSMILE (package opensmile, optional) is free for research and education only;
its licence asks others to buy one from audEERING.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from msalib.base import presets
from msalib.base.errors import UserError
from msalib.data.corpus import Corpus
from msalib.encoders import clips, extraction, media, weights
from msalib.encoders.registry import Encoder

CONVENTION = "1 = the features; there are no blocks"

SET = "eGeMAPSv02"

WINDOW, STEP, BANDS, RANGE = 960, 320, 128, 80.0
"""Of the log-mel spectrogram: samples (0.06 s, 0.02 s), mel bands, decibels (MMML A.2)."""

BIN = 10
"""Frames of the log-mel spectrogram in one of the coarse: 0.2 s, for models that read some tens of
steps. A clip of a few seconds has hundreds of the fine ones."""

_LOG_MEL = (
    f"{BANDS} mel bands, windows of {WINDOW} samples every {STEP}, decibels, at most {RANGE:g} "
    "below the clip's loudest"
)

ABOUT = {
    "opensmile": (f"{SET} functionals", "clip"),
    "opensmile-frames": (f"{SET} low-level descriptors", "0.01 s of speech"),
    "log-mel": (_LOG_MEL, "0.02 s of speech"),
    "log-mel-coarse": (
        f"{_LOG_MEL}; means of {BIN} windows, the last of those that are left, scaled by the same "
        f"rule for all data: {-RANGE:g} dB is -1, 0 dB is 1",
        "0.2 s of speech",
    ),
}
"""Extractor -> what it gives, and what a frame is."""


class Extractor(extraction.Extractor):
    """Features of the sound of every clip, computed on the CPU whatever the device."""

    convention = CONVENTION

    def __init__(self, corpus: Corpus, encoder: Encoder, preset: str):
        super().__init__(corpus, encoder, preset)
        self.features, self.unit = ABOUT[encoder.name]
        self.options = encoder.name, clips.MIX[preset]

    def settings(self) -> str:
        return f"16 kHz, channel {clips.MIX[self.preset]}, {self.features}"

    def load(self, device: str) -> None:
        weights.revision(self.encoder)  # raises where the package is missing

    def plan(self, folder: Path, fingerprint: str) -> extraction.Plan:
        looked = self.look(folder, fingerprint, size, self.options, "measuring the sound")
        sizes = looked.results
        meta = {
            "dtype": "float32",
            "layers": 1,
            "first": 1,
            "dim": sizes[0][1],
            "truncated": 0,
            "counts": looked.counts,
            "device": "cpu",
            "settings": {
                "preset": presets.stored(self.preset),
                "sound": clips.heard(self.preset),
                "features": self.features,
            },
        }
        batches = [np.array([n]) for n in range(len(sizes))]
        return extraction.Plan(np.array([length for length, _ in sizes]), batches, meta)

    def states(self, batches: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
        def task(n):
            return self.paths[n], *self.options

        for _, (of_clip,) in clips.prepared(batches, features, task):
            yield of_clip[None, None]


# --- in workers ---------------------------------------------------------------------------------


def size(path: Path, name: str, mix: media.Mix) -> tuple[int, int]:
    """Return frames and features per frame of a clip, from the features themselves."""
    return features(path, name, mix).shape


def features(path: Path, name: str, mix: media.Mix) -> np.ndarray:
    """Return the features of a clip by the extractor ``name``: (T, D) float32.

    Raises ``UserError`` for a clip too short for their windows.
    """
    wave = media.sound(path, mix)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Segment too short")  # refused below
        warnings.filterwarnings("ignore", "n_fft=")  # the ends of every clip are met by silence
        values = _compute(name)(wave)
    values = np.ascontiguousarray(values, np.float32)
    if not len(values) or not np.isfinite(values).all():
        raise UserError(
            path,
            found=f"{len(wave) / media.RATE:.3f} s of sound, for which {ABOUT[name][0]} are not "
            "all defined",
            expected="a clip long enough for its windows",
            remedy="Leave the clip out, or choose log-mel.",
        )
    return values


def log_mel(wave: np.ndarray) -> np.ndarray:
    """Return the log-mel spectrogram of a waveform at 16 kHz: (1 + samples // STEP, BANDS), dB."""
    librosa = media.package("librosa")
    power = librosa.feature.melspectrogram(
        y=wave, sr=media.RATE, n_fft=WINDOW, hop_length=STEP, n_mels=BANDS, pad_mode="constant"
    )
    return librosa.power_to_db(power, ref=1.0, top_db=RANGE).T


def coarse(spectrogram: np.ndarray) -> np.ndarray:
    """Return a log-mel spectrogram (T, BANDS), dB, at a tenth of the steps: (ceil(T / BIN), BANDS).

    A step is the mean of ``BIN`` frames, the last one of those that are left. The scale is that of
    a full-scale sound and depends on no data: ``-RANGE`` dB becomes -1 and 0 dB becomes 1, so that
    speech lies around these.
    """
    starts = np.arange(0, len(spectrogram), BIN)
    counts = np.diff(starts, append=len(spectrogram))
    means = np.add.reduceat(spectrogram, starts, axis=0, dtype=np.float64) / counts[:, None]
    return (means + RANGE / 2) / (RANGE / 2)


def _compute(name: str) -> Callable[[np.ndarray], np.ndarray]:
    """Return what makes the features of a waveform."""
    if name == "log-mel":
        return log_mel
    if name == "log-mel-coarse":
        return lambda wave: coarse(log_mel(wave))
    return _smile(name)


@lru_cache
def _smile(name: str) -> Callable[[np.ndarray], np.ndarray]:
    import opensmile

    level = (
        opensmile.FeatureLevel.Functionals
        if name == "opensmile"
        else opensmile.FeatureLevel.LowLevelDescriptors
    )
    smile = opensmile.Smile(feature_set=opensmile.FeatureSet[SET], feature_level=level)
    return lambda wave: smile.process_signal(wave, media.RATE).to_numpy()
