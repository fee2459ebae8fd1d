"""The spoken control: what it shares with ``raw``, what its voices show, what is rendered."""

import json
import sys

import numpy as np
import pandas as pd
import pytest

from msalib.base.errors import UserError
from msalib.data.corpus import Corpus
from msalib.data.simulate import espeak, raw, render, spoken
from tests.data.simulate.test_render import digest, folder_of
from tests.data.simulate.test_synthetic_speech import loudness, pitch

pytest.importorskip("cv2")
soundfile = pytest.importorskip("soundfile")
pytest.importorskip("espeakng_loader")


@pytest.fixture(scope="module")
def corpus():
    return spoken.spoken()


@pytest.fixture(scope="module")
def few():
    return spoken.spoken(videos=8, clips=(1, 2))


@pytest.fixture(scope="module")
def rendered(few, tmp_path_factory):
    return render.render(few, tmp_path_factory.mktemp("clips") / "few")


def within(values, speaker) -> np.ndarray:
    """What is left of values (N,) without their speaker's mean."""
    values = pd.Series(np.asarray(values), index=speaker.index)
    return (values - values.groupby(speaker).transform("mean")).to_numpy()


# --- what is drawn ------------------------------------------------------------------------------


def test_all_but_the_voices_is_that_of_raw(corpus):
    plain = raw.raw()
    assert corpus.name == "raw-spoken" and corpus.utterances.equals(plain.utterances)
    assert corpus.fingerprint() == plain.fingerprint()
    assert corpus.truth["face"].equals(plain.truth["face"])
    for name in ("sentiment", "shown"):
        for modality, values in plain.truth[name].items():
            np.testing.assert_array_equal(corpus.truth[name][modality], values)
    assert list(corpus.truth["voice"]) == list(espeak.Voice._fields)
    assert corpus.truth["voice"].index.equals(corpus.utterances.index)


def test_the_seed_decides_everything(corpus):
    again, other = spoken.spoken(), spoken.spoken(seed=1)
    assert again.truth["voice"].equals(corpus.truth["voice"])
    assert not other.truth["voice"].equals(corpus.truth["voice"])


def test_a_speaker_has_one_variant_and_there_are_many(corpus):
    speaker, variant = corpus.utterances["speaker"], corpus.truth["voice"]["variant"]
    assert (variant.groupby(speaker).nunique() == 1).all()
    assert set(variant) <= set(espeak.VARIANTS) and variant.nunique() > 8


def test_the_numbers_of_a_voice_follow_acoustic_sentiment_and_no_other(corpus):
    speaker, voice = corpus.utterances["speaker"], corpus.truth["voice"]
    truth = {m: within(s, speaker) for m, s in corpus.truth["shown"].items()}
    for name, (slope, noise) in spoken.VOICE.items():
        values = within(np.log(voice[name]) if noise < 1 else voice[name], speaker)
        heard = np.polyfit(truth["acoustic"], values, 1)[0]
        assert heard == pytest.approx(slope, rel=0.25), name
        rest = values - heard * truth["acoustic"]
        for modality in ("visual", "linguistic"):
            assert abs(np.corrcoef(rest, truth[modality])[0, 1]) < 0.15, (name, modality)


def test_the_sound_follows_acoustic_sentiment(corpus):
    rows = np.arange(0, len(corpus), 3)
    waves = [render.sound(corpus, int(row)).astype(float) for row in rows]
    speaker = corpus.utterances["speaker"].iloc[rows]
    truth = within(corpus.truth["shown"]["acoustic"][rows], speaker)
    heard = within([np.log2(np.median(pitch(w))) for w in waves], speaker)
    loud = within([loudness(w[np.abs(w) > 0]) for w in waves], speaker)
    assert np.corrcoef(heard, truth)[0, 1] > 0.5
    assert np.corrcoef(loud, truth)[0, 1] > 0.5


def test_clips_without_labels_are_of_others_and_have_no_faces(corpus):
    clips = spoken.unlabelled(videos=20)
    table = clips.utterances
    assert table["label"].isna().all() and not clips.splits and set(clips.truth) == {"voice"}
    assert not set(table["speaker"]) & set(corpus.utterances["speaker"])
    assert not set(table.index) & set(corpus.utterances.index)
    assert not {"label_T", "label_A", "label_V"} & set(table)
    assert spoken.unlabelled(videos=20).truth["voice"].equals(clips.truth["voice"])
    assert len(spoken.unlabelled()) >= 3000


# --- real texts ---------------------------------------------------------------------------------


