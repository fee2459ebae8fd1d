"""Media: exact samples and pictures from every kind of file; each damage is named, none hangs."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

av = pytest.importorskip("av", reason="media need the extra media")
soundfile = pytest.importorskip("soundfile", reason="media need the extra media")
cv2 = pytest.importorskip("cv2", reason="media need the extra media")

from msalib.base.errors import UserError  # noqa: E402
from msalib.encoders import media  # noqa: E402
from tests.clips import flat, tone, write_pictures, write_video, write_wav  # noqa: E402

# --- sound --------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_sound_at_16_khz_is_read_as_it_is(tmp_path, suffix):
    wave = np.round(tone(1000) * 2**15).clip(-(2**15), 2**15 - 1) / 2**15
    soundfile.write(tmp_path / f"a{suffix}", wave, 16_000, subtype="PCM_16")
    found = media.sound(tmp_path / f"a{suffix}", "first")
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, wave.astype(np.float32))


def test_channels_first_or_mean(tmp_path):
    both = np.stack([tone(100, 1), tone(100, 2)], axis=1)
    path = write_wav(tmp_path / "a.wav", both)
    np.testing.assert_array_equal(media.sound(path, "first"), both[:, 0])
    np.testing.assert_allclose(media.sound(path, "mean"), both.mean(axis=1), atol=1e-7)


@pytest.mark.parametrize("rate", [8_000, 44_100])
def test_other_rates_are_resampled_and_the_pitch_stays(tmp_path, rate):
    pytest.importorskip("librosa", reason="resampling needs the extra media")
    seconds = 0.5
    wave = np.sin(2 * np.pi * 440 * np.arange(int(seconds * rate)) / rate)
    path = write_wav(tmp_path / "a.wav", wave, rate)
    found = media.sound(path, "first")
    assert len(found) == media.samples(path, "first") == int(np.ceil(seconds * 16_000))
    loudest = np.abs(np.fft.rfft(found)).argmax() / seconds
    assert loudest == 440


def test_sound_of_a_video_and_of_a_sound_only_container(tmp_path):
    wave = np.sin(2 * np.pi * 500 * np.arange(16_000) / 16_000)
    sound = np.stack([wave, 0 * wave]).astype(np.float32)
    for path in (
        write_video(tmp_path / "a.mp4", [flat(10)] * 15, sound=sound),
        write_video(tmp_path / "b.m4a", sound=sound),
    ):
        first, mean = media.sound(path, "first"), media.sound(path, "mean")
        assert abs(len(first) - 16_000) <= 2048  # AAC ends with a whole block
        assert np.abs(np.fft.rfft(first[2000:10_000])).argmax() * 2 == 500
        assert 0.8 < first[2000:10_000].max() < 1.2
        assert mean.max() < 0.7


# --- pictures -----------------------------------------------------------------------------------


def numbered(count: int, side: int = 16) -> list[np.ndarray]:
    return [np.full((side, side, 3), n, np.uint8) for n in range(count)]


def kept(path: Path, sampling: str) -> list[int]:
    """Which of the numbered pictures are kept."""
    return [int(p.mean().round()) for p in media._kept(path, sampling, "whole")]


def test_release_keeps_every_int_of_a_third_of_the_rate(tmp_path):
    for fps, step in [("30", 10), ("29.97", 9), ("25", 8), ("23.976", 7), ("3", 1), ("1", 1)]:
        folder = write_pictures(tmp_path / fps, numbered(40), fps)
        assert kept(folder, "release") == list(range(0, 40, step)), fps


def test_paper_keeps_the_picture_nearest_to_each_third_of_a_second(tmp_path):
    def nearest(count, fps):
        times = np.arange(count) / fps
        due = np.arange(int(times[-1] * 3 + 1e-9) + 1) / 3
        return np.abs(times[None] - due[:, None]).round(9).argmin(axis=1).tolist()

    for fps in ("30", "29.97", "25", "23.976", "3", "1"):
        folder = write_pictures(tmp_path / fps, numbered(40), fps)
        assert kept(folder, "article") == nearest(40, float(fps)), fps
    assert kept(tmp_path / "3", "article") == list(range(40))


def test_a_folder_without_a_rate_has_three_a_second_and_a_natural_order(tmp_path):
    folder = write_pictures(tmp_path / "a", numbered(12))  # 10.png after 9.png
    assert kept(folder, "release") == list(range(12))


def test_pictures_of_a_video(tmp_path):
    pictures = [flat(8 * n) for n in range(31)]
    path = write_video(tmp_path / "a.mp4", pictures, Fraction(30))
    for sampling in ("release", "article"):
        found = list(media._kept(path, sampling, "whole"))
        assert len(found) == 4
        for picture, n in zip(found, (0, 10, 20, 30), strict=True):
            assert picture.shape == (64, 64, 3)
            assert abs(picture[40:, 40:].mean() - 8 * n) < 4  # grey, whatever the codec did
    assert next(media._kept(path, "release", "opencv")).shape == (720, 720, 3)
    assert next(media._kept(path, "article", "opencv")).shape == (64, 64, 3)


def test_colours_are_red_green_blue(tmp_path):
    red = np.zeros((32, 32, 3), np.uint8)
    red[..., 0] = 200
    for path in (
        write_pictures(tmp_path / "a", [red]) / "0.png",
        write_video(tmp_path / "a.mp4", [red] * 3),
    ):
        (picture, *_) = media._kept(path, "release", "whole")
        assert (np.abs(picture.mean(axis=(0, 1)) - [200, 0, 0]) < 12).all()


def test_a_video_that_lies_is_put_upright(tmp_path):
    path = write_video(tmp_path / "a.mp4", [flat(40)] * 3)  # its upper left corner is bright
    content = bytearray(path.read_bytes())
    matrix = content.index(b"tkhd") + 44
    clockwise = np.array([0, 1, 0, -1, 0, 0, 64, 0], ">i4")
    clockwise[[1, 3, 6]] *= 2**16
    content[matrix : matrix + 32] = clockwise.tobytes()
    path.write_bytes(content)
    (picture, *_) = media._kept(path, "release", "whole")
    corners = picture[8, 8], picture[8, -8], picture[-8, 8], picture[-8, -8]
    assert [int(c.mean()) > 128 for c in corners] == [False, True, False, False]


def test_bicubic_is_that_of_pillow(tmp_path):
    image = pytest.importorskip("PIL.Image")
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (256, 256, 3), dtype=np.uint8)
    for side in (224, 64, 100, 336, 256):
        ours = media.bicubic(picture, side).astype(int)
        theirs = np.asarray(image.fromarray(picture).resize((side, side), image.Resampling.BICUBIC))
        assert np.abs(ours - theirs).max() <= 1, side
        assert (ours != theirs).mean() < 0.01, side


def test_crops_are_the_boxes_without_the_pictures_that_have_none(tmp_path):
    picture = np.zeros((60, 80, 3), np.uint8)
    picture[10:30, 40:50] = 255  # the face: not square, and brought to a square all the same
    folder = write_pictures(tmp_path / "a", [picture, picture, picture])
    found = media.crops(
        folder, "article", "opencv", [(40, 10, 50, 30), None, (0, 0, 80, 60)], 40, 32
    )
    assert found.shape == (2, 32, 32, 3)
    assert found[0].min() == 255
    assert 0 < found[1].mean() < 40
    assert media.crops(folder, "article", "opencv", [None] * 3, 40, 32).shape == (0, 32, 32, 3)


# --- damage -------------------------------------------------------------------------------------


def cut(path: Path, share: float) -> Path:
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    return path


def text_file(path: Path) -> Path:
    path.write_text("this is no media file")
    return path


def emptied(path: Path) -> Path:
    path.touch()
    return path


SOUND = {
    "no samples": (lambda f: write_wav(f / "a.wav", tone(0)), "found no samples"),
    "nan": (lambda f: write_wav(f / "a.wav", tone(9) * np.nan), "samples that are not finite"),
    "text": (lambda f: text_file(f / "a.wav"), "content that cannot be decoded"),
    "empty": (lambda f: emptied(f / "a.wav"), "content that cannot be decoded"),
    "missing": (lambda f: f / "a.wav", "found no such file"),
    "folder": (lambda f: write_pictures(f / "a.wav", [flat(1)]), "found a folder"),
    "no audio": (lambda f: write_video(f / "a.mp4", [flat(1)] * 3), "found no audio stream"),
    "rate": (
        lambda f: write_wav(f / "a.wav", tone(9), 2),
        "found 2 samples a second; expected 1000 to 999999",
    ),
    "text video": (lambda f: text_file(f / "a.mp4"), "content that cannot be decoded"),
    "cut wav": (
        lambda f: cut(write_wav(f / "a.wav", tone(999)), 0.5),
        r"found 0\.03 s of sound of the 0\.06 s that it states; expected a whole file",
    ),
    "cut video": (
        lambda f: cut(write_video(f / "a.mp4", sound=tone(9999)[None]), 0.5),
        "content that cannot be decoded",
    ),
}
PICTURES = {
    "no video": (lambda f: write_video(f / "a.mp4", sound=tone(9999)[None]), "no video stream"),
    "wav": (lambda f: write_wav(f / "a.wav", tone(99)), "no video stream"),
    "text": (lambda f: text_file(f / "a.mp4"), "content that cannot be decoded"),
    "text picture": (lambda f: text_file(f / "a.png"), "21 bytes that are no picture"),
    "empty picture": (lambda f: emptied(f / "a.jpg"), "0 bytes that are no picture"),
    "missing": (lambda f: f / "a.png", "found no such file"),
    "empty folder": (lambda f: write_pictures(f / "a", []), r"no \.png or \.jpg in the folder"),
    "cut picture": (
        lambda f: cut(write_pictures(f / "a", [flat(1)]) / "0.png", 0.3).parent,
        r"0\.png: found .* no picture",
    ),
    "rate": (lambda f: write_pictures(f / "a", [flat(1)], "fast"), r"fps\.txt: found 'fast'"),
    "years": (
        lambda f: write_pictures(f / "a", [flat(1)] * 2, "1e-9"),
        r"found 1e\+09 s between two pictures",
    ),
    "rate 0": (lambda f: write_pictures(f / "a", [flat(1)], "0"), r"fps\.txt: found '0'"),
}


@pytest.mark.parametrize("case", SOUND)
def test_sound_that_is_none_is_refused_by_name(tmp_path, case):
    make, found = SOUND[case]
    path = make(tmp_path)
    with pytest.raises(UserError, match=found) as error:
        media.sound(path, "first")
    assert str(error.value).startswith(str(path))


@pytest.mark.parametrize("told", [0x7FFFFFFF, 0xFFFFFFFF, 44])
def test_a_wav_that_could_not_know_its_length_is_read(tmp_path, told):
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(500), 16_000, subtype="PCM_16")
    content = bytearray(path.read_bytes())
    assert content[36:40] == b"data"
    size = 1000 + told if told == 44 else told  # some programs count the header
    content[40:44] = size.to_bytes(4, "little")
    path.write_bytes(content)
    assert len(media.sound(path, "first")) == 500


@pytest.mark.parametrize("case", PICTURES)
def test_pictures_that_are_none_are_refused_by_name(tmp_path, case):
    make, found = PICTURES[case]
    path = make(tmp_path)
    with pytest.raises(UserError, match=found) as error:
        media.look(path, "article", "whole")
    assert str(error.value).startswith(str(path))


def test_damaged_bytes_give_an_error_or_a_read_and_nothing_else(tmp_path):
    rng = np.random.default_rng(0)
    whole = write_video(tmp_path / "a.mp4", [flat(9, 32)] * 12, sound=tone(4000)[None]).read_bytes()
    wav = write_wav(tmp_path / "b.wav", tone(400)).read_bytes()
    for number in range(40):
        for content, path in ((whole, tmp_path / "c.mp4"), (wav, tmp_path / "c.wav")):
            damaged = bytearray(content)
            for place in rng.integers(0, len(damaged), 30):
                damaged[place] = rng.integers(256)
            path.write_bytes(damaged[: rng.integers(1, len(damaged))] if number % 2 else damaged)
            try:
                media.sound(path, "mean")
                media.look(path, "article", "whole")
            except UserError as error:
                assert error.where == str(path)
