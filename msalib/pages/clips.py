"""A clip of the raw control as a page shows it: faces, voice as picture and sound, words, truth."""

import base64
from collections.abc import Mapping
from io import BytesIO

import numpy as np
from markupsafe import Markup

from msalib.pages.figure import Picture, axes_of, style
from msalib.pages.markup import Shown

SHOWN = 4
"""Frames of a clip that are drawn, evenly spread."""

WINDOW_S, STEP_S = 0.03, 0.005
"""Of the spectrogram: wide enough to tell the harmonics of a voice apart."""

HIGHEST_HZ = 4000
"""Of the spectrogram: above it a voice has little energy."""

STEP_DB = 3
"""Steps of its greys: as fine as an eye can tell, and the picture takes half the space."""

FLOOR_DB = -60
"""Below the loudest part, quieter ones are white."""


class Clip(Shown):
    """A clip as HTML: picture, audio player, the words, and what is true of it."""

    def __init__(self, picture: Picture, wave: np.ndarray, rate: int, text: str, truth: str):
        self.picture, self.text, self.truth = picture, text, truth
        self.player = player(wave, rate, f"The voice of this clip: {text}")

    def html(self) -> Markup:
        """Return the picture, and the rest below it."""
        return Markup('{}<div class="msa-clip">{}<p>“{}”</p><p>{}</p></div>').format(
            self.picture.html(), self.player, self.text, self.truth
        )


def player(wave: np.ndarray, rate: int, label: str) -> Markup:
    """Return a wave (n,) at ``rate`` Hz as HTML that plays it; the label says what is heard."""
    sound = base64.b64encode(_flac(wave, rate)).decode()
    return Markup(
        '<audio controls preload="metadata" aria-label="{}" '
        'src="data:audio/flac;base64,{}"></audio>'
    ).format(label, sound)


@style
def clip(
    frames: np.ndarray,
    wave: np.ndarray,
    rate: int,
    *,
    text: str,
    label: float,
    truth: Mapping[str, float],
    title: str,
) -> Clip:
    """Show frames (T, H, W, 3) uint8 and a wave (n,) at ``rate`` Hz.

    ``truth``: modality -> sentiment.
    """
    figure, (above, below) = axes_of(3.6, nrows=2, height_ratios=(1, 1.4))
    chosen = np.linspace(0, len(frames) - 1, min(SHOWN, len(frames))).round().astype(int)
    above.imshow(np.concatenate(frames[chosen], axis=1), interpolation="none")
    above.axis("off")
    _spectrogram(below, wave, rate)
    true = ", ".join(f"{m} {value:+.1f}" for m, value in truth.items())
    sentences = f"True sentiment: {true}. Label: {label:+.1f}."
    caption = (
        f"{title}. Above, {len(chosen)} of {len(frames)} frames; below, the voice: dark where it "
        "has energy, the stripes are harmonics of its pitch."
    )
    alt = f"{len(chosen)} drawn faces in a row above a spectrogram of {len(wave) / rate:.1f} s."
    return Clip(
        Picture(figure, alt=f"{alt} {sentences}", caption=caption), wave, rate, text, sentences
    )


def _spectrogram(axes, wave: np.ndarray, rate: int) -> None:
    from scipy.signal import ShortTimeFFT, get_window

    window = get_window("hann", round(WINDOW_S * rate))
    transform = ShortTimeFFT(window, hop=round(STEP_S * rate), fs=rate)
    power = 20 * np.log10(np.abs(transform.stft(wave)) + 1e-10)
    shown = power[transform.f <= HIGHEST_HZ] - power.max()
    extent = transform.extent(len(wave))
    axes.imshow(
        STEP_DB * np.round(np.maximum(shown, FLOOR_DB) / STEP_DB),
        origin="lower",
        aspect="auto",
        extent=(extent[0], extent[1], 0, HIGHEST_HZ / 1000),
        cmap="Greys",
        interpolation="none",  # the pixels are those of the data, and the picture is small
    )
    axes.set(
        xlim=(0, len(wave) / rate),
        ylim=(0, HIGHEST_HZ / 1000),
        xlabel="time (s)",
        ylabel="frequency (kHz)",
    )
    axes.grid(False)


def _flac(wave: np.ndarray, rate: int) -> bytes:
    """Return a wave as a file without loss, half as long as a WAV file."""
    import soundfile

    file = BytesIO()
    soundfile.write(file, wave, rate, format="FLAC", subtype="PCM_16")
    return file.getvalue()
