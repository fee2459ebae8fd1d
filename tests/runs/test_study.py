"""Studies: what is asked becomes runs, each made once, and a kill loses one group at most."""

import time
from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest
import torch

from msalib.base import files as base_files
from msalib.base.errors import UserError
from msalib.data.corpus import MODALITIES
from msalib.papers.uegd import layers
from msalib.papers.uegd.layers import FEATURES
from msalib.runs import records
from msalib.runs.spec import Spec, system
from msalib.runs.study import Study
from msalib.runs.trainer import Trainer
from msalib.training import loop, replicas
from tests import sweep
from tests.factory import TRAIN, tiny_corpus
from tests.sweep import assert_close, files, finished, offer, small_control

WEIGHTED = [system({"linguistic": "weighted"})]

pytestmark = pytest.mark.usefixtures("small_data")


def asked(rows):
    return [(r.spec.system.name(), r.spec.seed) for r in rows]


def numbers(rows):
    """What must be equal in two runs of one specification: all but where and when."""
    return [r.model_dump(exclude={"provenance"}) for r in rows]


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
    trained_records = layers.together(study, pair)
    expected = [dict.fromkeys(pair, 0), dict.fromkeys(pair, 2)]
    expected += [{m: best[m] for m in pair}, dict.fromkeys(pair, "weighted")]
    names = [system(inputs).name() for inputs in expected]
    assert [name for name, _ in asked(trained_records)] == list(dict.fromkeys(names))
    assert asked(layers.together(study, ["acoustic"], ["uniform"])) == [("acoustic-uniform", 0)]
    (concat,) = layers.together(study, pair, ["output"], fusion="concat")
    assert concat.spec.model["fusion"] == "concat" and concat.extras.gates == {}
    (half,) = layers.together(study, ["linguistic"], ["input"], train_share=0.5)
    assert half.spec.train_share == 0.5
    assert sum(len(group) for group in trained) == 9 + len(set(names)) + 3  # each once


def test_features_that_are_one_system_are_run_once():
    """Vectors are the same in every row."""
    one_block = dict.fromkeys(MODALITIES, (0.5, 1.0))
    offer("control", lambda: small_control(profiles=one_block), layered=(), vectors=MODALITIES)
    trained_records = layers.together(Study("uegd", seeds=1), ("visual", "acoustic"), FEATURES)
    assert asked(trained_records) == [("visual-1+acoustic-1", 0)]


def test_refresh_trains_again_and_only_once_per_study(trained):
    first = Study("uegd", seeds=1).run(WEIGHTED)
    again = Study("uegd", seeds=1, refresh=True)
    assert numbers(again.run(WEIGHTED)) == numbers(first)
    assert trained == [[first[0].spec]] * 2
    again.run(WEIGHTED)
    layers.together(again, ["linguistic"], ["weighted"])
    counted = [spec.hash() for group in trained for spec in group]
    assert counted.count(first[0].spec.hash()) == 2  # the second asks for its layers, too, once
    assert len(counted) == 2 + 3
    assert Study("uegd", seeds=1).run(WEIGHTED) == again.run(WEIGHTED)  # it was written


def test_more_seeds_keep_the_runs_there_are(trained):
    acoustic = [system({"acoustic": "weighted"})]
    Study("uegd", seeds=1).run(acoustic)
    before = files()
    trained_records = Study("uegd", seeds=3).run(acoustic)
    assert [r.spec.seed for r in trained_records] == [0, 1, 2]
    assert [spec.seed for group in trained for spec in group] == [0, 1, 2]
    assert before.items() <= files().items()


def test_a_system_that_is_asked_twice_is_trained_once(trained):
    trained_records = Study("uegd", seeds=1).run(WEIGHTED * 2)
    assert trained_records[0] == trained_records[1]
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
    assert set(record.extras.layer_weights) == {"visual"}
    assert set(record.extras.gates) == set(MODALITIES)
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


# --- the test part decides nothing --------------------------------------------------------------


def fitted(monkeypatch, corpus):
    """Record and fitted weights of one run on a corpus."""
    spec = Study("uegd").spec(system({"linguistic": 1}), 0)
    spec = spec.model_copy(update={"train": {**TRAIN, "epochs": 6}})
    fits = []
    fit = loop.fit
    monkeypatch.setattr(loop, "fit", lambda *args: fits.append(fit(*args)) or fits[0])
    (record,) = Trainer(corpus, "cpu").train([spec])
    monkeypatch.setattr(loop, "fit", fit)
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


# --- refusals and threads ---------------------------------------------------------------------


def test_a_layer_outside_the_store_is_refused():
    with pytest.raises(UserError, match=r"layer 3 of control: .* one of 0, 1, 2, weighted, unif"):
        Study("uegd").run([system({"linguistic": 3})])
    assert files() == {}


def test_a_device_that_is_not_here_is_refused_before_anything_is_trained(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(UserError, match=r"device 'cuda': .* shows no CUDA device"):
        Study("uegd", device="cuda").run(WEIGHTED)
    assert files() == {}


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
    trained_records = layers.singles(Study("uegd", seeds=1))
    assert {r.provenance.replicas for r in trained_records} & {3, 2}
    monkeypatch.setenv("MSALIB_RECORDS", str(tmp_path / "alone"))
    assert_close(layers.singles(Study("uegd", seeds=1)), trained_records)


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
            return nullcontext(False)
        if path == specs[0].path():
            records.write(made)  # the other one has finished
        return reserved(path, wait=wait)

    monkeypatch.setattr(base_files, "reserved", held)
    trained_records = study.run(WEIGHTED)
    assert trained_records[0] == made
    assert [[s.seed for s in group] for group in trained] == [[1]]
    assert asked_for[-1] == (specs[0].path().stem, True)


def test_a_killed_group_of_replicas_leaves_no_half_of_it(monkeypatch):
    """Records are written when all of a group are judged; none says more than it knows."""

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(replicas, "fit", stop)
    with pytest.raises(KeyboardInterrupt):
        layers.singles(Study("uegd", seeds=1))
    assert files() == {}
