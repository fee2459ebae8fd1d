"""Shares of the training clips: gains, gaps and entropies."""

import numpy as np
import pytest

from msalib.papers.uegd import layers, sizes
from msalib.papers.uegd.layers import SHARES
from msalib.runs.query import Runs
from msalib.runs.spec import system
from msalib.runs.study import Study
from tests.factory import layer_records


def shared(record, share, layer=None):
    """The same record as one of a smaller training part, of another input if given."""
    inputs = {"linguistic": layer} if layer is not None else record.spec.inputs
    spec = record.spec.model_copy(update={"train_share": share, "inputs": inputs})
    weights = {"linguistic": [0.5, 0.25, 0.125, 0.125]} if layer == "weighted" else {}
    return record.model_copy(update={"spec": spec, "layer_weights": weights})


@pytest.fixture
def runs():
    noise = {"linguistic": {0: 2.0, 1: 1.0, 2: 0.5, 3: 1.0, 4: 1.0}}
    records = layer_records(noise, seeds=2, videos=30)
    by_layer = {
        layer: [r for r in records if r.spec.inputs["linguistic"] == layer] for layer in (0, 2)
    }
    for share in SHARES[:-1]:
        records += [shared(r, share) for seeds in by_layer.values() for r in seeds]
    for share in SHARES:
        for layer in ("weighted", "uniform"):
            records += [shared(r, share, layer) for r in by_layer[2]]
    return Runs(records)


def test_gains_are_positive_where_the_best_block_is_better(runs):
    gains = sizes.gains(runs, "linguistic")
    assert list(gains) == list(SHARES)
    assert all(e.low > 0 for e in gains.values())


def test_shares_that_are_not_there_are_left_out():
    noise = {"linguistic": {0: 2.0, 1: 0.5, 2: 1.0}}
    assert list(sizes.gains(Runs(layer_records(noise)), "linguistic")) == [1.0]


def test_gaps_show_both_kinds_of_weights_and_the_entropy(runs):
    frame = sizes.gaps(runs, "linguistic", setting="a test").frame
    assert list(frame["layer weights"]) == ["learned", "equal"] * len(SHARES)
    entropy = frame.set_index("layer weights")["entropy (bits)"]
    assert set(entropy["learned"]) == {"1.750 of 2.000"}
    assert set(entropy["equal"]) == {"2.000"}


def test_every_share_of_every_feature_is_trained_on_the_control(monkeypatch):
    asked = []
    study = Study("uegd", dataset="control", seeds=1)
    monkeypatch.setattr(layers, "together", lambda _, *a, **k: asked.append((a, k)) or [])
    assert sizes.train(study) == []
    assert {k["train_share"] for _, k in asked} == set(SHARES)
    assert {a[0][0] for a, _ in asked} == set(study.dataset.layered)
    assert np.all([a[1][:2] == ["input", "mid_best"] for a, _ in asked])
    assert system({"visual": 1}, train_share=0.5).name() == "visual-1-share0.5"