def texts(*said, speaker=True) -> Corpus:
    table = pd.DataFrame(
        {"video": "v", "segment": range(len(said)), "text": said, "label": 1.0},
        index=pd.Index([f"c{i}" for i in range(len(said))], name="id"),
    )
    if speaker:
        table["speaker"] = [f"s{i % 2}" for i in range(len(said))]
    return Corpus("texts", table, {}, {})


def test_a_real_text_is_spoken_in_the_neutral_voice_of_its_speaker():
    source = texts("one", "two", "three", "four")
    clips = spoken.transcripts(source, np.array([0, 1, 2]), "spoken-texts")
    assert clips.name == "spoken-texts" and clips.utterances.index.tolist() == ["c0", "c1", "c2"]
    assert clips.utterances["label"].isna().all() and not clips.splits
    voice = clips.truth["voice"]
    assert voice.loc["c0"].equals(voice.loc["c2"]) and not voice.loc["c0"].equals(voice.loc["c1"])
    assert any("in 2 voices" in note for note in clips.notes)


def test_where_speakers_are_unknown_a_video_has_one_voice():
    clips = spoken.transcripts(texts("one", "two", speaker=False), np.arange(2), "spoken-texts")
    assert clips.utterances["speaker"].tolist() == ["v", "v"]


def test_texts_without_words_and_long_ones_are_left_out_and_counted():
    source = texts("one", "", "?!", "two " * 40, "three " * 41)
    clips = spoken.transcripts(source, np.arange(5), "spoken-texts")
    assert clips.utterances.index.tolist() == ["c0", "c3"]
    assert "2 of 5 texts, left out: 2 without a word, 1 of more than 40 words" in clips.notes[0]


def test_of_many_texts_some_are_drawn_by_the_seed(monkeypatch):
    monkeypatch.setattr(spoken, "MOST", 5)
    source = texts(*(f"number {i}" for i in range(30)))
    one, again, other = (
        spoken.transcripts(source, np.arange(30), "spoken-texts", seed).utterances.index
        for seed in (0, 0, 1)
    )
    assert len(one) == 5 and one.equals(again) and not one.equals(other)


# --- what is rendered ---------------------------------------------------------------------------


def test_clips_are_read_back_as_they_were_spoken(few, rendered):
    for row in (0, len(few) - 1):
        back, rate = soundfile.read(rendered.media["acoustic"][row], dtype="float32")
        assert rate == 16_000
        assert np.abs(back - render.sound(few, row)).max() <= 1.01 / 32768
        assert len(list(rendered.media["visual"][row].glob("*.png"))) == round(3 * len(back) / rate)


def test_the_same_clips_give_the_same_bytes(few, rendered, tmp_path):
    other = render.render(few, tmp_path / "other")
    assert digest(folder_of(other)) == digest(folder_of(rendered))


def test_a_killed_rendering_goes_on(few, rendered, tmp_path, monkeypatch):
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
            render.render(few, tmp_path / "clips")
    done = {p: p.stat().st_mtime_ns for p in (tmp_path / "clips").rglob("*.wav")}
    assert len(done) == 3
    render.render(few, tmp_path / "clips")
    assert {p: p.stat().st_mtime_ns for p in done} == done
    assert digest(tmp_path / "clips") == digest(folder_of(rendered))


def test_clips_of_another_synthesiser_are_refused(few, rendered, monkeypatch):
    mark = json.loads((folder_of(rendered) / "clips.json").read_text())
    assert mark["synthesiser"] == espeak.version() and mark["corpus"] == "raw-spoken"
    monkeypatch.setattr(espeak, "version", lambda: "eSpeak NG 0.0")
    with pytest.raises(UserError, match="by another version") as error:
        render.render(few, folder_of(rendered))
    assert "Delete that folder" in error.value.remedy


def test_without_faces_there_is_sound_alone(tmp_path):
    clips = render.render(spoken.unlabelled(videos=8), tmp_path / "clips")
    assert list(clips.media) == ["acoustic"] and clips.media["acoustic"][-1].is_file()
    assert not list((tmp_path / "clips").rglob("*.png"))


def test_nothing_is_written_where_the_synthesiser_is_missing(few, tmp_path, monkeypatch):
    espeak.version.cache_clear()
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(UserError, match="no espeakng-loader"):
        render.render(few, tmp_path / "clips")
    assert not (tmp_path / "clips").exists()


def test_media_are_rendered_when_first_asked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("MSALIB_FEATURES", str(tmp_path))
    loaded = render.load("raw-spoken")
    assert loaded.name == "raw-spoken" and set(loaded.media) == {"visual", "acoustic"}
    assert not list(tmp_path.iterdir())
    clips = render.on_demand(spoken.unlabelled(videos=8))
    assert set(clips.media) == {"acoustic"} and not list(tmp_path.iterdir())
    assert clips.media["acoustic"][0].is_file()
