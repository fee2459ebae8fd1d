"""Studies: what is asked becomes runs, each made once, and a kill loses one at most."""

import multiprocessing
import time
from dataclasses import replace

import numpy as np
import pytest

from msalib import readers, records, simulate, study, train
from msalib.errors import UserError
from msalib.readers import Dataset
from msalib.records import Setting
from msalib.study import Study, train_one
from tests.factory import TRAIN, make_record, predictions, tiny_corpus, write_pack
from tests.test_encoders import save_bert

SMALL = {"videos": 8, "clips": (9, 9), "frames": (2, 4)}


def small_control(**changes):
    profiles = dict.fromkeys(simulate.PROFILES, (0.5, 2.0))
    return simulate.control(**{**SMALL, "profiles": profiles, **changes})


def offer(name: str, real: bool, read) -> None:
    readers.DATASETS[name] = Dataset(f"small {name}", real, read)


@pytest.fixture(autouse=True)
def small_data(monkeypatch):
    """A control of 72 clips and 2 blocks; no real data."""
    monkeypatch.setattr(readers, "DATASETS", dict(readers.DATASETS))
    offer("control", False, small_control)
    monkeypatch.delenv("MSALIB_DATA", raising=False)


@pytest.fixture
def no_training(monkeypatch):
    def refuse(*_):
        pytest.fail("trained")

    return lambda: monkeypatch.setattr(train, "fit", refuse)


@pytest.fixture
def trained(monkeypatch):
    """The specifications of the runs that are trained from here on."""
    specs = []

    def note(spec, *rest):
        specs.append(spec)
        return train_one(spec, *rest)

    monkeypatch.setattr(study, "train_one", note)
    return specs


def numbers(found):
    """What must be equal in two runs of one specification: all but where and when."""
    return [r.model_dump(exclude={"provenance"}) for r in found]


def files():
    folder = records.records_folder()
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


# --- runs and records ---------------------------------------------------------------------------


def test_a_study_trains_once_and_then_reads(no_training):
    first = Study("uegd").single_layers("linguistic")
    assert [(r.spec.inputs["linguistic"], r.spec.seed) for r in first] == [
        (k, seed) for k in (0, 1, 2) for seed in (0, 1)
    ]
    written = files()
    assert len(written) == 6
    no_training()
    assert Study("uegd").single_layers("linguistic") == first
    assert files() == written


def test_refresh_trains_again_to_the_same_numbers(trained):
    first = Study("uegd", seeds=1).weighted("linguistic")
    again = Study("uegd", seeds=1, refresh=True).weighted("linguistic")
    assert trained == [first[0].spec] * 2
    assert numbers(again) == numbers(first)
    assert Study("uegd", seeds=1).weighted("linguistic") == again  # it was written


def test_more_seeds_keep_the_runs_there_are(trained):
    Study("uegd", seeds=1).weighted("acoustic")
    before = files()
    found = Study("uegd", seeds=3).weighted("acoustic")
    assert [r.spec.seed for r in found] == [0, 1, 2]
    assert [spec.seed for spec in trained] == [0, 1, 2]
    assert before.items() <= files().items()


def test_what_a_record_holds():
    (record,) = Study("uegd", seeds=1).run([{"visual": "weighted", "linguistic": 2}])
    corpus = small_control()
    assert record.provenance.data == corpus.fingerprint()
    assert set(record.provenance.features) == {"visual", "linguistic"}
    assert record.provenance.threads == 1
    assert record.spec.setting == "control" and record.spec.split == "standard"
    assert set(record.layer_weights) == {"visual"}
    assert sum(record.layer_weights["visual"]) == pytest.approx(1, abs=1e-5)
    assert len(record.history) == record.spec.train["epochs"]
    losses = [h["valid_loss"] for h in record.history]
    assert losses[record.selected_epoch - 1] == min(losses)
    for part in ("valid", "test"):
        clips, rows = record.predictions[part], corpus.rows(part, "standard")
        table = corpus.utterances.iloc[rows]
        assert clips.id == list(table.index) and clips.video == list(table["video"])
        np.testing.assert_allclose(clips.label, table["label"], rtol=1e-5)
        error = np.abs(np.array(clips.label) - clips.prediction).mean()
        assert record.metrics[part]["mae"] == pytest.approx(error)
    train_label = corpus.utterances["label"].iloc[corpus.rows("train", "standard")]
    test = np.array(record.predictions["test"].label)
    assert record.chance["mae"] == pytest.approx(np.abs(test - train_label.median()).mean())
    assert record.chance["corr"] is None


