"""What a study reads: settings in words, encoders, refusals, and records of real data."""

from dataclasses import replace

import numpy as np
import pytest

from msalib import encoders
from msalib.base import files as base_files
from msalib.base import paths
from msalib.base.errors import UserError
from msalib.data import datasets
from msalib.encoders import extraction
from msalib.papers.uegd import layers
from msalib.runs import records
from msalib.runs.records import Setting
from msalib.runs.spec import system
from msalib.runs.study import Study
from tests.encoders.tiny import save_bert
from tests.factory import make_record, predictions, write_pack
from tests.sweep import offer, small_control

WEIGHTED = [system({"linguistic": "weighted"})]

pytestmark = pytest.mark.usefixtures("small_data")


def asked(made):
    return [(r.spec.system.name(), r.spec.seed) for r in made]


# --- settings -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "kind", "words"),
    [
        ({"seeds": 3}, "control", "control; release recipe, profile quick, 3 seeds"),
        ({"dataset": "control-opposite"}, "control", "opposite control; release recipe"),
        (
            {"dataset": "mosi-standardised"},
            "substitute",
            "substitute: CMU-MOSI, transcripts and voice vectors, MiniLM; release recipe, profile",
        ),
        (
            {"dataset": "mosei", "encoder": "bert-large", "profile": "full"},
            "as-published",
            "as-published: CMU-MOSEI, transcripts, BERT-Large; release recipe, profile full",
        ),
        (
            {"dataset": "mosei", "encoder": "bert-large"},
            "substitute",
            "substitute: CMU-MOSEI, transcripts, BERT-Large; release recipe, profile quick",
        ),
        (
            {"dataset": "mmmo", "preset": "article", "profile": "full"},
            "substitute",
            "substitute: ICT-MMMO, voice and face, COVAREP and Facet; article recipe, profile full",
        ),
        (
            {"dataset": "mosi-leaky-unseen"},
            "leaky",
            "leaky: CMU-MOSI (leaky, unseen videos), vectors that leak labels; release recipe",
        ),
    ],
    ids=str,
)
def test_settings_in_words(parameters, kind, words):
    study = Study("uegd", **parameters)
    assert study.kind == kind
    assert study.setting.startswith(words)


def test_the_split_is_that_of_the_data_set():
    one = system({"linguistic": 1})
    assert Study("uegd", dataset="mosi-leaky").spec(one, 0).split == "standard"
    assert Study("uegd", dataset="mosi-leaky-unseen").spec(one, 0).split == "features"
    assert Study("uegd", dataset="mosi").spec(one, 0).split == "standard"


def test_split_and_context_are_those_of_the_parameters():
    one = system({"linguistic": 1})
    plain, other = Study("uegd").spec(one, 0), Study("uegd", split="video2of5").spec(one, 0)
    assert (plain.split, other.split) == ("standard", "video2of5")
    assert plain.context == {}
    joined = Study("uegd", context=2, context_kind="joined").spec(one, 0)
    assert joined.context == {"window": 2, "kind": "joined"}
    assert len({spec.hash() for spec in (plain, other, joined)}) == 3


def test_separate_context_needs_a_model_that_reads_it():
    study = Study("uegd", context=2)
    reading = study.spec(system({"linguistic": 1, "linguistic_context": 1}), 0)
    assert reading.context == {"window": 2, "kind": "separate"}
    with pytest.raises(UserError, match=r"found a model that reads linguistic and no context"):
        study.spec(system({"linguistic": 1}), 0)


def test_context_needs_clips_with_others_before_them():
    def apart():
        corpus = small_control()
        return replace(corpus, utterances=corpus.utterances.assign(video=corpus.utterances.index))

    offer("apart", apart)
    study = Study("uegd", dataset="apart", context=2, context_kind="joined")
    with pytest.raises(UserError, match="context in apart: found no clip with another before it"):
        study.encoded_for(["linguistic"])


def test_blocks_and_truth():
    control = Study("uegd")
    assert control.truth["best_layers"]["visual"] == (2,)
    assert control.blocks("linguistic") == 2
    real = Study("uegd", dataset="mosi", encoder="bert-large")
    assert (real.blocks("linguistic"), real.blocks("acoustic"), real.truth) == (24, 1, None)


