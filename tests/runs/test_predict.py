"""Predictions for a user's own clips: the numbers of the records, and each kind of bad input."""

import json
import shutil

import numpy as np
import pytest
from scipy import stats

from msalib import encoders
from msalib.base.errors import UserError
from msalib.data import datasets as readers
from msalib.data.corpus import MODALITIES
from msalib.pages import predict as pages
from msalib.runs import clips as users
from msalib.runs import predict, save, saved
from msalib.runs.clips import Clip
from tests.encoders.tiny import POSITIONS, change_weights
from tests.saved_models import CPU, bert, control, folders, frames, small_data, text
from tests.sweep import offer, small_control

FIXTURES = bert, control, folders, small_data, text
pytestmark = pytest.mark.usefixtures("small_data")


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
    told = json.loads("\n".join(printed))["clips"][0]
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


def test_a_text_that_its_encoder_does_not_know_is_said_to_be_unread(text):
    found = predict.predict(text, [Clip("foreign", "谢谢你"), Clip("known", "a good film")], "cpu")
    nothing = "nothing of this text is read: all its 3 word pieces are unknown to bert"
    assert found.clips[0].notes == [f"linguistic: {nothing}"] and found.clips[1].notes == []
    assert "nothing is read of 1 of 2 texts" in found.notes[0]


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


def test_a_table_predicts_many(text, control, tmp_path):
    path = tmp_path / "clips.csv"
    path.write_text("id,text,label\na,a good film,1\nb,bad and bad,\n7,NA film,0\n")
    printed = pages.command(text.folder, table=path, as_json=True, device="cpu")
    found = json.loads("\n".join(printed))
    assert [clip["id"] for clip in found["clips"]] == ["a", "b", "7"]
    assert found["notes"][1:] == ["columns of the table that are not read: label"]
    assert found["clips"][2]["notes"] == ["linguistic: 1 of 3 word pieces are unknown to bert"]
    one = predict.predict(text, [Clip("b", "bad and bad")], "cpu").clips[0]
    assert found["clips"][1]["prediction"] == pytest.approx(one.prediction, abs=1e-4)
    np.savez(tmp_path / "b.npz", acoustic=frames(control, "acoustic"))
    path.write_text("id,features,text\nb,b.npz,\n")
    lines = pages.command(control.folder, table=path, device="cpu")
    assert any(line.startswith("b: ") for line in lines)


def test_clips_that_cannot_be_told_apart_are_refused(text, tmp_path):
    with pytest.raises(UserError, match="two with the id a"):
        predict.predict(text, [Clip("a", "good"), Clip("a", "bad")])
    with pytest.raises(UserError, match="clips: found none"):
        predict.predict(text, [])
    with pytest.raises(UserError, match="a table beside a single clip"):
        pages.command(text.folder, users.single(text="x"), table=tmp_path / "t.csv")
    with pytest.raises(UserError, match=r"t\.csv: found no such file"):
        pages.command(text.folder, table=tmp_path / "t.csv")
