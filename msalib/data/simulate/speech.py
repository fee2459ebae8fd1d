"""Babble: 16 kHz speech from a formant synthesiser; speaker and feeling set its voice.

A glottal source (pulses of air with jitter and shimmer, and breath) or hiss for consonants, through
five resonators (D. Klatt, Software for a cascade/parallel formant synthesizer, JASA 67, 1980). The
words give the vowels and consonants, by their spelling; the result sounds like speech and is hardly
intelligible.

The sound shows acoustic sentiment through seven numbers of ``Voice`` alone: pitch and its range,
rate, level, open quotient, breathiness and jitter. The speaker sets the rest, and the middle of
those seven. Words are audible in part, as in real speech.
"""

import re
from typing import NamedTuple

import numpy as np

RATE = 16_000
"""Samples per second."""

FRAME = 0.008
"""Seconds between two settings of the resonators."""

SHORTEST = 1.0
"""Least length in seconds; shorter speech is followed by silence."""


class Voice(NamedTuple):
    """The voice of one clip."""

    pitch: float  # mean, Hz
    pitch_range: float  # standard deviation, semitones
    speaking_rate: float  # syllables per second
    level: float  # root mean square of voiced sound, dB of full scale
    open_quotient: float  # share of a period in which air flows: pressed 0.4 to lax 0.8
    breathiness: float  # breath over voice
    jitter: float  # of pitch, relative
    shimmer: float  # of loudness from pulse to pulse, relative
    tract: float  # resonances over those of an average man
    room: float  # noise of the room, dB of full scale


_VOWELS = {
    "a": (700, 1150, 2440),
    "e": (530, 1800, 2480),
    "i": (400, 1950, 2550),
    "o": (550, 880, 2410),
    "u": (470, 1100, 2300),
    "y": (320, 2150, 2800),
    "ee": (280, 2250, 2900),
    "ea": (280, 2250, 2900),
    "oo": (310, 900, 2240),
    "ou": (600, 1000, 2300),
    "ai": (480, 2000, 2550),
    "ay": (480, 2000, 2550),
}
"""F1 to F3 in Hz by spelling; an unlisted group of letters sounds like its first."""

_HIGHER = (3400, 4400)
_WIDTHS = np.array([70, 90, 130, 220, 320])

_HISS = {"s": 6000, "z": 5800, "f": 4500, "v": 4200, "h": 1600, "j": 3000, "x": 5500}
_BURST = {"p": 1000, "b": 900, "t": 4200, "d": 3800, "k": 2000, "g": 1800, "c": 2000, "q": 1900}
_VOICED = {
    "m": (280, 1000, 2200),
    "n": (280, 1500, 2500),
    "l": (350, 1100, 2600),
    "r": (330, 1200, 1600),
    "w": (300, 700, 2200),
}


def syllables(word: str) -> list[tuple[str, str]]:
    """Split a word into consonants and vowel of each syllable, by spelling.

    What follows the last vowel is one more pair, without a vowel.
    """
    if len(word) > 3 and word.endswith("e") and word[-2] not in "aeiouyl":
        word = word[:-1]
    pairs = re.findall(r"([^aeiouy]*)([aeiouy]+)", word)
    end = re.search(r"[^aeiouy]+$", word)
    return pairs + ([(end[0], "")] if end else [])


def count(text: str) -> int:
    """Count the syllables in a text."""
    return sum(1 for word in text.split() for _, vowel in syllables(word) if vowel)


class _Plan(NamedTuple):
    """One stretch of sound: its length in seconds, and its settings."""

    seconds: float
    formants: tuple[float, float, float]
    voiced: float
    hiss: float
    centre: float
    accent: float


def say(text: str, voice: Voice, rng: np.random.Generator) -> np.ndarray:
    """Speak the text in that voice: (S,) float32 from -1 to 1 at ``RATE``.

    The grammar's transcripts take about 1 to 4 s. Raises ``ValueError`` for a text without a vowel.
    """
    from scipy.signal import sosfilt

    if not count(text):
        raise ValueError(f"no vowel to speak in {text!r}")
    plan = _plan(text, voice, rng)
    ends = np.round(np.cumsum([0, *(p.seconds for p in plan)]) / FRAME).astype(int)
    stretch = np.repeat(np.arange(len(plan)), np.diff(ends))  # (F,) number of each frame's stretch
    tracks = np.array([(*p.formants, p.voiced, p.hiss, p.centre, p.accent) for p in plan])[stretch]
    formants = np.column_stack([_smooth(tracks[:, k], 5) for k in range(3)])
    formants = np.column_stack([formants, np.tile(_HIGHER, (len(stretch), 1))]) * voice.tract
    loud, hiss = _smooth(tracks[:, 3], 2), _smooth(tracks[:, 4], 2)
    pitch = _pitch(tracks[:, 6], loud, voice, rng)

    step = round(FRAME * RATE)
    sound = _source(pitch, voice, step, rng) * _spread(loud, step)
    noise = rng.normal(size=len(sound)) * _spread(hiss, step)
    sections = _resonators(formants, _WIDTHS)  # (F, 5, 6)
    hissing = _resonators(np.minimum(tracks[:, 5:6], 7000), np.array([1200.0]))
    state, hiss_state = np.zeros((5, 2)), np.zeros((1, 2))
    for f in range(len(stretch)):
        piece = slice(f * step, (f + 1) * step)
        sound[piece], state = sosfilt(sections[f], sound[piece], zi=state)
        noise[piece], hiss_state = sosfilt(hissing[f], noise[piece], zi=hiss_state)

    spoken = _spread(loud, step) > 0.5
    sound /= np.sqrt(np.mean(sound[spoken] ** 2))
    level = 10 ** (voice.level / 20)
    hissed = _spread(hiss, step) > 0.2
    if hissed.any():
        sound += 0.35 * noise / np.sqrt(np.mean(noise[hissed] ** 2))
    sound *= level
    sound = np.pad(sound, (0, max(0, round(SHORTEST * RATE) - len(sound))))
    sound += 10 ** (voice.room / 20) * rng.normal(size=len(sound))
    return sound.astype(np.float32)


