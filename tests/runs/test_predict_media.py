"""Predictions from sound and pictures: the way of the corpus, and what cannot be read."""

import json

import numpy as np
import pandas as pd
import pytest
import torch

from msalib.base.errors import UserError
from msalib.data import datasets as readers
from msalib.data.corpus import Corpus
from msalib.encoders import media, speech
from msalib.pages import predict as pages
from msalib.runs import clips as users
from msalib.runs import predict, save, saved
from msalib.runs.clips import Clip
from msalib.runs.spec import system
from msalib.runs.study import Study
from tests.encoders.lazy import transformers
from tests.saved_models import CPU
from tests.sweep import offer

RATE = 16_000


def save_wavlm(folder):
    torch.manual_seed(0)
    config = transformers.WavLMConfig(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=16,
        conv_dim=(8, 8),
        conv_kernel=(400, 2),
        conv_stride=(160, 2),
        num_conv_pos_embeddings=4,
        num_conv_pos_embedding_groups=2,
    )
    transformers.WavLMModel(config).save_pretrained(folder)
    return folder


def save_clip(folder):
    torch.manual_seed(0)
    config = transformers.CLIPVisionConfig(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=16,
        image_size=32,
        patch_size=16,
    )
    transformers.CLIPVisionModel(config).save_pretrained(folder)
    return folder


def speak(path, pitch, seconds=0.5, rate=RATE):
    import soundfile

    time = np.arange(int(seconds * rate)) / rate
    soundfile.write(path, 0.5 * np.sin(2 * np.pi * pitch * time), rate)
    return path


def draw(folder, brightness, pictures=2):
    import cv2

    folder.mkdir()
    for i in range(pictures):
        picture = np.full((40, 40, 3), brightness, np.uint8)
        picture[10 + i : 20, 10:30] = 255 - brightness
        cv2.imwrite(str(folder / f"{i}.png"), picture)
    return folder


def film(path, frames, wave=None):
    """A video of some grey pictures at 3 a second, with sound or without."""
    import av

    with av.open(str(path), "w") as file:
        video = file.add_stream("mpeg4", rate=3)
        video.width, video.height, video.pix_fmt = 64, 64, "yuv420p"
        if wave is not None:
            sound = file.add_stream("aac", rate=RATE)
            sound.layout = "mono"
        for brightness in frames:
            picture = av.VideoFrame.from_ndarray(
                np.full((64, 64, 3), brightness, np.uint8), format="rgb24"
            )
            file.mux(video.encode(picture))
        file.mux(video.encode())
        if wave is not None:
            frame = av.AudioFrame.from_ndarray(wave[None].astype(np.float32), "fltp", "mono")
            frame.rate = RATE
            file.mux(sound.encode(frame))
            file.mux(sound.encode())
    return path


@pytest.fixture(scope="module")
def heard(tmp_path_factory):
    """A model of sound and pictures, its corpus, and the record of its run."""
    for package in ("av", "cv2", "librosa", "soundfile"):
        pytest.importorskip(package, reason="sound and pictures: pip install -e '.[media]'")
    folder = tmp_path_factory.mktemp("heard")
    label = np.linspace(-3, 3, 36).round(1)
    ids = pd.Index([f"c{i}" for i in range(36)], name="id")
    table = pd.DataFrame({"video": ids, "segment": 0, "text": "", "label": label}, index=ids)
    part = ["train", "train", "train", "train", "valid", "test"] * 6
    files = {
        "acoustic": [speak(folder / f"{c}.wav", 300 + 50 * y) for c, y in table["label"].items()],
        "visual": [draw(folder / c, int(100 + 30 * y)) for c, y in table["label"].items()],
    }
    split = {"standard": pd.Series(part, index=ids)}
    corpus = Corpus("media", table, {}, split, media=files, faces="whole")
    names = f"{save_wavlm(folder / 'ear')}+{save_clip(folder / 'eye')}"
    parameters = {**CPU, "encoder": names, "seeds": 1}
    pair = ("visual", "acoustic")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(readers, "DATASETS", dict(readers.DATASETS))
        patch.setenv("MSALIB_RECORDS", str(folder / "records"))
        patch.setenv("MSALIB_FEATURES", str(folder / "features"))
        offer("media", lambda: corpus, layered=pair, shipped=None, raw=pair)
        save.train("uegd", "media", folder / "model", parameters=parameters)
        study = Study("uegd", dataset="media", **parameters)
        (record,) = study.run([system(dict.fromkeys(pair, "weighted"))])
    return folder, corpus, record


