"""Pairs of sound and text: what each name gives, and what is refused."""

import sys
import warnings
from dataclasses import replace

import numpy as np
import pytest

from msalib.base import paths
from msalib.base.errors import UserError
from msalib.data import datasets, pairs
from msalib.encoders import encode, names, read
from tests import fixtures_more
from tests.clips import corpus, tone, write_wav
from tests.data.readers.toolbox import needs

soundfile = pytest.importorskip("soundfile", reason="sound needs the extra media")
SPOKEN = ("mosei", "meld", "iemocap")


@pytest.fixture(autouse=True)
def features(tmp_path, monkeypatch):
    """No test renders into the checkout."""
    monkeypatch.setenv("MSALIB_FEATURES", str(tmp_path / "features"))
    return tmp_path / "features"


@pytest.fixture
def toy(tmp_path):
    waves = [write_wav(tmp_path / f"{n}.wav", tone(8000, n)) for n in range(3)]
    return replace(corpus(acoustic=waves), splits={})


def told(name, monkeypatch, toy, **columns):
    """What is said of pairs with these columns."""
    made = replace(toy, utterances=toy.utterances.assign(**columns))
    monkeypatch.setattr(pairs, "PAIRS", {name: lambda: made})
    with pytest.raises(UserError) as error:
        pairs.load(name)
    return error.value


# --- names --------------------------------------------------------------------------------------


def test_a_damaged_data_set_is_no_matter_of_the_others():
    spoilt = paths.corpora_folder() / "spoilt"
    spoilt.mkdir(parents=True)
    (spoilt / "about.json").write_text("{}")
    assert "spoilt" in datasets.names()
    assert "raw-spoken" in pairs.names() and "spoilt" not in pairs.names()


def test_names_are_those_without_labels_and_data_sets_with_sound_and_text():
    listed = pairs.names()
    assert listed[:2] == ["raw-spoken-unlabelled", "lj-pairs"] and len(set(listed)) == len(listed)
    assert {"raw-spoken", "nemo", "ravdess"} <= set(listed)
    assert not {"control", "mosi", "meld", "mmmo", "meld-dev"} & set(listed)


def test_an_unknown_name_is_told():
    for name in ("lj", "mosi"):  # the latter has no sound
        with pytest.raises(UserError, match="no such pairs") as error:
            pairs.load(name)
        assert "lj-pairs" in error.value.expected and name in error.value.where


@pytest.mark.parametrize("name", ["lj-pairs", "nemo", *(f"spoken-{name}" for name in SPOKEN)])
def test_data_that_are_not_here_are_told(name, monkeypatch, tmp_path):
    monkeypatch.delenv("MSALIB_DATA", raising=False)
    with pytest.raises(UserError, match="not set") as error:
        pairs.load(name)
    assert name in error.value.where and "MSALIB_DATA" in error.value.where
    assert "raw-spoken-unlabelled" in error.value.remedy and "control" not in error.value.remedy
    monkeypatch.setenv("MSALIB_DATA", str(tmp_path))
    with pytest.raises(UserError, match=f"{tmp_path}"):
        pairs.load(name)


# --- what a name gives --------------------------------------------------------------------------


def test_simulated_pairs_have_no_labels_and_cost_nothing_before_they_are_heard(features):
    clips = pairs.load("raw-spoken-unlabelled")
    assert len(clips) >= 3000 and set(clips.media) == {"acoustic"}
    assert clips.utterances["label"].isna().all() and not clips.splits
    assert not features.exists()


def test_the_clips_of_a_data_set_are_those_that_it_trains_on(features):
    whole, clips = datasets.load("raw-spoken"), pairs.load("raw-spoken")
    train = whole.rows("train", "standard")
    assert clips.name == "raw-spoken-pairs" and set(clips.media) == {"acoustic"}
    assert clips.utterances.index.equals(whole.utterances.index[train])
    assert clips.utterances["text"].equals(whole.utterances["text"].iloc[train])
    assert clips.utterances["label"].isna().all() and not clips.splits and clips.truth is None
    assert any("those that the split standard trains on" in note for note in clips.notes)
    assert not features.exists()


def test_a_file_belongs_to_its_clip(tmp_path, monkeypatch):
    monkeypatch.setenv("MSALIB_DATA", str(tmp_path))
    fixtures_more.nemo(tmp_path / "nemo")
    clips = pairs.load("nemo")
    assert [path.stem for path in clips.media["acoustic"]] == list(clips.utterances.index)
    assert len(clips) == 42  # seven of nine actors


def test_of_pairs_the_first_can_be_taken(toy):
    few = pairs.first(toy, 2)
    assert len(few) == 2 and few.name == "toy-2"
    assert list(few.media["acoustic"]) == list(toy.media["acoustic"][:2])
    assert pairs.first(toy, 3) is toy


