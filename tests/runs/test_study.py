"""Studies: what is asked becomes runs, each made once, and a kill loses one group at most."""

import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from msalib import encoders
from msalib.base import files as base_files
from msalib.base.errors import UserError
from msalib.data import datasets as readers
from msalib.data.corpus import MODALITIES
from msalib.encoders import extraction
from msalib.papers.uegd import layers
from msalib.papers.uegd.layers import FEATURES
from msalib.runs import records
from msalib.runs.records import Setting
from msalib.runs.spec import Spec, system
from msalib.runs.study import Study
from msalib.runs.trainer import Trainer
from msalib.training import loop as train
from msalib.training import replicas
from tests import sweep
from tests.encoders.test_encoders import save_bert
from tests.factory import TRAIN, make_record, predictions, tiny_corpus, write_pack
from tests.sweep import assert_close, files, finished, offer, small_control

WEIGHTED = [system({"linguistic": "weighted"})]


@pytest.fixture(autouse=True)
def small_data(monkeypatch):
    """A small control; no real data."""
    monkeypatch.setattr(readers, "DATASETS", dict(readers.DATASETS))
    offer("control", small_control)
    monkeypatch.delenv("MSALIB_DATA", raising=False)


@pytest.fixture
def no_training(monkeypatch):
    def refuse(*_):
        pytest.fail("trained")

    return lambda: monkeypatch.setattr(Trainer, "train", refuse)


@pytest.fixture
def trained(monkeypatch):
    """The specifications of the runs that are trained from here on, group by group."""
    groups, train_group = [], Trainer.train

    def note(self, specs):
        groups.append(specs)
        return train_group(self, specs)

    monkeypatch.setattr(Trainer, "train", note)
    return groups


def asked(found):
    return [(r.spec.system.name(), r.spec.seed) for r in found]


def numbers(found):
    """What must be equal in two runs of one specification: all but where and when."""
    return [r.model_dump(exclude={"provenance"}) for r in found]


# --- runs and records ---------------------------------------------------------------------------


def test_singles_are_every_layer_of_every_modality(no_training):
    first = layers.singles(Study("uegd"))
    assert asked(first) == [
        (f"{m}-{k}", seed) for m in MODALITIES for k in (0, 1, 2) for seed in (0, 1)
    ]
    written = files()
    assert len(written) == 18  # and no lock is left
    no_training()
    assert layers.singles(Study("uegd")) == first
    assert files() == written


def test_vectors_have_one_layer_and_no_input():
    offer("control", small_control, layered=("visual",), vectors=("acoustic",))
    study = Study("uegd", seeds=1)
    names = [name for name, _ in asked(layers.singles(study))]
    assert names == ["visual-0", "visual-1", "visual-2", "acoustic-1"]
    assert [study.blocks(m) for m in ("visual", "acoustic")] == [2, 1]


def test_given_features_are_those_of_the_tables(trained):
    study = Study("uegd", seeds=1)
    valid = {
        (s := r.spec.inputs, next(iter(s)), s[next(iter(s))])[1:]: r.metrics["valid"]["corr"]
        for r in layers.singles(study)
    }
    best = {m: max((1, 2), key=lambda k: valid[m, k]) for m in MODALITIES}
    pair = ("visual", "linguistic")
    found = layers.together(study, pair)
    wanted = [dict.fromkeys(pair, 0), dict.fromkeys(pair, 2)]
    wanted += [{m: best[m] for m in pair}, dict.fromkeys(pair, "weighted")]
    names = [system(inputs).name() for inputs in wanted]
    assert [name for name, _ in asked(found)] == list(dict.fromkeys(names))
    assert asked(layers.together(study, ["acoustic"], ["uniform"])) == [("acoustic-uniform", 0)]
    (concat,) = layers.together(study, pair, ["output"], fusion="concat")
    assert concat.spec.model["fusion"] == "concat" and concat.gates == {}
    (half,) = layers.together(study, ["linguistic"], ["input"], train_share=0.5)
    assert half.spec.train_share == 0.5
    assert sum(len(group) for group in trained) == 9 + len(set(names)) + 3  # each once


def test_features_that_are_one_system_are_run_once():
    """Vectors are the same in every row."""
    one_block = dict.fromkeys(MODALITIES, (0.5, 1.0))
    offer("control", lambda: small_control(profiles=one_block), layered=(), vectors=MODALITIES)
    found = layers.together(Study("uegd", seeds=1), ("visual", "acoustic"), FEATURES)
    assert asked(found) == [("visual-1+acoustic-1", 0)]


def test_refresh_trains_again_and_only_once_per_study(trained):
    first = Study("uegd", seeds=1).run(WEIGHTED)
    again = Study("uegd", seeds=1, refresh=True)
    assert numbers(again.run(WEIGHTED)) == numbers(first)
    assert trained == [[first[0].spec]] * 2
    again.run(WEIGHTED)
    layers.together(again, ["linguistic"], ["weighted"])
    counted = [spec.hash() for group in trained for spec in group]
    assert counted.count(first[0].spec.hash()) == 2  # given asks for its layers, too, once
    assert len(counted) == 2 + 3
    assert Study("uegd", seeds=1).run(WEIGHTED) == again.run(WEIGHTED)  # it was written


