"""Claims on generated labels and on the geometry of features."""

import numpy as np
import pytest

from msalib.data.simulate import features
from msalib.models.extras import Geometry
from msalib.papers.sugrm import evidence_labels
from msalib.papers.sugrm.momentum import null_movement
from msalib.papers.sugrm.plan import compared
from tests.papers.sugrm.planted import (
    THREE,
    changed,
    generated,
    judged,
    lacks,
    setting,
    with_labels,
)


def test_movement_by_chance_is_that_of_simulated_labels():
    rng = np.random.default_rng(0)
    labels = rng.uniform(-3, 3, 40_000)
    expected = null_movement(30)
    assert expected[0] is None and len(expected) == 30 and null_movement(0) == []
    for e in range(2, 31):
        moved = ((e - 1) * labels + 2 * rng.uniform(-3, 3, len(labels))) / (e + 1)
        assert np.abs(moved - labels).mean() == pytest.approx(expected[e - 1], rel=0.02)
        labels = moved
    assert expected[14] == pytest.approx(0.19, abs=0.005)  # papers/sugrm.md (b), C18
    assert expected[19] == pytest.approx(0.15, abs=0.005)


FALLING = [1 / e**2 for e in range(1, 31)]


@pytest.mark.parametrize(
    ("movement", "drift", "verdict"),
    [
        ([0.2 / e for e in range(1, 31)], FALLING, "supported"),
        ([0.2 / e for e in range(1, 31)], [0.3] * 30, "inconclusive"),  # targets still drift
        ([v or 0 for v in null_movement(30)], FALLING, "contradicted"),  # momentum alone
        ([0.04] * 28 + [0.06, 0.04], FALLING, "contradicted"),
        ([0.2 / e for e in range(1, 29)] + [0.0495] * 2, FALLING, "inconclusive"),  # half of chance
    ],
)
def test_labels_that_settle_are_told_from_those_that_momentum_slows(movement, drift, verdict):
    found = setting(only=["SUGRM's"])
    found = with_labels(found, "SUGRM's", lambda seed: generated(movement, drift))
    assert judged("C18", found).verdict == verdict


def test_four_of_five_seeds_must_move_to_contradict():
    for moving, verdict in ((4, "contradicted"), (1, "inconclusive")):
        found = with_labels(
            setting(only=["SUGRM's"]),
            "SUGRM's",
            lambda seed, moving=moving: generated([0.01 if seed >= moving else 0.5] * 30, FALLING),
        )
        assert judged("C18", found).verdict == verdict


def test_labels_without_enough_epochs_or_targets():
    found = setting(only=["SUGRM's"])
    assert lacks(judged("C18", found), "generated labels of every epoch")
    short = with_labels(found, "SUGRM's", lambda seed: generated([0.01] * 14))
    assert lacks(judged("C18", short), "15 epochs")
    still = with_labels(found, "SUGRM's", lambda seed: generated(drift=[0.0] * 30))
    evidence = judged("C18", still)
    assert evidence.verdict == "inconclusive"
    assert np.isnan(evidence.effects["visual drift over epoch 4"].effect)


@pytest.mark.parametrize(
    ("ours", "size", "verdict"),
    [
        (0.1, 9.0, "supported"),
        (0.1, 9.1, "inconclusive"),  # beyond the bound
        (0.4, 5.0, "contradicted"),
        (0.25, 5.0, "inconclusive"),
    ],
)
def test_targets_at_the_ends_of_the_scale_are_counted(ours, size, verdict):
    rng = np.random.default_rng(0)
    found = setting(only=["SUGRM's", "Self-MM's"])
    for name, share, percentile in (("SUGRM's", ours, size), ("Self-MM's", 0.25, 40.0)):
        found = with_labels(
            found,
            name,
            lambda seed, share=share, percentile=percentile: generated(
                clamped=share + 0.01 * rng.normal(), percentile=percentile
            ),
        )
    evidence = judged("C19", found)
    assert evidence.verdict == verdict
    assert evidence.effects["99th percentile of size, Self-MM's"].effect == pytest.approx(40)


@pytest.fixture(scope="module")
def corpus():
    return features.control(videos=15)


@pytest.mark.parametrize(
    ("kind", "verdict"),
    [("true", "supported"), ("copied", "inconclusive"), ("noise", "contradicted")],
)
def test_generated_labels_are_compared_with_the_true_ones_of_the_control(
    kind, verdict, corpus, monkeypatch
):
    monkeypatch.setattr(features, "story", {"control": corpus}.get)
    evidence_labels._true_sentiment.cache_clear()
    rows = np.arange(60)
    annotated = corpus.utterances["label"].to_numpy()[rows]
    ids = corpus.utterances.index[rows].tolist()
    rng = np.random.default_rng(0)

    def make(seed):
        made = {}
        for m in THREE:
            true = corpus.truth["sentiment"][m][rows]
            half = 0.5 * true + 0.5 * annotated
            last = {"true": half, "copied": annotated, "noise": 0 * annotated}[kind]
            last = last + (0 if kind == "copied" else 0.3 * rng.normal(size=len(rows)))
            made[m] = [[0.0] * len(rows), last.tolist()]
        return generated(made=made, id=ids, video=ids, given=annotated.tolist())

    records = with_labels(setting(only=["SUGRM's"]), "SUGRM's", make)
    evidence = judged("C21", records)
    evidence_labels._true_sentiment.cache_clear()
    assert evidence.verdict == verdict
    assert list(evidence.effects)[:3] == ["visual difference", "visual generated", "visual clip's"]


def test_generated_labels_without_truth_are_not_judged():
    real = with_labels(setting("mosi", only=["SUGRM's"]), "SUGRM's", lambda seed: generated())
    assert lacks(judged("C21", real), "labels of each modality")
    assert lacks(judged("C21", setting(only=["SUGRM's"])), "every epoch")


# --- geometry -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "selected", "verdict"),
    [
        (0.2, 0.7, "supported"),
        (0.7, 0.7, "inconclusive"),  # not by training
        (0.1, 0.3, "contradicted"),
        (None, 0.7, "inconclusive"),
    ],
)
def test_distances_that_agree_are_found(first, selected, verdict):
    rng = np.random.default_rng(0)

    def drawn(value):
        return None if value is None else value + 0.01 * rng.normal()

    found = changed(
        setting(only=["SUGRM"]),
        compared(THREE)["SUGRM"],
        lambda r: {"geometry": Geometry(first=drawn(first), selected=drawn(selected))},
    )
    evidence = judged("C20", found)
    assert evidence.verdict == verdict
    assert ("undefined (features all the same)" in evidence.note) == (first is None)
    assert lacks(judged("C20", setting(only=["SUGRM"])), "distances of features")
