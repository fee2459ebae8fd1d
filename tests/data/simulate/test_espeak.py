"""eSpeak NG as a library: the same bytes whatever was said before, and a voice that is heard."""

import hashlib
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from msalib.base.errors import UserError
from msalib.data.simulate import espeak
from msalib.data.simulate.espeak import VARIANTS, Voice, say
from msalib.data.simulate.speech import RATE
from tests.data.simulate.test_synthetic_speech import loudness, pitch

loader = pytest.importorskip("espeakng_loader")

TEXT = "well i thought the movie was brilliant so you should go"
VOICE = Voice("en-us+m2", 50, 50, 170, -28)


def spoken(text=TEXT, **changes):
    return say(text, VOICE._replace(**changes))


def digest(wave):
    return hashlib.sha256(wave.tobytes()).hexdigest()


def test_a_clip_is_sound_within_full_scale():
    wave = spoken()
    assert wave.dtype == np.float32 and wave.ndim == 1
    assert np.isfinite(wave).all() and 0.05 < np.abs(wave).max() < 1
    assert 2 < len(wave) / RATE < 4


def test_what_was_spoken_before_changes_nothing():
    first = spoken()
    spoken("the tickets were by the door", variant="en-us+f5", pitch=90, speaking_rate=240)
    spoken("and so on " * 40)
    with pytest.raises(ValueError):
        spoken("...")
    np.testing.assert_array_equal(spoken(), first)


def test_the_clock_changes_nothing():
    """Breathy voices draw noise, which the library would seed by the second."""
    first = [spoken(variant=variant) for variant in VARIANTS]
    time.sleep(1.1)
    for variant, wave in zip(VARIANTS, first, strict=True):
        np.testing.assert_array_equal(spoken(variant=variant), wave)


def test_another_process_says_the_same():
    code = (
        "from tests.data.simulate.test_espeak import digest, spoken; "
        "spoken('something else'); print(digest(spoken()))"
    )
    root = Path(__file__).parents[3]
    said = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    assert said.stdout.strip() == digest(spoken()), said.stderr


def test_every_variant_exists_and_sounds_different():
    folder = Path(loader.get_data_path()) / "voices" / "!v"
    assert all((folder / name.split("+")[1]).is_file() for name in VARIANTS)
    assert len({digest(spoken(variant=variant)) for variant in VARIANTS}) == len(VARIANTS)


def test_each_number_of_a_voice_is_heard():
    low, high = (np.median(pitch(spoken(pitch=p).astype(float))) for p in (35, 65))
    assert 12 * np.log2(high / low) == pytest.approx(30 / 6, abs=1)
    flat, lively = (np.log(pitch(spoken(pitch_range=r).astype(float))).std() for r in (20, 80))
    assert lively > 1.5 * flat
    slow, fast = (len(spoken(speaking_rate=rate)) for rate in (140, 200))
    assert slow / fast == pytest.approx(200 / 140, rel=0.1)
    assert loudness(spoken(level=-20)) - loudness(spoken(level=-30)) == pytest.approx(10, abs=1e-3)


def test_short_speech_is_followed_by_silence():
    wave = spoken("no")
    assert len(wave) == RATE and not wave[-1000:].any() and wave[:8000].any()


@pytest.mark.parametrize(
    "text", ["it\u2019s a caf\u00e9", "a <b> & [[c]]", "no\0body", "\U0001f600 ok"]
)
def test_letters_of_all_kinds_can_be_spoken(text):
    assert spoken(text).any()


@pytest.mark.parametrize("text", ["", " ", "...", "?!"])
def test_a_text_without_words_is_refused(text):
    with pytest.raises(ValueError, match="nothing to speak"):
        spoken(text)


def test_a_number_that_no_voice_has_is_refused():
    with pytest.raises(ValueError, match="does not speak as"):
        spoken(variant="zz")


def test_the_version_is_that_of_the_library():
    assert espeak.version().startswith("eSpeak NG 1.")


def test_without_its_package_it_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(UserError, match="no espeakng-loader") as error:
        spoken()
    assert 'pip install -e ".[media]"' in error.value.remedy


def test_data_that_it_cannot_open_are_told(monkeypatch, tmp_path):
    """A path of more than some 150 characters is cut by the library, which then looks elsewhere."""
    monkeypatch.setattr(loader, "get_data_path", lambda: str(tmp_path / "nowhere"))
    with pytest.raises(UserError, match="cannot open") as error:
        spoken()
    assert error.value.where == str(tmp_path / "nowhere")
    assert "shorter path" in error.value.remedy
    monkeypatch.undo()
    assert spoken().any()
