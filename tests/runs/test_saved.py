"""Saved models: the numbers of the runs, intervals that hold, and every way to be damaged."""

import json
import shutil
from itertools import combinations

import numpy as np
import pytest
import torch

from msalib.base import files
from msalib.base.errors import UserError
from msalib.base.provenance import pick_device
from msalib.data import datasets as readers
from msalib.data.corpus import MODALITIES
from msalib.pages.predict import report_model
from msalib.papers.uegd import layers
from msalib.runs import save, saved
from msalib.runs.spec import system
from msalib.runs.study import Study
from msalib.runs.trainer import Trainer
from msalib.training import loop
from tests.sweep import offer, small_control

CPU = {"device": "cpu"}


@pytest.fixture(autouse=True)
def small_data(monkeypatch):
    monkeypatch.setattr(readers, "DATASETS", dict(readers.DATASETS))
    offer("control", small_control)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A model of the small control, two seeds."""
    folder = tmp_path_factory.mktemp("saved")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(readers, "DATASETS", dict(readers.DATASETS))
        patch.setenv("MSALIB_RECORDS", str(folder / "records"))
        offer("control", small_control)
        return save.train("uegd", "control", folder / "model", parameters=CPU)


@pytest.fixture
def model(kept, tmp_path):
    """A copy that a test may damage."""
    return shutil.copytree(kept, tmp_path / "model")


@pytest.fixture
def no_training(monkeypatch):
    monkeypatch.setattr(Trainer, "fit", lambda *_: pytest.fail("trained"))


# --- training -----------------------------------------------------------------------------------


def test_a_model_is_its_runs(kept):
    """Weights, metrics and where they come from are those of records of the same runs."""
    assert sorted(p.name for p in kept.iterdir()) == [
        "model.json",
        "seed-0.safetensors",
        "seed-1.safetensors",
    ]
    about = saved.describe(kept)
    assert about.provenance.threads == 1
    study = Study("uegd", **CPU)
    found = study.run([system(dict.fromkeys(MODALITIES, "weighted"))])
    assert about.spec == found[0].spec and [run.seed for run in about.runs] == [0, 1]
    trainer = Trainer(study.encoded, pick_device("cpu"))
    predictions = []
    for run, record, network in zip(about.runs, found, saved.load(kept).networks, strict=True):
        assert run.selected_epoch == record.selected_epoch
        for part in ("valid", "test"):
            assert run.metrics[part] == pytest.approx(record.metrics[part], abs=1e-4, nan_ok=True)
        outputs = loop.predict(network, trainer.examples(record.spec, "test"), 64).batches
        own = torch.cat([o.prediction for o in outputs]).numpy()
        np.testing.assert_allclose(own, record.predictions["test"].prediction, atol=1e-4)
        predictions.append(own)
    label = found[0].predictions["test"].label
    mae = float(np.abs(np.mean(predictions, 0) - label).mean())
    assert about.mean_metrics["test"]["mae"] == pytest.approx(mae, abs=1e-4)
    assert about.provenance.data == found[0].provenance.data
    assert about.provenance.features == found[0].provenance.features
    assert about.provenance.versions["torch"] and about.provenance.commit
    assert about.setting == study.setting and about.scale == (-3.0, 3.0)
    corpus = study.encoded
    assert about.clips == {p: len(corpus.rows(p, "standard")) for p in about.clips}
    for m, asked in about.inputs.items():
        assert (asked.layer, asked.layers, asked.encoder) == ("weighted", 2, None)
        assert asked.width == corpus.features[m].layers[1].shape[1]


def test_means_and_errors_are_those_of_the_parts(kept):
    about, networks = saved.load(kept)[1:]
    study = Study("uegd", **CPU)
    trainer = Trainer(study.encoded, "cpu")
    guesses = []
    for run, network in zip(about.runs, networks, strict=True):
        outputs = loop.predict(network, trainer.examples(about.spec, "train"), 64).batches
        for i, m in enumerate(MODALITIES):
            z = torch.cat([o.embeddings[m] for o in outputs])
            alpha = torch.cat([o.gates[:, [i]] for o in outputs])
            np.testing.assert_allclose(run.means[m]["vector"], z.mean(0), rtol=1e-4, atol=1e-5)
            np.testing.assert_allclose(
                run.means[m]["gated"], (alpha * z).mean(0), rtol=1e-4, atol=1e-5
            )
        outputs = loop.predict(network, trainer.examples(about.spec, "valid"), 64).batches
        guesses.append(torch.cat([o.prediction for o in outputs]).numpy())
    label = trainer.examples(about.spec, "valid").label.numpy()
    errors = about.errors["visual+acoustic+linguistic"]
    np.testing.assert_allclose(errors, np.sort(np.abs(np.mean(guesses, 0) - label)), atol=1e-4)
    choices = [saved.key(c) for n in (1, 2, 3) for c in combinations(MODALITIES, n)]
    assert list(about.errors) == choices == list(about.coverage)
    assert {len(own) for own in about.errors.values()} == {len(label)}
    assert about.errors["visual"] != about.errors["acoustic"]


def test_the_report_says_what_was_saved(kept):
    lines = report_model(kept)
    assert "UEGD on control; release recipe" in lines[0] and "2 seeds" in lines[0]
    assert "MAE" in lines[3] and "of the mean over seeds" in lines[3]
    assert lines[-2].startswith("  80 % prediction interval: held ")


@pytest.mark.parametrize(
    ("features", "layers"),
    [
        ("weighted", dict.fromkeys(MODALITIES, "weighted")),
        ("output", dict.fromkeys(MODALITIES, 2)),
        ("input", dict.fromkeys(MODALITIES, 0)),
        ("uniform", dict.fromkeys(MODALITIES, "uniform")),
    ],
)
def test_features_are_those_of_the_tables(features, layers):
    study = Study("uegd", seeds=1, **CPU)
    assert save.system_of(study, "uegd", features) == system(layers)


def test_mid_best_is_chosen_on_validation_and_vectors_are_as_they_are():
    offer("control", small_control, layered=("linguistic",), vectors=("acoustic",))
    study = Study("uegd", seeds=1, **CPU)
    wanted = save.system_of(study, "uegd", "mid_best")
    (record,) = layers.together(study, ("acoustic", "linguistic"), ["mid_best"])
    assert wanted == record.spec.system
    assert save.system_of(study, "uegd", "weighted") == system(
        {"acoustic": 1, "linguistic": "weighted"}
    )


def test_bad_choices_are_refused_before_training(no_training, tmp_path):
    with pytest.raises(UserError, match=r"features 'best': found no such choice; .*weighted, out"):
        save.train("uegd", "control", tmp_path / "m", features="best")
    with pytest.raises(
        UserError, match=r"model 'sugrm': found no contrib.*; expected one of .*uegd"
    ):
        save.train("sugrm", "control", tmp_path / "m")
    with pytest.raises(UserError, match="model 'mummy': found no such model"):
        save.train("mummy", "control", tmp_path / "m")
    with pytest.raises(UserError, match="data set 'nothing'"):
        save.train("uegd", "nothing", tmp_path / "m")
    with pytest.raises(UserError, match="parameter 'seeds'"):
        save.train("uegd", "control", tmp_path / "m", parameters={"seeds": "none"})
    with pytest.raises(UserError, match="found another data set than control"):
        save.train("uegd", "control", tmp_path / "m", parameters={"dataset": "mosi"})
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="file, which is no folder"):
        save.train("uegd", "control", tmp_path / "file" / "new" / "m")
    assert not (tmp_path / "m").exists()


def test_a_folder_that_is_there_is_left_alone(model, no_training, tmp_path):
    before = (model / "model.json").read_bytes()
    with pytest.raises(UserError, match=r"a saved model; .*--refresh"):
        save.train("uegd", "control", model, parameters=CPU)
    assert (model / "model.json").read_bytes() == before
    (tmp_path / "thesis").mkdir()
    for refresh in (False, True):
        with pytest.raises(UserError, match="something that is no saved model"):
            save.train("uegd", "control", tmp_path / "thesis", refresh=refresh)


def test_refresh_replaces_the_whole_folder(model):
    (model / "seed-7.safetensors").write_bytes(b"old")
    parameters = {**CPU, "seeds": "1"}
    assert save.train("uegd", "control", model, refresh=True, parameters=parameters) == model
    assert {p.name for p in model.iterdir()} == {"model.json", "seed-0.safetensors"}
    assert [p.name for p in model.parent.iterdir() if p.name.startswith(".model")] == []


def test_a_disk_that_refuses_leaves_what_was_there(model, monkeypatch):
    before = {p.name: p.read_bytes() for p in model.iterdir()}

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "write_json", full)
    parameters = {**CPU, "seeds": 1}
    with pytest.raises(UserError, match=r"cannot be written \(No space left"):
        save.train("uegd", "control", model, refresh=True, parameters=parameters)
    assert {p.name: p.read_bytes() for p in model.iterdir()} == before
    assert [p.name for p in model.parent.iterdir() if p.name.startswith(".model")] == []


# --- what a prediction is made of ---------------------------------------------------------------


def test_the_width_of_an_interval_is_an_error_that_was_made():
    errors = [float(e) for e in range(1, 10)]  # n = 9
    assert [saved.half_width(errors, level) for level in (50, 80, 90)] == [5, 8, 9]
    assert saved.half_width(errors, 91) is None
    assert saved.half_width(errors[:4], 80) == 4 and saved.half_width(errors[:3], 80) is None


def test_intervals_hold_what_they_promise_on_exchangeable_clips():
    rng = np.random.default_rng(0)
    held = []
    for _ in range(400):
        errors = np.abs(rng.standard_t(3, size=40))
        held.append(np.abs(rng.standard_t(3, size=50)) <= saved.half_width(errors.tolist(), 80))
    assert np.mean(held) == pytest.approx(33 / 41, abs=0.01)  # ceil(41 * 0.8) of 41


# --- damaged folders ----------------------------------------------------------------------------


def change(model, **differently):
    path = model / "model.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, **differently}))


def test_a_missing_model_is_told(model, tmp_path):
    with pytest.raises(UserError, match=r"nowhere: found no such folder; .*msalib train"):
        saved.load(tmp_path / "nowhere")
    (model / "model.json").unlink()
    with pytest.raises(UserError, match=r"found no model\.json in it"):
        saved.load(model)


@pytest.mark.parametrize(
    ("differently", "found"),
    [
        ({"format": 2}, "Input should be 1 at format"),
        ({"runs": []}, "at least 1 item .* at runs"),
        ({"inputs": {}}, "inputs that are not those of its specification"),
        ({"errors": {}}, "no errors for some choice"),
        ({"features": "best"}, "features 'best', which its model does not read"),
        ({"more": 1}, "Extra inputs are not permitted at more"),
    ],
)
def test_a_description_of_something_else_is_told(model, differently, found):
    change(model, **differently)
    with pytest.raises(UserError, match=rf"model\.json: found .*{found}"):
        saved.load(model)


def test_a_description_cut_short_is_told(model):
    content = (model / "model.json").read_bytes()
    (model / "model.json").write_bytes(content[: len(content) // 2])
    with pytest.raises(UserError, match=r"model\.json: found Invalid JSON"):
        saved.load(model)


def test_means_that_do_not_fit_and_models_without_gates_are_told(model):
    about = json.loads((model / "model.json").read_text())
    about["runs"][1]["means"]["visual"]["gated"].pop()
    change(model, runs=about["runs"])
    with pytest.raises(UserError, match="seed 1: means that do not fit"):
        saved.load(model)
    about["runs"][1]["means"]["visual"]["gated"].append(0.0)
    about["spec"]["model"]["fusion"] = "concat"
    change(model, **about)
    with pytest.raises(UserError, match="a model without gates"):
        saved.load(model)
    about["spec"]["model"]["family"] = "self_mm"
    change(model, **about)
    with pytest.raises(UserError, match="a model self_mm without contributions"):
        saved.load(model)


def test_weights_that_are_missing_changed_or_of_another_size_are_told(model):
    path = model / "seed-1.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[:-4])
    with pytest.raises(UserError, match=r"seed-1\.safetensors: found other content than was saved"):
        saved.load(model)
    path.unlink()
    with pytest.raises(UserError, match=r"seed-1\.safetensors: found no such file"):
        saved.load(model)
    path.write_bytes(content)
    about = json.loads((model / "model.json").read_text())
    about["inputs"]["visual"]["width"] += 1
    change(model, **about)
    with pytest.raises(UserError, match=r"seed-0\.safetensors: found weights of other names"):
        saved.load(model)
