"""Saved models that tests of prediction share, small and trained once per process."""

import numpy as np
import pandas as pd
import pytest

from msalib.data import datasets as readers
from msalib.data.corpus import MODALITIES, Corpus
from msalib.runs import save, saved
from msalib.runs.spec import system
from msalib.runs.study import Study
from tests.encoders.tiny import save_bert
from tests.sweep import offer, small_control

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


@pytest.fixture
def small_data(monkeypatch):
    monkeypatch.setattr(readers, "DATASETS", dict(readers.DATASETS))
    offer("control", small_control)
    text = ("linguistic",)
    offer("films", films, layered=text, shipped=None, raw=text)


@pytest.fixture(scope="session")
def bert(tmp_path_factory):
    return save_bert(tmp_path_factory.mktemp("models") / "bert")


@pytest.fixture(scope="session")
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
def control(small_data, folders):
    return saved.load(folders[0] / "control")


@pytest.fixture
def text(small_data, folders):
    return saved.load(folders[0] / "films")


def frames(model, modality, length=3, width=None):
    """Random features of the form that the model reads."""
    asked = model.about.inputs[modality]
    rng = np.random.default_rng(length)
    return rng.normal(size=(asked.layers, length, width or asked.width)).astype(np.float32)