def test_sound_and_pictures_go_the_way_of_the_corpus(heard):
    folder, corpus, record = heard
    model = saved.load(folder / "model")
    clips = users.clips_of(corpus, record.predictions["test"].id, model.about)
    shown = predict.predict(model, clips, "cpu")
    own = [clip.prediction for clip in shown.clips]
    assert own == pytest.approx(record.predictions["test"].prediction, abs=1e-4)
    assert {tuple(clip.given) for clip in shown.clips} == {("visual", "acoustic")}
    assert shown.notes == ["each picture is taken for a face crop, as in training"]
    assert not any(clip.notes for clip in shown.clips)
    assert shown.clips[0].mean_interval is None
    assert "a single training" in "\n".join(pages.report(shown))
    sampling = model.about.inputs["visual"].encoder.settings["sampling"]
    assert sampling.startswith("every int(fps / 3)-th picture")


def test_a_video_gives_sound_and_pictures_where_it_has_both(heard, tmp_path):
    model = saved.load(heard[0] / "model")
    wave = 0.3 * np.sin(np.arange(RATE) / 10)
    both = film(tmp_path / "both.mp4", [80, 90, 100], wave)
    mute = film(tmp_path / "mute.mp4", [80, 90, 100])
    clips = [Clip("both", video=both), Clip("mute", video=mute)]
    clips.append(Clip("dubbed", video=mute, audio=speak(tmp_path / "x.wav", 300)))
    clips.append(Clip("frames", video=draw(tmp_path / "frames", 90)))
    found = {clip.id: clip for clip in predict.predict(model, clips, "cpu").clips}
    given = {name: clip.given for name, clip in found.items()}
    pair = ["visual", "acoustic"]
    assert given == {"both": pair, "mute": ["visual"], "dubbed": pair, "frames": ["visual"]}
    assert found["mute"].notes[0] == "the video has no sound"
    assert found["mute"].notes[1].startswith("acoustic: not given, so it has its mean")


def test_a_table_names_media_beside_it(heard, tmp_path):
    speak(tmp_path / "a.wav", 250)
    draw(tmp_path / "b", 120)
    path = tmp_path / "clips.csv"
    path.write_text("id,text,audio,video\none,hello,a.wav,b\ntwo,,a.wav,\n")
    printed = pages.command(heard[0] / "model", table=path, as_json=True, device="cpu")
    told = json.loads("\n".join(printed))
    assert [clip["given"] for clip in told["clips"]] == [["visual", "acoustic"], ["acoustic"]]
    assert told["clips"][0]["notes"] == ["text is not read by this model"]


@pytest.mark.parametrize(
    ("option", "name", "content", "found"),
    [
        ("audio", "gone.wav", None, "no such file"),
        ("video", "gone.mp4", None, "no such file"),
        ("audio", "noise.wav", b"RIFF1234 no sound", "cannot be decoded"),
        ("video", "noise.mp4", b"\x00\x00\x00\x18ftypmp42 no film", "cannot be decoded"),
        ("video", "empty.png", b"", "no picture"),
    ],
)
def test_media_that_cannot_be_read_are_named(heard, tmp_path, option, name, content, found):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=rf"{name}\)?: found .*{found}"):
        pages.command(heard[0] / "model", users.single(**{option: path}), device="cpu")


def test_a_sound_without_samples_and_one_too_long_are_told(heard, tmp_path, monkeypatch):
    model = saved.load(heard[0] / "model")
    silent = speak(tmp_path / "silent.wav", 200, seconds=0)
    with pytest.raises(UserError, match=r"clip x \(.*silent\.wav\): found no samples"):
        predict.predict(model, [Clip("x", audio=silent)], "cpu")
    monkeypatch.setattr(speech, "SECONDS", 1)
    long = speak(tmp_path / "long.wav", 200, seconds=3)
    found = predict.predict(model, [Clip("x", audio=long)], "cpu")
    assert found.clips[0].notes[-1] == "acoustic: longer than ear takes, cut there"
    assert "1 of 1 clips of yours are longer than 1 s" in found.notes[0]


def test_pictures_without_a_face_are_counted_and_a_clip_of_them_is_refused(
    heard, tmp_path, monkeypatch
):
    model = saved.load(heard[0] / "model")
    model = model._replace(about=model.about.model_copy(update={"faces": "opencv"}))
    folder = draw(tmp_path / "frames", 90, pictures=3)
    with pytest.raises(UserError, match="found no face in any of the 3 pictures"):
        predict.predict(model, [Clip("x", video=folder)], "cpu")
    boxes = [None, (0, 0, 30, 30), None]
    monkeypatch.setattr(media, "look", lambda *_: boxes)
    found = predict.predict(model, [Clip("x", video=folder)], "cpu")
    assert "visual: no face in 2 of 3 pictures" in found.clips[0].notes
    assert found.notes[0].startswith("visual faces: opencv")  # in training they were whole
