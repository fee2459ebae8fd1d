"""Predictions for a user's own clips: the numbers of the records, and each kind of bad input."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import torch
import transformers
from scipy import stats

from msalib import encoders
from msalib.base.errors import UserError
from msalib.data import datasets as readers
from msalib.data.corpus import MODALITIES, Corpus
from msalib.encoders import media, speech
from msalib.pages import predict as pages
from msalib.runs import clips as users
from msalib.runs import predict, save, saved
from msalib.runs.clips import Clip
from msalib.runs.spec import system
from msalib.runs.study import Study
from tests.encoders.test_encoders import POSITIONS, change_weights, offline, save_bert
from tests.html import image
from tests.sweep import offer, small_control

assert offline  # a fixture

CPU = {"device": "cpu"}
WORDS = {"good": 1.0, "bad": -1.0, "film": 0.0, "a": 0.0, "and": 0.0}


def films() -> Corpus:
    """60 transcripts whose label is the number of good words minus that of bad ones."""
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(list(WORDS), rng.integers(2, 9))) for _ in range(60)]
    ids = pd.Index([f"v{i // 3}_{i % 3}" for i in range(60)], name="id")
    label = [float(np.clip(sum(WORDS[w] for w in t.split()), -3, 3)) for t in texts]
    table = pd.DataFrame({"segment": 0, "text": texts, "label": label}, index=ids)
    table = table.assign(video=[f"v{i // 3}" for i in range(60)])
    part = ["train"] * 36 + ["valid"] * 12 + ["test"] * 12
    return Corpus("films", table, {}, {"standard": pd.Series(part, index=ids)})


@pytest.fixture(autouse=True)
def small_data(monkeypatch):
    monkeypatch.setattr(readers, "DATASETS", dict(readers.DATASETS))
    offer("control", small_control)
    text = ("linguistic",)
    offer("films", films, layered=text, shipped=None, raw=text)


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return save_bert(tmp_path_factory.mktemp("models") / "bert")


@pytest.fixture(scope="module")
def folders(tmp_path_factory, bert):
    """A model of the small control and one of transcripts, and what they were trained by."""
    folder = tmp_path_factory.mktemp("saved")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(readers, "DATASETS", dict(readers.DATASETS))
        patch.setenv("MSALIB_RECORDS", str(folder / "records"))
        patch.setenv("MSALIB_FEATURES", str(folder / "features"))
        offer("control", small_control)
        offer("films", films, layered=("linguistic",), shipped=None, raw=("linguistic",))
        save.train("uegd", "control", folder / "control", parameters=CPU)
        own = {**CPU, "encoder": str(bert)}
        save.train("uegd", "films", folder / "films", parameters=own)
        found = {
            name: Study("uegd", dataset=name, **more).run(
                [system(dict.fromkeys(modalities, "weighted"))]
            )
            for name, modalities, more in (
                ("control", MODALITIES, CPU),
                ("films", ("linguistic",), own),
            )
        }
    return folder, found


@pytest.fixture
def control(folders):
    return saved.load(folders[0] / "control")


@pytest.fixture
def text(folders):
    return saved.load(folders[0] / "films")


def frames(model, modality, length=3, width=None):
    """Random features of the form that the model reads."""
    asked = model.about.inputs[modality]
    rng = np.random.default_rng(length)
    return rng.normal(size=(asked.layers, length, width or asked.width)).astype(np.float32)


# --- the numbers --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["control", "films"])
def test_a_users_clip_gets_what_the_record_says(folders, name):
    folder, found = folders
    model, corpus = saved.load(folder / name), readers.load(name)
    ids = found[name][0].predictions["test"].id
    clips = users.clips_of(corpus, ids, model.about)
    if name == "films":
        assert clips[0].text
        assert not clips[0].features
    shown = predict.predict(model, clips, "cpu")
    assert [clip.id for clip in shown.clips] == ids
    for k, record in enumerate(found[name]):
        own = [clip.seeds[k] for clip in shown.clips]
        assert own == pytest.approx(record.predictions["test"].prediction, abs=1e-4)
        for m in model.about.inputs:
            gates = np.mean([r.gates[m] for r in found[name]], 0)
            assert [c.contributions[m].gate for c in shown.clips] == pytest.approx(gates, abs=1e-3)
    alone = predict.predict(model, clips[3:4], "cpu").clips[0]
    assert alone.prediction == pytest.approx(shown.clips[3].prediction, abs=1e-4)


def test_a_clip_of_a_file_is_the_clip_of_the_corpus(control, tmp_path):
    corpus = readers.load("control")
    (clip,) = users.clips_of(corpus, corpus.utterances.index[-1:], control.about)
    np.savez(tmp_path / "clip.npz", **clip.features)
    printed = pages.command(
        control.folder, users.single(features=tmp_path / "clip.npz"), as_json=True, device="cpu"
    )
    told = json.loads(printed)["clips"][0]
    direct = predict.predict(control, [clip], "cpu").clips[0]
    assert told["id"] == "clip"
    assert told["prediction"] == pytest.approx(direct.prediction, abs=1e-6)


def test_each_interval_is_what_it_says(control):
    given = {m: frames(control, m) for m in MODALITIES}
    (clip,) = predict.predict(control, [Clip("x", features=given)], "cpu").clips
    assert clip.prediction == pytest.approx(np.mean(clip.seeds))
    half = stats.t.ppf(0.975, 1) * np.std(clip.seeds, ddof=1) / np.sqrt(2)
    assert clip.mean_interval.high == pytest.approx(clip.prediction + half)
    assert clip.mean_interval.low == pytest.approx(clip.prediction - half)
    errors = control.about.errors["visual+acoustic+linguistic"]
    for level, own in clip.prediction_intervals.items():
        half = control.about.half_width(MODALITIES, int(level))
        assert half in errors
        assert own.low == pytest.approx(max(-3, clip.prediction - half))
        assert own.high == pytest.approx(min(3, clip.prediction + half))
        held = control.about.coverage["visual+acoustic+linguistic"][level]
        assert own.test_coverage == held
    narrow, wide = clip.prediction_intervals.values()
    assert wide.low <= narrow.low and narrow.high <= wide.high


def test_what_a_single_seed_or_few_clips_cannot_say():
    assert predict.mean_interval(np.array([1.0])) is None
    about = {"errors": {"visual": [0.1, 0.2]}, "coverage": {"visual": {"80": 1.0, "90": 1.0}}}
    few = saved.About.model_construct(scale=(-3.0, 3.0), **about)
    for own in predict._prediction_intervals(few, ["visual"], 1.0).values():
        assert (own.low, own.high) == (-3.0, 3.0)


def test_a_modality_without_sentiment_contributes_about_nothing(tmp_path):
    profiles = dict.fromkeys(MODALITIES, (0.25, 6.0, 6.0)) | {"acoustic": (0, 0, 0)}
    sizes = {"videos": 60, "clips": (8, 8), "profiles": profiles, "informative_share": 1.0}
    effect = dict.fromkeys(MODALITIES, 0.0)
    offer("control", lambda: small_control(**sizes, speaker_effect=effect))
    folder = save.train("uegd", "control", tmp_path / "model", parameters=CPU)
    model, corpus = saved.load(folder), readers.load("control")
    ids = corpus.utterances.index[corpus.rows("test", "standard")]
    shown = predict.predict(model, users.clips_of(corpus, ids, model.about), "cpu")
    changes = {m: np.array([c.contributions[m].change for c in shown.clips]) for m in MODALITIES}
    size = {m: np.abs(own).mean() for m, own in changes.items()}
    assert size["acoustic"] < 0.1
    label = corpus.utterances["label"].loc[ids]
    for m in ("visual", "linguistic"):
        assert size[m] > 5 * size["acoustic"]
        assert np.corrcoef(changes[m], label)[0, 1] > 0.5


# --- what is not given --------------------------------------------------------------------------


def test_a_modality_that_is_not_given_is_said_and_has_its_mean(control):
    acoustic = frames(control, "acoustic")
    (clip,) = predict.predict(control, [Clip("x", features={"acoustic": acoustic})], "cpu").clips
    assert clip.given == ["acoustic"]
    assert clip.contributions["visual"] is None and clip.contributions["linguistic"] is None
    assert [n.split(":")[0] for n in clip.notes] == ["visual", "linguistic"]
    assert "has its mean over the training clips" in clip.notes[0]
    assert "array visual (2, T, 24), one frame per time step" in clip.notes[0]
    half = control.about.half_width(["acoustic"], 80)
    assert half != control.about.half_width(MODALITIES, 80)
    own = clip.prediction_intervals["80"]
    assert own.high == pytest.approx(min(3, clip.prediction + half))


def test_clips_of_different_modalities_do_not_touch_each_other(control):
    a = Clip("a", features={m: frames(control, m, 4) for m in MODALITIES})
    b = Clip("b", features={"linguistic": frames(control, "linguistic", 7)})
    together = predict.predict(control, [a, b], "cpu").clips
    for clip, own in zip((a, b), together, strict=True):
        (alone,) = predict.predict(control, [clip], "cpu").clips
        assert alone.prediction == pytest.approx(own.prediction, abs=1e-5)
        assert alone.given == own.given


def test_what_a_model_does_not_read_is_said(text, tmp_path):
    clip = Clip("x", "a film", tmp_path / "x.wav", features={"visual": np.zeros((2, 3))})
    (shown,) = predict.predict(text, [clip], "cpu").clips
    assert shown.notes == [
        "audio is not read by this model",
        "visual features are not read by this model",
    ]


def test_nothing_to_read_is_refused(control, text, tmp_path):
    with pytest.raises(UserError, match=r"clip clip: found nothing .*--features with an array"):
        pages.command(control.folder)
    with pytest.raises(UserError, match=r"\(text is not read by this model\)"):
        pages.command(control.folder, users.single(text="a film"))
    with pytest.raises(UserError, match=r"clip x: found nothing .*expected --text"):
        predict.predict(text, [Clip("x", video=tmp_path)])


def test_the_report_says_what_the_numbers_are(control):
    found = predict.predict(
        control, [Clip("x", features={"acoustic": frames(control, "acoustic")})], "cpu"
    )
    lines = pages.report(found)
    told = "\n".join(lines)
    assert lines[3].startswith("x: ") and "80% prediction interval" in lines[4]
    assert "mean of 2 trainings" in told and "95% t-interval of that mean" in told
    assert "acoustic: " in told and "note: visual: not given" in told
    assert "do not add up" in lines[-1] and "do not add up" in found.meaning["contributions"]


# --- transcripts --------------------------------------------------------------------------------


def test_a_long_transcript_is_cut_and_that_is_said(text):
    long = Clip("long", "a good film " * 700)
    found = predict.predict(text, [long, Clip("short", "bad")], "cpu")
    assert found.clips[0].notes == ["linguistic: longer than bert takes, cut there"]
    assert found.clips[1].notes == []
    assert found.notes == [
        f"1 of 2 texts of yours are longer than the {POSITIONS} tokens that bert takes, "
        "and are cut there"
    ]


@pytest.mark.parametrize("words", ["", "  \n"])
def test_a_transcript_without_words_is_refused(text, words):
    with pytest.raises(UserError, match="clip clip: found a transcript without words"):
        pages.command(text.folder, users.single(text=words))


def test_an_encoder_that_is_gone_or_changed_is_told(text, bert, tmp_path, offline):
    source = text.about.inputs["linguistic"].encoder
    assert source.model == str(bert) and source.revision

    def pointed(model):
        inputs = text.about.inputs["linguistic"]
        own = inputs.model_copy(update={"encoder": source.model_copy(update={"model": model})})
        about = text.about.model_copy(update={"inputs": {"linguistic": own}})
        return text._replace(about=about)

    clips = [Clip("x", "a good film")]
    copy = shutil.copytree(bert, tmp_path / "moved")
    moved = predict.predict(pointed(str(copy)), clips, "cpu").clips[0]
    direct = predict.predict(text, clips, "cpu").clips[0]
    assert moved.prediction == direct.prediction  # a folder may move
    change_weights(copy, lambda weights: [w.mul_(2) for w in weights.values()])
    with pytest.raises(
        UserError, match=rf"found revision \w+; expected revision {source.revision}"
    ):
        predict.predict(pointed(str(copy)), clips)
    for gone in (str(tmp_path / "gone"), "nobody/nothing"):
        with pytest.raises(
            UserError, match=rf"of this model: found .*expected revision .* of {gone}"
        ):
            predict.predict(pointed(gone), clips)


def test_layers_that_came_to_mean_something_else_are_told(text, monkeypatch):
    monkeypatch.setattr(encoders.text.Extractor, "convention", "k = block k - 1")
    with pytest.raises(UserError, match="mean something else now"):
        predict.predict(text, [Clip("x", "a")], "cpu")


# --- features and tables ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("array", "found"),
    [
        (np.zeros((2, 3, 19)), r"an array of shape \(2, 3, 19\)"),
        (np.zeros((3, 3, 20)), r"an array of shape \(3, 3, 20\)"),
        (np.zeros((3, 20)), r"an array of shape \(3, 20\)"),
        (np.zeros((2, 0, 20)), r"an array of shape \(2, 0, 20\)"),
        (np.zeros(20), r"an array of shape \(20,\)"),
        (np.float32("nan") * np.ones((2, 3, 20)), "no finite numbers"),
        (np.full((2, 3, 20), "a"), "no finite numbers"),
    ],
)
def test_features_of_another_form_are_refused(control, array, found):
    with pytest.raises(UserError, match=rf"acoustic features of clip x: found .*{found}"):
        predict.predict(control, [Clip("x", features={"acoustic": array})])


def test_features_of_one_layer_are_frames_by_width(tmp_path):
    offer("control", small_control, layered=("linguistic",), vectors=("acoustic",))
    folder = save.train("uegd", "control", tmp_path / "m", features="output", parameters=CPU)
    model, corpus = saved.load(folder), readers.load("control")
    (clip,) = users.clips_of(corpus, corpus.utterances.index[:1], model.about)
    assert [array.ndim for array in clip.features.values()] == [2, 2]
    assert predict.predict(model, [clip], "cpu").clips[0].given == ["acoustic", "linguistic"]
    with pytest.raises(UserError, match=r"expected --features with an array acoustic \(T, 20\)"):
        predict.predict(model, [Clip("x", features={"acoustic": np.zeros((3, 4))})])


def test_files_of_features_that_are_none_are_refused(tmp_path):
    path = tmp_path / "f.npz"
    with pytest.raises(UserError, match=r"f\.npz: found no such file"):
        users.read_features(path)
    path.write_bytes(b"PK\x03\x04 not a zip")
    with pytest.raises(UserError, match=r"f\.npz: found it cannot be read"):
        users.read_features(path)
    np.savez(path, sound=np.zeros((2, 2)))
    with pytest.raises(UserError, match=r"an array named sound; expected .*visual, acoustic"):
        users.read_features(path)
    np.savez(path)
    with pytest.raises(UserError, match="found no array"):
        users.read_features(path)
    np.savez(path, acoustic=np.array([{}], object))
    with pytest.raises(UserError, match=r"cannot be read \(Object arrays"):
        users.read_features(path)
    with path.open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(UserError, match=r"cannot be read \("):
        users.read_features(path)


def test_a_table_predicts_many(text, control, tmp_path):
    path = tmp_path / "clips.csv"
    path.write_text("id,text,label\na,a good film,1\nb,bad and bad,\n7,NA film,0\n")
    found = json.loads(pages.command(text.folder, table=path, as_json=True, device="cpu"))
    assert [clip["id"] for clip in found["clips"]] == ["a", "b", "7"]
    assert found["notes"] == ["columns of the table that are not read: label"]
    one = predict.predict(text, [Clip("b", "bad and bad")], "cpu").clips[0]
    assert found["clips"][1]["prediction"] == pytest.approx(one.prediction, abs=1e-4)
    np.savez(tmp_path / "b.npz", acoustic=frames(control, "acoustic"))
    path.write_text("id,features,text\nb,b.npz,\n")
    assert "\nb: " in pages.command(control.folder, table=path, device="cpu")


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("", "it cannot be read"),
        ("name,text\na,b\n", "the columns name, text"),
        ("id,label\na,1\n", "the columns id, label"),
        ("id,text\n", "no row"),
        ("id,text\n,film\n", "a row without id"),
        ("id,text\na,film,more\nb,x,y,z,w\n", "it cannot be read"),
        (b"id,text\na,\xff\xfe\n", "it cannot be read"),
    ],
)
def test_tables_that_are_none_are_refused(tmp_path, content, found):
    path = tmp_path / "clips.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UserError, match=rf"clips\.csv: found {found}"):
        users.read_table(path)


def test_clips_that_cannot_be_told_apart_are_refused(text, tmp_path):
    with pytest.raises(UserError, match="two with the id a"):
        predict.predict(text, [Clip("a", "good"), Clip("a", "bad")])
    with pytest.raises(UserError, match="clips: found none"):
        predict.predict(text, [])
    with pytest.raises(UserError, match="a table beside a single clip"):
        pages.command(text.folder, users.single(text="x"), table=tmp_path / "t.csv")
    with pytest.raises(UserError, match=r"t\.csv: found no such file"):
        pages.command(text.folder, table=tmp_path / "t.csv")


# --- pages --------------------------------------------------------------------------------------


@pytest.fixture
def shown(control):
    """Predictions for the test clips of the small control."""
    corpus = readers.load("control")
    ids = corpus.utterances.index[corpus.rows("test", "standard")]
    return corpus, predict.predict(control, users.clips_of(corpus, ids, control.about), "cpu")


def test_coverage_is_counted_on_all_clips_and_by_label(control, shown):
    corpus, found = shown
    label = corpus.utterances["label"].loc[[clip.id for clip in found.clips]].to_numpy()
    table = pages.coverage(control, found, corpus)
    for row, level in zip(table.frame.to_dict("records"), saved.LEVELS, strict=True):
        own = [clip.prediction_intervals[str(level)] for clip in found.clips]
        held = np.array([i.low <= y <= i.high for i, y in zip(own, label, strict=True)])
        assert row["held"] == f"{held.mean():.0%}"
        assert row["in between"] == f"{held[np.abs(label) <= 0.5].mean():.0%}"
        assert row["above 0.5"] == f"{held[label > 0.5].mean():.0%}"
        assert held.mean() == pytest.approx(
            control.about.coverage["visual+acoustic+linguistic"][str(level)], abs=1e-3
        )
    assert f"{len(label)} clips" in table.caption and found.setting in table.caption
    n = len(control.about.errors["visual"])
    k = int(np.ceil((n + 1) * 0.8))
    low = stats.beta.ppf(0.025, k, n + 1 - k)
    assert table.frame["luck"][0].startswith(f"{low:.0%} to ")


def test_widths_and_both_intervals_are_told(control, shown):
    table = pages.widths(control.about).frame
    assert list(table["given"]) == [" + ".join(name.split("+")) for name in control.about.errors]
    assert len(table) == 7
    half = control.about.half_width(["acoustic"], 80)
    assert table["80%, half width (points)"][1] == f"{half:.2f}"
    clips = shown[1].clips[:2]
    told = pages.intervals(clips).frame
    assert list(told["clip"]) == [clip.id for clip in clips]
    own = clips[0].mean_interval
    assert told["95% interval of the mean"][0] == f"{own.low:+.2f} to {own.high:+.2f}"
    single = clips[0].model_copy(update={"mean_interval": None})
    assert pages.intervals([single]).frame["95% interval of the mean"][0].startswith("one training")
    assert pages.environment(control.about).frame["seeds"][0] == 2


def test_figures_are_told_in_words(control, shown):
    corpus, found = shown
    label, clips = corpus.utterances["label"], found.clips[:3]
    picture = pages.prediction_intervals(clips, label, setting=found.setting)
    page = image(picture)
    assert found.setting in page.text
    for clip in clips:
        assert f"{clip.id}: prediction {clip.prediction:+.1f}" in picture.alt
        narrow = clip.prediction_intervals["80"]
        inside = narrow.low <= label[clip.id] <= narrow.high
        assert f"label {label[clip.id]:+.1f}, {'inside' if inside else 'outside'}" in picture.alt
    alone = Clip("alone", features={"acoustic": frames(control, "acoustic")})
    clips = [*clips, predict.predict(control, [alone], "cpu").clips[0]]
    picture = pages.contributions(clips, setting=found.setting)
    assert "do not add up" in image(picture).text
    assert "alone: visual not given, acoustic " in picture.alt and "-0.00" not in picture.alt
    change = round(clips[0].contributions["visual"].change, 2) + 0.0
    assert f"{clips[0].id}: visual {change:+.2f}" in picture.alt


# --- sound and pictures -------------------------------------------------------------------------


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
    assert found["mute"].notes[0].startswith("acoustic: not given, so it has its mean")


def test_a_table_names_media_beside_it(heard, tmp_path):
    speak(tmp_path / "a.wav", 250)
    draw(tmp_path / "b", 120)
    path = tmp_path / "clips.csv"
    path.write_text("id,text,audio,video\none,hello,a.wav,b\ntwo,,a.wav,\n")
    told = json.loads(pages.command(heard[0] / "model", table=path, as_json=True, device="cpu"))
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
    with pytest.raises(UserError, match=rf"{name}: found .*{found}"):
        pages.command(heard[0] / "model", users.single(**{option: path}), device="cpu")


def test_a_sound_without_samples_and_one_too_long_are_told(heard, tmp_path, monkeypatch):
    model = saved.load(heard[0] / "model")
    silent = speak(tmp_path / "silent.wav", 200, seconds=0)
    with pytest.raises(UserError, match=r"silent\.wav: found no samples"):
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
