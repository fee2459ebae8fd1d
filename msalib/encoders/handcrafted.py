"""Handcrafted acoustic features: openSMILE functionals and frames, and log-mel spectrograms.

They have no blocks and the single layer 1, kept as float32, since their values are of very
different sizes. openSMILE (package opensmile, optional) is free for research and education only;
its licence asks others to buy one from audEERING.
"""

import warnings
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np

from msalib import encoders
from msalib.base.errors import UserError
from msalib.base.provenance import versions
from msalib.data.corpus import Corpus, Features
from msalib.encoders import Encoder, clips, media
from msalib.encoders.store import StoreMeta, open_store, write_stream

CONVENTION = "1 = the features; there are no blocks"

SET = "eGeMAPSv02"

WINDOW, STEP, BANDS, RANGE = 960, 320, 128, 80.0
"""Of the log-mel spectrogram: samples (0.06 s, 0.02 s), mel bands, decibels (MMML A.2)."""

ABOUT = {
    "opensmile": (f"{SET} functionals", "clip"),
    "opensmile-frames": (f"{SET} low-level descriptors", "0.01 s of speech"),
    "log-mel": (
        f"{BANDS} mel bands, windows of {WINDOW} samples every {STEP}, decibels, at most "
        f"{RANGE:g} below the clip's loudest",
        "0.02 s of speech",
    ),
}
"""Extractor -> what it gives, and what a frame is."""


def encode(
    corpus: Corpus,
    encoder: Encoder,
    folder: Path,
    device: str = "auto",
    refresh: bool = False,
    preset: clips.Preset = "release",
) -> Path:
    """Extract features of the sound of every clip into the store ``folder``; return ``folder``.

    ``device`` is taken for the sake of one signature: all is done on the CPU. A store that is there
    and fits is left as it is, unless ``refresh``; a killed extraction is continued. Raises
    ``UserError`` like ``speech.encode``, for a package that is missing, and for a clip that is too
    short for openSMILE.
    """
    clips.check(preset)
    if folder.exists() and not refresh:
        read(corpus, encoder, folder, preset)
        clips.forget(folder)  # killed between the store's last byte and this
        return folder

    revision = encoders.revision(encoder)
    fingerprint = clips.inputs(corpus, "acoustic", settings(encoder, preset), folder)
    paths = clips.files(corpus, "acoustic")
    name, mix = encoder.name, clips.MIX[preset]
    sizes = clips.look(folder, fingerprint, size, paths, (name, mix), "measuring the sound")
    lengths = np.array([length for length, _ in sizes])
    what, unit = ABOUT[name]
    meta = StoreMeta(
        dataset=corpus.name,
        encoder=name,
        revision=revision,
        convention=CONVENTION,
        unit=unit,
        fingerprint=fingerprint,
        dtype="float32",
        layers=1,
        clips=len(corpus),
        frames=int(lengths.sum()),
        dim=sizes[0][1],
        truncated=0,
        device="cpu",
        versions=versions(),
        first=1,
        settings={
            "preset": preset,
            "sound": clips.heard(preset),
            "features": what,
        },
    )

    def states(left):
        for _, found in clips.prepared(left, features, lambda n: (paths[n], name, mix)):
            yield found[0][None, None]

    ids = corpus.utterances.index.astype(str).tolist()
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    write_stream(folder, meta, ids, offsets, [np.array([n]) for n in range(len(paths))], states)
    clips.forget(folder)
    return folder


def read(
    corpus: Corpus, encoder: Encoder, folder: Path, preset: clips.Preset = "release"
) -> Features:
    """The features of a corpus by an extractor, from the store ``folder``.

    Raises ``UserError`` where the store is missing, damaged, made from other media, with another
    preset or by another version of the package (compared where it is installed).
    """
    clips.check(preset)
    return open_store(
        folder,
        encoder=encoder.name,
        revision=encoders.revision(encoder) if encoders.is_here(encoder) else None,
        fingerprint=clips.inputs(corpus, "acoustic", settings(encoder, preset), folder),
        command=clips.command(corpus, encoder, preset),
    )


def settings(encoder: Encoder, preset: str) -> str:
    """What of a store's fingerprint is not the media."""
    return f"16 kHz, channel {clips.MIX[preset]}, {ABOUT[encoder.name][0]}"


# --- in workers ---------------------------------------------------------------------------------


def size(path: Path, name: str, mix: media.Mix) -> tuple[int, int]:
    """Frames and features per frame of a clip; they are computed to know."""
    return features(path, name, mix).shape


def features(path: Path, name: str, mix: media.Mix) -> np.ndarray:
    """The features of a clip by the extractor ``name``: (T, D) float32."""
    wave = media.sound(path, mix)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Segment too short")  # refused below
        found = log_mel(wave) if name == "log-mel" else _smile(name)(wave, media.RATE)
    found = np.ascontiguousarray(found, np.float32)
    if not len(found) or not np.isfinite(found).all():
        raise UserError(
            path,
            found=f"{len(wave) / media.RATE:.3f} s of sound, for which {ABOUT[name][0]} are not "
            "all defined",
            expected="a clip long enough for its windows",
            remedy="Leave the clip out, or choose log-mel.",
        )
    return found


def log_mel(wave: np.ndarray) -> np.ndarray:
    """Log-mel spectrogram of a waveform at 16 kHz, in decibels: (1 + samples // STEP, BANDS)."""
    import librosa

    power = librosa.feature.melspectrogram(
        y=wave, sr=media.RATE, n_fft=WINDOW, hop_length=STEP, n_mels=BANDS, pad_mode="constant"
    )
    return librosa.power_to_db(power, ref=1.0, top_db=RANGE).T


@lru_cache
def _smile(name: str) -> Callable[[np.ndarray, int], np.ndarray]:
    import opensmile

    level = (
        opensmile.FeatureLevel.Functionals
        if name == "opensmile"
        else opensmile.FeatureLevel.LowLevelDescriptors
    )
    smile = opensmile.Smile(feature_set=opensmile.FeatureSet[SET], feature_level=level)
    return lambda wave, rate: smile.process_signal(wave, rate).to_numpy()