def test_of_simulated_pairs_no_more_are_rendered_than_are_taken(features):
    few = pairs.load("raw-spoken-unlabelled", clips=3)
    assert not features.exists()
    files = list(few.media["acoustic"])
    assert len(files) == 3 and sorted(features.rglob("*.wav")) == sorted(files)


def test_the_first_of_a_data_set_are_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("MSALIB_DATA", str(tmp_path))
    fixtures_more.nemo(tmp_path / "nemo")
    few = pairs.load("nemo", clips=5)
    assert [path.stem for path in few.media["acoustic"]] == list(few.utterances.index)


@pytest.mark.parametrize("name", [pytest.param(name, marks=needs(name)) for name in SPOKEN])
def test_real_transcripts_of_the_training_part_are_spoken(name, features):
    clips = pairs.load(f"spoken-{name}")
    source = datasets.load(name)
    train = source.utterances.iloc[source.rows("train", datasets.dataset(name).split)]
    assert len(clips) == 3000 and clips.utterances.index.isin(train.index).all()
    assert clips.utterances["text"].equals(train.loc[clips.utterances.index, "text"])
    assert clips.utterances["text"].str.split().str.len().max() <= 40
    assert "trains on" in clips.notes[0] and "left out" in clips.notes[1]
    assert pairs.load(f"spoken-{name}").fingerprint() == clips.fingerprint()
    assert not features.exists()


@needs("lj_pairs")
def test_one_voice_reads_english_books():
    clips = pairs.load("lj-pairs")
    assert len(clips) == 287 and clips.utterances["speaker"].nunique() == 1
    assert all(path.suffix == ".opus" for path in clips.media["acoustic"])


# --- refusals -----------------------------------------------------------------------------------


def test_clips_without_words_are_named(monkeypatch, toy):
    error = told("toy", monkeypatch, toy, text=["", "a word", "  "])
    assert "2 of 3 clips with an empty transcript: video_0, video_2" in error.found
    assert "pairs toy" in error.where and "transcripts" in error.remedy


def test_of_many_clips_without_words_some_are_named(monkeypatch, tmp_path):
    wave = write_wav(tmp_path / "0.wav", tone(8000))
    error = told("toy", monkeypatch, corpus(acoustic=[wave] * 9), text="")
    assert error.found.count("video_") == 5 and error.found.endswith(", ...")


def test_one_pair_alone_is_refused(monkeypatch, toy):
    monkeypatch.setattr(pairs, "PAIRS", {"toy": lambda: toy})
    with pytest.raises(UserError, match="found 1 pair of sound and text") as error:
        pairs.load("toy", clips=1)
    assert "two or more" in error.value.expected and error.value.remedy


def test_without_the_synthesiser_sound_is_refused_when_it_is_asked_for(monkeypatch, features):
    pytest.importorskip("cv2")
    espeak = pytest.importorskip("msalib.data.simulate.espeak")
    espeak.version.cache_clear()
    clips = pairs.load("raw-spoken-unlabelled")
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(UserError, match="no espeakng-loader") as error:
        clips.media["acoustic"][0]
    assert 'pip install -e ".[media]"' in error.value.remedy and not features.exists()


# --- sound that is hardly there -----------------------------------------------------------------


@pytest.fixture
def brief(tmp_path):
    """Clips of 1 s, 40 ms and 20 ms."""
    waves = [write_wav(tmp_path / f"{n}.wav", tone(n)) for n in (16_000, 640, 320)]
    return corpus(acoustic=waves)


def encoded(clips, name):
    encoder = names.resolve(name)
    encode(clips, encoder)
    return read(clips, encoder)


def test_a_speech_encoder_reads_40_ms_as_a_frame_and_counts_what_is_shorter(brief):
    with pytest.warns(UserWarning) as record:
        features = encoded(brief, "small-wavlm")
    assert features.lengths().tolist() == [5, 1, 1]
    said = [str(w.message) for w in record]
    assert len(said) == 1 and said[0].startswith("1 of 3 clips of toy are shorter than one frame")


@pytest.mark.parametrize("name", ["log-mel", "log-mel-coarse"])
def test_a_spectrogram_reads_it_without_a_word(brief, name):
    pytest.importorskip("librosa")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        features = encoded(brief, name)
    assert features.lengths()[1] >= 1 and np.isfinite(features.layers[1]).all()


def test_sound_without_samples_names_its_file(tmp_path, toy):
    path = write_wav(tmp_path / "0.wav", tone(0))
    with pytest.raises(UserError, match="no samples") as error:
        encoded(toy, "small-wavlm")
    assert str(path) in error.value.where
