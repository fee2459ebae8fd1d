"""Intelligible speech: eSpeak NG says a text, as samples at 16 kHz; a voice sets how.

The library comes with its data as the package ``espeakng-loader``. It remembers what it has said:
the same text in the same voice gives other samples the second time, even after it was terminated
and initialised again. And it draws breath from a generator that it seeds by the clock. So every
text is said by a fresh copy of the library, loaded for that text alone (about 6 ms), with a fixed
seed; then the samples depend on the text and the voice only.

The synthesiser computes in floating point: another version or processor may give other samples.
"""

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import NamedTuple

import numpy as np

from msalib.base.errors import UserError
from msalib.data.simulate.speech import RATE, SHORTEST

VARIANTS = (
    *("en-us+m1", "en-us+m2", "en-us+m3", "en-us+m4", "en-us+m5", "en-us+m6", "en-us+m7"),
    *("en-us+m8", "en-us+f1", "en-us+f2", "en-us+f3", "en-us+f4", "en-us+f5"),
)
"""American English as 8 men and 5 women; eSpeak takes an unknown variant for the plain voice."""


class Voice(NamedTuple):
    """The voice of one clip."""

    variant: str  # one of VARIANTS
    pitch: float  # 0 to 99; 50 is the variant's own, 6 are a semitone
    pitch_range: float  # 0 to 99; 50 is the variant's own
    speaking_rate: float  # words per minute, 80 to 450
    level: float  # root mean square, dB of full scale


_SYNCHRONOUS, _NO_EXIT, _UTF_8 = 2, 0x8000, 1  # modes and flags of speak_lib.h
_SPEED, _PITCH, _PITCH_RANGE = 1, 3, 4
_ONE_AT_A_TIME = threading.Lock()  # two threads would share one copy of the library
_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


def say(text: str, voice: Voice) -> np.ndarray:
    """Speak a text in a voice: (S,) float32 from -1 to 1 at ``RATE``.

    Speech shorter than ``SHORTEST`` is followed by silence. Raises ``ValueError`` for a text
    without anything to speak, and ``UserError`` where eSpeak NG is missing or cannot start.
    """
    from scipy.signal import resample_poly

    samples, rate = _synthesised(text, voice)
    if not samples.any():
        raise ValueError(f"nothing to speak in {text!r}")
    common = np.gcd(RATE, rate)
    wave = resample_poly(samples / 32768, RATE // common, rate // common)
    wave *= 10 ** (voice.level / 20) / np.sqrt(np.mean(wave**2))
    wave = np.pad(wave, (0, max(0, round(SHORTEST * RATE) - len(wave))))
    return np.clip(wave, -1, 1).astype(np.float32)


@cache
def version() -> str:
    """Return name and version of the synthesiser; ``UserError`` where it is missing."""
    with _fresh() as (library, _):
        return f"eSpeak NG {_info(library)[0]}"


def _synthesised(text: str, voice: Voice) -> tuple[np.ndarray, int]:
    """Return 16-bit samples (S,), and how many there are in a second."""
    pieces = []

    @_CALLBACK
    def keep(samples, count, _events):
        if samples and count > 0:
            pieces.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0  # go on

    spoken = text.replace("\0", " ").encode() + b"\0"
    with _fresh() as (library, rate):
        library.espeak_SetSynthCallback(keep)
        refused = library.espeak_SetVoiceByName(voice.variant.encode())
        for number, value in (
            (_SPEED, voice.speaking_rate),
            (_PITCH, voice.pitch),
            (_PITCH_RANGE, voice.pitch_range),
        ):
            refused |= library.espeak_SetParameter(number, round(value), 0)
        refused |= library.espeak_Synth(
            spoken, ctypes.c_size_t(len(spoken)), 0, 0, 0, _UTF_8, None, None
        )
        if refused:
            raise ValueError(f"eSpeak NG does not speak as {voice}")
    return np.concatenate(pieces or [np.zeros(0, np.int16)]), rate


@contextmanager
def _fresh() -> Iterator[tuple[ctypes.CDLL, int]]:
    """Yield a copy of the library that has spoken nothing yet, and its samples per second."""
    path, data = _files()
    with _ONE_AT_A_TIME:
        library = ctypes.CDLL(path)
        try:
            rate = library.espeak_Initialize(_SYNCHRONOUS, 0, data.encode(), _NO_EXIT)
            if rate <= 0 or _info(library)[1] != data:
                raise UserError(
                    data,
                    found=f"data that eSpeak NG cannot open, a path of {len(data)} characters",
                    expected="its data, at a path of at most about 150 characters",
                    remedy='Run: pip install --force-reinstall -e ".[media]"; or have the '
                    "environment of Python in a folder with a shorter path.",
                )
            library.espeak_ng_SetRandSeed(ctypes.c_long(0))
            yield library, rate
        finally:
            library.espeak_Terminate()
            _unload(library)


def _files() -> tuple[str, str]:
    """Return the paths of the library and of its data."""
    try:
        import espeakng_loader

        return espeakng_loader.get_library_path(), espeakng_loader.get_data_path()
    except (ImportError, RuntimeError):
        raise UserError(
            "speaking of simulated clips",
            found="no espeakng-loader",
            expected="the package that brings the synthesiser eSpeak NG",
            remedy='Run: pip install -e ".[media]".',
        ) from None


def _info(library: ctypes.CDLL) -> tuple[str, str]:
    """Return the version of the library, and where it reads its data."""
    folder = ctypes.c_char_p()
    library.espeak_Info.restype = ctypes.c_char_p
    number = library.espeak_Info(ctypes.byref(folder))
    return number.decode(), (folder.value or b"").decode()


def _unload(library: ctypes.CDLL) -> None:
    import _ctypes

    close = getattr(_ctypes, "dlclose", None) or _ctypes.FreeLibrary  # the latter on Windows
    close(library._handle)
