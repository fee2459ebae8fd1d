"""Whole: a file that ends before it says is refused with both durations; an intact one is read."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

av = pytest.importorskip("av", reason="media need the extra media")
soundfile = pytest.importorskip("soundfile", reason="media need the extra media")
pytest.importorskip("cv2", reason="media need the extra media")

from msalib.base.errors import UserError  # noqa: E402
from msalib.encoders import headers, media, whole  # noqa: E402
from tests.clips import tone  # noqa: E402

SECONDS = 3
FRONT = {"movflags": "faststart"}
"""The index before the content, so that a file that is cut can be opened."""


def container(path: Path, pictures: str = "", sound: str = "", **more) -> Path:
    """Write noise with these codecs; more: fps, rate, options, seconds of sound, its start."""
    rate, fps = more.get("rate", 16_000), more.get("fps", 25)
    rng = np.random.default_rng(0)
    with av.open(str(path), "w", options=more.get("options", {})) as file:
        video = file.add_stream(pictures, rate=fps) if pictures else None
        audio = file.add_stream(sound, rate=rate, layout="mono") if sound else None
        wave = tone(int(more.get("sounding", SECONDS) * rate))
        pieces = [(n, wave[n : n + 1024]) for n in range(0, len(wave), 1024)] if sound else []
        if video:
            video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        for number in range(SECONDS * fps if video else 0):
            shown = rng.integers(0, 255, (48, 64, 3), dtype=np.uint8)
            frame = av.VideoFrame.from_ndarray(shown, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, fps)
            file.mux(video.encode(frame))
            while pieces and pieces[0][0] <= (number + 1) * rate // fps:
                _hear(file, audio, rate, more.get("late", 0), *pieces.pop(0))
        for piece in pieces:
            _hear(file, audio, rate, more.get("late", 0), *piece)
        for stream in filter(None, (video, audio)):
            file.mux(stream.encode())
    return path


def _hear(file, stream, rate: int, late: float, start: int, wave: np.ndarray) -> None:
    frame = av.AudioFrame.from_ndarray(wave[None].copy(), format="fltp", layout="mono")
    frame.sample_rate, frame.pts = rate, start + round(late * rate)
    frame.time_base = Fraction(1, rate)
    file.mux(stream.encode(frame))


CONTAINERS = {
    "front.mp4": {"pictures": "mpeg4", "sound": "aac", "options": FRONT},
    "back.mov": {"pictures": "mpeg4", "sound": "aac", "options": FRONT},
    "b.mp4": {"pictures": "libx264", "sound": "aac", "options": FRONT},
    "parts.mp4": {
        "pictures": "mpeg4",
        "sound": "aac",
        "options": {"movflags": "frag_keyframe+empty_moov"},
    },
    "a.mkv": {"pictures": "mpeg4", "sound": "aac"},
    "a.webm": {"pictures": "libvpx", "sound": "libopus", "rate": 48_000},
    "a.avi": {"pictures": "mpeg4", "sound": "libmp3lame", "rate": 44_100},
    "a.flv": {"pictures": "flv", "sound": "libmp3lame", "rate": 44_100},
    "a.wmv": {"pictures": "wmv2", "sound": "libmp3lame", "rate": 44_100},
    "a.m4a": {"sound": "aac", "options": FRONT},
    "a.mka": {"sound": "aac"},
    "a.opus": {"sound": "libopus", "rate": 48_000},
    "a.oga": {"sound": "flac"},
    "a.mp3": {"sound": "libmp3lame"},
}
ODD = {
    "short.mp4": {"pictures": "mpeg4", "sound": "aac", "options": FRONT, "sounding": 1},
    "long.mkv": {"pictures": "mpeg4", "sound": "aac", "sounding": 4},
    "late.mp4": {"pictures": "mpeg4", "sound": "aac", "options": FRONT, "late": 0.7},
    "late.avi": {"pictures": "mpeg4", "sound": "libmp3lame", "rate": 44_100, "late": 0.7},
    "dash.mp4": {
        "pictures": "libx264",
        "sound": "aac",
        "options": {"movflags": "dash+frag_keyframe"},
    },
    "slow.mp4": {"pictures": "libx264", "sound": "aac", "options": FRONT, "fps": 3},
}
FILES = {
    "a.wav": ("WAV", "PCM_16"),
    "wide.wav": ("RF64", "PCM_16"),
    "packed.wav": ("WAV", "IMA_ADPCM"),
    "a.flac": ("FLAC", "PCM_16"),
    "a.ogg": ("OGG", "VORBIS"),
    "b.mp3": ("MP3", None),
    "a.aiff": ("AIFF", "PCM_16"),
    "a.au": ("AU", "PCM_16"),
    "a.caf": ("CAF", "PCM_16"),
    "a.w64": ("W64", "PCM_16"),
}


def make(folder: Path, name: str) -> Path:
    if how := (CONTAINERS | ODD).get(name):
        return container(folder / name, **how)
    kind, subtype = FILES[name]
    soundfile.write(folder / name, tone(SECONDS * 16_000), 16_000, format=kind, subtype=subtype)
    return folder / name


def cut(path: Path, share: float) -> Path:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


def read(path: Path, kind: str) -> float:
    """Return the seconds of sound or the number of pictures of a file."""
    if kind == "sound":
        return len(media.sound(path, "first")) / media.RATE
    return sum(1 for _ in media._pictures(path)[1])


def kinds(name: str) -> list[str]:
    pictures = (CONTAINERS | ODD).get(name, {}).get("pictures")
    return ["sound", "pictures"] if pictures else ["sound"]


@pytest.mark.parametrize("name", [*CONTAINERS, *ODD, *FILES])
def test_an_intact_file_is_read(tmp_path, name):
    path, how = make(tmp_path, name), (CONTAINERS | ODD).get(name, {})
    for kind in kinds(name):
        if kind == "sound":
            assert read(path, kind) == pytest.approx(how.get("sounding", SECONDS), abs=0.13)
        else:
            assert read(path, kind) == SECONDS * how.get("fps", 25)


@pytest.mark.parametrize("share", [0.6, 0.85])
@pytest.mark.parametrize("name", [*CONTAINERS, *FILES])
def test_a_cut_one_is_refused_and_taken_where_that_is_accepted(tmp_path, name, share, monkeypatch):
    path = cut(make(tmp_path, name), share)
    for kind in kinds(name):
        with pytest.raises(UserError, match=f"of {kind} .*expected a whole file") as error:
            read(path, kind)
        assert error.value.where == str(path)
        monkeypatch.setenv(whole.VARIABLE, "1")  # what the message says
        assert "MSALIB_ACCEPT_CUT=1" in error.value.remedy
        with whole.noted() as notes:
            found = read(path, kind)
        assert notes == [error.value.found] and 0 < found < 75
        monkeypatch.delenv(whole.VARIABLE)


def test_both_durations_are_said(tmp_path):
    path = cut(make(tmp_path, "front.mp4"), 0.5)
    with pytest.raises(
        UserError, match=r"found [01]\.\d+ s of sound of the 3\.00 s that it states"
    ):
        read(path, "sound")
    with pytest.raises(UserError, match=r"found [01]\.\d+ s of pictures of the 3\.00 s"):
        read(path, "pictures")


def test_sound_that_ends_before_the_pictures_is_whole_in_a_file_cut_behind_it(tmp_path):
    path = cut(container(tmp_path / "a.mkv", "mpeg4", "aac", sounding=0.5), 0.7)
    assert read(path, "sound") == pytest.approx(0.5, abs=0.1)
    with pytest.raises(UserError, match="of pictures"):
        read(path, "pictures")


def test_a_tag_that_is_left_from_another_file_is_not_believed(tmp_path):
    path = make(tmp_path, "a.mkv")
    content = path.read_bytes()
    assert b"00:00:03.000000000" in content
    path.write_bytes(content.replace(b"00:00:03.000000000", b"00:20:03.000000000"))
    assert read(path, "pictures") == 75
    path.write_bytes(content.replace(b"DURATION", b"DURATIOM"))  # the whole file states its own
    assert read(path, "pictures") == 75
    with pytest.raises(UserError, match="of pictures"):
        read(cut(path, 0.5), "pictures")


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4", "a.webm"])
def test_a_last_picture_may_last_long(tmp_path, name):
    path = tmp_path / name
    with av.open(str(path), "w", options=FRONT if name == "a.mp4" else {}) as file:
        video = file.add_stream("libvpx" if name == "a.webm" else "libx264", rate=30)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        video.codec_context.time_base = Fraction(1, 1000)
        for time in (0, 33, 66, 100, 1500, 1533, 4000):
            frame = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")
            frame.pts, frame.time_base = time, Fraction(1, 1000)
            file.mux(video.encode(frame))
        file.mux(video.encode())
    assert read(path, "pictures") == 7


@pytest.mark.parametrize("name", ["a.ts", "a.aac", "plain.mp3"])
def test_raw_streams_state_nothing(tmp_path, name):
    options = {"write_xing": "0"} if name == "plain.mp3" else {}
    sound = "libmp3lame" if name == "plain.mp3" else "aac"
    path = container(tmp_path / name, "mpeg2video" * (name == "a.ts"), sound, options=options)
    assert read(path, "sound") == pytest.approx(SECONDS, abs=0.13)
    assert headers.missing(path) is None


def test_a_flac_that_could_not_know_its_length_is_read(tmp_path):
    path = make(tmp_path, "a.flac")
    content = bytearray(path.read_bytes())
    content[21] &= 0xF0  # the number of samples, 36 bits
    content[22:26] = bytes(4)
    path.write_bytes(content)
    assert read(path, "sound") == SECONDS