def test_settings_in_words():
    control, real = (
        Study("uegd", seeds=3),
        Study("uegd", dataset="mosi", encoder="bert-large", profile="paper"),
    )
    assert control.setting == ("control: small control; release recipe, profile quick, 3 seeds")
    assert real.setting.startswith("as-published: CMU-MOSI, bert-large layers; release recipe")
    assert Study("uegd", dataset="mosi").kind == "substitute"
    assert control.modalities() == ["visual", "acoustic", "linguistic"]
    assert control.truth["best_layers"]["visual"] == (2,)
    assert (control.blocks(), real.blocks()) == (2, 24)
    assert real.truth is None


# --- the test part decides nothing --------------------------------------------------------------


def fitted(monkeypatch, corpus):
    """Record and fitted weights of one run on a corpus."""
    spec = Study("uegd").spec({"linguistic": 1}, 0)
    spec = spec.model_copy(update={"train": {**TRAIN, "epochs": 6}})
    fits = []
    fit = train.fit
    monkeypatch.setattr(train, "fit", lambda *args: fits.append(fit(*args)) or fits[0])
    record = train_one(spec, corpus, "cpu")
    monkeypatch.setattr(train, "fit", fit)
    return record, {k: v.numpy() for k, v in fits[0].model.state_dict().items()}


def test_another_test_part_changes_no_weight_and_no_choice(monkeypatch):
    """Labels and features of the test part are replaced; only what is said of it may change."""
    corpus = tiny_corpus()
    rows = corpus.rows("test", "standard")
    table = corpus.utterances.copy()
    table.iloc[rows, table.columns.get_loc("label")] = 1.5
    features = corpus.features["linguistic"]
    frames = np.repeat(np.isin(np.arange(40), rows), features.lengths())
    layers = {k: np.where(frames[:, None], 3, x) for k, x in features.layers.items()}
    changed = replace(corpus, utterances=table).with_features(
        "linguistic", replace(features, layers=layers)
    )
    one, weights = fitted(monkeypatch, corpus)
    other, other_weights = fitted(monkeypatch, changed)
    for name, value in weights.items():
        np.testing.assert_array_equal(value, other_weights[name], err_msg=name)
    assert one.history == other.history
    assert one.selected_epoch == other.selected_epoch
    assert one.predictions["valid"] == other.predictions["valid"]
    assert one.metrics["test"] != other.metrics["test"]


# --- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"dataset": "moshi"}, "data set 'moshi': found no such data set; expected one of control"),
        ({"encoder": "minilm"}, "encoder 'minilm': found an encoder for simulated features"),
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