# --- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"dataset": "moshi"}, "data set 'moshi': found no such data set; expected one of control"),
        (
            {"encoder": "minilm"},
            "encoder 'minilm': found an encoder for control, which comes with its features; "
            "expected planted",
        ),
        ({"dataset": "mmmo", "encoder": "minilm"}, "encoder 'minilm': found an encoder for mmmo"),
        (
            {"dataset": "mosi-leaky", "encoder": "bert-large"},
            "encoder 'bert-large': found an encoder for mosi-leaky",
        ),
        ({"dataset": "mosi", "encoder": "mini"}, "encoder 'mini': found no such name"),
        ({"profile": "slow"}, "profile 'slow': found no such profile; expected one of quick"),
        ({"preset": "ours"}, "preset 'ours': found no such preset; expected one of release"),
        ({"device": "tpu"}, "parameter 'device': found 'tpu'; expected 'auto', 'cpu' or 'cuda'"),
        ({"seeds": 0}, "parameter 'seeds': found 0; expected greater than or equal to 1"),
        ({"seeds": "five"}, "parameter 'seeds': found 'five'; expected a valid integer"),
        ({"refresh": "perhaps"}, "parameter 'refresh': found 'perhaps'; expected a valid boolean"),
        ({"seed": 1}, "parameter 'seed': found no such parameter; expected one of dataset, enc"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(parameters, message):
    with pytest.raises(UserError) as error:
        Study("uegd", **parameters)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("dataset", "inputs", "message"),
    [
        ("mosei", {"acoustic": 1}, "data set 'mosei': found no acoustic features; expected some"),
        ("mosi", {"visual": 1, "linguistic": 1}, "found no visual features; .* acoustic, ling"),
        (
            "mosei",
            {"visual": 1, "acoustic": 1, "linguistic": 1},
            "found no visual and no acoustic features; expected some of: linguistic",
        ),
        ("mmmo", {"linguistic": 1}, "found no linguistic features; expected some of: visual, ac"),
    ],
)
def test_a_modality_that_a_data_set_lacks_is_refused(dataset, inputs, message):
    with pytest.raises(UserError, match=message):
        Study("uegd", dataset=dataset).run([system(inputs)])


@pytest.mark.parametrize("paper", ["nobody", "self_mm", "../uegd", ""])
def test_a_paper_without_runs_is_refused_with_those_that_have(paper):
    with pytest.raises(UserError, match=r"no runs of it; expected one of .*sugrm.*, baselines"):
        Study(paper)


def test_missing_data_name_the_records_that_can_be_read_instead(monkeypatch):
    monkeypatch.delenv("MSALIB_DATA", raising=False)
    monkeypatch.setenv("MSALIB_RECORDS", str(paths.BOOK / "records"))
    with pytest.raises(UserError, match="MSALIB_DATA: found not set") as error:
        Study("uegd", dataset="mosi").run([system({"linguistic": 3})])
    instead = (
        "Records of the full recipe need no data: -p dataset mosi-standardised -p profile full."
    )
    assert error.value.remedy.endswith(instead)
    study = Study("uegd", dataset="mosi-standardised", profile="full")
    assert len(study.run([system({"linguistic": 3}, paper="uegd")])) == 2
    with pytest.raises(UserError) as error:  # there are no more seeds, and the data are missing
        Study("uegd", dataset="mosi-standardised", profile="full", seeds=9).run(
            [system({"linguistic": 3}, paper="uegd")]
        )
    assert "Records" not in error.value.remedy


# --- real data ----------------------------------------------------------------------------------


def real_record(data: str) -> records.Record:
    """A record of MOSI with MiniLM, weighted, on data with this fingerprint."""
    clips = predictions([1.0, -1.0, 0.0], [0.5, 0.0, 0.1], ["a", "a", "b"])
    parts = {"valid": clips, "test": clips}
    record = make_record({"linguistic": "weighted"}, parts=parts)
    spec = Study("uegd", dataset="mosi", seeds=1).spec(*WEIGHTED, 0)
    provenance = record.provenance.model_copy(update={"data": data})
    return record.model_copy(update={"spec": spec, "provenance": provenance})


@pytest.mark.parametrize("value", [None, ""])
def test_records_of_real_data_are_read_without_the_data(monkeypatch, no_training, value):
    record = real_record("0" * 64)
    records.write(record)
    if value is not None:
        monkeypatch.setenv("MSALIB_DATA", value)
    no_training()
    real = Study("uegd", dataset="mosi", seeds=1)
    assert real.corpus is None
    assert real.run(WEIGHTED) == [record]
    assert real.blocks("linguistic") == 6


def test_without_records_it_says_what_is_missing():
    with pytest.raises(UserError, match="MSALIB_DATA: found not set; expected the folder"):
        Study("uegd", dataset="mosi").run(WEIGHTED)


