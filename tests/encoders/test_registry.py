"""Encoders by name: which modality each reads, several at once, and what a study makes of them."""

import json

import pytest

from msalib import encoders
from msalib.base.errors import UserError
from msalib.data import datasets as readers
from msalib.data.corpus import MODALITIES
from msalib.data.datasets import Dataset
from msalib.encoders.registry import ENCODERS, SETS, guessed, modality_of
from msalib.runs.study import Study


def refused(function, *arguments, **named) -> str:
    with pytest.raises(UserError) as error:
        function(*arguments, **named)
    return str(error.value)


def save_config(folder, model_type):
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": model_type}))
    return str(folder)


def test_every_registered_encoder_reads_one_modality_and_has_an_extractor():
    for name, encoder in ENCODERS.items():
        assert encoder.name == name and encoder.modality in MODALITIES
        assert encoder.blocks >= 1 and encoder.width > 1 and encoder.note
        assert encoder.argument == name  # even where the weights lie in a folder
        own = encoder.extractor == "handcrafted" or encoder.extractor.startswith("words.")
        assert encoder.handcrafted == own == (encoder.model == "")


def test_a_set_names_one_encoder_per_modality_in_their_order():
    for name, members in SETS.items():
        modalities = [encoders.resolve(member).modality for member in members]
        assert modalities == [m for m in MODALITIES if m in modalities]
        assert encoders.joined(encoders.resolve_all(name)) == name


@pytest.mark.parametrize(
    ("model_type", "modality"),
    [
        ("wavlm", "acoustic"),
        ("hubert", "acoustic"),
        ("wav2vec2", "acoustic"),
        ("data2vec-audio", "acoustic"),
        ("whisper", "acoustic"),
        ("clip", "visual"),
        ("clip_vision_model", "visual"),
        ("bert", "linguistic"),
        ("roberta", "linguistic"),
        ("data2vec-text", "linguistic"),
        ("", "linguistic"),
    ],
)
def test_the_configuration_of_a_folder_tells_what_it_reads(tmp_path, model_type, modality):
    assert modality_of(model_type) == modality
    assert encoders.resolve(save_config(tmp_path / "model", model_type)).modality == modality


@pytest.mark.parametrize("content", [None, "{", "[]", "{}", '"bert"'])
def test_a_folder_without_a_readable_configuration_counts_as_text(tmp_path, content):
    if content is not None:
        (tmp_path / "config.json").write_text(content)
    assert encoders.resolve(str(tmp_path)).modality == "linguistic"


def test_the_name_of_a_hub_id_tells_where_its_configuration_is_not_here():
    named = [e for e in ENCODERS.values() if "/" in e.model and not e.package]
    hub = [e for e in named if not e.model.startswith("/")]
    assert len(hub) > 8
    for encoder in hub:
        kind = guessed(encoder.model)
        assert modality_of(kind) == encoder.modality
        assert (kind == "whisper") == (encoder.extractor == "whisper")
    assert guessed("someone/Chinese-HuBERT-base") == "hubert"
    assert guessed("someone/wav2vec-large") == "wav2vec2"
    assert guessed("someone/bert") == ""
    assert encoders.resolve("someone/whisper-large").extractor == "whisper"


def test_several_encoders_are_joined_by_a_plus(tmp_path):
    clip = save_config(tmp_path / "clip", "clip_vision_model")
    found = encoders.resolve_all(f"bert-base+log-mel+{clip}")
    assert {m: e.name for m, e in found.items()} == {
        "linguistic": "bert-base",
        "acoustic": "log-mel",
        "visual": "clip",
    }
    assert set(encoders.resolve_all("uegd")) == set(MODALITIES)
    assert encoders.resolve_all("minilm+log-mel").keys() == {"linguistic", "acoustic"}


def test_a_folder_with_a_plus_in_its_name_is_a_folder(tmp_path):
    folder = save_config(tmp_path / "a+b", "bert")
    assert encoders.resolve_all(folder)["linguistic"].model == folder


@pytest.mark.parametrize("name", ["wavlm-large", "minilm", "log-mel", "small-wavlm"])
def test_a_folder_may_have_the_name_of_a_registered_encoder(tmp_path, name):
    folder = save_config(tmp_path / name, "wavlm")
    found = encoders.resolve(folder)
    assert (found.name, found.argument) == (name, folder)
    assert encoders.resolve(found.argument).model == folder


@pytest.mark.parametrize(
    "name", ["hubert-large", "small-wavlm", "whisper-base", "someone/hubert", "folder"]
)
def test_all_frames_are_another_name_of_the_same_encoder(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    save_config(tmp_path / "folder", "wavlm")
    few, every = encoders.resolve(name), encoders.resolve(f"{name}-frames")
    assert (few.rate, every.rate) == (5, 50) and every.model == few.model
    assert every.name == f"{few.name}-frames" and encoders.resolve(every.argument) == every
    assert encoders.store_folder("toy", every) != encoders.store_folder("toy", few)


def test_a_name_with_that_ending_comes_before_the_ending(tmp_path):
    assert encoders.resolve("opensmile-frames") is ENCODERS["opensmile-frames"]
    folder = save_config(tmp_path / "some-frames", "wavlm")
    save_config(tmp_path / "some", "bert")
    assert (encoders.resolve(folder).name, encoders.resolve(folder).rate) == ("some-frames", 5)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("minilm-frames", "a model of text"),
        ("small-clip-frames", "a model of pictures"),
        ("log-mel-frames", "features of sound"),
        ("nothing-frames", "no such name"),
        ("hubert-large-frames-frames", "no such name"),
        ("-frames", "no such name"),
    ],
)
def test_what_is_no_model_of_speech_has_no_more_frames(name, found):
    error = refused(encoders.resolve, name)
    assert f"encoder {name!r}: found {found}" in error


