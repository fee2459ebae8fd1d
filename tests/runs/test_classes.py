"""Runs on a corpus whose labels are classes: trained by cross entropy, scored as classes are."""

import numpy as np
import pytest
import torch

from msalib.base.errors import UserError
from msalib.runs import records, trainer
from msalib.runs.trainer import Trainer
from msalib.training import loop
from tests.factory import CLASSES, tiny_classes
from tests.runs.common import CLOSE, everything, of_sugrm, spec


@pytest.fixture
def on_classes():
    return Trainer(tiny_classes(), "cpu")


def assert_of_classes(record, corpus):
    """Scores of every class, class numbers, and the metrics of classes."""
    label = CLASSES.labels(corpus.utterances)
    for part, clips in record.predictions.items():
        scores = np.array(clips.scores)
        assert scores.shape == (10, 3)
        assert clips.prediction.tolist() == scores.argmax(1).tolist()
        assert clips.label.tolist() == label[corpus.rows(part, "standard")].tolist()
        expected = CLASSES.metrics(np.array(clips.label), scores)
        assert record.metrics[part] == pytest.approx(expected, nan_ok=True)
        assert {"wa", "ua", "f1"} <= set(record.metrics[part])
        accuracy = np.mean(np.array(clips.prediction) == clips.label)
        assert record.metrics[part]["wa"] == pytest.approx(accuracy)
    assert set(record.chance) == set(record.metrics["test"])


def test_classes_are_trained_by_cross_entropy(on_classes, monkeypatch):
    corpus, kept, fit = on_classes.corpus, [], loop.fit
    monkeypatch.setattr(loop, "fit", lambda *a: kept.append(fit(*a)) or kept[0])
    asked = spec({"linguistic": 1}, train={"epochs": 12, "time_masks": 0})
    (record,) = on_classes.train([asked])
    assert_of_classes(record, corpus)
    valid = on_classes.examples(asked, "valid")
    scores = loop.predict(kept[0].model, valid, 4)
    losses = [
        torch.nn.functional.cross_entropy(output.prediction, valid.label[rows])
        for rows, output in zip(scores.rows, scores.batches, strict=True)
    ]
    selected = record.history[record.selected_epoch - 1]["valid_loss"]
    assert selected == pytest.approx(float(torch.stack(losses).mean()), rel=1e-5)
    assert record.history[-1]["train_loss"] < record.history[0]["train_loss"]
    assert record.metrics["train"]["wa"] > record.chance["wa"]


def test_classes_train_as_replicas_too(on_classes, monkeypatch, fits):
    specs = [spec({"linguistic": 1}, seed) for seed in range(3)]
    together = everything(specs, on_classes)
    monkeypatch.setattr(trainer, "SMALL", 0)
    alone = everything(specs, on_classes)
    assert fits == [3, 1, 1, 1]
    for key, record in together.items():
        assert_of_classes(record, on_classes.corpus)
        for one, other in zip(record.history, alone[key].history, strict=True):
            assert one == pytest.approx(other, abs=CLOSE)


def test_a_record_of_classes_survives_writing_and_reading(on_classes):
    (record,) = on_classes.train([spec({"linguistic": 1})])
    assert records.read(records.write(record)) == record


def test_generated_labels_are_refused_where_labels_are_classes(on_classes):
    with pytest.raises(UserError) as error:
        on_classes.train([of_sugrm({"linguistic": 1})])
    message = str(error.value)
    assert "generated unimodal labels: found a data set with 3 classes" in message
    assert "Choose a data set with sentiment scores" in message