def test_a_record_of_other_data_is_refused_before_anything_is_trained(
    tmp_path, monkeypatch, no_training
):
    write_pack(tmp_path / "mosi")
    monkeypatch.setenv("MSALIB_DATA", str(tmp_path))
    fingerprint = datasets.load("mosi").fingerprint()
    no_training()
    records.write(real_record(fingerprint))
    assert len(Study("uegd", dataset="mosi", seeds=1).run(WEIGHTED)) == 1
    records.write(real_record("0" * 64))
    with pytest.raises(UserError) as error:
        Study("uegd", dataset="mosi", seeds=1).run(WEIGHTED)
    message = str(error.value)
    assert f"found a record of other data (fingerprint {'0' * 12})" in message
    assert f"expected the available data ({fingerprint[:12]})" in message


def test_a_record_of_other_features_is_refused(tmp_path, monkeypatch):
    write_pack(tmp_path / "mosi")
    monkeypatch.setenv("MSALIB_DATA", str(tmp_path))
    vectors = [system({"acoustic": 1})]
    made = Study("uegd", dataset="mosi", seeds=1).run(vectors)
    assert Study("uegd", dataset="mosi", seeds=1).run(vectors) == made
    arrays = {"audio_opensmile": np.ones((40, 3))}
    write_pack(tmp_path / "mosi", arrays=arrays)
    with pytest.raises(UserError, match=r"found a record of other acoustic features \(values "):
        Study("uegd", dataset="mosi", seeds=1).run(vectors)


def test_runs_on_vectors_need_no_weights_of_an_encoder(tmp_path, monkeypatch):
    write_pack(tmp_path / "mosi")
    monkeypatch.setenv("MSALIB_DATA", str(tmp_path))

    def no_weights(name):
        raise UserError(f"encoder {name!r}", found="no weights", expected="some", remedy="None.")

    monkeypatch.setattr(encoders, "resolve", no_weights)
    study = Study("uegd", dataset="mosi", seeds=1)
    assert asked(layers.singles(study, ["acoustic"])) == [("acoustic-1", 0)]
    with pytest.raises(UserError, match="no weights"):
        study.run(WEIGHTED)


def test_an_encoder_in_a_folder_is_recorded_by_its_name(tmp_path, monkeypatch):
    """Neither a record nor its path shows where on this machine the encoder lies."""
    write_pack(tmp_path / "data" / "mosi")
    monkeypatch.setenv("MSALIB_DATA", str(tmp_path / "data"))
    folder = str(save_bert(tmp_path / "tiny-bert"))
    parameters = {"dataset": "mosi", "encoder": folder, "device": "cpu", "seeds": 1}
    made = layers.singles(Study("uegd", **parameters))
    assert asked(made) == [("acoustic-1", 0)] + [(f"linguistic-{k}", 0) for k in range(4)]
    setting = Setting("mosi", "tiny-bert", "release", "quick")
    assert records.settings("uegd") == [setting]
    assert records.find("uegd", setting) == made
    assert str(tmp_path) not in made[1].model_dump_json()
    assert made[1].provenance.features["linguistic"]["encoder"] == "tiny-bert"
    assert layers.singles(Study("uegd", **parameters)) == made


def test_an_encoder_of_the_hub_has_one_plain_folder():
    hub = Study("uegd", dataset="mosi", encoder="someone/tiny-bert")
    assert hub.encoder == "someone/tiny-bert"
    path = hub.spec(system({"linguistic": 1}), 0).path()
    assert path.relative_to(records.records_folder()).parts[1:4] == (
        "mosi-someone--tiny-bert",
        "release",
        "quick",
    )


def test_a_store_is_made_by_one_study_at_a_time(tmp_path, monkeypatch):
    """The second waits and then reads: both would write the same partial files."""
    write_pack(tmp_path / "data" / "mosi")
    monkeypatch.setenv("MSALIB_DATA", str(tmp_path / "data"))
    folder = str(save_bert(tmp_path / "tiny-bert"))
    encoded, extract = [], extraction.extract

    def watched(corpus, encoder, store, *device, **how):
        with base_files.reserved(store, wait=False) as free:
            encoded.append(free)
        return extract(corpus, encoder, store, *device, **how)

    monkeypatch.setattr(extraction, "extract", watched)
    study = Study("uegd", dataset="mosi", encoder=folder, device="cpu")
    assert study.encoded.features["linguistic"].blocks == (1, 2, 3)
    assert encoded == [False]
    store = encoders.store_folder("mosi", encoders.resolve(folder))
    assert [p.name for p in store.parent.iterdir()] == ["tiny-bert"]


def test_a_target_is_a_column_that_the_data_set_can_predict():
    study = Study("baselines", dataset="iemocap", target="label")
    assert study.task.column == "label" and "target label" in study.setting
    with pytest.raises(UserError, match=r"target 'nope' .* expected one of emotion, label"):
        Study("baselines", dataset="iemocap", target="nope")