def test_more_seeds_keep_the_runs_there_are(trained):
    acoustic = [system({"acoustic": "weighted"})]
    Study("uegd", seeds=1).run(acoustic)
    before = files()
    found = Study("uegd", seeds=3).run(acoustic)
    assert [r.spec.seed for r in found] == [0, 1, 2]
    assert [spec.seed for group in trained for spec in group] == [0, 1, 2]
    assert before.items() <= files().items()


def test_a_system_that_is_asked_twice_is_trained_once(trained):
    found = Study("uegd", seeds=1).run(WEIGHTED * 2)
    assert found[0] == found[1]
    assert sum(map(len, trained)) == 1


def test_what_a_record_holds():
    (record,) = Study("uegd", seeds=1).run([system({"visual": "weighted", "linguistic": 2})])
    corpus = small_control()
    assert record.provenance.data == corpus.fingerprint()
    assert set(record.provenance.features) == {"visual", "linguistic"}
    assert record.provenance.threads == record.provenance.replicas == 1
    assert record.spec.setting == "control" and record.spec.split == "standard"
    assert record.spec.train_share == 1
    assert record.blocks == {"visual": 2, "linguistic": 2}
    assert set(record.layer_weights) == {"visual"}
    assert set(record.gates) == set(MODALITIES)
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


