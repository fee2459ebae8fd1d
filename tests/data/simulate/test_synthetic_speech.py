import numpy as np
import pytest

from msalib.data.simulate import grammar
from msalib.data.simulate.speech import RATE, Voice, count, say, syllables

TEXT = "well i thought the movie was brilliant"
VOICE = Voice(120, 3.0, 4.8, -28, 0.6, 0.08, 0.008, 0.04, 1.0, -60)


def spoken(seed=0, text=TEXT, **changes):
    return say(text, VOICE._replace(**changes), np.random.default_rng(seed)).astype(float)


def pitch(wave):
    """Median over voiced frames of the first peak of the autocorrelation, Hz."""
    found = []
    for start in range(0, len(wave) - 800, 400):
        frame = wave[start : start + 800] - wave[start : start + 800].mean()
        if np.sqrt(np.mean(frame**2)) < 0.3 * np.sqrt(np.mean(wave**2)):
            continue
        corr = np.fft.irfft(np.abs(np.fft.rfft(frame, 1600)) ** 2)
        lag = 40 + int(np.argmax(corr[40:270]))  # 59 to 400 Hz
        if corr[lag] > 0.4 * corr[0]:
            found.append(RATE / lag)
    return np.array(found)


def loudness(wave):
    return 10 * np.log10(np.mean(wave**2))


def centre(wave):
    """Mean frequency of the spectrum, Hz."""
    power = np.abs(np.fft.rfft(wave)) ** 2
    return float(power @ np.fft.rfftfreq(len(wave), 1 / RATE) / power.sum())


def test_a_clip_is_sound_within_full_scale():
    wave = say(TEXT, VOICE, np.random.default_rng(0))
    assert wave.dtype == np.float32 and wave.ndim == 1
    assert np.isfinite(wave).all() and np.abs(wave).max() < 1
    assert abs(wave.mean()) < 1e-3
    assert loudness(wave[:1000]) < -50  # it begins before the first word
    assert loudness(wave[-1000:]) < -50


def test_the_seed_decides_every_sample():
    np.testing.assert_array_equal(spoken(3), spoken(3))
    assert not np.array_equal(spoken(3)[:8000], spoken(4)[:8000])


@pytest.mark.parametrize("hertz", [90, 130, 220, 300])
def test_the_pitch_is_the_one_asked_for(hertz):
    assert np.median(pitch(spoken(pitch=hertz))) == pytest.approx(hertz, rel=0.08)


def test_each_number_of_a_voice_is_heard():
    wide, narrow = (np.log(pitch(spoken(pitch_range=r))).std() for r in (4.5, 1.0))
    assert wide > 1.5 * narrow
    assert len(spoken(speaking_rate=4)) > 1.2 * len(spoken(speaking_rate=5.5))
    assert loudness(spoken(level=-22)) - loudness(spoken(level=-30)) == pytest.approx(8, abs=0.5)
    assert centre(spoken(tract=1.2)) > 1.05 * centre(spoken(tract=1.0))
    assert centre(spoken(open_quotient=0.45)) > centre(spoken(open_quotient=0.75))
    assert loudness(spoken(room=-50)[:1000]) > loudness(spoken(room=-66)[:1000]) + 10

    def clarity(breathiness):
        wave = spoken(breathiness=breathiness)[8000:20000]
        corr = np.correlate(wave, wave, "full")[len(wave) - 1 :]
        return corr[60:200].max() / corr[0]

    assert clarity(0.02) > clarity(0.6)


def test_words_are_heard_in_vowels_and_length():
    def front(text):  # share of the power where "ee" has its second resonance, "oh" none
        wave = spoken(text=text)
        power, hertz = np.abs(np.fft.rfft(wave)) ** 2, np.fft.rfftfreq(len(wave), 1 / RATE)
        return power[(hertz > 1900) & (hertz < 3000)].sum() / power.sum()

    assert front("he sees me") > 3 * front("no on no")
    assert len(spoken(text=TEXT)) > len(spoken(text="same here"))


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("movie", [("m", "o"), ("v", "ie")]),
        ("same", [("s", "a"), ("m", "")]),
        ("script", [("scr", "i"), ("pt", "")]),
        ("awful", [("", "a"), ("wf", "u"), ("l", "")]),
    ],
)
def test_syllables_follow_the_spelling(word, parts):
    assert syllables(word) == parts


def test_every_word_of_the_grammar_can_be_spoken():
    for word in grammar.vocabulary():
        assert count(word) >= 1, word
    with pytest.raises(ValueError, match="no vowel to speak in 'hm'"):
        spoken(text="hm")
