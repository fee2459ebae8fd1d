"""A clip on a page: its picture is told in words, its sound is a file that players can read."""

import base64
from io import BytesIO

import numpy as np
import soundfile

from msalib.pages.clips import clip
from tests.html import read

RATE = 16_000
TRUTH = {"visual": 1.0, "acoustic": -2.5, "linguistic": 0.0}


def shown(seconds: float = 0.5, frames: int = 3, text: str = "it was <fine> & good"):
    wave = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(int(seconds * RATE)) / RATE)
    pictures = np.zeros((frames, 64, 64, 3), np.uint8)
    return clip(pictures, wave, RATE, text=text, label=0.4, truth=TRUTH, title="Clip one")


def test_picture_and_player_have_words_for_those_who_do_not_see_or_hear():
    page = read(shown())
    (image,) = page.attributes("svg")
    assert "3 drawn faces in a row above a spectrogram of 0.5 s" in image["aria-label"]
    assert "visual +1.0, acoustic -2.5, linguistic +0.0. Label: +0.4." in image["aria-label"]
    assert "Clip one. Above, 3 of 3 frames" in page.text
    (player,) = page.attributes("audio")
    assert player["aria-label"] == "The voice of this clip: it was <fine> & good"
    assert "it was <fine> & good" in page.text  # escaped, not taken for a tag
    assert "controls" in player


def test_the_player_holds_the_whole_sound():
    (player,) = read(shown(seconds=0.25)).attributes("audio")
    head, data = player["src"].split(",")
    assert head == "data:audio/flac;base64"
    wave, rate = soundfile.read(BytesIO(base64.b64decode(data)))
    assert rate == RATE and len(wave) == RATE // 4
    spectrum = np.abs(np.fft.rfft(wave))
    assert spectrum.argmax() == 250  # 1000 Hz in steps of 4


def test_of_many_frames_some_are_drawn_and_one_is_enough():
    assert "4 of 9 frames" in read(shown(frames=9)).text
    assert "1 of 1 frames" in read(shown(frames=1)).text