# --- settings -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "kind", "words"),
    [
        ({"seeds": 3}, "control", "control: small control; release recipe, profile quick, 3 seeds"),
        ({"dataset": "control-opposite"}, "control", "control: Simulated features, the opposite"),
        (
            {"dataset": "mosi"},
            "substitute",
            "substitute: CMU-MOSI (minilm layers, acoustic vectors); release recipe, profile quick",
        ),
        (
            {"dataset": "mosi", "encoder": "bert-large", "profile": "paper"},
            "as-published",
            "as-published: CMU-MOSI (bert-large layers, acoustic vectors); release recipe",
        ),
        ({"dataset": "mosi", "encoder": "bert-large"}, "substitute", "substitute: CMU-MOSI (bert-"),
        ({"dataset": "mosei"}, "substitute", "substitute: CMU-MOSEI (minilm layers); release"),
        (
            {"dataset": "mmmo", "preset": "paper", "profile": "paper"},
            "substitute",
            "substitute: ICT-MMMO (visual vectors, acoustic vectors); paper recipe, profile paper",
        ),
        (
            {"dataset": "mosi-leaky", "profile": "paper"},
            "leaky",
            "leaky: CMU-MOSI with features that leak (visual vectors, acoustic vectors, linguistic",
        ),
        (
            {"dataset": "mosi-leaky-unseen"},
            "leaky",
            "leaky: CMU-MOSI with features that leak, test videos unseen by them (visual vectors,",
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


def test_blocks_and_truth():
    control = Study("uegd")
    assert control.truth["best_layers"]["visual"] == (2,)
    assert control.blocks("linguistic") == 2
    real = Study("uegd", dataset="mosi", encoder="bert-large")
    assert (real.blocks("linguistic"), real.blocks("acoustic"), real.truth) == (24, 1, None)


# --- the test part decides nothing --------------------------------------------------------------


def fitted(monkeypatch, corpus):
    """Record and fitted weights of one run on a corpus."""
    spec = Study("uegd").spec(system({"linguistic": 1}), 0)
    spec = spec.model_copy(update={"train": {**TRAIN, "epochs": 6}})
    fits = []
    fit = train.fit
    monkeypatch.setattr(train, "fit", lambda *args: fits.append(fit(*args)) or fits[0])
    (record,) = Trainer(corpus, "cpu").train([spec])
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
    assert one.metrics["train"] == other.metrics["train"]
    assert one.metrics["test"] != other.metrics["test"]


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


def test_a_layer_outside_the_store_is_refused():
    with pytest.raises(UserError, match=r"layer 3 of control: .* one of 0, 1, 2, weighted, unif"):
        Study("uegd").run([system({"linguistic": 3})])
    assert files() == {}


def test_a_device_that_is_not_here_is_refused_before_anything_is_trained(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(UserError, match=r"device 'cuda': .* shows no CUDA device"):
        Study("uegd", device="cuda").run(WEIGHTED)
    assert files() == {}


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
    at_hand = readers.load("mosi").fingerprint()
    no_training()
    records.write(real_record(at_hand))
    assert len(Study("uegd", dataset="mosi", seeds=1).run(WEIGHTED)) == 1
    records.write(real_record("0" * 64))
    with pytest.raises(UserError) as error:
        Study("uegd", dataset="mosi", seeds=1).run(WEIGHTED)
    message = str(error.value)
    assert f"found a record of other data (fingerprint {'0' * 12})" in message
    assert f"expected the data at hand ({at_hand[:12]})" in message


def test_a_record_of_other_features_is_refused(tmp_path, monkeypatch):
    write_pack(tmp_path / "mosi")
    monkeypatch.setenv("MSALIB_DATA", str(tmp_path))
    vectors = [system({"acoustic": 1})]
    found = Study("uegd", dataset="mosi", seeds=1).run(vectors)
    assert Study("uegd", dataset="mosi", seeds=1).run(vectors) == found
    arrays = {"audio_opensmile": np.ones((40, 3))}
    write_pack(tmp_path / "mosi", arrays=arrays)
    with pytest.raises(UserError, match=r"found a record of other acoustic features \(values "):
        Study("uegd", dataset="mosi", seeds=1).run(vectors)


@pytest.mark.parametrize("paper", ["mmml", "self_mm", "../uegd", ""])
def test_a_paper_without_runs_is_refused_with_those_that_have(paper):
    with pytest.raises(UserError, match="found no runs of it; expected one of uegd, sugrm"):
        Study(paper)


@pytest.fixture
def two_threads():
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(1)


def test_training_takes_one_thread_and_gives_the_others_back(two_threads):
    (record,) = Study("uegd", seeds=1).run(WEIGHTED)
    assert record.provenance.threads == 1
    assert torch.get_num_threads() == 2


def test_training_that_fails_gives_the_threads_back(two_threads, monkeypatch):
    monkeypatch.setattr(Trainer, "train", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        Study("uegd", seeds=1).run(WEIGHTED)
    assert torch.get_num_threads() == 2


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
    found = layers.singles(Study("uegd", **parameters))
    assert asked(found) == [("acoustic-1", 0)] + [(f"linguistic-{k}", 0) for k in range(4)]
    setting = Setting("mosi", "tiny-bert", "release", "quick")
    assert records.settings("uegd") == [setting]
    assert records.find("uegd", setting) == found
    assert str(tmp_path) not in found[1].model_dump_json()
    assert found[1].provenance.features["linguistic"]["encoder"] == "tiny-bert"
    assert layers.singles(Study("uegd", **parameters)) == found


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


# --- a kill, and company ------------------------------------------------------------------------


def test_a_killed_sweep_goes_on_where_it_stopped_to_the_same_numbers(tmp_path, monkeypatch):
    process = sweep.start(sweep.singles, 3)
    while not finished():
        assert process.is_alive()
        time.sleep(0.01)
    process.kill()
    process.join()
    kept = finished()
    assert 1 <= len(kept) < 9
    resumed = layers.singles(Study("uegd", seeds=1))
    after = files()
    assert {path: after[path] for path in kept} == kept
    assert len(finished()) == 9
    locks = [path for path in after if path.suffix == ".lock"]
    assert len(locks) <= 3  # at most of what was whole when its lock was to be removed
    monkeypatch.setenv("MSALIB_RECORDS", str(tmp_path / "uninterrupted"))
    assert_close(layers.singles(Study("uegd", seeds=1)), resumed)


def test_two_studies_at_once_leave_every_record_whole_and_train_each_once(tmp_path, monkeypatch):
    both = [sweep.start(sweep.singles, together, 0.1) for together in (3, 2)]
    mtimes = {}
    while any(process.is_alive() for process in both):
        for path in records.records_folder().rglob("*.json"):
            records.read(path)  # whole, at any moment
            mtimes.setdefault(path, path.stat().st_mtime_ns)
        time.sleep(0.02)
    assert [process.exitcode for process in both] == [0, 0]
    assert len(files()) == len(finished()) == 9
    for path, mtime in mtimes.items():
        assert path.stat().st_mtime_ns == mtime  # written once
    found = layers.singles(Study("uegd", seeds=1))
    assert {r.provenance.replicas for r in found} & {3, 2}
    monkeypatch.setenv("MSALIB_RECORDS", str(tmp_path / "alone"))
    assert_close(layers.singles(Study("uegd", seeds=1)), found)


def test_runs_that_another_process_holds_are_awaited(monkeypatch, trained):
    """Its run is not trained here, the others are; then its record is read."""
    study = Study("uegd", seeds=2)
    specs: list[Spec] = [study.spec(*WEIGHTED, seed) for seed in (0, 1)]
    (made,) = Study("uegd", seeds=1).run(WEIGHTED)
    made.spec.path().unlink()
    trained.clear()
    reserved = base_files.reserved
    asked_for = []

    def held(path, *, wait):
        asked_for.append((path.stem, wait))
        if path == specs[0].path() and not wait:
            return reserved_by_another()
        if path == specs[0].path():
            records.write(made)  # the other one has finished
        return reserved(path, wait=wait)

    monkeypatch.setattr(base_files, "reserved", held)
    found = study.run(WEIGHTED)
    assert found[0] == made
    assert [[s.seed for s in group] for group in trained] == [[1]]
    assert asked_for[-1] == (specs[0].path().stem, True)


def reserved_by_another():
    from contextlib import nullcontext

    return nullcontext(False)


def test_a_killed_group_of_replicas_leaves_no_half_of_it(monkeypatch):
    """Records are written when all of a group are judged; none says more than it knows."""

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(replicas, "fit", stop)
    with pytest.raises(KeyboardInterrupt):
        layers.singles(Study("uegd", seeds=1))
    assert files() == {}
