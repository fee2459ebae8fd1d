"""Rendered clips: the same bytes for the same corpus, read back by the reader of media."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from msalib.base.errors import UserError
from msalib.data.simulate import faces, raw, render
from tests.data.simulate.test_synthetic_speech import loudness

pytest.importorskip("cv2")
soundfile = pytest.importorskip("soundfile")


def digest(folder: Path) -> dict[str, str]:
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


@pytest.fixture(scope="module")
def small():
    return raw.raw(videos=8, clips=(1, 2))


@pytest.fixture(scope="module")
def rendered(small, tmp_path_factory):
    return render.render(small, tmp_path_factory.mktemp("clips") / "small")


def folder_of(corpus):
    return corpus.media["acoustic"][0].parents[2]


def test_clips_are_read_back_as_they_were_made(small, rendered):
    import cv2

    for row in (0, len(small) - 1):
        wave, pictures = render.clip(small, row)
        back, rate = soundfile.read(rendered.media["acoustic"][row], dtype="float32")
        assert rate == 16_000 and np.abs(back - wave).max() <= 1.01 / 32768
        folder = rendered.media["visual"][row]
        stored = [cv2.imread(str(p))[..., ::-1] for p in sorted(folder.glob("*.png"))]
        np.testing.assert_array_equal(stored, pictures)
        assert (folder / "fps.txt").read_text() == "3\n"
        assert len(pictures) == round(3 * len(wave) / 16_000)


@pytest.mark.parametrize("kind", ["files", "mp4"])
def test_a_full_disk_is_told_and_leaves_no_clip(small, tmp_path, kind):
    """Whichever library met it: soundfile alone says "System error."."""
    resource = pytest.importorskip("resource")
    pytest.importorskip("av")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, before[1]))
    try:
        with pytest.raises(UserError, match=r"clips: found it cannot be written.*Make room"):
            render.render(small, tmp_path / "clips", kind, rows=[0])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not [p for p in (tmp_path / "clips" / "Raw").rglob("*") if p.is_file()]
    render.render(small, tmp_path / "clips", kind, rows=[0])
    assert len(list((tmp_path / "clips" / "Raw").rglob("*.[wm][ap][v4]"))) == 1


def test_the_media_reader_reads_the_folder(small, rendered):
    media, formats = (
        pytest.importorskip(f"msalib.data.readers.{name}") for name in ("media", "formats")
    )
    folder = folder_of(rendered)
    assert media.detects(folder)
    back = media.read(folder, "again", formats.Options(faces="whole"))
    assert list(back.utterances.index) == list(small.utterances.index)
    for column in ("video", "text", "label", "label_T", "label_A", "label_V"):
        assert list(back.utterances[column]) == list(small.utterances[column]), column
    assert list(back.splits["standard"]) == list(small.splits["standard"])
    assert not back.dropped and back.faces == "whole"
    for m in ("visual", "acoustic"):
        assert [p.resolve() for p in back.media[m]] == [p.resolve() for p in rendered.media[m]]


def test_the_same_clips_give_the_same_bytes(small, rendered, tmp_path):
    other = render.render(small, tmp_path / "other")
    assert digest(folder_of(other)) == digest(folder_of(rendered))
    assert not list((tmp_path / "other").glob(".partial*"))


def test_a_killed_rendering_goes_on(small, rendered, tmp_path, monkeypatch):
    folder = tmp_path / "clips"
    made = []

    def killed(path, wave):
        if len(made) == 3:
            raise KeyboardInterrupt
        made.append(path)
        write(path, wave)

    write = render._write_sound
    with monkeypatch.context() as patch:
        patch.setattr(render, "_write_sound", killed)
        with pytest.raises(KeyboardInterrupt):
            render.render(small, folder)
    assert not (folder / "label.csv").exists()
    done = {p: p.stat().st_mtime_ns for p in folder.rglob("*.wav")}
    assert len(done) == 3
    render.render(small, folder)
    assert {p: p.stat().st_mtime_ns for p in done} == done
    assert digest(folder) == digest(folder_of(rendered))


def test_clips_that_are_there_are_not_made_again(small, rendered, monkeypatch):
    monkeypatch.setattr(render, "clip", None)
    again = render.render(small, folder_of(rendered))
    assert again.media == rendered.media


def test_a_folder_of_other_clips_is_refused(small, rendered):
    for corpus, kind in ((raw.raw(seed=1, videos=8, clips=(1, 2)), "files"), (small, "mp4")):
        with pytest.raises(UserError, match="clips made from other settings") as error:
            render.render(corpus, folder_of(rendered), kind)
        assert "Delete that folder" in error.value.remedy
    said = json.loads((folder_of(rendered) / "clips.json").read_text())
    assert said["corpus"] == "raw" and said["clips"] == len(small)


def test_without_its_packages_it_says_so(small, tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"no soundfile and no opencv.*\.\[media\]"):
        render.render(small, tmp_path / "clips")
    assert not (tmp_path / "clips").exists()


def test_media_are_rendered_when_first_asked_for(small, tmp_path):
    files = render.OnDemand(small, tmp_path / "clips", "acoustic")
    assert len(files) == len(small) and not (tmp_path / "clips").exists()
    assert files[0].suffix == ".wav" and files[-1].is_file()
    assert list(files) == render.render(small, tmp_path / "clips").media["acoustic"]


def test_of_a_slice_its_clips_alone_are_rendered(small, tmp_path):
    folder = tmp_path / "clips"
    files = render.OnDemand(small, folder, "acoustic")
    some = files[:3]
    assert len(some) == 3 and len(list(folder.rglob("*.wav"))) == 3
    assert not (folder / "label.csv").exists()  # it says that all clips are there
    before = digest(folder)
    assert some == list(files)[:3] and (folder / "label.csv").is_file()
    assert before.items() <= digest(folder).items()


def test_labels_cost_no_rendering(tmp_path):
    corpus = render.load("raw-sarcasm")
    assert corpus.name == "raw-sarcasm" and set(corpus.media) == {"visual", "acoustic"}
    assert len(corpus.media["visual"]) == len(corpus)
    assert not (tmp_path / "features").exists()


def test_films_hold_sound_and_pictures(small, tmp_path):
    av = pytest.importorskip("av")
    few = raw.raw(videos=8, clips=(1, 1))
    one = render.render(few, tmp_path / "one", "mp4")
    render.render(few, tmp_path / "two", "mp4")
    assert digest(tmp_path / "one") == digest(tmp_path / "two")
    path = one.media["visual"][0]
    assert path == one.media["acoustic"][0] and path.suffix == ".mp4"
    wave, pictures = render.clip(few, 0)
    with av.open(str(path)) as film:
        assert film.streams.video[0].average_rate == faces.FPS
        decoded = np.stack([f.to_ndarray(format="rgb24") for f in film.decode(video=0)])
    assert decoded.shape == pictures.shape
    assert np.abs(decoded.astype(int) - pictures).mean() < 4
    with av.open(str(path)) as film:
        assert film.streams.audio[0].rate == 16_000
        sound = np.concatenate([f.to_ndarray()[0] for f in film.decode(audio=0)])
    assert loudness(sound.astype(float)) == pytest.approx(loudness(wave.astype(float)), abs=1.5)