def _plan(text: str, voice: Voice, rng) -> list[_Plan]:
    """Plan silence, the words with a short pause between some of them, and silence."""
    still = (500, 1500, 2500)
    quiet = _Plan(0.0, still, 0.0, 0.0, 3000, 0.0)
    plan = [quiet._replace(seconds=rng.uniform(0.08, 0.16))]
    for number, word in enumerate(text.split()):
        if number and rng.random() < 0.12:
            plan.append(quiet._replace(seconds=rng.uniform(0.08, 0.2)))
        stress = 1.0 if len(word) > 3 else 0.0
        for consonants, vowel in syllables(word):
            formants = _VOWELS.get(vowel[:2]) or _VOWELS.get(vowel[:1]) or still
            sounds = [_consonant(c, formants) for c in consonants[-2:]]
            length = 1 / voice.speaking_rate
            if not vowel:  # the end of a word takes the time of its consonants alone
                plan += [s._replace(seconds=0.2 * length) for s in sounds]
                continue
            plan += [s._replace(seconds=0.2 * length, accent=stress) for s in sounds]
            rest = length * (1 - 0.2 * len(sounds))
            plan.append(_Plan(rest, formants, 1.0, 0.0, 3000, stress))
            stress = 0.0
    return [*plan, quiet._replace(seconds=rng.uniform(0.1, 0.2))]


def _consonant(letter: str, vowel) -> _Plan:
    if letter in _VOICED:
        return _Plan(0.0, _VOICED[letter], 0.45, 0.0, 3000, 0.0)
    if letter in _HISS:
        return _Plan(0.0, vowel, 0.25 if letter in "vzj" else 0.0, 0.8, _HISS[letter], 0.0)
    return _Plan(0.0, vowel, 0.15 if letter in "bdg" else 0.0, 0.5, _BURST.get(letter, 2500), 0.0)


def _smooth(track: np.ndarray, frames: int) -> np.ndarray:
    """Smooth a track by a running mean over 2 frames + 1: speech organs have mass."""
    weights = np.hanning(2 * frames + 3)[1:-1]
    padded = np.pad(track, frames, mode="edge")
    return np.convolve(padded, weights / weights.sum(), mode="valid")


def _spread(track: np.ndarray, step: int) -> np.ndarray:
    """Interpolate settings at frames (F,) to samples (F x step,), on straight lines."""
    frames = np.arange(len(track)) * step
    return np.interp(np.arange(len(track) * step), frames, track)


def _pitch(accent, loud, voice: Voice, rng) -> np.ndarray:
    """Draw the pitch of every frame, Hz: accents on a falling line, with the voice's range."""
    fall = np.linspace(1, -1, len(accent))
    wander = _smooth(rng.normal(size=len(accent)), 12) * 3
    contour = 1.2 * _smooth(accent, 8) + 0.8 * fall + wander
    spoken = loud > 0.5
    contour = (contour - contour[spoken].mean()) / contour[spoken].std()
    semitones = voice.pitch_range * np.clip(contour, -2.5, 2.5)
    return np.clip(voice.pitch * 2 ** (semitones / 12), 50, 600)


def _source(pitch, voice: Voice, step: int, rng) -> np.ndarray:
    """Draw the change of the air's flow through the glottis, with breath while it is open."""
    shaken = _spread(pitch * (1 + voice.jitter * rng.normal(size=len(pitch))), step)
    periods = np.cumsum(shaken) / RATE
    number = periods.astype(int)
    place = (periods - number) / voice.open_quotient  # 0 to 1 while it is open
    opened = place < 1
    flow = np.where(opened, 2 * place - 3 * place**2, 0.0)
    flow *= 1 + voice.shimmer * rng.normal(size=number.max() + 1)[number]
    breath = rng.normal(size=len(flow)) * (0.3 + 0.7 * opened)
    return flow / flow.std() + voice.breathiness * breath


def _resonators(frequencies: np.ndarray, widths: np.ndarray) -> np.ndarray:
    """Return second-order sections (F, K, 6) for frequencies (F, K) and widths (K,), in Hz."""
    radius = np.exp(-np.pi * widths / RATE)
    b = 2 * radius * np.cos(2 * np.pi * frequencies / RATE)
    c = np.broadcast_to(-(radius**2), b.shape)
    one, zero = np.ones_like(b), np.zeros_like(b)
    return np.stack([1 - b - c, zero, zero, one, -b, -c], axis=-1)