def test_a_device_that_is_not_here_is_refused_before_anything_is_trained(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(UserError, match=r"device 'cuda': .* shows no CUDA device"):
        Study("uegd", device="cuda").weighted("linguistic")
    assert files() == {}


# --- real data ----------------------------------------------------------------------------------


def real_record(data: str) -> records.Record:
    """A record of MOSI with MiniLM, weighted, on data with this fingerprint."""
    clips = predictions([1.0, -1.0, 0.0], [0.5, 0.0, 0.1], ["a", "a", "b"])
    parts = {"valid": clips, "test": clips}
    record = make_record({"linguistic": "weighted"}, parts=parts)
    spec = Study("uegd", dataset="mosi", seeds=1).spec({"linguistic": "weighted"}, 0)
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
    assert real.weighted("linguistic") == [record]
    assert real.blocks() == 6


def test_without_records_it_says_what_is_missing():
    with pytest.raises(UserError, match="MSALIB_DATA: found not set; expected the folder"):
        Study("uegd", dataset="mosi").weighted("linguistic")


def test_a_record_of_other_data_is_refused_before_anything_is_trained(
    tmp_path, monkeypatch, no_training
):
    write_pack(tmp_path / "mosi")
    monkeypatch.setenv("MSALIB_DATA", str(tmp_path))
    at_hand = readers.load("mosi").fingerprint()
    no_training()
    records.write(real_record(at_hand))
    assert len(Study("uegd", dataset="mosi", seeds=1).weighted("linguistic")) == 1
    records.write(real_record("0" * 64))
    for seeds in (1, 2):  # the second seed has no record
        with pytest.raises(UserError) as error:
            Study("uegd", dataset="mosi", seeds=seeds).weighted("linguistic")
        message = str(error.value)
        assert f"found a record of other data (fingerprint {'0' * 12})" in message
        assert f"expected the data at hand ({at_hand[:12]})" in message


def test_an_encoder_in_a_folder_is_recorded_by_its_name(tmp_path, monkeypatch):
    """Neither a record nor its path shows where on this machine the encoder lies."""
    write_pack(tmp_path / "data" / "mosi")
    monkeypatch.setenv("MSALIB_DATA", str(tmp_path / "data"))
    folder = str(save_bert(tmp_path / "tiny-bert"))
    asked = {"dataset": "mosi", "encoder": folder, "device": "cpu", "seeds": 1}
    found = Study("uegd", **asked).single_layers("linguistic")
    assert [r.spec.inputs["linguistic"] for r in found] == [0, 1, 2, 3]
    setting = Setting("mosi", "tiny-bert", "release", "quick")
    assert records.settings("uegd") == [setting]
    assert records.find("uegd", setting) == found
    assert str(tmp_path) not in found[0].model_dump_json()
    assert found[0].provenance.features["linguistic"]["encoder"] == "tiny-bert"
    assert Study("uegd", **asked).single_layers("linguistic") == found


def test_an_encoder_of_the_hub_has_one_plain_folder():
    hub = Study("uegd", dataset="mosi", encoder="someone/tiny-bert")
    assert hub.encoder == "someone/tiny-bert"
    path = hub.spec({"linguistic": 1}, 0).path()
    assert path.relative_to(records.records_folder()).parts[1:4] == (
        "mosi-someone--tiny-bert",
        "release",
        "quick",
    )


# --- a kill -------------------------------------------------------------------------------------

SWEEP = {"seeds": 2}


def sweep_slowly() -> None:
    """What a process runs that is about to be killed."""
    offer("control", False, small_control)
    write = records.write

    def write_and_wait(record):
        path = write(record)
        time.sleep(0.3)
        return path

    records.write = write_and_wait
    Study("uegd", **SWEEP).single_layers("linguistic")


def test_a_killed_sweep_goes_on_where_it_stopped_to_the_same_numbers(tmp_path, monkeypatch):
    process = multiprocessing.get_context("spawn").Process(target=sweep_slowly)
    process.start()
    folder = records.records_folder()
    while not list(folder.rglob("*.json")):
        assert process.is_alive()
        time.sleep(0.01)
    process.kill()
    process.join()
    finished = {path: content for path, content in files().items() if path.suffix == ".json"}
    assert 1 <= len(finished) < 6
    resumed = Study("uegd", **SWEEP).single_layers("linguistic")
    after = files()
    assert {path: after[path] for path in finished} == finished
    assert sum(path.suffix == ".json" for path in after) == 6
    monkeypatch.setenv("MSALIB_RECORDS", str(tmp_path / "uninterrupted"))
    assert numbers(Study("uegd", **SWEEP).single_layers("linguistic")) == numbers(resumed)