def test_two_encoders_of_one_modality_are_refused():
    error = refused(encoders.resolve_all, "bert-base+roberta-base")
    assert "two for the linguistic modality, bert-base and roberta-base" in error
    assert "expected one per modality" in error
    error = refused(encoders.resolve_all, "wavlm-large+hubert-base")
    assert "two for the acoustic modality, wavlm-large and hubert-base" in error
    error = refused(encoders.resolve_all, "bert-base+nothing")
    assert "encoder 'nothing'" in error and "several joined by +" in error


def test_sound_and_pictures_have_a_store_per_preset(tmp_path, monkeypatch):
    monkeypatch.setenv("MSALIB_FEATURES", str(tmp_path))
    folders = {
        encoders.store_folder("toy", ENCODERS[name], preset).name
        for name in ("bert-base", "wavlm-large")
        for preset in ("release", "article")
    }
    assert folders == {"bert-base", "wavlm-large-release", "wavlm-large-paper"}


# --- what a study makes of them -----------------------------------------------------------------


@pytest.fixture
def offer(monkeypatch):
    def put(**about):
        made = Dataset("toy", lambda: None, **about)
        monkeypatch.setitem(readers.DATASETS, "toy", made)

    return put


def test_an_encoder_takes_the_place_of_vectors_that_came_with_the_data(offer):
    offer(vectors=MODALITIES, shipped="mmsa", raw=("linguistic",))
    asis = Study("uegd", dataset="toy")
    assert (asis.encoder, asis.dataset.layered, asis.dataset.vectors) == ("mmsa", (), MODALITIES)
    assert asis.encoders == {}
    study = Study("uegd", dataset="toy", encoder="bert-base")
    assert study.dataset.layered == ("linguistic",)
    assert study.dataset.vectors == ("visual", "acoustic")
    assert [study.blocks(m) for m in MODALITIES] == [1, 1, 12]
    assert "substitute: toy, BERT-Base, visual vectors, acoustic vectors; " in study.setting


def test_a_set_gives_what_the_data_have_something_for(offer):
    offer(layered=("linguistic",), raw=("acoustic", "linguistic"), encoder="small")
    study = Study("uegd", dataset="toy")
    assert study.encoder == "small"
    assert study.dataset.layered == ("acoustic", "linguistic")
    assert Study("uegd", dataset="toy", encoder="log-mel").dataset.vectors == ("acoustic",)
    both = Study("uegd", dataset="toy", encoder="log-mel+bert-base")
    assert (both.encoder, both.blocks("acoustic")) == ("log-mel+bert-base", 1)
    # Joined the other way round they have the same name, and so the same records.
    assert Study("uegd", dataset="toy", encoder="bert-base+log-mel").encoder == both.encoder


def test_an_encoder_with_nothing_to_read_is_refused(offer):
    offer(layered=("linguistic",), raw=("linguistic",))
    error = refused(Study, "uegd", dataset="toy", encoder="bert-base+wavlm-large")
    assert "encoder wavlm-large: found nothing of toy for it to read" in error
    assert "an encoder of its linguistic modality" in error
    offer(vectors=("visual",), shipped="facet")
    assert "which comes with its features" in refused(
        Study, "uegd", dataset="toy", encoder="bert-base"
    )
    offer(layered=("acoustic",), raw=("acoustic",))
    assert "clip-vit-l14" not in Study("uegd", dataset="toy", encoder="uegd").encoders


def test_the_raw_controls_are_data_sets_whose_titles_are_those_of_their_stories():
    from msalib.data.simulate.raw import STORIES

    known = {n: d.title for n, d in readers.DATASETS.items() if d.encoder == "small"}
    spoken = {"raw-spoken": known["raw-spoken"]}
    assert known == {n: s.title for n, s in STORIES.items()} | spoken
    study = Study("uegd", dataset="raw")
    assert study.kind == "control" and study.encoder == "small"
    assert study.dataset.layered == MODALITIES and study.corpus.name == "raw"


def test_a_name_proves_nothing(tmp_path, monkeypatch):
    """A folder that is called like the published encoder is a substitute for it."""
    monkeypatch.setenv("MSALIB_DATA", str(tmp_path))
    published = Study("uegd", dataset="mosi", encoder="bert-large", profile="full")
    assert published.kind == "as-published"
    folder = save_config(tmp_path / "bert-large", "bert")
    assert Study("uegd", dataset="mosi", encoder=folder, profile="full").kind == "substitute"


def test_a_set_that_is_spelt_out_is_that_set():
    spelt = Study("uegd", dataset="raw", encoder="small-bert+small-clip+small-wavlm")
    assert spelt.encoder == "small" == Study("uegd", dataset="raw").encoder
    assert "raw control, small encoders; " in spelt.setting


def test_small_encoders_on_real_data_are_called_a_demonstration(offer):
    offer(layered=("acoustic",), raw=("acoustic",), encoder="small")
    setting = Study("uegd", dataset="toy").setting
    assert "toy, small encoders; " in setting
    assert setting.endswith("the encoders know simulated clips only: a demonstration")
    assert "demonstration" not in Study("uegd", dataset="raw").setting
